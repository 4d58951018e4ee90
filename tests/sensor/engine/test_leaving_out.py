"""Leaving out is the dissector's word: skip, skip_until, next_turn, done, close_lane."""

from __future__ import annotations

import pytest

from parsers.core import Leave
from sensor.engine import SHUNTED, Step
from tests.sensor.engine.builder import Tcp, Wire
from tests.sensor.engine.harness import Event, React, of, run, story, stream

CONTENT = bytes(i % 253 for i in range(1000))


def once(lane: int, act) -> React:
    """`act(engine, event)` at the lane's first DATA."""
    seen: list[Event] = []

    def react(engine, event: Event) -> None:
        if event.kind == "data" and event.lane == lane and not seen:
            seen.append(event)
            act(engine, event)

    return react


def after(events: list[Event], lane: int = 0) -> bytes:
    """What the lane delivered after its first DATA."""
    return b"".join(e.data for e in of(events, "data") if e.lane == lane)[first(events, lane) :]


def first(events: list[Event], lane: int = 0) -> int:
    return next(e.size for e in of(events, "data") if e.lane == lane)


@pytest.mark.parametrize("mss", [1, 9, 100, 1460])
@pytest.mark.parametrize("count", [1, 50, 99, 100, 101, 640])
def test_skip_is_exact(mss: int, count: int) -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(0, CONTENT, mss=mss)
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip(e.flow, 0, count)))
    assert after(events) == CONTENT[count:]
    assert not of(events, "gap")
    assert of(events, "end")[0].stat("skipped") == count


def test_skip_reaches_into_what_is_there_already() -> None:
    """The bytes to skip may have come with the segment that was just delivered a part of."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"0123456789")
    events = run(
        wire.pcap(), lambda engine, e: engine.skip(e.flow, 0, 3) if e.kind == "data" else None, head_bytes=4, head_max=4
    )
    assert of(events, "data")[0].data == b"0123"


def test_skip_goes_on_across_turns() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    for begin in range(0, 300, 100):
        talk.send(0, CONTENT[begin : begin + 100])
        talk.send(1, b"ok")
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip(e.flow, 0, 250)))
    assert after(events) == CONTENT[250:300]
    assert not of(events, "gap")


def test_skip_costs_no_budget() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(0, CONTENT, mss=100)
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip(e.flow, 0, 950)), head_bytes=64, head_max=64)
    assert after(events) == CONTENT[950:]


def test_loss_inside_a_skip_is_no_gap() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(0, CONTENT[:100])
    talk.lose(0, 100)
    talk.send(0, CONTENT[200:400], mss=50)
    talk.send(1, b"ok")
    wire.wait(5)
    talk.send(0, b"tail")
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip(e.flow, 0, 300)))
    assert not of(events, "gap")
    assert after(events) == CONTENT[300:400] + b"tail"


def test_loss_that_outlasts_a_skip_is_a_gap_of_the_rest() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.lose(0, 100)
    talk.send(0, CONTENT[100:200])
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip(e.flow, 0, 40)))
    assert story(of(events, "gap", "data"))[1:] == [("gap", 0, 1, 60), ("data", 0, 1, CONTENT[100:200])]


def test_a_huge_skip_leaves_out_everything() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(0, CONTENT)
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip(e.flow, 0, 1 << 40)))
    assert [e.data for e in of(events, "data")] == [b"head"]


@pytest.mark.parametrize("mss", [1, 2, 3, 10, 1460])
@pytest.mark.parametrize("mark", [b"\r", b"\x1c\r", b"\r\n\r\n", b"abc"])
def test_skip_until_finds_a_mark_however_it_is_split(mss: int, mark: bytes) -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(0, b"x" * 25 + mark[:1] * 2 + b"y" + mark + b"rest", mss=mss)
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip_until(e.flow, 0, mark, 1 << 20)))
    text = b"x" * 25 + mark[:1] * 2 + b"y" + mark + b"rest"
    assert after(events) == text[text.index(mark) + len(mark) :]
    assert not of(events, "gap")


def test_skip_until_finds_a_mark_that_overlaps_itself() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(0, b"xaaab!", mss=1)
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip_until(e.flow, 0, b"aab", 1 << 20)))
    assert after(events) == b"!"


def test_skip_until_looks_into_what_is_held_already() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"a")
    talk.send(0, b"bc\r\nde")
    Tcp(wire, ports=(50001, 104)).open().send(0, b"now")
    talk.send(0, b"f\r")
    talk.send(0, b"\nghi")

    def react(engine, event) -> None:
        if event.data == b"a":
            engine.want(event.flow, 0, 100, 100)
        if event.data == b"now":
            engine.skip_until(0, 0, b"\r\n", 1000)

    assert stream(run(wire.pcap(), react), 0, flow=0) == b"adef\r\nghi"


def test_a_mark_may_begin_in_what_is_held() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"a")
    talk.send(0, b"bc\r")
    Tcp(wire, ports=(50001, 104)).open().send(0, b"now")
    talk.send(0, b"\nghi")

    def react(engine, event) -> None:
        if event.data == b"a":
            engine.want(event.flow, 0, 100, 100)
        if event.data == b"now":
            engine.skip_until(0, 0, b"\r\n", 1000)

    assert stream(run(wire.pcap(), react), 0, flow=0) == b"aghi"


def test_a_fresh_head_begins_after_the_mark() -> None:
    """Framing without lengths: many messages in one turn, each with a budget of its own."""
    message = b"\x0bMSH|" + b"x" * 40 + b"\x1c\r"
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, message * 10, mss=33)

    def react(engine, event) -> None:
        if event.kind == "data":
            seen.append(event.data)
            engine.skip_until(event.flow, 0, b"\x1c\r", 1 << 20)

    seen: list[bytes] = []
    run(wire.pcap(), react, head_bytes=64, head_max=64)
    assert len(seen) == 10
    assert all(data[:1] == b"\x0b" for data in seen)


def test_after_64_messages_of_a_turn_each_64th_is_a_sample() -> None:
    message = b"\x0bMSH|" + b"x" * 20 + b"\x1c\r"
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, message[:6])
    talk.send(0, message[6:] + message * 255, mss=len(message))
    talk.send(1, b"ok")
    talk.send(0, message)

    def react(engine, event) -> None:
        if event.kind == "data" and event.lane == 0:
            seen.append(event)
            engine.want(event.flow, 0, 1, 1)
            engine.skip_until(event.flow, 0, b"\x1c\r", 1 << 20)

    seen: list[Event] = []
    run(wire.pcap(), react, sample_after=64)
    in_first_turn = [e for e in seen if e.turn == 1]
    assert len(in_first_turn) == 1 + 64 + 2  # the first, 64 more, the 128th and the 192nd
    assert seen[-1].turn == 2
    assert all(e.data[:1] == b"\x0b" for e in seen)


def test_a_mark_that_never_comes_drains_the_turn_and_gaps_the_next() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(0, b"x" * 500, mss=100)
    talk.send(1, b"ok")
    talk.send(0, b"next")
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip_until(e.flow, 0, b"\x1c\r", 200)))
    assert [e.kind for e in events if e.lane == 0 and e.kind in {"gap", "data"}] == ["data", "gap", "data"]
    assert after(events) == b"next"


def test_next_turn_leaves_out_the_rest_without_a_gap() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head" + CONTENT, mss=100)
    talk.send(1, b"ok")
    talk.send(0, b"second")
    talk.send(1, b"ok")
    events = run(wire.pcap(), once(0, lambda engine, e: engine.next_turn(e.flow, 0)))
    assert not of(events, "gap")
    assert after(events) == b"second"
    assert stream(events, 1) == b"okok"


def test_next_turn_forgives_loss_in_what_is_left_out() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.lose(0, 5000)
    talk.send(0, CONTENT)
    talk.send(1, b"ok")
    talk.send(0, b"second")
    events = run(wire.pcap(), once(0, lambda engine, e: engine.next_turn(e.flow, 0)))
    assert not of(events, "gap")
    assert after(events) == b"second"


def test_next_turn_after_the_budget_asks_for_no_gap() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, CONTENT, mss=100)
    talk.send(1, b"ok")
    talk.send(0, b"second")
    events = run(
        wire.pcap(),
        lambda engine, e: engine.next_turn(e.flow, 0) if e.kind == "data" and e.lane == 0 else None,
        head_bytes=64, head_max=64,
    )  # fmt: skip
    assert not of(events, "gap")
    assert stream(events, 0).endswith(b"second")


def test_done_is_counted_but_never_copied() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(0, CONTENT * 3)
    talk.send(1, CONTENT)
    talk.close()
    events = run(wire.pcap(), once(0, lambda engine, e: engine.done(e.flow)))
    assert [e.kind for e in events] == ["data", "end"]
    end = events[-1]
    assert end.stat("bytes_i") == 3004
    assert end.stat("bytes_r") == 1000
    assert end.stat("copied") <= 4
    assert end.stat("flags") & SHUNTED


def test_done_leaves_nothing_for_the_end() -> None:
    """Bytes that wait for more are dropped too: nobody asks for them."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(1, b"early")
    talk.send(0, b"head")

    def react(engine, event) -> None:
        if event.lane == 1 and event.kind == "data":
            engine.want(event.flow, 0, 100, 100)
        if event.frame == 6:
            engine.done(event.flow)

    talk.send(0, b"more")
    talk.send(1, b"x")
    talk.close()
    events = run(wire.pcap(), react)
    assert [e.kind for e in events][-1] == "end"


def test_close_lane_silences_one_lane_only() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    for _ in range(3):
        talk.send(0, b"ask")
        talk.send(1, b"answer")
    events = run(wire.pcap(), once(0, lambda engine, e: engine.close_lane(e.flow, 0)))
    assert stream(events, 0) == b"ask"
    assert stream(events, 1) == b"answer" * 3
    assert not of(events, "gap")


def test_what_is_said_at_one_event_holds_before_the_next_byte() -> None:
    """skip at the request's event, before its second segment: nothing more is copied."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(0, CONTENT)
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip(e.flow, 0, 1000)))
    assert of(events, "end")[0].stat("copied") <= 4


def test_the_other_lane_may_be_told_too() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"ask")
    talk.send(1, b"0123456789")
    events = run(wire.pcap(), once(0, lambda engine, e: engine.skip(e.flow, 1, 4)))
    assert stream(events, 1) == b"456789"


@pytest.mark.parametrize("call", ["skip", "skip_until", "next_turn", "want"])
def test_a_closed_lane_stays_closed(call: str) -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(1, b"answer")
    talk.send(0, b"more")
    arguments = {"skip": (1,), "skip_until": (b"e", 10), "next_turn": (), "want": (1, 1)}[call]

    def react(engine, event) -> None:
        if event.data == b"head":
            engine.close_lane(event.flow, 0)
        if event.data == b"answer":
            getattr(engine, call)(event.flow, 0, *arguments)

    assert stream(run(wire.pcap(), react), 0) == b"head"


@pytest.mark.parametrize("call", ["skip", "skip_until"])
def test_a_lane_over_its_budget_has_its_gap_whatever_is_said(call: str) -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, bytes(100))
    talk.send(1, b"answer")
    talk.send(0, b"more")

    def react(engine, event) -> None:
        if event.data == b"answer":
            getattr(engine, call)(event.flow, 0, *((5,) if call == "skip" else (b"x", 5)))

    events = run(wire.pcap(), react, head_bytes=64, head_max=64)
    assert [(e.kind, e.size) for e in events if e.lane == 0][:3] == [("data", 64), ("gap", 36), ("data", 4)]


def test_next_turn_forgets_what_was_over_the_budget() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, bytes(100))
    talk.send(1, b"answer")
    talk.send(0, b"second")
    talk.lose(0, 5)
    talk.send(0, b"third")

    def react(engine, event) -> None:
        if event.data == b"answer":
            engine.next_turn(event.flow, 0)

    events = run(wire.pcap(), react, head_bytes=64, head_max=64)
    assert [e.size for e in of(events, "gap")] == [5]


@pytest.mark.parametrize("count", [-1, -(1 << 70), 1 << 62, 1 << 70])
def test_absurd_numbers_are_no_errors(count: int) -> None:
    """As a dissector may name them; a `Step` tells the engine."""
    wire = Wire()
    talk = Tcp(wire).open()
    for _ in range(3):
        talk.send(0, b"x")

    def react(engine, event) -> None:
        if event.kind == "data":
            for leave, mark in ((Leave.UNTIL_MARK, b"x"), (Leave.BYTES, b"")):
                step = Step()
                step.wait(0, count, count)
                step.leave(1, leave, count, mark)
                step.tell(engine, event.flow)

    events = run(wire.pcap(), react)
    assert stream(events, 0) == b"xxx"
    assert min(of(events, "end")[0].stats) >= 0


@pytest.mark.parametrize("call", ["want", "skip", "skip_until", "next_turn", "done", "close_lane"])
def test_words_about_flows_that_are_not_there_are_errors_or_nothing(call: str) -> None:
    """Never a crash, never a changed neighbour."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.send(1, b"answer")
    lane: dict[str, tuple[object, ...]] = {"want": (0, 5, 5), "skip": (0, 5), "skip_until": (0, b"x", 5), "done": ()}

    def react(engine, event) -> None:
        for row in (-1, 63, 64, 1 << 40):
            try:
                getattr(engine, call)(row, *lane.get(call, (0,)))
            except (IndexError, OverflowError, ValueError):
                outcomes.append(row)

    outcomes: list[int] = []
    events = run(wire.pcap(), react)
    assert (stream(events, 0), stream(events, 1)) == (b"head", b"answer")
