"""Statements on rows that are given to them by name, as Arrow's streams.

Values that are inserted are given so, too, where there are several: DuckDB looks for pandas twice for each parameter,
0.1 ms each time where it is not installed. To join them with what is updated would cost twice as much as to look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType, NoneType
from typing import Final

import pyarrow as pa

from sensor.store.duck import duckdb
from sensor.store.sql import statement

_TYPES: Final = {
    NoneType: pa.null(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us"),
    int: pa.int64(),
    str: pa.string(),
}  # said, because Arrow looks for dateutil whenever it has to find out
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


def execute(
    cursor: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, object] = _NOTHING, **rows: pa.Table
) -> None:
    """Run the statement of this name, which can read each of `rows` once; `values` are its parameters."""
    with _given(cursor, rows):
        cursor.execute(statement(name), dict(values))


def select(
    cursor: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, object] = _NOTHING, **rows: pa.Table
) -> pa.Table:
    """What the query of this name finds."""
    with _given(cursor, rows):
        return cursor.execute(statement(name), dict(values)).to_arrow_table()


def table(columns: Mapping[str, Sequence[object]]) -> pa.Table:
    """Rows, given by columns of which each has values of one kind, and one at least."""
    return pa.table({name: pa.array(values, _TYPES[type(values[0])]) for name, values in columns.items()})


def row(values: Mapping[str, object]) -> pa.Table:
    """One row."""
    return table({name: [value] for name, value in values.items()})


@contextmanager
def _given(cursor: duckdb.DuckDBPyConnection, rows: Mapping[str, pa.Table]) -> Iterator[None]:
    """Within, one statement can read `rows`, once, by their names.

    They are given as a bare stream: for a table DuckDB would import Arrow's datasets, 40 ms. Each part of a stream has
    dictionaries of its own. Not unregistered on an error: that would be a statement in an aborted transaction, and the
    cursor ends anyway.
    """
    for name, table in rows.items():
        cursor.register(name, table.__arrow_c_stream__())
    yield
    for name in rows:
        cursor.unregister(name)
