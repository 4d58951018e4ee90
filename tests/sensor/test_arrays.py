"""Columns of numbers against what pyarrow and Python make of the same, compiled and interpreted."""

from __future__ import annotations

from array import array
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor import arrays as installed
from sensor.columns import DAY, FLAG, NUMBER, TEXT, WORD, Column, Table, column_of, text_buffers, values
from sensor.rows import PRIME
from tests.sensor.test_fold_properties import interpreted
from tests.tables import arrow

COLUMNS = (("word", WORD), ("flag", FLAG), ("number", NUMBER), ("day", DAY))
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
    columns = [data.draw(st.lists(CELLS[name], min_size=count, max_size=count)) for name, _ in COLUMNS]
    at = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=40))
    made = module.spread(columns, COLUMNS, numbers(module, at))
    for one, column, (_, kind) in zip(made, columns, COLUMNS, strict=True):
        assert one.kind == kind
        assert list(values(one)) == [column[number] for number in at]
        whole = arrow(Table({"": column_of(kind, column)}))[""].to_pylist()
        assert arrow(Table({"": one}))[""].to_pylist() == [whole[number] for number in at]


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
    assert list(values(module.id_column(found))) == expected


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
        assert list(values(first.column(NUMBER))) == [ids.index(one) for one in ids]


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
@given(st.lists(st.text(max_size=9), min_size=1), st.data())
def test_how_much_words_come_to(module: ModuleType, texts: list[str], data: st.DataObject) -> None:
    said = data.draw(st.lists(st.sampled_from(texts) | st.none(), max_size=40))
    column = column_of(WORD, said)
    exact = sum(len(text.encode()) for text in said if text)
    assert module.spoken(*column.buffers[:2], column.known) == exact


@both
@given(st.lists(st.integers(-9, 9), max_size=5))
def test_offsets_rise_or_not(module: ModuleType, offsets: list[int]) -> None:
    assert module.rises(memoryview(array("i", offsets))) == (offsets == sorted(offsets))


@both
@given(st.text(alphabet="aä€𝄞", max_size=9), st.data())
def test_an_offset_within_a_character_is_found(module: ModuleType, text: str, data: st.DataObject) -> None:
    whole = text.encode()
    at = data.draw(st.lists(st.integers(0, len(whole)), max_size=4))
    begins = {len(text[:number].encode()) for number in range(len(text) + 1)}
    assert module.splits(memoryview(array("i", at)), memoryview(whole)) == (not begins.issuperset(at))


@both
@given(st.lists(st.booleans(), min_size=1, max_size=40), st.data())
def test_bits_and_numbers_are_picked(module: ModuleType, flags: list[bool], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(flags) - 1), max_size=40))
    at = memoryview(array("i", places))
    picked = module.bits_at(column_of(FLAG, flags).buffers[0], at)
    assert list(values(Column(FLAG, len(places), [picked]))) == [flags[place] for place in places]
    for code in "hiqd":
        made = array(code, bytes(array(code).itemsize * len(places)))
        module.pick(memoryview(made), memoryview(array(code, range(len(flags)))), at)
        assert list(made) == places


@both
@given(st.lists(st.text(alphabet="aä", max_size=3), min_size=1, max_size=20), st.data())
def test_texts_are_picked(module: ModuleType, texts: list[str], data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=20))
    picked = module.texts_at(*text_buffers(texts), memoryview(array("i", places)))
    assert list(values(Column(TEXT, len(places), picked))) == [texts[place] for place in places]


@both
def test_texts_that_are_too_long_together_are_an_error(module: ModuleType) -> None:
    offsets = memoryview(array("i", [0, 2**30]))  # what they say is not looked for before it is found too much
    with pytest.raises(OverflowError):
        module.texts_at(offsets, memoryview(b""), memoryview(array("i", [0, 0])))


@both
def test_places_that_are_none_are_errors(module: ModuleType) -> None:
    for place in (8, -9, 2**31 - 1):
        with pytest.raises(IndexError):
            module.bits_at(memoryview(bytearray(1)), memoryview(array("i", [place])))
        with pytest.raises(IndexError):
            module.pick(memoryview(array("q", [0])), memoryview(array("q", range(8))), memoryview(array("i", [place])))
        with pytest.raises(IndexError):
            module.texts_at(*text_buffers(["a"]), memoryview(array("i", [place])))
