"""How far back a table is searched."""

from __future__ import annotations

from sensor.store.growth import ALWAYS, PER_ROW, Growth


def grown(*counts):
    growth = Growth()
    for batch, count in enumerate(counts):
        growth.add(batch, count)
    return growth


def test_rows_are_counted_since_a_batch():
    growth = grown(5, 0, 7, 11)
    assert [growth.since(batch) for batch in (0, 2, 3)] == [23, 18, 11]
    assert growth.total == 23
    assert grown().since(3) == 0


def test_a_table_is_small_as_long_as_it_is_searched_in_any_case():
    assert grown(ALWAYS - 1, 1).is_small
    assert not grown(ALWAYS, 1).is_small


def test_a_batch_that_brings_rows_twice_is_one():
    growth = grown(5)
    growth.add(0, 6)
    growth.add(1, 2)
    assert [growth.since(batch) for batch in (0, 1)] == [13, 2]


def test_the_newest_rows_are_searched_for_a_single_one():
    growth = grown(ALWAYS, 1, ALWAYS - 1)
    assert growth.worth({1: 1}, 3) == 1
    assert growth.worth({0: 1}, 3) == 3
    assert growth.worth({0: 1, 1: 1}, 3) == 1


def test_older_ones_are_searched_where_enough_are_found():
    far = 3 * ALWAYS
    growth, enough = grown(far, far, far), far // PER_ROW + 1
    assert growth.worth({0: 3 * enough}, 3) == 0
    assert growth.worth({0: 2 * enough}, 3) == 3
    assert growth.worth({0: enough, 2: 2 * enough}, 3) == 2
    assert growth.worth({0: 2 * enough, 2: enough}, 3) == 0
    assert growth.worth({}, 3) == 3


def test_it_stays_small_and_counts_old_batches_roughly():
    growth = grown(*[3] * 100_000)
    assert len(growth._batches) < 1_100
    assert growth.since(99_999) == 3
    assert growth.since(0) == 300_000
    for batch in (1_000, 50_000, 99_000):
        assert growth.since(batch) >= 3 * (100_000 - batch)
