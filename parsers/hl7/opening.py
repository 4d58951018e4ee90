"""How a lane begins: most often with one whole message, which is known by what other lanes began with.

Many applications make a connection for each message. So a first message is told without reading it: by its pattern, if
lately one was like it, else by what is known of its layout and of all that is read of it; but for the names of
applications, which are put in. A lane that says nothing else after it never has more than its reader and its passer.

Spec: HL7 v2 ch. 2.5, 2.9.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from parsers.core import Attribute, Conversation, Reader, Side
from parsers.hl7 import framing, header
from parsers.hl7.acknowledgment import Dialogue
from parsers.hl7.again import NO_NAMES, Again, Names
from parsers.hl7.header import Header
from parsers.hl7.layout import ITS_NAME, MY_NAME, Unusual
from parsers.hl7.pattern import Pattern
from parsers.hl7.whole import WHOLE_MAX_BYTES, Memo, Whole, end_of_whole, look_closer, pieces_of

KNOWN_MAX_BYTES: Final = 1 << 20
PATTERNS_MAX: Final = 16

Told = tuple[tuple[Attribute, ...], ...]


class Opening(msgspec.Struct):
    """A first message: what it tells, its control id, what stands in MSH-8, and the pattern by which it was known.

    `said` is its header, and `names` are those that the pattern left open: it will fit others, with other headers.
    """

    whole: Whole
    said: Header
    control_id: bytes
    secret: bytes = b""
    pattern: Pattern | None = None
    names: Names = NO_NAMES

    def tell(self, side: Side, talk: Conversation, again: Again) -> Told:
        """Tell all that it tells, and return it; ask who it was, or answer. What says the same will pass."""
        (ahead, after), said = self.whole.facts, self.said
        again.progress.count = 1
        if self.pattern is not None:
            again.begin(self.pattern, said, self.names)
        dialogue = talk.shared(Dialogue)
        dialogue.framed(side, talk)
        talk.emit_all(said.facts)
        dialogue.spoke(side, talk)
        talk.emit_all(ahead)
        dialogue.settle(self.whole, said, side, self.control_id, self.secret, talk)
        talk.emit_all(after)
        return said.facts, ahead, after


class _Openings:
    """What lanes of one side began with."""

    def __init__(self) -> None:
        self._memo = Memo(KNOWN_MAX_BYTES)
        self._patterns: list[Pattern] = []

    def fitting(self, data: bytes) -> Pattern | None:
        """The pattern that a lane begins with which holds no more."""
        for pattern in self._patterns:
            if pattern.fits(data, 0) and pattern.end + len(b"\x1c\r") >= len(data):
                return pattern
        return None

    def find(self, pieces: list[bytes], separator: bytes, ends: int, side: Side, talk: Conversation) -> Whole | None:
        """What a message tells, with any names of applications."""
        alike = separator, len(pieces), pieces[8]
        known = self._memo.find(alike, ends, pieces)
        if known is None:
            try:
                picked, known = _look_closer(pieces, separator, side, talk)
            except Unusual:
                return None
            self._memo.keep(alike, picked, known)
        else:
            self._learn(pieces, known)
        return known

    def _learn(self, pieces: list[bytes], whole: Whole) -> None:
        """Know the next one by its pattern; the bytes that stand for names have to be in it for these only."""
        if any(pattern.whole is whole for pattern in self._patterns):
            return
        if not any(mark in piece for piece in pieces for mark in (MY_NAME, ITS_NAME)):
            marked = pieces.copy()
            marked[2] = MY_NAME
            marked[4] = ITS_NAME if pieces[4] == header.ANY_NAME else pieces[4]
            if text := whole.layout.pattern(marked, whole.header.grammar):
                self._patterns = [Pattern(text, whole), *self._patterns[: PATTERNS_MAX - 1]]


@lru_cache(len(Side))
def _openings(_side: Side) -> _Openings:
    return _Openings()


def find(r: Reader, side: Side, talk: Conversation) -> Opening | None:
    """What a lane begins with that holds one whole frame and no more yet; None: it is read in another way."""
    data = b"" if r.resumed or r.held > WHOLE_MAX_BYTES else r.seen(WHOLE_MAX_BYTES)
    if data[:1] != b"\x0b":
        return None
    return known(data, side) or _find(data, side, talk)


def known(data: bytes, side: Side) -> Opening | None:
    """What a lane begins with that holds this and no more yet, if its pattern is known."""
    pattern = _openings(side).fitting(data)
    if pattern is None:
        return None
    whole, names = pattern.whole, (pattern.mine, pattern.its)
    _name(whole, names)
    return Opening(whole, whole.header, pattern.take_control_id(), b"", pattern, names)


def _find(data: bytes, side: Side, talk: Conversation) -> Opening | None:
    """The same for what fits no pattern."""
    end = end_of_whole(data, 1)
    if end < 0 or len(data) > end + len(b"\x1c\r"):
        return None
    pieces = pieces_of(data[1:end])
    names = mine, its = header.plain_names_of(pieces)
    if not mine:
        return None
    pieces[2] = header.ANY_NAME
    pieces[4] = header.ANY_NAME if its else pieces[4]
    whole = _openings(side).find(pieces, data[4:5], data.count(b"\r", 1, end), side, talk)
    if whole is None:
        return None
    _name(whole, names)
    secret = header.secret_of(pieces, whole.header.grammar) if whole.asks else b""
    return Opening(whole, whole.header, header.control_id_of(pieces[whole.layout.control_id_at]), secret)


def _name(whole: Whole, names: tuple[bytes, bytes]) -> None:
    """Put in the names of applications that are not those of the last such message."""
    if whole.names != names:
        (mine, its), (last, its_last) = names, whole.names
        whole.header = header.named(whole.header, b"" if mine == last else mine, b"" if its == its_last else its)
        whole.names = names


def _look_closer(
    pieces: list[bytes], separator: bytes, side: Side, talk: Conversation
) -> tuple[tuple[bytes, ...], Whole]:
    """What such a message tells, each fact once, with any names; and what is picked of it.

    Raises:
        Unusual: such a message is read segment by segment.
    """
    message = separator.join(pieces).replace(separator + b"\r", b"\r")
    if not framing.is_header(message):
        raise Unusual
    first = message[: message.index(b"\r")]
    said = header.parse(header.parts_of(first), separator, talk.me(side), talk.peer(side))
    if said is None:
        raise Unusual
    said.facts = tuple(dict.fromkeys(said.facts))
    picked, whole = look_closer(message, pieces, said, side)
    ahead, after = whole.facts
    ahead = tuple(dict.fromkeys(ahead))
    after = tuple([fact for fact in dict.fromkeys(after) if fact not in ahead])
    return picked, msgspec.structs.replace(whole, facts=(ahead, after))
