"""What is handed over stays where it is until whoever took it has done with it, and no longer."""

from __future__ import annotations

import gc
import weakref

import duckdb
import pyarrow as pa
import pytest

from sensor import arrowstream
from sensor.arrowstream import stream
from sensor.columns import COUNT, TEXT, TEXTS, WORD, Column, Table, column_of
from tests.tables import arrow

KINDS = {"numbers": COUNT, "words": WORD, "lists": TEXTS, "texts": TEXT}
ITEMS = {"numbers": [1, None, 3], "words": ["a", None, "b"], "lists": [["a"], None, []], "texts": ["a", None, "ä"]}


class Held(bytearray):
    """Memory of which it can be seen whether it is there."""


def table() -> Table:
    return Table({name: column_of(kind, ITEMS[name]) for name, kind in KINDS.items()})


@pytest.fixture(autouse=True)
def nothing_stays():
    before = dict(arrowstream._lent), dict(arrowstream._streams)
    yield
    gc.collect()
    assert (arrowstream._lent, arrowstream._streams) == before


def test_duckdb_reads_it():
    with duckdb.connect() as connection:
        connection.register("incoming", stream(table().schema, [table(), table()]))
        assert connection.execute("FROM incoming").fetchall() == list(zip(*ITEMS.values(), strict=True)) * 2
        connection.unregister("incoming")


def test_without_rows_there_are_none():
    empty = Table({name: column_of(kind, []) for name, kind in KINDS.items()})
    with duckdb.connect() as connection:
        for parts in ([], [empty], [empty, table()]):
            connection.register("incoming", stream(empty.schema, parts))
            (count,) = connection.execute("SELECT count(*) FROM incoming").fetchone()
            assert count == (3 if len(parts) == 2 else 0)
            connection.unregister("incoming")


def test_what_nobody_takes_is_let_go_of():
    capsule = stream(table().schema, [table()])
    assert len(arrowstream._lent) > 4
    del capsule


def test_what_is_left_after_an_error_is_let_go_of():
    connection = duckdb.connect()
    connection.register("incoming", stream(table().schema, [table()]))
    with pytest.raises(duckdb.Error):
        connection.execute("SELECT nothing FROM incoming")
    connection.close()


def test_memory_is_there_as_long_as_somebody_looks_at_it():
    """The whole, or one column of it."""
    memory = Held(8 * 3)
    told = Table({"a": Column(COUNT, 3, [memory]), "b": column_of(WORD, ["x", "y", "x"])})
    there = weakref.ref(memory)
    read = arrow(told)
    del memory, told
    gc.collect()
    assert there() is not None
    column = read["b"].chunk(0)
    del read
    gc.collect()
    assert column.to_pylist() == ["x", "y", "x"]
    del column
    gc.collect()
    assert there() is None


def test_a_column_may_be_taken_by_itself():
    """Who takes one out of a table notes there that it is gone: what is left is released without it."""
    array = pa.RecordBatchReader._import_from_c_capsule(stream(table().schema, [table()])).read_next_batch()
    words = array.column(1)
    del array
    gc.collect()
    assert words.to_pylist() == ITEMS["words"]
