"""Every rule's cases come true. Nothing here names a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.inference.run import infer
from sensor.inference.verdicts import verdicts
from sensor.rules.cases import moment
from sensor.rules.check import judge, try_rows
from sensor.rules.header import Case
from sensor.rules.registry import FOLDER, Rule, find_rules
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
