# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""How far a lane has come: what is the same for those who read its messages and for those who let them pass."""

from __future__ import annotations


class Progress:
    """Counts messages, and heads of turns.

    Attributes:
        count: messages begun so far.
        telling: changes when all is told anew.
        fresh_at: where a fresh head began last.
        heads: how many were asked for in this turn.
    """

    __slots__ = ("_heard", "count", "fresh_at", "heads", "telling")

    def __init__(self) -> None:
        self.count = self.fresh_at = self.heads = self._heard = 0
        self.telling = 1

    def turns(self, heard: int) -> bool:
        """Whether this is another turn, as its peer has spoken since: `heard` messages by now."""
        if heard == self._heard:
            return False
        self._heard, self.heads = heard, 0
        return True
