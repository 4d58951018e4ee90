"""The ledger: readings of captures, batch by batch, each counted once.

A reading is one way of reading one capture: capture id, parser set, settings (site file and key) and where batches are
cut. Its batches come in order and are the same every time, so a batch that stands in the ledger is skipped. The store
holds one reading of a capture at most: another parser set or other settings replace all that the older one contributed,
in the same transaction as their own first batch. An interrupted reading goes on only when its batches would be cut at
the same places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec.structs import asdict

from sensor.columns import NUMBER, Column, Table, column_of, constant, values
from sensor.rows import PART_ROWS, REFERRED, SCHEMAS
from sensor.store.duck import duckdb
from sensor.store.growth import Growth
from sensor.store.incoming import execute, row
from sensor.store.sql import statement, tables
from sensor.store.store import Store
from sensor.store.taken import taken
from sensor.store.told import Told, mixed

MERGED_ROWS: Final = 8 * PART_ROWS
FACT_TABLES: Final = tables()
_KEYS: Final = {
    "certificate": ("sha256",),
    "fact_loss": ("hour", "interface"),
    "fact_traffic": ("hour", "segment", "interface"),
}
_FACT_KEY: Final = ("id", "day")
_ALL: Final[Mapping[str, int]] = MappingProxyType({})


class Reading(msgspec.Struct, frozen=True):
    """One way of reading one capture.

    Attributes:
        capture: id of the capture's content.
        parser_set: which parsers, in which versions.
        settings: digest of what else decides the facts.
        batch_bytes: after how many bytes of the capture a batch is cut.
        name: the file's name, without its folder.
        size_bytes: the file's size.
        live: it is no file, and cannot be read again.
        sandbox: what rights its worker has kept.
    """

    capture: str
    parser_set: str
    settings: str
    batch_bytes: int
    name: str
    size_bytes: int
    live: bool = False
    sandbox: str = ""


class Summary(msgspec.Struct, frozen=True):
    """What is known of a capture when it has been read to its end. Times are naive UTC."""

    first_ts: datetime | None
    last_ts: datetime | None
    packets: int
    bytes: int
    complete: bool
    damaged: str | None
    counters: str


class Known(msgspec.Struct, frozen=True):
    """What an earlier, finished reading has found."""

    packets: int
    bytes: int
    damaged: str | None


class LedgerMismatch(Exception):
    """A batch differs from the one that the ledger holds under its number: these are two readings after all."""


class Ledger:
    """Writes one reading into a store. Made anew for each reading."""

    def __init__(self, store: Store, reading: Reading) -> None:
        self._store = store
        self._reading = reading
        self._id: dict[str, object] = {"capture": reading.capture}
        self._number = 0
        self._batches: dict[int, tuple[int, int]] = {}
        self._warned: dict[tuple[str, str], datetime] = {}
        self._begin_memory()
        self._begun = False
        self._goes_on = False
        self._other = False
        self.known: Known | None = None
        self._look()

    @property
    def committed_count(self) -> int:
        """How many of this reading's batches are in the store."""
        return len(self._batches)

    def commit(self, number: int, byte_offset: int, batch: dict[str, list[Table]]) -> bool:
        """Merge a batch and note it, in one transaction. False when it was there already.

        `batch` holds rows by table name, in parts, with every column but `reading` and `batch`. When this returns, they
        are on disk. It is emptied: rows that the store has taken are let go of.

        Raises:
            LedgerMismatch: the ledger holds another batch under this number.
            StoreError: the store refused; nothing of the batch is in it.
        """
        mark = (byte_offset, sum(part.row_count for parts in batch.values() for part in parts))
        if number in self._batches:
            self._compare(number, mark)
            return False
        size_bytes = sum(part.size_bytes for parts in batch.values() for part in parts)
        self._store.expect(size_bytes)
        is_new_to_us, self._goes_on = self._goes_on, True  # what is told now may not come to stand in the store
        with self._store.transaction(size_bytes) as cursor:
            self._begin(cursor)
            if is_new_to_us:
                self._recall(cursor)
            for name in sorted(batch):
                self._add(
                    cursor, name, [self._stamped(part, number) for part in batch.pop(name) if part.row_count], number
                )
            self._note(cursor, number, mark)
        self._begun, self._goes_on = True, False
        self._batches[number] = mark
        return True

    def ended_before(self, byte_offset: int) -> bool:
        """Whether what is in the store is finished, and nothing of it is of so far behind."""
        return self.known is not None and all(offset < byte_offset for offset, _ in self._batches.values())

    def finish(self, summary: Summary) -> None:
        """Note that the capture was read to its end.

        Raises:
            StoreError: the store refused.
        """
        with self._store.transaction() as cursor:
            self._begin(cursor)
            execute(cursor, "ledger/finish_capture", self._id | asdict(summary) | {"read_at": _now()})
        self._begun = True

    def note(self, summary: Summary) -> None:
        """Note what is known so far of a live capture. It is never read again, so its older batches are not compared.

        Raises:
            StoreError: the store refused.
        """
        with self._store.transaction() as cursor:
            self._begin(cursor)
            execute(cursor, "ledger/note_capture", self._id | asdict(summary) | {"read_at": _now()})
        self._begun = True
        self._batches.clear()

    def warn(self, warnings: Iterable[tuple[str, str, str]], since: datetime | None = None) -> None:
        """Put these warnings (interface, kind, words) in the place of those that stand.

        `since` is when they began; None: now, those excepted that stand already.

        Raises:
            StoreError: the store refused.
        """
        rows = list(warnings)
        if not (rows or self._warned or self._other):
            return  # none stand
        now = _now()
        self._warned = {row[:2]: since or self._warned.get(row[:2], now) for row in rows}
        with self._store.transaction() as cursor:
            self._begin(cursor)
            cursor.execute(statement("forget/mirror_warning"), self._id)
            for interface, kind, words in rows:
                values = {"parser_set": self._reading.parser_set, "interface": interface, "kind": kind, "words": words}
                began = self._warned[interface, kind]
                cursor.execute(statement("ledger/add_warning"), self._id | values | {"since": began})
        self._begun = True

    def forget(self) -> None:
        """Take out all that any reading of this capture has contributed.

        Raises:
            StoreError: the store refused.
        """
        with self._store.transaction() as cursor:
            self._forget(cursor)
        self._batches, self._begun, self._goes_on, self.known = {}, False, False, None
        self._begin_memory()

    def _begin_memory(self) -> None:
        """Nothing was told yet."""
        self._told = Told()
        self._growth = {name: Growth() for name in FACT_TABLES}

    def _look(self) -> None:
        """Find out whether this reading has begun, or is finished."""
        rows = self._store.query(statement("ledger/find_capture"), self._id)
        if not rows:
            return
        self._other = True
        parser_set, settings, batch_bytes, finished, packets, byte_count, damaged, number = rows[0]
        if (parser_set, settings) != (self._reading.parser_set, self._reading.settings):
            return
        if finished:
            self.known = Known(int(str(packets)), int(str(byte_count)), None if damaged is None else str(damaged))
        if batch_bytes == self._reading.batch_bytes:
            self._begun = self._goes_on = True
            self._number = int(str(number))
            self._batches = self._read_batches()

    def _read_batches(self) -> dict[int, tuple[int, int]]:
        rows = self._store.query(statement("ledger/find_batches"), self._id)
        return {int(str(number)): (int(str(offset)), int(str(count))) for number, offset, count in rows}

    def _compare(self, number: int, mark: tuple[int, int]) -> None:
        if self._batches[number] != mark:
            raise LedgerMismatch(f"batch {number} is {mark}, the ledger has {self._batches[number]}")

    def _begin(self, cursor: duckdb.DuckDBPyConnection) -> None:
        if self._begun:
            return
        if self._other:
            self._forget(cursor)
        ((self._number,),) = cursor.execute(statement("ledger/next_reading")).fetchall()
        values = asdict(self._reading) | {"reading": self._number, "read_at": _now()}
        execute(cursor, "ledger/begin_capture", incoming=row(values))

    def _forget(self, cursor: duckdb.DuckDBPyConnection) -> None:
        for name in (*FACT_TABLES, "mirror_warning", "batch", "capture"):
            cursor.execute(statement(f"forget/{name}"), self._id)

    def _note(self, cursor: duckdb.DuckDBPyConnection, number: int, mark: tuple[int, int]) -> None:
        values = {
            "parser_set": self._reading.parser_set,
            "number": number,
            "byte_offset": mark[0],
            "row_count": mark[1],
        }
        execute(cursor, "ledger/add_batch", incoming=row(self._id | values | {"committed_at": _now()}))

    def _add(self, cursor: duckdb.DuckDBPyConnection, name: str, parts: Sequence[Table], number: int) -> None:
        """Add rows of one table.

        Most are new. For the others the store is searched, among rows that came no earlier than the first of them, and
        as far back as that pays. Rows that facts refer to may never stand twice: once some were forgotten, the store is
        searched for all that are not remembered.
        """
        if not parts:
            return
        if name in _KEYS:
            _merge(cursor, name, parts)
            return
        said = self._meet(name, parts, number)
        new = _taken(parts, [new for new, _, _ in said])
        known = _taken(parts, [met for _, met, _ in said])
        self._growth[name].add(number, sum(part.row_count for part in new))
        if new and name in REFERRED and self._told.is_forgetful:
            _merge(cursor, name, new)
        elif new:
            execute(cursor, f"insert/{name}", incoming=new)
        if not known or name in REFERRED:  # what these say never changes
            return
        batches = [batches for _, _, batches in said if len(batches)]
        since = {"since_batch": min(map(min, batches))}
        if name == "binding":
            self._growth[name].add(number, _add_bindings(cursor, known, since))
        else:
            _merge(cursor, name, [_brought(part, some) for part, some in zip(known, batches, strict=True)], since)

    def _meet(self, name: str, parts: Sequence[Table], batch: int) -> list[tuple[memoryview, memoryview, memoryview]]:
        """Of each part, which rows are new, which are known, and which batches brought these."""
        table, numbers, growth = FACT_TABLES.index(name), [_numbers(name, part) for part in parts], self._growth[name]
        since = 0
        if not growth.is_small and name not in REFERRED:
            known = chain.from_iterable(self._told.batches(table, *some) for some in numbers)
            since = growth.worth(Counter(known), batch)
        return [self._told.meet(table, *some, batch, since) for some in numbers]

    def _recall(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """A reading that goes on has rows in the store."""
        self._begin_memory()
        for name in FACT_TABLES:
            if name not in _KEYS:
                cursor.execute(statement(f"known/{name}"), {"reading": self._number})
                names = [column for column, *_ in cursor.description or ()][1:]
                while rows := cursor.fetchmany(PART_ROWS):
                    for batch, some in groupby(rows, itemgetter(0)):
                        _, *columns = zip(*some, strict=True)
                        told = zip(names, columns, strict=True)
                        self._remember(name, Table({key: column_of(SCHEMAS[name][key], of) for key, of in told}), batch)

    def _remember(self, name: str, part: Table, batch: int) -> None:
        """Rows that the store has of this batch. Of rows with the same key the newest is the one that is searched for.

        Intervals of one address are searched for since the first of them.
        """
        since = 0 if name == "binding" else batch
        self._told.meet(FACT_TABLES.index(name), *_numbers(name, part), batch, since)
        self._growth[name].add(batch, part.row_count)

    def _stamped(self, part: Table, number: int) -> Table:
        count = part.row_count
        return Table({**part.columns, "reading": constant(self._number, count), "batch": constant(number, count)})


def _numbers(name: str, part: Table) -> tuple[memoryview, memoryview]:
    """Day and id of each row; what stands for them where there are none."""
    if name == "binding":
        ids = memoryview(bytearray(8 * part.row_count)).cast("Q")
        for column in ("scope", "ip"):
            mixed(ids, *part[column].buffers)
    else:
        ids = part["id"].buffers[0]
    if "day" in part.columns:
        return part["day"].buffers[0], ids
    return memoryview(bytes(4 * len(ids))).cast("i"), ids


def _taken(parts: Sequence[Table], places: Sequence[memoryview]) -> list[Table]:
    """The rows at these places of each part; parts without any left out."""
    told = [(part, some) for part, some in zip(parts, places, strict=True) if len(some)]
    return [part if len(some) == part.row_count else taken(part, some) for part, some in told]


def _brought(part: Table, batches: memoryview) -> Table:
    """Known rows, with the batches that brought them: there they stand, and other rows of the same key may before."""
    return Table({**part.columns, "batch": Column(NUMBER, part.row_count, [batches])})


def _merge(
    cursor: duckdb.DuckDBPyConnection, name: str, parts: Sequence[Table], since: Mapping[str, int] = _ALL
) -> None:
    """Merge rows, some `MERGED_ROWS` at a time: what a statement joins is small, and tables are searched seldom."""
    for some in _gathered(parts):
        if _all_differ(some, _KEYS.get(name, _FACT_KEY if "day" in some[0].columns else _FACT_KEY[:1])):
            execute(cursor, f"merge/{name}", since, incoming=some)
        else:
            execute(cursor, f"distinct/{name}", incoming=some)
            cursor.execute(statement("distinct/begin"))
            cursor.execute(statement(f"merge/{name}"), dict(since))
            cursor.execute(statement("distinct/end"))


def _gathered(parts: Sequence[Table]) -> Iterator[list[Table]]:
    some: list[Table] = []
    for part in parts:
        if some and sum(one.row_count for one in some) + part.row_count > MERGED_ROWS:
            yield some
            some = []
        some.append(part)
    yield some


def _all_differ(parts: Sequence[Table], key: tuple[str, ...]) -> bool:
    """Whether no two rows agree in the columns of `key`, the most telling of which stands first."""
    first, *others = key
    telling = _all_values(parts, first)
    if len(set(telling)) == len(telling):
        return True
    return len(set(zip(telling, *(_all_values(parts, name) for name in others), strict=True))) == len(telling)


def _all_values(parts: Sequence[Table], name: str) -> list[Any]:
    return list(chain.from_iterable(values(part[name]) for part in parts))


def _add_bindings(cursor: duckdb.DuckDBPyConnection, rows: Sequence[Table], since: Mapping[str, int]) -> int:
    """Intervals are not merged row by row: those of one address are joined anew, and searched for once.

    Returns how many more there are now.
    """
    execute(cursor, "merge/binding_held", since, incoming=rows)
    execute(cursor, "merge/binding", incoming=rows)
    gone = _count(cursor, "merge/binding_clear")
    cursor.execute(statement("distinct/begin"))
    come = _count(cursor, "insert/binding")
    cursor.execute(statement("distinct/end"))
    cursor.execute(statement("merge/binding_end"))
    return come - gone


def _count(cursor: duckdb.DuckDBPyConnection, name: str) -> int:
    """How many rows a statement has inserted or deleted."""
    ((count,),) = cursor.execute(statement(name)).fetchall()
    return int(count)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
