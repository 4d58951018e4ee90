"""`/v1/sensors` and `/v1/segments`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.listing import Listing
from api.paging import Order
from api.schemas.sensors import Segment, SegmentQuery, Sensor, SensorQuery

router = APIRouter(prefix="/v1", tags=["sensors"])

SENSORS = Listing("sensors", Order("sensors", {"source": str, "interface": str}), Sensor)
SEGMENTS = Listing(
    "segments", Order("segments", {"day": str, "source": str, "interface": str, "segment": str}), Segment
)


@router.get("/sensors", responses=SENSORS.responses(), summary="Sensors")
def list_sensors(request: Request, asked: Annotated[SensorQuery, Query()]) -> Response:
    """Interfaces and captures: what they carry, what was lost, how much was understood, and what is wrong with them."""
    return SENSORS.respond(request, asked)


@router.get("/segments", responses=SEGMENTS.responses(), summary="VLANs and tunnels")
def list_segments(request: Request, asked: Annotated[SegmentQuery, Query()]) -> Response:
    """How well each VLAN and tunnel was seen, by day: rates, one-sidedness, duplicates, protocols; newest day first."""
    return SEGMENTS.respond(request, asked)
