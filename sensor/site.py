"""The site file: what only the hospital knows about its network.

All of it is optional. Without a site file RFC 1918, unique local and link-local addresses are internal, all VLANs are
one scope, and nothing is pseudonymised::

    name = "Example Hospital"

    [networks]
    internal = ["10.0.0.0/8", "2001:db8:aa::/48"]
    vendors = {"Example Imaging service" = ["192.0.2.0/24"]}

    [scopes]                       # VLAN ids whose addresses overlap with others'
    laboratory = [310, 311]

    [privacy]
    principals = "keep"            # or "pseudonym"

    [[windows]]                    # when a vendor may come in
    vendor = "Example Imaging service"
    days = ["sat", "sun"]
    from = "01:00"
    to = "05:00"
"""

from __future__ import annotations

import tomllib
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Network = IPv4Network | IPv6Network
Vlan = Annotated[int, Field(ge=1, le=4094)]

DEFAULT_SCOPE: Final = "default"
SCOPES_MAX: Final = 255
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
    scopes: Annotated[dict[str, tuple[Vlan, ...]], Field(max_length=SCOPES_MAX)] = {}
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
        for number, vlans in enumerate(self.scopes.values(), start=1):
            for vlan in vlans:
                table[vlan] = number
        return bytes(table)

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
