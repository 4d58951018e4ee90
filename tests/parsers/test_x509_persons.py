"""Which certificates are a person's: each line one certificate, made for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from parsers import _x509

KEY = ec.generate_private_key(ec.SECP256R1())
UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
CARD, MAIL = ExtendedKeyUsageOID.SMARTCARD_LOGON, ExtendedKeyUsageOID.EMAIL_PROTECTION
ADDRESS = x509.RFC822Name("erika.mustermann@mail.hospital.example")
DNS = x509.DNSName("pump-0017.devices.hospital.example")


def upn(principal: str) -> x509.OtherName:
    return x509.OtherName(UPN, b"\x0c" + bytes((len(principal),)) + principal.encode())


def make(
    common_name: str = "",
    purposes: tuple[ObjectIdentifier, ...] = (),
    names: tuple[x509.GeneralName, ...] = (),
    subject: tuple[tuple[ObjectIdentifier, str], ...] = (),
    *,
    ca: bool = False,
) -> bytes:
    attributes = [x509.NameAttribute(kind, value) for kind, value in subject]
    if common_name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    builder = x509.CertificateBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented CA")]),
        subject_name=x509.Name(attributes), public_key=KEY.public_key(), serial_number=4711,
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC), not_valid_after=datetime(2027, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


PERSONS = {
    "smart card": make("Erika Mustermann", (CLIENT, CARD), (upn("mustermann@ad.hospital.example"),)),
    "smart card without a name": make("card 17", (CLIENT, CARD)),
    "principal and server": make("ward 3", (CLIENT, SERVER), (upn("mustermann@ad.hospital.example"),)),
    "S/MIME": make("erika.mustermann", (MAIL,), (ADDRESS,)),
    "S/MIME and client": make("Mustermann", (CLIENT, MAIL), (ADDRESS,)),
    "address in the subject": make("Erika Mustermann", (CLIENT,), subject=((NameOID.EMAIL_ADDRESS, "e@mail.example"),)),
    "address as name": make("e@mail.example", (CLIENT,), (x509.RFC822Name("e@mail.example"),)),
    "address only": make("", (), (ADDRESS,)),
    "smart card's name": make("MUSTERMANN.ERIKA.M.1234567890", (CLIENT,), (ADDRESS,)),
    "given name": make("4711", (CLIENT,), subject=((NameOID.GIVEN_NAME, "Erika"), (NameOID.SURNAME, "Mustermann"))),
    "with umlauts": make("Jürgen Müller-Lüdenscheidt", (CLIENT,), (ADDRESS,)),
}
DEVICES = {
    "server": make("analyser.hospital.example", (SERVER,), (DNS,)),
    "client": make("pump-0017", (CLIENT,)),
    "widely copied recipe": make("pump-0017", (CLIENT, MAIL)),
    "machine account": make("", (CLIENT,), (upn("PUMP17$@ad.hospital.example"),)),
    "domain controller": make("dc1.ad.hospital.example", (CLIENT, SERVER, CARD), (DNS,)),
    "administrator's address": make("plesk", (), subject=((NameOID.EMAIL_ADDRESS, "info@vendor.example"),)),
    "address and host": make("Infusion Pump", (CLIENT,), (ADDRESS, DNS)),
    "host name with dots": make("pump.ward.example", (), subject=((NameOID.EMAIL_ADDRESS, "root@ward.example"),)),
    "web server": make("Erika Mustermann", (SERVER,), (ADDRESS,)),
    "authority": make("Erika Mustermann", (), (ADDRESS,), ca=True),
}


@pytest.mark.parametrize("der", PERSONS.values(), ids=PERSONS)
def test_persons(der: bytes) -> None:
    read = _x509.read(der)
    assert read.personal
    assert (read.issuer, read.not_before, read.not_after) == ("CN=Invented CA", 1767225600, 1798761600)
    assert "ustermann" not in repr(read).lower().replace("invented", "")
    assert (read.subject_name, read.serial, read.spki_sha256, read.sans, read.details) == (None, None, None, (), {})


@pytest.mark.parametrize("der", DEVICES.values(), ids=DEVICES)
def test_devices(der: bytes) -> None:
    read = _x509.read(der)
    assert not read.personal
    assert read.serial == "1267"
    assert not any("@mail" in name for name in read.sans)
