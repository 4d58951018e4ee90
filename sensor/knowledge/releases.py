"""Windows releases by build (`tables/windows_releases.csv`): what rules see as table `windows_release`."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from sensor.knowledge.problems import Problem

TABLE: Final = Path(__file__).parent / "tables" / "windows_releases.csv"
HEADER: Final = ["build", "product", "edition", "eol", "extended", "note"]
EDITIONS: Final = frozenset({"general", "enterprise", "server", "embedded", "long-term"})


class Release(NamedTuple):
    """A release of Windows that reports `build`; `eol` ends its security support, `extended` the paid one."""

    build: str
    product: str
    edition: str
    eol: date
    extended: date | None
    note: str | None


@cache
def windows_releases(path: Path = TABLE) -> tuple[Release, ...]:
    """All rows of the table. Raises ValueError when a row is broken."""
    return tuple(_release(row) for _, row in _rows(path)[1:])


def check(path: Path = TABLE) -> list[Problem]:
    """Every mistake in the table: no source on top, other columns, dates that are none, a release twice."""
    rows = _rows(path)
    problems = []
    if not path.read_text(encoding="utf-8").startswith("# "):
        problems.append(Problem(path, 1, "the table does not begin with a comment that says what it is"))
    if not rows or rows[0][1] != HEADER:
        return [*problems, Problem(path, rows[0][0] if rows else 0, f"the columns are not {', '.join(HEADER)}")]
    seen: set[tuple[str, str]] = set()
    for line, row in rows[1:]:
        try:
            release = _release(row)
        except ValueError as error:
            problems.append(Problem(path, line, str(error)))
            continue
        if (release.build, release.product) in seen:
            problems.append(Problem(path, line, f"{release.product} stands twice for build {release.build}"))
        seen.add((release.build, release.product))
    return problems


def _release(row: list[str]) -> Release:
    if len(row) != len(HEADER):
        raise ValueError(f"{len(row)} columns, not {len(HEADER)}")
    build, product, edition, eol, extended, note = row
    if edition not in EDITIONS:
        raise ValueError(f"{edition!r} is no edition")
    if not (build and product and all(part.isdigit() for part in build.split("."))):
        raise ValueError(f"{build!r} is no build")
    ends = date.fromisoformat(extended) if extended else None
    return Release(build, product, edition, date.fromisoformat(eol), ends, note or None)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The rows with their line numbers, without comments."""
    lines = [
        (number, line)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if line and not line.startswith("#")
    ]
    return list(zip((number for number, _ in lines), csv.reader(line for _, line in lines), strict=True))
