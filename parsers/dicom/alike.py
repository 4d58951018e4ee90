"""Bytes that are like earlier ones in all that decides what they tell.

A thousand images of one series differ in identifiers, dates and pixels, which are not read. So of what was read of one
the spans are kept that led to it: headers of elements and values of the allow-list. Where another one has the same
bytes there, whatever is between them, reading it would tell the same.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Generic, TypeVar

T = TypeVar("T")

Spans = list[slice]


class Known(Generic[T]):
    """What some bytes told.

    Args:
        data: the bytes.
        spans: what alone decided; there is one at least.
        told: what they told.
    """

    __slots__ = ("_pick", "_picked", "spans", "told")

    def __init__(self, data: bytes, spans: Spans, told: T) -> None:
        self._pick: Callable[[bytes], bytes | tuple[bytes, ...]] = itemgetter(*spans)
        self._picked = self._pick(data)
        self.spans = spans
        self.told = told

    def is_like(self, data: bytes) -> bool:
        """Whether `data` tells the same."""
        return bool(self._pick(data) == self._picked)
