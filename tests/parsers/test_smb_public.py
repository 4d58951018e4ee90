"""Connections of real clients and servers that the project's own captures do not show: Windows, macOS, old Samba."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.captures import facts

Logon = tuple[str, str | None, str, str | None]


@pytest.fixture
def said(shared_pcaps: Path, request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    (path,) = shared_pcaps.glob(request.param)
    return [fact for fact in facts(path) if fact["protocol"] == "smb"]


def logons(said: list[dict[str, Any]]) -> list[Logon]:
    found = [fact for fact in said if fact["kind"] == "authentication"]
    return [(f["mechanism"], f["principal"], f["outcome"], f["details"].get("version")) for f in found]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("smb1__ntop-nDPI__smbv1*", [("ntlm", None, "accepted", "anonymous")]),
        ("smb1-guest__zeek-zeek__smb1_transaction*", [("ntlm", "GUEST", "accepted", "none")]),
        ("smb1-ntlmv2-guest__zeek-zeek__raw_ntlm*", [("ntlm", "test", "accepted", "NTLMv2")]),
        ("smb1+2__zeek-zeek__smb2_krb*", [("kerberos", None, "accepted", None)]),
        ("smb1+2__zeek-zeek__kerberos445*", [("kerberos", None, "accepted", None)]),
        ("smb2-ntlmv2__OISF*bug-5133*", [("ntlm", "Backdoor", "accepted", "NTLMv2")] * 2),
        ("smb3enc__zeek-zeek__smb311*", [("ntlm", "administrator", "accepted", "NTLMv2")]),
        ("smb1__zeek-zeek__cifs_negotiate_lanman*", []),
    ],
    indirect=["said"],
)
def test_logons(said: list[dict[str, Any]], expected: list[Logon]) -> None:
    assert logons(said) == expected


@pytest.mark.parametrize("said", ["smb1+2__OISF*smb-length-5786*"], indirect=True)
def test_a_ticket_that_the_server_fetches_and_checks_in_seven_legs(said: list[dict[str, Any]]) -> None:
    """IAKERB of macOS: four exchanges with a KDC through the server, AP-REQ and AP-REP, checksums."""
    assert logons(said) == [("kerberos", None, "accepted", None)]
    assert [fact for fact in said if fact["kind"] == "anomaly"] == []


@pytest.mark.parametrize(
    ("said", "cipher"),
    [("smb3enc__zeek-zeek__smb3.pcap", "AES-128-CCM"), ("smb3enc__zeek-zeek__smb311*", "AES-128-CCM")],
    indirect=["said"],
)
def test_what_is_encrypted(said: list[dict[str, Any]], cipher: str) -> None:
    channels = [(fact["encrypted"], fact["cipher"]) for fact in said if fact["kind"] == "channel"]
    assert channels == [(True, cipher)]


@pytest.mark.parametrize("said", ["smb1__odedshimon*MagicJack*"], indirect=True)
def test_names_of_the_session_service(said: list[dict[str, Any]]) -> None:
    names = {(f["name"], f["side"], f["value"]) for f in said if "netbios" in f.get("name", "")}
    assert names == {
        ("smb.called_netbios_name", "responder", "P900"),
        ("smb.calling_netbios_name", "initiator", "T40"),
    }


@pytest.mark.parametrize("said", ["smb1-ntlmv1__odedshimon*"], indirect=True)
def test_a_server_that_makes_no_sense_is_not_believed(said: list[dict[str, Any]]) -> None:
    assert logons(said) == [("ntlm", None, "unknown", "NTLM2 session"), ("ntlm", None, "unknown", "anonymous")]
    assert {fact["side"] for fact in said if fact["kind"] == "attribute"} == {"initiator"}
