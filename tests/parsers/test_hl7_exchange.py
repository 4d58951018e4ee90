"""A connection for one message is told without lanes, and tells the same as lanes would."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.core import Confidence, Registry, Session
from parsers.core.lane import LANE_BYTES
from parsers.hl7 import PROTOCOL, opening
from tests.parsers._hl7 import REGISTRY, acknowledgment, claims, framed, header, outcomes, values

BY_LANES = Registry([msgspec.structs.replace(PROTOCOL, exchange=None)])
GAP = b""

Said = tuple[int, bytes]


def report(control_id: str, name: str = "MON1", security: str = "") -> bytes:
    head = header(name, "WARD7", "EMR", "HOSP", "20261125101010", security, "ORU^R01", control_id, "P", "2.6")
    return framed(head + b"PID|1||4711||DOE^JANE\rOBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1|60\r")


def answer(control_id: str, code: str = "AA") -> bytes:
    return framed(acknowledgment(control_id, code))


def course(registry: Registry, said: list[Said], *, midstream: bool = False) -> Iterator[object]:
    """What a session states and wants after each run of bytes, and what it states at the end."""
    session = Session(registry, "tcp", (2575, 50_000), midstream=midstream)
    for turn, (lane, data) in enumerate(said, 1):
        _hear_another(registry)
        yield repr(session.gap(lane) if data == GAP else session.feed(lane, data, turn))  # secrets are never equal
        yield session.protocol and session.protocol.name, session.confidence, session.done, session.held_bytes
        yield [(session.closed(each), repr(session.demand(each)), session.can_hand_over(each)) for each in (0, 1)]
    yield repr(session.end())


def _hear_another(registry: Registry) -> None:
    """A conversation of other applications, at the same time."""
    session = Session(registry, "tcp", (2575, 50_000))
    session.feed(0, report("C1", "PUMP 2"), 1)
    session.feed(1, answer("C1").replace(b"REGADT", b"PUMP 2"), 1)


@pytest.fixture(autouse=True, scope="module")
def _patterns_are_known() -> Iterator[None]:
    opening._openings.cache_clear()
    for number in range(3):
        list(course(BY_LANES, [(0, report(f"{number}", f"MON{number}")), (1, answer(f"{number}"))]))
    yield
    opening._openings.cache_clear()


def test_a_question_and_its_answer_take_no_lanes() -> None:
    session = Session(REGISTRY, "tcp", (2575, 50_000))
    facts = session.feed(0, report("C7", "PUMP7"), 1) + session.feed(1, answer("C7"), 1)
    assert values(facts, "sending_application") == ["PUMP7", "EMR"]
    assert outcomes(facts) == ["accepted"]
    assert session.confidence is Confidence.CONFIRMED
    assert session.weight < LANE_BYTES


def test_what_follows_is_read_by_lanes() -> None:
    session = Session(REGISTRY, "tcp", (2575, 50_000))
    session.feed(0, report("C7", "PUMP7"), 1)
    session.feed(1, answer("C7"), 1)
    assert outcomes(session.feed(0, report("C8", "PUMP8"), 2) + session.feed(1, answer("C8", "AR"), 2)) == ["rejected"]
    assert session.weight > 2 * LANE_BYTES


def test_what_others_say_meanwhile_is_not_taken_for_said_here() -> None:
    session, other = (Session(REGISTRY, "tcp", (2575, 50_000)) for _ in range(2))
    session.feed(0, report("C7", "PUMP7"), 1)
    other.feed(0, report("C1", "PUMP8"), 1)
    session.feed(1, answer("C7"), 1)
    facts = session.feed(0, report("C8", "PUMP8"), 2) + session.feed(1, answer("C8"), 2)
    assert values(facts, "sending_application") == ["PUMP8"]
    assert [claim.principal for claim in claims(facts)] == ["PUMP8"]


def test_a_question_without_answer_is_told_at_the_end() -> None:
    session = Session(REGISTRY, "tcp", (2575, 50_000))
    assert outcomes(session.feed(0, report("C7"), 1)) == []
    assert outcomes(session.end()) == ["unknown"]
    assert session.feed(0, report("C8"), 2) == []


RUNS = st.sampled_from(
    [
        (0, report("C1")),
        (0, report("C2", "PUMP 2")),
        (0, report("C1", security="letmein")),
        (0, report("")),
        (0, report("C1") + report("C2")),
        (0, report("C1")[:40]),
        (0, report("C1").replace(b"4711", b"47\x0111")),
        (0, report("C1") + b"P" * 9_000),
        (0, answer("C1")),
        (0, b"GET / HTTP/1.1\r\n"),
        (1, answer("C1")),
        (1, answer("C2", "AE")),
        (1, answer("C1", "XX")),
        (1, answer("C1").replace(b"MCM", b"M\x01M")),
        (1, report("C1")),
        (1, b"nothing of the kind"),
        (0, GAP),
        (1, GAP),
    ]
)


@given(st.lists(RUNS, max_size=5), st.booleans())
def test_lanes_say_and_want_the_same(said: list[Said], midstream: bool) -> None:
    for begun in (said, [(0, report("C1")), *said], [(0, report("C1")), (1, answer("C1")), *said]):
        briefly = list(course(REGISTRY, begun, midstream=midstream))
        assert briefly == list(course(BY_LANES, begun, midstream=midstream))
