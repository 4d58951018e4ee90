"""X.509 certificates, behind one function that never fails: `read`.

Why not by a library: what a certificate says must not change with the version of one, and every strict reader refuses
what devices show (serial numbers below one, times without seconds, data after the end, curves written out, MD2). The
fields are few and simply laid out; `cryptography` does what must not be written by hand: it verifies signatures.

Persons
-------
Of a person's certificate only hash, issuer and validity are kept (`personal`). That is one which is no CA's and

* names a user principal (Microsoft UPN in subjectAltName), unless it is a machine's (`HOST$@realm`), or
* is not for servers (neither serverAuth nor Netscape's SSL server), and
  * is for smart-card logon, or
  * names a given name or surname, or
  * has a mail address, in its subject or as another name, and is for mail (emailProtection), or names no host (DNS, IP,
    URI) and its common name is missing, is that address, or reads like a person's: two words or more, letters only, or
    what smart cards carry (`Erika Mustermann`, `MUSTERMANN.ERIKA.1234567890`).

emailProtection alone says little: it came into many a device's certificate with a widely copied recipe.

Spec: RFC 5280 4, RFC 4514, RFC 3279, RFC 8410, RFC 9881 (ML-DSA)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

from parsers import _asn1, _x509_keys, _x509_names
from parsers import _x509_oids as oids
from parsers._asn1 import Element
from parsers.core import Certificate, Malformed, ProtocolError, Subject
from parsers.core.fact import clean

CACHED_MAX_BYTES: Final = 8_192
CACHED_MAX: Final = 2_048
SANS_MAX: Final = 256
EXTENSIONS_MAX: Final = 64
PURPOSES_MAX: Final = 32

_VERSION_TAG: Final = 0xA0
_EXTENSIONS_TAG: Final = 0xA3
_PERSON: Final = re.compile(r"[^\W\d_]{2,}\.?(?:[ ,'-]+[^\W\d_]+\.?)+|[^\W\d_]{2,}(?:\.[^\W\d_]+)+\.\d{8,}")


class Shown(msgspec.Struct):
    """What a certificate says; the fields are those of `Certificate`.

    Attributes:
        unreadable: it is none; only `sha256` means something.
    """

    sha256: str
    unreadable: bool = False
    spki_sha256: str | None = None
    subject_name: str | None = None
    issuer: str | None = None
    serial: str | None = None
    not_before: int | None = None
    not_after: int | None = None
    key_type: str | None = None
    key_bits: int | None = None
    signature: str | None = None
    sans: tuple[str, ...] = ()
    self_signed: bool | None = None
    is_ca: bool | None = None
    personal: bool = False
    details: dict[str, Any] = {}

    def fact(self, subject: Subject, role: str, position: int) -> Certificate:
        """The fact that `subject` showed it."""
        return Certificate(
            subject, role, position, self.sha256, self.spki_sha256, self.subject_name, self.issuer, self.serial,
            self.not_before, self.not_after, self.key_type, self.key_bits, self.signature, self.sans,
            self.self_signed, self.is_ca, self.personal, self.details,
        )  # fmt: skip


def read(der: bytes) -> Shown:
    """What the certificate `der` says. Never raises: what cannot be read stays None and is named in `details.problems`.

    The result is shared: do not change it.
    """
    return _cached(der) if len(der) <= CACHED_MAX_BYTES else _read(der)


@lru_cache(CACHED_MAX)
def _cached(der: bytes) -> Shown:
    return _read(der)


def _read(der: bytes) -> Shown:
    shown = Shown(hashlib.sha256(der).hexdigest())
    try:
        parts = _Parts(der)
    except ProtocolError:
        shown.unreadable = True
        return shown
    for name, fill in _FILLS:
        try:
            fill(parts, shown)
        except ProtocolError:
            parts.problem(f"malformed_{name}")
    if _is_personal(parts, shown):
        return _reduced(shown)
    if parts.problems:
        shown.details["problems"] = list(dict.fromkeys(parts.problems))
    return shown


def _reduced(shown: Shown) -> Shown:
    return Shown(
        shown.sha256, issuer=shown.issuer, not_before=shown.not_before, not_after=shown.not_after, personal=True
    )


class _Parts:
    """The elements of a certificate, not yet interpreted (RFC 5280 4.1).

    Raises:
        Malformed: the elements are not those of a certificate.
    """

    def __init__(self, der: bytes) -> None:
        self.problems: list[str] = []
        outer, end = _asn1.element(der)
        if end != len(der):
            self.problem("trailing_data")
        signed = _asn1.children(outer.content)
        if outer.tag != _asn1.SEQUENCE or len(signed) != 3 or signed[0].tag != _asn1.SEQUENCE:
            raise Malformed("not a certificate")
        self.tbs, self.algorithm, self.signature = signed
        fields = _asn1.children(self.tbs.content)
        self.version = self._version(fields)
        if len(fields) < 6:
            raise Malformed("a certificate without all of its fields")
        self.serial, self.inner_algorithm, self.issuer, self.validity, self.subject, self.key = fields[:6]
        self.rest = fields[6:]
        self.extensions: dict[str, bytes] = {}
        self.subject_attributes: tuple[tuple[str, str], ...] = ()
        self.names: list[tuple[str, str]] = []  # of subjectAltName: kind, value

    def _version(self, fields: list[Element]) -> int:
        if not fields or fields[0].tag != _VERSION_TAG:
            return 1
        number = _asn1.integer(_asn1.element(fields.pop(0).content)[0].content) + 1
        if not 1 <= number <= 3:
            self.problem("wrong_version")
        return number

    def problem(self, code: str) -> None:
        """Note what bends the rules."""
        self.problems.append(code)

    @property
    def purposes(self) -> list[str]:
        """Names of the extended key usages; empty when there are none or they cannot be read."""
        try:
            listed = _inner(self.extensions.get(oids.EXTENDED_KEY_USAGE, b""))
            return [_oid_name(element.content, oids.PURPOSES) for element in listed]
        except ProtocolError:
            return []

    @property
    def is_netscape_server(self) -> bool:
        """Whether Netscape's certificate type, which was there before extended key usage, says SSL server."""
        value = self.extensions.get(oids.NETSCAPE_TYPE, b"")
        return len(value) == 4 and bool(value[3] & 0x40)  # a bit string of one octet


def _inner(value: bytes) -> list[Element]:
    """The elements of the container that `value` is; none when it is empty."""
    return _asn1.children(_asn1.element(value)[0].content) if value else []


def _oid_name(content: bytes, names: dict[str, str]) -> str:
    dotted = _asn1.oid(content)
    return names.get(dotted, dotted)


# ---------------------------------------------------------------------- names


def _fill_subject(parts: _Parts, shown: Shown) -> None:
    parts.subject_attributes, shown.subject_name = _x509_names.name(parts.subject)
    for key, kind in (("common_name", oids.COMMON_NAME), ("organization", oids.ORGANIZATION)):
        for found, value in parts.subject_attributes:
            if found == kind:
                shown.details[key] = clean(value)


def _fill_issuer(parts: _Parts, shown: Shown) -> None:
    shown.issuer = _x509_names.name(parts.issuer).written


# ---------------------------------------------------------------------- serial, validity, key, signature


def _fill_serial(parts: _Parts, shown: Shown) -> None:
    serial = _asn1.integer(parts.serial.content)
    shown.serial = f"{serial:x}" if len(parts.serial.content) <= 64 else None
    if serial <= 0:
        parts.problem("negative_serial" if serial else "zero_serial")
    if len(parts.serial.content) > 21 or serial.bit_length() > 160:
        parts.problem("long_serial")


def _fill_validity(parts: _Parts, shown: Shown) -> None:
    times = _asn1.children(parts.validity.content)
    if len(times) != 2:
        raise Malformed("validity is not two times")
    shown.not_before, begins_well = _asn1.time(times[0])
    shown.not_after, ends_well = _asn1.time(times[1])
    if not (begins_well and ends_well):
        parts.problem("odd_time")


def _fill_key(parts: _Parts, shown: Shown) -> None:
    shown.spki_sha256 = hashlib.sha256(parts.key.whole).hexdigest()
    key = _x509_keys.describe(parts.key)
    shown.key_type, shown.key_bits = key.kind, key.bits
    shown.details |= key.details
    if "curve" in key.details and key.details["curve"] == "explicit":
        parts.problem("explicit_curve")


def _fill_signature(parts: _Parts, shown: Shown) -> None:
    algorithm = _asn1.some(parts.algorithm.content)
    shown.signature = _oid_name(algorithm[0].content, oids.SIGNATURES)
    if shown.signature == oids.SIGNATURES[oids.RSASSA_PSS]:
        shown.details["signature_hash"] = _x509_keys.pss_hash(algorithm)
    if parts.inner_algorithm.whole != parts.algorithm.whole:
        parts.problem("signature_algorithms_differ")


def _fill_self_signed(parts: _Parts, shown: Shown) -> None:
    shown.self_signed = False
    if parts.subject.whole == parts.issuer.whole:
        from parsers import _x509_signatures  # noqa: PLC0415 - see there

        signature = _asn1.bits(parts.signature.content)
        verified = _x509_signatures.verifies(parts.key, shown.signature or "", parts.tbs.whole, signature)
        shown.self_signed = verified is not False
        if not verified:
            shown.details["self_issued"] = True


# ---------------------------------------------------------------------- extensions


def _fill_extensions(parts: _Parts, shown: Shown) -> None:
    held = [element for element in parts.rest if element.tag == _EXTENSIONS_TAG]
    if parts.version == 3:
        shown.is_ca = False
    if not held:
        return
    if parts.version != 3:
        parts.problem("wrong_version")
    for extension in _inner(held[0].content)[:EXTENSIONS_MAX]:
        kind, *_, value = _asn1.some(extension.content, 2)
        dotted = _asn1.oid(kind.content)
        if dotted in parts.extensions:
            parts.problem("duplicate_extension")
        parts.extensions.setdefault(dotted, value.content)


def _fill_constraints(parts: _Parts, shown: Shown) -> None:
    value = parts.extensions.get(oids.BASIC_CONSTRAINTS)
    if value is not None:
        first = _inner(value)[:1]
        shown.is_ca = bool(first and first[0].tag == _asn1.BOOLEAN and any(first[0].content))
        if shown.is_ca and first[0].content != b"\xff":
            parts.problem("odd_boolean")


def _fill_usages(parts: _Parts, shown: Shown) -> None:
    value = parts.extensions.get(oids.KEY_USAGE)
    if value is not None:
        octets = _asn1.bits(_asn1.element(value)[0].content)
        number, width = int.from_bytes(octets[:2], "big"), 8 * len(octets[:2])
        named = enumerate(oids.USAGES[:width])
        shown.details["key_usage"] = [name for i, name in named if number >> (width - 1 - i) & 1]


def _fill_purposes(parts: _Parts, shown: Shown) -> None:
    value = parts.extensions.get(oids.EXTENDED_KEY_USAGE)
    if value is not None:
        shown.details["eku"] = [_oid_name(element.content, oids.PURPOSES) for element in _inner(value)[:PURPOSES_MAX]]


def _fill_sans(parts: _Parts, shown: Shown) -> None:
    names = _inner(parts.extensions.get(oids.SUBJECT_ALT_NAME, b""))
    if len(names) > SANS_MAX:
        parts.problem("too_many_sans")
    parts.names = [_x509_names.general_name(element) for element in names[:SANS_MAX]]
    shown.sans = tuple(f"{kind}:{value}" for kind, value in parts.names if kind not in {"email", "UPN"})
    if not all(map(_x509_names.is_sound, names)):
        parts.problem("bad_san")


# ---------------------------------------------------------------------- persons


def _is_personal(parts: _Parts, shown: Shown) -> bool:
    """Whether it is a person's; the rule is at the top of this file."""
    if shown.is_ca:
        return False
    purposes = parts.purposes
    kinds = {kind for kind, _ in (*parts.names, *parts.subject_attributes)}
    if "UPN" in kinds or oids.SERVER_AUTH in purposes or parts.is_netscape_server:
        return "UPN" in kinds
    if oids.SMARTCARD_LOGON in purposes or {oids.SURNAME, oids.GIVEN_NAME} & kinds:
        return True
    return _is_mail_users(parts, shown, kinds)


def _is_mail_users(parts: _Parts, shown: Shown, kinds: set[str]) -> bool:
    addresses = [value for kind, value in parts.names if kind == "email"]
    addresses += [value for kind, value in parts.subject_attributes if kind == oids.EMAIL_ADDRESS]
    if not addresses:
        return False
    common_name = shown.details.get("common_name")
    is_person = not common_name or common_name in addresses or _PERSON.fullmatch(common_name) is not None
    return oids.EMAIL_PROTECTION in parts.purposes or (is_person and not kinds & {"DNS", "IP", "URI"})


_FILLS: Final[tuple[tuple[str, Callable[[_Parts, Shown], None]], ...]] = (
    ("subject", _fill_subject),
    ("issuer", _fill_issuer),
    ("serial", _fill_serial),
    ("validity", _fill_validity),
    ("key", _fill_key),
    ("signature", _fill_signature),
    ("extensions", _fill_extensions),
    ("basic_constraints", _fill_constraints),
    ("key_usage", _fill_usages),
    ("extended_key_usage", _fill_purposes),
    ("subject_alt_name", _fill_sans),
    ("self_signature", _fill_self_signed),
)
