"""Opening, making and losing a store: one clear line each time, and what was committed is still there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from sensor.rows import PART_ROWS
from sensor.store import Ledger, Store, StoreError, StoreFull, StoreInUse
from sensor.store.sql import PACKAGE, tables, views
from tests.sensor.store.facts import (
    attribute,
    batch,
    conversation,
    reading,
)

ROOT = Path(__file__).parents[3]


def elsewhere(code, *arguments, **options):
    """Run Python code in another process."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)


def names(folder):
    return sorted(file.name for file in folder.iterdir())


OPEN = """
import os, sys
from contextlib import closing
from pathlib import Path
from sensor.store import Store, StoreError
if os.environ.get("DROP_ROOT"):  # after the imports: the interpreter itself may lie where only root can read
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Store.open(Path(sys.argv[1]), read_only=len(sys.argv) > 2).close()
except StoreError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def test_every_view_can_be_read_and_shows_nothing_of_the_ledger(store):
    for name in views():
        columns = [column for (column,) in store.query(f"SELECT column_name FROM (DESCRIBE {name})")]
        assert columns, name
        assert not {"read_at", "committed_at", "number", "byte_offset"} & set(columns), name


def test_every_table_of_facts_has_its_statements(store):
    of_readings = store.query(
        "SELECT DISTINCT table_name FROM information_schema.columns JOIN information_schema.tables"
        " USING (table_name) WHERE column_name IN ('reading', 'capture') AND table_type = 'BASE TABLE'"
    )
    assert {name for (name,) in of_readings} == {*tables(), "capture", "compressed_copy", "batch", "mirror_warning"}
    assert all(PACKAGE.joinpath(f"merge/{name}.sql").is_file() for name in tables())


def test_what_lies_outside_cannot_be_reached(store):
    for text in (
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH '/tmp/other.db'",
        "SET threads = 1",
        "INSTALL httpfs",
    ):
        with pytest.raises(StoreError):
            store.query(text)


def test_the_file_says_that_duckdb_1_5_can_read_it(store):
    (size,) = store.query("SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'store'")
    assert str(size[0]).startswith("v1.5")


def test_its_memory_can_be_set(tmp_path):
    with Store.open(tmp_path / "s.duckdb", memory_mib=200) as store:
        assert store.query("SELECT current_setting('memory_limit')") == [("200.0 MiB",)]


def test_a_batch_for_which_memory_does_not_suffice_is_refused_as_a_whole(tmp_path):
    with Store.open(tmp_path / "s.duckdb", memory_mib=4) as store:
        ledger = Ledger(store, reading())
        with pytest.raises(StoreError, match="more memory than it may have; give it more with SPANWARD_STORE_MEMORY"):
            ledger.commit(0, 100, noise(store, 0, 60_000))
        assert store.query("SELECT count(*) FROM fact_attribute") == [(0,)]
        ledger.commit(0, 100, noise(store, 0, 10))
        assert store.query("SELECT count(*) FROM fact_attribute") == [(10,)]


def test_a_store_in_use_names_the_process(store):
    for how in ((), ("read-only",)):
        other = elsewhere(OPEN, store.path, *how)
        assert other.returncode == 1
        assert other.stderr == (
            f"StoreInUse: {store.path}: the store is in use by process {os.getpid()}; "
            "stop that first, or choose another --store\n"
        )
    assert store.query("SELECT count(*) FROM attributes") == [(0,)]


def test_one_process_may_open_it_twice_in_the_same_way_only(store):
    with Store.open(store.path) as second:
        assert second.query("SELECT count(*) FROM attributes") == [(0,)]
    with pytest.raises(StoreInUse):
        Store.open(store.path, read_only=True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello\n",
        b"SQLite format 3\0" + bytes(5000),
        b"\xd4\xc3\xb2\xa1" + bytes(20),
        bytes(8) + b"DUCK" + bytes(100),
    ],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_another_kind_of_file_is_left_alone(tmp_path, content, read_only):
    path = tmp_path / "s.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a Spanward store") as caught:
        Store.open(path, read_only=read_only)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content
    assert names(tmp_path) == ["s.duckdb"]


def test_somebody_elses_database_is_left_alone(tmp_path):
    path = tmp_path / "s.duckdb"
    with duckdb.connect(path) as raw:
        raw.execute("CREATE TABLE patients (name VARCHAR)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a Spanward store"):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_store_that_was_cut_short_is_said_to_be_damaged(tmp_path):
    path = tmp_path / "s.duckdb"
    Store.open(path).close()
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(StoreError, match="damaged"):
        Store.open(path)


def test_directories_and_missing_folders(tmp_path):
    with pytest.raises(StoreError, match="a directory, not a store"):
        Store.open(tmp_path)
    with pytest.raises(StoreError, match="there is no folder"):
        Store.open(tmp_path / "no" / "s.duckdb")
    with pytest.raises(StoreError, match="there is no store"):
        Store.open(tmp_path / "s.duckdb", read_only=True)
    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="drops root by uid")
@pytest.mark.parametrize("what", ["file", "folder", "closed folder"])
def test_no_permission(tmp_path, what):
    path = tmp_path / "s.duckdb"
    if what == "file":
        Store.open(path).close()
        path.chmod(0)
    tmp_path.chmod({"file": 0o755, "folder": 0o555, "closed folder": 0}[what])
    root = os.geteuid() == 0
    for parent in tmp_path.parents:
        if root and not parent.stat().st_mode & 1:
            parent.chmod(parent.stat().st_mode | 1)
    other = elsewhere(OPEN, path, env=os.environ | ({"DROP_ROOT": "1"} if root else {}))
    tmp_path.chmod(0o755)
    assert other.stderr == (
        f"StoreError: {path}: no permission to open the store; check the owner and mode of the file and its folder\n"
    )


def test_what_a_killed_maker_left_is_swept(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    leftover = tmp_path / f"s.duckdb.new-{dead.pid}"
    leftover.write_bytes(b"half")
    Store.open(tmp_path / "s.duckdb").close()
    assert names(tmp_path) == ["s.duckdb"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def noise(store, number, count=20_000):
    """A batch that does not compress well."""
    rows = [
        attribute(0, os.urandom(60).hex(), id=number * count + index, day=attribute()["day"]) for index in range(count)
    ]
    return batch(store, fact_attribute=rows)


def fill(store, ledger):
    for number in range(100):
        ledger.commit(number, number, noise(store, number))
    pytest.fail("the disk never filled up")


def test_a_disk_without_room_for_the_reserve_gets_no_store(small_disk):
    with pytest.raises(StoreFull, match="MiB are free on its disk where 64 MiB are needed"):
        Store.open(small_disk / "s.duckdb")
    assert names(small_disk) == []


def test_the_guard_stops_while_there_is_room(small_disk):
    path = small_disk / "s.duckdb"
    with Store.open(path, reserve_bytes=4 << 20) as store:
        ledger = Ledger(store, reading())
        with pytest.raises(StoreFull, match="MiB are free"):
            fill(store, ledger)
        committed = ledger.committed_count
        assert committed > 0
        assert store.query("SELECT count(*) FROM fact_attribute") == [(20_000 * committed,)]
    assert intact(path) == committed


def test_a_disk_that_is_full_all_the_same_leaves_the_store_intact(small_disk):
    path = small_disk / "s.duckdb"
    with Store.open(path, reserve_bytes=0) as store:
        ledger = Ledger(store, reading())
        with pytest.raises(StoreError) as caught:
            fill(store, ledger)
        committed = ledger.committed_count
    assert isinstance(caught.value, StoreFull)
    assert "\n" not in str(caught.value)
    assert intact(path) in (committed, committed + 1)


@pytest.mark.parametrize("other", [False, True])
def test_nothing_is_written_to_a_store_that_was_taken_away(tmp_path, other):
    """The file would take it, and nobody would ever see it."""
    path = tmp_path / "s.duckdb"
    with Store.open(path) as store:
        ledger = Ledger(store, reading())
        ledger.commit(0, 0, noise(store, 0))
        path.rename(tmp_path / "away")
        if other:
            Store.open(tmp_path / "other").close()
            (tmp_path / "other").rename(path)
        with pytest.raises(StoreError, match=r"s\.duckdb: was taken away while it was being written; start again"):
            ledger.commit(1, 1, noise(store, 1))
        assert ledger.committed_count == 1


def intact(path):
    """How many batches are in the store, after checking that their rows are, all of them and no others."""
    with Store.open(path, reserve_bytes=0) as store:
        ((batches, rows),) = store.query("SELECT count(*), sum(row_count) FROM batch")
        for name in ("attribute", "fact_attribute"):  # and one place for all of a batch
            assert store.query(f"SELECT count(*), count(DISTINCT id) FROM {name}") == [((rows - batches) // 2,) * 2]
        return batches


def row_groups(store, name):
    return store.query(f"SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('{name}')")[0][0]


def test_rows_of_a_large_batch_are_written_while_it_is_inserted(tmp_path):
    path = tmp_path / "s.duckdb"
    with Store.open(path) as store:
        Ledger(store, reading()).commit(0, 100, noise(store, 0, 2 * PART_ROWS + 10))
        assert row_groups(store, "fact_attribute") == 3
    with duckdb.connect(path, read_only=True) as raw:  # whoever else opens it need not know of their size
        assert raw.execute("SELECT count(*) FROM attributes").fetchall() == [(2 * PART_ROWS + 10,)]


def compressions(store, table, column):
    return store.query(
        f"SELECT DISTINCT compression FROM pragma_storage_info('{table}')"
        f" WHERE column_name = '{column}' AND segment_type <> 'VALIDITY'"
    )


def test_no_way_to_compress_is_looked_for_where_hashes_stand(store):
    rows = [conversation(id=n, initiator_ip=f"10.0.1.{n}") for n in range(200)]
    Ledger(store, reading()).commit(0, 100, batch(store, fact_conversation=rows) | noise(store, 0, 200))
    store.checkpoint()
    for table, column in (
        ("fact_conversation", "id"),
        ("fact_attribute", "attribute"),
        ("attribute", "id"),
    ):
        assert compressions(store, table, column) == [("Uncompressed",)], (table, column)
    assert compressions(store, "fact_conversation", "initiator_ip") == [("DICT_FSST",)]


def test_a_large_batch_goes_straight_into_the_file_and_a_small_one_into_the_log(tmp_path, monkeypatch):
    path = tmp_path / "s.duckdb"
    with Store.open(path) as store:
        rows = noise(store, 0, 100), noise(store, 1, 10)
        monkeypatch.setattr("sensor.store.store.STRAIGHT_BYTES", 10_000)
        ledger = Ledger(store, reading())
        ledger.commit(0, 100, rows[0])
        assert names(tmp_path) == [path.name]
        ledger.commit(1, 200, rows[1])
        assert names(tmp_path) == [path.name, f"{path.name}.wal"]


def test_a_path_may_have_any_name(tmp_path):
    path = tmp_path / "it's; a 'store' named memory?.db"
    for _ in range(2):
        with Store.open(path) as store:
            assert store.query("SELECT count(*) FROM attributes") == [(0,)]
    assert names(tmp_path) == [path.name]


def test_a_checkpoint_leaves_what_is_in_the_file_and_compacting_joins_it(tmp_path):
    path = tmp_path / "s.duckdb"
    with Store.open(path) as store:
        ledger = Ledger(store, reading())
        for number in range(5):
            ledger.commit(number, 100 * number, noise(store, number, 10))
            store.checkpoint()
        assert row_groups(store, "fact_attribute") == 5
        ledger.commit(5, 500, noise(store, 5, 10))
        store.compact()
        assert row_groups(store, "fact_attribute") == 1
        ledger.commit(6, 600, noise(store, 6, 10))
        store.checkpoint()
        assert row_groups(store, "fact_attribute") == 2
        ledger.commit(7, 700, noise(store, 7, 10))
    with Store.open(path, read_only=True) as store:  # closing compacts as well
        assert row_groups(store, "fact_attribute") == 1


def test_compacting_does_not_mind_who_reads_meanwhile(store):
    with closing(store.cursor()) as reader:
        reader.execute("BEGIN; SELECT count(*) FROM fact_attribute")
        Ledger(store, reading()).commit(0, 100, noise(store, 0, 10))
        store.compact()
        assert reader.execute("SELECT count(*) FROM fact_attribute").fetchall() == [(0,)]


def test_the_readme_names_every_view_with_its_columns(store):
    text = (ROOT / "sensor" / "store" / "README.md").read_text()
    common = {
        word: re.findall(r"`(\w+)`", line.partition(":")[0])
        for word, line in re.findall(r"^\*(where|seen)\* stands for (.+?:)", text, re.MULTILINE | re.DOTALL)
    }
    documented = {}
    for name, said in re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE):
        for word, names_ in common.items():
            said = said.replace(f"*{word}*", " ".join(f"`{column}`" for column in names_))  # noqa: PLW2901
        documented[name] = sorted(re.findall(r"`(\w+)`", said))
    for name in views():
        columns = [str(column) for (column,) in store.query(f"SELECT column_name FROM (DESCRIBE {name})")]
        assert documented.pop(name) == sorted(columns), name
    assert not documented


LEAVING = """
import sys
from pathlib import Path
from sensor.collector import Ending
from sensor.store import Store

ending, path = Ending(), Path(sys.argv[1])
with Store.open(path) as store:
    with store.transaction() as cursor:
        cursor.execute("INSERT INTO capture SELECT 1, 'c', 'p', 's', 0, 'n', * FROM (VALUES"
            "(0, false, 'x', NULL, NULL, 0, 0, true, true, NULL, '', TIMESTAMP '2026-01-01'))")
print(Path(f"{path}.wal").exists())
with Store.open(path, read_only=True) as store:
    print(store.query("SELECT capture FROM capture"))
print(len(Store.open(path).query("SELECT * FROM capture")))
ending.status = 0
"""


def test_a_process_that_ends_at_once_leaves_a_whole_store_and_can_open_it_again(tmp_path):
    path = tmp_path / "s.duckdb"
    done = subprocess.run([sys.executable, "-c", LEAVING, str(path)], capture_output=True, text=True, check=False)
    assert (done.stdout.splitlines(), done.stderr) == (["False", "[('c',)]", "1"], "")
    with Store.open(path, read_only=True) as store:
        assert store.query("SELECT capture FROM capture") == [("c",)]


def test_a_cursor_is_used_again_but_not_after_an_error(store):
    with store.transaction() as first:
        pass
    with pytest.raises(StoreError), store.transaction() as second:
        second.execute("SELECT * FROM nothing")
    with store.transaction() as third:
        pass
    assert first is second is not third
    with pytest.raises(duckdb.ConnectionException):
        second.execute("SELECT 1")


def test_a_transaction_and_a_query_beside_it_see_what_they_may(store):
    assert store.query("SELECT count(*) FROM batch") == [(0,)]
    with store.transaction() as cursor:
        cursor.execute("INSERT INTO batch VALUES ('c', 'p', 0, 0, 0, TIMESTAMP '2026-01-01')")
        assert store.query("SELECT count(*) FROM batch") == [(0,)]
    assert store.query("SELECT count(*) FROM batch") == [(1,)]
