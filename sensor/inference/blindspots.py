"""Blind spots: per device and day, how many conversations could show an identity, and why the others could not.

A conversation has one reason, the first that holds: unanswered, one-sided, mid-stream, loss, no payload (nobody said
anything), unknown protocol, TLS 1.3, resumption, Kerberos (the client's name is inside the ticket), no logon seen (an
SMB conversation without one: it was not read to its logon, or goes on with one of before). The counts come from tables
that know nothing of each other's conversations (the engine's and the parsers'), so reasons are cut to what is left.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from typing import Final

import duckdb

from sensor.inference.statements import run

NOTHING_HIDDEN: Final = "none"

Row = tuple[str, date, int, int, str, int]


def blindspot_rows(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Rows of table `blindspot`: one per device, day and reason; reason `none` where everything could be seen."""
    totals: Counter[tuple[str, date]] = Counter()
    reasons: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)
    for device_id, day, known, n, *counts in run(connection, "blindspots"):
        totals[device_id, day] += n
        reasons[device_id, day].update(_reasons(n, counts, known=known))
    return [row for key in sorted(totals) for row in _rows(key, totals[key], reasons[key])]


def _reasons(n: int, counts: list[int], *, known: bool) -> dict[str, int]:
    unanswered, one_sided, midstream, gap, silent, hidden, resumed, tickets, no_logon = counts
    blind = {
        "unanswered": unanswered,
        "one-sided": one_sided,
        "mid-stream": midstream,
        "loss": gap,
        "no payload": silent,
    }
    inside = {"TLS 1.3": hidden, "resumption": resumed, "Kerberos": tickets, "no logon seen": no_logon}
    blind |= inside if known else {"unknown protocol": n}
    left, found = n, {}
    for reason, count in blind.items():
        found[reason] = min(left, count)
        left -= found[reason]
    return found


def _rows(key: tuple[str, date], total: int, reasons: Counter[str]) -> list[Row]:
    understood = total - sum(reasons.values())
    hidden = sorted((reason, count) for reason, count in reasons.items() if count)
    return [(*key, total, understood, reason, count) for reason, count in hidden or [(NOTHING_HIDDEN, 0)]]
