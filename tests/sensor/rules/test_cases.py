"""Every rule's cases come true. Nothing here names a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.inference.run import SEEN, infer
from sensor.inference.verdicts import verdicts
from sensor.rules.cases import moment
from sensor.rules.check import judge, try_rows
from sensor.rules.header import Case
from sensor.rules.registry import FOLDER, Rule, find_rules, load_rules
from sensor.site import Site
from tests.captures import name_of, own_captures
from tests.conftest import ROOT
from tests.sensor.rules.captured import store_of

RULES, PROBLEMS = find_rules([FOLDER])


def row_cases():
    for rule in RULES:
        for kind in ("fire", "silent"):
            for case in getattr(rule.header.cases, kind):
                if case.rows:
                    yield pytest.param(rule, case, kind == "fire", id=f"{rule.id}-{kind}-{case.what[:40]}")


def test_every_rule_file_can_be_read() -> None:
    assert not PROBLEMS
    assert len(RULES) >= 67


def test_rules_are_loaded_as_they_are_read() -> None:
    """Loaded, their headers are read when they are wanted; the id must not depend on it."""
    assert load_rules() == RULES
    assert all(rule.text.startswith(f"/*\nid: {rule.id}\n") for rule in RULES)
    assert [rule.header for rule in load_rules()] == [rule.header for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_gist_of_a_rule_is_its_header_s(rule: Rule) -> None:
    for name in ("title", "severity", "confidence"):
        assert getattr(rule.gist, name) == getattr(rule.header, name)
    assert (rule.gist.resolves.seen, rule.gist.resolves.after_days) == (
        rule.header.resolves.seen,
        rule.header.resolves.after_days,
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_where_all_that_a_rule_reads_is_empty_it_finds_nothing(inferred, rule: Rule) -> None:
    """What `Rule.may_find` says without running it: devices, identities and blind spots alone make no finding."""
    connection, now = inferred("pcaps/mixed/morning.pcap")
    tables = {name for name in SEEN if name in rule.sql}
    assert not rule.may_find(set(SEEN) - tables)
    assert all(rule.may_find({name}) for name in tables)
    connection.begin()
    try:
        for name in tables:
            connection.execute(f"DELETE FROM {name}")
        assert verdicts(connection, rule, now) == []
    finally:
        connection.rollback()


@pytest.mark.parametrize(("rule", "case", "fires"), list(row_cases()))
def test_row_case(rule: Rule, case: Case, fires: bool) -> None:
    said = judge(case, try_rows(rule, case), fires=fires)
    assert said is None, said


def captured_cases():
    for rule in RULES:
        for kind in ("fire", "silent"):
            for case in getattr(rule.header.cases, kind):
                if case.capture:
                    yield pytest.param(rule, case, kind == "fire", id=f"{rule.id}-{kind}-{Path(case.capture).stem}")


@pytest.fixture(scope="module")
def inferred():
    """Stores of captures with their devices, made once each."""
    made = {}

    def get(name: str):
        if name not in made:
            connection = store_of(ROOT / name)
            made[name] = connection, infer(connection, Site(), rules=()).now
        return made[name]

    yield get
    for connection, _ in made.values():
        connection.close()


@pytest.mark.parametrize(("rule", "case", "fires"), list(captured_cases()))
def test_captured_case(inferred, rule: Rule, case: Case, fires: bool) -> None:
    connection, now = inferred(case.capture)
    said = judge(case, verdicts(connection, rule, moment(case.now) or now), fires=fires)
    assert said is None, said


@pytest.mark.parametrize("path", own_captures("quiet"), ids=name_of)
def test_no_rule_fires_on_a_quiet_capture(path: Path) -> None:
    connection = store_of(path)
    summary = infer(connection, Site())
    assert summary.devices >= 2
    assert connection.execute("SELECT rule_id, evidence FROM finding").fetchall() == []
