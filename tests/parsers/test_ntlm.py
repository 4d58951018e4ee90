"""NTLM messages: what both sides tell, which version a proof is of, and that no proof comes out."""

from __future__ import annotations

import struct

import pytest

from parsers import _ntlm
from parsers._ntlm import Authenticate, Challenge, Negotiate
from parsers.core import Conversation, Malformed, Side
from tests.parsers import _smb as smb

TALK = Conversation()
ME, PEER = TALK.me(Side.INITIATOR), TALK.peer(Side.INITIATOR)
RESPONSE = b"RESPONSE-OF-24-BYTES-HER"
OTHER = b"ANOTHER-RESPONSE-24-BYTE"
SESSION = b"NONCE--8" + bytes(16)


def authenticate(**said: object) -> Authenticate:
    message = _ntlm.parse(smb.ntlm_authenticate(**said))
    assert isinstance(message, Authenticate)
    return message


def details(**said: object) -> dict[str, object]:
    return dict(_ntlm.claim(authenticate(**said), ME).details)


@pytest.mark.parametrize(
    ("said", "version", "lm"),
    [
        ({"nt": smb.ntlmv2(), "lm": bytes(24)}, "NTLMv2", None),
        ({"nt": smb.ntlmv2(), "lm": OTHER}, "NTLMv2", None),  # that is LMv2
        ({"nt": RESPONSE, "lm": SESSION}, "NTLM2 session", None),
        ({"nt": RESPONSE, "lm": OTHER, "flags": smb.STRONG & ~smb.ESS}, "NTLMv1", True),
        ({"nt": RESPONSE, "lm": RESPONSE, "flags": smb.STRONG & ~smb.ESS}, "NTLMv1", None),
        ({"nt": RESPONSE, "lm": bytes(24), "flags": smb.STRONG & ~smb.ESS}, "NTLMv1", None),
        ({"nt": RESPONSE, "lm": b""}, "NTLMv1", None),
        ({"nt": b"", "lm": OTHER}, "LM", True),
        ({"nt": b"", "lm": b"\0", "user": "", "domain": ""}, "anonymous", None),
        ({"nt": b"", "lm": b"", "user": "", "domain": ""}, "anonymous", None),
        ({"nt": b"", "lm": b"\0"}, "none", None),
        ({"nt": b"", "lm": b"Pass"}, "none", None),
    ],
)
def test_which_version_a_proof_is_of(said: dict[str, object], version: str, lm: bool | None) -> None:
    found = details(**said)
    assert (found["version"], found.get("lm_response")) == (version, lm)


def test_mic_and_target_are_said_of_ntlmv2_only() -> None:
    assert details(nt=smb.ntlmv2(2))["mic"] is True
    assert details(nt=smb.ntlmv2(0))["mic"] is False
    assert details(nt=smb.ntlmv2())["target_spn"] == "cifs/fs1"
    assert "mic" not in details(nt=RESPONSE)


@pytest.mark.parametrize(
    ("flags", "weak"),
    [
        (smb.STRONG, None),
        (smb.STRONG & ~smb.B128, ["56", "no-128"]),
        (smb.STRONG & ~smb.B128 & ~smb.B56, ["no-128"]),
        (smb.STRONG & ~smb.ESS, ["no-ess"]),
    ],
)
def test_flags_that_leave_something_to_be_desired(flags: int, weak: list[str] | None) -> None:
    assert details(flags=flags, nt=RESPONSE).get("weak_flags") == weak


def test_flags_say_nothing_of_an_anonymous_logon() -> None:
    assert "weak_flags" not in details(flags=smb.UNICODE, nt=b"", lm=b"\0", user="", domain="")


def test_who_and_from_where() -> None:
    claim = _ntlm.claim(authenticate(), ME, target_name="FS1")
    assert (claim.mechanism, claim.principal, claim.realm, claim.secret) == ("ntlm", "svc-ct", "WARD", None)
    assert (claim.details["workstation"], claim.details["target_name"]) == ("CT1", "FS1")
    assert _ntlm.claim(authenticate(user="", domain="", nt=b"", lm=b"\0"), ME).principal is None


def test_facts_of_a_client() -> None:
    said = {fact.name: (fact.value, fact.subject) for fact in _ntlm.facts_of(authenticate(), ME, PEER)}
    assert said == {
        "ntlm.workstation": ("CT1", ME),
        "ntlm.os_version": ("10.0.17763", ME),
        "ntlm.target_spn": ("cifs/fs1", PEER),
    }


def test_facts_of_a_server() -> None:
    message = _ntlm.parse(smb.ntlm_challenge())
    assert isinstance(message, Challenge)
    assert {fact.name: fact.value for fact in _ntlm.facts_of(message, PEER, ME)} == {
        "ntlm.target_name": "WARD",
        "ntlm.computer_name": "FS1",
        "ntlm.domain_name": "WARD",
        "ntlm.dns_computer_name": "fs1.ward.example",
        "ntlm.dns_domain_name": "ward.example",
        "ntlm.os_version": "10.0.17763",
    }
    assert _ntlm.target_of(message) == {"target_name": "FS1", "target_domain": "WARD"}


def test_a_client_may_say_its_name_at_once() -> None:
    message = _ntlm.parse(smb.ntlm_negotiate(workstation=b"OLDBOX"))
    assert message == Negotiate("OLDBOX", "10.0.17763")


def test_a_version_that_is_not_announced_is_none() -> None:
    assert _ntlm.parse(smb.ntlm_negotiate(smb.STRONG & ~smb.VERSION)) == Negotiate()
    assert _ntlm.parse(smb.ntlm_negotiate(version=bytes(8))) == Negotiate()
    assert authenticate(flags=smb.STRONG & ~smb.VERSION).os_version == ""


def test_samba_has_no_build() -> None:
    assert _ntlm.parse(smb.ntlm_negotiate(version=bytes((6, 1, 0, 0, 0, 0, 0, 15)))) == Negotiate(os_version="6.1.0")


@pytest.mark.parametrize("fixed", [52, 60])
def test_old_clients_leave_out_flags_and_version(fixed: int) -> None:
    message = authenticate(nt=RESPONSE, lm=OTHER, fixed=fixed)
    assert (message.flags, message.user, message.os_version) == (None, "svc-ct", "")


@pytest.mark.parametrize("fixed", [64, 72])
def test_a_fixed_part_without_version_or_mic(fixed: int) -> None:
    message = authenticate(nt=RESPONSE, lm=OTHER, fixed=fixed)
    assert (message.flags, message.os_version) == (smb.STRONG, "10.0.17763" if fixed == 72 else "")


def test_oem_names() -> None:
    message = authenticate(user="J\xe4ger", flags=smb.STRONG & ~smb.UNICODE)
    assert (message.user, message.workstation) == ("J\xe4ger", "CT1")
    assert _ntlm.parse(smb.ntlm_challenge(flags=smb.STRONG & ~smb.UNICODE)).target_name == "WARD"


def test_an_old_challenge_has_no_target_information() -> None:
    whole = smb.ntlm_challenge(names={}, flags=smb.UNICODE)
    old = whole[:32]
    name = smb.utf16("OLD")
    old = old[:12] + struct.pack("<HHI", len(name), len(name), 32) + old[20:] + name
    assert _ntlm.parse(old) == Challenge("OLD")


def test_target_information_that_is_cut_short_costs_only_itself() -> None:
    nt = smb.ntlmv2()[:60]
    assert authenticate(nt=nt).responses.version == "NTLMv2"


@pytest.mark.parametrize(
    "token",
    [b"", b"NTLMSSP\0", b"NTLMSSP\0\x01\0\0\0", b"NTLMSSP\0" + bytes(8), b"NTLMSSQ\0\x01\0\0\0\0\0\0\0"],
)
def test_what_is_no_message(token: bytes) -> None:
    with pytest.raises(Malformed):
        _ntlm.parse(token)


def test_a_field_outside_its_message() -> None:
    token = bytearray(smb.ntlm_authenticate())
    token[40:44] = b"\xff\xff\0\0"
    with pytest.raises(Malformed):
        _ntlm.parse(bytes(token))


@pytest.mark.parametrize("token", [smb.ntlm_negotiate(), smb.ntlm_challenge(), smb.ntlm_authenticate()])
def test_cut_anywhere(token: bytes) -> None:
    for at in range(len(token)):
        try:
            _ntlm.parse(token[:at])
        except Malformed:
            continue


def test_no_proof_comes_out() -> None:
    text = repr([
        _ntlm.parse(smb.ntlm_authenticate(nt=nt, lm=OTHER)) for nt in (RESPONSE, smb.ntlmv2())
    ] + [_ntlm.parse(smb.ntlm_challenge())])  # fmt: skip
    assert not any(word in text for word in ("RESPONSE", "ANOTHER", "PROOF", "NONCE", "CHALLENG", "TIME8BYT"))


@pytest.mark.parametrize(
    ("lm", "nt", "expected"),
    [
        (RESPONSE, OTHER, True),
        (b"", smb.ntlmv2(), True),
        (b"", smb.utf16("a-long-password-in-clear-of-30"), False),
        (b"", smb.utf16("twelve-chars") , False),
        (b"a password of 24 letters", b"", False),
        (b"short", b"", False),
    ],
)  # fmt: skip
def test_the_shape_of_responses(lm: bytes, nt: bytes, expected: bool) -> None:
    assert _ntlm.are_responses(lm, nt) is expected
