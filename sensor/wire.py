"""What worker and recorder say to each other: data only, in frames, and every word of the worker's is checked.

The worker parses hostile bytes and may be taken over, so the recorder believes nothing it says: frames are bounded,
JSON is decoded into typed structs, and of rows it is checked that all of their columns' buffers are what they must be.

Worker to recorder, on one pipe, in frames of

    ====== ====== ==============================================
    offset length meaning
    ====== ====== ==============================================
    0      1      kind, a `Kind`
    1      4      length of what follows, big-endian
    5      n      JSON, or for TABLE: a table
    ====== ====== ==============================================

in this order: HELLO, then for each batch some TABLEs (several of one name are one table) and one BATCH, then SUMMARY;
or ERROR at any point. A file has PASSED between them, every few seconds at least; a live capture says STATE as often,
which is what SUMMARY would be by now.
Recorder to worker, on the other pipe, in lines: the job as JSON; `go` or `skip` to HELLO; `ack` to each BATCH; `stop`
to a live capture, or a pipe. The answer to the HELLO of a compressed capture may be `inflate` and a size in bytes: then
CONTENT says which capture is inside if it is that long, and `go` or `skip` comes next.

A table is said in whole words of 8 bytes, the numbers little-endian:

    ====== ====================================================================================================
    length meaning
    ====== ====================================================================================================
    1      length of its name
    n      its name, and zeros up to a multiple of 8
    8      how many rows it has
    8 each for each column of `sensor.rows.SCHEMAS`: bytes of its bitmap, 0 for none; bytes of each of its buffers
    n each these bitmaps and buffers (`sensor.columns`), each with zeros up to a multiple of 8
    ====== ====================================================================================================
"""

from __future__ import annotations

import codecs
import os
import struct
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import IntEnum
from typing import IO, Annotated, Final, Literal, TypeVar

import msgspec

from sensor.arrays import extent, rises, splits, spoken
from sensor.budget import DEFAULT_MIB
from sensor.columns import DAY, FLAG, TEXT, TEXTS, TIME, WORD, Column, Schema, Table, known_count, values
from sensor.columns import Kind as Kinds
from sensor.rows import DAY_US
from sensor.site import SiteForFacts

HEADER: Final = struct.Struct(">BI")
NUMBER: Final = struct.Struct(">q")
FRAME_BYTES_MAX: Final = 256 << 20
BATCH_BYTES_MAX: Final = 512 << 20
JSON_BYTES_MAX: Final = 1 << 20
BATCH_BYTES: Final = 16 << 30
"""After so many bytes of a capture a batch is cut, unless its rows were cut before. What is killed reads them again."""
PASSED_BYTES: Final = 1 << 30
PASSED_S: Final = 10.0
"""After so many bytes, or seconds, a worker that reads a file says how far it is."""
_ALIGNED_BYTES: Final = 8
_PIECES_MAX: Final = 1024
"""So many pieces of memory Linux writes at once."""
_PIECE_BYTES: Final = 1 << 20
"""So many characters are looked through at once."""
INFLATE: Final = b"inflate "
"""An order, see above; the size follows."""
BATCHES_AHEAD: Final = 4
"""How many batches a worker may have sent that are not acknowledged yet."""

Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16,64}$")]
Word = Annotated[str, msgspec.Meta(pattern=r"^[\w.:+-]{1,100}$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 62))]
Line = Annotated[str, msgspec.Meta(max_length=2_000)]
NaiveTime = Annotated[datetime, msgspec.Meta(tz=False)]
T = TypeVar("T")


class WireError(Exception):
    """What was said is not what may be said."""


class Kind(IntEnum):
    """Kinds of frames."""

    HELLO = 1
    TABLE = 2
    BATCH = 3
    SUMMARY = 4
    ERROR = 5
    STATE = 6
    PASSED = 7
    CONTENT = 8


class Job(msgspec.Struct, frozen=True):
    """What a worker is to read, and how. Paths are absolute, as the system has them; `-` is the pipe that comes along.

    Live: the `interfaces`, of which this worker gets its share when the number `fanout` is not 0; a batch every `cut_s`
    seconds; `ring_bytes` for each interface; the `way` in which they are tapped. `memory_mib`: see `sensor.budget`.
    """

    capture: bytes
    site: SiteForFacts
    site_key: bytes
    batch_bytes: int
    interfaces: tuple[str, ...] = ()
    fanout: int = 0
    cut_s: float = 0.0
    ring_bytes: int = 0
    way: Literal["afpacket", "libpcap"] = "afpacket"
    memory_mib: int = DEFAULT_MIB


class Hello(msgspec.Struct, frozen=True):
    """A capture was opened and recognised; nothing of it has been parsed yet."""

    capture: Id
    parser_set: Word
    settings: Id
    size_bytes: Count
    sandbox: Word
    compressed: bool = False


class Content(msgspec.Struct, frozen=True):
    """The id that a capture would have if it was not compressed; None: it is not of the size that was asked about."""

    capture: Id | None


class BatchEnd(msgspec.Struct, frozen=True):
    """The tables since the last one are a batch."""

    number: Count
    byte_offset: Count


class Passed(msgspec.Struct, frozen=True):
    """So far the capture has been read. A batch may come much later."""

    byte_offset: Count


class Summary(msgspec.Struct, frozen=True):
    """The capture was read to its end; columns of table `capture`."""

    first_ts: NaiveTime | None
    last_ts: NaiveTime | None
    packets: Count
    bytes: Count
    complete: bool
    damaged: Line | None
    counters: Annotated[str, msgspec.Meta(max_length=100_000)]

    def counts(self) -> dict[str, int]:
        """The counters; none when they are none."""
        try:
            return msgspec.json.decode(self.counters, type=dict[str, int])
        except msgspec.MsgspecError:
            return {}


class Failure(msgspec.Struct, frozen=True):
    """The capture cannot be read: `kind` names a class of `sensor.capture.errors`, or `SiteKeyError`."""

    kind: Word
    what: Line
    hint: Line


def send(pipe: IO[bytes], kind: Kind, payload: bytes | memoryview) -> None:
    """Write one frame.

    Raises:
        BrokenPipeError: nobody is listening any more.
    """
    pipe.write(HEADER.pack(kind, len(payload)))
    pipe.write(payload)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[Kind, bytes] | None:
    """Read one frame; None when the other end is gone, also in the middle of a frame.

    Raises:
        WireError: it is too long, or of no known kind.
    """
    header = pipe.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    kind, length = HEADER.unpack(header)
    if kind not in Kind.__members__.values():
        raise WireError(f"a frame of unknown kind {kind}")
    if length > (FRAME_BYTES_MAX if kind == Kind.TABLE else JSON_BYTES_MAX):
        raise WireError(f"a frame of {length} bytes")
    payload = pipe.read(length)
    return (Kind(kind), payload) if len(payload) == length else None


def decode(payload: bytes, kind: type[T]) -> T:
    """JSON as a typed struct.

    Raises:
        WireError: it is not one.
    """
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.MsgspecError as error:
        raise WireError(f"not a {kind.__name__}: {error}") from error


def printable(text: str) -> str:
    """`text` without control characters, which a terminal might obey."""
    return "".join(character if character.isprintable() else "?" for character in text)


# ---------------------------------------------------------------------- tables, as they are sent


def send_table(pipe: IO[bytes], name: str, rows: Table) -> None:
    """Write one TABLE frame, from where the rows lie.

    Raises:
        BrokenPipeError: nobody is listening any more.
    """
    pieces = table_pieces(name, rows)
    _write_all(pipe.fileno(), [HEADER.pack(Kind.TABLE, sum(map(len, pieces))), *pieces])


def table_pieces(name: str, rows: Table) -> list[bytes | memoryview]:
    """The payload of a TABLE frame."""
    label, memory = name.encode(), list(_memory(rows))
    lengths = [0 if one is None else one.nbytes for one in memory]
    head = (bytes([len(label)]) + label).ljust(_aligned(1 + len(label)), b"\0")
    pieces: list[bytes | memoryview] = [head + struct.pack(f"<{1 + len(lengths)}Q", rows.row_count, *lengths)]
    for one in memory:
        if one:
            pieces.append(one.cast("B"))
            pieces.append(bytes(-one.nbytes % _ALIGNED_BYTES))
    return pieces


def _memory(rows: Table) -> Iterator[memoryview | None]:
    """What is sent of each column: its bitmap, and its buffers."""
    for column in rows.columns.values():
        yield column.known
        yield from column.buffers


def _write_all(fd: int, pieces: Sequence[bytes | memoryview]) -> None:
    """A pipe may take less than it is given."""
    left = [memoryview(piece) for piece in pieces if len(piece)]
    while left:
        taken, at = os.writev(fd, left[:_PIECES_MAX]), 0
        while at < len(left) and taken >= len(left[at]):
            taken -= len(left[at])
            at += 1
        left = [left[at][taken:], *left[at + 1 :]] if at < len(left) else []


def _aligned(length: int) -> int:
    """Where what comes next begins: numbers are read where they lie."""
    return -(-length // _ALIGNED_BYTES) * _ALIGNED_BYTES


# ---------------------------------------------------------------------- tables, as they arrive


class Gathered:
    """The tables of a batch under way, checked.

    Args:
        schemas: the tables that there are.
        bytes_max: more is no batch.
    """

    def __init__(self, schemas: Mapping[str, Schema], bytes_max: int) -> None:
        self._schemas = schemas
        self._bytes_max = bytes_max
        self._parts: dict[str, list[Table]] = {}
        self.byte_count = 0

    def add(self, payload: bytes | memoryview) -> None:
        """The payload of one TABLE frame.

        Raises:
            WireError: see `unpack_table`, or the batch is too large.
        """
        name, rows = unpack_table(payload, self._schemas)
        self.byte_count += max(len(payload), plain_bytes(rows))
        if self.byte_count > self._bytes_max:
            raise WireError("a batch that never ends")
        self._parts.setdefault(name, []).append(rows)

    def take(self) -> dict[str, list[Table]]:
        """All tables so far, each in parts; the next batch, or the next part of it, begins."""
        parts, self._parts, self.byte_count = self._parts, {}, 0
        return parts


def plain_bytes(rows: Table) -> int:
    """How long rows are when each has its texts to itself."""
    return sum(
        spoken(column.buffers[0], column.buffers[1], column.known) if column.kind == WORD else column.size_bytes
        for column in rows.columns.values()
    )


def unpack_table(payload: bytes | memoryview, schemas: Mapping[str, Schema]) -> tuple[str, Table]:
    """Name and rows of a TABLE frame, checked; the rows stand in the payload.

    Raises:
        WireError: no such table, damaged, or times out of range.
    """
    end = 1 + payload[0] if payload else 0
    name = bytes(payload[1:end]).decode(errors="replace")
    schema = schemas.get(name)
    if schema is None:
        raise WireError("rows for a table that does not exist")
    try:
        return name, _table(memoryview(payload)[_aligned(end) :], schema)
    except _Damaged as error:
        raise WireError(f"rows of {name} are damaged: {error}") from error


class _Damaged(Exception):
    """What was said is no table of that name."""


def _table(body: memoryview, schema: Schema) -> Table:
    numbers = struct.Struct(f"<{1 + sum(1 + len(kind.codes) for kind in schema.values())}Q")
    if len(body) < numbers.size:
        raise _Damaged("cut short")
    count, *lengths = numbers.unpack_from(body)
    if numbers.size + sum(map(_aligned, lengths)) != len(body):
        raise _Damaged("not as long as it says")
    memory = _Memory(body[numbers.size :], lengths)
    return Table({name: _column(kind, count, memory) for name, kind in schema.items()})


class _Memory:
    """Buffers that lie one after the other.

    Args:
        body: all of them.
        lengths: of each.
    """

    def __init__(self, body: memoryview, lengths: Sequence[int]) -> None:
        self._body, self._lengths, self._at = body, iter(lengths), 0

    def next(self) -> memoryview:
        """The next one."""
        begin, length = self._at, next(self._lengths)
        self._at += _aligned(length)
        return self._body[begin : begin + length]


def _column(kind: Kinds, count: int, memory: _Memory) -> Column:
    known, buffers = memory.next(), [memory.next() for _ in kind.codes]
    if len(known) not in {0, _bit_bytes(count)}:
        raise _Damaged("a bitmap of another length")
    for code, buffer in zip(kind.codes, buffers, strict=True):
        if len(buffer) % struct.calcsize(code):
            raise _Damaged("half a number")
    column = Column(kind, count, buffers, known if len(known) else None)
    if len(column.buffers[0]) != _LENGTHS.get(kind, _same)(count):
        raise _Damaged("another number of values")
    if check := _CHECKS.get(kind):
        check(column)
    return column


def _bit_bytes(count: int) -> int:
    return (count + 7) >> 3


def _same(count: int) -> int:
    return count


def _one_more(count: int) -> int:
    return count + 1


_LENGTHS: Final[dict[Kinds, Callable[[int], int]]] = {FLAG: _bit_bytes, TEXT: _one_more, TEXTS: _one_more}
"""How many numbers the first buffer has, of so many rows."""


def _check_texts(offsets: memoryview, characters: memoryview) -> int:
    """How many there are: each begins where one of UTF-8's characters does, and ends where the next one begins."""
    _check_offsets(offsets, len(characters))
    decode = codecs.getincrementaldecoder("utf-8")().decode
    plain = True
    try:
        for begin in range(0, len(characters), _PIECE_BYTES):
            plain &= decode(characters[begin : begin + _PIECE_BYTES]).isascii()
        decode(b"", final=True)
    except UnicodeDecodeError:
        raise _Damaged("a text that is none") from None
    if not plain and splits(offsets, characters):
        raise _Damaged("half a character")
    return len(offsets) - 1


def _check_offsets(offsets: memoryview, end: int) -> None:
    """They go from the beginning to the end."""
    if not len(offsets) or offsets[0] or offsets[-1] != end or not rises(offsets):
        raise _Damaged("offsets that go elsewhere")


def _check_text(column: Column) -> None:
    _check_texts(*column.buffers)


def _check_lists(column: Column) -> None:
    lists, offsets, characters = column.buffers
    _check_offsets(lists, _check_texts(offsets, characters))


def _check_words(column: Column) -> None:
    """Also where there is no word a number must be one, that of the first if there is none at all."""
    indices, offsets, characters = column.buffers
    words = _check_texts(offsets, characters)
    if not len(indices):
        return
    least, most = extent(indices)
    if least < 0 or most >= max(words, 1) or (not words and known_count(column)):
        raise _Damaged("a word that is not there")


_FIRST_US: Final = -62_135_596_800_000_000  # year 1, in microseconds since 1970
_LAST_US: Final = 253_402_300_799_999_999  # the end of year 9999


def _check_times(column: Column) -> None:
    """Years beyond what a `datetime` holds would break whoever reads them."""
    _check_range(column, _FIRST_US, _LAST_US)


def _check_days(column: Column) -> None:
    _check_range(column, _FIRST_US // DAY_US, _LAST_US // DAY_US)


def _check_range(column: Column, lowest: int, highest: int) -> None:
    numbers: memoryview | array[int] = column.buffers[0]
    if column.known is not None:
        numbers = array(column.kind.codes[0], [number for number in values(column) if number is not None])
    if not len(numbers):
        return
    least, most = extent(numbers)
    if least < lowest or most > highest:
        raise WireError("a time out of range")


_CHECKS: Final[dict[Kinds, Callable[[Column], None]]] = {
    DAY: _check_days,
    TEXT: _check_text,
    TEXTS: _check_lists,
    TIME: _check_times,
    WORD: _check_words,
}
"""Of all others any number may stand there."""
