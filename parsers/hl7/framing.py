"""Frames of the lower layer protocol, and how to tell that bytes begin one.

| bytes | meaning |
|---|---|
| 0B | start of a frame |
| content | segments, each ended by 0D; or one byte, 06 or 15: a commit acknowledgment of MLLP release 2 |
| 1C 0D | end of the frame |

What senders do besides: no 0B, no 0D after 1C, no frames at all, 0A or 0D 0A at the end of segments, frames without
content to keep the connection, a byte order mark or white space before the header.

A header segment is told from other text by its own rule: three letters, a separator that is no letter or digit, two to
five more such characters, the separator again.

Spec: HL7 v2 implementation guide C (MLLP); MLLP release 2; HL7 v2 ch. 2.5.4, 2.14.9.1-2.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from parsers._tables import rows
from parsers.core import Lead, Side, Verdict

START: Final = 0x0B
END: Final = 0x1C
COMMIT: Final = frozenset({b"\x06", b"\x15"})
HEADERS: Final = frozenset({b"MSH", b"FHS", b"BHS"})

BLANK: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_CONTROL_FRAMES: Final = (b"\x1c\r", b"\x06\x1c\r", b"\x15\x1c\r")
_WIDE: Final = (b"M\0S\0H\0", b"\0M\0S\0H", b"\xff\xfeM\0S\0H\0", b"\xfe\xff\0M\0S\0H")
_PUNCTUATION: Final = frozenset(b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_ENCODING_MAX: Final = 5
_TEXT_AHEAD: Final = 512
# No segment has control characters but tabs and the escapes of ISO 2022.
_CONTROLS: Final = bytes((*range(0x09), *range(0x0E, 0x1B), *range(0x1D, 0x20), 0x7F))
_HEADER: Final = re.compile(rb"(?:MSH|FHS|BHS)([!-/:-@\[-`{-~])((?:(?!\1)[!-/:-@\[-`{-~]){2,5})\1")

LEAD: Final[tuple[bytes | Lead, ...]] = (
    *(mark + name for mark in (b"\x0b", b"", _BOM, b"\x0b" + _BOM) for name in sorted(HEADERS)),
    *(b"\x0b" + frame for frame in _CONTROL_FRAMES),
    *(mark + wide for mark in (b"\x0b", b"") for wide in _WIDE),
    *(b"\x0b" + BLANK[at : at + 1] for at in range(len(BLANK))),
)


def probe(head: bytes, side: Side) -> Verdict:  # noqa: ARG001 - both sides may send messages
    """Whether `head` begins a frame, a header segment, or (in mid-stream) any segment that the standard names."""
    if head[0] != START:
        return max(_content(head), _segment(head))
    if _HEADER.match(head, 1):  # as nearly always
        return Verdict.LIKELY if is_text(head) else Verdict.NO
    rest = head[1:].lstrip(BLANK)
    if not rest:
        return Verdict.MORE
    content = _content(rest)
    return content if content is Verdict.LIKELY else max(content, *(_literal(rest, one) for one in _CONTROL_FRAMES))


def is_header(data: bytes, at: int = 0) -> bool:
    """Whether a header segment stands at this place: MSH, FHS or BHS with plausible delimiters."""
    return _HEADER.match(data, at) is not None


def is_text(data: bytes, at: int = 0) -> bool:
    """Whether no control characters follow the name of the header segment in the frame that begins there."""
    text = data[at + 5 : at + 1 + _TEXT_AHEAD]
    return len(text.translate(None, _CONTROLS)) == len(text)


def is_wide(head: bytes) -> bool:
    """Whether `head` begins a message of two bytes a character (UTF-16)."""
    return head.removeprefix(b"\x0b").startswith(_WIDE)


@cache
def segments() -> dict[bytes, str]:
    """The segments that the standard names."""
    return {name.encode(): name for name, _ in rows("hl7_segments.csv")}


def _content(head: bytes) -> Verdict:
    header = _header(head)
    if header is Verdict.LIKELY:
        return header
    marked = _header(head.removeprefix(_BOM)) if head.startswith(_BOM) else _literal(head, _BOM)
    return max(header, marked, *(_literal(head, wide) for wide in _WIDE))


def _literal(head: bytes, expected: bytes) -> Verdict:
    if head[: len(expected)] != expected[: len(head)]:
        return Verdict.NO
    return Verdict.LIKELY if len(head) >= len(expected) else Verdict.MORE


def _header(head: bytes) -> Verdict:
    """A header segment: its name, its delimiters, and no control characters after them."""
    if _HEADER.match(head):
        return Verdict.LIKELY if is_text(head, -1) else Verdict.NO
    if not any(name.startswith(head[:3]) for name in HEADERS):
        return Verdict.NO
    if len(head) < 4:
        return Verdict.MORE
    separator, encoding = head[3], head[4 : 4 + _ENCODING_MAX]
    is_beginning = separator in _PUNCTUATION and separator not in encoding and _PUNCTUATION.issuperset(encoding)
    return Verdict.MORE if is_beginning and len(head) <= 4 + _ENCODING_MAX else Verdict.NO


def _segment(head: bytes) -> Verdict:
    """A segment in the middle of a message, where a lane may be found again; with the usual separator only."""
    if len(head) < 4:
        return Verdict.MORE if any(name.startswith(head[:3]) for name in segments()) else Verdict.NO
    return Verdict.LIKELY if head[3] == 0x7C and head[:3] in segments() and head[:3] not in HEADERS else Verdict.NO
