"""Stop while there is still room.

DuckDB survives a full disk, but every statement fails until the file is opened again, and a write-ahead log that cannot
be checkpointed stays. So a writer asks first: is there room for what is about to be written, for the checkpoint after
it, and a reserve for everybody else on this file system?
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from sensor.store.errors import full

RESERVE_BYTES: Final = 64 << 20
_MIB: Final = 1 << 20


class SpaceGuard:
    """Watches the file system that a store lies on. A reserve of 0 bytes switches it off."""

    def __init__(self, path: Path, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._path = path
        self._reserve_bytes = reserve_bytes

    def check(self, incoming_bytes: int = 0) -> None:
        """Make sure that `incoming_bytes` more can be written.

        Raises:
            StoreFull: there is too little room.
        """
        if not self._reserve_bytes:
            return
        free = _free(self._path.parent)
        needed = self.needed_bytes(incoming_bytes)
        if free < needed:
            raise full(
                self._path, f"only {free // _MIB} MiB are free on its disk where {-(-needed // _MIB)} MiB are needed"
            )

    def needed_bytes(self, incoming_bytes: int) -> int:
        """Room for the log of a batch and for its checkpoint, which writes touched parts of the file anew."""
        wal = self._path.with_name(self._path.name + ".wal")
        return self._reserve_bytes + 2 * (incoming_bytes + _size(wal)) + _size(self._path) // 2


def _free(folder: Path) -> int:
    """Bytes that may still be written there. `shutil` would say it, and take 2 ms to be imported."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # not there yet, or gone again
        return 0
