"""Memory that exists once it is touched."""

from __future__ import annotations

import mmap


def numbers(count: int, *, sparse: bool = False) -> memoryview:
    """A zeroed table of 64-bit numbers, from `mmap`; of small pages where few of many are touched."""
    pages = octets(count * 8)
    if hasattr(mmap, "MADV_HUGEPAGE") and not sparse:
        pages.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(pages).cast("q")


def octets(count: int) -> mmap.mmap:
    """Zeroed bytes, one at least."""
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_ANONYMOUS") else {}
    return mmap.mmap(-1, count, **private)
