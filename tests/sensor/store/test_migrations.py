"""Migrations, and stores of older and newer versions: what was in one is shown as before."""

from __future__ import annotations

from itertools import product

import duckdb
import pytest

from sensor.rows import QUALITY, WHAT
from sensor.sighting import community_id
from sensor.store import Ledger, Store, StoreError
from sensor.store.sql import migrations, statement, tables
from tests.sensor.store.facts import (
    attribute,
    batch,
    binding,
    certificate,
    certificate_shown,
    common,
    conversation,
    loss,
    reading,
    seen,
    traffic,
)


def test_a_new_store_has_every_migration_once(tmp_path):
    for _ in range(2):
        Store.open(tmp_path / "s.duckdb").close()
    with Store.open(tmp_path / "s.duckdb") as store:
        numbers = store.query("SELECT number FROM migration WHERE number >= 0 ORDER BY number")
    assert [number for (number,) in numbers] == [number for number, _ in migrations()]
    assert [file.name for file in tmp_path.iterdir()] == ["s.duckdb"]


def test_migrations_are_numbered_without_holes():
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_views_are_made_anew_when_their_text_has_changed(tmp_path):
    path = tmp_path / "s.duckdb"
    Store.open(path).close()
    with duckdb.connect(path) as raw:
        raw.execute("UPDATE migration SET name = 'views of old' WHERE number = -1; DROP VIEW attributes")
    with pytest.raises(StoreError, match="older Spanward"):
        Store.open(path, read_only=True)
    with Store.open(path) as store:
        assert store.query("SELECT count(*) FROM attributes") == [(0,)]


ALL_ROUND = ("fact_certificate", "fact_channel", "fact_authentication", "fact_anomaly")
# Rows of `new` as they were before step 8, when they did not refer to their place.
ALONE = """(
    SELECT p.* EXCLUDE (batch, id) REPLACE (mac_text(p.mac) AS mac, mac_text(p.peer_mac) AS peer_mac),
        f.* EXCLUDE (reading, day, place, quality, initiator_port),
        f.quality & 16 <> 0 AS midstream, f.quality & 8 <> 0 AS gap, f.quality & 4 <> 0 AS one_sided,
        f.quality & 2 <> 0 AS truncated, f.quality & 1 <> 0 AS duplicate
    FROM new.{} AS f JOIN new.place AS p ON p.reading = f.reading AND p.day = f.day AND p.id = f.place
)"""
MACS = {"place": ("mac", "peer_mac"), "fact_conversation": ("initiator_mac", "responder_mac"), "binding": ("mac",)}


def of_texts(table, rows):
    """Rows of `new` as they were before step 9, when MAC addresses were texts, and ports not kept."""
    texts = ", ".join(f"mac_text({name}) AS {name}" for name in MACS.get(table, ()))
    ports = "EXCLUDE (initiator_port)" if table in {*WHAT, "fact_conversation"} else ""
    return f"(SELECT * {ports} {f'REPLACE ({texts})' if texts else ''} FROM {rows})"


def without_ports(rows):
    """What was not kept is not shown."""
    return {
        table: [row | {"initiator_port": None} if "frame" in row else row for row in some]
        for table, some in rows.items()
    }


def older_store(path, last):
    """A store as a version wrote it that knew migrations up to this one."""
    with duckdb.connect(path) as raw:
        raw.execute(statement("ledger/create_migration"))
        for number, name in migrations()[:last]:
            raw.execute(statement(f"schema/{name.removesuffix('.sql')}"))
            raw.execute("INSERT INTO migration VALUES ($1, $2, now()::TIMESTAMP)", [number, name])


def schema_of(store):
    return store.query(
        "SELECT table_name, column_index, column_name, data_type, is_nullable FROM duckdb_columns()"
        " WHERE database_name = 'store' AND NOT internal ORDER BY ALL"
    )


@pytest.mark.parametrize("last", [1, 4, 5, 6, 7, 8, 10])
def test_a_new_store_has_the_schema_that_all_steps_leave(tmp_path, store, last):
    older_store(tmp_path / "old.duckdb", last)
    with Store.open(tmp_path / "old.duckdb") as old:
        assert len(schema_of(old)) > 300
        assert schema_of(old) == schema_of(store)


def test_attributes_of_an_older_store_are_brought_over(tmp_path):
    """Also those that differ in one thing only, or had no quality but that nobody had looked."""
    rows = [
        attribute(0, "it's, x"), attribute(1, "it's", id=5, about="x"),
        attribute(2, "it's", id=2, mac=None, truncated=None), attribute(3, "it's", id=3, gap=True, duplicate=True),
        attribute(3, "NULL", id=4, ip=None, one_sided=True),
    ]  # fmt: skip
    rows = [row | {"initiator_port": None} for row in rows]
    flags = {"truncated": False, "duplicate": False}
    with Store.open(tmp_path / "new.duckdb") as store:
        for capture in ("a" * 32, "b" * 32):
            Ledger(store, reading(capture)).commit(0, 100, batch(store, fact_attribute=rows))
        expected = store.query("FROM attributes ORDER BY ALL")
    older_store(tmp_path / "old.duckdb", 4)
    with duckdb.connect(tmp_path / "old.duckdb") as raw:
        begin_readings(raw)
        for row in (flags | row | {"capture": name * 32, "parser_set": "p1"} for row in rows for name in "ab"):
            del row["initiator_port"]
            marks = ", ".join(f"${name}" for name in row)
            raw.execute(f"INSERT INTO fact_attribute ({', '.join(row)}) VALUES ({marks})", row)
    with Store.open(tmp_path / "old.duckdb") as store:
        assert len(expected) == len(rows)
        assert store.query("FROM attributes ORDER BY ALL") == expected
        counts = store.query(
            "SELECT c.capture[1], count(*) FROM place JOIN capture AS c USING (reading) GROUP BY 1 ORDER BY 1"
        )
        assert counts == [("a", 3), ("b", 3)]


def test_facts_of_an_older_store_are_brought_over(tmp_path):
    """Some at a place where attributes were said as well, and with a quality that nobody had looked for."""
    where = [{}, {"truncated": None, "duplicate": None}, {"mac": None, "ip": "NULL"}, {"ip": None}]
    what = {
        "fact_certificate": {"role": "server", "position": 0, "sha256": "ab"},
        "fact_channel": {"version": "TLS 1.2", "encrypted": True, "signed": "no", "details": "{}"},
        "fact_authentication": {"mechanism": "basic", "outcome": "accepted", "protection": "none", "details": "{}"},
        "fact_anomaly": {"code": "odd", "detail": "it's, x"},
    }
    flags = {"truncated": False, "duplicate": True, "one_sided": True}
    rows = {
        table: [common(0, **flags | other | said, id=number) for number, other in enumerate(where)]
        for table, said in what.items()
    }
    said = {"fact_attribute": [attribute(0)]}
    with Store.open(tmp_path / "new.duckdb") as store:
        Ledger(store, reading()).commit(0, 100, batch(store, **without_ports(said | rows)))
        expected = seen(store)
    older_store(tmp_path / "old.duckdb", 7)
    with duckdb.connect(tmp_path / "old.duckdb") as raw:
        raw.execute(statement("macros"))
        raw.execute(f"ATTACH '{tmp_path / 'new.duckdb'}' AS new")
        for table in set(tables()) - rows.keys():
            raw.execute(f"INSERT INTO {table} FROM {of_texts(table, f'new.{table}')}")
        raw.execute("INSERT INTO capture FROM new.capture; INSERT INTO batch FROM new.batch")
        for table in rows:
            looked = "* REPLACE (CASE WHEN id <> 1 THEN truncated END AS truncated)"
            raw.execute(f"INSERT INTO {table} BY NAME SELECT {looked} FROM {ALONE.format(table)}")
    with Store.open(tmp_path / "old.duckdb") as store:
        assert store.query("SELECT count(*) FROM anomalies") == [(len(where),)]
        assert seen(store) == expected


def begin_readings(raw):
    """In a store before step 6."""
    raw.execute(
        "INSERT INTO capture BY NAME SELECT repeat(name, 32) AS capture, name || '.pcap' AS name, 'p1' AS parser_set,"
        " 's1' AS settings, 1000 AS batch_bytes, 12345 AS size_bytes, false AS complete, false AS finished,"
        " now()::TIMESTAMP AS read_at FROM unnest(['b', 'a']) AS names(name)"
    )


def test_an_older_store_shows_what_it_showed(tmp_path):
    """Rows of two readings in all tables; one of the readings goes on, and the other is replaced."""
    rows = {
        "fact_attribute": [attribute(0), attribute(1, "CT02", id=2)], "certificate": [certificate()],
        "fact_certificate": [certificate_shown(5)], "binding": [binding(0)],
        "fact_conversation": [conversation(3), conversation(4, id=8, segment="vlan 12")],
        "fact_traffic": [traffic()], "fact_loss": [loss()],
    }  # fmt: skip
    rows = without_ports(rows)
    new, old = (tmp_path / f"{name}.duckdb" for name in ("new", "old"))
    with Store.open(new) as store:
        for name in "ba":
            Ledger(store, reading(name * 32, name=f"{name}.pcap")).commit(0, 100, batch(store, **rows))
        expected = seen(store)
    older_store(old, 5)
    with duckdb.connect(old) as raw:
        begin_readings(raw)
        raw.execute(statement("macros"))
        raw.execute(f"ATTACH '{new}' AS new")
        raw.execute(
            "CREATE TEMP VIEW conversation AS FROM new.fact_conversation"
            " JOIN (SELECT * EXCLUDE (batch) RENAME (id AS kind) FROM new.kind) USING (reading, kind)"
        )
        for table in set(tables()) - {"kind"}:
            own = "" if table in {"place", "attribute", "fact_attribute"} else "parser_set,"
            source = {
                "fact_conversation": of_texts(table, "(SELECT * EXCLUDE (kind) FROM conversation)"),
                **dict.fromkeys(ALL_ROUND, ALONE.format(table)),
            }.get(table, of_texts(table, f"new.{table}"))
            raw.execute(
                f"INSERT INTO {table} BY NAME SELECT c.capture, {own} t.* EXCLUDE (reading, batch)"
                f" FROM {source} AS t JOIN new.capture AS c USING (reading)"
            )
        raw.execute("INSERT INTO batch FROM new.batch")
    for path in (new, old):
        with Store.open(path) as store:
            assert seen(store) == expected
            Ledger(store, reading(name="a.pcap")).commit(1, 200, batch(store, **rows))
            Ledger(store, reading("b" * 32, "p2", name="b.pcap")).commit(0, 100, batch(store, **rows))
    with Store.open(old) as brought, Store.open(new) as store:
        assert seen(brought) == seen(store)
        assert brought.query("SELECT n FROM attributes") == [(3,), (3,)]


def test_community_ids_of_an_older_store_stay_and_mac_addresses_become_numbers(tmp_path):
    """Of which no port is known. What is no MAC address is none, and held nothing."""
    rows = {
        "fact_certificate": [certificate_shown(5)], "fact_conversation": [conversation(3)],
        "binding": [binding(0), binding(1, ip="10.0.0.6")],
    }  # fmt: skip
    new, old = (tmp_path / f"{name}.duckdb" for name in ("new", "old"))
    with Store.open(new) as store:
        Ledger(store, reading()).commit(0, 100, batch(store, **rows))
        expected = seen(store)
    older_store(old, 8)
    with duckdb.connect(old) as raw:
        raw.execute(statement("macros"))
        raw.execute(f"ATTACH '{new}' AS new")
        for table in tables():
            raw.execute(f"INSERT INTO {table} BY NAME FROM {of_texts(table, f'new.{table}')}")
        raw.execute("INSERT INTO capture FROM new.capture; INSERT INTO batch FROM new.batch")
        for table, minute in (("fact_certificate", 5), ("fact_conversation", 3)):
            told = community_id(6, bytes((10, 0, 0, 5)), 50_000 + minute, bytes((10, 0, 0, 9)), 104)
            raw.execute(f"UPDATE {table} SET community_id = $1", [told])
        raw.execute("INSERT INTO binding SELECT * REPLACE ('no address' AS mac) FROM binding")
        raw.execute("UPDATE place SET peer_mac = 'no address'")
    with Store.open(old) as store:
        assert seen(store) == expected
        assert store.query("SELECT mac, n FROM binding") == [(0x00005E005301, 1)] * 2


def test_what_facts_of_an_older_store_lack_stays(tmp_path):
    """The number that says so was made of the same bits in the other order before step 11."""
    lacks = [dict(zip(QUALITY, flags, strict=True)) for flags in product((False, True), repeat=len(QUALITY))]
    rows = [attribute(number, f"x{number}", id=number, **flags) for number, flags in enumerate(lacks)]
    new, old = (tmp_path / f"{name}.duckdb" for name in ("new", "old"))
    with Store.open(new) as store:
        Ledger(store, reading()).commit(0, 100, batch(store, fact_attribute=rows))
        expected = seen(store)
        assert store.query(f"SELECT {', '.join(QUALITY)} FROM attributes ORDER BY first_ts") == [
            tuple(flags.values()) for flags in lacks
        ]
    older_store(old, 10)
    with duckdb.connect(old) as raw:
        raw.execute(f"ATTACH '{new}' AS new")
        for table in (*tables(), "capture", "batch"):
            raw.execute(f"INSERT INTO {table} BY NAME FROM new.{table}")
        for number in range(32):
            raw.execute("UPDATE fact_attribute SET quality = $1 WHERE id = $2", [int(f"{number:05b}"[::-1], 2), number])
    with Store.open(old) as store:
        assert seen(store) == expected


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "s.duckdb"
    Store.open(path).close()
    with duckdb.connect(path) as raw:
        raw.execute("INSERT INTO migration VALUES (9999, '9999_future.sql', now()::TIMESTAMP)")
    with pytest.raises(StoreError, match="newer Spanward"):
        Store.open(path)


def block_bytes(store):
    return store.query("SELECT block_size FROM pragma_database_size() WHERE database_name = 'store'")


def test_a_new_store_has_smaller_blocks_than_an_older_one_which_keeps_its_own(tmp_path, store):
    older_store(tmp_path / "old.duckdb", last=8)
    with Store.open(tmp_path / "old.duckdb") as old:
        assert block_bytes(old) == [(256 << 10,)]
    assert block_bytes(store) == [(128 << 10,)]
