"""DTLS 1.0 to 1.3: TLS in datagrams. The handshake messages are those of TLS; see `parsers.tls`.

    0   1  content type, as in TLS; 25 = with a connection id (its length is agreed on elsewhere)
    1   2  version: fe ff (1.0), fe fd (1.2 and 1.3), 01 00 (OpenSSL before 0.9.8f)
    3   2  epoch: 0 is plain
    5   6  sequence number
    11  2  length

    Handshake messages: 0 type, 1 (3) length, 4 (2) message number, 6 (3) offset of the fragment, 9 (3) its length

Encrypted records of DTLS 1.3 begin with 001CSLEE, EE being the last bits of the epoch: 2 handshake, 3 data. They and
all others of an epoch past 0 are left out. Datagrams that are none of these (STUN, RTP on the same ports) are passed
over.

`Done` is said when both lanes' handshakes are over, or by a fatal alert; see `parsers.tls`.

Spec: RFC 9147, RFC 6347, RFC 4347, RFC 9146 (connection id)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from parsers.core import Conversation, Cursor, LimitExceeded, Malformed, Protocol, Reader, Side, Steps, Verdict
from parsers.tls._handshake import CLIENT_HELLO, HELLO_VERIFY_REQUEST, SERVER_HELLO, Lane, Stated
from parsers.tls._records import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE

HEADER_BYTES: Final = 13
MESSAGE_HEADER_BYTES: Final = 12
WITH_CONNECTION_ID: Final = 25
ACK: Final = 26
DATA_EPOCH: Final = 3

MESSAGE_MAX_BYTES: Final = 65_536
PENDING_MAX: Final = 16
FRAGMENTS_MAX: Final = 256
RECORDS_AFTER_MAX: Final = 32

_VERSIONS: Final = (b"\xfe\xff", b"\xfe\xfd", b"\x01\x00")
_HELLOS: Final = frozenset({CLIENT_HELLO, SERVER_HELLO, HELLO_VERIFY_REQUEST})


def probe(head: bytes, side: Side) -> Verdict:
    """Whether a datagram holds whole DTLS records; a plain hello has to come from its own side."""
    if not _is_record(head):
        return Verdict.NO
    if head[0] != HANDSHAKE or head[3:5] != b"\x00\x00":
        return Verdict.LIKELY
    if len(head) < HEADER_BYTES + MESSAGE_HEADER_BYTES:
        return Verdict.NO
    wrong = SERVER_HELLO if side is Side.INITIATOR else CLIENT_HELLO
    return Verdict.NO if head[HEADER_BYTES] == wrong else Verdict.LIKELY


def _is_record(data: bytes) -> bool:
    """Whether `data` begins with a record of the header that all versions know."""
    if len(data) <= HEADER_BYTES or not CHANGE_CIPHER_SPEC <= data[0] <= ACK or data[1:3] not in _VERSIONS:
        return False
    length = int.from_bytes(data[11:13], "big")
    return data[0] == WITH_CONNECTION_ID or 0 < length <= len(data) - HEADER_BYTES


def dissect(r: Reader, side: Side, talk: Conversation) -> Steps:
    """Read the datagrams of one lane."""
    lane = Lane(side, talk, "d")
    records = _Records(lane)
    left = RECORDS_AFTER_MAX
    while left:
        data = yield from r.datagram()
        yield from records.datagram(data)
        left -= lane.talking.over[side]
    talk.release("channel")


class _Records:
    """The records of one lane on their way to its handshake messages."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._messages = _Messages()

    def datagram(self, data: bytes) -> Iterator[Stated]:
        """All records of a datagram."""
        while data:
            if data[0] & 0xE0 == 0x20:
                yield from self._unified(data)
                return  # its length may be left out, and what follows is encrypted too
            if not _is_record(data):
                return
            end = HEADER_BYTES + int.from_bytes(data[11:13], "big")
            yield from self._record(data[0], data[3:5], data[HEADER_BYTES:end])
            data = b"" if data[0] == WITH_CONNECTION_ID else data[end:]

    def _record(self, kind: int, epoch: bytes, content: bytes) -> Iterator[Stated]:
        if epoch != b"\x00\x00" or kind == WITH_CONNECTION_ID:
            yield from self._encrypted(kind, len(content))
        elif kind == HANDSHAKE:
            yield from self._handshake(content)
        elif kind == ALERT and len(content) == 2 and content[0] in {1, 2}:
            yield from self._lane.confirm()
            yield from self._lane.alert(content[0], content[1])
        elif kind == CHANGE_CIPHER_SPEC and content[:1] == b"\x01" and self._lane.confirmed:
            self._lane.change_cipher_spec()

    def _handshake(self, content: bytes) -> Iterator[Stated]:
        cursor = Cursor(content)
        while cursor.remaining:
            self._messages.add(cursor)
            for kind, body in self._messages.whole():
                yield from self._lane.message(kind, body)
                yield from self._lane.confirm()
                self._messages.passed(kind)

    def _encrypted(self, kind: int, length: int) -> Iterator[Stated]:
        if kind in {HANDSHAKE, ALERT, APPLICATION_DATA, WITH_CONNECTION_ID}:
            yield from self._lane.confirm()
            yield from self._lane.encrypted(handshake=kind == HANDSHAKE, alert=kind == ALERT, length=length)

    def _unified(self, data: bytes) -> Iterator[Stated]:
        """An encrypted record of DTLS 1.3. A client may still acknowledge before its Finished: wait for data."""
        if self._lane.confirmed and data[0] & 0x03 == DATA_EPOCH:
            yield from self._lane.encrypted(handshake=True)


class _Message:
    """A handshake message, of which some fragments have come."""

    def __init__(self, kind: int, length: int) -> None:
        self.kind = kind
        self._content = bytearray(length)
        self._spans: list[tuple[int, int]] = []

    def add(self, begin: int, fragment: bytes) -> None:
        """A fragment; where it overlaps an earlier one, it wins."""
        end = begin + len(fragment)
        if end > len(self._content):
            raise Malformed("a fragment lies outside its message")
        if len(self._spans) >= FRAGMENTS_MAX:
            raise LimitExceeded(f"more than {FRAGMENTS_MAX} fragments of a message")
        self._content[begin:end] = fragment
        self._spans.append((begin, end))

    def whole(self) -> bytes | None:
        """The content, when all of it has come."""
        reached = 0
        for begin, end in sorted(self._spans):
            if begin > reached:
                return None
            reached = max(reached, end)
        return bytes(self._content) if reached == len(self._content) else None


class _Messages:
    """Puts fragments together and messages in order. A lane's first message is its hello, whatever number that has."""

    def __init__(self) -> None:
        self._pending: dict[int, _Message] = {}
        self._next: int | None = None

    def add(self, cursor: Cursor) -> None:
        """The next fragment.

        Raises:
            Malformed: it does not fit.
            LimitExceeded: its message is too large.
        """
        kind, length, number, begin = cursor.u8(), cursor.u24(), cursor.u16(), cursor.u24()
        fragment = cursor.vector24()
        if length > MESSAGE_MAX_BYTES:
            raise LimitExceeded(f"a handshake message of {length} bytes", cursor.offset)
        if self._next is None and kind in _HELLOS:
            self._next = number
        if not self._is_wanted(number):
            return
        message = self._pending.setdefault(number, _Message(kind, length))
        message.add(begin, fragment)

    def _is_wanted(self, number: int) -> bool:
        """Neither seen before (sent again) nor too far ahead."""
        if self._next is None:
            return number in self._pending or len(self._pending) < PENDING_MAX
        return 0 <= number - self._next < PENDING_MAX

    def whole(self) -> Iterator[tuple[int, bytes]]:
        """Type and content of the messages that are next."""
        while self._next is not None and (message := self._pending.get(self._next)) is not None:
            content = message.whole()
            if content is None:
                return
            del self._pending[self._next]
            self._next += 1
            yield message.kind, content

    def passed(self, kind: int) -> None:
        """A message was read. A server that asks for a cookie forgets at once, and may begin to count anew."""
        if kind == HELLO_VERIFY_REQUEST:
            self._next = None


PROTOCOL = Protocol(
    name="dtls",
    spec="RFC 9147",
    over="udp",
    probe=probe,
    dissect=dissect,
    lead=tuple(bytes((kind,)) + number for kind in range(CHANGE_CIPHER_SPEC, ACK + 1) for number in _VERSIONS),
    port_hints=frozenset({443, 684, 853, 2221, 3391, 4433, 5061, 5246, 5247, 5349, 5684, 6514, 10161, 10162}),
    version=2,
)
