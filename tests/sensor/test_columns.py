"""Columns read in place say what Arrow says of them, wherever an array begins, with and without what is missing."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.columns import places, texts_in_place, values
from sensor.rows import WORD

NUMBERS = {
    pa.int16(): (-(2**15), 2**15 - 1),
    pa.int32(): (-(2**31), 2**31 - 1),
    pa.int64(): (-(2**63), 2**63 - 1),
    pa.uint64(): (0, 2**64 - 1),
    pa.timestamp("us"): (-(2**63), 2**63 - 1),
    pa.date32(): (-(2**31), 2**31 - 1),
}


@pytest.mark.parametrize(("kind", "bounds"), NUMBERS.items(), ids=str)
def test_numbers_times_and_days_are_numbers(kind, bounds):
    chunks = [[*bounds, 7], [], [None, 1], [3]]
    column = pa.chunked_array([pa.array(chunk, kind) for chunk in chunks], kind)
    assert values(column) == [number for chunk in chunks for number in chunk]
    assert values(column.slice(1, 4)) == [bounds[1], 7, None, 1]


@given(st.lists(st.sampled_from(["", "a", "bc", None]), max_size=12), st.integers(0, 5), st.integers(0, 12))
def test_words_are_texts(words, begin, count):
    whole = pa.array(words, WORD)
    part = whole.slice(begin, count)
    assert values(pa.chunked_array([whole, part], WORD)) == words + words[begin : begin + count]
    assert [None if place < 0 else whole.dictionary[place].as_py() for place in places(part)] == part.to_pylist()


def test_a_word_that_is_none_is_none():
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int16()), pa.array(["a", None]))
    assert values(pa.chunked_array([words])) == ["a", None, None]


@pytest.mark.parametrize(("items", "kind"), [(["a", None], pa.string()), ([True, None], pa.bool_())], ids=str)
def test_all_else_is_what_arrow_makes_of_it(items, kind):
    assert values(pa.chunked_array([pa.array(items, kind)])) == items


@given(st.lists(st.text(max_size=9), max_size=9), st.integers(0, 5), st.integers(0, 9))
def test_texts_are_bytes(texts, begin, count):
    part = pa.array(texts, pa.string()).slice(begin, count)
    offsets, characters = texts_in_place(part)
    spans = pairwise(offsets)
    assert [str(characters[start:end], "utf-8") for start, end in spans] == texts[begin : begin + count]
