# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""Messages of a feed that say what an earlier one said: known by its pattern, they pass while the lane sleeps.

All that is new in them is a control id: that of a question, or of an answer. Whatever fits no pattern, or comes when
something has to be told again, is left to the lane.

Spec: HL7 v2 ch. 2.5.
"""

from __future__ import annotations

from typing import Final

from parsers.core import Conversation, Side
from parsers.core.reader import MESSAGE_MAX_BYTES, Passer, Reader
from parsers.hl7.acknowledgment import Dialogue
from parsers.hl7.header import control_id_of
from parsers.hl7.messages import RESTATED_EACH, Messages
from parsers.hl7.pattern import Pattern
from parsers.hl7.whole import Whole

PATTERNS_MAX: Final = 4

_CR: Final = 0x0D


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
                self._settle(pattern)
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

    def _settle(self, pattern: Pattern) -> None:
        """One more message: it asks, or answers."""
        dialogue = self._dialogue
        assert dialogue is not None
        self._messages.count += 1
        dialogue.spoke(self._side, self._talk)
        dialogue.settle(pattern.whole, self._side, control_id_of(pattern.take_control_id()), b"", self._talk)
