"""Checks rules, fingerprints and word lists without a capture: what `spanward check` says about data files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sensor.inference.run import infer
from sensor.inference.verdicts import Verdict, verdicts
from sensor.knowledge import attributes, releases, sheets, words
from sensor.knowledge.problems import Problem
from sensor.knowledge.yamlfile import line_of
from sensor.rules.cases import CaseError, build_store, moment
from sensor.rules.errors import RuleError
from sensor.rules.header import Case
from sensor.rules.registry import CLOSES, FOLDER, OPENS, Rule, find_rules
from sensor.site import Site


def check_all(*folders: Path) -> list[Problem]:
    """Every mistake in what ships and in the site's own rule folders, sorted by place.

    The cases of rules that ship are run by the tests; those of the site's own rules are run here.
    """
    rules, problems = find_rules((FOLDER, *folders))
    own = [rule for rule in rules if FOLDER not in rule.path.parents]
    problems = problems + check_sql(rules) + check_cases(own)
    known = (*sheets.check(), *words.check(), *releases.check(), *attributes.check())
    return sorted({*problems, *known})


def check_sql(rules: Sequence[Rule]) -> list[Problem]:
    """Whether rules run on an empty store and keep the contract."""
    problems: list[Problem] = []
    with build_store(()) as connection:
        now = infer(connection, Site(), rules=()).now
        for rule in rules:
            try:
                verdicts(connection, rule, now)
            except RuleError as error:
                problems += error.problems
    return problems


def check_cases(rules: Sequence[Rule]) -> list[Problem]:
    """Whether every row case of these rules comes true; cases on captures are left to the tests."""
    return [problem for rule in rules for kind in ("fire", "silent") for problem in _check_cases(rule, kind)]


def try_rows(rule: Rule, case: Case) -> list[Verdict]:
    """What the rule says of a case's rows. Raises RuleError, CaseError."""
    connection = build_store(case.rows)
    now = moment(case.now)
    with connection:
        summary = infer(connection, Site(), now, rules=())
        return verdicts(connection, rule, summary.now)


def judge(case: Case, found: list[Verdict], *, fires: bool) -> str | None:
    """What is wrong with the answer to a case, or None."""
    if not fires:
        return f"fires on {found[0].key.subject} and must be silent" if found else None
    if not found:
        return "is silent and must fire"
    if case.count is not None and len(found) != case.count:
        return f"fires {len(found)} times, not {case.count}"
    severities = {verdict.severity for verdict in found}
    return (
        f"severity {', '.join(sorted(severities))}, not {case.severity}"
        if case.severity and severities != {case.severity}
        else None
    )


def _check_cases(rule: Rule, kind: str) -> Iterator[Problem]:
    for number, case in enumerate(getattr(rule.header.cases, kind)):
        said = None if case.capture else _judge(rule, case, fires=kind == "fire")
        if said:
            yield Problem(rule.path, _line(rule, kind, number), f"{rule.id}, {case.what}: {said}")


def _judge(rule: Rule, case: Case, *, fires: bool) -> str | None:
    try:
        return judge(case, try_rows(rule, case), fires=fires)
    except (RuleError, CaseError) as error:
        return str(error)


def _line(rule: Rule, kind: str, number: int) -> int:
    head = rule.text[len(OPENS) : rule.text.index(CLOSES)]
    return line_of(head, ("cases", kind, number)) + 1
