"""Which rows were told before: the same, compiled and interpreted, as a set says, as long as there is room."""

from __future__ import annotations

import random
from array import array

from sensor.store.told import Told, mixed


def meet(told, ids, table=0, day=20_000, batch=0):
    """The places of those that are remembered."""
    return list(meet_batches(told, ids, batch, table=table, day=day))


def meet_batches(told, ids, batch, since=0, table=0, day=20_000):
    """The batches of those that are remembered, by place."""
    days, numbers = memoryview(array("i", [day] * len(ids))), memoryview(array("Q", ids))
    new, met, batches = told.meet(table, days, numbers, batch, since)
    assert sorted([*new, *met]) == list(range(len(ids)))
    return dict(zip(met, batches, strict=True))


def test_a_row_is_known_from_then_on_in_its_table_and_day():
    told = Told()
    assert meet(told, [5, 6, 5, 0, 2**64 - 1]) == [2]
    assert meet(told, [7, 6, 0, 2**64 - 1]) == [1, 2, 3]
    assert meet(told, [5, 6], table=1) == []
    assert meet(told, [5, 6], day=20_001) == []


def test_many_rows_are_known_as_a_set_knows_them():
    chance, told, known = random.Random(7), Told(), set()
    for _ in range(20):
        ids = [chance.choice((chance.getrandbits(64), chance.randrange(9))) for _ in range(500)]
        expected = [place for place, one in enumerate(ids) if one in known or one in ids[:place]]
        known.update(ids)
        assert meet(told, ids) == expected


def test_the_oldest_are_forgotten_a_generation_at_a_time():
    told = Told(generation=100)
    meet(told, list(range(1, 101)))
    assert meet(told, list(range(101, 200))) == []
    assert meet(told, [1, 100]) == [0, 1]  # of the old generation; remembered anew
    meet(told, list(range(300, 500)))
    assert meet(told, [2, 150]) == []


def test_a_row_is_searched_for_in_the_batch_that_brought_it():
    told = Told(generation=100)
    meet(told, list(range(50)), batch=3)
    meet(told, list(range(50, 100)), batch=4)
    assert meet_batches(told, [60, 70], 5) == {0: 4, 1: 4}
    assert meet_batches(told, [60, 200, 10], 5) == {0: 4, 2: 3}
    assert meet_batches(told, [201, 202], 6) == {}
    assert meet_batches(told, [203, 203], 6) == {1: 6}
    meet(told, list(range(300, 370)), batch=7)
    assert meet_batches(told, [10], 8) == {0: 3}  # remembered anew with the batch that brought it


def test_what_came_before_a_batch_is_forgotten_when_it_is_asked_for_so():
    told = Told(generation=100)
    meet(told, list(range(50)), batch=3)
    meet(told, list(range(50, 100)), batch=4)
    meet(told, list(range(100, 150)), batch=5)  # the others are the old generation now
    assert meet_batches(told, [10, 60, 120, 10], 6, since=4) == {1: 4, 2: 5, 3: 6}
    assert meet_batches(told, [10, 60, 120, 11], 7) == {0: 6, 1: 4, 2: 5, 3: 3}
    assert meet_batches(told, [60, 60], 8, since=8) == {1: 8}
    assert meet_batches(told, [60], 9) == {0: 8}


def test_the_batches_of_what_is_remembered_are_told_and_nothing_is_remembered_by_that():
    told = Told(generation=100)
    meet(told, list(range(50)), batch=3)
    meet(told, list(range(50, 120)), batch=4)
    days, ids = memoryview(array("i", [20_000] * 5)), memoryview(array("Q", [110, 7, 500, 60, 500]))
    for _ in range(2):
        assert list(told.batches(0, days, ids)) == [4, 3, 4]
    meet_batches(told, [7], 6, since=4)
    assert list(told.batches(0, days, ids)) == [4, 6, 4]


def numbered(*columns):
    """A number of each row of some columns of texts."""
    numbers = memoryview(bytearray(8 * len(columns[0]))).cast("Q")
    for texts in columns:
        offsets = [sum(map(len, texts[:row])) for row in range(len(texts) + 1)]
        mixed(numbers, memoryview(array("i", offsets)), memoryview("".join(texts).encode()))
    return list(numbers)


def test_rows_of_equal_texts_have_the_same_number():
    first, again, *others = numbered(["a", "a", "b", "ab", "", "a\0"], ["b1", "b1", "a1", "1", "ab1", "b1"])
    assert first == again
    assert len({first, *others}) == len([first, *others])
