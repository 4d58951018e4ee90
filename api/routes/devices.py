"""`/v1/devices` and `/v1/blindspots`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.database import Database
from api.formats import object_response
from api.listing import Listing, database, object_responses
from api.paging import Order
from api.problems import not_found
from api.schemas.devices import (
    BlindSpotOfDevice,
    BlindSpotQuery,
    Device,
    DeviceDetail,
    DeviceQuery,
)

router = APIRouter(prefix="/v1", tags=["devices"])

DEVICES = Listing("devices", Order("devices", {"label": str, "device_id": str}), Device)
BLINDSPOTS = Listing(
    "blindspots", Order("blindspots", {"day": str, "device_id": str, "reason": str}), BlindSpotOfDevice
)


@router.get("/devices", responses=DEVICES.responses(), summary="Devices")
def list_devices(request: Request, asked: Annotated[DeviceQuery, Query()]) -> Response:
    """All devices by label, with their addresses and how many findings are open."""
    return DEVICES.respond(request, asked)


@router.get("/devices/{device_id}", responses=object_responses(DeviceDetail), summary="One device")
def get_device(request: Request, device_id: Annotated[str, Path(max_length=200)]) -> Response:
    """A device with its endpoints, the evidence for what it is, the identities it uses, findings and blind spots.

    An id that no longer stands for itself, because devices were found to be one, leads to the device of today; the
    Content-Location header and `device_id` then hold the new id.
    """
    store = database(request)
    found = resolve(store, device_id)
    device = None if found is None else store.row("device", {"device": found})
    if device is None:
        raise not_found("device", device_id, "/v1/devices")
    for part in ("endpoints", "attributes", "identities", "findings", "blindspots"):
        device[part] = store.rows(f"device_{part}", {"device": found})
    device["aliases"] = [row["id"] for row in store.rows("device_aliases", {"device": found})]
    response = object_response(request, device, {"why"})
    response.headers["Content-Location"] = f"/v1/devices/{device['device_id']}"
    return response


@router.get("/blindspots", responses=BLINDSPOTS.responses(), summary="Blind spots")
def list_blindspots(request: Request, asked: Annotated[BlindSpotQuery, Query()]) -> Response:
    """How many conversations of a device on a day could not show an identity, and why."""
    return BLINDSPOTS.respond(request, asked, device=resolved(database(request), asked.device))


def resolve(store: Database, device_id: str) -> str | None:
    """The id of the device that `device_id` stands for today, or None."""
    row = store.row("device_id", {"device": device_id})
    return None if row is None else str(row["device_id"])


def resolved(store: Database, device_id: str | None) -> str | None:
    """The same for a filter: an unknown id stays as it is, and finds nothing."""
    return None if device_id is None else resolve(store, device_id) or device_id
