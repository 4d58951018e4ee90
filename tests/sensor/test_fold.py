"""Folding: one row per fact and day, the same rows however the facts come, and a bound on what can be invented."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.core import Attribute, Certificate, Field, Side, Subject
from sensor.budget import COUNTED_BYTES, PLACE_BYTES, ROW_BYTES, SEEN_BYTES
from sensor.columns import Table
from sensor.engine.seen import Words
from sensor.fold import SUBJECT, VALUES_MAX, Fold
from sensor.rows import DAY_US, HOUR_US, QUALITY, SCHEMAS
from sensor.sighting import Ends, Quality, Said, statement
from tests.sensor.store.facts import attributes_of
from tests.tables import told

NAME = Field("test.name", "none")
A, B = (b"\x0a\0\0\1", 1), (b"\x0a\0\0\2", 2)
ENDS = Ends(6, 0, A, B, 104)
SCOPES = ("default",)


def saying(value: str, ts_us: int, *, port: int = 50_000, frame: int = 1, ends: Ends = ENDS, **lacks: bool) -> Said:
    fact: Attribute = NAME(Subject(Side.INITIATOR), value)
    return statement(ts_us, frame, ends, port, "test", Words((fact,)), Quality(**lacks))


def rows(fold: Fold, table: str) -> list[dict[str, Any]]:
    found: dict[str, Table] = dict(fold.drain())
    if table == "fact_attribute":
        return attributes_of(found.items())
    return told(found[table]) if table in found else []


def test_one_row_per_fact_and_day() -> None:
    fold = Fold(SCOPES)
    for ts in (HOUR_US, 3 * HOUR_US, DAY_US + HOUR_US):
        fold.add(saying("x", ts, port=50_000 + ts % 7))
    first, second = sorted(rows(fold, "fact_attribute"), key=lambda row: row["day"])
    assert (first["n"], first["hours"]) == (2, 0b1010)
    assert (second["n"], second["hours"]) == (1, 0b10)
    assert first["id"] != second["id"]
    assert "50000" not in str(first), "an ephemeral port is no key"


@given(st.permutations([("x", 1), ("y", 2), ("x", 3), ("x", DAY_US), ("z", 5)]), st.integers(1, 4))
def test_order_and_batches_do_not_matter(order: list[tuple[str, int]], cut: int) -> None:
    def merged(*batches: list[tuple[str, int]]) -> dict[int, tuple[int, int, int]]:
        fold, total = Fold(SCOPES), {}
        for batch in batches:
            for value, ts in batch:
                fold.add(saying(value, ts))
            for row in rows(fold, "fact_attribute"):
                n, first, last = total.get(row["id"], (0, row["first_ts"], row["last_ts"]))
                total[row["id"]] = (n + row["n"], min(first, row["first_ts"]), max(last, row["last_ts"]))
        return total

    assert merged(order) == merged(order[:cut], order[cut:]) == merged(sorted(order))


SIGHTS = [{"gap": True}, {"midstream": True}, {"one_sided": True, "gap": True}, {"truncated": True}]


@given(st.permutations([*SIGHTS, {"duplicate": True}]))
def test_evidence_is_of_the_first_sight_and_quality_of_the_one_that_lacks_least(sights: list[dict[str, bool]]) -> None:
    fold = Fold(SCOPES)
    for number, lacks in enumerate(sights):
        fold.add(saying("x", 10 + number, frame=7 + number, **lacks))
    (row,) = rows(fold, "fact_attribute")
    assert (row["frame"], {name for name in QUALITY if row[name]}) == (7, {"duplicate"})


def test_invented_values_are_capped_per_day() -> None:
    fold = Fold(SCOPES)
    for number in range(3 * VALUES_MAX):
        fold.add(saying(f"v{number}", number))
    tables = dict(fold.drain())
    assert tables["fact_attribute"].row_count == VALUES_MAX
    (overflow,) = told(tables["fact_anomaly"])
    assert (overflow["code"], overflow["n"]) == ("value_overflow", 2 * VALUES_MAX)
    fold.add(saying("v0 of the next day", DAY_US))
    assert rows(fold, "fact_attribute") != []


@pytest.mark.parametrize("goes_on", [True, False])
def test_subjects_are_forgotten_that_have_said_nothing_for_long(goes_on: bool) -> None:
    fold = Fold(SCOPES, held_max=40 * SUBJECT)
    for number in range(VALUES_MAX):
        fold.add(saying(f"v{number}", number))
    for number in range(200):
        list(fold.drain())
        fold.add(saying("x", number, ends=Ends(6, 0, (number.to_bytes(4, "big"), 7), B, 104)))
        if goes_on:
            fold.add(saying("v1", number))
    list(fold.drain())
    fold.add(saying("one more", 1))
    assert bool(rows(fold, "fact_attribute")) is not goes_on


def test_what_many_subjects_have_said_takes_no_more_room() -> None:
    fold = Fold(SCOPES, held_max=1_000)

    def held_after(first: int, last: int) -> int:
        for number in range(first, last):
            ends = Ends(6, 0, (number.to_bytes(4, "big"), number), B, 104)
            for value in range(8):
                fold.add(saying(f"v{value}", 1, ends=ends))
            if number % 50 == 0:
                fold.drain()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = held_after(0, 400)
        assert held_after(400, 2_000) - before < 200_000
    finally:
        tracemalloc.stop()


def test_a_certificate_is_sent_once_and_far_dates_are_cut() -> None:
    fold = Fold(SCOPES)
    fact = Certificate(Subject(Side.RESPONDER), "server", 0, "ab", not_before=-(10**15), not_after=10**15)
    shown = statement(1, 1, ENDS, 50_000, "tls", Words((fact,)), Quality())
    fold.add(shown)
    (row,) = rows(fold, "certificate")
    assert (row["not_before"].year, row["not_after"].year) == (1, 9999)
    fold.add(shown)
    assert set(dict(fold.drain())) == {"place", "fact_certificate"}


def test_tables_have_the_columns_of_the_store() -> None:
    assert all(table.schema == SCHEMAS[name] for name, table in _filled().items())


def _filled() -> dict[str, Table]:
    fold = Fold(SCOPES)
    fold.add(saying("x", 1))
    return dict(fold.drain())


def known(*values: str) -> Words:
    return Words(tuple(NAME(Subject(Side.INITIATOR), value) for value in values), known=True)


def test_known_words_count_as_one_and_with_what_is_said_by_itself() -> None:
    words = known("x", "y")
    fold = Fold(SCOPES)
    for ts in (5, 3, 9):
        fold.add(statement(ts, ts, ENDS, 50_000, "test", words, Quality(gap=True)))
    fold.add(saying("y", 1))
    found = {row["value"]: row for row in rows(fold, "fact_attribute")}
    assert {value: row["n"] for value, row in found.items()} == {"x": 3, "y": 4}
    assert (found["x"]["first_ts"].microsecond, found["x"]["last_ts"].microsecond, found["x"]["gap"]) == (3, 9, True)
    assert not found["y"]["gap"]
    assert (found["y"]["first_ts"].microsecond, found["y"]["last_ts"].microsecond, found["y"]["frame"]) == (1, 9, 1)


def test_known_words_are_capped_as_all_are() -> None:
    fold = Fold(SCOPES)
    for _ in range(2):
        for number in range(VALUES_MAX):
            fold.add(statement(1, 1, ENDS, 50_000, "test", known(f"a{number}", f"b{number}"), Quality()))
    tables = dict(fold.drain())
    assert tables["fact_attribute"].row_count == VALUES_MAX
    (overflow,) = told(tables["fact_anomaly"])
    assert overflow["n"] == 2 * VALUES_MAX


@pytest.mark.parametrize("rows_max", [1, 2, 7])
def test_parts_hold_all_rows(rows_max: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def filled() -> Fold:
        fold = Fold(SCOPES)
        for number in range(9):
            words = known(f"x{number}", "y")
            fold.add(statement(number, 1, Ends(6, 0, A, B, number % 4), 50_000, "test", words, Quality(gap=number > 5)))
            fold.add(saying(f"z{number}", number))
        return fold

    whole = rows(filled(), "fact_attribute")
    monkeypatch.setattr("sensor.folded.PART_ROWS", rows_max)
    parts = list(filled().drain())
    for table in ("place", "attribute", "fact_attribute"):
        counts = [part.row_count for name, part in parts if name == table]
        assert len(counts) > (rows_max < 7 or table == "fact_attribute")
        assert max(counts) <= rows_max
    assert attributes_of(parts) == whole


def test_long_texts_are_bounded_too() -> None:
    fold = Fold(SCOPES)
    fold.room_bytes = 100 << 10
    for number in range(400):
        fold.add(statement(1, 1, ENDS, 50_000, "test", known(f"{number}".ljust(500, "x")), Quality()))
    assert 250 < fold.text_bytes / fold.row_count < 350, "a text of a fact has at most 256 characters"
    assert 100 << 10 < fold.held_bytes < 102 << 10
    assert fold.row_count + fold.lost == 400


def test_what_nobody_takes_is_bounded_and_counted() -> None:
    fold = Fold(SCOPES)
    fold.room_bytes = 5 * (PLACE_BYTES + COUNTED_BYTES + SEEN_BYTES + ROW_BYTES)
    for number in range(8):
        fold.add(statement(1, 1, Ends(6, 0, A, B, number), 50_000, "test", known("x"), Quality()))
    count, lost = fold.row_count, fold.lost
    assert count in {3, 4}, "two ends and a fact weigh as well"
    assert count + lost == 8
    dict(fold.drain())
    fold.add(saying("x", 1))
    assert (fold.row_count, fold.lost) == (1, lost)


MANY = known(*"abcdefghijkl")


def own_fact(number: int) -> list[Said]:
    return [saying(f"{number}", 1, ends=Ends(6, 0, (number.to_bytes(4), number), B, 104))]


def own_ends(number: int) -> list[Said]:
    ends = Ends(6, 0, (number.to_bytes(4), number), (number.to_bytes(4), number + 1), number)
    return [statement(1, 1, ends, 50_000, "test", MANY, Quality())]


def many_together(number: int) -> list[Said]:
    ends = Ends(6, 0, (number.to_bytes(4), number), B, 104)
    return [statement(1, 1, ends, 50_000, "test", Words(MANY.facts), Quality())]


def one_by_one(number: int) -> list[Said]:
    ends = Ends(6, 0, (number.to_bytes(4), number), B, 104)
    return [statement(1, 1, ends, 50_000, "test", Words((one,)), Quality()) for one in MANY.facts]


@pytest.mark.parametrize("say", [own_fact, own_ends, many_together, one_by_one])
def test_rows_weigh_what_they_take_until_they_are_sent(say: Callable[[int], list[Said]]) -> None:
    """Values of ends, which stay, have a share of their own, where one counts some 70 bytes (`HELD_MAX`)."""
    fold = Fold(SCOPES)
    tracemalloc.start()
    try:
        for number in range(2_000):
            for said in say(number):
                fold.add(said)
        weight, values = fold.held_bytes, fold.row_count + SUBJECT * 2 * 2_000
        for _ in fold.drain():
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert weight / 2 < peak < weight + 40 * values
