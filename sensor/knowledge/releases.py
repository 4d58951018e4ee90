"""Windows releases by build (`tables/windows_releases.csv`): what rules see as table `windows_release`."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from sensor.knowledge import tables
from sensor.knowledge.problems import Problem

TABLE: Final = tables.FOLDER / "windows_releases.csv"
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
    return tables.read(path, _release)


def check(path: Path = TABLE) -> list[Problem]:
    """Every mistake in the table."""
    return tables.check(path, HEADER, _release, lambda release: (release.build, release.product))


def _release(row: list[str]) -> Release:
    build, product, edition, eol, extended, note = tables.columns(row, HEADER)
    if edition not in EDITIONS:
        raise ValueError(f"{edition!r} is no edition")
    if not (build and product and all(part.isdigit() for part in build.split("."))):
        raise ValueError(f"{build!r} is no build")
    ends = date.fromisoformat(extended) if extended else None
    return Release(build, product, edition, date.fromisoformat(eol), ends, note or None)
