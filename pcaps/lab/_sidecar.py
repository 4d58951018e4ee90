"""The sidecar: a TOML file beside each capture that says what it is, where it comes from and what it may contain."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NO_PATIENT = (
    "Every person, identifier, account and secret in this capture was invented for it; no real patient, "
    "no real device and no real hospital is in it."
)
RECORD_HEADER = struct.Struct("<IIII")
PCAP_HEADER_BYTES = 24


@dataclass
class Sidecar:
    """What the recorder knows about one capture; ``write`` adds what can be counted in the file itself."""

    what: str
    origin: str
    recorder: str
    expect: list[str] = field(default_factory=list)
    canaries: list[str] = field(default_factory=list)
    hosts: list[dict[str, str]] = field(default_factory=list)
    synthetic: bool = False

    def write(self, capture: Path) -> None:
        """Write ``<capture>.toml`` beside the capture."""
        data = capture.read_bytes()
        times = list(record_times(data))
        lines = [
            f"what = {text(self.what)}",
            f"origin = {text(('made by ' if self.synthetic else 'recorded from ') + self.origin)}",
            f"recorder = {text(self.recorder)}",
            f"recorded = {dt.datetime.fromtimestamp(times[0], dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
            'licence = "BSD-3-Clause"',
            f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
            f"packets = {len(times)}",
            f"synthetic = {str(self.synthetic).lower()}",
            f"no_real_patient = {text(NO_PATIENT)}",
            *listing("expect", self.expect),
            *listing("canaries", self.canaries),
        ]
        for host in self.hosts:
            lines += ["", "[[host]]", *(f"{key} = {text(value)}" for key, value in host.items())]
        capture.with_suffix(".toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def text(value: str) -> str:
    """Return a TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(value, ensure_ascii=False)


def listing(key: str, values: list[str]) -> list[str]:
    """Return a TOML array, one value a line; nothing when there are no values."""
    return [f"{key} = [", *(f"  {text(v)}," for v in values), "]"] if values else []


def record_times(pcap: bytes) -> list[float]:
    """Return the capture time of each record of a little-endian microsecond pcap file, in seconds."""
    times, at = [], PCAP_HEADER_BYTES
    while at < len(pcap):
        seconds, micros, kept, _ = RECORD_HEADER.unpack_from(pcap, at)
        times.append(seconds + micros / 1e6)
        at += RECORD_HEADER.size + kept
    return times
