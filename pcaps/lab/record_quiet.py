"""Well-configured traffic: no rule may fire on any of these captures. *Now* is the capture's own time."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import _pyssl
from _archive import DICOM_TLS, Route, call, orthanc
from _fleet import CT, PACS
from _lab import Lab, scenario
from _objects import image, save
from _pki import BOTH, CA, CLIENT, HOSPITAL, Credential, Pki, trusted
from _pyssl import context, serving
from _tls import ANALYSER, GATEWAY, HTTPS, NAME, PUMPS, STATION, connect, serve, sni
from record_dicom_tls import ARCHIVE_NAME, CT_NAME, TLS12, openssl_limit
from record_tls_python import PYTHON

STRONG = ["-cipher", "ECDHE+AESGCM:!aNULL"]


@dataclass(frozen=True)
class Estate:
    """A site's certificates: root, issuing CA, and leaves that are valid for 330 days around now."""

    pki: Pki
    root: Credential
    issuing: Credential

    def leaf(self, name: str, ip: str, usage: tuple[str, ...] = BOTH, key: str = "ec:P-256") -> Credential:
        """Return a leaf for a name and an address; its chain shows the issuing CA but not the root."""
        made = self.pki.issue(
            f"{HOSPITAL}/CN={name}",
            (*usage, f"subjectAltName = DNS:{name},IP:{ip}"),
            self.issuing,
            key=key,
            start=self.pki.date(-30),
            end=self.pki.date(300),
        )
        return Credential(made.key, made.cert, (self.issuing.cert,))

    @property
    def trust(self) -> list[str]:
        """The options of s_server and s_client that trust this estate."""
        return trusted(self.root)


def estate(lab: Lab) -> Estate:
    """Make a site's root and issuing CA; the issuing CA lives for two years."""
    pki = Pki(lab)
    root = pki.root("General Hospital Root CA G2", key="ec:P-384", digest="sha384")
    issuing = pki.issue(
        f"{HOSPITAL}/CN=General Hospital Device CA 7",
        (*CA, "authorityKeyIdentifier = keyid"),
        root,
        key="ec:P-256",
        start=pki.date(-60),
        end=pki.date(670),
    )
    return Estate(pki, root, issuing)


def bundle(credential: Credential) -> str:
    """Return a file that holds the leaf and its issuers, as most servers want it."""
    path = credential.cert.with_suffix(".bundle")
    path.write_text("".join(p.read_text() for p in (credential.cert, *credential.issuers)))
    return str(path)


@scenario("quiet/tls12_mutual", "TLS 1.2, ECDHE, AES-GCM, both sides with short-lived certificates.", "OpenSSL")
def tls12_mutual(lab: Lab) -> None:
    site, gateway, pump = estate(lab), lab.host(GATEWAY), lab.host(PUMPS[0])
    name = "gateway.icu.hospital.example"
    serve(lab, gateway, *site.leaf(name, GATEWAY.ip).chain, *site.trust, *STRONG, "-Verify", "3")
    own = site.leaf("pump-0017.icu.hospital.example", PUMPS[0].ip, CLIENT)
    with lab.capture():
        connect(lab, pump, gateway, "-tls1_2", *STRONG, *sni(name), *site.trust, *own.chain)


@scenario("quiet/tls12_server", "TLS 1.2 of an ordinary server, then the same again resumed by ticket.", "OpenSSL")
def tls12_server(lab: Lab) -> None:
    site, device, station = estate(lab), lab.host(ANALYSER), lab.host(STATION)
    session = str(lab.workdir / "session.pem")
    serve(lab, device, *site.leaf(NAME, ANALYSER.ip).chain, *STRONG)
    with lab.capture():
        for option in ("-sess_out", "-sess_in"):
            connect(lab, station, device, "-tls1_2", *STRONG, *sni(), *site.trust, option, session)


@scenario("quiet/tls13_mutual", "TLS 1.3, both sides with short-lived certificates.", PYTHON)
def tls13_mutual(lab: Lab) -> None:
    site, device, station = estate(lab), lab.host(ANALYSER), lab.host(STATION)
    root, version = str(site.root.cert), ssl.TLSVersion.TLSv1_3
    server = context(ssl.PROTOCOL_TLS_SERVER, version, site.leaf(NAME, ANALYSER.ip), root)
    own = site.leaf("station-61.ward.hospital.example", STATION.ip, CLIENT)
    client = context(ssl.PROTOCOL_TLS_CLIENT, version, own, root)
    with lab.capture(), serving(device, HTTPS, server):
        _pyssl.call(station, device, HTTPS, client, NAME)


def secure_dicom(lab: Lab, newest: str) -> None:
    """Record a CT that stores at an Orthanc over mutual TLS."""
    site, modality, archive = estate(lab), lab.host(CT), lab.host(PACS)
    shown, own = (site.leaf(*who, key="rsa:3072") for who in ((ARCHIVE_NAME, PACS.ip), (CT_NAME, CT.ip)))
    env = openssl_limit(lab, newest) if newest else {}
    orthanc(
        lab,
        archive,
        PACS.ae_title,
        DICOM_TLS,
        DicomTlsEnabled=True,
        DicomTlsCertificate=bundle(shown),
        DicomTlsPrivateKey=str(shown.key),
        DicomTlsTrustedCertificates=str(site.root.cert),
        DicomTlsRemoteCertificateRequired=True,
        DicomCheckCalledAet=True,
    )
    path = save(image(CT, lab.canaries, side=16), lab.workdir / "object.dcm")
    with lab.capture():
        route = Route(modality, CT.ae_title, archive, PACS.ae_title, DICOM_TLS)
        tls = ["+tls", str(own.key), bundle(own), "+cf", str(site.root.cert)]
        call(lab, route, "storescu", "-R", *tls, files=[path], env=env)


@scenario(
    "quiet/dicom_tls12_mutual",
    "A CT stores at an Orthanc over TLS 1.2, both sides with short-lived certificates.",
    "DCMTK",
    "pydicom",
)
def dicom_tls12_mutual(lab: Lab) -> None:
    secure_dicom(lab, TLS12)


@scenario(
    "quiet/dicom_tls13_mutual",
    "A CT stores at an Orthanc over TLS 1.3, both sides with short-lived certificates.",
    "DCMTK",
    "pydicom",
)
def dicom_tls13_mutual(lab: Lab) -> None:
    secure_dicom(lab, "")
