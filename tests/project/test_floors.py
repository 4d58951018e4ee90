"""Three floors, arrows only downwards: held by import-linter, and the contracts are shown to fail."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ["parsers", "parsers/core", "sensor", "sensor/store", "sensor/engine", "api", "api/routes"]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter with the project's contracts, on the packages of a folder."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    return subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, env={"PYTHONPATH": str(folder)}
    )


@pytest.fixture(name="house")
def fixture_house(tmp_path: Path) -> Path:
    """An empty house with the floors and the rooms that the contracts name."""
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    for module in ("sensor/cli.py", "sensor/settings.py"):
        (tmp_path / module).touch()
    return tmp_path


def test_the_floors_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "imports"),
    [
        ("sensor/cli.py", "sensor.store"),
        ("api/routes/devices.py", "sensor.store"),
        ("api/app.py", "sensor.settings"),
        ("sensor/engine/loop.py", "parsers.core"),
        ("parsers/dicom.py", "parsers.core"),
    ],
)
def test_the_way_down_is_open(house: Path, module: str, imports: str) -> None:
    (house / module).write_text(f"import {imports}\n")
    result = lint(house)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "imports"),
    [
        ("parsers/dicom.py", "sensor.settings"),
        ("parsers/core/clock.py", "time"),
        ("parsers/dicom.py", "socket"),
        ("sensor/store/rows.py", "api.routes"),
        ("sensor/cli.py", "api.routes"),
        ("sensor/engine/loop.py", "sensor.cli"),
        ("api/app.py", "sensor.cli"),
        ("api/routes/live.py", "sensor.engine"),
        ("api/routes/facts.py", "parsers.core"),
    ],
)
def test_no_way_up_and_no_shortcut(house: Path, module: str, imports: str) -> None:
    (house / module).write_text(f"import {imports}\n")
    result = lint(house)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
