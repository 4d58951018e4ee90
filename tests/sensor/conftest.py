from __future__ import annotations

import pytest

from sensor.store import Store


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "s.duckdb") as opened:
        yield opened
