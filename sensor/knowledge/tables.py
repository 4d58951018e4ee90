"""Tables of knowledge (`tables/*.csv`): a comment on top that names source and date, a header, rows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Final, TypeVar

from sensor.knowledge.problems import Problem

FOLDER: Final = Path(__file__).parent / "tables"
Row = TypeVar("Row")


def read(path: Path, made: Callable[[list[str]], Row]) -> tuple[Row, ...]:
    """All rows, each made by `made`. Raises ValueError when one is broken."""
    return tuple(made(row) for _, row in _rows(path)[1:])


def check(
    path: Path, header: list[str], made: Callable[[list[str]], Row], key: Callable[[Row], Hashable]
) -> list[Problem]:
    """Every mistake in a table: no source on top, other columns, broken rows, a row whose `key` was there before."""
    rows = _rows(path)
    problems = []
    if not path.read_text(encoding="utf-8").startswith("# "):
        problems.append(Problem(path, 1, "the table does not begin with a comment that says what it is"))
    if not rows or rows[0][1] != header:
        return [*problems, Problem(path, rows[0][0] if rows else 0, f"the columns are not {', '.join(header)}")]
    seen: set[Hashable] = set()
    for line, row in rows[1:]:
        try:
            found = key(made(row))
        except ValueError as error:
            problems.append(Problem(path, line, str(error)))
            continue
        if found in seen:
            problems.append(Problem(path, line, f"{' '.join(map(str, row[:2]))} stands twice"))
        seen.add(found)
    return problems


def columns(row: list[str], header: list[str]) -> list[str]:
    """The row, if it has as many columns as the header. Raises ValueError."""
    if len(row) != len(header):
        raise ValueError(f"{len(row)} columns, not {len(header)}")
    return row


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The rows with their line numbers, without comments."""
    lines = [
        (number, line)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if line and not line.startswith("#")
    ]
    return list(zip((number for number, _ in lines), csv.reader(line for _, line in lines), strict=True))
