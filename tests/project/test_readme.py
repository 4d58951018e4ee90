"""What the README shows an analyst is what the program says of the bundled capture."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sensor.store import Store
from tests.api.stores import client_of
from tests.conftest import ROOT

PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## What an analyst sees")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", SECTION, re.DOTALL)
CONSOLES = [text for kind, text in BLOCKS if kind == "console"]
ELLIPSIS = "..."


def spanward(store: Path, *arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPANWARD_", "COLUMNS"))}
    environment = kept | {"SPANWARD_STORE": str(store), "XDG_CONFIG_HOME": str(store.parent), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "sensor.cli", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def commands() -> list[tuple[list[str], list[str]]]:
    """Each `spanward` command of the page with the lines that the page shows of its output."""
    found: list[tuple[list[str], list[str]]] = []
    for line in "".join(CONSOLES).splitlines():
        if line.startswith("$ "):
            found.append((line[2:].split(), []))
        elif found:
            found[-1][1].append(line.rstrip())
    return [(command[1:], shown) for command, shown in found if command[0] == "spanward"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store that the page's first command makes."""
    path = tmp_path_factory.mktemp("readme") / "spanward.duckdb"
    read = [command for command, _ in commands() if command[0] == "read"]
    assert len(read) == 1
    spanward(path, *read[0])
    return path


def test_the_page_shows_a_device_and_a_finding() -> None:
    assert [command[0] for command, _ in commands()] == ["read", "show", "explain"]


@pytest.mark.parametrize(("command", "shown"), commands(), ids=lambda part: part[0] if part else "nothing")
def test_what_commands_print(store: Path, command: list[str], shown: list[str]) -> None:
    """Line by line; where the page has an ellipsis, any lines may stand."""
    if not any(shown):
        return
    printed = [line.rstrip() for line in spanward(store, *command).splitlines()]
    pattern = "\n".join(".*" if line == ELLIPSIS else re.escape(line) for line in shown if line)
    assert re.search(f"^{pattern}$", "\n".join(line for line in printed if line), re.DOTALL | re.MULTILINE)


def test_what_the_query_finds(store: Path) -> None:
    query = next(text for kind, text in BLOCKS if kind == "sql")
    table = next(text for kind, text in BLOCKS if not kind).splitlines()
    shown = [tuple(re.split(r" {2,}", line.strip())) for line in table[1:]]
    with duckdb.connect(str(store), read_only=True) as connection:
        answer = connection.execute(query)
        columns = tuple(column[0] for column in answer.description or ())
        found = [tuple(map(str, row)) for row in answer.fetchall()]
    assert tuple(table[0].split()) == columns
    assert shown == found


def within(shown: Any, found: Any) -> bool:
    """Whether `found` has all that is shown of it."""
    if isinstance(shown, dict):
        return all(name in found and within(value, found[name]) for name, value in shown.items())
    if isinstance(shown, list):
        return len(shown) == len(found) and all(map(within, shown, found))
    return bool(shown == found)


def test_what_the_feed_says(store: Path) -> None:
    url = re.search(r"'http://127\.0\.0\.1:8470(/v1/findings/feed\S*)'", SECTION)
    assert url is not None
    shown = json.loads(next(text for kind, text in BLOCKS if kind == "json"))
    with Store.open(store, read_only=True) as opened, client_of(opened) as client:
        answer = client.get(url[1]).json()
    assert answer.pop("cursor")
    assert shown.pop("cursor")
    assert within(shown, answer)
