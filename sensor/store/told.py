# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""Which rows of a reading the store may have already: to look there takes time that grows with it.

What tells a row is a number of 64 bits. With each stands the batch that brought the row: the store need not be searched
among rows that came before. Numbers are remembered in two generations; when the young one is full the old one is
forgotten. So memory is bounded, and so is what a row costs, however long a capture lives. A row that comes back after
`GENERATION` others, at least, is a row of its own in the store, as of another capture; views add them up.
"""

from __future__ import annotations

from typing import Final

GENERATION: Final = 3 << 20
_SLOTS_FIRST: Final = 1 << 10
_64_BITS: Final = 2**64 - 1
_DAY_FACTOR: Final = 0x9E3779B97F4A7C15
_TABLE_FACTOR: Final = 0xD1B54A32D192ED03
_FACTOR: Final = hash("told") & _64_BITS | 1


class Keys:
    """Numbers from 1 to 2**64 - 1, each with a batch. Where one is looked for nobody can know beforehand.

    Attributes:
        count: how many there are.
    """

    def __init__(self) -> None:
        self.count = 0
        self._make(_SLOTS_FIRST)

    def batch_of(self, key: int) -> int:
        """The batch of one of them; -1 for all others."""
        slot = self._slot(key)
        return self._batches[slot] if self._slots[slot] else -1

    def add(self, key: int, batch: int) -> None:
        """One more, which is not among them."""
        if 4 * self.count >= 3 * self._last:
            self._grow()
        slot = self._slot(key)
        self._slots[slot] = key
        self._batches[slot] = batch
        self.count += 1

    def _slot(self, key: int) -> int:
        """Where it stands, or would stand."""
        mixed = key * _FACTOR & _64_BITS
        slot = mixed >> 32 & self._last
        while self._slots[slot] and self._slots[slot] != key:
            slot = (slot + 1) & self._last
        return slot

    def _grow(self) -> None:
        held, batches = self._slots, self._batches
        self._make(2 * len(held))
        for at in range(len(held)):
            if held[at]:
                self.add(held[at], batches[at])

    def _make(self, count: int) -> None:
        """So many slots, without any numbers."""
        self.count, self._last = 0, count - 1
        self._slots = memoryview(bytearray(8 * count)).cast("Q")
        self._batches = memoryview(bytearray(4 * count)).cast("i")


class Told:
    """The rows of one reading so far, of all tables, and which batch brought each.

    Args:
        generation: how many are remembered for certain; twice as many at most.

    Attributes:
        is_forgetful: some were forgotten.
    """

    def __init__(self, generation: int = GENERATION) -> None:
        self.is_forgetful = False
        self._generation = generation
        self._young = Keys()
        self._old = Keys()

    def meet(self, table: int, days: memoryview, ids: memoryview, batch: int) -> tuple[list[int], int]:
        """Remember rows, and say which of them are remembered already, of this batch or of an earlier one.

        Returns their places, and the first batch that brought one of them.

        Args:
            table: any number that stands for it.
            days: of each row.
            ids: of each row.
            batch: of all of them.
        """
        met, since = [], batch
        for row in range(len(ids)):
            key = ids[row] + days[row] * _DAY_FACTOR + table * _TABLE_FACTOR & _64_BITS or 1
            told = self._young.batch_of(key)
            if told < 0:
                told = self._old.batch_of(key)
                if self._young.count >= self._generation:
                    self.is_forgetful = self._old.count > 0
                    self._young, self._old = Keys(), self._young
                self._young.add(key, batch if told < 0 else told)
            if told >= 0:
                met.append(row)
                since = min(since, told)
        return met, since
