"""Associations: asked for, granted, refused, and who was said to ask. PDUs are made by pynetdicom."""

from __future__ import annotations

import base64
import json

import pytest
from pynetdicom.pdu_primitives import (
    AsynchronousOperationsWindowNegotiation,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
)

from parsers.core import Anomaly, Authentication, Channel, Outcome, Side
from tests.parsers import _dicom as dicom


def identity(kind: int, primary: bytes, secondary: bytes = b"", *, response: bool = True) -> UserIdentityNegotiation:
    item = UserIdentityNegotiation()
    item.user_identity_type, item.primary_field = kind, primary
    item.positive_response_requested = response
    if secondary:
        item.secondary_field = secondary
    return item


def server_response() -> UserIdentityNegotiation:
    item = UserIdentityNegotiation()
    item.server_response = b"\0\0"
    return item


def authentications(found, mechanism: str) -> list[Authentication]:
    return [fact for fact in found if isinstance(fact, Authentication) and fact.mechanism == mechanism]


def test_request_tells_who_asks_and_for_what():
    found = dicom.facts((0, dicom.associate()))
    told = dicom.attributes(found)
    assert told["dicom.calling_ae_title"] == ["CT01"]
    assert told["dicom.called_ae_title"] == ["ARCHIVE"]
    assert told["dicom.proposed_abstract_syntax"] == [dicom.VERIFICATION, dicom.CT, dicom.MR]
    assert told["dicom.proposed_transfer_syntax"] == ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]
    assert told["dicom.max_pdu_length"] == ["16382"]
    assert told["dicom.implementation_class_uid"] == ["1.2.3.4.5"]
    assert told["dicom.implementation_version_name"] == ["TESTSTACK_1"]
    sides = {fact.name: fact.subject.side for fact in found if hasattr(fact, "name")}
    assert sides["dicom.called_ae_title"] is Side.RESPONDER
    assert {side for name, side in sides.items() if name != "dicom.called_ae_title"} == {Side.INITIATOR}
    assert [fact.outcome for fact in authentications(found, "ae-title")] == [Outcome.UNKNOWN]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_agreement_is_told_whichever_lane_is_read_first(order):
    turns = [
        (0, dicom.associate()),
        (1, dicom.associate(answer=True, contexts=dicom.answered_contexts((0, 0, 3)))),
    ]
    found = dicom.facts(*(turns[at] for at in order))
    told = dicom.attributes(found)
    assert told["dicom.accepted_abstract_syntax"] == [dicom.VERIFICATION, dicom.CT]
    assert told["dicom.accepted_transfer_syntax"] == ["1.2.840.10008.1.2.1"]
    assert told["dicom.presentation_result"] == [f"{dicom.MR} abstract_syntax_not_supported"]
    assert [fact.outcome for fact in authentications(found, "ae-title")] == [Outcome.ACCEPTED]
    (channel,) = [fact for fact in found if isinstance(fact, Channel)]
    assert (channel.version, channel.encrypted, channel.client_authenticated) == ("DICOM UL 1", False, False)
    assert channel.subject.side is Side.RESPONDER


def test_answer_alone_tells_of_the_acceptor_only():
    found = dicom.facts((1, dicom.associate(answer=True, contexts=dicom.answered_contexts())))
    told = dicom.attributes(found)
    assert "dicom.calling_ae_title" not in told
    assert "dicom.accepted_abstract_syntax" not in told
    assert told["dicom.implementation_class_uid"] == ["1.2.3.4.5"]
    assert not authentications(found, "ae-title")
    (channel,) = [fact for fact in found if isinstance(fact, Channel)]
    assert channel.client_authenticated is None


def test_acceptance_is_proven_by_use_where_the_answer_was_not_seen():
    found = dicom.facts((0, dicom.associate()), (0, dicom.message("C_ECHO_RQ", AffectedSOPClassUID=dicom.VERIFICATION)))
    assert [fact.outcome for fact in authentications(found, "ae-title")] == [Outcome.ACCEPTED]
    assert len([fact for fact in found if isinstance(fact, Channel)]) == 1


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ((1, 1, 3), ("rejected_permanent", "service_user", "calling_ae_title_not_recognized")),
        ((1, 1, 7), ("rejected_permanent", "service_user", "called_ae_title_not_recognized")),
        ((1, 2, 2), ("rejected_permanent", "service_provider_acse", "protocol_version_not_supported")),
        ((2, 3, 1), ("rejected_transient", "service_provider_presentation", "temporary_congestion")),
    ],
)
def test_rejection_is_told_by_name(numbers, names):
    found = dicom.facts((0, dicom.associate()), (1, dicom.reject(*numbers)))
    (told,) = authentications(found, "ae-title")
    assert told.outcome is Outcome.REJECTED
    assert (told.details["result"], told.details["source"], told.details["reason"]) == names
    assert dicom.attributes(found)["dicom.reject"] == [" ".join(names)]
    assert not [fact for fact in found if isinstance(fact, Channel)]


def test_passcode_leaves_as_a_secret_only():
    found = dicom.facts((0, dicom.associate(items=[identity(2, b"nurse", b"canary-passcode")])))
    (told,) = authentications(found, "dicom-username-passcode")
    assert (told.principal, told.outcome) == ("nurse", Outcome.UNKNOWN)
    assert told.secret is not None
    assert told.secret.reveal() == b"canary-passcode"
    assert "canary-passcode" not in repr(found)


@pytest.mark.parametrize(("response", "outcome"), [(True, Outcome.ACCEPTED), (False, Outcome.UNKNOWN)])
def test_identity_is_accepted_only_by_a_server_response(response, outcome):
    items = [server_response()] if response else []
    found = dicom.facts(
        (0, dicom.associate(items=[identity(1, b"nurse")])),
        (1, dicom.associate(answer=True, items=items, contexts=dicom.answered_contexts())),
        (0, dicom.message("C_ECHO_RQ", AffectedSOPClassUID=dicom.VERIFICATION)),
    )
    (told,) = authentications(found, "dicom-username")
    assert (told.outcome, told.details.get("server_response")) == (outcome, True if response else None)
    (channel,) = [fact for fact in found if isinstance(fact, Channel)]
    assert channel.client_authenticated is None


def test_identity_is_rejected_with_the_association():
    found = dicom.facts((0, dicom.associate(items=[identity(2, b"nurse", b"wrong")])), (1, dicom.reject(1, 1, 1)))
    (told,) = authentications(found, "dicom-username-passcode")
    assert told.outcome is Outcome.REJECTED


def part(claims: dict[str, object]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")


def test_token_tells_algorithm_issuer_and_lifetime_and_never_its_subject():
    token = b".".join(
        [part({"alg": "RS256"}), part({"iss": "idp.example", "sub": "CANARY-PERSON", "iat": 1000, "exp": 4600}), b"sig"]
    )
    found = dicom.facts((0, dicom.associate(items=[identity(5, token)])))
    (told,) = authentications(found, "dicom-jwt")
    assert told.principal is None
    assert told.details == {"response_requested": True, "alg": "RS256", "issuer": "idp.example", "lifetime_s": 3600}
    assert told.secret is not None
    assert told.secret.reveal() == token
    assert "CANARY" not in repr(found)


@pytest.mark.parametrize(
    "token",
    [
        b"", b".", b"..", b"a.b.c", b"\xff.\xfe.\xfd", part({"alg": 7}) + b"." + part({"iss": [], "exp": "x"}) + b".s",
        part({"alg": "x"}) + b"." + base64.urlsafe_b64encode(b"[" * 20_000) + b".s",
        part({"alg": "x"}) + b"." + base64.urlsafe_b64encode(b'{"exp":1e308,"iat":-1e308}') + b".s",
    ],
)  # fmt: skip
def test_broken_tokens_are_told_without_details(token):
    found = dicom.facts((0, dicom.associate(items=[identity(5, token or b"\0")])))
    (told,) = authentications(found, "dicom-jwt")
    assert set(told.details) <= {"response_requested", "alg"}


def test_assertion_tells_its_issuer_and_never_its_subject():
    assertion = (
        b'<saml2:Assertion xmlns:saml2="x" ID="_1"><saml2:Issuer Format="x"> https://idp.example\n</saml2:Issuer>'
        b"<saml2:Subject><saml2:NameID>CANARY-PERSON</saml2:NameID></saml2:Subject>"
        b'<saml2:Conditions NotBefore="2026-01-01T00:00:00Z" NotOnOrAfter="2026-01-01T00:05:00Z"/></saml2:Assertion>'
    )
    found = dicom.facts((0, dicom.associate(items=[identity(4, assertion)])))
    (told,) = authentications(found, "dicom-saml")
    assert told.details == {"response_requested": True, "issuer": "https://idp.example", "lifetime_s": 300}
    assert told.principal is None
    assert "CANARY" not in repr(found)


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = bytes([len(content)]) if len(content) < 128 else b"\x82" + len(content).to_bytes(2, "big")
    return bytes([tag]) + length + content


def ap_req() -> bytes:
    """AP-REQ of RFC 4120 5.5.1."""
    names = der(0x30, der(0x1B, b"dicom"), der(0x1B, b"archive.example"))
    service = der(0x30, der(0xA0, der(0x02, b"\x02")), der(0xA1, names))
    sealed = der(0x30, der(0xA0, der(0x02, b"\x17")), der(0xA2, der(0x04, b"CANARY-TICKET" * 20)))
    ticket = der(
        0x61,
        der(
            0x30,
            der(0xA0, der(0x02, b"\x05")),
            der(0xA1, der(0x1B, b"EXAMPLE.ORG")),
            der(0xA2, service),
            der(0xA3, sealed),
        ),
    )
    fields = [der(0xA0, der(0x02, b"\x05")), der(0xA1, der(0x02, b"\x0e")), der(0xA2, der(0x03, b"\0\0\0\0\0"))]
    return der(0x6E, der(0x30, *fields, der(0xA3, ticket), der(0xA4, sealed)))


@pytest.mark.parametrize("framed", [False, True])
def test_ticket_tells_realm_service_and_encryption_and_is_dropped(framed):
    token = der(0x60, der(0x06, b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"), b"\x01\x00", ap_req()) if framed else ap_req()
    found = dicom.facts((0, dicom.associate(items=[identity(3, token)])))
    (told,) = authentications(found, "dicom-kerberos")
    assert (told.principal, told.realm, told.secret) == (None, "EXAMPLE.ORG", None)
    assert told.details == {"response_requested": True, "service": "dicom/archive.example", "etype": 23}
    assert "CANARY" not in repr(found)


def test_broken_ticket_is_told_without_details():
    for cut in range(1, len(ap_req())):
        (told,) = authentications(
            dicom.facts((0, dicom.associate(items=[identity(3, ap_req()[:cut])]))), "dicom-kerberos"
        )
        assert told.secret is None


def test_negotiation_items():
    window = AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked, window.maximum_number_operations_performed = 5, 0
    extended = SOPClassExtendedNegotiation()
    extended.sop_class_uid, extended.service_class_application_information = dicom.CT, b"\x01"
    common = SOPClassCommonExtendedNegotiation()
    common.sop_class_uid, common.service_class_uid = dicom.CT, "1.2.840.10008.4.2"
    items = [
        window,
        extended,
        common,
        dicom.role(dicom.CT, scu=True, scp=True),
        dicom.role(dicom.MR, scu=False, scp=True),
    ]
    told = dicom.attributes(dicom.facts((0, dicom.associate(items=items))))
    assert told["dicom.async_operations"] == ["5/0"]
    assert told["dicom.sop_class_extended_negotiation"] == [dicom.CT]
    assert told["dicom.sop_class_common_extended_negotiation"] == [f"{dicom.CT} 1.2.840.10008.4.2"]
    assert told["dicom.role"] == [f"{dicom.CT} SCU SCP", f"{dicom.MR} SCP"]


def test_abort_is_told_of_who_aborts():
    found = dicom.facts((0, dicom.associate()), (1, dicom.abort()))
    assert dicom.attributes(found)["dicom.abort"] == ["service_user"]
    provider = dicom.facts((0, dicom.associate()), (1, bytes.fromhex("07000000000400000202")))
    assert dicom.attributes(provider)["dicom.abort"] == ["service_provider unexpected_pdu"]


def test_request_with_128_contexts_and_large_token_is_read():
    contexts = []
    for at in range(128):
        (context,) = dicom.default_contexts()[:1]
        context.context_id, context.abstract_syntax = 2 * at + 1, f"1.2.840.10008.5.1.4.1.1.{at + 1}"
        contexts.append(context)
    request = dicom.associate(contexts=contexts, items=[identity(4, b"<Issuer>idp</Issuer>" + b"x" * 40_000)])
    assert len(request) > 48_000
    found = dicom.facts((0, request), step=1_400)
    assert len(dicom.attributes(found)["dicom.proposed_abstract_syntax"]) == 128
    (told,) = authentications(found, "dicom-saml")
    assert told.details["issuer"] == "idp"


def test_wrong_side_is_an_anomaly_of_that_lane_only():
    answer = dicom.associate(answer=True, contexts=dicom.answered_contexts())
    found = dicom.facts((0, dicom.associate() + answer), (1, answer))
    assert [fact.subject.side for fact in found if isinstance(fact, Anomaly)] == [Side.INITIATOR]
    assert "dicom.accepted_abstract_syntax" in dicom.attributes(found)
