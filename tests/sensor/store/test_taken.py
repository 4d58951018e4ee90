"""Some rows of a table are those that pyarrow takes."""

from __future__ import annotations

from array import array

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sensor.columns import COUNT, DAY, FLAG, ID, NUMBER, TEXT, TIME, WORD, Table, column_of
from sensor.store.taken import taken
from tests.tables import arrow

WORDS = st.sampled_from(["", "a", "ä" * 9])
KINDS = {
    FLAG: st.booleans(),
    NUMBER: st.integers(-(2**31), 2**31 - 1),
    COUNT: st.integers(-(2**63), 2**63 - 1),
    ID: st.integers(0, 2**64 - 1),
    DAY: st.dates(),
    TIME: st.datetimes(),
    TEXT: WORDS,
    WORD: WORDS,
}


@given(st.data())
def test_rows_that_are_taken(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 20))
    items = {kind: data.draw(st.lists(one | st.none(), min_size=count, max_size=count)) for kind, one in KINDS.items()}
    table = Table({kind.arrow.decode(): column_of(kind, some) for kind, some in items.items()})
    at = data.draw(st.lists(st.integers(0, count - 1), min_size=1))
    assert arrow(taken(table, memoryview(array("i", at)))).to_pylist() == arrow(table).take(pa.array(at)).to_pylist()
