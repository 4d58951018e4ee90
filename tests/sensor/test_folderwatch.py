"""A folder of rotating capture files: what is whole is read once, also when the sensor was started again."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest
import zstandard

from sensor.folderwatch import FolderWatch
from sensor.sitekey import SiteKey
from sensor.store import StoreFull
from tests.conftest import PCAPS
from tests.sensor.store.facts import seen

MORNING = PCAPS / "mixed" / "morning.pcap"
ECHO = PCAPS / "dicom" / "echo.pcap"
LIAR = Path(__file__).with_name("lying_worker.py")
PATIENCE_S = 60


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "rotating"
    path.mkdir()
    return path


class Watch(FolderWatch):
    """One that can be waited for."""

    def __init__(self, store, folder, **more):
        key = folder.parent / "site.key"
        SiteKey.test().save(key)
        self.lines, self.rounds = [], threading.Semaphore(0)
        self.inferred = 0
        super().__init__(
            store,
            folder,
            None,
            key,
            infer=self._count,
            say=self.lines.append,
            fail=self.rounds.release,
            settle_s=30,
            **more,
        )

    def _count(self):
        self.inferred += 1

    def _round(self):
        super()._round()
        self.rounds.release()

    def look(self, times=1):
        """Watch for so many rounds."""
        self.start()
        for _ in range(times):
            assert self.rounds.acquire(timeout=PATIENCE_S)
        self.stop()
        return self


def put(source, path, age_s=60):
    shutil.copyfile(source, path)
    age(path, age_s)


def age(path, age_s=60):
    when = path.stat().st_mtime_ns - int(age_s * 1e9)
    os.utime(path, ns=(when, when))


def names(store):
    return sorted(store.query("SELECT name, packets FROM capture"))


def test_whole_files_are_read_and_the_one_being_written_waits(store, folder):
    put(ECHO, folder / "1.pcap")
    put(MORNING, folder / "2.pcap", age_s=9)
    watch = Watch(store, folder).look()
    assert [name for name, _ in names(store)] == ["1.pcap"]
    assert (watch.inferred, watch.lines, watch.failure) == (1, [], None)
    put(ECHO, folder / "3.pcap", age_s=-1)
    Watch(store, folder).look()
    assert names(store)[1:] == [("2.pcap", 1331)]


def test_nothing_counts_twice_when_it_is_started_again(store, folder):
    put(MORNING, folder / "1.pcap")
    Watch(store, folder).look()
    before = seen(store)
    again = Watch(store, folder).look()
    assert seen(store) == before
    assert again.inferred == 0


def test_of_many_files_something_can_be_seen_before_all_are_read(store, folder, monkeypatch):
    monkeypatch.setattr("sensor.upkeep.INFER_S", 0)
    monkeypatch.setattr("sensor.upkeep.INFER_SHARE", 1)
    put(ECHO, folder / "1.pcap")
    put(MORNING, folder / "2.pcap")
    put(ECHO, folder / "3.pcap")
    assert Watch(store, folder).look().inferred == 2  # the third one is known


def test_the_log_of_a_store_does_not_grow_with_files(store, folder, monkeypatch):
    logs = []
    compact = store.compact

    def look():
        compact()
        logs.append(store.path.with_name(store.path.name + ".wal").exists())

    monkeypatch.setattr("sensor.upkeep.COMPACT_S", 0)
    monkeypatch.setattr(store, "compact", look)
    put(ECHO, folder / "1.pcap")
    put(MORNING, folder / "2.pcap")
    Watch(store, folder).look()
    assert logs == [False, False]


def test_a_file_that_was_read_too_early_is_read_anew(store, folder):
    content, path = MORNING.read_bytes(), folder / "1.pcap"
    path.write_bytes(content[:150_001])
    age(path)
    first = Watch(store, folder).look()
    assert any("cut short" in line for line in first.lines)
    path.write_bytes(content)
    age(path)
    Watch(store, folder).look()
    assert names(store) == [("1.pcap", 1331)]
    assert store.query("SELECT count(DISTINCT reading) FROM fact_attribute") == [(1,)]


def test_a_file_that_grows_while_it_is_read_is_read_anew(store, folder, monkeypatch):
    content, path = MORNING.read_bytes(), folder / "1.pcap"
    path.write_bytes(content[:150_001])
    age(path)
    watch = Watch(store, folder)
    read = watch._recorder.read

    def grow(path):
        result = read(path)
        path.write_bytes(content)
        age(path)
        return result

    monkeypatch.setattr(watch._recorder, "read", grow)
    watch.look(times=2)
    assert names(store) == [("1.pcap", 1331)]


def test_a_file_that_rotation_takes_away_before_it_is_read_is_no_error(store, folder, monkeypatch):
    put(ECHO, folder / "1.pcap")
    watch = Watch(store, folder)
    monkeypatch.setattr(watch, "_forget_beginning", Path.unlink)
    assert watch.look(times=2).lines == []


def test_while_the_disk_is_full_files_wait(store, folder, monkeypatch):
    put(MORNING, folder / "1.pcap")
    watch = Watch(store, folder)
    tries = []

    def expect(store, _size_bytes=0):
        tries.append(None)
        if len(tries) < 4:
            raise StoreFull(f"{store.path}: only 1 MiB is free", "make room")

    monkeypatch.setattr("sensor.store.store.Store.expect", expect)
    monkeypatch.setattr("sensor.store.patience.ROOM_S", 0.05)
    watch.look()
    assert names(store) == [("1.pcap", 1331)]
    waiting, over = watch.lines
    assert "only 1 MiB is free; it goes on when there is room" in waiting
    assert over == "there is room on the disk of the store again"
    assert watch.failure is None


def test_inference_waits_for_room_too(store, folder, monkeypatch):
    put(MORNING, folder / "1.pcap")
    watch = Watch(store, folder)
    tries = []

    def infer():
        tries.append(None)
        if len(tries) == 1:
            raise StoreFull("only 1 MiB is free", "make room")

    monkeypatch.setattr(watch._upkeep, "_infer", infer)
    watch.look(times=2)
    assert (len(tries), watch.failure) == (2, None)


def compress(path, module, ending):
    """As who rotates does: a file of the same age, instead of this one."""
    packed = path.with_name(path.name + ending)
    packed.write_bytes(module.compress(path.read_bytes()))
    shutil.copystat(path, packed)
    path.unlink()


@pytest.mark.parametrize(("module", "ending"), [(gzip, ".gz"), (zstandard, ".zst")])
def test_a_capture_that_is_compressed_after_it_was_read_counts_once(store, folder, module, ending):
    put(MORNING, folder / "1.pcap")
    Watch(store, folder).look()
    before = seen(store)
    compress(folder / "1.pcap", module, ending)
    for _ in range(2):
        watch = Watch(store, folder).look()
        assert (watch.inferred, watch.lines) == (0, [])
        assert (names(store), seen(store)) == ([("1.pcap", 1331)], before)
    assert store.query("SELECT count(*) FROM compressed_copy") == [(1,)]


def test_a_compressed_capture_is_another_one_where_its_content_is(store, folder):
    put(MORNING, folder / "1.pcap")
    put(ECHO, folder / "2.pcap")
    Watch(store, folder).look()
    put(ECHO, folder / "1.pcap")  # the name comes again, and is compressed before anybody has looked
    compress(folder / "1.pcap", gzip, ".gz")
    shutil.copyfile(folder / "1.pcap.gz", folder / "named otherwise")
    age(folder / "named otherwise")
    (folder / "2.pcap").unlink()
    Watch(store, folder).look()
    assert [name for name, _ in names(store)] == ["1.pcap", "1.pcap.gz", "2.pcap"]


def test_what_was_read_of_a_capture_before_it_was_compressed_is_replaced_and_gone_on_with(store, folder):
    put(MORNING, folder / "1.pcap")
    Watch(store, folder).look()
    before = seen(store)
    compress(folder / "1.pcap", gzip, ".gz")
    Watch(store, folder).look()
    for change in ("parser_set = 'of old'", "finished = false"):
        with store.transaction() as cursor:
            cursor.execute(f"UPDATE capture SET {change}")
        Watch(store, folder).look()
        now = seen(store)
        assert names(store) == [("1.pcap.gz", 1331)]
        assert {view for view in now if now[view] != before[view]} == {"captures", "segments", "traffic"}, "names"


def test_a_folder_that_goes_away_is_looked_for_again(store, folder):
    put(ECHO, folder / "1.pcap")
    watch = Watch(store, folder)
    watch.start()
    assert watch.rounds.acquire(timeout=PATIENCE_S)
    folder.rename(folder.parent / "away")
    for _ in range(2):
        assert watch.rounds.acquire(timeout=PATIENCE_S)
    (folder.parent / "away").rename(folder)
    put(MORNING, folder / "2.pcap")
    for _ in range(2):
        assert watch.rounds.acquire(timeout=PATIENCE_S)
    watch.stop()
    assert watch.lines == [
        f"{folder}: cannot be listed: No such file or directory; it is looked for again",
        f"{folder}: is there again",
    ]
    assert names(store) == [("1.pcap", 22), ("2.pcap", 1331)]
    assert watch.failure is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_goes_wrong_ends_it_and_is_said(store, folder, monkeypatch):
    def broken(_folder):
        raise RuntimeError("broken")

    monkeypatch.setattr("sensor.capture.folder.Folder.whole", broken)
    watch = Watch(store, folder).look()
    assert "files could not be read; please report it" in str(watch.failure)


def test_names_need_not_be_text(store, folder):
    path, whole = folder / os.fsdecode(b"ger\xe4t.pcap"), MORNING.read_bytes()
    path.write_bytes(whole[:100_000])
    age(path)
    Watch(store, folder).look()
    path.write_bytes(whole)
    age(path)
    assert Watch(store, folder).look().lines == []
    assert names(store) == [("ger?t.pcap", 1331)]


def test_what_is_no_capture_is_said_once(store, folder):
    path = folder / "notes.txt"
    path.write_text("hello\n" * 99)
    age(path)
    watch = Watch(store, folder).look(times=2)
    assert len(watch.lines) == 1
    assert "is a text file" in watch.lines[0]


def test_a_file_at_which_workers_die_is_left_alone(store, folder):
    put(ECHO, folder / "1.pcap")
    watch = Watch(store, folder, command=(sys.executable, "-P", str(LIAR), "silent")).look(times=4)
    assert sum("ended with status 0" in line for line in watch.lines) == 3
    assert "left alone after 3 tries" in watch.lines[-1]
