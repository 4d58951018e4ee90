# cython: language_level=3, annotation_typing=False, boundscheck=True, wraparound=False, auto_pickle=False
r"""Patterns: messages by their bytes, with blanks in place of what is not read.

A blank reaches to the next separator or end of a segment:

    MSH|^~\&|MON|WARD|EMR|HOSP|_||ORU^R01|#|P|2.6<CR>PID|_|_|_<CR>OBX|_|_|147842^MDC_ECG_HEART_RATE^MDC|_|_<CR>

A message that fits has the same pieces wherever something is read (`layout`), and no others between: so it tells the
same, but for its control id (`#`), and for names of applications, where these are blanks too. A blank does not hold
what no usual message holds; that of an order (OBR-3) nothing that may name equipment, that of a name nothing but plain
text. What stands in MSH-8 is no blank: a message has a pattern only if there is nothing.

Spec: HL7 v2 ch. 2.5.
"""

from __future__ import annotations

from typing import Final

from parsers.core.cursor import cut
from parsers.hl7.header import CONTROL_ID_MAX_BYTES, NAME_MAX_BYTES
from parsers.hl7.layout import BLANK, CONTROL_ID, ITS_NAME, MY_NAME, ORDER
from parsers.hl7.messages import SEGMENT_MAX_BYTES
from parsers.hl7.whole import Whole

_START: Final = 0x0B
_END: Final = 0x1C
_CR: Final = 0x0D
_LF: Final = 0x0A
_ASCII_MAX: Final = 0x7F
_BLANK: Final = BLANK[0]
_ORDER: Final = ORDER[0]
_CONTROL_ID: Final = CONTROL_ID[0]
_MY_NAME: Final = MY_NAME[0]
_ITS_NAME: Final = ITS_NAME[0]
_NAME_MAX: Final = NAME_MAX_BYTES
_CONTROL_ID_MAX: Final = CONTROL_ID_MAX_BYTES
_MAX_BYTES: Final = SEGMENT_MAX_BYTES


class Pattern:
    """What messages that fit have in common. It is not empty, and `Layout.pattern` has made it.

    Attributes:
        whole: what they tell.
        mine, its: the names of applications (MSH-3, MSH-5) in the message that fitted last, where they are blanks.
        end: where its end block is.
    """

    __slots__ = ("_control_id", "_escape", "_separator", "_text", "end", "its", "mine", "whole")

    def __init__(self, text: bytes, whole: Whole) -> None:
        self.whole = whole
        self._control_id = self.mine = self.its = b""
        self.end = 0
        self._text = text
        self._separator = text[3]
        self._escape = whole.header.grammar.escape[0]

    def take_control_id(self) -> bytes:
        """As `header.control_id_of`, of the message that fitted last or of what it answers; which is then forgotten."""
        control_id, self._control_id = cut(self._control_id.strip(), 0, _CONTROL_ID_MAX), b""
        return control_id

    def fits(self, data: bytes, at: int) -> bool:
        """Whether a whole frame begins at `at`, with a message of this pattern."""
        begin, size = at + 1, len(data)
        if at >= size or data[at] != _START:
            return False
        at = begin
        for octet in self._text:
            # All marks are small, and most of a text is not.
            if octet == _BLANK:
                at = self._end_of_blank(data, at)
                if at < 0:
                    return False
            elif octet <= _CONTROL_ID and octet in (_ORDER, _CONTROL_ID, _MY_NAME, _ITS_NAME):
                at = self._special(data, at, octet)
                if at < 0:
                    return False
            elif at >= size or data[at] != octet:
                return False
            else:
                at += 1
        self.end = at
        return at < size and data[at] == _END and at - begin < _MAX_BYTES

    def _special(self, data: bytes, at: int, kind: int) -> int:
        """Where a blank ends that is an order's, or is kept; -1: it holds what is looked at closer."""
        end = self._end_of_blank(data, at)
        if end < 0 or (kind == _ORDER and self._may_name(data, at, end)):
            return -1
        if kind == _ORDER:
            return end
        if kind == _CONTROL_ID:
            self._control_id = cut(data, at, end)
            return end
        if not _is_plain(data, at, end):
            return -1
        if kind == _MY_NAME:
            self.mine = cut(data, at, end)
        else:
            self.its = cut(data, at, end)
        return end

    def _end_of_blank(self, data: bytes, at: int) -> int:
        separator = self._separator
        for place in range(at, len(data)):
            octet = data[place]
            if octet > _END and octet != separator:  # as nearly always
                continue
            if octet in (separator, _CR):
                return place
            if octet in (_START, _END, _LF):
                return -1
        return -1

    def _may_name(self, data: bytes, at: int, end: int) -> bool:
        """Whether an order may name equipment, or cannot be told not to."""
        last = 0
        for place in range(at, end):
            octet = data[place]
            if octet == self._escape or octet > _ASCII_MAX or _begins_name(last, octet):
                return True
            last = octet
        return False


def _begins_name(last: int, octet: int) -> bool:
    """Whether two octets of a field may stand in EUI-64 or EUI64, or in B40_GE: see `equipment.may_name_eui64`."""
    return (last == 0x36 and octet == 0x34) or (last == 0x30 and octet == 0x5F)


def _is_plain(data: bytes, at: int, end: int) -> bool:
    """Whether a name is plain: see `header.plain_names_of`."""
    if not 0 < end - at <= _NAME_MAX or not _is_alphanumeric(data[at]) or not _is_alphanumeric(data[end - 1]):
        return False
    for place in range(at, end):
        octet = data[place]
        if not _is_alphanumeric(octet) and octet not in (0x20, 0x2D, 0x2E, 0x5F):  # space - . _
            return False
    return True


def _is_alphanumeric(octet: int) -> bool:
    return 0x30 <= octet <= 0x39 or 0x41 <= octet <= 0x5A or 0x61 <= octet <= 0x7A
