"""One lane of an SMB connection, from its first packet to its last.

Of each message the header is read; whole messages only of the few commands that say who speaks with whom. Files are
left out by their length, and so is what is encrypted or compressed. The lane is read to the end of the conversation:
a session can be set up after a week. Where bytes are missing it is taken up again at the next turn that begins with a
packet.

Spec: MS-SMB2 2.1, 3.2.5.1; MS-CIFS 2.1
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Final, TypeVar

from parsers.core import (
    Anomaly,
    Confirmed,
    Conversation,
    LimitExceeded,
    Malformed,
    ProtocolError,
    Reader,
    Side,
    Steps,
    Verdict,
)
from parsers.core.reader import MESSAGE_MAX_BYTES, Wait
from parsers.smb import cifs, netbios, smb1, smb2
from parsers.smb.files import Files
from parsers.smb.session import Connection
from parsers.smb.tokens import Stated

H = TypeVar("H")

PROBE_BYTES: Final = (8, 24, 40, 64)
STRANGE_MAX: Final = 16
BROKEN_MAX: Final = 16
COMPOUND_MAX: Final = 1_024
"""Messages in one packet: a packet of 16 MiB could hold 250,000 headers."""


def dissect(r: Reader, side: Side, talk: Conversation) -> Steps:
    """The facts of one lane.

    Raises:
        Malformed: a packet, a header or a message contradicts itself.
        LimitExceeded: a packet holds more messages than any real one.
    """
    lane = _Lane(r, side, talk)
    if r.resumed:
        yield from _boundary(r, side)
    while True:
        if lane.files.passes(r):
            r.passer = lane.files
            yield from r.hold(netbios.HEADER_BYTES)
            r.passer = None
        yield from lane.packet()


def _boundary(r: Reader, side: Side) -> Steps:
    """Give up turns until one begins with a packet.

    While files are on their way, answers to many requests at once, turns begin anywhere in them. A set-up, however, is
    waited for by the side that asks: it begins a turn, and so does its answer.
    """
    while not (yield from _at_boundary(r, side)):
        yield from r.next_turn()


def _at_boundary(r: Reader, side: Side) -> Generator[Wait, None, bool]:
    """Whether what comes now begins a packet; as little of it is looked at as will tell."""
    for n in PROBE_BYTES:
        verdict = netbios.probe((yield from r.peek(n)), side)
        if verdict is not Verdict.MORE:
            return verdict is Verdict.LIKELY
    return False


class _Lane:
    """One lane: what passes over most of it, and how many messages contradicted themselves."""

    def __init__(self, r: Reader, side: Side, talk: Conversation) -> None:
        self.r = r
        self.side = side
        self.talk = talk
        self.me = talk.me(side)
        self.connection = Connection()
        self.files = Files(side, talk)
        self.confirmed = False
        self.broken = 0

    def packet(self) -> Steps:
        """One packet of the session service."""
        head = self.r.ready(netbios.HEADER_BYTES) or (yield from self.r.exactly(netbios.HEADER_BYTES))
        kind, length = head[0], int.from_bytes(head[1:], "big")
        if kind == netbios.MESSAGE:
            yield from self._message(length)
        elif kind == netbios.REQUEST:
            yield from self._request(length)
        elif kind in netbios.REPLIES or kind == netbios.KEEP_ALIVE:
            if length > 6:
                raise Malformed("a control packet that is too long", self.r.offset)
            yield from self.r.skip(length)
        else:
            raise Malformed("no packet of the session service", self.r.offset)

    def _request(self, length: int) -> Steps:
        """A session request, which only the initiator sends."""
        if length > netbios.REQUEST_MAX_BYTES or self.side is Side.RESPONDER:
            raise Malformed("no session request", self.r.offset)
        called, calling = netbios.names((yield from self.r.exactly(length)))
        yield from self._confirm()
        if called:
            yield netbios.CALLED(self.talk.peer(self.side), called)
        if calling:
            yield netbios.CALLING(self.me, calling)

    def _message(self, length: int) -> Steps:
        """A session message: of one kind of SMB, or of something else, which is passed over."""
        if length < 4:
            yield from self.r.skip(length)
            return
        word = self.r.seen(4) if self.r.held >= 4 else (yield from self.r.peek(4))
        if length < netbios.LEAST.get(word, 1 << 24):
            yield from self._pass_over(length)
            return
        self.files.strange = 0
        if word == netbios.SMB2:
            yield from self._compound(length)
        elif word == netbios.SMB1:
            yield from self._smb1(length)
        elif word == netbios.ENCRYPTED:
            yield from self._encrypted(length)
        else:
            yield from self._confirm()
            yield from self.r.skip(length)

    def _pass_over(self, length: int) -> Steps:
        self.files.strange += 1
        if not self.confirmed or self.files.strange > STRANGE_MAX:
            raise Malformed("no SMB message", self.r.offset)
        yield from self.r.skip(length)

    def _confirm(self) -> Steps:
        if not self.confirmed:
            self.confirmed = True
            yield Confirmed()
            self.connection = self.talk.shared(Connection)
            self.files.belong_to(self.connection)
            if self.r.resumed:
                self.connection.gap()

    def _body(self, size: int) -> Generator[Wait, None, bytes]:
        """A message that is read whole, in a turn that is not cut inside it."""
        self.r.expect(size)
        body = yield from self.r.exactly(size)
        self.r.expect(0)
        return body

    def _tell(self, read: Callable[[H, bytes, Side, Conversation], Iterable[Stated]], head: H, body: bytes) -> None:
        """What a message says. One that contradicts itself costs no more than itself: packets have their lengths."""
        try:
            for fact in read(head, body, self.side, self.talk):
                self.talk.emit(fact)
        except ProtocolError as error:
            self.broken += 1
            if self.broken > BROKEN_MAX:
                raise
            self.talk.emit(Anomaly(self.me, error.code, self.r.offset, error.what))

    # ------------------------------------------------------------------ SMB 2 and 3

    def _compound(self, length: int) -> Steps:
        """One message, or a chain of them."""
        r = self.r
        for _ in range(COMPOUND_MAX):
            data = r.ready(netbios.SMB2_HEADER_BYTES) or (yield from r.exactly(netbios.SMB2_HEADER_BYTES))
            head = smb2.header(data, r.offset)
            if head.is_answer is (self.side is Side.INITIATOR):
                raise Malformed("a message of the other side", r.offset)
            size = head.next_command or length
            if not netbios.SMB2_HEADER_BYTES <= size <= length:
                raise Malformed("a message longer than its packet", r.offset)
            if not self.confirmed:
                yield from self._confirm()
            yield from self._smb2(head, size - netbios.SMB2_HEADER_BYTES)
            length -= size
            if not length:
                return
            if not head.next_command or length < netbios.SMB2_HEADER_BYTES:
                yield from r.skip(length)
                return
        raise LimitExceeded(f"more than {COMPOUND_MAX} messages in a packet", r.offset)

    def _smb2(self, head: smb2.Header, size: int) -> Steps:
        """One message, after its header."""
        connection = self.connection
        if head.command in smb2.READ_WHOLE and size <= MESSAGE_MAX_BYTES:
            self._tell(smb2.read, head, self.r.ready(size) or (yield from self._body(size)))
            return
        if head.about_files:
            connection.used(head.session, self.talk, encrypted=False)
        elif head.command == smb2.LOGOFF and head.is_answer and not head.status:
            connection.ended(head.session, self.talk)
        yield from self.r.skip(size)

    def _encrypted(self, length: int) -> Steps:
        """A transform header: 44 bytes, session 8, then what is encrypted."""
        head = yield from self.r.exactly(netbios.ENCRYPTED_HEADER_BYTES)
        if head[42:44] != b"\x01\x00":
            raise Malformed("no transform header", self.r.offset)
        yield from self._confirm()
        session = int.from_bytes(head[44:52], "little")
        if session:  # of a session that is given up, some clients say 0
            self.connection.used(session, self.talk, encrypted=True)
        yield from self.r.skip(length - netbios.ENCRYPTED_HEADER_BYTES)

    # ------------------------------------------------------------------ SMB 1

    def _smb1(self, length: int) -> Steps:
        """One message of SMB 1, which may hold a chain of commands."""
        head = smb1.header((yield from self.r.exactly(netbios.SMB1_HEADER_BYTES)), self.side)
        size = length - netbios.SMB1_HEADER_BYTES
        yield from self._confirm()
        if head.command in smb1.READ_WHOLE and size <= MESSAGE_MAX_BYTES:
            self._tell(cifs.read, head, (yield from self._body(size)))
        else:
            yield from self.r.skip(size)
