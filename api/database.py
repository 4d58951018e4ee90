"""The one way from the API to the store: a query file, its parameters, a cursor of its own, and a time limit."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib.resources import files
from typing import Any, Protocol

import duckdb

from api.problems import Problem

_PARAMETER = re.compile(r"\$([a-z][a-z0-9_]*)")
_COMMENT = re.compile(r"--[^\n]*")

_PATIENCE = 0.2  # of the time limit: who waits holds a thread that others need

Row = dict[str, Any]


@lru_cache(maxsize=256)
def query(name: str) -> tuple[str, frozenset[str]]:
    """The text of `queries/<name>.sql` and the names of its parameters."""
    text = (files("api") / "queries" / f"{name}.sql").read_text(encoding="utf-8")
    return text, frozenset(_PARAMETER.findall(_COMMENT.sub("", text)))


class Source(Protocol):
    """What gives cursors: a `sensor.store.Store`, or a plain DuckDB connection."""

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of one's own to the same store."""
        ...


class Database:
    """A store that is open for reading.

    Args:
        source: the store; every query takes a cursor of its own.
        timeout_s: a query is interrupted after so many seconds.
        wide: so many lists may be computed at the same time; others wait for a fifth of `timeout_s`.
    """

    def __init__(self, source: Source, *, timeout_s: float = 10.0, wide: int = 4) -> None:
        self._source = source
        self._timeout_s = timeout_s
        self._wide = threading.BoundedSemaphore(wide)

    def rows(self, name: str, parameters: Mapping[str, object] | None = None, *, wide: bool = False) -> list[Row]:
        """All rows of the query `name`, by column name. Parameters it does not mention are left out.

        Raises:
            Problem: 503, too many wide queries at the same time.
            duckdb.InterruptException: it took longer than `timeout_s`.
        """
        if not wide:
            return self._rows(name, parameters or {})
        with self._turn():
            return self._rows(name, parameters or {})

    def row(self, name: str, parameters: Mapping[str, object]) -> Row | None:
        """The first row of the query `name`, or None."""
        found = self.rows(name, parameters)
        return found[0] if found else None

    def _rows(self, name: str, parameters: Mapping[str, object]) -> list[Row]:
        text, wanted = query(name)
        with self._cursor() as cursor:
            cursor.execute(text, {key: parameters[key] for key in wanted})
            columns = [column[0] for column in cursor.description or ()]
            return [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._source.cursor()
        timer = threading.Timer(self._timeout_s, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield cursor
        finally:
            timer.cancel()
            timer.join()  # so that it cannot interrupt what is closed
            cursor.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._wide.acquire(timeout=self._timeout_s * _PATIENCE):
            raise Problem(503, "busy", "too many lists are being computed; try again", headers={"Retry-After": "1"})
        try:
            yield
        finally:
            self._wide.release()
