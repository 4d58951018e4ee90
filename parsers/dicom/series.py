# cython: language_level=3, annotation_typing=False, boundscheck=True, wraparound=False, auto_pickle=False
"""Objects and answers that are like the last one, taken while their lane waits.

A series of images is a thousand times the same: a command and the head of a data set, of which the rest is given up;
and an answer to each. What is kept of the last one are its first bytes, as far as they decided what it told (`alike`);
all others are 0 here, and not compared. A turn that begins within an object, because its sender paused, is given up as
well.

Spec: PS3.8 9.3.5; PS3.7 9.3.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from parsers.core import Attribute, Conversation
from parsers.core.reader import Passer, Reader
from parsers.dicom.alike import Spans
from parsers.dicom.pdu import BOUNDARY_BYTES, begins_message

LOST_MAX: Final = 64

_BOUNDARY: Final = BOUNDARY_BYTES
_LAST: Final = LOST_MAX - 1

Part = tuple[bytes, Spans | None]
"""Some bytes, and which of them decide (None: all)."""


class Series(Passer):
    """Takes what is like the last message of a lane.

    Attributes:
        gives_up: it is an object of which only the beginning is compared; the rest of its turn is given up.
        lost: turns in a row that did not begin with a message.
    """

    __slots__ = ("_mask", "_talk", "_text", "_told", "gives_up", "lost")

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._text = self._mask = b""
        self._told: list[Attribute] = []
        self.gives_up = False
        self.lost = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was learnt."""
        return not self._text

    def learn(self, parts: Iterable[Part], told: Iterable[Attribute], *, gives_up: bool) -> None:
        """The last message began with these parts, and told this."""
        self._learn(parts, told, gives_up)

    def _learn(self, parts: Iterable[Part], told: Iterable[Attribute], gives_up: bool) -> None:  # noqa: FBT001 - C has no keywords
        text, mask = bytearray(), bytearray()
        for data, spans in parts:
            picked, decides = bytearray(len(data)), bytearray(len(data))
            for span in [slice(0, len(data))] if spans is None else spans:
                begin, end = span.start, min(span.stop, len(data))
                for at in range(begin, end):
                    picked[at] = data[at]
                    decides[at] = 1
            text += picked
            mask += decides
        self._text, self._mask, self._told, self.gives_up = bytes(text), bytes(mask), list(told), gives_up

    def passes(self, r: Reader) -> bool:
        """Take messages that are like the last one; whether the lane waits for more."""
        size = len(self._text)
        while size and r.held >= size and self._fits(r.seen(size)):
            self._talk.emit_all(self._told)
            self.lost = 0
            if self.gives_up:
                r.give_up_turn()
            else:
                r.pass_over(size)
        if self.gives_up and self._is_lost(r):
            self.lost += 1
            r.give_up_turn()
        return r.held == 0

    def _is_lost(self, r: Reader) -> bool:
        """Whether a turn does not begin with a message; the last one of too many is left to the lane."""
        return r.held >= _BOUNDARY and self.lost < _LAST and not begins_message(r.seen(_BOUNDARY))

    def _fits(self, data: bytes) -> bool:
        text, mask = self._text, self._mask
        at, size = 0, len(text)
        while at < size and (not mask[at] or data[at] == text[at]):
            at += 1
        return at == size
