"""`/v1/rules`: what is looked for, why it matters, what to do about it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.database import Database, Row
from api.formats import MEDIA_TYPES, Format, encode, object_response, tagged
from api.listing import database, object_responses
from api.problems import documented, not_found
from api.schemas.findings import Rule, RuleList

router = APIRouter(prefix="/v1", tags=["rules"])


@router.get(
    "/rules",
    responses={200: {"model": RuleList}, 304: {"description": "Unchanged"}, **documented()},
    summary="Rules",
)
def list_rules(request: Request) -> Response:
    """All rules by id, with how many of their findings are open."""
    counts = _open_findings(database(request))
    items = [_row(rule, counts) for rule in _rules(request).values()]
    return tagged(request, encode({"items": items}, frozenset()), MEDIA_TYPES[Format.JSON], {})


@router.get("/rules/{rule_id}", responses=object_responses(Rule), summary="One rule")
def get_rule(request: Request, rule_id: Annotated[str, Path(max_length=200)]) -> Response:
    """A rule."""
    rule = described(request, rule_id)
    if rule is None:
        raise not_found("rule", rule_id, "/v1/rules")
    return object_response(request, rule)


def described(request: Request, rule_id: str) -> Row | None:
    """The rule with this id, or None."""
    rule = _rules(request).get(rule_id)
    return None if rule is None else _row(rule, _open_findings(database(request)))


def _rules(request: Request) -> dict[str, Rule]:
    rules: dict[str, Rule] = request.app.state.rules
    return rules


def _open_findings(store: Database) -> dict[str, int]:
    return {row["rule_id"]: row["open_findings"] for row in store.rows("rule_counts")}


def _row(rule: Rule, counts: dict[str, int]) -> Row:
    return {**rule.model_dump(), "open_findings": counts.get(rule.id, 0)}
