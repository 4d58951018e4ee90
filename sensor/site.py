"""The site file: what only the hospital knows about its network.

All of it is optional. Without a site file RFC 1918, unique local and link-local addresses are internal, all VLANs are
one scope, and nothing is pseudonymised::

    name = "Example Hospital"

    [networks]
    internal = ["10.0.0.0/8", "2001:db8:aa::/48"]
    vendors = {"Example Imaging service" = ["192.0.2.0/24"]}

    [scopes]                       # VLAN ids and tunnels whose addresses overlap with others'
    laboratory = [310, 311]
    clinic-north = ["erspan 7", "vni 5000"]

    [privacy]
    principals = "keep"            # or "pseudonym"

    [[windows]]                    # when a vendor may come in
    vendor = "Example Imaging service"
    days = ["sat", "sun"]
    from = "01:00"
    to = "05:00"

A tunnel is named by its kind and number: `vni` (VXLAN, Geneve), `vsid` (NVGRE), `gre` (the key), `erspan` (the
session), `isid` (802.1ah). What is in a named tunnel is in that scope, whatever its VLANs are; in any other tunnel the
inner VLAN decides, and where it is in no list, the scope is that of the packet around it.

What such a file may say is checked in `sensor.sitefile`, which is imported where there is one.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final, Literal

import msgspec

Network = IPv4Network | IPv6Network

DEFAULT_SCOPE: Final = "default"
_PRIVATE: Final[tuple[str, ...]] = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
)
PRIVATE: Final[tuple[Network, ...]] = tuple(ip_network(text) for text in _PRIVATE)


class SiteError(Exception):
    """The site file cannot be used; `str()` is one line that says where and what."""


class Networks(msgspec.Struct, frozen=True):
    """Which addresses are the hospital's, and which are a vendor's."""

    internal: tuple[Network, ...] = PRIVATE
    vendors: dict[str, tuple[Network, ...]] = {}


class Privacy(msgspec.Struct, frozen=True):
    """What to do with account names before they are stored."""

    principals: Literal["keep", "pseudonym"] = "keep"


class Window(msgspec.Struct, frozen=True):
    """When a vendor's visits are expected; local wall-clock times."""

    vendor: str
    days: tuple[str, ...]
    begin: str
    end: str


class SiteForFacts(msgspec.Struct, frozen=True):
    """The part that decides what facts say: all that a worker is told of the site."""

    scopes: dict[str, tuple[int | str, ...]] = {}
    privacy: Privacy = Privacy()


class Site(msgspec.Struct, frozen=True, dict=True):
    """A site, as its file describes it."""

    name: str = "this site"
    networks: Networks = Networks()
    scopes: dict[str, tuple[int | str, ...]] = {}
    privacy: Privacy = Privacy()
    windows: tuple[Window, ...] = ()

    @classmethod
    def load(cls, path: Path | None) -> Site:
        """The site file at `path`; sensible defaults for None.

        Raises:
            SiteError: it cannot be read, is not TOML, or does not say what a site file may say.
        """
        if path is None:
            return cls()
        from sensor.sitefile import read_site  # noqa: PLC0415 - 60 ms that most processes need not spend

        return read_site(path)

    @classmethod
    def of_facts(cls, part: SiteForFacts) -> Site:
        """What a worker knows of it."""
        return cls(scopes=part.scopes, privacy=part.privacy)

    @property
    def for_facts(self) -> SiteForFacts:
        """What a worker must know of it."""
        return SiteForFacts(self.scopes, self.privacy)

    @cached_property
    def scope_names(self) -> tuple[str, ...]:
        """Names of scopes by the number that the engine uses; 0 is the default scope."""
        return (DEFAULT_SCOPE, *self.scopes)

    @cached_property
    def scope_of_vlan(self) -> bytes:
        """Table of 4096 scope numbers, indexed by VLAN id."""
        table = bytearray(4096)
        for number, members in enumerate(self.scopes.values(), start=1):
            for vlan in members:
                if isinstance(vlan, int):
                    table[vlan] = number
        return bytes(table)

    @cached_property
    def scope_of_tunnel(self) -> dict[tuple[str, int], int]:
        """Scope numbers by (kind, number) of the tunnels that the site names."""
        table = {}
        for number, members in enumerate(self.scopes.values(), start=1):
            for name in members:
                if isinstance(name, str):
                    kind, _, digits = name.partition(" ")
                    table[kind, int(digits)] = number
        return table

    def internal(self, ip: str) -> bool:
        """Whether an address belongs to the hospital."""
        return _within(ip, self.networks.internal)

    def vendor(self, ip: str) -> str | None:
        """The vendor whose range an address lies in, if any."""
        for name, networks in self.networks.vendors.items():
            if _within(ip, networks):
                return name
        return None


@lru_cache(maxsize=65_536)
def _within(ip: str, networks: tuple[Network, ...]) -> bool:
    address: IPv4Address | IPv6Address = ip_address(ip)
    return any(address.version == network.version and address in network for network in networks)
