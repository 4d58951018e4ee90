"""Our facts against tshark's, per field and endpoint. What remains stands in differences_*.csv, with reasons."""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest

from sensor.capture.pcapfile import CaptureError
from tests.agreement.readings import HERE, Reading, live, load_oracle, oracle, ours, table
from tests.captures import own_captures
from tests.conftest import SHARED_PCAPS


class Difference(NamedTuple):
    """tshark and we do not say the same of one field of one endpoint."""

    file: str
    field: str
    endpoint: str
    tshark: frozenset[str]
    ours: frozenset[str]


class Reviewed(NamedTuple):
    """A line of differences.csv: patterns, and why ours is right (or what is still to come)."""

    file: str
    field: str
    endpoint: str
    why: str

    def covers(self, difference: Difference) -> bool:
        return (
            fnmatchcase(difference.file, self.file)
            and fnmatchcase(difference.field, self.field)
            and fnmatchcase(difference.endpoint, self.endpoint)
        )


def reviewed(kind: str) -> list[Reviewed]:
    lines = (line for line in (HERE / f"differences_{kind}.csv").read_text().splitlines() if line and line[0] != "#")
    return [Reviewed(**row) for row in csv.DictReader(lines)]


def compare(
    file: str, theirs: Reading, mine: Reading, fields: set[str], tally: Counter[tuple[str, str]]
) -> list[Difference]:
    found = []
    for endpoint, field in sorted(theirs.keys() | mine.keys()):
        if field not in fields:
            continue
        said, say = theirs.get((endpoint, field), set()), mine.get((endpoint, field), set())
        tally[field, "equal" if said == say else "different"] += 1
        if said != say:
            found.append(Difference(file, field, endpoint, frozenset(said), frozenset(say)))
    return found


def report(tally: Counter[tuple[str, str]]) -> str:
    lines = [f"{'field':50} {'equal':>6} {'different':>9}"]
    fields = sorted({field for field, _ in tally})
    lines += [f"{field:50} {tally[field, 'equal']:6} {tally[field, 'different']:9}" for field in fields]
    return "\n".join(lines)


def judge(found: list[Difference], known: list[Reviewed]) -> None:
    unexplained = [d for d in found if not any(line.covers(d) for line in known)]
    stale = [line for line in known if not any(line.covers(d) for d in found)]
    assert unexplained == [], "\n".join(
        f"{d.file} {d.field} {d.endpoint}: tshark {sorted(d.tshark)}, ours {sorted(d.ours)}" for d in unexplained
    )
    assert stale == [], f"no longer a difference: {stale}"


def test_agreement_with_recorded_readings(shared_pcaps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = {row.tshark_field for row in table() if row.section != "live"}
    tally: Counter[tuple[str, str]] = Counter()
    found = []
    for name, record in load_oracle(shared_pcaps / "ORACLE.jsonl").items():
        theirs = oracle(record)
        try:
            mine = ours(SHARED_PCAPS / name, section_live=False)
        except CaptureError:
            mine = {}
        found += compare(name, theirs, mine, fields if theirs else set(), tally)
    with capsys.disabled():
        print(f"\n{report(tally)}")
    judge(found, reviewed("recorded"))


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_agreement_on_own_captures(capsys: pytest.CaptureFixture[str]) -> None:
    fields = {row.tshark_field for row in table() if row.section == "live"}
    tally: Counter[tuple[str, str]] = Counter()
    found = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        readings = pool.map(live, own_captures())
    for path, theirs in zip(own_captures(), readings, strict=True):
        found += compare(f"{path.parent.name}/{path.name}", theirs, ours(path, section_live=True), fields, tally)
    with capsys.disabled():
        print(f"\n{report(tally)}")
    judge(found, reviewed("own"))
