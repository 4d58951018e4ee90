"""Blind spots: how much could be seen, and why the rest could not."""

from __future__ import annotations

import pytest

from tests.sensor.inference.world import device_of, world


def blind(store, ip: str = "10.0.0.2") -> list[tuple]:
    return store.execute(
        "SELECT conversations, understood, reason, reason_count FROM blindspot WHERE device_id = $d ORDER BY reason",
        {"d": device_of(store, ip)},
    ).fetchall()


def test_everything_could_be_seen() -> None:
    assert blind(world({"conversation": {"n": 5}, "protocol": "dicom"})) == [(5, 5, "none", 0)]


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"one_sided_count": 2}, "one-sided"),
        ({"midstream_count": 2}, "mid-stream"),
        ({"gap_count": 2}, "loss"),
        ({"unanswered_count": 2}, "unanswered"),
    ],
)
def test_what_the_engine_missed(counts: dict, reason: str) -> None:
    store = world({"conversation": {"n": 5} | counts, "protocol": "dicom"})
    assert blind(store) == [(5, 3, reason, 2)]
    assert blind(store, "10.0.0.11") == [(5, 3, reason, 2)]


def test_an_unknown_protocol() -> None:
    assert blind(world({"conversation": {"n": 5}, "protocol": ""})) == [(5, 0, "unknown protocol", 5)]
    assert (
        blind(world({"conversation": {"n": 5, "confidence": "port"}, "protocol": "dicom"}))[0][2] == "unknown protocol"
    )


def test_a_connection_in_which_nobody_spoke_is_no_unknown_protocol() -> None:
    silent = {
        "conversation": {"n": 2, "confidence": "port", "initiator_bytes": 0, "responder_bytes": 0},
        "protocol": "",
    }
    spoken = {"conversation": {"n": 3, "confidence": "port"}, "protocol": ""}
    assert blind(world(silent, spoken)) == [(5, 0, "no payload", 2), (5, 0, "unknown protocol", 3)]


def test_tls_that_hides() -> None:
    store = world(
        {"conversation": {"n": 9}},
        {"channel": {"version": "TLS 1.3", "certificates_hidden": True, "resumed": True}, "n": 4},
        {"channel": {"version": "TLS 1.2", "resumed": True}, "n": 2},
        {"channel": {"version": "TLS 1.2", "resumed": False}, "n": 3},
    )
    assert blind(store) == [(9, 3, "TLS 1.3", 4), (9, 3, "resumption", 2)]


SMB = {"protocol": "smb", "port": 445}


def logon(mechanism: str, principal: str | None = None, **row) -> dict:
    return {"authentication": {"mechanism": mechanism, "principal": principal, "realm": "WARD"}, **SMB, **row}


def test_a_ticket_hides_its_client() -> None:
    store = world({"conversation": {"n": 5}, **SMB}, logon("kerberos", n=2), logon("ntlm", "svc", n=3))
    assert blind(store) == blind(store, "10.0.0.11") == [(5, 3, "Kerberos", 2)]


def test_an_smb_conversation_without_a_logon_shows_nobody() -> None:
    store = world({"conversation": {"n": 5}, **SMB}, logon("ntlm", "svc", n=3))
    assert blind(store) == [(5, 3, "no logon seen", 2)]
    assert blind(world({"conversation": {"n": 5, "midstream_count": 5}, **SMB})) == [(5, 0, "mid-stream", 5)]


def test_an_anonymous_session_hides_nothing() -> None:
    assert blind(world({"conversation": {}, **SMB}, logon("ntlm"))) == [(1, 1, "none", 0)]


def test_a_logon_elsewhere_does_not_show_this_one() -> None:
    store = world({"conversation": {}, **SMB}, logon("ntlm", "svc", **{"from": "10.0.0.12"}))
    assert (1, 0, "no logon seen", 1) in blind(store)


def test_a_conversation_has_one_reason() -> None:
    store = world(
        {"conversation": {"n": 3, "one_sided_count": 3, "gap_count": 3}},
        {"channel": {"certificates_hidden": True}, "n": 3},
    )
    assert blind(store) == [(3, 0, "one-sided", 3)]


def test_days_stand_apart() -> None:
    store = world({"conversation": {}, "protocol": "dicom"}, {"conversation": {}, "protocol": "", "at": "+1d"})
    assert [row[2] for row in blind(store)] == ["none", "unknown protocol"]
