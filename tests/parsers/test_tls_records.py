"""TLS records and messages made by hand: borders, limits, gaps, and what must not be taken for TLS."""

from __future__ import annotations

import random

import pytest

from parsers import tls
from parsers.core import Anomaly, Authentication, Certificate, Channel, Session, Side, Verdict
from parsers.tls import _records
from tests.captures import Piece
from tests.parsers._tls import (
    REGISTRY,
    all_of,
    capture,
    certificates,
    client_hello,
    conversations,
    extension,
    feed,
    message,
    only,
    record,
    server_hello,
    state,
    values,
    vector,
)

CHANGE = record(20, b"\x01")
FINISHED = record(22, bytes(40))
DATA = record(23, bytes(300))
DONE = message(14, b"")


def lane_bytes(name: str, lane: int) -> bytes:
    return b"".join(piece.data for piece in conversations(capture(name))[0].pieces if piece.lane == lane)


def plain_messages(stream: bytes) -> tuple[bytes, bytes]:
    """The handshake messages in front, joined; and all that follows them."""
    at, joined = 0, b""
    while stream[at] == 22:
        end = at + 5 + int.from_bytes(stream[at + 3 : at + 5], "big")
        joined += stream[at + 5 : end]
        at = end
    return joined, stream[at:]


@pytest.mark.parametrize("size", [1, 7, 16_384])
def test_messages_may_be_cut_anywhere(size: int) -> None:
    """Records of one byte, or one record for all messages: the same facts."""
    lanes = []
    for lane in (0, 1):
        joined, rest = plain_messages(lane_bytes("tls12_mutual", lane))
        cut = [joined[i : i + size] for i in range(0, len(joined), size)]
        lanes.append(b"".join(record(22, part) for part in cut) + rest)
    expected = sorted(map(repr, state(conversations(capture("tls12_mutual"))[0])))
    assert sorted(map(repr, feed(*lanes))) == expected


def test_resumption_is_an_absent_flight() -> None:
    facts = feed(record(22, client_hello()) + CHANGE + FINISHED, record(22, server_hello()) + CHANGE + FINISHED)
    channel = only(facts, Channel)
    assert channel.details["resumed"] is True
    assert channel.client_authenticated is None


@pytest.mark.parametrize(("offered", "known"), [(True, False), (False, None)])
def test_renegotiation_info(offered: bool, known: bool | None) -> None:
    suites = b"\xc0\x2f" + (b"\x00\xff" if offered else b"\x00\x2f")
    facts = feed(record(22, client_hello(suites=suites)), record(22, server_hello() + DONE))
    assert only(facts, Channel).details.get("renegotiation_info") is known


def test_deflate() -> None:
    hello = bytearray(server_hello())
    hello[-1] = 1
    assert only(feed(record(22, client_hello()), record(22, bytes(hello))), Channel).details["compression"] == "DEFLATE"


def test_drafts_of_tls13() -> None:
    extensions = extension(43, b"\x7f\x1c") + extension(51, b"\x00\x1d" + vector(2, bytes(32)))
    channel = only(feed(record(22, client_hello()), record(22, server_hello(b"\x13\x01", extensions))), Channel)
    assert channel.version == "TLS 1.3"
    assert channel.details["group"] == "x25519"


def test_an_encrypted_alert_is_no_finished() -> None:
    """In TLS 1.3 an alert looks like data: 19 bytes, encrypted."""
    extensions = extension(43, b"\x03\x04") + extension(51, b"\x00\x1d" + vector(2, bytes(32)))
    responder = record(22, server_hello(b"\x13\x01", extensions)) + record(23, bytes(900))
    for size, completed in ((19, None), (53, True)):
        facts = feed(record(22, client_hello()) + CHANGE + record(23, bytes(size)), responder)
        assert only(facts, Channel).details.get("completed") is completed


def test_grease_is_no_value() -> None:
    extensions = (
        extension(0x0A0A, b"")
        + extension(10, vector(2, b"\x1a\x1a\x00\x1d\x2a\x2a\x00\x17"))
        + extension(43, b"\x04\x0a\x0a\x03\x04")
    )
    facts = feed(record(22, client_hello(extensions, b"\x2a\x2a\x13\x01")), b"")
    assert values(facts, "tls.supported_groups") == ["x25519,secp256r1"]
    assert values(facts, "tls.max_version") == ["TLS 1.3"]
    assert values(facts, "tls.ja4")[0].startswith("t13i0102")


# ---------------------------------------------------------------------- what is wrong


def test_a_broken_extension_is_named_and_the_rest_read() -> None:
    extensions = extension(0, b"\x00\x99\x00") + extension(16, vector(2, vector(1, b"h2")))
    facts = feed(record(22, client_hello(extensions)), b"")
    assert values(facts, "tls.alpn_offered") == ["h2"]
    assert only(facts, Anomaly).code == "malformed_extension"


def test_too_long_a_message() -> None:
    facts = feed(record(22, client_hello()), record(22, server_hello() + b"\x0b\xff\xff\xff" + bytes(100)))
    assert [anomaly.code for anomaly in all_of(facts, Anomaly)] == ["limit_exceeded"]
    assert only(facts, Channel).version == "TLS 1.2"


def test_too_long_a_chain() -> None:
    der = b"\x30\x03\x02\x01\x01"
    facts = feed(record(22, client_hello()), record(22, server_hello() + certificates(*[der] * 20)))
    assert len(all_of(facts, Certificate)) == 16
    assert {anomaly.code for anomaly in all_of(facts, Anomaly)} == {
        "certificate_chain_too_long",
        "unreadable_certificate",
    }


def test_too_large_a_certificate() -> None:
    large = certificates(b"\x30\x83\x01\x11\x70" + bytes(70_000))
    records = b"".join(record(22, large[i : i + 16_384]) for i in range(0, len(large), 16_384))
    facts = feed(record(22, client_hello()), record(22, server_hello()) + records)
    assert only(facts, Anomaly).code == "certificate_too_large"
    assert all_of(facts, Certificate) == []


def test_a_message_of_the_other_side() -> None:
    facts = feed(record(22, client_hello()) + record(22, message(14, b"") + server_hello()), b"")
    assert only(facts, Anomaly).code == "malformed"


def test_change_cipher_spec_within_a_message() -> None:
    facts = feed(record(22, client_hello()), record(22, server_hello() + b"\x0b\x00\x10") + CHANGE + FINISHED)
    assert only(facts, Anomaly).code == "malformed"
    assert "resumed" not in only(facts, Channel).details


# ---------------------------------------------------------------------- gaps and one lane


def test_an_encrypted_record_after_a_gap_says_nothing_plain() -> None:
    """A GCM record of TLS 1.2 begins with a nonce that counts from zero: it looks like a HelloRequest."""
    session = Session(REGISTRY, "tcp")
    facts = session.feed(0, record(22, client_hello())) + session.feed(1, record(22, server_hello()))
    session.gap(1)
    facts += session.feed(1, record(22, bytes(40)) + record(23, bytes(60)) + record(23, bytes(60)), 2) + session.end()
    assert all_of(facts, Anomaly) == []
    channel = only(facts, Channel)
    assert "resumed" not in channel.details
    assert "client_certificate" not in channel.details


def test_a_chain_after_a_gap_is_read() -> None:
    """The ServerHello is lost, the record with the certificates is whole."""
    joined, _ = plain_messages(lane_bytes("tls12_mutual", 1))
    chain = joined[4 + int.from_bytes(joined[1:4], "big") :]
    session = Session(REGISTRY, "tcp")
    facts = session.feed(0, record(22, client_hello()))
    session.gap(1)
    facts += session.feed(1, record(22, chain[:16_384]), 2) + session.end()
    assert [fact.role for fact in all_of(facts, Certificate)] == ["server", "ca"]
    assert all_of(facts, Channel) == []


def test_one_lane_states_its_channel_after_a_while() -> None:
    """A mirror that shows only the server: the channel need not wait for the end of the week."""
    session = Session(REGISTRY, "tcp")
    facts = session.feed(1, record(22, server_hello() + DONE) + CHANGE + FINISHED)
    assert all_of(facts, Channel) == []
    facts += session.feed(1, DATA * _records.RECORDS_AFTER_MAX)
    assert "completed" not in only(facts, Channel).details


def test_done_when_both_have_finished() -> None:
    session = Session(REGISTRY, "tcp")
    session.feed(0, record(22, client_hello()) + CHANGE + FINISHED)
    assert not session.done
    facts = session.feed(1, record(22, server_hello()) + CHANGE + FINISHED)
    assert session.done
    assert only(facts, Channel).details["completed"] is True


# ---------------------------------------------------------------------- the probe


@pytest.mark.parametrize(
    "begin", [CHANGE + FINISHED, record(21, b"\x02\x28"), FINISHED, DATA + DATA, record(24, bytes(40))]
)
@pytest.mark.parametrize("side", list(Side))
def test_any_record_may_come_after_a_gap(begin: bytes, side: Side) -> None:
    assert tls.probe(begin, side) is Verdict.LIKELY
    assert all(tls.probe(begin[:n], side) is not Verdict.NO for n in range(1, len(begin)))


def test_hellos_come_from_their_side() -> None:
    hello, answer = record(22, client_hello()), record(22, server_hello())
    assert tls.probe(hello, Side.INITIATOR) is tls.probe(answer, Side.RESPONDER) is Verdict.LIKELY
    assert tls.probe(hello, Side.RESPONDER) is tls.probe(answer, Side.INITIATOR) is Verdict.NO


@pytest.mark.parametrize("head", [
    b"GET / HTTP/1.1\r\n", b"SSH-2.0-x\r\n", b"\x16\x03\x01\x00\x00", b"\x16\x02\x00\x00\x10",
    b"\x14\x03\x03\x00\x02\x01\x01", b"\x17\x03\x03\xff\xff", b"\x16\x03\x09\x00\x10",
    b"\x15\x03\x03\x00\x02\x02\x28\x99\x99", b"\x03\x00\x00\x13\x0e\xe0",
])  # fmt: skip
def test_refused(head: bytes) -> None:
    assert tls.probe(head, Side.INITIATOR) is Verdict.NO


def test_random_bytes_are_refused() -> None:
    rng = random.Random(8446)
    taken = [
        data for data in (rng.randbytes(64) for _ in range(20_000)) if tls.probe(data, Side.INITIATOR) is Verdict.LIKELY
    ]
    assert taken == []


def test_ssl2_hellos_add_up() -> None:
    hello = b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + bytes(0x15 + 0x10)
    assert tls.probe(hello, Side.INITIATOR) is Verdict.LIKELY
    assert tls.probe(b"\x80\x2f" + hello[2:], Side.INITIATOR) is Verdict.NO
    assert tls.probe(hello, Side.RESPONDER) is Verdict.NO


@pytest.mark.parametrize("seed", range(40))
def test_noise_in_a_lane_breaks_nothing(seed: int) -> None:
    """Bytes of a real lane are replaced, doubled and cut; whatever comes of it is a fact or an anomaly."""
    rng = random.Random(seed)
    talk = conversations(capture("tls12_mutual"))[0]
    pieces = []
    for piece in talk.pieces:
        data = bytearray(piece.data)
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(data))
            data[at : at + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
        pieces.append(Piece(piece.lane, bytes(data), piece.turn))
    state(talk, pieces)


# ---------------------------------------------------------------------- key exchange


@pytest.mark.parametrize(("suite", "body", "known"), [
    (b"\xc0\x2f", b"\x03\x00\x17\x01\x04", {"group": "secp256r1", "group_bits": 256}),
    (b"\xc0\x2f", b"\x03\x77\x77\x01\x04", {"group": "0x7777"}),
    (b"\xc0\x2f", b"\x01\x1c\xff" + bytes(27), {"group": "explicit_prime", "group_bits": 224}),
    (b"\xc0\x2f", b"\x02\x00\xa3", {"group": "explicit_char2", "group_bits": 163}),
    (b"\xc0\x2f", b"\x09", {}),
    (b"\xc0\x2f", b"", {}),
    (b"\x00\x33", b"\x00\x80\x7f" + bytes(127), {"group_bits": 1023}),
    (b"\x00\xaa", b"\x00\x04hint\x00\x02\x01\x00", {"group_bits": 9}),  # DHE_PSK: a hint in front
])  # fmt: skip
def test_server_key_exchange(suite: bytes, body: bytes, known: dict[str, object]) -> None:
    facts = feed(record(22, client_hello()), record(22, server_hello(suite) + message(12, body) + DONE))
    details = only(facts, Channel).details
    assert {key: details[key] for key in ("group", "group_bits") if key in details} == known


def test_psk_identities_that_are_no_text() -> None:
    for identity, principal in ((b"pump-17", "pump-17"), (b"\x00\xff", "00ff"), (b"a\nb", "610a62")):
        exchange = message(16, vector(2, identity))
        facts = feed(record(22, client_hello() + exchange), record(22, server_hello(b"\x00\xa8") + DONE))
        assert only(facts, Authentication).principal == principal


def test_ssl3_clients_warn_instead_of_showing_nothing() -> None:
    """SSL 3.0 has no empty Certificate message: the client sends the warning no_certificate."""
    request = record(22, server_hello() + message(13, b"\x01\x01\x00\x00") + DONE)
    channel = only(feed(record(22, client_hello()) + record(21, b"\x01\x29"), request), Channel)
    assert (channel.client_authenticated, channel.details["client_certificate"]) == (False, "empty")


def test_psk_only_in_tls13() -> None:
    answer = server_hello(b"\x13\x01", extension(43, b"\x03\x04") + extension(41, b"\x00\x00"))
    details = only(feed(record(22, client_hello()), record(22, answer)), Channel).details
    assert (details["key_exchange"], details["resumed"]) == ("PSK", True)


def test_encrypted_client_hello_is_offered() -> None:
    hello = client_hello(extension(0xFE0D, bytes(8)))
    assert only(feed(record(22, hello), record(22, server_hello())), Channel).details["ech"] is True


def test_an_encrypted_alert_instead_of_finished() -> None:
    facts = feed(record(22, client_hello()) + CHANGE + record(21, bytes(26)) + DATA, record(22, server_hello() + DONE))
    assert only(facts, Channel).details["encrypted_alert_by"] == "initiator"
