"""The truth about the hospital: every machine, every identity and who uses it, every finding that must be raised.

Wings say it beside what they play; ``truth.yaml`` is written from it, and the score compares it with what was inferred.
It is closed: a finding that no wing says must be raised is a false alarm. ``must_not`` names those that somebody might
expect, with the reason why they must stay away; they are counted apart.

What cannot be seen yet is said by ``protocol``: the one that an observer has to read for it. Days are the story's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from _net import LabError
from _story import EPOCH, LAST_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from _fleet import Machine

NEVER = "never"  # in ``told``: nothing on this network shows it


@dataclass(frozen=True)
class Address:
    """An address of a machine and the days it had it, both included. Behind a router, ``mac`` is empty."""

    mac: str
    ip: str
    first_day: int = 0
    last_day: int = LAST_DAY


@dataclass(frozen=True)
class Device:
    """One machine. ``addresses`` empty: others speak of it (``via``). ``told``: attribute -> protocol that shows it.

    An attribute that is empty is not asked for. ``vendor``, ``model`` and the others are written as people write them;
    the score compares without regard to case and punctuation.
    """

    name: str
    addresses: tuple[Address, ...] = ()
    vendor: str = ""
    model: str = ""
    device_type: str = ""
    serial: str = ""
    os: str = ""
    role: str = ""
    via: str = ""
    known_by: str = ""  # what others call it by, besides its serial number
    synthetic: str = ""
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Identity:
    """A non-human (or, where ``belongs_to`` says so, human) identity; ``users`` and ``peers`` are names of devices."""

    kind: str
    label: str
    protocol: str
    users: tuple[str, ...]
    peers: tuple[str, ...] = ()
    realm: str = ""
    belongs_to: str = "device"


@dataclass(frozen=True)
class Finding:
    """A finding that must be raised: on a device, on an identity (its label), or both.

    ``first_day``: when it can first be known. ``resolved_day``: when it must be resolved; None while it stands.
    """

    rule: str
    protocol: str
    device: str = ""
    identity: str = ""
    first_day: int = 0
    resolved_day: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Silence:
    """A finding that must not be raised, although somebody might think so."""

    rule: str
    why: str
    device: str = ""
    identity: str = ""


DEVICES: dict[str, Device] = {}
IDENTITIES: list[Identity] = []
FINDINGS: list[Finding] = []
SILENCES: list[Silence] = []


def device(machine: Machine, *more: Address, **known: Any) -> Machine:
    """Say what a machine of the fleet is; its own address holds on all days unless ``more`` addresses are given.

    What its messages say of it (``manufacturer``, ``model``, ``serial``) is the truth unless ``known`` says otherwise.
    Returns the machine. Raises LabError when the name is taken.
    """
    if machine.name in DEVICES:
        raise LabError(f"two devices are called {machine.name}")
    own = (Address(machine.mac, machine.ip),) if machine.ip and not machine.via else ()
    said = {"vendor": machine.manufacturer, "model": machine.model, "serial": machine.serial}
    said |= {"via": machine.via, "known_by": machine.eui64}
    DEVICES[machine.name] = Device(machine.name, more or own, **(said | known))
    return machine


def identity(kind: str, label: str, protocol: str, users: tuple[str, ...], **known: Any) -> None:
    """Say that these devices use (or show) an identity."""
    IDENTITIES.append(Identity(kind, label, protocol, users, **known))


def must(rule: str, protocol: str, device: str = "", identity: str = "", **known: Any) -> None:
    """Say that a finding must be raised; ``protocol`` is empty where addresses and ports are enough to see it."""
    FINDINGS.append(Finding(rule, protocol, device, identity, **known))


def must_not(rule: str, why: str, device: str = "", identity: str = "") -> None:
    """Say that a finding must not be raised, and why."""
    SILENCES.append(Silence(rule, why, device, identity))


def faults() -> list[str]:
    """Return what in the truth speaks of machines that do not exist."""
    said = [(f"{i.kind} {i.label}", name) for i in IDENTITIES for name in (*i.users, *i.peers)]
    said += [(f.rule, f.device) for f in (*FINDINGS, *SILENCES) if f.device]
    said += [(d.name, d.via) for d in DEVICES.values() if d.via]
    return [f"{what}: there is no device {name}" for what, name in said if name not in DEVICES]


def write(path: Path) -> None:
    """Write truth.yaml. Raises LabError when it contradicts itself."""
    if wrong := faults():
        raise LabError("; ".join(wrong))
    truth = {
        "epoch": EPOCH.isoformat(),
        "last_day": LAST_DAY,
        "devices": [_plain(one) for one in sorted(DEVICES.values(), key=lambda d: d.name)],
        "identities": [_plain(one) for one in sorted(IDENTITIES, key=lambda i: (i.kind, i.label, i.realm))],
        "must": [_plain(one) for one in sorted(FINDINGS, key=lambda f: (f.rule, f.device, f.identity))],
        "must_not": [_plain(one) for one in sorted(SILENCES, key=lambda s: (s.rule, s.device, s.identity))],
    }
    text = yaml.safe_dump(truth, sort_keys=False, allow_unicode=True, width=120)
    path.write_text(f"# Written by the lab: say it there, in the wing that plays it.\n{text}", encoding="utf-8")


def _plain(one: object) -> dict[str, Any]:
    """Return a record without what is empty or ordinary."""
    values = {key: getattr(one, key) for key in one.__dataclass_fields__}  # type: ignore[attr-defined]
    plain = {key: _written(value) for key, value in values.items()}
    return {key: value for key, value in plain.items() if value not in ("", [], {}, None)}


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) if isinstance(item, Address) else item for item in value]
    return dict(value) if hasattr(value, "items") else value
