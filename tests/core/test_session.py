"""The ladder of confidence, resumption and hand-off, shown on made-up protocols."""

from __future__ import annotations

import gc

from parsers.core import (
    Anomaly,
    Attribute,
    Confidence,
    Confirmed,
    Conversation,
    Done,
    Fact,
    Field,
    Handoff,
    Leave,
    Malformed,
    Protocol,
    Reader,
    Registry,
    Session,
    Side,
    Steps,
    Verdict,
)

WORD = Field("test.word", "none")


def starting(*words: bytes):
    def probe(head: bytes, side: Side) -> Verdict:
        if any(head.startswith(word) for word in words):
            return Verdict.LIKELY
        return Verdict.MORE if any(word.startswith(head) for word in words) else Verdict.NO

    return probe


def lines(r: Reader, side: Side, talk: Conversation) -> Steps:
    """`A` and a digit per message: the digit is stated."""
    while True:
        message = yield from r.exactly(2)
        if message[:1] != b"A":
            raise Malformed("no A", r.offset)
        yield Confirmed()
        yield WORD(talk.me(side), message[1:].decode())


def pretender(r: Reader, side: Side, talk: Conversation) -> Steps:
    """Takes the head, states something, and then finds out that it was wrong."""
    yield WORD(talk.me(side), (yield from r.exactly(1)).decode())
    raise Malformed("not mine after all", 1)


def protocol(name: str, dissect, *words: bytes, over: str = "tcp", ports: frozenset[int] = frozenset()) -> Protocol:
    return Protocol(name, "none", over, starting(*words), dissect, words, ports)


LINES = protocol("lines", lines, b"A")
PRETENDER = protocol("pretender", pretender, b"A", ports=frozenset({7}))


def words(facts: list[Fact]) -> list[str]:
    return [fact.value for fact in facts if isinstance(fact, Attribute)]


def codes(facts: list[Fact]) -> list[str]:
    return [fact.code for fact in facts if isinstance(fact, Anomaly)]


def test_a_pretender_is_dropped_with_all_it_said() -> None:
    session = Session(Registry([LINES, PRETENDER]), "tcp", (7, 50_000))
    assert words(session.feed(0, b"A1A2")) == ["1", "2"]
    assert session.protocol is LINES
    assert session.confidence is Confidence.CONFIRMED


def test_a_port_alone_makes_no_protocol() -> None:
    session = Session(Registry([PRETENDER]), "tcp", (7, 50_000))
    assert session.feed(0, b"zzz") + session.end() == []
    assert session.protocol is None
    assert session.confidence is Confidence.PORT


def test_unknown_lanes_are_probed_at_turns_1_2_4_8() -> None:
    session = Session(Registry([LINES]), "tcp")
    asked = []
    for turn in range(1, 10):
        session.feed(0, b"?", turn)
        asked.append(session.demand(0).leave)
    assert asked == [Leave.TURN] * 9
    late = Session(Registry([LINES]), "tcp")
    read = [turn for turn in range(1, 10) if words(late.feed(0, b"A1" if turn in {3, 4} else b"?", turn))]
    assert read == [4]


def test_the_other_lane_is_read_once_one_is_known() -> None:
    session = Session(Registry([LINES]), "tcp")
    assert session.feed(1, b"nothing", 1) == []
    assert words(session.feed(0, b"A1", 1)) == ["1"]
    assert words(session.feed(1, b"A2", 2)) == ["2"]


def test_a_reply_in_another_protocol_is_an_anomaly() -> None:
    session = Session(Registry([LINES]), "tcp")
    session.feed(0, b"A1")
    assert codes(session.feed(1, b"HTTP")) == ["unexpected_reply"]
    assert session.closed(1)
    assert words(session.feed(0, b"A2")) == ["2"]


def test_malformed_ends_its_lane_only() -> None:
    session = Session(Registry([LINES]), "tcp")
    session.feed(0, b"A1")
    session.feed(1, b"A1")
    assert codes(session.feed(0, b"XX")) == ["malformed"]
    assert words(session.feed(1, b"A2")) == ["2"]


def test_after_a_gap_candidates_are_tried_turn_by_turn() -> None:
    session = Session(Registry([LINES]), "tcp")
    session.feed(0, b"A1", 1)
    session.gap(0)
    assert session.feed(0, b"??", 2) == []
    assert session.demand(0).leave is Leave.TURN
    assert session.feed(0, b"A8", 2) == []  # still the turn that was given up
    assert words(session.feed(0, b"A3", 3)) == ["3"]
    assert session.failed_candidates == 1


def test_a_gap_before_a_lane_was_known_leaves_candidates_too() -> None:
    session = Session(Registry([LINES]), "tcp")
    session.feed(0, b"A1", 1)
    session.gap(1)
    assert session.feed(1, b"?", 1) == []
    assert words(session.feed(1, b"A4", 2)) == ["4"]


def test_a_dissector_may_look_for_a_boundary_by_itself() -> None:
    """After a gap, and in the second lane of a conversation whose beginning was not seen."""

    def seeking(r: Reader, side: Side, talk: Conversation) -> Steps:
        if r.resumed:
            yield from r.skip_until(b"A", 100)
            yield WORD(talk.me(side), "found")
        yield from lines(r, side, talk)

    protocol = Protocol("seeking", "none", "tcp", starting(b"A"), seeking, (b"A",), finds_boundary=True)
    session = Session(Registry([protocol]), "tcp", midstream=True)
    assert words(session.feed(0, b"A1", 1)) == ["1"]
    assert words(session.feed(1, b"??AA2", 1)) == ["found", "2"]
    session.gap(0)
    assert words(session.feed(0, b"?AA3", 2)) == ["found", "3"]


def test_too_many_failed_candidates_close_the_lane() -> None:
    session = Session(Registry([LINES]), "tcp")
    session.feed(0, b"A1", 1)
    session.gap(0)
    for turn in range(2, 30):
        session.feed(0, b"??", turn)
    assert session.closed(0)
    assert not session.done


def test_roles_are_swapped_where_they_were_guessed() -> None:
    def probe(head: bytes, side: Side) -> Verdict:
        return Verdict.LIKELY if head[:1] == b"A" and side is Side.INITIATOR else Verdict.NO

    only_initiators = Protocol("lines", "none", "tcp", probe, lines, (b"A",))
    certain, guessed = (
        Session(Registry([only_initiators]), "tcp"),
        Session(Registry([only_initiators]), "tcp", midstream=True),
    )
    assert certain.feed(1, b"A1") == []
    (fact,) = guessed.feed(1, b"A1")
    assert fact.subject.side is Side.INITIATOR
    assert guessed.lane(Side.INITIATOR) == 1


def test_hand_off_moves_both_lanes_at_their_next_byte() -> None:
    def upgrading(r: Reader, side: Side, talk: Conversation) -> Steps:
        yield from r.exactly(2)
        yield Confirmed()
        if side is Side.RESPONDER:
            yield Handoff("lines")
        yield from r.exactly(2)
        raise Malformed("must not be read by me")

    upgrade = protocol("upgrade", upgrading, b"UP")
    session = Session(Registry([LINES, upgrade]), "tcp")
    session.feed(0, b"UP", 1)
    assert words(session.feed(1, b"UPA1", 1)) == ["1"]
    assert words(session.feed(0, b"A2", 2)) == ["2"]
    assert session.protocol is LINES


def test_done_wants_nothing_more() -> None:
    def brief(r: Reader, side: Side, talk: Conversation) -> Steps:
        yield from r.exactly(1)
        yield Confirmed()
        yield Done()

    session = Session(Registry([protocol("brief", brief, b"B")]), "tcp")
    session.feed(0, b"B")
    assert session.done
    assert session.feed(0, b"more") == []


def test_datagrams_stand_alone() -> None:
    def datagrams(r: Reader, side: Side, talk: Conversation) -> Steps:
        while True:
            data = yield from r.datagram()
            if data[:1] != b"A":
                raise Malformed("no A")
            yield Confirmed()
            yield WORD(talk.me(side), data[1:].decode())

    session = Session(Registry([protocol("datagrams", datagrams, b"A", over="udp")]), "udp")
    said = [session.feed_datagram(0, data) for data in (b"A1", b"x", b"A2")]
    assert [words(facts) for facts in said] == [["1"], [], ["2"]]
    assert codes(said[1]) == ["malformed"]


def test_unknown_datagrams_are_given_up() -> None:
    session = Session(Registry([protocol("datagrams", lines, b"A", over="udp")]), "udp")
    for _ in range(4):
        assert not session.done
        session.feed_datagram(0, b"?")
    assert session.done


def test_a_large_first_delivery_is_read_whole() -> None:
    session = Session(Registry([LINES]), "tcp")
    assert len(words(session.feed(0, b"A1" * 20_000))) == 20_000


def promising(r: Reader, side: Side, talk: Conversation) -> Steps:
    """States at its end how long its first message was."""
    first = yield from r.exactly(2)
    yield Confirmed()
    talk.defer("length", lambda: WORD(talk.me(side), str(len(first))))
    yield from r.exactly(1000)


def test_a_session_that_is_let_go_of_leaves_nothing_to_the_garbage_collector() -> None:
    """What is deferred holds the conversation, which holds what is deferred."""
    session = Session(Registry([protocol("promising", promising, b"A")]), "tcp")
    session.feed(0, b"A1")
    gc.collect()
    gc.disable()
    try:
        del session
        assert gc.collect() == 0
    finally:
        gc.enable()
