"""The terminal: tables and pages for people, progress only where somebody watches, and nothing hostile from the wire.

Names in facts are chosen by whoever sends them. They never reach the terminal as markup or as control characters: all
text goes through `plain`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.progress import Progress

PIPE_COLUMNS = 100
PAGE_COLUMNS = 100
_WHOLE = frozenset({"explain", "sha256", "severity", "addresses"})
SEVERITY_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "info": "dim",
}


def console() -> Console:
    """Standard output: coloured on a terminal, 100 columns of plain text in a pipe."""
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else PIPE_COLUMNS
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def plain(value: object, style: str = "") -> Text:
    """A value from the store as harmless text; None is a dash."""
    text = "-" if value is None or value == "" else str(value)
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text), style)


def severity(name: object) -> Text:
    """A severity in its colour."""
    return plain(name, SEVERITY_STYLES.get(str(name), ""))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> Table:
    """A table without frames: it survives a pipe and copying into a mail."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        # An id is there to be copied: it stays whole.
        whole = column.endswith(" id") or column in _WHOLE
        made.add_column(column, justify="right" if column in right else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else plain(cell) for cell in row))
    return made


def some(values: Sequence[str], count: int) -> str:
    """The first values, and how many more there are."""
    rest = len(values) - count
    return ", ".join(values[:count]) + (f" +{rest}" if rest > 0 else "")


def some_addresses(addresses: Sequence[str]) -> str:
    """As many addresses as leave room for other columns: one of IPv6, two of IPv4."""
    return some(addresses, 2 if all(len(address) <= len("255.255.255.255") for address in addresses) else 1)


def short_label(label: str, vendor: str | None, model: str | None) -> str:
    """A device's label without the vendor and model that stand in the columns beside it."""
    return label.removesuffix(f" ({' '.join(part for part in (vendor, model) if part)})")


def heading(out: Console, text: str, aside: str = "") -> None:
    """A heading with a remark beside it."""
    out.print()
    out.print(Text.assemble((text, "bold"), ("  " + aside if aside else "", "dim")))


def lines(out: Console, pairs: Iterable[tuple[str, object]]) -> None:
    """`name: value` lines of a page."""
    for name, value in pairs:
        paragraph(out, Text.assemble(plain(f"{name}: ", "dim"), plain(value)))


def paragraph(out: Console, text: Text) -> None:
    """Text of a page, indented, no wider than can be read."""
    out.print(Padding(text, (0, 0, 0, 2), expand=False), width=min(out.width, PAGE_COLUMNS))


@contextmanager
def progress(total: int) -> Iterator[Progress | None]:
    """A progress bar on standard error, or None where nobody watches."""
    if not sys.stderr.isatty() or total == 0:
        yield None
        return
    from rich.progress import (  # noqa: PLC0415 - 10 ms, for those who watch
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, markup=False, highlight=False), transient=True) as bar:
        yield bar
