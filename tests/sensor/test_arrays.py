"""Columns of numbers against what Arrow and Python make of the same, compiled and interpreted."""

from __future__ import annotations

from array import array
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor import arrays as installed
from sensor.rows import PRIME, WORD
from tests.sensor.test_fold_properties import interpreted

COLUMNS = (("word", WORD), ("flag", pa.bool_()), ("number", pa.int32()), ("day", pa.date32()))
CELLS = {
    "word": st.none() | st.sampled_from(["", "a", "\0", "ä" * 99]),
    "flag": st.none() | st.booleans(),
    "number": st.none() | st.integers(-(2**31), 2**31 - 1),
    "day": st.integers(-700_000, 2_900_000),
}
LARGE = [0, 1, 2**32, PRIME - 1, PRIME, 2**64 - 1]

SOURCE = interpreted("arrays")
both = pytest.mark.parametrize("module", [installed, SOURCE], ids=["installed", "interpreted"])


def numbers(module: ModuleType, values: list[int]) -> Any:
    made = module.Numbers()
    for value in values:
        made.add(value)
    return made


@both
@given(data=st.data())
def test_a_column_is_what_arrow_makes_of_the_same_values(module: ModuleType, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 9))
    values = [data.draw(st.lists(CELLS[name], min_size=count, max_size=count)) for name, _ in COLUMNS]
    at = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=40))
    made = module.spread(values, COLUMNS, numbers(module, at))
    for one, column, (_, kind) in zip(made, values, COLUMNS, strict=True):
        one.validate(full=True)
        assert one.type == kind
        plain = pa.array(column, pa.string() if kind == WORD else kind).to_pylist()
        assert one.to_pylist() == [plain[number] for number in at]


@both
@given(
    st.lists(st.tuples(*[st.sampled_from(LARGE) | st.integers(0, 2**64 - 1)] * 2), min_size=1, max_size=5),
    st.lists(st.sampled_from(LARGE) | st.integers(0, 2**64 - 1), min_size=1, max_size=5),
)
def test_ids_are_values_of_linear_functions_modulo_a_prime(
    module: ModuleType, functions: list[tuple[int, int]], hashes: list[int]
) -> None:
    flat = words([number for function in functions for number in function])
    pairs = [(where, what) for where in range(len(functions)) for what in range(len(hashes))]
    at, of = (numbers(module, list(column)) for column in zip(*pairs, strict=True))
    found = module.ids(at, of, flat, words(hashes))
    expected = [(functions[where][0] * hashes[what] + functions[where][1]) % PRIME for where, what in pairs]
    assert list(found) == expected
    assert module.id_array(found).to_pylist() == expected


def words(values: list[int]) -> memoryview:
    """Numbers of 64 bits."""
    return memoryview(bytearray(array("Q", values).tobytes())).cast("Q")


@both
@given(st.lists(st.sampled_from(LARGE) | st.integers(0, 40), min_size=1, max_size=60))
def test_of_equal_ids_the_first_is_found(module: ModuleType, ids: list[int]) -> None:
    first = module.repeats(words(ids), len(ids))
    if len(set(ids)) == len(ids):
        assert first is None
    else:
        assert [first.array(pa.int32())[row].as_py() for row in range(len(ids))] == [ids.index(one) for one in ids]


@both
def test_what_is_beyond_the_end_is_an_error(module: ModuleType) -> None:
    for at in (64, 10**6):
        with pytest.raises((IndexError, OverflowError)):
            numbers(module, [1, 2]).of(numbers(module, [at]))
    with pytest.raises((OverflowError, ValueError)):
        numbers(module, [2**31])


PAIRS = st.tuples(st.integers(0, 40) | st.integers(0, 2**31 - 1), st.integers(0, 40) | st.integers(0, 2**31 - 1))


@both
@given(st.dictionaries(PAIRS, st.integers(0, 2**31 - 1), max_size=200), st.lists(PAIRS, max_size=20))
def test_an_index_is_a_dict_of_pairs(
    module: ModuleType, known: dict[tuple[int, int], int], asked: list[tuple[int, int]]
) -> None:
    index = module.Index()
    for pair, number in known.items():
        assert index.get(*pair) == -1
        index.put(*pair, number)
    assert [index.get(*pair) for pair in known] == list(known.values())
    assert [index.get(*pair) for pair in asked] == [known.get(pair, -1) for pair in asked]


@both
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1), st.sampled_from("iq"))
def test_the_least_and_the_greatest_of_numbers(module: ModuleType, values: list[int], code: str) -> None:
    assert module.extent(array(code, values)) == (min(values), max(values))


@both
@given(st.lists(st.tuples(st.sampled_from([0, 7, 2**64 - 1]), st.integers(-(2**40), 2**40))))
def test_sums_of_numbers_by_key(module: ModuleType, rows: list[tuple[int, int]]) -> None:
    keys, numbers = array("Q", [key for key, _ in rows]), array("q", [number for _, number in rows])
    expected = {key: sum(number for other, number in rows if other == key) for key in keys}
    assert module.sums(memoryview(keys), memoryview(numbers)) == expected


@both
@given(st.lists(st.text(max_size=9)))
def test_the_longest_text(module: ModuleType, texts: list[str]) -> None:
    offsets = [sum(len(text.encode()) for text in texts[:number]) for number in range(len(texts) + 1)]
    assert module.longest(array("i", offsets)) == max((len(text.encode()) for text in texts), default=0)
