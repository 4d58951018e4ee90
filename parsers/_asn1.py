# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""A small bounded reader of DER and of what comes near it: tags, lengths, and the few types that identities need.

Lenient where devices are sloppy (lengths that are not minimal), strict about bounds: nothing is read past its
container, and no container gives more than `CHILDREN_MAX` elements. Indefinite lengths are refused. Nothing recurses.

Spec: X.690 8
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from parsers.core import LimitExceeded, Malformed
from parsers.core.cursor import cut

CHILDREN_MAX: Final = 1_024
OID_MAX_BYTES: Final = 64

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
UTF8_STRING: Final = 0x0C
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

_CODECS: Final = {UTF8_STRING: "utf-8", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}  # BMPString, UniversalString
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Element(msgspec.Struct, frozen=True, gc=False):
    """One element.

    Attributes:
        tag: its identifier octet: class, constructed bit, number (numbers of 31 and more: octets joined).
        content: what it holds.
        whole: with tag and length.
    """

    tag: int
    content: bytes
    whole: bytes


def element(data: bytes, at: int = 0) -> tuple[Element, int]:
    """The element that begins at `at`, and where the next one would begin.

    Raises:
        Malformed: it does not fit into `data`.
    """
    begin = at
    if len(data) - at >= 2 and data[at] & 0x1F != 0x1F and data[at + 1] < 0x80:  # nearly all of them
        tag, length = data[at], data[at + 1]
        at += 2
    else:
        tag, at = _tag(data, at)
        length, at = _length(data, at)
    end = at + length
    if end > len(data):
        raise Malformed("an element is longer than its container", begin)
    return Element(tag, cut(data, at, end), cut(data, begin, end)), end


def _tag(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise Malformed("an element is missing", at)
    tag = data[at]
    at += 1
    if tag & 0x1F == 0x1F:
        for _ in range(4):
            if at >= len(data):
                raise Malformed("a tag is cut short", at)
            octet = data[at]
            tag, at = tag << 8 | octet, at + 1
            if octet < 0x80:
                return tag, at
        raise Malformed("a tag number is too large", at)
    return tag, at


def _length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise Malformed("a length is missing", at)
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    n = first & 0x7F
    if not 1 <= n <= 4 or at + n > len(data):
        raise Malformed("a length is indefinite, too large or cut short", at)
    return int.from_bytes(data[at : at + n], "big"), at + n


def children(content: bytes) -> list[Element]:
    """All elements of a container.

    Raises:
        Malformed: they do not fill it exactly.
        LimitExceeded: there are more than `CHILDREN_MAX`.
    """
    found: list[Element] = []
    at, end = 0, len(content)
    while at < end:
        child, at = element(content, at)
        found.append(child)
        if len(found) > CHILDREN_MAX:
            raise LimitExceeded(f"more than {CHILDREN_MAX} elements", at)
    return found


def some(content: bytes, at_least: int = 1) -> list[Element]:
    """All elements of a container that has to have some.

    Raises:
        Malformed: there are fewer.
    """
    found = children(content)
    if len(found) < at_least:
        raise Malformed(f"{len(found)} elements instead of {at_least} or more")
    return found


def pair(container: Element) -> tuple[Element, Element]:
    """The two elements of a container that has exactly two.

    Raises:
        Malformed: it has fewer or more.
    """
    found = children(container.content)
    if len(found) != 2:
        raise Malformed(f"{len(found)} elements instead of two")
    return found[0], found[1]


def integer(content: bytes) -> int:
    """An INTEGER or ENUMERATED, of either sign."""
    if not content:
        raise Malformed("an integer without content")
    return int.from_bytes(content, "big", signed=True)


@lru_cache(1024)
def oid(content: bytes) -> str:
    """An OBJECT IDENTIFIER, dotted."""
    if not content or content[-1] & 0x80 or len(content) > OID_MAX_BYTES:
        raise Malformed("an object identifier is empty, cut short or too long")
    arcs: list[int] = []
    value = 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(value)
            value = 0
    top = min(arcs[0] // 40, 2)
    return ".".join(map(str, (top, arcs[0] - 40 * top, *arcs[1:])))


def bits(content: bytes) -> bytes:
    """The octets of a BIT STRING, without the count of unused bits."""
    if not content or content[0] > 7:
        raise Malformed("a bit string without its count of unused bits")
    return content[1:]


def text(read: Element) -> str:
    """A character string of any type; bytes that do not fit are replaced. T.61 and unknown types count as Latin-1."""
    codec = _CODECS.get(read.tag, "latin-1")
    return read.content.decode(codec, "replace")


def time(read: Element) -> tuple[int | None, bool]:
    """Seconds since 1970 in UTC of a UTCTime or GeneralizedTime, None if it is none; and whether DER allows its form.

    Devices leave out seconds, add fractions or offsets, or write years of four digits into a UTCTime.
    """
    digits = read.content.decode("latin-1").strip()
    stem = digits.rstrip("Zz").partition(".")[0]
    stem, offset = _offset(stem)
    years = 4 if read.tag == GENERALIZED_TIME or len(stem) >= 14 else 2
    if not stem.isascii() or not stem.isdigit() or len(stem) not in {years + 8, years + 10}:
        return None, False
    strict = len(digits) == (15 if read.tag == GENERALIZED_TIME else 13) and digits.endswith("Z")
    year = int(stem[:years])
    if years == 2:
        year += 2000 if year < 50 else 1900  # RFC 5280 4.1.2.5.1
    fields = [int(stem[i : i + 2]) for i in range(years, len(stem), 2)]
    try:
        moment = datetime(year, *fields, tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None, False
    return (moment - _EPOCH) // timedelta(seconds=1) - offset, strict


def _offset(stem: str) -> tuple[str, int]:
    """A time without its offset from UTC, and that offset in seconds."""
    for sign, factor in (("+", 60), ("-", -60)):
        left, found, right = stem.partition(sign)
        if found and len(right) == 4 and right.isascii() and right.isdigit():
            return left, factor * (60 * int(right[:2]) + int(right[2:]))
    return stem, 0
