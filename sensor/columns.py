"""What stands in a table's columns, read in place: Arrow's own means cost 0.4 µs a value, or 40 ms to import.

The arrays must be valid: what comes from a worker is checked first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final, Literal

import pyarrow as pa

_CODES: Final[dict[pa.DataType, Literal["h", "i", "q", "Q"]]] = {
    pa.date32(): "i",
    pa.int16(): "h",
    pa.int32(): "i",
    pa.int64(): "q",
    pa.timestamp("us"): "q",
    pa.uint64(): "Q",
}
_PLAIN: Final[dict[str, pa.DataType]] = {"h": pa.int16(), "i": pa.int32(), "q": pa.int64(), "Q": pa.uint64()}


def values(column: pa.ChunkedArray) -> list[Any]:
    """All of them, as Python's objects; times and days as the numbers that they are, texts once for all their rows."""
    return list(chain.from_iterable(map(_values, column.chunks)))


def _values(chunk: pa.Array) -> Sequence[Any]:
    if pa.types.is_dictionary(chunk.type):
        words = [*chunk.dictionary.to_pylist(), None]
        return [words[number] for number in places(chunk)]
    return whole_numbers(chunk) if chunk.type in _CODES else chunk.to_pylist()


def places(chunk: pa.Array) -> Sequence[int]:
    """Of an array of words, the number of each one; -1 for none."""
    indices = chunk.indices
    if not indices.null_count:
        return in_place(indices)
    return [-1 if number is None else number for number in indices.to_pylist()]


def whole_numbers(chunk: pa.Array) -> Sequence[Any]:
    """What stands in an array of numbers, times or days; None where nothing does."""
    if chunk.null_count:
        plain: list[int | None] = chunk.view(_PLAIN[_CODES[chunk.type]]).to_pylist()
        return plain
    return in_place(chunk)


def in_place(chunk: pa.Array) -> memoryview:
    """The numbers themselves, whatever stands where there are none."""
    size = chunk.type.bit_width // 8
    memory = memoryview(chunk.buffers()[1] or b"").cast("B")
    return memory[chunk.offset * size : (chunk.offset + len(chunk)) * size].cast(_CODES[chunk.type])


def texts_in_place(texts: pa.Array) -> tuple[memoryview, memoryview]:
    """Where each begins, and the last one ends; and the bytes of all. An array without any may lack its buffers."""
    _, offsets, characters = texts.buffers()
    memory = memoryview(offsets or bytes(4)).cast("B")  # of any length that suffices
    begins = memory[4 * texts.offset : 4 * (texts.offset + len(texts) + 1)].cast("i")
    return begins, memoryview(characters or b"").cast("B")
