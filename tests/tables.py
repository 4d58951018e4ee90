"""Tables of ours as lists of rows, and back: read by pyarrow, which has no part in how they are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from sensor.arrowstream import stream
from sensor.columns import Schema, Table, column_of
from sensor.rows import SCHEMAS
from sensor.wire import table_pieces


class _Given:
    def __init__(self, schema: Schema, parts: Sequence[Table]) -> None:
        self._given = schema, parts

    def __arrow_c_stream__(self, _: object = None) -> object:
        return stream(*self._given)


def arrow(*parts: Table) -> pa.Table:
    """What pyarrow reads where these lie."""
    read = pa.table(_Given(parts[0].schema, parts))
    read.validate(full=True)
    return read


def told(*parts: Table) -> list[dict[str, Any]]:
    """What these tables say, row by row."""
    return arrow(*parts).to_pylist()  # type: ignore[no-any-return]


def made(name: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Rows of `SCHEMAS[name]`; what they do not say is nothing. MAC addresses may be texts."""
    return Table(
        {field: column_of(kind, [_value(field, row) for row in rows]) for field, kind in SCHEMAS[name].items()}
    )


def _value(field: str, row: dict[str, Any]) -> Any:
    value = row.get(field)
    return int(value.replace(":", ""), 16) if field.endswith("mac") and isinstance(value, str) else value


def packed(name: str, rows: Table) -> bytes:
    """The payload of a TABLE frame."""
    return b"".join(table_pieces(name, rows))
