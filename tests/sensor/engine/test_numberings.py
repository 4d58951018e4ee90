"""Streams that are shown on both sides of a firewall which numbers them anew: read once, whatever is where."""

from __future__ import annotations

import pytest

from sensor.engine import RST
from tests.sensor.engine.builder import ACK, SYN, Tcp, Wire
from tests.sensor.engine.harness import Event, new_engine, of, run, stream
from tests.sensor.engine.test_interpreted import both_agree

BEHIND = (3_000_000_000, 1_500_000_000)
"""Initial sequence numbers as they are on the other side; before it they are 1000 and 5000."""
FAR = 1 << 30
HANDSHAKE = ((0, SYN), (1, SYN | ACK), (0, ACK))
TURNS = ((0, b"who are you?"), (1, b"nobody of importance"), (0, b"and what do you want?"), (1, b"nothing, thank you"))


class Both:
    """A conversation before a firewall and behind it."""

    def __init__(self, isn: tuple[int, int] = BEHIND) -> None:
        self.wire = Wire(step_us=50)
        self.before, self.behind = Tcp(self.wire), Tcp(self.wire, isn=isn)

    def sides(self, lane: int) -> tuple[Tcp, Tcp]:
        """Those where a lane comes first and then."""
        return (self.behind, self.before) if lane else (self.before, self.behind)

    def open(self, handshake: tuple[tuple[int, int], ...] = HANDSHAKE) -> Both:
        for lane, flags in handshake:
            for side in self.sides(lane):
                seq, ack = side.isn[lane] + (flags == ACK), side.isn[1 - lane] + 1
                side._put(lane, flags, seq, ack if flags & ACK else 0)
        return self

    def send(self, lane: int, data: bytes, *, mss: int = 1460) -> None:
        for side in self.sides(lane):
            side.send(lane, data, mss=mss)
        self.wire.wait(0.001)

    def talk(self) -> list[Event]:
        for lane, data in TURNS:
            self.send(lane, data)
        return self.run()

    def run(self) -> list[Event]:
        capture = self.wire.pcap()
        both_agree(capture)
        return run(capture)


def whole(events: list[Event]) -> bool:
    """Whether all was said, once, in four turns."""
    told = [(event.lane, event.data) for event in events if event.kind == "data"]
    return told == list(TURNS) and not of(events, "gap")


def counted(both: Both) -> dict[str, int]:
    engine = new_engine()
    run(both.wire.pcap(), engine=engine)
    return engine.counters()


@pytest.mark.parametrize("isn", [BEHIND, (3_000_000_000, 5000), (1000, 1_500_000_000), (71_000, 5000), (999, 5001)])
def test_each_side_is_read_once(isn: tuple[int, int]) -> None:
    """Also where one lane has the same numbers on both sides, and where they are few apart."""
    both = Both(isn).open()
    events = both.talk()
    assert whole(events)
    counters = counted(both)
    assert (counters["flows"], counters["stray_segments"]) == (1, 0)
    assert counters["renumbered_lanes"] == sum(one != other for one, other in zip(isn, (1000, 5000), strict=True))
    # which of them are the copies cannot be told as long as one of the lanes was not heard
    assert abs(counters["duplicates"] - counters["packets"] // 2) <= 1
    (end,) = of(events, "end")
    assert end.stat("packets_i") + end.stat("packets_r") == counters["packets"] - counters["duplicates"]
    assert (end.stat("bytes_i"), end.stat("bytes_r")) == (33, 38)


def test_a_handshake_out_of_order() -> None:
    both = Both()
    for side, (lane, flags) in ((side, each) for side in (both.before, both.behind) for each in HANDSHAKE):
        side._put(lane, flags, side.isn[lane] + (flags == ACK), side.isn[1 - lane] + 1 if flags & ACK else 0)
    assert whole(both.talk())


def test_what_one_side_lost_is_read_on_the_other() -> None:
    both = Both().open()
    both.send(0, b"who are you?")
    both.before.send(1, b"nobody ")
    both.behind.lose(1, 7)
    both.send(1, b"of ")
    both.behind.send(1, b"importance")
    both.before.lose(1, 10)
    assert stream(both.run(), 1) == b"nobody of importance"


def test_a_side_that_is_retransmitted_and_its_syn() -> None:
    both = Both().open(HANDSHAKE[:1])
    both.wire.wait(1)
    both.open()
    both.send(0, b"who are you?")
    for side in both.sides(0):
        side.segment(0, 0, b"who are you?")
    both.send(1, b"nobody")
    events = both.run()
    assert (stream(events, 0), stream(events, 1)) == (b"who are you?", b"nobody")
    assert counted(both)["flows"] == 1


@pytest.mark.parametrize("lane", [0, 1])
def test_a_reset_behind_the_firewall_is_one(lane: int) -> None:
    both = Both().open()
    both.send(0, b"who are you?")
    for side in both.sides(lane):
        side.rst(lane)
    for side in both.sides(lane):  # the copies that come late are no conversation
        side.segment(0, 0, b"who are you?")
    events = both.run()
    assert [event.reason for event in of(events, "end")] == [RST]
    assert counted(both)["flows"] == 1


@pytest.mark.parametrize("after", ["a second", "a byte"])
def test_a_new_connection_on_the_same_ports_is_one(after: str) -> None:
    wire = Wire()
    talk = Tcp(wire)
    talk._put(0, SYN, 1000, 0)
    if after == "a byte":
        talk._put(1, SYN | ACK, 5000, 1001)
        talk.send(0, b"one")
    else:
        wire.wait(1)
    again = Tcp(wire, isn=BEHIND).open()
    again.send(0, b"two")
    events = run(wire.pcap())
    assert len(of(events, "end")) == 2
    assert stream(events, 0).endswith(b"two")


def test_a_row_that_another_flow_has_knows_no_other_numbers() -> None:
    both = Both().open()
    both.send(0, b"one")
    for side in both.sides(0):
        side.rst(0)
    both.wire.wait(0.1)
    again = Tcp(both.wire, isn=(2_999_990_000, 77)).open()
    again.send(0, b"two")
    again.send(1, b"three")
    events = both.run()
    assert (stream(events, 0), stream(events, 1)) == (b"onetwo", b"three")


def test_the_beginning_was_not_seen() -> None:
    """After the second time that the same is said far away it is known what that is."""
    both = Both()
    said = [(number % 2, b"message %d" % number) for number in range(8)]
    for lane, data in said:
        both.send(lane, data)
    events = both.run()
    assert [(event.lane, event.data) for event in of(events, "data")] == said
    assert counted(both)["renumbered_lanes"] == 2


def test_the_beginning_was_not_seen_and_many_segments_come_at_a_time() -> None:
    both = Both()
    said = [b"".join(b"%07d " % (1000 * turn + line) for line in range(375)) for turn in range(20)]
    for turn, data in enumerate(said):
        both.send(0, data, mss=1000)
        both.send(1, b"thank you %d times" % turn)
    events = both.run()
    assert stream(events, 0) == b"".join(said)
    assert not of(events, "gap")


def test_who_says_the_same_all_the_time_is_not_taken_apart_wrongly() -> None:
    """Which of the twins it is cannot be told: a lane keeps to its own numbers."""
    both = Both()
    for side in both.sides(0):
        side.send(0, b"alive and well! " * 40, mss=16)
    both.send(0, b"who are you?")
    both.send(0, b"what are you?")
    both.send(0, b"where are you?")
    assert stream(both.run(), 0) == b"alive and well! " * 40 + b"who are you?what are you?where are you?"


def test_made_up_twins_hide_nothing() -> None:
    """Whoever says something twice, far away, and then only there, is read there as well."""
    wire = Wire(step_us=50)
    talk = Tcp(wire).open()
    for data in (b"first words", b"second words", b"third words"):
        place = talk.sent[0]
        talk.send(0, data)
        talk.segment(0, place + FAR, data)
    talk.segment(0, talk.sent[0] + FAR, b"only there")
    events = run(wire.pcap())
    assert stream(events, 0) == b"first wordssecond wordsthird wordsonly there"


@pytest.mark.parametrize("between", [25, 26, 27, 28, 29])
def test_what_is_watched_is_known_at_the_last_moment(between: int) -> None:
    """Or a moment later, and it is watched no more."""
    wire = Wire(step_us=50)
    talk = Tcp(wire).open()
    talk.send(0, b"first words")
    talk.segment(0, FAR, b"from far away")
    more = [b"words no. %d" % number for number in range(between)]
    for data in (b"second words", *more, b"last words", b"and so on"):
        place = talk.sent[0]
        talk.send(0, data)
        if not data.startswith(b"words"):
            talk.segment(0, place + FAR, data)
    capture = wire.pcap()
    both_agree(capture)
    engine = new_engine()
    assert stream(run(capture, engine=engine), 0).endswith(b"last wordsand so on")
    assert engine.counters()["renumbered_lanes"] == (between <= 27)


def test_what_is_watched_is_bounded() -> None:
    wire = Wire(step_us=1)
    engine = new_engine()
    for number in range(2000):
        talk = Tcp(wire, ports=(10_000 + number, 104)).open()
        talk.send(0, b"one of many")
        talk.segment(0, FAR, b"from far away")
    run(wire.pcap(), engine=engine)
    assert engine.counters()["stray_segments"] == 2000
    assert engine.counters()["renumbered_lanes"] == 0
