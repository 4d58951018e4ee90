"""What the store says about the hospital, with each of its devices named after the machine that it is."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from tests.score.truth import Device, Truth

ROUTER = "network router"
REJECTED = "rejected"
ATTRIBUTES = ("vendor", "model", "device_type", "serial", "os", "role")


class Endpoint(NamedTuple):
    """An address that a device was inferred to have, and the machine that truly had it."""

    device_id: str
    machine: str


class Use(NamedTuple):
    """An identity, as it is labelled, and the machines that were inferred to use it."""

    kind: str
    label: str
    realm: str
    machines: frozenset[str]


class Finding(NamedTuple):
    """A finding, about a machine and an identity as they are called."""

    rule: str
    machine: str
    identity: str
    status: str
    first_ts: datetime
    subject: str


class Inferred:
    """A store that the hospital was read into."""

    def __init__(self, store: Path, truth: Truth) -> None:
        self._truth = truth
        with duckdb.connect(str(store), read_only=True) as connection:
            self._rows = {
                name: connection.sql(f"SELECT * FROM {name}").to_arrow_table().to_pylist()
                for name in ("devices", "device_endpoints", "identities", "identity_uses", "findings")
            }
        routers = {one.mac for device in truth.devices if device.role == ROUTER for one in device.addresses}
        for row in self._rows["device_endpoints"]:
            if row["mac"] in routers and row["ip"]:
                row["mac"] = None  # in a router's frames: the IP address alone tells
        self.endpoints = [one for row in self._rows["device_endpoints"] for one in self._endpoints(row)]
        self.machines = self._named()

    def _endpoints(self, row: dict[str, Any]) -> list[Endpoint]:
        """One for each machine that had the address while the device had it: more than one is a mistake."""
        first, last = self._truth.day_of(row["first_ts"]), self._truth.day_of(row["last_ts"])
        return [
            Endpoint(row["device_id"], device.name)
            for device in self._truth.devices
            if any(
                a.first_day <= last and first <= a.last_day and _same_address(a.mac, a.ip, row)
                for a in device.addresses
            )
        ]

    def _named(self) -> dict[str, str]:
        """Device id -> the machine that most of its addresses are of; described ones by what is said of them."""
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for device_id, machine in self.endpoints:
            votes[device_id][machine] += 1
        named = {device_id: min(count, key=lambda m: (-count[m], m)) for device_id, count in votes.items()}
        for row in self._rows["devices"]:
            spoken_of = next((d.name for d in self._truth.devices if d.via and describes(row, d)), None)
            if row["described"] and spoken_of:
                named[row["device_id"]] = spoken_of
        return named

    def attributes(self) -> dict[str, list[dict[str, str | None]]]:
        """Machine -> what each device inferred for it is said to be."""
        said: dict[str, list[dict[str, str | None]]] = defaultdict(list)
        for row in self._rows["devices"]:
            if row["device_id"] in self.machines:
                said[self.machines[row["device_id"]]].append({name: row[name] for name in ATTRIBUTES})
        return said

    def strangers(self) -> list[str]:
        """Labels of devices that are no machine of the hospital."""
        return sorted(row["label"] for row in self._rows["devices"] if row["device_id"] not in self.machines)

    def uses(self) -> list[Use]:
        """All identities and who uses them. A name that was refused wherever it was tried is nobody's identity."""
        users: dict[str, set[str]] = defaultdict(set)
        for row in self._rows["identity_uses"]:
            if row["outcome"] != REJECTED:
                users[row["identity_id"]].add(self.machines.get(row["device_id"], f"? {row['device_id']}"))
        return [
            Use(row["kind"], row["label"], row["realm"] or "", frozenset(users[row["identity_id"]]))
            for row in self._rows["identities"]
            if row["identity_id"] in users
        ]

    def findings(self) -> list[Finding]:
        """All findings, resolved ones too."""
        labels = {row["identity_id"]: row["label"] for row in self._rows["identities"]}
        return [
            Finding(
                row["rule_id"],
                self.machines.get(row["device_id"], f"? {row['device_id']}") if row["device_id"] else "",
                labels.get(row["identity_id"], ""),
                row["status"],
                row["first_ts"],
                json.loads(row["evidence"])["subject"],
            )
            for row in self._rows["findings"]
        ]


def _same_address(mac: str, ip: str, row: dict[str, Any]) -> bool:
    """Whether an inferred endpoint is this address; behind a router the IP address alone tells."""
    if row["mac"] and mac and row["mac"] == mac:
        return row["ip"] in (None, ip)
    return bool(ip) and row["ip"] == ip and (not mac or not row["mac"])


def describes(row: dict[str, Any], device: Device) -> bool:
    """Whether what is said of a described device names this machine: by its serial number or by its name."""
    said = plain(" ".join(str(row[name] or "") for name in ("label", "serial", "why")))
    return any(
        len(plain(known)) > 3 and plain(known) in said for known in (device.serial, device.known_by, device.name)
    )


def plain(text: str) -> str:
    """A text without case and punctuation."""
    return "".join(c for c in text.casefold() if c.isalnum())
