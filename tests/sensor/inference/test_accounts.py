"""Accounts, HL7 applications and Kerberos services as identities: which are the same, how strong, whose, since when."""

from __future__ import annotations

import json

import duckdb
import pytest

from tests.sensor.inference.world import device_of, world

PLACE = ("from", "to", "at", "n", "until", "scope", "side")


def row(protocol: str, port: int, said: dict) -> dict:
    place = {key: said.pop(key) for key in PLACE if key in said}
    return {"authentication": said, "protocol": protocol, "port": port, **place}


def logon(principal: str | None = "svc-ct", realm: str | None = "WARD", **said) -> dict:
    """An NTLM logon from 10.0.0.11 at FS1."""
    told = {"mechanism": "ntlm", "version": "NTLMv2", "target_name": "FS1", "workstation": "WS1"} | said
    return row("smb", 445, told | {"principal": principal, "realm": realm})


def message(application: str | None = "LAB", facility: str | None = "WARD", **said) -> dict:
    """An HL7 message from 10.0.0.11."""
    told = {"mechanism": "hl7-application", "receiving_application": "EMR", "receiving_facility": "HOSP"} | said
    return row("hl7", 2575, told | {"principal": application, "realm": facility})


def ticket(**said) -> dict:
    """A Kerberos logon from 10.0.0.11 at FS1."""
    told = {"mechanism": "kerberos", "realm": "WARD.EXAMPLE", "service": "cifs/fs1.ward.example"} | said
    return row("smb", 445, told)


def count(*rows: dict) -> int:
    return world(*rows).execute("SELECT count(*) FROM identity").fetchone()[0]


def identity(store: duckdb.DuckDBPyConnection, kind: str = "account") -> dict:
    found = store.execute("SELECT * FROM identity WHERE kind = $k", {"k": kind})
    columns, rows = [item[0] for item in found.description], found.fetchall()
    assert len(rows) == 1, rows
    said = dict(zip(columns, rows[0], strict=True))
    return said | {"why": json.loads(said["why"])}


# --- which are the same ---


@pytest.mark.parametrize("realm", [None, "", ".", "FS1", "fs1", "WS1", "workgroup"])
def test_the_server_itself_knows_an_account_without_a_domain(realm: str | None) -> None:
    assert count(logon(realm="fs1"), logon(realm=realm)) == 1


def test_a_domains_account_is_not_the_servers() -> None:
    assert count(logon(realm="WARD"), logon(realm="")) == 2


def test_a_server_in_no_domain_knows_its_own_accounts_only() -> None:
    alone = {"target_domain": "FS1"}
    assert count(logon(realm="WARD", **alone), logon(realm=None, **alone), logon(realm="fs1")) == 1
    assert count(logon(realm="WARD", target_domain="WARD"), logon(realm="fs1")) == 2


def test_letters_case_does_not_matter() -> None:
    assert count(logon(), logon("SVC-CT", "ward"), logon(mechanism="smb-plaintext", version=None)) == 1


def test_an_account_is_called_as_it_is_mostly_written() -> None:
    found = identity(world(logon(n=5), logon("SVC-CT", "ward"), logon("Svc-CT", "ward", n=2)))
    assert (found["label"], found["realm"]) == ("svc-ct", "WARD")


@pytest.mark.parametrize("realm", [None, "WS1"])
def test_a_servers_account_shows_the_server(realm: str | None) -> None:
    assert identity(world(logon(realm=realm)))["realm"] == "FS1"


def test_without_the_servers_name_the_authority_is_unknown() -> None:
    assert identity(world(logon(realm="", target_name=None)))["realm"] is None


def test_a_name_with_its_domain_is_the_name_in_that_domain() -> None:
    assert count(logon("svc-ct", "ward.example"), logon("svc-ct@ward.example", "")) == 1
    assert count(logon("svc-ct", "ward.example"), logon("svc-ct@other.example", "")) == 2
    found = identity(world(logon("svc-ct@ward.example", "")))
    assert (found["label"], found["realm"]) == ("svc-ct", "ward.example")


def test_nobody_is_no_account() -> None:
    assert count(logon(None, None, version="anonymous", null=True)) == 0


def test_applications_of_two_facilities_are_two() -> None:
    store = world(message(), message(facility="OTHER"), message(mechanism="hl7-security"))
    found = store.execute(
        "SELECT label, realm FROM identity JOIN identity_use USING (identity_id) WHERE use = 'claims' ORDER BY realm"
    ).fetchall()
    assert found == [("LAB", "OTHER"), ("LAB", "WARD")]


# --- how strong ---


@pytest.mark.parametrize(
    ("said", "strength", "says"),
    [
        ({"version": "NTLMv2"}, "fair", "NTLMv2"),
        ({"version": "NTLM2 session"}, "weak", "DES"),
        ({"version": "NTLMv1"}, "weak", "DES"),
        ({"version": "LM"}, "weak", "LM"),
        ({"version": None}, "weak", "not seen"),
        ({"guest": True}, "none", "guest"),
        ({"null": True}, "none", "nobody"),
        ({"mechanism": "smb-plaintext", "version": None}, "weak", "clear text"),
    ],
)
def test_an_accounts_strength(said: dict, strength: str, says: str) -> None:
    found = identity(world(logon(**said)))
    assert found["strength"] == strength
    assert says in found["why"]["strength"]


@pytest.mark.parametrize(
    ("etype", "strength"),
    [
        ({"ticket_etype": "aes256-cts-hmac-sha1-96"}, "strong"),
        ({"ticket_etype": "rc4-hmac"}, "fair"),
        ({"ticket_etype": "des-cbc-md5"}, "weak"),
        ({"mechanism": "dicom-kerberos", "etype": 23}, "fair"),
        ({}, "fair"),
    ],
)
def test_a_services_strength(etype: dict, strength: str) -> None:
    assert identity(world(ticket(**etype)), "service-principal")["strength"] == strength


@pytest.mark.parametrize(
    ("rows", "strength"),
    [
        ([message()], "none"),
        ([message(), message(mechanism="hl7-security")], "weak"),
        ([message(n=5), message(mechanism="hl7-security")], "none"),
        ([message(protection="tls"), message(mechanism="hl7-security", protection="tls")], "fair"),
    ],
)
def test_an_applications_strength(rows: list[dict], strength: str) -> None:
    store = world(*rows)
    assert store.execute("SELECT strength FROM identity WHERE label = 'LAB'").fetchone() == (strength,)


def test_a_message_with_a_secret_is_one_message() -> None:
    store = world(message(n=3), message(mechanism="hl7-security", n=3))
    assert store.execute("SELECT n FROM identity_use WHERE use = 'claims'").fetchall() == [(3,)]


def test_a_refused_proof_does_not_count_beside_an_accepted_one() -> None:
    assert identity(world(logon(), logon(version="NTLMv1", outcome="rejected")))["strength"] == "fair"
    assert identity(world(logon(version="NTLMv1", outcome="rejected")))["strength"] == "weak"


# --- whose ---


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("WS1$", "device"),
        ("svc-ct", "service"),
        ("backup_svc", "service"),
        ("dicom", "service"),
        ("CT01", "service"),
        ("geservice", "vendor"),
        ("Administrator", "unknown"),
        ("jane.roe", "human"),
        ("anna.meier-roth", "human"),
        ("scan.user", "service"),
        ("jroe", "unknown"),
    ],
)
def test_whose_an_account_is(name: str, owner: str) -> None:
    assert identity(world(logon(name)))["belongs_to"] == owner


def test_whose_an_application_is() -> None:
    own = {"receiving_application": None}
    assert identity(world(message(**own)), "hl7-application")["belongs_to"] == "device"
    two = world(message(**own), message(**own, **{"from": "10.0.0.12"}))
    assert identity(two, "hl7-application")["belongs_to"] == "service"
    assert identity(world(message("MIRTH", **own)), "hl7-application")["belongs_to"] == "service"


def test_whose_a_service_is() -> None:
    assert identity(world(ticket()), "service-principal")["belongs_to"] == "device"
    assert identity(world(ticket(), ticket(to="10.0.0.3")), "service-principal")["belongs_to"] == "service"


# --- who uses it ---


def uses(store: duckdb.DuckDBPyConnection) -> set[tuple]:
    return set(
        store.execute(
            "SELECT i.kind, i.label, u.use, u.device_id, u.peer_device_id, u.outcome"
            " FROM identity_use AS u JOIN identity AS i USING (identity_id)"
        ).fetchall()
    )


def test_a_ticket_shows_the_service_and_no_client() -> None:
    store = world(ticket(), ticket(outcome="rejected", service="cifs/other"))
    client, server = device_of(store, "10.0.0.11"), device_of(store, "10.0.0.2")
    assert uses(store) == {
        ("service-principal", "cifs/fs1.ward.example", "answers_to", server, client, "accepted"),
    }
    assert identity(store, "service-principal")["realm"] == "WARD.EXAMPLE"


def test_an_application_sends_and_another_answers() -> None:
    store = world(message())
    sender, receiver = device_of(store, "10.0.0.11"), device_of(store, "10.0.0.2")
    assert uses(store) == {
        ("hl7-application", "LAB", "claims", sender, receiver, "accepted"),
        ("hl7-application", "EMR", "answers_to", receiver, sender, "accepted"),
    }


def test_a_message_that_nobody_acknowledged_shows_no_receiver() -> None:
    assert {use[2] for use in uses(world(message(outcome="unknown")))} == {"claims"}


def test_a_device_that_was_only_refused_does_not_hold_the_account() -> None:
    store = world(logon(), logon(outcome="rejected", **{"from": "10.0.0.12"}))
    found = identity(store)
    assert found["device_count"] == 1
    assert found["why"]["refused"] == "1 more device was only ever refused with it"
    assert {use[5] for use in uses(store)} == {"accepted", "rejected"}


def test_an_account_that_was_only_refused_says_so() -> None:
    found = identity(world(logon(outcome="rejected")))
    assert found["device_count"] == 0
    assert "nobody is known to use it" in found["why"]["refused"]


def test_an_account_that_works_was_not_refused() -> None:
    assert "refused" not in identity(world(logon(), logon(outcome="rejected")))["why"]


# --- its secrets ---


def with_secret(digest: str | None, at: str = "+0s", *, epoch: int = 1, **said) -> dict:
    kept = {"secret_principal_digest": digest, "secret_class": "other", "secret_length": "8-11", "key_epoch": epoch}
    return logon(mechanism="smb-plaintext", version=None, at=at, **kept | said)


def test_a_secret_that_stays_is_the_same() -> None:
    why = identity(world(with_secret("aa"), with_secret("aa", "+400d")))["why"]
    assert why["secret"] == "the same at least since 2026-11-23"
    assert [(one["secret"], one["class"], one["length"]) for one in why["secrets"]] == [(1, "other", "8-11")]


def test_a_secret_that_changed_says_when() -> None:
    why = identity(world(with_secret("aa"), with_secret("bb", "+9d"), with_secret("aa", "+1d")))["why"]
    assert why["secret"] == "2 different ones since 2026-11-23, the last new one on 2026-12-02"
    assert [one["secret"] for one in why["secrets"]] == [1, 2]


def test_digests_do_not_leave() -> None:
    store = world(with_secret("0123456789abcdef"))
    assert "0123456789abcdef" not in json.dumps(identity(store), default=str)


def test_a_rotated_site_key_hides_changes() -> None:
    why = identity(world(with_secret("aa"), with_secret("bb", "+9d", epoch=2)))["why"]
    assert why["secret"] == "the same at least since 2026-12-02 (the site key was rotated then)"


def test_a_short_secret_has_a_class_and_no_number() -> None:
    why = identity(world(with_secret(None, secret_class="short", secret_length="<8")))["why"]
    assert [(one["secret"], one["class"]) for one in why["secrets"]] == [(None, "short")]


def test_a_wrong_password_is_not_its_secret() -> None:
    assert "secrets" not in identity(world(with_secret("aa", outcome="rejected")))["why"]
