"""Messages of a feed pass by their pattern where they say nothing new, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.core import Conversation, Reader, Side
from parsers.hl7 import lane, opening
from parsers.hl7.acknowledgment import Dialogue
from parsers.hl7.again import FRESH_BYTES, PATTERNS_MAX, Again
from parsers.hl7.messages import RESTATED_EACH, Messages
from parsers.hl7.pattern import Pattern
from parsers.hl7.whole import Wholes
from tests.parsers._hl7 import acknowledgment, framed, header, outcomes, read

HEART_RATE = "147842^MDC_ECG_HEART_RATE^MDC"
SATURATION = "150456^MDC_PULS_OXIM_SAT_O2^MDC"
EUI64 = "7^P^0009FBFFFF9B42B3^EUI-64"


def message(
    number: int = 1,
    *,
    application: str = "MON",
    security: str = "",
    order: str = "ORDER7",
    value: str = "60",
    code: str = HEART_RATE,
    patient: str = "4711",
) -> bytes:
    time = f"202611251010{number % 60:02}"
    head = header(application, "WARD", "EMR", "HOSP", time, security, "", f"C{number}", "P", "2.6")
    return head + f"PID|1||{patient}||DOE^JANE\rOBR|1||{order}\rOBX|1|NM|{code}|1|{value}|||||F\r".encode()


class Lane:
    """What a lane of HL7 has, without its generator."""

    def __init__(self, side: Side = Side.INITIATOR) -> None:
        self.talk = Conversation()
        self.again = Again(side, self.talk)
        self.wholes = Wholes(Messages(side, self.talk, self.again.progress), side, self.talk)
        self.again.fresh_until = 1 << 20

    def heard(self, *texts: bytes) -> Lane:
        for text in texts:
            found = self.wholes.find(text)
            assert found is not None
            if not self.wholes.read(*found):
                self.again.learn(*found)
        self.talk.collect()
        return self

    def passes(self, data: bytes) -> bool:
        r = Reader()
        r.feed(data, 1)
        return self.again.passes(r)


def learnt(*texts: bytes) -> Lane:
    return Lane().heard(*[text for text in texts for _ in range(3)])


def pattern_of(text: bytes) -> bytes:
    found = Lane().wholes.find(text)
    assert found is not None
    whole, pieces = found
    return whole.layout.pattern(pieces, whole.header.grammar)


def test_a_pattern_holds_no_value_no_order_and_no_patient() -> None:
    text = pattern_of(message())
    assert HEART_RATE.encode() in text
    for secret in (b"4711", b"JANE", b"|60|", b"ORDER7", b"2026", b"C1"):
        assert secret not in text


def test_what_is_not_read_may_be_anything() -> None:
    monitor = learnt(message())
    assert monitor.passes(framed(message(2, value="", patient="8", order="")))
    assert monitor.passes(framed(message(3, value="1E9", patient="X" * 500)) + framed(message(4)))
    assert monitor.passes(framed(message(5))[:-1])
    assert [claim.principal for claim in monitor.talk.collect()] == []  # they wait for their answers
    assert monitor.again.progress.count == 7


@pytest.mark.parametrize(
    "text",
    [
        message(2, application="MON2"),
        message(2, application="MO"),
        message(2, code=SATURATION),
        message(2, security="letmein"),
        message(2, order=EUI64),
        message(2, order="00A0_B40_GE"),
        message(2, order="\\F\\"),
        message(2, order="\u00fc"),
        message(2, value="1\x0b"),
        message(2, value="1\n2"),
        message(2, value="1|"),
        message(2, value="1\rNTE|1"),
        message(2) + b"NTE|1\r",
        message(2)[:-1],
        message(2, patient="X" * 4_096),
        message(2).replace(b"|F\r", b"\r"),
        message(2).replace(b"|", b"!"),
        b"",
    ],
)
def test_all_else_is_read(text: bytes) -> None:
    monitor = learnt(message())
    assert not monitor.passes(framed(text))
    assert monitor.again.progress.count == 3
    assert monitor.passes(framed(message(9)))


def test_what_stands_beside_frames_and_half_of_one_is_read() -> None:
    monitor = learnt(message())
    whole = framed(message(2))
    for data in (whole[1:], b"\r" + whole, whole[:-2], whole[:40], b"\x0b", b"\x1c\r"):
        assert not monitor.passes(data)
    r = Reader()
    r.feed(whole + whole[:50], 1)
    assert not monitor.again.passes(r)
    assert r.seen(9_999) == whole[:50]


def test_a_message_with_equipment_in_its_order_passes_as_it_is() -> None:
    monitor = learnt(message(order=EUI64))
    assert monitor.passes(framed(message(2, order=EUI64)))
    assert not monitor.passes(framed(message(3, order=EUI64.replace("B3", "B4"))))
    assert not monitor.passes(framed(message(3)))


def test_a_message_with_a_secret_has_no_pattern() -> None:
    assert pattern_of(message(security="letmein")) == b""


def test_no_escape_no_pattern() -> None:
    """Without an escape character any field of an order is looked at."""
    assert pattern_of(message().replace(b"^~\\&", b"^~")) == b""


def test_a_few_patterns_are_kept() -> None:
    texts = [message(code=f"{number}^CODE") for number in range(PATTERNS_MAX + 1)]
    monitor = learnt(*texts)
    assert [monitor.passes(framed(text)) for text in texts] == [False, *[True] * PATTERNS_MAX]


def test_the_lane_is_woken_where_a_fresh_head_is_due() -> None:
    monitor = learnt(message())
    monitor.again.fresh_until = 100
    assert not monitor.passes(framed(message(2)))
    assert monitor.again.progress.count == 4


def test_it_sleeps_on_where_the_next_turn_has_a_fresh_head() -> None:
    """A turn begins after the other side has spoken."""
    monitor = learnt(message())
    monitor.again.fresh_until = 100
    monitor.talk.shared(Dialogue).spoke(Side.RESPONDER, monitor.talk)
    assert monitor.passes(framed(message(2)))
    assert monitor.again.fresh_until > FRESH_BYTES
    monitor.again.fresh_until = 100
    assert not monitor.passes(framed(message(3)))


def test_it_is_woken_where_all_is_told_again() -> None:
    monitor = learnt(message())
    sent = 3
    while monitor.passes(framed(message(sent))):
        sent += 1
    assert sent == RESTATED_EACH


def test_answers_pass_and_are_matched() -> None:
    said = [data for n in range(8) for data in (framed(message(n)), framed(acknowledgment(f"C{n}", "AE")))]
    assert outcomes(read(*said)) == ["rejected"] * 8


def test_the_pattern_tells_control_ids_as_the_lane_does() -> None:
    found = Lane().wholes.find(message())
    assert found is not None
    whole, pieces = found
    pattern = Pattern(whole.layout.pattern(pieces, whole.header.grammar), whole)
    assert pattern.fits(framed(message(77)), 0)
    assert pattern.take_control_id() == b"C77"
    assert pattern.take_control_id() == b""


def asleep_and_awake(monkeypatch: pytest.MonkeyPatch, *said: bytes) -> tuple[list[str], list[str]]:
    """What is told when messages pass, and when each is read."""
    asleep = told(*said)
    with monkeypatch.context() as patch:
        patch.setattr(lane._Lane, "_let_pass", lambda _: None)
        patch.setattr(opening._Openings, "fitting", lambda *_: None)
        return asleep, told(*said)


def told(*said: bytes) -> list[str]:
    return [repr(fact) for fact in read(*said)]


pieces = st.tuples(
    st.sampled_from([b"|", b"\r", b"\x1c", b"\x0b", b"\n", b"64", b"\\", b"^", b"A", b"MSA|AA|C1\r"]),
    st.integers(0, 260),
)


@given(st.lists(st.tuples(st.integers(0, 3), st.none() | pieces, st.booleans()), max_size=12))
def test_nothing_is_told_otherwise(feed: list[tuple[int, tuple[bytes, int] | None, bool]]) -> None:
    said: list[bytes] = []
    for number, (kind, put, answered) in enumerate([(0, None, True)] * 4 + feed):
        text = framed(message(number, order=["O1", EUI64, "O64", ""][kind], value=str(number)))
        if put is not None:
            text = text[: put[1]] + put[0] + text[put[1] :]
        said += [text, framed(acknowledgment(f"C{number}")) if answered else b"\x0b\x1c\r"]
    with pytest.MonkeyPatch.context() as monkeypatch:
        asleep, awake = asleep_and_awake(monkeypatch, *said)
    assert asleep == awake


def test_a_long_feed_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [data for n in range(700) for data in (framed(message(n)), framed(acknowledgment(f"C{n}")))]
    asleep, awake = asleep_and_awake(monkeypatch, *said)
    assert asleep == awake
    assert sum("'hl7-application'" in fact for fact in asleep) == 700
    assert sum("'hl7.sending_application'" in fact for fact in asleep) == 6
