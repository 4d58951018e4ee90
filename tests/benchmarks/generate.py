"""Writes workloads: ``python -m tests.benchmarks.generate a b c d [--scale 1] [--into FOLDER]``.

They go to the cache folder of the user, never into the checkout. Beside each capture lies what is in it, as JSON. A
workload that is there is not written again. Seeds are fixed; the ephemeral keys and signatures inside the templates of
TLS handshakes are OpenSSL's and differ from one generation to the next, their sizes by a byte or two.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.wire import write
from tests.benchmarks.workloads import WORKLOADS

_SOURCES = ("wire", "clinical", "handshakes", "workloads")


def cache_folder() -> Path:
    """Where generated captures lie unless told otherwise."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "spanward" / "benchmarks"


def generate(name: str, scale: float, into: Path) -> Path:
    """The capture of a workload; it is written where it is not there yet, or was made by another generator."""
    path = into / f"{name}-{scale:g}.pcap"
    if not path.exists() or facts_of(path).get("generator") != _generator():
        _generate(name, scale, path)
    return path


def _generate(name: str, scale: float, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    begin, partial = time.monotonic(), path.with_suffix(".partial")
    workload = WORKLOADS[name](scale)
    packets, size = write(partial, workload.frames, workload.step_us)
    known = {
        "workload": name, "scale": scale, "generator": _generator(), "packets": packets, "bytes": size,
        "counts": workload.counts, "planted": [planted._asdict() for planted in workload.planted],
    }  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(known, indent=1))
    partial.rename(path)
    took = time.monotonic() - begin
    sys.stderr.write(f"{path}: {packets} packets, {size / 1e6:.0f} MB of frames, {took:.0f} s\n")


def facts_of(path: Path) -> dict[str, Any]:
    """What is in a generated capture: packets, bytes, counts and planted values."""
    beside = path.with_suffix(".json")
    known: dict[str, Any] = json.loads(beside.read_text()) if beside.exists() else {}
    return known


def _generator() -> str:
    """Changes with the generators' sources."""
    sources = b"".join((Path(__file__).parent / f"{name}.py").read_bytes() for name in _SOURCES)
    return hashlib.sha256(sources).hexdigest()[:12]


def main() -> None:
    """Write what is asked for."""
    options = argparse.ArgumentParser(description="Writes the benchmarks' workloads.")
    options.add_argument("workloads", nargs="*", default=list(WORKLOADS), metavar="WORKLOAD", help="a b c d")
    options.add_argument("--scale", type=float, default=1.0)
    options.add_argument("--into", type=Path, default=cache_folder())
    chosen = options.parse_args()
    for name in chosen.workloads:
        sys.stdout.write(f"{generate(name, chosen.scale, chosen.into)}\n")


if __name__ == "__main__":
    main()
