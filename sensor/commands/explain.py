"""`spanward explain`: one finding on a page: what was seen, why it matters, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from sensor.commands.access import Row, rows
from sensor.commands.console import PAGE_COLUMNS, console, heading, lines, paragraph, plain, severity
from sensor.commands.errors import CommandError
from sensor.commands.rulebook import cards
from sensor.settings import Settings
from sensor.store import Store

_EVIDENCE_LINES = 40
_CATALOGUES = {
    "owasp_nhi": "OWASP NHI 2025",
    "nist_csf": "NIST CSF 2.0",
    "maestro": "CSA MAESTRO",
    "cwe": "CWE",
    "attack": "MITRE ATT&CK",
    "hipaa": "HIPAA 45 CFR",
    "iec_62443": "IEC 62443-4-2",
    "fda": "FDA premarket",
}


def explain(store: Store, finding: str, settings: Settings) -> None:
    """Print the page of a finding.

    Raises:
        CommandError: there is no such finding, or several begin like that.
        StoreError: the store refused.
    """
    row = _found(list(rows(store, "explain_finding", {"finding": finding})), finding)
    rule = next((card for card in cards(settings.rules) if card["id"] == row["rule_id"]), None)
    names = {capture["capture"]: capture["name"] for capture in rows(store, "summary_captures")}
    names |= {device["device_id"]: device["label"] for device in rows(store, "summary_devices")}
    out = console()
    _head(out, row)
    _evidence(out, row, names)
    _rule(out, rule)
    _life(out, list(rows(store, "explain_changes", {"finding": row["finding_id"]})))


def _found(candidates: list[Row], finding: str) -> Row:
    if not candidates:
        raise CommandError(f"{finding}: no such finding in this store; `spanward list findings` shows them")
    if len(candidates) > 1 and candidates[0]["finding_id"] != finding:
        names = ", ".join(row["finding_id"] for row in candidates[:5])
        raise CommandError(f"{finding}: several findings begin like that: {names}; write more of it")
    return candidates[0]


def _head(out: Console, row: Row) -> None:
    out.print()
    out.print(Text.assemble(severity(row["severity"]), "  ", plain(row["title"], "bold")), width=PAGE_COLUMNS)
    out.print(
        plain(f"{row['finding_id']}   rule {row['rule_id']}   {row['status']}   confidence: {row['confidence']}", "dim")
    )
    heading(out, "Where")
    lines(out, _where(row))


def _where(row: Row) -> Iterator[tuple[str, object]]:
    if row["device_id"]:
        kind = ", ".join(part for part in (row["vendor"], row["model"], row["device_type"]) if part)
        yield "device", f"{row['device_label']}  {f'({kind})  ' if kind else ''}{row['device_id']}"
        yield "addresses", ", ".join(row["addresses"] or ()) or None
    if row["ip"] or row["mac"]:
        yield "seen at", " ".join(part for part in (row["ip"], row["mac"]) if part)
    if row["scope"]:
        yield "scope", row["scope"]
    if row["identity_id"]:
        used = f"used by {row['device_count']} device{'s' if row['device_count'] != 1 else ''}"
        yield "identity", f"{row['identity_label']}  ({row['identity_kind']}, {row['identity_strength']}, {used})"
    yield "seen", f"{row['first_ts']:%Y-%m-%d %H:%M:%S} to {row['last_ts']:%Y-%m-%d %H:%M:%S} UTC"


def _evidence(out: Console, row: Row, names: dict[str, str]) -> None:
    heading(out, "What was seen")
    seen = list(_flattened(orjson.loads(row["evidence"]), names))
    lines(out, seen[:_EVIDENCE_LINES])
    if len(seen) > _EVIDENCE_LINES:
        out.print(plain(f"  ... {len(seen) - _EVIDENCE_LINES} more lines: spanward list findings --format json", "dim"))


def _flattened(value: Any, names: dict[str, str], name: str = "") -> Iterator[tuple[str, object]]:  # noqa: ANN401
    """Lines of nested evidence; ids of captures and devices by their names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flattened(inner, names, f"{name} {key}".strip())
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for number, inner in enumerate(value, start=1):
            yield from _flattened(inner, names, f"{name} {number}".strip())
    elif value is not None:
        values = value if isinstance(value, list) else [value]
        yield name.replace("_", " "), ", ".join(names.get(str(inner), str(inner)) for inner in values)


def _rule(out: Console, rule: dict[str, Any] | None) -> None:
    if rule is None:
        heading(out, "The rule is no longer there")
        return
    for title, key in (("Why it matters", "why"), ("What to do", "remedy")):
        heading(out, title)
        paragraph(out, plain(" ".join(str(rule[key]).split())))
    heading(out, "References")
    for reference in rule["references"]:
        paragraph(out, plain(reference))
    lines(out, ((_CATALOGUES.get(name, name), ", ".join(map(str, value))) for name, value in rule["mappings"].items()))


def _life(out: Console, changes: list[Row]) -> None:
    heading(out, "What happened to it")
    for change in changes:
        out.print(plain(f"  {change['as_of']:%Y-%m-%d %H:%M:%S}  {change['change'].replace('_', ' ')}"))
