"""The hospital that the lab builds: every wing loads, and what they say together is no contradiction."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PCAPS

LAB = PCAPS / "lab"
TOLD = Path(__file__).with_name("told.py")
WINGS = sorted(path.stem.removeprefix("wing_") for path in LAB.glob("wing_*.py"))
NOT_HERE, OWN = 3, ("_", "wing_")  # what told.py says of a module, and how the lab names its own
REASON_WORDS = 3
RULE_ID = re.compile(r"[A-Z][A-Z0-9]*-\d{3}")
LISTED = re.compile(r"[a-z_]+\.\w+: .+ \(days [\d,]+\)")
OURS = {"addresses": [{"mac": "00:00:5e:00:53:01", "ip": "10.21.2.9", "first_day": 0, "last_day": 59}], "name": "old"}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    done = run(str(TOLD), str(LAB))
    if done.returncode == NOT_HERE and not done.stdout.startswith(OWN):
        pytest.skip(f"a wing needs {done.stdout.strip()}: pip install -r pcaps/lab/requirements.txt")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def clashes(devices: list[dict[str, Any]]) -> Iterator[str]:
    """Two machines that have one address on one day."""
    held = [(device["name"], address) for device in devices for address in device["addresses"]]
    for kind in ("mac", "ip"):
        having = [(name, address) for name, address in held if address[kind]]
        for (one, a), (other, b) in combinations(having, 2):
            same_day = a["first_day"] <= b["last_day"] and b["first_day"] <= a["last_day"]
            if one != other and a[kind].lower() == b[kind].lower() and same_day:
                yield f"{one} and {other} have {a[kind]}"


def test_the_command_lists_the_scenes(told: dict[str, Any]) -> None:
    done = run(str(LAB / "hospital.py"), "--list")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert {line.partition(":")[0] for line in lines} == told["scenes"].keys()
    assert [line for line in lines if not LISTED.fullmatch(line)] == []


def test_every_wing_does_something(told: dict[str, Any]) -> None:
    doing = {name.partition(".")[0] for name in [*told["scenes"], *told["openings"]]}
    assert [wing for wing in WINGS if wing not in doing] == []


def test_the_truth_speaks_of_machines_that_exist(told: dict[str, Any]) -> None:
    assert told["faults"] == []


def test_what_is_synthetic_says_why(told: dict[str, Any]) -> None:
    reasons = {name: scene["synthetic"] for name, scene in told["scenes"].items() if scene["synthetic"]}
    short = {name: why for name, why in reasons.items() if not isinstance(why, str) or len(why.split()) < REASON_WORDS}
    assert short == {}


def test_no_two_machines_have_one_address(told: dict[str, Any]) -> None:
    assert list(clashes(told["devices"])) == []


@pytest.mark.parametrize(
    ("changed", "count"),
    [
        ({"name": "new"}, 2),
        ({"name": "new", "first_day": 60, "last_day": 119}, 0),
        ({"name": "new", "first_day": 59, "last_day": 119, "mac": "00:00:5E:00:53:02"}, 1),
        ({}, 0),
    ],
)
def test_a_clash_is_two_machines_on_one_day(changed: dict[str, Any], count: int) -> None:
    theirs = {"name": changed.get("name", OURS["name"]), "addresses": [OURS["addresses"][0] | changed]}
    assert len(list(clashes([OURS, theirs]))) == count


def test_findings_have_an_id_and_their_days_are_in_order(told: dict[str, Any]) -> None:
    every = [*told["must"], *told["must_not"]]
    assert [found for found in every if not RULE_ID.fullmatch(found["rule"])] == []
    ends = [found for found in told["must"] if found["resolved_day"] is not None]
    assert [found for found in ends if found["resolved_day"] <= found["first_day"]] == []


def test_nothing_must_and_must_not_be_raised(told: dict[str, Any]) -> None:
    def about(found: dict[str, Any]) -> tuple[str, str, str]:
        return found["rule"], found["device"], found["identity"]

    assert {about(f) for f in told["must"]} & {about(f) for f in told["must_not"]} == set()
