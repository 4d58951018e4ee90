"""`spanward doctor`: what will hurt, and how to mend it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from sensor.commands.console import console, plain, table
from sensor.commands.errors import Status
from sensor.commands.formats import SummaryFormat
from sensor.doctor import Check, Verdict, card, listening, machine
from sensor.settings import Settings
from sensor.wire import printable

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "bold red"}


def doctor(interfaces: Sequence[str], seconds: float, store: Path, form: SummaryFormat, settings: Settings) -> int:
    """Look at this computer and at interfaces, listen on these for so long, and write what came of it.

    Returns the exit status: 1 when something is a problem.
    """
    found = list(_examined(interfaces, seconds, store, settings))
    _WRITERS[form](found)
    return Status.CHECK_FAILED if any(check.verdict is Verdict.PROBLEM for check in found) else Status.DONE


def _examined(interfaces: Sequence[str], seconds: float, store: Path, settings: Settings) -> Iterator[Check]:
    ring_bytes, worker_bytes = settings.ring_mib << 20, settings.worker_memory_mib << 20
    yield from machine.examine(store, len(interfaces), ring_bytes, worker_bytes)
    able = []
    for name in interfaces:
        checks = list(card.examine(name))
        yield from checks
        if machine.has_net_raw() and not any(check.name == name for check in checks):
            able.append(name)
    if seconds and able:
        yield from listening.examine(able, seconds, ring_bytes)


def _table(found: Sequence[Check]) -> None:
    rows = [
        (check.name, plain(check.verdict, _STYLES[check.verdict]), check.says, plain(check.remedy or " "))
        for check in found
    ]
    console().print(table(("what", "state", "so it is", "to do"), rows))


def _json(found: Sequence[Check]) -> None:
    counts = {f"{verdict}s": sum(check.verdict is verdict for check in found) for verdict in _STYLES if verdict != "ok"}
    checks = [{name: printable(text) for name, text in check._asdict().items()} for check in found]
    report = {**counts, "checks": checks}
    sys.stdout.buffer.write(orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


_WRITERS = {SummaryFormat.TABLE: _table, SummaryFormat.JSON: _json}
