"""The NetBIOS session service: frames, names, and what a probe makes of first bytes."""

from __future__ import annotations

import pytest

from parsers.core import Confidence, Malformed, Registry, Session, Side, Verdict
from parsers.smb import PROTOCOL, netbios
from parsers.smb.netbios import probe
from tests.parsers import _smb as smb
from tests.parsers._smb import INITIATOR, RESPONDER, Wire, frame, smb1, smb2

POSITIVE, KEEP_ALIVE = b"\x82\0\0\0", b"\x85\0\0\0"
RETARGET = b"\x84\0\0\x06\x0a\0\0\x05\0\x8b"


def encoded(name: str, kind: int = 0x20) -> bytes:
    padded = name.encode("latin-1").ljust(15) + bytes((kind,))
    return b"\x20" + bytes(half for octet in padded for half in (0x41 + (octet >> 4), 0x41 + (octet & 15)))


def request(called: str = "FS1", calling: str = "CT1", scope: bytes = b"") -> bytes:
    body = b"".join(encoded(name) + scope + b"\0" for name in (called, calling))
    return b"\x81\0" + len(body).to_bytes(2, "big") + body


def test_a_session_request_names_both_sides() -> None:
    wire = Wire().asks(request("*SMBSERVER", "CT1"))
    assert wire.about(RESPONDER) == {"smb.called_netbios_name": "*SMBSERVER"}
    assert wire.about(INITIATOR) == {"smb.calling_netbios_name": "CT1"}


def test_names_with_a_scope() -> None:
    assert netbios.names(request(scope=b"\x04ward\x02de")[4:]) == ("FS1", "CT1")


@pytest.mark.parametrize(
    "body", [b"", encoded("FS1"), b"\x21" + encoded("FS1")[1:], b"\x20" + b"Z" * 32 + b"\0", encoded("A") + b"\x40x"]
)
def test_what_is_no_name(body: bytes) -> None:
    with pytest.raises(Malformed):
        netbios.names(body)


def test_smb_follows_the_answer() -> None:
    wire = Wire().asks(request()).answers(POSITIVE)
    wire.asks(smb2(0, smb.offer([0x0311]))).answers(smb2(0, smb.agreed(0x0311), answer=True))
    assert wire.values("smb.dialect") == ["SMB 3.1.1"]


@pytest.mark.parametrize("reply", [b"\x83\0\0\x01\x82", RETARGET])
def test_a_refusal_is_no_anomaly(reply: bytes) -> None:
    wire = Wire().asks(request()).answers(reply).end()
    assert {fact.name for fact in wire.facts} == {"smb.called_netbios_name", "smb.calling_netbios_name"}


def test_keep_alives_between_messages() -> None:
    wire = Wire().asks(KEEP_ALIVE).asks(KEEP_ALIVE + frame(smb2(0, smb.offer([0x0210]))))
    assert wire.values("smb.offered_dialect") == ["SMB 2.1"]


NEGOTIATE1 = frame(smb1(0x72, b"", smb.dialects("NT LM 0.12")))
FORGETFUL = frame(smb1(0x72, smb.nt_agreed(), b"CHALLENG"))


@pytest.mark.parametrize(
    ("head", "side", "verdict"),
    [
        (request(), INITIATOR, Verdict.LIKELY),
        (request(), RESPONDER, Verdict.NO),
        (POSITIVE, RESPONDER, Verdict.LIKELY),
        (POSITIVE, INITIATOR, Verdict.NO),
        (KEEP_ALIVE, INITIATOR, Verdict.MORE),
        (KEEP_ALIVE + NEGOTIATE1, INITIATOR, Verdict.LIKELY),
        (KEEP_ALIVE + b"GET / HTTP/1.1", INITIATOR, Verdict.NO),
        (KEEP_ALIVE * 100, INITIATOR, Verdict.NO),
        (NEGOTIATE1, INITIATOR, Verdict.LIKELY),
        (NEGOTIATE1, RESPONDER, Verdict.NO),
        (FORGETFUL, RESPONDER, Verdict.LIKELY),
        (frame(smb2(5)), INITIATOR, Verdict.LIKELY),
        (frame(smb2(5)), RESPONDER, Verdict.NO),
        (frame(smb2(5, answer=True)), RESPONDER, Verdict.LIKELY),
        (frame(smb2(0x40)), INITIATOR, Verdict.NO),
        (frame(smb.transform(5)), RESPONDER, Verdict.LIKELY),
        (frame(b"\xfdSMB" + bytes(60)), RESPONDER, Verdict.NO),
        (frame(b"\xfcSMB" + bytes(4) + b"\x03\0\x01\0" + bytes(90)), INITIATOR, Verdict.LIKELY),
        (frame(b"\xfcSMB" + bytes(4) + b"\x30\0\x01\0" + bytes(90)), INITIATOR, Verdict.NO),
        (b"\0\0\0\x10\xfeSMB", INITIATOR, Verdict.NO),  # shorter than a header
        (b"\0\0\0\x55\xfbSMB", INITIATOR, Verdict.NO),
        (b"\x86\0\0\0", INITIATOR, Verdict.NO),
    ],
)
def test_probe(head: bytes, side: Side, verdict: Verdict) -> None:
    assert probe(head, side) is verdict
    if verdict is not Verdict.NO:
        assert all(probe(head[:n], side) is not Verdict.NO for n in range(1, len(head)))


@pytest.mark.parametrize("head", [request(), POSITIVE, KEEP_ALIVE, NEGOTIATE1, frame(smb2(5)), frame(smb.transform(5))])
def test_every_beginning_is_found_by_its_first_bytes(head: bytes) -> None:
    registry = Registry([PROTOCOL])
    assert all(registry.candidates("tcp", head[:n]) == [PROTOCOL] for n in range(1, len(head) + 1))


def test_roles_are_turned_round_when_the_answer_comes_first() -> None:
    session = Session(Registry([PROTOCOL]), "tcp", (50_000, 445), midstream=True, roles_guessed=True)
    session.feed(0, frame(smb2(8, answer=True)), 1)
    assert (session.confidence, session.side(0)) == (Confidence.CONFIRMED, RESPONDER)


def test_strange_messages_are_passed_over_for_a_while() -> None:
    wire = smb.negotiated()
    wire.asks(*[b"\0\0\0\x08notSMB!!"])
    smb.logged_on(wire)
    assert smb.outcomes(wire) == [("svc-ct", "accepted")]
    for _ in range(20):
        wire.asks(b"\0\0\0\x08notSMB!!")
    assert "malformed" in {getattr(fact, "code", "") for fact in wire.facts}


@pytest.mark.parametrize("packet", [b"\x86\0\0\0", b"\x85\0\x01\0" + bytes(256), request()])
def test_what_is_no_packet_ends_the_lane(packet: bytes) -> None:
    wire = smb.negotiated().answers(packet)
    assert [fact.code for fact in wire.facts if hasattr(fact, "code")] == ["malformed"]
