"""Turns: what begins one, what does not, and how much of each is delivered."""

from __future__ import annotations

import pytest

from tests.sensor.engine.builder import Tcp, Wire
from tests.sensor.engine.harness import of, run, story, stream


def test_each_answered_request_begins_a_turn() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    for number in range(3):
        talk.send(0, b"ask%d" % number)
        talk.send(1, b"answer%d" % number)
    data = of(run(wire.pcap()), "data")
    assert [(e.lane, e.turn, e.data) for e in data] == [
        (0, 1, b"ask0"), (1, 1, b"answer0"),
        (0, 2, b"ask1"), (1, 2, b"answer1"),
        (0, 3, b"ask2"), (1, 3, b"answer2"),
    ]  # fmt: skip


def test_a_pipelined_request_stays_in_its_turn() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"one")
    talk.send(1, b"answer", ack=True)
    talk.send(0, b"two", ack=False)  # the answer is not acknowledged yet: said before it was heard
    assert [e.turn for e in of(run(wire.pcap()), "data") if e.lane == 0] == [1, 1]


def test_pure_acks_and_keep_alives_begin_no_turn() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"ask")
    talk.send(1, b"answer")
    talk.ack(0)
    talk.segment(0, talk.sent[0] - 1, b"\0")  # keep-alive: the byte before the next one
    talk.ack(1)
    events = run(wire.pcap())
    assert stream(events, 0) == b"ask"
    assert {e.turn for e in of(events, "data") if e.lane == 0} == {1}
    end = of(events, "end")[0]
    assert (end.stat("retransmitted"), end.stat("overlap_conflicts")) == (1, 0)


def test_a_retransmission_with_a_newer_ack_begins_no_turn() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"ask")
    talk.send(1, b"answer")
    talk.segment(0, 0, b"ask", ack=talk.sent[1])
    assert [e.turn for e in of(run(wire.pcap()), "data")] == [1, 1]


def test_a_one_sided_lane_still_shows_the_other_speaking() -> None:
    wire = Wire()
    talk = Tcp(wire)
    talk.segment(0, 0, b"first", ack=0)
    talk.segment(0, 5, b"more", ack=0)
    talk.segment(0, 9, b"second", ack=300)  # the unseen lane has said 300 bytes
    assert [(e.turn, e.data) for e in of(run(wire.pcap()), "data")] == [(1, b"first"), (1, b"more"), (2, b"second")]


def test_gigabytes_of_an_answer_do_not_hide_the_next_turn() -> None:
    """Acknowledgement numbers are compared modulo 2^32: 3 GiB ahead looks like 1 GiB behind."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"fetch")
    for heard in range(0, 3 << 30, 1 << 27):
        talk.segment(0, 5, ack=heard)
    talk.segment(0, 5, b"again", ack=3 << 30)
    assert [(e.turn, e.data) for e in of(run(wire.pcap()), "data")] == [(1, b"fetch"), (2, b"again")]


def test_idle_time_begins_a_turn_where_acks_do_not_help() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"beacon")
    wire.wait(60)
    talk.send(0, b"beacon")
    assert [e.turn for e in of(run(wire.pcap()), "data")] == [1, 2]


def test_the_budget_cuts_a_turn_and_the_next_begins_with_a_gap() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, bytes(range(200)), mss=100)
    talk.send(1, b"ok")
    talk.send(0, b"next")
    events = run(wire.pcap(), head_bytes=64, head_max=128)
    assert story(of(events, "data", "gap")) == [
        ("data", 0, 1, bytes(range(64))),
        ("data", 1, 1, b"ok"),
        ("gap", 0, 2, 136),
        ("data", 0, 2, b"next"),
    ]
    assert of(events, "end")[0].stat("left_out") == 136


def test_each_turn_has_a_budget_of_its_own() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    for _ in range(4):
        talk.send(0, bytes(60))
        talk.send(1, b"ok")
    events = run(wire.pcap(), head_bytes=64)
    assert not of(events, "gap")
    assert len(stream(events, 0)) == 240


@pytest.mark.parametrize("mss", [1, 7, 100, 1460])
def test_a_pending_message_raises_the_budget(mss: int) -> None:
    content = bytes(i % 251 for i in range(400))
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, content, mss=mss)
    talk.send(1, b"ok")
    talk.send(0, b"next")

    def react(engine, event) -> None:
        if event.kind == "data" and event.lane == 0 and not asked:
            asked.append(event)
            engine.want(event.flow, 0, 300 - event.size, 300 - event.size)

    asked: list[object] = []
    events = run(wire.pcap(), react, head_bytes=64, head_max=500)
    first = b"".join(e.data for e in of(events, "data") if e.lane == 0 and e.turn == 1)
    assert first[:300] == content[:300]
    assert len(first) + sum(e.size for e in of(events, "gap")) == 400
    assert stream(events, 0).endswith(b"next")


def test_the_budget_never_rises_over_its_bound() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, bytes(1000), mss=100)
    talk.send(1, b"ok")
    talk.send(0, b"next")

    def react(engine, event) -> None:
        if event.kind == "data" and event.lane == 0 and event.turn == 1:
            engine.want(event.flow, 0, 900, 900)

    events = run(wire.pcap(), react, head_bytes=64, head_max=256)
    assert len(b"".join(e.data for e in of(events, "data") if e.lane == 0 and e.turn == 1)) <= 256
    gap = of(events, "gap")[0]
    delivered_before = sum(e.size for e in of(events, "data") if e.lane == 0 and e.frame < gap.frame)
    assert delivered_before + gap.size == 1000


def test_a_want_waits_over_turns_without_a_gap() -> None:
    """A record split over turns just goes on: the boundary of a turn is invisible."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"abc")
    talk.send(1, b"x")
    talk.send(0, b"defgh")

    def react(engine, event) -> None:
        if event.kind == "data" and event.lane == 0 and event.data == b"abc":
            engine.want(event.flow, 0, 5, 5)

    events = run(wire.pcap(), react)
    assert [e.data for e in of(events, "data") if e.lane == 0] == [b"abc", b"defgh"]


def test_a_want_that_is_not_met_wakes_nobody_until_the_end() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    for piece in (b"h", b"ell", b"o"):
        talk.send(0, piece)
    events = run(wire.pcap(), lambda engine, e: engine.want(e.flow, 0, 100, 100) if e.kind == "data" else None)
    assert [e.data for e in of(events, "data")] == [b"h", b"ello"]
    assert [e.kind for e in events] == ["data", "data", "end"]


def test_both_lanes_may_speak_at_once() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.segment(0, 0, b"aaaa", ack=0)
    talk.segment(1, 0, b"bbbb", ack=0)
    talk.segment(0, 4, b"cccc", ack=4)
    talk.segment(1, 4, b"dddd", ack=4)
    events = run(wire.pcap())
    assert (stream(events, 0), stream(events, 1)) == (b"aaaacccc", b"bbbbdddd")
    assert not of(events, "gap")


def test_events_carry_time_frame_and_addresses() -> None:
    wire = Wire()
    talk = Tcp(wire, vlans=(7,)).open()
    begin = wire.now_us
    talk.send(0, b"hello")
    (event,) = of(run(wire.pcap()), "data")
    assert (event.ts_us, event.frame) == (begin, 4)
    transport, scope, vlan, ip_a, port_a, mac_a, ip_b, port_b, mac_b = event.addresses
    assert (transport, scope, vlan) == (6, 0, 7)
    assert (bytes(ip_a), port_a, mac_a) == (bytes([10, 0, 0, 1]), 50000, 0x02000000000A)
    assert (bytes(ip_b), port_b, mac_b) == (bytes([10, 0, 0, 2]), 104, 0x02000000000B)
