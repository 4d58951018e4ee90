"""X.509: the project's captures, certificates bent by hand, and the library's reading of the same bytes."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from parsers import _asn1, _x509, _x509_keys, _x509_signatures
from parsers.core import Certificate, Malformed, Side, Subject
from tests.captures import own_captures
from tests.parsers._tls import all_of, said, shown

HOST = "CN=analyser.lab.hospital.example,O=Invented General Hospital,C=DE"
ME = Subject(Side.RESPONDER)


def seconds(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp())


def end_entity(name: str) -> Certificate:
    return next(fact for fact in all_of(said(name), Certificate) if fact.position == 0)


# What tshark and openssl read, too, where they read it at all.
SHOWN: dict[str, dict[str, Any]] = {
    "cert_p256": {"key_type": "EC", "key_bits": 256, "self_signed": False, "is_ca": False},
    "cert_p384": {"key_bits": 384, "signature": "ecdsa-with-SHA384"},
    "cert_p192": {"key_type": "EC", "key_bits": 192},
    "cert_brainpool": {"key_type": "EC", "key_bits": 256},
    "cert_ec_explicit": {"key_type": "EC", "key_bits": 256, "subject_name": HOST},
    "cert_ed25519": {"key_type": "Ed25519", "key_bits": 255},
    "cert_ed448": {"key_type": "Ed448", "key_bits": 448},
    "cert_dsa": {"key_type": "DSA", "key_bits": 1024},
    "cert_rsa512": {"key_type": "RSA", "key_bits": 512, "signature": "sha1WithRSAEncryption", "self_signed": True},
    "cert_rsa_pss": {"key_type": "RSA", "key_bits": 2048},
    "cert_md5": {"signature": "md5WithRSAEncryption"},
    "cert_self_signed": {"self_signed": True, "subject_name": HOST, "issuer": HOST},
    "cert_ca_leaf": {"is_ca": True, "role": "server"},
    "cert_no_extensions": {"is_ca": None, "sans": ()},
    "cert_ip_san": {"sans": ("IP:10.20.7.15",)},
    "cert_empty_subject": {"subject_name": "", "issuer": ""},
    "cert_9999": {"not_after": 253402300799},
    "cert_1999": {"not_before": seconds(1999, 1, 1)},
    "cert_epoch": {"not_before": 0},
    "cert_snakeoil": {"subject_name": "CN=www.snakeoil.dom,O=Snake Oil\\, Ltd,ST=Snake Desert,C=XY"},
    "cert_latin1_printable": {"subject_name": "CN=analyser.lab.hospital.example,O=Klinik Süd,C=DE"},
    "cert_odd_strings": {"subject_name": "CN=dev_01@*,O=Klinik Süd,C=DE"},
    "cert_odd_times": {"not_before": seconds(2026, 1, 31, 8, 0)},
    "cert_zero_serial": {"serial": "0"},
}

PROBLEMS = {
    "cert_negative_serial": ["negative_serial"],
    "cert_zero_serial": ["zero_serial"],
    "cert_long_serial": ["long_serial"],
    "cert_odd_times": ["odd_time"],
    "cert_generalized_time": ["odd_time"],
    "cert_v1_with_extensions": ["wrong_version"],
    "cert_duplicate_extension": ["duplicate_extension"],
    "cert_bad_san": ["bad_san"],
    "cert_boolean_01": ["odd_boolean"],
    "cert_ec_explicit": ["explicit_curve"],
    "cert_large_chain": ["too_many_sans"],
}


@pytest.mark.parametrize("name", SHOWN)
def test_shown(name: str) -> None:
    fact = end_entity(name)
    assert {key: getattr(fact, key) for key in SHOWN[name]} == SHOWN[name]


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems(name: str) -> None:
    fact = end_entity(name)
    assert fact.details["problems"] == PROBLEMS[name]
    assert None not in (fact.subject_name, fact.issuer, fact.serial, fact.not_after, fact.key_type, fact.spki_sha256)


def test_only_the_bent_ones_have_problems() -> None:
    names = [path.stem for path in own_captures("tls") if path.stem.startswith("cert_")]
    found = {name for name in names for fact in all_of(said(name), Certificate) if fact.details.get("problems")}
    assert found == set(PROBLEMS)


def test_details() -> None:
    details = end_entity("cert_p256").details
    assert details["curve"] == "secp256r1"
    assert details["common_name"] == "analyser.lab.hospital.example"
    assert details["organization"] == "Invented General Hospital"
    assert details["eku"] == ["serverAuth"]
    assert end_entity("cert_rsa_exponent3").details["rsa_exponent"] == 3
    assert "eku" not in end_entity("cert_no_eku").details
    assert end_entity("cert_rsa_pss").details["key_algorithm"] == "RSASSA-PSS"


def test_the_hash_of_a_pss_signature() -> None:
    """Its algorithm does not name the hash; its parameters do, and SHA-1 is what they leave out."""
    key = rsa.generate_private_key(65537, 2048)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pump")])
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(who, who, key.public_key(), 1, begin, end)
    padded = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
    read = _x509.read(builder.sign(key, hashes.SHA384(), rsa_padding=padded).public_bytes(Encoding.DER))
    assert (read.signature, read.details["signature_hash"]) == ("id-RSASSA-PSS", "sha384")
    assert (read.self_signed, read.details["self_issued"]) == (True, True)  # by its names: PSS is not verified
    assert _x509_keys.pss_hash([]) == "sha1"


def test_the_same_key_in_other_certificates() -> None:
    keys = {(fact.spki_sha256, fact.sha256) for fact in all_of(said("same_key"), Certificate) if fact.position == 0}
    assert len({spki for spki, _ in keys}) == 1
    assert len(keys) == 3


def test_positions_and_roles() -> None:
    chain = [(fact.position, fact.role) for fact in all_of(said("cert_chain3"), Certificate)]
    assert chain == [(0, "server"), (1, "ca"), (2, "ca")]


def test_self_issued_but_not_self_signed() -> None:
    """Names are equal, the signature is another key's."""
    (der,) = [der for _, der in shown(["cert_self_signed"])]
    bent = bytearray(der)
    bent[-1] ^= 1
    read = _x509.read(bytes(bent))
    assert (read.self_signed, read.details["self_issued"]) == (False, True)
    assert "self_issued" not in _x509.read(der).details


def test_trailing_data() -> None:
    (der,) = [der for _, der in shown(["cert_self_signed"])]
    assert _x509.read(der + b"\x00").details["problems"] == ["trailing_data"]
    assert _x509.read(der + b"\x00").subject_name == HOST


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x00", b"\x02\x01\x01", b"\x30\x80" + bytes(40), bytes(100)])
def test_unreadable(der: bytes) -> None:
    read = _x509.read(der)
    assert read.unreadable
    fact = read.fact(ME, "server", 0)
    assert (len(fact.sha256), fact.subject_name, fact.spki_sha256) == (64, None, None)


def test_no_warning_escapes(recwarn: pytest.WarningsRecorder) -> None:
    for _, der in shown(["cert_negative_serial", "cert_zero_serial", "cert_rsa512", "cert_md5", "cert_dsa"]):
        _x509._read(der)
    assert list(recwarn) == []


@pytest.mark.parametrize("name", ["cert_self_signed", "cert_ec_explicit", "smartcard", "cert_bad_san"])
def test_bent_certificates_never_raise(name: str) -> None:
    rng = random.Random(name)
    for _, der in shown([name]):
        for _ in range(400):
            bent = bytearray(der)
            for _ in range(rng.randrange(1, 4)):
                bent[rng.randrange(len(bent))] = rng.randrange(256)
            _x509._read(bytes(bent[: rng.choice((len(bent), rng.randrange(len(bent))))]))


# ---------------------------------------------------------------------- the library reads the same


LIBRARY_REFUSES = {
    "cert_generalized_time", "cert_odd_times", "cert_latin1_printable", "cert_odd_strings", "cert_v1_with_extensions",
}  # fmt: skip
EXTENSIONS_REFUSED = {"cert_bad_san", "cert_boolean_01", "cert_duplicate_extension", "cert_large_chain"}
CERTIFICATES = shown(path.stem for path in own_captures("tls"))


def test_there_are_certificates() -> None:
    assert len(CERTIFICATES) > 60


@pytest.mark.parametrize(("name", "der"), CERTIFICATES, ids=[name for name, _ in CERTIFICATES])
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_the_library_agrees(name: str, der: bytes) -> None:
    read = _x509.read(der)
    try:
        library = x509.load_der_x509_certificate(der)
    except ValueError:
        assert name in LIBRARY_REFUSES
        return
    assert read.not_before == int(library.not_valid_before_utc.timestamp())
    assert read.not_after == int(library.not_valid_after_utc.timestamp())
    assert read.issuer == library.issuer.rfc4514_string()
    if read.personal:
        return
    assert read.subject_name == library.subject.rfc4514_string()
    assert read.serial == f"{library.serial_number:x}"
    assert read.key_bits in {getattr(library.public_key(), "key_size", read.key_bits), 255, 448}
    if name not in EXTENSIONS_REFUSED:
        assert read.sans == library_names(library)
        assert read.self_signed == is_self_signed(library)


def library_names(library: x509.Certificate) -> tuple[str, ...]:
    try:
        names = library.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    kinds = {x509.DNSName: "DNS", x509.IPAddress: "IP", x509.UniformResourceIdentifier: "URI"}
    return tuple(f"{kinds[type(name)]}:{name.value}" for name in names if type(name) in kinds)


def is_self_signed(library: x509.Certificate) -> bool:
    if library.subject != library.issuer:
        return False
    try:
        library.verify_directly_issued_by(library)
    except (ValueError, UnsupportedAlgorithm) as error:
        return "Unsupported" in str(error)  # SHA-1 and MD5: the library no longer looks
    return True


# ---------------------------------------------------------------------- keys and signatures of every kind


def made(key: Any, hashed: hashes.HashAlgorithm | None = None) -> bytes:
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pump")])
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder(who, who, key.public_key(), 1, begin, end).sign(key, hashed).public_bytes(Encoding.DER)
    )


@pytest.mark.parametrize(("der", "kind", "bits"), [
    (made(ed25519.Ed25519PrivateKey.generate()), "Ed25519", 255),
    (made(ed448.Ed448PrivateKey.generate()), "Ed448", 448),
    (made(ec.generate_private_key(ec.SECP521R1()), hashes.SHA512()), "EC", 521),
    (made(dsa.generate_private_key(1024), hashes.SHA256()), "DSA", 1024),
    (made(rsa.generate_private_key(65537, 1024), hashes.SHA224()), "RSA", 1024),
], ids=["Ed25519", "Ed448", "EC", "DSA", "RSA"])  # fmt: skip
def test_self_signatures_are_verified(der: bytes, kind: str, bits: int) -> None:
    read = _x509.read(der)
    assert (read.key_type, read.key_bits, read.self_signed) == (kind, bits, True)
    assert "self_issued" not in read.details
    assert not _x509.read(der[:-3] + bytes(3)).self_signed


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    assert len(content) < 128
    return bytes((tag, len(content))) + content


def spki(algorithm: bytes, parameters: bytes, key: bytes) -> _asn1.Element:
    return _asn1.element(tlv(0x30, tlv(0x30, tlv(6, algorithm), parameters), tlv(3, b"\x00" + key)))[0]


EC_KEY = b"\x2a\x86\x48\xce\x3d\x02\x01"
PRIME = tlv(0x30, tlv(2, b"\x01"), tlv(0x30, tlv(6, b"\x2a\x86\x48\xce\x3d\x01\x01"), tlv(2, b"\x00\xff" + bytes(27))))


@pytest.mark.parametrize(("key", "kind", "bits"), [
    (spki(EC_KEY, tlv(6, b"\x2a\x03\x04"), b"\x04" + bytes(56)), "EC", 224),  # an unknown curve, by its point
    (spki(EC_KEY, tlv(6, b"\x2a\x03\x04"), b"\x02" + bytes(28)), "EC", 224),
    (spki(EC_KEY, tlv(5), b"\x00"), "EC", None),
    (spki(EC_KEY, PRIME, b"\x04"), "EC", 224),
    (spki(b"\x2a\x86\x48\xce\x38\x04\x01", b"", b""), "DSA", None),  # parameters inherited from the CA
    (spki(b"\x60\x86\x48\x01\x65\x03\x04\x03\x12", b"", bytes(20)), "ML-DSA-65", None),
    (spki(b"\x60\x86\x48\x01\x65\x03\x04\x03\x14", b"", bytes(20)), "SLH-DSA-SHA2-128s", None),
    (spki(b"\x2a\x03\x04", b"", b""), "1.2.3.4", None),
])  # fmt: skip
def test_kinds_of_keys(key: _asn1.Element, kind: str, bits: int | None) -> None:
    described = _x509_keys.describe(key)
    assert (described.kind, described.bits) == (kind, bits)


def test_keys_the_library_would_warn_of_are_not_shown_to_it(recwarn: pytest.WarningsRecorder) -> None:
    """Diffie-Hellman keys and binary curves."""
    dh = spki(
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01", tlv(0x30, tlv(2, b"\x00\xff" * 20), tlv(2, b"\x02")), tlv(2, b"\x05")
    )
    binary = spki(EC_KEY, tlv(6, b"\x2b\x81\x04\x00\x1a"), b"\x04" + bytes(60))
    assert [_x509_signatures.verifies(key, "sha1WithRSAEncryption", b"", b"") for key in (dh, binary)] == [None, None]
    assert list(recwarn) == []


def test_empty_parameters_of_a_pss_signature() -> None:
    empty = _asn1.element(tlv(0x30, tlv(0xA0, tlv(0x30))))[0]
    with pytest.raises(Malformed):
        _x509_keys.pss_hash([empty, empty])
