"""What rules return: rows by contract, gathered to one verdict per device, identity and subject.

The contract (sensor/rules/README.md): the columns of `CONTRACT`, all of them, in any order; `severity` where it depends on
the row; every other column is evidence.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import duckdb

from sensor.inference.statements import PARAMETER
from sensor.knowledge.problems import Problem
from sensor.rules.header import SEVERITIES
from sensor.rules.registry import Rule, RuleError

CONTRACT: Final = (
    "device_id", "identity_id", "scope", "mac", "ip", "port", "subject", "first_ts", "last_ts", "capture", "frame", "community_id",
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
    evidence: dict[str, Any]


def verdicts(connection: duckdb.DuckDBPyConnection, rule: Rule, now: datetime) -> list[Verdict]:
    """Run one rule.

    Raises:
        RuleError: the SQL does not run, or does not keep the contract.
    """
    rows = execute(connection, rule, now)
    grouped: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[Key(rule.id, row["device_id"], row["identity_id"], row["subject"])].append(row)
    return [_verdict(key, rule, found) for key, found in sorted(grouped.items(), key=lambda item: str(item[0]))]


def execute(connection: duckdb.DuckDBPyConnection, rule: Rule, now: datetime) -> list[dict[str, Any]]:
    """The rows of a rule as dicts, checked against the contract. Raises RuleError."""
    named = set(PARAMETER.findall(rule.text))
    if not named <= PARAMETERS:
        raise RuleError([Problem(rule.path, 0, f"unknown parameters: {', '.join(sorted(named - PARAMETERS))}")])
    try:
        result = connection.execute(rule.text, {"now": now}) if named else connection.execute(rule.text)
        columns, rows = [item[0] for item in result.description or ()], result.fetchall()
    except duckdb.Error as error:
        raise RuleError([Problem(rule.path, _line_in(str(error)), str(error).splitlines()[0])]) from error
    missing = [name for name in CONTRACT if name not in columns]
    if missing:
        raise RuleError([Problem(rule.path, 0, f"the SELECT lacks {', '.join(missing)}")])
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    wrong = [problem for row in found for problem in _broken(row)]
    if wrong:
        raise RuleError([Problem(rule.path, 0, wrong[0])])
    return found


def _broken(row: dict[str, Any]) -> list[str]:
    problems = [f"{name} is NULL" for name in ("subject", "first_ts", "last_ts") if row[name] is None]
    if row["device_id"] is None and row["identity_id"] is None:
        problems.append("a row names neither a device nor an identity")
    if row.get("severity") is not None and row["severity"] not in SEVERITIES:
        problems.append(f"{row['severity']!r} is no severity")
    return problems


def _verdict(key: Key, rule: Rule, rows: list[dict[str, Any]]) -> Verdict:
    """Several rows of one finding: the evidence is the earliest's, the severity the highest."""
    rows.sort(key=lambda row: (row["first_ts"], str(row["capture"]), row["frame"] or 0, str(row)))
    head = rows[0]
    severity = min((row.get("severity") or rule.header.severity for row in rows), key=SEVERITIES.index)
    evidence = {name: _plain(value) for name, value in head.items() if name not in _COLUMNS_OF_FINDING}
    last = max(row["last_ts"] for row in rows)
    return Verdict(
        key, rule, severity, head["scope"], head["mac"], head["ip"], head["port"], head["first_ts"], last, evidence
    )


_COLUMNS_OF_FINDING: Final = frozenset(
    {"device_id", "identity_id", "scope", "mac", "ip", "first_ts", "last_ts", "severity"}
)


def _plain(value: object) -> object:
    """A value as JSON can hold it; lists sorted by the rule stay as they are."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _line_in(message: str) -> int:
    """The line that DuckDB's message names (`LINE 12: …`); the file is executed whole, so it is the file's line."""
    _, found, rest = message.partition("LINE ")
    number = rest.split(":", 1)[0]
    return int(number) if found and number.isdigit() else 0
