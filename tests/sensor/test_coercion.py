"""The plain way of arguments says the same as Typer's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from sensor import cli
from sensor.commands.coercion import plain_first
from tests.conftest import ROOT

LINES = [
    ["read", "a.pcap", "-", "--store", "s.duckdb"],
    ["read", "a.pcap", "--format", "json"],
    ["read", "a.pcap", "--format", "jsn"],
    ["read", "a.pcap", "--as-of", "2026-01-02T03:04:05"],
    ["read", "a.pcap", "--as-of", "yesterday"],
    ["read", "a.pcap", "--store", "hidden"],
    ["read"],
    ["list", "devices"],
    ["list", "things"],
    ["show", "10.0.0.1"],
    ["run", "-i", "eth0", "-i", "eth1", "--workers", "4"],
    ["run", "-i", "eth0", "--workers", "0"],
    ["run", "-r", "folder"],
    ["run", "-i", "eth0", "--source", "libpcap"],
    ["run", "-i", "eth0", "--source", "telepathy"],
    ["demo", "--once"],
]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_arguments_are_what_typer_makes_of_them(
    line: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hidden").write_text("")
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).name != "hidden")
    ours, theirs = (parsed(line, prepare) for prepare in (plain_first, lambda _command: None))
    assert ours == theirs


VALUES = [
    "",
    "0",
    "-1",
    "2.5",
    "eth0",
    "10.0.0.1:80",
    "2026-01-02T03:04:05",
    "table",
    "devices",
    "libpcap",
    "missing/x",
]


def params(command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, object]]:
    """All that a command and those within take, by name."""
    yield from ((" ".join([*path, param.name]), param) for param in command.params)
    for name, inner in getattr(command, "commands", {}).items():
        yield from params(inner, (*path, name))


def test_every_parameter_of_every_command_takes_what_it_takes_of_typer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ours, theirs = typer.main.get_command(cli.app), typer.main.get_command(cli.app)
    plain_first(ours)
    pairs = list(zip(params(ours), params(theirs), strict=True))
    assert {"run source", "read captures", "list form"} <= {name for (name, _), _ in pairs}
    for (name, param), (_, other) in pairs:
        for value in VALUES if not getattr(param, "is_flag", False) else [True, False]:
            given = [value] if param.multiple or param.nargs == -1 else value
            assert coerced(param, given) == coerced(other, given), (name, given)


def coerced(param, value: object) -> object:
    """The value that it stands for, with its type; or the complaint about it."""
    context = typer.Context(typer.main.get_command(cli.app))
    try:
        value = param.process_value(context, value)
    except typer.exceptions.TyperException as error:
        return type(error), error.format_message()
    return type(value), value


def parsed(line: list[str], prepare) -> object:
    """Values of a command line, with their types; or the complaint about it."""
    group = typer.main.get_command(cli.app)
    prepare(group)
    command = group.commands[line[0]]
    try:
        with command.make_context(line[0], line[1:]) as context:
            return {name: (type(value), value) for name, value in context.params.items()}
    except typer.exceptions.TyperException as error:
        return type(error), error.format_message()


def test_a_reading_imports_no_pydantic_no_arrow_and_no_numbers(tmp_path: Path) -> None:
    """Each of these takes 40 to 100 ms."""
    capture = ROOT / "pcaps/mixed/morning.pcap"
    code = (
        "import sys; from sensor.cli import run; "
        f"assert run(['read', {str(capture)!r}, '--store', 's.duckdb']) == 0; "
        "print(sorted({'pydantic', 'pyarrow', 'numpy', 'netaddr', 'rich.progress'} & {*sys.modules}),"
        " file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SPANWARD_SITE_KEY": str(tmp_path / "key")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "[]\n"
