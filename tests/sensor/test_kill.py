"""Killing `spanward read`, either process, 30 times: the other ends by itself, and reading again gives the same views.

Moments are chosen by progress (the n-th batch received, merged, committed, half a frame...), never by time.
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.reading import read_captures
from sensor.store import Store
from tests.conftest import PCAPS, ROOT
from tests.sensor.store.facts import seen

CAPTURES = [PCAPS / name for name in ("dicom/store20.pcap", "tls/tls12_rsa.pcap", "dicom/echo.pcap")]
BATCH_BYTES = 4_096
MIDWAY = ("greeted", "received", "merged", "committed", "acknowledged")
KINDS = [(victim, moment) for moment in MIDWAY for victim in ("recorder", "worker")]
KINDS += [("worker", "half_frame"), ("parent", "received"), ("parent", "acknowledged")]
LATE = [("recorder", "finished", 1), ("recorder", "inferring", 1)]
PROGRAM = Path(__file__).with_name("killed_reading.py")
KILLS = 30
CHAINS = 3
DEADLINE_S = 60

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="watches processes by pidfd")


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """The site key, and the views of a reading that nobody disturbed."""
    folder = tmp_path_factory.mktemp("clean")
    read_captures(CAPTURES, folder / "s.duckdb", None, folder / "key", batch_bytes=BATCH_BYTES)
    with Store.open(folder / "s.duckdb") as store:
        views = seen(store)
    assert views["attributes"]
    assert views["certificates"]
    assert views["devices"]
    return folder / "key", views


def killed_read(store, key, victim, moment, count):
    """The reading's end, and the process ids of all that it started."""
    command = [sys.executable, PROGRAM, store, key, BATCH_BYTES, victim, moment, count, *CAPTURES]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env=environment, timeout=DEADLINE_S
    )
    return done, [int(pid) for pid in done.stdout.split()]


def wait_for_end(pid):
    """Return when process `pid` is gone; fail when it lives on."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([watched], [], [], DEADLINE_S)
        assert ended, f"process {pid} lives on"
    finally:
        os.close(watched)


def plans():
    """30 kills with a fixed seed, in chains that each wear down one store; every moment and both victims occur."""
    dice = random.Random(2026_11_23)
    midway = KILLS - CHAINS * len(LATE)
    drawn = KINDS + dice.choices(KINDS, k=midway - len(KINDS))
    dice.shuffle(drawn)
    kills = [(*kind, 1 if "greeted" in kind else dice.randint(1, 2)) for kind in drawn]
    return [kills[start::CHAINS] + LATE for start in range(CHAINS)]


@pytest.mark.parametrize("plan", plans(), ids=lambda plan: f"{len(plan)}-kills")
def test_killed_again_and_again_it_ends_up_the_same(tmp_path, clean, plan):
    key, views = clean
    path = tmp_path / "s.duckdb"
    for victim, moment, count in plan:
        done, started = killed_read(path, key, victim, moment, count)
        for pid in started:
            wait_for_end(pid)
        if victim == "recorder":
            assert done.returncode == -signal.SIGKILL, (moment, done.stderr)
        else:
            assert done.returncode == 1, (moment, done.stderr)
            assert "safe in the store, run it again" in done.stderr
            assert done.stderr.count("\n") == 1, done.stderr
    read_captures(CAPTURES, path, None, key, batch_bytes=BATCH_BYTES)
    with Store.open(path) as store:
        found = seen(store)
    for name, rows in views.items():
        assert found[name] == rows, name


def test_reading_twice_changes_nothing(tmp_path, clean):
    key, views = clean
    path = tmp_path / "s.duckdb"
    first = read_captures(CAPTURES, path, None, key)
    again = read_captures([*CAPTURES, *CAPTURES], path, None, key)
    assert [capture.known for capture in first.captures] == [False] * 3
    assert [capture.known for capture in again.captures] == [True] * 6
    with Store.open(path) as store:
        assert seen(store) == views


def test_an_interrupted_reading_goes_on_where_it_stopped(tmp_path, clean):
    key, views = clean
    path = tmp_path / "s.duckdb"
    killed_read(path, key, "recorder", "committed", 4)
    (first, *_) = read_captures(CAPTURES, path, None, key, batch_bytes=BATCH_BYTES).captures
    assert first.resumed_count == 4
    assert first.batch_count > 0
    with Store.open(path) as store:
        assert seen(store) == views


def test_batches_of_another_size_begin_anew_and_end_up_the_same(tmp_path, clean):
    key, views = clean
    path = tmp_path / "s.duckdb"
    killed_read(path, key, "recorder", "committed", 4)
    (first, *_) = read_captures(CAPTURES, path, None, key, batch_bytes=BATCH_BYTES * 3).captures
    assert first.resumed_count == 0
    with Store.open(path) as store:
        assert seen(store) == views
