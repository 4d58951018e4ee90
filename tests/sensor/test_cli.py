"""The command line: exit status, one line of error, quiet pipes. What needs a process of its own has one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from sensor.cli import run
from tests.conftest import PCAPS, ROOT

ECHO = PCAPS / "dicom" / "echo.pcap"
STORE20 = PCAPS / "dicom" / "store20.pcap"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """For commands in a process of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANWARD_", "PYTHON"))}
    return {**kept, "XDG_CONFIG_HOME": str(home), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def spanward(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Runs a command line in this process, in an empty folder: quick, and a leak in it is an error."""
    for name in [name for name in os.environ if name.startswith("SPANWARD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def go(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as patched:
            for name, value in more.items():
                patched.setenv(name, value)
            status = run([str(argument) for argument in arguments])
        return subprocess.CompletedProcess(arguments, int(status), *capfd.readouterr())

    return go


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on standard error."""
    assert done.stderr.startswith("spanward: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one capture, read by the command itself."""
    folder = tmp_path_factory.mktemp("filled")
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": ""}
    command = [sys.executable, "-m", "sensor.cli", "read", str(STORE20), "--store", str(folder / "s.duckdb")]
    subprocess.run(command, env=environment, capture_output=True, timeout=120, check=True)
    return folder / "s.duckdb"


@pytest.mark.parametrize(
    "arguments",
    [
        ("facts",),
        ("nonsense",),
        ("list", "nonsense"),
        ("read", "x", "--format", "xml"),
        ("serve", "--zz"),
        ("explain",),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(spanward, arguments: tuple[str, ...]) -> None:
    done = spanward(*arguments)
    assert done.returncode == 2
    assert "spanward --help" in complaint(done)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("site-key", "--help")])
def test_help_is_no_error(spanward, arguments: tuple[str, ...]) -> None:
    done = spanward(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: spanward" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; import sensor.cli; print(sorted({'duckdb', 'pyarrow', 'pydantic', 'fastapi'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def unreadable(folder: Path, kind: str) -> Path:
    path = folder / "input.pcap"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("Dear reader,\nthis is a letter.\n")
    elif kind == "folder":
        path.mkdir()
    elif kind == "header cut":
        path.write_bytes(ECHO.read_bytes()[:11])
    elif kind == "unreadable":
        path.write_bytes(ECHO.read_bytes())
        path.chmod(0)
    return path


@pytest.mark.parametrize("command", ["facts", "read"])
@pytest.mark.parametrize("kind", ["missing", "empty", "text", "folder", "header cut", "unreadable"])
def test_what_is_no_capture_is_exit_3_and_one_line(spanward, tmp_path: Path, command: str, kind: str) -> None:
    if kind == "unreadable" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = unreadable(tmp_path, kind)
    done = spanward(command, path)
    assert (done.returncode, done.stdout) == (3, "")
    assert str(path) in complaint(done)


def test_what_nobody_can_be_told_of_changes_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    """No file of ours takes the place of a closed output, and no line that cannot be written ends a command."""
    program = f"exec {sys.executable} -m sensor.cli"
    for line, status in (
        (f"{program} read {ECHO} {tmp_path / 'absent'} --store s.duckdb <&- >&- 2>&-", 3),
        (f"{program} list devices --store s.duckdb >out 2>/dev/full", 0),
        (f"{program} facts {tmp_path / 'absent'} {ECHO} >&- 2>/dev/full", 3),
    ):
        done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environment, check=False, timeout=120)
        assert done.returncode == status, line
    assert "ARCHIVE" in (tmp_path / "out").read_text()


def test_names_need_not_be_text(spanward, tmp_path: Path) -> None:
    """Whoever copies files from a system of another encoding has such names; DuckDB alone takes none."""
    folder = tmp_path / os.fsdecode(b"k\xf6ln")
    folder.mkdir()
    capture = folder / os.fsdecode(b"ger\xe4t.pcap")
    capture.write_bytes(ECHO.read_bytes())
    done = spanward("read", capture, "--format", "json", SPANWARD_SITE_KEY=str(folder / "key"))
    assert done.returncode == 0, done.stderr
    assert [read["name"] for read in json.loads(done.stdout)["captures"]] == ["ger?t.pcap"]
    for command in ("read", "serve"):
        refused = spanward(command, *([capture] if command == "read" else []), "--store", folder / "s.duckdb")
        assert refused.returncode == 2
        assert "its name is not UTF-8" in complaint(refused)


def test_a_capture_cut_short_gives_what_came_before(spanward, tmp_path: Path) -> None:
    whole = spanward("facts", STORE20).stdout.splitlines()
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(STORE20.read_bytes()[: STORE20.stat().st_size // 2])
    done = spanward("facts", cut)
    assert done.returncode == 0
    assert "cut short" in complaint(done)
    assert 0 < len(done.stdout.splitlines()) < len(whole)


def test_others_are_read_when_one_cannot_be(spanward, tmp_path: Path) -> None:
    done = spanward("facts", tmp_path / "missing", ECHO)
    assert done.returncode == 3
    assert complaint(done)
    assert done.stdout == spanward("facts", ECHO).stdout


def test_facts_are_lines_of_json_with_all_their_keys(spanward) -> None:
    done = spanward("facts", ECHO)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    keys = {
        "ts",
        "kind",
        "protocol",
        "side",
        "scope",
        "endpoint",
        "peer",
        "about",
        "capture",
        "frame",
        "community_id",
        "quality",
    }
    assert lines
    assert all(keys <= set(line) for line in lines)
    assert "dicom.calling_ae_title" in {line.get("name") for line in lines}


def test_a_mistake_of_ours_is_said(spanward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.commands.facts.parser_failures", lambda _: 2)
    done = spanward("facts", ECHO)
    assert "2 parser failures" in complaint(done)


def test_a_closed_pipe_is_no_error(tmp_path: Path, environment: dict[str, str]) -> None:
    # Far more than a pipe holds, so that the writer must notice that nobody reads.
    command = [sys.executable, "-m", "sensor.cli", "facts", *[str(STORE20)] * 4]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


def interrupted_query() -> None:
    """What DuckDB makes of Ctrl-C."""
    raise RuntimeError("Query interrupted") from KeyboardInterrupt()


def interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("interruption", [interrupted, interrupted_query])
def test_ctrl_c_is_one_line(spanward, monkeypatch: pytest.MonkeyPatch, interruption: Callable[[], None]) -> None:
    monkeypatch.setattr("sensor.cli._invoke", lambda _: interruption())
    done = spanward("read", ECHO)
    assert done.returncode == 130
    assert "interrupted" in complaint(done)


@pytest.mark.parametrize("command", [("list", "devices"), ("serve",), ("explain", "x"), ("show", "x")])
def test_without_a_store_it_says_how_to_make_one(spanward, command: tuple[str, ...]) -> None:
    done = spanward(*command)
    assert done.returncode == 2
    assert "spanward.duckdb" in complaint(done)


@pytest.mark.parametrize("command", [("list", "devices"), ("read", str(ECHO)), ("serve",)])
def test_what_is_no_store_is_left_alone(spanward, tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "letter.duckdb"
    path.write_text("this is a letter, not a store; it stays as it is")
    before = path.read_bytes()
    done = spanward(*command, "--store", path)
    assert done.returncode == 2
    assert "not a Spanward store" in complaint(done)
    assert path.read_bytes() == before


@pytest.mark.parametrize("command", [("list", "devices"), ("read", str(ECHO)), ("serve",)])
def test_a_store_in_use_is_said_so(spanward, filled: Path, command: tuple[str, ...]) -> None:
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(filled)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        done = spanward(*command, "--store", filled)
        holder.communicate()
    assert done.returncode == 2
    assert f"in use by process {holder.pid}" in complaint(done)


def test_read_sums_up_and_a_second_time_changes_nothing(spanward, tmp_path: Path) -> None:
    first = spanward("read", STORE20, "--store", "s.duckdb", "--format", "json")
    again = spanward("read", STORE20, "--store", "s.duckdb", "--format", "json")
    assert (first.returncode, first.stderr) == (0, "")
    assert json.loads(first.stdout) == json.loads(again.stdout)
    found = json.loads(first.stdout)
    assert found["counts"]["devices"] >= 2
    assert found["captures"][0]["name"] == "store20.pcap"
    assert found["captures"][0]["parser_failures"] == 0


def test_the_summary_is_for_people_within_100_columns(spanward) -> None:
    done = spanward("read", STORE20)
    assert done.returncode == 0
    for part in ("Devices", "Identities", "Findings", "Could not be seen", "Quality"):
        assert part in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("what", ["devices", "identities", "certificates", "findings", "blindspots"])
def test_every_list_in_every_format(spanward, filled: Path, what: str) -> None:
    asked = ("list", what, "--store", filled, "--format")
    whole = json.loads(spanward(*asked, "json").stdout)
    assert [json.loads(line) for line in spanward(*asked, "ndjson").stdout.splitlines()] == whole
    table = spanward(*asked, "csv").stdout.splitlines()
    assert table == [] if not whole else table[0].split(",") == list(whole[0])
    assert spanward(*asked, "table").returncode == 0


def test_explain_a_finding_and_an_unknown_one(spanward, filled: Path) -> None:
    findings = json.loads(spanward("list", "findings", "--store", filled, "--format", "json").stdout)
    assert findings
    page = spanward("explain", findings[0]["finding_id"], "--store", filled)
    assert page.returncode == 0
    for part in (findings[0]["title"], "What was seen", "Why it matters", "What to do", "References"):
        assert part in page.stdout
    unknown = spanward("explain", "find-of-nobody", "--store", filled)
    assert unknown.returncode == 2
    assert "no such finding" in complaint(unknown)
    if len(findings) > 1:
        assert "several findings" in complaint(spanward("explain", "find-", "--store", filled))


def test_show_a_device_by_any_of_its_names(spanward, filled: Path) -> None:
    devices = json.loads(spanward("list", "devices", "--store", filled, "--format", "json").stdout)
    used = json.loads(spanward("list", "identities", "--store", filled, "--format", "json").stdout)
    device = next(device for device in devices if device["ips"] and device["vendor"])
    pages = [spanward("show", name, "--store", filled) for name in (device["device_id"], device["ips"][0])]
    assert [page.returncode for page in pages] == [0, 0]
    assert pages[0].stdout == pages[1].stdout
    for part in (device["label"], device["vendor"], device["ips"][0], used[0]["label"], "What could be seen"):
        assert part in pages[0].stdout


def test_show_an_old_id_an_unknown_device_and_an_ambiguous_one(spanward, filled: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    path.write_bytes(filled.read_bytes())
    with duckdb.connect(str(path)) as connection:
        found = connection.execute("SELECT device_id FROM device ORDER BY ALL LIMIT 2").fetchall()
        connection.execute("INSERT INTO device_alias VALUES ('dev-old', ?)", found[0])
        connection.execute("UPDATE device SET label = 'TWIN' WHERE device_id IN (?, ?)", [row[0] for row in found])
    assert found[0][0] in spanward("show", "dev-old", "--store", path).stdout
    assert "no such device" in complaint(spanward("show", "10.99.99.99", "--store", path))
    twins = spanward("show", "twin", "--store", path)
    assert twins.returncode == 2
    assert all(row[0] in complaint(twins) for row in found)


def test_names_from_the_wire_cannot_drive_the_terminal(spanward, filled: Path, tmp_path: Path) -> None:
    path = tmp_path / "hostile.duckdb"
    path.write_bytes(filled.read_bytes())
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE device SET label = 'a' || chr(27) || '[2J[red]b' || chr(8238)")
    table = spanward("list", "devices", "--store", path, COLUMNS="200")
    assert "a\N{REPLACEMENT CHARACTER}[2J[red]b\N{REPLACEMENT CHARACTER}" in table.stdout
    assert "\x1b" not in table.stdout
    assert "\u202e" not in table.stdout


def test_a_broken_setting_is_named(spanward) -> None:
    done = spanward("list", "devices", SPANWARD_WIDE_QUERIES="many")
    assert done.returncode == 2
    assert "SPANWARD_WIDE_QUERIES" in complaint(done)


def test_the_store_of_the_environment_is_the_default(spanward, filled: Path) -> None:
    assert spanward("list", "devices", SPANWARD_STORE=str(filled)).returncode == 0


def test_a_broken_site_file_is_named(spanward, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text("[networks]\nintern = []\n")
    for arguments in (("facts", ECHO), ("read", ECHO)):
        done = spanward(*arguments, SPANWARD_SITE=str(site))
        assert done.returncode == 2
        assert str(site) in complaint(done)


def test_check_passes_and_names_file_and_line_of_what_is_wrong(spanward, tmp_path: Path) -> None:
    assert spanward("check").returncode == 0
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "x.sql").write_text("/*\nid: X-1\n*/\nSELECT 1\n")
    done = spanward("check", SPANWARD_RULES=str(tmp_path / "rules"))
    assert done.returncode == 1
    assert "x.sql:2: " in done.stdout


OWN_RULE = """/*
id: OWN-001
title: An archive is called ARCHIVE
severity: info
confidence: certain
why: It is a test.
remedy: Take the rule away.
references: [none]
resolves: {seen: attribute}
mappings: {}
cases:
  fire: [{what: nothing, rows: [{binding: null}]}]
  silent: [{what: nothing, rows: [{binding: null}]}]
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, port, value AS subject, first_ts, last_ts, capture, frame,
       community_id
FROM seen_attribute
WHERE name = 'dicom.called_ae_title'
"""


def test_the_site_s_own_rules_are_run_and_explained(spanward, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.sql").write_text(OWN_RULE)
    own = {"SPANWARD_RULES": str(tmp_path / "rules")}
    found = json.loads(spanward("read", ECHO, "--format", "json", **own).stdout)["findings"]
    example = next(row["example"] for row in found if row["rule_id"] == "OWN-001")
    assert "Take the rule away." in spanward("explain", example, **own).stdout
    assert "no longer there" in spanward("explain", example).stdout


def test_a_broken_rule_of_the_site_s_own_is_told_before_anything_is_read(spanward, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.sql").write_text(OWN_RULE.replace("title:", "titel:"))
    done = spanward("read", ECHO, "--store", "s.duckdb", SPANWARD_RULES=str(tmp_path / "rules"))
    assert done.returncode == 2
    assert "own.sql" in done.stderr
    assert not (tmp_path / "s.duckdb").exists()


def test_the_site_key_is_backed_up_and_rotated(spanward, tmp_path: Path, home: Path) -> None:
    missing = spanward("site-key", "rotate")
    assert missing.returncode == 2
    assert complaint(missing)
    assert spanward("read", ECHO).returncode == 0
    assert spanward("site-key", "backup", "copy.key").returncode == 0
    key = home / "spanward" / "site.key"
    assert (tmp_path / "copy.key").read_bytes() == key.read_bytes()
    assert (tmp_path / "copy.key").stat().st_mode & 0o777 == 0o600
    assert spanward("site-key", "backup", "copy.key").returncode == 2
    before = key.read_text().split()
    assert spanward("site-key", "rotate").returncode == 0
    assert int(key.read_text().split()[1]) == int(before[1]) + 1
    assert key.read_text().split()[2] != before[2]


def test_demo_once_shows_the_bundled_captures(spanward, tmp_path: Path) -> None:
    (tmp_path / "few" / "dicom").mkdir(parents=True)
    (tmp_path / "few" / "dicom" / "store20.pcap").write_bytes(STORE20.read_bytes())
    done = spanward("demo", "--once", SPANWARD_CAPTURES=str(tmp_path / "few"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Findings" in done.stdout
    assert not (tmp_path / "spanward.duckdb").exists()


def test_demo_shows_the_hospital_before_all_others(tmp_path: Path) -> None:
    from sensor.commands.demo import bundled

    for name in ("tls/a.pcap", "hospital/b.pcap", "hostile/c.pcap", "lab/d.pcap"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert bundled(tmp_path) == [tmp_path / "hospital" / "b.pcap"]
    (tmp_path / "hospital" / "b.pcap").unlink()
    assert bundled(tmp_path) == [tmp_path / "tls" / "a.pcap"]


def test_demo_without_captures_says_what_to_do(spanward, tmp_path: Path) -> None:
    done = spanward("demo", "--once", SPANWARD_CAPTURES=str(tmp_path))
    assert done.returncode == 2
    assert "SPANWARD_CAPTURES" in complaint(done)


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_taken_port_is_one_line_and_exit_2(spanward, filled: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = spanward(command, "--store", filled, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "taken" in complaint(done)


def test_other_addresses_than_loopback_are_refused(spanward, filled: Path) -> None:
    done = spanward("serve", "--store", filled, "--listen", "0.0.0.0:8470")
    assert done.returncode == 2
    assert "127.0.0.1" in complaint(done)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_serve_answers_until_it_is_told_to_stop(
    filled: Path, tmp_path: Path, environment: dict[str, str], ending: signal.Signals
) -> None:
    import urllib.request

    command = [sys.executable, "-u", "-m", "sensor.cli", "serve", "--store", str(filled), "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = next(word for line in process.stdout for word in line.split() if word.startswith("http://"))
        with urllib.request.urlopen(f"{url}/v1/devices", timeout=30) as answer:  # the listener queues us until it is up
            assert json.load(answer)["items"]
        process.send_signal(ending)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
