"""DICOM over TLS, by DCMTK and Orthanc: versions, with and without client certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _archive import DICOM_TLS, Route, call, orthanc
from _fleet import CT, PACS
from _lab import Lab, scenario
from _objects import image, save
from _pki import Pki

if TYPE_CHECKING:
    from pathlib import Path

    from _pki import Credential

ARCHIVE_NAME, CT_NAME = "archive.hospital.example", "ct1.radiology.hospital.example"
TLS12 = "TLSv1.2"


def openssl_limit(lab: Lab, newest: str, ciphers: str = "DEFAULT") -> dict[str, str]:
    """Return the environment that keeps OpenSSL programs from negotiating anything newer, or other suites."""
    config = lab.workdir / "openssl.cnf"
    config.write_text(
        f"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
        f"MaxProtocol = {newest}\nCipherString = {ciphers}\n"
    )
    return {"OPENSSL_CONF": str(config)}


def shows(credential: Credential) -> list[str]:
    """Return the options of DCMTK's tools that show this credential."""
    return ["+tls", str(credential.key), str(credential.cert)]


def credentials(lab: Lab) -> tuple[Credential, Credential, Path]:
    """Return archive's and CT's credentials and the root that both trust."""
    pki = Pki(lab)
    root = pki.root()
    return pki.server(ARCHIVE_NAME, root), pki.client(CT_NAME, root), root.cert


def secure(
    lab: Lab, newest: str, server: tuple[str, ...], *profile: str, client_certificate: bool, ciphers: str = "DEFAULT"
) -> None:
    """Record a C-STORE by DCMTK over TLS."""
    modality, archive = lab.host(CT), lab.host(PACS)
    shown, own, root = credentials(lab)
    env = openssl_limit(lab, newest, ciphers) if newest else {}
    lab.serve(
        archive,
        [
            "storescp",
            "--ignore",
            "-aet",
            PACS.ae_title,
            "+tls",
            str(shown.key),
            str(shown.cert),
            "+cf",
            str(root),
            *server,
            *profile,
            str(DICOM_TLS),
        ],
        DICOM_TLS,
        env=env,
    )
    mine = shows(own) if client_certificate else ["+tla"]
    path = save(image(CT, lab.canaries, side=16), lab.workdir / "object.dcm")
    with lab.capture():
        route = Route(modality, CT.ae_title, archive, PACS.ae_title, DICOM_TLS)
        call(lab, route, "storescu", "-R", *mine, "+cf", str(root), *profile, files=[path], env=env)


@scenario(
    "dicom/tls12_mutual",
    "DICOM over TLS 1.2, both sides show a certificate.",
    "DCMTK",
    "pydicom",
    expect=("client_authenticated true; nothing of DICOM is visible",),
)
def tls12_mutual(lab: Lab) -> None:
    secure(lab, TLS12, (), client_certificate=True)


@scenario(
    "dicom/tls12_server_only",
    "DICOM over TLS 1.2, only the archive shows a certificate.",
    "DCMTK",
    "pydicom",
    expect=("MTLS-001: no CertificateRequest on port 2762",),
)
def tls12_server_only(lab: Lab) -> None:
    secure(lab, TLS12, ("-ic",), client_certificate=False)


@scenario(
    "dicom/tls12_null",
    "DICOM over TLS without encryption: the retired NULL profile of IHE ATNA.",
    "DCMTK",
    "pydicom",
    expect=("suite TLS_RSA_WITH_NULL_SHA or NULL_SHA256: canaries are readable in the capture",),
)
def tls12_null(lab: Lab) -> None:
    secure(
        lab, TLS12, (), "+pn", "+cs", "TLS_RSA_WITH_NULL_SHA", client_certificate=True, ciphers="ALL:eNULL@SECLEVEL=0"
    )


@scenario(
    "dicom/tls13_mutual",
    "DICOM over TLS 1.3, both sides show a certificate; neither can be seen.",
    "DCMTK",
    "pydicom",
    expect=("client_authenticated null",),
)
def tls13_mutual(lab: Lab) -> None:
    secure(lab, "", (), client_certificate=True)


@scenario(
    "dicom/tls13_server_only",
    "DICOM over TLS 1.3, only the archive shows a certificate; it cannot be seen.",
    "DCMTK",
    "pydicom",
    expect=("client_authenticated null: MTLS-001 silent",),
)
def tls13_server_only(lab: Lab) -> None:
    secure(lab, "", ("-ic",), client_certificate=False)


@scenario(
    "dicom/tls_orthanc",
    "DICOM over TLS at an Orthanc that requires a client certificate.",
    "DCMTK",
    "pydicom",
    expect=("both sides' certificates, TLS 1.2",),
)
def tls_orthanc(lab: Lab) -> None:
    modality, archive = lab.host(CT), lab.host(PACS)
    shown, own, root = credentials(lab)
    env = openssl_limit(lab, TLS12)
    orthanc(
        lab,
        archive,
        PACS.ae_title,
        DICOM_TLS,
        DicomTlsEnabled=True,
        DicomTlsCertificate=str(shown.cert),
        DicomTlsPrivateKey=str(shown.key),
        DicomTlsTrustedCertificates=str(root),
        DicomTlsRemoteCertificateRequired=True,
    )
    with lab.capture():
        route = Route(modality, CT.ae_title, archive, PACS.ae_title, DICOM_TLS)
        call(lab, route, "echoscu", *shows(own), "+cf", str(root), env=env)


@scenario(
    "dicom/tls_refused",
    "The archive requires a certificate of its own CA; the CT shows a stranger's.",
    "DCMTK",
    expect=("alert 48 unknown_ca from the responder",),
)
def tls_refused(lab: Lab) -> None:
    modality, archive = lab.host(CT), lab.host(PACS)
    shown, _, root = credentials(lab)
    stranger = Pki(lab, "stranger").server(CT_NAME)
    env = openssl_limit(lab, TLS12)
    lab.serve(
        archive,
        ["storescp", "--ignore", "+tls", str(shown.key), str(shown.cert), "+cf", str(root), str(DICOM_TLS)],
        DICOM_TLS,
        env=env,
    )
    with lab.capture():
        route = Route(modality, CT.ae_title, archive, PACS.ae_title, DICOM_TLS)
        call(lab, route, "echoscu", *shows(stranger), "-ic", ok=(), env=env)
