"""X.509: the project's captures, certificates bent by hand, and the library's reading of the same bytes."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from parsers import _x509, _x509_keys
from parsers.core import Certificate, Side, Subject
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
