"""`/v1/authentications`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.listing import Listing, database
from api.paging import Order
from api.routes.devices import resolved
from api.schemas.facts import Authentication, AuthenticationQuery

router = APIRouter(prefix="/v1", tags=["facts"])

AUTHENTICATIONS = Listing(
    "authentications",
    Order("authentications", {"day": str, "id": str}),
    Authentication,
    frozenset({"details"}),
)


@router.get("/authentications", responses=AUTHENTICATIONS.responses(), summary="Authentications")
def list_authentications(request: Request, asked: Annotated[AuthenticationQuery, Query()]) -> Response:
    """Who claimed to be whom, how, and what came of it: one row per claim and UTC day, the newest day first."""
    return AUTHENTICATIONS.respond(request, asked, device=resolved(database(request), asked.device))
