"""Columns say what was put into them, to us and to pyarrow, with and without what is missing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.columns import (
    COUNT,
    DAY,
    FLAG,
    FLOAT,
    ID,
    NOTHING,
    NUMBER,
    TEXT,
    TEXTS,
    TIME,
    WORD,
    Kind,
    Table,
    column_of,
    constant,
    known_count,
    table_of,
    values,
)
from tests.tables import arrow

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the store's times are naive UTC
TEXTS_OF = st.text(max_size=9).filter(lambda text: text.isprintable())
KINDS: dict[Kind, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    FLAG: (pa.bool_(), st.booleans()),
    NUMBER: (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    COUNT: (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    ID: (pa.uint64(), st.integers(0, 2**64 - 1)),
    FLOAT: (pa.float64(), st.floats(allow_nan=False)),
    DAY: (pa.date32(), st.dates()),
    TIME: (pa.timestamp("us"), st.datetimes()),
    TEXT: (pa.string(), TEXTS_OF),
    WORD: (pa.dictionary(pa.int16(), pa.string()), st.sampled_from(["", "a", "bc", "\0", "ä" * 99])),
    TEXTS: (pa.list_(pa.string()), st.lists(TEXTS_OF, max_size=3)),
    NOTHING: (pa.null(), st.none()),
}
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(KINDS[kind][0]))


def plain(item: object) -> object:
    """As `values` says it: times and days as numbers."""
    if isinstance(item, datetime):
        return (item - EPOCH) // timedelta(microseconds=1)
    return (item - EPOCH.date()).days if isinstance(item, date) else item


@kinds
@given(data=st.data())
def test_a_column_says_what_was_put_into_it(kind: Kind, data: st.DataObject) -> None:
    of, one = KINDS[kind]
    parts = data.draw(st.lists(st.lists(one | st.none(), max_size=20), min_size=1, max_size=3))
    made = [column_of(kind, items) for items in parts]
    assert [list(values(column)) for column in made] == [[plain(item) for item in items] for items in parts]
    assert [known_count(column) for column in made] == [sum(item is not None for item in items) for items in parts]
    read = arrow(*(Table({"ä": column}) for column in made))
    assert read.schema.field("ä").type == of
    assert read["ä"].to_pylist() == [item for items in parts for item in items]


@given(st.lists(TEXTS_OF, max_size=9))
def test_texts_are_bytes(texts: list[str]) -> None:
    offsets, characters = column_of(TEXT, texts).buffers
    assert [str(characters[start:end], "utf-8") for start, end in pairwise(offsets)] == texts


def test_what_values_are_is_found_out() -> None:
    told = {
        "a": [None, True], "b": [1, None], "c": [1.5], "d": ["x"], "e": [EPOCH], "f": [EPOCH.date()], "g": [["x"]],
        "h": [None],
    }  # fmt: skip
    found = [column.kind for column in table_of(told).columns.values()]
    assert found == [FLAG, COUNT, FLOAT, TEXT, TIME, DAY, TEXTS, NOTHING]
    with pytest.raises(StopIteration):
        table_of({"a": [object()]})


def test_a_constant_is_the_same_in_all_rows() -> None:
    assert [list(values(constant(7, count))) for count in (0, 3)] == [[], [7, 7, 7]]


def test_what_a_table_takes_is_what_its_buffers_take() -> None:
    table = table_of({"a": [None, True], "b": [1, 2], "c": ["ab", "c"]})
    assert table.size_bytes == 2 + 16 + 3 * 4 + 3
    assert table.row_count == 2
