"""The part that a device plays in exchanges of HL7 messages and of files: who sends, who takes, who serves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from sensor.inference.claims import Claim
from sensor.inference.devices import Resolution
from sensor.inference.statements import run
from sensor.knowledge import vocabulary
from sensor.store.duck import duckdb

SENDERS_MIN: Final = 3  # devices whose messages an interface engine takes
DOMAIN_SHARES: Final = frozenset({"sysvol", "netlogon"})  # a domain controller's (MS-ADTS 6.1.5)
PIPES: Final = "ipc$"
TYPE_OF_ROLE: Final = {
    "interface engine": "interface engine",
    "device gateway": "device gateway",
    "domain controller": "domain controller",
    "file server": "file server",
}


class Row(NamedTuple):
    """A row of exchanges.sql, without `what` and the device."""

    others: int
    names: int
    said: list[str] | None
    first: datetime
    last: datetime
    n: int


@dataclass(slots=True)
class Exchanges:
    """What one device does, by `what` of exchanges.sql."""

    rows: dict[str, Row] = field(default_factory=dict)

    def does(self, what: str) -> bool:
        """Whether it was seen to."""
        return what in self.rows

    def others(self, what: str) -> int:
        """With how many other devices."""
        return self.rows[what].others if what in self.rows else 0

    def said(self, *kinds: str) -> set[str]:
        """The names that it gave then."""
        return {name for what in kinds if what in self.rows for name in self.rows[what].said or ()}

    @property
    def extent(self) -> tuple[datetime, datetime, int]:
        """First and last sight, and how many."""
        rows = self.rows.values()
        return min(row.first for row in rows), max(row.last for row in rows), sum(row.n for row in rows)


def exchange_claims(connection: duckdb.DuckDBPyConnection, resolution: Resolution) -> list[Claim]:
    """Claims of `role` and `device_type`. Needs tables `seen_authentication` and `seen_attribute`."""
    found: dict[str, Exchanges] = defaultdict(Exchanges)
    for what, device_id, *row in run(connection, "exchanges"):
        found[device_id].rows[what] = Row(*row)
    spoken_of = _spoken_of(resolution)
    return [
        Claim(device_id, *said, *exchanges.extent)
        for device_id, exchanges in found.items()
        for said in _claims(len(spoken_of[device_id]), exchanges)
    ]


def _spoken_of(resolution: Resolution) -> dict[str, set[str]]:
    """Per device, the other devices that it described."""
    others: dict[str, set[str]] = defaultdict(set)
    for (endpoint, _), device_id in resolution.subject_device.items():
        speaker = resolution.endpoint_device[endpoint][0]
        if resolution.devices[speaker].forwards and device_id != speaker:
            others[speaker].add(device_id)
    return others


def _claims(spoken_of: int, exchanges: Exchanges) -> Iterator[tuple[str, str, str, float]]:
    roles = [*_messages(spoken_of, exchanges), *_files(exchanges)]
    for role, source, certainty in roles:
        yield "role", role, source, certainty
    for role, source, certainty in roles:
        if role in TYPE_OF_ROLE:
            yield "device_type", TYPE_OF_ROLE[role], source, min(certainty, 0.7)


def _messages(spoken_of: int, exchanges: Exchanges) -> Iterator[tuple[str, str, float]]:
    """What it is to HL7: MSH-3 is configuration text, so a name alone says little."""
    sends, senders = exchanges.does("sends"), exchanges.others("takes")
    many = senders >= SENDERS_MIN
    # In acknowledgements most devices say what they were called.
    named = sorted(exchanges.said("sends", *(["acknowledges"] if many else [])) & vocabulary("engine_names"))
    if named:
        yield "interface engine", f"it calls itself {named[0]} in HL7 messages", 0.8 if many else 0.5
    if many and sends:
        yield "interface engine", f"takes the messages of {senders} devices and sends messages itself", 0.7
    if sends and spoken_of > 1:
        yield "device gateway", f"sends what {spoken_of} other devices measured", 0.7
    gateways = sorted(exchanges.said("sends") & vocabulary("gateway_names"))
    if gateways:
        yield "device gateway", f"it calls itself {gateways[0]} in HL7 messages", 0.5
    if sends:
        yield "HL7 sender", "sends HL7 messages", 0.4
    elif senders:
        yield "HL7 receiver", f"takes HL7 messages of {senders} device{'s' if senders > 1 else ''}", 0.5


def _files(exchanges: Exchanges) -> Iterator[tuple[str, str, float]]:
    shares = exchanges.said("shares")
    if shares & DOMAIN_SHARES:
        yield "domain controller", f"it has the share {min(shares & DOMAIN_SHARES)}", 0.8
    if exchanges.does("lets in"):
        files = sorted(shares - DOMAIN_SHARES - {PIPES})
        what = f"answers SMB logons and has the share {files[0]}" if files else "answers SMB logons"
        yield "file server", what, 0.5 if files else 0.3
