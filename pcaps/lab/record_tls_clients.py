"""Client certificates: asked for, shown, empty, refused; and the smart card of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _lab import Lab, scenario
from _pki import BOTH, CLIENT, HOSPITAL, Pki, trusted
from _tls import ANY_OUTCOME, GATEWAY, NAME, PUMPS, connect, serve, sni, talk

if TYPE_CHECKING:
    from _pki import Credential

DEVICE = "pump-0017.devices.hospital.example"


def mutual(lab: Lab, version: str, *server: str, client: bool = True, ok: tuple[int, ...] = (0,)) -> None:
    """Record a server that asks for a certificate and a client that has one or not."""
    pki = Pki(lab)
    root = pki.root()
    shown = pki.client(DEVICE, root).chain if client else []
    talk(
        lab, [*pki.server(NAME, root).chain, *trusted(root), *server], [version, *sni(), *trusted(root), *shown], ok=ok
    )


@scenario(
    "tls/tls12_mutual",
    "TLS 1.2, both sides show a certificate.",
    "OpenSSL",
    expect=("CertificateRequest, client Certificate and CertificateVerify", "client_authenticated true"),
)
def mutual12(lab: Lab) -> None:
    mutual(lab, "-tls1_2", "-Verify", "3")


@scenario(
    "tls/tls13_mutual",
    "TLS 1.3, both sides show a certificate; nobody can see it.",
    "OpenSSL",
    expect=("client_authenticated null", "no certificate visible"),
)
def mutual13(lab: Lab) -> None:
    mutual(lab, "-tls1_3", "-Verify", "3")


@scenario(
    "tls/tls10_mutual",
    "TLS 1.0, both sides show a certificate.",
    "OpenSSL",
    expect=("a CertificateRequest without signature algorithms",),
)
def mutual10(lab: Lab) -> None:
    pki, weak = Pki(lab), ["-cipher", "DEFAULT@SECLEVEL=0"]
    root = pki.root()
    talk(
        lab,
        [*pki.server(NAME, root).chain, *trusted(root), *weak, "-Verify", "3"],
        ["-tls1", *sni(), *weak, *pki.client(DEVICE, root).chain],
    )


@scenario(
    "tls/tls12_mutual_empty",
    "TLS 1.2, a certificate is asked for, the client shows none and is let in.",
    "OpenSSL",
    expect=("MTLS-002: a Certificate message with an empty list, then Finished",),
)
def empty12(lab: Lab) -> None:
    mutual(lab, "-tls1_2", "-verify", "3", client=False)


@scenario(
    "tls/tls12_mutual_missing",
    "TLS 1.2, a certificate is required, the client shows none and is refused.",
    "OpenSSL",
    expect=("alert 40 handshake_failure after the empty Certificate",),
)
def missing12(lab: Lab) -> None:
    mutual(lab, "-tls1_2", "-Verify", "3", client=False, ok=ANY_OUTCOME)


@scenario(
    "tls/tls12_mutual_refused",
    "TLS 1.2, the client's certificate is from a stranger and is refused.",
    "OpenSSL",
    expect=("alert 48 unknown_ca from the responder after the client's Certificate",),
)
def refused12(lab: Lab) -> None:
    pki = Pki(lab)
    root, stranger = pki.root(), pki.root("Stranger Root CA")
    talk(
        lab,
        [*pki.server(NAME, root).chain, *trusted(root), "-Verify", "3"],
        ["-tls1_2", *sni(), *pki.client(DEVICE, stranger).chain],
        ok=ANY_OUTCOME,
    )


@scenario(
    "tls/tls12_mutual_expired",
    "TLS 1.2, the client's certificate has expired and is accepted all the same.",
    "OpenSSL",
    expect=("CERT-001 about the client's certificate",),
)
def expired12(lab: Lab) -> None:
    pki = Pki(lab)
    root = pki.root()
    old = pki.client(DEVICE, root, start=pki.date(-900), end=pki.date(-170))
    talk(
        lab, [*pki.server(NAME, root).chain, "-CAfile", str(root.cert), "-verify", "3"], ["-tls1_2", *sni(), *old.chain]
    )


@scenario(
    "tls/same_client_certificate",
    "Three pumps present one client certificate to their gateway.",
    "OpenSSL",
    expect=("CERT-009 and CERT-008 about client certificates of three MAC addresses",),
)
def same_client(lab: Lab) -> None:
    pki = Pki(lab)
    root = pki.root()
    fleet = pki.issue(f"{HOSPITAL}/OU=Devices/CN=infusion-pump", BOTH, root)
    gateway = lab.host(GATEWAY)
    pumps = [lab.host(machine) for machine in PUMPS]
    serve(lab, gateway, *pki.server("gateway.icu.hospital.example", root).chain, *trusted(root), "-Verify", "3")
    with lab.capture():
        for pump in pumps:
            connect(lab, pump, gateway, "-tls1_2", *sni("gateway.icu.hospital.example"), *fleet.chain)


@scenario(
    "tls/smartcard",
    "A nurse logs on with a smart card: a personal certificate as client certificate.",
    "OpenSSL",
    expect=("only hash, issuer and validity of the client's certificate may be kept",),
)
def smartcard(lab: Lab) -> None:
    pki = Pki(lab)
    root = pki.root()
    card = personal(lab, pki, root)
    talk(lab, [*pki.server(NAME, root).chain, *trusted(root), "-Verify", "3"], ["-tls1_2", *sni(), *card.chain])


def personal(lab: Lab, pki: Pki, root: Credential) -> Credential:
    """Issue the smart-card logon certificate of a nurse who does not exist."""
    canaries = lab.canaries
    family, account = canaries.token("surname"), canaries.token("account").lower()
    person = canaries.plant(f"Nurse {family}")
    mail, upn = canaries.plant(f"{account}@mail.hospital.example"), canaries.plant(f"{account}@ad.hospital.example")
    canaries.plant(account)
    return pki.issue(
        f"{HOSPITAL}/OU=Staff/CN={person}/SN={family}/GN=Nurse/serialNumber={canaries.token('employee')}/emailAddress={mail}",
        (
            *CLIENT[:2],
            "extendedKeyUsage = clientAuth,1.3.6.1.4.1.311.20.2.2",
            *CLIENT[3:],
            f"subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:{upn},email:{mail}",
        ),
        root,
    )


@scenario(
    "tls/personal_email",
    "A physician's software certificate as client certificate: a name and an e-mail address, no smart card marks.",
    "OpenSSL",
    expect=("a certificate of a person: only hash, issuer and validity may be kept",),
)
def personal_email(lab: Lab) -> None:
    pki, canaries = Pki(lab), lab.canaries
    root = pki.root("Invented Professionals CA")
    family = canaries.token("surname")
    mail = canaries.plant(f"{canaries.token('mailbox').lower()}@practice.example")
    usage = "extendedKeyUsage = clientAuth,emailProtection"
    own = pki.issue(
        f"/C=DE/CN=Dr. {family}/SN={family}/GN=Invented", (*CLIENT[:2], usage, f"subjectAltName = email:{mail}"), root
    )
    talk(lab, [*pki.server(NAME, root).chain, *trusted(root), "-Verify", "3"], ["-tls1_2", *sni(), *own.chain])
