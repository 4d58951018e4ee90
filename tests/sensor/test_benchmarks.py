"""The benchmarks' workloads are what they say they are, and Spanward finds all that is planted in them."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from parsers.core import Attribute, Authentication, Certificate
from sensor.capture.pcapfile import CaptureFile
from sensor.engine import Engine
from sensor.pipeline import Pipeline
from sensor.sighting import Sighting
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.benchmarks.generate import facts_of, generate
from tests.benchmarks.measure import Run
from tests.benchmarks.peers import REPOSITORY, Outcome, Peer, planted
from tests.benchmarks.run import MUST, Row, table
from tests.benchmarks.wire import total
from tests.benchmarks.workloads import WORKLOADS
from tests.captures import packets

TINY = {"a": 0.01, "b": 0.002, "c": 0.002, "d": 0.01}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workloads")


def readings(path: Path) -> tuple[list[Sighting], dict[str, int]]:
    """Sightings of a capture, and the counters of engine and dispatch; a parser's bug is let through."""
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), bulkhead=False, engine=Engine(seed=1))
        found = list(pipeline.sightings())
        return found, json.loads(str(pipeline.summary()["counters"]))


def value_of(item: Sighting) -> str | None:
    fact = item.fact
    if isinstance(fact, Attribute):
        return fact.value
    if isinstance(fact, Authentication):
        return fact.principal
    return fact.subject_name if isinstance(fact, Certificate) else None


@pytest.mark.parametrize("name", WORKLOADS)
def test_all_that_is_planted_is_found(name: str, folder: Path) -> None:
    path = generate(name, TINY[name], folder)
    found, counters = readings(path)
    known = facts_of(path)
    assert counters["packets"] == known["packets"] > 0
    assert planted(known)
    assert set(planted(known)) <= {value_of(item) for item in found}
    assert not counters.get("lost_bytes")


def test_connections_differ_and_most_speak_the_newest_version(folder: Path) -> None:
    path = generate("b", TINY["b"], folder)
    known = facts_of(path)["counts"]
    hellos = [hello for data in frames(path) if (hello := client_hello(data))]
    assert len(hellos) == len({hello[11:43] for hello in hellos}) == known["tls"]
    shares = [hello.split(b"\x00\x33\x00\x26\x00\x24\x00\x1d\x00\x20", 1)[1][:32] for hello in hellos
              if b"\x00\x33\x00\x26\x00\x24\x00\x1d\x00\x20" in hello]  # fmt: skip
    assert len(shares) == len(set(shares)) == known["tls 1.3"] > known["tls"] // 2


def test_the_late_ones_are_in_the_last_tenth(folder: Path) -> None:
    path = generate("d", TINY["d"], folder)
    whose = [frozenset(layers(data)[0][at : at + 4] for at in (0, 4)) for data in frames(path)]
    late = set(planted(facts_of(path)))
    first = {value_of(item): item.frame for item in reversed(readings(path)[0])}
    for value in late:
        at = first[value] - 1
        talk = [number for number, ends in enumerate(whose) if ends == whose[at]]
        assert talk.index(at) > 0.9 * len(talk), value


@pytest.mark.parametrize("name", WORKLOADS)
def test_checksums_are_right(name: str, folder: Path) -> None:
    path = generate(name, TINY[name], folder)
    checked = [checksums_fit(data) for data in frames(path)[::7]]
    assert len(checked) > 100
    assert all(checked)


def test_the_same_seed_writes_the_same_capture(folder: Path, tmp_path: Path) -> None:
    assert generate("c", 0.001, folder).read_bytes() == generate("c", 0.001, tmp_path).read_bytes()


def test_a_capture_is_written_once(folder: Path) -> None:
    path = generate("c", 0.001, folder)
    written = path.stat().st_mtime_ns
    assert generate("c", 0.001, folder).stat().st_mtime_ns == written
    path.with_suffix(".json").write_text(json.dumps({"generator": "another"}))
    assert generate("c", 0.001, folder).stat().st_mtime_ns > written


def test_a_must_is_met_or_missed_in_words() -> None:
    def row(name: str, *ratios: float) -> Row:
        peer = Peer(name, lambda _: [], lambda *_: Outcome(None, {}))
        return Row(peer, [Run(2.0, 2.0, 10.0, None)], list(ratios), [Outcome(1, {"lines": 3})])

    known = {"packets": 1, "bytes": 1, "counts": {}, "planted": [{"values": ["x"]}]}
    must = MUST["p0f"]["a"]
    lines = list(table("a", [row("spanward"), row("p0f", 9.0, must, 0.1), row("p0f", 0.1), row("cat", 0.1)], known))
    assert [("met" in line, "missed" in line) for line in lines[3:]] == [
        (False, False), (True, False), (False, True), (False, False),
    ]  # fmt: skip
    assert "1 of 1" in lines[3]


@pytest.mark.skipif(
    sys.platform != "linux" or not (REPOSITORY / ".venv/bin/spanward").exists(), reason="needs Linux and `make`"
)
def test_side_by_side(tmp_path: Path) -> None:
    """The whole command, in a process of its own because it waits for every child: Spanward and cat."""
    absent = ["suricata", "p0f", "prads", "ndpireader", "nfstream", "tshark", "spanward with", "spanward facts"]
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.run",
        "c",
        "--scale",
        "0.001",
        "--rounds",
        "2",
        "--into",
        tmp_path,
    ]
    done = subprocess.run(
        [*command, "--start", "--without", *absent],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith(("| spanward |", "| cat |"))]
    assert [row[0] for row in rows] == ["| spanward", "| cat"]
    count = len(planted(facts_of(tmp_path / "c-0.001.pcap")))
    assert f"{count} of {count}" in rows[0]
    assert "0 parser_failures" in rows[0][-1]
    assert float(rows[0][1]) > float(rows[1][1])
    begun = [line.split(" | ") for line in done.stdout.splitlines() if "a single packet" in line]
    assert [row[0] for row in begun] == ["| spanward, a single packet", "| cat, a single packet"]
    assert float(begun[0][2]) > float(begun[1][2])
    assert (tmp_path / "table.md").read_text() == done.stdout
    assert not list(tmp_path.glob("spanward-bench-*"))


# ---------------------------------------------------------------------- frames


def frames(path: Path) -> list[bytes]:
    return [packet.data for packet in packets(path)[1]]


def layers(data: bytes) -> tuple[bytes, int, bytes]:
    """Pseudo header without length, protocol, and what follows the IP header."""
    at = 18 if data[12:14] == b"\x81\x00" else 14
    if data[at] >> 4 == 6:
        return data[at + 8 : at + 40], data[at + 6], data[at + 40 :]
    return data[at + 12 : at + 20], data[at + 9], data[at + 20 :]


def checksums_fit(data: bytes) -> bool:
    at = 18 if data[12:14] == b"\x81\x00" else 14
    addresses, protocol, segment = layers(data)
    ip_fits = data[at] >> 4 == 6 or total(data[at : at + 20]) == 0
    whole = addresses + struct.pack(">HH", protocol, len(segment)) + segment
    return ip_fits and total(whole) % 65535 == 0


def client_hello(data: bytes) -> bytes | None:
    _, protocol, segment = layers(data)
    payload = segment[(segment[12] >> 4) * 4 :] if protocol == 6 else b""
    return payload if payload[:1] == b"\x16" and payload[5:6] == b"\x01" else None
