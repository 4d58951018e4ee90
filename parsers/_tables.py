"""The rows of the code tables in `tables/`: CSV files whose header lines begin with # and name source and date."""

from __future__ import annotations

import csv
from importlib.resources import files


def rows(name: str) -> list[list[str]]:
    """All rows of a table but its headings."""
    text = (files("parsers") / "tables" / name).read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return list(csv.reader(lines[1:]))
