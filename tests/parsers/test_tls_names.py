"""Names and tables of TLS."""

from __future__ import annotations

import csv
import ssl
from importlib.resources import files

import pytest

from parsers.tls import _names

TABLES = ["tls_cipher_suites.csv", "tls_groups.csv", "tls_alerts.csv"]


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_sound(name: str) -> None:
    lines = (files("parsers") / "tables" / name).read_text("utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    assert any("Source: IANA" in line for line in comments)
    assert len({len(row) for row in rows}) == 1
    numbers = [row[0] for row in rows[1:]]
    assert len(set(numbers)) == len(numbers)
    base = 10 if name == "tls_alerts.csv" else 16
    assert numbers == sorted(numbers, key=lambda number: int(number, base))


def test_the_library_knows_no_other_names() -> None:
    """OpenSSL's suites carry their numbers; its names of TLS 1.3 are those of the registry."""
    context = ssl.create_default_context()
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    suites = {cipher["id"] & 0xFFFF: cipher["name"] for cipher in context.get_ciphers()}
    assert [number for number in suites if _names.cipher_suite(number).startswith("0x")] == []
    assert {number: _names.cipher_suite(number) for number, name in suites.items() if name.startswith("TLS_")} == {
        number: name for number, name in suites.items() if name.startswith("TLS_")
    }


@pytest.mark.parametrize(("number", "name"), [
    (0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"), (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x1302, "TLS_AES_256_GCM_SHA384"), (0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0x0700C0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"), (0xC0A8, "TLS_PSK_WITH_AES_128_CCM_8"), (0x9999, "0x9999"),
])  # fmt: skip
def test_cipher_suites(number: int, name: str) -> None:
    assert _names.cipher_suite(number) == name


EXCHANGES = {
    "TLS_RSA_WITH_AES_128_CBC_SHA": "RSA",
    "TLS_RSA_EXPORT_WITH_RC4_40_MD5": "RSA",
    "TLS_DHE_DSS_WITH_DES_CBC_SHA": "DHE",
    "TLS_DH_RSA_WITH_DES_CBC_SHA": "DH",
    "TLS_ECDH_ECDSA_WITH_NULL_SHA": "ECDH",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CCM": "ECDHE",
    "TLS_DH_anon_WITH_RC4_128_MD5": "DH_anon",
    "TLS_DH_anon_EXPORT_WITH_RC4_40_MD5": "DH_anon",
    "TLS_ECDH_anon_WITH_NULL_SHA": "ECDH_anon",
    "TLS_PSK_WITH_NULL_SHA": "PSK",
    "TLS_RSA_PSK_WITH_NULL_SHA": "RSA_PSK",
    "TLS_ECDHE_PSK_WITH_NULL_SHA": "ECDHE_PSK",
    "TLS_PSK_DHE_WITH_AES_128_CCM_8": "DHE_PSK",
    "TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA": "SRP_SHA_RSA",
    "TLS_KRB5_EXPORT_WITH_RC4_40_MD5": "KRB5",
    "SSL_RSA_FIPS_WITH_DES_CBC_SHA": "RSA",
    "TLS_AES_128_GCM_SHA256": None,
    "0x9999": None,
}


@pytest.mark.parametrize(("suite", "exchange"), EXCHANGES.items())
def test_key_exchange(suite: str, exchange: str | None) -> None:
    assert _names.key_exchange(suite) == exchange


@pytest.mark.parametrize(("suite", "encrypting"), [
    ("TLS_RSA_WITH_NULL_SHA256", False), ("TLS_NULL_WITH_NULL_NULL", False), ("TLS_SHA256_SHA256", False),
    ("TLS_AES_128_GCM_SHA256", True), ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", True),
])  # fmt: skip
def test_encrypting(suite: str, encrypting: bool) -> None:
    assert _names.is_encrypting(suite) is encrypting


def test_groups() -> None:
    assert _names.group(0x11EC) == _names.Group("X25519MLKEM768", "hybrid", 255)
    assert _names.group(0x0100).bits == 2048
    assert _names.group(0x0201) == _names.Group("MLKEM768", "KEM")
    assert _names.group(0x7777) == _names.Group("0x7777")


def test_versions() -> None:
    assert _names.newest((0x0303, 0x0304, 0x2A2A, 0x7F1C)) == 0x0304
    assert _names.version(0x7F17) == "TLS 1.3"
    assert _names.newest((0xFEFF, 0xFEFC, 0xFEFD)) == 0xFEFC
    assert _names.newest((0x0305, 0x1234)) is None


def test_grease() -> None:
    assert len(_names.GREASE) == 16
    assert {0x0A0A, 0xFAFA} < _names.GREASE


def test_alerts() -> None:
    assert _names.alert(48) == "unknown_ca"
    assert _names.alert(200) == "alert_200"
