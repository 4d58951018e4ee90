"""What the engine leaves out when it is told to do less, and that it goes on where it can be told."""

from __future__ import annotations

import pytest

from sensor import engine as compiled
from sensor.engine import GAP_SEEN, load_interpreted
from tests.sensor.engine.builder import Tcp, Wire, datagram
from tests.sensor.engine.harness import new_engine, of, run

EACH = 16


def chat(wire: Wire, turns: int, **options: object) -> Tcp:
    talk = Tcp(wire, **options).open()  # type: ignore[arg-type]
    for number in range(1, turns + 1):
        talk.send(0, b"ask%03d" % number)
        talk.send(1, b"say%03d" % number)
    return talk


def shedding(after: int | None = 4, head: int = 16_384, flows: int = 1, module=compiled):
    engine = new_engine(module)
    engine.shed(after, head, max(head, 65_536), flows)
    return engine


def turns_read(events, lane: int = 0) -> list[int]:
    return [event.turn for event in of(events, "data") if event.lane == lane]


def test_of_a_long_conversation_the_beginning_and_a_sample_are_read() -> None:
    wire = Wire()
    chat(wire, 40)
    engine = shedding(4)
    events = run(wire.pcap(), engine=engine)
    assert turns_read(events, 0) == turns_read(events, 1) == [1, 2, 3, 4, EACH, 2 * EACH]
    assert [event.turn for event in of(events, "gap") if event.lane == 0] == [EACH, 2 * EACH]
    assert engine.counters()["shed_turns"] == 2 * (40 - 6)
    (end,) = of(events, "end")
    assert end.stat("left_out") == 2 * 6 * (40 - 6)


def test_a_shed_turn_wakes_nobody() -> None:
    wire = Wire()
    chat(wire, 15)
    kinds = [event.kind for event in run(wire.pcap(), engine=shedding(4))]
    assert kinds == ["data"] * 8 + ["end"]


def test_a_lane_that_nobody_knows_is_still_looked_at() -> None:
    """Leaving it out saves nothing, and would be a gap that is none: what begins late is found under load too."""
    wire = Wire()
    talk = chat(wire, 20)
    talk.send(0, b"\x16\x03hello")
    engine = shedding(2)
    engine.listen([(b"\x16\x03", b"\xff\xff")], [])
    events = run(wire.pcap(), engine=engine)
    assert [(event.kind, event.turn) for event in of(events, "data", "gap")] == [("data", 21)]
    (end,) = of(events, "end")
    assert not end.stat("flags") & GAP_SEEN
    assert engine.counters()["shed_turns"] == 0


def test_datagrams_are_shed_alike() -> None:
    wire = Wire()
    for number in range(1, 21):
        datagram(wire, b"trap%d" % number)
    engine = shedding(4)
    assert [event.turn for event in of(run(wire.pcap(), engine=engine), "datagram")] == [1, 2, 3, 4, EACH]
    assert engine.counters()["shed_datagrams"] == 15


def test_heads_are_smaller() -> None:
    wire = Wire()
    Tcp(wire).open().send(0, bytes(10_000))
    (end,) = of(run(wire.pcap(), engine=shedding(4, head=2_048)), "end")
    assert end.stat("copied") == 2_048


def test_new_conversations_are_passed_over_and_those_under_way_go_on() -> None:
    wire = Wire()
    old = Tcp(wire, ports=(50_000, 104)).open()
    old.send(0, b"before")
    before = len(wire.frames)
    for number in range(8):
        chat(wire, 2, ports=(50_001 + number, 104))
    old.send(1, b"after")
    engine = new_engine()

    def react(engine, event) -> None:
        if event.frame == before:
            engine.shed(4, 2_048, 16_384, 4)

    events = run(wire.pcap(), react, engine=engine)
    ports = [event.addresses[4] for event in of(events, "data")]
    assert ports.count(50_000) == 2
    assert len(set(ports) - {50_000}) == 2
    assert engine.counters()["shed_flows"] == 6
    assert len(of(events, "end")) == 9  # what was passed over is still a conversation


def test_a_message_half_read_is_read_to_its_end() -> None:
    wire = Wire()
    talk = chat(wire, 4)
    talk.send(0, b"first half, ")
    talk.send(1, b"go on")
    talk.send(0, b"second half")
    engine = shedding(5)

    def react(engine, event) -> None:
        if event.kind == "data" and event.lane == 0 and event.turn == 4:
            engine.want(event.flow, 0, 23, 23)

    data = [event.data for event in of(run(wire.pcap(), react, engine=engine), "data")]
    assert b"first half, second half" in data


def test_bytes_being_skipped_stay_exact() -> None:
    wire = Wire()
    talk = chat(wire, 4)
    for _ in range(3):
        talk.send(0, bytes(100))
        talk.send(1, b"on")
    talk.send(0, b"next")
    engine = shedding(4)

    def react(engine, event) -> None:
        if event.kind == "data" and event.lane == 0 and event.turn == 4:
            engine.skip(event.flow, 0, 300)

    events = run(wire.pcap(), react, engine=engine)
    assert not of(events, "gap")
    (end,) = of(events, "end")
    assert end.stat("skipped") == 300


def test_back_to_normal_everything_is_read_again() -> None:
    wire = Wire()
    passed_over = chat(wire, 6)
    shed = len(wire.frames)
    chat(wire, 1, ports=(50_001, 104))
    passed_over.send(0, b"heard")
    engine = shedding(2, flows=2)

    def react(engine, event) -> None:
        if event.frame > shed:
            engine.shed(None, 16_384, 65_536, 1)

    events = run(wire.pcap(), react, engine=engine)
    heard = [event for event in events if event.kind in {"gap", "data"} and event.flow == 0]
    assert [(event.kind, event.data) for event in heard] == [("gap", b""), ("data", b"heard")]


@pytest.mark.parametrize("flows", [1, 3])
def test_interpreted_and_compiled_shed_alike(flows: int) -> None:
    wire = Wire()
    for number in range(6):
        chat(wire, 20, ports=(50_000 + number, 104))
    told = [run(wire.pcap(), engine=shedding(3, 2_048, flows, module)) for module in (compiled, load_interpreted())]
    assert told[0] == told[1]


@pytest.mark.parametrize("wrong", [(4, 0, 10, 1), (4, 10, 9, 1), (4, 10, 10, 0)])
def test_nonsense_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match="are needed"):
        new_engine().shed(*wrong)
