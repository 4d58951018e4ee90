"""What rules return: rows by contract, gathered to one verdict per device, identity and subject.

The contract (sensor/rules/README.md): the columns of `CONTRACT`, all of them, in any order; `severity` where it
depends on the row; every other column is evidence.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sensor.inference.statements import PARAMETER, run, statement
from sensor.knowledge.problems import Problem
from sensor.rules.errors import RuleError
from sensor.rules.registry import Rule
from sensor.rules.severity import SEVERITIES
from sensor.store.duck import duckdb

CONTRACT: Final = (
    "device_id", "identity_id", "scope", "mac", "ip", "port", "subject",
    "first_ts", "last_ts", "capture", "frame", "community_id",
)  # fmt: skip
PARAMETERS: Final = frozenset({"now"})


class Key(NamedTuple):
    """What makes a finding this finding and no other."""

    rule_id: str
    device_id: str | None
    identity_id: str | None
    subject: str

    @property
    def finding_id(self) -> str:
        """The id that a finding gets when it is opened."""
        text = "\x1f".join(part or "" for part in ("finding-1", *self))
        return "find-" + hashlib.sha256(text.encode()).hexdigest()[:16]


class Verdict(NamedTuple):
    """One finding as the facts stand now."""

    key: Key
    rule: Rule
    severity: str
    scope: str | None
    mac: str | None
    ip: str | None
    port: int | None
    first: datetime
    last: datetime
    pause: timedelta  # the longest between two pieces of its evidence
    evidence: dict[str, Any]


class _Row(NamedTuple):
    """One row of gather_verdicts.sql."""

    device_id: str | None
    identity_id: str | None
    subject: str | None
    first: datetime
    last: datetime
    pause: timedelta
    severities: list[str | None]
    untimed_count: int
    head: dict[str, Any]


def verdicts(connection: duckdb.DuckDBPyConnection, rule: Rule, now: datetime) -> list[Verdict]:
    """Run one rule.

    Raises:
        RuleError: the SQL does not run, or does not keep the contract.
    """
    named = set(PARAMETER.findall(rule.sql))
    if not named <= PARAMETERS:
        raise RuleError([Problem(rule.path, 0, f"unknown parameters: {', '.join(sorted(named - PARAMETERS))}")])
    try:
        rows = _gathered(connection, rule, {"now": now} if named else None)
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        raise RuleError(
            [Problem(rule.path, _line_of(connection, rule, {"now": now} if named else None), message)]
        ) from error
    return [_verdict(rule, row) for row in rows]


def _gathered(connection: duckdb.DuckDBPyConnection, rule: Rule, parameters: dict[str, Any] | None) -> list[_Row]:
    """The rule's rows, one per finding. DuckDB gathers them: a rule may return a row per fact and day.

    Most rules find nothing most of the time, and gathering nothing would take longer than finding that out.
    """
    columns = [column[0] for column in connection.execute(rule.sql, parameters).description or ()]
    missing = [name for name in CONTRACT if name not in columns]
    if missing:
        raise RuleError([Problem(rule.path, 0, f"the SELECT lacks {', '.join(missing)}")])
    if connection.fetchone() is None:
        return []
    relation = connection.sql(rule.sql, params=parameters)
    rows = [_Row(*row) for row in relation.query("verdict", statement("gather_verdicts")).fetchall()]
    run(connection, "drop_verdict")
    wrong = [problem for row in rows for problem in _broken(row)]
    if wrong:
        raise RuleError([Problem(rule.path, 0, wrong[0])])
    return rows


def _broken(row: _Row) -> list[str]:
    problems = ["subject is NULL"] if row.subject is None else []
    if row.untimed_count:
        problems.append("first_ts or last_ts is NULL")
    if row.device_id is None and row.identity_id is None:
        problems.append("a row names neither a device nor an identity")
    return problems + [
        f"{word!r} is no severity" for word in row.severities if word is not None and word not in SEVERITIES
    ]


def _verdict(rule: Rule, row: _Row) -> Verdict:
    key = Key(rule.id, row.device_id, row.identity_id, row.subject or "")
    severity = min((word or rule.gist.severity for word in row.severities), key=SEVERITIES.index)
    head = row.head
    evidence = {name: _plain(value) for name, value in head.items() if name not in _COLUMNS_OF_FINDING}
    places = head["scope"], head["mac"], head["ip"], head["port"]
    return Verdict(key, rule, severity, *places, row.first, row.last, row.pause, evidence)


_COLUMNS_OF_FINDING: Final = frozenset(
    {"device_id", "identity_id", "scope", "mac", "ip", "first_ts", "last_ts", "severity"}
)


def _plain(value: object) -> object:
    """A value as JSON can hold it; lists sorted by the rule stay as they are."""
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _line_of(connection: duckdb.DuckDBPyConnection, rule: Rule, parameters: dict[str, Any] | None) -> int:
    """The line in the file of a rule's mistake; DuckDB names it when the SELECT is executed plainly (`LINE 12: …`)."""
    try:
        connection.execute(rule.sql, parameters)
    except duckdb.Error as error:
        _, found, rest = str(error).partition("LINE ")
        number = rest.split(":", 1)[0]
        return int(number) + rule.lines_before if found and number.isdigit() else 0
    return 0
