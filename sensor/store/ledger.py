"""The ledger: readings of captures, batch by batch, each counted once.

A reading is one way of reading one capture: capture id, parser set, settings (site file and key) and where batches are
cut. Its batches come in order and are the same every time, so a batch that stands in the ledger is skipped. The store
holds one reading of a capture at most: another parser set or other settings replace all that the older one contributed,
in the same transaction as their own first batch. An interrupted reading goes on only when its batches would be cut at
the same places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import duckdb
import pyarrow as pa

from sensor.store.sql import statement, tables
from sensor.store.store import Store

FACT_TABLES: Final = tables()
_KEYS: Final = {
    "binding": ("ip", "scope"),
    "certificate": ("sha256",),
    "fact_loss": ("hour", "interface"),
    "fact_traffic": ("hour", "segment", "interface"),
}
_FACT_KEY: Final = ("id", "day")


@dataclass(frozen=True)
class Reading:
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


@dataclass(frozen=True)
class Summary:
    """What is known of a capture when it has been read to its end. Times are naive UTC."""

    first_ts: datetime | None
    last_ts: datetime | None
    packets: int
    bytes: int
    complete: bool
    damaged: str | None
    counters: str


@dataclass(frozen=True)
class Known:
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
        self._batches: dict[int, tuple[int, int]] = {}
        self._warned: dict[tuple[str, str], datetime] = {}
        self._begun = False
        self._other = False
        self.known: Known | None = None
        self._look()

    @property
    def committed_count(self) -> int:
        """How many of this reading's batches are in the store."""
        return len(self._batches)

    def commit(self, number: int, byte_offset: int, batch: Mapping[str, pa.Table]) -> bool:
        """Merge a batch and note it, in one transaction. False when it was there already.

        `batch` holds rows by table name, with every column but `capture` and `parser_set`. When this returns, they are
        on disk.

        Raises:
            LedgerMismatch: the ledger holds another batch under this number.
            StoreError: the store refused; nothing of the batch is in it.
        """
        mark = (byte_offset, sum(table.num_rows for table in batch.values()))
        if number in self._batches:
            self._compare(number, mark)
            return False
        self._store.space.check(sum(table.nbytes for table in batch.values()))
        fresh = not self._begun
        with self._store.transaction() as cursor:
            self._begin(cursor)
            for name in sorted(batch):
                self._add(cursor, name, batch[name], fresh=fresh)
            self._note(cursor, number, mark)
        self._begun = True
        self._batches[number] = mark
        return True

    def finish(self, summary: Summary) -> None:
        """Note that the capture was read to its end.

        Raises:
            StoreError: the store refused.
        """
        with self._store.transaction() as cursor:
            self._begin(cursor)
            cursor.execute(statement("ledger/finish_capture"), self._id | vars(summary) | {"read_at": _now()})
        self._begun = True

    def note(self, summary: Summary) -> None:
        """Note what is known so far of a live capture. It is never read again, so its older batches are not compared.

        Raises:
            StoreError: the store refused.
        """
        with self._store.transaction() as cursor:
            self._begin(cursor)
            cursor.execute(statement("ledger/note_capture"), self._id | vars(summary) | {"read_at": _now()})
        self._begun = True
        self._batches.clear()

    def warn(self, warnings: Iterable[tuple[str, str, str]], since: datetime | None = None) -> None:
        """Put these warnings (interface, kind, words) in the place of those that stand.

        `since` is when they began; None: now, those excepted that stand already.

        Raises:
            StoreError: the store refused.
        """
        rows = list(warnings)
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
        self._batches, self._begun, self.known = {}, False, None

    def _look(self) -> None:
        """Find out whether this reading has begun, or is finished."""
        rows = self._store.query(statement("ledger/find_capture"), self._id)
        if not rows:
            return
        self._other = True
        parser_set, settings, batch_bytes, finished, packets, byte_count, damaged = rows[0]
        if (parser_set, settings) != (self._reading.parser_set, self._reading.settings):
            return
        if finished:
            self.known = Known(int(str(packets)), int(str(byte_count)), None if damaged is None else str(damaged))
        if batch_bytes == self._reading.batch_bytes:
            self._begun = True
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
        cursor.execute(statement("ledger/begin_capture"), vars(self._reading) | {"read_at": _now()})

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
        cursor.execute(statement("ledger/add_batch"), self._id | values | {"committed_at": _now()})

    def _add(self, cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table, *, fresh: bool) -> None:
        """Add rows of one table. A reading just begun is `fresh`: nothing of its capture is in the store."""
        if not rows.num_rows:
            return
        different = _all_differ(rows, _KEYS.get(name, _FACT_KEY))
        if name == "binding":
            (_insert if fresh and different else _merge_bindings)(cursor, name, self._stamped(rows))
            return
        for part in map(self._stamped, _parts(rows)):
            if different and (fresh or _is_new(cursor, name, part)):
                _insert(cursor, name, part)
            else:
                _execute(cursor, f"merge/{name}", part if different else _taken_together(cursor, name, part))

    def _stamped(self, rows: pa.Table) -> pa.Table:
        number = pa.repeat(pa.scalar(0, pa.int8()), rows.num_rows)
        for column in ("capture", "parser_set"):
            word = pa.array([getattr(self._reading, column)], pa.string())
            rows = rows.append_column(column, pa.DictionaryArray.from_arrays(number, word))
        return rows


def _parts(rows: pa.Table) -> Iterator[pa.Table]:
    """Part by part: what a statement joins stays small, and each has dictionaries of its own."""
    return (pa.Table.from_batches([part]) for part in rows.to_batches())


def _all_differ(rows: pa.Table, key: tuple[str, ...]) -> bool:
    """Whether no two rows agree in the columns of `key`, the most telling of which stands first."""
    first, *others = key
    telling = rows.column(first).to_pylist()
    if len(set(telling)) == len(telling):
        return True
    return len(set(zip(telling, *(rows.column(name).to_pylist() for name in others), strict=True))) == len(telling)


def _is_new(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> bool:
    """Whether none of the rows is in the store: to find that out costs a tenth of merging them."""
    if name in _KEYS:
        return False
    with _incoming(cursor, rows):
        return cursor.execute(statement(f"known/{name}")).fetchone() is None


def _taken_together(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> pa.Table:
    """One row for each key, whatever a worker has sent."""
    with _incoming(cursor, rows):
        return cursor.execute(statement(f"distinct/{name}")).to_arrow_table()


def _merge_bindings(cursor: duckdb.DuckDBPyConnection, _name: str, rows: pa.Table) -> None:
    """Intervals are not merged row by row: those of one address are joined anew."""
    with _incoming(cursor, rows):
        joined = cursor.execute(statement("merge/binding")).to_arrow_table()
    _execute(cursor, "merge/binding_clear", rows)
    _execute(cursor, "merge/binding_insert", joined)


def _insert(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    _execute(cursor, f"insert/{name}", rows)


def _execute(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    with _incoming(cursor, rows):
        cursor.execute(statement(name))


@contextmanager
def _incoming(cursor: duckdb.DuckDBPyConnection, rows: pa.Table) -> Iterator[None]:
    """Within, one statement can read `rows`, once, from `incoming`.

    They are given as a bare stream: for a table DuckDB would import Arrow's datasets, 40 ms. Not unregistered on an
    error: that would be a statement in an aborted transaction, and the cursor ends anyway.
    """
    cursor.register("incoming", rows.__arrow_c_stream__())
    yield
    cursor.unregister("incoming")


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
