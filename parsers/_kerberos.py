"""Kerberos tokens of GSS-API: for whom a ticket is, and how it and its authenticator are encrypted.

    60 length, 06 length OID, token id 2, message      as in RFC 4121 4.1; many carry the bare message
        01 00 AP-REQ, 02 00 AP-REP, 03 00 KRB-ERROR, 05 01 IAKERB: passed on to a KDC

    AP-REQ  [APPLICATION 14] 0 pvno, 1 msg-type, 2 ap-options, 3 ticket, 4 authenticator
    Ticket  [APPLICATION 1]  0 tkt-vno, 1 realm, 2 sname, 3 enc-part
    EncryptedData            0 etype, 1 kvno, 2 cipher

Ciphers are passed over: tickets can be cracked off line.

Spec: RFC 4120 5.5, 5.9; RFC 4121 4.1
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import msgspec

from parsers import _asn1, _tables
from parsers._asn1 import Element
from parsers.core import Attribute, Authentication, Field, Malformed, Subject
from parsers.core.fact import clean

REALM: Final = Field("krb.realm", "RFC 4120 5.3")
SERVICE_PRINCIPAL: Final = Field("krb.service_principal", "RFC 4120 5.3")

MECHANISMS: Final = {
    "1.2.840.113554.1.2.2": "Kerberos 5",
    "1.2.840.48018.1.2.2": "MS Kerberos 5",
    "1.2.840.113554.1.2.2.3": "Kerberos 5 user-to-user",
    "1.3.6.1.5.2.5": "IAKERB",
}
_AP_REQ: Final = 0x6E
_AP_REP: Final = 0x6F
_ERROR: Final = 0x7E
_TICKET: Final = 0x61
_TOKEN: Final = 0x60
_PROXY: Final = b"\x05\x01"
_TOKEN_IDS: Final = (b"\x01\x00", b"\x02\x00", b"\x03\x00", _PROXY)
_MUTUAL_REQUIRED: Final = 0x20
_COMPONENTS_MAX: Final = 8
_ERRORS: Final = {
    3: "KDC_ERR_BAD_PVNO",
    6: "KDC_ERR_C_PRINCIPAL_UNKNOWN",
    7: "KDC_ERR_S_PRINCIPAL_UNKNOWN",
    14: "KDC_ERR_ETYPE_NOSUPP",
    31: "KRB_AP_ERR_BAD_INTEGRITY",
    32: "KRB_AP_ERR_TKT_EXPIRED",
    33: "KRB_AP_ERR_TKT_NYV",
    34: "KRB_AP_ERR_REPEAT",
    35: "KRB_AP_ERR_NOT_US",
    36: "KRB_AP_ERR_BADMATCH",
    37: "KRB_AP_ERR_SKEW",
    38: "KRB_AP_ERR_BADADDR",
    39: "KRB_AP_ERR_BADVERSION",
    40: "KRB_AP_ERR_MSG_TYPE",
    41: "KRB_AP_ERR_MODIFIED",
    44: "KRB_AP_ERR_BADKEYVER",
    45: "KRB_AP_ERR_NOKEY",
    46: "KRB_AP_ERR_MUT_FAIL",
    60: "KRB_ERR_GENERIC",
}


class ApReq(msgspec.Struct, frozen=True):
    """A ticket and its authenticator, shown to a service. `kvno` is None where it was not said."""

    realm: str
    service: str
    ticket_etype: str
    kvno: int | None
    authenticator_etype: str
    mutual_required: bool


class ApRep(msgspec.Struct, frozen=True):
    """The service proves itself."""


class Proxied(msgspec.Struct, frozen=True):
    """A message of IAKERB between the client and a KDC, which the service passes on."""


class KrbError(msgspec.Struct, frozen=True):
    """The service refuses; `code` by name."""

    code: str


Message = ApReq | ApRep | KrbError | Proxied


def begins(token: bytes) -> bool:
    """Whether a token can be Kerberos: a bare message, or one in the frame of GSS-API."""
    if token[:1] != b"\x60":
        return token[:1] in {b"\x6e", b"\x6f", b"\x7e"}
    try:
        return bool(_mechanism(_asn1.element(token)[0]))
    except Malformed:
        return False


def parse(token: bytes) -> Message:
    """A whole token.

    Raises:
        ProtocolError: it is none.
    """
    read, _ = _asn1.element(token)
    if read.tag == _TOKEN:
        kind, message = _framed(read)
        if kind == _PROXY:
            return Proxied()
        read, _ = _asn1.element(message)
    if read.tag == _AP_REQ:
        return _ap_req(_inside(read))
    if read.tag == _AP_REP:
        return ApRep()
    if read.tag == _ERROR:
        number = _integer(_fields(_inside(read)).get(6))
        return KrbError(_ERRORS.get(number, str(number)))
    raise Malformed("no Kerberos message that a client or a service sends")


def facts_of(message: Message, service: Subject) -> Iterator[Attribute]:
    """What a message tells of the service that it is for."""
    if isinstance(message, ApReq):
        yield REALM(service, message.realm)
        yield SERVICE_PRINCIPAL(service, message.service)


def claim(message: ApReq, me: Subject, **details: object) -> Authentication:
    """The logon that an AP-REQ asks for. Who the client is stands in the encrypted part of its ticket."""
    said: dict[str, Any] = {
        "service": clean(message.service),
        "ticket_etype": message.ticket_etype,
        "authenticator_etype": message.authenticator_etype,
    }
    if message.kvno is not None:
        said["kvno"] = str(message.kvno)
    if message.mutual_required:
        said["mutual_required"] = True
    realm = clean(message.realm) or None
    return Authentication(me, "kerberos", None, realm, details=said | details, spec="RFC 4120 5.5.1")


# ---------------------------------------------------------------------- grammar


def _mechanism(token: Element) -> str:
    """The mechanism named in the frame of a token; empty if it is not Kerberos."""
    oid, _ = _asn1.element(token.content)
    return MECHANISMS.get(_asn1.oid(oid.content), "") if oid.tag == _asn1.OID else ""


def _framed(token: Element) -> tuple[bytes, bytes]:
    """Token id and message in the frame of GSS-API; the token id is left away by some."""
    if not _mechanism(token):
        raise Malformed("a token of another mechanism")
    _, at = _asn1.element(token.content)
    kind = token.content[at : at + 2]
    return (kind, token.content[at + 2 :]) if kind in _TOKEN_IDS else (b"", token.content[at:])


def _ap_req(sequence: Element) -> ApReq:
    fields = _fields(sequence)
    options, ticket, authenticator = (_needed(fields, number) for number in (2, 3, 4))
    if ticket.tag != _TICKET:
        raise Malformed("an AP-REQ without a ticket")
    inside = _fields(_inside(ticket))
    ticket_etype, kvno = _encrypted(_needed(inside, 3))
    return ApReq(
        realm=_text(_needed(inside, 1).content),
        service=_principal(_needed(inside, 2)),
        ticket_etype=ticket_etype,
        kvno=kvno,
        authenticator_etype=_encrypted(authenticator)[0],
        mutual_required=bool((_asn1.bits(options.content) + b"\0")[0] & _MUTUAL_REQUIRED),
    )


def _encrypted(data: Element) -> tuple[str, int | None]:
    """Encryption type and key version of EncryptedData."""
    fields = _fields(data)
    number = _integer(_needed(fields, 0))
    kvno = fields.get(1)
    return etype_name(number), _integer(kvno) & 0xFFFFFFFF if kvno is not None else None


def _principal(name: Element) -> str:
    """`service/host` of a PrincipalName."""
    parts = _asn1.children(_needed(_fields(name), 1).content)
    return "/".join(_text(part.content) for part in parts[:_COMPONENTS_MAX])


def _inside(application: Element) -> Element:
    """The SEQUENCE in an application tag."""
    sequence, _ = _asn1.element(application.content)
    if sequence.tag != _asn1.SEQUENCE:
        raise Malformed("a Kerberos message that is no sequence")
    return sequence


def _fields(sequence: Element) -> dict[int, Element]:
    """What is inside the context tags of a SEQUENCE, by their numbers."""
    return {
        child.tag & 0x1F: _asn1.element(child.content)[0]
        for child in _asn1.children(sequence.content)
        if child.tag & 0xE0 == 0xA0
    }


def _needed(fields: dict[int, Element], number: int) -> Element:
    found = fields.get(number)
    if found is None:
        raise Malformed("a field of a Kerberos message is missing")
    return found


def _integer(read: Element | None) -> int:
    return _asn1.integer(read.content) if read is not None else 0


def _text(data: bytes) -> str:
    """A KerberosString: ASCII by the standard, UTF-8 in practice."""
    return data.decode("utf-8", "replace")


def etype_name(number: int) -> str:
    """The registered name of an encryption type, else its number."""
    return _etypes().get(number, str(number))


@cache
def _etypes() -> dict[int, str]:
    return {int(number): name for number, name in _tables.rows("kerberos_etypes.csv")}
