"""One lane of a DICOM association, from its first PDU to its last.

What is left out, and how the lane is found again
-------------------------------------------------
Of each object the command and the head of the data set are read; the pixels are not. Where the fragment being read is
the last of its message, its rest is left out by length. Where more fragments follow, it depends on who has to wait:

* The sender of a request waits for the response, unless more operations than one were agreed to be under way
  (asynchronous operations window). What it sends next begins a new turn, so the rest of the turn is given up unseen:
  a thousand slices cost a thousand commands and heads.
* Otherwise PDUs and PDVs are followed by their lengths, a dozen bytes each.
* Of a long list of answers to a query `PENDING_MAX` are read; then the turn is given up as well, and with it, as a
  rule, the last answer's status.

After a turn was given up, the next one must begin with a command, a release or an abort. It does not if the sender
paused within an object for longer than a turn lasts, or was answered before it had sent everything. Then this turn is
given up as well, up to `LOST_MAX` times in a row; that is no error of the sender and no anomaly. The price: an abort in
the middle of an object is not seen.

Spec: PS3.8 9.3, E; PS3.7 6.3, 7.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Final

import msgspec

from parsers.core import (
    Anomaly,
    Attribute,
    Confirmed,
    Conversation,
    Cursor,
    LimitExceeded,
    Malformed,
    Reader,
    Side,
    Steps,
)
from parsers.core.lane import Step
from parsers.core.reader import MESSAGE_MAX_BYTES
from parsers.dicom import association, command, elements, pdu
from parsers.dicom.alike import Known, Spans
from parsers.dicom.association import Association, Terms
from parsers.dicom.command import Command
from parsers.dicom.dataset import DataSet
from parsers.dicom.elements import Plan
from parsers.dicom.pdu import Pdu
from parsers.dicom.series import LOST_MAX, Series
from parsers.dicom.series import Part as Beginning

CHUNK_BYTES: Final = 1_024
PENDING_MAX: Final = 16
PRESENTATION_MAX_BYTES: Final = 40_960

# A part of a dissector; its value says whether the lane goes on as before.
Part = Generator[Step, None, bool]


class _Message(msgspec.Struct):
    """What has come of the message under way in one presentation context; `plan`, as long as more of it is wanted."""

    pieces: bytes = b""
    command: Command | None = None
    plan: Plan | None = None
    data_set: DataSet | None = None


def dissect(r: Reader, side: Side, talk: Conversation) -> Steps:
    """The facts of one lane. It is read to the end of the conversation: what ends an association can come twice.

    Raises:
        Malformed: a PDU, an item or a command set contradicts itself.
        LimitExceeded: a command set is larger than any real one.
    """
    lane = _Lane(r, side, talk)
    while (yield from lane.next_pdu()):
        pass


class _Lane:
    """One lane: its reader, and the messages under way by presentation context id.

    What is like the last message passes while the lane waits (`series`): answers at the beginning of a PDU, objects
    where a turn begins after the rest of one was given up.
    """

    def __init__(self, r: Reader, side: Side, talk: Conversation) -> None:
        self.r = r
        self.side = side
        self.talk = talk
        self.me = talk.me(side)
        self.messages: dict[int, _Message] = {}
        self.last: Known[tuple[Command, tuple[Attribute, ...]]] | None = None  # data set
        self.series = Series(talk)
        self.begun: list[Beginning] = []  # of the message that is there at once, as long as another may be like it
        self.pending = 0
        self.confirmed = False

    def next_pdu(self) -> Part:
        """Read one PDU; False: nothing follows in this lane."""
        r, n = self.r, pdu.HEADER_BYTES
        if r.held < n:
            self.begun = []
            if not self.series.gives_up and not self.messages and not self.pending:
                yield from self._let_pass(n)
        kind, length = pdu.HEADER.unpack(r.ready(n) or (yield from r.exactly(n)))
        if kind == Pdu.P_DATA:
            return (yield from self._p_data(length))
        if kind in {Pdu.ASSOCIATE_RQ, Pdu.ASSOCIATE_AC}:
            return (yield from self._associate(length, answer=kind == Pdu.ASSOCIATE_AC))
        if kind in {Pdu.ASSOCIATE_RJ, Pdu.RELEASE_RQ, Pdu.RELEASE_RP, Pdu.ABORT}:
            return (yield from self._control(Pdu(kind), length))
        raise Malformed("no PDU of this type", self.r.offset)

    def _wait_for(self, n: int) -> Generator[Step, None, bytes]:
        """The next `n` bytes; meanwhile nothing is kept of what was read."""
        self.begun = []
        return (yield from self.r.exactly(n))

    def _let_pass(self, n: int) -> Steps:
        """Wait for `n` bytes of what is not like the last message."""
        if not self.series.is_empty:
            self.r.passer = self.series
        yield from self.r.hold(n)
        self.r.passer = None

    # ------------------------------------------------------------------ association

    def _associate(self, length: int, *, answer: bool) -> Part:
        """A-ASSOCIATE-RQ or -AC, item by item: together they may be larger than what may be held."""
        if answer is (self.side is Side.INITIATOR):
            raise Malformed("an association asked for, or accepted, by the wrong side", self.r.offset)
        if not pdu.ASSOCIATE_FIXED_BYTES <= length <= pdu.ASSOCIATE_MAX_BYTES:
            raise Malformed("an A-ASSOCIATE of impossible length", self.r.offset)
        self._expect(length)
        fixed = yield from self.r.exactly(pdu.ASSOCIATE_FIXED_BYTES)
        terms = association.read_fixed(Cursor(fixed, self.r.offset - len(fixed)))
        n = length - pdu.ASSOCIATE_FIXED_BYTES
        facts = self._known_items(n, terms, answer=answer)
        if facts is None:
            facts = yield from self._items(n, terms, answer=answer)
        self._expect(0)
        yield Confirmed()
        if answer:
            self.talk.emit_all(facts)
            self.talk.shared(Association).accepted(terms, self.talk)
        else:
            self.talk.emit_all(association.facts_of_titles(terms, self.me, self.talk.peer(self.side)))
            self.talk.emit_all(facts)
            self.talk.shared(Association).requested(terms, self.talk)
        return True

    def _known_items(self, length: int, terms: Terms, *, answer: bool) -> Iterable[Attribute] | None:
        """The same as `_items`, for what other associations began with; None: it is read item by item."""
        if length > min(self.r.held, association.KNOWN_MAX_BYTES):
            return None
        facts = association.find(self.r.seen(length), terms, self.me, answer=answer)
        if facts is not None:
            self.r.skipped(length)
        return facts

    def _items(self, length: int, terms: Terms, *, answer: bool) -> Generator[Step, None, Iterable[Attribute]]:
        """Variable items into `terms`; returns what they tell."""
        r = self.r
        facts: list[Attribute] = []
        first, end = r.offset, r.offset + length
        while r.offset < end:
            header = Cursor((yield from r.exactly(4)), r.offset - 4)
            kind = header.u8()
            header.skip(1)
            size = header.u16()
            if r.offset + size > end:
                raise Malformed("an item is longer than its PDU", r.offset)
            self._expect(end - r.offset)
            if kind == (0x21 if answer else 0x20) and r.offset - first < PRESENTATION_MAX_BYTES:
                association.read_context((yield from r.exactly(size)), r.offset - size, terms, answer=answer)
            elif kind == 0x50:
                value = yield from r.exactly(size)
                facts += association.read_user_information(value, r.offset - size, terms, self.me)
            else:
                yield from r.skip(size)
        return [*association.facts_of_contexts(terms, self.me, answer=answer), *facts]

    def _expect(self, n: int) -> None:
        self.r.expect(min(n, MESSAGE_MAX_BYTES))

    def _control(self, kind: Pdu, length: int) -> Part:
        """A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP, A-ABORT."""
        if length != 4:
            raise Malformed("a rejection, release or abort not of 4 bytes", self.r.offset)
        cursor = Cursor((yield from self.r.exactly(4)), self.r.offset - 4)
        if kind is Pdu.ASSOCIATE_RJ and self.side is Side.INITIATOR:
            raise Malformed("a rejection by the wrong side", self.r.offset)
        yield Confirmed()
        if kind is Pdu.ASSOCIATE_RJ:
            reject = association.read_reject(cursor)
            yield association.REJECT(self.me, f"{reject.result} {reject.source} {reject.reason}")
            self.talk.shared(Association).rejected(reject, self.talk)
        elif kind is Pdu.ABORT:
            yield association.ABORT(self.me, association.abort_text(cursor))
        return True

    # ------------------------------------------------------------------ messages

    def _p_data(self, length: int) -> Part:
        """P-DATA-TF: presentation data values, each a fragment of a command or of a data set."""
        if length > pdu.P_DATA_MAX_BYTES:
            raise Malformed("a P-DATA-TF of impossible length", self.r.offset)
        r, n = self.r, pdu.PDV_HEADER_BYTES
        end = r.offset + length
        while r.offset < end:
            header = r.ready(n) or (yield from self._wait_for(n))
            size, context, control = pdu.PDV_HEADER.unpack(header)
            size -= 2
            self._begins(header, length, control, is_first=end - r.offset == length - n, is_all=size == length - n)
            if not 0 <= size <= end - r.offset or not context & 1 or control > 3:
                raise Malformed("a presentation data value that does not fit", r.offset)
            last = bool(control & 2)
            if control & 1:
                yield from self._command(context, size, last=last)
                if self.pending > PENDING_MAX:
                    return (yield from self._next_message())
                continue
            message = self.messages.get(context)
            if message is not None and message.plan is not None:
                size = yield from self._feed(context, message, message.plan, size, last=last)
            if last:
                self.messages.pop(context, None)
            elif message is not None and message.plan is None and message.command is not None and self._waits(message):
                self._learn_object(message.command)
                return (yield from self._next_message())
            if not r.skipped(size):
                yield from r.skip(size)
        return True

    def _begins(self, header: bytes, length: int, control: int, *, is_first: bool, is_all: bool) -> None:
        """Keep the heads of a command that is alone in its PDU, and of the first fragment of its data set."""
        if control == 3 and is_all:
            self.begun = []
        elif control or not is_first or len(self.begun) != 2:
            self.begun = []
            return
        self.begun.append((pdu.HEADER.pack(Pdu.P_DATA, length) + header, None))

    def _command(self, context: int, size: int, *, last: bool) -> Steps:
        """A fragment of a command set."""
        message = self.messages.get(context)
        if message is None or message.command is not None:
            message = self.messages[context] = _Message()
        if len(message.pieces) + size > command.COMMAND_MAX_BYTES:
            raise LimitExceeded("a command set that is too large", self.r.offset)
        message.pieces += self.r.ready(size) or (yield from self._wait_for(size))
        if last:
            known = command.parse(message.pieces, self.r.offset - len(message.pieces))
            message.command = known.told
            if len(self.begun) == 1 and len(message.pieces) == size:
                self.begun.append((message.pieces, known.spans))
            message.pieces = b""
            if not self.confirmed:
                self.confirmed = True
                yield Confirmed()
            self._commanded(context, message, message.command)

    def _commanded(self, context: int, message: _Message, told: Command) -> None:
        """A command set is whole."""
        self.talk.shared(Association).used(self.talk)
        self.pending = self.pending + 1 if told.is_pending else 0
        facts = command.facts_of(told, self.me)
        self.talk.emit_all(facts)
        if not told.has_data_set:
            del self.messages[context]
            if told.is_response and len(self.begun) == 2 and not self.pending:
                self.series.learn(self.begun, facts, gives_up=False)
            return
        message.plan = elements.plan_of(told)

    def _feed(
        self, context: int, message: _Message, plan: Plan, size: int, *, last: bool
    ) -> Generator[Step, None, int]:
        """Read what the data set wants of a fragment of `size` bytes; returns how many were left."""
        r, data_set, left, head = self.r, message.data_set, size, b""
        if data_set is None:
            n = min(size, CHUNK_BYTES)
            head = r.ready(n) or (yield from self._wait_for(n))
            left -= n
            if self._is_like_the_last(message, head):
                return left
            data_set = message.data_set = DataSet(plan.wanted)
            data_set.feed(head)
        while left and not data_set.done:
            n = min(left, data_set.skipping or CHUNK_BYTES)
            if data_set.skipping:
                yield from r.skip(n)
                data_set.left_out(n)
            else:
                data_set.feed(r.ready(n) or (yield from r.exactly(n)))
            left -= n
        if last:
            data_set.end()
        if data_set.done:
            self._tell(context, message, plan, data_set, head)
        return left

    def _is_like_the_last(self, message: _Message, head: bytes) -> bool:
        """Whether the data set that begins so tells what the last one told; then it has told it."""
        last = self.last
        if last is None or last.told[0] is not message.command or not last.is_like(head):
            return False
        message.plan = None
        self.talk.emit_all(last.told[1])
        self._begins_object(head, last.spans)
        return True

    def _begins_object(self, head: bytes, spans: Spans) -> None:
        """Keep the beginning of a data set, of which these spans decide, with what stood before it."""
        if len(self.begun) == 3:
            self.begun.append((head, spans))

    def _waits(self, message: _Message) -> bool:
        """Whether the sender of this message waits for an answer before it sends another one."""
        asked = message.command
        return asked is not None and not asked.is_response and not self.talk.shared(Association).pipelined

    def _tell(self, context: int, message: _Message, plan: Plan, data_set: DataSet, head: bytes) -> None:
        """State what a data set told; nothing more of it is wanted. `head` is its first fragment's beginning."""
        message.plan = message.data_set = None
        if message.command is None:
            return
        if data_set.problem is not None:
            code = f"data_set_{data_set.problem.code}"
            self.talk.emit(Anomaly(self.me, code, self.r.offset, data_set.problem.what))
            if self.talk.shared(Association).deflated(context):
                self.talk.emit(elements.DATASET_ENCODING(self.me, "deflated"))
        facts = elements.facts_of(data_set, plan, message.command, self.me)
        self.talk.emit_all(facts)
        if head and data_set.spans and not data_set.deflated:
            self.last = Known(head, data_set.spans, (message.command, facts))
            self._begins_object(head, data_set.spans)

    def _learn_object(self, asked: Command) -> None:
        """Of an object all was read that is wanted; the next one may be like it."""
        last = self.last
        if len(self.begun) == 4 and last is not None and pdu.begins_message(b"".join([data for data, _ in self.begun])):
            self.series.learn(self.begun, (*command.facts_of(asked, self.me), *last.told[1]), gives_up=True)

    def _next_message(self) -> Part:
        """Give up this turn, and those that do not begin with a message; False: too many of those."""
        self.messages.clear()
        self.pending, self.begun, self.series.lost = 0, [], 0
        while self.series.lost < LOST_MAX:
            yield from self.r.next_turn()
            if not self.r.held and self.series.gives_up:
                yield from self._let_pass(10)
            head = self.r.seen(pdu.BOUNDARY_BYTES)
            if len(head) < pdu.BOUNDARY_BYTES:
                head = yield from self._boundary()
            if pdu.begins_message(head):
                return True
            self.series.lost += 1
        return False

    def _boundary(self) -> Generator[Step, None, bytes]:
        """As many bytes as will tell whether they begin a message."""
        head = yield from self.r.peek(10)
        if head[0] == Pdu.P_DATA and int.from_bytes(head[2:6], "big") >= pdu.BOUNDARY_BYTES - pdu.HEADER_BYTES:
            head = yield from self.r.peek(pdu.BOUNDARY_BYTES)
        return head
