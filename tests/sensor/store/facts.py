"""Rows to fill a store with: small, made up, and of the store's own column types."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sensor.rows import KIND, PART_ROWS, QUALITY, SCHEMAS, WHAT, WHERE, quality_number
from sensor.store import Reading, Store
from sensor.store.sql import views
from tests.tables import made, told

START = datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 - the store's timestamps are naive UTC


def reading(capture="a" * 32, parser_set="p1", settings="s1", batch_bytes=1000, name="a.pcap"):
    return Reading(capture, parser_set, settings, batch_bytes, name, 12345)


def schema_of(store, table):
    """Names and types of a table's columns."""
    cursor = store.cursor()
    schema = cursor.sql(f"FROM {table} LIMIT 0").to_arrow_table().schema
    cursor.close()
    return {field.name: field.type for field in schema if field.name not in {"reading", "batch"}}


def common(minute=0, **changes):
    """The columns that every fact has; `minute` is when it was seen, and its frame."""
    ts = START + timedelta(minutes=minute)
    row = {
        "day": ts.date(), "id": 1, "scope": "default", "side": "initiator",
        "mac": "00:00:5e:00:53:01", "ip": "10.0.0.5",
        "peer_mac": None, "peer_ip": "10.0.0.9", "port": 104, "transport": "tcp", "protocol": "dicom", "about": "side",
        "continued": False, "first_ts": ts, "last_ts": ts, "n": 1, "hours": 1 << ts.hour, "frame": minute + 1,
        "initiator_port": 50_000 + minute, "midstream": False, "gap": False, "one_sided": False,
    }  # fmt: skip
    return row | changes


def attribute(minute=0, value="CT01", **changes):
    named = {"name": "dicom.station_name", "value": value, "spec": "PS3.6", "sensitivity": "device"}
    return common(minute, **named) | changes


def certificate_shown(minute=0, sha256="ab", **changes):
    return common(minute, role="server", position=0, sha256=sha256) | changes


def certificate(sha256="ab", **changes):
    row = {
        "sha256": sha256, "spki_sha256": "cd", "subject_name": "CN=pacs", "issuer": "CN=ca", "serial": "01",
        "not_before": START, "not_after": START, "key_type": "RSA", "key_bits": 2048,
        "signature": "sha256WithRSAEncryption",
        "sans": ["DNS:pacs"], "self_signed": False, "is_ca": False, "personal": False, "details": "{}",
    }  # fmt: skip
    return row | changes


def binding(minute=0, mac="00:00:5e:00:53:01", until=None, ip="10.0.0.5", n=1):
    first, last = (START + timedelta(minutes=m) for m in (minute, minute if until is None else until))
    return {"scope": "default", "mac": mac, "ip": ip, "first_ts": first, "last_ts": last, "n": n}


def conversation(minute=0, **changes):
    ts = START + timedelta(minutes=minute)
    counts = ("packets", "initiator_bytes", "responder_bytes", "copied_bytes", "skipped_bytes", "left_out_bytes")
    more = ("lost_bytes", "midstream_count", "one_sided_count", "gap_count", "unanswered_count")
    row = {
        "day": ts.date(), "id": 7, "scope": "default", "initiator_mac": None, "initiator_ip": "10.0.0.5",
        "responder_mac": None, "responder_ip": "10.0.0.9", "port": 104, "transport": "tcp", "protocol": "dicom",
        "confidence": "confirmed", **dict.fromkeys((*counts, *more), minute + 1),
        "first_ts": ts, "last_ts": ts, "n": 1, "hours": 1 << ts.hour, "frame": minute + 1,
        "initiator_port": 50_000 + minute,
    }  # fmt: skip
    return row | changes


def traffic(hour=0, packets=1, interface="eth1", segment="vlan 12"):
    counts = dict.fromkeys(("packets", "bytes", "duplicates", "group_packets", "truncated"), packets)
    return {"hour": START + timedelta(hours=hour), "interface": interface, "segment": segment, **counts}


def loss(hour=0, drops=1, interface="eth1"):
    counts = dict.fromkeys(("kernel_packets", "kernel_drops", "interface_drops", "ring_freezes"), drops)
    return {"hour": START + timedelta(hours=hour), "interface": interface, **counts}


def referring(rows, table="fact_attribute"):
    """Rows of facts, which say all themselves, as a worker says them: by table, with ids of where and what."""
    parts = {"place": [], "attribute": [], table: []}
    for row in rows:
        where = {name: row[name] for name, _ in WHERE} | {"day": row["day"]}
        ids = {"place": number_of(where)}
        parts["place"].append(where | {"id": ids["place"]})
        if table == "fact_attribute":
            what = {name: row[name] for name, _ in WHAT[table]}
            ids["attribute"] = number_of(what)
            parts["attribute"].append(what | {"id": ids["attribute"]})
        seen = {name: row[name] for name in SCHEMAS[table] if name in row}
        parts[table].append(seen | ids | {"quality": quality_number(map(row.get, QUALITY))})
    return {
        name: part if name == table else list({row["id"]: row for row in part}.values())
        for name, part in parts.items()
        if part
    }


def of_kinds(rows):
    """Rows of conversations, which say all themselves, as a worker says them."""
    kinds = [{name: row.get(name) for name, _ in KIND} for row in rows]
    ids = [number_of(kind) for kind in kinds]
    return {
        "kind": list({number: kind | {"id": number} for number, kind in zip(ids, kinds, strict=True)}.values()),
        "fact_conversation": [row | {"kind": number} for number, row in zip(ids, rows, strict=True)],
    }


def number_of(row):
    """64 bits of a digest."""
    return int.from_bytes(hashlib.blake2b(repr(sorted(row.items())).encode(), digest_size=8).digest())


def attributes_of(parts):
    """Rows of attributes that say all themselves, from (name, table) as a worker sends them."""
    rows = {name: [] for name in ("place", "attribute", "fact_attribute")}
    for name, table in parts:
        if name in rows:
            rows[name] += told(table)
    where, what = ({row["id"]: row for row in rows[name]} for name in ("place", "attribute"))
    return [what[row["attribute"]] | where[row["place"]] | row | flags_of(row) for row in rows["fact_attribute"]]


def flags_of(row):
    return {name: bool(row["quality"] >> bit & 1) for bit, name in enumerate(reversed(QUALITY))}


def said(rows):
    """The tables that a worker sends for rows of attributes, which say all themselves."""
    return {name: [made(name, part)] for name, part in referring(rows).items()}


def batch(store, **tables):
    """Tables by name, in parts, from lists of rows; those of facts say all themselves."""
    for name in WHAT.keys() & tables.keys():
        parts = referring(tables[name], name)
        tables |= parts | {"place": [*tables.get("place", []), *parts["place"]]}
    if "fact_conversation" in tables:
        tables |= of_kinds(tables["fact_conversation"])
    return {
        name: [made(name, list(rows)[begin : begin + PART_ROWS]) for begin in range(0, max(len(rows), 1), PART_ROWS)]
        for name, rows in tables.items()
    }


def seen(store: Store):
    """Every documented view, whole, in an order of its own."""
    return {name: store.query(f"SELECT * FROM {name} ORDER BY ALL") for name in views()}
