"""`spanward verify`: our facts against Wireshark's dissectors, field by field; what differs, with both values."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from sensor.capture.errors import CaptureError
from sensor.commands.console import console, heading, plain, progress, some, table
from sensor.commands.errors import CommandError, Status, note
from sensor.commands.formats import SummaryFormat
from sensor.site import Site
from sensor.sitekey import SiteKey
from sensor.verification import (
    Difference,
    DissectionFailed,
    Verdict,
    Verified,
    WiresharkMissing,
    verify,
    wireshark_version,
)
from sensor.verification.table import Row
from sensor.verification.table import table as fields
from sensor.wire import printable

_VALUES_SHOWN = 4

Found = list[tuple[Path, Verified]]


def run(captures: Sequence[Path], site: Site, key: SiteKey, form: SummaryFormat) -> int:
    """Cross-examine captures and write what came of it; returns the exit status.

    Captures that one of the two cannot read are named on standard error; the others are compared all the same.

    Raises:
        CommandError: tshark is not installed, or captures could not be read.
    """
    try:
        version = wireshark_version()
        found, failures = _verified(captures, site, key)
    except WiresharkMissing as error:
        raise CommandError(str(error)) from error
    for failure in failures[:-1]:
        note(failure)
    if found:
        _WRITERS[form](found, version)
    if failures:
        raise CommandError(failures[-1], Status.UNREADABLE)
    return Status.CHECK_FAILED if _differing(found) else Status.DONE


def _verified(captures: Sequence[Path], site: Site, key: SiteKey) -> tuple[Found, list[str]]:
    found: Found = []
    failures: list[str] = []
    with progress(len(captures)) as bar:
        task = bar.add_task("", total=len(captures)) if bar else None
        for path in captures:
            if bar and task is not None:
                bar.update(task, description=str(plain(path.name)))
            try:
                found.append((path, verify(path, site, key)))
            except (CaptureError, DissectionFailed) as error:
                failures.append(str(error))
            if bar and task is not None:
                bar.advance(task)
    return found, failures


# ---------------------------------------------------------------------- for people


def _table(found: Found, version: str) -> None:
    out = console()
    for path, verified in found:
        _remark(path, verified)
    tallies = _tallies(found)
    if not tallies:
        note("nothing that both could read: no TLS, DTLS, DICOM, HL7 or SMB in these captures")
        return
    heading(out, "Fields", f"compared with tshark {version}, per endpoint")
    columns = ["field", "tshark's field", *(_title(verdict) for verdict in Verdict)]
    rows = [[_label(row), row.tshark_field, *_counts(tally)] for row, tally in tallies.items()]
    out.print(table(columns, rows, right=columns[2:]))
    for path, verified in found:
        _differences(out, path, verified.comparison.differences)


def _remark(path: Path, verified: Verified) -> None:
    if verified.damaged:
        note(f"{path}: {verified.damaged}; what stands before that was compared")
    for protocol, ports in verified.told.items():
        note(f"{path}: tshark was told that {protocol} is spoken on port {some([str(port) for port in ports], 5)}")


def _counts(tally: Counter[Verdict]) -> list[str]:
    return [str(tally[verdict] or "") for verdict in Verdict]


def _title(verdict: Verdict) -> str:
    return verdict.value.replace("_", " ")


def _label(row: Row) -> str:
    """An attribute's name begins with its protocol; other facts are told apart by it."""
    return row.name if row.kind == "attribute" else f"{row.protocol} {row.kind} {row.ours}"


def _differences(out: Console, path: Path, differences: Sequence[Difference]) -> None:
    if not differences:
        return
    heading(out, f"Differences in {plain(path.name)}", str(len(differences)))
    rows = [[key.endpoint, _label(key.row), _said(ours), _said(theirs)] for key, _, ours, theirs in differences]
    out.print(table(["endpoint", "field", "ours", "tshark's"], rows))


def _said(values: Sequence[str]) -> str:
    return some(values, _VALUES_SHOWN)


# ---------------------------------------------------------------------- for programs


def _json(found: Found, version: str) -> None:
    report = {
        "tshark": version,
        "equal": not _differing(found),
        "captures": [_capture(path, verified) for path, verified in found],
    }
    sys.stdout.buffer.write(orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def _capture(path: Path, verified: Verified) -> dict[str, Any]:
    return {
        "capture": printable(str(path)),
        "damaged": verified.damaged,
        "told": verified.told,
        "fields": [
            {**_field(row), **{verdict.value: tally[verdict] for verdict in Verdict}}
            for row, tally in _tallies([(path, verified)]).items()
        ],
        "differences": [
            {
                **_field(difference.key.row),
                "endpoint": difference.key.endpoint,
                "verdict": difference.verdict.value,
                "ours": difference.ours,
                "theirs": difference.theirs,
            }
            for difference in verified.comparison.differences
        ],
    }


def _field(row: Row) -> dict[str, Any]:
    return {"protocol": row.protocol, "field": row.name, "tshark_field": row.tshark_field}


# ---------------------------------------------------------------------- for both


def _tallies(found: Found) -> dict[Row, Counter[Verdict]]:
    """How often each verdict was reached, by field, in the order of the table; fields nobody read are left out."""
    tallies: dict[Row, Counter[Verdict]] = {row: Counter() for row in fields()}
    for _, verified in found:
        for key, verdict in verified.comparison.verdicts.items():
            tallies[key.row][verdict] += 1
    return {row: tally for row, tally in tallies.items() if tally}


def _differing(found: Found) -> bool:
    return any(verified.comparison.differences for _, verified in found)


_WRITERS = {SummaryFormat.TABLE: _table, SummaryFormat.JSON: _json}
