"""The truth about the recorded hospital, as its lab wrote it (pcaps/hospital/truth.yaml)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import yaml


class Address(msgspec.Struct, frozen=True):
    """An address of a machine and the days it had it, both included; `mac` is empty behind a router."""

    ip: str
    mac: str = ""
    first_day: int = 0
    last_day: int = 10_000


class Device(msgspec.Struct, frozen=True):
    """One machine. `told`: attribute -> protocol that shows it. `via`: the machine that speaks of it, by `known_by`."""

    name: str
    addresses: list[Address] = []
    vendor: str = ""
    model: str = ""
    device_type: str = ""
    serial: str = ""
    os: str = ""
    role: str = ""
    via: str = ""
    synthetic: str = ""
    known_by: str = ""
    told: dict[str, str] = {}


class Identity(msgspec.Struct, frozen=True):
    """An identity and the machines that use or show it."""

    kind: str
    label: str
    protocol: str
    users: list[str] = []
    peers: list[str] = []
    realm: str = ""
    belongs_to: str = ""


class Must(msgspec.Struct, frozen=True):
    """A finding that must be raised, from `first_day` on; it must be resolved from `resolved_day` on.

    `protocol` is empty where nothing has to be read for it: addresses and ports are enough.
    """

    rule: str
    protocol: str = ""
    device: str = ""
    identity: str = ""
    first_day: int = 0
    resolved_day: int | None = None
    why: str = ""


class MustNot(msgspec.Struct, frozen=True):
    """A finding that must not be raised, and why."""

    rule: str
    why: str
    device: str = ""
    identity: str = ""


class Truth(msgspec.Struct, frozen=True):
    """All of it; days are counted from `epoch`."""

    epoch: datetime
    last_day: int
    devices: list[Device]
    identities: list[Identity]
    must: list[Must]
    must_not: list[MustNot]

    def day_of(self, moment: datetime) -> int:
        """The day of the story that a naive UTC time is in."""
        return (moment - self.epoch.replace(tzinfo=None)) // timedelta(days=1)


def load(path: Path) -> Truth:
    """Read the truth.

    Raises:
        msgspec.ValidationError: the file does not have this shape.
    """
    written: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    return msgspec.convert(written, Truth, strict=False)
