"""Two readings of one capture, ours and tshark's, in the same shape: endpoint and field to a set of values."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.captures import facts

HERE = Path(__file__).parent
Key = tuple[str, str]  # endpoint ("ip port"; of certificates only the port), tshark's field
Reading = dict[Key, set[str]]

VERSIONS = {
    0x0002: "SSL 2.0", 0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3",
    0xFEFF: "DTLS 1.0", 0xFEFD: "DTLS 1.2", 0xFEFC: "DTLS 1.3", 0x0100: "DTLS 1.0",
}  # fmt: skip
IDENTITY_TYPES = {
    "dicom-username": "1", "dicom-username-passcode": "2", "dicom-kerberos": "3", "dicom-saml": "4", "dicom-jwt": "5",
}  # fmt: skip
RESULTS = {"user-rejection": "1", "provider-rejection": "2", "abstract-syntax": "3", "transfer-syntax": "4"}


class Row(NamedTuple):
    """A line of fields.csv."""

    section: str
    tshark_field: str
    kind: str
    ours: str
    reading: str


@cache
def table() -> tuple[Row, ...]:
    """fields.csv."""
    lines = (line for line in (HERE / "fields.csv").read_text().splitlines() if not line.startswith("#"))
    return tuple(Row(**row) for row in csv.DictReader(lines))


def each(value: Any) -> list[str]:
    """tshark's value as a list of texts."""
    return [str(part) for part in value] if isinstance(value, list) else [str(value)]


@cache
def suites() -> dict[int, str]:
    """IANA names of cipher suites, from our own table: names are a convention, numbers are what is compared."""
    text = (HERE.parent.parent / "parsers" / "tables" / "tls_cipher_suites.csv").read_text()
    rows = csv.reader(line for line in text.splitlines() if line and not line.startswith("#"))
    return {int(row[0], 16): row[1] for row in rows if row[0] != "value"}


@cache
def alerts() -> dict[str, str]:
    """Names of TLS alerts by number."""
    text = (HERE.parent.parent / "parsers" / "tables" / "tls_alerts.csv").read_text()
    rows = csv.reader(line for line in text.splitlines() if line and not line.startswith("#"))
    return {row[0]: row[1] for row in rows if row[0].isdigit()}


def highest_version(values: list[str]) -> list[str]:
    numbers = [int(value, 0) for value in values]
    known = [number for number in numbers if number in VERSIONS]
    return [VERSIONS[max(known)]] if known else []


READINGS: dict[str, Callable[[list[str]], list[str]]] = {
    "text": lambda values: values,
    "handshake_type": lambda values: values,
    "each": lambda values: [part for value in values for part in value.split(",")],
    "highest_version": highest_version,
    "negotiated_version": highest_version,
    "suite": lambda values: [suites().get(int(value, 0), value) for value in values],
    "alert": lambda values: [alerts().get(value, value) for value in values],
    "date": lambda values: [value[:10] for value in values if value],
    "certificate_name": lambda values: [value for value in values if value],
    "ae_title": lambda values: [value.strip() for value in values],
    "uid": lambda values: [value.rsplit("(", 1)[-1].rstrip(")") for value in values],
    "number": lambda values: [str(int(value, 0)) for value in values],
    "presentation_result": lambda values: [str(int(value, 0)) for value in values],
    "user_identity": lambda values: [str(int(value, 0)) for value in values],
    "sha256_of_hex": lambda values: [
        hashlib.sha256(bytes.fromhex(value.replace(":", ""))).hexdigest() for value in values
    ],
}


def oracle(record: dict[str, Any]) -> Reading:
    """tshark's reading, from a line of ORACLE.jsonl."""
    found: Reading = defaultdict(set)
    for row in table():
        for message in _messages(record, row.section):
            values = _oracle_values(message, row)
            endpoint = message["sport"] if row.section == "certs" else f"{message['src']} {message['sport']}"
            if row.ours == "dicom.called_ae_title":
                endpoint = f"{message['dst']} {message['dport']}"
            for value in READINGS[row.reading](values):
                found[endpoint, row.tshark_field].add(value)
    return found


def _messages(record: dict[str, Any], section: str) -> list[dict[str, Any]]:
    if section == "certs":
        return list(record["certs"])
    return list(record["facts"].get(section, {}).get("records", ()))


def _oracle_values(message: dict[str, Any], row: Row) -> list[str]:
    if row.reading == "negotiated_version":
        version = message.get("tls.handshake.extensions.supported_version", message.get(row.tshark_field))
        return each(version) if version is not None else []
    if row.ours == "tls.max_version":
        return (
            each(message[row.tshark_field]) if row.tshark_field in message else each(message["tls.handshake.version"])
        )
    if row.section.startswith("dicom") and message.get("dicom.pdu.type") != "0x01" and row.ours != row.tshark_field:
        responder = row.ours in {"dicom.implementation_class_uid", "dicom.implementation_version_name"}
        return each(message[row.tshark_field]) if responder and row.tshark_field in message else []
    return each(message[row.tshark_field]) if row.tshark_field in message else []


_PLACES = (
    "ipv6.src",
    "ipv6.dst",
    "ip.src",
    "tcp.srcport",
    "udp.srcport",
    "ip.dst",
    "tcp.dstport",
    "udp.dstport",
    "dicom.pdu.type",
)


def live(path: Path) -> Reading:
    """tshark's reading, asked now."""
    rows = [row for row in table() if row.section == "live"]
    columns = [*_PLACES, *(row.tshark_field for row in rows)]
    command = ["tshark", "-n", "-r", str(path), "-Y", "tls or dtls or dicom", "-T", "fields", "-E", "aggregator=;"]
    command += [part for column in columns for part in ("-e", column)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found: Reading = defaultdict(set)
    for line in output.splitlines():
        message = dict(zip(columns, line.split("\t"), strict=True))
        _add_live(found, message, rows)
    _name_roles(found)
    return found


def _name_roles(found: Reading) -> None:
    """Handshake types become the role of a certificate: whoever says ServerHello (2) is the server."""
    for (endpoint, field), types in list(found.items()):
        if field.endswith(".handshake.type"):
            del found[endpoint, field]
            if "11" in types:
                found[endpoint, field] = {"server" if "2" in types else "client"}


def _add_live(found: Reading, message: dict[str, str], rows: Iterable[Row]) -> None:
    acceptance = message["dicom.pdu.type"].split(";")[0] in {"2", "0x02"}
    for row in rows:
        if not message[row.tshark_field]:
            continue
        if acceptance and row.ours in {
            "dicom.called_ae_title",
            "dicom.calling_ae_title",
            "dicom.proposed_abstract_syntax",
        }:
            continue
        there = row.ours == "dicom.called_ae_title"
        way = "dst" if there else "src"
        endpoint = (
            f"{message[f'ip.{way}'] or message[f'ipv6.{way}']} {message[f'tcp.{way}port'] or message[f'udp.{way}port']}"
        )
        for value in READINGS[row.reading](message[row.tshark_field].split(";")):
            found[endpoint, row.tshark_field].add(value)


def ours(path: Path, *, section_live: bool) -> Reading:
    """Our reading of a capture."""
    found: Reading = defaultdict(set)
    rows = [row for row in table() if (row.section == "live") == section_live]
    for fact in facts(path):
        address = fact["endpoint"]
        for row in rows:
            if row.kind == fact["kind"] and _dissector(row) in {"", fact["protocol"]}:
                endpoint = str(address["port"]) if row.section == "certs" else f"{address['ip']} {address['port']}"
                for value in _our_values(fact, row):
                    found[endpoint, row.tshark_field].add(value)
    return found


def _dissector(row: Row) -> str:
    """The protocol whose facts a field is compared with: tshark has TLS and DTLS apart, and so have we."""
    prefix = row.tshark_field.split(".", 1)[0]
    return prefix if prefix in {"tls", "dtls", "dicom"} else ""


def _our_values(fact: dict[str, Any], row: Row) -> list[str]:
    if row.tshark_field == "dicom.pctx.result":
        return _our_result(fact)
    if fact["kind"] == "attribute":
        return [fact["value"]] if fact["name"] == row.ours else []
    if row.reading == "user_identity":
        return [IDENTITY_TYPES[fact["mechanism"]]] if fact["mechanism"] in IDENTITY_TYPES else []
    if fact["kind"] == "certificate":
        return _our_certificate(fact, row.ours)
    if row.section.startswith("tls_") and fact.get(row.ours) is not None:
        return [str(fact[row.ours])]
    return []


def _our_result(fact: dict[str, Any]) -> list[str]:
    if fact["kind"] == "attribute" and fact["name"] == "dicom.accepted_abstract_syntax":
        return ["0"]
    if fact["kind"] == "attribute" and fact["name"] == "dicom.presentation_result":
        name = fact["value"].split(" ", 1)[1].replace("_", "-")
        return [number for start, number in RESULTS.items() if name.startswith(start)]
    return []


def _our_certificate(fact: dict[str, Any], name: str) -> list[str]:
    if name == "role":
        return [] if fact["role"] == "ca" else [fact["role"]]
    if name == "details.common_name":
        return _short_name(fact["subject"])
    if name == "issuer_common_name":
        return _short_name(fact["issuer"])
    if name == "key":
        return [_our_key(fact)] if fact["key_type"] else []
    value = fact[name]
    if value is None:
        return []
    return [value[:10] if name.startswith("not_") else str(value)]


def _short_name(name: str | None) -> list[str]:
    """The common name, unescaped, or where there is none the whole name (RFC 4514): as ORACLE.jsonl has it."""
    if not name:
        return []
    parts = re.split(r"(?<!\\)[,+]", name)
    common = [part[3:] for part in parts if part.startswith("CN=")]
    return [re.sub(r"\\([,+\"\\<>;=])", r"\1", common[0]) if common else name]


def _our_key(fact: dict[str, Any]) -> str:
    if fact["key_type"] == "EC":
        return f"EC-{fact['details'].get('curve')}"
    return f"{fact['key_type']}{fact['key_bits'] or ''}"


def load_oracle(path: Path) -> dict[str, dict[str, Any]]:
    """ORACLE.jsonl by file name."""
    return {record["file"]: record for record in map(json.loads, path.read_text().splitlines())}
