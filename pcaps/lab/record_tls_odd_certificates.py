"""Certificates that break the rules, as some device makers' scripts produce them; shown by real OpenSSL servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _der import GENERALIZED_TIME, INTEGER, UTC_TIME, Node, Tbs, resign, take_apart
from _lab import Lab, scenario
from _pki import Pki
from _tls import NAME, sni, talk

if TYPE_CHECKING:
    from collections.abc import Callable

TELETEX, BMP, UNIVERSAL, PRINTABLE, IA5, BOOLEAN, SEQUENCE = 0x14, 0x1E, 0x1C, 0x13, 0x16, 0x01, 0x30
DNS_NAME, IP_ADDRESS = 0x82, 0x87
OID_SAN, OID_BASIC = bytes.fromhex("551d11"), bytes.fromhex("551d13")


def odd(path: str, what: str, *expect: str) -> Callable[[Callable[[Tbs], None]], Callable[[Tbs], None]]:
    """Register a scenario that shows a self-signed certificate which the function has spoilt."""

    def register(spoil: Callable[[Tbs], None]) -> Callable[[Tbs], None]:
        def play(lab: Lab) -> None:
            credential = Pki(lab).server(NAME)
            tbs = take_apart(credential.cert)
            spoil(tbs)
            resign(credential.cert, credential.key, tbs.root)
            talk(lab, [*credential.chain], ["-tls1_2", *sni()])

        scenario(f"tls/{path}", what, "OpenSSL", "a certificate altered by pcaps/lab/_der.py", expect=expect)(play)
        return spoil

    return register


def extension(tbs: Tbs, oid: bytes) -> Node:
    """Return the value node of an extension (its OCTET STRING)."""
    found = [e for e in tbs["extensions"].children[0].children if e.children[0].content == oid]
    return found[0].children[-1]


@odd(
    "cert_negative_serial",
    "A negative serial number (RFC 5280 4.1.2.2 wants a positive one).",
    "reported as a problem, all else read",
)
def negative_serial(tbs: Tbs) -> None:
    tbs["serial"].content = b"\x80\x17\x2a\x99"


@odd("cert_zero_serial", "Serial number 0.", "serial 0")
def zero_serial(tbs: Tbs) -> None:
    tbs["serial"].content = b"\0"


@odd("cert_long_serial", "A serial number of 25 bytes, five more than allowed.", "all else read")
def long_serial(tbs: Tbs) -> None:
    tbs["serial"].content = bytes(range(1, 26))


@odd(
    "cert_odd_times",
    "UTCTime without seconds, and a year of the future as UTCTime with an offset.",
    "not_before 2026-01-31T08:00, notAfter with +0100",
)
def odd_times(tbs: Tbs) -> None:
    tbs["validity"].children = [Node(UTC_TIME, b"2601310800Z"), Node(UTC_TIME, b"271231235959+0100")]


@odd(
    "cert_generalized_time",
    "GeneralizedTime before 2050, with a fraction of a second.",
    "dates read, reported as a problem",
)
def generalized_time(tbs: Tbs) -> None:
    tbs["validity"].children = [
        Node(GENERALIZED_TIME, b"20260131080000.5Z"),
        Node(GENERALIZED_TIME, b"20271231235959Z"),
    ]


@odd(
    "cert_odd_strings",
    "Names as TeletexString in Latin-1, BMPString, and a PrintableString with characters it lacks.",
    "organizationName Klinik Süd, commonName dev_01@*",
)
def odd_strings(tbs: Tbs) -> None:
    for name in ("issuer", "subject"):
        values = [rdn.children[0].children for rdn in tbs[name].children]
        values[0][1] = Node(TELETEX, b"DE")
        values[1][1] = Node(BMP, "Klinik Süd".encode("utf-16-be"))
        values[2][1] = Node(PRINTABLE, b"dev_01@*")


@odd("cert_latin1_printable", "A PrintableString that holds Latin-1.", "the name is read with replacement")
def latin1(tbs: Tbs) -> None:
    for name in ("issuer", "subject"):
        tbs[name].children[1].children[0].children[1] = Node(PRINTABLE, "Klinik Süd".encode("latin-1"))


@odd(
    "cert_bad_san",
    "Subject alternative names that are none: an IP address of five bytes, a name with a blank, an IP as DNS name.",
    "SANs read or reported, no exception",
)
def bad_san(tbs: Tbs) -> None:
    names = [
        Node(IP_ADDRESS, b"\x0a\x14\x07\x0f\x00"),
        Node(DNS_NAME, b"pump 17"),
        Node(DNS_NAME, b"10.20.7.15"),
        Node(DNS_NAME),
    ]
    extension(tbs, OID_SAN).content = Node(SEQUENCE, children=names).encode()


@odd("cert_duplicate_extension", "The same extension twice.", "reported as a problem")
def duplicate_extension(tbs: Tbs) -> None:
    listed = tbs["extensions"].children[0].children
    listed.append(listed[-1])


@odd("cert_boolean_01", "BOOLEAN TRUE as 01 instead of FF, in basicConstraints.", "CA true, reported as a problem")
def boolean_01(tbs: Tbs) -> None:
    extension(tbs, OID_BASIC).content = bytes([SEQUENCE, 3, BOOLEAN, 1, 1])


@odd("cert_empty_subject", "No subject and no issuer at all.", "subject and issuer empty")
def empty_subject(tbs: Tbs) -> None:
    for name in ("issuer", "subject"):
        tbs[name].children.clear()


@odd("cert_v1_with_extensions", "Version 1 by its number, yet with extensions.", "reported as a problem")
def v1_with_extensions(tbs: Tbs) -> None:
    tbs["version"].children = [Node(INTEGER, b"\0")]
