"""Some of the rows of a table."""

from __future__ import annotations

from typing import Any

from sensor.arrays import bits_at, pick, texts_at
from sensor.columns import FLAG, ID, TEXT, Code, Column, Table


def taken(table: Table, at: memoryview) -> Table:
    """The rows that stand at these places, in their order. Nobody asks for lists of texts so."""
    return Table({name: _taken(column, at) for name, column in table.columns.items()})


def _taken(column: Column, at: memoryview) -> Column:
    """Words stay where they are, also those that are wanted no more."""
    first, *texts = column.buffers
    known = None if column.known is None else bits_at(column.known, at)
    if column.kind == TEXT:
        return Column(TEXT, len(at), texts_at(first, texts[0], at), known)
    if column.kind == FLAG:
        return Column(FLAG, len(at), [bits_at(first, at)], known)
    code: Code = "q" if column.kind == ID else column.kind.codes[0]
    made: memoryview[Any] = memoryview(bytearray(first.itemsize * len(at))).cast(code)
    numbers: memoryview[Any] = first.cast("B").cast(code)
    pick(made, numbers, at)
    return Column(column.kind, len(at), [made, *texts], known)
