"""What `spanward read` leaves behind, and what the other commands say of it, holds no canary in any form."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from sensor import cli
from sensor.commands.formats import Format, Listed, SummaryFormat
from sensor.sitekey import SiteKey
from sensor.store import Store
from tests.canaries.needles import PLANTED, all_needles
from tests.canaries.reading import KEY, STORE, Reading, dumped, environment, files, own_key, relations, spanward
from tests.conftest import PCAPS

PASSCODE = "GIXG7GU6HJHUX5"
MARKERS = (b"ARCHIVE", b"VIEW3")
KILLED = Path(__file__).parents[1] / "sensor" / "killed_reading.py"
DICOM = PCAPS / "dicom"
KILLED_ON = (DICOM / "user_identity_2.pcap", DICOM / "find_study.pcap", DICOM / "store20.pcap")


def assert_clean(data: bytes, where: str, *markers: bytes) -> None:
    """No canary is in `data`; the markers are, so that it is known that there was something to search."""
    for marker in markers:
        assert marker in data, f"{where} does not hold {marker.decode()}: is this what should be searched?"
    assert all_needles().found(data) == [], where


# ------------------------------------------------------------------ what is left behind


def test_the_command_says_nothing(reading: Reading) -> None:
    assert_clean(reading.stdout, "standard output", b"Findings", b"FS1")
    assert_clean(reading.stderr, "standard error")


def test_no_file_holds_one(reading: Reading) -> None:
    found = dict(files(reading.folder))
    assert STORE in found
    for name, data in found.items():
        assert_clean(data, name)


def test_no_table_or_view_holds_one(reading: Reading) -> None:
    found = dict(dumped(reading.store))
    assert {"attribute", "fact_authentication", "certificate", "capture"} <= found.keys()
    assert all(marker in found["fact_authentication"] for marker in MARKERS)
    for name, data in found.items():
        assert_clean(data, name)


def test_the_passcode_is_there_as_a_digest_of_this_site_only(reading: Reading) -> None:
    """It went all the way; and whoever has the source, with its test key, cannot tell it from others."""
    found = dict(dumped(reading.store))["fact_authentication"]
    assert str(own_key().mark(PASSCODE.encode(), None).digest).encode() in found
    assert str(SiteKey.test().mark(PASSCODE.encode(), None).digest).encode() not in found


def test_the_site_key_is_not_in_the_store(reading: Reading) -> None:
    key = bytes.fromhex((reading.folder / KEY).read_text().split()[2])
    for name, data in [*files(reading.folder), *dumped(reading.store)]:
        assert not [form for form in (key, key.hex().encode()) if form in data], name


# ------------------------------------------------------------------ the search can fail


@pytest.fixture
def copied(reading: Reading, tmp_path: Path) -> Path:
    return Path(shutil.copy(reading.store, tmp_path / STORE))


def planted(store: Path, value: str, *, checkpoint: bool) -> None:
    """Put `value` where a name stands; without a checkpoint it is in the log only."""
    with duckdb.connect(str(store)) as connection:
        connection.execute("SET checkpoint_threshold = '1TB'; PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("UPDATE attribute SET value = ? WHERE name = 'dicom.model_name'", [value])
        if checkpoint:
            connection.execute("CHECKPOINT")


@pytest.mark.parametrize("value", [PASSCODE, PASSCODE.encode().hex(), PASSCODE.lower(), PASSCODE[::-1]])
@pytest.mark.parametrize("checkpoint", [True, False], ids=["file", "log"])
def test_one_planted_in_the_store_is_found(copied: Path, value: str, checkpoint: bool) -> None:
    planted(copied, f"seen: {value}", checkpoint=checkpoint)
    place = STORE if checkpoint else f"{STORE}.wal"
    assert all_needles().found(dict(files(copied.parent))[place])
    assert all_needles().found(dict(dumped(copied))["attribute"])


def test_one_planted_is_found_wherever_a_relation_shows_it(copied: Path) -> None:
    """Views show what tables hold; a relation that is never read would hide it."""
    planted(copied, PASSCODE, checkpoint=True)
    with duckdb.connect(str(copied), read_only=True) as connection:
        names = {name for _, name in relations(connection)}
    assert {name for name, _ in dumped(copied)} == names
    assert {"attribute"} < {name for name, data in dumped(copied) if all_needles().found(data)} <= names


# ------------------------------------------------------------------ ended in the middle: a log, leftovers


@pytest.mark.skipif(sys.platform != "linux", reason="kills by moments, as test_kill does")
@pytest.mark.parametrize(("victim", "moment", "count"), [("recorder", "inferring", 1), ("worker", "received", 2)])
def test_a_killed_reading_leaves_none(tmp_path: Path, victim: str, moment: str, count: int) -> None:
    own_key().save(tmp_path / KEY)
    arguments = (tmp_path / STORE, tmp_path / KEY, 4096, victim, moment, count, *KILLED_ON)
    done = subprocess.run(
        [sys.executable, str(KILLED), *map(str, arguments)],
        capture_output=True, check=False, cwd=tmp_path, env=environment(tmp_path), timeout=60,
    )  # fmt: skip
    assert done.returncode == (-signal.SIGKILL if victim == "recorder" else 1), done.stderr.decode()
    found = dict(files(tmp_path))
    if victim == "recorder":
        assert b"ARCHIVE" in found[f"{STORE}.wal"]
    assert_clean(done.stdout + done.stderr, "what it said")
    for name, data in found.items():
        assert_clean(data, name)
    with Store.open(tmp_path / STORE):
        pass  # writes the log into the file
    for name, data in [*files(tmp_path), *dumped(tmp_path / STORE)]:
        assert_clean(data, name)


# ------------------------------------------------------------------ what the other commands say


def said(capfdbinary: pytest.CaptureFixture[bytes], *arguments: object) -> bytes:
    """Both outputs of a command, run here: a process for each would cost a minute."""
    assert cli.run([str(argument) for argument in arguments]) == 0
    captured = capfdbinary.readouterr()
    return captured.out + captured.err


@pytest.mark.parametrize("listed", Listed)
@pytest.mark.parametrize("form", Format)
def test_no_list_holds_one(
    reading: Reading, capfdbinary: pytest.CaptureFixture[bytes], listed: Listed, form: Format
) -> None:
    out = said(capfdbinary, "list", listed, "--format", form, "--store", reading.store)
    assert_clean(out, f"list {listed}", *([b"ARCHIVE"] if listed == Listed.IDENTITIES else [b"\n"]))


def test_no_explanation_holds_one(reading: Reading, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    rows: list[dict[str, Any]] = orjson.loads(
        said(capfdbinary, "list", Listed.FINDINGS, "--format", Format.JSON, "--store", reading.store)
    )
    assert len(rows) > 20
    pages = [said(capfdbinary, "explain", row["finding_id"], "--store", reading.store) for row in rows]
    assert all(row["rule_id"].encode() in page for row, page in zip(rows, pages, strict=True))
    assert_clean(b"\n".join(pages), "explanations", b"ARCHIVE")


def test_no_fact_holds_one(tmp_path: Path) -> None:
    done = spanward(tmp_path, "facts", *PLANTED)
    assert done.returncode == 0, done.stderr.decode()
    assert_clean(done.stdout, "facts", *MARKERS, b'"secret_digest":"')
    assert_clean(done.stderr, "standard error of facts")


def test_the_summary_as_json_holds_none(reading: Reading, tmp_path: Path) -> None:
    own_key().save(tmp_path / KEY)
    store = shutil.copy(reading.store, tmp_path / STORE)
    done = spanward(tmp_path, "read", PLANTED[0], "--store", store, "--format", SummaryFormat.JSON)
    assert done.returncode == 0, done.stderr.decode()
    assert_clean(done.stdout, "summary", b'"findings"')
    assert_clean(done.stderr, "standard error")


# ------------------------------------------------------------------ captures that cannot be read


def test_a_cut_off_capture_is_told_without_one(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    raw = (DICOM / "store20.pcap").read_bytes()
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(raw[: len(raw) * 2 // 3])
    own_key().save(tmp_path / KEY)
    done = spanward(tmp_path, "read", cut, "--store", tmp_path / STORE)
    for told in (done.stdout + done.stderr, said(capfdbinary, "facts", cut)):
        assert_clean(told, "what is said of a cut-off capture", b"cut short")
    cut.unlink()
    for name, data in files(tmp_path):
        assert_clean(data, name)


def test_what_is_no_capture_is_not_quoted(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    other = tmp_path / "notes.pcap"
    other.write_text(f"{PASSCODE}\n" * 10)
    own_key().save(tmp_path / KEY)
    done = spanward(tmp_path, "read", other, "--store", tmp_path / STORE)
    assert done.returncode == cli.run(["facts", str(other)]) == 3
    for told in (done.stdout + done.stderr, capfdbinary.readouterr().err):
        assert_clean(told, "what is said of another file", b"notes.pcap")
