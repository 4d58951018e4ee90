"""User identity negotiation, types 1 to 5 (PS3.7 D.3.3.7), answered, unanswered and refused."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from _archive import DICOM, ORTHANC, Route, call, orthanc
from _der import Node
from _fleet import CT, PACS, VIEWER
from _lab import Lab, scenario
from _objects import image, save
from _pynet import answering_user_names, associated, attempt, entity, serving
from pynetdicom import evt
from pynetdicom.pdu_primitives import UserIdentityNegotiation

if TYPE_CHECKING:
    from pynetdicom.events import Event

VERIFICATION = "1.2.840.10008.1.1"
USERNAME, PASSCODE, KERBEROS, SAML, JWT = 1, 2, 3, 4, 5
ANSWERED = "its answer to types 1 and 2 added by pcaps/lab/_pynet.py"
SERVER_RESPONSE = {KERBEROS: b"ap-rep", SAML: b"saml-response", JWT: b"jwt-response"}


@dataclass(frozen=True)
class Offer:
    """One user identity as the requestor sends it, and what the acceptor makes of it."""

    kind: int
    primary: bytes
    secondary: bytes = b""
    response_wanted: bool = True
    verified: bool = True


def negotiate(lab: Lab, offer: Offer) -> None:
    """Record one association with a user identity and a C-ECHO when it is accepted."""
    viewer, archive = lab.host(VIEWER), lab.host(PACS)
    item = UserIdentityNegotiation()
    item.user_identity_type, item.positive_response_requested = offer.kind, offer.response_wanted
    item.primary_field = offer.primary
    if offer.kind == PASSCODE:
        item.secondary_field = offer.secondary

    def judge(_event: Event) -> tuple[bool, bytes | None]:
        return offer.verified, SERVER_RESPONSE.get(offer.kind, b"") if offer.response_wanted else None

    server, client = entity(PACS.ae_title, supported=[VERIFICATION]), entity(VIEWER.ae_title, requested=[VERIFICATION])
    with lab.capture(), answering_user_names(), serving(archive, server, DICOM, [(evt.EVT_USER_ID, judge)]):
        if not offer.verified:
            attempt(viewer, client, archive, DICOM, PACS.ae_title, ext_neg=[item])
            return
        with associated(viewer, client, archive, DICOM, PACS.ae_title, ext_neg=[item]) as association:
            association.send_c_echo()


@scenario(
    "dicom/user_identity_1",
    "User identity type 1: a user name, no proof; positive response.",
    "pynetdicom",
    ANSWERED,
    expect=("principal svc-viewer3", "DCM-004", "item 59H with an empty response"),
)
def username(lab: Lab) -> None:
    negotiate(lab, Offer(USERNAME, b"svc-viewer3"))


@scenario(
    "dicom/user_identity_1_silent",
    "User identity type 1, no response asked for.",
    "pynetdicom",
    expect=("58H without 59H: offered, not verified",),
)
def username_silent(lab: Lab) -> None:
    negotiate(lab, Offer(USERNAME, b"svc-viewer3", response_wanted=False))


@scenario(
    "dicom/user_identity_2",
    "User identity type 2: a nurse's user name and passcode in clear; positive response.",
    "pynetdicom",
    ANSWERED,
    expect=("DCM-003", "the passcode leaves as a digest only"),
)
def passcode(lab: Lab) -> None:
    secret = lab.canaries.token("passcode", 14)
    negotiate(lab, Offer(PASSCODE, b"nurse-station-7", secret.encode()))


@scenario(
    "dicom/user_identity_2_same",
    "User identity type 2: the passcode equals the user name.",
    "pynetdicom",
    ANSWERED,
    expect=("secret class same_as_principal",),
)
def passcode_same(lab: Lab) -> None:
    negotiate(lab, Offer(PASSCODE, b"syngo-svc", b"syngo-svc"))


@scenario(
    "dicom/user_identity_2_refused",
    "User identity type 2, a wrong passcode: the association is rejected.",
    "pynetdicom",
    expect=("outcome rejected", "A-ASSOCIATE-RJ result 2, source 2, reason 1"),
)
def passcode_refused(lab: Lab) -> None:
    secret = lab.canaries.token("passcode", 14)
    negotiate(lab, Offer(PASSCODE, b"nurse-station-7", secret.encode(), verified=False))


def dcmtk_against_orthanc(lab: Lab, *identity: str) -> None:
    """Store one object with DCMTK's user identity options at an Orthanc, which ignores them."""
    modality, archive = lab.host(CT), lab.host(PACS)
    orthanc(lab, archive, PACS.ae_title)
    path = save(image(CT, lab.canaries, side=16), lab.workdir / "object.dcm")
    with lab.capture():
        call(
            lab,
            Route(modality, CT.ae_title, archive, PACS.ae_title, ORTHANC),
            "storescu",
            "-R",
            *identity,
            files=[path],
        )


@scenario(
    "dicom/user_identity_2_ignored",
    "User identity type 2 from DCMTK to an Orthanc that ignores it.",
    "DCMTK",
    "pydicom",
    expect=("58H without 59H, association accepted, C-STORE status 0000",),
)
def passcode_ignored(lab: Lab) -> None:
    dcmtk_against_orthanc(lab, "-usr", "ct-service", "-pwd", lab.canaries.token("passcode", 12))


@scenario(
    "dicom/user_identity_2_empty",
    "User identity type 2 with an empty passcode.",
    "DCMTK",
    "pydicom",
    expect=("secret class empty",),
)
def passcode_empty(lab: Lab) -> None:
    dcmtk_against_orthanc(lab, "-usr", "ct-service", "-epw")


def kerberos_name(kind: int, *parts: bytes) -> Node:
    """Return a PrincipalName (RFC 4120 5.2.2)."""
    names = Node(0x30, children=[Node(0x1B, part) for part in parts])
    return Node(0x30, children=[Node(0xA0, children=[Node(0x02, bytes([kind]))]), Node(0xA1, children=[names])])


def encrypted(etype: int, cipher: bytes) -> Node:
    """Return an EncryptedData (RFC 4120 5.2.9)."""
    return Node(
        0x30,
        children=[
            Node(0xA0, children=[Node(0x02, bytes([etype]))]),
            Node(0xA1, children=[Node(0x02, b"\x03")]),
            Node(0xA2, children=[Node(0x04, cipher)]),
        ],
    )


def ap_req(lab: Lab) -> bytes:
    """Return an AP-REQ (RFC 4120 5.5.1) of which the encrypted parts are canaries, so nobody can have issued it."""
    ticket = Node(
        0x61,
        children=[
            Node(
                0x30,
                children=[
                    Node(0xA0, children=[Node(0x02, b"\x05")]),
                    Node(0xA1, children=[Node(0x1B, b"AD.HOSPITAL.EXAMPLE")]),
                    Node(0xA2, children=[kerberos_name(2, b"dicom", b"archive.hospital.example")]),
                    Node(0xA3, children=[encrypted(18, lab.canaries.token("ticket", 50).encode())]),
                ],
            )
        ],
    )
    authenticator = encrypted(18, lab.canaries.token("authenticator", 40).encode())
    fields = [Node(0x02, b"\x05"), Node(0x02, b"\x0e"), Node(0x03, b"\0\0\0\0\0"), ticket, authenticator]
    return Node(
        0x6E, children=[Node(0x30, children=[Node(0xA0 + n, children=[value]) for n, value in enumerate(fields)])]
    ).encode()


@scenario(
    "dicom/user_identity_3",
    "User identity type 3: a Kerberos AP-REQ; server response.",
    "pynetdicom",
    "an AP-REQ invented by pcaps/lab/record_dicom_identity.py",
    expect=("realm AD.HOSPITAL.EXAMPLE, service dicom/archive.hospital.example, etype 18", "59H with 6 bytes"),
)
def kerberos(lab: Lab) -> None:
    negotiate(lab, Offer(KERBEROS, ap_req(lab)))


@scenario(
    "dicom/user_identity_4",
    "User identity type 4: a SAML assertion in clear; server response.",
    "pynetdicom",
    "an assertion invented by pcaps/lab/record_dicom_identity.py",
    expect=("issuer https://idp.hospital.example", "NotOnOrAfter 2026-12-31T00:00:00Z", "DCM-005"),
)
def saml(lab: Lab) -> None:
    person, signature = lab.canaries.token("subject"), lab.canaries.token("signature", 40)
    assertion = (
        '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0" '
        f'ID="_{lab.canaries.token("assertion")}" IssueInstant="2026-11-23T08:00:00Z">'
        "<saml:Issuer>https://idp.hospital.example</saml:Issuer>"
        '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignatureValue>'
        f"{signature}</ds:SignatureValue></ds:Signature>"
        f"<saml:Subject><saml:NameID>{person}</saml:NameID></saml:Subject>"
        '<saml:Conditions NotBefore="2026-11-23T08:00:00Z" NotOnOrAfter="2026-12-31T00:00:00Z"/>'
        "</saml:Assertion>"
    )
    negotiate(lab, Offer(SAML, assertion.encode()))


def segment(data: bytes) -> str:
    """Return base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(lab: Lab, algorithm: str, signature: bytes) -> bytes:
    """Return a JSON Web Token with a canary as subject."""
    claims = {
        "iss": "https://idp.hospital.example",
        "aud": "archive",
        "iat": 1795424400,
        "exp": 1798761600,
        "sub": lab.canaries.token("subject"),
        "name": f"Invented {lab.canaries.token('name')}",
    }
    payload = lab.canaries.plant(segment(json.dumps(claims).encode()))
    sealed = lab.canaries.plant(segment(signature)) if signature else ""
    return f"{segment(json.dumps({'alg': algorithm, 'typ': 'JWT'}).encode())}.{payload}.{sealed}".encode()


@scenario(
    "dicom/user_identity_5",
    "User identity type 5: a JSON Web Token in clear; server response.",
    "pynetdicom",
    "a token invented by pcaps/lab/record_dicom_identity.py",
    expect=("alg HS256, iss https://idp.hospital.example, exp 2027-01-01T00:00:00Z", "DCM-005"),
)
def json_web_token(lab: Lab) -> None:
    negotiate(lab, Offer(JWT, jwt(lab, "HS256", lab.canaries.token("signature", 32).encode())))


@scenario(
    "dicom/user_identity_5_none",
    "User identity type 5: an unsigned JSON Web Token, no response.",
    "pynetdicom",
    "a token invented by pcaps/lab/record_dicom_identity.py",
    expect=("alg none",),
)
def json_web_token_unsigned(lab: Lab) -> None:
    negotiate(lab, Offer(JWT, jwt(lab, "none", b""), response_wanted=False))
