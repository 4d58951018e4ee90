"""An engine that listens: whom it tells of, and what it folds of all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sensor import engine as compiled
from sensor.engine import DAYS, ENDS, FULL, HELD, load_interpreted
from tests.captures import name_of, own_captures
from tests.sensor.engine.builder import Tcp, Wire, datagram
from tests.sensor.engine.harness import kinds_of, new_engine, of, opinions, run

ALL, NOBODY = [(b"", b"")], []
CAPTURES = own_captures("*")[::9]
ALL_TLS = [(b"\x16\x03", b"\xff\xff")]
SUMS = ("packets", "initiator_bytes", "responder_bytes", "lost_bytes")
STATS = (("packets_i", "packets_r"), ("bytes_i",), ("bytes_r",), ("lost",))


Leads = list[tuple[bytes, bytes]]


def only(*beginnings: bytes) -> Leads:
    """These bytes, all bits of them."""
    return [(beginning, b"\xff" * len(beginning)) for beginning in beginnings]


def listening(
    tcp: list[tuple[bytes, bytes]], udp: list[tuple[bytes, bytes]], module: ModuleType = compiled, **options: Any
) -> Any:
    engine = new_engine(module, **options)
    engine.listen(tcp, udp)
    return engine


def rows(table: memoryview, columns: tuple[str, ...]) -> list[dict[str, int]]:
    numbers = table.tolist()
    return [
        dict(zip(columns, numbers[at : at + len(columns)], strict=True)) for at in range(0, len(numbers), len(columns))
    ]


def folded(engine: Any) -> tuple[list[dict[str, int]], list[dict[str, int]]]:
    """Days and intervals, with what is known of their ends."""
    days, held, ends = map(rows, engine.take_days(), (DAYS, HELD, ENDS))
    for day in days:
        for name in ("initiator", "responder"):
            day |= {f"{name}_{column}": number for column, number in ends[day[name]].items()}
    return days, [ends[interval["end"]] | interval for interval in held]


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_what_is_folded_is_what_flows_were(path: Path) -> None:
    capture = path.read_bytes()
    if capture[:4] == b"\x1f\x8b\x08\x00":
        pytest.skip("compressed")
    events = of(run(capture, opinions), "end", "day")
    told = [sum(event.stat(name) for event in events for name in names) for names in STATS]
    engine = listening(ALL, ALL)
    run(capture, opinions, engine=engine)
    days, _ = folded(engine)
    assert [sum(day[name] for day in days) for name in SUMS] == told
    assert sum(day["n"] for day in days) == len(events)
    assert folded(engine) == ([], [])


@pytest.mark.parametrize("path", CAPTURES[::3], ids=name_of)
def test_interpreted_folds_the_same(path: Path) -> None:
    capture, found = path.read_bytes(), []
    for module in (compiled, load_interpreted()):
        engine = listening(only(b"\x16\x03", b"\x01\x00", b"\0\0"), NOBODY, module)
        found.append((run(capture, opinions, engine=engine), folded(engine), engine.counters()))
    assert found[0] == found[1]


def conversation(*said: bytes) -> Wire:
    """A TCP conversation whose lanes take turns."""
    wire = Wire()
    talk = Tcp(wire).open()
    for number, data in enumerate(said):
        talk.send(number & 1, data)
    return wire


def test_of_what_nobody_wants_nothing_is_told() -> None:
    wire = conversation(b"GET / HTTP/1.1", b"HTTP/1.1 200", b"GET /2")
    for _ in range(6):
        datagram(wire, b"\x01\x02ping")
    engine = listening(NOBODY, NOBODY)
    assert run(wire.pcap(), engine=engine) == []
    days, holders = folded(engine)
    assert Counter(day["transport"] for day in days) == {6: 1, 17: 1}
    assert [day["copied_bytes"] for day in days] == [0, 0]
    assert holders


def test_an_unknown_lane_is_looked_at_again_in_each_turn() -> None:
    for turn in (2, 3, 4, 7, 50):
        said = [b"\x16\x03later" if number == 2 * (turn - 1) else b"xx" for number in range(2 * turn)]
        events = run(conversation(*said).pcap(), engine=listening(only(b"\x16\x03"), NOBODY))
        assert [event.data for event in of(events, "data")][:1] == [b"\x16\x03later"], turn


def test_a_conversation_given_back_is_looked_at_in_each_turn_until_somebody_wants_it() -> None:
    """As one that nobody was told of; but its end is told."""
    for turn in (2, 3, 7):
        said = [b"\x16\x03first", *[b"xx"] * (2 * turn - 3), b"\x16\x03again", b"answer", b"more"]

        def react(engine: Any, event: Any) -> None:
            if event.data == b"\x16\x03first":
                engine.unlisten(event.flow)

        events = run(conversation(*said).pcap(), react, engine=listening(only(b"\x16\x03"), NOBODY))
        told = [(event.kind, event.data) for event in events]
        assert told == [("data", b"\x16\x03first"), *[("data", data) for data in said[-3:]], ("end", b"")], turn


def test_giving_back_leaves_out_the_rest_of_both_turns_and_is_no_gap() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"\x16\x03first")
    talk.send(0, b"\x16\x03 in the same turn")
    talk.lose(0, 4)
    talk.send(0, b"\x16\x03 and on")
    events = run(wire.pcap(), lambda engine, event: engine.unlisten(event.flow), engine=listening(ALL_TLS, NOBODY))
    assert [event.kind for event in events] == ["data", "end"]


def test_where_nobody_listens_and_for_datagrams_nothing_is_given_back() -> None:
    wire = conversation(b"one", b"two", b"three")
    datagram(wire, b"four")
    datagram(wire, b"five")
    events = run(wire.pcap(), lambda engine, event: engine.unlisten(event.flow))
    assert [event.data for event in of(events, "data", "datagram")] == [b"one", b"two", b"three", b"four", b"five"]


def test_leads_are_eight_bytes_with_masks_and_heads_may_be_shorter() -> None:
    leads = [(b"\x00\x00\x00\x00\xfeSMB??", b"\xff\x00\x00\x00\xff\xff\xff\xff\xff\xff"), (b"HI", b"\xff\xdf")]
    heads = {
        b"\x00\x01\x02\x03\xfeSMBrest": True,
        b"\x00\x01\x02\x03\xffSMBrest": False,
        b"\x01\x01\x02\x03\xfeSMBrest": False,
        b"\x00\x07": True,
        b"\x00\x07\x00\x00\xfe": True,
        b"\x00\x07\x00\x00\xfd": False,
        b"Hi there": True,
        b"H": True,
        b"J": False,
    }
    for head, told in heads.items():
        for wire, engine in (
            (conversation(head), listening(leads, NOBODY)),
            (datagrams(head), listening(NOBODY, leads)),
        ):
            assert bool(of(run(wire.pcap(), engine=engine), "data", "datagram")) is told, head


@pytest.mark.parametrize("count", [1, 254, 255, 256, 300])
def test_a_lead_is_found_behind_any_number_of_others(count: int) -> None:
    others = only(*(b"A" + number.to_bytes(2, "big") for number in range(count)))
    for leads in (others + only(b"B!"), others + only(b"B?") + [(b"\x00!", b"\x00\xff")]):
        for head, told in ((b"B! it is", True), (b"A\x00\x00 it is", True), (b"A\x7f\xff is not", False)):
            for wire, engine in (
                (conversation(head), listening(leads, NOBODY)),
                (datagrams(head), listening(others[:3], leads)),
            ):
                assert bool(of(run(wire.pcap(), engine=engine), "data", "datagram")) is told, head


def datagrams(data: bytes) -> Wire:
    wire = Wire()
    datagram(wire, data)
    return wire


def test_a_flow_that_was_told_of_has_an_end_unless_it_is_forgotten() -> None:
    capture = conversation(b"\x16\x03hello", b"xx").pcap()
    table = only(b"\x16\x03")
    assert of(run(capture, engine=listening(table, NOBODY)), "end")
    forgetful = run(capture, lambda engine, event: engine.forget(event.flow), engine=listening(table, NOBODY))
    assert not of(forgetful, "end")


def test_a_label_is_part_of_the_key_and_may_swap_the_lanes() -> None:
    capture = conversation(b"\x16\x03hello", b"answer").pcap()
    plain, swapped = listening(ALL, NOBODY), listening(ALL, NOBODY)
    run(capture, lambda engine, event: engine.label(event.flow, 6), engine=plain)
    run(capture, lambda engine, event: engine.label(event.flow, 7), engine=swapped)
    (one,), (other,) = folded(plain)[0], folded(swapped)[0]
    assert one["label"] == other["label"] == 3
    assert (
        (one["initiator_bytes"], one["responder_bytes"])
        == (other["responder_bytes"], other["initiator_bytes"])
        == (7, 6)
    )
    assert (one["initiator_ip3"], one["port"]) == (other["responder_ip3"], 104)
    assert other["port"] == 50_000


def test_a_holder_that_is_silent_for_long_holds_twice() -> None:
    wire = Wire()
    for _ in range(2):
        datagram(wire, b"ping")
        wire.wait(3600)
    engine = listening(ALL, ALL, udp_idle_us=1_000_000)
    run(wire.pcap(), engine=engine)
    held = folded(engine)[1]
    assert sorted(Counter(row["mac"] for row in held).values()) == [2]
    assert {row["n"] for row in held} == {1}


def test_a_full_table_says_so_and_loses_what_is_not_taken() -> None:
    """`FULL` comes in time: who takes the days then loses none."""
    wire = Wire(step_us=1)
    for number in range(140_000):
        datagram(wire, b"ping", source=(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 40_000))
    for takes in (True, False):
        engine, taken = listening(NOBODY, NOBODY, flows=1 << 18), 0
        for kind in kinds_of(engine, wire.pcap()):
            if kind == FULL and takes:
                taken += len(folded(engine)[0])
        taken += len(folded(engine)[0])
        lost = engine.counters()["days_lost"]
        assert (taken + lost, lost == 0) == (140_000, takes)
