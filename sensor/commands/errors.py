"""Errors that end a command, with its exit status, and how they are told. Nothing heavy is imported here."""

from __future__ import annotations

import sys
from contextlib import suppress
from enum import IntEnum


class Status(IntEnum):
    """Exit status of `spanward`."""

    DONE = 0
    CHECK_FAILED = 1
    USAGE = 2
    UNREADABLE = 3
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends the command. `str()` is one line: what, where, what to do."""

    def __init__(self, message: str, status: Status = Status.USAGE) -> None:
        super().__init__(message)
        self.status = status


def note(message: str) -> None:
    """One line on standard error, without control characters. Nothing ends because nobody can be told."""
    with suppress(OSError):  # a terminal that is gone, a full disk
        print(f"spanward: {one_line(message)}", file=sys.stderr)  # noqa: T201


def one_line(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
