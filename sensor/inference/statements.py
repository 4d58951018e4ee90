"""The SQL of this folder: one statement a file, run by name. Nothing is built from strings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from sensor.arrowstream import stream
from sensor.columns import table_of
from sensor.store.duck import duckdb

FOLDER: Final = Path(__file__).parent / "sql"
PARAMETER: Final = re.compile(r"\$([a-z_]+)")


@cache
def statement(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def run(connection: duckdb.DuckDBPyConnection, name: str, **parameters: object) -> list[tuple[Any, ...]]:
    """Execute `sql/<name>.sql` with named parameters and fetch all rows."""
    return run_text(connection, statement(name), parameters)


def run_text(connection: duckdb.DuckDBPyConnection, text: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Execute SQL with those of `parameters` that it names, and fetch all rows."""
    named = set(PARAMETER.findall(text))
    bound = {key: value for key, value in parameters.items() if key in named}
    return connection.execute(text, bound).fetchall() if bound else connection.execute(text).fetchall()


def fill(connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Execute the INSERT `sql/<name>.sql`, which reads `rows` as the relation `incoming`."""
    if not rows:
        return
    columns = {f"c{position:02}": list(column) for position, column in enumerate(zip(*rows, strict=True))}
    told = table_of(columns)
    connection.register("incoming", stream(told.schema, [told]))
    try:
        connection.execute(statement(name))
    finally:
        connection.unregister("incoming")
