"""What worker and recorder say to each other: data only, in frames, and every word of the worker's is checked.

The worker parses hostile bytes and may be taken over, so the recorder believes nothing it says: frames are bounded,
JSON is decoded into typed structs, rows must have the very schema of their table and whole, valid Arrow buffers.

Worker to recorder, on one pipe, in frames of

    ====== ====== ==============================================
    offset length meaning
    ====== ====== ==============================================
    0      1      kind, a `Kind`
    1      4      length of what follows, big-endian
    5      n      JSON, or for TABLE: length of name, name, zeros up to a multiple of 8, Arrow IPC stream
    ====== ====== ==============================================

in this order: HELLO, then for each batch some TABLEs (several of one name are one table) and one BATCH, then SUMMARY;
or ERROR at any point. A live capture says STATE every few seconds, which is what SUMMARY would be by now.
Recorder to worker, on the other pipe, in lines: the job as JSON; `go` or `skip` to HELLO; `ack` to each BATCH; `stop`
to a live capture.
"""

from __future__ import annotations

import struct
from array import array
from datetime import datetime
from enum import IntEnum
from operator import sub
from typing import IO, Annotated, Final, Literal, TypeVar

import msgspec
import pyarrow as pa

from sensor.arrays import extent, longest
from sensor.budget import DEFAULT_MIB
from sensor.columns import in_place, places, texts_in_place, whole_numbers
from sensor.rows import DAY_US
from sensor.site import SiteForFacts

HEADER: Final = struct.Struct(">BI")
NUMBER: Final = struct.Struct(">q")
FRAME_BYTES_MAX: Final = 256 << 20
BATCH_BYTES_MAX: Final = 512 << 20
JSON_BYTES_MAX: Final = 1 << 20
BATCH_BYTES: Final = 2 << 30
"""After so many bytes of a capture a batch is cut, unless its rows were cut before."""
_ALIGNED_BYTES: Final = 8
SHORT_BYTES: Final = 64
"""Texts up to this length are not counted one by one."""
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


class Job(msgspec.Struct, frozen=True):
    """What a worker is to read, and how. Paths are absolute; `-` is the pipe that comes along.

    Live: the `interfaces`, of which this worker gets its share when the number `fanout` is not 0; a batch every `cut_s`
    seconds; `ring_bytes` for each interface; the `way` in which they are tapped. `memory_mib`: see `sensor.budget`.
    """

    capture: str
    site: SiteForFacts
    site_key: str
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


class BatchEnd(msgspec.Struct, frozen=True):
    """The tables since the last one are a batch."""

    number: Count
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


class Room:
    """Memory for one payload after the other: to touch memory for the first time costs more than to write there."""

    def __init__(self) -> None:
        self._memory = bytearray()

    def of(self, size: int) -> memoryview:
        """So many bytes; whatever was given before is overwritten."""
        if size > len(self._memory):
            self._memory = bytearray(size)
        return memoryview(self._memory)[:size]


def pack_table(name: str, rows: pa.Table, room: Room | None = None) -> memoryview:
    """The payload of a TABLE frame. In a `room` it is good until the next one is made there."""
    measured = pa.MockOutputStream()
    _pack(measured, name, rows)
    payload = (room or Room()).of(measured.size())
    _pack(pa.FixedSizeBufferWriter(pa.py_buffer(payload)), name, rows)
    return payload


def _pack(sink: pa.NativeFile, name: str, rows: pa.Table) -> None:
    label = name.encode()
    sink.write((bytes([len(label)]) + label).ljust(_aligned(1 + len(label)), b"\0"))
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)


def _aligned(length: int) -> int:
    """Where what comes next begins: Arrow wants its buffers so, and would not be read in place otherwise."""
    return -(-length // _ALIGNED_BYTES) * _ALIGNED_BYTES


class Gathered:
    """The tables of a batch under way, checked.

    Args:
        schemas: the tables that there are.
        bytes_max: more is no batch.
    """

    def __init__(self, schemas: dict[str, pa.Schema], bytes_max: int) -> None:
        self._schemas = schemas
        self._bytes_max = bytes_max
        self._parts: dict[str, list[pa.Table]] = {}
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

    def take(self) -> dict[str, pa.Table]:
        """All tables so far; the next batch, or the next part of it, begins."""
        parts, self._parts, self.byte_count = self._parts, {}, 0
        return {name: pa.concat_tables(tables) for name, tables in parts.items()}


def plain_bytes(rows: pa.Table) -> int:
    """How long rows are when each has its texts to itself: at most, and exactly where there are long ones."""
    return sum(_plain_bytes(chunk) for column in rows.itercolumns() for chunk in column.chunks)


def _plain_bytes(chunk: pa.Array) -> int:
    if not pa.types.is_dictionary(chunk.type):
        return int(chunk.nbytes)
    offsets, _ = texts_in_place(chunk.dictionary)
    length = longest(offsets)
    if length <= SHORT_BYTES:
        return len(chunk) * length
    lengths = [*map(sub, offsets[1:], offsets), 0]  # the last one is of no word at all
    return sum(map(lengths.__getitem__, places(chunk)))


def unpack_table(payload: bytes | memoryview, schemas: dict[str, pa.Schema]) -> tuple[str, pa.Table]:
    """Name and rows of a TABLE frame, checked; the rows stand in the payload.

    Raises:
        WireError: no such table, another schema, compressed, damaged, or times out of range.
    """
    end = 1 + payload[0] if payload else 0
    name = bytes(payload[1:end]).decode(errors="replace")
    schema = schemas.get(name)
    if schema is None:
        raise WireError("rows for a table that does not exist")
    body = pa.py_buffer(memoryview(payload)[_aligned(end) :])
    try:
        _refuse_compressed(body)
        rows = _read_stream(body, schema)
        rows.validate(full=True)
    except (pa.ArrowException, OSError, struct.error) as error:
        raise WireError(f"rows of {name} are damaged: {str(error).partition(chr(10))[0]}") from error
    _check_times(rows)
    return name, rows


def _read_stream(body: pa.Buffer, schema: pa.Schema) -> pa.Table:
    with pa.ipc.open_stream(body) as reader:
        if not reader.schema.equals(schema):
            raise pa.ArrowInvalid("another schema")
        return reader.read_all()


def _refuse_compressed(body: pa.Buffer) -> None:
    """A few bytes could inflate to any size, and Arrow asks for no limit: our workers do not compress."""
    for message in pa.ipc.MessageReader.open_stream(body):
        if message.type in {"record batch", "dictionary"} and _is_compressed(
            message.metadata.to_pybytes(), in_dictionary=message.type == "dictionary"
        ):
            raise pa.ArrowInvalid("compressed")


def _is_compressed(metadata: bytes, *, in_dictionary: bool) -> bool:
    """Whether `RecordBatch.compression` is there (Arrow's Message.fbs, a flatbuffer).

    In a flatbuffer a table begins with the signed distance back to its vtable; a vtable is its own length, the table's
    length, then an offset for each field, 0 where it is absent. `header` is field 2 of Message, `data`, which is a
    RecordBatch, field 1 of DictionaryBatch, `compression` field 3 of RecordBatch.
    """
    batch = _table(metadata, _u32(metadata, 0), 2)
    if in_dictionary:
        batch = _table(metadata, batch, 1)
    return _slot(metadata, batch, 3) != 0


def _table(metadata: bytes, table: int, field: int) -> int:
    """Where the table is that a field of a table points to."""
    slot = _slot(metadata, table, field)
    if not slot:
        raise pa.ArrowInvalid("without rows")
    return table + slot + _u32(metadata, table + slot)


def _slot(metadata: bytes, table: int, field: int) -> int:
    (back,) = struct.unpack_from("<i", metadata, table)
    vtable = table - back
    (size,) = struct.unpack_from("<H", metadata, vtable)
    if 4 + 2 * field >= size:
        return 0
    (offset,) = struct.unpack_from("<H", metadata, vtable + 4 + 2 * field)
    return int(offset)


def _u32(metadata: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", metadata, at)[0])


_FIRST_US: Final = -62_135_596_800_000_000  # year 1, in microseconds since 1970
_LAST_US: Final = 253_402_300_799_999_999  # the end of year 9999


def _check_times(rows: pa.Table) -> None:
    """Years beyond what a `datetime` holds would break whoever reads them."""
    for column in rows.itercolumns():
        if pa.types.is_timestamp(column.type):
            _check_range(column, _FIRST_US, _LAST_US)
        elif pa.types.is_date32(column.type):
            _check_range(column, _FIRST_US // DAY_US, _LAST_US // DAY_US)


def _check_range(column: pa.ChunkedArray, lowest: int, highest: int) -> None:
    for chunk in column.chunks:
        numbers = _known(chunk)
        if not len(numbers):
            continue
        least, most = extent(numbers)
        if least < lowest or most > highest:
            raise WireError("a time out of range")


def _known(chunk: pa.Array) -> memoryview | array[int]:
    """The numbers that there are."""
    if not chunk.null_count:
        return in_place(chunk)
    return array("q", [number for number in whole_numbers(chunk) if number is not None])
