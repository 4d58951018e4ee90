"""How a lane begins: most often with one whole message, which is known by what other lanes began with.

Many applications make a connection for each message. So a first message is told without reading it, from what is known
of its layout and of all that is read of it: but for the names of applications, which are put in. Of a lane that says no
more there is never anything but its reader.

Spec: HL7 v2 ch. 2.5, 2.9.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from parsers.core import Attribute, Conversation, Reader, Side
from parsers.hl7 import framing, header
from parsers.hl7.acknowledgment import Dialogue
from parsers.hl7.layout import Unusual
from parsers.hl7.whole import WHOLE_MAX_BYTES, Memo, Whole, end_of_whole, look_closer, pieces_of

KNOWN_MAX_BYTES: Final = 1 << 20

Told = tuple[tuple[Attribute, ...], ...]
Opening = tuple[Whole, list[bytes]]
"""What a message tells, and its pieces."""


def find(r: Reader, side: Side, talk: Conversation) -> Opening | None:
    """What a lane begins with that holds one whole frame and no more yet; None: it is read in another way."""
    data = b"" if r.resumed else r.seen(WHOLE_MAX_BYTES)
    end = end_of_whole(data, 1) if data[:1] == b"\x0b" else -1
    if end < 0 or r.held > end + len(b"\x1c\r"):
        return None
    pieces = pieces_of(data[1:end])
    names = mine, its = header.plain_names_of(pieces)
    if not mine:
        return None
    pieces[2] = header.ANY_NAME
    pieces[4] = header.ANY_NAME if its else pieces[4]
    whole = _whole(pieces, data[4:5], data.count(b"\r", 1, end), side, talk)
    if whole is not None and whole.names != names:
        whole.header, whole.names = header.named(whole.header, mine, its), names
    return (whole, pieces) if whole is not None else None


def tell(opening: Opening, side: Side, talk: Conversation) -> Told:
    """Tell all that a message tells, and return it; ask who it was, or answer."""
    whole, pieces = opening
    (ahead, after), said = whole.facts, whole.header
    dialogue = talk.shared(Dialogue)
    dialogue.framed(side, talk)
    talk.emit_all(said.facts)
    dialogue.spoke(side, talk)
    talk.emit_all(ahead)
    whole.settle(pieces, side, dialogue, talk)
    talk.emit_all(after)
    return said.facts, ahead, after


def _whole(pieces: list[bytes], separator: bytes, ends: int, side: Side, talk: Conversation) -> Whole | None:
    memo, alike = _memo(side), (separator, len(pieces), pieces[8])
    known = memo.find(alike, ends, pieces)
    if known is None:
        try:
            picked, known = _look_closer(pieces, separator, side, talk)
        except Unusual:
            return None
        memo.keep(alike, picked, known)
    return known


@lru_cache(len(Side))
def _memo(_side: Side) -> Memo:
    return Memo(KNOWN_MAX_BYTES)


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
