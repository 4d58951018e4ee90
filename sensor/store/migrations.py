"""Bring a store to the schema that this version writes: numbered steps, each applied once, and recorded.

A new store gets what all steps come to at once (`whole.sql`): 4 ms instead of 28. Most often it is a copy of one that
was made so before (see `prepared`).

Views and macros are not steps: they are made anew whenever their text has changed. After any DDL comes a CHECKPOINT,
because replaying DDL from the write-ahead log has failed in DuckDB's past (issues 19712 and 22044).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sensor.store.duck import duckdb
from sensor.store.errors import StoreError
from sensor.store.incoming import execute, table
from sensor.store.sql import migrations, of_views, statement

_VIEWS: Final = -1
"""Not a step: its name is the digest of the text of views and macros."""


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Apply the steps that are missing, and the views, in one transaction.

    Raises:
        StoreError: the database is somebody else's, or of a newer version.
    """
    done = applied(connection, path)
    missing = [(number, name) for number, name in migrations() if number not in done]
    if done and not missing and _views_recorded(connection) == _views_digest():
        return
    connection.execute("BEGIN")
    connection.execute(statement("ledger/create_migration"))
    for text in [f"schema/{name.removesuffix('.sql')}" for _, name in missing] if done else ["whole"]:
        connection.execute(statement(text))
    connection.execute(_views())
    _record(connection, [*missing, (_VIEWS, _views_digest())])
    connection.execute("COMMIT")
    connection.execute("CHECKPOINT")


def made_from() -> Iterator[str]:
    """Texts of all that decides what `migrate` makes of an empty database."""
    yield from (name for _, name in migrations())
    yield from map(statement, ("ledger/create_migration", "whole"))
    yield _views()


def applied(connection: duckdb.DuckDBPyConnection, path: Path) -> set[int]:
    """Numbers of the steps that the store has seen; empty for an empty database.

    Raises:
        StoreError: the database is somebody else's, or of a newer version.
    """
    tables = {name for (name,) in connection.execute(statement("ledger/list_tables")).fetchall()}
    if not tables:
        return set()
    if not {"migration", "capture", "batch"} <= tables and tables != {"migration"}:
        raise StoreError(f"{path}: a database, but not a Spanward store", "choose another --store")
    done = {int(number) for (number,) in connection.execute(statement("ledger/list_migrations")).fetchall()}
    if done > {number for number, _ in migrations()}:
        raise StoreError(f"{path}: written by a newer Spanward", "upgrade Spanward, or choose another --store")
    return done


def is_current(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether the store has this version's schema and views.

    Raises:
        StoreError: the database is somebody else's, or of a newer version.
    """
    done = applied(connection, path)
    return done == {number for number, _ in migrations()} and _views_recorded(connection) == _views_digest()


def _record(connection: duckdb.DuckDBPyConnection, steps: Sequence[tuple[int, str]]) -> None:
    connection.execute(statement("ledger/forget_views"))
    numbers, names = zip(*steps, strict=True)
    rows = table({"number": numbers, "name": names, "applied_at": [_now()] * len(steps)})
    execute(connection, "ledger/add_migration", incoming=rows)


def _views_recorded(connection: duckdb.DuckDBPyConnection) -> str | None:
    row = connection.execute(statement("ledger/find_views")).fetchone()
    return str(row[0]) if row else None


def _views_digest() -> str:
    return "views " + hashlib.sha256(_views().encode()).hexdigest()[:32]


def _views() -> str:
    """All of them, and the macros that they use: at once costs a third less."""
    return ";".join(map(statement, of_views()))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
