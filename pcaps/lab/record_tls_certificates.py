"""Certificates as devices show them: one oddity a capture, TLS 1.2 so that they can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _lab import Lab, scenario
from _pki import CA, HOSPITAL, SERVER, Pki
from _tls import ANALYSER, NAME, PUMPS, STATION, connect, serve, sni, talk

if TYPE_CHECKING:
    from collections.abc import Callable

    from _pki import Credential

    Maker = Callable[[Pki], Credential]

SAN = f"subjectAltName = DNS:{NAME}"
SUBJECT = f"{HOSPITAL}/CN={NAME}"
ANY_STRENGTH = ["-cipher", "ALL:eNULL@SECLEVEL=0"]
LARGE_SAN_COUNT = 900


def shown(path: str, what: str, expect: str, make: Maker, *client: str, server: tuple[str, ...] = ()) -> None:
    """Register a scenario in which a device shows the certificate that ``make`` returns."""

    def play(lab: Lab) -> None:
        credential = make(Pki(lab))
        talk(lab, [*credential.chain, *ANY_STRENGTH, *server], ["-tls1_2", *ANY_STRENGTH, *(client or sni())])

    scenario(f"tls/{path}", what, "OpenSSL", expect=(expect,))(play)


shown(
    "cert_expired",
    "A server certificate that expired 400 days ago.",
    "CERT-001",
    lambda p: p.server(NAME, p.root(), start=p.date(-800), end=p.date(-400)),
)
shown(
    "cert_expires_soon",
    "A server certificate that expires in five days.",
    "CERT-003",
    lambda p: p.server(NAME, p.root(), end=p.date(5)),
)
shown(
    "cert_not_yet_valid",
    "A server certificate of which the validity begins in 30 days.",
    "CERT-002",
    lambda p: p.server(NAME, p.root(), start=p.date(30)),
)
shown(
    "cert_1999",
    "A self-signed certificate of a device that began its life in 1999: no clock.",
    "CERT-002",
    lambda p: p.server(NAME, start="19990101000000Z", end="20190101000000Z"),
)
shown(
    "cert_epoch",
    "A self-signed certificate valid from 1970 to 2038: no clock.",
    "CERT-002",
    lambda p: p.server(NAME, start="19700101000000Z", end="20380119031407Z"),
)
shown(
    "cert_50_years",
    "A self-signed certificate valid for 50 years.",
    "CERT-004; notAfter is a GeneralizedTime",
    lambda p: p.server(NAME, end=p.date(50 * 365.25)),
)
shown(
    "cert_9999",
    "A certificate without a well-defined expiration: 99991231235959Z (RFC 5280 4.1.2.5).",
    "CERT-004; notAfter 9999-12-31T23:59:59",
    lambda p: p.server(NAME, end="99991231235959Z"),
)
shown("cert_self_signed", "A self-signed server certificate.", "CERT-007; self_signed true", lambda p: p.server(NAME))
shown(
    "cert_chain3",
    "A chain of leaf, intermediate and root.",
    "three certificates, positions 0 to 2",
    lambda p: p.server(NAME, p.issue(f"{HOSPITAL}/CN=Invented Issuing CA", CA, p.root())),
)
shown(
    "cert_leaf_only",
    "A leaf whose issuer is not shown.",
    "one certificate, not self-signed",
    lambda p: type(c := p.server(NAME, p.root()))(c.key, c.cert),
)
shown("cert_rsa1024", "An RSA key of 1024 bits.", "CERT-005", lambda p: p.server(NAME, p.root(), key="rsa:1024"))
shown(
    "cert_rsa512",
    "An RSA key of 512 bits.",
    "CERT-005 high",
    lambda p: p.server(NAME, key="rsa:512", digest="sha1"),
    *sni(),
    "-cipher",
    "AES128-SHA@SECLEVEL=0",
)
shown(
    "cert_rsa_exponent3",
    "An RSA key with public exponent 3.",
    "CERT-005",
    lambda p: p.server(NAME, p.root(), key="rsa3:2048"),
)
shown(
    "cert_rsa_pss", "An RSASSA-PSS key.", "key type RSASSA-PSS", lambda p: p.server(NAME, p.root(), key="rsa-pss:2048")
)
shown(
    "cert_p192",
    "An EC key on P-192.",
    "CERT-005; key bits 192",
    lambda p: p.server(NAME, p.root(), key="ec:P-192"),
    *sni(),
    "-groups",
    "P-192:P-256:X25519",
)
shown("cert_p256", "An EC key on P-256.", "key type EC, 256 bits", lambda p: p.server(NAME, p.root(), key="ec:P-256"))
shown(
    "cert_p384",
    "An EC chain: root and leaf on P-384, signed with SHA-384.",
    "ecdsa-with-SHA384",
    lambda p: p.server(NAME, p.root(key="ec:P-384", digest="sha384"), key="ec:P-384", digest="sha384"),
)
shown(
    "cert_brainpool",
    "An EC key on brainpoolP256r1, common in German health care.",
    "curve brainpoolP256r1",
    lambda p: p.server(NAME, p.root(key="ec:brainpoolP256r1"), key="ec:brainpoolP256r1"),
    *sni(),
    "-groups",
    "brainpoolP256r1:P-256:X25519",
)
shown(
    "cert_ec_explicit",
    "An EC key with explicit curve parameters, forbidden by RFC 5480 2.1.1.",
    "the explicit curve is reported, the rest is read",
    lambda p: p.server(NAME, p.root(), key="ecx:P-256"),
)
shown(
    "cert_ed25519",
    "An Ed25519 key.",
    "key type Ed25519",
    lambda p: p.server(NAME, p.root(), key="ed25519", digest="sha256"),
)
shown("cert_ed448", "An Ed448 key.", "key type Ed448", lambda p: p.server(NAME, p.root(), key="ed448"))
shown(
    "cert_dsa", "A DSA key of 1024 bits.", "CERT-005; key type DSA", lambda p: p.server(NAME, p.root(), key="dsa:1024")
)
shown("cert_sha1", "A certificate signed with SHA-1.", "CERT-006", lambda p: p.server(NAME, p.root(), digest="sha1"))
shown("cert_md5", "A certificate signed with MD5.", "CERT-006", lambda p: p.server(NAME, p.root(), digest="md5"))
shown(
    "cert_localhost",
    "The default certificate of an appliance: CN=localhost.",
    "CERT-010",
    lambda p: p.issue(
        "/C=--/ST=SomeState/L=SomeCity/O=SomeOrganization/OU=SomeOrganizationalUnit/CN=localhost",
        SERVER,
        end=p.date(3650),
    ),
)
shown(
    "cert_snakeoil",
    "A test certificate left in place: O=Snake Oil.",
    "CERT-010",
    lambda p: p.issue("/C=XY/ST=Snake Desert/O=Snake Oil, Ltd/CN=www.snakeoil.dom", SERVER),
)
shown(
    "cert_wildcard",
    "A wildcard certificate that matches the SNI.",
    "SAN *.lab.hospital.example; CERT-011 silent",
    lambda p: p.issue(
        f"{HOSPITAL}/CN=*.lab.hospital.example", (*SERVER, "subjectAltName = DNS:*.lab.hospital.example"), p.root()
    ),
)
shown(
    "cert_name_mismatch",
    "The client asks for one name, the server shows another.",
    "CERT-011",
    lambda p: p.server("other.ward.hospital.example", p.root()),
)
shown(
    "cert_ip_san",
    "A certificate for an IP address; the client sends no SNI.",
    "SAN IP 10.20.7.15",
    lambda p: p.issue(SUBJECT, (*SERVER, f"subjectAltName = IP:{ANALYSER.ip}"), p.root()),
    "-noservername",
)
shown(
    "cert_ca_leaf",
    "A leaf that may issue certificates: CA:TRUE.",
    "CERT-012",
    lambda p: p.issue(SUBJECT, (*CA, SAN), p.root()),
)
shown(
    "cert_no_eku",
    "A leaf without extended key usage.",
    "CERT-012",
    lambda p: p.issue(SUBJECT, ("basicConstraints = critical,CA:FALSE", SAN), p.root()),
)
shown(
    "cert_wrong_eku",
    "A server that shows a certificate for code signing.",
    "CERT-012",
    lambda p: p.issue(SUBJECT, ("basicConstraints = CA:FALSE", "extendedKeyUsage = codeSigning", SAN), p.root()),
)
shown(
    "cert_no_extensions",
    "A certificate of version 1: no extension at all.",
    "version 1, CERT-012",
    lambda p: p.issue(SUBJECT, (), p.root()),
)
shown(
    "cert_unicode",
    "Names in UTF-8 beyond ASCII.",
    "organizationName with umlauts",
    lambda p: p.issue(f"/C=DE/O=Erfundenes Klinikum Süd/OU=Röntgen/CN={NAME}", (*SERVER, SAN), p.root()),
)
shown(
    "cert_large_chain",
    "A chain of more than 16 KiB: one handshake message over several records.",
    "the Certificate message is longer than a TLS record",
    lambda p: p.issue(
        SUBJECT,
        (
            *SERVER,
            "subjectAltName = " + ",".join(f"DNS:device-{n:04}.lab.hospital.example" for n in range(LARGE_SAN_COUNT)),
        ),
        p.root(),
    ),
)
shown(
    "cert_small_fragments",
    "Records of at most 512 bytes: handshake messages split over many records.",
    "the Certificate message spans records",
    lambda p: p.server(NAME, p.issue(f"{HOSPITAL}/CN=Invented Issuing CA", CA, p.root())),
    server=("-max_send_frag", "512"),
)


def three_pumps(lab: Lab, credentials: list[Credential]) -> None:
    """Record a station that visits three pumps, each with its credential."""
    station = lab.host(STATION)
    pumps = [lab.host(machine) for machine in PUMPS]
    for pump, credential in zip(pumps, credentials, strict=True):
        serve(lab, pump, *credential.chain)
    with lab.capture():
        for pump in pumps:
            connect(lab, station, pump, "-tls1_2", "-noservername")


@scenario(
    "tls/same_key",
    "Three pumps, three certificates, one private key.",
    "OpenSSL",
    expect=("CERT-008: one SPKI on three MAC addresses", "three certificates with different serials"),
)
def same_key(lab: Lab) -> None:
    pki = Pki(lab)
    root, key = pki.root(), pki.key()
    three_pumps(lab, [pki.server(f"{m.name}.icu.hospital.example", root, key=key) for m in PUMPS])


@scenario(
    "tls/same_certificate",
    "Two pumps with the very same certificate; a third has its own.",
    "OpenSSL",
    expect=("CERT-009 for pump1 and pump2 only",),
)
def same_certificate(lab: Lab) -> None:
    pki = Pki(lab)
    root = pki.root()
    shared = pki.server("pump.icu.hospital.example", root)
    three_pumps(lab, [shared, shared, pki.server("pump3.icu.hospital.example", root)])
