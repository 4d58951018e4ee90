"""A new store, whole and empty, that others are copies of.

To work out what a schema comes to takes 16 ms, and comes to the same each time. So the first new store is kept where
Python keeps what it has compiled, and is used, trusted, replaced and done without as that is. It goes by a digest of
all that it was made from; whoever may write there could change our code as well; where nobody may, or where
`PYTHONDONTWRITEBYTECODE` forbids it, each store is made from nothing. `python -m sensor.store` keeps one beforehand.

A copy has the times at which the first one got its schema, in table `migration`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".store"
_SUM_BYTES: Final = 32


class Prepared:
    """The one that is kept, if there is: its SHA-256, then itself.

    Args:
        made_from: texts of all that decides what is in it, and how.
    """

    def __init__(self, made_from: Iterable[str]) -> None:
        digest = hashlib.sha256("\x1f".join(made_from).encode()).hexdigest()
        self._path = Path(cache_from_source(__file__)).with_name(f"whole.{digest[:32]}{_SUFFIX}")

    def copy_to(self, path: Path) -> bool:
        """Make a file of it; False when there is none, or it is damaged.

        Raises:
            OSError: the file cannot be written.
        """
        try:
            kept = self._path.read_bytes()
        except OSError:
            return False
        whole = memoryview(kept)[_SUM_BYTES:]
        if hashlib.sha256(whole).digest() != kept[:_SUM_BYTES]:
            return False
        path.write_bytes(whole)
        return True

    def keep(self, path: Path) -> None:
        """Keep a copy of this one, in the place of all others, if that may be."""
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._replace(path.read_bytes())

    def _replace(self, whole: bytes) -> None:
        mine = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            mine.write_bytes(hashlib.sha256(whole).digest() + whole)
            for older in self._path.parent.glob(f"whole.*{_SUFFIX}"):
                older.unlink(missing_ok=True)
            mine.replace(self._path)
        finally:
            mine.unlink(missing_ok=True)
