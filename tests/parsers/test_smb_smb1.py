"""SMB 1: dialects, the three forms of session set-up, passwords, chains, shares."""

from __future__ import annotations

import struct

import pytest

from parsers.core import Anomaly, Outcome
from parsers.smb import status
from tests.parsers import _smb as smb
from tests.parsers._smb import ACCESS_DENIED, INITIATOR, LOGON_FAILURE, MORE, RESPONDER, Wire, block, names_at, smb1

LM, NT = b"LM-RESPONSE-OF-24-BYTES-", b"NT-RESPONSE-OF-24-BYTES-"
PLAIN, USERS, SHARES, SIGN, MUST_SIGN = 1, 3, 2, 7, 15


def negotiated(mode: int = USERS, *offered: str, index: int = 0, capabilities: int = 4, **options: bool) -> Wire:
    wire = Wire(**options).asks(smb1(0x72, b"", smb.dialects(*(offered or ("NT LM 0.12",)))))
    data = b"CHALLENG" + names_at(0, "WARD", "FS1")
    return wire.answers(smb1(0x72, smb.nt_agreed(index, mode, capabilities), data, answer=True))


def asking(wire: Wire, oem: bytes = LM, unicode: bytes = NT, account: str = "svc-ct", **said: int) -> Wire:
    return wire.asks(smb1(0x73, *smb.nt_set_up(oem, unicode, account, "WARD"), **said))


def granted(wire: Wire, action: int = 0, **said: int) -> Wire:
    return wire.answers(smb1(0x73, *smb.set_up_done(action), answer=True, uid=100, **said))


def refused(wire: Wire, code: int = LOGON_FAILURE, **said: int) -> Wire:
    return wire.answers(smb1(0x73, status=code, answer=True, **said))


# ---------------------------------------------------------------------- negotiation


def test_what_both_sides_tell() -> None:
    wire = granted(asking(negotiated()))
    assert wire.about(RESPONDER) == {
        "smb.dialect": "NT LM 0.12",
        "smb.primary_domain": "WARD",
        "smb.server_name": "FS1",
        "smb.native_os": "Windows 5.1",
        "smb.native_lan_manager": "Windows 2000 LAN Manager",
    }
    assert wire.about(INITIATOR) == {
        "smb.offered_dialect": "NT LM 0.12",
        "smb.native_os": "Windows 5.1",
        "smb.native_lan_manager": "Windows 2000 LAN Manager",
    }


def test_17_words_are_nt_lm_by_any_name() -> None:
    assert negotiated(USERS, "LANMAN1.0", "NT LANMAN 1.0", "NT LM 0.12", index=1).values("smb.dialect") == [
        "NT LM 0.12"
    ]


def lanman(mode: int = USERS, index: int = 1) -> bytes:
    words = struct.pack("<HHHHHHIHHHHH", index, mode, 2_920, 2, 1, 0, 0, 0, 0, 0, 8, 0)
    return smb1(0x72, words, b"CHALLENGWARD\0", answer=True, flags2=1)


@pytest.mark.parametrize("offer_first", [True, False])
def test_lanman_is_known_by_the_offer(offer_first: bool) -> None:
    offer = smb1(0x72, b"", smb.dialects("PC NETWORK PROGRAM 1.0", "LANMAN2.1"))
    wire = Wire()
    for said in (wire.asks, wire.answers) if offer_first else (wire.answers, wire.asks):
        said(offer if said == wire.asks else lanman())
    assert wire.end().values("smb.dialect") == ["LANMAN2.1"]
    assert wire.values("smb.primary_domain") == ["WARD"]
    assert wire.channels[0].details == {"dialect": "LANMAN2.1", "security": "user"}


def test_without_the_offer_lanman_has_no_name() -> None:
    wire = Wire().answers(lanman()).end()
    assert (wire.values("smb.dialect"), wire.channels[0].details) == ([], {"security": "user"})


def test_core_has_passwords_of_shares_in_clear() -> None:
    wire = Wire().asks(smb1(0x72, b"", smb.dialects("PC NETWORK PROGRAM 1.0"), flags2=0))
    wire.answers(smb1(0x72, b"\0\0", answer=True, flags2=0)).end()
    assert wire.values("smb.dialect") == ["PC NETWORK PROGRAM 1.0"]
    (channel,) = wire.channels
    assert (channel.version, channel.signed) == ("SMB 1", "none")
    assert channel.details == {"dialect": "PC NETWORK PROGRAM 1.0", "encrypt_passwords": False, "security": "share"}


def test_no_dialect_in_common() -> None:
    wire = Wire().asks(smb1(0x72, b"", smb.dialects("XENIX CORE"))).answers(smb1(0x72, b"\xff\xff", answer=True)).end()
    assert (wire.values("smb.dialect"), wire.channels) == ([], [])


def test_a_server_that_writes_unicode_without_saying_so() -> None:
    wire = Wire().asks(smb1(0x72, b"", smb.dialects("NT LM 0.12")))
    data = b"CHALLENG" + names_at(0, "WARD", "FS1")
    wire.answers(smb1(0x72, smb.nt_agreed(), data, answer=True, flags2=0x4001))
    assert wire.values("smb.server_name") == ["FS1"]


@pytest.mark.parametrize(("mode", "signed"), [(USERS, "none"), (SIGN, "enabled"), (MUST_SIGN, "required")])
def test_signing_of_the_server(mode: int, signed: str) -> None:
    assert [channel.signed for channel in granted(asking(negotiated(mode))).channels] == [signed]


@pytest.mark.parametrize(("flags2", "signing"), [(0xC001, "none"), (0xC005, "enabled"), (0xC015, "required")])
def test_signing_of_the_client(flags2: int, signing: str) -> None:
    (channel,) = granted(asking(negotiated(SIGN), flags2=flags2)).channels
    assert channel.details["client_signing"] == signing


# ---------------------------------------------------------------------- set-ups without a token


def test_a_logon_that_is_accepted() -> None:
    wire = granted(asking(negotiated()))
    (logon,) = wire.logons
    assert (logon.mechanism, logon.principal, logon.realm, logon.secret) == ("ntlm", "svc-ct", "WARD", None)
    assert (logon.outcome, logon.details) == (
        Outcome.ACCEPTED, {"version": "NTLMv1", "lm_response": True, "status": "STATUS_SUCCESS"},
    )  # fmt: skip
    assert not any(word in repr(wire.facts) for word in ("RESPONSE", "CHALLENG"))


def test_a_logon_that_is_refused() -> None:
    (logon,) = refused(asking(negotiated())).logons
    assert (logon.outcome, logon.details["status"]) == (Outcome.REJECTED, "STATUS_LOGON_FAILURE")


def test_a_status_of_old_servers() -> None:
    (logon,) = refused(asking(negotiated()), 2 | 2 << 16, flags2=1).logons
    assert (logon.outcome, logon.details["status"]) == (Outcome.REJECTED, "ERRSRV/ERRbadpw")


def test_a_guest() -> None:
    (logon,) = granted(asking(negotiated()), 1).logons
    assert (logon.outcome, logon.details["guest"]) == (Outcome.ACCEPTED, True)


@pytest.mark.parametrize(
    ("oem", "unicode", "version"),
    [(b"", smb.ntlmv2(), "NTLMv2"), (LM, b"", "LM"), (NT, NT, "NTLMv1"), (b"\0", b"\0\0", "none")],
)
def test_versions(oem: bytes, unicode: bytes, version: str) -> None:
    assert granted(asking(negotiated(), oem, unicode)).logons[0].details["version"] == version


def test_nobody() -> None:
    wire = granted(asking(negotiated(), b"\0", b"", ""))
    assert [(logon.principal, logon.details["version"]) for logon in wire.logons] == [(None, "anonymous")]


def test_lanman_set_up() -> None:
    wire = Wire().asks(smb1(0x72, b"", smb.dialects("LANMAN1.0"))).answers(lanman(index=0))
    wire.asks(smb1(0x73, *smb.lanman_set_up(LM, "SVC-CT", "WARD"), flags2=1))
    wire.answers(smb1(0x73, *smb.set_up_done(), answer=True, uid=100))
    assert [(logon.principal, logon.details["version"]) for logon in wire.logons] == [("SVC-CT", "LM")]
    assert wire.about(INITIATOR)["smb.native_os"] == "DOS"


@pytest.mark.parametrize(
    ("oem", "unicode", "password"),
    [
        (b"hunter2\0", b"", b"hunter2"),
        (b"", smb.utf16("hunter2") + b"\0\0", b"hunter2"),
        (b"hunter2", smb.utf16("hunt\xe9r2"), "hunt\xe9r2".encode()),
        (b"\0", b"", b""),
    ],
)
def test_a_password_in_clear(oem: bytes, unicode: bytes, password: bytes) -> None:
    wire = refused(asking(negotiated(PLAIN), oem, unicode))
    (logon,) = wire.logons
    assert (logon.mechanism, logon.principal, logon.outcome) == ("smb-plaintext", "svc-ct", Outcome.REJECTED)
    assert logon.secret is not None
    assert logon.secret.reveal() == password
    assert "hunt" not in repr(wire.facts)
    assert wire.end().channels[0].details["encrypt_passwords"] is False


@pytest.mark.parametrize(("oem", "unicode"), [(LM, NT), (b"", smb.ntlmv2())])
def test_responses_where_a_password_was_asked_for_are_dropped(oem: bytes, unicode: bytes) -> None:
    (logon,) = granted(asking(negotiated(PLAIN), oem, unicode)).logons
    assert (logon.mechanism, logon.secret) == ("ntlm", None)


def test_nobody_says_whether_it_is_a_password() -> None:
    assert granted(asking(Wire(midstream=True), b"hunter2", b"")).end().logons == []
    assert [logon.mechanism for logon in granted(asking(Wire(midstream=True))).logons] == ["ntlm"]


# ---------------------------------------------------------------------- set-ups with a token


def with_token(wire: Wire, user: str = "svc-ct") -> Wire:
    wire.asks(smb1(0x73, *smb.token_set_up(smb.init([smb.NTLMSSP], smb.ntlm_negotiate())), flags2=0xC801))
    challenge = smb.token_done(smb.response(1, smb.NTLMSSP, smb.ntlm_challenge()))
    wire.answers(smb1(0x73, *challenge, status=MORE, answer=True, uid=100, flags2=0xC801))
    proof = smb.token_set_up(smb.response(None, b"", smb.ntlm_authenticate(user)))
    return wire.asks(smb1(0x73, *proof, uid=100, mid=2, flags2=0xC801))


def extended() -> Wire:
    wire = Wire().asks(smb1(0x72, b"", smb.dialects("NT LM 0.12"), flags2=0xC801))
    data = smb.GUID + smb.init([smb.NTLMSSP], hints=True)
    words = smb.nt_agreed(capabilities=0x80000004, challenge=b"")
    return wire.answers(smb1(0x72, words, data, answer=True, flags2=0xC801))


def test_a_token_that_is_accepted() -> None:
    wire = with_token(extended())
    wire.answers(smb1(0x73, *smb.token_done(smb.response(0)), answer=True, uid=100, mid=2, flags2=0xC801))
    (logon,) = wire.logons
    assert (logon.principal, logon.outcome, logon.details["target_name"]) == ("svc-ct", Outcome.ACCEPTED, "FS1")
    assert wire.about(RESPONDER)["smb.primary_domain"] == "WARD"
    assert wire.about(RESPONDER)["smb.server_guid"].startswith("04030201-")
    assert wire.values("smb.offered_mechanism") == ["NTLMSSP", "NTLMSSP"]


def test_a_token_that_is_refused() -> None:
    wire = with_token(extended())
    wire.answers(smb1(0x73, status=LOGON_FAILURE, answer=True, uid=100, mid=2, flags2=0xC801))
    assert smb.outcomes(wire) == [("svc-ct", "rejected")]


# ---------------------------------------------------------------------- ids


def test_answers_in_another_order() -> None:
    wire = negotiated()
    asking(wire, account="svc-ct", mid=1)
    asking(wire, account="svc-mr", mid=2)
    granted(refused(wire, mid=2), mid=1)
    assert smb.outcomes(wire) == [("svc-mr", "rejected"), ("svc-ct", "accepted")]


def test_ids_that_come_again() -> None:
    wire = negotiated()
    for account in ("svc-ct", "svc-mr"):
        granted(asking(wire, account=account))
    assert smb.outcomes(wire) == [("svc-ct", "accepted"), ("svc-mr", "accepted")]


def test_servers_that_repeat_the_mid_alone() -> None:
    wire = granted(asking(negotiated(SHARES), b"\0", b"", "", pid=7), pid=9)
    wire.asks(smb1(0x75, *smb.connect1(r"\\FS1\DOSE", LM), mid=3, pid=7))
    wire.answers(smb1(0x75, *smb.CONNECTED1, answer=True, mid=3, pid=9))
    assert [logon.outcome for logon in wire.logons] == [Outcome.ACCEPTED, Outcome.ACCEPTED]
    assert wire.values("smb.share") == ["DOSE"]


def test_processes_are_told_apart() -> None:
    wire = negotiated()
    asking(wire, account="svc-ct", pid=7)
    asking(wire, account="svc-mr", pid=9)
    granted(refused(wire, pid=7), pid=9)
    assert smb.outcomes(wire) == [("svc-ct", "rejected"), ("svc-mr", "accepted")]


def test_an_answer_does_not_wait_for_a_question_with_the_same_id() -> None:
    wire = refused(asking(granted(negotiated()), account="svc-mr"))
    assert smb.outcomes(wire) == [("svc-mr", "rejected")]


@pytest.mark.parametrize("side", [INITIATOR, RESPONDER])
def test_a_gap_leaves_questions_unknown(side: int) -> None:
    wire = granted(asking(negotiated()).gap(side)).end()
    assert smb.outcomes(wire) == [("svc-ct", "unknown")]


# ---------------------------------------------------------------------- shares and chains


def chain(path: str = r"\\FS1\DOSE") -> bytes:
    words, data = smb.nt_set_up(LM, NT, "svc-ct", "WARD", andx=0x75, offset=0)
    offset = 32 + 1 + len(words) + 2 + len(data)
    words, data = smb.nt_set_up(LM, NT, "svc-ct", "WARD", andx=0x75, offset=offset)
    return smb1(0x73, words, data, tail=block(*smb.connect1(path, base=offset)))


def chain_done(*, code: int = 0, connected: bool = True) -> bytes:
    words, data = smb.set_up_done(andx=0x75)
    offset = 32 + 1 + len(words) + 2 + len(data)
    words, data = smb.set_up_done(andx=0x75, offset=offset)
    tail = block(*smb.CONNECTED1) if connected else block(b"", b"")
    return smb1(0x73, words, data, answer=True, uid=100, status=code, tail=tail)


def test_a_chain_that_succeeds() -> None:
    wire = negotiated().asks(chain()).answers(chain_done())
    assert (smb.outcomes(wire), wire.values("smb.share")) == ([("svc-ct", "accepted")], ["DOSE"])


def test_a_chain_whose_end_fails() -> None:
    wire = negotiated().asks(chain()).answers(chain_done(code=ACCESS_DENIED, connected=False))
    assert (smb.outcomes(wire), wire.values("smb.refused_share")) == ([("svc-ct", "accepted")], ["DOSE"])
    assert wire.logons[0].details["status"] == "STATUS_SUCCESS"


def test_a_chain_whose_beginning_fails() -> None:
    wire = refused(negotiated().asks(chain())).end()
    assert smb.outcomes(wire) == [("svc-ct", "rejected")]
    assert wire.values("smb.share") == wire.values("smb.refused_share") == []


def test_an_error_with_words_and_no_chain_says_nothing() -> None:
    wire = negotiated().asks(chain())
    wire.answers(smb1(0x73, *smb.set_up_done(), answer=True, uid=100, status=ACCESS_DENIED)).end()
    assert smb.outcomes(wire) == [("svc-ct", "unknown")]


@pytest.mark.parametrize("offset", [0, 10, 32, 33])
def test_a_chain_that_leads_backwards(offset: int) -> None:
    wire = negotiated().asks(smb1(0x73, *smb.nt_set_up(LM, NT, "svc-ct", "WARD", andx=0x75, offset=offset)))
    assert [fact.code for fact in wire.facts if isinstance(fact, Anomaly)] == ["malformed"]


def share_password(mode: int, password: bytes, *, ok: bool = True) -> Wire:
    wire = negotiated(mode).asks(smb1(0x75, *smb.connect1(r"\\FS1\DOSE", password), mid=3))
    said = smb.CONNECTED1 if ok else (b"", b"")
    return wire.answers(smb1(0x75, *said, answer=True, mid=3, status=0 if ok else ACCESS_DENIED))


def test_a_share_password_in_clear() -> None:
    (logon,) = share_password(0, b"hunter2\0").logons
    assert (logon.mechanism, logon.principal, logon.outcome) == ("smb-share-password", None, Outcome.ACCEPTED)
    assert logon.secret is not None
    assert logon.secret.reveal() == b"hunter2"
    assert logon.details == {"share": "DOSE", "status": "STATUS_SUCCESS"}


def test_a_response_for_a_share_is_dropped() -> None:
    (logon,) = share_password(SHARES, LM, ok=False).logons
    assert (logon.secret, logon.outcome) == (None, Outcome.REJECTED)
    assert logon.details["status"] == "STATUS_ACCESS_DENIED"


def test_a_share_without_password() -> None:
    (logon,) = share_password(SHARES, b"\0").logons
    assert logon.secret is not None
    assert logon.secret.reveal() == b""


def test_passwords_of_users_are_none_of_shares() -> None:
    assert share_password(USERS, b"\0").logons == []


@pytest.mark.parametrize(("password", "shares"), [(b"\0", ["DOSE"]), (b"hunter2\0", [])])
def test_a_share_password_makes_a_nobody_somebody(password: bytes, shares: list[str]) -> None:
    wire = granted(asking(negotiated(0), b"\0", b"", ""))
    wire.asks(smb1(0x75, *smb.connect1(r"\\FS1\DOSE", password), mid=3, uid=100))
    wire.answers(smb1(0x75, *smb.CONNECTED1, answer=True, mid=3, uid=100))
    assert wire.values("smb.anonymous_share") == shares


def test_tree_connect_of_core() -> None:
    wire = Wire().asks(smb1(0x72, b"", smb.dialects("PC NETWORK PROGRAM 1.0"), flags2=0))
    wire.answers(smb1(0x72, b"\0\0", answer=True, flags2=0))
    wire.asks(smb1(0x70, b"", b"\x04\\\\FS1\\DOSE\0\x04hunter2\0\x04A:\0", flags2=0))
    wire.answers(smb1(0x70, struct.pack("<HH", 2_920, 1), answer=True, flags2=0))
    (logon,) = wire.logons
    assert logon.secret is not None
    assert (logon.secret.reveal(), wire.values("smb.share")) == (b"hunter2", ["DOSE"])


def test_a_guest_at_a_share() -> None:
    wire = granted(asking(negotiated()), 1)
    wire.asks(smb1(0x75, *smb.connect1(r"\\FS1\DOSE"), uid=100, mid=3))
    wire.answers(smb1(0x75, *smb.CONNECTED1, answer=True, uid=100, mid=3))
    assert wire.values("smb.anonymous_share") == ["DOSE"]


def test_a_uid_that_is_given_again() -> None:
    wire = granted(asking(negotiated()), 1)
    wire.asks(smb1(0x74, struct.pack("<BBH", 0xFF, 0, 0), uid=100, mid=2))
    granted(asking(wire, account="svc-mr"))
    wire.asks(smb1(0x75, *smb.connect1(r"\\FS1\DOSE"), uid=100, mid=3))
    wire.answers(smb1(0x75, *smb.CONNECTED1, answer=True, uid=100, mid=3))
    assert wire.values("smb.anonymous_share") == []


# ---------------------------------------------------------------------- odds


def test_an_answer_from_the_client_ends_the_lane() -> None:
    wire = negotiated().asks(smb1(0x73, answer=True))
    assert [fact.code for fact in wire.facts if isinstance(fact, Anomaly)] == ["malformed"]


def test_a_request_from_the_server_is_passed_over() -> None:
    wire = negotiated().answers(smb1(0x24, struct.pack("<BBHHBBIHH", 0xFF, 0, 0, 1, 2, 0, 0, 0, 0)))
    assert [fact for fact in wire.facts if isinstance(fact, Anomaly)] == []


def test_words_that_do_not_fit() -> None:
    wire = negotiated().asks(smb1(0x73)[:32] + b"\xff" + bytes(9))
    assert [fact.code for fact in wire.facts if isinstance(fact, Anomaly)] == ["malformed"]


def test_strings_without_an_end() -> None:
    words, data = smb.nt_set_up(LM, NT, "svc-ct", "WARD")
    wire = granted(negotiated().asks(smb1(0x73, words, data[:-2])))
    assert wire.about(INITIATOR)["smb.native_lan_manager"] == "Windows 2000 LAN Manager"


@pytest.mark.parametrize(
    ("code", "name"), [(0, "STATUS_SUCCESS"), (2 | 5 << 16, "ERRSRV/ERRinvtid"), (9 | 77 << 16, "0x09/77")]
)
def test_names_of_old_codes(code: int, name: str) -> None:
    assert status.dos_name(code) == name
