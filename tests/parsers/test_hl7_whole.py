"""Whole messages are known again by what is read of them, and by nothing else."""

from __future__ import annotations

import pytest

from parsers.core import Attribute, Conversation, Side
from parsers.hl7.equipment import named_by_order
from parsers.hl7.grammar import Delimiters, Grammar
from parsers.hl7.header import _parsed
from parsers.hl7.layout import Layout, Unusual, layout_of, shape_of
from parsers.hl7.messages import Messages
from parsers.hl7.progress import Progress
from parsers.hl7.whole import KNOWN_MAX_BYTES, PIECE_BYTES, Wholes, _told_by
from tests.parsers._hl7 import acknowledgment, claims, framed, header, read, values

GRAMMAR = Grammar(Delimiters("|", "^", "~", "\\", "&", ""), "")
HEART_RATE = "147842^MDC_ECG_HEART_RATE^MDC"
IMPLANT = "720897^MDC_IDC_DEV_TYPE^MDC"


def message(number: int = 1, *, application: str = "MON", value: str = "60", code: str = HEART_RATE) -> bytes:
    head = header(application, "WARD7", "EMR", "HOSP", "20261125101010", "letmein", "", f"C{number}", "P", "2.6")
    return head + f"PID|1||4711||DOE^JANE\rOBR|1||ORDER7\rOBX|1|NM|{code}|1|{value}|||||||||||||SERIAL7\r".encode()


def layout(text: bytes, *, describes: bool = True) -> Layout:
    first, *segments, _ = text.split(b"\r")
    return layout_of(shape_of(segments, b"|"), b"|", first.count(b"|"), describes=describes)


def picked(text: bytes, *, describes: bool = True) -> tuple[bytes, ...]:
    pieces = text.replace(b"\r", b"|\r").split(b"|")
    return layout(text, describes=describes).picked(pieces, GRAMMAR)


def lane() -> Wholes:
    talk = Conversation()
    return Wholes(Messages(Side.INITIATOR, talk, Progress()), Side.INITIATOR, talk)


def heard(wholes: Wholes, *texts: bytes) -> None:
    for text in texts:
        found = wholes.find(text)
        assert found is not None
        wholes.read(*found)


def test_no_value_no_order_no_secret_and_no_patient_is_picked() -> None:
    out = b"|".join(picked(message()))
    assert b"HEART_RATE" in out
    assert b"SERIAL7" in out
    for secret in (b"4711", b"JANE", b"|60|", b"ORDER7", b"letmein", b"2026", b"C1"):
        assert secret not in out


def test_what_describes_no_equipment_is_picked_by_name_only() -> None:
    assert picked(message(), describes=False)[-4:] == (b"\rPID", b"\rOBR", b"\rOBX", b"\r")


def test_a_body_holds_what_is_picked_and_nothing_else() -> None:
    text = message()
    at = layout(text)
    body = at.body(picked(text)[at.headed :])
    assert body == [b"PID|||||", b"OBR|||", b"OBX|||" + HEART_RATE.encode() + b"|" * 15 + b"SERIAL7"]


@pytest.mark.parametrize(
    "segments",
    [
        b"jane doe said\r",
        b"PIDX|1\r",
        b"PID;1|2\r",
        b"MSH|^~\\&|B\r",
        b"PID|1\rMSA|AA|C1\r",
        b"MSA|AA|C1\rMSA|AA|C2\r",
        b"MSA|AA\r",
        b"NTE|1\r" * 512,
    ],
)
def test_such_messages_have_no_layout(segments: bytes) -> None:
    with pytest.raises(Unusual):
        layout(header("MON") + segments)


@pytest.mark.parametrize("segments", [b"PID\r", b"\rPID|1\r\r", b"SFT|M\rUAC|x\rMSA|AA|C1\rERR|1\r", b""])
def test_such_messages_have_one(segments: bytes) -> None:
    assert layout(header("MON") + segments)


def test_of_an_order_only_the_equipment_is_read() -> None:
    assert named_by_order(b"ORDER64^A", GRAMMAR) == b""
    assert named_by_order(b"7^PCD^0009FBFFFF9B42B3^EUI-64", GRAMMAR) == b"^^0009fbffff9b42b3^EUI-64"


def test_a_message_like_an_earlier_one_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    wholes = lane()
    heard(wholes, message(1), message(2))
    monkeypatch.setattr(Messages, "parse", lambda *_: pytest.fail("parsed again"))
    heard(wholes, message(3, value="97"), message(4, value="42.5"))


def test_conversations_share_what_segments_and_headers_tell() -> None:
    """Only the names of applications are their own."""
    said = [(framed(message(n, application=f"MON{n}")), framed(acknowledgment(f"C{n}"))) for n in (1, 2, 3)]
    read(*said[0])
    parsed, told = _parsed.cache_info().misses, _told_by.cache_info().misses
    for number, texts in enumerate(said, 1):
        facts = read(*texts)
        assert values(facts, "sending_application") == [f"MON{number}", "EMR"]
        assert [claim.principal for claim in claims(facts)] == [f"MON{number}"]
    assert (_parsed.cache_info().misses, _told_by.cache_info().misses) == (parsed, told)


@pytest.mark.parametrize("application", ["MON-7", "A B", "M^1.2^ISO", "A\\T\\B", "", '""', "-", "M\xe4rz", "A" * 65])
def test_a_name_says_what_it_says_alone(application: str) -> None:
    """What is not plain is read with its header."""
    whole, slowly = (read(framed(message(application=application)), piece=piece) for piece in (0, 1))
    assert [repr(fact) for fact in whole] == [repr(fact) for fact in slowly]


def test_nothing_is_kept_of_what_belongs_to_one_person() -> None:
    wholes, before = lane(), _told_by.cache_info().currsize
    heard(wholes, message())
    before = _told_by.cache_info().currsize
    assert wholes.find(message(2, code=IMPLANT)) is None
    assert _told_by.cache_info().currsize == before
    assert not [key for key in wholes._memo._known if b"SERIAL7" in key and IMPLANT.encode() in key]


def test_what_is_known_is_bounded() -> None:
    wholes = lane()
    for number in range(600):
        heard(wholes, message(code=f"{number}^CODE^L"))
        size = sum(PIECE_BYTES * len(key) + sum(map(len, key)) for key in wholes._memo._known)
        assert size <= KNOWN_MAX_BYTES
    assert wholes._memo._known


@pytest.mark.parametrize(("named", "codec"), [("GB 18030-2000", "gb18030"), ("ISO IR87", "iso2022_jp_2")])
def test_a_header_in_a_wide_code_is_read_with_its_names(named: str, codec: str) -> None:
    fields = ["LAB", "W", "EMR", "H", "", "", "", "C1", "P", "2.6", *[""] * 5, named]
    text = header(*fields).replace(b"|W|", b"|" + "\u75c5".encode(codec) + b"|") + b"PID|1\r"
    for piece in (0, 1):
        facts = read(framed(text), piece=piece)
        assert values(facts, "sending_facility") == ["\u75c5"]
        assert values(facts, "receiving_application") == ["EMR"]


def test_all_is_told_again_when_it_is_due() -> None:
    talk = Conversation()
    messages = Messages(Side.INITIATOR, talk, Progress())
    wholes = Wholes(messages, Side.INITIATOR, talk)
    heard(wholes, message(1), message(2))
    talk.collect()
    messages.progress.count = 256
    heard(wholes, message(3))
    names = {fact.name for fact in talk.collect() if isinstance(fact, Attribute)}
    assert {"hl7.segment", "hl7.sending_application"} <= names


@pytest.mark.parametrize("before", ["", "SFT|Maker|1.0|Gate|7\r"])
def test_an_answer_is_told_where_it_stands(before: str) -> None:
    answer = acknowledgment("C1", "AE").replace(b"MSA|", before.encode() + b"MSA|") + b"ERR|||207\r"
    whole, slowly = (read(framed(message()), framed(answer), piece=piece) for piece in (0, 1))
    assert [repr(fact) for fact in whole if fact not in claims(whole, "hl7-security")] == [
        repr(fact) for fact in slowly if fact not in claims(slowly, "hl7-security")
    ]
