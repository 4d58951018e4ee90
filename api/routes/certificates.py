"""`/v1/certificates`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.formats import object_response
from api.listing import Listing, database, object_responses
from api.paging import Order
from api.problems import not_found
from api.schemas.certificates import Certificate, CertificateDetail, CertificateQuery

router = APIRouter(prefix="/v1", tags=["certificates"])

CERTIFICATES = Listing("certificates", Order("certificates", {"sha256": str}), Certificate, frozenset({"details"}))


@router.get("/certificates", responses=CERTIFICATES.responses(), summary="Certificates")
def list_certificates(request: Request, asked: Annotated[CertificateQuery, Query()]) -> Response:
    """All certificates that were shown, each once, by hash."""
    return CERTIFICATES.respond(request, asked)


@router.get("/certificates/{sha256}", responses=object_responses(CertificateDetail), summary="One certificate")
def get_certificate(request: Request, sha256: Annotated[str, Path(max_length=200)]) -> Response:
    """A certificate, and where it was shown."""
    store = database(request)
    certificate = store.row("certificate", {"sha256": sha256.lower()})
    if certificate is None:
        raise not_found("certificate", sha256, "/v1/certificates")
    certificate["shown"] = store.rows("certificate_shown", {"sha256": certificate["sha256"]})
    return object_response(request, certificate, {"details"})
