"""SSL 2.0: a public capture, and messages made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from parsers.core import Anomaly, Certificate, Channel
from tests.captures import talks
from tests.parsers._tls import all_of, feed, only, shown, state, values


def framed(content: bytes) -> bytes:
    return (0x8000 | len(content)).to_bytes(2, "big") + content


def client_hello(version: bytes = b"\x00\x02") -> bytes:
    ciphers = b"\x01\x00\x80\x07\x00\xc0"
    return framed(b"\x01" + version + b"\x00\x06\x00\x00\x00\x10" + ciphers + bytes(16))


def server_hello(der: bytes, *, hit: bool = False) -> bytes:
    kind = b"\x01" if der else b"\x00"
    lengths = len(der).to_bytes(2, "big") + b"\x00\x03\x00\x10"
    return framed(b"\x04" + bytes((hit,)) + kind + b"\x00\x02" + lengths + der + b"\x07\x00\xc0" + bytes(16))


MASTER_KEY = framed(b"\x02\x07\x00\xc0\x00\x00\x00\x40\x00\x08" + bytes(72))
ENCRYPTED = framed(bytes(33))


def test_a_public_capture(shared_pcaps: Path) -> None:
    (talk,) = [talk for talk in talks(shared_pcaps / "tls-sslv2__zeek-zeek__ssl-v2.pcap") if talk.over == "tcp"]
    facts = state(talk)
    channel = only(facts, Channel)
    assert (channel.version, channel.cipher) == ("SSL 2.0", "SSL_CK_DES_192_EDE3_CBC_WITH_MD5")
    assert channel.client_authenticated is None
    assert only(facts, Certificate).details["common_name"] == "plesk"
    assert values(facts, "tls.max_version") == ["SSL 2.0"]


def test_by_hand() -> None:
    ((_, der),) = shown(["cert_self_signed"])
    facts = feed(client_hello() + MASTER_KEY + ENCRYPTED, server_hello(der) + ENCRYPTED)
    channel = only(facts, Channel)
    assert channel.cipher == "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"
    assert channel.details == {"key_exchange": "RSA", "resumed": False, "completed": True}
    assert (only(facts, Certificate).role, all_of(facts, Anomaly)) == ("server", [])
    assert values(facts, "tls.ja3") == []


def test_only_the_server() -> None:
    channel = only(feed(b"", server_hello(b"", hit=True) + ENCRYPTED), Channel)
    assert (channel.cipher, channel.details["resumed"]) == (None, True)


@pytest.mark.parametrize("version", [b"\x03\x00", b"\x03\x01", b"\x03\x03"])
def test_a_server_that_knows_nothing_newer(version: bytes) -> None:
    """The hello offers SSL 3.0 or TLS, the server answers in SSL 2.0, and the client goes along."""
    facts = feed(client_hello(version) + MASTER_KEY + ENCRYPTED, server_hello(b"") + ENCRYPTED)
    assert only(facts, Channel).version == "SSL 2.0"


def test_another_message_in_its_place() -> None:
    facts = feed(client_hello() + client_hello(), server_hello(b"") + ENCRYPTED)
    assert only(facts, Anomaly).code == "malformed"
    assert only(facts, Channel).cipher is None
