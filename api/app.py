"""The application: routes over a store that is open for reading, and the server around it."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import uvicorn
from fastapi import FastAPI

from api import problems
from api.database import Database, Source
from api.metrics import Metrics
from api.problems import ProblemBody
from api.routes import routers
from api.routes.health import own_version
from api.schemas.findings import Rule
from api.security import Gate, is_loopback

_DESCRIPTION = """\
Which device is which, which non-human identity each one uses, how well it proves it, and where that is weak.

* Lists are paged: give `next_cursor` back as `cursor`. A cursor belongs to its list and its filters.
* Lists are written as JSON, NDJSON or CSV: `?format=`, or the Accept header.
* Every answer has an ETag; `If-None-Match` saves sending it twice.
* Errors are `application/problem+json` (RFC 9457).
* Times are UTC. Parameters that do not exist are refused rather than passed over.
"""


class ListenError(OSError):
    """The API cannot listen where it was told to; `str()` is one line that says what to do."""


class _Api(FastAPI):
    """FastAPI whose OpenAPI documents errors as the problems they are."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("ProblemBody", ProblemBody.model_json_schema())
        return document


def create_app(
    store: Source,
    rules: Iterable[Mapping[str, Any]] = (),
    *,
    request_timeout_s: float = 10.0,
    wide_queries: int = 4,
) -> FastAPI:
    """The API over an open store.

    Args:
        store: open for reading; every query takes a cursor of its own.
        rules: what is known of each rule, as `/v1/rules` gives it.
        request_timeout_s: a query is interrupted after so many seconds.
        wide_queries: so many lists may be computed at the same time.
    """
    # Swagger UI and ReDoc come from a CDN, which hospital networks do not have: `/` and /openapi.json take their place.
    app = _Api(
        title="Spanward",
        version=own_version(),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.database = Database(store, timeout_s=request_timeout_s, wide=wide_queries)
    app.state.rules = {rule.id: rule for rule in sorted(map(_rule, rules), key=lambda rule: rule.id)}
    app.state.metrics = Metrics(app.state.database)
    for router in routers():
        app.include_router(router)
    problems.install(app)
    app.add_middleware(Gate, metrics=app.state.metrics)
    return app


def serve(
    opening: AbstractContextManager[Source],
    rules: Iterable[Mapping[str, Any]] = (),
    *,
    listen: str = "127.0.0.1:8470",
    ready: Callable[[str], None] = lambda _: None,
    request_timeout_s: float = 10.0,
    wide_queries: int = 4,
) -> None:
    """Serves a store until SIGINT or SIGTERM.

    Args:
        opening: gives the open store; entered once the address is ours, so that nobody waits in vain.
        rules: see `create_app`.
        listen: ADDRESS:PORT, loopback only.
        ready: gets the URL once connections are accepted.
        request_timeout_s: see `create_app`.
        wide_queries: see `create_app`.

    Raises:
        ListenError: `listen` is no loopback address with a port, or the port is taken.
    """
    with _bound(listen) as listener, opening as store:
        app = create_app(store, rules, request_timeout_s=request_timeout_s, wide_queries=wide_queries)
        config = uvicorn.Config(
            app, http="h11", ws="none", lifespan="off", log_level="warning", access_log=False, proxy_headers=False,
            server_header=False, timeout_keep_alive=5, timeout_graceful_shutdown=3,
        )  # fmt: skip
        ready(f"http://{_shown(listener)}")
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how a person ends a server, not an error
            uvicorn.Server(config).run(sockets=[listener])


def _bound(listen: str) -> socket.socket:
    host, port = _parsed(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        why = "the port is taken; stop what listens there, or choose another with --listen 127.0.0.1:PORT"
        told = why if error.errno == errno.EADDRINUSE else error.strerror
        raise ListenError(f"cannot listen on {listen}: {told}") from error
    return listener


def _parsed(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]") or listen
    if not port.isdecimal() or int(port) > 65535:
        raise ListenError(f"cannot listen on {listen!r}: write ADDRESS:PORT, for example 127.0.0.1:8470")
    if not is_loopback(host):
        raise ListenError(f"cannot listen on {listen}: without tokens and TLS the API stays on 127.0.0.1 or [::1]")
    return ("127.0.0.1" if host.lower().rstrip(".") == "localhost" else host), int(port)


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _rule(known: Mapping[str, Any]) -> Rule:
    return Rule.model_validate({"open_findings": 0, **known})
