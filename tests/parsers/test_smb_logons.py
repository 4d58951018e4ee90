"""SMB 2 and 3: who logs on, whether that is accepted, and that nothing is whose answer was not seen."""

from __future__ import annotations

import pytest

from parsers.core import Anomaly, Outcome
from tests.parsers import _smb as smb
from tests.parsers._smb import ERROR, INITIATOR, LOGON_FAILURE, MORE, PENDING, RESPONDER, logged_on, negotiated, smb2

TARGET = {"target_name": "FS1", "target_domain": "WARD"}


def test_a_logon_that_is_accepted() -> None:
    wire = logged_on(negotiated()).end()
    (logon,) = wire.logons
    assert (logon.mechanism, logon.principal, logon.realm) == ("ntlm", "svc-ct", "WARD")
    assert (logon.outcome, logon.subject) == (Outcome.ACCEPTED, wire.session.talk.me(INITIATOR))
    said = {
        "version": "NTLMv2",
        "workstation": "CT1",
        "mic": True,
        "target_spn": "cifs/fs1",
        "status": "STATUS_SUCCESS",
    }
    assert logon.details == said | TARGET


def test_a_logon_that_is_refused() -> None:
    (logon,) = logged_on(negotiated(), status=LOGON_FAILURE).end().logons
    assert (logon.outcome, logon.details["status"]) == (Outcome.REJECTED, "STATUS_LOGON_FAILURE")


def test_a_status_without_a_name() -> None:
    (logon,) = logged_on(negotiated(), status=0xC0DE1234).end().logons
    assert (logon.outcome, logon.details["status"]) == (Outcome.REJECTED, "0xC0DE1234")


@pytest.mark.parametrize(("flags", "said"), [(1, {"guest"}), (2, {"null"}), (0, set())])
def test_guests_and_nobodies(flags: int, said: set[str]) -> None:
    (logon,) = logged_on(negotiated(), flags=flags).logons
    assert {name for name in ("guest", "null") if logon.details.get(name) is True} == said


def test_no_answer_is_unknown() -> None:
    wire = negotiated()
    wire.asks(smb2(1, smb.set_up(smb.response(None, b"", smb.ntlm_authenticate())), message=2, session=5)).end()
    (logon,) = wire.logons
    assert (logon.outcome, "status" in logon.details) == (Outcome.UNKNOWN, False)


def test_pending_is_no_answer() -> None:
    wire = negotiated()
    wire.asks(smb2(1, smb.set_up(smb.ntlm_authenticate()), message=2, session=5))
    wire.answers(smb2(1, ERROR, message=2, session=5, status=PENDING, answer=True, flags=2))
    assert wire.logons == []
    wire.answers(smb2(1, ERROR, message=2, session=5, status=LOGON_FAILURE, answer=True, flags=2))
    assert smb.outcomes(wire) == [("svc-ct", "rejected")]


def test_more_processing_is_no_answer() -> None:
    wire = negotiated()
    wire.asks(smb2(1, smb.set_up(smb.ntlm_authenticate()), message=2, session=5))
    wire.answers(smb2(1, smb.set_up_answer(), message=2, session=5, status=MORE, answer=True)).end()
    assert smb.outcomes(wire) == [("svc-ct", "unknown")]


def test_the_answer_may_be_read_first() -> None:
    wire = negotiated()
    wire.answers(smb2(1, smb.set_up_answer(), message=2, session=5, answer=True))
    wire.asks(smb2(1, smb.set_up(smb.ntlm_authenticate()), message=2, session=5))
    assert smb.outcomes(wire) == [("svc-ct", "accepted")]


def test_ids_survive_a_gap() -> None:
    wire = negotiated()
    wire.asks(smb2(1, smb.set_up(smb.ntlm_authenticate()), message=2, session=5))
    wire.gap(RESPONDER).answers(smb2(1, smb.set_up_answer(), message=2, session=5, answer=True))
    assert smb.outcomes(wire) == [("svc-ct", "accepted")]


def test_several_sessions_on_one_connection() -> None:
    wire = negotiated()
    logged_on(wire, session=5, message=1, user="svc-ct")
    logged_on(wire, session=6, message=3, user="svc-us", status=LOGON_FAILURE)
    logged_on(wire, session=7, message=5, user="svc-mr")
    assert smb.outcomes(wire) == [("svc-ct", "accepted"), ("svc-us", "rejected"), ("svc-mr", "accepted")]


def test_answers_in_another_order() -> None:
    wire = negotiated()
    for message, user in ((2, "svc-ct"), (3, "svc-us")):
        wire.asks(smb2(1, smb.set_up(smb.ntlm_authenticate(user)), message=message, session=message))
    wire.answers(smb2(1, ERROR, message=3, session=3, status=LOGON_FAILURE, answer=True))
    wire.answers(smb2(1, smb.set_up_answer(), message=2, session=2, answer=True))
    assert smb.outcomes(wire) == [("svc-us", "rejected"), ("svc-ct", "accepted")]


def test_a_second_connection_joins_a_session() -> None:
    wire = negotiated(0x0300)
    wire.asks(smb2(1, smb.set_up(smb.ntlm_authenticate(), flags=1), message=2, session=5))
    wire.answers(smb2(1, smb.set_up_answer(), message=2, session=5, answer=True))
    assert smb.outcomes(wire) == [("svc-ct", "accepted")]


def test_a_second_logon_in_the_same_session() -> None:
    wire = logged_on(logged_on(negotiated()), message=3, status=LOGON_FAILURE)
    assert smb.outcomes(wire) == [("svc-ct", "accepted"), ("svc-ct", "rejected")]


def test_a_logon_in_a_compound_of_split_frames() -> None:
    request = smb2(1, smb.set_up(smb.ntlm_authenticate()), message=2, session=5)
    padded = request + bytes(-len(request) % 8)
    first = padded[:20] + len(padded).to_bytes(4, "little") + padded[24:]
    wire = negotiated()
    whole = smb.frame(first, smb2(13, bytes(4), message=3, session=5))
    for at in range(0, len(whole), 7):
        wire.facts += wire.session.feed(INITIATOR, whole[at : at + 7], 9 + at)
    wire.answers(smb2(1, smb.set_up_answer(), message=2, session=5, answer=True))
    assert smb.outcomes(wire) == [("svc-ct", "accepted")]


def test_what_follows_the_length_of_a_packet_is_another() -> None:
    wire = negotiated()
    wire.asks(smb2(8, bytes(49), message=9, session=5))
    logged_on(wire)
    assert smb.outcomes(wire) == [("svc-ct", "accepted")]


def test_a_broken_token_costs_itself_only() -> None:
    wire = negotiated()
    wire.asks(smb2(1, smb.set_up(b"\xa1\x05\x30\x80broken"), message=1))
    logged_on(wire, message=2)
    assert smb.outcomes(wire) == [("svc-ct", "accepted")]
    assert [fact.code for fact in wire.facts if isinstance(fact, Anomaly)] == ["security_token_malformed"]


def test_a_broken_message_costs_itself_only() -> None:
    wire = negotiated()
    wire.asks(smb2(1, smb.set_up(b"x" * 40)[:30], message=1))
    logged_on(wire, message=2)
    assert smb.outcomes(wire) == [("svc-ct", "accepted")]


def test_but_not_for_ever() -> None:
    wire = negotiated()
    for message in range(40):
        wire.asks(smb2(1, b"", message=message))
    assert sum(isinstance(fact, Anomaly) for fact in wire.facts) < 20


def test_a_message_of_the_other_side_ends_the_lane() -> None:
    wire = negotiated().asks(smb2(8, answer=True))
    assert [fact.code for fact in wire.facts if isinstance(fact, Anomaly)] == ["malformed"]


def test_a_challenge_from_the_client_is_believed_of_nobody() -> None:
    wire = negotiated().asks(smb2(1, smb.set_up(smb.ntlm_challenge()), message=1))
    assert wire.values("ntlm.computer_name") == []


def test_no_proof_and_no_path_comes_out() -> None:
    wire = logged_on(negotiated())
    wire.asks(smb2(3, smb.connect(r"\\fs1\dose\Patient^Erika.dcm"), message=3, session=5))
    wire.answers(smb2(3, smb.CONNECTED, message=3, session=5, answer=True))
    wire.asks(smb2(5, bytes(56) + smb.utf16("Patient^Erika.dcm"), message=4, session=5)).end()
    text = repr(wire.facts)
    assert not any(word in text for word in ("PROOF", "NONCE", "CHALLENG", "Patient"))


# ---------------------------------------------------------------------- Kerberos


def kerberos(token: bytes, *, message: int = 1, session: int = 0) -> bytes:
    return smb2(1, smb.set_up(token), message=message, session=session)


AP_REQ = smb.init([smb.MS_KERBEROS, smb.NTLMSSP], smb.gss(smb.ap_req()))


def test_a_ticket_that_is_accepted() -> None:
    wire = negotiated().asks(kerberos(AP_REQ))
    done = smb.response(0, smb.MS_KERBEROS, smb.gss(smb.ap_rep(), b"\x02\x00"))
    wire.answers(smb2(1, smb.set_up_answer(done), message=1, session=5, answer=True)).end()
    (logon,) = wire.logons
    assert (logon.mechanism, logon.principal, logon.realm) == ("kerberos", None, "WARD.EXAMPLE")
    assert (logon.outcome, logon.details["status"]) == (Outcome.ACCEPTED, "STATUS_SUCCESS")
    assert logon.details["ticket_etype"] == "aes256-cts-hmac-sha1-96"
    assert wire.about(RESPONDER)["krb.service_principal"] == "cifs/fs1.ward.example"
    assert wire.about(RESPONDER)["krb.realm"] == "WARD.EXAMPLE"


@pytest.mark.parametrize("token", [smb.gss(smb.ap_req()), smb.ap_req()])
def test_a_ticket_without_a_negotiation(token: bytes) -> None:
    wire = negotiated().asks(kerberos(token))
    wire.answers(smb2(1, ERROR, message=1, session=5, status=LOGON_FAILURE, answer=True))
    assert [logon.outcome for logon in wire.logons] == [Outcome.REJECTED]


def test_a_ticket_in_two_legs_has_the_outcome_of_the_last() -> None:
    wire = negotiated().asks(kerberos(AP_REQ))
    more = smb.response(1, smb.MS_KERBEROS, smb.gss(smb.ap_rep(), b"\x02\x00"))
    wire.answers(smb2(1, smb.set_up_answer(more), message=1, session=5, status=MORE, answer=True))
    assert wire.logons == []
    wire.asks(kerberos(smb.response(0), message=2, session=5))
    wire.answers(smb2(1, smb.set_up_answer(), message=2, session=5, answer=True)).end()
    assert [logon.outcome for logon in wire.logons] == [Outcome.ACCEPTED]


def test_a_refused_ticket_is_refused_though_the_exchange_goes_on() -> None:
    wire = negotiated().asks(kerberos(AP_REQ))
    skew = smb.response(1, smb.MS_KERBEROS, smb.gss(smb.krb_error(37), b"\x03\x00"))
    wire.answers(smb2(1, smb.set_up_answer(skew), message=1, session=5, status=MORE, answer=True))
    (logon,) = wire.logons
    assert (logon.outcome, logon.details["krb_error"]) == (Outcome.REJECTED, "KRB_AP_ERR_SKEW")


def test_a_ticket_that_is_passed_over_for_ntlm_is_unknown() -> None:
    wire = negotiated().asks(kerberos(AP_REQ))
    other = smb.response(1, smb.NTLMSSP)
    wire.answers(smb2(1, smb.set_up_answer(other), message=1, session=5, status=MORE, answer=True))
    wire.asks(smb2(1, smb.set_up(smb.response(None, b"", smb.ntlm_negotiate())), message=2, session=5))
    challenge = smb.response(1, b"", smb.ntlm_challenge())
    wire.answers(smb2(1, smb.set_up_answer(challenge), message=2, session=5, status=MORE, answer=True))
    wire.asks(smb2(1, smb.set_up(smb.response(None, b"", smb.ntlm_authenticate())), message=3, session=5))
    wire.answers(smb2(1, smb.set_up_answer(smb.response(0)), message=3, session=5, answer=True)).end()
    found = {logon.mechanism: logon for logon in wire.logons}
    assert found["kerberos"].outcome is Outcome.UNKNOWN
    assert found["ntlm"].outcome is Outcome.ACCEPTED
    assert "target_name" not in found["kerberos"].details


@pytest.mark.parametrize("lost", [False, True])
def test_a_ticket_that_is_given_up_for_ntlm_is_unknown(lost: bool) -> None:
    """The server went on with the ticket, the client did not; also when the challenge that shows it was lost."""
    wire = negotiated().asks(kerberos(AP_REQ))
    more = smb.response(1, smb.MS_KERBEROS, smb.gss(smb.ap_rep(), b"\x02\x00"))
    wire.answers(smb2(1, smb.set_up_answer(more), message=1, session=5, status=MORE, answer=True))
    challenge = smb.set_up_answer(smb.response(1, smb.NTLMSSP, smb.ntlm_challenge()))
    if not lost:
        wire.answers(smb2(1, challenge, message=2, session=5, status=MORE, answer=True))
    wire.asks(smb2(1, smb.set_up(smb.ntlm_authenticate()), message=3, session=5))
    wire.answers(smb2(1, smb.set_up_answer(smb.response(0)), message=3, session=5, answer=True)).end()
    outcomes = {logon.mechanism: logon.outcome for logon in wire.logons}
    assert outcomes == {"kerberos": Outcome.UNKNOWN, "ntlm": Outcome.ACCEPTED}


# ---------------------------------------------------------------------- bounds


def test_open_questions_are_bounded() -> None:
    wire = negotiated()
    for message in range(2, 2_000):
        wire.asks(smb2(1, smb.set_up(smb.ntlm_authenticate()), message=message, session=message))
        wire.answers(smb2(3, smb.CONNECTED, message=message + 9_000, session=message, answer=True))
        wire.asks(smb2(3, smb.connect(rf"\\fs1\share{message}"), message=message + 90_000, session=message))
    connection = next(iter(wire.session.talk._shared.values()))
    assert len(connection._sessions) <= 256
    assert len(connection._shares) <= 256
    assert len(connection._connected) <= 256
    assert len(connection._signing) <= 256
