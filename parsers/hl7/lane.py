"""One lane: frames and segments, and what is left out of it.

How a feed is followed
----------------------
A feed may send for days without a pause, and the engine delivers the head of a turn only: 16 KiB, or 64 KiB while a
dissector says that a message is under way. A fresh head begins where `skip_until` has found its mark. So this lane
leaves something out every `FRESH_BYTES`, where that costs nothing:

* between two frames, up to the start of the next one;
* within a segment that is not read, up to its end;
* where nothing of that came for `LAST_CALL_BYTES`, within a segment that would have been read;
* after `LAST_BYTES` wherever it is: a message is lost, and not all that follow.

Each of these is a message to the engine, which samples after 16,384 of a turn; so they are not used oftener than
needed. In a turn that has used up `HEADS_MAX` of them only ends of frames are looked for: a sample of those still
begins with a header, a sample of segments does not.

A message of more segments than `SEGMENTS_MAX`, or more than `READ_MAX_BYTES` in those that are read, is left out from
there to the end of its frame; a segment of more than `SEGMENT_MAX_BYTES` is as good as not on the list. Without frames
a message ends where the next header stands.

A lane that is taken up again after a gap passes over what comes until there is a header.

What is usual is read quickly, without suspending in between: a first message that is whole (`opening`), frames that
are whole (`frames`), whole segments of a message (`_lines`); and what says nothing new while the lane waits for a
frame, it does not see at all (`again`). All else goes through `segment`, with the same facts.

Spec: HL7 v2 ch. 2.5, 2.10; implementation guide C.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from itertools import chain
from typing import Final

from parsers.core import Anomaly, Confirmed, Conversation, Malformed, Reader, Side, Steps, Unsupported
from parsers.core.lane import Step
from parsers.core.reader import MESSAGE_MAX_BYTES, WAIT, Wait
from parsers.hl7 import framing, header, opening
from parsers.hl7.acknowledgment import Dialogue
from parsers.hl7.again import FRESH_BYTES, Again
from parsers.hl7.messages import SEGMENT_MAX_BYTES, Messages
from parsers.hl7.opening import Opening, Told
from parsers.hl7.whole import Wholes, end_of_whole

UNFRAMED_FRESH_BYTES: Final = 24_576
LAST_CALL_BYTES: Final = 57_344
LAST_BYTES: Final = MESSAGE_MAX_BYTES  # what a head has at most; as long as so much is expected, it has it
HEADS_MAX: Final = 8_192

MESSAGE_MAX: Final = 1 << 20
HEADER_MAX_BYTES: Final = 4_096
LONG_BYTES: Final = 1_024
LINES_MAX_BYTES: Final = 16_384
BEGINNING_BYTES: Final = 10
STRAY_MAX: Final = 1_024

_CONTROL: Final = re.compile(rb"[\r\n\x0b\x1c]")
_BOM: Final = b"\xef\xbb\xbf"
_WIDE_BOMS: Final = frozenset({b"\xff\xfe", b"\xfe\xff"})
_LEFT_OUT: Final = -1


def dissect(r: Reader, side: Side, talk: Conversation, begun: Opening | None = None) -> Steps:
    """The facts of one lane; `begun` is what it began with, where that was read by others.

    Raises:
        Malformed: these are no messages.
        Unsupported: characters of two bytes.
    """
    begun = begun or opening.find(r, side, talk)
    if begun is not None:
        yield Confirmed()
        again = Again(side, talk)
        told, begun = begun.tell(side, talk, again), None
        r.skipped(r.held)
        r.expect(LAST_BYTES)
        r.passer = again
        yield WAIT
        r.passer = None
        lane = _Lane(r, side, talk, again)
        lane.go_on(told)
    else:
        lane = _Lane(r, side, talk, Again(side, talk))
        yield from lane.refuse_wide()
    while True:
        if lane.between and lane.started:
            yield from lane.frames()
        yield from lane.segment()


class _Lane:
    """One lane: its reader, what is held of it (`data` from `at` on), and where in frames and messages it is."""

    data = b""
    at = 0
    confirmed = False
    started = False  # a start block was seen in this lane
    between = False  # behind an end block
    control = 0  # the control character before `at`
    beheaded = b""  # the beginning of a header that served as a mark
    header_mark = b""
    line_mark = b"\r"
    strays = 0
    framed = False
    by_lines = False  # what is whole of the message under way can be read at once
    junk = False  # the frame under way holds no message

    def __init__(self, r: Reader, side: Side, talk: Conversation, again: Again) -> None:
        self.r = r
        self.side = side
        self.talk = talk
        self.again = again
        self.progress = again.progress
        self.messages = Messages(side, talk, again.progress)
        self.wholes = Wholes(self.messages, side, talk)
        self.complained: set[str] = set()
        r.expect(LAST_BYTES)

    def refuse_wide(self) -> Steps:
        """A message of two bytes a character is recognised and not read."""
        if not self.r.resumed:
            head = self.r.seen(3)
            if len(head) < 3:
                head = yield from self.r.peek(3)
            if 0 in head or head.removeprefix(b"\x0b")[:2] in _WIDE_BOMS:
                yield Confirmed()
                raise Unsupported("UTF-16: characters of two bytes", self.r.offset)
        self._take()
        self.started = self.between = self.data[:1] == b"\x0b"

    def go_on(self, told: Told) -> None:
        """Take up a lane behind its first message, which told this."""
        self.confirmed = self.framed = True
        self.messages.opened(chain(*told))
        self._take()
        self.started = self.between = True

    def segment(self) -> Steps:
        """Read one segment, or leave it out, and the control character after it."""
        if self.by_lines:
            self._lines()
        end = yield from self._end_of_segment()
        if end == _LEFT_OUT:
            return
        if end > self.at or self.beheaded:
            yield from self._whole(end)
        control, previous, empty = self.data[end], self.control, end == self.at
        self.at = end + 1
        if not (empty and previous == framing.START and control in framing.BLANK):
            self.control = control
        if control in {framing.START, framing.END}:
            self._frame(control)
        elif previous == framing.END and control == 0x0D and empty and self.confirmed:
            self._framed()
        message = self.messages.open
        if message is not None and message.is_too_large:
            self._complain("limit_exceeded", "a message of which only the beginning is read")
            yield from self._leave_message()
        elif self.junk:
            yield from self._leave_message()

    def frames(self) -> Steps:
        """Read frames that are whole and usual, up to the beginning of another; leave out what is between frames."""
        while self.between:
            at = self.data.find(b"\x0b", self.at) + 1
            if at:
                self.at = at
            elif not (yield from self._next_frame()):
                continue
            end = end_of_whole(self.data, self.at)
            found = self.wholes.find(self.data[self.at : end]) if end > 0 else None
            if found is None:
                self._frame(framing.START)
                return
            if not self.framed:
                yield from self._first_frame()
            if not self.wholes.read(*found):
                self.again.learn(*found)
            self.at, self.strays, self.line_mark = end + 1, 0, b"\r"

    def _next_frame(self) -> Generator[Step, None, bool]:
        """Leave out what is held, which is between frames; returns whether the next one begins at `at` then."""
        self.r.skipped(len(self.data))
        self.data, self.at = b"", 0
        if self.r.offset - self.progress.fresh_at > FRESH_BYTES and not self._has_turned():
            yield from self._leave_until(b"\x0b", 0)
            if self.at == len(self.data):
                yield from self._more()
            return True
        if not self.r.held:
            self._let_pass()
            yield WAIT
            self.r.passer = None
        self._take()
        return False

    def _let_pass(self) -> None:
        """Until something else comes, messages of a feed need not be looked at here."""
        if not self.strays and self.line_mark == b"\r":
            self.again.fresh_until = self.progress.fresh_at + FRESH_BYTES
            self.r.passer = self.again

    def _first_frame(self) -> Steps:
        """There are frames, and messages in them."""
        if not self.confirmed:
            self.confirmed = True
            yield Confirmed()
        self._framed()

    def _lines(self) -> None:
        """Read what is whole of the message under way, up to its end, the next header, or what is not usual."""
        data, at = self.data, self.at
        stop = data.find(b"\x1c", at, at + LINES_MAX_BYTES)
        end = data.rfind(b"\r", at, stop if stop >= 0 else at + LINES_MAX_BYTES)
        if end < 0:
            return
        following = data.find(b"\rMSH", at, end)
        end = following if following >= 0 else end
        block = data[at:end]
        segments = block.split(b"\r")
        usual = b"\n" not in block and b"\x0b" not in block
        count = self.messages.lines(segments, end - at) if usual else 0
        self.by_lines = count == len(segments)
        self.at = end + 1 if self.by_lines else at + sum(map(len, segments[:count])) + count
        self.control = 0x0D if count else self.control

    # ------------------------------------------------------------------ bytes

    def _end_of_segment(self) -> Generator[Step, None, int]:
        """Where in `data` the control character after this segment is; or that the segment was left out."""
        scan = self.at
        while (found := _CONTROL.search(self.data, scan)) is None:
            held = len(self.data) - self.at
            if self._leaves(held):
                yield from self._leave_segment(held)
                return _LEFT_OUT
            yield from self._more()
            scan = held
        return found.start()

    def _take(self) -> None:
        self.data, self.at = self.r.seen(MESSAGE_MAX_BYTES), 0

    def _more(self) -> Generator[Wait, None, None]:
        """Wait for more bytes than are held."""
        left = len(self.data) - self.at
        self.r.skipped(self.at)
        self.data, self.at = b"", 0
        yield from self.r.hold(left + 1)
        self._take()

    # ------------------------------------------------------------------ leaving out

    @property
    def _spent(self) -> int:
        """Bytes of the turn's head that are used up, at most."""
        return self.r.offset + self.r.held - self.progress.fresh_at

    def _leaves(self, held: int) -> bool:
        """Whether the rest of an unfinished segment, of which `held` bytes are there, is left out."""
        if held < SEGMENT_MAX_BYTES and self.r.held > len(self.data):
            return False  # it goes on in what is there already
        if self._spent >= LAST_BYTES:
            return True
        if self.beheaded or framing.is_header(self.data, self.at):
            return held > HEADER_MAX_BYTES
        if held < BEGINNING_BYTES:  # may be the beginning of a header
            return held == 0 and not self.started and self.confirmed and self._spent > UNFRAMED_FRESH_BYTES
        message = self.messages.open
        if message is not None and self.data[self.at + 3 : self.at + 4] == message.separator:
            name = self.data[self.at : self.at + 3]
            self.messages.named(name, message)
            if name in message.reads:
                return held > SEGMENT_MAX_BYTES or self._spent > LAST_CALL_BYTES
        return held > LONG_BYTES or self._spent > FRESH_BYTES

    def _leave_segment(self, held: int) -> Steps:
        """Leave out the rest of this segment; where its end may not be found reliably, of the message."""
        if not self.confirmed and not self.r.resumed:
            raise Malformed("a segment that is too long before any message", self.r.offset)
        if self.beheaded or held < BEGINNING_BYTES or framing.is_header(self.data, self.at):
            self.messages.end()
        self.beheaded = b""
        self._age()
        risky = self.messages.open is None or self.progress.heads > HEADS_MAX or self.line_mark == b"\n"
        if held == 0 or (self.started and risky):
            yield from self._leave_message()
        else:
            if self.messages.open is not None:
                self.messages.open.segments += 1
            yield from self._leave_until(self.line_mark, len(self.data))

    def _leave_message(self) -> Steps:
        """Leave out what follows up to the end of the frame; without frames up to the next header."""
        self.messages.end()
        if self.started or not self.header_mark:
            yield from self._leave_until(b"\x1c", self.at)
            self._frame(framing.END)
        else:
            yield from self._leave_until(self.header_mark, self.at)
            self.beheaded = self.header_mark

    def _leave_until(self, mark: bytes, at: int) -> Steps:
        """Leave out from `at` up to and including `mark`. A fresh head begins behind it, unless it was held already."""
        found = self.data.find(mark, at)
        if found >= 0:
            self.at = found + len(mark)
            return
        yield from self.r.skip(max(at, len(self.data) - len(mark) + 1))
        self.data, self.at = b"", 0
        yield from self.r.skip_until(mark, MESSAGE_MAX)
        self.progress.fresh_at = self.r.offset
        self.progress.heads += 1
        self.r.expect(LAST_BYTES)
        self._take()

    def _age(self) -> bool:
        """When the peer has spoken since, this is another turn."""
        return self.progress.turns(self.talk.shared(Dialogue).messages[self.side.peer])

    def _has_turned(self) -> bool:
        """Whether what is held began with a fresh head by itself."""
        if not self.confirmed or not self._age():
            return False
        self.progress.fresh_at = self.r.offset + self.r.held
        return True

    # ------------------------------------------------------------------ frames and segments

    def _frame(self, control: int) -> None:
        """A frame starts or ends here."""
        self.messages.end()
        self.control, self.junk, self.by_lines = control, False, False
        self.between = control == framing.END
        self.started |= control == framing.START

    def _framed(self) -> None:
        """A start block before a header, or a whole end block: frames there are."""
        self.framed = True
        self.talk.shared(Dialogue).framed(self.side, self.talk)

    def _whole(self, end: int) -> Steps:
        """A whole segment is there, from `at` to `end`."""
        data, at, message = self.data, self.at, self.messages.open
        if self.beheaded:
            segment, self.beheaded = self.beheaded + data[at:end], b""
            if framing.is_header(segment):
                yield from self._header(segment, data[end])
            return
        if message is None:
            at = _content_of(data, at, end)
        if framing.is_header(data, at):
            yield from self._header(data[at:end], data[end])
        elif message is None:
            yield from self._stray(data[at : min(end, at + 4)])
        else:
            message.segments += 1
            self.messages.line(data[at:end], message)

    def _header(self, segment: bytes, control: int) -> Steps:
        """MSH, FHS or BHS; the first one confirms the lane, if it can be read."""
        parts = header.parts_of(segment)
        if not self.confirmed and len(segment) <= HEADER_MAX_BYTES:
            self.messages.parse(segment, parts)
            self.confirmed = True
            yield Confirmed()
        self._headed(segment, parts, control)

    def _headed(self, segment: bytes, parts: list[bytes], control: int) -> None:
        self.messages.end()
        self.strays = 0
        if len(segment) > HEADER_MAX_BYTES:
            self._complain("limit_exceeded", "a message header that is too long")
            return
        try:
            found = self.messages.parse(segment, parts)
        except Malformed as error:
            self._complain(error.code, error.what)
            return
        if self.control == framing.START and not self.framed:
            self._framed()
        self.header_mark = b"MSH" + found.grammar.separator
        self.line_mark = b"\n" if control == 0x0A else b"\r"
        self.messages.begin(parts, found)
        self.by_lines = control == 0x0D and self.messages.open is not None
        if parts[0] != b"MSH":
            self.talk.shared(Dialogue).batched(self.side, self.talk)

    def _stray(self, beginning: bytes) -> Steps:
        """No header, and no message that it could belong to."""
        if beginning in framing.COMMIT and self.started:
            if any(self.talk.shared(Dialogue).messages):
                yield Confirmed()
                self.talk.shared(Dialogue).committed(self.side, self.talk)
            return
        self.strays += 1
        if self.strays > STRAY_MAX or not (self.confirmed or self.r.resumed):
            raise Malformed("segments without a message header", self.r.offset)
        if self.control == framing.START and self.confirmed:
            self.junk = True
            self._complain("no_message", "a frame that holds no message")

    def _complain(self, code: str, what: str) -> None:
        """Each kind of departure is said once for a lane."""
        if self.confirmed and code not in self.complained:
            self.complained.add(code)
            self.talk.emit(Anomaly(self.talk.me(self.side), code, self.r.offset + self.at, what))


def _content_of(data: bytes, at: int, end: int) -> int:
    """Where a segment begins behind blanks and a byte order mark, which some senders write before the header."""
    while at < end and data[at] in framing.BLANK:
        at += 1
    return at + len(_BOM) if data.startswith(_BOM, at) else at
