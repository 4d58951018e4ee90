"""The small store of `stores.py`, and a client of its API."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from fastapi.testclient import TestClient

from tests.api.stores import client_of, empty_store, fill


@pytest.fixture
def store() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = empty_store()
    fill(connection)
    yield connection
    connection.close()


@pytest.fixture
def client(store: duckdb.DuckDBPyConnection) -> TestClient:
    return client_of(store)
