"""`/healthz`, `/readyz`, `/metrics`: for those who watch over the watcher."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import duckdb
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from api.formats import object_response
from api.listing import database
from api.problems import Problem, documented
from api.schemas.health import Health, Ready

router = APIRouter(tags=["health"])


@router.get("/healthz", responses={200: {"model": Health}, **documented()}, summary="Alive")
async def healthz(request: Request) -> Response:
    """200 while the process answers; says nothing about the store."""
    # Asynchronous, because it needs no thread: it answers when all of them wait for the store.
    return object_response(request, {"status": "ok", "version": own_version()})


@router.get("/readyz", responses={200: {"model": Ready}, **documented()}, summary="Ready")
def readyz(request: Request) -> Response:
    """200 when the store can be read and no key stands in it twice; else 503 that says what is wrong."""
    store = database(request)
    try:
        twice = store.rows("integrity")
        counts = store.row("counts", {})
    except duckdb.Error as error:
        first_line = str(error).splitlines()[0]
        raise Problem(503, "store-unreadable", f"the store cannot be read: {first_line}") from error
    if twice:
        raise Problem(
            503, "store-unsound", "keys stand twice in the store; read the captures into a new one", tables=twice
        )
    return object_response(request, {"status": "ready", **(counts or {})})


@router.get(
    "/metrics",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **documented()},
    response_class=Response,
    summary="Metrics",
)
def metrics(request: Request) -> Response:
    """Metrics in Prometheus' text format."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def own_version() -> str:
    """The version of the installed distribution."""
    try:
        return version("spanward")
    except PackageNotFoundError:
        return "unknown"
