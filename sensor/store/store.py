"""Open, make and use a store.

One process owns the file while it is open for writing; within it every thread takes a `cursor` of its own. Only one
thread writes. A new store is made beside its place and put there when it is whole: a store is there, or it is not.

The file is attached to a database in memory that has nothing in it, because only who attaches a file can say how large
its row groups are, and because a new store is then made by the same DuckDB that uses it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from sensor.collector import Ending
from sensor.rows import PART_ROWS
from sensor.store.duck import duckdb
from sensor.store.errors import StoreError, translated
from sensor.store.migrations import is_current, made_from, migrate
from sensor.store.prepared import Prepared
from sensor.store.space import RESERVE_BYTES, SpaceGuard

_MAGIC: Final = slice(8, 12)  # DuckDB's header: 8 bytes checksum, "DUCK"
_CATALOG: Final = "store"
_NEW: Final = "fresh"
_STORED: Final = f"TYPE duckdb, STORAGE_VERSION 'v1.5.0', ROW_GROUP_SIZE {PART_ROWS}"
"""v1.5.0 keeps the file readable for DuckDB 1.5. A full row group is compressed and written at once; what is left over
is copied when it is committed, logged, and written later: the smaller the groups, the less is left."""
_MADE: Final = f"{_STORED}, BLOCK_SIZE {128 << 10}"
"""Each column of a row group that is not written yet takes a block to say where it has no values, and fills it. With
still smaller ones texts cost more: each has words of its own. Older stores keep the 256 KiB they were made with."""
_MEMORY_MIN_MIB: Final = 256
_MEMORY_MAX_MIB: Final = 1024
_THREADS_MAX: Final = 4
STRAIGHT_BYTES: Final = 16 << 20
_LOG_MAX: Final = "24MB"
_LOGGED: Final = f"SET checkpoint_threshold = '{_LOG_MAX}'; COMMIT"
_STRAIGHT: Final = "SET checkpoint_threshold = '0B'; COMMIT"
_LOCKDOWN: Final = (
    "SET allowed_configs = ['checkpoint_threshold', 'max_vacuum_tasks']; "
    "SET enable_external_access = false; SET lock_configuration = true"
)

_LEFT: Final[list[duckdb.DuckDBPyConnection]] = []
"""To stores that were closed; they hold their files, until this process ends or opens another."""


class Store:
    """An open store. Use `Store.open`; close it, or use it in a `with` statement."""

    def __init__(
        self, path: Path, connection: duckdb.DuckDBPyConnection, space: SpaceGuard, *, read_only: bool
    ) -> None:
        self.path = path
        self.read_only = read_only
        self._space = space
        self._place = _place(path)
        self._connection = connection
        self._idle: list[duckdb.DuckDBPyConnection] = []
        """A cursor, if any, for the next statement: to make one costs as much as a short query."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        read_only: bool = False,
        reserve_bytes: int = RESERVE_BYTES,
        memory_mib: int | None = None,
    ) -> Self:
        """Open the store at `path`; unless `read_only`, make it when it is not there, and bring its schema up to date.

        Args:
            path: of the file.
            read_only: others may write it meanwhile, in this process.
            reserve_bytes: of the disk, that are left free.
            memory_mib: MiB that DuckDB may hold; None: a quarter of the machine's memory, within bounds.

        Raises:
            StoreError: there is none, it is in use, not a store, not permitted, too new, or there is no room.
        """
        path = path.absolute()
        space = SpaceGuard(path, reserve_bytes)
        with translated(path):
            _inspect(path, read_only=read_only)
            if not read_only:
                space.check()
            connection = _connect(path, read_only=read_only, memory_mib=memory_mib or _memory_mib())
            return cls(path, connection, space, read_only=read_only)

    def expect(self, size_bytes: int = 0) -> None:
        """Make sure that so much can be written, and will be there afterwards: a file that is gone takes it in silence.

        Raises:
            StoreError: there is too little room, or another file or none is where the store was.
        """
        with translated(self.path):
            if _place(self.path) != self._place:
                raise StoreError(f"{self.path}: was taken away while it was being written", "start again for a new one")
            self._space.check(size_bytes)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of one's own to the same store: one per thread and per open result, never shared."""
        cursor = self._connection.cursor()
        cursor.execute(_use(_CATALOG))
        return cursor

    @contextmanager
    def transaction(self, size_bytes: int = 0) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor in a transaction: committed at the end, rolled back on any error.

        Args:
            size_bytes: how much is written, roughly. Much goes straight into the file: it would be written to the log,
                and a second time soon.

        Raises:
            StoreError: the store refused.
        """
        with self._lent() as cursor, ExitStack() as undo:
            undo.callback(_roll_back, cursor)
            with translated(self.path):
                cursor.execute("BEGIN")
                yield cursor
                cursor.execute(_STRAIGHT if size_bytes >= STRAIGHT_BYTES else _LOGGED)
            undo.pop_all()

    def query(self, text: str, parameters: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
        """All rows of one statement.

        Raises:
            StoreError: the store refused.
        """
        with self._lent() as cursor, translated(self.path):
            return list(cursor.execute(text, dict(parameters or {})).fetchall())

    @contextmanager
    def _lent(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for now. After an error it is closed, with whatever it was given."""
        try:
            cursor = self._idle.pop()  # in one step: other threads do so, too
        except IndexError:
            cursor = self.cursor()
        with ExitStack() as ends:
            ends.callback(cursor.close)
            yield cursor
            if not self._idle:
                ends.pop_all()
                self._idle.append(cursor)

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file.

        Raises:
            StoreError: the store refused.
        """
        with translated(self.path):
            self._connection.execute("CHECKPOINT")

    def compact(self) -> None:
        """Fold the log into the file, and the first small row groups of each table that changed: see `_config`.

        Raises:
            StoreError: the store refused.
        """
        with translated(self.path):
            self._connection.execute(_compacting(1))
            try:
                self._connection.execute("CHECKPOINT")
            finally:
                self._connection.execute(_compacting(0))

    def close(self) -> None:
        """Close it, compacted when it was open for writing; safe to call twice."""
        while self._idle:
            self._idle.pop().close()
        with suppress(duckdb.Error):  # an invalidated database cannot be checkpointed; its log is replayed next time
            if not self.read_only:
                self._connection.execute(_compacting(1))  # for the checkpoint that closing makes
            if Ending.is_ours and not Path(_spilled(self.path)).exists():
                self._leave()
                return
        with suppress(duckdb.Error):
            self._connection.close()

    def _leave(self) -> None:
        """What closing makes of the file. DuckDB is not taken apart, 2 to 8 ms, in a process that ends soon."""
        if not self.read_only:
            self._connection.execute("CHECKPOINT")
        _LEFT.append(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _inspect(path: Path, *, read_only: bool) -> None:
    """Say what is plainly wrong before DuckDB says it in its own words, or takes the file for something else."""
    if path.is_dir():
        raise StoreError(f"{path}: a directory, not a store", "name a file with --store")
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no folder {path.parent}", "make it, or choose another --store")
    if str(path).encode(errors="replace") != bytes(path):
        raise StoreError(f"{path}: its name is not UTF-8, as DuckDB wants it", "choose another --store")
    if not path.exists():
        if read_only:
            raise StoreError(f"{path}: there is no store", "make one with `spanward read`, or name it with --store")
        return
    with translated(path), path.open("rb") as file:
        head = file.read(16)
    if head[_MAGIC] != b"DUCK":
        raise StoreError(f"{path}: not a Spanward store", "choose another --store; this file was left alone")


def _place(path: Path) -> tuple[int, int] | None:
    """By what a file is known again; None when there is none."""
    with suppress(FileNotFoundError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None


def _make(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Put a whole new store at `path`, unless there is one: then False."""
    if path.exists():
        return False
    _sweep(path)
    scratch = path.with_name(f"{path.name}.new-{os.getpid()}")
    prepared = Prepared([duckdb.__version__, _MADE, *made_from()])
    try:
        if not prepared.copy_to(scratch):
            # it needs no log: what is not whole is swept
            connection.execute(f"ATTACH {_quoted(scratch)} AS {_NEW} ({_MADE}, RECOVERY_MODE no_wal_writes)")
            connection.execute(_use(_NEW))
            migrate(connection, path)
            connection.execute(f"{_use('memory')}; DETACH {_NEW}")
            prepared.keep(scratch)
        return _publish(scratch, path)
    finally:
        _remove(scratch)


def _publish(scratch: Path, path: Path) -> bool:
    """Give a finished store its name, unless another process has just made one: then False."""
    with translated(path):
        try:
            path.hardlink_to(scratch)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            scratch.rename(path)
    return True


def _sweep(path: Path) -> None:
    """Remove what a process that was killed while making a store has left."""
    for leftover in path.parent.glob(f"{path.name}.new-*"):
        owner = leftover.name.rpartition("-")[2].partition(".")[0]
        if owner.isdecimal() and not _alive(int(owner)):
            with suppress(OSError):
                leftover.unlink()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(scratch: Path) -> None:
    for name in (scratch, scratch.with_name(scratch.name + ".wal")):
        with suppress(OSError):
            name.unlink(missing_ok=True)


def _connect(path: Path, *, read_only: bool, memory_mib: int) -> duckdb.DuckDBPyConnection:
    """Connect to a DuckDB that has the store attached, and nothing else, and see to its schema.

    It is called by path and mode, so that who opens a store twice in a process gets the same one, or is refused.
    """
    while _LEFT:
        _LEFT.pop().close()
    mode = "READ_ONLY" if read_only else "READ_WRITE"
    config = _config(path, read_only=read_only, memory_mib=memory_mib)
    connection = duckdb.connect(f":memory:{mode} {path}", config=config)
    with ExitStack() as undo:
        undo.callback(connection.close)
        if _is_first(connection):
            made = not read_only and _make(connection, path)
            connection.execute(f"ATTACH {_quoted(path)} AS {_CATALOG} ({_STORED}, {mode})")
            connection.execute(f"{_LOCKDOWN}; {_use(_CATALOG)}")
            if not made:
                _see_to_schema(connection, path, read_only=read_only)
        undo.pop_all()
    return connection


def _compacting(tasks: int) -> str:
    return f"SET max_vacuum_tasks = {tasks}"


def _roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.Error):  # nothing to roll back when BEGIN or COMMIT was what failed
        cursor.execute("ROLLBACK")


def _is_first(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether no other connection of this process has the store open, and locked down."""
    (access,) = connection.execute("SELECT current_setting('enable_external_access')").fetchone() or (True,)
    return bool(access)


def _see_to_schema(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> None:
    if not read_only:
        migrate(connection, path)
    elif not is_current(connection, path):
        raise StoreError(
            f"{path}: written by an older Spanward", "bring it up to date with `spanward serve` or `spanward read`"
        )


def _use(catalog: str) -> str:
    return f"USE {catalog}"


def _spilled(path: Path) -> str:
    """Where DuckDB puts what memory does not hold, in a folder that goes when it is taken apart."""
    return f"{path}.tmp"


def _quoted(path: Path) -> str:
    """For a statement that takes no parameters."""
    return "'" + str(path).replace("'", "''") + "'"


def _config(path: Path, *, read_only: bool, memory_mib: int) -> dict[str, str | bool | int | float | list[str]]:
    """Settings of `connect`, the same for every connection of a process to one file.

    Nothing is fetched, loaded or read from elsewhere.
    Who writes has one thread for each statement: with more, rows are gathered twice and threads wait for each other.

    A checkpoint writes what is new, and that alone: left to itself DuckDB joins small row groups with their neighbours
    each time, and writes the same rows again and again as a table grows. This is for `compact`, one run at a time.
    """
    return {
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        "allow_unsigned_extensions": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "checkpoint_threshold": _LOG_MAX,
        "max_temp_directory_size": "4GB",
        "max_vacuum_tasks": "0",
        "memory_limit": f"{memory_mib}MiB",
        "preserve_insertion_order": "false",
        "python_enable_replacements": "false",
        "temp_directory": _spilled(path),
        "write_buffer_row_group_count": "1",
        "threads": str(min(os.cpu_count() or 1, _THREADS_MAX) if read_only else 1),
    }


def _memory_mib() -> int:
    """A quarter of the machine's memory, within bounds."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(max(total >> 22, _MEMORY_MIN_MIB), _MEMORY_MAX_MIB)
