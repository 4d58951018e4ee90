"""Identities: who uses what, since when, how strong, whose it is."""

from __future__ import annotations

import json

import pytest

from tests.sensor.inference.world import DICOM, device_of, world


def identity(store, kind: str):
    columns = "label, belongs_to, strength, device_count, why"
    found = store.execute(f"SELECT {columns} FROM identity WHERE kind = $k", {"k": kind}).fetchall()
    assert len(found) == 1, found
    return found[0]


def claim(mechanism: str, principal: str | None = "svc", protection: str = "none", **row) -> dict:
    return {
        "authentication": {"mechanism": mechanism, "principal": principal, "protection": protection},
        **DICOM,
        **row,
    }


@pytest.mark.parametrize(
    ("certificate", "strength", "says"),
    [
        ({}, "strong", "authority"),
        ({"self_signed": True}, "fair", "nobody vouches"),
        ({"key_bits": 1024}, "weak", "1024 bits"),
        ({"signature": "sha1WithRSAEncryption"}, "weak", "sha1"),
        ({"signature": "ecdsa-with-SHA1"}, "weak", "SHA1"),
    ],
)
def test_a_keys_strength(certificate: dict, strength: str, says: str) -> None:
    _, _, found, _, why = identity(world({"certificate": certificate}), "certificate-key")
    assert found == strength
    assert says in json.loads(why)["strength"]


def test_a_key_on_two_devices_is_weak_and_a_services() -> None:
    store = world({"certificate": {}, "to": "10.0.0.2"}, {"certificate": {}, "to": "10.0.0.3"})
    _, belongs_to, strength, count, _ = identity(store, "certificate-key")
    assert (belongs_to, strength, count) == ("service", "weak", 2)


@pytest.mark.parametrize(
    ("certificate", "owner"),
    [
        ({}, "device"),
        ({"organization": "Siemens Healthcare GmbH"}, "vendor"),
        ({"sans": ["DNS:*.hospital.example"]}, "service"),
        ({"personal": True, "subject_name": None, "sans": []}, "human"),
    ],
)
def test_whose_a_key_is(certificate: dict, owner: str) -> None:
    assert identity(world({"certificate": certificate}), "certificate-key")[1] == owner


def test_a_persons_name_stays_out() -> None:
    store = world(
        {"certificate": {"personal": True, "subject_name": "CN=somebody", "common_name": "somebody", "sans": []}}
    )
    assert identity(store, "certificate-key")[0] == "a person's certificate"
    assert "somebody" not in json.dumps(store.execute("FROM identity").fetchall(), default=str)


@pytest.mark.parametrize(
    ("mechanism", "protection", "kind", "strength"),
    [
        ("dicom-username", "none", "dicom-username", "none"),
        ("dicom-username-passcode", "none", "dicom-username", "weak"),
        ("dicom-username-passcode", "tls", "dicom-username", "fair"),
        ("dicom-kerberos", "none", "dicom-kerberos", "strong"),
        ("dicom-jwt", "none", "dicom-jwt", "weak"),
        ("tls-psk", "tls", "psk", "fair"),
        ("something-new", "none", "something-new", "weak"),
    ],
)
def test_an_accounts_strength(mechanism: str, protection: str, kind: str, strength: str) -> None:
    assert identity(world(claim(mechanism, protection=protection)), kind)[2] == strength


def test_one_account_by_two_proofs_is_one_identity_and_as_weak_as_the_weaker() -> None:
    store = world(claim("dicom-username"), claim("dicom-username-passcode", protection="tls"))
    assert identity(store, "dicom-username")[2] == "none"


def test_one_name_in_two_scopes_is_two_identities() -> None:
    store = world(claim("dicom-username", scope="north"), claim("dicom-username", scope="south"))
    assert store.execute("SELECT count(*) FROM identity").fetchone()[0] == 2


def test_who_calls_and_who_answers() -> None:
    row = {"authentication": {"principal": "CT01", "called_ae_title": "ARCHIVE"}, **DICOM}
    store = world(row, {**row, "at": "+1d", "n": 4}, {**row, "at": "+1d", "from": "10.0.0.12"})
    uses = store.execute(
        "SELECT i.label, u.use, u.device_id, u.peer_device_id, u.n, u.day_count"
        " FROM identity_use AS u JOIN identity AS i USING (identity_id)"
    ).fetchall()
    ct, other, archive = (device_of(store, ip) for ip in ("10.0.0.11", "10.0.0.12", "10.0.0.2"))
    assert set(uses) == {
        ("CT01", "claims", ct, archive, 5, 2),
        ("CT01", "claims", other, archive, 1, 1),
        ("ARCHIVE", "answers_to", archive, ct, 5, 2),
        ("ARCHIVE", "answers_to", archive, other, 1, 1),
    }


def test_a_refused_title_is_not_answered_to() -> None:
    store = world({"authentication": {"principal": "CT01", "called_ae_title": "WRONG", "outcome": "rejected"}, **DICOM})
    assert store.execute("SELECT label FROM identity").fetchall() == [("CT01",)]


def test_a_client_certificate_is_one_identity_shown_and_claimed() -> None:
    claimed = {"mechanism": "tls-client-certificate", "principal": "ct1", "spki_sha256": "aa", "outcome": "accepted"}
    store = world(
        {"certificate": {"role": "client", "spki_sha256": "aa"}, "side": "initiator"}, {"authentication": claimed}
    )
    assert identity(store, "certificate-key")[2] == "strong"
    assert {row[0] for row in store.execute("SELECT use FROM identity_use").fetchall()} == {"shows", "claims"}


def test_a_client_certificate_that_was_not_seen_is_nobody() -> None:
    store = world(claim("tls-client-certificate", "ct1"))
    assert store.execute("SELECT count(*) FROM identity").fetchone()[0] == 0
