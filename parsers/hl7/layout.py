r"""Where in a whole message stands what is read of it.

Most messages differ from earlier ones in what is not read of them only. So a message is cut into pieces at all its
separators at once, and its `Layout` picks those that are read: names of segments, and fields of the allow-lists.
Messages in which these are the same tell the same; and as nothing else is picked, no value and no patient is kept.

    MSH|^~\&|MON|WARD|...<CR>PID|1||4711<CR>OBX|1|NM|147842^MDC_...|60<CR>
    MSH  ^~\&  MON  WARD ... <CR>PID  1 _ 4711  <CR>OBX  1  NM  147842^MDC_...  60  <CR>     pieces
    MSH  ^~\&  MON  WARD ... <CR>PID            <CR>OBX         147842^MDC_...      <CR>     picked

A layout is made of names and of how many fields each segment has, and shared by all who send such messages. There is
none where a segment has no proper name, or for an answer that does not come first: such messages are read segment by
segment.

Spec: HL7 v2 ch. 2.5, 2.9.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from operator import itemgetter
from typing import Final

from parsers.hl7 import equipment, framing, header
from parsers.hl7.grammar import Grammar

LAYOUTS_MAX: Final = 512
SEGMENTS_MAX: Final = 512
NAME: Final = re.compile(rb"[A-Z][A-Z0-9]{2}")
BEFORE_MSA: Final = frozenset({b"SFT", b"UAC"})

_READ: Final[dict[bytes, tuple[int, ...]]] = {b"MSA": (1,), b"SFT": (1, 2, 3, 4)}
_READ_OF_EQUIPMENT: Final = _READ | {
    b"OBR": (3,),
    b"OBX": (3, 17, 18),
    b"PRT": (10, 16, 19, 20, 22),
    b"EQU": (1, 3),
    b"INV": (17,),
}

# What stands in a pattern for what is not read: no usual message has the first three.
BLANK: Final = b"\x0b"
ORDER: Final = b"\n"
CONTROL_ID: Final = b"\x1c"
MY_NAME: Final = b"\x01"
ITS_NAME: Final = b"\x02"

Shape = tuple[tuple[bytes, int], ...]
"""Of each segment after the header: its first four bytes, and how many separators it has."""


class Unusual(Exception):
    """Such a message is read segment by segment."""


class Layout:
    """Where the pieces of a message are that are read.

    Args:
        shape: see `Shape`.
        separator: of fields.
        fields: separators of the header.
        describes: segments of this message may describe equipment.

    Attributes:
        headed: how many of the picked pieces are the header's, which come first.
        ahead: how many segments are read before it is known whether the message asks or has answered.
        size: number of all pieces.
        ends: of segments, in the whole message.
        orders: where OBR-3 stands, which is read where it names equipment.
        answer_at: where MSA-1 stands, and MSA-2 behind it; 0 if the message is no answer.
    """

    __slots__ = ("_begin", "_pick", "_places", "_separator", "ahead", "answer_at", "ends", "headed", "orders", "size")

    def __init__(self, shape: Shape, separator: bytes, fields: int, *, describes: bool) -> None:
        headed = [at for at in range(fields + 1) if at + 1 not in header.NOT_READ]
        *begins, last = accumulate([1 + count for _, count in shape], initial=fields + 1)
        names = [name[:3] for name, _ in shape]
        ahead = ahead_of(names)
        segments = [(at, name[:3], count) for at, (name, count) in zip(begins, shape, strict=True)]
        read = _READ_OF_EQUIPMENT if describes else _READ
        places = [at + n for at, name, count in segments for n in (0, *read.get(name, ())) if n <= count]
        self._begin, self._separator, self.size = fields + 1, separator, last + 1
        self._places = (*places, last)
        self.headed = len(headed)
        self.ahead = ahead + (names[ahead : ahead + 1] == [b"MSA"])
        self._pick: Callable[[list[bytes]], tuple[bytes, ...]] = itemgetter(*headed, *self._places)
        self.ends = len(shape) + 1
        self.orders = tuple([at + 3 for at, name, count in segments if describes and name == b"OBR" and count > 2])
        self.answer_at = next((at + 1 for at, name, count in segments if name == b"MSA"), 0)

    def picked(self, pieces: list[bytes], grammar: Grammar) -> tuple[bytes, ...]:
        """What is read of a message, of orders the equipment only."""
        for at in self.orders:
            if pieces[at]:
                pieces = pieces.copy()
                pieces[at] = equipment.named_by_order(pieces[at], grammar)
        return self._pick(pieces)

    @property
    def control_id_at(self) -> int:
        """Where the control id stands that is compared: of an answer MSA-2."""
        return self.answer_at + 1 if self.answer_at else header.CONTROL_ID - 1

    def pattern(self, pieces: list[bytes], grammar: Grammar) -> bytes:
        """A message with marks in place of what is not read: see `pattern`; empty where something must be looked at.

        Names of applications may be marks already.
        """
        if pieces[header.SECURITY - 1] or not grammar.escape:
            return b""
        read = {at for at in range(self._begin) if at + 1 not in header.NOT_READ}.union(self._places)
        read.add(header.SECURITY - 1)
        read.difference_update(at for at in self.orders if not equipment.named_by_order(pieces[at], grammar))
        text = [piece if at in read else ORDER if at in self.orders else BLANK for at, piece in enumerate(pieces)]
        text[self.control_id_at] = CONTROL_ID
        return self._separator.join(text).replace(self._separator + b"\r", b"\r")

    def body(self, picked: tuple[bytes, ...]) -> list[bytes]:
        """The segments after the header, with nothing in them but what is picked of them."""
        pieces = [b""] * self.size
        for at, piece in zip(self._places, picked, strict=True):
            pieces[at] = piece
        return self._separator.join(pieces[self._begin :]).replace(self._separator + b"\r", b"\r").split(b"\r")[1:-1]


@lru_cache(LAYOUTS_MAX)
def layout_of(shape: Shape, separator: bytes, fields: int, *, describes: bool) -> Layout:
    """The layout of such messages.

    Raises:
        Unusual: there is none.
    """
    names = [name[:3] for name, _ in shape]
    answers = [number for number, name in enumerate(names) if name == b"MSA"]
    if fields < header.CONTROL_ID - 1 or len(shape) >= SEGMENTS_MAX or answers not in ([], [ahead_of(names)]):
        raise Unusual
    for name, count in shape:
        if not name and not count:
            continue
        if not NAME.fullmatch(name[:3]) or name[:3] in framing.HEADERS or name[3:] != separator[: min(count, 1)]:
            raise Unusual
        if name[:3] == b"MSA" and count < 2:
            raise Unusual
    return Layout(shape, separator, fields, describes=describes)


def ahead_of(names: list[bytes]) -> int:
    """How many segments may precede an MSA, and do."""
    return next((number for number, name in enumerate(names) if name not in BEFORE_MSA), len(names))


def shape_of(segments: list[bytes], separator: bytes) -> Shape:
    """See `Shape`."""
    return tuple([(segment[:4], segment.count(separator)) for segment in segments])
