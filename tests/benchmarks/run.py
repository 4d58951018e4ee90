"""Spanward and its peers side by side: ``make bench ARGS="a b --pairs 3"``, or ``python -m tests.benchmarks.run``.

A round runs Spanward, then every peer, all on one core; with `--strict` Spanward runs again before each peer (A B A B).
A ratio is the CPU time of the peer over that of Spanward's last run before it: above 1, Spanward is faster. What stands
in the table is the median of the rounds. `--repo DIR` measures another checkout of Spanward beside this one.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.benchmarks.generate import cache_folder, facts_of, generate
from tests.benchmarks.measure import Run, adopt, measure, settle, warm
from tests.benchmarks.peers import REPOSITORY, Outcome, Peer, peers, planted, spanward
from tests.benchmarks.single import slope, start_up
from tests.benchmarks.workloads import WORKLOADS

# Ratios that Spanward must reach, by workload and by how a peer's name begins.
MUST = {
    "Suricata": {"a": 2.5, "b": 2.0, "c": 2.5},
    "NFStream": {"a": 8.0, "b": 5.0, "c": 8.0},
    "ndpiReader": {"a": 1.5, "b": 1.5, "c": 5.0},
    "p0f": {"a": 0.8, "b": 1.2, "c": 0.6},
    "tshark": {"a": 40.0, "b": 20.0, "c": 25.0},
}


class Row(NamedTuple):
    """All runs of one program on one workload. `ratios` are to Spanward's run before."""

    peer: Peer
    runs: list[Run]
    ratios: list[float]
    outcomes: list[Outcome]

    @property
    def error(self) -> str | None:
        """Why a run failed, where one did."""
        return next((run.error for run in self.runs if run.error), None)


def compare(capture: Path, who: Sequence[Peer], rounds: int, core: int, *, strict: bool) -> list[Row]:
    """Run all of `who`, the first of which the others are compared with."""
    rows = [Row(peer, [], [], []) for peer in who]
    base = rows[0]
    settle(capture)
    for number in range(rounds):
        _again(base, capture, core)
        for row in rows[1:]:
            if row.error or (row.peer.once and number):
                continue
            if strict and row is not rows[1]:
                _again(base, capture, core)
            _again(row, capture, core)
            row.ratios.append(row.runs[-1].cpu_s / max(base.runs[-1].cpu_s, 1e-3))
    return rows


def _again(row: Row, capture: Path, core: int) -> None:
    with tempfile.TemporaryDirectory(prefix="spanward-bench-", dir=capture.parent) as name:
        folder = Path(name)
        warm(capture)
        run = measure(row.peer.command(capture), folder, core, row.peer.environment)
        row.runs.append(run)
        if not run.error:
            row.outcomes.append(row.peer.outcome(folder, facts_of(capture)))
    sys.stderr.write(f"  {capture.stem} {row.peer.name}: {run.cpu_s:.2f} s cpu {run.error or ''}\n")


# ---------------------------------------------------------------------- the table

HEAD = (
    "| program | CPU s | wall s | memory MiB | CPU ratio | must | planted found | events |",
    "|---|---|---|---|---|---|---|---|",
)


def table(workload: str, rows: Sequence[Row], known: dict[str, Any]) -> Iterator[str]:
    """Lines of Markdown."""
    counts = ", ".join(f"{count:,} {name}" for name, count in known["counts"].items())
    yield f"\n### {workload}: {known['packets']:,} packets, {known['bytes'] / 1e6:,.0f} MB of frames; {counts}\n"
    yield from HEAD
    yield from (_line(workload, row, len(set(planted(known)))) for row in rows)


def _line(workload: str, row: Row, total: int) -> str:
    if row.error:
        return f"| {row.peer.name} | failed: {row.error} | | | | | | |"
    last = row.outcomes[-1]
    cells = (
        row.peer.name,
        f"{_median([run.cpu_s for run in row.runs]):.2f}",
        f"{_median([run.wall_s for run in row.runs]):.2f}",
        f"{max(run.memory_mib for run in row.runs):.0f}",
        _ratio(row.ratios),
        _must(workload, row),
        "" if last.found is None else f"{last.found} of {total}",
        ", ".join(f"{count:,} {name}" for name, count in last.events.items()),
    )
    return f"| {' | '.join(cells)} |"


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _ratio(ratios: Sequence[float]) -> str:
    if not ratios:
        return "1"
    return f"{_median(ratios):.3g} ({min(ratios):.3g} to {max(ratios):.3g})"


def _must(workload: str, row: Row) -> str:
    musts = (by.get(workload) for name, by in MUST.items() if row.peer.name.startswith(name))
    must = next(musts, None)
    if must is None or not row.ratios:
        return ""
    return f"{must:g}: {'met' if _median(row.ratios) >= must else '**missed**'}"


def machine() -> str:
    """What it ran on, in a line: class of the processor, not which machine."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, load {load:.1f} at the end"
    )


# ---------------------------------------------------------------------- the command


def main() -> None:
    """Measure, print the table, and write it to a file."""
    chosen = _options()
    adopt()
    who = _who(chosen)
    into: Path = chosen.into
    with Out(chosen.table or into / "table.md") as out:
        for peer in who:
            if peer.missing:
                out(f"{peer.name} is left out: {peer.missing}.")
        present = [peer for peer in who if not peer.missing]
        for workload in chosen.workloads:
            capture = generate(workload, chosen.scale, into)
            rows = compare(capture, present, chosen.rounds, chosen.core, strict=chosen.strict)
            for line in table(workload, rows, facts_of(capture)):
                out(line)
        if chosen.slope:
            small, large = (generate("a", chosen.scale * times, into) for times in (1, 10))
            for line in slope(present[0], peers()[0], small, large, chosen.rounds, chosen.core):
                out(line)
        if chosen.start:
            for line in start_up(chosen.repository, present, generate("c", 0.01, into), chosen.core):
                out(line)
        out(f"\n{machine()}.")


class Out:
    """To standard output and to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("w")
        return self

    def __call__(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        self._file.write(line + "\n")
        self._file.flush()

    def __exit__(self, *_: object) -> None:
        self._file.close()
        with contextlib.suppress(OSError):
            sys.stderr.write(f"written to {self._path}\n")


def _who(chosen: argparse.Namespace) -> list[Peer]:
    everybody = spanward(chosen.repository)
    for other in chosen.repo:
        everybody += spanward(other.resolve(), other.resolve().name)
    if not chosen.alone:
        everybody += peers(chosen.suricata or ("suricata",))
    left_out = tuple(name.lower() for name in chosen.without)
    return everybody[:1] + [p for p in everybody[1:] if not (left_out and p.name.lower().startswith(left_out))]


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="make bench", description="Speed, side by side.")
    options.add_argument("workloads", nargs="*", default=list(WORKLOADS), metavar="WORKLOAD", help="a b c d, or none")
    options.add_argument("--scale", type=float, default=1.0, help="number of conversations; 1 is half a gigabyte of a")
    options.add_argument("--rounds", "--pairs", type=int, default=3, help="runs of each")
    options.add_argument("--strict", action="store_true", help="Spanward again before each peer: A B A B")
    options.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1)
    options.add_argument("--repository", type=Path, default=REPOSITORY, help="what peers are compared with")
    options.add_argument("--repo", type=Path, action="append", default=[], metavar="DIR", help="another checkout")
    options.add_argument("--suricata", action="append", metavar="PROGRAM", help="one of several versions")
    options.add_argument("--without", nargs="*", default=[], metavar="NAME", help="leave out what begins so")
    options.add_argument("--alone", action="store_true", help="no peers, only checkouts of Spanward")
    options.add_argument("--slope", action="store_true", help="also a ten times over, against cat; memory")
    options.add_argument("--start", action="store_true", help="also the time of starting")
    options.add_argument("--into", type=Path, default=cache_folder(), metavar="FOLDER", help="generated captures")
    options.add_argument("--table", type=Path, metavar="FILE", help="default: table.md beside the captures")
    chosen = options.parse_args()
    chosen.workloads = [name for name in chosen.workloads if name != "none"]
    if unknown := set(chosen.workloads) - set(WORKLOADS):
        options.error(f"no such workload: {', '.join(sorted(unknown))}")
    return chosen


if __name__ == "__main__":
    main()
