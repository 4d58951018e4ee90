"""What comes before what it answers: directions that come by ways of their own, in one order each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.engine import EOF, FIN, ONE_SIDED, RST
from tests.sensor.engine.builder import ACK, Frame, Tcp, Wire, mac
from tests.sensor.engine.builder import RST as RESET
from tests.sensor.engine.harness import Event, come_out, new_engine, of, opinions, run, story, stream

INITIATOR = mac(10)


def talked(turns: int = 6, size: int = 90) -> Wire:
    """A conversation of questions and answers, each acknowledged as computers do."""
    wire = Wire()
    talk = Tcp(wire).open()
    for turn in range(turns):
        talk.send(0, b"%03d?" % turn * size, mss=100)
        talk.send(1, b"%03d!" % turn * size, mss=100)
        talk.ack(0)
    talk.close()
    return wire


def sides(wire: Wire) -> tuple[list[Frame], list[Frame]]:
    """What the initiator sends, and the responder."""
    return tuple([f for f in wire.frames if (f.data[6:12] == INITIATOR) is is_first] for is_first in (True, False))


def restamped(frames: list[Frame], like: Wire) -> Wire:
    """These frames in this order, at the times that frames had there."""
    wire = Wire()
    wire.frames = [frame._replace(ts_us=old.ts_us) for frame, old in zip(frames, like.frames, strict=True)]
    return wire


def moved(wire: Wire, lane: int, earlier: int) -> Wire:
    """All of a side's packets that many places earlier, in their own order."""
    places = [at - (earlier + 0.5) * ((f.data[6:12] == INITIATOR) is (lane == 0)) for at, f in enumerate(wire.frames)]
    return restamped([frame for _, frame in sorted(zip(places, wire.frames, strict=True))], wire)


def told(events: list[Event]) -> list[tuple[Any, ...]]:
    """What is told, and whether one side alone had been seen then."""
    said = of(events, "data", "gap")
    return [(*each, bool(e.stat("flags") & ONE_SIDED)) for each, e in zip(story(said), said, strict=True)]


@pytest.mark.parametrize("earlier", [2, 5, 12, 40])
@pytest.mark.parametrize("lane", [0, 1])
def test_a_side_that_comes_early_waits_for_what_it_answers(lane: int, earlier: int) -> None:
    wire = talked()
    other = moved(wire, lane, earlier)
    assert [f.data for f in other.frames] != [f.data for f in wire.frames]
    engine = new_engine()
    events = run(other.pcap(), engine=engine)
    assert told(events) == told(run(wire.pcap()))
    assert engine.counters()["early_turns"] > 0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.booleans(), max_size=120), st.booleans())
def test_any_order_between_the_sides_tells_the_same(choices: list[bool], speaks: bool) -> None:
    wire = talked(4, 40)
    first, second = (list(reversed(side)) for side in sides(wire))
    frames = [side.pop() for is_first in choices if (side := first if is_first else second)]
    other = restamped([*frames, *reversed(first), *reversed(second)], wire)
    react = opinions if speaks else None
    assert told(run(other.pcap(), react)) == told(run(wire.pcap(), react))


@pytest.mark.parametrize(("lane", "frame"), [(0, 3), (1, 2)])
def test_who_speaks_first_waits_for_the_other_side_to_be_there(lane: int, frame: int) -> None:
    """All of its handshake comes later, which has no bytes."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(lane, b"hello")
    talk.send(1 - lane, b"hello, too")
    *handshake, hello, answer = wire.frames
    own, others = ([f for f in handshake if (f.data[6:12] == INITIATOR) is (each == 0)] for each in (lane, 1 - lane))
    wire.frames = [*own, hello, *others, answer]
    found = [(e, at) for e, at in come_out(wire.pcap()) if e.kind == "data"]
    assert [(e.data, e.frame, at) for e, at in found] == [(b"hello", frame, 4), (b"hello, too", 5, 5)]
    assert not any(e.stat("flags") & ONE_SIDED for e, _ in found)


def test_what_nobody_heard_is_waited_for_until_the_other_side_goes_on() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.lose(0, 20)
    talk.send(1, b"answer")
    talk.ack(0)
    at = len(wire.frames)
    talk.send(0, b"next")
    assert [(e.kind, e.lane, e.data, at) for e, at in come_out(wire.pcap()) if e.kind != "end"] == [
        ("data", 1, b"answer", at),  # not with what was said next
        ("gap", 0, b"", at + 1),
        ("data", 0, b"next", at + 1),
    ]


def test_a_hole_in_the_question_comes_before_the_answer() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"one")
    talk.lose(0, 20)
    talk.send(0, b"rest of it")
    talk.send(1, b"answer")
    talk.send(0, b"next")
    talk.close()
    engine = new_engine()
    assert [(e.kind, e.lane, e.data) for e in of(run(wire.pcap(), engine=engine), "data", "gap")] == [
        ("data", 0, b"one"),
        ("gap", 0, b""),
        ("data", 0, b"rest of it"),
        ("data", 1, b"answer"),
        ("data", 0, b"next"),
    ]
    assert engine.counters()["early_turns"] == 0  # that is loss, and no disorder


def test_nobody_is_waited_for_for_long_or_in_vain_again() -> None:
    """Of a conversation one side is not mirrored any more; others tell what time it is."""
    wire = Wire()
    talk = Tcp(wire).open()
    clock = Tcp(wire, ports=(40_001, 8080)).open()
    for number in range(4):
        talk.lose(0, 20)
        talk.send(1, b"answer %d" % number)
        wire.wait(0.6)
        clock.send(0, b"tick")
        wire.wait(0.6)
        clock.send(0, b"tock")
    at = [(e.frame, at) for e, at in come_out(wire.pcap()) if e.kind == "data" and e.lane == 1]
    assert at == [(7, 9), (10, 10), (13, 13), (16, 16)]  # the first one with the second tick after it


def test_it_is_waited_for_again_once_it_was_heard() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    clock = Tcp(wire, ports=(40_001, 8080)).open()
    talk.lose(0, 20)
    talk.send(1, b"answer")
    wire.wait(1.1)
    clock.send(0, b"tick")
    talk.send(0, b"first")
    talk.send(1, b"and answer")
    talk.send(0, b"question")
    talk.send(1, b"another")
    wire.frames[-1], wire.frames[-2] = wire.frames[-2], wire.frames[-1]
    delivered = [e.data for e in of(run(wire.pcap()), "data") if e.data != b"tick"]
    assert delivered == [b"answer", b"first", b"and answer", b"question", b"another"]


@pytest.mark.parametrize("by_reset", [False, True])
@pytest.mark.parametrize("heard", [0, 1])
def test_a_conversation_is_not_over_before_what_was_acknowledged_has_come(heard: int, by_reset: bool) -> None:
    """All of one side comes first, and of a reset nothing is acknowledged any more."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"question")
    talk.send(1, b"answer")
    talk.ack(0)
    talk.rst(0) if by_reset else talk.close()
    both = sides(wire)
    other = restamped([*both[heard], *both[1 - heard]], wire)
    events = run(other.pcap())
    assert [(e.lane, e.data) for e in of(events, "data")] == [(0, b"question"), (1, b"answer")]
    assert [e.reason for e in of(events, "end")] == [RST if by_reset else FIN]


def test_an_end_is_not_waited_for_for_long() -> None:
    """One side is not there to be seen: the end of its conversations comes a second later."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"question")
    talk.send(1, b"answer")
    talk.send(0, b"bye")
    talk.close()
    wire.frames = sides(wire)[0]
    clock = Tcp(wire, ports=(40_001, 8080)).open()
    clock.send(0, b"tick")
    wire.wait(1.1)
    clock.send(0, b"tock")
    clock.send(0, b"tick")
    events = run(wire.pcap())
    (end,) = [e for e in of(events, "end") if e.flow == 0]
    assert (end.reason, end.frame) == (FIN, len(wire.frames))
    assert [e.data for e in of(events, "data") if e.flow == 0] == [b"question", b"bye"]


@pytest.mark.parametrize("lane", [0, 1])
def test_a_reset_that_overtakes_is_no_end_yet(lane: int) -> None:
    """What its sender said before it, or the other side, which it acknowledges."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"question")
    talk.send(1, b"answer")
    talk.send(lane, b"bye")
    talk.segment(1, talk.sent[1], ack=talk.sent[0], flags=RESET | ACK)
    *frames, last, reset = wire.frames
    wire.frames = [*frames, reset._replace(ts_us=last.ts_us), last._replace(ts_us=reset.ts_us)]
    events = run(wire.pcap())
    assert [(e.lane, e.data) for e in of(events, "data")] == [(0, b"question"), (1, b"answer"), (lane, b"bye")]
    assert [(e.reason, e.frame) for e in of(events, "end")] == [(RST, len(wire.frames))]


def test_a_reset_is_not_waited_for_for_long() -> None:
    """Whoever makes one up, or where a packet is missing."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"question")
    talk.lose(0, 20)
    talk.rst(0)
    clock = Tcp(wire, ports=(40_001, 8080)).open()
    wire.wait(1.1)
    clock.send(0, b"tick")
    clock.send(0, b"tock")
    clock.send(0, b"tick")
    (end,) = [e for e in of(run(wire.pcap()), "end") if e.flow == 0]
    assert end.reason == RST
    assert end.frame < len(wire.frames)


def test_an_end_that_is_due_with_the_last_packet_comes_once() -> None:
    """Which only counts, so that nobody looks at who waits before all conversations end."""
    wire = Wire()
    clock = Tcp(wire, ports=(40_001, 8080)).open()
    clock.send(0, b"tick")
    wire.wait(0.3)
    talk = Tcp(wire).open()
    talk.send(0, b"question")
    talk.send(1, b"answer")
    talk.lose(1, 6)
    talk.ack(0)
    talk.rst(0)
    wire.wait(0.75)
    clock.send(0, b"tock")
    wire.wait(0.3)
    clock.ack(1)
    assert sorted((e.flow, e.reason) for e in of(run(wire.pcap()), "end")) == [(0, EOF), (1, RST)]


def test_acknowledgements_far_ahead_are_not_believed() -> None:
    """A firewall that makes up sequence numbers, of which the mirror sees one side before and the other one behind."""
    wire = Wire()
    talk = Tcp(wire).open()
    for number in range(4):
        talk.send(0, b"question %d" % number)
        talk.segment(1, 9 * number, b"answer %d." % number, ack=(1 << 30) + 10 * number)
    engine = new_engine()
    events = run(wire.pcap(), engine=engine)
    assert [e.lane for e in of(events, "data")] == [0, 1] * 4
    assert engine.counters()["early_turns"] == 0


def test_what_waits_comes_out_at_the_end() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.lose(0, 20)
    talk.send(1, b"answer")
    assert stream(run(wire.pcap()), 1) == b"answer"


def test_a_segment_that_was_cut_short_is_not_waited_for() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.segment(0, 0, b"q" * 400, snap=100)
    talk.segment(1, 0, b"answer", ack=400)
    at = len(wire.frames)
    answer = [e for e in of(run(wire.pcap()), "data") if e.lane == 1]
    assert [(e.data, e.frame) for e in answer] == [(b"answer", at)]


def test_what_waits_is_bounded() -> None:
    wire = Wire()
    for port in range(300):
        talk = Tcp(wire, ports=(20_000 + port, 80)).open()
        talk.lose(0, 20)
        for _ in range(20):
            talk.send(1, b"answer" * 200, mss=100)
    engine = new_engine(flows=512, buffer_bytes=50_000)
    events = run(wire.pcap(), engine=engine)
    assert len(of(events, "end")) == 300
    assert engine.counters()["held_bytes"] == 0


def test_a_mirror_of_one_direction_is_read_as_it_comes() -> None:
    """Sides that never come are waited for seldom, once that is known."""
    wire = Wire()
    for port in range(10_000, 12_000):
        talk = Tcp(wire, ports=(port, 80)).open()
        talk.send(0, b"question")
        talk.send(1, b"answer")
        talk.send(0, b"bye")
        talk.close()
    wire.frames = sides(wire)[0]
    last = {int.from_bytes(frame.data[34:36]): number for number, frame in enumerate(wire.frames, 1)}
    events = run(wire.pcap(), engine=new_engine(flows=4096, buffer_bytes=1 << 24))
    late = [e for e in of(events, "end") if e.frame > last[e.addresses[4]]]
    assert 256 <= len(late) < 256 + 2 * 2000 // 64
    assert [e.data for e in of(events, "data")].count(b"bye") == 2000
