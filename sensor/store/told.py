# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""Which rows of a reading the store may have already: to look there takes time that grows with it.

What tells a row is a number of 64 bits. Numbers are remembered in two generations; when the young one is full the old
one is forgotten. So memory is bounded, and so is what a row costs, however long a capture lives. A row that comes back
after `GENERATION` others, at least, is a row of its own in the store, as of another capture; views add them up.
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
    """A set of numbers from 1 to 2**64 - 1. Where one is looked for nobody can know beforehand.

    Attributes:
        count: how many there are.
    """

    def __init__(self) -> None:
        self.count = 0
        self._slots = memoryview(bytearray(8 * _SLOTS_FIRST)).cast("Q")
        self._last = _SLOTS_FIRST - 1

    def has(self, key: int) -> bool:
        """Whether it is among them."""
        return self._slots[self._slot(key)] == key

    def add(self, key: int) -> None:
        """One more, which is not among them."""
        if 4 * self.count >= 3 * self._last:
            self._grow()
        self._slots[self._slot(key)] = key
        self.count += 1

    def _slot(self, key: int) -> int:
        """Where it stands, or would stand."""
        mixed = key * _FACTOR & _64_BITS
        slot = mixed >> 32 & self._last
        while self._slots[slot] and self._slots[slot] != key:
            slot = (slot + 1) & self._last
        return slot

    def _grow(self) -> None:
        held, self._last = self._slots, 2 * self._last + 1
        self._slots = memoryview(bytearray(8 * (self._last + 1))).cast("Q")
        for at in range(len(held)):
            key = held[at]
            if key:
                self._slots[self._slot(key)] = key


class Told:
    """The rows of one reading so far, of all tables.

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

    def meet(self, table: int, days: memoryview, ids: memoryview) -> list[int]:
        """Remember rows; the places of those that are remembered already, of this batch or of an earlier one.

        Args:
            table: any number that stands for it.
            days: of each row.
            ids: of each row.
        """
        met = []
        for row in range(len(ids)):
            key = ids[row] + days[row] * _DAY_FACTOR + table * _TABLE_FACTOR & _64_BITS or 1
            if self._young.has(key):
                met.append(row)
                continue
            if self._old.has(key):
                met.append(row)
            if self._young.count >= self._generation:
                self.is_forgetful = self._old.count > 0
                self._young, self._old = Keys(), self._young
            self._young.add(key)
        return met
