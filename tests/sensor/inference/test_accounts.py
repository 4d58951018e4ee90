"""Accounts as identities: which authority knows them, under which names they are the same."""

from __future__ import annotations

import pytest

from tests.sensor.inference.world import world

SMB = {"protocol": "smb", "port": 445}


def logon(principal: str | None = "svc-ct", realm: str | None = "WARD", **said) -> dict:
    """A row: an NTLM logon from 10.0.0.11 at FS1."""
    place = {key: said.pop(key) for key in ("from", "to", "at", "n", "until") if key in said}
    told = {"mechanism": "ntlm", "version": "NTLMv2", "target_name": "FS1", "workstation": "WS1"} | said
    return {"authentication": told | {"principal": principal, "realm": realm}, **SMB, **place}


def identities(*rows: dict) -> list[tuple]:
    return world(*rows).execute("SELECT kind, label, realm FROM identity ORDER BY ALL").fetchall()


def count(*rows: dict) -> int:
    return len(identities(*rows))


@pytest.mark.parametrize("realm", [None, "", ".", "FS1", "fs1", "WS1", "workgroup"])
def test_the_server_itself_knows_an_account_without_a_domain(realm: str | None) -> None:
    assert count(logon(realm="fs1"), logon(realm=realm)) == 1


def test_a_domains_account_is_not_the_servers() -> None:
    assert count(logon(realm="WARD"), logon(realm="")) == 2


def test_letters_case_does_not_matter() -> None:
    assert count(logon(), logon("SVC-CT", "ward"), logon(mechanism="smb-plaintext", version=None)) == 1


def test_a_name_with_its_domain_is_the_name_in_that_domain() -> None:
    assert count(logon("svc-ct", "ward.example"), logon("svc-ct@ward.example", "")) == 1
    assert count(logon("svc-ct", "ward.example"), logon("svc-ct@other.example", "")) == 2


def test_nobody_is_no_account() -> None:
    assert count(logon(None, None, version="anonymous", null=True)) == 0
