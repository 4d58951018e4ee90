"""Columns and tables: memory as Arrow lays it out, of the few kinds that rows of ours have.

What stands in a column lies in buffers, one value after the other, and is copied nowhere on its way from the fold to
DuckDB. A column that lacks values has a bitmap, too, a bit for each row that has one, the lowest first.

    ======== ================================================ =====================================================
    kind     buffers                                          a value
    ======== ================================================ =====================================================
    FLAG     bits                                             a bit, the lowest of a byte first
    NUMBER   numbers of 32 bits
    COUNT    numbers of 64 bits
    ID       numbers of 64 bits, without a sign
    FLOAT    numbers of 64 bits
    DAY      numbers of 32 bits                               days since 1970
    TIME     numbers of 64 bits                               microseconds since 1970, UTC
    TEXT     offsets of 32 bits, characters                   UTF-8
    WORD     indices of 16 bits, offsets, characters          one of some texts, by its number
    TEXTS    offsets of 32 bits, offsets, characters          texts
    NOTHING  none
    ======== ================================================ =====================================================

Of n texts there are n + 1 offsets: where each begins, from 0 on, and where the last one ends.

Spec: Arrow Columnar Format 1.5, fixed-size primitive, variable-size binary, variable-size list, dictionary-encoded.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    Memory = bytes | bytearray | memoryview[Any] | array[Any]

Code = Literal["B", "h", "i", "q", "Q", "d"]
_DAY_1970: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the store's times are naive UTC
_MICROSECOND: Final = timedelta(microseconds=1)


class Kind(NamedTuple):
    """What stands in a column.

    Attributes:
        arrow: as Arrow's C data interface writes it; of words, that of their numbers.
        codes: the format of each buffer, as `struct` writes it.
    """

    arrow: bytes
    codes: tuple[Code, ...]


FLAG: Final = Kind(b"b", ("B",))
NUMBER: Final = Kind(b"i", ("i",))
COUNT: Final = Kind(b"l", ("q",))
ID: Final = Kind(b"L", ("Q",))
FLOAT: Final = Kind(b"g", ("d",))
DAY: Final = Kind(b"tdD", ("i",))
TIME: Final = Kind(b"tsu:", ("q",))
TEXT: Final = Kind(b"u", ("i", "B"))
WORD: Final = Kind(b"s", ("h", "i", "B"))
TEXTS: Final = Kind(b"+l", ("i", "i", "B"))
NOTHING: Final = Kind(b"n", ())

_KINDS: Final[tuple[tuple[type, Kind], ...]] = (
    (bool, FLAG),
    (int, COUNT),
    (float, FLOAT),
    (str, TEXT),
    (datetime, TIME),
    (date, DAY),
    (list, TEXTS),
)

Schema = Mapping[str, Kind]


class Column:
    """One column.

    Args:
        kind: of its values.
        count: how many rows it has.
        buffers: as many as the kind has, each exactly as long as it must be.
        known: a bit for each row that has a value; None where all have one.
    """

    __slots__ = ("buffers", "count", "kind", "known")

    def __init__(self, kind: Kind, count: int, buffers: Sequence[Memory], known: Memory | None = None) -> None:
        self.kind = kind
        self.count = count
        self.buffers = [_as(code, memory) for code, memory in zip(kind.codes, buffers, strict=True)]
        self.known = None if known is None else _as("B", known)

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return sum(memory.nbytes for memory in self.buffers) + (self.known.nbytes if self.known else 0)


def _as(code: Code, memory: Memory) -> memoryview[Any]:
    """The same memory as numbers of this format."""
    seen = memoryview(memory)
    return seen if seen.format == code else seen.cast("B").cast(code)


class Table:
    """Columns of as many rows each, by name."""

    __slots__ = ("columns",)

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    @property
    def row_count(self) -> int:
        """How many rows it has."""
        return next(iter(self.columns.values())).count

    @property
    def schema(self) -> dict[str, Kind]:
        """The kind of each column."""
        return {name: column.kind for name, column in self.columns.items()}

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return sum(column.size_bytes for column in self.columns.values())

    def rows(self) -> list[dict[str, Any]]:
        """All that it says, row by row; for few rows."""
        told = zip(*(values(column) for column in self.columns.values()), strict=True)
        return [dict(zip(self.columns, row, strict=True)) for row in told]


# ---------------------------------------------------------------------- from Python


def column_of(kind: Kind, items: Sequence[Any]) -> Column:
    """A column of these values; of times and days, also by their numbers. None stands for what there is not."""
    known = pack_bits([item is not None for item in items]) if None in items else None
    return Column(kind, len(items), _buffers(kind, items), known)


def _buffers(kind: Kind, items: Sequence[Any]) -> Sequence[Memory]:
    if kind == FLAG:
        return [pack_bits(items)]
    if kind == TEXT:
        return text_buffers(items)
    if kind == WORD:
        number: dict[str, int] = {}
        indices = array("h", [0 if item is None else number.setdefault(item, len(number)) for item in items])
        return [indices, *text_buffers(list(number))]
    if kind == TEXTS:
        begins = array("i", accumulate((len(item or ()) for item in items), initial=0))
        return [begins, *text_buffers([text for item in items for text in item or ()])]
    if kind == NOTHING:
        return []
    return [array(kind.codes[0], map(_number, items))]


def _number(item: Any) -> Any:  # noqa: ANN401 - whatever stands in the column
    """What stands for a value in memory."""
    if isinstance(item, datetime):
        return (item - _EPOCH) // _MICROSECOND
    if isinstance(item, date):
        return item.toordinal() - _DAY_1970
    return item or 0


def text_buffers(texts: Iterable[str | None]) -> tuple[memoryview, memoryview]:
    """Offsets and characters of these texts; nothing for none."""
    encoded = [(text or "").encode() for text in texts]
    offsets = array("i", accumulate(map(len, encoded), initial=0))
    return memoryview(offsets), memoryview(b"".join(encoded))


def pack_bits(flags: Sequence[object]) -> bytearray:
    """A bit for each flag that is set, the lowest first."""
    packed = bytearray((len(flags) + 7) >> 3)
    for row, flag in enumerate(flags):
        if flag:
            packed[row >> 3] |= 1 << (row & 7)
    return packed


def table_of(columns: Mapping[str, Sequence[Any]]) -> Table:
    """Rows, given by columns of which each has values of one type, or none at all."""
    return Table({name: column_of(_kind_of(items), items) for name, items in columns.items()})


def _kind_of(items: Sequence[Any]) -> Kind:
    """What these values are."""
    item = next((item for item in items if item is not None), None)
    return NOTHING if item is None else next(kind for known, kind in _KINDS if isinstance(item, known))


def constant(value: int, count: int) -> Column:
    """The same number in all rows."""
    return Column(NUMBER, count, [array("i", [value]) * count])


# ---------------------------------------------------------------------- to Python


def values(column: Column) -> Sequence[Any]:
    """All of them, as Python's objects; times and days as the numbers that they are, texts once for all their rows."""
    found = _values(column)
    if column.known is None:
        return found
    return [item if known else None for item, known in zip(found, _flags(column.known, column.count), strict=True)]


def _values(column: Column) -> Sequence[Any]:
    """Whatever stands where there is nothing."""
    if column.kind == FLAG:
        return _flags(column.buffers[0], column.count)
    if column.kind == TEXT:
        return _texts(*column.buffers)
    if column.kind == WORD:
        words = _texts(*column.buffers[1:]) or [None]
        return [words[number] for number in column.buffers[0]]
    if column.kind == TEXTS:
        begins, texts = column.buffers[0], _texts(*column.buffers[1:])
        return [texts[begin:end] for begin, end in pairwise(begins)]
    return column.buffers[0] if column.buffers else [None] * column.count


def _flags(bits: memoryview, count: int) -> list[bool]:
    return [bool(bits[row >> 3] >> (row & 7) & 1) for row in range(count)]


def _texts(offsets: memoryview, characters: memoryview) -> list[Any]:
    return [str(characters[begin:end], "utf-8") for begin, end in pairwise(offsets)]


def known_count(column: Column) -> int:
    """How many rows have a value."""
    if column.known is None:
        return column.count
    return (int.from_bytes(column.known, "little") & (1 << column.count) - 1).bit_count()
