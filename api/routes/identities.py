"""`/v1/identities`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.formats import object_response
from api.listing import Listing, database, object_responses
from api.paging import Order
from api.problems import not_found
from api.routes.devices import resolved
from api.schemas.identities import Identity, IdentityDetail, IdentityQuery

router = APIRouter(prefix="/v1", tags=["identities"])

IDENTITIES = Listing("identities", Order("identities", {"kind": str, "label": str, "identity_id": str}), Identity)


@router.get("/identities", responses=IDENTITIES.responses(), summary="Identities")
def list_identities(request: Request, asked: Annotated[IdentityQuery, Query()]) -> Response:
    """All non-human identities by kind and label: keys, accounts, services, AE titles, HL7 applications."""
    return IDENTITIES.respond(request, asked, device=resolved(database(request), asked.device))


@router.get("/identities/{identity_id}", responses=object_responses(IdentityDetail), summary="One identity")
def get_identity(request: Request, identity_id: Annotated[str, Path(max_length=200)]) -> Response:
    """An identity, who uses it, towards whom, and the findings about it."""
    store = database(request)
    identity = store.row("identity", {"identity": identity_id})
    if identity is None:
        raise not_found("identity", identity_id, "/v1/identities")
    identity["uses"] = store.rows("identity_uses", {"identity": identity_id})
    identity["findings"] = store.rows("identity_findings", {"identity": identity_id})
    return object_response(request, identity, {"why", "secrets"})
