"""Classification: what each device is, by fingerprints, by what it says of itself and by the part that it plays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import duckdb
import netaddr

from sensor.inference.claims import Claim
from sensor.inference.devices import Resolution
from sensor.inference.evidence import Endpoint
from sensor.inference.roles import role_claims
from sensor.inference.statements import run
from sensor.knowledge import Fingerprints
from sensor.knowledge.fingerprints import normal_vendor

NETWORK_CARD: Final = 0.2  # an OUI names who made the network card, seldom who made the device
SAID_OF_ITSELF: Final = {
    "dicom.manufacturer": ("vendor", 0.95),
    "dicom.model_name": ("model", 0.9),
    "dicom.device_serial_number": ("serial", 0.85),
    "dicom.software_versions": ("software", 0.9),
    "dicom.station_name": ("name", 0.8),
    "dicom.performed_station_name": ("name", 0.7),
    "dicom.scheduled_station_name": ("name", 0.6),
    "dicom.station_ae_title": ("ae_title", 0.8),
    "dicom.performed_station_ae_title": ("ae_title", 0.8),
    "dicom.scheduled_station_ae_title": ("ae_title", 0.6),
    "dicom.institution_name": ("institution", 0.6),
    "dicom.department_name": ("department", 0.6),
    "dicom.udi": ("udi", 0.95),
    "dicom.secondary_capture_manufacturer": ("vendor", 0.8),
    "dicom.secondary_capture_model_name": ("model", 0.8),
    "dicom.secondary_capture_software_versions": ("software", 0.8),
    "dicom.date_of_last_calibration": ("calibrated", 0.9),
}
SAID_BY_SIDE: Final = {
    "dicom.calling_ae_title": ("ae_title", 0.9),
    "dicom.implementation_version_name": ("implementation", 0.8),
    "tls.ja4": ("ja4", 0.5),
    "dhcp.hostname": ("name", 0.7),
    "ntlm.computer_name": ("name", 0.9),
}


def classify(connection: duckdb.DuckDBPyConnection, resolution: Resolution) -> list[Claim]:
    """All claims about all devices. Needs table `seen_attribute`."""
    claims = list(_from_attributes(connection))
    claims += _from_titles(connection)
    claims += _from_certificates(connection)
    claims += _from_addresses(resolution)
    claims += _seen_via(resolution)
    return claims + role_claims(connection, resolution)


def _from_attributes(connection: duckdb.DuckDBPyConnection) -> Iterator[Claim]:
    for device_id, name, value, described, _side, first, last, n in run(connection, "classifiable"):
        simple = (SAID_OF_ITSELF if described else SAID_BY_SIDE).get(name)
        if simple is not None:
            text = normal_vendor(value) if simple[0] == "vendor" else value
            yield Claim(device_id, simple[0], text, name, simple[1], first, last, n)
        for hit in Fingerprints.installed().look_up(name, value):
            yield Claim(device_id, hit.name, hit.value, f"{name} {value}", hit.certainty, first, last, n)


def _from_titles(connection: duckdb.DuckDBPyConnection) -> Iterator[Claim]:
    """AE titles that a device answers to, unless it answers to several: then none of them need be its own."""
    for device_id, title, first, last, n in run(connection, "answered_titles"):
        yield Claim(device_id, "ae_title", title, "answers to this AE title", 0.6, first, last, n)


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
    try:
        maker = netaddr.EUI(mac).oui.registration().org
    except netaddr.NotRegisteredError:
        return []
    return [("vendor", maker, NETWORK_CARD, f"MAC address {mac} (network card)")]
