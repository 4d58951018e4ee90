"""What stands before every route: the Host header's check, security headers, counting.

Without a token the API answers on loopback only. A web page in a browser on the same machine could still reach it by
letting its own name point at 127.0.0.1 (DNS rebinding); such a request carries that name as Host and is refused.
"""

from __future__ import annotations

import time
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problems import Problem

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without a port, means this machine only."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """The name or address in a Host header, without port and brackets (RFC 9110 7.2)."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


class Gate:
    """ASGI middleware: refuses foreign hosts, adds security headers, counts."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sender = _Sender(scope, send, self._metrics)
        if is_loopback(host_of(Headers(scope=scope).get("host", ""))):
            await self._app(scope, receive, sender)
            return
        detail = "this API answers to localhost, 127.0.0.1 and [::1] only; open it under one of these names"
        await Problem(421, "foreign-host", detail).response(scope["path"])(scope, receive, sender)


class _Sender:
    """Adds the headers to the answer's start, and counts it."""

    def __init__(self, scope: Scope, send: Send, metrics: Metrics) -> None:
        self._scope, self._send, self._metrics = scope, send, metrics
        self._began = time.perf_counter()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            self._count(message["status"])
        await self._send(message)

    def _count(self, status: int) -> None:
        # The route's pattern, never the path: paths are chosen by who asks.
        route = getattr(self._scope.get("route"), "path", "none")
        self._metrics.requests.labels(route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(time.perf_counter() - self._began)
