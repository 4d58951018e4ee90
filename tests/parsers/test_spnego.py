"""SPNEGO: what both sides offer, and the token inside."""

from __future__ import annotations

import pytest

from parsers import _spnego
from parsers._spnego import Negotiation
from parsers.core import ProtocolError
from tests.parsers import _smb as smb

TOKEN = b"NTLMSSP\0token"


def test_a_client_offers_and_begins() -> None:
    read = _spnego.parse(smb.init([smb.MS_KERBEROS, smb.KERBEROS, smb.NTLMSSP], TOKEN))
    assert read == Negotiation(("MS Kerberos 5", "Kerberos 5", "NTLMSSP"), token=TOKEN)


def test_a_server_speaks_first() -> None:
    assert _spnego.parse(smb.init([smb.NTLMSSP], hints=True)) == Negotiation(("NTLMSSP",))


@pytest.mark.parametrize(
    ("number", "state"), [(0, "accept-completed"), (1, "accept-incomplete"), (2, "reject"), (3, "request-mic"), (9, "")]
)
def test_answers(number: int, state: str) -> None:
    read = _spnego.parse(smb.response(number, smb.NTLMSSP, TOKEN))
    assert read == Negotiation((), "NTLMSSP", state, TOKEN)


def test_an_answer_may_say_nothing() -> None:
    assert _spnego.parse(smb.response()) == Negotiation()


def test_a_mechanism_nobody_knows_keeps_its_number() -> None:
    assert _spnego.parse(smb.init([bytes.fromhex("2a0304")])).offered == ("1.2.3.4",)


def test_an_offer_is_bounded() -> None:
    assert len(_spnego.parse(smb.init([smb.NTLMSSP] * 100)).offered) == _spnego.OFFERED_MAX


@pytest.mark.parametrize("raw", [TOKEN, b"", smb.gss(smb.ap_req()), smb.ap_req(), b"\x04\x01x"])
def test_other_tokens_are_handed_on(raw: bytes) -> None:
    assert _spnego.parse(raw) == Negotiation(token=raw)


@pytest.mark.parametrize("bare", [smb.tagged(0, smb.der(0x30, smb.tagged(0, smb.der(0x30, smb.der(6, smb.NTLMSSP)))))])
def test_some_leave_out_the_frame(bare: bytes) -> None:
    assert _spnego.parse(bare).offered == ("NTLMSSP",)


@pytest.mark.parametrize(
    "token",
    [
        b"\xa1",
        b"\xa1\x02\x04\x00",
        b"\x60\x80",
        smb.der(0x60, smb.der(6, smb.SPNEGO)),
        smb.tagged(1, smb.der(0x30, smb.tagged(1, smb.der(4, b"x")))),
    ],
)
def test_what_begins_like_it_and_is_not(token: bytes) -> None:
    with pytest.raises(ProtocolError):
        _spnego.parse(token)


def test_cut_anywhere() -> None:
    for whole in (smb.init([smb.NTLMSSP], TOKEN), smb.response(1, smb.NTLMSSP, TOKEN)):
        for at in range(len(whole)):
            try:
                _spnego.parse(whole[:at])
            except ProtocolError:
                continue
