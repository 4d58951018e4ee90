"""How a reading's tables grow, and how far back they are searched for rows that came before.

To look at a row that the store has takes a fraction of what it takes to write one, and there may be millions of them.
So a table is searched back to where it pays: where it no longer does, rows that come back are written anew, and views
add them up. Each costs less than what was not looked at for it, and what a batch costs does not grow with the store.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Final

from sensor.rows import PART_ROWS

PER_ROW: Final = 16
"""So many rows are looked at for one that is found there, rather than written anew."""
ALWAYS: Final = 8 * PART_ROWS
"""The newest rows are looked at in any case: it takes as long as a statement."""
_STEPS: Final = 512


class Growth:
    """How many rows each batch brought to one table; of older batches some are taken together.

    Attributes:
        total: rows of all batches.
    """

    def __init__(self) -> None:
        self.total = 0
        self._batches: list[int] = []
        self._before: list[int] = []

    @property
    def is_small(self) -> bool:
        """It is searched as a whole in any case."""
        return self.total <= ALWAYS

    def add(self, batch: int, count: int) -> None:
        """A batch, the newest, has brought so many rows, those that went for it taken off."""
        if not count:
            return
        if not self._batches or self._batches[-1] != batch:
            self._batches.append(batch)
            self._before.append(self.total)
        self.total += count
        if len(self._batches) > 2 * _STEPS:  # every second one of the older half
            del self._batches[1:_STEPS:2], self._before[1:_STEPS:2]

    def since(self, batch: int) -> int:
        """How many rows came in this batch and after it. Some of those before it may be counted, too."""
        at = bisect_left(self._batches, batch + 1) - 1
        return self.total - (self._before[at] if at >= 0 else 0)

    def worth(self, known: Mapping[int, int], now: int) -> int:
        """The batch from which on a search pays.

        Args:
            known: how many rows are wanted that a batch brought, by batch.
            now: the batch that is written; returned where no search pays.
        """
        best, most, gain = now, 0, 0
        for batch in sorted(known, reverse=True):
            gain += PER_ROW * known[batch]
            looked = self.since(batch)
            if looked <= ALWAYS or gain - looked > most:
                best, most = batch, gain - looked
        return best
