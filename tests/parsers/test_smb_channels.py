"""Negotiation, channels and shares of SMB 2 and 3."""

from __future__ import annotations

import pytest

from parsers.core import Channel, Signed
from tests.parsers import _smb as smb
from tests.parsers._smb import ACCESS_DENIED, INITIATOR, RESPONDER, Wire, logged_on, negotiated, smb2

ENCRYPTION = 2, b"\x01\0\x02\0"  # one: AES-128-GCM
SIGNING = 8, b"\x01\0\x02\0"  # one: AES-GMAC
PREAUTH = 1, b"\x01\0\x04\0\x01\0" + bytes(4)
READ = bytes(48)


def reading(wire: Wire, session: int = 5, **said: int) -> Wire:
    return wire.asks(smb2(8, READ, message=50, session=session, **said))


def connecting(wire: Wire, path: str = r"\\fs1\dose", *, status: int = 0, session: int = 5, message: int = 40) -> Wire:
    wire.asks(smb2(3, smb.connect(path), message=message, session=session))
    body = smb.CONNECTED if not status else smb.ERROR
    return wire.answers(smb2(3, body, message=message, session=session, status=status, answer=True))


def test_what_both_sides_negotiate() -> None:
    wire = negotiated(0x0311, PREAUTH, ENCRYPTION, SIGNING, mode=3)
    assert wire.values("smb.offered_dialect") == ["SMB 2.0.2", "SMB 2.1", "SMB 3.0", "SMB 3.1.1"]
    assert wire.about(INITIATOR)["smb.client_guid"] == "04030201-0605-0807-090a-0b0c0d0e0f10"
    assert wire.about(RESPONDER) == {
        "smb.server_guid": "04030201-0605-0807-090a-0b0c0d0e0f10",
        "smb.dialect": "SMB 3.1.1",
        "smb.encryption_cipher": "AES-128-GCM",
        "smb.signing_algorithm": "AES-GMAC",
    }


def test_the_name_that_a_client_means() -> None:
    wire = Wire().asks(smb2(0, smb.offer([0x0311], PREAUTH, (5, smb.utf16("fs1.ward.example")))))
    assert wire.about(RESPONDER) == {"smb.netname": "fs1.ward.example"}


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0x0202, "SMB 2.0.2"), (0x0210, "SMB 2.1"), (0x0300, "SMB 3.0"), (0x0302, "SMB 3.0.2"), (0x0311, "SMB 3.1.1"),
    ],
)  # fmt: skip
def test_dialects(number: int, name: str) -> None:
    wire = negotiated(number).end()
    assert wire.values("smb.dialect") == [name]
    assert [channel.version for channel in wire.channels] == [name]


def test_smb1_asks_and_smb2_answers() -> None:
    offered = smb.dialects("NT LM 0.12", "SMB 2.002", "SMB 2.???")
    wire = Wire().asks(smb.smb1(0x72, b"", offered))
    wire.answers(smb2(0, smb.agreed(0x02FF, mode=3), answer=True))
    assert wire.values("smb.dialect") == []
    wire.asks(smb2(0, smb.offer([0x0202, 0x0311]), message=1))
    wire.answers(smb2(0, smb.agreed(0x0311, ENCRYPTION), message=1, answer=True)).end()
    assert wire.values("smb.dialect") == ["SMB 3.1.1"]
    assert [channel.signed for channel in wire.channels] == [Signed.ENABLED]


@pytest.mark.parametrize(("mode", "signed"), [(0, "none"), (1, "enabled"), (2, "required"), (3, "required")])
def test_signing_of_both_sides(mode: int, signed: str) -> None:
    (channel,) = logged_on(negotiated(mode=mode), mode=mode).channels
    assert (channel.signed, channel.details["client_signing"]) == (signed, signed)


def test_before_smb3_nothing_is_encrypted() -> None:
    wire = logged_on(negotiated(0x0210))
    details = {"dialect": "SMB 2.1", "client_signing": "enabled"}
    responder = wire.session.talk.me(RESPONDER)
    assert wire.channels == [
        Channel(responder, "SMB 2.1", None, False, Signed.ENABLED, None, details, wire.channels[0].spec)
    ]
    assert reading(wire).end().channels == wire.channels[:1]


def shown(wire: Wire) -> list[tuple[bool, str | None]]:
    return [(channel.encrypted, channel.cipher) for channel in wire.channels]


def test_a_session_in_clear() -> None:
    wire = logged_on(negotiated(0x0311, ENCRYPTION))
    connecting(wire)
    assert shown(wire) == []
    assert shown(reading(wire)) == [(False, None)]
    assert shown(reading(wire).end()) == [(False, None)]


def test_an_encrypted_session() -> None:
    wire = logged_on(negotiated(0x0311, ENCRYPTION), flags=4).asks(smb.transform(5)).answers(smb.transform(5)).end()
    assert shown(wire) == [(True, "AES-128-GCM")]


def test_no_session_has_no_channel() -> None:
    wire = logged_on(negotiated(0x0311, ENCRYPTION), flags=4).asks(smb.transform(5)).asks(smb.transform(0)).end()
    assert shown(wire) == [(True, "AES-128-GCM")]


def test_encryption_that_the_client_wants() -> None:
    assert shown(logged_on(negotiated(0x0300)).asks(smb.transform(5)).end()) == [(True, "AES-128-CCM")]


def test_encryption_of_a_share() -> None:
    wire = connecting(logged_on(negotiated(0x0311, ENCRYPTION))).asks(smb.transform(5))
    assert shown(reading(wire).end()) == [(True, "AES-128-GCM"), (False, None)]


@pytest.mark.parametrize(("flags", "encrypted"), [(4, True), (0, False)])
def test_a_session_in_which_nothing_follows(flags: int, encrypted: bool) -> None:
    assert [c for c, _ in shown(logged_on(negotiated(0x0311, ENCRYPTION), flags=flags).end())] == [encrypted]


def test_a_session_that_is_given_up_states_its_channel() -> None:
    wire = logged_on(negotiated(0x0311, ENCRYPTION))
    wire.asks(smb2(2, bytes(4), message=9, session=5)).answers(smb2(2, bytes(4), message=9, session=5, answer=True))
    assert shown(wire) == [(False, None)]
    assert shown(wire.end()) == [(False, None)]


def test_a_server_that_does_not_encrypt() -> None:
    assert shown(logged_on(negotiated(0x0311, PREAUTH))) == [(False, None)]


def test_related_messages_show_nothing() -> None:
    wire = logged_on(negotiated(0x0311, ENCRYPTION))
    assert shown(reading(wire, session=0xFFFFFFFFFFFFFFFF, flags=4)) == []


def test_no_session_at_all() -> None:
    wire = negotiated(0x0311, ENCRYPTION, mode=3).end()
    (channel,) = wire.channels
    assert (channel.encrypted, channel.signed, channel.details) == (False, "required", {"dialect": "SMB 3.1.1"})


def test_without_the_negotiation_there_is_no_channel() -> None:
    wire = reading(logged_on(Wire(midstream=True))).end()
    assert (wire.channels, smb.outcomes(wire)) == ([], [("svc-ct", "accepted")])


def test_each_session_has_its_channel() -> None:
    wire = logged_on(negotiated(), session=5, mode=1)
    logged_on(wire, session=6, message=3, mode=3, user="svc-mr")
    assert [channel.details["client_signing"] for channel in wire.channels] == ["enabled", "required"]


# ---------------------------------------------------------------------- shares


def test_shares() -> None:
    wire = logged_on(negotiated())
    connecting(wire, r"\\fs1.ward.example\Dose")
    connecting(wire, r"\\fs1\secret", status=ACCESS_DENIED, message=41)
    wire.asks(smb2(3, smb.connect(r"\\fs1\unanswered"), message=42, session=5)).end()
    assert wire.values("smb.share") == ["Dose"]
    assert wire.values("smb.refused_share") == ["secret"]
    assert wire.values("smb.anonymous_share") == []


@pytest.mark.parametrize("code", [0xC0000203, 0xC000035C])
def test_a_session_that_has_expired_says_nothing_of_a_share(code: int) -> None:
    wire = connecting(logged_on(negotiated()), status=code)
    assert wire.values("smb.share") == wire.values("smb.refused_share") == []


def test_a_share_is_told_once() -> None:
    wire = logged_on(negotiated())
    for message in (41, 42):
        connecting(wire, message=message)
    assert wire.values("smb.share") == ["dose"]


def test_pending_tree_connects() -> None:
    wire = logged_on(negotiated())
    wire.asks(smb2(3, smb.connect(r"\\fs1\dose"), message=40, session=5))
    wire.answers(smb2(3, smb.ERROR, message=40, session=5, status=smb.PENDING, answer=True, flags=2))
    assert wire.values("smb.refused_share") == []
    wire.answers(smb2(3, smb.CONNECTED, message=40, session=5, answer=True, flags=2))
    assert wire.values("smb.share") == ["dose"]


def test_the_answer_of_a_tree_connect_may_be_read_first() -> None:
    wire = logged_on(negotiated())
    wire.answers(smb2(3, smb.CONNECTED, message=40, session=5, answer=True))
    wire.asks(smb2(3, smb.connect(r"\\fs1\dose"), message=40, session=5))
    assert wire.values("smb.share") == ["dose"]


@pytest.mark.parametrize("flags", [1, 2])
def test_shares_of_guests_and_nobodies(flags: int) -> None:
    assert connecting(logged_on(negotiated(), flags=flags)).values("smb.anonymous_share") == ["dose"]


def test_shares_of_an_anonymous_logon() -> None:
    wire = negotiated()
    token = smb.ntlm_authenticate("", "", nt=b"", lm=b"\0")
    wire.asks(smb2(1, smb.set_up(token), message=2, session=5))
    wire.answers(smb2(1, smb.set_up_answer(), message=2, session=5, answer=True))
    assert connecting(wire).values("smb.anonymous_share") == ["dose"]
    assert [(logon.principal, logon.details["version"]) for logon in wire.logons] == [(None, "anonymous")]
