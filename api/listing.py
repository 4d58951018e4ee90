"""One list of the API, from request to response: filters, a page of rows, a format."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from api.database import Database
from api.formats import MEDIA_TYPES, Format, Page, chosen, page_response
from api.paging import Order
from api.problems import documented
from api.schemas.common import ListPage, PageQuery, Seen


class Listing(NamedTuple):
    """A list: its query file, its order, the shape of its rows, and which of its columns hold JSON."""

    query: str
    order: Order
    item: type[BaseModel]
    json_columns: frozenset[str] = frozenset()

    def respond(self, request: Request, asked: PageQuery, **more: object) -> Response:
        """The page that is asked for. `more` are further parameters of the query, or filters that were looked up."""
        form = chosen(request, asked.format)
        return page_response(request, self.page(database(request), asked, more), form)

    def page(self, store: Database, asked: PageQuery, more: dict[str, object]) -> Page:
        """A page of rows. One row more than asked is read, to know whether another page follows."""
        filters = {**asked.filters(), **more}
        parameters = {**filters, **self.order.after(asked.cursor, filters), "row_limit": asked.limit + 1}
        rows = store.rows(self.query, parameters, wide=True)
        items = rows[: asked.limit]
        cursor = self.order.cursor(items[-1], filters) if len(rows) > asked.limit else None
        return Page(items, cursor, columns_of(self.item), self.json_columns)

    def responses(self) -> dict[int | str, dict[str, Any]]:
        """What OpenAPI says about the answers of this list."""
        return {**list_responses(ListPage[self.item]), **documented()}  # type: ignore[name-defined]


def columns_of(item: type[BaseModel]) -> tuple[str, ...]:
    """The columns of a list in the order of its rows: what it is first, when it was seen last."""
    return tuple(sorted(item.model_fields, key=lambda name: name in Seen.model_fields))


def list_responses(page: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The 200 and 304 of a list whose JSON is a `page`."""
    text = {"schema": {"type": "string"}}
    others = {MEDIA_TYPES[form].split(";")[0]: text for form in (Format.NDJSON, Format.CSV)}
    return {
        200: {"model": page, "description": "A page, as JSON, NDJSON or CSV", "content": others},
        304: {"description": "Unchanged: the ETag in If-None-Match is the current one"},
    }


def object_responses(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says about the answers of a route that gives one object, or 404."""
    return {200: {"model": model}, 304: {"description": "Unchanged"}, **documented(404)}


def database(request: Request) -> Database:
    """The store of the application that answers this request."""
    store = request.app.state.database
    assert isinstance(store, Database)
    return store
