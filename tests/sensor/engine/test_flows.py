"""Flows: who is the initiator, when one ends, reuse, eviction, idleness, days, datagrams."""

from __future__ import annotations

import pytest

from sensor.engine import (
    EOF,
    EVICTED,
    EVICTED_SEEN,
    FIN,
    FIN_SEEN,
    IDLE,
    MIDSTREAM,
    ONE_SIDED,
    REUSED,
    RST,
    RST_SEEN,
    STATS,
    SYN_SEEN,
    SYNACK_SEEN,
    load_interpreted,
)
from tests.sensor.engine.builder import SECOND, START_US, Tcp, Wire, datagram
from tests.sensor.engine.harness import Event, new_engine, of, run, stream

DAY_US = 86400 * SECOND


def ports(event: Event) -> tuple[int, int]:
    return event.addresses[4], event.addresses[7]


def flags(events: list[Event]) -> int:
    return of(events, "end")[0].stat("flags")


# --- the initiator


def test_the_sender_of_the_syn_is_the_initiator_whatever_its_port() -> None:
    wire = Wire()
    Tcp(wire, ports=(80, 50000)).open().send(0, b"x")
    (event,) = of(run(wire.pcap()), "data")
    assert (event.lane, ports(event)) == (0, (80, 50000))


def test_the_receiver_of_a_syn_ack_is_the_initiator() -> None:
    wire = Wire()
    talk = Tcp(wire, ports=(80, 50000)).open()
    wire.frames = wire.frames[1:]
    talk.send(1, b"x")
    events = run(wire.pcap())
    (event,) = of(events, "data")
    assert (event.lane, ports(event)) == (1, (80, 50000))
    assert flags(events) & SYNACK_SEEN
    assert flags(events) & MIDSTREAM


@pytest.mark.parametrize(
    ("sender", "other", "lane"), [(104, 50000, 1), (50000, 104, 0), (50000, 50001, 0), (50001, 50000, 0), (22, 23, 0)]
)
def test_mid_stream_a_well_known_port_responds(sender: int, other: int, lane: int) -> None:
    wire = Wire()
    talk = Tcp(wire, ports=(sender, other))
    talk.send(0, b"x")
    events = run(wire.pcap())
    if (sender, other) != (22, 23):  # two well-known ports say nothing for certain
        assert of(events, "data")[0].lane == lane
    assert flags(events) & MIDSTREAM
    assert not flags(events) & SYN_SEEN


def test_ports_can_be_marked_as_responders() -> None:
    wire = Wire()
    Tcp(wire, ports=(11112, 2575)).send(0, b"x")
    assert of(run(wire.pcap()), "data")[0].lane == 0
    engine = new_engine()
    engine.mark_responders([11112])
    assert of(run(wire.pcap(), engine=engine), "data")[0].lane == 1


@pytest.mark.parametrize(("sender", "other", "lane"), [(161, 40000, 1), (40000, 161, 0), (40000, 50000, 0)])
def test_datagrams_have_an_initiator_too(sender: int, other: int, lane: int) -> None:
    wire = Wire()
    datagram(wire, b"x", source=("10.0.0.1", sender), target=("10.0.0.2", other))
    (event,) = of(run(wire.pcap()), "datagram")
    assert event.lane == lane
    assert ports(event)[lane] == sender


def test_a_whole_conversation_has_no_mid_stream_flag() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"x")
    talk.send(1, b"y")
    talk.close()
    seen = flags(run(wire.pcap()))
    assert seen & (SYN_SEEN | SYNACK_SEEN | FIN_SEEN) == SYN_SEEN | SYNACK_SEEN | FIN_SEEN
    assert not seen & (MIDSTREAM | ONE_SIDED | RST_SEEN)


def test_one_lane_alone_is_one_sided() -> None:
    wire = Wire()
    talk = Tcp(wire)
    talk.send(0, b"x")
    talk.send(0, b"y")
    assert flags(run(wire.pcap())) & ONE_SIDED


# --- the end


def test_fin_both_ways_ends_a_flow() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"x")
    talk.close()
    assert [e.reason for e in of(run(wire.pcap()), "end")] == [FIN]


def test_a_closed_flow_with_a_hole_ends_within_minutes() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.lose(0, 100)
    talk.send(0, b"after")
    talk.fin(0)
    talk.segment(1, 0, ack=0, flags=17)  # its FIN, captured before it heard anything
    wire.wait(400)
    datagram(wire, b"later")
    wire.wait(2)
    datagram(wire, b"later")
    events = run(wire.pcap())
    assert [e.kind for e in events if e.addresses[0] == 6] == ["gap", "data", "end"]
    assert of(events, "end")[0].reason == FIN
    assert of(events, "end")[0].ts_us < wire.now_us - SECOND


def test_a_reset_ends_a_flow() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"x")
    talk.rst(1)
    events = run(wire.pcap())
    assert [e.reason for e in of(events, "end")] == [RST]
    assert flags(events) & RST_SEEN


def test_what_never_ends_ends_with_the_file_in_order_of_first_packet() -> None:
    wire = Wire()
    for number in range(20):
        Tcp(wire, ports=(50000 + number * 7 % 20, 104)).open().send(0, b"x")
    ends = of(run(wire.pcap()), "end")
    assert [e.reason for e in ends] == [EOF] * 20
    assert [e.addresses[4] for e in ends] == [50000 + number * 7 % 20 for number in range(20)]


def test_late_packets_after_the_end_make_no_new_flow() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"x")
    talk.close()
    talk.segment(0, 0, b"x")
    talk.ack(1)
    engine = new_engine()
    events = run(wire.pcap(), engine=engine)
    assert len(of(events, "end")) == 1
    assert stream(events, 0) == b"x"
    assert engine.counters()["late_segments"] == 1


@pytest.mark.parametrize("ends", ["rst", "fin"])
def test_an_end_that_nobody_heeds_hides_nothing(ends: str) -> None:
    """Its receiver drops what an attacker has sent in another's name, and the login goes on."""
    wire, engine = Wire(), new_engine()
    talk = Tcp(wire).open()
    talk.send(0, b"hello")
    if ends == "rst":
        talk.rst(1)
    else:
        for lane in (0, 1):
            talk.fin(lane)
            talk.sent[lane] -= 1
    talk.send(1, b"password?")
    talk.send(0, b"secret")
    talk.send(1, b"welcome")
    talk.close()
    events = run(wire.pcap(), engine=engine)
    assert stream(events, 1) == b"password?welcome"
    assert stream(events, 0) == b"hellosecret"
    assert engine.counters()["unheeded_ends"] == 1
    assert engine.counters()["flows"] == 2


def test_what_was_under_way_at_a_reset_is_late() -> None:
    """Of the other side, of before it, and what is answered with further resets."""
    wire, engine = Wire(), new_engine()
    talk = Tcp(wire).open()
    talk.send(1, b"banner")
    talk.rst(1)
    talk.segment(1, 0, b"banner")
    talk.send(0, b"question")
    talk.rst(1)
    events = run(wire.pcap(), engine=engine)
    assert len(of(events, "end")) == 1
    assert (engine.counters()["unheeded_ends"], engine.counters()["late_segments"]) == (0, 2)


def test_the_last_acknowledgement_of_a_connection_is_not_late() -> None:
    wire, engine = Wire(), new_engine()
    for number in range(5):
        talk = Tcp(wire, ports=(50000 + number, 104)).open()
        talk.send(0, b"x")
        talk.close()
    run(wire.pcap(), engine=engine)
    assert engine.counters()["late_segments"] == 0


def test_undelivered_bytes_come_before_the_end() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"a")
    talk.send(0, b"bcd")
    talk.close()
    events = run(wire.pcap(), lambda engine, e: engine.want(e.flow, 0, 50, 50) if e.kind == "data" else None)
    assert [(e.kind, e.data) for e in events] == [("data", b"a"), ("data", b"bcd"), ("end", b"")]


def test_a_used_address_pair_is_used_again() -> None:
    wire = Wire()
    for isn in (1000, 900000):
        talk = Tcp(wire, isn=(isn, isn + 5)).open()
        talk.send(0, b"hello")
        talk.close()
        wire.wait(30)
    events = run(wire.pcap())
    assert [(e.data, e.turn) for e in of(events, "data")] == [(b"hello", 1), (b"hello", 1)]
    assert len(of(events, "end")) == 2


def test_a_new_syn_ends_the_old_flow() -> None:
    """A device that was switched off and on again never says FIN."""
    wire = Wire()
    for isn in (1000, 900000):
        talk = Tcp(wire, isn=(isn, isn + 5)).open()
        talk.send(0, b"hello")
        wire.wait(60)
    events = run(wire.pcap())
    assert [e.reason for e in of(events, "end")] == [REUSED, EOF]
    assert [e.data for e in of(events, "data")] == [b"hello", b"hello"]


def test_a_retransmitted_syn_is_the_same_flow() -> None:
    wire = Wire()
    talk = Tcp(wire)
    talk._put(0, 2, talk.isn[0], 0)
    wire.wait(1)
    talk.open()
    talk.send(0, b"x")
    events = run(wire.pcap())
    assert len(of(events, "end")) == 1
    assert stream(events, 0) == b"x"


def test_conversations_that_begin_outlive_those_that_are_silent() -> None:
    """A table full of flows of datagrams that nobody ends, and others that begin, twenty at a time."""
    wire = Wire()
    ends = [((f"10.1.{number >> 8}.{number & 255}", 5000), ("10.0.0.2", 9999)) for number in range(600)]
    for source, target in ends[:300]:
        datagram(wire, b"first", source=source, target=target)
        datagram(wire, b"first", source=target, target=source)
    wire.wait(60)
    for begin in range(300, 600, 20):
        for _ in range(2):
            for source, target in ends[begin : begin + 20]:
                datagram(wire, b"then", source=source, target=target)
            for source, target in ends[begin : begin + 20]:
                datagram(wire, b"then", source=target, target=source)
    assert len(of(run(wire.pcap(), flows=256), "end")) == 600


def test_who_has_just_ended_is_waited_for_in_a_full_table() -> None:
    """The last acknowledgement comes after others have begun: it is no flow of its own."""
    wire = Wire()
    for number in range(300):
        ends = (f"10.1.{number >> 8}.{number & 255}", 5000), ("10.0.0.2", 9999)
        datagram(wire, b"said", source=ends[0], target=ends[1])
        datagram(wire, b"said", source=ends[1], target=ends[0])
    wire.wait(60)
    talks = [Tcp(wire, ports=(50000 + number, 104)) for number in range(40)]
    for ended, talk in zip([None, *talks], talks, strict=False):
        talk.open()
        talk.send(0, b"x")
        talk.close()
        if ended:
            ended.ack(1)
    assert len(of(run(wire.pcap(), flows=256), "end")) == 340


def test_a_syn_alone_takes_a_row_and_no_buffer() -> None:
    wire = Wire(step_us=10)
    talk = Tcp(wire).open()
    talk.send(0, b"before")
    for number in range(5000):
        scan = Tcp(wire, addresses=(f"10.1.{number >> 8}.{number & 255}", "10.0.0.2"))
        scan._put(0, 2, 1, 0)
    talk.send(0, b"after")
    events = run(wire.pcap(), flows=256)
    assert stream(events, 0, of(events, "data")[0].flow) == b"beforeafter"  # half-open scans go first
    assert len(of(events, "end")) == 5001


# --- the table


def test_a_full_table_evicts_and_says_so() -> None:
    wire = Wire()
    for number in range(100):
        Tcp(wire, ports=(50000 + number, 104)).open().send(0, b"%d" % number)
    events = run(wire.pcap(), flows=8)
    assert [e.data for e in of(events, "data")] == [b"%d" % number for number in range(100)]
    ends = of(events, "end")
    assert len(ends) == 100
    evicted = [e for e in ends if e.reason == EVICTED]
    assert len(evicted) >= 92
    assert all(e.stat("flags") & EVICTED_SEEN for e in evicted)


def test_shunted_flows_go_first() -> None:
    wire = Wire()
    keep = Tcp(wire, ports=(40000, 104)).open()
    keep.send(0, b"keep")
    for number in range(40):
        Tcp(wire, ports=(50000 + number, 104)).open().send(0, b"drop")
    keep.send(0, b"kept")
    events = run(
        wire.pcap(), lambda engine, e: engine.done(e.flow) if e.kind == "data" and e.data == b"drop" else None, flows=8
    )
    assert stream(events, 0).endswith(b"kept")
    assert of(events, "end")[-1].reason != EVICTED or len(of(events, "end")) == 41


def test_buffers_are_bounded() -> None:
    """Lanes that hold bytes for a want that never comes: memory stays, somebody is given up."""
    wire = Wire()
    talks = [Tcp(wire, ports=(50000 + number, 104)).open() for number in range(60)]
    for talk in talks:
        talk.send(0, b"h")
        talk.send(0, bytes(15000))
    engine = new_engine(flows=64, buffer_bytes=256 << 10)

    def react(engine, event) -> None:
        if event.kind == "data":
            engine.want(event.flow, 0, 16000, 16000)

    events = run(wire.pcap(), react, engine=engine)
    assert len(of(events, "end")) == 60
    delivered = sum(e.size for e in of(events, "data"))
    missing = sum(e.size for e in of(events, "gap"))
    assert delivered + missing <= 60 * 15001


def test_rows_are_used_again_after_their_end() -> None:
    wire = Wire()
    for number in range(200):
        talk = Tcp(wire, ports=(50000 + number, 104)).open()
        talk.send(0, b"x")
        talk.close()
    live: set[int] = set()
    for event in run(wire.pcap(), flows=16):
        assert 0 <= event.flow < 16
        if event.kind == "end":
            live.discard(event.flow)
        elif event.kind == "data":
            assert event.flow not in live
            live.add(event.flow)


def test_connections_that_have_ended_keep_no_lanes() -> None:
    """They linger in the table of flows; who still says something of their lanes is not heard."""
    module, wire = load_interpreted(), Wire(step_us=1_000)
    for number in range(20):
        talk = Tcp(wire, ports=(40_000 + number, 104)).open()
        talk.send(0, b"question")
        talk.send(1, b"answer")
        talk.close()
    engine = new_engine(module)
    ended = [event.flow for event in of(run(wire.pcap(), module=module, engine=engine), "end")]
    assert len(set(ended)) == 20
    assert engine.fresh_lanes == module.LANES_WIDTH
    for row in ended:
        engine.want(row, 0, 10, 10)
        engine.skip(row, 1, 10)
        engine.skip_until(row, 0, b"\r\n", 10)
        engine.unlisten(row)
        engine.done(row)
        assert engine.stats(row)[STATS.index("retransmitted")] == 0
    assert engine.ready == []


# --- time


def test_an_idle_flow_ends() -> None:
    wire = Wire()
    Tcp(wire, ports=(50000, 104)).open().send(0, b"x")
    other = Tcp(wire, ports=(50001, 104)).open()
    for _ in range(600):
        wire.wait(60)
        other.send(0, b"beat")
    events = run(wire.pcap())
    ends = [(e.addresses[4], e.reason) for e in of(events, "end")]
    assert ends == [(50000, IDLE), (50001, EOF)]


def test_a_clock_that_jumps_is_survived() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    for now in (START_US, 0, 4_000_000_000 * SECOND, 5, START_US):
        wire.now_us = now
        talk.send(0, b"x")
        datagram(wire, b"y")
    events = run(wire.pcap())
    assert sum(e.size for e in of(events, "data")) == 5
    assert sum(e.size for e in of(events, "datagram")) == 5


@pytest.mark.parametrize("away_s", [-1_500_000_000, -7_200, 7_200, 1_500_000_000])
def test_one_time_that_is_wrong_ends_nothing(away_s: int) -> None:
    wire = Wire()
    talks = [Tcp(wire, ports=(50000 + number, 104)).open() for number in range(10)]
    for number in range(20):
        if number == 7:
            wire.now_us += away_s * SECOND
            datagram(wire, b"whenever")
            wire.now_us -= away_s * SECOND
        for talk in talks:
            talk.send(0, b"x")
    events = run(wire.pcap())
    assert {e.reason for e in of(events, "end")} == {EOF}
    assert len(of(events, "end")) == 11


@pytest.mark.parametrize("away_s", [-1_500_000_000, -7_200, 7_200])
def test_a_clock_that_is_set_still_tells_what_is_idle(away_s: int) -> None:
    wire = Wire()
    Tcp(wire, ports=(50000, 104)).open().send(0, b"x")
    other = Tcp(wire, ports=(50001, 104)).open()
    wire.wait(away_s)
    for _ in range(70_000):
        other.send(0, b"x", ack=False)
    for _ in range(80):
        wire.wait(60)
        other.send(0, b"beat")
    ends = [(e.addresses[4], e.reason) for e in of(run(wire.pcap()), "end")]
    assert ends == [(50000, IDLE), (50001, EOF)]


def test_a_new_day_is_told_before_its_first_bytes() -> None:
    wire = Wire(now_us=START_US + DAY_US - 10 * SECOND)
    talk = Tcp(wire).open()
    talk.send(0, b"old")
    wire.now_us = START_US + DAY_US + SECOND
    talk.send(0, b"new day")
    talk.close()
    events = run(wire.pcap())
    assert [e.kind for e in events] == ["data", "day", "data", "end"]
    assert events[1].stat("bytes_i") == 3
    assert events[1].stat("last_ts_us") < START_US + DAY_US
    assert events[3].stat("bytes_i") == 7
    assert events[3].stat("first_ts_us") == START_US + DAY_US + SECOND


def test_a_shunted_flow_still_has_days() -> None:
    wire = Wire(now_us=START_US + DAY_US - 10 * SECOND)
    talk = Tcp(wire).open()
    talk.send(0, b"head")
    for _ in range(3):
        wire.wait(86400)
        talk.send(0, b"more")
    events = run(
        wire.pcap(), lambda engine, e: engine.done(e.flow) if e.kind == "data" else None, tcp_idle_us=3 * DAY_US
    )
    assert [e.kind for e in events] == ["data", "day", "day", "day", "end"]


# --- datagrams


def test_each_datagram_is_a_message() -> None:
    wire = Wire()
    for number in range(3):
        datagram(wire, b"ask%d" % number)
        datagram(wire, b"answer%d" % number, source=("10.0.0.2", 161), target=("10.0.0.1", 40000))
    events = of(run(wire.pcap()), "datagram")
    assert [(e.lane, e.data) for e in events] == [(n % 2, (b"ask%d", b"answer%d")[n % 2] % (n // 2)) for n in range(6)]


def test_an_empty_datagram_is_counted_only() -> None:
    wire = Wire()
    datagram(wire, b"")
    datagram(wire, b"x")
    events = run(wire.pcap())
    assert [e.kind for e in events] == ["datagram", "end"]
    assert events[-1].stat("packets_i") == 2


def test_a_shunted_datagram_flow_is_counted_only() -> None:
    wire = Wire()
    for _ in range(5):
        datagram(wire, b"noise")
    events = run(wire.pcap(), lambda engine, e: engine.done(e.flow) if e.kind == "datagram" else None)
    assert [e.kind for e in events] == ["datagram", "end"]
    assert events[-1].stat("bytes_i") == 25


def test_the_same_ports_over_tcp_and_udp_are_two_flows() -> None:
    wire = Wire()
    datagram(wire, b"u", source=("10.0.0.1", 50000), target=("10.0.0.2", 104))
    Tcp(wire).open().send(0, b"t")
    events = run(wire.pcap())
    assert {e.addresses[0] for e in of(events, "end")} == {6, 17}
    assert len(of(events, "end")) == 2


def test_counters_name_what_was_seen() -> None:
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, b"hello")
    engine = new_engine()
    run(wire.pcap(), engine=engine)
    counters = engine.counters()
    assert counters["packets"] == 4
    assert counters["bytes"] == sum(len(frame.data) for frame in wire.frames)
    assert counters["bytes_copied"] == 5
