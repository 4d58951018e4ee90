"""Check every capture against its sidecar: ``python3 pcaps/lab/check.py``; exit status 1 when one does not fit."""

from __future__ import annotations

import hashlib
import sys
import tomllib
from typing import TYPE_CHECKING, Any

from _lab import PCAPS
from _sidecar import record_times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WANTED = ("what", "origin", "recorder", "recorded", "licence", "sha256", "packets", "synthetic", "no_real_patient")
TOTAL_BYTES = {"scenarios": 6_000_000, "hospital": 40 << 20}
SECRETS = (b"PRIVATE KEY-----",)


def faults(capture: Path) -> Iterator[str]:
    """Yield what is wrong with one capture."""
    sidecar = capture.with_suffix(".toml")
    if not sidecar.exists():
        yield "has no sidecar"
        return
    said: dict[str, Any] = tomllib.loads(sidecar.read_text(encoding="utf-8"))
    data = capture.read_bytes()
    yield from (f"sidecar lacks {key}" for key in WANTED if key not in said)
    if said.get("sha256") != hashlib.sha256(data).hexdigest():
        yield "is not the file that its sidecar describes (sha256)"
    if said.get("packets") != len(record_times(data)):
        yield "does not hold as many packets as its sidecar says"
    yield from (f"holds {secret!r}" for secret in SECRETS if secret in data)


def _too_much(part: str, most: int, captures: list[Path]) -> Iterator[str]:
    """Yield a complaint when the hospital, or all single scenarios together, take more room than they may."""
    sizes = [c.stat().st_size for c in captures if (c.parent.name == "hospital") == (part == "hospital")]
    if sum(sizes) > most:
        yield f"{part}: {sum(sizes)} bytes, more than {most}"


def main() -> int:
    """Print every fault, one a line."""
    captures = sorted(PCAPS.glob("*/*.pcap"))
    found = [f"{c.relative_to(PCAPS)}: {fault}" for c in captures for fault in faults(c)]
    orphans = [p for p in sorted(PCAPS.glob("*/*.toml")) if not p.with_suffix(".pcap").exists()]
    found += [f"{p.relative_to(PCAPS)}: describes no capture" for p in orphans]
    found += [fault for part, most in TOTAL_BYTES.items() for fault in _too_much(part, most, captures)]
    print("\n".join(found) or f"{len(captures)} captures: every sidecar fits")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
