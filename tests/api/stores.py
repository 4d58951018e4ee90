"""A small store, filled by hand through the real schema and views: two devices, one shared identity, some findings."""

from __future__ import annotations

from datetime import datetime

import duckdb
from fastapi.testclient import TestClient

from api.app import create_app
from sensor.store.sql import of_views, statement

T0, T1 = datetime(2026, 11, 23, 10, 0, 0, 123456), datetime(2026, 11, 23, 18, 12, 44)  # noqa: DTZ001
RULES = [
    {
        "id": "TLS-001",
        "title": "An outdated TLS version is spoken",
        "severity": "medium",
        "confidence": "certain",
        "family": "tls",
        "why": "TLS 1.0 can be read.",
        "remedy": "Let it speak TLS 1.2.",
        "references": ["RFC 8996"],
        "mappings": {"cwe": ["CWE-327"]},
    }
]
SEVERITIES = ("critical", "high", "medium", "low", "info")


def insert(connection: duckdb.DuckDBPyConnection, table: str, **row: object) -> None:
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))


def add_device(connection: duckdb.DuckDBPyConnection, device_id: str, label: str, **more: object) -> None:
    row = {"device_id": device_id, "label": label, "described": False, "first_ts": T0, "last_ts": T1, "why": "{}"}
    insert(connection, "device", **{**row, **more})


def add_change(connection: duckdb.DuckDBPyConnection, seq: int, finding: str, severity: str = "high") -> None:
    row = {
        "seq": seq,
        "finding_id": finding,
        "change": "opened",
        "as_of": T1,
        "rule_id": "TLS-001",
        "severity": severity,
    }
    insert(connection, "finding_change", **row, body='{"title": "x"}')


def add_finding(connection: duckdb.DuckDBPyConnection, finding: str, severity: str, **more: object) -> None:
    row = {
        "finding_id": finding, "rule_id": "TLS-001", "status": "open", "severity": severity, "confidence": "certain",
        "title": f"finding {finding}", "first_ts": T0, "last_ts": T1, "evidence": '{"frame": 12}', "changed_seq": 0,
    }  # fmt: skip
    insert(connection, "finding", **{**row, **more})


def empty_store() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    for name in ("whole", *of_views()):
        connection.execute(statement(name))
    return connection


def fill(connection: duckdb.DuckDBPyConnection) -> None:
    add_device(connection, "d-1", "CT01", vendor="Example Medical", device_type="CT", why='{"vendor": "oui"}')
    add_device(connection, "d-2", "=PACS()", vendor="Other")
    for old, now in (("d-old", "d-older"), ("d-older", "d-1")):
        insert(connection, "device_alias", device_id=old, now_id=now)
    for device, mac, ip in (("d-1", "00:11:22:33:44:55", "10.0.0.5"), ("d-2", None, "2001:db8::9")):
        insert(
            connection, "device_endpoint",
            device_id=device, scope="default", mac=mac, ip=ip, first_ts=T0, last_ts=T1, reason="on-link MAC",
        )  # fmt: skip
    insert(
        connection, "device_attribute",
        device_id="d-1", name="vendor", value="Example Medical", source="oui", certainty=0.6, chosen=True,
        first_ts=T0, last_ts=T1, n=3,
    )  # fmt: skip
    insert(
        connection, "identity",
        identity_id="i-1", kind="ae-title", label="ANY-SCU", belongs_to="device", strength="none", device_count=2,
        first_ts=T0, last_ts=T1, why='{"strength": "a claim"}',
    )  # fmt: skip
    for device, peer in (("d-1", "d-2"), ("d-2", None)):
        insert(
            connection, "identity_use",
            identity_id="i-1", device_id=device, peer_device_id=peer, use="claims", protocol="dicom", port=104,
            outcome="accepted", protection="none", first_ts=T0, last_ts=T1, n=7, day_count=1,
        )  # fmt: skip
    insert(
        connection, "blindspot",
        device_id="d-1", day=T0.date(), conversations=4, understood=1, reason="TLS 1.3", reason_count=3,
    )  # fmt: skip
    add_finding(connection, "f-1", "high", device_id="d-1", identity_id="i-1", ip="10.0.0.5")
    add_finding(connection, "f-2", "critical", device_id="d-2")
    add_finding(connection, "f-3", "low", status="resolved")
    for seq, finding, severity in ((1, "f-1", "high"), (2, "f-2", "critical"), (3, "f-3", "low")):
        add_change(connection, seq, finding, severity)
    add_facts(connection)
    add_sensors(connection)


def add_sensors(connection: duckdb.DuckDBPyConnection) -> None:
    """A live interface with two VLANs, one of them shown twice; one without packets; a capture that was read."""
    common = {"parser_set": "1-x", "settings": "s", "batch_bytes": 0, "read_at": T1, "packets": 300, "bytes": 9000}
    counters = '{"compiled": 1, "parser_failures": 0, "last_packet_us": 1795457564000000, "packets": 300}'
    for reading, name, live in ((1, "a.pcap", False), (2, "eth1", True)):
        insert(
            connection, "capture", reading=reading, capture=f"c{reading}", name=name, live=live, complete=not live,
            finished=not live, first_ts=T0, last_ts=T1, sandbox="nobody", counters=counters, **common,
        )  # fmt: skip
    hour = T1.replace(minute=0, second=0)
    for reading, interface, segment, duplicates in (
        (1, "", "", 0),
        (2, "eth1", "", 0),
        (2, "eth1", "vlan 12", 90),
    ):
        insert(
            connection, "fact_traffic", reading=reading, batch=0, hour=hour, interface=interface,
            segment=segment, packets=100, bytes=8000, duplicates=duplicates, group_packets=5, truncated=1,
        )  # fmt: skip
    for interface, packets in (("eth1", 207), ("eth2", 0)):
        insert(
            connection, "fact_loss", reading=2, batch=0, hour=hour, interface=interface,
            kernel_packets=packets, kernel_drops=packets // 29, interface_drops=packets // 200, ring_freezes=2,
        )  # fmt: skip
    insert(
        connection, "mirror_warning", capture="c2", parser_set="1-x", interface="eth1", kind="duplicated",
        words="45% of the packets come twice on vlan 12", since=T1,
    )  # fmt: skip


def add_facts(connection: duckdb.DuckDBPyConnection) -> None:
    common = {
        "reading": 1, "batch": 0, "day": T0.date(),
        "first_ts": T0, "last_ts": T1, "n": 2, "hours": 1 << 10 | 1 << 18, "frame": 4, "community_id": "1:abc=",
    }  # fmt: skip
    for number, protocol in enumerate(("dicom", "tls")):
        insert(
            connection, "place", reading=1, batch=0, day=T0.date(), id=number, scope="default", side="initiator",
            mac=0x001122334455, ip="10.0.0.5", peer_ip="10.0.0.9", port=104, transport="tcp", protocol=protocol,
            continued=False,
        )  # fmt: skip
    for number in (2**63 + 1, 2):
        insert(
            connection, "fact_authentication", **common, place=0, about="side", quality=0, id=number,
            mechanism="ae-title", principal="ANY-SCU", outcome="accepted", protection="none",
            details='{"called_ae_title": "PACS"}',
        )  # fmt: skip
    insert(
        connection, "kind", reading=1, batch=0, id=7, scope="default", transport="tcp", protocol="", confidence="port",
    )  # fmt: skip
    insert(
        connection, "fact_conversation", **common, id=3, kind=7, port=104, packets=9,
        initiator_ip="10.0.0.5", initiator_mac=0x001122334455, responder_ip="10.0.0.9",
        **dict.fromkeys(COUNTS, 0),
    )  # fmt: skip
    insert(
        connection, "certificate", reading=1, batch=0, sha256="ab" * 32, subject_name="CN=pacs",
        not_before=T0, not_after=T1, sans=["DNS:pacs", "IP:10.0.0.9"], personal=False, details="{}",
    )  # fmt: skip
    insert(
        connection,
        "fact_certificate",
        **common,
        place=1,
        about="side",
        quality=0,
        id=4,
        role="server",
        position=0,
        sha256="ab" * 32,
    )


COUNTS = (
    "initiator_bytes", "responder_bytes", "copied_bytes", "skipped_bytes", "left_out_bytes", "lost_bytes",
    "midstream_count", "one_sided_count", "gap_count", "unanswered_count", "truncated_count", "duplicate_count",
)  # fmt: skip


def client_of(connection: duckdb.DuckDBPyConnection, **options: float) -> TestClient:
    return TestClient(
        create_app(connection, RULES, **options), base_url="http://localhost", raise_server_exceptions=False
    )
