"""`/v1/findings`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.formats import object_response
from api.listing import Listing, database, object_responses
from api.paging import Order
from api.problems import not_found
from api.routes.devices import resolved
from api.routes.rules import described
from api.schemas.findings import Finding, FindingDetail, FindingQuery

router = APIRouter(prefix="/v1", tags=["findings"])

FINDINGS = Listing(
    "findings", Order("findings", {"severity_rank": int, "finding_id": str}), Finding, frozenset({"evidence"})
)


@router.get("/findings", responses=FINDINGS.responses(), summary="Findings")
def list_findings(request: Request, asked: Annotated[FindingQuery, Query()]) -> Response:
    """All findings, the worst first. To follow them over time, use `/v1/findings/feed`."""
    return FINDINGS.respond(request, asked, device=resolved(database(request), asked.device))


@router.get("/findings/{finding_id}", responses=object_responses(FindingDetail), summary="One finding")
def get_finding(request: Request, finding_id: Annotated[str, Path(max_length=200)]) -> Response:
    """A finding with its evidence, its rule (why it matters, what to do) and its life."""
    store = database(request)
    finding = store.row("finding", {"finding": finding_id})
    if finding is None:
        raise not_found("finding", finding_id, "/v1/findings")
    finding["rule"] = described(request, finding["rule_id"])
    finding["changes"] = store.rows("finding_changes", {"finding": finding_id})
    return object_response(request, finding, {"evidence"})
