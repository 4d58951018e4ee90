"""Small worlds of facts, and what inference makes of them."""

from __future__ import annotations

import duckdb

from sensor.inference.run import infer
from sensor.rules.cases import build_store
from sensor.site import Site

DICOM = {"protocol": "dicom", "port": 104}
SIEMENS_UID = "1.3.12.2.1107.5.1"
DCMTK_UID = "1.2.276.0.7230010.3.0.3.6.7"
CT = "serial:SIEMENS|INV73019"
CT_SAYS = {"dicom.manufacturer": "SIEMENS", "dicom.model_name": "SOMATOM", "dicom.device_serial_number": "INV73019"}


def world(*rows: dict) -> duckdb.DuckDBPyConnection:
    """A store with these facts, inferred without rules."""
    connection = build_store(rows)
    infer(connection, Site(), rules=())
    return connection


def devices(connection: duckdb.DuckDBPyConnection) -> set[frozenset[str]]:
    """The partition: per device its addresses as `mac ip` and, in braces, what others said of it."""
    parts: dict[str, set[str]] = {}
    for device_id, mac, ip in connection.execute("SELECT device_id, mac, ip FROM device_endpoint").fetchall():
        parts.setdefault(device_id, set()).add(" ".join(filter(None, (mac, ip))))
    for device_id, described, serial in connection.execute(
        "SELECT device_id, described, serial FROM device"
    ).fetchall():
        part = parts.setdefault(device_id, set())
        if serial or described:
            part.add(f"{{{serial}}}")
    return {frozenset(part) for part in parts.values()}


def device_of(connection: duckdb.DuckDBPyConnection, ip: str, scope: str = "default") -> str:
    """The id of the one device that holds an IP address."""
    found = connection.execute(
        "SELECT DISTINCT device_id FROM device_endpoint WHERE ip = $ip AND scope = $scope", {"ip": ip, "scope": scope}
    ).fetchall()
    assert len(found) == 1, found
    return found[0][0]


def stores(speaker: str, about: str = CT, *, via: str = "C-STORE", uid: str | None = None, **row) -> list[dict]:
    """A sender stores an object that describes something."""
    said = dict(CT_SAYS)
    if about.startswith("serial:"):
        maker, _, serial = about.removeprefix("serial:").rpartition("|")
        said |= {"dicom.manufacturer": maker, "dicom.device_serial_number": serial}
    rows = [{"attribute": said | {"dicom.via": via}, "about": about, "from": speaker, **DICOM, **row}]
    if uid:
        rows.append({"attribute": {"dicom.implementation_class_uid": uid}, "from": speaker, **DICOM, **row})
    return rows
