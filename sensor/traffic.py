"""What interfaces and their segments carried, hour by hour, as rows; and what was lost on the way to us.

A segment is what a mirror's packets are told apart by: `vlan 12`, `vni 5000`, `erspan 7`, or nothing. Rows come with a
capture's last batch, or with each batch of a live one, so that the batches of a file stay the same however it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sensor.columns import Table
from sensor.engine import TRAFFIC, Engine
from sensor.rows import HOUR_US, LOSSES, table


def carried(engine: Engine) -> dict[str, Table]:
    """Rows of `fact_traffic` since the last call; no table when there are none."""
    return _made(
        "fact_traffic",
        [
            {"hour": hour * HOUR_US, "interface": name, "segment": segment, **dict(zip(TRAFFIC, counts, strict=True))}
            for (name, segment, hour), counts in engine.traffic().items()
        ],
    )


class Losses:
    """What a live source lost, from counters that only grow."""

    def __init__(self) -> None:
        self._before: dict[str, dict[str, int]] = {}

    def rows(self, counters: Mapping[str, Mapping[str, int]], now_us: int) -> dict[str, Table]:
        """Rows of `fact_loss` since the last call: one for each interface, also where nothing was lost."""
        rows = []
        for interface, counted in counters.items():
            before = self._before.get(interface, {})
            now = {name: counted.get(name, 0) for name, _ in LOSSES}
            grown = {name: count - before.get(name, 0) for name, count in now.items()}
            rows.append({"hour": now_us - now_us % HOUR_US, "interface": interface, **grown})
            self._before[interface] = now
        return _made("fact_loss", rows)


def _made(name: str, rows: list[dict[str, Any]]) -> dict[str, Table]:
    return {name: table(name, list(zip(*(row.values() for row in rows), strict=True)))} if rows else {}
