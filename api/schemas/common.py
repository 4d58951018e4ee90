"""What all lists share: the filter types, paging, and the envelope of a page."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from api.formats import Format

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EARLIEST = datetime(1677, 9, 22)  # noqa: DTZ001 - the store's timestamps are naive UTC
_LATEST = datetime(2262, 4, 11)  # noqa: DTZ001


class Severity(StrEnum):
    """How bad a finding is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Status(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    ACCEPTED = "accepted"


def _naive_utc(value: datetime) -> datetime:
    try:
        naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    except OverflowError:
        naive = value.replace(tzinfo=None)
    return min(max(naive, _EARLIEST), _LATEST)


def _calendar(value: object) -> object:
    # pydantic would take a number for seconds since 1970; here it is rather a mistake.
    if isinstance(value, str) and not _DATE.match(value):
        raise ValueError("must be a time as in 2026-11-23T10:00:00Z")
    return value


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError("not an IPv4 or IPv6 address") from None  # its own message quotes what was asked


def _mac(value: str) -> str:
    return value.lower().replace("-", ":")


Moment = Annotated[datetime, BeforeValidator(_calendar), AfterValidator(_naive_utc)]
Ip = Annotated[
    str,
    AfterValidator(_address),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]}),
]
Mac = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$"), AfterValidator(_mac)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class PageQuery(BaseModel):
    """Paging and format: the query parameters of every list. Parameters that do not exist are refused."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(None, max_length=2000, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=1000, description="rows of a page")
    format: Format | None = Field(None, description="wins over the Accept header")

    def filters(self) -> dict[str, object]:
        """The filters as parameters of a query: plain values, None where nothing is asked."""
        return plain_filters(self.model_dump(exclude={"cursor", "limit", "format"}))


def plain_filters(found: Mapping[str, object]) -> dict[str, object]:
    """Filters as parameters of a query: plain values, None instead of an empty list."""
    return {name: _plain(value) for name, value in found.items()}


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [str(part) for part in value] or None
    return str(value) if isinstance(value, StrEnum) else value


class SeenQuery(PageQuery):
    """A list of things that were seen from some time to some time."""

    since: Moment | None = Field(None, description="seen at this time or later (UTC unless it says otherwise)")
    until: Moment | None = Field(None, description="seen before this time")


Item = TypeVar("Item", bound=BaseModel)


class ListPage(BaseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="give it as `cursor` for the next page; null on the last one")


class Seen(BaseModel):
    """When the evidence begins and ends."""

    first_ts: datetime = Field(description="UTC")
    last_ts: datetime = Field(description="UTC")
