"""Every rule's cases come true. Nothing here names a rule."""

from __future__ import annotations

import pytest

from sensor.rules.check import judge, try_rows
from sensor.rules.header import Case
from sensor.rules.registry import FOLDER, Rule, find_rules

RULES, PROBLEMS = find_rules([FOLDER])


def row_cases():
    for rule in RULES:
        for kind in ("fire", "silent"):
            for case in getattr(rule.header.cases, kind):
                if case.rows:
                    yield pytest.param(rule, case, kind == "fire", id=f"{rule.id}-{kind}-{case.what[:40]}")


def test_every_rule_file_can_be_read() -> None:
    assert not PROBLEMS
    assert len(RULES) >= 9


@pytest.mark.parametrize(("rule", "case", "fires"), list(row_cases()))
def test_row_case(rule: Rule, case: Case, fires: bool) -> None:
    said = judge(case, try_rows(rule, case), fires=fires)
    assert said is None, said
