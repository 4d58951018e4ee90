"""JA3, JA3S and JA4, against published vectors and against tshark's reading of public captures."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from parsers.core import Attribute, Channel, Side
from parsers.tls import _fingerprint, _names
from parsers.tls._hello import ClientHello
from tests.captures import talks
from tests.parsers._tls import state

# The worked example of the JA4 specification: Chrome 113.
SUITES = "2a2a 1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035"
EXTENSIONS = "1a1a 001b 0000 0033 0010 4469 0017 002d 000d 0005 0023 0012 002b ff01 000b 000a 0015 2a2a"
ALGORITHMS = "0403 0804 0401 0503 0805 0501 0806 0601"


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in text.split())


def chrome(alpn: tuple[bytes, ...] = (b"h2", b"http/1.1")) -> ClientHello:
    return ClientHello(
        0x0303, numbers(SUITES), b"\x00", b"", numbers(EXTENSIONS), "example.com", alpn, numbers("6a6a 0304 0303"),
        numbers("3a3a 001d 0017 0018"), b"\x00", numbers(ALGORITHMS),
    )  # fmt: skip


def test_the_worked_example() -> None:
    assert _fingerprint.ja4(chrome(), "t") == "t13d1516h2_8daaf6152771_e5627efa2ab1"


@pytest.mark.parametrize(("first", "written"), [
    (b"h2", "h2"), (b"http/1.1", "h1"), (b"x", "xx"), (b"", "00"), (b"\xab", "ab"), (b"\xab\xcd", "ad"),
    (b"\x30\xab", "3b"), (b"\x30\x31\xab\xcd", "3d"), (b"\x30\xab\xcd\x31", "01"),
])  # fmt: skip
def test_alpn_in_ja4(first: bytes, written: str) -> None:
    assert _fingerprint.ja4(chrome((first,)), "t")[8:10] == written


def test_ja4_of_an_empty_offer() -> None:
    hello = ClientHello(0x0300, (0x0A0A,), b"\x00", b"")
    assert _fingerprint.ja4(hello, "t") == "ts3i000000_000000000000_000000000000"


def test_ja4_of_datagrams() -> None:
    assert _fingerprint.ja4(ClientHello(0xFEFD, (0xC02B,), b"\x00", b""), "d").startswith("dd2i0100")


def test_order_of_extensions_does_not_matter_in_ja4() -> None:
    hello = chrome()
    hello.extensions = tuple(reversed(hello.extensions))
    assert _fingerprint.ja4(hello, "t") == _fingerprint.ja4(chrome(), "t")
    assert _fingerprint.ja3(hello) != _fingerprint.ja3(chrome())


# ---------------------------------------------------------------------- tshark

# Conversations that begin as another protocol: their first hello is found by that protocol's hand-off.
UPGRADED = (
    "starttls",
    "ftp-auth-tls",
    "rdp",
    "mysql",
    "pcapng-example",
    "quic",
    "gnutella",
    "Tunnels",
    "RADIUS",
    "encap-",
)
FIELDS = {
    "tls.handshake.ja3": "tls.ja3",
    "tls.handshake.ja3s": "tls.ja3s",
    "tls.handshake.extensions_server_name": "tls.sni",
}


def oracle(shared: Path) -> dict[str, dict[tuple[str, str], set[tuple[str, str]]]]:
    """(file) -> (sender's port, receiver's port) -> what tshark read."""
    found: dict[str, dict[tuple[str, str], set[tuple[str, str]]]] = {}
    for line in (shared / "ORACLE.jsonl").read_text().splitlines():
        entry = json.loads(line)
        read = defaultdict(set)
        for kind in ("tls_client_hello", "tls_server_hello"):
            for record in entry["facts"].get(kind, {}).get("records", []):
                lane = (record["sport"], record["dport"])
                for field, name in FIELDS.items():
                    read[lane].update((name, value) for value in as_list(record.get(field, [])))
                for suite in as_list(record.get("tls.handshake.ciphersuite", [])):
                    read[lane].add(("cipher", _names.cipher_suite(int(suite, 16))))
        if read and not any(part in entry["file"] for part in UPGRADED):
            found[entry["file"]] = read
    return found


def as_list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def ours(path: Path) -> dict[tuple[str, str], set[tuple[str, str]]]:
    found = defaultdict(set)
    for talk in talks(path):
        if talk.over != "tcp":
            continue
        ports = {Side.INITIATOR: talk.ports[::-1], Side.RESPONDER: talk.ports}
        for fact in state(talk):
            lane = tuple(map(str, ports[fact.subject.side]))
            if isinstance(fact, Attribute):
                found[lane].add((fact.name, fact.value))
            elif isinstance(fact, Channel):
                found[lane].add(("cipher", fact.cipher))
    return found


def test_tshark_reads_the_same(shared_pcaps: Path) -> None:
    compared, different = 0, []
    for name, read in oracle(shared_pcaps).items():
        stated = ours(shared_pcaps / name)
        for lane, values in read.items():
            compared += len(values)
            different += [(name, *value) for value in sorted(values - stated.get(lane, set()))]
    assert compared > 150
    assert sorted(different) == [
        # tshark also hashes HelloRetryRequests and hellos that are cut off
        ("tcp-onesided_tls__ntop-nDPI__tls_cipher_lens.pcap", "tls.ja3", "12f72b3830028e0151f98b64f504bd9c"),
        ("tcp-onesided_tls__ntop-nDPI__tls_cipher_lens.pcap", "tls.ja3", "8eae3e18d36ce24c4ac6b9eeb84ac762"),
        ("tls-tls13__zeek-zeek__hrr.pcap", "tls.ja3s", "15af977ce25de452b96affa2addb1036"),
    ]
