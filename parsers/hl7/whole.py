"""Whole messages: those that say what earlier ones said are known by what is read of them, and not read again.

What the segments of a message tell is found by reading them, once for all conversations (`_told_by`): it depends on
what its layout picks and on its grammar, and on nothing else. What a whole message told in this lane is remembered with
it (`Whole`), so that mostly nothing is left to do but to ask, or to answer, under its control id.

Equipment that belongs to one person is the exception: such messages are not known again, and nothing is kept of them.

The first message of a lane is known by what others began with: see `opening`.

Spec: HL7 v2 ch. 2.5, 2.9.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache
from typing import Final

import msgspec

from parsers.core import Attribute, Authentication, Conversation, Malformed, Side
from parsers.hl7 import framing, header
from parsers.hl7.acknowledgment import OUTCOMES, Dialogue
from parsers.hl7.grammar import Grammar
from parsers.hl7.header import Header
from parsers.hl7.layout import Layout, Unusual, layout_of, shape_of
from parsers.hl7.messages import SEGMENT_MAX_BYTES, Message, Messages
from parsers.hl7.progress import Progress

WHOLE_MAX_BYTES: Final = SEGMENT_MAX_BYTES
KNOWN_MAX_BYTES: Final = 131_072
PIECE_BYTES: Final = 48
MEMO_MAX: Final = 512
MEMO_MAX_PIECES: Final = 128

# Lines that are no segments, which nobody reads: most are texts that were broken into lines.
_TEXT: Final = re.compile(rb"\r(?!MSH|FHS|BHS|[^\r]{3}[|\r])[^\r]*(?=\r)")


_Facts = tuple[Attribute, ...]


class Whole(msgspec.Struct):
    """What messages with the same picked pieces tell.

    Attributes:
        asks: it is no acknowledgment.
        code: MSA-1, where it is a code.
        facts: what its segments tell: up to where it asks or answers, and after that.
        told_in: when that was told last: see `Progress.telling`.
        names: of applications, where the header is told with other names each time: see `opening`.
    """

    header: Header
    layout: Layout
    asks: bool
    code: str
    facts: tuple[_Facts, _Facts]
    told_in: int = 0
    names: tuple[bytes, bytes] = (b"", b"")

    def settle(self, pieces: list[bytes], side: Side, dialogue: Dialogue, talk: Conversation) -> None:
        """Ask who sent the message of these pieces, or answer, under its control id."""
        control_id = header.control_id_of(pieces[self.layout.control_id_at])
        secret = header.secret_of(pieces, self.header.grammar) if self.asks else b""
        dialogue.settle(self, self.header, side, control_id, secret, talk)


class Memo:
    """Messages that are known again by what is picked of them.

    Args:
        max_bytes: what is kept to know them by.
    """

    def __init__(self, max_bytes: int) -> None:
        self._last: dict[Hashable, Whole] = {}
        self._known: dict[tuple[bytes, ...], Whole] = {}
        self._bytes = 0
        self._max_bytes = max_bytes

    def find(self, alike: Hashable, ends: int, pieces: list[bytes]) -> Whole | None:
        """The message that says the same, if its layout is that of the last one that looked alike."""
        last = self._last.get(alike)
        if last is None or ends != last.layout.ends or len(pieces) != last.layout.size:
            return None
        known = self._known.get(last.layout.picked(pieces, last.header.grammar))
        if known is None or known.layout is not last.layout or known.header.grammar is not last.header.grammar:
            return None
        return known

    def keep(self, alike: Hashable, picked: tuple[bytes, ...], whole: Whole) -> None:
        """Know it again."""
        size = len(picked) * PIECE_BYTES + sum(map(len, picked))
        if self._bytes + size > self._max_bytes:
            self._known.clear()
            self._last.clear()
            self._bytes = 0
        self._last[alike] = whole
        self._known[picked] = whole
        self._bytes += size


def end_of_whole(data: bytes, at: int) -> int:
    """Where the end block of the frame is whose content begins here, if it is all there and as usual; else -1."""
    end = data.find(b"\x1c", at, at + WHOLE_MAX_BYTES)
    if end < 0 or data[end - 1] != 0x0D or data.find(b"\n", at, end) >= 0 or data.find(b"\x0b", at, end) >= 0:
        return -1
    return end if data.startswith(b"MSH", at) else -1


def pieces_of(message: bytes) -> list[bytes]:
    """A message that begins with MSH, cut at all its separators; the end of a segment begins a piece."""
    separator = message[3:4]
    return message.replace(b"\r", separator + b"\r").split(separator)


def look_closer(message: bytes, pieces: list[bytes], said: Header, side: Side) -> tuple[tuple[bytes, ...], Whole]:
    """What a message with this header tells, and what is picked of it.

    Raises:
        Unusual: such a message is read segment by segment.
    """
    cut = said.grammar.cut
    if not cut:
        raise Unusual
    first, *segments, _ = message.split(b"\r")
    layout = layout_of(shape_of(segments, cut), cut, first.count(cut), describes=said.describes)
    picked = layout.picked(pieces, said.grammar)
    told_by = _told_by if len(picked) <= MEMO_MAX_PIECES else _told_by.__wrapped__
    facts = told_by(layout, picked[layout.headed :], said.grammar, side, describes=said.describes)
    code = pieces[layout.answer_at].strip().decode("ascii", "replace") if layout.answer_at else ""
    asks = not said.acknowledges and not layout.answer_at
    return picked, Whole(said, layout, asks, code if code in OUTCOMES else "", facts)


class Wholes:
    """Reads the whole messages of one lane.

    Args:
        messages: the lane's, where messages that are not whole are read.
    """

    def __init__(self, messages: Messages, side: Side, talk: Conversation) -> None:
        self._messages = messages
        self._side = side
        self._talk = talk
        self._memo = Memo(KNOWN_MAX_BYTES)

    def find(self, message: bytes) -> tuple[Whole, list[bytes]] | None:
        """What a message tells that begins with an MSH segment, and its pieces; None: it is read by segments."""
        pieces = pieces_of(message)
        known = self._memo.find(len(pieces), message.count(b"\r"), pieces)
        if known is not None:
            return known, pieces
        plain = _TEXT.sub(b"", message) if message[3:4] == b"|" else message
        if len(plain) < len(message):
            return self.find(plain)
        try:
            return self._look_closer(message, pieces), pieces
        except (Unusual, Malformed):
            return None

    def _look_closer(self, message: bytes, pieces: list[bytes]) -> Whole:
        """What a message tells that was not met lately. Who sends one message only is not worth knowing again."""
        if not framing.is_header(message):
            raise Unusual
        first = message[: message.index(b"\r")]
        said = self._messages.parse(first, header.parts_of(first))
        picked, whole = look_closer(message, pieces, said, self._side)
        if self._messages.progress.count:
            self._memo.keep(len(pieces), picked, whole)
        return whole

    def read(self, whole: Whole, pieces: list[bytes]) -> bool:
        """Tell what a message tells, as far as that is new; ask who it was, or answer. Whether there was something."""
        messages = self._messages
        messages.head(whole.header)
        dialogue = messages.speak()
        (ahead, after), is_new = whole.facts, whole.told_in != messages.progress.telling
        if is_new and ahead:
            messages.tell(ahead)
        whole.settle(pieces, self._side, dialogue, self._talk)
        if is_new:
            messages.tell(after)
            whole.told_in = messages.progress.telling
        return is_new


@lru_cache(MEMO_MAX)
def _told_by(
    layout: Layout, picked: tuple[bytes, ...], grammar: Grammar, side: Side, *, describes: bool
) -> tuple[_Facts, _Facts]:
    """What segments tell, by all that is read of them: see `Whole.facts`.

    Raises:
        Unusual: something in it belongs to one person. (That is not remembered either.)
    """
    talk = Conversation()
    sender = Authentication(talk.me(side), "")
    message = Message.under(Header(grammar, (), sender, claims=False, identity=None, describes=describes))
    reads, messages = message.reads, Messages(side, talk, Progress())
    body, facts = layout.body(picked), []
    for segments in (body[: layout.ahead], body[layout.ahead :]):
        for segment in segments:
            messages.line(segment, message)
        facts.append(tuple([fact for fact in talk.collect() if isinstance(fact, Attribute)]))
    if message.reads is not reads:
        raise Unusual
    return facts[0], facts[1]
