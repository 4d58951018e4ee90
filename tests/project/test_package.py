"""What lies in the packages travels with them: tables, rules, SQL, templates."""

import subprocess
import tomllib
from pathlib import Path, PurePath

import pytest

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
STAYS_BEHIND = {".py", ".md"}  # code travels anyway, documents are for the checkout


def tracked(*folders: str) -> list[PurePath]:
    """The project's own files, not what lies about; the test is about a checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", *folders], check=True, capture_output=True, text=True)
    return [PurePath(name) for name in listed.stdout.splitlines()]


def test_every_data_file_travels() -> None:
    patterns = SETUPTOOLS["package-data"]["*"]
    data = [path for path in tracked("parsers", "sensor", "api") if path.suffix not in STAYS_BEHIND]
    assert data
    assert [path for path in data if not any(path.match(pattern) for pattern in patterns)] == []


@pytest.mark.parametrize("package", ["parsers", "sensor", "api"])
def test_the_types_are_announced(package: str) -> None:
    assert PurePath(package, "py.typed") in tracked(package)


def test_nothing_that_is_built_is_tracked() -> None:
    built = {".so", ".c", ".duckdb", ".wal", ".pyc", ".whl"}
    assert [path for path in tracked() if path.suffix in built] == []
