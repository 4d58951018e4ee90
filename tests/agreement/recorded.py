"""What was recorded of tshark's reading of the public captures (ORACLE.jsonl), in the shape that `verify` compares."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sensor.verification import Key, Reading
from sensor.verification.messages import Message
from sensor.verification.table import Row

HERE = Path(__file__).parent


class Section(NamedTuple):
    """A line of sections.csv."""

    section: str
    layer: str
    implied: str


def read_table(name: str) -> list[dict[str, str]]:
    """A table of this folder."""
    return list(csv.DictReader(line for line in (HERE / name).read_text().splitlines() if line and line[0] != "#"))


def load(path: Path) -> dict[str, dict[str, Any]]:
    """ORACLE.jsonl by file name."""
    return {record["file"]: record for record in map(json.loads, path.read_text().splitlines())}


# ------------------------------------------------------------------ messages


@cache
def sections() -> tuple[Section, ...]:
    return tuple(Section(**line) for line in read_table("sections.csv"))


def messages(record: dict[str, Any]) -> list[Message]:
    """The recorded messages of a file, in order. NTLM that no SMB conversation carries is left out: not of ours yet."""
    found = [(line["frame"], _message(line, section)) for section, line in _lines(record) if line["sport"]]
    smb = {frozenset((message.speaker, message.hearer)) for _, message in found if _is_smb(message)}
    ordered = [message for _, message in sorted(found, key=lambda pair: int(pair[0]))]
    return [
        message
        for message in ordered
        if "ntlmssp.messagetype" not in message.values or frozenset((message.speaker, message.hearer)) in smb
    ]


def _is_smb(message: Message) -> bool:
    return message.protocol in {"smb", "smb2"} and "ntlmssp.messagetype" not in message.values


def _lines(record: dict[str, Any]) -> Iterator[tuple[Section, dict[str, Any]]]:
    for section in sections():
        for line in record["facts"].get(section.section, {}).get("records", ()):
            yield section, line


def _message(line: dict[str, Any], section: Section) -> Message:
    values = {name: _each(value) for name, value in line.items() if "." in name}
    field, _, value = section.implied.partition("=")
    if field:
        values[field] = [value]
    return Message(section.layer, f"{line['src']} {line['sport']}", f"{line['dst']} {line['dport']}", values)


def _each(value: Any) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list) else [str(value)]


# ------------------------------------------------------------------ certificates


@cache
def certificate_rows() -> tuple[Row, ...]:
    return tuple(
        Row("tls", line["recorded"], (), "speaker", "text", "certificate", line["ours"], (), "text")
        for line in read_table("certificates.csv")
    )


def certificates(record: dict[str, Any]) -> Reading:
    """The recorded fields of certificates, by port and field."""
    found: Reading = {}
    for line in record["certs"]:
        for row in certificate_rows():
            value = str(line.get(row.tshark_field, ""))[: 10 if row.ours.startswith("not_") else None]
            if value:
                found.setdefault(Key(str(line["sport"]), row), set()).add(value)
    return found


def our_certificates(facts: Iterable[dict[str, Any]]) -> Reading:
    """The same fields from our facts."""
    found: Reading = {}
    for fact in facts:
        if fact["kind"] != "certificate" or fact["protocol"] not in {"tls", "dtls"}:
            continue
        for row in certificate_rows():
            for value in _CERTIFICATE.get(row.ours, _plain(row.ours))(fact):
                found.setdefault(Key(str(fact["endpoint"]["port"]), row), set()).add(value)
    return found


def _plain(name: str) -> Callable[[dict[str, Any]], list[str]]:
    return lambda fact: [] if fact[name] is None else [str(fact[name])]


def _short_name(name: str | None) -> list[str]:
    """The common name, unescaped, or where there is none the whole name (RFC 4514): as ORACLE.jsonl has it."""
    if not name:
        return []
    parts = re.split(r"(?<!\\)[,+]", name)
    common = [part[3:] for part in parts if part.startswith("CN=")]
    return [re.sub(r"\\([,+\"\\<>;=])", r"\1", common[0]) if common else name]


def _key(fact: dict[str, Any]) -> list[str]:
    if fact["key_type"] == "EC":
        return [f"EC-{fact['details'].get('curve')}"]
    return [f"{fact['key_type']}{fact['key_bits'] or ''}"] if fact["key_type"] else []


def _day(name: str) -> Callable[[dict[str, Any]], list[str]]:
    return lambda fact: [fact[name][:10]] if fact[name] else []


_CERTIFICATE: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "common_name": lambda fact: _short_name(fact["subject"]),
    "issuer_common_name": lambda fact: _short_name(fact["issuer"]),
    "key": _key,
    "not_before": _day("not_before"),
    "not_after": _day("not_after"),
}


# ------------------------------------------------------------------ HL7 header segments


def header_messages(record: dict[str, Any], path: Path) -> list[Message]:
    """The recorded MSH lines, each spoken at the endpoint in whose packets it stands.

    tshark takes HL7 without MLLP framing for plain data: that is why these lines were recorded apart.
    """
    from scapy.layers.inet import IP, TCP
    from scapy.utils import rdpcap

    segments = [packet for packet in rdpcap(str(path)) if IP in packet and TCP in packet] if record["msh"] else []
    found = []
    for line in dict.fromkeys(record["msh"]):
        for packet in segments:
            if line.encode() in bytes(packet[TCP].payload):
                ends = f"{packet[IP].src} {packet[TCP].sport}", f"{packet[IP].dst} {packet[TCP].dport}"
                found.append(Message("hl7", *ends, {"hl7.segment": [line]}))
    return found
