"""Bytes that are like earlier ones in all that decides what they tell.

A thousand images of one series differ in identifiers, dates and pixels, which are not read. So of what was read of the
last one the spans are kept that led to it: headers of elements and values of the allow-list. Where the next one has the
same bytes there, whatever is between them, reading it would tell the same.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Generic, TypeVar

T = TypeVar("T")

Spans = list[slice]


class Last(Generic[T]):
    """What the last bytes told."""

    __slots__ = ("_pick", "_picked", "_told")

    def __init__(self) -> None:
        self._pick: Callable[[bytes], bytes | tuple[bytes, ...]] | None = None
        self._picked: bytes | tuple[bytes, ...] = b""
        self._told: T | None = None

    @property
    def told(self) -> T | None:
        """What the last bytes told."""
        return self._told

    def find(self, data: bytes) -> T | None:
        """What `data` tells, if it is like the last; else None."""
        return self._told if self._pick is not None and self._pick(data) == self._picked else None

    def keep(self, data: bytes, spans: Spans, told: T) -> None:
        """`data` told this, by nothing but its `spans`, of which there is one at least."""
        self._pick = itemgetter(*spans)
        self._picked, self._told = self._pick(data), told
