"""DTLS: captures, fragments in any order, and datagrams of other protocols on the same ports."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from parsers import dtls
from parsers.core import Anomaly, Authentication, Certificate, Channel, Outcome, Session, Side, Verdict
from tests.captures import talks
from tests.parsers._tls import (
    REGISTRY,
    all_of,
    capture,
    certificates,
    conversations,
    extension,
    only,
    said,
    state,
    values,
    vector,
)

X25519 = {"key_exchange": "ECDHE", "group": "x25519", "group_bits": 255, "completed": True}
CHANNELS: dict[str, tuple[str, str, bool | None, dict[str, Any]]] = {
    "dtls10": ("DTLS 1.0", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", False, X25519),
    "dtls12": ("DTLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", False, X25519),
    "dtls12_mutual": ("DTLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", True, {"client_certificate": "sent"}),
    "dtls12_psk": ("DTLS 1.2", "TLS_PSK_WITH_AES_128_CCM_8", True, {"key_exchange": "PSK"}),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_channel(name: str) -> None:
    version, suite, client_authenticated, details = CHANNELS[name]
    channel = only(said(name), Channel)
    assert (channel.version, channel.cipher) == (version, suite)
    assert channel.client_authenticated is client_authenticated
    assert details.items() <= channel.details.items()
    assert all_of(said(name), Anomaly) == []


def test_fingerprints() -> None:
    """JA4 only: JA3 was never defined for datagrams."""
    assert values(said("dtls12"), "tls.ja4")[0].startswith("dd2")
    assert values(said("dtls12"), "tls.ja3") == values(said("dtls12"), "tls.ja3s") == []


def test_both_sides_certificates() -> None:
    roles = [(fact.subject.side, fact.role) for fact in all_of(said("dtls12_mutual"), Certificate)]
    assert roles == [
        (Side.RESPONDER, "server"),
        (Side.RESPONDER, "ca"),
        (Side.INITIATOR, "client"),
        (Side.INITIATOR, "ca"),
    ]
    assert only(said("dtls12_mutual"), Authentication).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("name", CHANNELS)
def test_datagrams_sent_twice(name: str) -> None:
    talk = conversations(capture(name))[0]
    doubled = [piece for piece in talk.pieces for _ in range(2)]
    assert sorted(map(repr, state(talk, doubled))) == sorted(map(repr, state(talk)))


@pytest.mark.parametrize(("part", "version", "suite"), [
    ("dtls1_0", "DTLS 1.0", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    ("dtls1_2", "DTLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("dtls13-cid", "DTLS 1.3", "TLS_AES_128_GCM_SHA256"),
])  # fmt: skip
def test_public_captures(part: str, version: str, suite: str, shared_pcaps: Path) -> None:
    (path,) = shared_pcaps.glob(f"dtls__zeek-zeek__{part}.pcap")
    found = [fact for talk in talks(path) if talk.over == "udp" for fact in state(talk)]
    assert {(channel.version, channel.cipher) for channel in all_of(found, Channel)} == {(version, suite)}


# ---------------------------------------------------------------------- by hand


def datagram(content: bytes, kind: int = 22, epoch: int = 0, version: bytes = b"\xfe\xfd") -> bytes:
    return bytes((kind,)) + version + epoch.to_bytes(2, "big") + bytes(6) + vector(2, content)


def fragments(kind: int, number: int, body: bytes, size: int) -> list[bytes]:
    head = bytes((kind,)) + len(body).to_bytes(3, "big") + number.to_bytes(2, "big")
    parts = [(at, body[at : at + size]) for at in range(0, len(body), size)] or [(0, b"")]
    return [datagram(head + at.to_bytes(3, "big") + vector(3, part)) for at, part in parts]


def client_hello(version: bytes = b"\xfe\xfd", extensions: bytes = b"") -> bytes:
    body = version + bytes(32) + b"\x00" + b"\x00" + vector(2, b"\xc0\x2b") + b"\x01\x00"
    return body + (vector(2, extensions) if extensions else b"")


def server_hello(version: bytes = b"\xfe\xfd", extensions: bytes = b"") -> bytes:
    body = version + bytes(32) + b"\x00" + b"\xc0\x2b" + b"\x00"
    return body + (vector(2, extensions) if extensions else b"")


def listen(datagrams: list[tuple[int, bytes]]) -> list[Any]:
    session = Session(REGISTRY, "udp", roles_guessed=True)
    facts = [fact for lane, data in datagrams for fact in session.feed_datagram(lane, data)]
    return facts + session.end()


CHAIN = certificates(b"\x30\x03\x02\x01\x01")[4:]
HELLO = fragments(1, 0, client_hello(), 999)[0]
SERVER = [
    *fragments(2, 0, server_hello(), 20), *fragments(11, 1, CHAIN, 5), *fragments(14, 2, b"", 9),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_fragments_come_in_any_order(seed: int) -> None:
    shuffled = random.Random(seed).sample(SERVER, len(SERVER))
    facts = listen([(0, HELLO), *((1, data) for data in shuffled)])
    channel = only(facts, Channel)
    assert channel.details["client_certificate"] == "not_requested"
    assert len(all_of(facts, Certificate)) == 1


@pytest.mark.parametrize("lost", range(len(SERVER)))
def test_a_lost_fragment_changes_nothing_that_is_said(lost: int) -> None:
    facts = listen([(0, HELLO), *((1, data) for number, data in enumerate(SERVER) if number != lost)])
    for channel in all_of(facts, Channel):
        assert channel.details.get("resumed") in {None, False}
        assert channel.details.get("client_certificate") in {None, "not_requested"}


def test_change_cipher_spec_after_a_lost_flight_is_no_resumption() -> None:
    facts = listen(
        [(0, HELLO), (1, SERVER[0]), (1, SERVER[1]), (1, datagram(b"\x01", 20)), (1, datagram(bytes(40), 22, 1))]
    )
    assert all("resumed" not in channel.details for channel in all_of(facts, Channel))


def test_a_cookie_is_asked_for_first() -> None:
    verify = fragments(3, 0, b"\xfe\xff\x04abcd", 99)[0]
    again = fragments(1, 1, client_hello(), 999)[0]
    renumbered = [*fragments(2, 0, server_hello(), 99), *fragments(14, 1, b"", 9)]
    facts = listen([(0, HELLO), (1, verify), (0, again), *((1, data) for data in renumbered)])
    assert only(facts, Channel).version == "DTLS 1.2"
    assert len(values(facts, "tls.ja4")) == 1


def test_dtls13() -> None:
    extensions = extension(43, b"\xfe\xfc") + extension(51, b"\x00\x1d" + vector(2, bytes(32)))
    offered = extension(43, b"\x02\xfe\xfc")
    hello = fragments(1, 0, client_hello(extensions=offered), 999)[0]
    answer = fragments(2, 0, server_hello(extensions=extensions), 999)[0]
    sealed = b"\x2f\x00\x01\x00\x20" + bytes(32)
    facts = listen([(0, hello), (1, answer), (1, b"\x2e" + sealed[1:]), (0, sealed), (1, sealed)])
    channel = only(facts, Channel)
    assert (channel.version, channel.details["client_certificate"]) == ("DTLS 1.3", "hidden")
    assert channel.details["completed"] is True
    assert values(facts, "tls.max_version") == ["DTLS 1.3"]


def test_the_version_before_the_standard() -> None:
    """OpenSSL before 0.9.8f, still in VPN clients: 01 00."""
    version = b"\x01\x00"
    hello = datagram(fragments(1, 0, client_hello(version), 999)[0][13:], version=version)
    answer = datagram(fragments(2, 0, server_hello(version), 999)[0][13:], version=version)
    assert only(listen([(0, hello), (1, answer)]), Channel).version == "DTLS 1.0"


def test_other_datagrams_in_between() -> None:
    """DTLS-SRTP shares its ports with STUN and RTP."""
    stun, rtp = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12), b"\x80\x60" + bytes(30)
    plain = [(0, HELLO), *((1, data) for data in SERVER)]
    mixed = list(itertools.chain.from_iterable([piece, (0, stun), (1, rtp)] for piece in plain))
    assert list(map(repr, listen(mixed))) == list(map(repr, listen(plain)))


def test_a_fragment_outside_its_message() -> None:
    bad = datagram(b"\x0b\x00\x00\x05\x00\x01\x00\x00\x04" + vector(3, b"abcdef"))
    facts = listen([(0, HELLO), (1, SERVER[0]), (1, SERVER[1]), (1, bad)])
    assert [anomaly.code for anomaly in all_of(facts, Anomaly)] == ["malformed"]


def test_too_large_a_message() -> None:
    bad = datagram(b"\x0b\xff\xff\xff\x00\x01\x00\x00\x00" + vector(3, b"abcdef"))
    facts = listen([(0, HELLO), (1, SERVER[0]), (1, SERVER[1]), (1, bad)])
    assert [anomaly.code for anomaly in all_of(facts, Anomaly)] == ["limit_exceeded"]


def test_the_probe() -> None:
    assert dtls.probe(HELLO, Side.INITIATOR) is Verdict.LIKELY
    assert dtls.probe(HELLO, Side.RESPONDER) is Verdict.NO
    assert dtls.probe(datagram(bytes(40), 23, 1), Side.RESPONDER) is Verdict.LIKELY
    for junk in (b"\x16", b"\x16\xfe\xfd", b"\x2e" + bytes(40), HELLO[:-1], b"\x16\xfe\xfe" + bytes(40), bytes(60)):
        assert dtls.probe(junk, Side.INITIATOR) is Verdict.NO
