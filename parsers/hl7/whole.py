"""Whole messages: those that say what earlier ones said are known by what is read of them, and not read again.

What the segments of a message tell is found by reading them, once for all conversations (`_told_by`): it depends on
what its layout picks and on its grammar, and on nothing else. What a whole message told in this lane is remembered with
it (`Whole`), so that mostly nothing is left to do but to ask, or to answer, under its control id.

Equipment that belongs to one person is the exception: such messages are not known again, and nothing is kept of them.

Spec: HL7 v2 ch. 2.5, 2.9.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from parsers.core import Attribute, Authentication, Conversation, Malformed, Side
from parsers.hl7 import framing, header
from parsers.hl7.acknowledgment import OUTCOMES
from parsers.hl7.grammar import Grammar
from parsers.hl7.header import Header
from parsers.hl7.layout import Layout, Unusual, layout_of, shape_of
from parsers.hl7.messages import SEGMENT_MAX_BYTES, Message, Messages

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
        told_in: when that was told last: see `Messages.telling`.
    """

    header: Header
    layout: Layout
    asks: bool
    code: str
    facts: tuple[_Facts, _Facts]
    told_in: int = 0


class Wholes:
    """Reads the whole messages of one lane.

    Args:
        messages: the lane's, where messages that are not whole are read.
    """

    def __init__(self, messages: Messages, side: Side, talk: Conversation) -> None:
        self._messages = messages
        self._side = side
        self._talk = talk
        self._last: dict[int, Whole] = {}  # by the number of pieces
        self._known: dict[tuple[bytes, ...], Whole] = {}
        self._known_bytes = 0

    def find(self, message: bytes) -> tuple[Whole, list[bytes]] | None:
        """What a message tells that begins with an MSH segment, and its pieces; None: it is read by segments."""
        separator = message[3:4]
        pieces = message.replace(b"\r", separator + b"\r").split(separator)
        last = self._last.get(len(pieces))
        if last is not None and message.count(b"\r") == last.layout.ends:
            known = self._known.get(last.layout.picked(pieces, last.header.grammar))
            if known is not None and known.layout is last.layout and known.header.grammar is last.header.grammar:
                return known, pieces
        plain = _TEXT.sub(b"", message) if separator == b"|" else message
        if len(plain) < len(message):
            return self.find(plain)
        try:
            return self._look_closer(message, pieces), pieces
        except (Unusual, Malformed):
            return None

    def _look_closer(self, message: bytes, pieces: list[bytes]) -> Whole:
        """What a message tells that was not met lately."""
        if not framing.is_header(message):
            raise Unusual
        first, *segments, _ = message.split(b"\r")
        said = self._messages.parse(first, header.parts_of(first))
        cut = said.grammar.cut
        if not cut:
            raise Unusual
        layout = layout_of(shape_of(segments, cut), cut, first.count(cut), describes=said.describes)
        picked = layout.picked(pieces, said.grammar)
        told_by = _told_by if len(picked) <= MEMO_MAX_PIECES else _told_by.__wrapped__
        facts = told_by(layout, picked[layout.headed :], said.grammar, self._side, describes=said.describes)
        code = pieces[layout.answer_at].strip().decode("ascii", "replace") if layout.answer_at else ""
        asks = not said.acknowledges and not layout.answer_at
        whole = Whole(said, layout, asks, code if code in OUTCOMES else "", facts)
        if self._messages.count:
            self._keep(picked, whole, len(message))
        return whole

    def _keep(self, picked: tuple[bytes, ...], whole: Whole, size: int) -> None:
        """Know it again. Who sends one message only is not worth it."""
        size += len(picked) * PIECE_BYTES
        if self._known_bytes + size > KNOWN_MAX_BYTES:
            self._known.clear()
            self._last.clear()
            self._known_bytes = 0
        self._last[whole.layout.size] = whole
        self._known[picked] = whole
        self._known_bytes += size

    def read(self, whole: Whole, pieces: list[bytes]) -> None:
        """Tell what a message tells, as far as that is new; ask who it was, or answer."""
        messages, talk, said = self._messages, self._talk, whole.header
        messages.head(said)
        dialogue = messages.speak()
        (ahead, after), is_new = whole.facts, whole.told_in != messages.telling
        if is_new and ahead:
            messages.tell(ahead)
        if whole.asks:
            secret = header.secret_of(pieces, said.grammar)
            dialogue.asked(self._side, header.control_id_of(pieces[header.CONTROL_ID - 1]), said, secret, talk)
        elif whole.code:
            dialogue.answered(self._side, whole.code, header.control_id_of(pieces[whole.layout.answer_at + 1]), talk)
        if is_new:
            messages.tell(after)
            whole.told_in = messages.telling


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
    reads, messages = message.reads, Messages(side, talk)
    body, facts = layout.body(picked), []
    for segments in (body[: layout.ahead], body[layout.ahead :]):
        for segment in segments:
            messages.line(segment, message)
        facts.append(tuple([fact for fact in talk.collect() if isinstance(fact, Attribute)]))
    if message.reads is not reads:
        raise Unusual
    return facts[0], facts[1]
