"""Which compiler builds the engine: the system's when it works, else ziglang, and none without Python's headers."""

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from sensor.engine import COMPILED

ROOT = Path(__file__).parents[2]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="ziglang is used on Linux only")


@pytest.fixture(name="toolchain")
def fixture_toolchain() -> ModuleType:
    spec = importlib.util.spec_from_file_location("toolchain", ROOT / "_build" / "toolchain.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="python_headers")
def fixture_python_headers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[bool], None]:
    """Plays a Python with or without its headers, whatever this machine has."""

    def play(present: bool) -> None:
        if present:
            (tmp_path / "Python.h").touch()
        monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))

    return play


def test_a_compiler_that_fails_is_no_compiler(toolchain: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/bin/false")
    assert toolchain.compiler() is None


def test_a_compiler_that_is_not_there_is_no_compiler(toolchain: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -m64")
    assert toolchain.compiler() is None


@linux_only
def test_without_a_compiler_ziglang_is_asked_for(toolchain, python_headers, monkeypatch) -> None:
    python_headers(True)
    monkeypatch.setenv("CC", "/bin/false")
    assert toolchain.obstacle() is None
    assert toolchain.requirements() == [toolchain.ZIGLANG]


def test_with_a_compiler_nothing_is_asked_for(toolchain, python_headers, monkeypatch) -> None:
    python_headers(True)
    monkeypatch.setattr(toolchain, "compiler", lambda: ["cc"])
    assert toolchain.obstacle() is None
    assert toolchain.requirements() == []


def test_without_headers_the_advice_names_the_package(toolchain, python_headers, monkeypatch) -> None:
    python_headers(False)
    monkeypatch.setenv("CC", "/bin/false")
    assert "python3-dev" in toolchain.obstacle()
    assert toolchain.requirements() == []


def test_a_compiler_counts_what_is_frequent_if_it_can_and_may(toolchain, monkeypatch) -> None:
    monkeypatch.delenv("SPANWARD_PROFILE", raising=False)
    tried = []
    monkeypatch.setattr(toolchain, "_works", lambda command, flags: not tried.append((*command, *flags)))
    assert toolchain.profiles(["cc"])
    assert tried == [("cc", *toolchain.COUNT_FLAGS), ("cc", *toolchain.PROFILE_FLAGS)]
    monkeypatch.setattr(toolchain, "_works", lambda _command, flags: flags == toolchain.COUNT_FLAGS)
    assert not toolchain.profiles(["cc"])
    monkeypatch.setattr(toolchain, "_works", lambda *_: True)
    monkeypatch.setenv("SPANWARD_PROFILE", "0")
    assert not toolchain.profiles(["cc"])


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled here")
def test_what_is_compiled_can_be_exercised() -> None:
    """Else the modules would be compiled without a profile, which only the build would say."""
    program = [sys.executable, ROOT / "_build" / "exercise.py"]
    said = subprocess.run([*program, ROOT / "pcaps" / "hl7"], check=True, capture_output=True, text=True).stdout
    captures, rows = (int(number) for number in re.findall(r"\d+", said))
    assert captures == len(list((ROOT / "pcaps" / "hl7").glob("*.pcap")))
    assert rows > captures


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled here")
def test_what_cannot_be_exercised_is_an_error(tmp_path: Path) -> None:
    program = [sys.executable, ROOT / "_build" / "exercise.py", tmp_path]
    assert subprocess.run(program, check=False, capture_output=True, text=True).returncode != 0
    (tmp_path / "not-one.pcap").write_bytes(b"no capture")
    assert subprocess.run(program, check=False, capture_output=True, text=True).returncode != 0


def test_zig_compiles_for_a_named_processor(toolchain, monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: True)
    command = toolchain.zig()
    assert re.fullmatch(r"\S+-linux-(gnu\.2\.17|musl)", command[command.index("-target") + 1])


def test_the_makefile_asks_for_the_locks(toolchain, python_headers, monkeypatch, capsys) -> None:
    python_headers(False)
    monkeypatch.setattr(sys, "argv", ["toolchain.py"])
    toolchain.main()
    said = capsys.readouterr()
    assert said.out == "-r requirements-build.lock\n"
    assert "python3-dev" in said.err


def test_the_zig_lock_is_the_version_the_build_asks_for(toolchain) -> None:
    assert f"\n{toolchain.ZIGLANG} " in (ROOT / "requirements-zig.lock").read_text()


def test_make_alone_lists_the_verbs() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    said = subprocess.run(
        ["make", "-C", ROOT, "-s"], check=True, capture_output=True, text=True, env=environment
    ).stdout
    listed = re.findall(r"^ +make (\w+) +\S", said, re.MULTILINE)
    assert {"demo", "test", "check", "fix", "golden", "bench", "docs", "fuzz", "lab"} <= set(listed)
