"""Classification: what each device is, by fingerprints, by what it says of itself and by the part that it plays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from sensor.inference.claims import Claim
from sensor.inference.devices import Resolution
from sensor.inference.evidence import Endpoint
from sensor.inference.exchanges import exchange_claims
from sensor.inference.roles import role_claims
from sensor.inference.statements import run
from sensor.knowledge import Fingerprints, Hit
from sensor.knowledge.attributes import meaning
from sensor.knowledge.fingerprints import normal_vendor
from sensor.knowledge.makers import maker
from sensor.store.duck import duckdb

NETWORK_CARD: Final = 0.2  # an OUI names who made the network card, seldom who made the device
VALUE_OF_COMPONENT: Final = frozenset({"hl7.sending_application", "hl7.software_vendor_organization"})  # the first one


def classify(connection: duckdb.DuckDBPyConnection, resolution: Resolution) -> list[Claim]:
    """All claims about all devices. Needs the tables `seen_*`."""
    claims = list(_from_attributes(connection, resolution))
    claims += _from_titles(connection)
    claims += _from_certificates(connection)
    claims += _from_addresses(resolution)
    claims += _seen_via(resolution)
    return claims + role_claims(connection, resolution) + exchange_claims(connection, resolution)


def _from_attributes(connection: duckdb.DuckDBPyConnection, resolution: Resolution) -> Iterator[Claim]:
    """What was said of a device, taken at its word, and what fingerprints know of it."""
    for device_id, name, value, described, side, first, last, n in run(connection, "classifiable"):
        meant = meaning(name, described=described, side=side)
        if meant is not None and meant.part == "relayed" and resolution.devices[device_id].forwards:
            continue
        if meant is not None and meant.claim and meant.certainty is not None:
            text = value.split("^")[0] if name in VALUE_OF_COMPONENT else value
            text = normal_vendor(text) if meant.claim == "vendor" else text
            yield Claim(device_id, meant.claim, text, name, meant.certainty, first, last, n)
        for hit in _hits(name, value):
            certainty = min(hit.certainty, meant.certainty or 1.0) if meant and not meant.claim else hit.certainty
            yield Claim(device_id, hit.name, hit.value, f"{name} {value}", certainty, first, last, n)


def _hits(name: str, value: str) -> list[Hit]:
    """What fingerprints say; an EUI-64 begins as its maker's MAC addresses do."""
    installed = Fingerprints.installed()
    if name == "hl7.eui64":
        return installed.look_up("mac", ":".join(value[at : at + 2] for at in range(0, 6, 2)))
    return installed.look_up(name, value)


def _from_titles(connection: duckdb.DuckDBPyConnection) -> Iterator[Claim]:
    """The one AE title that a device answers to, and the one name in what it proves; several need not be its own."""
    for device_id, title, first, last, n in run(connection, "answered_titles"):
        yield Claim(device_id, "ae_title", title, "answers to this AE title", 0.6, first, last, n)
    for device_id, name, source, certainty, first, last, n in run(connection, "said_names"):
        yield Claim(device_id, "name", name, source, certainty, first, last, n)


def _from_certificates(connection: duckdb.DuckDBPyConnection) -> Iterator[Claim]:
    """Names of certificates that one device alone shows, and the maker where the organisation is one."""
    for device_id, common_name, organization, first, last, n in run(connection, "certificate_names"):
        if common_name:
            yield Claim(device_id, "name", common_name, "its certificate's common name", 0.5, first, last, n)
        maker = Fingerprints.installed().say("manufacturer", organization, "vendor") if organization else None
        if maker:
            yield Claim(
                device_id, "vendor", maker, f"its certificate's organisation {organization}", 0.8, first, last, n
            )


def _seen_via(resolution: Resolution) -> Iterator[Claim]:
    """Who spoke of a device that does not speak for itself."""
    pairs = {
        (device_id, resolution.endpoint_device[endpoint][0])
        for (endpoint, _), device_id in resolution.subject_device.items()
    }
    for device_id, speaker in sorted(pairs):
        if device_id != speaker:
            span = resolution.devices[device_id].span
            yield Claim(device_id, "seen_via", speaker, "what this device sends", 1.0, span.first, span.last, 1)


def _from_addresses(resolution: Resolution) -> Iterable[Claim]:
    """The makers of the network cards, where the MAC address is the device's own."""
    macs: dict[tuple[str, str], list[Endpoint]] = defaultdict(list)
    for endpoint, (device_id, _) in resolution.endpoint_device.items():
        own = any(a.kind == "mac" and a.value == endpoint.mac for a in resolution.devices[device_id].anchors)
        if endpoint.mac and own:
            macs[device_id, endpoint.mac].append(endpoint)
    for device_id, mac in sorted(macs):
        span = resolution.devices[device_id].span
        for name, value, certainty, source in _maker(mac):
            yield Claim(device_id, name, value, source, certainty, span.first, span.last, 1)


@lru_cache(maxsize=100_000)
def _maker(mac: str) -> list[tuple[str, str, float, str]]:
    hits = Fingerprints.installed().look_up("mac", mac)
    if hits:
        return [(hit.name, hit.value, hit.certainty, f"MAC address {mac}") for hit in hits]
    made_by = maker(mac[:8])
    return [("vendor", made_by, NETWORK_CARD, f"MAC address {mac} (network card)")] if made_by else []
