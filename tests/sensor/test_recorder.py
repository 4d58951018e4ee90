"""The recorder and its worker: what goes wrong is one clear line, and nothing of it gets into the store."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sensor.capture.errors import CaptureError, NotACapture
from sensor.reading import read_captures
from sensor.recorder import WORKER, Recorder, WorkerDied, _environment, _worker
from sensor.sitekey import SiteKey
from sensor.store import StoreError
from sensor.wire import Hello, Job, Kind, decode
from tests.conftest import PCAPS, ROOT
from tests.sensor.store.facts import seen

LIAR = Path(__file__).with_name("lying_worker.py")
ECHO = PCAPS / "dicom" / "echo.pcap"


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "site.key"
    SiteKey.test().save(path)
    return path


def recorder(store, key, lie):
    command = (sys.executable, "-P", str(LIAR), lie)
    return Recorder(store, site=None, site_key=key, batch_bytes=100, command=command)


@pytest.mark.parametrize(
    ("lie", "says", "batches"),
    [
        ("silent", "ended with status 0", 0),
        ("no_greeting", "no greeting", 0),
        ("batch_first", "no greeting", 0),
        ("greets_twice", "a second greeting", 0),
        ("wrong_number", "batch 2 where 1 should come", 1),
        ("same_table_twice", "a batch that never ends", 0),
        ("wrong_rows", "another schema", 0),
        ("no_json", "not a Summary", 0),
        ("noise", "a frame of", 0),
        ("too_long", "a frame of 4294967295 bytes", 0),
        ("dies", "signal 11", 1),
        ("dies_in_a_batch", "ended with status 0", 1),
    ],
)
def test_a_worker_that_lies_or_dies_leaves_whole_batches_only(store, key, lie, says, batches):
    with pytest.raises(WorkerDied, match=says) as caught:
        recorder(store, key, lie).read(ECHO)
    line = str(caught.value)
    assert line.startswith(f"{ECHO}: the worker ")
    assert line.endswith("safe in the store, run it again to go on from there")
    assert line.isprintable()
    assert store.query("SELECT count(*) FROM batch") == [(batches,)]
    assert store.query("SELECT count(*) FROM fact_attribute") == [(batches,)]
    assert store.query("SELECT count(*) FROM binding") == [(0,)]


def test_rows_that_the_store_refuses_end_the_reading(store, key):
    with pytest.raises(StoreError, match="NOT NULL"):
        recorder(store, key, "null_where_none_may_be").read(ECHO)
    assert store.query("SELECT count(*) FROM fact_attribute") == [(1,)]


def test_what_a_worker_says_cannot_command_a_terminal(store, key):
    with pytest.raises(NotACapture) as caught:
        recorder(store, key, "escapes").read(ECHO)
    assert str(caught.value).isprintable()
    assert str(caught.value).startswith(f"{ECHO}: is ?[2Jno capture?xxx")


def test_a_worker_is_not_told_what_is_secret(store, key, monkeypatch):
    monkeypatch.setenv("SPANWARD_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(NotACapture) as caught:
        recorder(store, key, "environment").read(ECHO)
    assert "PATH" in str(caught.value)
    assert "SPANWARD_TOKEN" not in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_finished_reading_is_not_done_twice(store, key):
    assert recorder(store, key, "reads_on").read(ECHO).batch_count == 1
    before = seen(store)
    again = recorder(store, key, "reads_on").read(ECHO)
    assert (again.known, again.batch_count) == (True, 0)
    assert seen(store) == before


def test_an_interrupted_reading_of_other_batches_begins_anew(store, key):
    """What is in the ledger came from another engine, say: the reading is begun anew, not mixed."""
    with pytest.raises(WorkerDied):
        recorder(store, key, "dies").read(ECHO)
    with store.transaction() as cursor:
        cursor.execute("UPDATE batch SET byte_offset = 11")
    result = recorder(store, key, "reads_on").read(ECHO)
    assert (result.batch_count, result.resumed_count) == (1, 0)
    assert store.query("SELECT n FROM attributes") == [(1,)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"hello, world\n" * 9, "is a text file"),
        (None, "is a folder"),
        (b"\xd4\xc3\xb2\xa1\x02", ""),
    ],
)
def test_what_is_no_capture_is_said_in_one_line_and_the_rest_is_read(tmp_path, key, content, says):
    bad = tmp_path / "x.pcap"
    if content is None:
        bad.mkdir()
    else:
        bad.write_bytes(content)
    summary = read_captures([bad, ECHO, tmp_path / "absent.pcap"], tmp_path / "s.duckdb", None, key)
    assert [read.path for read in summary.captures] == [ECHO]
    first, second = (str(failure) for failure in summary.failures)
    assert first.startswith(f"{bad}: {says}")
    assert first.isprintable()
    assert second.startswith(f"{tmp_path / 'absent.pcap'}: ")
    assert all(isinstance(failure, CaptureError) for failure in summary.failures)


def test_a_capture_that_is_cut_short_is_read_as_far_as_it_goes(tmp_path, key, store):
    short = tmp_path / "short.pcap"
    short.write_bytes(ECHO.read_bytes()[:-7])
    for known in (False, True):
        (capture,) = read_captures([short], store, None, key).captures
        assert capture.known == known
        assert "cut short" in (capture.damaged or "")
    assert store.query("SELECT damaged IS NOT NULL FROM captures") == [(True,)]


def job(key, capture=ECHO):
    return Job(os.getpid(), str(capture), None, str(key), 1 << 20)


def test_a_worker_ends_when_the_recorder_is_gone(key):
    """Its input ends before it was told to go on."""
    process = subprocess.Popen(
        WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(os.environ)
    )
    out, err = process.communicate(msgspec.json.encode(job(key)) + b"\n", timeout=60)
    assert process.returncode == 1
    assert out[0] == Kind.HELLO
    assert err == b""


def test_a_worker_of_a_recorder_that_died_before_ends_at_once(key):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    orphan = msgspec.structs.replace(job(key), recorder=gone.pid)
    done = subprocess.run(
        WORKER,
        input=msgspec.json.encode(orphan) + b"\ngo\n",
        capture_output=True,
        check=False,
        env=_environment(os.environ),
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_worker_has_given_up_its_rights(key):
    with _worker(WORKER, job(key)) as talk:
        kind, payload = next(talk.frames())
        pid = talk._process.pid
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        limits = resource.prlimit(pid, resource.RLIMIT_CORE), resource.prlimit(pid, resource.RLIMIT_FSIZE)
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert kind == Kind.HELLO
    assert status["NoNewPrivs"] == "1"
    assert limits == ((0, 0), (0, 0))
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    if decode(payload, Hello).sandbox in ("nobody", "owner"):
        assert "0" not in status["Uid"].split()
        assert status["Groups"].strip() == ""


def test_an_error_of_ours_tells_where_but_not_what(key, tmp_path):
    """A worker's last words never quote a capture."""
    code = (
        "import sys; from sensor import worker\n"
        "def opener(*_): raise ValueError('patient name')\n"
        "worker.main(opener)\n"
    )  # fmt: skip
    environment = _environment(os.environ) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=msgspec.json.encode(job(key)) + b"\n",
        capture_output=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 1
    assert done.stderr == b"spanward worker: ValueError at <string>:2; please report it\n"
