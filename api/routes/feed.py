"""`/v1/findings/feed`: every change of a finding, in the order of commits, none skipped and none repeated.

The cursor holds the number of the last change that was given, and what that change was about. One writer numbers the
changes in the order of its commits, so nothing can appear behind a cursor later. A cursor whose number was never
reached here, or stands for another change, comes from another store; one whose next change is no longer kept comes too
late. Both are told `410 Gone` rather than given a feed with a silent hole.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.database import Database, Row
from api.formats import Format, Page, chosen, page_response
from api.listing import database, list_responses
from api.paging import bad_cursor, pack, unpack
from api.problems import Problem, documented
from api.schemas.common import plain_filters
from api.schemas.findings import Feed, FeedItem, FeedQuery

router = APIRouter(prefix="/v1", tags=["findings"])


class _Position(NamedTuple):
    seq: int
    mark: str  # what the change with this number was about; empty when nobody knows

    @classmethod
    def of(cls, cursor: str | None) -> _Position:
        if cursor is None:
            return cls(0, "")
        kind, seq, mark = unpack(cursor, [str, int, str])
        if kind != "feed" or not 0 <= seq < 1 << 62:
            raise bad_cursor("it belongs to a list, not to the feed")
        return cls(seq, mark)

    @classmethod
    def at(cls, store: Database, seq: int) -> _Position:
        return cls(seq, _mark(_span(store, seq)["finding_id"]))

    def cursor(self) -> str:
        return pack(["feed", self.seq, self.mark])


@router.get(
    "/findings/feed",
    responses={**list_responses(Feed), **documented(410)},
    summary="Feed of findings",
)
def get_feed(request: Request, asked: Annotated[FeedQuery, Query()]) -> Response:
    """Changes of findings since a cursor: opened, seen again, resolved, reopened, changed.

    Begin without a cursor; keep the `cursor` of every answer (the Spanward-Cursor header in other formats than JSON)
    once its changes are safe on your side, and give it with the next request. An empty page has a cursor too. With
    `severity` or `change`, the cursor moves past what was left out. 410 says how to resume when changes after the
    cursor are no longer kept.
    """
    form = chosen(request, asked.format)
    store, position = database(request), _Position.of(asked.cursor)
    latest = _span(store, position.seq)["latest_seq"]
    rows = _changes(store, asked, position.seq, latest)
    # Looked at after reading: what retention took away in between must not become a silent hole.
    oldest = _checked(position, _span(store, position.seq))
    full = len(rows) == asked.limit
    end = _Position.at(store, rows[-1]["seq"] if full else max(latest, position.seq))
    extra = {"cursor": end.cursor(), "more": end.seq < latest, "latest_seq": latest, "oldest_seq": oldest}
    return _response(request, rows, extra, form)


def _changes(store: Database, asked: FeedQuery, seq: int, latest: int) -> list[Row]:
    filters = plain_filters({"severity": asked.severity, "change": asked.change})
    return store.rows("feed", {**filters, "seq": seq, "latest_seq": latest, "row_limit": asked.limit}, wide=True)


def _checked(position: _Position, span: Row) -> int | None:
    """The oldest number that is kept, provided that nothing after `position` is missing."""
    oldest: int | None = span["oldest_seq"]
    latest: int = span["latest_seq"]
    if position.seq == 0:
        return oldest
    there = _mark(span["finding_id"])
    if position.seq > latest or (position.mark and there and position.mark != there):
        raise _gone("other-store", "this cursor comes from another store, or from before this one was rebuilt", span)
    if position.seq < latest and (oldest is None or oldest > position.seq + 1):
        raise _gone("past-retention", "changes after this cursor are no longer kept", span)
    return oldest


def _gone(name: str, what: str, span: Row) -> Problem:
    resume = _Position((span["oldest_seq"] or span["latest_seq"] + 1) - 1, "").cursor()
    how = "read the state of today from GET /v1/findings, then go on with the cursor in `resume`"
    return Problem(
        410, name, f"{what}; {how}", resume=resume, oldest_seq=span["oldest_seq"], latest_seq=span["latest_seq"]
    )


def _span(store: Database, seq: int) -> Row:
    span = store.row("feed_span", {"seq": seq})
    assert span is not None
    return span


def _mark(finding_id: str | None) -> str:
    return "" if finding_id is None else hashlib.sha256(finding_id.encode()).hexdigest()[:8]


def _response(request: Request, rows: list[Row], extra: dict[str, object], form: Format) -> Response:
    page = Page(rows, str(extra["cursor"]), tuple(FeedItem.model_fields), frozenset({"finding"}), extra)
    response = page_response(request, page, form)
    response.headers["Spanward-Cursor"] = str(extra["cursor"])
    return response
