"""SSL 2.0, and its hello with which clients of SSL 3.0 and TLS began for many years.

    0  2  length of the record, the highest bit set (records with padding, 3 bytes, are encrypted ones)
    2  1  message type

    CLIENT-HELLO (1)                  SERVER-HELLO (4)
    3   2  version                    3   1  session id hit
    5   2  length of cipher specs     4   1  certificate type (1 = X.509)
    7   2  length of session id       5   2  version
    9   2  length of challenge        7   2  length of certificate
    11 ..  those, in this order       9   2  length of cipher specs
                                      11  2  length of connection id
                                      13 ..  those, in this order

The client chooses the cipher, in CLIENT-MASTER-KEY (2). Whether the server asks for a certificate is encrypted.

Spec: Hickman, "The SSL Protocol", 1995; RFC 5246 E.2
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from parsers.core import Channel, Conversation, Cursor, Malformed, Reader, Side, Signed, Steps, Verdict
from parsers.core.lane import Step
from parsers.tls import _names
from parsers.tls._handshake import MAX_VERSION, Lane, certificate
from parsers.tls._hello import ClientHello

CLIENT_HELLO: Final = 1
CLIENT_MASTER_KEY: Final = 2
SERVER_HELLO: Final = 4
_HEAD_BYTES: Final = {CLIENT_HELLO: 11, SERVER_HELLO: 13}
_X509: Final = 1


def probe(head: bytes, side: Side) -> Verdict:
    """Whether this is the hello that this side sends in SSL 2.0: all lengths have to add up."""
    expected = CLIENT_HELLO if side is Side.INITIATOR else SERVER_HELLO
    if not head[0] & 0x80 or (len(head) >= 3 and head[2] != expected):
        return Verdict.NO
    if len(head) < _HEAD_BYTES[expected]:
        return Verdict.MORE
    return Verdict.LIKELY if _adds_up(head, expected) else Verdict.NO


def _adds_up(head: bytes, kind: int) -> bool:
    length = int.from_bytes(head[:2], "big") & 0x7FFF
    begin = _HEAD_BYTES[kind] - 6
    first, second, third = (int.from_bytes(head[i : i + 2], "big") for i in range(begin, begin + 6, 2))
    if length != begin + 4 + first + second + third:
        return False
    if kind == SERVER_HELLO:
        return head[3] <= 1 and head[4] <= 1 and head[5:7] == b"\x00\x02" and second % 3 == 0
    known = head[3:5] == b"\x00\x02" or (head[3] == 3 and head[4] <= 4)
    return known and first > 0 and first % 3 == 0 and second in {0, 16} and 16 <= third <= 32


class Talk:
    """What both lanes have seen of an SSL 2.0 handshake."""

    def __init__(self) -> None:
        self.cipher: int | None = None
        self.resumed: bool | None = None


def dissect(r: Reader, lane: Lane) -> Generator[Step, None, bool]:
    """Read a lane that begins with an SSL 2.0 record; returns whether it goes on with those of SSL 3.0 or TLS."""
    if lane.side is Side.RESPONDER:
        yield from _server_hello(r, lane)
    else:
        version = yield from _client_hello(r, lane)
        if version != _names.SSL2 and not (yield from r.peek(1))[0] & 0x80:
            return True
        yield from _client_master_key(r, lane)
    yield from r.peek(2)
    yield from lane.encrypted(handshake=True)
    return False


def _message(r: Reader, kind: int) -> Generator[Step, None, Cursor]:
    """The next record, which has to hold a plain message of this type."""
    offset = r.offset
    header = int.from_bytes((yield from r.exactly(2)), "big")
    cursor = Cursor((yield from r.exactly(header & 0x7FFF)), offset + 2)
    if not header & 0x8000 or cursor.u8() != kind:
        raise Malformed(f"no SSL 2.0 message of type {kind}", offset)
    return cursor


def _client_hello(r: Reader, lane: Lane) -> Generator[Step, None, int]:
    cursor = yield from _message(r, CLIENT_HELLO)
    version, ciphers_bytes = cursor.u16(), cursor.u16()
    cursor.skip(4)
    ciphers = cursor.take(ciphers_bytes)
    yield from lane.confirm()
    name = _names.version(version)
    if name is not None:
        yield MAX_VERSION(lane.talk.me(lane.side), name)
    codes = [int.from_bytes(ciphers[i : i + 3], "big") for i in range(0, len(ciphers), 3)]
    suites = tuple(code for code in codes if code <= 0xFFFF)
    lane.talking.client = ClientHello(version, suites, b"\x00", b"")
    return version


def _client_master_key(r: Reader, lane: Lane) -> Steps:
    cursor = yield from _message(r, CLIENT_MASTER_KEY)
    lane.talk.shared(Talk).cipher = cursor.u24()


def _server_hello(r: Reader, lane: Lane) -> Steps:
    cursor = yield from _message(r, SERVER_HELLO)
    hit, kind, _ = cursor.u8(), cursor.u8(), cursor.u16()
    certificate_bytes = cursor.u16()
    cursor.skip(4)
    der = cursor.take(certificate_bytes)
    yield from lane.confirm()
    talk, me = lane.talk, lane.talk.me(lane.side)
    talk.shared(Talk).resumed = bool(hit)
    talk.defer("channel", lambda: _channel(talk, lane))
    if kind == _X509 and der:
        yield from certificate(me, lane.side, 0, der)


def _channel(talk: Conversation, lane: Lane) -> Channel:
    talking = talk.shared(Talk)
    details: dict[str, Any] = {"key_exchange": "RSA", "resumed": talking.resumed}
    if all(lane.talking.finished):
        details["completed"] = True
    return Channel(
        talk.me(Side.RESPONDER),
        "SSL 2.0",
        cipher=_names.cipher_suite(talking.cipher) if talking.cipher is not None else None,
        encrypted=True,
        signed=Signed.REQUIRED,
        details=details,
        spec="The SSL Protocol (1995)",
    )
