"""What is done now and then in a store that is being filled: inference, and joining what came in small parts."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sensor.store import Store, StoreFull

INFER_S: Final = 30.0
INFER_SHARE: Final = 0.1
"""So much of the time at most goes into inference: it waits longer where it takes long."""
COMPACT_S: Final = 3600.0


class Upkeep:
    """Infers where there is anything new, each `INFER_S` at most, and compacts the store each `COMPACT_S`.

    Args:
        store: open for writing, by this thread alone.
        infer: makes inferences from all that is in it.
    """

    def __init__(self, store: Store, infer: Callable[[], object]) -> None:
        self._store = store
        self._infer = infer
        self._is_news = False
        self._infer_s = time.monotonic() + INFER_S
        self._compact_s = time.monotonic() + COMPACT_S

    def look(self, *, is_news: bool) -> None:
        """Do what is due; `is_news`: there is something new in the store.

        Raises:
            StoreError: the store refused.
        """
        self._is_news |= is_news
        if time.monotonic() >= self._infer_s:
            self.infer()
        if time.monotonic() >= self._compact_s:
            self._store.compact()
            self._compact_s = time.monotonic() + COMPACT_S

    def infer(self) -> None:
        """Infer, if there is anything new, and room for it: else later, rows that wait for room say so.

        Raises:
            StoreError: the store refused.
        """
        if not self._is_news:
            return
        began_s = time.monotonic()
        with suppress(StoreFull):
            self._infer()
            self._is_news = False
        now_s = time.monotonic()
        self._infer_s = now_s + max(INFER_S, (now_s - began_s) / INFER_SHARE)
