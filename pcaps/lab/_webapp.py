"""The application behind the web server: a FHIR-like API, a worklist of images (QIDO-RS), a portal with a form.

``_webapp.py PORT CONFIG``; CONFIG is a JSON file with what it lets in: ``basic`` and ``form`` (user -> password),
``tokens``, ``keys``. It only compares: it checks neither the signature nor the end of a token, as some do.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

KNOWN: dict[str, Any] = {}
SESSION = "JSESSIONID"


def allowed(request: Request) -> bool:
    """Whether a request shows anything that is let in."""
    scheme, _, proof = request.headers.get("authorization", "").partition(" ")
    if scheme == "Basic":
        user, _, secret = base64.b64decode(proof).decode().partition(":")
        return bool(KNOWN["basic"].get(user) == secret)
    shown = (proof, request.headers.get("x-api-key"), request.query_params.get("access_token"))
    return any(one in KNOWN["tokens"] or one in KNOWN["keys"] for one in shown if one)


async def fhir(request: Request) -> Response:
    """Answer a read or take an observation, for those who are let in."""
    if not allowed(request):
        return PlainTextResponse("", 401, {"www-authenticate": 'Basic realm="fhir"'})
    kind = request.path_params["kind"]
    body: dict[str, Any] = {"resourceType": kind, "id": "1", "status": "final"}
    if request.method == "POST":
        body = await request.json()
    found = (
        body
        if request.method == "POST"
        else {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": body}]}
    )
    return JSONResponse(found, 201 if request.method == "POST" else 200, media_type="application/fhir+json")


async def studies(_request: Request) -> Response:
    """Answer a search for studies (QIDO-RS); whoever asks."""
    found = [
        {"0020000D": {"vr": "UI", "Value": [KNOWN["study"]]}, "00100020": {"vr": "LO", "Value": [KNOWN["patient"]]}}
    ]
    return JSONResponse(found, media_type="application/dicom+json")


async def login(request: Request) -> Response:
    """Take the form's user and password, and open a session."""
    form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
    if KNOWN["form"].get(form.get("username")) != form.get("password"):
        return PlainTextResponse("", 403)
    answer = RedirectResponse("/portal", 303)
    answer.set_cookie(SESSION, KNOWN["session"])
    return answer


async def portal(request: Request) -> Response:
    """Show the portal to who has a session."""
    known = request.cookies.get(SESSION) == KNOWN["session"]
    return PlainTextResponse("invented portal\n" if known else "", 200 if known else 403)


ROUTES = [
    Route("/fhir/{kind}", fhir, methods=["GET", "POST"]),
    Route("/dicom-web/studies", studies),
    Route("/login", login, methods=["POST"]),
    Route("/portal", portal),
]


def main() -> None:
    """Serve on the machine's loopback until ended."""
    port, config = sys.argv[1:]
    KNOWN.update(json.loads(Path(config).read_text()))
    uvicorn.run(Starlette(routes=ROUTES), host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
