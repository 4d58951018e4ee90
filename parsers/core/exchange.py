# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""A conversation of one question and one answer, both as usual: all that many of some protocols ever are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parsers.core.conversation import Conversation
from parsers.core.fact import Fact, Side
from parsers.core.reader import Reader

if TYPE_CHECKING:
    from parsers.core.lane import Steps


class Exchange:
    """What a session asks before it makes lanes, of protocols that have one (`Protocol.exchange`).

    It takes nothing that the protocol's probe would not find likely. What it does not know it leaves to lanes: at once,
    or later, when they go on behind what was said.
    """

    __slots__ = ()

    def ask(self, data: bytes) -> list[Fact] | None:
        """The facts of what the initiator begins with, if that is a usual question; the answer may follow."""
        raise NotImplementedError

    def answer(self, data: bytes) -> list[Fact] | None:
        """The facts of what the responder begins with, if that is the usual answer."""
        raise NotImplementedError

    def end(self) -> list[Fact]:
        """What is still open when nothing follows."""
        raise NotImplementedError

    def go_on(self, r: Reader, side: Side, talk: Conversation) -> Steps:
        """The dissector of a lane that has said its part, as it would be now; it states once more what it stated."""
        raise NotImplementedError
