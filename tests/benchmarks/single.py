"""What is measured apart from the workloads: slope and memory of the bulk ten times over, and the time of starting."""

from __future__ import annotations

import statistics
import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.benchmarks.generate import facts_of
from tests.benchmarks.measure import Run, measure, settle, warm
from tests.benchmarks.peers import Peer

START_RUNS = 9
_SECOND = struct.Struct("<I")
START_PACKETS = 100
TIMES = 10
FLAT = 1.05
"""What two series of the same program's peaks differ by, as they are sampled."""


def slope(ours: Peer, cat: Peer, small: Path, large: Path, rounds: int, core: int) -> Iterator[str]:
    """CPU seconds for each further gigabyte of the capture, beside `cat`'s; and memory at both sizes."""
    more_gb = (large.stat().st_size - small.stat().st_size) / 1e9
    yield f"\n### a ten times over: {facts_of(large)['packets']:,} packets, {large.stat().st_size / 1e9:.1f} GB\n"
    yield "| program | CPU s, once | ten times | CPU s a further GB | memory MiB, once | ten times |"
    yield "|---|---|---|---|---|---|"
    slopes = []
    for peer in (cat, ours):
        once, ten = (_runs(peer, capture, rounds, core) for capture in (small, large))
        cpu_s = [statistics.median(run.cpu_s for run in runs) for runs in (once, ten)]
        memory = [max(run.memory_mib for run in runs) for runs in (once, ten)]
        slopes.append((cpu_s[1] - cpu_s[0]) / more_gb)
        yield (
            f"| {peer.name} | {cpu_s[0]:.2f} | {cpu_s[1]:.2f} | {slopes[-1]:.2f} | {memory[0]:.0f} | {memory[1]:.0f} |"
        )
    ratio = slopes[1] / slopes[0]
    yield f"\nSlope against `cat`'s: {ratio:.1f} (must 4: {'met' if ratio <= 4 else '**missed**'})."
    with tempfile.TemporaryDirectory(prefix="spanward-bench-", dir=small.parent) as folder:
        again = Path(folder) / "again.pcap"
        _repeat(small, TIMES, again)
        memory_mib = max(run.memory_mib for run in _runs(ours, again, rounds, core))
    flat = memory_mib <= FLAT * memory[0]
    verdict = "met" if flat else "**missed**"
    yield f"The same devices with all that they do ten times over: {memory_mib:.0f} MiB (must: as once: {verdict})."


def _runs(peer: Peer, capture: Path, rounds: int, core: int) -> list[Run]:
    runs = []
    settle(capture)
    for _ in range(rounds):
        warm(capture)
        runs.append(_once(peer.command(capture), core, peer.environment))
    return runs


def _once(command: Sequence[str], core: int, environment: Mapping[str, str]) -> Run:
    with tempfile.TemporaryDirectory(prefix="spanward-bench-") as folder:
        run = measure(command, Path(folder), core, environment)
    if run.error:
        raise SystemExit(f"{command[0]}: {run.error}")
    return run


def start_up(repository: Path, who: Sequence[Peer], capture: Path, core: int) -> Iterator[str]:
    """Help, a capture of a hundred packets into a new store; and of each program, a single packet.

    The modules are compiled before, as they are where Spanward is installed, also when the environment forbids Python
    to keep what it compiles.
    """
    program = str(repository / ".venv/bin/spanward")
    environment = {"SPANWARD_SITE_KEY": "key", "PYTHONDONTWRITEBYTECODE": ""}
    with tempfile.TemporaryDirectory(prefix="spanward-bench-") as folder:
        short = Path(folder) / "short.pcap"
        short.write_bytes(_first(capture.read_bytes(), START_PACKETS))
        shortest = Path(folder) / "shortest.pcap"  # Suricata calls an empty one an error
        shortest.write_bytes(_first(capture.read_bytes(), 1))
        read = [program, "read", str(short), "--store", "s.duckdb"]
        yield "\n### Starting\n\n| what | wall s | CPU s | memory MiB | must |\n|---|---|---|---|---|"
        yield _started("`spanward --help`", [program, "--help"], core, environment, 0.15)
        yield _started(f"{START_PACKETS} packets into a store", read, core, environment, 0.8)
        for peer in who:
            if not peer.once:
                yield _started(
                    f"{peer.name}, a single packet", peer.command(shortest), core, environment | dict(peer.environment)
                )


def _started(
    what: str, command: Sequence[str], core: int, environment: Mapping[str, str], must_s: float | None = None
) -> str:
    """A line: medians."""
    _once(command, core, environment)
    runs = [_once(command, core, environment) for _ in range(START_RUNS)]
    wall_s, cpu_s = (statistics.median(times) for times in zip(*((run.wall_s, run.cpu_s) for run in runs), strict=True))
    verdict = "" if must_s is None else f"{must_s}: {'met' if wall_s <= must_s else '**missed**'}"
    return f"| {what} | {wall_s:.3f} | {cpu_s:.3f} | {max(run.memory_mib for run in runs):.0f} | {verdict} |"


def _first(data: bytes, packets: int) -> bytes:
    """The first packets of a pcap file."""
    at = 24
    for _ in range(packets):
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    return data[:at]


def _repeat(capture: Path, times: int, path: Path) -> None:
    """The same packets so many times, each time a minute after the last one of the time before."""
    data = bytearray(capture.read_bytes())
    stamps = _stamps(data)
    later_s = _SECOND.unpack_from(data, stamps[-1])[0] - _SECOND.unpack_from(data, stamps[0])[0] + 60
    with path.open("wb") as file:
        file.write(data[:24])
        for _ in range(times):
            file.write(memoryview(data)[24:])
            for at in stamps:
                _SECOND.pack_into(data, at, _SECOND.unpack_from(data, at)[0] + later_s)


def _stamps(data: bytearray) -> list[int]:
    """Where each record of a pcap file begins, with its time in seconds."""
    found, at = [], 24
    while at < len(data):
        found.append(at)
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    return found
