# cython: language_level=3, annotation_typing=False, auto_pickle=False
r"""Messages of a feed that say what an earlier one said, told by a pattern of its bytes.

A pattern is a message with blanks in place of what is not read, each up to the next separator or end of a segment:

    MSH|^~\&|MON|WARD|EMR|HOSP|_||ORU^R01|#|P|2.6<CR>PID|_|_|_<CR>OBX|_|_|147842^MDC_ECG_HEART_RATE^MDC|_|_<CR>

A message that fits has the same pieces wherever something is read (`layout`), and no others between: so it tells the
same, and all that is new is its control id (`#`): a question, or an answer. A blank is no shorter and no longer than
its piece. It does not hold what no usual message holds; that of an order (OBR-3) nothing that may name equipment. What
stands in MSH-8 is no blank: a message has a pattern only if there is nothing.

Whatever does not fit, or comes when something has to be told again, is left to the lane.

Spec: HL7 v2 ch. 2.5.
"""

from __future__ import annotations

from typing import Final

from parsers.core import Conversation, Side
from parsers.core.reader import MESSAGE_MAX_BYTES, Passer, Reader
from parsers.hl7.acknowledgment import Dialogue
from parsers.hl7.header import control_id_of
from parsers.hl7.layout import BLANK, CONTROL_ID, ORDER
from parsers.hl7.messages import RESTATED_EACH, SEGMENT_MAX_BYTES, Messages
from parsers.hl7.whole import Whole

PATTERNS_MAX: Final = 4

_START: Final = 0x0B
_END: Final = 0x1C
_CR: Final = 0x0D
_LF: Final = 0x0A
_BLANK: Final = BLANK[0]
_ORDER: Final = ORDER[0]
_CONTROL_ID: Final = CONTROL_ID[0]
_NAME_MAX: Final = 0x7F
_MAX_BYTES: Final = SEGMENT_MAX_BYTES


class Pattern:
    """What messages that fit have in common, and what they tell.

    Attributes:
        whole: what they tell.
        ids: the control id of the message that fitted last, as it was written.
        end: where that message's end block is.
    """

    __slots__ = ("_escape", "_separator", "_text", "end", "ids", "whole")

    def __init__(self, text: bytes, whole: Whole) -> None:
        self.whole = whole
        self.ids = b""
        self.end = 0
        self._text = text
        self._separator = text[3]
        self._escape = whole.header.grammar.escape[0]

    def fits(self, data: bytes, at: int) -> bool:
        """Whether a whole frame begins at `at`, with a message of this pattern."""
        begin, size = at + 1, len(data)
        if at >= size or data[at] != _START:
            return False
        at = begin
        for octet in self._text:
            if octet in (_BLANK, _ORDER, _CONTROL_ID):
                first = at
                at = self._blank(data, at, octet == _ORDER)
                if at < 0:
                    return False
                if octet == _CONTROL_ID:
                    self.ids = data[first:at]
            elif at >= size or data[at] != octet:
                return False
            else:
                at += 1
        self.end = at
        return at < size and data[at] == _END and at - begin < _MAX_BYTES

    def _blank(self, data: bytes, at: int, is_order: bool) -> int:  # noqa: FBT001 - C has no keywords
        """Where a blank ends; -1: it holds what is looked at closer."""
        last = 0
        for place in range(at, len(data)):
            octet = data[place]
            if octet == self._separator or octet == _CR:  # noqa: PLR1714 - numbers in C
                return place
            if octet in (_START, _END, _LF):
                return -1
            if is_order and (octet == self._escape or octet > _NAME_MAX or _begins_name(last, octet)):
                return -1
            last = octet
        return -1


class Again(Passer):
    """Takes messages of one lane that fit what was told lately.

    Attributes:
        fresh_until: where the lane has to see whether its turn has a fresh head.
    """

    __slots__ = ("_dialogue", "_messages", "_patterns", "_side", "_talk", "fresh_until")

    def __init__(self, messages: Messages, side: Side, talk: Conversation) -> None:
        self._messages = messages
        self._side = side
        self._talk = talk
        self._patterns: list[Pattern] = []
        self._dialogue: Dialogue | None = None
        self.fresh_until = 0

    def learn(self, whole: Whole, pieces: list[bytes]) -> None:
        """What was told before was told again, by a message of these pieces."""
        if any(pattern.whole is whole for pattern in self._patterns):
            return
        text = whole.layout.pattern(pieces, whole.header.grammar)
        if text:
            self._dialogue = self._talk.shared(Dialogue)
            self._patterns = [Pattern(text, whole), *self._patterns[: PATTERNS_MAX - 1]]

    def passes(self, r: Reader) -> bool:
        """Take messages that say nothing new; whether the lane waits for more."""
        data, at = r.seen(MESSAGE_MAX_BYTES), 0
        while at < len(data):
            end = self._hear(data, at)
            if not end:
                break
            at = end
        r.pass_over(at)
        return r.held == 0 and r.offset <= self.fresh_until

    def _hear(self, data: bytes, at: int) -> int:
        """Hear one frame out; returns where it ends, or 0."""
        for pattern in self._patterns:
            if pattern.fits(data, at):
                if not self._is_told(pattern.whole):
                    return 0
                self._settle(pattern.whole, pattern.ids)
                at = pattern.end + 1
                return at + 1 if at < len(data) and data[at] == _CR else at
        return 0

    def _is_told(self, whole: Whole) -> bool:
        """Whether all that it tells was told, and need not be told again yet."""
        messages = self._messages
        count = messages.count
        if whole.told_in != messages.telling or count % RESTATED_EACH == 0:
            return False
        return whole.header.told_in == count // RESTATED_EACH

    def _settle(self, whole: Whole, ids: bytes) -> None:
        """One more message: it asks, or answers."""
        dialogue = self._dialogue
        assert dialogue is not None
        self._messages.count += 1
        dialogue.spoke(self._side, self._talk)
        if whole.asks:
            dialogue.asked(self._side, control_id_of(ids), whole.header, b"", self._talk)
        elif whole.code:
            dialogue.answered(self._side, whole.code, control_id_of(ids), self._talk)


def _begins_name(last: int, octet: int) -> bool:
    """Whether two octets of a field may stand in EUI-64 or EUI64, or in B40_GE: see `equipment.may_name_eui64`."""
    return (last == 0x36 and octet == 0x34) or (last == 0x30 and octet == 0x5F)
