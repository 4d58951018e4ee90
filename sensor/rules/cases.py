"""Cases of rules: a compact notation for fact rows, and the small store in memory that a rule is tried on.

Notation (README.md has the table): one mapping per fact. Its first key says the kind, the others where, when and how
often; what is left out gets a default. Times count from `BASE`: `+90s`, `+5m`, `+3h`, `+2d`, `-1d`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sensor.rows import QUALITY, REFERRED, quality_number
from sensor.store.duck import duckdb
from sensor.store.sql import statement

BASE: Final = datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 - naive UTC, as everything in the store
_COMMON: Final = ("reading", "batch", "day", "id")
UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
PLACE: Final = frozenset(
    {"from", "to", "from_mac", "to_mac", "port", "protocol", "transport", "side", "about", "scope"}
)
EXTENT: Final = frozenset({"at", "until", "n", "midstream", "gap", "one_sided", "capture", "frame", "community_id"})
DEFAULT_SIDE: Final = {"channel": "responder", "certificate": "responder"}
COUNTS: Final = ("midstream", "one_sided", "gap", "unanswered")


class CaseError(Exception):
    """A case is not written as the notation wants it; `str()` says what is wrong."""


def build_store(rows: Iterable[Mapping[str, Any]]) -> duckdb.DuckDBPyConnection:
    """A store in memory, with the real schema, that holds these facts. Raises CaseError."""
    connection = duckdb.connect()
    connection.execute(statement("whole"))
    connection.execute(statement("macros"))
    add_rows(connection, rows)
    return connection


def add_rows(connection: duckdb.DuckDBPyConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add facts to a store that `build_store` made. Raises CaseError."""
    for number, row in enumerate(rows):
        for table, values in _facts(row, number):
            _insert(connection, table, values)


def reading_of(connection: duckdb.DuckDBPyConnection, capture: str) -> int:
    """The number of the reading of a capture, which is made when there is none."""
    readings = dict(connection.execute("SELECT capture, reading FROM capture").fetchall())
    if capture not in readings:
        readings[capture] = len(readings) + 1
        values = {
            "reading": readings[capture], "capture": capture, "parser_set": "1", "settings": "", "batch_bytes": 0,
            "name": capture, "complete": True, "finished": True, "read_at": BASE,
        }  # fmt: skip
        connection.table("capture").insert([values.get(name) for name in _columns("capture")])
    return int(readings[capture])


def moment(text: str | None) -> datetime | None:
    """A time as cases write it. Raises CaseError."""
    if text is None:
        return None
    if found := re.fullmatch(r"([+-]\d+(?:\.\d+)?)([smhd])", str(text)):
        return BASE + timedelta(**{UNITS[found[2]]: float(found[1])})
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=None)
    except ValueError as error:
        raise CaseError(f"{text!r} is no time: write +2d, -90s or 2026-11-23T10:00:00") from error


# --- rows to facts ---


def _facts(row: Mapping[str, Any], number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = next(iter(row), "")
    maker = _MAKERS.get(kind)
    if maker is None:
        raise CaseError(f"a row begins with its kind ({', '.join(_MAKERS)}), not with {kind!r}")
    rest = {key: value for key, value in row.items() if key != kind}
    unknown = rest.keys() - PLACE - EXTENT
    if unknown:
        raise CaseError(f"unknown keys in a row: {', '.join(sorted(unknown))}")
    for table, values in maker(row[kind]):
        yield table, values if table == "certificate" else _extent(rest, number) | _place(kind, rest) | values


def _attributes(said: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in said.items():
        for one in value if isinstance(value, list) else [value]:
            yield "fact_attribute", {"name": name, "value": str(one), "spec": "", "sensitivity": "device"}


def _channel(said: Mapping[str, Any] | str) -> Iterator[tuple[str, dict[str, Any]]]:
    fields = {"version": said} if isinstance(said, str) else dict(said)
    known = {
        "version": "TLS 1.2",
        "cipher": None,
        "encrypted": True,
        "signed": "required",
        "client_authenticated": None,
    }
    yield "fact_channel", _with_details(known, fields)


def _certificate(said: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    fields = dict(said)
    role, position = fields.pop("role", "server"), fields.pop("position", 0)
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
    known: dict[str, Any] = {
        "sha256": digest, "spki_sha256": digest[::-1], "subject_name": "CN=ct1.hospital.example",
        "issuer": "CN=Invented CA", "serial": "01", "not_before": "-30d", "not_after": "+335d",
        "key_type": "RSA", "key_bits": 2048,
        "signature": "sha256WithRSAEncryption", "sans": ["DNS:ct1.hospital.example"], "self_signed": False,
        "is_ca": False, "personal": False,
    }  # fmt: skip
    values = _with_details(known, fields)
    values["not_before"], values["not_after"] = moment(values["not_before"]), moment(values["not_after"])
    yield "certificate", {"capture": "case"} | values
    yield "fact_certificate", {"role": role, "position": position, "sha256": values["sha256"]}


def _authentication(said: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    known = {
        "mechanism": "ae-title", "principal": None, "realm": None, "secret_digest": None,
        "secret_principal_digest": None, "secret_class": None, "secret_length": None, "key_epoch": None,
        "outcome": "accepted", "protection": "none",
    }  # fmt: skip
    yield "fact_authentication", _with_details(known, dict(said))


def _anomaly(said: Mapping[str, Any] | str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "fact_anomaly", {"code": said, "detail": ""} if isinstance(said, str) else {"detail": ""} | dict(said)


def _conversation(said: Mapping[str, Any] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    zero = dict.fromkeys(("copied_bytes", "skipped_bytes", "left_out_bytes", "lost_bytes"), 0)
    counts = {f"{name}_count": 0 for name in COUNTS}
    ordinary = {"packets": 10, "initiator_bytes": 900, "responder_bytes": 1400, "confidence": "confirmed"}
    yield "fact_conversation", zero | counts | ordinary | dict(said or {})


def _binding(_said: object) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "binding", {}


_MAKERS: Final = {
    "attribute": _attributes,
    "channel": _channel,
    "certificate": _certificate,
    "authentication": _authentication,
    "anomaly": _anomaly,
    "conversation": _conversation,
    "binding": _binding,
}


def _with_details(known: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Fields that are no columns go into `details`."""
    details = {key: value for key, value in fields.items() if key not in known}
    return (
        known
        | {key: value for key, value in fields.items() if key in known}
        | {"details": json.dumps(details, sort_keys=True)}
    )


# --- where and when ---


def mac_of(ip: str) -> str:
    """The MAC address that cases give to an IP address unless they say another."""
    return "8c:ec:4b:" + ":".join(f"{byte:02x}" for byte in hashlib.sha256(ip.encode()).digest()[:3])


def _place(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    initiator, responder = row.get("from", "10.0.0.11"), row.get("to", "10.0.0.2")
    macs = [_number(row.get(key, mac_of(ip))) for key, ip in (("from_mac", initiator), ("to_mac", responder))]
    scope = row.get("scope", "default")
    if kind == "binding":
        return {"scope": scope, "mac": macs[0], "ip": initiator}
    common = {
        "scope": scope,
        "port": row.get("port", 443),
        "transport": row.get("transport", "tcp"),
        "protocol": row.get("protocol", "tls"),
    }
    if kind == "conversation":
        return common | {
            "initiator_mac": macs[0],
            "initiator_ip": initiator,
            "responder_mac": macs[1],
            "responder_ip": responder,
        }
    side = row.get("side", DEFAULT_SIDE.get(kind, "initiator"))
    mine, theirs = ((initiator, macs[0]), (responder, macs[1]))[:: 1 if side == "initiator" else -1]
    ends = {"ip": mine[0], "mac": mine[1], "peer_ip": theirs[0], "peer_mac": theirs[1]}
    return common | ends | {"side": side, "about": row.get("about", "side"), "continued": False}


def _number(mac: str | None) -> int | None:
    return None if mac is None else int(mac.replace(":", ""), 16)


def _extent(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    first = moment(row.get("at", "+0s")) or BASE
    last = moment(row.get("until")) or first
    return {
        "capture": row.get("capture", "case"), "day": first.date(), "id": number, "first_ts": first,
        "last_ts": last, "n": row.get("n", 1), "hours": 1 << first.hour, "frame": row.get("frame", number + 1),
        "community_id": row.get("community_id", "1:case"), "midstream": row.get("midstream", False),
        "gap": row.get("gap", False), "one_sided": row.get("one_sided", False),
    }  # fmt: skip


def _insert(connection: duckdb.DuckDBPyConnection, table: str, values: Mapping[str, Any]) -> None:
    values = {"reading": reading_of(connection, values["capture"]), "batch": 0, **values}
    values = _referring(connection, table, values)
    columns = _columns(table)
    unknown = values.keys() - set(columns) - EXTENT - {"day", "id", "hours", "quality"}
    if unknown:
        raise CaseError(f"{table} has no column {', '.join(sorted(unknown))}")
    connection.table(table).insert([values.get(name) for name in columns])


def _referring(connection: duckdb.DuckDBPyConnection, table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A row, after those that it refers to."""
    rest = dict(values)
    for referred in [name for name in _columns(table) if name in REFERRED]:
        own = [name for name in _columns(referred) if name not in _COMMON]
        row = {name: values[name] for name in _COMMON} | {name: rest.pop(name, None) for name in own}
        rest[referred] = row["id"] = len(connection.table(referred)) + 1
        connection.table(referred).insert([row[name] for name in _columns(referred)])
    return rest | {"quality": quality_number(map(values.get, QUALITY))}


@cache
def _columns(table: str) -> tuple[str, ...]:
    return tuple(build_store(()).table(table).columns)
