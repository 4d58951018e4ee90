"""Very many flows at a time, of the kinds of workload c: ``python -m tests.benchmarks.many_flows --flows 2000000``.

Every flow is begun before the first one goes on, so that all are alive at the same time. Frames are made on the way,
and nothing is written. Prints the most resident memory of a worker with this limit (`--memory`, MiB; the whole
process), and what was counted: first for the engine alone, then for all that a worker does, which is sessions of every
parser, fold, and batches as they go to the recorder. Each in a process of its own. `--every 10` leaves HL7 alone.

Exit status: 1 when the limit did not hold.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import multiprocessing
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from parsers.core import Registry
from sensor.budget import DEFAULT_MIB, Budget
from sensor.capture.pcapfile import CaptureStream
from sensor.collector import collect_never
from sensor.engine import DATA, DATAGRAM, NEED, Engine
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey
from sensor.wire import table_pieces
from tests.benchmarks.wire import START_US
from tests.benchmarks.workloads import frames_of_small

ROUNDS = 2
ROUND_FRAMES = 4
CHUNK_FRAMES = 4_000
ID_BYTES = 1 << 20
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
ENGINE_SAYS = ("packets", "flows", "evicted_flows", "rows_in_use", "held_bytes", "evicted_buffers", "probes")
WORKER_SAYS = (
    *("packets", "flows", "evicted_flows", "evicted_sessions", "evicted_session_bytes", "evicted_facts"),
    *("evicted_buffers", "rows_lost", "runs_known"),
)
_RECORD = struct.Struct("<IIII")


def frames(flows: int, every: int = 1) -> Iterator[bytes]:
    """A few frames of each flow, then a few more of each."""
    for turn in range(ROUNDS):
        for number in range(flows):
            said = frames_of_small(every * number)
            yield from itertools.islice(said, turn * ROUND_FRAMES, (turn + 1) * ROUND_FRAMES)


def records(flows: int, every: int) -> Iterator[bytes]:
    """The frames as records of a pcap file, ten microseconds apart, some thousands together."""
    held: list[bytes] = []
    for number, frame in enumerate(frames(flows, every)):
        second, us = divmod(START_US + 10 * number, 1_000_000)
        held += (_RECORD.pack(second, us, len(frame), len(frame)), frame)
        if len(held) >= 2 * CHUNK_FRAMES:
            yield b"".join(held)
            held = []
    yield b"".join(held)


class Made(io.RawIOBase):
    """The capture, made while it is read."""

    def __init__(self, flows: int, every: int) -> None:
        self._chunks = itertools.chain((HEADER,), records(flows, every))
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        self._rest = self._rest or next(self._chunks, b"")
        given, self._rest = self._rest[: len(target)], self._rest[len(target) :]
        target[: len(given)] = given
        return len(given)


def most_mib() -> float:
    """The most memory that was ever resident."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def report(counters: dict[str, int], names: tuple[str, ...]) -> None:
    said = ", ".join(f"{name} {counters.get(name, 0):,}" for name in names)
    sys.stdout.write(f"  {most_mib():.0f} MiB at most; {said}\n")
    sys.stdout.flush()


def engine_alone(flows: int, every: int, memory_mib: int) -> None:
    """Nobody asks for anything; every event is taken."""
    budget = Budget.of(memory_mib)
    engine = Engine(flows=budget.flows, buffer_bytes=budget.buffer_bytes, seed=1)
    engine.pcap(False, False, 1)
    for chunk in records(flows, every):
        engine.load(bytearray(chunk), 0, len(chunk))
        while (event := engine.step()) != NEED:
            if event in {DATA, DATAGRAM}:
                engine.take()
    report(engine.counters(), ENGINE_SAYS)


def whole_worker(flows: int, every: int, memory_mib: int) -> None:
    """As a worker does it; what would go to the recorder is thrown away."""
    Registry.installed()
    collect_never()
    before_mib = most_mib()
    made, rows = cast("BinaryIO", Made(flows, every)), 0
    with CaptureStream(made, id_bytes=ID_BYTES) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), budget=Budget.of(memory_mib), bulkhead=False)
        for batch in pipeline.batches():
            for name, part in batch.parts:
                rows += part.row_count
                table_pieces(name, part)
        report(json.loads(str(pipeline.summary()["counters"])), WORKER_SAYS)
    sys.stdout.write(f"  {before_mib:.0f} MiB before; {rows:,} rows\n")
    raise SystemExit(most_mib() > memory_mib)


def main() -> None:
    """Both readings, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.many_flows", description=__doc__.splitlines()[0])
    parser.add_argument("--flows", type=int, default=2_000_000)
    parser.add_argument("--memory", type=int, default=DEFAULT_MIB)
    parser.add_argument("--every", type=int, default=1)
    asked = parser.parse_args()
    for reading in (engine_alone, whole_worker):
        sys.stdout.write(f"{reading.__name__}: {asked.flows:,} flows at a time, {asked.memory:,} MiB\n")
        sys.stdout.flush()
        given = asked.flows, asked.every, asked.memory
        process = multiprocessing.get_context("spawn").Process(target=reading, args=given)
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"{reading.__name__}: the limit did not hold, or it failed")


if __name__ == "__main__":
    main()
