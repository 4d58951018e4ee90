"""A mistake in a data file, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Problem(NamedTuple):
    """What is wrong in a rule, fingerprint or word list. `line` counts from 1; 0 = the file as a whole."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"
