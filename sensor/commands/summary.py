"""The summary after `read` and `demo`: what is there, what is weak, what could not be seen."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from sensor.commands.about import engine
from sensor.commands.access import Row, rows
from sensor.commands.console import console, heading, plain, severity, short_label, some, some_addresses, table
from sensor.commands.formats import SummaryFormat
from sensor.engine import COMPILED
from sensor.store import Store

_PARTS = ("captures", "devices", "identities", "findings", "blindspots", "warnings")
_DEVICES_SHOWN, _IDENTITIES_SHOWN, _RULES_SHOWN, _CAPTURES_SHOWN = 25, 12, 12, 5
_LABELS_SHOWN = 4

Summary = dict[str, Any]


def summarise(store: Store, form: SummaryFormat) -> None:
    """Write the summary of the whole store to standard output.

    Raises:
        StoreError: the store refused.
    """
    found = collect(store)
    if form is SummaryFormat.JSON:
        options = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        sys.stdout.buffer.write(orjson.dumps(found, option=options))
        sys.stdout.buffer.flush()
        return
    show(console(), found)


def collect(store: Store) -> Summary:
    """The summary as plain values, the way `--format json` writes it."""
    (counts,) = rows(store, "summary_counts")
    (quality,) = rows(store, "summary_quality")
    return {"counts": counts, **{part: list(rows(store, f"summary_{part}")) for part in _PARTS}, "quality": quality}


def show(out: Console, found: Summary) -> None:
    """The summary for people."""
    _captures(out, found)
    _devices(out, found["devices"])
    _identities(out, found["identities"])
    _findings(out, found["findings"])
    _blind(out, found["blindspots"], found["quality"])
    _quality(out, found["captures"], found["quality"])
    _warnings(out, found["warnings"])


def _captures(out: Console, found: Summary) -> None:
    captures, counts = found["captures"], found["counts"]
    packets, size = (sum(capture[key] or 0 for capture in captures) for key in ("packets", "bytes"))
    heading(out, f"{_count(len(captures), 'capture')}, {packets:,} packets, {_bytes(size)}", _span(captures))
    out.print(
        f"{_count(counts['devices'], 'device')}, {counts['described_devices']:,} more only spoken of, "
        f"{_count(counts['identities'], 'identity', 'identities')}, {_count(counts['certificates'], 'certificate')}, "
        f"{_count(counts['open_findings'], 'open finding')}"
    )


def _devices(out: Console, devices: Sequence[Row]) -> None:
    heading(out, "Devices", "those with the worst findings first")
    if not devices:
        out.print("none were seen")
        return
    shown = [_device(device) for device in devices[:_DEVICES_SHOWN]]
    out.print(table(("name", "vendor and model", "type", "addresses", "findings"), shown, right=("findings",)))
    _more(out, len(devices) - _DEVICES_SHOWN, "spanward list devices")


def _device(device: Row) -> tuple[object, ...]:
    made_by = " ".join(part for part in (device["vendor"], device["model"]) if part)
    addresses = device["ips"] or device["macs"]
    where = "spoken of" if device["described"] else some_addresses(addresses)
    worst = severity(device["worst"])
    count = Text(str(device["open_findings"] or "-"), worst.style)
    name = short_label(device["label"], device["vendor"], device["model"])
    return name, made_by, device["device_type"] or device["role"], where, count


def _identities(out: Console, identities: Sequence[Row]) -> None:
    heading(out, "Identities that are shared, or prove little", "several devices use them, or anyone could")
    if not identities:
        out.print("none were seen")
        return
    shown = [
        (row["kind"], row["label"], row["strength"], row["device_count"], some(_short(row["devices"]), _LABELS_SHOWN))
        for row in identities[:_IDENTITIES_SHOWN]
    ]
    out.print(table(("kind", "identity", "strength", "devices", "used by"), shown, right=("devices",)))
    _more(out, len(identities) - _IDENTITIES_SHOWN, "spanward list identities")


def _findings(out: Console, findings: Sequence[Row]) -> None:
    heading(out, "Findings", _by_severity(findings))
    if not findings:
        out.print("none; see below for what could not be seen")
        return
    shown = [
        (
            severity(row["severity"]),
            row["rule_id"],
            row["title"],
            row["findings"],
            row["devices"] or "-",
            row["example"],
        )
        for row in findings[:_RULES_SHOWN]
    ]
    out.print(
        table(("severity", "rule", "what", "findings", "devices", "explain"), shown, right=("findings", "devices"))
    )
    _more(out, len(findings) - _RULES_SHOWN, "spanward list findings")
    out.print()
    out.print(plain(f"What it means and what to do:  spanward explain {findings[0]['example']}"))


def _by_severity(findings: Sequence[Row]) -> str:
    totals: dict[str, int] = {}
    for row in findings:
        totals[row["severity"]] = totals.get(row["severity"], 0) + row["findings"]
    return ", ".join(f"{count} {name}" for name, count in totals.items())


def _blind(out: Console, blindspots: Sequence[Row], quality: Row) -> None:
    understood, conversations = quality["understood"], quality["conversations"]
    heading(
        out, "Could not be seen", f"{understood:,} of {_count(conversations, 'conversation')} spoke a known protocol"
    )
    if not blindspots:
        out.print("nothing was hidden" if understood == conversations else "see the capture's quality")
        return
    shown = [(row["reason"], row["conversations"], row["devices"]) for row in blindspots]
    out.print(table(("why", "conversations", "devices"), shown, right=("conversations", "devices")))


def _quality(out: Console, captures: Sequence[Row], quality: Row) -> None:
    heading(out, "Quality of the captures")
    lost = f"{_bytes(quality['lost_bytes'])} missing, {_bytes(quality['left_out_bytes'])} left out"
    out.print(
        f"conversations: {quality['midstream']:,} begun before the capture, "
        f"{quality['one_sided']:,} seen from one side, "
        f"{quality['with_gaps']:,} with gaps, {quality['unanswered']:,} unanswered"
    )
    out.print(f"payload: {_bytes(quality['payload_bytes'])}, {_bytes(quality['copied_bytes'])} of it read, {lost}")
    damaged = [capture for capture in captures if capture["damaged"]]
    for capture in damaged[:_CAPTURES_SHOWN]:
        out.print(plain(f"{capture['name']}: {capture['damaged']}", "yellow"))
    _more(out, len(damaged) - _CAPTURES_SHOWN, "damaged captures")
    if failures := sum(capture["parser_failures"] for capture in captures):
        out.print(plain(f"{_count(failures, 'parser failure')}: an error of ours; please report it", "bold red"))
    if not COMPILED:
        out.print(plain(f"engine: {engine()}", "yellow"))


def _warnings(out: Console, warnings: Sequence[Row]) -> None:
    for row in warnings[:_CAPTURES_SHOWN]:
        where = ", ".join(part for part in (row["source"], row["interface"]) if part)
        out.print(plain(f"{where}: {row['words']}", "yellow"))
    _more(out, len(warnings) - _CAPTURES_SHOWN, "warnings: spanward read --format json")


def _more(out: Console, count: int, how: str) -> None:
    if count > 0:
        out.print(plain(f"... {count:,} more: {how}", "dim"))


def _short(labels: Sequence[str] | None) -> list[str]:
    """Labels without what stands in brackets behind the name."""
    return [label.partition(" (")[0] or label for label in labels or ()]


def _count(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _span(captures: Sequence[Row]) -> str:
    first = min((capture["first_ts"] for capture in captures if capture["first_ts"]), default=None)
    last = max((capture["last_ts"] for capture in captures if capture["last_ts"]), default=None)
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC" if first and last else ""
