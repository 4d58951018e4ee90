"""A new store is a copy of one that was kept, and the same as one made from nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sensor.store import Store, StoreError, store
from tests.conftest import ROOT


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Where it is kept: at first nothing."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return lambda: sorted((tmp_path / "cache").rglob("whole.*"))


@pytest.fixture
def only_copies(monkeypatch):
    """What makes a store from nothing is gone."""

    def go():
        def refuse(*_):
            raise StoreError("made from nothing")

        monkeypatch.setattr(store, "migrate", refuse)

    return go


def contents(path):
    with Store.open(path) as opened:
        return (
            opened.query("SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() ORDER BY ALL"),
            opened.query("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL"),
            opened.query("SELECT number, name FROM migration ORDER BY ALL"),
            opened.query("SELECT count(*) FROM captures"),
        )


def test_the_second_is_a_copy_and_the_same_as_the_first(tmp_path, kept, only_copies):
    first = contents(tmp_path / "1.duckdb")
    assert len(kept()) == 1
    only_copies()
    assert contents(tmp_path / "2.duckdb") == first


def test_a_copy_is_a_store_of_its_own(tmp_path, kept, only_copies):
    contents(tmp_path / "1.duckdb")
    only_copies()
    with Store.open(tmp_path / "2.duckdb") as one, one.transaction() as cursor:
        cursor.execute("INSERT INTO migration VALUES (99, 'mine', TIMESTAMP '2026-01-01')")
    with Store.open(tmp_path / "3.duckdb") as other:
        assert other.query("SELECT count(*) FROM migration WHERE number = 99") == [(0,)]


def test_what_was_made_from_other_texts_is_not_taken_and_goes(tmp_path, kept, monkeypatch):
    contents(tmp_path / "1.duckdb")
    before = kept()
    monkeypatch.setattr(store, "made_from", lambda: ["another schema"])
    contents(tmp_path / "2.duckdb")
    assert len(kept()) == 1
    assert kept() != before


@pytest.mark.parametrize("damage", [lambda whole: b"", lambda whole: whole[:-1], lambda whole: whole[:-1] + b"?"])
def test_what_is_damaged_is_not_taken_and_replaced(tmp_path, kept, only_copies, damage):
    first = contents(tmp_path / "1.duckdb")
    (path,) = kept()
    path.write_bytes(damage(path.read_bytes()))
    assert contents(tmp_path / "2.duckdb") == first
    only_copies()
    assert contents(tmp_path / "3.duckdb") == first


def test_nothing_is_kept_where_python_may_keep_nothing(tmp_path, kept, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    first = contents(tmp_path / "1.duckdb")
    assert kept() == []
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "cache").write_bytes(b"not a folder")
    assert contents(tmp_path / "2.duckdb") == first


def test_one_can_be_kept_beforehand(tmp_path, kept, only_copies):
    command = [sys.executable, "-X", f"pycache_prefix={tmp_path / 'cache'}", "-B", "-m", "sensor.store"]
    subprocess.run(command, cwd=ROOT, check=True)
    assert len(kept()) == 1
    only_copies()
    contents(tmp_path / "1.duckdb")
