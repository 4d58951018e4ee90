"""Take a certificate apart, change it against the rules, and sign it again: what some devices ship."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CONSTRUCTED = 0x20
LONG_FORM = 0x80
INTEGER, BIT_STRING, NULL = 0x02, 0x03, 0x05
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18


@dataclass
class Node:
    """One DER element: a tag with either content or children."""

    tag: int
    content: bytes = b""
    children: list[Node] = field(default_factory=list)

    def encode(self) -> bytes:
        """Return tag, definite length and value."""
        body = b"".join(c.encode() for c in self.children) if self.children else self.content
        size = len(body)
        if size < LONG_FORM:
            return bytes([self.tag, size]) + body
        length = size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes([self.tag, LONG_FORM | len(length)]) + length + body


def decode(der: bytes) -> list[Node]:
    """Return the elements of a well-formed DER string."""
    nodes, at = [], 0
    while at < len(der):
        tag, size, at = der[at], der[at + 1], at + 2
        if size & LONG_FORM:
            count = size & ~LONG_FORM
            size, at = int.from_bytes(der[at : at + count], "big"), at + count
        body, at = der[at : at + size], at + size
        nodes.append(Node(tag, children=decode(body)) if tag & CONSTRUCTED and body else Node(tag, body))
    return nodes


@dataclass
class Tbs:
    """Views of the fields of a version 3 TBSCertificate (RFC 5280 4.1), by name."""

    root: Node

    def __getitem__(self, name: str) -> Node:
        names = ("version", "serial", "algorithm", "issuer", "validity", "subject", "key", "extensions")
        return self.root.children[names.index(name)]


def resign(cert: Path, key: Path, tbs: Node) -> None:
    """Write the changed certificate in place of the old one, signed with the key by openssl."""
    old = decode(
        subprocess.run(["openssl", "x509", "-in", str(cert), "-outform", "DER"], check=True, capture_output=True).stdout
    )[0]
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", str(key)], check=True, capture_output=True, input=tbs.encode()
    ).stdout
    der = Node(old.tag, children=[tbs, old.children[1], Node(BIT_STRING, b"\0" + signature)]).encode()
    pem = subprocess.run(["openssl", "base64"], check=True, capture_output=True, input=der).stdout
    cert.write_bytes(b"-----BEGIN CERTIFICATE-----\n" + pem + b"-----END CERTIFICATE-----\n")


def take_apart(cert: Path) -> Tbs:
    """Return the TBSCertificate of a PEM file."""
    der = subprocess.run(
        ["openssl", "x509", "-in", str(cert), "-outform", "DER"], check=True, capture_output=True
    ).stdout
    return Tbs(decode(der)[0].children[0])
