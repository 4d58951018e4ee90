"""Ids of earlier inferences: every id that ever stood keeps resolving to the device that it has become part of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sensor.inference.devices import Resolution
from sensor.inference.evidence import Endpoint


def all_aliases(old: Iterable[tuple[Any, ...]], resolution: Resolution) -> dict[str, str]:
    """Rows of `device_alias`: those that follow from the facts, and those of ids that only earlier inferences knew.

    Args:
        old: rows of old_devices.sql.
        resolution: what stands now.
    """
    ids: set[str] = set()
    went: dict[str, str] = {}
    addresses: dict[str, list[Endpoint]] = defaultdict(list)
    for what, device_id, now_id, scope, mac, ip in old:
        ids.add(device_id)
        if what == "alias":
            went[device_id] = now_id
        elif what == "endpoint":
            addresses[device_id].append(Endpoint(scope, mac, ip))
    aliases = dict(resolution.aliases)
    for device_id in sorted(ids - aliases.keys() - resolution.devices.keys()):
        now = _resolves_to(device_id, went, addresses, resolution)
        if now is not None:
            aliases[device_id] = now
    return aliases


def _resolves_to(
    device_id: str, went: dict[str, str], addresses: dict[str, list[Endpoint]], resolution: Resolution
) -> str | None:
    """Where an id that no evidence names any more leads: along its alias, else to who has most of its addresses now."""
    target = went.get(device_id, device_id)
    if target in resolution.devices:
        return target
    if target in resolution.aliases:
        return resolution.aliases[target]
    heirs = [resolution.endpoint_device[e][0] for e in addresses[target] if e in resolution.endpoint_device]
    return max(sorted(set(heirs)), key=heirs.count, default=None)
