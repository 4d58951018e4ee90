"""Spans: pieces of a byte sequence that came in any order, as (offset, bytes). First bytes win.

IP fragments and TCP segments behind a hole are kept as spans. Only slow paths come here, so this stays plain Python.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TypeVar

Span = tuple[int, bytes | bytearray]
Kept = TypeVar("Kept")

by_offset = itemgetter(0)


def touching(known: Sequence[Kept], start: int, end: int, offset: Callable[[Kept], int]) -> tuple[int, int]:
    """From where to where in `known`, sorted and disjoint, spans are that may share a byte with `start` to `end`.

    Whoever repeats a segment makes us look at its neighbours, not at all that is kept.
    """
    low = max(0, bisect_right(known, start, key=offset) - 1)
    return low, bisect_left(known, end, low, key=offset)


def uncovered(known: Iterable[Span], start: int, data: bytes | bytearray) -> list[tuple[int, bytes]]:
    """The parts of `data`, which lies at `start`, that no known span covers."""
    parts = []
    at, end = start, start + len(data)
    for offset, piece in sorted(known, key=by_offset):
        if offset >= end:
            break
        if offset > at:
            parts.append((at, bytes(data[at - start : offset - start])))
        at = max(at, offset + len(piece))
        if at >= end:
            break
    if at < end:
        parts.append((at, bytes(data[at - start :])))
    return parts


def overlaps(known: Iterable[Span], start: int, data: bytes | bytearray) -> bool:
    """Whether any known span shares a byte with `data` at `start`."""
    return any(start < offset + len(piece) and offset < start + len(data) for offset, piece in known)


def conflicts(known: Iterable[Span], start: int, data: bytes | bytearray) -> int:
    """How many known spans overlap `data` with other bytes."""
    count, end = 0, start + len(data)
    for offset, piece in known:
        low, high = max(offset, start), min(offset + len(piece), end)
        if low < high and data[low - start : high - start] != piece[low - offset : high - offset]:
            count += 1
    return count
