"""User identity negotiation: who asks for an association, and with which proof.

| offset | length | meaning |
|---|---|---|
| 0 | 1 | type: 1 username, 2 username and passcode, 3 Kerberos, 4 SAML, 5 JWT |
| 1 | 1 | a positive response is requested |
| 2 | 2 + n | primary field |
| 4 + n | 2 + m | secondary field: the passcode of type 2 |

Passcode, assertion and token leave as `Secret` only; a Kerberos ticket does not leave at all. Of assertion and token
the issuer and the lifetime are told, never the subject, who may be a person.

Spec: PS3.7 D.3.3.7; RFC 4120 5.5.1; SAML 2.0 core 2.3.3; RFC 7519.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from parsers.core import Cursor, Malformed, Secret
from parsers.core.fact import clean

MECHANISMS: Final = {
    1: "dicom-username",
    2: "dicom-username-passcode",
    3: "dicom-kerberos",
    4: "dicom-saml",
    5: "dicom-jwt",
}
_DETAIL_MAX_CHARS: Final = 128
_LIFETIME_MAX_S: Final = 1 << 40
_CLAIMS_MAX_BYTES: Final = 16_384


class Identity(msgspec.Struct, frozen=True):
    """What a user identity item says; `kind` as it stands in facts (`username-passcode`)."""

    mechanism: str
    principal: str | None = None
    realm: str | None = None
    secret: Secret | None = None
    details: dict[str, Any] = {}

    @property
    def kind(self) -> str:
        """The mechanism without its prefix."""
        return self.mechanism.removeprefix("dicom-")


def parse(cursor: Cursor) -> Identity:
    """The value of a user identity item (58H).

    Raises:
        Malformed: lengths do not fit.
    """
    kind = cursor.u8()
    requested = bool(cursor.u8())
    primary = cursor.vector16()
    secondary = cursor.vector16() if cursor.remaining >= 2 else b""
    details: dict[str, Any] = {"response_requested": requested}
    if kind in {1, 2}:
        secret = Secret(secondary) if kind == 2 else None
        return Identity(MECHANISMS[kind], _text(primary) or None, None, secret, details)
    if kind == 3:
        realm, ticket = _kerberos(primary)
        return Identity(MECHANISMS[kind], None, realm, None, details | ticket)
    if kind in {4, 5}:
        told = _saml(primary) if kind == 4 else _jwt(primary)
        return Identity(MECHANISMS[kind], None, None, Secret(primary) if primary else None, details | told)
    return Identity(f"dicom-type-{kind}", details=details)


# ---------------------------------------------------------------------- Kerberos: AP-REQ, maybe in a GSS-API frame


def _kerberos(data: bytes) -> tuple[str | None, dict[str, Any]]:
    """Realm and service of the ticket, and how it is encrypted."""
    try:
        return _ticket(_application(Cursor(data)))
    except Malformed:
        return None, {}


def _application(cursor: Cursor) -> Cursor:
    """The content of AP-REQ [APPLICATION 14]."""
    tag, content = _tlv(cursor)
    if tag == 0x60:
        _tlv(content)  # the mechanism's OID
        content.skip(2)  # the token's id
        tag, content = _tlv(content)
    if tag != 0x6E:
        raise Malformed("no AP-REQ")
    return content


def _ticket(ap_req: Cursor) -> tuple[str | None, dict[str, Any]]:
    fields = _fields(_tlv(ap_req)[1])
    ticket = _fields(_tlv(_tlv(fields[3])[1])[1]) if 3 in fields else {}
    realm = _text(_tlv(ticket[1])[1].rest()) if 1 in ticket else None
    details: dict[str, Any] = {}
    if 2 in ticket:
        names = _fields(_tlv(ticket[2])[1]).get(1, Cursor(b""))
        details["service"] = "/".join(_strings(_tlv(names)[1]))[:_DETAIL_MAX_CHARS]
    if 3 in ticket:
        etype = _fields(_tlv(ticket[3])[1]).get(0, Cursor(b""))
        details["etype"] = int.from_bytes(_tlv(etype)[1].rest()[:4], "big", signed=True)
    return realm, details


def _fields(sequence: Cursor) -> dict[int, Cursor]:
    """Context-tagged fields [0], [1]... of a SEQUENCE."""
    fields: dict[int, Cursor] = {}
    while sequence.remaining:
        tag, content = _tlv(sequence)
        fields[tag & 0x1F] = content
    return fields


def _strings(sequence: Cursor) -> list[str]:
    found = []
    while sequence.remaining:
        found.append(_text(_tlv(sequence)[1].rest()))
    return found


def _tlv(cursor: Cursor) -> tuple[int, Cursor]:
    """Tag and content of the next DER element (X.690 8.1)."""
    tag, length = cursor.u8(), cursor.u8()
    if length > 0x80:
        length = int.from_bytes(cursor.take(min(length & 0x7F, 5)), "big")
    return tag, cursor.sub(length)


# ---------------------------------------------------------------------- SAML and JWT

_ISSUER: Final = re.compile(rb"<(?:[\w.-]{1,32}:)?Issuer\b[^<>]{0,512}>([^<>]{1,512})</")
_NOT_BEFORE: Final = re.compile(rb"\bNotBefore\s?=\s?[\"']([0-9T:.Z+-]{10,40})[\"']")
_NOT_AFTER: Final = re.compile(rb"\bNotOnOrAfter\s?=\s?[\"']([0-9T:.Z+-]{10,40})[\"']")


_Json = TypeVar("_Json", bound=msgspec.Struct)


class _Header(msgspec.Struct):
    alg: str = ""


class _Claims(msgspec.Struct):
    iss: str = ""
    exp: float | None = None
    iat: float | None = None


def _saml(assertion: bytes) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if found := _ISSUER.search(assertion):
        details["issuer"] = _text(found[1])
    before, after = _instant(_NOT_BEFORE.search(assertion)), _instant(_NOT_AFTER.search(assertion))
    if before is not None and after is not None:
        details["lifetime_s"] = int(after - before)
    return details


def _instant(found: re.Match[bytes] | None) -> float | None:
    try:
        return datetime.fromisoformat(found[1].decode()).timestamp() if found else None
    except (ValueError, OverflowError):
        return None


def _jwt(token: bytes) -> dict[str, Any]:
    parts = token.strip(b" \0").split(b".", 4)
    details: dict[str, Any] = {}
    header = _json(parts[0], _Header)
    if header is not None and header.alg:
        details["alg"] = clean(header.alg, _DETAIL_MAX_CHARS)
    claims = _json(parts[1], _Claims) if len(parts) == 3 else None
    if claims is None:
        return details
    if claims.iss:
        details["issuer"] = clean(claims.iss, _DETAIL_MAX_CHARS)
    if claims.exp is not None and claims.iat is not None:
        lifetime = claims.exp - claims.iat
        if math.isfinite(lifetime) and abs(lifetime) < _LIFETIME_MAX_S:
            details["lifetime_s"] = int(lifetime)
    return details


def _json(part: bytes, kind: type[_Json]) -> _Json | None:
    """A part of a token, if it is what it ought to be."""
    if len(part) > _CLAIMS_MAX_BYTES:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)), type=kind)
    except (msgspec.MsgspecError, binascii.Error, ValueError, RecursionError):
        return None


def _text(data: bytes) -> str:
    return clean(data.decode("utf-8", "replace").strip(" \t\r\n\0"), _DETAIL_MAX_CHARS)
