# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""Messages of a feed that say what an earlier one said: known by its pattern, they pass while the lane sleeps.

All that is new in them is a control id: that of a question, or of an answer. Whatever fits no pattern, or comes when
something has to be told again, is left to the lane.

A lane that began with a message of a known pattern (`opening`) lets others like it pass before anything else is made.

Spec: HL7 v2 ch. 2.5.
"""

from __future__ import annotations

from typing import Final

from parsers.core import Side
from parsers.core.conversation import Conversation
from parsers.core.reader import MESSAGE_MAX_BYTES, Passer, Reader
from parsers.hl7.acknowledgment import Dialogue
from parsers.hl7.header import Header
from parsers.hl7.messages import RESTATED_EACH
from parsers.hl7.pattern import Pattern
from parsers.hl7.progress import Progress
from parsers.hl7.whole import Whole

PATTERNS_MAX: Final = 4
FRESH_BYTES: Final = 8_192

Names = tuple[bytes, bytes]
"""Of applications (MSH-3, MSH-5), where a pattern has blanks for them; empty where it has none."""
NO_NAMES: Final = b"", b""

_CR: Final = 0x0D
_EACH: Final = RESTATED_EACH
_FRESH: Final = FRESH_BYTES


class _Kind:
    """Messages of a pattern that were told, with these names where it has blanks for them; and what they ask, or say.

    Attributes:
        told_in: when they were told last: see `Progress.telling`.
    """

    __slots__ = ("asks", "claim", "code", "its", "mine", "pattern", "told_in", "twice", "whole")

    def __init__(self, pattern: Pattern, said: Header, names: Names, told_in: int) -> None:
        self.pattern = pattern
        self.whole = whole = pattern.whole
        self.mine, self.its = names
        self.asks = whole.asks
        self.code = whole.code
        self.claim = said.claim
        self.twice = said.twice_acknowledged
        self.told_in = told_in


class Again(Passer):
    """Takes messages of one lane that fit what was told lately.

    Attributes:
        progress: the lane's.
        fresh_until: where the lane has to see whether its turn has a fresh head.
    """

    __slots__ = ("_dialogue", "_kinds", "_peer", "_side", "_talk", "fresh_until", "progress")

    def __init__(self, side: Side, talk: Conversation) -> None:
        self.progress = Progress()
        self.fresh_until = FRESH_BYTES
        self._side = side
        self._peer = 1 - side
        self._talk = talk
        self._dialogue = talk.shared(Dialogue)
        self._kinds: list[_Kind] = []

    def begin(self, pattern: Pattern, said: Header, names: Names) -> None:
        """The lane began with what `pattern` fitted, with this header and these names; all of it was told."""
        self._kinds = [_Kind(pattern, said, names, self.progress.telling)]

    def learn(self, whole: Whole, pieces: list[bytes]) -> None:
        """What was told before was told again, by a message of these pieces."""
        for kind in self._kinds:
            if kind.whole is whole:
                kind.told_in = self.progress.telling
                return
        text = whole.layout.pattern(pieces, whole.header.grammar)
        if text:
            kind = _Kind(Pattern(text, whole), whole.header, NO_NAMES, self.progress.telling)
            self._kinds = [kind, *self._kinds[: PATTERNS_MAX - 1]]

    def passes(self, r: Reader) -> bool:
        """Take messages that say nothing new; whether the lane waits for more."""
        data, at = r.seen(MESSAGE_MAX_BYTES), 0
        while at < len(data):
            end = self._hear(data, at)
            if not end:
                break
            at = end
        r.pass_over(at)
        return r.held == 0 and (r.offset <= self.fresh_until or self._turns(r.offset))

    def _turns(self, offset: int) -> bool:
        """Whether the turn that ended here has a fresh head by itself, as the next one begins another."""
        if not self._kinds or not self.progress.turns(self._dialogue.messages[self._peer]):
            return False
        self.progress.fresh_at, self.fresh_until = offset, offset + _FRESH
        return True

    def _hear(self, data: bytes, at: int) -> int:
        """Hear one frame out; returns where it ends, or 0."""
        for kind in self._kinds:
            pattern = kind.pattern
            if pattern.fits(data, at) and pattern.mine == kind.mine and pattern.its == kind.its:
                if kind.told_in != self.progress.telling or self.progress.count % _EACH == 0:
                    return 0
                self._settle(kind, pattern.take_control_id())
                at = pattern.end + 1
                return at + 1 if at < len(data) and data[at] == _CR else at
        return 0

    def _settle(self, kind: _Kind, control_id: bytes) -> None:
        """One more message: it asks, or answers."""
        self.progress.count += 1
        self._dialogue.spoke(self._side, self._talk)
        if kind.asks:
            self._dialogue.claimed(self._side, control_id, kind.claim, None, kind.twice, self._talk)
        elif kind.code:
            self._dialogue.answered(self._side, kind.code, control_id, self._talk)
