"""The lock files pin everything by hash, agree with pyproject.toml and with each other, and name no registry."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pinned(lock: str) -> dict[str, str]:
    """Name and version of each requirement in a lock file."""
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def entries(text: str) -> list[str]:
    """Each requirement with its continuation lines."""
    return re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())


def test_there_are_locks_for_running_developing_and_building() -> None:
    assert [lock.name for lock in LOCKS] == [
        "requirements-build.lock",
        "requirements-dev.lock",
        "requirements-lab.lock",
        "requirements-zig.lock",
        "requirements.lock",
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_has_one_version_and_a_hash(lock: Path) -> None:
    for entry in entries(lock.read_text()):
        assert re.match(r"[A-Za-z0-9._-]+==\S+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_registry_is_named(lock: Path) -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host", lock.read_text())


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("requirements.lock", PROJECT["project"]["dependencies"]),
        ("requirements-dev.lock", PROJECT["project"]["dependencies"]),
        ("requirements-dev.lock", PROJECT["project"]["optional-dependencies"]["dev"]),
        ("requirements-build.lock", PROJECT["build-system"]["requires"]),
    ],
)
def test_the_lock_satisfies_pyproject(lock: str, requirements: list[str]) -> None:
    pins = pinned(lock)
    for requirement in map(Requirement, requirements):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_the_lab_runs_what_it_asks_for_beside_what_developers_run() -> None:
    lines = (ROOT / "pcaps/lab/requirements.txt").read_text().splitlines()
    lab, developers = pinned("requirements-lab.lock"), pinned("requirements-dev.lock")
    for requirement in (Requirement(line.partition("#")[0]) for line in lines):
        assert requirement.specifier.contains(lab[canonicalize_name(requirement.name)]), requirement
    assert {
        name: (lab[name], developers[name]) for name in lab.keys() & developers if lab[name] != developers[name]
    } == {}


def test_developers_run_the_versions_that_are_shipped() -> None:
    assert pinned("requirements.lock").items() <= pinned("requirements-dev.lock").items()


def test_the_store_is_the_last_version_with_extension_wheels() -> None:
    assert pinned("requirements.lock")["duckdb"] == "1.5.5"
