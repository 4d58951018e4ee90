"""`spanward show`: one device on a page: what it is and why, what it authenticates with, what is weak or hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from sensor.commands.access import Row, rows
from sensor.commands.console import PAGE_COLUMNS, console, heading, lines, paragraph, plain, severity, some, table
from sensor.commands.errors import CommandError
from sensor.store import Store

_TRAITS = ("vendor", "model", "device_type", "role", "serial", "software", "os")
_PEERS = 3
_HOW = {"shows": "shown at", "claims": "used against", "answers_to": "answers to it, asked by"}


def show(store: Store, device: str) -> None:
    """Print the page of a device.

    Args:
        store: where it is looked up.
        device: id (also an old one), IP or MAC address, or name.

    Raises:
        CommandError: there is no such device, or several are meant.
        StoreError: the store refused.
    """
    row = _found(list(rows(store, "show_device", {"device": device})), device)
    about = {"device": row["device_id"]}
    out = console()
    _head(out, row)
    _addresses(out, rows(store, "show_endpoints", about))
    _identities(out, list(rows(store, "show_identities", about)))
    _findings(out, list(rows(store, "show_findings", about)))
    _hidden(out, list(rows(store, "show_blindspots", about)))


def _found(candidates: list[Row], device: str) -> Row:
    if not candidates:
        raise CommandError(f"{device}: no such device in this store; `spanward list devices` shows them")
    exact = [row for row in candidates if row["device_id"] == device]
    if len(candidates) > 1 and not exact:
        names = ", ".join(f"{row['device_id']} ({row['label']})" for row in candidates[:5])
        raise CommandError(f"{device}: several devices are called so: {names}; give one of the ids")
    return (exact or candidates)[0]


def _head(out: Console, row: Row) -> None:
    why = orjson.loads(row["why"])
    out.print()
    out.print(plain(row["label"], "bold"), width=PAGE_COLUMNS)
    spoken = "   only spoken of by others" if row["described"] else ""
    seen = f"seen {row['first_ts']:%Y-%m-%d %H:%M:%S} to {row['last_ts']:%Y-%m-%d %H:%M:%S} UTC"
    out.print(plain(f"{row['device_id']}   {seen}{spoken}", "dim"))
    heading(out, "What it is", "and what says so")
    for name in _TRAITS:
        if row[name]:
            paragraph(out, _trait(name, row[name], why.get(name, {})))
    lines(out, (("one device because", reason) for reason in why.get("joined", ())))


def _trait(name: str, value: object, why: Mapping[str, Any]) -> Text:
    source = f"   {why['source']} ({why['certainty']:.2f})" if why else ""
    others = [f"{other['value']} says {other['source']}" for other in why.get("against", ())]
    against = f"; against it: {some(others, 2)}" if others else ""
    label = plain(f"{name.replace('_', ' ')}: ", "dim")
    return Text.assemble(label, plain(value), plain(source + against, "dim") if source else "")


def _addresses(out: Console, endpoints: Iterator[Row]) -> None:
    heading(out, "Where")
    for row in endpoints:
        where = "  ".join(part for part in (row["ip"], row["mac"]) if part)
        scope = f" in {row['scope']}" if row["scope"] != "default" else ""
        when = f"{row['first_ts']:%Y-%m-%d %H:%M} to {row['last_ts']:%Y-%m-%d %H:%M}"
        paragraph(out, Text.assemble(plain(f"{where}{scope}   "), plain(f"{when}   {row['reason']}", "dim")))


def _identities(out: Console, used: list[Row]) -> None:
    heading(out, "What it authenticates with")
    if not used:
        paragraph(out, plain("nothing was seen"))
        return
    columns = ("kind", "identity", "strength", "devices", "how", "seen")
    cells = [(row["kind"], _name(row), row["strength"], row["device_count"], _use(row), row["n"]) for row in used]
    out.print(table(columns, cells, right=("devices", "seen")), width=min(out.width, PAGE_COLUMNS))


def _name(row: Row) -> str:
    return f"{row['label']} of {row['realm']}" if row["realm"] else str(row["label"])


def _use(row: Row) -> str:
    peers = some(row["peers"].split("\n"), _PEERS) if row["peers"] else "others"
    service = row["protocol"] + (f" port {row['port']}" if row["port"] else "")
    return f"{_HOW[row['use']]} {peers}, {service}" + (f": {row['outcome']}" if row["outcome"] else "")


def _findings(out: Console, found: list[Row]) -> None:
    heading(out, "What is weak")
    if not found:
        paragraph(out, plain("no finding; whether one could have been seen stands below"))
        return
    columns = ("severity", "rule", "status", "what", "about", "explain")
    out.print(table(columns, map(_finding, found)), width=min(out.width, PAGE_COLUMNS))


def _finding(row: Row) -> tuple[object, ...]:
    return severity(row["severity"]), row["rule_id"], row["status"], row["title"], row["subject"], row["finding_id"]


def _hidden(out: Console, blind: list[Row]) -> None:
    if not blind:
        heading(out, "What could be seen")
        paragraph(out, plain("it took part in no conversation"))
        return
    heading(out, "What could be seen", f"{blind[0]['understood']} of {blind[0]['conversations']} conversations")
    hidden = [(row["reason"], row["reason_count"]) for row in blind if row["reason"] != "none"]
    lines(out, hidden or [("hidden", "nothing")])
