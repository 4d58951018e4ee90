"""`spanward run` as it is called: it fills the store, serves it, and ends with everything committed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request

import pytest

from sensor.sitekey import SiteKey
from sensor.store import Store
from tests.conftest import PCAPS

MORNING = PCAPS / "mixed" / "morning.pcap"
PATIENCE_S = 60


@pytest.fixture
def environment(tmp_path):
    SiteKey.test().save(tmp_path / "site.key")
    return os.environ | {"SPANWARD_SITE_KEY": str(tmp_path / "site.key"), "SPANWARD_STORE": str(tmp_path / "s.duckdb")}


def spanward(*words, environment):
    return subprocess.Popen(
        [sys.executable, "-m", "sensor.cli", "run", *map(str, words)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def url_of(process):
    """What it says on standard output once it serves."""
    for line in process.stdout:
        if "API on " in line:
            return line.split()[2]
    raise AssertionError(process.stderr.read())


def captures_until(url, count):
    """Ask until there are devices; the server's own time limit ends it."""
    for _ in range(1000):
        with urllib.request.urlopen(f"{url}/v1/devices", timeout=PATIENCE_S) as answer:
            found = json.load(answer)["items"]
        if len(found) >= count:
            return found
    raise AssertionError("no devices")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_folder_is_read_and_served_until_it_is_told_to_end(tmp_path, environment, ending):
    folder = tmp_path / "rotating"
    folder.mkdir()
    shutil.copyfile(MORNING, folder / "1.pcap")
    os.utime(folder / "1.pcap", (1_000_000_000, 1_000_000_000))
    process = spanward("-r", folder, "--listen", "127.0.0.1:0", environment=environment)
    captures_until(url_of(process), 20)
    process.send_signal(ending)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, said) == (0, "")
    with Store.open(tmp_path / "s.duckdb", read_only=True) as store:
        assert store.query("SELECT packets, complete FROM capture") == [(1331, True)]


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ([], 2, "give either interfaces with -i or a folder with -r"),
        (["-i", "x", "-r", "."], 2, "give either interfaces with -i or a folder with -r"),
        (["-r", "/nonexistent"], 3, "/nonexistent: is not a folder"),
        (["-i", "nothing0"], 3, "nothing0: there is no interface nothing0"),
    ],
)
def test_what_cannot_be_is_one_line(environment, words, status, says):
    process = spanward(*words, "--listen", "127.0.0.1:0", environment=environment)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == status
    assert says in said
    assert len(said.splitlines()) == 1
