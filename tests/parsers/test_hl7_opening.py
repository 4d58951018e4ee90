"""The first message of a lane is known by what other lanes began with, whatever its applications are called."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getgeneratorlocals

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.core import Conversation, Fact, Reader, Side
from parsers.core.reader import WAIT
from parsers.hl7 import header, lane, opening
from parsers.hl7.lane import dissect
from parsers.hl7.opening import KNOWN_MAX_BYTES
from parsers.hl7.whole import PIECE_BYTES
from tests.parsers._hl7 import acknowledgment, claims, framed, read, values
from tests.parsers._hl7 import header as msh

HEART_RATE = "147842^MDC_ECG_HEART_RATE^MDC"
IMPLANT = "720897^MDC_IDC_DEV_TYPE^MDC"


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    opening._openings.cache_clear()
    yield
    opening._openings.cache_clear()


def message(
    number: int = 1,
    *,
    mine: str = "MON",
    its: str = "EMR",
    code: str = HEART_RATE,
    value: int = 60,
    security: str = "letmein",
) -> bytes:
    head = msh(mine, "WARD7", its, "HOSP", "20261125101010", security, "", f"C{number}", "P", "2.6")
    return head + f"PID|1||4711||DOE^JANE\rOBR|1||ORDER7\rOBX|1|NM|{code}|1|{value}|||||||||||||SERIAL7\r".encode()


def told(*said: bytes, piece: int = 0) -> list[str]:
    """Facts in order; secrets are told apart by what they are."""
    return [f"{fact!r} {_secret(fact)!r}" for fact in read(*said, piece=piece)]


def _secret(fact: Fact) -> bytes:
    secret = getattr(fact, "secret", None)
    return secret.reveal() if secret is not None else b""


def known() -> list[tuple[bytes, ...]]:
    return [picked for side in Side for picked in opening._openings(side)._memo._known]


def test_a_first_message_like_that_of_another_lane_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read(framed(message(1, mine="MON1")), framed(acknowledgment("C1")))
    monkeypatch.setattr(header, "parse", lambda *_: pytest.fail("read again"))
    facts = read(framed(message(2, mine="MON2", value=97)), framed(acknowledgment("C2")))
    assert values(facts, "sending_application") == ["MON2", "EMR"]
    assert [(claim.principal, claim.outcome) for claim in claims(facts)] == [("MON2", "accepted")]


@pytest.mark.parametrize("its", ["EMR", "EMR2", "", "E^1.2^ISO", '""', "-"])
@pytest.mark.parametrize("mine", ["MON", "MON-7", "M^1.2^ISO", "", '""', "M\xe4rz"])
@pytest.mark.parametrize("security", ["letmein", ""])
def test_names_are_told_as_they_are(mine: str, its: str, security: str) -> None:
    """With other names known before."""
    other = {"mine": "OTHER", "security": security}
    for one in [message(1, its="ANOTHER", **other), message(2, its="", **other)] * 2:
        read(framed(one), framed(acknowledgment("C1")))
    said = framed(message(mine=mine, its=its, security=security)), framed(acknowledgment("C1"))
    assert told(*said) == told(*said, piece=1)


def test_a_message_that_fits_a_pattern_is_not_cut_into_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2):
        read(framed(message(number, mine=f"MON{number}", security="")), framed(acknowledgment(f"C{number}")))
    monkeypatch.setattr(opening, "pieces_of", lambda _: pytest.fail("cut into pieces"))
    facts = read(framed(message(2, mine="MON2", its="LAB", security="", value=97)), framed(acknowledgment("C2")))
    assert values(facts, "receiving_application") == ["LAB", "REGADT"]
    assert [(claim.principal, claim.outcome) for claim in claims(facts)] == [("MON2", "accepted")]


def lanes_that_begin_so(count: int) -> None:
    for number in range(count):
        read(framed(message(number, mine=f"MON{number}", security="")), framed(acknowledgment(f"C{number}")))


def feed(*messages: bytes) -> list[bytes]:
    return [data for n, text in enumerate(messages) for data in (framed(text), framed(acknowledgment(f"C{n}")))]


def test_what_is_like_the_first_message_passes_before_more_than_a_reader_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lanes_that_begin_so(2)
    monkeypatch.setattr(lane._Lane, "__init__", lambda *_: pytest.fail("made"))
    facts = read(*feed(*[message(n, mine="MON7", security="", value=n) for n in range(40)]))
    assert values(facts, "sending_application") == ["MON7", "EMR"]
    assert [(claim.principal, claim.outcome) for claim in claims(facts)] == [("MON7", "accepted")] * 40


@pytest.mark.parametrize("other", [{"mine": "MON8"}, {"its": "LAB"}, {"code": "1^CODE^L"}, {"security": "letmein"}])
@pytest.mark.parametrize("count", [1, 3, 260])
def test_what_is_not_like_the_first_message_is_read(other: dict[str, str], count: int) -> None:
    kinds = [{"mine": "MON7", "security": ""}] * count + [{"mine": "MON7", "security": ""} | other] * 2
    said = feed(*[message(number, **kind) for number, kind in enumerate(kinds)])
    lanes_that_begin_so(2)
    known = told(*said)
    opening._openings.cache_clear()
    assert known == told(*said)


@given(st.binary(max_size=70) | st.from_regex(rb"[A-Z][A-Za-z0-9 _.-]{0,66}", fullmatch=True))
def test_a_pattern_takes_plain_names_only(name: bytes) -> None:
    opening._openings.cache_clear()
    for number in range(2):
        read(framed(message(number, security="")))
    data = framed(message(security="").replace(b"|MON|", b"|" + name + b"|", 1))
    fits = opening._openings(Side.INITIATOR).fitting(data) is not None
    assert fits is (header._PLAIN.fullmatch(name) is not None)


marks = [b"|", b"\r", b"\x1c", b"\x0b", b"\n", b"^", b"\\", b"\x01", b"\x02", b"NAME", b"64"]


@given(st.lists(st.tuples(st.sampled_from(marks), st.integers(0, 250), st.integers(0, 2)), max_size=3))
def test_whatever_is_like_an_earlier_one_tells_what_it_tells(bent: list[tuple[bytes, int, int]]) -> None:
    data = framed(message(security=""))
    for mark, at, over in bent:
        data = data[:at] + mark + data[at + over :]
    opening._openings.cache_clear()
    unknown = told(data, framed(acknowledgment("C1")))
    for _ in range(3):
        read(framed(message(security="", its="LAB")), framed(acknowledgment("C1")))
        assert told(data, framed(acknowledgment("C1"))) == unknown


def test_bytes_that_stand_for_names_make_no_pattern() -> None:
    for _ in range(3):
        read(framed(message(code="1^\x01^L", security="")))
    assert opening._openings(Side.INITIATOR).fitting(framed(message(code="1^\x01^L", security=""))) is None


@pytest.mark.parametrize("delimiters", ["|^~\\&", "#^~\\&", "|^~\\&#", "|@~\\&", "A^~\\&"])
def test_delimiters_are_those_of_the_message(delimiters: str) -> None:
    for those in ("|^~\\&", delimiters):
        fields = ["MON", "A#B|C", "EMR", "HOSP@A", "", "", "", "C1", "P", "2.6"]
        said = framed(msh(*fields, delimiters=those) + b"PID|1||4711\r")
        assert told(said) == told(said, piece=1)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_lane_goes_on_behind_its_first_message(count: int) -> None:
    read(framed(message(9, mine="OTHER")), framed(acknowledgment("C9")))
    said: list[bytes] = []
    for number in range(count):
        said += [framed(message(number, code=f"{number // 2}^CODE^L")), framed(acknowledgment(f"C{number}"))]
    assert told(*said) == told(*said, piece=1)


@pytest.mark.parametrize(
    "data",
    [
        framed(message(1)) + framed(message(2)),
        framed(message(1)) + b"\x0b",
        framed(message(1)) + b"junk",
        framed(message(1)).removesuffix(b"\r"),
        framed(message(1)).replace(b"MSH", b"MSG"),
        framed(message(1)).replace(b"\rPID", b"\rbroken line\rPID"),
        framed(message(1)).replace(b"|P|2.6", b""),
        framed(message(1, code=IMPLANT)),
        b"\x0bMSH|^~\\&|A\r\x1c\r",
        b"\x0bMSH|^~\\&|A||B\rPID|1|2|3|4|5|6|7|8|9\r\x1c\r",
    ],
)
def test_what_is_not_usual_is_read_otherwise(data: bytes) -> None:
    said = data, framed(acknowledgment("C1"))
    assert sorted(told(*said)) == sorted(told(*said, piece=1))


def test_nothing_is_kept_of_values_patients_and_what_belongs_to_one_person() -> None:
    for code in (HEART_RATE, IMPLANT):
        read(framed(message(code=code)), framed(acknowledgment("C1")))
    kept = repr(known())
    assert HEART_RATE in kept
    assert not [word for word in ("4711", "DOE", "ORDER7", "letmein", "C1", "MON", IMPLANT) if word in kept]


def test_what_is_known_is_bounded() -> None:
    for number in range(4_500):
        read(framed(message(code=f"{number}^CODE^L")))
        kept = opening._openings(Side.INITIATOR)._memo._known
        size = sum(PIECE_BYTES * len(picked) + sum(map(len, picked)) for picked in kept)
        assert size <= KNOWN_MAX_BYTES
    assert known()


def test_a_lane_that_waits_holds_nothing_of_its_message() -> None:
    reader, talk = Reader(), Conversation()
    steps = dissect(reader, Side.INITIATOR, talk)
    reader.feed(framed(message()), 1)
    for step in steps:
        if step is WAIT:
            break
    held = repr(getgeneratorlocals(steps))
    assert not reader.held
    assert "told" in held
    assert not [word for word in ("4711", "DOE", "ORDER7", "letmein") if word in held]
