"""What a site file may say, checked; `sensor.site` shows one."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sensor.site import PRIVATE, Network, Networks, Privacy, Site, SiteError, Window

SCOPES_MAX: Final = 255
_VLAN_MAX: Final = 4094
_TUNNEL_BITS: Final = {"vni": 24, "vsid": 24, "gre": 32, "erspan": 10, "isid": 24}


def read_site(path: Path) -> Site:
    """The site that the file at `path` describes.

    Raises:
        SiteError: it cannot be read, is not TOML, or does not say what a site file may say.
    """
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).site()
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SiteError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SiteError(f"{path}: {where}: {first['msg']}") from error


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


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Networks(_Part):
    internal: tuple[Network, ...] = PRIVATE
    vendors: dict[str, tuple[Network, ...]] = {}


class _Privacy(_Part):
    principals: Literal["keep", "pseudonym"] = "keep"


class _Window(_Part):
    vendor: str
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    begin: str = Field(alias="from", pattern=r"^[0-2]\d:[0-5]\d$")
    end: str = Field(alias="to", pattern=r"^[0-2]\d:[0-5]\d$")


class _File(_Part):
    name: str = "this site"
    networks: _Networks = _Networks()
    scopes: Annotated[dict[str, tuple[Member, ...]], Field(max_length=SCOPES_MAX)] = {}
    privacy: _Privacy = _Privacy()
    windows: tuple[_Window, ...] = ()

    def site(self) -> Site:
        """The same without the means of checking it."""
        return Site(
            self.name,
            Networks(self.networks.internal, self.networks.vendors),
            self.scopes,
            Privacy(self.privacy.principals),
            tuple(Window(one.vendor, one.days, one.begin, one.end) for one in self.windows),
        )
