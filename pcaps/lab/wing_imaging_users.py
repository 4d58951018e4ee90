"""An archive that wants to know who asks: user identities of all five kinds (PS3.7 D.3.3.7), in clear and inside TLS.

The mobile X-ray proves who it is once a month, when it gets its updates; on all other days nobody asks.
"""

from __future__ import annotations

import datetime as dt
import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from _archive import ACR_NEMA, DICOM_TLS
from _imaging import (
    AI,
    DX1,
    FRIDAY,
    PORTAL,
    READING,
    REVIEW,
    STUDY_ROOT_FIND,
    TUESDAY,
    VERIFICATION,
    VIEWER,
    VNA,
    WEDNESDAY,
    done,
    found,
    on,
)
from _pynet import answering_user_names, associated, entity, serving
from _pyssl import context
from _story import opening, scene
from _truth import device, identity, must, must_not
from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from record_dicom_identity import ANSWERED, JWT, KERBEROS, PASSCODE, SAML, SERVER_RESPONSE, USERNAME, ap_req, segment
from wing_imaging_tls import OF_VNA, Radiology

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _fleet import Machine
    from _story import Hospital
    from pynetdicom.events import Event

UPDATES = (0, 30, 60, 90)
ISSUER = "https://idp.hospital.example"
INVENTED = "tokens of user identity types 3 to 5 are invented: a real one would be somebody's"
PENDING, MATCHED = 0xFF00, 0x0000

# ------------------------------------------------------------------ who lives here

device(VNA, device_type="image archive", role="archive")
device(PORTAL, role="query client")
device(AI, vendor="Super Micro Computer, Inc.", role="query client")
device(READING, vendor="Dell Inc.", role="query client")

identity("ae-title", VNA.ae_title, "dicom", ("vna",), peers=("viewer3", "reading4", "image-portal", "ai-reader", "dx1"))
identity("ae-title", READING.ae_title, "dicom", ("reading4",), peers=("vna",))
identity("ae-title", PORTAL.ae_title, "dicom", ("image-portal",), peers=("vna",))
identity("ae-title", AI.ae_title, "dicom", ("ai-reader",), peers=("vna",))
identity("dicom-username", "svc-viewer3", "dicom", ("viewer3",), peers=("vna",))
identity("dicom-username", "drx-update", "dicom", ("dx1",), peers=("vna",))
identity(
    "service-principal",
    "dicom/archive.hospital.example",
    "dicom",
    ("vna",),
    peers=("reading4",),
    realm="AD.HOSPITAL.EXAMPLE",
)
identity("certificate-key", OF_VNA, "tls", ("vna",), peers=("review1",))

must("DCM-001", "dicom", device="vna", why="searches and their answers in clear text")
must(
    "DCM-003",
    "dicom",
    device="dx1",
    identity="drx-update",
    why="once a month a passcode in clear text; nobody changes that",
)
must("DCM-004", "dicom", device="viewer3", identity="svc-viewer3", why="a name that anybody can say")
for holder, what in (
    ("reading4", "a Kerberos ticket"),
    ("image-portal", "a SAML assertion"),
    ("ai-reader", "a web token"),
):
    must("DCM-005", "dicom", device=holder, why=f"{what} in clear text")
must("MTLS-001", "tls", device="vna", first_day=6, why="its TLS port asks nobody for a certificate")

must_not("DCM-002", "all that it accepts in clear text names a user", device="vna")
must_not("DCM-006", "it answers to one title and refuses the others", device="vna")
must_not("ID-008", "it logs on every thirty days", device="dx1")
must_not("ID-008", "it shows a certificate inside TLS 1.3, and names users inside TLS", device="review1")
for rule in ("DCM-003", "DCM-004", "DCM-005"):
    must_not(rule, "what it says of its user is inside TLS", device="review1")


@dataclass(frozen=True)
class User:
    """A user identity: its kind, the primary field, and the secondary one of kind 2."""

    kind: int
    primary: bytes
    secondary: bytes = b""

    @property
    def item(self) -> UserIdentityNegotiation:
        """The item of the A-ASSOCIATE-RQ, with a response asked for."""
        made = UserIdentityNegotiation()
        made.user_identity_type, made.positive_response_requested = self.kind, True
        made.primary_field = self.primary
        if self.kind == PASSCODE:
            made.secondary_field = self.secondary
        return made


def passcode(hospital: Hospital) -> User:
    """Return the mobile X-ray's account, whose passcode never changes."""
    return User(PASSCODE, b"drx-update", hospital.canaries.token("drx-passcode", 14).encode())


def assertion(hospital: Hospital) -> User:
    """Return a SAML assertion of the day."""
    token, begins = hospital.canaries.token, hospital.now
    ends = begins + dt.timedelta(hours=1)
    text = (
        '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" '
        f'ID="_{token("assertion")}" IssueInstant="{begins:%Y-%m-%dT%H:%M:%SZ}"><saml:Issuer>{ISSUER}</saml:Issuer>'
        f'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignatureValue>{token("signature", 40)}'
        f"</ds:SignatureValue></ds:Signature><saml:Subject><saml:NameID>{token('subject')}</saml:NameID></saml:Subject>"
        f'<saml:Conditions NotBefore="{begins:%Y-%m-%dT%H:%M:%SZ}" NotOnOrAfter="{ends:%Y-%m-%dT%H:%M:%SZ}"/>'
        "</saml:Assertion>"
    )
    return User(SAML, text.encode())


def web_token(hospital: Hospital) -> User:
    """Return a JSON Web Token of the day (RFC 7519)."""
    plant, at = hospital.canaries.plant, int(hospital.now.timestamp())
    claims = {"iss": ISSUER, "aud": "vna", "iat": at, "exp": at + 3600, "sub": hospital.canaries.token("reader")}
    payload = plant(segment(json.dumps(claims).encode()))
    sealed = plant(segment(hospital.canaries.token("seal", 32).encode()))
    header = segment(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    return User(JWT, f"{header}.{payload}.{sealed}".encode())


# ------------------------------------------------------------------ the archive


def judge(event: Event) -> tuple[bool, bytes | None]:
    """Let in everybody who names a user."""
    return True, SERVER_RESPONSE.get(event.user_id_type, b"")  # type: ignore[attr-defined]  # this event has it


def matches(event: Event) -> Iterator[tuple[int, Dataset | None]]:
    """Answer a search with one study."""
    asked: Dataset = event.identifier  # type: ignore[attr-defined]  # this event has it
    study = Dataset()
    study.QueryRetrieveLevel = asked.QueryRetrieveLevel
    study.PatientID, study.StudyInstanceUID = "INVENTED1", "2.25.1"
    yield PENDING, study
    yield MATCHED, None


@opening("pynetdicom", "OpenSSL", ANSWERED, order=43)
def archive_with_users(hospital: Hospital) -> None:
    """Start the archive in clear text and over TLS, where it asks nobody for a certificate."""
    keys, host = hospital.find(Radiology), hospital.host(VNA)
    handlers = [(evt.EVT_USER_ID, judge), (evt.EVT_C_FIND, matches)]
    hospital.open.enter_context(answering_user_names())
    for port, tls in (
        (ACR_NEMA, None),
        (DICOM_TLS, context(ssl.PROTOCOL_TLS_SERVER, ssl.TLSVersion.TLSv1_2, keys.vna)),
    ):
        ae = entity(VNA.ae_title, supported=[VERIFICATION, STUDY_ROOT_FIND])
        ae.require_called_aet = True
        hospital.open.enter_context(serving(host, ae, port, handlers, **({"ssl_context": tls} if tls else {})))


def search(hospital: Hospital, machine: Machine, user: User, port: int = ACR_NEMA, **tls: Any) -> None:
    """Search the archive as a user."""
    ae, wanted = entity(machine.ae_title, requested=[STUDY_ROOT_FIND]), Dataset()
    wanted.QueryRetrieveLevel, wanted.PatientID, wanted.StudyInstanceUID = "STUDY", "", ""
    archive = hospital.host(VNA)
    with associated(hospital.host(machine), ae, archive, port, VNA.ae_title, ext_neg=[user.item], **tls) as association:
        found(association.send_c_find(wanted, STUDY_ROOT_FIND))


# ------------------------------------------------------------------ everyday life


@scene(
    "the viewer searches as a user without a proof",
    "pynetdicom",
    ANSWERED,
    days=(0,),
    again=on(TUESDAY),
    at="10:40",
)
def by_name(hospital: Hospital) -> None:
    search(hospital, VIEWER, User(USERNAME, b"svc-viewer3"))


@scene("the mobile X-ray logs on for its updates", "pynetdicom", ANSWERED, days=UPDATES, at="04:00")
def monthly_update(hospital: Hospital) -> None:
    ae = entity(DX1.ae_title, requested=[VERIFICATION])
    archive, user = hospital.host(VNA), passcode(hospital)
    with associated(hospital.host(DX1), ae, archive, ACR_NEMA, VNA.ae_title, ext_neg=[user.item]) as association:
        done(association.send_c_echo())


@scene(
    "a workstation searches with a Kerberos ticket",
    "pynetdicom",
    days=(0,),
    again=on(WEDNESDAY)[::2],
    at="10:50",
    synthetic=INVENTED,
)
def by_ticket(hospital: Hospital) -> None:
    search(hospital, READING, User(KERBEROS, ap_req(hospital)))


@scene(
    "the portal searches with a SAML assertion",
    "pynetdicom",
    days=(0, 58),
    again=on(FRIDAY)[::2],
    at="15:20",
    synthetic=INVENTED,
)
def by_assertion(hospital: Hospital) -> None:
    search(hospital, PORTAL, assertion(hospital))


@scene(
    "a reading program searches with a web token",
    "pynetdicom",
    days=(0, 58),
    again=on(FRIDAY)[::2],
    at="15:40",
    synthetic=INVENTED,
)
def by_web_token(hospital: Hospital) -> None:
    search(hospital, AI, web_token(hospital))


@scene(
    "a reviewer searches inside TLS, as a user of each kind",
    "pynetdicom",
    ANSWERED,
    days=(6,),
    again=(76,),
    at="16:00",
    synthetic=INVENTED,
)
def inside_tls(hospital: Hospital) -> None:
    keys = hospital.find(Radiology)
    made = context(ssl.PROTOCOL_TLS_CLIENT, ssl.TLSVersion.TLSv1_2, None, str(keys.root))
    users = (
        User(USERNAME, b"svc-review1"),
        User(PASSCODE, b"svc-review1", hospital.canaries.token("review-passcode", 14).encode()),
        User(KERBEROS, ap_req(hospital)),
        assertion(hospital),
        web_token(hospital),
    )
    for user in users:
        search(hospital, REVIEW, user, DICOM_TLS, tls_args=(made, OF_VNA))
