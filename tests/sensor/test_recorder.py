"""The recorder and its worker: what goes wrong is one clear line, and nothing of it gets into the store."""

from __future__ import annotations

import io
import os
import re
import select
import signal
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from sensor.capture.errors import CaptureError, NotACapture
from sensor.reading import read_captures
from sensor.recorder import Recorder, Talk, WorkerDied, Workers
from sensor.site import SiteForFacts
from sensor.sitekey import SiteKey
from sensor.store import StoreError
from sensor.wire import NUMBER, Hello, Job, Kind, decode
from tests.conftest import PCAPS
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


def read(store, key, lie):
    with recorder(store, key, lie) as opened:
        return opened.read(ECHO)


@pytest.mark.parametrize(
    ("lie", "says", "batches"),
    [
        ("silent", "ended with status 0", 0),
        ("no_greeting", "no greeting", 0),
        ("batch_first", "no greeting", 0),
        ("passed_first", "no greeting", 0),
        ("passed_before_the_beginning", "not a Passed", 0),
        ("greets_twice", "a second greeting", 0),
        ("says_what_is_inside_unasked", "a second greeting", 0),
        ("wrong_number", "batch 2 where 1 should come", 1),
        ("same_table_twice", "ended with status 0", 0),
        ("wrong_rows", "damaged", 0),
        ("no_json", "not a Summary", 0),
        ("noise", "a frame of", 0),
        ("too_long", "a frame of 4294967295 bytes", 0),
        ("dies", "signal 11", 1),
        ("dies_in_a_batch", "ended with status 0", 1),
    ],
)
def test_a_worker_that_lies_or_dies_leaves_whole_batches_only(store, key, lie, says, batches):
    with pytest.raises(WorkerDied, match=says) as caught:
        read(store, key, lie)
    line = str(caught.value)
    assert line.startswith(f"{ECHO}: the worker ")
    assert line.endswith("safe in the store, run it again to go on from there")
    assert line.isprintable()
    assert store.query("SELECT count(*) FROM batch") == [(batches,)]
    assert store.query("SELECT count(*) FROM fact_attribute") == [(batches,)]
    assert store.query("SELECT count(*) FROM binding") == [(0,)]


def test_rows_that_the_store_refuses_end_the_reading(store, key):
    with pytest.raises(StoreError, match="NOT NULL"):
        read(store, key, "null_where_none_may_be")
    assert store.query("SELECT count(*) FROM fact_attribute") == [(1,)]


@pytest.mark.parametrize("lie", ["is_stuck", "is_stuck_in_a_frame"])
def test_a_worker_that_is_stuck_is_ended(store, key, monkeypatch, lie):
    monkeypatch.setattr("sensor.recorder.SILENT_S", 1.0)
    with pytest.raises(WorkerDied, match="said nothing for 1 s, and was ended; 1 batch is safe"):
        read(store, key, lie)


def test_what_one_worker_dies_of_keeps_no_other_capture_from_being_read(store, key, tmp_path):
    program, bad = tmp_path / "dying.py", tmp_path / "bad.pcap"
    bad.write_bytes(ECHO.read_bytes())
    program.write_text(
        "import os\n"
        "from sensor import worker\n"
        "def opened(capture, *rest):\n"
        "    return os._exit(3) if capture.path.name == 'bad.pcap' else worker.open_pipeline(capture, *rest)\n"
        "worker.main(opened)\n"
    )
    command = (sys.executable, "-P", str(program))
    summary = read_captures([bad, ECHO, bad], store, None, key, command=command)
    assert [capture.path for capture in summary.captures] == [ECHO]
    assert [str(failure).partition(";")[0] for failure in summary.failures] == 2 * [
        f"{bad}: the worker ended with status 3"
    ]


def test_what_a_worker_says_cannot_command_a_terminal(store, key):
    with pytest.raises(NotACapture) as caught:
        read(store, key, "escapes")
    assert str(caught.value).isprintable()
    assert str(caught.value).startswith(f"{ECHO}: is ?[2Jno capture?xxx")


def test_a_worker_is_not_told_what_is_secret(store, key, monkeypatch):
    monkeypatch.setenv("SPANWARD_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(NotACapture) as caught:
        read(store, key, "environment")
    assert "PATH" in str(caught.value)
    assert "SPANWARD_TOKEN" not in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_finished_reading_is_not_done_twice(store, key):
    assert read(store, key, "reads_on").batch_count == 1
    before = seen(store)
    again = read(store, key, "reads_on")
    assert (again.known, again.batch_count) == (True, 0)
    assert seen(store) == before


def test_an_interrupted_reading_of_other_batches_begins_anew(store, key):
    """What is in the ledger came from another engine, say: the reading is begun anew, not mixed."""
    with pytest.raises(WorkerDied):
        read(store, key, "dies")
    with store.transaction() as cursor:
        cursor.execute("UPDATE batch SET byte_offset = 11")
    result = read(store, key, "reads_on")
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
    return Job(bytes(capture), SiteForFacts(), bytes(key), 1 << 20)


@pytest.fixture
def workers():
    opened = Workers()
    yield opened
    opened.close()


def gone(pid):
    """Whether process `pid` ends, however long it takes, within reason."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([watched], [], [], 60)
    os.close(watched)
    return bool(ended)


@pytest.mark.skipif(sys.platform != "linux", reason="watches processes by pidfd")
def test_workers_end_when_the_recorder_is_gone(key, workers):
    """Nobody is killed: the ends of the pipes are closed, as when the recorder dies."""
    with workers.talk(job(key)) as talk:
        assert next(talk.frames())[0] == Kind.HELLO
        talk._orders.close()
        assert gone(talk.pid)
        parent = workers._process.pid
        workers._line.shutdown(socket.SHUT_RDWR)
        assert gone(parent)


@pytest.mark.skipif(sys.platform != "linux", reason="by the parent's death signal")
def test_a_worker_does_not_outlive_the_process_that_it_came_from(key, workers):
    with workers.talk(job(key)) as talk:
        assert next(talk.frames())[0] == Kind.HELLO
        workers._process.kill()
        assert gone(talk.pid)
        assert talk.death() == "was ended with the process that it came from"


def test_one_process_makes_all_workers_one_for_each_capture(key, workers):
    pids = set()
    for _ in range(3):
        with workers.talk(job(key)) as talk:
            assert next(talk.frames())[0] == Kind.HELLO
            talk.order(b"skip")
        assert talk.death() == "ended with status 0"
        pids.add(talk.pid)
    if sys.platform == "linux":  # forking beside other threads is not safe
        tasks = Path(f"/proc/{workers._process.pid}/task")
        assert min(len(list(tasks.iterdir())) for _ in range(100)) == 1, "a thread that stays"
    assert len(pids | {workers._process.pid}) == 4


def test_the_last_job_is_done_by_the_process_itself(key, workers):
    with workers:
        process = workers._process
        with workers.talk(job(key), last=True) as talk:
            assert next(talk.frames())[0] == Kind.HELLO
            talk.order(b"skip")
        assert talk.pid == process.pid
        assert talk.death() == "ended with status 0"
        assert workers._process is None


@pytest.mark.skipif(sys.platform != "linux", reason="by the parent's death signal")
def test_the_last_worker_does_not_outlive_the_recorder(key, tmp_path):
    program = (
        "import os, sys; from pathlib import Path; from sensor.recorder import Workers; from sensor.wire import Job\n"
        "from sensor.site import SiteForFacts\n"
        "capture, key = map(str.encode, sys.argv[1:])\n"
        "with Workers().talk(Job(capture, SiteForFacts(), key, 1 << 20), last=True) as talk:\n"
        "    next(talk.frames())\n"
        "    print(talk.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-P", "-c", program, str(ECHO), str(key)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as recorder:
        worker = int(recorder.stdout.readline())
        watched = os.pidfd_open(worker)
        os.kill(worker, signal.SIGSTOP)  # what it does by itself, at the end of its input, it cannot do
        recorder.kill()
        ended, _, _ = select.select([watched], [], [], 60)
        os.close(watched)
    assert ended


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_worker_has_given_up_its_rights(key, workers):
    with workers.talk(job(key)) as talk:
        kind, payload = next(talk.frames())
        pid = talk.pid
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        limits = Path(f"/proc/{pid}/limits").read_text()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert kind == Kind.HELLO
    assert status["NoNewPrivs"] == "1"
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
    assert re.search(r"^Max file size +0 +0 ", limits, re.MULTILINE)
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    if decode(payload, Hello).sandbox.startswith(("nobody", "owner")):
        assert "0" not in status["Uid"].split()
        assert status["Groups"].strip() == ""


def test_when_workers_have_nobody_to_come_from_another_is_started(store, key, workers):
    """A system that is short of memory ends what it likes."""
    with Recorder(store, site=None, site_key=key, batch_bytes=100, workers=workers) as opened:
        opened.read(ECHO)
        parent = workers._process
        parent.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
        assert opened.read(PCAPS / "tls" / "tls12_rsa.pcap").batch_count
    assert parent.returncode == -signal.SIGKILL


def test_an_error_of_ours_tells_where_but_not_what(store, key, tmp_path, capfd):
    """A worker's last words never quote a capture."""
    program = tmp_path / "failing.py"
    program.write_text(
        "from sensor import worker\ndef opener(*_):\n    raise ValueError('patient name')\nworker.main(opener)\n"
    )
    with (
        Recorder(
            store, site=None, site_key=key, batch_bytes=100, command=(sys.executable, "-P", str(program))
        ) as failing,
        pytest.raises(WorkerDied, match="ended with status 1"),
    ):
        failing.read(ECHO)
    assert capfd.readouterr().err == "spanward worker: ValueError at failing.py:3; please report it\n"


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ("says_nothing_of_what_is_inside", "nothing about the content"),
        ("says_nonsense_of_what_is_inside", "not a Content"),
    ],
)
def test_what_a_worker_says_of_what_is_inside_is_checked(store, key, tmp_path, lie, says):
    read(store, key, "reads_on")
    packed = tmp_path / f"{ECHO.name}.gz"
    packed.touch()
    with recorder(store, key, lie) as opened, pytest.raises(WorkerDied, match=says):
        opened.read(packed)
    assert store.query("SELECT count(*) FROM compressed_copy") == [(0,)]


def test_another_site_key_or_site_file_reads_a_capture_anew(store, key, tmp_path):
    site = tmp_path / "site.toml"
    site.write_text("[scopes]\nlaboratory = [310]\n")
    steps = [(None, "first"), (None, "again"), (site, "other scopes"), (site, "other key"), (site, "again")]
    known = []
    for site_file, step in steps:
        if step == "other key":
            SiteKey.test().rotated().save(key)
        known.append(read_captures([ECHO], store, site_file, key).captures[0].known)
        assert store.query("SELECT min(n), max(n) FROM conversations") == [(1, 1)], step
    assert known == [False, True, False, False, True]


def test_progress_ends_at_the_size_of_the_capture(store, key):
    seen_bytes = []
    read_captures([ECHO], store, None, key, progress=lambda *said: seen_bytes.append(said), batch_bytes=512)
    assert len(seen_bytes) > 1
    assert seen_bytes == sorted(seen_bytes)
    assert seen_bytes[-1] == (ECHO, ECHO.stat().st_size, ECHO.stat().st_size)


def test_where_no_worker_can_be_started_each_capture_says_so(store, key):
    summary = read_captures([ECHO, ECHO], store, None, key, command=["/nowhere/worker"])
    assert not summary.captures
    assert [str(error).partition(";")[0] for error in summary.failures] == 2 * [
        f"{ECHO}: there is no worker for it: No such file or directory"
    ]


def watched(store, key, told, command):
    """It reads in one batch, and appends how much of how much has been read."""

    def tell(_path, done_bytes, size_bytes):
        told.append((done_bytes, size_bytes))

    return Recorder(store, site=None, site_key=key, batch_bytes=1 << 20, progress=tell, command=command)


def test_progress_is_told_between_batches(store, key, tmp_path):
    program, told, size_bytes = tmp_path / "frequent.py", [], ECHO.stat().st_size
    program.write_text(
        "from sensor import worker\nworker.PASSED_BYTES, worker.WINDOW_BYTES = 512, 256\nworker.main()\n"
    )
    command = (sys.executable, "-P", str(program))
    with watched(store, key, told, command) as opened:
        opened.read(ECHO)
    *between, last = told
    assert len(store.query("SELECT * FROM batch")) == 1
    assert last == (size_bytes, size_bytes)
    assert len(between) > 2
    assert all(later - earlier >= 512 for (earlier, _), (later, _) in pairwise([(0, 0), *between]))


def test_a_worker_that_reads_for_long_says_so(store, key, tmp_path):
    """Whoever waits for its words ends it otherwise."""
    program, told = tmp_path / "frequent.py", []
    program.write_text("from sensor import worker\nworker.PASSED_S, worker.WINDOW_BYTES = 0.0, 256\nworker.main()\n")
    with watched(store, key, told, (sys.executable, "-P", str(program))) as opened:
        opened.read(ECHO)
    assert len(told) > 5
    assert told == sorted(told)


def test_progress_never_passes_the_end_whatever_a_worker_says(store, key):
    told = []
    command = (sys.executable, "-P", str(LIAR), "passes_the_end")
    with watched(store, key, told, command) as opened:
        opened.read(ECHO)
    assert told == [(10, 10), (10, 10)]


def test_an_order_to_a_worker_that_is_gone_is_dropped():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(NUMBER.pack(1))
        orders = io.BytesIO()
        talk = Talk(ours, orders, io.BytesIO())
        orders.close()
        talk.order(b"ack")
