"""Frames, the lack of them, and what is told to be HL7."""

from __future__ import annotations

import pytest

from parsers.core import Side, Verdict
from parsers.hl7 import PROTOCOL
from parsers.hl7.framing import probe
from tests.parsers._hl7 import ADT, REGISTRY, acknowledgment, anomalies, channels, claims, framed, header, read, values

BATCH = (
    b"FHS|^~\\&|FILER|SITE|EMR|HOSP|20261125||file\r"
    b"BHS|^~\\&|BATCHER|SITE|EMR|HOSP|20261125\r" + ADT + ADT.replace(b"000001", b"000002") + b"BTS|2\rFTS|1\r"
)

BEGINNINGS = [
    framed(ADT),
    ADT,
    BATCH,
    framed(BATCH),
    b"\x0b\xef\xbb\xbf" + ADT,
    b"\xef\xbb\xbf" + ADT,
    b"\x0b\x1c\r" + framed(ADT),
    b"\x0b\x06\x1c\r",
    b"\x0b\x15\x1c\r",
    b"\x0b\r " + ADT,
    b"\x0b\n\n\t" + ADT,
    b"MSH|^~\\&#|A||||||ADT^A01|1|P|2.7\r",
    b"MSH$%~\\&$A$$$$$$ADT%A01$1$P$2.3\r",
    b"MSH|^~\\\\&|A||||||ADT^A01|1|P|2.3\r",
    ADT.decode().encode("utf-16-le"),
    b"\x0b" + ADT.decode().encode("utf-16-be"),
    b"PID|1||4711||DOE^JANE\r",
]
REFUSED = [
    b"GET / HTTP/1.1\r\n",
    b"MSHA^~\\&|",
    b"MSH|ABCD|",
    b"MSH||||",
    b"MSH|^|A|",
    b"MSH|^~\\&#*%|A|",
    b"MSH|^~\\&|A\x00B",
    b"\x0b<?xml",
    b"\x0bHELLO",
    b"\x0b\x1c\n",
    b"MSG|^~\\&|",
    b"PIDX",
    b"PID^1",
    b"ZZZ|1|",
    b"\x00\x00\x00\x2f\xffSMB",
]


@pytest.mark.parametrize("head", BEGINNINGS, ids=lambda head: head[:10].hex())
@pytest.mark.parametrize("side", Side)
def test_taken_and_no_prefix_refused(head: bytes, side: Side) -> None:
    assert probe(head, side) is Verdict.LIKELY
    assert [n for n in range(1, len(head)) if probe(head[:n], side) is Verdict.NO] == []


@pytest.mark.parametrize("head", REFUSED, ids=repr)
def test_refused(head: bytes) -> None:
    assert probe(head, Side.INITIATOR) is Verdict.NO


@pytest.mark.parametrize("head", BEGINNINGS[:-1], ids=lambda head: head[:10].hex())
def test_the_index_finds_it(head: bytes) -> None:
    for n in (1, 4, len(head)):
        assert REGISTRY.candidates("tcp", head[:n]) == [PROTOCOL]


@pytest.mark.parametrize("data", [framed(ADT), ADT, framed(ADT)[1:], framed(ADT)[:-1], framed(ADT[:-1])])
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("piece", [0, 1, 7])
def test_however_it_is_framed(data: bytes, end: bytes, piece: int) -> None:
    """Missing 0B, missing 0D after 1C, missing 0D after the last segment, no frames; other ends of lines."""
    changed = data.replace(b"\r", end) if not data.endswith(b"\x1c\r") else data[:-1].replace(b"\r", end) + b"\r"
    facts = read(changed * 3, piece=piece)
    assert values(facts, "sending_application") == ["REGADT"]
    assert values(facts, "segment") == ["EVN", "PID"]
    assert len(claims(facts)) == 3


@pytest.mark.parametrize("piece", [0, 1, 5, 100])
def test_keep_alives_and_noise_between_frames(piece: int) -> None:
    data = b"\x0b\x1c\r" + framed(ADT) + b"\x0b\x1c\r\x0b\x1c\r\r\n  ??" + framed(ADT.replace(b"REGADT", b"OTHER"))
    facts = read(data, piece=piece)
    assert values(facts, "sending_application") == ["REGADT", "OTHER"]
    assert values(facts, "framing") == ["mllp"]
    assert anomalies(facts) == []


@pytest.mark.parametrize("piece", [0, 1, 7])
def test_white_space_before_the_header(piece: int) -> None:
    facts = read(b"\x0b\r\n \t" + ADT + b"\x1c\r", piece=piece)
    assert values(facts, "sending_application") == ["REGADT"]
    assert values(facts, "framing") == ["mllp"]


def test_framing_of_the_channel() -> None:
    assert [channel.details for channel in channels(read(framed(ADT), framed(acknowledgment("000001"))))] == [
        {"framing": "mllp"}
    ]
    assert [channel.details for channel in channels(read(ADT, acknowledgment("000001")))] == [{"framing": "none"}]
    assert [channel.details for channel in channels(read(b"", framed(ADT)))] == [{}]
    assert channels(read(b"\x0b\x1c\r")) == []


def test_no_frames_is_only_said_where_all_was_read() -> None:
    assert values(read(ADT), "framing") == ["none"]
    assert values(read(ADT, midstream=True), "framing") == []
    assert values(read(ADT + b"\x1c\r"), "framing") == ["mllp"]


@pytest.mark.parametrize("data", [BATCH, framed(BATCH)])
@pytest.mark.parametrize("piece", [0, 1])
def test_batch(data: bytes, piece: int) -> None:
    facts = read(data, piece=piece)
    assert values(facts, "sending_application") == ["FILER", "BATCHER", "REGADT"]
    assert "batch" in values(facts, "framing")
    assert len(claims(facts)) == 2


def test_commit_acknowledgments() -> None:
    """MLLP release 2. They are about storing, and no answer to who asks."""
    facts = read(framed(ADT), b"\x0b\x06\x1c\r", framed(ADT), b"\x0b\x15\x1c\r" + framed(acknowledgment("000001")))
    assert values(facts, "framing") == ["mllp", "mllp-2", "mllp"]
    assert anomalies(facts) == []


def test_two_byte_characters_are_said_to_be_unsupported() -> None:
    for data in (b"\x0b" + ADT.decode().encode("utf-16-le"), ADT.decode().encode("utf-16")):
        facts = read(data)
        assert anomalies(facts) == ["unsupported"]
        assert len(facts) == 1


def test_a_frame_without_a_message_ends_nothing() -> None:
    for junk in (b"<html>", b"<p>\r" * 5_000, b"x" * 20_000, b"<p>\r" + ADT):
        for piece in (0, 1_000):
            facts = read(framed(ADT) + framed(junk) + framed(ADT.replace(b"REGADT", b"OTHER")), piece=piece)
            assert values(facts, "sending_application") == ["REGADT", "OTHER"]
            assert len(claims(facts)) == 2
            assert set(anomalies(facts)) <= {"no_message"}


def test_what_begins_like_a_message_and_is_none() -> None:
    assert read(b"MSH|^~\\&|||||||||\r") == []
    assert read(framed(b"MSH|^~\\&|A")) == []
    assert anomalies(read(framed(ADT) + framed(b"MSH|^~\\&|||||||||\r"))) == ["malformed"]


def test_a_lane_is_found_again_wherever_it_is_torn() -> None:
    from parsers.core import Session

    whole = framed(ADT) + framed(ADT.replace(b"REGADT", b"OTHER"))
    for at in range(1, len(framed(ADT)) + 1):
        session = Session(REGISTRY, "tcp")
        facts = session.feed(0, framed(ADT), 1) + session.gap(0) + session.feed(0, whole[at:], 1) + session.end()
        assert "OTHER" in values(facts, "sending_application"), at
        assert set(values(facts, "sending_application")) == {"REGADT", "OTHER"}


def test_limits() -> None:
    """Too many segments, segments that are too long, a header that is too long: the feed goes on."""
    segments = ADT + b"NTE|1||x\r" * 600
    long = ADT + b"OBX|1|ED|||" + b"A" * 70_000 + b"\r"
    head = header("A" * 5_000)
    for bad in (segments, long, head):
        for piece in (0, 1_000):
            facts = read(framed(ADT) + framed(bad) + framed(ADT.replace(b"REGADT", b"OTHER")), piece=piece)
            assert "OTHER" in values(facts, "sending_application")
            assert set(anomalies(facts)) <= {"limit_exceeded"}
