"""SQL lives in files, one statement each; this reads them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parent
_NUMBERED: Final = re.compile(r"(\d{4})_\w+\.sql")


@cache
def statement(name: str) -> str:
    """The statement in `<name>.sql` of this package, for example `merge/fact_attribute`."""
    return PACKAGE.joinpath(f"{name}.sql").read_text(encoding="utf-8")


@cache
def migrations() -> tuple[tuple[int, str], ...]:
    """(number, file name) of every migration, in order."""
    names = (_NUMBERED.fullmatch(file.name) for file in PACKAGE.joinpath("schema").iterdir())
    return tuple(sorted((int(name.group(1)), name.group(0)) for name in names if name))


@cache
def views() -> tuple[str, ...]:
    """Names of the documented views."""
    return tuple(sorted(file.name.removesuffix(".sql") for file in _sql_files("views")))


@cache
def of_views() -> tuple[str, ...]:
    """Statements that make the views, in order, after the macros and views that they use."""
    kept = sorted(f"kept/{file.stem}" for file in _sql_files("kept"))
    return ("macros", *kept, *(f"views/{name}" for name in views()))


@cache
def tables() -> tuple[str, ...]:
    """Names of the tables that a reading contributes to, and that a batch may fill."""
    own = ("batch", "capture", "mirror_warning")
    return tuple(sorted(name for file in _sql_files("forget") if (name := file.name.removesuffix(".sql")) not in own))


def _sql_files(folder: str) -> list[Path]:
    return list(PACKAGE.joinpath(folder).glob("*.sql"))
