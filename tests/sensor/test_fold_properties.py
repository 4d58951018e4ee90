"""Folding against a ledger that counts each fact by itself; and compiled against interpreted, whatever is said."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sensor
from parsers.core import (
    Anomaly,
    Attribute,
    Authentication,
    Certificate,
    Channel,
    Fact,
    Outcome,
    Sensitivity,
    Side,
    Subject,
)
from sensor import fold as installed
from sensor.engine.seen import Words
from sensor.rows import DAY_US, HOUR_US, WHAT
from sensor.sighting import Ends, Quality, Said, statement
from sensor.sitekey import SecretClass, SecretMark
from tests.sensor.store.facts import attributes_of
from tests.tables import told

MODULES = ("arrays", "folded", "fold")
SCOPES = ("default", "ward")
MARK = SecretMark("digest", None, SecretClass.SHORT, "1-7", 3)
A, B, C = (b"\x0a\0\0\1", 1), (b"\x0a\0\0\2", -1), (bytes(15) + b"\1", 2)
ENDS = [Ends(6, 0, A, B, 104), Ends(6, 1, A, C, 104), Ends(17, 0, B, A, 161)]
SIDES = [Subject(Side.INITIATOR), Subject(Side.RESPONDER), Subject(Side.RESPONDER, "serial:1")]

Row = dict[str, Any]


def interpreted(which: str) -> ModuleType:
    """A module of `MODULES`, it and those that it is made of executed by the interpreter."""
    with mock.patch.dict(sys.modules):
        for name in MODULES:
            path = Path(sensor.__path__[0], f"{name}.py")
            spec = importlib.util.spec_from_file_location(f"sensor.{name}", path)
            assert spec is not None
            assert spec.loader is not None
            sys.modules[spec.name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[spec.name])
        return sys.modules[f"sensor.{which}"]


SOURCE = interpreted("fold")


def attribute(subject: Subject, name: int, value: str) -> Attribute:
    return Attribute(subject, f"test.{name}", value, "none", Sensitivity.DEVICE)


values = st.sampled_from(["", "x", "y", "a\0b", "\N{REPLACEMENT CHARACTER}", "ä" * 300]) | st.text(max_size=3)
subjects = st.sampled_from(SIDES)
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(attribute, subjects, st.integers(0, 1), values.filter(lambda text: text.isprintable() or "\0" in text)),
    st.builds(Anomaly, subjects, st.sampled_from(["odd", "value_overflow"]), st.just(-1), st.sampled_from(["", "z"])),
    st.builds(
        Channel,
        subjects,
        st.sampled_from(["1", "2"]),
        client_authenticated=st.sampled_from([None, True, False]),
        details=st.sampled_from([{}, {"a": 1}]),
    ),
    st.builds(Certificate, subjects, st.just("server"), st.integers(0, 1), st.sampled_from(["ab", "cd"])),
    st.builds(
        Authentication, subjects, st.just("basic"), st.sampled_from([None, "me"]), outcome=st.sampled_from(Outcome)
    ),
)
marked = st.tuples(facts, st.none()) | st.tuples(
    st.builds(Authentication, subjects, st.just("basic"), st.just("me")), st.just(MARK)
)
qualities = st.builds(Quality, gap=st.booleans(), truncated=st.booleans())


def put(pairs: list[tuple[Fact, SecretMark | None]]) -> Words:
    """Facts, each with what is kept of its secret, in words."""
    facts, marks = zip(*pairs, strict=True)
    return Words(facts, marks if any(marks) else None)


@st.composite
def talks(draw: st.DrawFn) -> list[Said]:
    """What is said in order of time, much of it the same again, alone and together with other things."""
    pool = draw(st.lists(marked, min_size=1, max_size=8))
    words = st.builds(put, st.lists(st.sampled_from(pool), min_size=1, max_size=6))
    known = [Words(one.facts, one.marks, known=True) for one in draw(st.lists(words, max_size=4))]
    said = st.builds(
        statement,
        ts_us=st.sampled_from([0, 1, HOUR_US, DAY_US, DAY_US + 5 * HOUR_US]),
        frame=st.integers(1, 2**40),
        ends=st.sampled_from(ENDS),
        port=st.sampled_from([1024, 65535]),
        protocol=st.sampled_from(["", "test"]),
        words=words | st.sampled_from(known) if known else words,
        quality=qualities,
        continued=st.sampled_from([False, False, True]),
    )
    return sorted(draw(st.lists(said, max_size=24)), key=lambda one: one.ts_us)


def folded(module: ModuleType, said: list[Said], cut: int) -> Iterator[object]:
    """All that is to be seen of a fold which is drained once in between."""
    fold = module.Fold(SCOPES)
    for part in (said[:cut], said[cut:]):
        for one in part:
            fold.add(one)
        yield fold.row_count, fold.text_bytes, fold.lost
        yield [(name, told(rows)) for name, rows in fold.drain()]


@given(talks(), st.integers(0, 24), st.sampled_from([1, 2, 256]))
def test_compiled_and_interpreted_fold_alike(said: list[Said], cut: int, values_max: int) -> None:
    with mock.patch.object(installed, "VALUES_MAX", values_max), mock.patch.object(SOURCE, "VALUES_MAX", values_max):
        assert list(folded(installed, said, cut)) == list(folded(SOURCE, said, cut))


@given(talks())
def test_each_fact_is_counted_as_if_it_had_been_stated_alone(said: list[Said]) -> None:
    fold = installed.Fold(SCOPES)
    for one in said:
        fold.add(one)
    together = by_key(fold.drain())
    alone = installed.Fold(SCOPES)
    for one in said:
        for pair in one.words.each():
            words = put([pair])
            alone.add(
                statement(one.ts_us, one.frame, one.ends, one.port, one.protocol, words, one.quality, one.continued)
            )
    assert together == by_key(alone.drain())
    assert {key: row["n"] for key, row in together.items()} == ledger(said)


def by_key(tables: Iterator[tuple[str, Any]]) -> dict[tuple[str, int], Row]:
    """Rows by table and id; no id may come twice."""
    parts = list(tables)
    rows = [("fact_attribute", row) for row in attributes_of(parts)]
    others = [(name, table) for name, table in parts if name in WHAT and name != "fact_attribute"]
    rows += [(name, row) for name, table in others for row in told(table)]
    found = {(name, row["id"]): row for name, row in rows}
    assert len(found) == len(rows)
    return found


def ledger(said: list[Said]) -> dict[tuple[str, int], int]:
    """How often each fact was stated, counted one by one, by the ids that single folds give."""
    count: dict[tuple[str, int], int] = {}
    for one in said:
        for pair in one.words.each():
            fold = installed.Fold(SCOPES)
            fold.add(statement(one.ts_us, 1, one.ends, one.port, one.protocol, put([pair]), one.quality, one.continued))
            (key,) = by_key(fold.drain())
            count[key] = count.get(key, 0) + 1
    return count


def saying(*told: Fact, ts_us: int = 1) -> Said:
    return statement(ts_us, 1, ENDS[0], 50_000, "test", Words(told), Quality())


def counts(said: list[Said], module: ModuleType = installed) -> dict[str, int]:
    fold = module.Fold(SCOPES)
    for one in said:
        fold.add(one)
    return {row["value"]: row["n"] for row in attributes_of(fold.drain())}


def names(*numbers: int) -> list[Attribute]:
    return [attribute(SIDES[0], number, f"v{number}") for number in numbers]


def test_facts_part_where_some_are_stated_without_the_rest() -> None:
    said = [saying(*names(0, 1, 2, 3)), saying(*names(2, 3)), saying(*names(3, 4)), saying(*names(0, 1, 2, 3, 4))]
    assert counts(said) == {"v0": 2, "v1": 2, "v2": 3, "v3": 4, "v4": 2}


def test_a_fact_that_is_stated_twice_in_one_breath_counts_twice() -> None:
    assert counts([saying(*names(0, 1, 1, 1)), saying(*names(1, 0))]) == {"v0": 2, "v1": 4}


@pytest.mark.parametrize("module", [installed, SOURCE])
def test_thousands_of_names_in_one_breath(module: ModuleType) -> None:
    """Then each alone: as many groups as there are facts, and no more."""
    many = names(*range(3_000))
    said = [saying(*many), saying(*many), *(saying(one, ts_us=2) for one in many)]
    assert counts(said, module) == {f"v{number}": 3 for number in range(3_000)}


@pytest.mark.parametrize("module", [installed, SOURCE])
def test_a_text_that_is_none_is_refused_before_it_leaves(module: ModuleType) -> None:
    """Dissectors let no lone surrogate through; if one did, no row with half a character would be made."""
    fold = module.Fold(SCOPES)
    fold.add(saying(attribute(SIDES[0], 0, "\ud800")))
    with pytest.raises(UnicodeEncodeError):
        list(fold.drain())


def test_ids_are_the_same_in_every_process() -> None:
    """They are stored, and rows are joined by them: other ids need another `PIPELINE_VERSION`."""
    fold = installed.Fold(SCOPES)
    fold.add(saying(*names(0), Anomaly(SIDES[1], "odd")))
    rows = {name: told(table)[0]["id"] for name, table in fold.drain()}
    assert rows == {
        "fact_attribute": 957369863355923703,
        "fact_anomaly": 16593323801745924440,
        "place": 3979988968833377646,
        "attribute": 10927735595551794814,
    }
