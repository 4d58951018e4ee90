"""`spanward list`: tables of the store for the shell."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import orjson
from rich.text import Text

from sensor.commands.access import Row, rows
from sensor.commands.console import console, plain, severity, short_label, some_addresses, table
from sensor.commands.errors import note
from sensor.commands.formats import Format, Listed
from sensor.store import Store

_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
_JSON_COLUMNS = frozenset({"why", "evidence", "details"})


# The columns that people see; the other formats have all of them.
_SHOWN = {
    Listed.DEVICES: ("device_id", "label", "vendor", "model", "device_type", "addresses", "findings"),
    Listed.IDENTITIES: ("identity_id", "kind", "label", "realm", "belongs_to", "strength", "devices"),
    Listed.CERTIFICATES: ("subject", "issuer", "not_after", "key", "services", "sha256"),
    Listed.FINDINGS: ("finding_id", "severity", "rule_id", "status", "title", "where"),
    Listed.BLINDSPOTS: ("device_id", "label", "day", "understood", "of", "reason", "reason_count"),
}
_RIGHT = ("devices", "findings", "services", "understood", "of", "reason count")


def listing(store: Store, listed: Listed, form: Format) -> None:
    """Write a list to standard output.

    Raises:
        StoreError: the store refused.
    """
    _WRITERS[form](rows(store, f"list_{listed}"), listed)


def _table(found: Iterator[Row], listed: Listed) -> None:
    shown = _SHOWN[listed]
    cells = [[_cell(name, row) for name in shown] for row in found]
    if not cells:
        note(f"no {listed} in this store")
        return
    console().print(table([name.replace("_", " ") for name in shown], cells, right=_RIGHT))


def _cell(name: str, row: Row) -> Text:
    if name in _MADE:
        return _MADE[name](row)
    value = row[name]
    return plain(value.date() if isinstance(value, datetime) else value)


def _label(row: Row) -> Text:
    return plain(short_label(row["label"], row["vendor"], row["model"]) if "vendor" in row else row["label"])


# Cells that people see differently from programs: under a shorter heading, or shorter themselves.
_MADE: dict[str, Callable[[Row], Text]] = {
    "addresses": lambda row: plain(some_addresses(row["ips"] or row["macs"])),
    "devices": lambda row: plain(row["device_count"]),
    "findings": lambda row: plain(row["open_findings"]),
    "label": _label,
    "of": lambda row: plain(row["conversations"]),
    "services": lambda row: plain(row["service_count"]),
    "severity": lambda row: severity(row["severity"]),
    "sha256": lambda row: plain(row["sha256"][:16]),  # enough to tell them apart; the other formats have all of it
    "where": lambda row: plain(row["device_label"] or row["identity_label"]),
}


def _json(found: Iterator[Row], _: Listed) -> None:
    out = sys.stdout.buffer
    before = b"["
    for row in found:
        out.write(before + b"\n" + _encoded(row))
        before = b","
    out.write(b"]\n" if before == b"," else b"[]\n")


def _ndjson(found: Iterator[Row], _: Listed) -> None:
    for row in found:
        sys.stdout.buffer.write(_encoded(row) + b"\n")


def _csv(found: Iterator[Row], _: Listed) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(found):
        if number == 0:
            writer.writerow(row)
        writer.writerow([_flat(name, value) for name, value in row.items()])


_WRITERS: dict[Format, Callable[[Iterator[Row], Listed], None]] = {
    Format.TABLE: _table,
    Format.JSON: _json,
    Format.NDJSON: _ndjson,
    Format.CSV: _csv,
}


def _encoded(row: Row) -> bytes:
    return orjson.dumps({name: _fragment(name, value) for name, value in row.items()}, option=_OPTIONS)


def _fragment(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    return orjson.Fragment(value) if name in _JSON_COLUMNS and isinstance(value, str) else value


def _flat(name: str, value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat() + ("Z" if isinstance(value, datetime) else "")
    text = " ".join(str(part) for part in value) if isinstance(value, list) else str(value)
    # Names come from the wire. A spreadsheet must not run one as a formula.
    return "'" + text if name not in _JSON_COLUMNS and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
