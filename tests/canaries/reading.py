"""`spanward` as a program of its own, and everything that it leaves behind as bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

from sensor.sitekey import SiteKey
from sensor.store import Store
from tests.canaries.needles import PLANTED
from tests.conftest import ROOT

DEADLINE_S = 120
STORE, KEY = "s.duckdb", "site.key"


class Reading(NamedTuple):
    """A store with what the command that made it said; `folder` is home, temporary folder and place of the store."""

    folder: Path
    stdout: bytes
    stderr: bytes

    @property
    def store(self) -> Path:
        """The store."""
        return self.folder / STORE


def own_key() -> SiteKey:
    """A key that is not the one of the tests, and the same in every run: digests may not hit a date by chance."""
    return SiteKey(hashlib.sha256(b"the site of the canaries").digest(), 7)


def environment(folder: Path, *, loud: bool = False) -> dict[str, str]:
    """Everything goes into `folder`; when `loud`, Python says all that it can, and takes twice the time."""
    places = {"HOME": folder, "TMPDIR": folder, "XDG_CONFIG_HOME": folder, "SPANWARD_SITE_KEY": folder / KEY}
    said = {"PYTHONWARNINGS": "default", "PYTHONFAULTHANDLER": "1", "PYTHONPATH": str(ROOT)}
    more = {"PYTHONDEVMODE": "1"} if loud else {}
    return {**os.environ, **{name: str(path) for name, path in places.items()}, **said, **more}


def spanward(folder: Path, *arguments: object, loud: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "sensor.cli", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, check=False, cwd=folder, env=environment(folder, loud=loud), timeout=DEADLINE_S
    )


def read_everything(folder: Path) -> Reading:
    """Read every capture with canaries into a store in `folder`."""
    done = spanward(folder, "read", *PLANTED, "--store", folder / STORE, loud=True)
    assert done.returncode == 0, done.stderr.decode()
    return Reading(folder, done.stdout, done.stderr)


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below `folder`, but for the site key, whose bytes are chance."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != KEY:
            yield str(path.relative_to(folder)), path.read_bytes()


def dumped(store: Path) -> Iterator[tuple[str, bytes]]:
    """Every table and view of a store as text: in the file their values are compressed."""
    with Store.open(store, read_only=True) as opened:
        cursor = opened.cursor()
        for schema, name in relations(cursor):
            rows = cursor.execute(f'SELECT * FROM "{schema}"."{name}"').fetchall()
            yield name, b"\n".join(_bytes(value) for row in rows for value in row)
        cursor.close()


def relations(cursor: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Schema and name of all tables and views that are ours."""
    return cursor.execute(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_catalog NOT IN ('system', 'temp') ORDER BY ALL"
    ).fetchall()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
