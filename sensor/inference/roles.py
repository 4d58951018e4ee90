"""The part that a device plays, from the DICOM services it asks for and answers (PS3.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sensor.inference.claims import Claim
from sensor.inference.devices import Device, Resolution
from sensor.inference.statements import run
from sensor.knowledge import Fingerprints
from sensor.store.duck import duckdb

STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
QUERY: Final = "1.2.840.10008.5.1.4.1.2."
WORKLIST: Final = "1.2.840.10008.5.1.4.31"
MPPS: Final = "1.2.840.10008.3.1.2.3.3"
PRINT: Final = "1.2.840.10008.5.1.1."
TYPE_OF_ROLE: Final = {
    "archive": "image archive",
    "workstation": "workstation",
    "worklist broker": "worklist broker",
    "printer": "DICOM printer",
    "DICOM router": "DICOM router",
    "network router": "router",
}


@dataclass(slots=True)
class Services:
    """What a device asked others for and what it answered: (operation, SOP class UID)."""

    asks: set[tuple[str, str]] = field(default_factory=set)
    answers: set[tuple[str, str]] = field(default_factory=set)
    first: datetime = datetime.max  # noqa: DTZ901 - naive UTC, as everything in the store
    last: datetime = datetime.min  # noqa: DTZ901
    n: int = 0

    def does(self, which: str, root: str) -> bool:
        """Whether it `asks` or `answers` a service of a SOP class UID that begins with `root`."""
        pairs: set[tuple[str, str]] = getattr(self, which)
        return any(uid.startswith(root) for _, uid in pairs)


def role_claims(connection: duckdb.DuckDBPyConnection, resolution: Resolution) -> list[Claim]:
    """Claims of `role` and `device_type` for every device. Needs table `seen_attribute`."""
    claims = [claim for device in resolution.devices.values() if device.router for claim in _router(device)]
    for device_id, services in _services(connection).items():
        extent = services.first, services.last, services.n
        said = _claims(resolution.devices[device_id], services)
        claims += [Claim(device_id, *claim, *extent) for claim in said]
    return claims


def _router(device: Device) -> Iterator[Claim]:
    for name, value in (("role", "network router"), ("device_type", "router")):
        yield Claim(device.device_id, name, value, "many addresses behind its MAC address", 0.9, *device.span, 1)


def _services(connection: duckdb.DuckDBPyConnection) -> dict[str, Services]:
    found: dict[str, Services] = defaultdict(Services)
    for device_id, asks, value, first, last, n in run(connection, "operations"):
        services = found[device_id]
        operation, _, uid = value.partition(" ")
        (services.asks if asks else services.answers).add((operation, uid))
        services.first, services.last = min(services.first, first), max(services.last, last)
        services.n += n
    return found


def _claims(device: Device, services: Services) -> list[tuple[str, str, str, float]]:
    said = _roles(device, services)
    claims = [("role", role, source, certainty) for role, source, certainty in said]
    if said:
        best = max(said, key=lambda item: (item[2], item[0]))
        if best[0] in TYPE_OF_ROLE:
            claims.append(("device_type", TYPE_OF_ROLE[best[0]], best[1], min(best[2], 0.7)))
    types = _types(services)
    if len(types) == 1 and not device.forwards and not services.answers:
        claims.append(("device_type", min(types), "the one kind of object it stores", 0.6))
    return claims


def _roles(device: Device, services: Services) -> list[tuple[str, str, float]]:
    stores, keeps = services.does("asks", STORAGE), services.does("answers", STORAGE)
    queried = services.does("answers", QUERY)
    said = []
    if stores and not keeps and (services.does("asks", WORKLIST) or services.does("asks", MPPS)):
        said.append(("modality", "stores objects and asks for a worklist or reports procedure steps", 0.9))
    if keeps and queried:
        said.append(("archive", "keeps objects and answers queries", 0.9))
    elif queried:
        said.append(("archive", "answers queries", 0.7))
    if services.does("answers", WORKLIST) or services.does("answers", MPPS):
        said.append(("worklist broker", "answers worklists or procedure steps", 0.9))
    if services.does("answers", PRINT):
        said.append(("printer", "answers print requests", 0.9))
    if stores and keeps and not queried:
        said.append(("DICOM router", "keeps objects and stores objects elsewhere", 0.8))
    if services.does("asks", QUERY) and keeps and not stores:
        said.append(("workstation", "queries and receives objects", 0.7))
    return said + _weak_roles(device, services, stores=stores, keeps=keeps, queried=queried)


def _weak_roles(
    device: Device, services: Services, *, stores: bool, keeps: bool, queried: bool
) -> list[tuple[str, str, float]]:
    said = []
    if stores and device.forwards:
        said.append(("forwarder", device.forwards, 0.6))
    elif stores and not keeps and not queried and len(_types(services)) == 1:
        said.append(("modality", "stores objects of one kind", 0.5))
    if keeps and not queried and not stores:
        said.append(("archive", "keeps objects", 0.5))
    if not stores and not services.answers and (services.does("asks", WORKLIST) or services.does("asks", MPPS)):
        said.append(("modality", "asks for a worklist or reports procedure steps", 0.6))
    if services.does("asks", QUERY) and not keeps and not stores:
        said.append(("query client", "queries, and was not seen to receive", 0.4))
    return said


def _types(services: Services) -> set[str]:
    installed = Fingerprints.installed()
    said = (installed.say("dicom.sop_class_uid", uid, "device_type") for _, uid in services.asks)
    return {kind for kind in said if kind and kind != "dose reporting"}
