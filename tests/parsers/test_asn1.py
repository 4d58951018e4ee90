"""The DER reader: what it takes, what it bounds, what it refuses."""

from __future__ import annotations

import contextlib
import random
from datetime import UTC, datetime

import pytest

from parsers import _asn1
from parsers.core import LimitExceeded, Malformed, ProtocolError


def tlv(tag: int, content: bytes) -> bytes:
    if len(content) < 128:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes(2, "big")
    return bytes((tag, 0x82)) + length + content


@pytest.mark.parametrize(("data", "tag", "content", "end"), [
    (b"\x04\x02ab..", 0x04, b"ab", 4),
    (b"\x04\x00", 0x04, b"", 2),
    (b"\x04\x81\x02ab", 0x04, b"ab", 5),  # a length longer than needed: devices do it
    (b"\x04\x82\x01\x00" + bytes(256), 0x04, bytes(256), 260),
    (b"\xbf\x81\x01\x01x", 0xBF8101, b"x", 5),
])  # fmt: skip
def test_elements(data: bytes, tag: int, content: bytes, end: int) -> None:
    found, after = _asn1.element(data)
    assert (found.tag, found.content, after) == (tag, content, end)
    assert found.whole == data[:end]


@pytest.mark.parametrize("data", [
    b"", b"\x30", b"\x30\x80\x00\x00", b"\x30\x05ab", b"\x30\x85\x01\x01\x01\x01\x01", b"\x30\x82\x01", b"\x1f",
    b"\x1f\x81", b"\x1f\x81\x81\x81\x81\x01\x00",
])  # fmt: skip
def test_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        _asn1.element(data)


def test_children_fill_their_container() -> None:
    assert [child.content for child in _asn1.children(tlv(4, b"a") + tlv(4, b"b"))] == [b"a", b"b"]
    with pytest.raises(Malformed):
        _asn1.children(tlv(4, b"a") + b"\x04\x05b")


def test_children_are_counted() -> None:
    assert len(_asn1.children(b"\x05\x00" * _asn1.CHILDREN_MAX)) == _asn1.CHILDREN_MAX
    with pytest.raises(LimitExceeded):
        _asn1.children(b"\x05\x00" * (_asn1.CHILDREN_MAX + 1))


def test_pairs() -> None:
    first, second = _asn1.pair(_asn1.element(tlv(0x30, tlv(2, b"\x01") + tlv(2, b"\x02")))[0])
    assert (first.content, second.content) == (b"\x01", b"\x02")
    with pytest.raises(Malformed):
        _asn1.pair(_asn1.element(tlv(0x30, tlv(2, b"\x01")))[0])


@pytest.mark.parametrize(
    ("content", "value"), [(b"\x00", 0), (b"\x7f", 127), (b"\x00\xff", 255), (b"\xff", -1), (b"\x80\x00", -32768)]
)
def test_integers(content: bytes, value: int) -> None:
    assert _asn1.integer(content) == value


@pytest.mark.parametrize(("content", "dotted"), [
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "1.2.840.113549.1.1.11"), (b"\x55\x04\x03", "2.5.4.3"), (b"\x00", "0.0"),
    (b"\x27", "0.39"), (b"\x28", "1.0"), (b"\x88\x37\x03", "2.999.3"),
])  # fmt: skip
def test_object_identifiers(content: bytes, dotted: str) -> None:
    assert _asn1.oid(content) == dotted


@pytest.mark.parametrize("content", [b"", b"\x2a\x86", b"\x2a" + b"\x01" * 64])
def test_bad_object_identifiers(content: bytes) -> None:
    with pytest.raises(Malformed):
        _asn1.oid(content)


@pytest.mark.parametrize(("tag", "content", "read"), [
    (0x0C, "Klinik Süd".encode(), "Klinik Süd"), (0x13, b"plain", "plain"), (0x14, "Süd".encode("latin-1"), "Süd"),
    (0x1E, "Süd".encode("utf-16-be"), "Süd"), (0x1C, "Süd".encode("utf-32-be"), "Süd"),
    (0x0C, b"a\xff", "a\N{REPLACEMENT CHARACTER}"),
])  # fmt: skip
def test_strings(tag: int, content: bytes, read: str) -> None:
    assert _asn1.text(_asn1.element(tlv(tag, content))[0]) == read


NOON = int(datetime(2026, 1, 31, 12, 0, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(("tag", "content", "seconds", "strict"), [
    (0x17, b"260131120000Z", NOON, True),
    (0x18, b"20260131120000Z", NOON, True),
    (0x17, b"2601311200Z", NOON, False),
    (0x17, b"260131130000+0100", NOON, False),
    (0x17, b"260131090000-0300", NOON, False),
    (0x18, b"20260131120000.123Z", NOON, False),
    (0x18, b"20260131120000", NOON, False),
    (0x17, b"20260131120000Z", NOON, False),
    (0x17, b"500131120000Z", int(datetime(1950, 1, 31, 12, tzinfo=UTC).timestamp()), True),
    (0x18, b"99991231235959Z", 253402300799, True),
    (0x18, b"00010101000000Z", -62135596800, True),
    (0x18, b"20260230120000Z", None, False),
    (0x18, b"00000101000000Z", None, False),
    (0x17, b"never", None, False),
    (0x17, b"", None, False),
    (0x17, "²60131120000Z".encode("latin-1"), None, False),
])  # fmt: skip
def test_times(tag: int, content: bytes, seconds: int | None, strict: bool) -> None:
    assert _asn1.time(_asn1.element(tlv(tag, content))[0]) == (seconds, strict)


def test_noise_only_raises_what_it_says() -> None:
    rng = random.Random(690)
    for _ in range(5_000):
        data = rng.randbytes(rng.randrange(40))
        for read in (_asn1.element, _asn1.children, _asn1.oid, _asn1.bits, _asn1.integer):
            with contextlib.suppress(ProtocolError):
                read(data)  # type: ignore[operator]
