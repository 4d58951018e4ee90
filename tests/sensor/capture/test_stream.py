"""A capture through a pipe: the facts of the file, known again by its content, refused when it goes on otherwise."""

from __future__ import annotations

import fcntl
import gzip
import io
import os
import signal
import subprocess
import sys
import time

import pytest
import zstandard

from sensor.capture import STDIN
from sensor.capture.errors import CaptureError
from sensor.capture.pcapfile import CaptureStream, NotACapture
from sensor.capture.stream import PIPE_BYTES, Ended
from sensor.reading import read_captures
from sensor.sitekey import SiteKey
from sensor.store import Store
from sensor.store.sql import tables
from tests.conftest import PCAPS
from tests.sensor.store.facts import seen

MORNING = PCAPS / "mixed" / "morning.pcap"
PATIENCE_S = 60


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "site.key"
    SiteKey.test().save(path)
    return path


def read(content, store, key, folder, batch_bytes=50_000):
    """`content` is what standard input gives."""
    file = folder / "content"
    file.write_bytes(content)
    saved = sys.stdin
    with subprocess.Popen(["cat", str(file)], stdout=subprocess.PIPE) as cat:
        sys.stdin = cat.stdout
        try:
            return read_captures([STDIN], store, None, key, batch_bytes=batch_bytes)
        finally:
            sys.stdin = saved
            cat.stdout.close()


def rows(store):
    """All that was read, but for the capture's id."""
    return {
        name: sorted(map(repr, store.query(f"SELECT * EXCLUDE (reading, batch) FROM {name}")))
        for name in tables()
        if name.startswith("fact_")
    }


class Dribble(io.RawIOBase):
    """A pipe that gives a byte at a time."""

    def __init__(self, content):
        self.content, self.at = content, 0

    def readable(self):
        return True

    def readinto(self, target):
        piece = self.content[self.at : self.at + 1]
        target[: len(piece)] = piece
        self.at += len(piece)
        return len(piece)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
def test_facts_are_those_of_the_file(store, key, tmp_path, pack):
    (result,) = read(pack(MORNING.read_bytes()), store, key, tmp_path).captures
    assert (result.known, result.packets, result.damaged) == (False, 1331, None)
    with Store.open(tmp_path / "file.duckdb") as other:
        read_captures([MORNING], other, None, key, batch_bytes=50_000)
        assert rows(store) == rows(other)


def test_reading_it_again_changes_nothing(store, key, tmp_path):
    content = MORNING.read_bytes()
    (first,) = read(content, store, key, tmp_path).captures
    before = seen(store)
    (again,) = read(content, store, key, tmp_path).captures
    assert (again.known, again.batch_count, again.capture) == (True, 0, first.capture)
    assert seen(store) == before


def test_a_stream_that_goes_on_otherwise_is_refused_and_nothing_is_lost(store, key, tmp_path):
    content = MORNING.read_bytes()
    read(content, store, key, tmp_path)
    before = seen(store)
    (failure,) = read(content[:200_000], store, key, tmp_path).failures
    assert "began like a stream that is in the store, and went on differently" in str(failure)
    assert seen(store) == before


def test_a_stream_that_ended_earlier_is_taken_out_and_read_when_it_comes_again(store, key, tmp_path):
    content = MORNING.read_bytes()
    read(content[:200_000], store, key, tmp_path)
    (failure,) = read(content, store, key, tmp_path).failures
    assert "had ended earlier; that is taken out now; pipe it again" in str(failure)
    assert store.query("SELECT count(*) FROM capture") == [(0,)]
    (result,) = read(content, store, key, tmp_path).captures
    assert (result.known, result.packets) == (False, 1331)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_stream_that_is_ended_by_hand_is_kept(key, tmp_path, ending):
    command = [sys.executable, "-m", "sensor.cli", "read", "-", "--store", str(tmp_path / "s.duckdb")]
    environment = {**os.environ, "SPANWARD_SITE_KEY": str(key)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        process.stdin.write(MORNING.read_bytes())  # which is more than a pipe holds
        process.stdin.flush()
        time.sleep(0.5)
        process.send_signal(ending)
        assert process.wait(PATIENCE_S) == 0
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        assert store.query("SELECT name, packets, damaged FROM capture") == [("-", 1331, None)]


def test_what_is_in_a_pipe_that_is_ended_is_still_read_but_not_for_ever(monkeypatch):
    monkeypatch.setattr("sensor.capture.stream.LULL_S", 0.05)
    monkeypatch.setattr("sensor.capture.stream.LAST_S", 0.3)
    (out, into), (orders, order) = os.pipe(), os.pipe()
    with os.fdopen(out, "rb", 0) as file, os.fdopen(orders, "rb", 0) as heard:
        pipe = Ended(file, orders, lambda said: said and b"stop" in heard.read(9))
        os.write(order, b"ack\n")
        os.write(into, b"before")
        assert pipe.read(6) == b"before"
        os.write(order, b"stop\n")
        os.write(into, b"last")
        assert pipe.read(4) == b"last"
        os.write(into, b"more")
        while piece := pipe.read(4):  # whoever never ends
            assert piece == b"more"
            os.write(into, b"more")
        assert pipe.read(4) == b""
    os.close(into)
    os.close(order)


@pytest.mark.skipif(not hasattr(fcntl, "F_GETPIPE_SZ"), reason="only Linux says how large a pipe is")
def test_a_pipe_is_made_larger_and_what_is_none_is_left_alone(tmp_path):
    (out, into), (orders, order) = os.pipe(), os.pipe()
    with os.fdopen(out, "rb", 0) as file:
        Ended(file, orders, bool)
        assert fcntl.fcntl(file, fcntl.F_GETPIPE_SZ) == PIPE_BYTES
    (tmp_path / "file").write_bytes(b"what is in it")
    with (tmp_path / "file").open("rb", buffering=0) as file:
        assert Ended(file, orders, bool).read(4) == b"what"
    for one in (into, orders, order):
        os.close(one)


def test_a_stream_that_is_cut_short_is_read_to_there(store, key, tmp_path):
    (result,) = read(MORNING.read_bytes()[:100_001], store, key, tmp_path).captures
    assert "cut short" in result.damaged
    assert result.packets > 0


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (b"hello\n" * 200, "text file"), (b"\xd4\xc3\xb2\xa1", "ends within")]
)
def test_what_is_no_capture_is_said(store, key, tmp_path, content, says):
    (failure,) = read(content, store, key, tmp_path).failures
    assert isinstance(failure, CaptureError)
    assert str(failure).startswith("-: ")
    assert says in str(failure)


def test_a_pipe_may_give_a_byte_at_a_time():
    content = (PCAPS / "dicom" / "echo.pcap").read_bytes()
    with (
        CaptureStream(Dribble(content), id_bytes=1000) as slow,
        CaptureStream(io.BytesIO(content), id_bytes=1000) as quick,
    ):
        for capture in (slow, quick):
            capture._window.fill()
        assert slow.capture_id == quick.capture_id
        assert slow._window.buffer == quick._window.buffer


def test_the_id_is_of_the_beginning():
    content = (PCAPS / "dicom" / "echo.pcap").read_bytes()
    ids = set()
    for end, limit in ((len(content), 600), (700, 600), (len(content), 601)):
        with CaptureStream(io.BytesIO(content[:end]), id_bytes=limit) as capture:
            capture._window.fill()
            ids.add((limit, capture.capture_id))
    assert len(ids) == 2


def test_an_empty_pipe_is_no_capture():
    with pytest.raises(NotACapture):
        CaptureStream(io.BytesIO(b""), id_bytes=1)
