"""TLS: what the project's captures show. Each line was compared with tshark's reading of the same capture."""

from __future__ import annotations

from typing import Any

import pytest

from parsers.core import Anomaly, Authentication, Certificate, Channel, Outcome, Protection, Side, Signed
from tests.parsers._tls import all_of, capture, conversations, only, said, state, values

TLS12 = ("TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
TLS13 = ("TLS 1.3", "TLS_AES_256_GCM_SHA384")
X25519 = {"key_exchange": "ECDHE", "group": "x25519", "group_bits": 255}

# capture: version, suite, client authenticated, some of the details
CHANNELS: dict[str, tuple[str, str, bool | None, dict[str, Any]]] = {
    "ssl30_rc4": ("SSL 3.0", "TLS_RSA_WITH_RC4_128_MD5", False, {"key_exchange": "RSA"}),
    "ssl2_hello": ("TLS 1.0", "TLS_RSA_WITH_AES_128_CBC_SHA", False, {"renegotiation_info": True}),
    "tls10_rsa": ("TLS 1.0", "TLS_RSA_WITH_AES_128_CBC_SHA", False, {"key_exchange": "RSA"}),
    "tls10_des": ("TLS 1.0", "TLS_RSA_WITH_DES_CBC_SHA", False, {}),
    "tls10_export": ("TLS 1.0", "TLS_RSA_EXPORT_WITH_RC4_40_MD5", False, {"temporary_rsa_bits": 512}),
    "tls10_anon_rc4": ("TLS 1.0", "TLS_DH_anon_WITH_RC4_128_MD5", False, {"key_exchange": "DH_anon"}),
    "tls11_dhe": ("TLS 1.1", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", False, {"key_exchange": "DHE", "group_bits": 2048}),
    "tls11_rc4": ("TLS 1.1", "TLS_ECDHE_RSA_WITH_RC4_128_SHA", False, {"client_certificate": "empty"}),
    "tls12_rsa": ("TLS 1.2", "TLS_RSA_WITH_AES_128_GCM_SHA256", False, {"key_exchange": "RSA"}),
    "tls12_3des": ("TLS 1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", False, {"client_certificate_requested": True}),
    "tls12_dhe1024": ("TLS 1.2", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", False, {"group_bits": 1024}),
    "tls12_ecdhe": (*TLS12, False, {**X25519, "client_certificate": "not_requested", "completed": True}),
    "tls12_ecdhe_p192": (*TLS12, False, {"group": "secp192r1", "group_bits": 192}),
    "tls12_anon_ecdh": ("TLS 1.2", "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", False, {"key_exchange": "ECDH_anon"}),
    "tls12_mutual": (*TLS12, True, {"client_certificate": "sent", "completed": True}),
    "tls12_mutual_empty": (*TLS12, False, {"client_certificate": "empty", "completed": True}),
    "tls12_mutual_missing": (*TLS12, False, {"alert": "handshake_failure", "alert_by": "responder"}),
    "tls12_mutual_refused": (*TLS12, None, {"alert": "unknown_ca", "alert_by": "responder", "completed": False}),
    "tls12_psk": ("TLS 1.2", "TLS_PSK_WITH_AES_128_GCM_SHA256", True, {"key_exchange": "PSK"}),
    "alert_certificate_expired": (*TLS12, False, {"alert": "certificate_expired", "alert_by": "initiator"}),
    "tls12_renegotiation": (*TLS12, False, {"client_certificate": "not_requested"}),
    "tls13": (*TLS13, None, {**X25519, "client_certificate": "hidden", "certificates_hidden": True, "completed": True}),
    "tls13_mutual": (*TLS13, None, {"client_certificate": "hidden"}),
    "tls13_hrr": (*TLS13, None, {"hello_retry": True, "group": "secp384r1", "group_bits": 384}),
    "tls13_mlkem": (*TLS13, None, {"group": "X25519MLKEM768", "key_exchange": "hybrid"}),
    "tls13_mlkem_unknown": (*TLS13, None, {"group": "x25519", "hello_retry": True}),
    "tls13_no_middlebox": (*TLS13, None, {"completed": True}),
    "tls13_chacha": ("TLS 1.3", "TLS_CHACHA20_POLY1305_SHA256", None, {}),
    "java_tls12": (*TLS12, False, {}),
    "gnutls_tls13": (*TLS13, None, {"group": "secp256r1"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANNELS)
def test_channel(name: str) -> None:
    version, suite, client_authenticated, details = CHANNELS[name]
    channel = only(said(name), Channel)
    assert channel.subject.side is Side.RESPONDER
    assert (channel.version, channel.cipher) == (version, suite)
    assert channel.client_authenticated is client_authenticated
    assert details.items() <= channel.details.items()
    assert channel.encrypted
    assert channel.signed is Signed.REQUIRED


@pytest.mark.parametrize("name", CHANNELS)
def test_no_anomaly(name: str) -> None:
    assert all_of(said(name), Anomaly) == []


@pytest.mark.parametrize(("name", "suite"), [
    ("tls10_null_md5", "TLS_RSA_WITH_NULL_MD5"), ("tls12_null", "TLS_RSA_WITH_NULL_SHA256"),
])  # fmt: skip
def test_null_suites_do_not_encrypt(name: str, suite: str) -> None:
    channel = only(said(name), Channel)
    assert (channel.cipher, channel.encrypted, channel.signed) == (suite, False, Signed.REQUIRED)


@pytest.mark.parametrize("name", ["tls12_resumed_id", "tls12_resumed_ticket"])
def test_resumed(name: str) -> None:
    first, second = all_of(said(name), Channel)
    assert (first.details["resumed"], first.client_authenticated) == (False, False)
    assert (second.details["resumed"], second.client_authenticated) == (True, None)
    assert "client_certificate" not in second.details


def test_resumed_tls13() -> None:
    assert [channel.details["resumed"] for channel in all_of(said("tls13_resumed"), Channel)] == [False, True]


def test_early_data_prove_nothing() -> None:
    """The client's first encrypted record may be early data: whether it finished is not known."""
    first, second = all_of(said("tls13_early_data"), Channel)
    assert first.details["completed"] is True
    assert "completed" not in second.details


def test_missing_protections_are_only_said_where_they_were_offered() -> None:
    """Its client offers neither extended master secret nor renegotiation info."""
    details = only(said("tls12_no_protection"), Channel).details
    assert "extended_master_secret" not in details
    assert "renegotiation_info" not in details


# ---------------------------------------------------------------------- hellos


def test_client_hello() -> None:
    facts = said("tls12_alpn")
    assert values(facts, "tls.sni") == ["analyser.lab.hospital.example"]
    assert values(facts, "tls.alpn_offered") == ["h2", "http/1.1"]
    assert values(facts, "tls.alpn") == ["http/1.1"]
    assert values(facts, "tls.max_version") == ["TLS 1.2"]
    assert values(facts, "tls.supported_groups")[0].startswith("x25519,secp256r1,")


def test_alpn_of_tls13_is_hidden() -> None:
    assert values(said("tls13_alpn"), "tls.alpn_offered") == ["h2", "http/1.1"]
    assert values(said("tls13_alpn"), "tls.alpn") == []


def test_post_quantum_groups_have_names() -> None:
    assert "X25519MLKEM768" in values(said("tls13_mlkem"), "tls.supported_groups")[0].split(",")


def test_no_sni() -> None:
    assert values(said("no_sni"), "tls.sni") == []
    assert values(said("no_sni"), "tls.ja4")[0].startswith("t12i")


@pytest.mark.parametrize(("name", "offered"), [
    ("ssl30_rc4", "SSL 3.0"), ("tls10_rsa", "TLS 1.0"), ("tls11_dhe", "TLS 1.1"), ("tls12_rsa", "TLS 1.2"),
    ("tls13", "TLS 1.3"), ("ssl2_hello", "TLS 1.0"), ("tls11_downgraded", "TLS 1.2"),
])  # fmt: skip
def test_highest_version_offered(name: str, offered: str) -> None:
    assert values(said(name), "tls.max_version") == [offered]


def test_an_ssl2_hello_has_no_fingerprint() -> None:
    assert values(said("ssl2_hello"), "tls.ja3") == []
    assert values(said("ssl2_hello"), "tls.ja4") == []
    assert len(values(said("ssl2_hello"), "tls.ja3s")) == 1


def test_alerts_before_anything_was_agreed() -> None:
    assert values(said("alert_handshake_failure"), "tls.alert") == ["handshake_failure"]
    assert values(said("alert_protocol_version"), "tls.alert") == ["protocol_version"]
    assert all_of(said("alert_protocol_version"), Channel) == []


# ---------------------------------------------------------------------- who authenticates


def test_client_certificate_accepted() -> None:
    facts = said("tls12_mutual")
    authentication = only(facts, Authentication)
    client = next(fact for fact in all_of(facts, Certificate) if fact.role == "client")
    assert authentication.subject.side is Side.INITIATOR
    assert authentication.mechanism == "tls-client-certificate"
    assert authentication.principal == "pump-0017.devices.hospital.example"
    assert (authentication.outcome, authentication.protection) == (Outcome.ACCEPTED, Protection.TLS)
    assert authentication.details == {"sha256": client.sha256, "spki_sha256": client.spki_sha256}


def test_client_certificate_refused() -> None:
    assert only(said("tls12_mutual_refused"), Authentication).outcome is Outcome.REJECTED


def test_accepted_though_expired() -> None:
    """The server did not check: that is what was seen, the rules compare the dates."""
    assert only(said("tls12_mutual_expired"), Authentication).outcome is Outcome.ACCEPTED


def test_unknown_where_the_server_is_not_seen() -> None:
    talk = conversations(capture("tls12_mutual"))[0]
    facts = state(talk, [piece for piece in talk.pieces if piece.lane == 0])
    assert only(facts, Authentication).outcome is Outcome.UNKNOWN
    assert all_of(facts, Channel) == []


def test_psk() -> None:
    authentication = only(said("tls12_psk"), Authentication)
    assert (authentication.mechanism, authentication.principal) == ("tls-psk", "infusion-pump-0017")
    assert authentication.outcome is Outcome.ACCEPTED


def test_tls13_shows_nobody() -> None:
    assert all_of(said("tls13_mutual"), Authentication) == []
    assert all_of(said("tls13_mutual"), Certificate) == []
    assert all_of(said("tls13_psk"), Authentication) == []


def test_the_smart_card_of_a_person() -> None:
    facts = said("smartcard")
    card = next(fact for fact in all_of(facts, Certificate) if fact.role == "client")
    assert card.personal
    assert card.issuer is not None
    assert card.not_after is not None
    assert (card.subject_name, card.serial, card.spki_sha256, card.sans, card.details) == (None, None, None, (), {})
    assert only(facts, Authentication).principal is None
    assert only(facts, Authentication).details == {"sha256": card.sha256}


# ---------------------------------------------------------------------- order


@pytest.mark.parametrize("name", CHANNELS)
def test_lanes_may_come_in_any_order(name: str) -> None:
    """The responder's bytes first, or all of one lane first: the same facts."""
    for talk in conversations(capture(name)):
        expected = sorted(map(repr, state(talk)))
        for first in (0, 1):
            reordered = sorted(talk.pieces, key=lambda piece: piece.lane != first)
            assert sorted(map(repr, state(talk, reordered))) == expected, f"lane {first} first"
