"""Reassembly: loss, reordering, retransmission, overlap, wrapping sequence numbers; and its invariant."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.engine import GAP_SEEN, TRUNCATED_SEEN
from tests.sensor.engine.builder import ACK, PSH, Tcp, Wire
from tests.sensor.engine.harness import Event, come_out, kinds_of, new_engine, of, run, story, stream

CONTENT = bytes(i % 251 for i in range(3000))


def end(events: list[Event]) -> Event:
    return of(events, "end")[0]


def test_reordered_segments_come_in_order() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    for begin in (200, 100, 300, 0):
        talk.segment(0, begin, CONTENT[begin : begin + 100])
    events = run(wire.pcap())
    assert stream(events, 0) == CONTENT[:400]
    assert not of(events, "gap")
    assert end(events).stat("reordered") == 3
    assert end(events).stat("lost") == 0


def test_a_retransmission_is_delivered_once() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.segment(0, 0, CONTENT[:100])
    talk.segment(0, 0, CONTENT[:100])
    talk.segment(0, 50, CONTENT[50:150])
    events = run(wire.pcap())
    assert stream(events, 0) == CONTENT[:150]
    assert end(events).stat("retransmitted") == 2
    assert end(events).stat("overlap_conflicts") == 0


def test_mirrored_duplicates_change_nothing() -> None:
    """A SPAN port that mirrors both directions of a VLAN shows every frame twice."""
    wire = Wire()
    talk = Tcp(wire).open()
    for _ in range(3):
        talk.send(0, b"ask")
        talk.send(1, b"answer")
    talk.close()
    single = run(wire.pcap())
    doubled = Wire()
    doubled.frames = [frame for frame in wire.frames for _ in range(2)]
    events = run(doubled.pcap())
    assert story(of(events, "data", "gap")) == story(of(single, "data", "gap"))
    assert len(of(events, "end")) == 1


def test_first_bytes_win_and_other_content_is_counted() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.segment(0, 10, b"B" * 10)
    talk.segment(0, 5, b"x" * 20)  # overlaps what waits, with other content
    talk.segment(0, 0, b"A" * 5)
    events = run(wire.pcap())
    assert stream(events, 0) == b"A" * 5 + b"x" * 5 + b"B" * 10 + b"x" * 5
    assert end(events).stat("overlap_conflicts") >= 1


def test_an_overlap_with_equal_content_is_no_conflict() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.segment(0, 100, CONTENT[100:200])
    talk.segment(0, 50, CONTENT[50:250])
    talk.segment(0, 0, CONTENT[:120])
    events = run(wire.pcap())
    assert stream(events, 0) == CONTENT[:250]
    assert end(events).stat("overlap_conflicts") == 0


def test_sequence_numbers_wrap() -> None:
    wire = Wire()
    talk = Tcp(wire, isn=(0xFFFFFF00, 0xFFFFFFFF)).open()
    talk.send(0, CONTENT, mss=100)
    talk.send(1, CONTENT, mss=100)
    events = run(wire.pcap())
    assert (stream(events, 0), stream(events, 1)) == (CONTENT, CONTENT)


def test_reordering_around_the_wrap() -> None:
    wire = Wire()
    talk = Tcp(wire, isn=(0xFFFFFF9B, 1)).open()  # the wrap lies 100 bytes in
    for begin in (100, 50, 150, 0):
        talk.segment(0, begin, CONTENT[begin : begin + 50])
    assert stream(run(wire.pcap()), 0) == CONTENT[:200]


def test_a_lost_segment_is_a_gap_at_the_end() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"before")
    talk.lose(0, 100)
    talk.send(0, b"after")
    events = run(wire.pcap())
    assert story(events)[:3] == [("data", 0, 1, b"before"), ("gap", 0, 1, 100), ("data", 0, 1, b"after")]
    assert end(events).stat("lost") == 100
    assert end(events).stat("flags") & GAP_SEEN


def test_an_acknowledged_hole_is_given_up_after_a_while() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.lose(0, 100)
    talk.send(0, b"after")
    talk.ack(1)
    wire.wait(2)
    talk.send(0, b"!")
    at = len(wire.frames)
    talk.send(1, b"answer")
    events, numbers = zip(*come_out(wire.pcap()), strict=True)
    assert story(events)[0] == ("gap", 0, 1, 100)
    assert numbers[0] == at
    assert [(e.frame, e.ts_us) for e in events[:2]] == [(4, wire.frames[3].ts_us)] * 2  # what was kept says when
    assert stream(events, 0) == b"after!"


def test_the_other_lane_s_answer_gives_the_hole_up_too() -> None:
    """What was asked comes before what was answered."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.lose(0, 100)
    talk.send(0, b"ask")
    wire.wait(2)
    talk.send(1, b"answer")
    events = run(wire.pcap())
    assert story(events)[:3] == [("gap", 0, 1, 100), ("data", 0, 1, b"ask"), ("data", 1, 1, b"answer")]


def test_a_hole_that_is_not_acknowledged_may_still_be_filled() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.segment(0, 100, CONTENT[100:200])
    wire.wait(3)
    talk.segment(0, 0, CONTENT[:100])
    events = run(wire.pcap())
    assert stream(events, 0) == CONTENT[:200]
    assert not of(events, "gap")


def test_a_full_store_gives_the_hole_up() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.lose(0, 100)
    for _ in range(200):
        talk.send(0, bytes(1400), ack=False)
    marker = len(wire.frames)
    talk.send(1, b"x")
    gap, at = next(each for each in come_out(wire.pcap()) if each[0].kind == "gap")
    assert gap.size == 100
    assert at <= marker


def test_single_bytes_out_of_order_cost_no_more_than_the_bound() -> None:
    """A byte that waits costs Python two hundred: that is what is counted."""
    wire = Wire(step_us=1)
    for number in range(60):
        talk = Tcp(wire, ports=(50000 + number, 104)).open()
        for place in range(100):
            talk.segment(0, 2 + 2 * place, b"x", ack=0)
    engine, capture = new_engine(buffer_bytes=100_000), wire.pcap()
    tracemalloc.start()
    for _ in kinds_of(engine, capture):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert engine.counters()["evicted_buffers"] > 0
    assert peak < 1_500_000 + len(capture)


def test_a_late_segment_for_a_hole_that_was_given_up_is_a_retransmission() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.lose(0, 100)
    talk.send(0, b"after")
    talk.ack(1)
    wire.wait(2)
    talk.send(0, b"!")
    talk.segment(0, 0, bytes(100))
    talk.send(0, b"?")
    events = run(wire.pcap())
    assert stream(events, 0) == b"after!?"


def test_a_segment_far_outside_the_window_is_not_believed_at_once() -> None:
    """A stray sequence number must not swallow what follows."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"one")
    talk.segment(0, 1 << 30, b"stray")
    talk.segment(0, -(1 << 30), b"stray")
    talk.send(0, b"two")
    talk.send(1, b"ok")
    talk.send(0, b"three")
    events = run(wire.pcap())
    assert stream(events, 0).startswith(b"onetwothree")


def test_a_gap_counts_the_beginning_of_the_message_that_is_lost() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"a")
    talk.send(0, b"half")
    talk.lose(0, 10)
    talk.send(0, b"next")
    events = run(wire.pcap(), lambda engine, e: engine.want(e.flow, 0, 50, 50) if e.data == b"a" else None)
    assert story(events)[:3] == [("data", 0, 1, b"a"), ("gap", 0, 1, 14), ("data", 0, 1, b"next")]


def test_two_segments_in_a_row_far_away_are_believed() -> None:
    """The SYN of a new connection on old ports was lost. The old one has been silent."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"one")
    wire.wait(0.1)
    for offset, data in ((-(1 << 30), b"lost"), (-(1 << 30) + 4, b"found"), (-(1 << 30) + 9, b"again")):
        talk.segment(0, offset, data)
    events = run(wire.pcap())
    assert [e.kind for e in events] == ["data", "gap", "data", "data", "end"]
    assert stream(events, 0) == b"onefoundagain"


def test_a_stray_segment_does_not_swallow_a_skip() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    talk.segment(0, 1 << 30, b"stray")
    talk.send(0, CONTENT, mss=100)
    events = run(wire.pcap(), lambda engine, e: engine.skip(e.flow, 0, 2900) if e.data == b"head" else None)
    assert stream(events, 0) == b"head" + CONTENT[2900:]


def test_a_zero_window_probe_is_data_only_when_it_is_taken() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"abc")
    talk.segment(0, 3, b"d")  # probe: one byte of what comes next
    talk.segment(0, 3, b"defg")  # sent again with the rest
    assert stream(run(wire.pcap()), 0) == b"abcdefg"


def test_a_segment_cut_by_the_snaplen_leaves_a_hole() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.segment(0, 0, CONTENT[:100], snap=60)
    talk.segment(0, 100, b"next")
    events = run(wire.pcap())
    assert story(events)[:3] == [("data", 0, 1, CONTENT[:60]), ("gap", 0, 1, 40), ("data", 0, 1, b"next")]
    assert end(events).stat("flags") & TRUNCATED_SEEN


def test_data_on_the_syn_is_payload() -> None:
    wire = Wire()
    talk = Tcp(wire)
    talk._put(0, 2, talk.isn[0], 0, b"fast")
    talk._put(1, 18, talk.isn[1], talk.isn[0] + 5)
    talk.segment(0, 4, b"open", ack=0)
    assert stream(run(wire.pcap()), 0) == b"fastopen"


def test_data_on_the_fin_is_payload() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.segment(0, 0, b"bye", flags=1 | ACK | PSH)
    assert stream(run(wire.pcap()), 0) == b"bye"


def test_a_frame_larger_than_any_mtu() -> None:
    """Receive offload glues segments together: 64 KiB in one frame."""
    wire = Wire()
    talk = Tcp(wire).open()
    content = CONTENT * 20
    talk.send(0, content, mss=60000)
    events = run(wire.pcap(), head_bytes=65536, head_max=65536)
    assert stream(events, 0) == content


# --- the invariant


class Segment(NamedTuple):
    begin: int
    end: int


class Traffic(NamedTuple):
    """A stream cut into segments, in the order they were captured; some twice, some lost."""

    size: int
    order: list[Segment]
    isn: int
    mss: int


@st.composite
def traffic(draw: st.DrawFn, *, loss: bool) -> Traffic:
    size = draw(st.integers(1, 2500))
    cuts = sorted(draw(st.sets(st.integers(1, size), max_size=30)) | {0, size})
    pieces = [Segment(a, b) for a, b in pairwise(cuts)]
    if loss:
        lost = draw(st.sets(st.sampled_from(range(len(pieces))), max_size=3))
        pieces = [piece for index, piece in enumerate(pieces) if index not in lost]
    extra = draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(1, 200)), max_size=0 if loss else 6))
    again = [Segment(begin, min(size, begin + length)) for begin, length in extra]
    shift = draw(st.lists(st.integers(0, 5), min_size=len(pieces) + len(again), max_size=len(pieces) + len(again)))
    order = sorted(zip(range(len(shift)), shift, pieces + again, strict=True), key=lambda item: item[0] + item[1])
    return Traffic(size, [piece for _, _, piece in order], draw(st.sampled_from([1, 0x7FFFFF00, 0xFFFFFC00])), 0)


def capture_of(case: Traffic) -> bytes:
    wire = Wire()
    talk = Tcp(wire, isn=(case.isn, 9)).open()
    for begin, stop in case.order:
        talk.segment(0, begin, CONTENT[begin:stop])
    return wire.pcap()


@settings(max_examples=200, deadline=None)
@given(traffic(loss=False))
def test_every_byte_exactly_once_in_order(case: Traffic) -> None:
    events = run(capture_of(case))
    assert stream(events, 0) == CONTENT[: case.size]
    assert not of(events, "gap")


@settings(max_examples=200, deadline=None)
@given(traffic(loss=True), st.sampled_from([16, 100, 16384]))
def test_bytes_and_gaps_account_for_the_stream(case: Traffic, head: int) -> None:
    at = 0
    for event in of(run(capture_of(case), head_bytes=head, head_max=head), "data", "gap"):
        if event.kind == "data":
            assert event.data == CONTENT[at : at + event.size]
        at += event.size
    assert at <= case.size


@settings(max_examples=400, deadline=None)
@given(traffic(loss=True), st.sampled_from([16, 100, 16384]), st.lists(st.integers(-300, 300), max_size=8))
def test_skips_and_wants_keep_the_account(case: Traffic, head: int, says: list[int]) -> None:
    """A number above 0 skips so many bytes, one below waits for so many: each DATA is what stands at its place."""
    at, orders = 0, iter(says)

    def react(engine, event: Event) -> None:
        nonlocal at
        if event.kind == "data":
            assert event.data == CONTENT[at : at + event.size]
        if event.kind in {"data", "gap"}:
            at += event.size
            order = next(orders, 0)
            if order > 0:
                engine.skip(event.flow, 0, order)
                at += order
            elif order < 0:
                engine.want(event.flow, 0, -order, -order)

    run(capture_of(case), react, head_bytes=head, head_max=2 * head)


@pytest.mark.parametrize("lost", range(12))
def test_any_one_segment_lost_is_one_gap(lost: int) -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    for index in range(12):
        if index == lost:
            talk.lose(0, 50)
        else:
            talk.send(0, CONTENT[index * 50 : index * 50 + 50])
    events = run(wire.pcap())
    expected = CONTENT[: lost * 50] + CONTENT[lost * 50 + 50 : 600]
    assert stream(events, 0) == expected
    assert [e.size for e in of(events, "gap")] == ([50] if lost < 11 else [])
