"""Traffic that is meant to hurt: what the engine holds is bounded, and so is what it does for a packet."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.engine import DATA, END, NEED, fragments, load_interpreted
from tests.sensor.engine.builder import START_US, Frame, Tcp, Wire, datagram, ethernet, ip, pcap
from tests.sensor.engine.harness import Event, kinds_of, new_engine, of, opinions, run, stream
from tests.sensor.engine.hostile import SCENARIOS, hoarders, leaping_clock, same_segments_behind_a_hole, syn_flood
from tests.sensor.engine.test_interpreted import both_agree

FLOWS, BUFFER_BYTES, FRAGMENT_BYTES = 64, 40_000, 16 << 20
CHAIN_MAX, PIECES_MAX = 64, 128
OPTIONS: dict[str, Any] = {"flows": FLOWS, "buffer_bytes": BUFFER_BYTES, "head_bytes": 2_000, "head_max": 8_000}
PACKETS = 1_500

every_scenario = pytest.mark.parametrize("name", SCENARIOS)


def wants_much(engine: Any, event: Event) -> None:
    """A dissector that waits for a long message wherever it can."""
    if event.kind == "data":
        engine.want(event.flow, event.lane, 1_000, 6_000)


@every_scenario
def test_what_is_held_stays_within_its_bounds(name: str) -> None:
    engine, live = new_engine(**OPTIONS), set[int]()
    ends = begun = 0
    for kind in kinds_of(engine, pcap(SCENARIOS[name](PACKETS)), 2_000):
        counters = engine.counters()
        assert counters["held_bytes"] <= BUFFER_BYTES + FRAGMENT_BYTES
        assert counters["rows_in_use"] <= FLOWS
        is_end = kind == END
        begun += engine.flow not in live
        live = live - {engine.flow} if is_end else live | {engine.flow}
        ends += is_end
        if kind == DATA:
            engine.want(engine.flow, engine.lane, 1_000, 6_000)
    assert not live
    assert ends == begun
    assert engine.counters()["probes"] <= 2 * CHAIN_MAX * engine.counters()["packets"]


@every_scenario
def test_nothing_is_left_behind(name: str) -> None:
    """Whatever was held has gone with its flow; fragments stay until others push them out."""
    module = load_interpreted()
    engine = new_engine(module, **OPTIONS)
    run(pcap(SCENARIOS[name](400)), wants_much, module=module, engine=engine)
    assert (engine.held, engine.pieces, engine.ready) == ({}, {}, [])
    assert (engine.held_bytes, engine.pieces_bytes) == (0, 0)
    assert engine.free_count + len(lingering(module, engine)) == engine.fresh_row


def lingering(module: ModuleType, engine: Any) -> list[int]:
    return [row for row in range(engine.rows) if engine.F[row * module.WIDTH + module.STATE] == module.LINGER]


@every_scenario
def test_compiled_and_interpreted_agree(name: str) -> None:
    both_agree(pcap(SCENARIOS[name](400)), **OPTIONS)


@pytest.mark.parametrize(
    "name", ["same_segments_behind_a_hole", "tiny_segments_backwards", "same_fragments", "tiny_fragments"]
)
def test_a_segment_is_held_against_its_neighbours_only(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not against all that are kept: that made a packet cost 340 times as much as a plain one."""
    looked_at, module = [], load_interpreted()
    for owner in (load_interpreted("pieces"), fragments):
        real = owner.uncovered
        monkeypatch.setattr(
            owner, "uncovered", lambda known, *rest, real=real: looked_at.append(len(known)) or real(known, *rest)
        )
    run(pcap(SCENARIOS[name](600)), module=module)
    assert len(looked_at) > 300
    assert max(looked_at) <= 3


def test_no_more_pieces_are_kept_than_may_be() -> None:
    module = load_interpreted()
    engine = new_engine(module)
    frames = [frame for frame in SCENARIOS["tiny_segments_backwards"](600) if frame.data[-1:] == b"b"]
    most = 0
    for kind in kinds_of(engine, pcap(frames), 300):
        assert kind != NEED
        most = max([most, *map(len, engine.pieces.values())])
    assert 0 < most <= PIECES_MAX + 1


def test_a_flood_of_syns_takes_nothing_from_who_speaks() -> None:
    """The table is full of scans: a conversation with payload stays, and is read."""
    wire = Wire(step_us=1)
    talk = Tcp(wire).open()
    talk.send(0, b"begin ")
    flood = syn_flood(PACKETS)
    frames = wire.frames + [frame._replace(ts_us=wire.now_us + number) for number, frame in enumerate(flood)]
    later = Wire(now_us=frames[-1].ts_us + 1)
    talk.wire = later
    talk.send(0, b"go on")
    engine = new_engine(**OPTIONS)
    events = run(pcap(frames + later.frames), engine=engine)
    assert stream(events, 0) == b"begin go on"
    assert engine.counters()["evicted_flows"] >= PACKETS - FLOWS
    assert engine.counters()["held_bytes"] == 0


def one_byte_ahead(talk: Tcp) -> None:
    talk.segment(0, 5, b"x")


def many_bytes_ahead(talk: Tcp) -> None:
    for number in range(100):
        talk.segment(0, 5 + 2 * number, b"x")


def one_byte_of_many(talk: Tcp) -> None:
    talk.send(0, b"a")
    talk.send(0, b"b")


def growing(talk: Tcp) -> None:
    talk.send(0, b"a")
    for _ in range(20):
        talk.send(0, b"b" * 100)


@pytest.mark.parametrize("hoard", [one_byte_ahead, many_bytes_ahead, one_byte_of_many, growing, None])
def test_what_is_held_is_counted_in_full(hoard: Callable[[Tcp], None] | None) -> None:
    """The limit is one of memory: what Python needs for small pieces counts, but for an eighth of large buffers."""
    wire = Wire(step_us=1)
    for number in range(1_000):
        ends = f"10.0.{number >> 8}.{number & 255}", "10.255.0.1"
        if hoard is None:
            wire.put(ethernet(ip(*ends, 17, bytes(8), ident=number, fragment=8, more=True)))
        else:
            hoard(Tcp(wire, addresses=ends).open())
    engine, capture = new_engine(flows=2_048, buffer_bytes=1 << 26), bytearray(wire.pcap())
    engine.pcap(False, False, 1)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    engine.load(capture, 24, len(capture))
    while (kind := engine.step()) != NEED:
        if kind == DATA:
            engine.want(engine.flow, engine.lane, 5_000, 5_000)
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 100_000 < used < 9 / 8 * engine.counters()["held_bytes"]


def test_who_holds_and_goes_silent_loses_first() -> None:
    """Somebody who speaks later is held too, because the silent ones have lost what they held."""
    frames = hoarders(1_500)
    wire = Wire(now_us=frames[-1].ts_us + 1)
    talk = Tcp(wire, addresses=("10.200.0.1", "10.200.0.2")).open()
    talk.send(0, b"x" * 100)
    talk.send(0, b"y" * 1_900)
    engine = new_engine(**OPTIONS | {"flows": 1_024})
    events = run(pcap(frames + wire.frames), lambda engine, e: engine.want(e.flow, e.lane, 1_900, 1_900), engine=engine)
    last = [e for e in of(events, "data") if e.addresses[3] == bytes((10, 200, 0, 1))]
    assert [e.size for e in last] == [100, 1_900]
    assert engine.counters()["evicted_buffers"] > 100


def received(segments: list[tuple[int, bytes]]) -> bytes:
    """What a receiver makes of them: what is in order goes on at once, of what is ahead the first bytes stay."""
    stream, ahead = bytearray(), dict[int, int]()
    for offset, data in segments:
        if offset > len(stream):
            ahead = dict(enumerate(data, offset)) | ahead
        else:
            stream += data[len(stream) - offset :]
        while len(stream) in ahead:
            stream.append(ahead.pop(len(stream)))
    return bytes(stream)


@given(st.lists(st.tuples(st.integers(0, 70), st.binary(min_size=1, max_size=30)), max_size=25), st.booleans())
def test_overlaps_are_resolved_as_receivers_do(segments: list[tuple[int, bytes]], hole: bool) -> None:
    """Before, after, inside, around; at the end the beginning comes, alone or with all the rest."""
    wire = Wire()
    talk, sent = Tcp(wire).open(), [*((offset + hole, data) for offset, data in segments), (0, b"x"), (0, bytes(110))]
    for offset, data in sent:
        talk.segment(0, offset, data, ack=0)
    assert stream(run(wire.pcap()), 0) == received(sent)


def test_other_bytes_in_order_than_were_kept_are_counted() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.segment(0, 4, b"ahead", ack=0)
    talk.segment(0, 0, b"all ahead", ack=0)
    talk.segment(0, 13, b"AHEAD", ack=0)
    talk.segment(0, 9, b"all ahead", ack=0)
    (end,) = of(run(wire.pcap()), "end")
    assert end.stat("overlap_conflicts") == 1


def test_a_hole_and_repeats_end_when_the_hole_is_filled() -> None:
    frames = same_segments_behind_a_hole(900)
    wire = Wire(now_us=frames[-1].ts_us + 1)
    talk = Tcp(wire)
    talk.segment(0, 1, b"fills all " * 40, ack=0)
    engine = new_engine()
    events = run(pcap(frames + wire.frames), engine=engine)
    assert len(stream(events, 0)) == 401
    assert not of(events, "gap")


def test_clocks_that_leap_about_end_a_conversation_once_at_most() -> None:
    engine = new_engine(flows=128)
    run(pcap(leaping_clock(PACKETS)), engine=engine)
    assert 100 <= engine.counters()["flows"] <= 200


@every_scenario
def test_what_comes_after_is_read(name: str) -> None:
    """Whatever the engine has been through, an ordinary conversation on other addresses is read whole."""
    before = SCENARIOS[name](PACKETS)
    wire = Wire(now_us=max(START_US, before[-1].ts_us) + 1_000)
    talk = Tcp(wire, addresses=("10.99.0.1", "10.99.0.2")).open()
    for number in range(20):
        talk.send(0, b"ask %d." % number)
        talk.send(1, b"answer %d." % number)
    talk.close()
    datagram(wire, b"and a datagram", source=("10.99.0.1", 5), target=("10.99.0.2", 161))
    events = run(pcap([*before, *wire.frames]), opinions_of_others, **OPTIONS)
    mine = [e for e in events if e.kind != "corrupt" and e.addresses[3][:2] == bytes((10, 99))]
    assert stream(mine, 0) == b"".join(b"ask %d." % number for number in range(20))
    assert stream(mine, 1) == b"".join(b"answer %d." % number for number in range(20))
    assert [e.data for e in of(mine, "datagram")] == [b"and a datagram"]


def opinions_of_others(engine: Any, event: Event) -> None:
    if event.kind != "corrupt" and event.addresses[3][:2] != bytes((10, 99)):
        opinions(engine, event)


def test_scenarios_are_what_they_say() -> None:
    """Each makes about so many packets, and does what it is named for."""
    seen = {}
    for name, scenario in SCENARIOS.items():
        frames: list[Frame] = scenario(PACKETS)
        assert 0.9 * PACKETS < len(frames) < 1.4 * PACKETS, name
        engine = new_engine(**OPTIONS)
        events = run(pcap(frames), wants_much, engine=engine)
        seen[name] = engine.counters() | {"conflicts": sum(e.stat("overlap_conflicts") for e in of(events, "end"))}
    assert seen["conflicting_overlaps"]["conflicts"] > 100
    assert seen["far_out_of_window"]["stray_segments"] > 100
    assert seen["syn_flood"]["flows"] == PACKETS
    assert seen["collisions"]["probes"] > 20 * PACKETS
    assert seen["fragments_overlapping"]["fragments_overlap"] > 100
    assert seen["fragments_never_whole"]["fragments_reassembled"] == 0
    assert seen["tiny_fragments"]["fragments_reassembled"] >= PACKETS // 100 - 1
    assert seen["nested_tunnels"]["nested_too_deep"] > 100
    assert seen["stacked_tags"]["bad_header"] > 100
    assert seen["lies"]["bad_header"] > 100
    assert seen["leaping_clock"]["clock_backwards"] > 50
    assert seen["hoarders"]["evicted_buffers"] > 100
