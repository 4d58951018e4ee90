"""Runs a fuzz target and writes the run into the ledger: ``python -m tests.fuzz.run TARGET COUNT [--seed N]``.

A target is a module of this folder with ``fuzz_one(data)``, which raises when something is wrong. It may have:

* ``corpus() -> list[bytes]``: what to begin from; captures whose names hold the target's name otherwise;
* ``mutate(data, chance) -> bytes``: how to spoil it; bytes are changed, cut and glued at random otherwise;
* ``EXPECTED``: exceptions that are fine.

What ``fuzz_one`` returns is how many packets it has read, where it reads packets; ``--packets`` goes on until they are
so many. Input number *i* of a seed is always the same, so that a failure is found again with ``--first``.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

from tests.fuzz import streams

LEDGER: Final = Path(__file__).with_name("ledger.tsv")
FOUND: Final = Path(__file__).resolve().parent.parent.parent / "build" / "fuzz"
COLUMNS: Final = "date\ttarget\tinputs\tpackets\tseed\tseconds\tresult\n"
GROWTH_BYTES: Final = 64 << 20
HANG_SECONDS: Final = 60
SMALLEST_WARMUP: Final = 200
PACKETS_WITHOUT_END: Final = 1 << 62

Mutator = Callable[[bytes, random.Random], bytes]


class Run(NamedTuple):
    """What a run came to. `growth_bytes` is of resident memory since the warm-up, which is its first tenth."""

    inputs: int
    packets: int
    result: str
    growth_bytes: int = 0


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 when every input went well, else 1."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.run", description=__doc__.splitlines()[0])
    parser.add_argument("target")
    parser.add_argument("count", type=int, help="inputs, at most")
    parser.add_argument("--packets", type=int, default=PACKETS_WITHOUT_END, help="packets, about")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--no-ledger", action="store_true")
    asked = parser.parse_args(arguments)
    target, begin = importlib.import_module(f"tests.fuzz.{asked.target}"), time.monotonic()
    run = fuzz(target, asked.count, asked.seed, asked.first, asked.packets)
    seconds = time.monotonic() - begin
    sys.stdout.write(
        f"{asked.target}: {run.inputs} inputs, {run.packets} packets, {seconds:.0f} s, "
        f"{run.growth_bytes >> 10} KiB more after the first tenth: {run.result}\n"
    )
    if not asked.no_ledger:
        note(asked.target, run, asked.seed, seconds)
    return 0 if run.result == "ok" else 1


def fuzz(target: ModuleType, count: int, seed: int, first: int = 0, packets: int = PACKETS_WITHOUT_END) -> Run:
    """Feed inputs until they are `count`, or have held so many packets, or one fails."""
    seeds, mutator = seeds_of(target), getattr(target, "mutate", spoil)
    resting = tried = read = 0
    while tried < count and read < packets:
        data = make(seeds, mutator, random.Random(f"{seed}:{first + tried}"))
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        held, failure = attempt(target, data)
        tried, read = tried + 1, read + held
        if failure:
            index = first + tried - 1
            return Run(tried, read, f"failed at input {index}: {failure}; {keep(target, index, data)}")
        if not resting and tried > SMALLEST_WARMUP and (10 * tried > count or 10 * read > packets):
            resting = resident_bytes()
    faulthandler.cancel_dump_traceback_later()
    growth = resident_bytes() - resting if resting else 0
    grown = f"failed: {growth >> 20} MiB more memory after {tried} inputs"
    return Run(tried, read, "ok" if growth < GROWTH_BYTES else grown, growth)


def seeds_of(target: ModuleType) -> list[bytes]:
    """What the inputs are made from."""
    if hasattr(target, "corpus"):
        return list(target.corpus())
    return streams.seeds_for(target.__name__.rpartition(".")[2])


def attempt(target: ModuleType, data: bytes) -> tuple[int, str]:
    """How many packets an input held, and what went wrong with it, or nothing."""
    try:
        return target.fuzz_one(data) or 0, ""
    except getattr(target, "EXPECTED", ()):
        return 0, ""
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we are looking for
        return 0, f"{type(error).__name__} {error}".replace("\t", " ").replace("\n", " ")[:200]


def make(seeds: list[bytes], mutator: Mutator, chance: random.Random) -> bytes:
    """One input: usually a spoilt seed, now and then a seed as it is or noise."""
    kind = chance.random()
    if kind < 0.01 or not seeds:
        return chance.randbytes(chance.randrange(400))
    data = chance.choice(seeds)
    return mutator(data, chance) if kind < 0.99 and data else data


def spoil(data: bytes, chance: random.Random) -> bytes:
    """Bytes changed, cut out, doubled; the usual."""
    content = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(content) + 1)
        stop = min(len(content), at + chance.choice((1, 1, 2, 4, 16, 200)))
        kind = chance.randrange(5)
        if kind == 0:
            del content[at:stop]
        elif kind == 1:
            content[at:at] = content[at:stop]
        elif kind == 2:
            content[at:at] = chance.randbytes(chance.randrange(1, 9))
        else:
            content[at:stop] = bytes(
                chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))) for _ in range(at, stop)
            )
    return bytes(content)


def resident_bytes() -> int:
    """Resident memory of this process; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


def keep(target: ModuleType, index: int, data: bytes) -> str:
    """Write the input down; it becomes a capture in pcaps/hostile when it is mended."""
    FOUND.mkdir(parents=True, exist_ok=True)
    path = FOUND / f"{target.__name__.rpartition('.')[2]}-{index}.bin"
    path.write_bytes(data)
    return f"kept as {path.relative_to(FOUND.parent.parent)}"


def note(target: str, run: Run, seed: int, seconds: float) -> None:
    """One line in the ledger."""
    if not LEDGER.exists():
        LEDGER.write_text(COLUMNS)
    packets = run.packets or "-"
    with LEDGER.open("a") as ledger:
        ledger.write(
            f"{datetime.now(UTC):%Y-%m-%d}\t{target}\t{run.inputs}\t{packets}\t{seed}\t{seconds:.0f}\t{run.result}\n"
        )


if __name__ == "__main__":
    sys.exit(main())
