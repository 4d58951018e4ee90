"""Public keys of certificates: what they are.

Spec: RFC 3279, RFC 5480, RFC 4055, RFC 8410
"""

from __future__ import annotations

from typing import Any

import msgspec

from parsers import _asn1
from parsers import _x509_oids as oids
from parsers._asn1 import Element


class Key(msgspec.Struct):
    """Kind of a key (`RSA`, `EC`...), its size in bits, and what else is known of it."""

    kind: str
    bits: int | None = None
    details: dict[str, Any] = {}


def describe(spki: Element) -> Key:
    """What a SubjectPublicKeyInfo holds; a key of an unknown kind is named by its number.

    Raises:
        Malformed: its elements are not those of a key.
    """
    algorithm, key = _asn1.pair(spki)
    kind, *parameters = _asn1.some(algorithm.content)
    dotted, bits = _asn1.oid(kind.content), _asn1.bits(key.content)
    if dotted in oids.RSA_KEYS:
        return _rsa(bits, {"key_algorithm": "RSASSA-PSS"} if dotted == oids.RSASSA_PSS else {})
    if dotted == oids.EC_KEY:
        return _ec(parameters, bits)
    if dotted == oids.DSA_KEY or dotted in oids.DH_KEYS:
        return Key(oids.DH_KEYS.get(dotted, "DSA"), _prime_bits(parameters))
    named, size = oids.PLAIN_KEYS.get(dotted, (oids.SLH_DSA.get(dotted, dotted), None))
    return Key(named, size)


def _rsa(bits: bytes, details: dict[str, Any]) -> Key:
    modulus, exponent = _asn1.pair(_asn1.element(bits)[0])
    e = int.from_bytes(exponent.content, "big")
    size = int.from_bytes(modulus.content, "big").bit_length()
    return Key("RSA", size, details | ({"rsa_exponent": e} if e < 2**63 else {}))


def _ec(parameters: list[Element], bits: bytes) -> Key:
    if parameters and parameters[0].tag == _asn1.OID:
        dotted = _asn1.oid(parameters[0].content)
        curve, size = oids.CURVES.get(dotted, (dotted, _point_bits(bits)))
        return Key("EC", size, {"curve": curve})
    if parameters and parameters[0].tag == _asn1.SEQUENCE:
        return Key("EC", _explicit_bits(parameters[0]), {"curve": "explicit"})
    return Key("EC", _point_bits(bits))


def _point_bits(point: bytes) -> int | None:
    """The size of an unknown curve by one of its points, to the next octet."""
    if point[:1] == b"\x04":
        return 8 * ((len(point) - 1) // 2)
    return 8 * (len(point) - 1) if point[:1] in {b"\x02", b"\x03"} else None


def _explicit_bits(parameters: Element) -> int | None:
    """The size of a prime field that is written out: version, FieldID {type, prime}, ... (RFC 3279 2.3.5)."""
    fields = _asn1.children(parameters.content)
    if len(fields) < 2:
        return None
    _, value = _asn1.pair(fields[1])
    return int.from_bytes(value.content, "big").bit_length() if value.tag == _asn1.INTEGER else None


def _prime_bits(parameters: list[Element]) -> int | None:
    """The size of the prime, first of a DSA or DH key's parameters; None where they are inherited from the CA."""
    numbers = _asn1.children(parameters[0].content) if parameters and parameters[0].tag == _asn1.SEQUENCE else []
    return int.from_bytes(numbers[0].content, "big").bit_length() if numbers else None


def pss_hash(algorithm: list[Element]) -> str:
    """The hash of an RSASSA-PSS signature; SHA-1 unless it says otherwise (RFC 4055 3.1)."""
    for parameter in _asn1.children(algorithm[1].content) if len(algorithm) > 1 else []:
        if parameter.tag == 0xA0:
            hashed = _asn1.some(_asn1.element(parameter.content)[0].content)[0]
            dotted = _asn1.oid(hashed.content)
            return oids.HASHES.get(dotted, dotted)
    return "sha1"
