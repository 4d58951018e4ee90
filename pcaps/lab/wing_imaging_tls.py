"""Radiology inside TLS: a hardened archive, keys that are renewed, end, and are shared.

Certificates are dated by the story. Those of well-kept servers live from before its first day until long after the day
of the recording, because DCMTK and Orthanc look at the real clock; the archive for screening does not look at dates.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from _archive import DICOM_TLS, Route, call, orthanc
from _imaging import (
    FRIDAY,
    MG1,
    MONDAY,
    MR1,
    MR2,
    PACS_SECURE,
    REVIEW,
    SCREENING,
    SONO_GATEWAY,
    THURSDAY,
    TUESDAY,
    ULTRASOUND,
    WEDNESDAY,
    on,
    send,
    study,
)
from _objects import SOP_CLASS
from _pki import BOTH, CA, CLIENT, HOSPITAL, Credential, Pki
from _pynet import SUCCESS, entity, serving
from _pyssl import context
from _story import EPOCH, opening, scene
from _truth import device, identity, must, must_not
from pynetdicom import evt
from record_dicom_tls import TLS12, openssl_limit, shows

if TYPE_CHECKING:
    from pathlib import Path

    from _fleet import Machine
    from _story import Hospital

NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which the ssl module has no name for
ENDED = 50
RENEWED = 45
SONO_KEY = "LOGIQ E10 DICOM"
ZONE = "radiology.hospital.example"
OF_SECURE, OF_SCREENING, OF_SONO = f"pacs-secure.{ZONE}", f"screening.{ZONE}", f"sono-gateway.{ZONE}"
OF_VNA = f"vna.{ZONE}"
OF_MR1, OF_MR2, OF_MG1, OF_REVIEW = f"mr1.{ZONE}", f"mr2.{ZONE}", f"mg1.{ZONE}", f"review1.{ZONE}"

# ------------------------------------------------------------------ who lives here

HIDDEN = {"model": "", "serial": ""}  # what it is called is inside TLS; worklists tell what it is
device(PACS_SECURE)
device(SCREENING)
device(SONO_GATEWAY)
device(REVIEW, vendor="Dell Inc.")
device(MR1, vendor="Philips", device_type="MRI", role="modality", **HIDDEN)
device(MR2, vendor="Siemens Healthineers", device_type="MRI", role="modality", **HIDDEN)
device(MG1, vendor="FUJIFILM Healthcare", device_type="mammography", role="modality", **HIDDEN)
for us in ULTRASOUND:
    device(us, vendor="GE HealthCare", device_type="ultrasound", role="modality")

identity("certificate-key", OF_SECURE, "tls", ("pacs-secure",), peers=("mr1",))
identity("certificate-key", OF_SCREENING, "tls", ("screening-archive",), peers=("mg1", "mr2"))
identity("certificate-key", OF_SONO, "tls", ("sono-gateway",), peers=tuple(us.name for us in ULTRASOUND))
identity("certificate-key", OF_MR1, "tls", ("mr1",), peers=("pacs-secure",))
identity("certificate-key", OF_MR2, "tls", ("mr2",), peers=("screening-archive",))
for _key in ("until it is renewed", "since it was renewed"):
    identity("certificate-key", OF_MG1, "tls", ("mg1",), peers=("screening-archive",))
identity("certificate-key", SONO_KEY, "tls", tuple(us.name for us in ULTRASOUND), peers=("sono-gateway",))
identity("ae-title", MR1.ae_title, "dicom", ("mr1",), peers=("ris-broker",))
identity("ae-title", MR2.ae_title, "dicom", ("mr2",), peers=("ris-broker",))
identity("ae-title", MG1.ae_title, "dicom", ("mg1",), peers=("ris-broker",))
for us in ULTRASOUND:
    identity("ae-title", us.ae_title, "dicom", (us.name,), peers=("pacs", "ris-broker"))

must("CERT-008", "tls", identity=SONO_KEY, why="six ultrasound machines came with one key")
must("CERT-009", "tls", identity=SONO_KEY, why="and with one certificate for it")
for us, since in zip(ULTRASOUND, (0, 0, 0, 8, 8, 8), strict=True):
    why = "its maker's certificate is good for ten years"
    must("CERT-004", "tls", device=us.name, identity=SONO_KEY, first_day=since, why=why)
must("CERT-001", "tls", device="mr2", identity=OF_MR2, first_day=ENDED, why="it ended, and the archive takes it")
must(
    "CERT-003",
    "tls",
    device="mr2",
    identity=OF_MR2,
    first_day=1,
    resolved_day=ENDED,
    why="less than 90 days before its end",
)

WELL_KEPT = "certificates of its own, both sides checked, TLS 1.2 or 1.3 with ECDHE"
for name in ("pacs-secure", "mr1"):
    for rule in ("CERT-001", "CERT-003", "CERT-004", "CERT-007", "CERT-013", "TLS-004"):
        must_not(rule, WELL_KEPT, device=name)
for rule in ("DCM-001", "DCM-002", "DCM-006", "MTLS-001", "MTLS-002"):
    must_not(rule, WELL_KEPT, device="pacs-secure")
for name in ("screening-archive", "sono-gateway"):
    for rule in ("DCM-001", "DCM-002", "MTLS-001", "MTLS-002", "CERT-001", "CERT-003"):
        must_not(rule, WELL_KEPT, device=name)
must_not("CERT-003", "it was renewed more than a month before its end", device="mg1")
must_not("CERT-001", "it was renewed in time", device="mg1")
for name in (OF_MG1, OF_SECURE, OF_SCREENING, OF_SONO, OF_MR1):
    must_not("CERT-008", "a key of one machine alone", identity=name)
    must_not("CERT-009", "a certificate of one machine alone", identity=name)


# ------------------------------------------------------------------ certificates


@dataclass(frozen=True)
class Radiology:
    """The certificates of the wing's machines, by what they are for."""

    root: Path
    sono_root: Path
    secure: Credential
    screening: Credential
    sono: Credential
    vna: Credential
    shared: Credential
    mr1: Credential
    mr2: Credential
    mg1_first: Credential
    mg1_second: Credential
    review: Credential


@dataclass(frozen=True)
class Authority:
    """The hospital's authority for devices."""

    pki: Pki
    root: Credential

    def client(self, name: str, first: float, last: float) -> Credential:
        """Issue a device's certificate that is good from one day of the story to another."""
        return self._issue(name, CLIENT, "ec:P-256", first, last)

    def server(self, name: str, key: str = "ec:P-256") -> Credential:
        """Issue a server's certificate of a year, with an RSA key where DCMTK serves: it knows no ECDSA suite."""
        return self._issue(name, BOTH, key, -60, 305)

    def _issue(self, name: str, usage: tuple[str, ...], key: str, first: float, last: float) -> Credential:
        subject, san = f"{HOSPITAL}/OU=Radiology/CN={name}", f"subjectAltName = DNS:{name}"
        start, end = self.pki.date(first), self.pki.date(last)
        made = self.pki.issue(subject, (*usage, san), self.root, key=key, start=start, end=end)
        return Credential(made.key, made.cert)


def makers_certificate(pki: Pki) -> tuple[Credential, Path]:
    """Return the one that a maker puts into all its machines, and the authority that it is issued by."""
    root = pki.issue("/C=US/O=GE Healthcare/CN=GE Ultrasound Device CA", CA, start=pki.date(-2000), end=pki.date(5300))
    subject = f"/C=US/O=GE Healthcare/CN={SONO_KEY}"
    made = pki.issue(subject, CLIENT, root, key="ec:P-256", start=pki.date(-1640), end=pki.date(2010))
    return Credential(made.key, made.cert), root.cert


@opening("OpenSSL", order=20)
def certificates(hospital: Hospital) -> None:
    """Make the keys and certificates of the wing."""
    pki = Pki(hospital, "radiology-pki")
    pki.now = EPOCH
    own = Authority(pki, pki.root("General Hospital Device CA 7", key="ec:P-256", start=pki.date(-700)))
    shared, sono_root = makers_certificate(pki)
    made = Radiology(
        root=own.root.cert,
        sono_root=sono_root,
        secure=own.server(OF_SECURE, "rsa:2048"),
        screening=own.server(OF_SCREENING),
        sono=own.server(OF_SONO, "rsa:2048"),
        vna=own.server(OF_VNA),
        shared=shared,
        mr1=own.client(OF_MR1, -40, 325),
        mr2=own.client(OF_MR2, ENDED - 730, ENDED),
        mg1_first=own.client(OF_MG1, -10, 80),
        mg1_second=own.client(OF_MG1, RENEWED - 1, 244),
        review=own.client(OF_REVIEW, -40, 325),
    )
    hospital.share(made)


# ------------------------------------------------------------------ servers


@opening("Orthanc", order=40)
def hardened_twin(hospital: Hospital) -> None:
    """Start the archive as it should be: mutual TLS, titles and addresses of callers checked."""
    keys, host = hospital.find(Radiology), hospital.host(PACS_SECURE)
    orthanc(
        hospital,
        host,
        PACS_SECURE.ae_title,
        DICOM_TLS,
        DicomTlsEnabled=True,
        DicomTlsCertificate=str(keys.secure.cert),
        DicomTlsPrivateKey=str(keys.secure.key),
        DicomTlsTrustedCertificates=str(keys.root),
        DicomTlsRemoteCertificateRequired=True,
        DicomCheckCalledAet=True,
        DicomCheckModalityHost=True,
        DicomAlwaysAllowEcho=False,
        DicomAlwaysAllowStore=False,
        DicomModalities={
            "mr1": [MR1.ae_title, MR1.ip, DICOM_TLS],
            "review": [REVIEW.ae_title, REVIEW.ip, DICOM_TLS],
        },
    )


@opening("pynetdicom", order=41)
def archive_for_screening(hospital: Hospital) -> None:
    """Start an archive that asks for certificates of the hospital, but not until when they are good."""
    keys = hospital.find(Radiology)
    made = context(ssl.PROTOCOL_TLS_SERVER, ssl.TLSVersion.TLSv1_2, keys.screening, str(keys.root))
    made.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    ae = entity(SCREENING.ae_title, supported=[SOP_CLASS["MG"], SOP_CLASS["MR"]])
    ae.require_called_aet = True
    keep = [(evt.EVT_C_STORE, lambda _event: SUCCESS)]
    hospital.open.enter_context(serving(hospital.host(SCREENING), ae, DICOM_TLS, keep, ssl_context=made))


@opening("DCMTK", order=42)
def gateway_of_ultrasound(hospital: Hospital) -> None:
    """Start the receiver of the ultrasound machines: it knows their maker's authority."""
    keys, host = hospital.find(Radiology), hospital.host(SONO_GATEWAY)
    own = shows(keys.sono)
    argv = ["storescp", "--ignore", "-aet", SONO_GATEWAY.ae_title, *own, "+cf", str(keys.sono_root), str(DICOM_TLS)]
    hospital.serve(host, argv, DICOM_TLS, env=openssl_limit(hospital, TLS12))


# ------------------------------------------------------------------ everyday life


def protected(hospital: Hospital, own: Credential, name: str) -> dict[str, tuple[ssl.SSLContext, str]]:
    """Return how a pynetdicom client shows a certificate, and checks the server's."""
    keys = hospital.find(Radiology)
    made = context(ssl.PROTOCOL_TLS_CLIENT, ssl.TLSVersion.TLSv1_2, own, str(keys.root))
    return {"tls_args": (made, name)}


@scene(
    "an MR sends to the hardened archive over mutual TLS",
    "pynetdicom",
    days=(0, 61),
    again=on(TUESDAY),
    at="12:10",
)
def mr_sends_protected(hospital: Hospital) -> None:
    own, archive = hospital.find(Radiology).mr1, hospital.host(PACS_SECURE)
    send(hospital, MR1, archive, DICOM_TLS, PACS_SECURE.ae_title, **protected(hospital, own, OF_SECURE))


@scene(
    "a reviewer's workstation searches the hardened archive over TLS 1.3",
    "DCMTK",
    days=(2, 61),
    again=on(FRIDAY)[2::3],
    at="13:20",
)
def reviewer_searches(hospital: Hospital) -> None:
    keys = hospital.find(Radiology)
    route = Route(hospital.host(REVIEW), REVIEW.ae_title, hospital.host(PACS_SECURE), PACS_SECURE.ae_title, DICOM_TLS)
    wanted = ["-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID", "-k", "StudyInstanceUID"]
    call(hospital, route, "findscu", "-S", *shows(keys.review), "+cf", str(keys.root), *wanted)


@scene(
    "the mammograph sends to the archive for screening; since day 45 with a new key and certificate",
    "pynetdicom",
    days=(0, RENEWED, 90),
    again=on(MONDAY),
    at="08:50",
)
def mammograph_sends(hospital: Hospital) -> None:
    keys = hospital.find(Radiology)
    own = keys.mg1_first if hospital.day < RENEWED else keys.mg1_second
    send(
        hospital, MG1, hospital.host(SCREENING), DICOM_TLS, SCREENING.ae_title, **protected(hospital, own, OF_SCREENING)
    )


@scene(
    "the second MR sends to the archive for screening, after day 50 with a certificate that has ended",
    "pynetdicom",
    days=(1, ENDED),
    again=on(THURSDAY),
    at="16:30",
)
def second_mr_sends(hospital: Hospital) -> None:
    own, archive = hospital.find(Radiology).mr2, hospital.host(SCREENING)
    send(hospital, MR2, archive, DICOM_TLS, SCREENING.ae_title, **protected(hospital, own, OF_SCREENING))


def ultrasound_sends(hospital: Hospital, machines: tuple[Machine, ...]) -> None:
    """Let ultrasound machines send over TLS, each with the key that all have."""
    keys, gateway = hospital.find(Radiology), hospital.host(SONO_GATEWAY)
    env = openssl_limit(hospital, TLS12)
    for machine in machines:
        route = Route(hospital.host(machine), machine.ae_title, gateway, SONO_GATEWAY.ae_title, DICOM_TLS)
        call(
            hospital,
            route,
            "storescu",
            "-R",
            *shows(keys.shared),
            "+cf",
            str(keys.root),
            files=[study(hospital, machine)],
            env=env,
        )


@scene("three ultrasound machines send", "DCMTK", days=(0, 63), again=on(WEDNESDAY)[::2], at="09:10")
def first_ultrasounds_send(hospital: Hospital) -> None:
    ultrasound_sends(hospital, ULTRASOUND[:3])


@scene("the other ultrasound machines send", "DCMTK", days=(8, 64), again=on(THURSDAY)[1::2], at="09:15")
def other_ultrasounds_send(hospital: Hospital) -> None:
    ultrasound_sends(hospital, ULTRASOUND[3:])
