# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""Columns, made of numbers that stand for rows and of what the numbers mean.

A row is a few numbers as long as it is folded: which place, which fact, which counts. A column is made of the values
of all different places (or facts, or counts), and of the number that each row has among them: what is costly is done
once for each value, and a row is a copy of two to eight bytes. Compiled, that copy is all (arrays.pxd).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sensor.columns import FLAG, ID, TEXT, WORD, Column, Kind, text_buffers
from sensor.rows import PRIME, Columns

if TYPE_CHECKING:
    from sensor.engine.columns import Buffers

_64_BITS: Final = 2**64 - 1
_FACTOR: Final = hash("rows") & _64_BITS | 1


class Numbers:
    """Whole numbers of 32 bits, as many as are added.

    Args:
        room: for how many there is room at first.
    """

    def __init__(self, room: int = 64) -> None:
        self.held = memoryview(bytearray(4 * max(room, 1))).cast("i")
        self.count = 0

    def add(self, number: int) -> None:
        """One more."""
        if self.count == len(self.held):
            grown = memoryview(bytearray(8 * self.count)).cast("i")
            grown[: self.count] = self.held
            self.held = grown
        self.held[self.count] = number
        self.count += 1

    @classmethod
    def listed(cls, numbers: Sequence[int]) -> Numbers:
        """These."""
        held = Numbers(len(numbers))
        for number in numbers:
            held.add(number)
        return held

    def cut(self, begin: int, end: int) -> Numbers:
        """Those from `begin` to `end`."""
        part = Numbers(end - begin)
        part.held[: end - begin] = self.held[begin:end]
        part.count = end - begin
        return part

    def of(self, at: Numbers) -> Numbers:
        """Those that stand where `at` says."""
        found = Numbers(at.count)
        for row in range(at.count):
            found.held[row] = self.held[at.held[row]]
        found.count = at.count
        return found

    def column(self, kind: Kind, is_known: bytearray | None = None) -> Column:
        """A column of all; a bit of `is_known` for each that there is."""
        return Column(kind, self.count, [memoryview(self.held)[: self.count]], is_known)


class Longs:
    """Whole numbers of 64 bits, as many as are added."""

    def __init__(self) -> None:
        self.held = memoryview(bytearray(8 * 64)).cast("q")
        self.count = 0

    def add(self, number: int) -> None:
        """One more."""
        if self.count == len(self.held):
            grown = memoryview(bytearray(16 * self.count)).cast("q")
            grown[: self.count] = self.held
            self.held = grown
        self.held[self.count] = number
        self.count += 1

    @property
    def all(self) -> memoryview:
        """Those that were added."""
        return memoryview(self.held)[: self.count]

    def of(self, at: Numbers, kind: Kind) -> Column:
        """A column of those that stand where `at` says."""
        return Column(kind, at.count, [self.taken(at)])

    def taken(self, at: Numbers, flip: int = 0) -> memoryview:
        """Those that stand where `at` says; `flip` is 1 for their neighbours, where two belong together."""
        column = memoryview(bytearray(8 * at.count)).cast("q")
        for row in range(at.count):
            column[row] = self.held[at.held[row] ^ flip]
        return column


class Index:
    """What is known of pairs of whole numbers: a number of each. A dict of them takes five times the memory.

    Where in the table a pair is looked for nobody can know beforehand; but pairs of one number and of others that are
    near to each other stand together, in one line of the cache.
    """

    def __init__(self) -> None:
        self._begin(6)
        self.count = 0

    def _begin(self, bits: int) -> None:
        self._shift, self._factor = 64 - bits, _FACTOR
        self._keys = memoryview(bytearray(8 << bits)).cast("Q")
        self._numbers = memoryview(bytearray(4 << bits)).cast("i")

    def get(self, one: int, other: int) -> int:
        """The number of a pair; -1 where nothing is known of it."""
        slot = self._slot(_pair(one, other))
        return self._numbers[slot] if self._keys[slot] else -1

    def put(self, one: int, other: int, number: int) -> None:
        """The number of a new pair."""
        if 3 * self.count >= 2 * len(self._keys):
            self._grow()
        key = _pair(one, other)
        slot = self._slot(key)
        self._keys[slot], self._numbers[slot] = key, number
        self.count += 1

    def _slot(self, key: int) -> int:
        """Where a key stands, or would."""
        last, low = len(self._keys) - 1, _64_BITS
        slot = (((key >> 4) * self._factor & low) >> self._shift) + (key & 15) & last
        while self._keys[slot] and self._keys[slot] != key:
            slot = (slot + 1) & last
        return slot

    def _grow(self) -> None:
        keys, numbers = self._keys, self._numbers
        self._begin(65 - self._shift)
        for at in range(len(keys)):
            key = keys[at]
            if key:
                slot = self._slot(key)
                self._keys[slot], self._numbers[slot] = key, numbers[at]


def _pair(one: int, other: int) -> int:
    """Both in one number, which is not 0."""
    return (one << 32 | other) + 1


class Numbered:
    """Which of so many things rows speak of: each row's number among those that are spoken of.

    Args:
        count: how many things there are.
    """

    def __init__(self, count: int) -> None:
        self._known = memoryview(bytearray(4 * max(count, 1))).cast("i")

    def anew(self, numbers: Numbers) -> tuple[Numbers, list[int]]:
        """The numbers of things, counted from 0 as they come; and which these are."""
        found, different = Numbers(numbers.count), []
        for row in range(numbers.count):
            number = numbers.held[row]
            if not self._known[number]:
                different.append(number)
                self._known[number] = len(different)
            found.held[row] = self._known[number] - 1
        found.count = numbers.count
        for number in different:
            self._known[number] = 0
        return found, different


def spread(values: Sequence[Sequence[Any]], columns: Columns, at: Numbers) -> list[Column]:
    """Columns, of `columns`: of the `values` of each, those with the numbers `at`, as often as they stand there."""
    return [_spread(one, kind, at) for one, (_, kind) in zip(values, columns, strict=True)]


def _spread(values: Sequence[Any], kind: Kind, at: Numbers) -> Column:
    is_known = _bits([value is not None for value in values], at) if None in values else None
    if kind == WORD:
        return _words(values, at, is_known)
    if kind == FLAG:
        return Column(kind, at.count, [_bits([bool(value) for value in values], at)], is_known)
    numbers = Numbers(len(values))
    for value in values:
        numbers.add(value or 0)
    return numbers.of(at).column(kind, is_known)


def _words(texts: Sequence[str | None], at: Numbers, is_known: bytearray | None) -> Column:
    """Equal texts as one word."""
    number: dict[str, int] = {}
    which = Numbers(len(texts))
    for text in texts:
        which.add(0 if text is None else number.setdefault(text, len(number)))
    taken = bytearray(2 * at.count)
    indices = memoryview(taken).cast("h")
    for row in range(at.count):
        indices[row] = which.held[at.held[row]]
    return Column(WORD, at.count, [taken, *text_buffers(number)], is_known)


def words(numbers: memoryview, texts: Buffers) -> Column:
    """A column of texts by their numbers."""
    return Column(WORD, len(numbers), [numbers, *texts])


def text_column(texts: Buffers) -> Column:
    """A column of these texts."""
    return Column(TEXT, len(texts[0]) - 1, texts)


def id_column(values: memoryview) -> Column:
    """A column of these."""
    return Column(ID, len(values), [values])


def ids_of(values: memoryview, at: Numbers) -> Column:
    """A column of the ids that stand where `at` says."""
    found = memoryview(bytearray(8 * at.count)).cast("Q")
    for row in range(at.count):
        found[row] = values[at.held[row]]
    return id_column(memoryview(found))


def _bits(values: Sequence[bool], at: Numbers) -> bytearray:
    """A bit for each row."""
    marks = bytearray(values)
    packed = bytearray((at.count + 7) >> 3)
    for row in range(at.count):
        if marks[at.held[row]]:
            packed[row >> 3] |= 1 << (row & 7)
    return packed


def ids(where: Numbers, what: Numbers, functions: memoryview, hashes: memoryview) -> memoryview:
    """The ids of rows: values of linear functions modulo a prime, see `sensor.rows`.

    Args:
        where: of each row, the number of its function.
        what: of each row, the number of its hash.
        functions: a factor and a term for each.
        hashes: by number.
    """
    prime, rest, low = PRIME, _64_BITS + 1 - PRIME, _64_BITS
    found = memoryview(bytearray(8 * max(where.count, 1))).cast("Q")
    for row in range(where.count):
        at = 2 * where.held[row]
        product = functions[at]
        product = product * hashes[what.held[row]] + functions[at + 1]
        for _ in range(2):  # 2**64 is `rest` more than the prime: the same remainder, and less than twice the prime
            product = (product >> 64) * rest + (product & low)
        if product >= prime:
            product = product - prime
        found[row] = product
    return found


def extent(numbers: memoryview | array[int]) -> tuple[int, int]:
    """The least and the greatest of some numbers, at least one."""
    least = most = numbers[0]
    for at in range(len(numbers)):
        least, most = min(least, numbers[at]), max(most, numbers[at])
    return least, most


def sums(keys: memoryview, numbers: memoryview) -> dict[int, int]:
    """The sum of the numbers of each key; most often keys that are equal stand together."""
    totals: dict[int, int] = {}
    at, count = 0, len(keys)
    while at < count:
        key, total = keys[at], 0
        while at < count and keys[at] == key:
            total += numbers[at]
            at += 1
        totals[key] = totals.get(key, 0) + total
    return totals


def spoken(indices: memoryview, offsets: memoryview, bits: memoryview | None) -> int:
    """How many bytes words come to when each row has its own to itself; rows without a bit have none."""
    total = 0
    for row in range(len(indices)):
        if bits is None or bits[row >> 3] >> (row & 7) & 1:
            total += offsets[indices[row] + 1] - offsets[indices[row]]
    return total


def rises(offsets: memoryview) -> bool:
    """Whether no offset is less than the one before."""
    for at in range(1, len(offsets)):  # noqa: SIM110 - compiled
        if offsets[at] < offsets[at - 1]:
            return False
    return True


def splits(offsets: memoryview, characters: memoryview) -> bool:
    """Whether one of these offsets, all within the characters or at their end, lies within one of UTF-8."""
    end = len(characters)
    for at in range(len(offsets)):  # noqa: SIM110 - compiled
        if offsets[at] < end and characters[offsets[at]] & 0xC0 == 0x80:
            return True
    return False


def pick(made: memoryview, numbers: memoryview, at: memoryview) -> None:
    """Put the numbers that stand at these places into `made`."""
    for row in range(len(at)):
        made[row] = numbers[at[row]]


def bits_at(bits: memoryview, at: memoryview) -> bytearray:
    """The bits that stand at these places, packed."""
    packed = bytearray((len(at) + 7) >> 3)
    for row in range(len(at)):
        if bits[at[row] >> 3] >> (at[row] & 7) & 1:
            packed[row >> 3] |= 1 << (row & 7)
    return packed


def texts_at(offsets: memoryview, characters: memoryview, at: memoryview) -> Buffers:
    """The texts that stand at these places: where each begins, and the last one ends; and their characters.

    Raises:
        OverflowError: they are longer than offsets can say.
    """
    begins = memoryview(bytearray(4 * (len(at) + 1))).cast("i")
    total = 0
    for row in range(len(at)):
        total += offsets[at[row] + 1] - offsets[at[row]]
        if total >= 1 << 31:
            raise OverflowError("texts of more than 2 GiB")
        begins[row + 1] = total
    made = memoryview(bytearray(total))
    for row in range(len(at)):
        begin, from_ = begins[row], offsets[at[row]]
        for place in range(begins[row + 1] - begin):
            made[begin + place] = characters[from_ + place]
    return memoryview(begins), memoryview(made)


def repeats(ids: memoryview, count: int) -> Numbers | None:
    """Of each row, the first row of the same id; None where all are different.

    Where in the table an id is looked for nobody can know beforehand.
    """
    bits = (2 * count).bit_length()
    slots = memoryview(bytearray(4 << bits)).cast("i")
    first, is_any = Numbers(count), False
    shift, last, low, factor = 64 - bits, (1 << bits) - 1, _64_BITS, _FACTOR
    for row in range(count):
        key = ids[row]
        slot = (key * factor & low) >> shift
        while slots[slot] and ids[slots[slot] - 1] != key:
            slot = (slot + 1) & last
        if slots[slot]:
            is_any = True
        else:
            slots[slot] = row + 1
        first.add(slots[slot] - 1)
    return first if is_any else None
