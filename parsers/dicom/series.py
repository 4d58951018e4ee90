# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""Objects and answers that are like the last one, taken while their lane waits.

A series of images is a thousand times the same: a command and the head of a data set, of which the rest is given up;
and an answer to each. What is kept of the last one are its first bytes, as far as they decided what it told (`alike`);
all others are 0 here, and not compared.

Spec: PS3.8 9.3.5; PS3.7 9.3.1.
"""

from __future__ import annotations

from collections.abc import Iterable

from parsers.core import Attribute, Conversation
from parsers.core.reader import Passer, Reader
from parsers.dicom.alike import Spans

Part = tuple[bytes, Spans | None]
"""Some bytes, and which of them decide (None: all)."""


class Series(Passer):
    """Takes what is like the last message of a lane.

    Attributes:
        gives_up: it is an object of which only the beginning is compared; the rest of its turn is given up.
    """

    __slots__ = ("_mask", "_talk", "_text", "_told", "gives_up")

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._text = self._mask = b""
        self._told: list[Attribute] = []
        self.gives_up = False

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
            if self.gives_up:
                r.give_up_turn()
            else:
                r.pass_over(size)
        return r.held == 0

    def _fits(self, data: bytes) -> bool:
        text, mask = self._text, self._mask
        at, size = 0, len(text)
        while at < size and (not mask[at] or data[at] == text[at]):
            at += 1
        return at == size
