"""`/v1/conversations`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.listing import Listing, database
from api.paging import Order
from api.routes.devices import resolved
from api.schemas.facts import Conversation, ConversationQuery

router = APIRouter(prefix="/v1", tags=["facts"])

CONVERSATIONS = Listing("conversations", Order("conversations", {"day": str, "id": str}), Conversation)


@router.get("/conversations", responses=CONVERSATIONS.responses(), summary="Conversations")
def list_conversations(request: Request, asked: Annotated[ConversationQuery, Query()]) -> Response:
    """Who talked to which service, how much, and how much of it could be understood; the newest day first."""
    return CONVERSATIONS.respond(request, asked, device=resolved(database(request), asked.device))
