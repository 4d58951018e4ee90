"""The rows of the code tables in `tables/`: CSV files whose header lines begin with # and name source and date."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "tables"


def rows(name: str) -> list[list[str]]:
    """All rows of a table but its headings."""
    text = (_FOLDER / name).read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return list(csv.reader(lines[1:]))
