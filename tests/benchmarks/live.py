"""Spanward and Suricata on a wire: ``make bench-live ARGS="a b"``, or ``python -m tests.benchmarks.live``; root, Linux.

Two network namespaces, a virtual cable between them; tcpreplay plays a workload into one end from one core, a listener
has the other end and another core. Each round of the capture has other addresses, so that its conversations are new.

Each listener hears the workload as fast as tcpreplay can, for `--minutes`; then the highest rate is looked for at which
it loses nothing, and at that rate it hears whole rounds for `--minutes` again. Spanward's keys of facts are compared
with those that it reads from the file.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.generate import cache_folder, facts_of, generate
from tests.benchmarks.listeners import Heard, Listener, Seen, compare, running, spanward, suricata
from tests.benchmarks.measure import measure
from tests.benchmarks.peers import absent, suricata_name
from tests.benchmarks.peers import spanward as readers
from tests.benchmarks.run import Out, machine
from tests.benchmarks.workloads import WORKLOADS
from tests.live.mirror import Mirror, inside

MARGIN = 1.2
"""The search ends when the highest rate without loss and the lowest with are so close."""
LEAST_PPS = 500
PACE_S = 10
"""How fast tcpreplay can, with somebody listening, is found out for so long."""
_SENT = re.compile(r"Actual: (\d+) packets \((\d+) bytes\) sent in ([\d.]+) seconds")


class Sent(NamedTuple):
    """What tcpreplay has played."""

    packets: int
    byte_count: int
    seconds: float

    @property
    def pps(self) -> float:
        """Packets a second."""
        return self.packets / max(self.seconds, 1e-3)


class Run(NamedTuple):
    """One listener, one rate. `keys`: in the file, missing, besides; None where they are not compared."""

    name: str
    sent: Sent
    heard: Heard
    seen: Seen
    keys: tuple[int, int, int] | None

    @property
    def dropped(self) -> int:
        """Packets that were sent and not looked at."""
        return max(self.seen.dropped, self.sent.packets - self.seen.packets)

    @property
    def whole(self) -> bool:
        """Nothing was lost or left out."""
        return not self.dropped and not self.seen.shed


class Bench:
    """A cable with a workload.

    Args:
        capture: the workload.
        cores: of the sender, of the listener.
        priority: of both, as nice(1) has it.
        file: the store of what Spanward reads from the capture.
    """

    def __init__(self, mirror: Mirror, capture: Path, cores: tuple[int, int], file: Path, priority: int = 0) -> None:
        self._mirror = mirror
        self._capture = capture
        self._cores = cores
        self._file = file
        self._priority = priority
        self._round = int(facts_of(capture)["packets"])

    def fastest(self, listener: Listener, seconds: float) -> Run:
        """As fast as tcpreplay can, whole rounds: a conversation that is cut off ends otherwise than in the file."""
        pace = self._hear(listener, ["--topspeed", f"--duration={PACE_S}", "--loop=1000000"]).sent.pps
        return self._hear(listener, ["--topspeed", f"--loop={self._rounds(pace, seconds)}"])

    def at(self, listener: Listener, pps: float, seconds: float) -> Run:
        """At a rate, whole rounds, for so long at least."""
        return self._hear(listener, [f"--pps={int(pps)}", f"--loop={self._rounds(pps, seconds)}"])

    def without_loss(self, listener: Listener, first: Run, seconds: float) -> float:
        """The highest rate found at which nothing is lost or left out, in packets a second."""
        if first.whole:
            return first.sent.pps
        lossy, whole = first.sent.pps, 0.0
        # what it has managed while it lost packets is the first guess
        guess = max(LEAST_PPS, 0.9 * first.seen.packets / (first.sent.seconds + first.heard.drain_s))
        while whole == 0 or lossy / whole > MARGIN:
            run = self.at(listener, guess, seconds)
            if run.whole:
                whole = guess
            else:
                lossy = guess
            if lossy <= LEAST_PPS:
                return lossy
            guess = math.sqrt(lossy * whole) if whole else max(LEAST_PPS, lossy / 2)
        return whole

    def proven(self, listener: Listener, pps: float, seconds: float) -> Run:
        """That rate for longer, or a lower one where it was too much."""
        run = self.at(listener, pps, seconds)
        while not run.whole and pps > LEAST_PPS:
            pps /= MARGIN
            run = self.at(listener, pps, seconds)
        return run

    def _rounds(self, pps: float, seconds: float) -> int:
        """Of the capture, that take so long at least."""
        return max(1, math.ceil(pps * seconds / self._round))

    def _hear(self, listener: Listener, how: list[str]) -> Run:
        with tempfile.TemporaryDirectory(prefix="spanward-bench-", dir=self._capture.parent) as name:
            folder = Path(name)
            start = running(listener, self._mirror.name, folder, self._prefix(1))
            with inside(self._mirror.receiver), start as work:
                sent = self._play(how)
                heard = work.end()
            if heard.error:
                raise SystemExit(f"{listener.name}: {heard.error}")
            store = folder / "s.duckdb"
            keys = compare(store, self._file) if store.exists() else None
            run = Run(listener.name, sent, heard, listener.seen(folder), keys)
        sys.stderr.write(f"  {self._capture.stem} {run.name} {' '.join(how)}: {run.dropped} lost {run.seen.shed}\n")
        return run

    def _prefix(self, place: int) -> list[str]:
        """A core of its own, and its priority."""
        return ["taskset", "-c", str(self._cores[place]), "nice", "-n", str(self._priority)]

    def _play(self, how: list[str]) -> Sent:
        command = [
            "ip", "netns", "exec", self._mirror.sender, *self._prefix(0),
            "tcpreplay", "--quiet", "--preload-pcap", "--unique-ip", "-i", "source", *how, str(self._capture),
        ]  # fmt: skip
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = _SENT.search(said)
        if found is None:
            raise SystemExit(f"tcpreplay says something else than it used to: {said[-400:]}")
        return Sent(int(found[1]), int(found[2]), float(found[3]))


@contextmanager
def cable() -> Iterator[Mirror]:
    """Namespaces and interfaces, gone afterwards."""
    mirror = Mirror(os.getpid())
    try:
        mirror.make()
        mirror.switch("up", "lo")
        yield mirror
    finally:
        mirror.remove()


def read_file(capture: Path, core: int, into: Path) -> Path:
    """The store of what Spanward reads from the file."""
    reader = readers(Path(__file__).parents[2])[0]
    run = measure(reader.command(capture), into, core, reader.environment)
    if run.error:
        raise SystemExit(f"reading {capture}: {run.error}")
    return into / "s.duckdb"


# ---------------------------------------------------------------------- the table

HEAD = (
    "| program | offered | packets | kpps | Mbit/s | lost | shed | missing | besides | CPU s | µs each | MiB | end s |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
)


def line(run: Run, offered: str) -> str:
    """A row."""
    sent, seen = run.sent, run.seen
    share = f" ({run.dropped / sent.packets:.1%})" if run.dropped else ""
    missing, besides = ("", "") if run.keys is None else (f"{run.keys[1]:,} of {run.keys[0]:,}", f"{run.keys[2]:,}")
    cells = (
        run.name, offered, f"{sent.packets:,}", f"{sent.pps / 1e3:.1f}",
        f"{sent.byte_count * 8 / 1e6 / max(sent.seconds, 1e-3):,.0f}", f"{run.dropped:,}{share}", seen.shed or "no",
        missing, besides, f"{run.heard.cpu_s:.1f}", f"{run.heard.cpu_s * 1e6 / max(1, seen.packets):.2f}",
        f"{run.heard.memory_mib:.0f}", f"{run.heard.drain_s:.1f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, print the table, and write it to a file."""
    chosen = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # as after Ctrl-C, namespaces and programs are taken away
    who = _who(chosen)
    cores = (0, (os.cpu_count() or 1) - 1)
    into: Path = chosen.into
    with Out(chosen.table or into / "live.md") as out:
        for listener in who:
            if listener.missing:
                out(f"{listener.name} is left out: {listener.missing}.")
        for workload in chosen.workloads:
            capture = generate(workload, chosen.scale, into)
            with tempfile.TemporaryDirectory(prefix="spanward-bench-", dir=into) as name:
                file = read_file(capture, cores[1], Path(name))
                out(f"\n### {workload}\n")
                for head in HEAD:
                    out(head)
                for row in _rows(chosen, capture, cores, file, [one for one in who if not one.missing]):
                    out(row)
        out(f"\n{machine()}.")


def _rows(
    chosen: argparse.Namespace, capture: Path, cores: tuple[int, int], file: Path, who: list[Listener]
) -> Iterator[str]:
    seconds = chosen.minutes * 60
    with cable() as mirror:
        bench = Bench(mirror, capture, cores, file, chosen.nice)
        for listener in who:
            first = bench.fastest(listener, seconds)
            yield line(first, "all it can")
            if not first.whole and chosen.trial_s:
                yield line(
                    bench.proven(listener, bench.without_loss(listener, first, chosen.trial_s), seconds), "without loss"
                )


def _who(chosen: argparse.Namespace) -> list[Listener]:
    peers = [suricata(one, suricata_name(one), absent(one, "suricata")) for one in chosen.suricata or ("suricata",)]
    alone, product = spanward(chosen.source)
    return [alone, *([product] if chosen.product else []), *([] if chosen.alone else peers)]


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="make bench-live", description="Speed on a wire.")
    options.add_argument("workloads", nargs="*", default=list(WORKLOADS), metavar="WORKLOAD", help="a b c d")
    options.add_argument("--minutes", type=float, default=1.0, help="of each run that is reported")
    options.add_argument(
        "--trial-s", type=float, default=20.0, help="of each run of the search for a rate; 0: no search"
    )
    options.add_argument("--scale", type=float, default=1.0, help="number of conversations in a round")
    options.add_argument("--source", choices=("afpacket", "libpcap"), default="afpacket", help="how Spanward taps")
    options.add_argument("--product", action="store_true", help="also spanward run -i, with inference and API")
    options.add_argument("--alone", action="store_true", help="no peers")
    options.add_argument(
        "--nice", type=int, default=0, help="priority of sender and listener on a busy machine, -20 to 19"
    )
    options.add_argument("--suricata", action="append", metavar="PROGRAM", help="one of several versions")
    options.add_argument("--into", type=Path, default=cache_folder(), metavar="FOLDER", help="generated captures")
    options.add_argument("--table", type=Path, metavar="FILE", help="default: live.md beside the captures")
    chosen = options.parse_args()
    if unknown := set(chosen.workloads) - set(WORKLOADS):
        options.error(f"no such workload: {', '.join(sorted(unknown))}")
    if os.geteuid() != 0 or sys.platform != "linux":
        options.error("needs root on Linux, to make network namespaces")
    if missing := absent("tcpreplay", "tcpreplay"):
        options.error(missing)
    return chosen


if __name__ == "__main__":
    main()
