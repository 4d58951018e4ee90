"""Captures read into a store in memory, without processes: the pipeline's own rows in the real schema."""

from __future__ import annotations

from pathlib import Path

import duckdb

from sensor.capture.pcapfile import CaptureFile
from sensor.columns import Table, constant
from sensor.pipeline import Pipeline
from sensor.rules.cases import build_store, reading_of
from sensor.site import Site
from sensor.sitekey import SiteKey
from sensor.store.incoming import execute


def store_of(*paths: Path) -> duckdb.DuckDBPyConnection:
    """A store in memory that holds the facts of these captures."""
    connection = build_store(())
    for path in paths:
        with CaptureFile(path) as capture:
            pipeline = Pipeline(capture, Site(), SiteKey.test(), bulkhead=False)
            for batch in pipeline.batches():
                for name, table in batch.parts:
                    _insert(connection, name, table, path.stem)
    return connection


def _insert(connection: duckdb.DuckDBPyConnection, name: str, table: Table, capture: str) -> None:
    said = ("reading", reading_of(connection, capture)), ("batch", 0)
    more = {column: constant(value, table.row_count) for column, value in said}
    execute(connection, f"insert/{name}", incoming=[Table(table.columns | more)])
