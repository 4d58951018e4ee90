"""The record layer of SSL 3.0 to TLS 1.3.

    0  1  content type: 20 ChangeCipherSpec, 21 alert, 22 handshake, 23 application data, 24 heartbeat
    1  2  version: 03 00 to 03 04; in TLS 1.3 always 03 03 or 03 01
    3  2  length

Theory of operation
-------------------
Plain handshake records are joined, whatever their borders, and cut into messages. All that is encrypted is left out by
its length. Alerts of two bytes are plain: a MAC alone is longer.

A lane that is taken up after a gap may begin in the midst of an encrypted or of a long message, which looks the same
from outside. It reads only messages whose inner lengths all fit (hellos, certificates), until one was found.

After its handshake a lane reads on for `RECORDS_AFTER_MAX` headers, for the sake of captures that show one direction
only: then the channel is stated without the other side's part.

Spec: RFC 8446 5, RFC 5246 6.2, RFC 6101 5.2
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from typing import Final

from parsers.core import MESSAGE_MAX_BYTES, Conversation, LimitExceeded, Malformed, Reader, Side, Steps
from parsers.core.lane import Step
from parsers.tls import _handshake, _sslv2
from parsers.tls._handshake import Lane

HEADER_BYTES: Final = 5
CHANGE_CIPHER_SPEC: Final = 20
ALERT: Final = 21
HANDSHAKE: Final = 22
APPLICATION_DATA: Final = 23
HEARTBEAT: Final = 24

FRAGMENT_MAX_BYTES: Final = 2**14
RECORD_MAX_BYTES: Final = FRAGMENT_MAX_BYTES + 2048
HANDSHAKE_MAX_BYTES: Final = 131_072
MESSAGE_HEAD_BYTES: Final = 11
RECORDS_AFTER_MAX: Final = 32
ENCRYPTED_CHANGE_MAX_BYTES: Final = 256
ALERTS_MAX: Final = 16
FLIGHT_REST_BYTES: Final = 4_096

_HEADER: Final = struct.Struct(">BBBH")
_HELLO_MIN_BYTES: Final = 38


def is_header(head: bytes) -> bool:
    """Whether `head` is, as far as it goes, the header of a record."""
    if len(head) >= HEADER_BYTES:
        kind, major, minor, length = _HEADER.unpack_from(head)
        return major == 3 and minor <= 4 and _fits(kind, length)
    return (
        CHANGE_CIPHER_SPEC <= head[0] <= HEARTBEAT and head[1:2] in {b"", b"\x03"} and (len(head) < 3 or head[2] <= 4)
    )


def _fits(kind: int, length: int) -> bool:
    """Whether there is a record of this type and length."""
    if kind == HANDSHAKE:
        return 1 <= length <= RECORD_MAX_BYTES
    if kind == CHANGE_CIPHER_SPEC:
        return length == 1 or 16 < length <= ENCRYPTED_CHANGE_MAX_BYTES  # encrypted in a renegotiation
    if kind == APPLICATION_DATA:
        return length <= RECORD_MAX_BYTES
    return kind in {ALERT, HEARTBEAT} and (2 if kind == ALERT else 1) <= length <= RECORD_MAX_BYTES


def dissect(r: Reader, side: Side, talk: Conversation) -> Steps:
    """Read the records of one lane, which may begin with an SSL 2.0 hello."""
    lane = Lane(side, talk, "t")
    if (yield from r.peek(1))[0] & 0x80 and not (yield from _sslv2.dissect(r, lane)):
        return
    yield from Records(r, lane).read()


class Records:
    """The records of one lane on their way to its handshake messages."""

    def __init__(self, reader: Reader, lane: Lane) -> None:
        self._r = reader
        self._lane = lane
        self._joined = b""
        self._sure = not reader.resumed
        self._alerts = 0

    def read(self) -> Steps:
        """All records, until nothing more can be learnt from this lane."""
        r, lane = self._r, self._lane
        over, left = lane.talking.over, RECORDS_AFTER_MAX
        while left:
            r.expect(_missing(self._joined) if self._joined else 0)
            kind, major, minor, length = _HEADER.unpack(r.ready(HEADER_BYTES) or (yield from r.exactly(HEADER_BYTES)))
            if major != 3 or minor > 4 or not _fits(kind, length):
                raise Malformed("no record header", r.offset - HEADER_BYTES)
            if kind == HANDSHAKE and (self._is_surely_plain or (yield from self._is_plain(length))):
                yield from self._handshake(length)
            elif kind == ALERT and length == 2:
                yield from self._alert()
            elif kind == CHANGE_CIPHER_SPEC and length == 1:
                yield from self._change_cipher_spec()
            else:
                yield from self._encrypted(kind, length)
            left -= over[lane.side]
        lane.talk.release("channel")

    @property
    def _is_surely_plain(self) -> bool:
        return self._sure and not self._lane.sealed

    def _is_plain(self, length: int) -> Generator[Step, None, bool]:
        """Whether a handshake record can be read."""
        if self._sure and not self._lane.expects_retry:
            return False
        head = yield from self._r.peek(min(length, MESSAGE_HEAD_BYTES))
        return is_message(head, length)

    def _handshake(self, length: int) -> Steps:
        r, lane = self._r, self._lane
        record = r.ready(length)
        if not record:
            head = yield from r.peek(min(4, length))
            r.expect(max(length, _missing(self._joined + head) + len(head)))
            record = yield from r.exactly(length)
        joined = self._joined + record if self._joined else record
        self._sure = True
        while end := self._whole(joined):
            yield from lane.message(joined[0], joined[4:end])
            if not lane.confirmed:
                yield from lane.confirm()
            joined = joined[end:]
        self._joined = b"" if lane.sealed else joined

    def _whole(self, joined: bytes) -> int:
        """Where the first message ends, with its header; 0 if it is not whole."""
        if len(joined) < 4:
            return 0
        end = 4 + int.from_bytes(joined[1:4], "big")
        if end > HANDSHAKE_MAX_BYTES:
            raise LimitExceeded(f"a handshake message of {end} bytes", self._r.offset)
        return end if end <= len(joined) else 0

    # ------------------------------------------------------------------ the others

    def _alert(self) -> Steps:
        level, description = yield from self._r.exactly(2)
        self._alerts += 1
        if level not in {1, 2} or self._alerts > ALERTS_MAX:
            raise Malformed(f"alert of level {level}", self._r.offset)
        yield from self._lane.confirm()
        yield from self._lane.alert(level, description)

    def _change_cipher_spec(self) -> Steps:
        content = self._r.ready(1) or (yield from self._r.exactly(1))
        if content != b"\x01" or self._joined:
            raise Malformed("ChangeCipherSpec out of place", self._r.offset)
        if not self._lane.confirmed:
            yield from self._confirm_by_next()
        self._lane.change_cipher_spec()
        self._sure = True

    def _encrypted(self, kind: int, length: int) -> Steps:
        """What is encrypted, or (of a lane taken up after a gap) cannot be told from it."""
        lane = self._lane
        if not self._r.skipped(length):
            yield from self._r.skip(length)
        if not lane.confirmed:
            yield from self._confirm_by_next()
        if kind == APPLICATION_DATA or (lane.sealed and kind in {ALERT, HANDSHAKE}):
            lane.sealed = self._sure = True
            yield from lane.encrypted(handshake=kind == HANDSHAKE, alert=kind == ALERT, length=length)

    def _confirm_by_next(self) -> Steps:
        """One header proves little: the next one has to fit as well before anything is concluded."""
        if not is_header((yield from self._r.peek(HEADER_BYTES))):
            raise Malformed("no record header", self._r.offset)
        yield from self._lane.confirm()


def _missing(begun: bytes) -> int:
    """Bytes that a message is still short of, with the headers of the records to come.

    A long one is a chain of certificates: what follows it in the same flight is asked for as well.
    """
    if len(begun) < 4:
        return 0
    missing = 4 + int.from_bytes(begun[1:4], "big") - len(begun)
    headers = HEADER_BYTES * (1 + missing // FRAGMENT_MAX_BYTES)
    return min(missing + headers + (FLIGHT_REST_BYTES if missing > FLIGHT_REST_BYTES else 0), MESSAGE_MAX_BYTES)


def is_message(head: bytes, length: int) -> bool:
    """Whether a record of `length` bytes which begins with `head` is a plain hello or certificate message."""
    if len(head) < MESSAGE_HEAD_BYTES:
        return False
    body = int.from_bytes(head[1:4], "big")
    if head[0] in {_handshake.CLIENT_HELLO, _handshake.SERVER_HELLO}:
        return body >= _HELLO_MIN_BYTES and body + 4 <= HANDSHAKE_MAX_BYTES and _holds(body, length) and head[4] == 3
    if head[0] != _handshake.CERTIFICATE:
        return False
    listed, first = int.from_bytes(head[4:7], "big"), int.from_bytes(head[7:10], "big")
    return listed == body - 3 and first + 3 <= listed and head[10] == 0x30 and _holds(body, length)


def _holds(body: int, length: int) -> bool:
    """Whether a message fits its record, or fills it and goes on in the next."""
    return body + 4 <= length or length >= 512
