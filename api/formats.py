"""Rows as JSON, NDJSON or CSV: by `?format=`, else by Accept, with an ETag over what is sent."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from fastapi import Request
from starlette.responses import Response

from api.database import Row
from api.problems import Problem

_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
_NO_STORE = {"Cache-Control": "private, no-cache"}


class Format(StrEnum):
    """How a list is written."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.NDJSON: "application/x-ndjson",
    Format.CSV: "text/csv; charset=utf-8; header=present",
}
_BY_ACCEPT = {
    "application/json": Format.JSON,
    "application/*": Format.JSON,
    "*/*": Format.JSON,
    "application/x-ndjson": Format.NDJSON,
    "application/ndjson": Format.NDJSON,
    "application/jsonl": Format.NDJSON,
    "text/csv": Format.CSV,
    "text/*": Format.CSV,
}


class Page(NamedTuple):
    """Some rows of a list: `next_cursor` is None on the last page.

    `extra` stands beside `items` in JSON, in place of it.
    """

    items: list[Row]
    next_cursor: str | None
    columns: Sequence[str]
    json_columns: frozenset[str] = frozenset()
    extra: Mapping[str, Any] = MappingProxyType({})


def chosen(request: Request, asked: Format | None) -> Format:
    """The format to answer in.

    Raises:
        Problem: 406, the Accept header names nothing that this API can write.
    """
    if asked is not None:
        return asked
    accept = request.headers.get("accept", "*/*")
    for media_type in _preferred(accept):
        if media_type in _BY_ACCEPT:
            return _BY_ACCEPT[media_type]
    raise Problem(406, "not-acceptable", f"cannot write {accept!r}; known are {', '.join(MEDIA_TYPES.values())}")


def _preferred(accept: str) -> list[str]:
    ranked = []
    for part in accept.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        ranked.append((_quality(quality), media_type))
    return [media_type for quality, media_type in sorted(ranked, key=lambda pair: -pair[0]) if quality > 0]


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def page_response(request: Request, page: Page, form: Format) -> Response:
    """A page in format `form`. Where the next one begins stands in `next_cursor` (JSON) and in the Link header."""
    headers = {} if page.next_cursor is None else {"Link": f'<{_next_url(request, page.next_cursor)}>; rel="next"'}
    if form is Format.NDJSON:
        body = b"".join(encode(_only(row, page.columns), page.json_columns) + b"\n" for row in page.items)
    elif form is Format.CSV:
        body = to_csv(page.items, page.columns, page.json_columns)
    else:
        items = [orjson.Fragment(encode(_only(row, page.columns), page.json_columns)) for row in page.items]
        body = orjson.dumps({"items": items, **(page.extra or {"next_cursor": page.next_cursor})}, option=_OPTIONS)
    return tagged(request, body, MEDIA_TYPES[form], headers)


def object_response(request: Request, row: Row, json_columns: Iterable[str] = ()) -> Response:
    """One object as JSON.

    Raises:
        Problem: 406, the client does not take JSON.
    """
    if chosen(request, None) is not Format.JSON:
        raise Problem(406, "not-acceptable", "a single object is written as application/json only")
    return tagged(request, encode(row, frozenset(json_columns)), MEDIA_TYPES[Format.JSON], {})


def tagged(request: Request, body: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """The response, or 304 when the client has the same one already (RFC 9110 13.1.2)."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_NO_STORE, **headers, "ETag": tag, "Vary": "Accept"}
    if tag in _tags(request.headers.get("if-none-match", "")):
        return Response(None, 304, headers)
    return Response(body, 200, headers, media_type)


def _only(row: Row, columns: Sequence[str]) -> Row:
    return {column: row[column] for column in columns}


def encode(row: Row, json_columns: frozenset[str]) -> bytes:
    """A row as a JSON object; `json_columns` hold JSON already."""
    return orjson.dumps({key: _value(key, value, json_columns) for key, value in row.items()}, option=_OPTIONS)


def _value(key: str, value: Any, json_columns: frozenset[str]) -> Any:  # noqa: ANN401 - whatever a column holds
    if key in json_columns and isinstance(value, str):
        return orjson.Fragment(value)
    return value


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


def _next_url(request: Request, cursor: str) -> str:
    return str(request.url.include_query_params(cursor=cursor))


def to_csv(rows: Iterable[Row], columns: Sequence[str], json_columns: frozenset[str] = frozenset()) -> bytes:
    """Rows as CSV with a header line (RFC 4180). Lists are joined by spaces, JSON stays JSON."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(row[key], is_json=key in json_columns) for key in columns] for row in rows)
    return out.getvalue().encode()


def _cell(value: object, *, is_json: bool) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, list) and not any(isinstance(part, dict) for part in value):
        return _harmless(" ".join(str(part) for part in value))
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=_OPTIONS).decode()
    return str(value) if is_json else _harmless(str(value))


def _harmless(text: str) -> str:
    # Names come from the wire. A spreadsheet must not run one as a formula.
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
