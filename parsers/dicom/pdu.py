"""Protocol data units of the DICOM upper layer: their types, and how to tell that bytes begin one.

| offset | length | meaning |
|---|---|---|
| 0 | 1 | type, see `Pdu` |
| 1 | 1 | reserved |
| 2 | 4 | length of what follows, big-endian |

Spec: PS3.8 9.3.
"""

from __future__ import annotations

import re
import struct
from enum import IntEnum
from typing import Final

from parsers.core import Lead, Side, Verdict
from parsers.core.members import at_hand

HEADER: Final = struct.Struct(">BxI")
HEADER_BYTES: Final = HEADER.size
PDV_HEADER: Final = struct.Struct(">IBB")
PDV_HEADER_BYTES: Final = PDV_HEADER.size
ASSOCIATE_FIXED_BYTES: Final = 68
ASSOCIATE_MAX_BYTES: Final = 1 << 20
P_DATA_MAX_BYTES: Final = 1 << 27
BOUNDARY_BYTES: Final = 24

_APPLICATION_CONTEXT: Final = b"1.2.840.10008.3.1.1.1"
_CONTEXT_AT: Final = HEADER_BYTES + ASSOCIATE_FIXED_BYTES
_ASSOCIATE_HEAD_BYTES: Final = _CONTEXT_AT + 4 + len(_APPLICATION_CONTEXT)
_TITLE: Final = re.compile(rb"[ -\[\]-~]*\0*")
_CONTROL_HEAD: Final = b"\x00\x00\x00\x00\x04"
_CONTROL_BYTES: Final = 10


@at_hand
class Pdu(IntEnum):
    """Types of PDU."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    P_DATA = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


LEAD: Final[tuple[bytes | Lead, ...]] = (
    b"\x01\x00",
    b"\x02\x00",
    b"\x03" + _CONTROL_HEAD,
    b"\x04\x00",
    b"\x05" + _CONTROL_HEAD,
    b"\x06" + _CONTROL_HEAD,
    b"\x07" + _CONTROL_HEAD,
)


def probe(head: bytes, side: Side) -> Verdict:
    """Whether `head` begins a PDU that `side` may send. Also asked in mid-stream, where any type may come first."""
    kind = head[0]
    if head[1:2] not in {b"", b"\x00"}:
        return Verdict.NO
    if kind == Pdu.ASSOCIATE_RQ:
        return _associate(head, titled=True) if side is Side.INITIATOR else Verdict.NO
    if kind == Pdu.ASSOCIATE_AC:
        return _associate(head, titled=False) if side is Side.RESPONDER else Verdict.NO
    if kind == Pdu.ASSOCIATE_RJ and side is Side.INITIATOR:
        return Verdict.NO
    if kind == Pdu.P_DATA:
        return _p_data(head)
    return _control(head) if kind in {3, 5, 6, 7} else Verdict.NO


def begins_message(head: bytes) -> bool:
    """Whether `BOUNDARY_BYTES` (fewer at the end of a release or abort) begin a PDU that begins a message.

    Stricter than `probe`: after bytes were left out blindly, the middle of pixel data must not be taken for a PDU.
    """
    if head[0] == Pdu.P_DATA:
        return len(head) >= BOUNDARY_BYTES and _p_data(head) is Verdict.LIKELY and _begins_command(head)
    return head[0] >= Pdu.RELEASE_RQ and _control(head) is Verdict.LIKELY


def _begins_command(head: bytes) -> bool:
    """The first PDV is of a command, which begins with its group length."""
    return bool(head[11] & 1) and head[12:20] == b"\x00\x00\x00\x00\x04\x00\x00\x00"


def _associate(head: bytes, *, titled: bool) -> Verdict:
    """A-ASSOCIATE-RQ or -AC; in the latter the titles are not to be tested."""
    if len(head) >= HEADER_BYTES and not ASSOCIATE_FIXED_BYTES <= _length(head) <= ASSOCIATE_MAX_BYTES:
        return Verdict.NO
    if len(head) >= 8 and not head[7] & 1:
        return Verdict.NO
    if titled and (head[8:10] != bytes(len(head[8:10])) or not _printable(head[10:42])):
        return Verdict.NO
    context = head[_CONTEXT_AT:]
    if context[:2] != b"\x10\x00"[: len(context)]:
        return Verdict.NO
    name = context[4 : 4 + len(_APPLICATION_CONTEXT)]
    if not _APPLICATION_CONTEXT.startswith(name):
        return Verdict.NO
    return Verdict.LIKELY if len(head) >= _ASSOCIATE_HEAD_BYTES else Verdict.MORE


def _printable(titles: bytes) -> bool:
    """AE titles: printable ASCII without backslash (PS3.5 6.2). Some pad with NUL, which is let pass at their ends."""
    return _TITLE.fullmatch(titles[:16]) is not None and _TITLE.fullmatch(titles[16:]) is not None


def _p_data(head: bytes) -> Verdict:
    """P-DATA-TF whose first presentation data value has a plausible header."""
    if len(head) >= HEADER_BYTES and not PDV_HEADER_BYTES <= _length(head) <= P_DATA_MAX_BYTES:
        return Verdict.NO
    if len(head) >= 10 and not 2 <= int.from_bytes(head[6:10], "big") <= _length(head) - 4:
        return Verdict.NO
    if len(head) >= 11 and not head[10] & 1:
        return Verdict.NO
    if len(head) >= 12 and (head[11] > 3 or (head[11] & 1 and not _may_be_command(head[12:16]))):
        return Verdict.NO
    return Verdict.LIKELY if len(head) >= 16 else Verdict.MORE


def _may_be_command(element: bytes) -> bool:
    """A command begins with group 0000; a later fragment of one is not a boundary to look for."""
    return element[:2] == b"\0\0"[: len(element)] and element[3:4] in {b"", b"\0"}


def _control(head: bytes) -> Verdict:
    """A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP, A-ABORT: ten bytes each."""
    if head[1:HEADER_BYTES] != _CONTROL_HEAD[: len(head) - 1]:
        return Verdict.NO
    if any(value > limit for value, limit in zip(head[6:10], _CONTROL_LIMITS[head[0]], strict=False)):
        return Verdict.NO
    return Verdict.LIKELY if len(head) >= _CONTROL_BYTES else Verdict.MORE


# Of the four bytes: reserved, result, source, reason; release: all reserved; abort: reserved, reserved, source, reason.
_CONTROL_LIMITS: Final = {3: (0xFF, 2, 3, 10), 5: (0, 0, 0, 0), 6: (0, 0, 0, 0), 7: (0xFF, 0xFF, 2, 6)}


def _length(head: bytes) -> int:
    return int.from_bytes(head[2:6], "big")
