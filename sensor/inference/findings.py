"""Findings and their life: opened, seen again, changed, resolved, reopened.

Theory of operation. Rules are run over all facts in the store, so a rule goes on returning what was once true.
Whether it is still true is decided here: a finding is *over* when facts of the kind that its rule names
(`resolves.seen`) went on for `resolves.after_days` after its last evidence, and for longer than its longest pause so
far (what comes back each week is not over after a day; PAUSE_MAX at most), in whole conversations of the same device
and port. Where nothing of the kind was seen since, it could not have been seen, and the finding stays open.

Every change is a row of `finding_change` with the next number: one writer, one transaction, no holes. `seen_again` is
written once a UTC day at most, so that the feed follows the days and not the packets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sensor.inference.statements import fill, run
from sensor.inference.verdicts import Key, Verdict, verdicts
from sensor.rules.registry import Rule
from sensor.store.duck import duckdb

OPEN: Final = "open"
RESOLVED: Final = "resolved"
PAUSE_MAX: Final = timedelta(days=45)  # what comes back each month has this rhythm; what comes back later is new


@dataclass(frozen=True)
class Finding:
    """A row of table `finding`."""

    finding_id: str
    rule_id: str
    status: str
    severity: str
    confidence: str
    title: str
    device_id: str | None
    identity_id: str | None
    scope: str | None
    ip: str | None
    mac: str | None
    first_ts: datetime
    last_ts: datetime
    evidence: str
    changed_seq: int = 0

    def key(self, aliases: dict[str, str]) -> Key:
        """What it is about, in today's ids."""
        device = aliases.get(self.device_id, self.device_id) if self.device_id else None
        return Key(self.rule_id, device, self.identity_id, json.loads(self.evidence)["subject"])

    def body(self) -> str:
        """What the feed says of it: JSON."""
        said = asdict(self)
        said |= {name: value.isoformat() + "Z" for name, value in said.items() if isinstance(value, datetime)}
        said["evidence"] = json.loads(self.evidence)
        del said["changed_seq"]
        return json.dumps(said, sort_keys=True)


class Opportunities:
    """Until when what kind of fact was seen of whom."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._by_service: dict[tuple[str, str, int | None], datetime] = {}
        self._by_device: dict[tuple[str, str], datetime] = {}
        for seen, device_id, port, last in run(connection, "opportunities"):
            self._by_service[seen, device_id, port] = last
            self._by_device[seen, device_id] = max(last, self._by_device.get((seen, device_id), last))
        self._holders: dict[str, list[str]] = dict(run(connection, "identity_holders"))

    def last(self, seen: str, key: Key, port: int | None) -> datetime | None:
        """When facts of kind `seen` were last seen where the finding would have shown; None: never."""
        if key.device_id is not None:
            return (
                self._by_device.get((seen, key.device_id))
                if port is None
                else self._by_service.get((seen, key.device_id, port))
            )
        lasts = [self._by_device.get((seen, holder)) for holder in self._holders.get(key.identity_id or "", ())]
        known = [last for last in lasts if last is not None]
        return min(known) if known and len(known) == len(lasts) else None


def update_findings(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], now: datetime) -> tuple[int, int]:
    """Run the rules, compare with what stands, write both tables.

    Returns:
        how many findings are open now, and how many changes were written.
    """
    book = _Book(connection, now)
    filled = {name for (name,) in run(connection, "filled")}
    for rule in rules:
        book.take(rule, verdicts(connection, rule, now) if rule.may_find(filled) else ())
    return book.write()


class _Book:
    def __init__(self, connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._seq: int = run(connection, "last_seq")[0][0]
        self._aliases: dict[str, str] = dict(run(connection, "aliases"))
        self._chances = Opportunities(connection)
        self._changes: list[tuple[Any, ...]] = []
        self._findings: dict[Key, Finding] = {}
        self._merged: list[Finding] = []
        for finding in sorted(
            (Finding(*row) for row in run(connection, "findings")), key=lambda f: (f.first_ts, f.finding_id)
        ):
            self._remember(finding)

    def _remember(self, finding: Finding) -> None:
        """Two findings about devices that have become one: the older one goes on, the other one ends."""
        key = finding.key(self._aliases)
        if key in self._findings:
            self._merged.append(
                finding if finding.status == RESOLVED else self._change(finding, "resolved", status=RESOLVED)
            )
        else:
            self._findings[key] = finding

    def take(self, rule: Rule, found: Iterable[Verdict]) -> None:
        """Bring the findings of one rule up to what it says now."""
        returned = {verdict.key: verdict for verdict in found}
        for key, verdict in returned.items():
            self._findings[key] = self._updated(self._findings.get(key), verdict)
        for key in sorted((key for key in self._findings if key.rule_id == rule.id and key not in returned), key=str):
            self._findings[key] = self._withdrawn(rule, key, self._findings[key])

    def _updated(self, old: Finding | None, verdict: Verdict) -> Finding:
        over = self._over(verdict)
        if old is None:
            opened = self._change(_finding(verdict), "opened")
            return self._change(opened, "resolved", status=RESOLVED) if over else opened
        found = _finding(verdict)
        first = min(old.first_ts, found.first_ts)  # a rule may look at the last weeks only
        fresh = replace(
            found, finding_id=old.finding_id, status=old.status, changed_seq=old.changed_seq, first_ts=first
        )
        if over:
            return fresh if old.status == RESOLVED else self._change(fresh, "resolved", status=RESOLVED)
        if old.status == RESOLVED:
            return self._change(fresh, "reopened", status=OPEN)
        if (old.severity, old.device_id, old.confidence, old.title) != (
            fresh.severity,
            fresh.device_id,
            fresh.confidence,
            fresh.title,
        ):
            return self._change(fresh, "changed")
        return self._change(fresh, "seen_again") if fresh.last_ts.date() > old.last_ts.date() else fresh

    def _over(self, verdict: Verdict) -> bool:
        resolves = verdict.rule.gist.resolves
        last = self._chances.last(resolves.seen, verdict.key, verdict.port)
        patience = max(timedelta(days=resolves.after_days), min(verdict.pause, PAUSE_MAX))
        return last is not None and last >= verdict.last + patience

    def _withdrawn(self, rule: Rule, key: Key, old: Finding) -> Finding:
        """A finding that its rule returns no more: over, if its place was looked at since."""
        if old.status == RESOLVED:
            return old
        last = self._chances.last(rule.gist.resolves.seen, key, json.loads(old.evidence).get("port"))
        if last is None or last < old.last_ts:
            return old
        return self._change(old, "resolved", status=RESOLVED)

    def _change(self, finding: Finding, change: str, **columns: Any) -> Finding:  # noqa: ANN401 - columns of Finding
        self._seq += 1
        changed = replace(finding, changed_seq=self._seq, **columns)
        row = (self._seq, changed.finding_id, change, self._now, changed.rule_id, changed.severity, changed.body())
        self._changes.append(row)
        return changed

    def write(self) -> tuple[int, int]:
        """Replace the findings and append the changes."""
        findings = sorted([*self._findings.values(), *self._merged], key=lambda f: f.finding_id)
        run(self._connection, "clear_finding")
        fill(self._connection, "insert_finding", [tuple(asdict(finding).values()) for finding in findings])
        fill(self._connection, "insert_finding_change", self._changes)
        return sum(finding.status == OPEN for finding in findings), len(self._changes)


def _finding(verdict: Verdict) -> Finding:
    gist, key = verdict.rule.gist, verdict.key
    evidence = json.dumps(verdict.evidence, sort_keys=True)
    head = (
        key.finding_id,
        key.rule_id,
        OPEN,
        verdict.severity,
        gist.confidence,
        gist.title,
        key.device_id,
        key.identity_id,
    )
    return Finding(*head, verdict.scope, verdict.ip, verdict.mac, verdict.first, verdict.last, evidence)
