"""Keyset paging. A cursor names the last row of a page; the next page is what comes after it in the list's order.

A cursor is opaque: base64url of a JSON array `[list, filters, key...]` behind 8 bytes of its SHA-256. The hash holds no
secret: it finds typing errors and cut-off copies. What keeps the store safe is that a cursor's values are checked for
their types and only ever become parameters of a query.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from api.problems import Problem

_HASH_BYTES = 8


class Order(NamedTuple):
    """The order of a list: its name, and the columns that say where a row stands, with their types.

    The columns together are unique. The query gets the last page's values as parameters `after_<column>`, or nulls.
    """

    name: str
    key: Mapping[str, type[int | str]]

    def after(self, cursor: str | None, filters: Mapping[str, object]) -> dict[str, Any]:
        """The parameters `after_<column>` of the page that `cursor` asks for.

        Raises:
            Problem: 400, the cursor was damaged, or given for another list or other filters.
        """
        if cursor is None:
            return {f"after_{column}": None for column in self.key}
        values = unpack(cursor, [str, str, *self.key.values()])
        if values[:2] != [self.name, _digest(filters)]:
            raise bad_cursor("it belongs to another list or to other filters")
        return {f"after_{column}": value for column, value in zip(self.key, values[2:], strict=True)}

    def cursor(self, row: Mapping[str, Any], filters: Mapping[str, object]) -> str:
        """The cursor of the page that begins after `row`."""
        return pack([self.name, _digest(filters), *(self.key[column](row[column]) for column in self.key)])


def pack(values: Sequence[int | str]) -> str:
    """An opaque cursor that holds these values."""
    body = orjson.dumps(values)
    return base64.urlsafe_b64encode(_hash(body) + body).decode().rstrip("=")


def unpack(cursor: str, types: Sequence[type[int | str]]) -> list[Any]:
    """The values in a cursor made by `pack`.

    Raises:
        Problem: 400, it is not one, or its values are of other types.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        body = raw[_HASH_BYTES:]
        values = orjson.loads(body) if raw[:_HASH_BYTES] == _hash(body) else None
    except (binascii.Error, ValueError):
        values = None
    if not isinstance(values, list) or [type(value) for value in values] != list(types):
        raise bad_cursor("it is damaged")
    return values


def bad_cursor(why: str) -> Problem:
    """The problem that a cursor cannot be used."""
    return Problem(400, "bad-cursor", f"this cursor cannot be used: {why}; begin again without one")


def _digest(filters: Mapping[str, object]) -> str:
    return hashlib.sha256(repr(sorted(filters.items())).encode(errors="surrogatepass")).hexdigest()[:12]


def _hash(body: bytes) -> bytes:
    return hashlib.sha256(b"spanward cursor 1" + body).digest()[:_HASH_BYTES]
