"""Whether a certificate's signature was made by a key: by `cryptography`, as this must not be written by hand.

Imported by who has met a certificate that may have signed itself: few have, and the import takes 12 ms.

Spec: RFC 3279, RFC 8410
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from parsers import _x509_keys
from parsers._asn1 import Element
from parsers.core import ProtocolError

RSA_VERIFY_MAX_BYTES: Final = 2_200  # a key of 16,384 bits; larger ones would only cost time

_VERIFIED: Final = frozenset({"RSA", "EC", "DSA", "Ed25519", "Ed448"})
_HASHES: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


def verifies(spki: Element, algorithm: str, signed: bytes, signature: bytes) -> bool | None:
    """Whether the key made this signature; None where that cannot be checked (unknown algorithms, odd keys)."""
    if len(signature) > RSA_VERIFY_MAX_BYTES or not _is_verifiable(spki):
        return None
    try:
        return _verify(spki.whole, algorithm, signed, signature)
    except InvalidSignature:
        return False
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _is_verifiable(spki: Element) -> bool:
    """Whether the library should see the key: it warns of kinds that it is going to forget, such as binary curves."""
    try:
        key = _x509_keys.describe(spki)
    except ProtocolError:
        return False
    return key.kind in _VERIFIED and not str(key.details.get("curve", "")).startswith("sect")


def _verify(spki: bytes, algorithm: str, signed: bytes, signature: bytes) -> bool | None:
    key = load_der_public_key(spki)
    hashed = _hash(algorithm)
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(signature, signed)
    elif hashed is None:
        return None
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), hashed)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(hashed))
    elif isinstance(key, dsa.DSAPublicKey):
        key.verify(signature, signed, hashed)
    else:
        return None
    return True


@lru_cache(64)
def _hash(algorithm: str) -> hashes.HashAlgorithm | None:
    """The hash that a signature's name names, RSASSA-PSS aside: its padding takes parameters, which are not read."""
    for name, made in _HASHES.items():
        if name in {algorithm.lower().removesuffix("withrsaencryption"), algorithm.lower().rpartition("with-")[2]}:
            return made()
    return None
