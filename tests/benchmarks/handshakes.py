"""TLS handshakes as OpenSSL speaks them, and many more like them: fresh randoms, session ids, key shares and names.

A template is one real handshake over memory buffers. What a copy changes are the bytes that differ between any two
connections; nobody who only listens can tell that the signatures no longer fit. Spec: RFC 5246 7.4, RFC 8446 4.
"""

from __future__ import annotations

import datetime as dt
import random
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NAME = "d-000000.ward.example"
RSA_KEYS = 8  # made once and shared: making one takes longer than all handshakes with it
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_CIPHERS = ("ECDHE+AESGCM", "ECDHE+AESGCM:ECDHE+CHACHA20", "ECDHE+AES", "ECDHE+AESGCM:RSA+AES", "DEFAULT")
_ALPN: tuple[list[str], ...] = ([], ["http/1.1"], ["h2", "http/1.1"])
_KEY_SHARE = 51
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Message:
    """Bytes of one lane with holes: `(offset, length, what)`."""

    def __init__(self, data: bytes, holes: Sequence[tuple[int, int, str]]) -> None:
        self._pieces: list[bytes] = []
        self._holes: list[tuple[str, int]] = []
        at = 0
        for offset, length, what in sorted(holes):
            self._pieces.append(data[at:offset])
            self._holes.append((what, length))
            at = offset + length
        self._end = data[at:]

    def filled(self, values: dict[str, bytes], chance: random.Random) -> bytes:
        """The bytes with holes filled: by value where there is one of the length, else at random."""
        out = []
        for piece, (what, length) in zip(self._pieces, self._holes, strict=True):
            value = values.get(what)
            out += [piece, value if value is not None and len(value) == length else chance.randbytes(length)]
        return b"".join(out) + self._end


class Template:
    """One handshake and a short exchange: what each lane says, in order."""

    def __init__(self, flights: Sequence[tuple[int, bytes]]) -> None:
        greeted = {0: False, 1: False}
        self._said: list[tuple[int, Message]] = []
        for lane, data in flights:
            holes = [] if greeted[lane] else _holes(data, client=lane == 0)
            greeted[lane] = True
            self._said.append((lane, Message(data, holes)))

    def copy(self, name: str, chance: random.Random) -> Iterator[tuple[int, bytes]]:
        """The lanes' bytes of another connection, to a server that is called `name`."""
        values = {"name": name.encode(), "session": chance.randbytes(32)}
        for lane, message in self._said:
            yield lane, message.filled(values, chance)


def _holes(data: bytes, *, client: bool) -> Iterator[tuple[int, int, str]]:
    """Where a hello (after record header, type, length, version) differs from the next."""
    yield 11, 32, "random"
    length = data[43]
    if length:
        yield 44, length, "session"
    at = 44 + length
    if client:
        at += 2 + int.from_bytes(data[at : at + 2])  # cipher suites
        at += 1 + data[at]  # compression
        yield data.index(NAME.encode()), len(NAME), "name"
    else:
        at += 3
    end = at + 2 + int.from_bytes(data[at : at + 2])
    at += 2
    while at < end:
        kind, size = int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 2 : at + 4])
        if kind == _KEY_SHARE:
            yield from _key_share(data, at + 4 + 2 * client)
        at += 4 + size


def _key_share(data: bytes, at: int) -> Iterator[tuple[int, int, str]]:
    length = int.from_bytes(data[at + 2 : at + 4])
    yield at + 4, length, "key"


# ---------------------------------------------------------------------- the real thing


def templates(certificates: int, seed: int) -> list[tuple[Template, Template]]:
    """For each certificate a handshake of TLS 1.2 and one of TLS 1.3."""
    chance = random.Random(seed)
    rsa_keys = [rsa.generate_private_key(65537, 2048) for _ in range(min(RSA_KEYS, certificates))]
    issuer = _key(chance)
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(certificates):
            key = rsa_keys[number % len(rsa_keys)] if number % 2 else _key(chance)
            chain = _chain(Path(folder) / "chain.pem", key, issuer, number)
            pair = [Template(list(_shake(chain, number, version))) for version in _VERSIONS]
            made.append((pair[0], pair[1]))
    return made


_VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def _key(chance: random.Random) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(chance.randrange(1, _P256_ORDER), ec.SECP256R1())


def _chain(path: Path, key: Key, issuer: ec.EllipticCurvePrivateKey, number: int) -> Path:
    """A key and its certificate in one file."""
    begin = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    name, ca = _name(f"device-{number:04}.ward.example"), _name("Invented Hospital CA")
    certificate = (
        x509.CertificateBuilder(ca, name, key.public_key(), 1000 + number)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=730))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"device-{number:04}.ward.example")]), critical=False)
        .sign(issuer, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _shake(chain: Path, number: int, version: ssl.TLSVersion) -> Iterator[tuple[int, bytes]]:
    """What both lanes say: handshake, a request, an answer, close_notify."""
    ends = (ssl.MemoryBIO(), ssl.MemoryBIO())
    client, server = _client(number, version), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    peers = (
        client.wrap_bio(ends[1], ends[0], server_hostname=NAME),
        server.wrap_bio(ends[0], ends[1], server_side=True),
    )
    # Each step's bytes are read out for the capture and put back for the peer.
    for lane, act in _steps(peers):
        with suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            act()
        if data := ends[lane].read():
            yield lane, data
            ends[lane].write(data)


def _steps(peers: tuple[ssl.SSLObject, ssl.SSLObject]) -> Iterator[tuple[int, Callable[[], object]]]:
    client, server = peers
    for _ in range(2):
        yield 0, client.do_handshake
        yield 1, server.do_handshake
    yield 0, lambda: client.write(b"GET /status HTTP/1.1\r\nHost: device\r\n\r\n")
    yield 1, lambda: (server.read(65536), server.write(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(600)))
    yield 0, lambda: (client.read(65536), client.unwrap())
    yield 1, server.unwrap


def _client(number: int, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(_CIPHERS[number % len(_CIPHERS)])
    context.maximum_version = version
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if protocols := _ALPN[number % len(_ALPN)]:
        context.set_alpn_protocols(protocols)
    return context
