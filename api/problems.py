"""Errors as `application/problem+json`, every one of them (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import duckdb
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is not what was asked for.

    Args:
        status: HTTP status.
        name: last part of the problem's type, `urn:spanward:problem:<name>`.
        detail: what happened and what to do, for the person who reads it.
        headers: HTTP headers that belong to this status.
        members: further members of the problem object.
    """

    def __init__(
        self, status: int, name: str, detail: str, *, headers: dict[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.status, self.name, self.detail, self.headers, self.members = status, name, detail, headers, members

    def response(self, instance: str) -> Response:
        """The HTTP response for a request to the path `instance`."""
        body = {
            "type": f"urn:spanward:problem:{self.name}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            **self.members,
        }
        return Response(orjson.dumps(body), self.status, self.headers, MEDIA_TYPE)


class ProblemBody(BaseModel):
    """A problem (RFC 9457)."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:spanward:problem:not-found",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "no finding 'f-1' in this store; GET /v1/findings lists them",
                    "instance": "/v1/findings/f-1",
                }
            ]
        },
    )

    type: str = Field(description="`urn:spanward:problem:<name>`; stable, to be compared by programs")
    title: str
    status: int
    detail: str = Field(description="what happened and what to do")
    instance: str


def not_found(what: str, key: str, listing: str) -> Problem:
    """The problem that there is no `what` called `key`; `listing` is the path where they are listed."""
    return Problem(404, "not-found", f"no {what} {key!r} in this store; GET {listing} lists them")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: these statuses as problems, and those that any route can answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
    every = sorted({*statuses, 400, 406, 421, 422, 500, 503})
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in every}


def install(app: FastAPI) -> None:
    """Makes every error of `app` a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(duckdb.InterruptException, _interrupted)
    app.add_exception_handler(duckdb.OutOfMemoryException, _interrupted)
    app.add_exception_handler(Exception, _unexpected)


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response(request.url.path)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"where": ".".join(str(part) for part in e["loc"]), "what": e["msg"]} for e in error.errors()]
    detail = "; ".join(f"{e['where']}: {e['what']}" for e in errors)
    return Problem(422, "invalid-request", detail, errors=errors).response(request.url.path)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    name = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    headers = dict(error.headers or {})
    detail = f"{request.method} {request.url.path}: {error.detail}; /openapi.json lists what there is"
    return Problem(error.status_code, name, detail, headers=headers).response(request.url.path)


def _interrupted(request: Request, _: Exception) -> Response:
    detail = "the query needed more time or memory than a request may have; ask for less: a filter, a smaller limit"
    return Problem(503, "too-costly", detail, headers={"Retry-After": "5"}).response(request.url.path)


def _unexpected(request: Request, _: Exception) -> Response:
    # Starlette raises it again after this answer, so that the server logs it.
    return Problem(500, "internal", "an error of this program; its log says more").response(request.url.path)
