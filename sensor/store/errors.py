"""Why the store could not be used, as one line: what, where, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sensor.store.duck import duckdb

_HOLDER: Final = re.compile(r"\(PID (\d+)\)")
_FULL: Final = ("No space left on device", "Disk quota exceeded", "max_temp_directory_size")
_IN_USE: Final = ("Could not set lock", "different configuration", "Unique file handle conflict")
_PLAIN: Final = (  # marks in the message, what is wrong, what to do; the first that fits
    (
        ("Permission denied",),
        "no permission to open the store",
        "check the owner and mode of the file and its folder",
    ),
    (
        ("Read-only file system", "read-only mode"),
        "the store is read-only here",
        "open it where it can be written",
    ),
    (
        ("Out of Memory Error",),
        "the store needs more memory than it may have",
        "give it more with SPANWARD_STORE_MEMORY_MIB: what was committed is safe",
    ),
    (
        ("version number",),
        "written by a newer DuckDB than this one",
        "upgrade Spanward, or choose another --store",
    ),
    (
        ("Corrupt", "corrupt", "Could not read enough bytes", "not a valid DuckDB database", "Serialization Error"),
        "not a Spanward store, or damaged",
        "choose another --store, or restore it from a backup",
    ),
    (
        ("database has been invalidated",),
        "the store was closed after a failed write",
        "start again: what was committed is safe",
    ),
)


class StoreError(Exception):
    """The store cannot be opened, read or written. What had been committed before is still there.

    Attributes:
        what: what is wrong, with the path.
        hint: what to do about it.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"{what}; {hint}")
        self.what = what
        self.hint = hint


class StoreInUse(StoreError):
    """Another process has it open."""


class StoreFull(StoreError):
    """The file system is full, or about to be."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what DuckDB and the operating system raise about the store at `path` into a `StoreError`."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise explain(path, str(error)) from error


def explain(path: Path, message: str) -> StoreError:
    """The `StoreError` for a message of DuckDB or the operating system."""
    if any(mark in message for mark in _FULL):
        return full(path, "the disk is full")
    if any(mark in message for mark in _IN_USE):
        return _in_use(path, message)
    for marks, what, hint in _PLAIN:
        if any(mark in message for mark in marks):
            return StoreError(f"{path}: {what}", hint)
    first_line = message.partition("\n")[0]
    return StoreError(f"{path}: {first_line}", "what was committed is safe; if it happens again, please report it")


def full(path: Path, what: str) -> StoreFull:
    """No room: `what` says how little is left."""
    return StoreFull(
        f"{path}: {what}, nothing more was written", "make room, then run it again: it goes on where it stopped"
    )


def _in_use(path: Path, message: str) -> StoreInUse:
    holder = _HOLDER.search(message)
    by = f"process {holder.group(1)}" if holder else "this process already, in another way"
    return StoreInUse(f"{path}: the store is in use by {by}", "stop that first, or choose another --store")
