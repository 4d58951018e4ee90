"""A folder into which others write capture files that rotate (tcpdump -G, dumpcap -b): which of them are whole.

A file is whole once a newer one is there and nothing has been written to it for `QUIET_S`, as it may be compressed
while the next is being written; or when nothing has been for `SETTLE_S`.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from sensor.capture.errors import CaptureUnreadable

QUIET_S: Final = 2.0
SETTLE_S: Final = 30.0


class Mark(NamedTuple):
    """By what a file is known again without reading it."""

    inode: int
    size: int
    changed_ns: int


class Folder:
    """A folder that is looked at again and again.

    Args:
        path: of the folder; what lies in folders inside it is not looked at, nor are names that begin with a dot.
        settle_s: of `SETTLE_S`, see above.

    Raises:
        CaptureUnreadable: there is no such folder, or it may not be listed.
    """

    def __init__(self, path: Path, settle_s: float = SETTLE_S) -> None:
        self.path = path
        self._settle_s = settle_s
        self._given: dict[Path, Mark] = {}
        self._done: dict[Path, Mark] = {}
        if not path.is_dir():
            raise CaptureUnreadable(path, "is not a folder", "name a folder of capture files with -r")
        self._look()

    def whole(self) -> list[Path]:
        """Files that are whole and new, or have changed since, oldest first.

        Raises:
            CaptureUnreadable: the folder cannot be listed now.
        """
        found = sorted(self._look(), key=lambda file: (file[1].changed_ns, file[0].name))
        self._done = {path: self._done[path] for path, _ in found if path in self._done}
        newest_ns = found[-1][1].changed_ns if found else 0
        whole = [(path, mark) for path, mark in found if self._is_whole(mark, newest_ns)]
        self._given = {path: mark for path, mark in whole if self._done.get(path) != mark}
        return list(self._given)

    def has(self, path: Path) -> bool:
        """Whether the file is there, still."""
        return _mark(path) is not None

    def done(self, path: Path) -> None:
        """Do not give this file again, unless it is another one than when it was given."""
        self._done[path] = self._given[path]

    def _is_whole(self, mark: Mark, newest_ns: int) -> bool:
        quiet_s = (time.time_ns() - mark.changed_ns) / 1e9
        return mark.size > 0 and (quiet_s >= self._settle_s or (quiet_s >= QUIET_S and mark.changed_ns < newest_ns))

    def _look(self) -> list[tuple[Path, Mark]]:
        try:
            return list(self._files())
        except OSError as error:
            raise CaptureUnreadable(self.path, f"cannot be listed: {error.strerror}") from error

    def _files(self) -> Iterator[tuple[Path, Mark]]:
        for path in self.path.iterdir():
            if not path.name.startswith(".") and (mark := _mark(path)) is not None:
                yield path, mark


def _mark(path: Path) -> Mark | None:
    """None for what is no file, for a link that leads nowhere, and for a file that is gone: rotation takes old ones."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Mark(found.st_ino, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None
