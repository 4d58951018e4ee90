"""What is said at each connection is put together once: what is kept for that, and that it changes no fact."""

from __future__ import annotations

import pytest

from parsers import _ntlm
from parsers.core import Anomaly, Side
from parsers.smb import smb2, tokens
from tests.parsers import _smb as smb

OFFER = smb.init([smb.NTLMSSP], smb.ntlm_negotiate())
PROOF = smb.ntlm_authenticate("svc-ct", nt=b"", lm=b"\0")


def kept() -> int:
    return tokens._known.cache_info().currsize


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    tokens._known.cache_clear()


def test_an_offer_is_read_once() -> None:
    assert tokens.read(OFFER, Side.INITIATOR) is tokens.read(bytes(bytearray(OFFER)), Side.INITIATOR)
    assert kept() == 1


def test_who_says_it_is_part_of_it() -> None:
    first, other = (tokens.read(OFFER, side) for side in Side)
    assert {fact.subject.side for fact in first.facts} == {Side.INITIATOR}
    assert {fact.subject.side for fact in other.facts} == {Side.RESPONDER}


@pytest.mark.parametrize("token", [PROOF, smb.response(1, smb.NTLMSSP, PROOF), smb.gss(smb.ap_req())])
def test_proofs_and_tickets_are_not_kept(token: bytes) -> None:
    assert tokens.read(token, Side.INITIATOR).claim is not None
    assert kept() == 0


def test_what_is_broken_is_broken_each_time() -> None:
    said = [tokens.read(b"\xa1\x05\x30", Side.INITIATOR).facts for _ in range(2)]
    assert said[0] == said[1]
    assert isinstance(said[0][0], Anomaly)


def test_challenges_of_a_server_are_one_but_for_what_they_challenge_with() -> None:
    messages = [_ntlm.parse(smb.ntlm_challenge()[:24] + bytes([n] * 8) + smb.ntlm_challenge()[32:]) for n in range(3)]
    assert messages[0] is messages[1] is messages[2]


def test_names_that_are_too_long_are_not_kept() -> None:
    before = smb2._offered.cache_info().currsize
    offer = smb.offer([0x0311], (5, "X".encode("utf-16-le") * 5_000))
    facts = smb2._offer(offer, Side.INITIATOR)
    assert [fact.value for fact in facts if fact.name == "smb.netname"] == ["X" * 256]
    assert smb2._offered.cache_info().currsize == before
