"""SPNEGO: which mechanisms two sides can authenticate with, and the token of the one that they use.

    NegTokenInit   60 length, 06 OID 1.3.6.1.5.5.2, A0 SEQUENCE  0 mechTypes, 1 reqFlags, 2 mechToken, 3 mechListMIC
    NegTokenInit2  the same from a server that speaks first      3 negHints, 4 mechListMIC
    NegTokenResp   A1 SEQUENCE                                   0 negState, 1 supportedMech, 2 responseToken, 3 MIC

Many send the token of a mechanism without any of this: it is handed on as it is.

Spec: RFC 4178 4.2; MS-SPNG 2.2.1
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from parsers import _asn1, _kerberos
from parsers._asn1 import Element
from parsers.core import Malformed

MECHANISMS: Final = _kerberos.MECHANISMS | {
    "1.3.6.1.4.1.311.2.2.10": "NTLMSSP",
    "1.3.6.1.4.1.311.2.2.30": "NEGOEX",
}
OFFERED_MAX: Final = 16
_SPNEGO: Final = "1.3.6.1.5.5.2"
_STATES: Final = {0: "accept-completed", 1: "accept-incomplete", 2: "reject", 3: "request-mic"}


class Negotiation(msgspec.Struct, frozen=True):
    """One token, unwrapped.

    Attributes:
        offered: mechanisms of a NegTokenInit, best first, by name.
        chosen: the mechanism that a NegTokenResp names; empty if none.
        state: of a NegTokenResp; empty if none.
        token: the token of the mechanism itself; empty if none.
    """

    offered: tuple[str, ...] = ()
    chosen: str = ""
    state: str = ""
    token: bytes = b""


def parse(data: bytes) -> Negotiation:
    """A security token: SPNEGO's, or one of a mechanism, which then is handed on as it is.

    Raises:
        ProtocolError: it begins like SPNEGO and is not.
    """
    if data[:1] == b"\xa1":
        return _response(_asn1.element(data)[0])
    if data[:1] == b"\xa0":
        return _init(_asn1.element(data)[0])
    if data[:1] == b"\x60":
        content = _asn1.element(data)[0].content
        oid, at = _asn1.element(content)
        if oid.tag == _asn1.OID and _asn1.oid(oid.content) == _SPNEGO:
            inside, _ = _asn1.element(content, at)
            return _response(inside) if inside.tag == 0xA1 else _init(inside)
    return Negotiation(token=data)


def _init(outer: Element) -> Negotiation:
    fields = _fields(outer)
    kinds = _asn1.children(fields[0].content) if 0 in fields else []
    offered = tuple(_name(kind) for kind in kinds[:OFFERED_MAX])
    return Negotiation(offered, token=_octets(fields.get(2)))


def _response(outer: Element) -> Negotiation:
    fields = _fields(outer)
    state, chosen = fields.get(0), fields.get(1)
    return Negotiation(
        chosen=_name(chosen) if chosen is not None else "",
        state=_STATES.get(_asn1.integer(state.content), "") if state is not None else "",
        token=_octets(fields.get(2)),
    )


def _fields(outer: Element) -> dict[int, Element]:
    """What is inside the context tags, by their numbers."""
    sequence, _ = _asn1.element(outer.content)
    if sequence.tag != _asn1.SEQUENCE:
        raise Malformed("a negotiation token that is no sequence")
    return dict(_tagged(sequence))


def _tagged(sequence: Element) -> Iterator[tuple[int, Element]]:
    for child in _asn1.children(sequence.content):
        if child.tag & 0xE0 == 0xA0 and child.content:
            yield child.tag & 0x1F, _asn1.element(child.content)[0]


def _octets(read: Element | None) -> bytes:
    return read.content if read is not None and read.tag == _asn1.OCTET_STRING else b""


def _name(read: Element) -> str:
    if read.tag != _asn1.OID:
        raise Malformed("a mechanism that is no object identifier")
    number = _asn1.oid(read.content)
    return MECHANISMS.get(number, number)
