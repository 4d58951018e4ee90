"""Kerberos tokens: for whom a ticket is and how it is encrypted, and that no cipher comes out."""

from __future__ import annotations

import pytest

from parsers import _kerberos, _tables
from parsers._kerberos import ApRep, ApReq, KrbError, Proxied
from parsers.core import Conversation, ProtocolError, Side
from tests.parsers import _smb as smb

ME = Conversation().me(Side.INITIATOR)
ORDINARY = ApReq("WARD.EXAMPLE", "cifs/fs1.ward.example", "aes256-cts-hmac-sha1-96", 3, "aes256-cts-hmac-sha1-96", True)


@pytest.mark.parametrize(
    "token",
    [
        smb.ap_req(),
        smb.gss(smb.ap_req()),
        smb.gss(smb.ap_req(), mechanism=smb.MS_KERBEROS),
        smb.gss(smb.ap_req(), mechanism=smb.IAKERB),
        smb.gss(smb.ap_req(), kind=b""),
    ],
)
def test_a_ticket_in_any_frame(token: bytes) -> None:
    assert _kerberos.begins(token)
    assert _kerberos.parse(token) == ORDINARY


@pytest.mark.parametrize(
    ("number", "name"),
    [(23, "rc4-hmac"), (3, "des-cbc-md5"), (17, "aes128-cts-hmac-sha1-96"), (-135, "-135"), (99, "99")],
)
def test_encryption_types(number: int, name: str) -> None:
    read = _kerberos.parse(smb.ap_req(etype=number))
    assert isinstance(read, ApReq)
    assert read.ticket_etype == name


def test_what_was_not_said() -> None:
    read = _kerberos.parse(smb.ap_req(kvno=None, options=0))
    assert isinstance(read, ApReq)
    assert (read.kvno, read.mutual_required) == (None, False)
    assert not {"kvno", "mutual_required"} & _kerberos.claim(read, ME).details.keys()


def test_options_may_be_empty() -> None:
    read = _kerberos.parse(smb.ap_req().replace(smb.der(3, bytes((0, 0x20, 0, 0, 0))), smb.der(3, bytes(1)) + bytes(4)))
    assert read


def test_the_claim() -> None:
    claim = _kerberos.claim(ORDINARY, ME)
    assert (claim.mechanism, claim.principal, claim.realm, claim.secret) == ("kerberos", None, "WARD.EXAMPLE", None)
    assert claim.details == {
        "service": "cifs/fs1.ward.example",
        "ticket_etype": "aes256-cts-hmac-sha1-96",
        "authenticator_etype": "aes256-cts-hmac-sha1-96",
        "kvno": "3",
        "mutual_required": True,
    }


def test_key_versions_of_read_only_domain_controllers_are_unsigned() -> None:
    read = _kerberos.parse(smb.ap_req(kvno=-(1 << 31) + 2))
    assert isinstance(read, ApReq)
    assert read.kvno == (1 << 31) + 2


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (smb.gss(smb.ap_rep(), b"\x02\x00"), ApRep()),
        (smb.ap_rep(), ApRep()),
        (smb.gss(smb.krb_error(37), b"\x03\x00"), KrbError("KRB_AP_ERR_SKEW")),
        (smb.krb_error(200), KrbError("200")),
        (smb.gss(smb.der(0x30), b"\x05\x01", smb.IAKERB), Proxied()),
    ],
)
def test_other_messages(token: bytes, message: object) -> None:
    assert _kerberos.parse(token) == message


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"\x6e\x00",
        smb.gss(smb.ap_req(), mechanism=smb.NTLMSSP),
        smb.der(0x6E, smb.der(0x30)),
        smb.der(0x6A, smb.der(0x30)),
        smb.der(0x6E, smb.der(0x31)),
    ],
)
def test_what_is_none(token: bytes) -> None:
    with pytest.raises(ProtocolError):
        _kerberos.parse(token)


def test_cut_anywhere() -> None:
    whole = smb.gss(smb.ap_req())
    for at in range(len(whole)):
        _kerberos.begins(whole[:at])
        with pytest.raises(ProtocolError):
            _kerberos.parse(whole[:at])


def test_no_cipher_comes_out() -> None:
    read = _kerberos.parse(smb.ap_req())
    assert "CIPHER" not in repr([read, _kerberos.claim(ORDINARY, ME)])


def test_every_type_of_the_table_has_one_name() -> None:
    rows = _tables.rows("kerberos_etypes.csv")
    assert len({number for number, _ in rows}) == len({name for _, name in rows}) == len(rows)
