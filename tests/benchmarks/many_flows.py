"""Very many flows at a time, of the kinds of workload c: ``python -m tests.benchmarks.many_flows --flows 2000000``.

Every flow is begun before the first one goes on, so that all are alive at the same time. Frames are made on the way and
nothing is written. Prints resident memory and what the engine counted, first for the engine alone, then with sessions
(dispatch and every parser), each in a process of its own. `--table` is the size of the engine's table.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import multiprocessing
import resource
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sized
from pathlib import Path

from parsers.core import Registry
from sensor.dispatch import Dispatcher
from sensor.engine import DATA, DATAGRAM, FLOWS, FULL, NEED, Engine
from sensor.pipeline import calm_collector
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.benchmarks.wire import START_US
from tests.benchmarks.workloads import frames_of_small

ROUNDS = 2
ROUND_FRAMES = 4
CHUNK_FRAMES = 4_000
MIB = 1 << 20
_RECORD = struct.Struct("<IIII")


def frames(flows: int) -> Iterator[bytes]:
    """A few frames of each flow, then a few more of each."""
    for turn in range(ROUNDS):
        for number in range(flows):
            yield from itertools.islice(frames_of_small(number), turn * ROUND_FRAMES, (turn + 1) * ROUND_FRAMES)


def records(flows: int) -> Iterator[bytes]:
    """The frames as records of a pcap file, ten microseconds apart, some thousands together."""
    held: list[bytes] = []
    for number, frame in enumerate(frames(flows)):
        second, us = divmod(START_US + 10 * number, 1_000_000)
        held += (_RECORD.pack(second, us, len(frame), len(frame)), frame)
        if len(held) >= 2 * CHUNK_FRAMES:
            yield b"".join(held)
            held = []
    yield b"".join(held)


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / MIB


class Reading:
    """One reading; remembers the most memory that it saw, and how many flows there were then."""

    def __init__(self, flows: int, table: int) -> None:
        self.engine = Engine(flows=table, seed=1)
        self.flows = flows
        self.before_mib = self.most_mib = resident_mib()
        self.most_sessions = 0
        self.sessions: Sized = ()

    def pump(self, engine: Engine, step: Callable[[], int]) -> Iterator[int]:
        engine.pcap(False, False, 1)
        for number, chunk in enumerate(records(self.flows)):
            engine.load(bytearray(chunk), 0, len(chunk))
            while (event := step()) != NEED:
                yield event
            if number % 20 == 0:
                self.most_mib = max(self.most_mib, resident_mib())
                self.most_sessions = max(self.most_sessions, len(self.sessions))
        self._report()
        engine.finish()
        while (event := step()) != NEED:
            yield event

    def _report(self) -> None:
        counters = self.engine.counters()
        names = ("packets", "flows", "evicted_flows", "rows_in_use", "held_bytes", "evicted_bytes", "probes")
        said = ", ".join(f"{name} {counters[name]:,}" for name in names)
        more = self.most_mib - self.before_mib
        sessions = f", flows in dispatch at most {self.most_sessions:,}" if self.most_sessions else ""
        sys.stdout.write(f"  {self.before_mib:.0f} MiB before, {more:.0f} more at most{sessions}; {said}\n")
        sys.stdout.flush()


def engine_alone(flows: int, table: int) -> None:
    """Nobody asks for anything; every event is taken."""
    reading = Reading(flows, table)
    for event in reading.pump(reading.engine, reading.engine.step):
        if event in {DATA, DATAGRAM}:
            reading.engine.take()


def with_sessions(flows: int, table: int) -> None:
    """As the pipeline does it, facts thrown away."""
    registry = Registry.installed()
    calm_collector()
    reading = Reading(flows, table)
    said: Counter[str] = Counter()
    dispatcher = Dispatcher(
        reading.engine, registry, Site(), SiteKey.test(), lambda _: said.update(times=1), flows=table, bulkhead=False
    )
    reading.engine.mark_responders(port for protocol in registry.protocols for port in protocol.port_hints)
    reading.sessions = dispatcher.flows
    for event in dispatcher.run(reading.pump):
        if event == FULL:
            reading.engine.take_days()
    gc.collect()
    gone = dispatcher.counters.get("evicted_sessions", 0)
    left = f"{len(reading.sessions)} flows left in dispatch, {resident_mib():.0f} MiB"
    sys.stdout.write(f"  {said['times']:,} times something was said; {gone:,} sessions evicted; {left}\n")


def main() -> None:
    """Both readings, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.many_flows", description=__doc__.splitlines()[0])
    parser.add_argument("--flows", type=int, default=2_000_000)
    parser.add_argument("--table", type=int, default=FLOWS)
    asked = parser.parse_args()
    for reading in (engine_alone, with_sessions):
        sys.stdout.write(f"{reading.__name__}: {asked.flows:,} flows at a time, a table of {asked.table:,}\n")
        sys.stdout.flush()
        process = multiprocessing.get_context("spawn").Process(target=reading, args=(asked.flows, asked.table))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"{reading.__name__} failed")


if __name__ == "__main__":
    main()
