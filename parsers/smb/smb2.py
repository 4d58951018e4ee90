"""SMB 2 and 3: the header, and the four commands that say who speaks with whom, and how protected.

| offset | length | header |
|---|---|---|
| 0 | 4 | FE `SMB` |
| 4 | 2 | size, 64 |
| 8 | 4 | status, in answers |
| 12 | 2 | command |
| 16 | 4 | flags: 1 answer, 2 asynchronous, 4 related to the one before |
| 20 | 4 | offset of the next message of a compound; 0 if none |
| 24 | 8 | MessageId |
| 40 | 8 | SessionId |

All little-endian. Offsets inside messages count from the header's first byte.

Spec: MS-SMB2 2.2
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import msgspec

from parsers.core import Attribute, Conversation, Cursor, Field, Malformed, Side, Signed
from parsers.smb import status, tokens
from parsers.smb.netbios import SMB2, SMB2_HEADER_BYTES
from parsers.smb.session import Answer, Connection, Terms, share_of
from parsers.smb.tokens import Token

DIALECT: Final = Field("smb.dialect", "MS-SMB2 2.2.4")
OFFERED_DIALECT: Final = Field("smb.offered_dialect", "MS-SMB2 2.2.3")
CLIENT_GUID: Final = Field("smb.client_guid", "MS-SMB2 2.2.3")
SERVER_GUID: Final = Field("smb.server_guid", "MS-SMB2 2.2.4")
NETNAME: Final = Field("smb.netname", "MS-SMB2 2.2.3.1.4")
CIPHER: Final = Field("smb.encryption_cipher", "MS-SMB2 2.2.4.1.2")
SIGNING_ALGORITHM: Final = Field("smb.signing_algorithm", "MS-SMB2 2.2.4.1.7")

NEGOTIATE: Final = 0
SESSION_SETUP: Final = 1
LOGOFF: Final = 2
TREE_CONNECT: Final = 3
READ_WHOLE: Final = frozenset({NEGOTIATE, SESSION_SETUP, TREE_CONNECT})
# CREATE to IOCTL, QUERY_DIRECTORY to SET_INFO: what is about files and pipes
ABOUT_FILES: Final = frozenset({5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 17})
RELATED: Final = 4
MEMO_MAX: Final = 256
"""Of what clients and servers say each time that they connect."""
NO_SESSION: Final = frozenset({0, 0xFFFFFFFFFFFFFFFF})

_BEGIN: Final = SMB2 + b"\x40\x00"
_HEADER: Final = struct.Struct("<8xIH2xIIQ8xQ16x")
_ANY_DIALECT: Final = 0x02FF
_CIPHERS: Final = {1: "AES-128-CCM", 2: "AES-128-GCM", 3: "AES-256-CCM", 4: "AES-256-GCM"}
_SIGNING_ALGORITHMS: Final = {0: "HMAC-SHA256", 1: "AES-CMAC", 2: "AES-GMAC"}
_ENCRYPTION_CAPABILITIES: Final = 2
_NETNAME_CONTEXT: Final = 5
_SIGNING_CAPABILITIES: Final = 8
_CAN_ENCRYPT: Final = 0x40
_CONTEXTS_MAX: Final = 32
_NETNAME_MAX_BYTES: Final = 512
_DIALECTS_MAX: Final = 64
_GUEST, _NULL, _ENCRYPT = 1, 2, 4


class Header(msgspec.Struct, frozen=True):
    """What is read of a header."""

    status: int
    command: int
    flags: int
    next_command: int
    message: int
    session: int

    @property
    def is_answer(self) -> bool:
        """The server sent it."""
        return bool(self.flags & 1)

    @property
    def about_files(self) -> bool:
        """It is about files or pipes, in a session of its own header."""
        return self.command in ABOUT_FILES and self.session not in NO_SESSION and not self.flags & RELATED


def header(data: bytes, base: int) -> Header:
    """The 64 bytes of a header.

    Raises:
        Malformed: they are none.
    """
    if data[:6] != _BEGIN:
        raise Malformed("no SMB 2 header", base)
    return Header(*_HEADER.unpack(data))


def read(head: Header, body: bytes, side: Side, talk: Conversation) -> Iterable[tokens.Stated]:
    """A message whose command is in `READ_WHOLE`; `body` is what follows its header."""
    if head.is_answer and head.status == status.PENDING:
        return ()
    if head.command == NEGOTIATE:
        return _negotiate(body, head, side, talk)
    if head.command == SESSION_SETUP:
        return _session_setup(body, head, side, talk)
    if head.is_answer:
        _connected(head, talk)
    else:
        _connecting(body, head, talk)
    return ()


def dialect_name(number: int) -> str:
    """`SMB 3.1.1` for 0311, `SMB 3.0` for 0300."""
    if number == _ANY_DIALECT:
        return "SMB 2.???"
    digits = [number >> 8, number >> 4 & 15, number & 15]
    return "SMB " + ".".join(map(str, digits if digits[2] else digits[:2]))


# ---------------------------------------------------------------------- NEGOTIATE


def _negotiate(body: bytes, head: Header, side: Side, talk: Conversation) -> Iterable[tokens.Stated]:
    if not head.is_answer:
        return _offer(body, side)
    return _agreement(body, side, talk) if head.status == status.SUCCESS else ()


def _offer(body: bytes, side: Side) -> tuple[Attribute, ...]:
    """NEGOTIATE of a client."""
    cursor = Cursor(body)
    cursor.skip(2)
    count = cursor.u16le()
    cursor.skip(8)
    guid = cursor.take(16)
    contexts_at, contexts = cursor.u32le(), cursor.u16le()
    cursor.skip(2)
    dialects = tuple([cursor.u16le() for _ in range(min(count, _DIALECTS_MAX))])
    netname = b""
    if max(dialects, default=0) >= 0x0310:
        netname = dict(_contexts(body, contexts_at, contexts)).get(_NETNAME_CONTEXT, b"")
    made = _offered if len(netname) <= _NETNAME_MAX_BYTES else _offered.__wrapped__
    return made(guid, dialects, netname, side)


@lru_cache(MEMO_MAX)
def _offered(guid: bytes, dialects: tuple[int, ...], netname: bytes, side: Side) -> tuple[Attribute, ...]:
    """What a client says each time that it connects to a server."""
    me, facts = tokens.ME[side], []
    if any(guid):
        facts.append(CLIENT_GUID(me, guid_text(guid)))
    facts += [OFFERED_DIALECT(me, dialect_name(number)) for number in dict.fromkeys(dialects)]
    if name := netname.decode("utf-16-le", "replace").rstrip("\0"):
        facts.append(NETNAME(tokens.ME[side.peer], name))
    return tuple(facts)


def _agreement(body: bytes, side: Side, talk: Conversation) -> Iterator[tokens.Stated]:
    """The answer to NEGOTIATE; one for `SMB 2.???` only says that NEGOTIATE is to be sent again."""
    cursor = Cursor(body)
    cursor.skip(2)
    mode, dialect, contexts, guid, capabilities = (
        cursor.u16le(), cursor.u16le(), cursor.u16le(), cursor.take(16), cursor.u32le(),
    )  # fmt: skip
    cursor.skip(28)
    token = tokens.read(_at(body, cursor.u16le(), cursor.u16le()), side)
    if any(guid):
        yield _server_guid(guid, side)
    yield from token.facts
    if dialect == _ANY_DIALECT:
        return
    found = dict(_contexts(body, cursor.u32le(), contexts)) if dialect >= 0x0310 else {}
    cipher = _cipher(dialect, capabilities, found)
    algorithm = _first(found.get(_SIGNING_CAPABILITIES, b""), _SIGNING_ALGORITHMS)
    facts, terms = _agreed(dialect, cipher, algorithm, _signed(mode), side)
    yield from facts
    talk.shared(Connection).negotiated(terms, talk)


@lru_cache(MEMO_MAX)
def _server_guid(guid: bytes, side: Side) -> Attribute:
    return SERVER_GUID(tokens.ME[side], guid_text(guid))


@lru_cache(MEMO_MAX)
def _agreed(
    dialect: int, cipher: str | None, algorithm: str | None, signed: Signed, side: Side
) -> tuple[tuple[Attribute, ...], Terms]:
    """What a server takes, of all that clients offer it."""
    me, name = tokens.ME[side], dialect_name(dialect)
    facts = [DIALECT(me, name)]
    if cipher:
        facts.append(CIPHER(me, cipher))
    if algorithm:
        facts.append(SIGNING_ALGORITHM(me, algorithm))
    return tuple(facts), Terms(name, name, signed, cipher, encrypts=cipher is not None)


def _cipher(dialect: int, capabilities: int, contexts: dict[int, bytes]) -> str | None:
    """What this connection can be encrypted with: settled by a context from 3.1.1 on, by a capability before."""
    if dialect >= 0x0310:
        return _first(contexts.get(_ENCRYPTION_CAPABILITIES, b""), _CIPHERS)
    return _CIPHERS[1] if dialect >= 0x0300 and capabilities & _CAN_ENCRYPT else None


def _first(context: bytes, names: dict[int, str]) -> str | None:
    """The one algorithm that a server's context names."""
    return names.get(int.from_bytes(context[2:4], "little")) if len(context) >= 4 else None


def _contexts(body: bytes, at: int, count: int) -> Iterator[tuple[int, bytes]]:
    """Negotiate contexts: type, length, reserved 4, data; each begins at a multiple of 8."""
    at -= SMB2_HEADER_BYTES
    for _ in range(min(count, _CONTEXTS_MAX)):
        if at < 0 or at + 8 > len(body):
            return
        kind, length = int.from_bytes(body[at : at + 2], "little"), int.from_bytes(body[at + 2 : at + 4], "little")
        yield kind, body[at + 8 : at + 8 + length]
        at += (8 + length + 7) & ~7


def _signed(mode: int) -> Signed:
    return Signed.REQUIRED if mode & 2 else Signed.ENABLED if mode & 1 else Signed.NONE


# ---------------------------------------------------------------------- SESSION_SETUP, TREE_CONNECT


def _session_setup(body: bytes, head: Header, side: Side, talk: Conversation) -> Iterator[tokens.Stated]:
    cursor, connection = Cursor(body), talk.shared(Connection)
    cursor.skip(2)
    if not head.is_answer:
        cursor.skip(1)
        mode = cursor.u8()
        cursor.skip(8)
        token = tokens.read(_at(body, cursor.u16le(), cursor.u16le()), side)
        yield from token.facts
        connection.asked(head.message, head.session, token.claim, _signed(mode).value, talk)
        return
    more = head.status == status.MORE_PROCESSING_REQUIRED
    flags, token = 0, tokens.NOTHING
    if more or head.status == status.SUCCESS:  # the body of an error is another one
        flags = cursor.u16le()
        token = tokens.read(_at(body, cursor.u16le(), cursor.u16le()), side)
    yield from token.facts
    connection.answered(head.message, head.session, _answer(head, token, flags, more=more), talk)


def _connecting(body: bytes, head: Header, talk: Conversation) -> None:
    cursor = Cursor(body)
    cursor.skip(4)
    path = _at(body, cursor.u16le(), cursor.u16le())
    talk.shared(Connection).connecting(head.message, share_of(path.decode("utf-16-le", "replace")), talk)


def _connected(head: Header, talk: Conversation) -> None:
    if head.status not in status.ABOUT_THE_SESSION:
        success = head.status == status.SUCCESS
        talk.shared(Connection).connected(head.message, head.session, talk, success=success)


def _answer(head: Header, token: Token, flags: int, *, more: bool) -> Answer:
    return Answer(
        success=head.status == status.SUCCESS,
        status=status.name(head.status),
        more=more,
        continues=token.continues,
        guest=bool(flags & _GUEST) and not more,
        null=bool(flags & _NULL) and not more,
        encrypt=bool(flags & _ENCRYPT) and not more,
        challenge=token.challenge,
        refusal=token.refusal,
    )


def _at(body: bytes, offset: int, length: int) -> bytes:
    """A buffer inside the message, whose offset counts from its header."""
    at = offset - SMB2_HEADER_BYTES
    if not length:
        return b""
    if at < 0 or at + length > len(body):
        raise Malformed("a buffer lies outside its SMB 2 message", max(at, 0))
    return body[at : at + length]


def guid_text(data: bytes) -> str:
    """A GUID as it is written: the first three fields are little-endian."""
    fields = (data[3::-1], data[5:3:-1], data[7:5:-1], data[8:10], data[10:])
    return "-".join(field.hex() for field in fields)
