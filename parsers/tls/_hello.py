"""ClientHello and ServerHello, of SSL 3.0 to TLS 1.3 and of DTLS.

    ClientHello                          ServerHello
    0   2  version                       0   2  version
    2  32  random                        2  32  random
    34  .. session id <0..32>            34  .. session id <0..32>
    .   .. cookie <0..255> (DTLS only)   .   2  cipher suite
    .   .. cipher suites <2..2^16-2>     .   1  compression method
    .   .. compression methods <1..255>  .   .. extensions <0..2^16-1> (may be left out)
    .   .. extensions <0..2^16-1> (may be left out)

Spec: RFC 8446 4.1.2 and 4.1.3, RFC 5246 7.4.1, RFC 6347 4.2.1
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

import msgspec

from parsers.core import Cursor, Malformed
from parsers.tls._names import DTLS13, GREASE, TLS13

H = TypeVar("H")

_ODD: Final = "a list of 16-bit numbers has an odd length"
_NO_NAME: Final = b"\0\0"  # an empty list of server names
_GREASE_BYTES: Final = frozenset(number.to_bytes(2) for number in GREASE)

# SHA-256 of "HelloRetryRequest" (RFC 8446 4.1.3)
RETRY_RANDOM: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_HEADER: Final = struct.Struct(">HH")

SERVER_NAME: Final = 0
GROUPS: Final = 10
POINT_FORMATS: Final = 11
SIGNATURE_ALGORITHMS: Final = 13
ALPN: Final = 16
EXTENDED_MASTER_SECRET: Final = 23
PRE_SHARED_KEY: Final = 41
EARLY_DATA: Final = 42
SUPPORTED_VERSIONS: Final = 43
KEY_SHARE: Final = 51
ENCRYPTED_CLIENT_HELLO: Final = 0xFE0D
RENEGOTIATION_INFO: Final = 0xFF01
RENEGOTIATION_INFO_SCSV: Final = 0x00FF
_FIRST_NUMBER: Final = {GROUPS: 2, SUPPORTED_VERSIONS: 1}  # where the first number stands in an extension


class ClientHello(msgspec.Struct):
    """What a client offers. Lists are in the client's order, with GREASE."""

    version: int
    suites: tuple[int, ...]
    compressions: bytes
    session_id: bytes
    extensions: tuple[int, ...] = ()
    server_name: str | None = None
    alpn: tuple[bytes, ...] = ()
    versions: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    point_formats: bytes = b""
    signature_algorithms: tuple[int, ...] = ()
    malformed: tuple[int, ...] = ()

    @property
    def offers_renegotiation_info(self) -> bool:
        """Whether the client says that it renegotiates securely (RFC 5746 3.4)."""
        return RENEGOTIATION_INFO in self.extensions or RENEGOTIATION_INFO_SCSV in self.suites


class ServerHello(msgspec.Struct):
    """What a server chose."""

    legacy_version: int
    version: int
    suite: int
    compression: int
    is_retry: bool
    session_id: bytes = b""
    extensions: tuple[int, ...] = ()
    alpn: bytes = b""
    group: int | None = None
    malformed: tuple[int, ...] = ()

    @property
    def is_tls13(self) -> bool:
        """Whether all that follows is encrypted: TLS 1.3 and DTLS 1.3, by their numbers or by those of drafts."""
        return self.version in {TLS13, DTLS13} or self.version >> 8 == 0x7F


class Outline(NamedTuple):
    """A ClientHello without what differs from one connection to the next; equal for all hellos of one program.

    Left out are random, session id, cookie, server name and the content of extensions that nobody reads here (key
    shares, pre-shared keys, tickets, padding); GREASE is made 0x0A0A where programs put it.
    """

    version: int
    suites: bytes
    compressions: bytes
    extensions: tuple[tuple[int, bytes], ...]


class Choice(NamedTuple):
    """A ServerHello without what differs from one connection to the next: random, session id, key share, tickets."""

    version: int
    suite: int
    compression: int
    is_retry: bool
    extensions: tuple[tuple[int, bytes], ...]


class Own(NamedTuple):
    """What a ClientHello has for itself."""

    session_id: bytes
    server_name: str | None


def client_hello(body: bytes, *, datagram: bool = False) -> ClientHello:
    """Take a ClientHello apart.

    Raises:
        Malformed: a length does not fit. Broken extensions are only listed in `malformed`.
    """
    shared, own = outline(body, datagram=datagram)
    return with_own(offer(shared), own)


def outline(body: bytes, *, datagram: bool = False) -> tuple[Outline, Own]:
    """What a ClientHello has in common with others, and what not.

    Raises:
        Malformed: a length does not fit.
    """
    cursor = Cursor(body)
    version = _version(cursor)
    cursor.skip(32)
    session_id = _session_id(cursor)
    if datagram:
        cursor.vector8()
    suites = cursor.vector16()
    if len(suites) % 2:
        raise Malformed(_ODD)
    compressions = cursor.vector8()
    if not suites or not compressions:
        raise Malformed("no cipher suite or compression method offered")
    extensions, server_name = _stable(_split(_extension_bytes(cursor)))
    return Outline(version, _without_grease(suites, 0), compressions, extensions), Own(session_id, server_name)


def _stable(extensions: list[tuple[int, bytes]]) -> tuple[tuple[tuple[int, bytes], ...], str | None]:
    """The extensions without what differs, and the server name; a broken list of names stays as it is."""
    server_name: str | None = None
    kept: list[tuple[int, bytes]] = []
    for kind, value in extensions:
        if kind == SERVER_NAME:
            try:
                for name in _server_names(value):
                    server_name = name
            except Malformed:
                kept.append((kind, value))
            else:
                kept.append((kind, _NO_NAME))
        elif kind in _OFFERED:
            kept.append((kind, _without_grease(value, _FIRST_NUMBER.get(kind))))
        else:
            kept.append((0x0A0A if kind in GREASE else kind, b""))
    return tuple(kept), server_name


def offer(shared: Outline) -> ClientHello:
    """What an outline offers."""
    hello = ClientHello(shared.version, _numbers(shared.suites), shared.compressions, b"")
    hello.extensions, hello.malformed = _read_extensions(shared.extensions, _OFFERED, hello)
    return hello


def with_own(offered: ClientHello, own: Own) -> ClientHello:
    """A copy of what is offered, with what this hello has for itself."""
    return msgspec.structs.replace(offered, session_id=own.session_id, server_name=own.server_name)


def _without_grease(numbers: bytes, at: int | None) -> bytes:
    """`numbers`, with GREASE in the place where programs put it always the same."""
    if at is None or numbers[at : at + 2] not in _GREASE_BYTES:
        return numbers
    return b"%b\x0a\x0a%b" % (numbers[:at], numbers[at + 2 :])


def is_read(kind: int, *, by_client: bool) -> bool:
    """Whether anything depends on what an extension of this type holds."""
    return kind in (_OFFERED if by_client else _CHOSEN)


def choice(body: bytes) -> tuple[Choice, bytes]:
    """What a ServerHello or HelloRetryRequest has in common with others; and its session id.

    Raises:
        Malformed: a length does not fit.
    """
    cursor = Cursor(body)
    version = _version(cursor)
    random = cursor.take(32)
    is_early_draft = version >> 8 == 0x7F  # until draft 21 of TLS 1.3 neither session id nor compression
    session_id = b"" if is_early_draft else _session_id(cursor)
    suite, compression = cursor.u16(), 0 if is_early_draft else cursor.u8()
    extensions = tuple(
        [(kind, value[: _KEPT_OF_CHOICE.get(kind, 0)]) for kind, value in _split(_extension_bytes(cursor))]
    )
    return Choice(version, suite, compression, random == RETRY_RANDOM, extensions), session_id


def chosen(shared: Choice) -> ServerHello:
    """What was chosen. Broken extensions are only listed in `malformed`."""
    hello = ServerHello(shared.version, shared.version, shared.suite, shared.compression, shared.is_retry)
    hello.extensions, hello.malformed = _read_extensions(shared.extensions, _CHOSEN, hello)
    return hello


def server_hello(body: bytes) -> ServerHello:
    """Take a ServerHello or HelloRetryRequest apart.

    Raises:
        Malformed: a length does not fit. Broken extensions are only listed in `malformed`.
    """
    shared, session_id = choice(body)
    return msgspec.structs.replace(chosen(shared), session_id=session_id)


def _version(cursor: Cursor) -> int:
    version = cursor.u16()
    if version >> 8 not in {0x03, 0xFE, 0x7F} and version != 0x0100:
        raise Malformed(f"version {version:04x}")
    return version


def _session_id(cursor: Cursor) -> bytes:
    session_id = cursor.vector8()
    if len(session_id) > 32:
        raise Malformed("session id longer than 32 bytes")
    return session_id


# ---------------------------------------------------------------------- extensions


def _extension_bytes(cursor: Cursor) -> bytes:
    if not cursor.remaining:
        return b""
    data = cursor.vector16()
    if cursor.remaining:
        raise Malformed("bytes after the extensions", cursor.offset)
    return data


def _read_extensions(
    extensions: Iterable[tuple[int, bytes]], readers: dict[int, Callable[[H, bytes], None]], hello: H
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Read the extensions into `hello`; returns their types, and the types of those that are broken."""
    kinds, broken = [], []
    for kind, value in extensions:
        kinds.append(kind)
        read = readers.get(kind)
        if read is not None:
            try:
                read(hello, value)
            except Malformed:
                broken.append(kind)
    return tuple(kinds), tuple(broken)


def _split(data: bytes) -> list[tuple[int, bytes]]:
    """Type and content of each extension. Not by a cursor, which would take half of a hello's time here."""
    found = []
    at, end = 0, len(data)
    while at < end:
        if end - at < 4:
            raise Malformed("an extension is cut short", at)
        kind, length = _HEADER.unpack_from(data, at)
        at += 4 + length
        if at > end:
            raise Malformed("an extension is longer than all of them", at)
        found.append((kind, data[at - length : at]))
    return found


def _numbers(data: bytes) -> tuple[int, ...]:
    if len(data) % 2:
        raise Malformed(_ODD)
    return struct.unpack(f">{len(data) // 2}H", data)


def _whole16(value: bytes) -> bytes:
    """The content of a vector that is all there is."""
    if len(value) < 2 or int.from_bytes(value[:2], "big") != len(value) - 2:
        raise Malformed("a length that does not fit")
    return value[2:]


def _whole8(value: bytes) -> bytes:
    if not value or value[0] != len(value) - 1:
        raise Malformed("a length that does not fit")
    return value[1:]


def _server_names(value: bytes) -> Iterator[str]:
    cursor = Cursor(_whole16(value))
    while cursor.remaining:
        kind, name = cursor.u8(), cursor.vector16()
        if kind == 0 and name:
            yield name.decode("utf-8", "replace")


def _read_server_name(hello: ClientHello, value: bytes) -> None:
    for name in _server_names(value):
        hello.server_name = name


def _protocols(value: bytes) -> tuple[bytes, ...]:
    cursor = Cursor(_whole16(value))
    found = []
    while cursor.remaining:
        found.append(cursor.vector8())
    return tuple(found)


def _read_alpn(hello: ClientHello, value: bytes) -> None:
    hello.alpn = _protocols(value)


def _read_versions(hello: ClientHello, value: bytes) -> None:
    hello.versions = _numbers(_whole8(value))


def _read_groups(hello: ClientHello, value: bytes) -> None:
    hello.groups = _numbers(_whole16(value))


def _read_point_formats(hello: ClientHello, value: bytes) -> None:
    hello.point_formats = _whole8(value)


def _read_algorithms(hello: ClientHello, value: bytes) -> None:
    hello.signature_algorithms = _numbers(_whole16(value))


def _read_chosen_version(hello: ServerHello, value: bytes) -> None:
    hello.version = Cursor(value).u16()


def _read_chosen_group(hello: ServerHello, value: bytes) -> None:
    hello.group = Cursor(value).u16()


def _read_chosen_protocol(hello: ServerHello, value: bytes) -> None:
    chosen = _protocols(value)
    hello.alpn = chosen[0] if len(chosen) == 1 else b""


_OFFERED: Final[dict[int, Callable[[ClientHello, bytes], None]]] = {
    SERVER_NAME: _read_server_name,
    GROUPS: _read_groups,
    POINT_FORMATS: _read_point_formats,
    SIGNATURE_ALGORITHMS: _read_algorithms,
    ALPN: _read_alpn,
    SUPPORTED_VERSIONS: _read_versions,
}
_CHOSEN: Final[dict[int, Callable[[ServerHello, bytes], None]]] = {
    ALPN: _read_chosen_protocol,
    SUPPORTED_VERSIONS: _read_chosen_version,
    KEY_SHARE: _read_chosen_group,
}
_KEPT_OF_CHOICE: Final = {ALPN: 0xFFFF, SUPPORTED_VERSIONS: 2, KEY_SHARE: 2}  # of a key share, the group
