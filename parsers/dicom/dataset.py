"""Walking over a data set by tag and length, reading only the elements that are asked for.

Theory of operation
-------------------
A data set comes in fragments, and those of different presentation contexts may take turns. `DataSet` therefore is fed:
it keeps a generator that walks over the elements and stops where bytes are missing. Elements that are not wanted are
never copied out: the walk says how many bytes to leave out (`skipping`), and whoever feeds it leaves them out on the
wire.

| encoding | element |
|---|---|
| implicit VR | tag 2+2, length 4, value |
| explicit VR, short | tag 2+2, VR 2, length 2, value |
| explicit VR, long | tag 2+2, VR 2, reserved 2, length 4, value; OB OD OF OL OV OW SQ SV UC UN UR UT UV, later ones |
| item, delimiters | FFFE,E000 / E00D / E0DD, length 4, in either encoding |

Most data sets have plain elements at their head, and those are there at once: `_run` takes them without stopping, and
leaves what is not as simple to the walk.

**The encoding is read off the bytes**, not looked up: a data set's first element shows it. So it is read alike whether
the acceptor's lane, which names the transfer syntax, was seen or not. Neither shape: it is tried as raw DEFLATE
(PS3.5 A.5), and the result must show one.

Spec: PS3.5 7.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator, Mapping
from typing import Final, Literal

import msgspec

from parsers.core import LimitExceeded, Malformed, ProtocolError, Unsupported
from parsers.dicom.alike import Spans

DEPTH_MAX: Final = 8
ELEMENTS_MAX: Final = 4_096
READ_MAX_BYTES: Final = 65_536
VALUE_MAX_BYTES: Final = 1_024
VALUES_MAX: Final = 16

_SNIFF_BYTES: Final = 8
_INFLATE_STEP_BYTES: Final = 4_096
_TAG_BYTES: Final = 4
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_SHORT_VRS: Final = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_VRS: Final = _SHORT_VRS | frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())

# In explicit VR the length's first two bytes are the VR.
_ELEMENT: Final = struct.Struct("<HHI")
_SHORT_VR_NUMBERS: Final = frozenset(int.from_bytes(vr, "little") for vr in _SHORT_VRS)

Steps = Generator[None, None, None]


class Wanted(msgspec.Struct, frozen=True):
    """The allow-list of one kind of data set: elements, elements inside items of sequences, and where to stop."""

    elements: frozenset[int]
    inside: Mapping[int, frozenset[int]] = {}
    last: int = 0


class Encoding(msgspec.Struct, frozen=True):
    """How elements are written."""

    explicit: bool
    byteorder: Literal["little", "big"] = "little"

    def number(self, data: bytes) -> int:
        """An unsigned number."""
        return int.from_bytes(data, self.byteorder)


IMPLICIT: Final = Encoding(explicit=False)
EXPLICIT: Final = Encoding(explicit=True)
BIG_ENDIAN: Final = Encoding(explicit=True, byteorder="big")


def encoding_of(head: bytes) -> Encoding | None:
    """The encoding that the first 8 bytes of a data set show; None: neither of those that are not deflated."""
    if head[0] and not head[0] & 1 and head[0] <= 0x50 and not head[1]:
        if head[4:6] in _VRS:
            return EXPLICIT
        length = int.from_bytes(head[4:8], "little")
        return IMPLICIT if length <= READ_MAX_BYTES or length == _UNDEFINED else None
    big = not head[0] and head[1] and not head[1] & 1 and head[1] <= 0x50 and head[4:6] in _VRS
    return BIG_ENDIAN if big else None


class _Source:
    """The bytes of one data set, as its fragments bring them."""

    __slots__ = ("_at", "_buffer", "offset", "read", "skipping")

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self.offset = 0
        self.read = 0
        self.skipping = 0

    def feed(self, data: bytes) -> None:
        dropped = min(self.skipping, len(data))
        self.skipping -= dropped
        self._buffer = self._buffer[self._at :] + data[dropped:]
        self._at = 0
        self.read += len(data) - dropped

    def take(self, n: int) -> Generator[None, None, bytes]:
        while len(self._buffer) - self._at < n:
            yield
        at = self._at
        self._at = at + n
        self.offset += n
        return self._buffer[at : at + n]

    def seen(self) -> bytes:
        """What is there."""
        return self._buffer[self._at :]

    def passed(self, n: int) -> None:
        """Let go of `n` bytes that are there."""
        self._at += n
        self.offset += n

    def skip(self, n: int) -> Steps:
        self.offset += n
        held = min(n, len(self._buffer) - self._at)
        self._at += held
        self.skipping = n - held
        while self.skipping:
            yield


class DataSet:
    """One data set on its way in.

    Attributes:
        found: the values of wanted elements, by tag; what is inside a wanted sequence has the tag of its own.
        done: nothing more is wanted of it.
        deflated: it was read through DEFLATE.
        problem: why it could not be walked to its end; None if it could.
        spans: of its first bytes, those that decided what was found; empty if more than plain elements did.
    """

    __slots__ = (
        "_elements", "_head", "_inflate", "_source", "_steps", "_wanted", "deflated", "done", "found", "problem",
        "spans",
    )  # fmt: skip

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._head = b""
        self._source = _Source()
        self._steps: Steps | None = None
        self._inflate: zlib._Decompress | None = None
        self._elements = 0
        self.found: dict[int, list[bytes]] = {}
        self.done = False
        self.deflated = False
        self.problem: ProtocolError | None = None
        self.spans: Spans = []

    @property
    def skipping(self) -> int:
        """Bytes that are to be left out before it is fed again."""
        return 0 if self._inflate is not None else self._source.skipping

    def left_out(self, n: int) -> None:
        """`n` of the bytes to be left out were."""
        self._source.skipping -= n
        if not self._source.skipping:
            self.feed(b"")

    def feed(self, data: bytes) -> None:
        """The next bytes. Errors of the data set end it, and are kept in `problem`."""
        if self.done:
            return
        try:
            if self._inflate is not None:
                self._feed_deflated(data)
            else:
                self._feed_plain(data)
        except ProtocolError as error:
            self.done, self.problem = True, error
        except zlib.error:
            self.done, self.problem = True, Malformed("the data set is neither plain nor deflated")

    def end(self) -> None:
        """Its last fragment was fed."""
        if not self.done and self._source.skipping:
            self.problem = Malformed("the last element is longer than the data set", self._source.offset)
        self.done = True

    # ------------------------------------------------------------------ feeding

    def _feed_plain(self, data: bytes) -> None:
        if self._steps is None:
            self._head += data
            if len(self._head) < _SNIFF_BYTES:
                return
            data, self._head = self._head, b""
            encoding = encoding_of(data)
            if encoding is None:
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
                self._feed_deflated(data)
                return
            self._steps = self._walk(encoding)
        self._go_on(data)

    def _feed_deflated(self, data: bytes) -> None:
        assert self._inflate is not None
        while not self.done:
            inflated = self._inflate.decompress(data, _INFLATE_STEP_BYTES)
            data = self._inflate.unconsumed_tail
            self._feed_inflated(inflated)
            if self._inflate.eof:
                self.end()  # what follows the stream is padding; an ended stream would hoard it
            elif not data and len(inflated) < _INFLATE_STEP_BYTES:
                return

    def _feed_inflated(self, data: bytes) -> None:
        if self._steps is None:
            self._head += data
            if len(self._head) < _SNIFF_BYTES:
                return
            data, self._head = self._head, b""
            encoding = encoding_of(data)
            if encoding is None:
                raise Unsupported("the encoding of the data set is not known")
            self.deflated = True
            self._steps = self._walk(encoding)
        self._source.read += min(self._source.skipping, len(data))
        self._go_on(data)

    def _go_on(self, data: bytes) -> None:
        assert self._steps is not None
        self._source.feed(data)
        if self._source.read > READ_MAX_BYTES:
            raise LimitExceeded(f"more than {READ_MAX_BYTES} bytes of a data set", self._source.offset)
        try:
            next(self._steps)
        except StopIteration:
            self.done = True

    # ------------------------------------------------------------------ walking

    def _walk(self, encoding: Encoding) -> Steps:
        """Elements at the top level, up to the last one that can be wanted.

        They must ascend: bytes read out of step are not to be taken for elements.
        """
        previous = 0 if encoding is BIG_ENDIAN else self._run(encoding)
        while previous <= self._wanted.last:
            tag, vr, length = yield from self._header(encoding)
            if tag < previous:
                raise Malformed("elements out of order", self._source.offset)
            previous = tag
            if tag <= self._wanted.last:
                yield from self._element(encoding, tag, vr, length, self._wanted.elements, 1)

    def _run(self, encoding: Encoding) -> int:
        """Take elements as far as they are there, up to one that has to be walked.

        Returns the last one's tag, or one beyond all that are wanted.
        """
        data, wanted, at, previous, count = self._source.seen(), self._wanted, 0, 0, 0
        beyond, explicit = len(data) - _ELEMENT.size, encoding.explicit
        spans: Spans = []
        begin = 0
        while at <= beyond and count < ELEMENTS_MAX:
            group, number, length = _ELEMENT.unpack_from(data, at)
            tag = group << 16 | number
            if tag > wanted.last:
                previous = tag
                self.spans = [*spans, slice(begin, at + _TAG_BYTES)]
                break
            if explicit:
                if length & 0xFFFF not in _SHORT_VR_NUMBERS:
                    break
                length >>= 16
            end = at + _ELEMENT.size + length
            if tag < previous or end > len(data) or tag in wanted.inside:
                break
            if tag in wanted.elements and 0 < length <= VALUE_MAX_BYTES:
                self._found(tag, data[end - length : end])
            elif length:
                spans.append(slice(begin, end - length))
                begin = end
            previous, at, count = tag, end, count + 1
        self._source.passed(at)
        self._elements += count
        return previous

    def _found(self, tag: int, value: bytes) -> None:
        values = self.found.setdefault(tag, [])
        if len(values) < VALUES_MAX:
            values.append(value)

    def _element(
        self, encoding: Encoding, tag: int, vr: bytes, length: int, wanted: frozenset[int], depth: int
    ) -> Steps:
        inside = self._wanted.inside.get(tag) if depth == 1 else None
        if inside is not None or length == _UNDEFINED:
            # What is UN is written in implicit VR, if its length is undefined (PS3.5 6.2.2) or was when it became UN.
            items = IMPLICIT if vr == b"UN" else encoding
            yield from self._sequence(items, length, inside or frozenset(), depth)
        elif tag in wanted and 0 < length <= VALUE_MAX_BYTES:
            self._found(tag, (yield from self._source.take(length)))
        else:
            yield from self._source.skip(length)

    def _sequence(self, encoding: Encoding, length: int, wanted: frozenset[int], depth: int) -> Steps:
        """Items up to the end of the sequence; those with a length and nothing wanted are left out whole."""
        if depth > DEPTH_MAX:
            raise LimitExceeded(f"sequences deeper than {DEPTH_MAX}", self._source.offset)
        end = self._end(length)
        while end is None or self._source.offset < end:
            tag, _, item_length = yield from self._header(encoding)
            if tag == _SEQUENCE_END and end is None:
                return
            if tag != _ITEM:
                raise Malformed("no item where one must be", self._source.offset)
            if item_length != _UNDEFINED and not wanted:
                yield from self._source.skip(item_length)
            else:
                yield from self._item(encoding, item_length, wanted, depth)

    def _item(self, encoding: Encoding, length: int, wanted: frozenset[int], depth: int) -> Steps:
        end = self._end(length)
        while end is None or self._source.offset < end:
            tag, vr, element_length = yield from self._header(encoding)
            if tag == _ITEM_END and end is None:
                return
            yield from self._element(encoding, tag, vr, element_length, wanted, depth + 1)
        if self._source.offset > end:
            raise Malformed("an element is longer than its item", self._source.offset)

    def _end(self, length: int) -> int | None:
        return None if length == _UNDEFINED else self._source.offset + length

    def _header(self, encoding: Encoding) -> Generator[None, None, tuple[int, bytes, int]]:
        """Tag, VR (empty if there is none) and length of the next element."""
        self._elements += 1
        if self._elements > ELEMENTS_MAX:
            raise LimitExceeded(f"more than {ELEMENTS_MAX} elements", self._source.offset)
        head = yield from self._source.take(8)
        tag = encoding.number(head[:2]) << 16 | encoding.number(head[2:4])
        vr = head[4:6]
        # Some write single elements without VR into explicit data sets: two bytes that are no letters are a length.
        if not encoding.explicit or tag >> 16 == 0xFFFE or not (vr.isalpha() and vr.isupper()):
            return tag, b"", encoding.number(head[4:8])
        if vr in _SHORT_VRS:
            return tag, vr, encoding.number(head[6:8])
        return tag, vr, encoding.number((yield from self._source.take(4)))
