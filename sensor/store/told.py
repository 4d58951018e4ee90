# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""Which rows of a reading the store may have already: to look there takes time that grows with it.

What tells a row is a number of 64 bits. With each stands the batch that brought the row: the store need not be searched
among rows that came before. Numbers are remembered in two generations; when the young one is full the old one is
forgotten. So memory is bounded, and so is what a row costs, however long a capture lives. A row that comes back after
`GENERATION` others, at least, is a row of its own in the store, as of another capture; views add them up.
"""

from __future__ import annotations

from typing import Final

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

if not cython.compiled:
    from sensor.engine._cy import PREFETCH

GENERATION: Final = 3 << 20
_SLOTS_FIRST: Final = 1 << 10
_AHEAD: Final = 16
"""So many rows before a key is looked for, memory is asked for what stands there."""
_64_BITS: Final = 2**64 - 1
_DAY_FACTOR: Final = 0x9E3779B97F4A7C15
_TABLE_FACTOR: Final = 0xD1B54A32D192ED03
_END: Final = 256
_FACTOR: Final = hash("told") & _64_BITS | 1


def mixed(numbers: memoryview, offsets: memoryview, characters: memoryview) -> None:
    """Mix a text into each of some numbers: what told equal ones from others before does so again.

    No more than a search depends on it, and nobody can know beforehand which texts come to the same number.

    Args:
        numbers: of each row.
        offsets: where each row's text begins among the characters, and the last one ends.
        characters: of all texts, as bytes.
    """
    for row in range(len(numbers)):
        number = numbers[row]
        for at in range(offsets[row], offsets[row + 1]):
            number = (number ^ characters[at]) * _FACTOR & _64_BITS
        numbers[row] = (number ^ _END) * _FACTOR & _64_BITS


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

    def keep(self, key: int, batch: int, since: int) -> int:
        """The batch of a number; -1 where it is none of them, or of a batch before `since`: then it gets this one."""
        slot = self._slot(key)
        if self._slots[slot]:
            told = self._batches[slot]
            if told >= since:
                return told
            self._batches[slot] = batch
            return -1
        self._slots[slot] = key
        self._batches[slot] = batch
        self.count += 1
        if 4 * self.count >= 3 * self._last:
            self._grow()
        return -1

    def warm(self, key: int) -> None:
        """It is looked for in a moment."""
        if cython.compiled:
            slot = self._first(key)
            PREFETCH(cython.address(self._slots[slot]))
            PREFETCH(cython.address(self._batches[slot]))

    def _first(self, key: int) -> int:
        """Where it is looked for first."""
        return (key * _FACTOR & _64_BITS) >> 32 & self._last

    def _slot(self, key: int) -> int:
        """Where it stands, or would stand."""
        slot = self._first(key)
        while self._slots[slot] and self._slots[slot] != key:
            slot = (slot + 1) & self._last
        return slot

    def _grow(self) -> None:
        held, batches, count = self._slots, self._batches, self.count
        self._make(2 * len(held))
        for at in range(len(held)):
            if held[at]:
                slot = self._slot(held[at])
                self._slots[slot] = held[at]
                self._batches[slot] = batches[at]
        self.count = count

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

    def batches(self, table: int, days: memoryview, ids: memoryview) -> memoryview:
        """The batches that brought these rows, of those that are remembered; arguments as for `meet`."""
        keys, count, met_count = _keys(table, days, ids), len(ids), 0
        batches = memoryview(bytearray(4 * count)).cast("i")
        for row in range(count):
            if row + _AHEAD < count:
                self._warm(keys[row + _AHEAD])
            told = self._batch_of(keys[row])
            if told >= 0:
                batches[met_count] = told
                met_count += 1
        return batches[:met_count]

    def meet(
        self, table: int, days: memoryview, ids: memoryview, batch: int, since: int = 0
    ) -> tuple[memoryview, memoryview, memoryview]:
        """Remember rows, and say which of them are remembered already, of this batch or of an earlier one.

        Returns the places of those that are not, of those that are, and the batches that brought these.

        Args:
            table: any number that stands for it.
            days: of each row.
            ids: of each row.
            batch: of all of them.
            since: what earlier batches brought counts as forgotten.
        """
        keys, count, new_count = _keys(table, days, ids), len(ids), 0
        new = memoryview(bytearray(4 * count)).cast("i")
        met = memoryview(bytearray(4 * count)).cast("i")
        batches = memoryview(bytearray(4 * count)).cast("i")
        for row in range(count):
            if row + _AHEAD < count:
                self._warm(keys[row + _AHEAD])
            told = self._remember(keys[row], batch, since)
            if told < 0:
                new[new_count] = row
                new_count += 1
            else:
                met[row - new_count] = row
                batches[row - new_count] = told
        return new[:new_count], met[: count - new_count], batches[: count - new_count]

    def _warm(self, key: int) -> None:
        self._young.warm(key)
        if self._old.count:
            self._old.warm(key)

    def _batch_of(self, key: int) -> int:
        """The batch that brought it; -1 for none."""
        told = self._young.batch_of(key)
        return self._old.batch_of(key) if told < 0 and self._old.count else told

    def _remember(self, key: int, batch: int, since: int) -> int:
        """The batch that brought it before, `since` then; -1 for none."""
        held = self._old.batch_of(key) if self._old.count else -1
        held = held if held >= since else -1
        if self._young.count >= self._generation and self._young.batch_of(key) < 0:
            self.is_forgetful = self._old.count > 0
            self._young, self._old = Keys(), self._young
        told = self._young.keep(key, batch if held < 0 else held, since)
        return held if told < 0 else told


def _keys(table: int, days: memoryview, ids: memoryview) -> memoryview:
    """The number of each row."""
    keys = memoryview(bytearray(8 * len(ids))).cast("Q")
    for row in range(len(ids)):
        keys[row] = ids[row] + days[row] * _DAY_FACTOR + table * _TABLE_FACTOR & _64_BITS or 1
    return keys
