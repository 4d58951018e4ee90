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
"""

from __future__ import annotations

import tomllib
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

Network = IPv4Network | IPv6Network

_TUNNEL_BITS: Final = {"vni": 24, "vsid": 24, "gre": 32, "erspan": 10, "isid": 24}


def _member(member: int | str) -> int | str:
    """A VLAN id, or a kind of tunnel and a number that fits its field."""
    if isinstance(member, str):
        return _tunnel(member)
    if not 1 <= member <= _VLAN_MAX:
        raise ValueError(f"a VLAN id is a number from 1 to {_VLAN_MAX}")
    return member


def _tunnel(text: str) -> str:
    kind, _, digits = text.partition(" ")
    if kind not in _TUNNEL_BITS or not (digits.isascii() and digits.isdigit() and len(digits) < 11):
        raise ValueError(f"a tunnel is one of {', '.join(_TUNNEL_BITS)}, a space, and its number")
    if int(digits) >> _TUNNEL_BITS[kind]:
        raise ValueError(f"the number of {kind} has at most {_TUNNEL_BITS[kind]} bits")
    return text


Member = Annotated[int | str, AfterValidator(_member)]

DEFAULT_SCOPE: Final = "default"
SCOPES_MAX: Final = 255
_VLAN_MAX: Final = 4094
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


class SiteError(Exception):
    """The site file cannot be used; `str()` is one line that says where and what."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Networks(_Part):
    """Which addresses are the hospital's, and which are a vendor's."""

    internal: tuple[Network, ...] = tuple(ip_network(text) for text in _PRIVATE)
    vendors: dict[str, tuple[Network, ...]] = {}


class Privacy(_Part):
    """What to do with account names before they are stored."""

    principals: Literal["keep", "pseudonym"] = "keep"


class Window(_Part):
    """When a vendor's visits are expected; local wall-clock times."""

    vendor: str
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    begin: str = Field(alias="from", pattern=r"^[0-2]\d:[0-5]\d$")
    end: str = Field(alias="to", pattern=r"^[0-2]\d:[0-5]\d$")


class Site(_Part):
    """A validated site file."""

    name: str = "this site"
    networks: Networks = Networks()
    scopes: Annotated[dict[str, tuple[Member, ...]], Field(max_length=SCOPES_MAX)] = {}
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
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            raise SiteError(f"{path}: cannot be read: {error}") from error
        except tomllib.TOMLDecodeError as error:
            raise SiteError(f"{path}: not valid TOML: {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise SiteError(f"{path}: {where}: {first['msg']}") from error

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
