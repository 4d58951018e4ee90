"""Statements on rows that are given to them by name, as Arrow's streams.

Values that are inserted are given so, too, where there are several: DuckDB looks for pandas twice for each parameter,
0.1 ms each time where it is not installed. To join them with what is updated would cost twice as much as to look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from sensor.arrowstream import stream
from sensor.columns import Table, table_of
from sensor.store.duck import duckdb
from sensor.store.sql import statement

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


def execute(
    cursor: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, object] = _NOTHING, **rows: Sequence[Table]
) -> None:
    """Run the statement of this name, which can read each of `rows` once; `values` are its parameters.

    Of `rows` there are one or more parts, each with words of its own.
    """
    with _given(cursor, rows):
        cursor.execute(statement(name), dict(values))


def table(columns: Mapping[str, Sequence[object]]) -> list[Table]:
    """Rows, given by columns of which each has values of one kind."""
    return [table_of(columns)]


def row(values: Mapping[str, object]) -> list[Table]:
    """One row."""
    return table({name: [value] for name, value in values.items()})


@contextmanager
def _given(cursor: duckdb.DuckDBPyConnection, rows: Mapping[str, Sequence[Table]]) -> Iterator[None]:
    """Within, one statement can read `rows`, once, by their names.

    Not unregistered on an error: that would be a statement in an aborted transaction, and the cursor ends anyway.
    """
    for name, parts in rows.items():
        cursor.register(name, stream(parts[0].schema, parts))
    yield
    for name in rows:
        cursor.unregister(name)
