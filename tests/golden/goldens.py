"""Goldens: the facts of a capture, written once and read by people.

A golden lies beside its capture. It holds the facts of the protocols that the capture was recorded for, sorted, without
capture id and without counts, so that no neighbour's change touches it. ``python -m tests.golden.goldens CAPTURE...``
writes them; the test only compares. A protocol that is not in a golden is no business of that golden.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from tests.captures import facts, own_captures

_encode = msgspec.json.Encoder().encode


def golden_of(capture: Path) -> Path:
    """Where the golden of a capture lies."""
    return capture.with_suffix(".golden.jsonl")


def lines(found: list[dict[str, Any]], protocols: set[str] | None = None) -> list[str]:
    """Facts as the lines of a golden; of these protocols only, or of all."""
    kept = [fact for fact in found if protocols is None or fact["protocol"] in protocols]
    return sorted(_encode({key: value for key, value in fact.items() if key != "capture"}).decode() for fact in kept)


def protocols_of(golden: list[str]) -> set[str]:
    """The protocols that a golden speaks of."""
    return {msgspec.json.decode(line)["protocol"] for line in golden}


def main(names: list[str]) -> None:
    """Write the goldens of these captures, or of all that have none."""
    chosen = [Path(name) for name in names] or [path for path in own_captures() if not golden_of(path).exists()]
    for path in chosen:
        golden_of(path).write_text("".join(f"{line}\n" for line in lines(facts(path))))


if __name__ == "__main__":
    main(sys.argv[1:])
