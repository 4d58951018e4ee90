"""Whoever follows parsers/README.md adds a protocol with one file and one capture, and all the rest comes by itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.sensor.engine.builder import Tcp, Wire

COPIED = ("parsers", "tests")
LINKED = ("sensor", "api")
ADDED = ("parsers/toy.py", "pcaps/toy/roll_call.pcap")
GIVEN = ("tests/contract/test_sessions.py", "tests/contract/test_cut.py", "tests/golden/test_golden.py")


def roll_call() -> bytes:
    """Two logons of one client, the second refused, as a pcap file."""
    wire = Wire()
    talk = Tcp(wire, addresses=("10.20.0.7", "10.20.0.8"), ports=(50_000, 9)).open()
    for said, answer in ((b"HI\x03bob\x041234", b"OK"), (b"HI\x03eve\x044321", b"NO")):
        talk.send(0, said)
        talk.send(1, answer)
    return wire.pcap()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with the two new files, and no capture but the new one."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    page = (ROOT / "parsers" / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert code is not None
    for name, content in zip(ADDED, (code[1].encode(), roll_call()), strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def run(checkout: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(checkout), "XDG_CONFIG_HOME": str(checkout / "home")}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_facts_come_out(checkout: Path) -> None:
    facts = [json.loads(line) for line in run(checkout, "sensor.cli", "facts", ADDED[1]).splitlines()]
    assert [fact["value"] for fact in facts if fact["kind"] == "attribute"] == ["bob", "eve"]
    logons = [fact for fact in facts if fact["kind"] == "authentication"]
    assert [(fact["principal"], fact["outcome"]) for fact in logons] == [("bob", "accepted"), ("eve", "rejected")]
    assert all(fact["secret_digest"] for fact in logons)


def test_its_identities_are_in_the_store(checkout: Path) -> None:
    run(checkout, "sensor.cli", "read", ADDED[1], "--store", "toy.duckdb")
    listed = run(checkout, "sensor.cli", "list", "identities", "--store", "toy.duckdb", "--format", "json")
    assert [(found["kind"], found["label"]) for found in json.loads(listed)] == [("toy-pin", "bob"), ("toy-pin", "eve")]


def test_the_contract_is_tested_without_a_line_for_it(checkout: Path) -> None:
    """Only that every protocol has a capture is left out: the copy has no captures of the others."""
    run(checkout, "tests.golden.goldens", ADDED[1])
    assert (checkout / "pcaps/toy/roll_call.golden.jsonl").read_text(encoding="utf-8").count("\n") == 4
    said = run(checkout, "pytest", "-q", "-p", "no:xdist", *GIVEN, "-k", "not of_every_protocol")
    assert re.search(r"\b1[0-9] passed", said), said
