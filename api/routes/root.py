"""`/`: a page that says what there is, made from the OpenAPI document. No script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

router = APIRouter(include_in_schema=False)

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.05rem;margin:1.8rem 0 .2rem}code{font:.95em ui-monospace,monospace}
p{margin:.3rem 0}table{border-collapse:collapse;font-size:.9rem}td{padding:.1rem 1rem .1rem 0;vertical-align:top}
a{color:#0b57a4}@media(prefers-color-scheme:dark){body{color:#dfe3e8;background:#14171a}a{color:#7db7f0}}
"""
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@router.get("/")
def root(request: Request) -> Response:
    """Where to go from here: HTML for browsers, JSON for programs."""
    document = request.app.openapi()
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_page(document), headers={"Content-Security-Policy": _POLICY})
    return JSONResponse(
        {
            "name": "Spanward",
            "version": document["info"]["version"],
            "openapi": "/openapi.json",
            "paths": sorted(document["paths"]),
        }
    )


def _page(document: dict[str, Any]) -> str:
    routes = "".join(_route(path, methods["get"]) for path, methods in document["paths"].items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Spanward</title><style>{_STYLE}</style>'
        f"<h1>Spanward API</h1><p>{_prose(document['info']['description'])}</p>"
        f'<p>The whole description: <a href="/openapi.json">/openapi.json</a></p>{routes}</html>'
    )


def _route(path: str, operation: dict[str, Any]) -> str:
    shown = escape(path)
    link = shown if "{" in path else f'<a href="{shown}">{shown}</a>'
    rows = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code><td>{_prose(parameter.get('description', ''))}"
        for parameter in operation.get("parameters", ())
    )
    return f"<h2><code>GET {link}</code></h2><p>{_prose(operation['description'])}</p><table>{rows}</table>"


def _prose(text: str) -> str:
    lines = escape(text).replace("\n* ", "\n<br>• ").split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(lines))
