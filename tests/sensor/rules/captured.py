"""Captures read into a store in memory, without processes: the pipeline's own rows in the real schema."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from sensor.capture.pcapfile import CaptureFile
from sensor.pipeline import Pipeline
from sensor.rules.cases import build_store, reading_of
from sensor.site import Site
from sensor.sitekey import SiteKey
from sensor.store.sql import statement


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


def _insert(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table, capture: str) -> None:
    for column, value in (("reading", reading_of(connection, capture)), ("batch", 0)):
        table = table.append_column(column, pa.array([value] * table.num_rows, pa.int32()))
    connection.register("incoming", table)
    connection.execute(statement(f"insert/{name}"))
    connection.unregister("incoming")
