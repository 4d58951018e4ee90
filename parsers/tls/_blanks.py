"""What differs between two connections that say the same: the blanks of a lane's bytes.

    ClientHello         random, session id, what unread extensions hold (key shares, tickets, padding); the server name
                        is said
    ServerHello         random (but that of a HelloRetryRequest, another message), session id, unread extensions
    ServerKeyExchange   with named curves: public key, signature
    ClientKeyExchange   with curves: public key
    CertificateVerify, NewSessionTicket, CertificateStatus: all of it
    ChangeCipherSpec    nothing; what a lane says from then on is encrypted and all blank, but for its record headers

Anything else has no blanks: other key exchanges may name an identity, and a message that goes on in the next record is
rare. GREASE counts: browsers, which draw it anew each time, are read anew each time.

Spec: RFC 8446 4 and 5, RFC 5246 7.4, RFC 8422 5.4 and 5.7
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from parsers.core import Blanks, Field, Side
from parsers.tls import _hello
from parsers.tls._handshake import SNI

_CHANGE_CIPHER_SPEC: Final = 20
_ALERT: Final = 21
_HANDSHAKE: Final = 22
_APPLICATION_DATA: Final = 23
_CLIENT_HELLO: Final = 1
_SERVER_HELLO: Final = 2
_HELLO_OF: Final = (_CLIENT_HELLO, _SERVER_HELLO)
_SERVER_KEY_EXCHANGE: Final = 12
_CLIENT_KEY_EXCHANGE: Final = 16
_ALL_BLANK: Final = frozenset({4, 15, 22})
_NAMED_CURVE: Final = 3
_POINT_BYTES: Final = frozenset({32, 56, 65, 97, 133})
_RANDOM_AT: Final = 4 + 2
_EXTENSION: Final = struct.Struct(">HH")

Span = tuple[int, int]


class _Unknown(Exception):
    """There are no blanks to be named here."""


def blanks(head: bytes, side: Side, whole: bool, known_bytes: int) -> Blanks | None:  # noqa: FBT001 - see `Protocol.blanks`
    """See `Protocol.blanks`."""
    found = _Found(head, known_bytes)
    try:
        found.records(side, sealed=not whole)
    except (_Unknown, IndexError):
        return None
    return Blanks(tuple(found.own), tuple(found.said), tuple(found.unless))


class _Found:
    """Blanks of one lane, as far as its bytes go; of records that end among the first `known_bytes` none are named."""

    def __init__(self, head: bytes, known_bytes: int) -> None:
        self._head = head
        self._known_bytes = known_bytes
        self.own: list[Span] = []
        self.said: list[tuple[int, int, Field]] = []
        self.unless: list[tuple[int, bytes]] = []

    def records(self, side: Side, *, sealed: bool) -> None:
        """All records. After bytes were left out it is encrypted ones, or we cannot tell."""
        at, head = 0, self._head
        while at + 5 <= len(head):
            kind, end = head[at], at + 5 + self._u16(at + 3)
            if kind == _CHANGE_CIPHER_SPEC and not sealed:
                sealed = True
            elif end > self._known_bytes:
                self._record(kind, at + 5, end, side, sealed=sealed)
            at = end

    def _record(self, kind: int, at: int, end: int, side: Side, *, sealed: bool) -> None:
        """What one record holds."""
        if kind == _HANDSHAKE and not sealed:
            size = len(self._head)
            self._messages(at, min(end, size), side, is_cut=end > size)
        elif kind == _APPLICATION_DATA or (sealed and kind in {_HANDSHAKE, _ALERT} and end - at > 2):
            self.own.append((at, end))
            if kind == _HANDSHAKE:  # after a HelloRetryRequest it may be a plain hello
                self.unless.append((at, bytes((_HELLO_OF[side],))))
        else:
            raise _Unknown

    def _messages(self, at: int, end: int, side: Side, *, is_cut: bool) -> None:
        """The handshake messages of one record."""
        while at + 4 <= end:
            kind, beyond = self._head[at], at + 4 + self._u24(at + 1)
            if beyond > end and not is_cut:
                raise _Unknown
            self._message(kind, at, beyond, side)
            at = beyond

    def _message(self, kind: int, at: int, end: int, side: Side) -> None:
        if kind == _CLIENT_HELLO and side is Side.INITIATOR:
            self._client_hello(at, end)
        elif kind == _SERVER_HELLO and side is Side.RESPONDER:
            self._server_hello(at, end)
        elif kind == _SERVER_KEY_EXCHANGE and side is Side.RESPONDER:
            self._server_key(at + 4, end)
        elif kind == _CLIENT_KEY_EXCHANGE and side is Side.INITIATOR:
            self._client_key(at + 4, end)
        elif kind in _ALL_BLANK:
            self.own.append((at + 4, end))

    # ------------------------------------------------------------------ hellos: they have to be there to their end

    def _client_hello(self, at: int, end: int) -> None:
        at = self._suites_at(at)
        at += 2 + self._u16(at)
        at += 1 + self._head[at]
        for kind, start, stop in self._extensions(at, end):
            if kind == _hello.SERVER_NAME and self._is_one_name(start, stop):
                self.said.append((start + 5, stop, SNI))
            elif kind != _hello.SERVER_NAME and not _hello.is_read(kind, by_client=True):
                self.own.append((start, stop))

    def _is_one_name(self, start: int, stop: int) -> bool:
        """Length of the list, type 0, length of the name, and the name (RFC 6066 3)."""
        lengths = (self._u16(start), self._head[start + 2], self._u16(start + 3)) if stop - start > 5 else ()
        return lengths == (stop - start - 2, 0, stop - start - 5)

    def _server_hello(self, at: int, end: int) -> None:
        self.unless.append((at + _RANDOM_AT, _hello.RETRY_RANDOM))
        at = self._suites_at(at) + 3
        for kind, start, stop in self._extensions(at, end):
            if kind == _hello.KEY_SHARE and stop - start > 4:
                self.own.append((start + 4, stop))  # after the group and the length
            elif not _hello.is_read(kind, by_client=False):
                self.own.append((start, stop))

    def _suites_at(self, at: int) -> int:
        """Over random and session id, which are blank."""
        at += _RANDOM_AT
        after = at + 33 + self._head[at + 32]
        self.own += [(at, at + 32), (at + 33, after)]
        return after

    def _extensions(self, at: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Type, and where the content begins and ends."""
        if end > len(self._head):
            raise _Unknown
        if at == end:
            return
        if at + 2 + self._u16(at) != end:
            raise _Unknown
        at += 2
        while at < end:
            if at + 4 > end:
                raise _Unknown
            kind, length = _EXTENSION.unpack_from(self._head, at)
            start, at = at + 4, at + 4 + length
            if at > end:
                raise _Unknown
            yield kind, start, at

    # ------------------------------------------------------------------ keys

    def _server_key(self, at: int, end: int) -> None:
        """Curve type, curve, point <1..255>; then, unless it is anonymous, the signature <0..2^16-1>."""
        if self._head[at] != _NAMED_CURVE or self._head[at + 3] not in _POINT_BYTES:
            raise _Unknown
        after = at + 4 + self._head[at + 3]
        self.own.append((at + 4, after))
        if after < end:
            before = 0 if self._u16(after) == end - after - 2 else 2  # since TLS 1.2 its algorithm stands before it
            self.own.append((after + before + 2, end))

    def _client_key(self, at: int, end: int) -> None:
        """A point <1..255>. All other kinds begin with two bytes of length, as does a PSK identity."""
        if self._head[at] not in _POINT_BYTES or at + 1 + self._head[at] != end:
            raise _Unknown
        self.own.append((at + 1, end))

    def _u16(self, at: int) -> int:
        return self._head[at] << 8 | self._head[at + 1]

    def _u24(self, at: int) -> int:
        return self._head[at] << 16 | self._u16(at + 1)
