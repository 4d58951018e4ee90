"""The runner itself: what fails is reported and kept, what is expected is not, inputs are found again."""

from __future__ import annotations

import importlib
import random
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.fuzz import run


def target(failing: type[Exception] | None = None, **attributes: object) -> ModuleType:
    made = ModuleType("tests.fuzz.made_up")

    def fuzz_one(data: bytes) -> None:
        if failing is not None and len(data) > 8:
            raise failing("too\tlong\n")

    made.fuzz_one = fuzz_one
    made.corpus = lambda: [b"0123456", b"abc"]
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(run, "FOUND", tmp_path / "build" / "fuzz")
    monkeypatch.setattr(run, "LEDGER", tmp_path / "ledger.tsv")


def test_a_failure_is_reported_and_its_input_kept() -> None:
    tried, _, result, _ = run.fuzz(target(KeyError), 500, 1)
    assert tried < 500
    assert result.startswith(f"failed at input {tried - 1}: KeyError")
    assert "\t" not in result
    (kept,) = run.FOUND.iterdir()
    assert len(kept.read_bytes()) > 8
    assert run.fuzz(target(KeyError), 1, 1, tried - 1).result.startswith(f"failed at input {tried - 1}")


def test_what_is_expected_is_fine() -> None:
    assert run.fuzz(target(KeyError, EXPECTED=(LookupError,)), 500, 1)[:3] == (500, 0, "ok")


def test_a_run_may_end_with_so_many_packets() -> None:
    made = target()
    made.fuzz_one = lambda data: 7
    assert run.fuzz(made, 500, 1, packets=70)[:3] == (10, 70, "ok")
    assert run.fuzz(made, 5, 1, packets=70)[:3] == (5, 35, "ok")


def test_make_names_targets_only() -> None:
    """Whatever else lies in the folder would fail as one."""
    makefile = (Path(run.__file__).parent.parent.parent / "Makefile").read_text()
    others = set(re.search(r"FUZZ_TARGETS.*filter-out ([^,]*),", makefile).group(1).split())
    names = {path.stem for path in Path(run.__file__).parent.glob("*.py")} - others
    assert names > {"engine", "pipeline"}
    for name in names:
        assert name.startswith("test_") or hasattr(importlib.import_module(f"tests.fuzz.{name}"), "fuzz_one"), name


def test_growing_memory_is_a_failure(monkeypatch) -> None:
    sizes = iter([1 << 20, 200 << 20])
    monkeypatch.setattr(run, "resident_bytes", lambda: next(sizes))
    grown = run.fuzz(target(), 500, 1)
    assert "199 MiB" in grown.result
    assert grown.growth_bytes == 199 << 20


def test_inputs_are_the_same_for_the_same_seed() -> None:
    made = [run.make([b"seed" * 9], run.spoil, random.Random(f"5:{index}")) for index in range(100)]
    assert made == [run.make([b"seed" * 9], run.spoil, random.Random(f"5:{index}")) for index in range(100)]
    assert len(set(made)) > 90


def test_each_run_is_a_line_of_the_ledger() -> None:
    run.note("sessions", run.Run(5, 0, "ok"), 1, 2.4)
    run.note("engine", run.Run(6, 600, "ok"), 2, 3.6)
    lines = run.LEDGER.read_text().splitlines()
    assert lines[0].split("\t") == ["date", "target", "inputs", "packets", "seed", "seconds", "result"]
    assert [line.split("\t")[1:] for line in lines[1:]] == [
        ["sessions", "5", "-", "1", "2", "ok"],
        ["engine", "6", "600", "2", "4", "ok"],
    ]
