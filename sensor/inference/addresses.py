"""Which MAC and IP addresses can stand for a device, and why the others cannot.

A MAC address seen on a mirror port belongs to the device only on its own link: behind a router every frame carries
the router's. So every MAC is judged over all that was ever seen with it, never packet by packet: the order of facts
does not matter.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from types import MappingProxyType
from typing import Final, NamedTuple

ROUTED_ADDRESSES_MIN: Final = 4  # IPv4 addresses behind one MAC on one day: more than a multi-homed host has
RIVALS_MIN: Final = 2  # others that hold addresses at the same time: a team of network cards, or a spare, is one
EUI64_MIDDLE: Final = b"\xff\xfe"
VIRTUAL: Final = {
    "00:00:5e:00:01": "VRRP",
    "00:00:5e:00:02": "VRRP for IPv6",
    "00:00:0c:07:ac": "HSRP",
    "00:00:0c:9f:f": "HSRP version 2",
    "00:05:73:a0:0": "HSRP for IPv6",
    "00:07:b4:00": "GLBP",
    "02:bf": "network load balancing",
    "03:bf": "network load balancing",
}
HEX: Final = re.compile("[0-9A-Fa-f]+")
ADDRESS: Final = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[:-]?){5,7}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])")
STABLE_LOCAL: Final = {"52:54:00": "QEMU/KVM"}  # locally administered, but given to a machine for its life


class MacKind(StrEnum):
    """What a MAC address is good for."""

    OWN = "own"  # one device's own address
    GROUP = "group"  # multicast or broadcast: nobody's
    NULL = "null"  # all zeros: a loopback interface has none
    VIRTUAL = "virtual"  # moves between devices
    RANDOM = "random"  # locally administered: may change at any time
    ROUTER = "router"  # carries other devices' packets


class MacVerdict(NamedTuple):
    """The judgement of a MAC and its reason, in words."""

    kind: MacKind
    reason: str


class Sight(NamedTuple):
    """An address pair seen on a day."""

    scope: str
    mac: str | None
    ip: str | None
    day: date


class Rival(NamedTuple):
    """Another MAC that was seen with an IP address on the same day while the one that is judged was."""

    ip: str
    mac: str


def judge(
    mac: str, ips_by_day: dict[date, set[str]], internal: Callable[[str], bool], rivals: Collection[Rival] = ()
) -> MacVerdict:
    """What `mac` is good for, given every IP address that it was seen with, and who held them at the same time.

    A mirror of both sides of a router shows a host's address on its own link and, in the router's frames, on the other.
    """
    by_form = _by_form(mac)
    if by_form is not None:
        return by_form
    outside = sorted(ip for ip in set().union(*ips_by_day.values()) if is_host(ip) and not internal(ip))
    if outside:
        return MacVerdict(
            MacKind.ROUTER, f"its MAC address {mac} carries off-site addresses such as {outside[0]}: a router's"
        )
    worst = max(map(_routed, ips_by_day.values()), default="")
    if worst:
        return MacVerdict(MacKind.ROUTER, f"its MAC address {mac} carries {worst}: a router's")
    if len({rival.mac for rival in rivals}) >= RIVALS_MIN:
        one, other = sorted({rival.mac: rival.ip for rival in sorted(rivals, reverse=True)}.items())[:2]
        held = f"{one[1]}, which {one[0]} held at the same time, and {other[1]}, which {other[0]} held"
        return MacVerdict(MacKind.ROUTER, f"its MAC address {mac} carries {held}: a router's")
    return MacVerdict(MacKind.OWN, "MAC address on the link")


def judge_all(
    sights: Iterable[Sight],
    internal: Callable[[str], bool],
    rivals: Mapping[tuple[str, str], Collection[Rival]] = MappingProxyType({}),
) -> dict[tuple[str, str], MacVerdict]:
    """Every (scope, MAC) with its judgement; `rivals` by (scope, MAC)."""
    seen: dict[tuple[str, str], dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
    for sight in sights:
        if sight.mac is not None:
            seen[sight.scope, sight.mac][sight.day] |= {sight.ip} if sight.ip else set()
    return {key: judge(key[1], days, internal, rivals.get(key, ())) for key, days in seen.items()}


@lru_cache(maxsize=65_536)
def is_host(ip: str) -> bool:
    """Whether an IP address is good beyond its own link (or machine)."""
    address = ip_address(ip)
    return not (
        address.is_multicast
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or ip == "255.255.255.255"
    )


@lru_cache(maxsize=65_536)
def is_nobody(ip: str) -> bool:
    """Whether an IP address stands for no single machine: a group, a broadcast, or none yet."""
    address = ip_address(ip)
    return address.is_multicast or address.is_unspecified or ip == "255.255.255.255"


def mac_in(ip: str) -> str | None:
    """The MAC address inside an IPv6 address made by EUI-64 (RFC 4291 appendix A), if it is a universal one."""
    address = ip_address(ip)
    if not isinstance(address, IPv6Address):
        return None
    low = address.packed[8:]
    if low[3:5] != EUI64_MIDDLE or not low[0] & 2:
        return None
    return ":".join(f"{byte:02x}" for byte in (low[0] ^ 2, *low[1:3], *low[5:8]))


def mac_of_eui64(text: str) -> str | None:
    """The MAC address that an EUI-64 of 16 digits was made from: FFFE or, as some makers do, FFFF in the middle."""
    digits = text.lower()
    if len(digits) != 16 or digits[6:10] not in ("fffe", "ffff"):
        return None
    bare = digits[:6] + digits[10:]
    return ":".join(bare[at : at + 2] for at in range(0, 12, 2))


def macs_in(text: str) -> set[str]:
    """Every MAC address, or EUI-64 made from one, in a text; with colons, hyphens or nothing between the bytes."""
    found = {"".join(HEX.findall(digits)).lower() for digits in ADDRESS.findall(text)}
    macs = {":".join(bare[at : at + 2] for at in range(0, 12, 2)) for bare in found if len(bare) == 12}
    return macs | {mac for bare in found if (mac := mac_of_eui64(bare))}


def _by_form(mac: str) -> MacVerdict | None:
    first = int(mac[:2], 16)
    virtual = next((name for prefix, name in VIRTUAL.items() if mac.startswith(prefix)), None)
    if virtual:
        return MacVerdict(MacKind.VIRTUAL, f"its MAC address {mac} is virtual ({virtual})")
    if mac == "00:00:00:00:00:00":
        return MacVerdict(MacKind.NULL, "its MAC address is null, as on a loopback interface")
    if first & 1:
        return MacVerdict(MacKind.GROUP, f"{mac} is a group address")
    if first & 2 and mac[:8] not in STABLE_LOCAL:
        return MacVerdict(MacKind.RANDOM, f"its MAC address {mac} is locally administered and may be random")
    return None


def _routed(ips: set[str]) -> str:
    """Why the addresses of one day cannot all be one host's, or an empty text."""
    if len(ips) < 2:
        return ""
    hosts = [ip_address(ip) for ip in ips if is_host(ip)]
    v4 = [address for address in hosts if isinstance(address, IPv4Address)]
    nets = {address.packed[:3] for address in v4}
    nets6 = {address.packed[:8] for address in hosts if isinstance(address, IPv6Address)}
    if len(v4) >= ROUTED_ADDRESSES_MIN:
        return f"{len(v4)} IPv4 addresses on one day"
    if len(nets) > 1:
        return f"IPv4 addresses of {len(nets)} networks on one day"
    return f"IPv6 addresses of {len(nets6)} networks on one day" if len(nets6) > 2 else ""
