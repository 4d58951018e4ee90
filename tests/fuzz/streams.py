"""What real conversations say, as seeds for the fuzz targets of the parsers."""

from __future__ import annotations

from pathlib import Path

from sensor.capture.pcapfile import CaptureError, CaptureFile
from sensor.engine import DATA, DATAGRAM, Engine

ROOT = Path(__file__).resolve().parent.parent.parent
PCAPS = ROOT / "pcaps"
SHARED = ROOT.parent / "shared" / "pcaps"
MARK = b"\xfa\xce"  # between the pieces of two lanes, in targets that split their input by it
LARGEST = 40_000

Talk = list[tuple[int, bytes]]


def talks(part: str = "") -> list[Talk]:
    """Every conversation of the captures whose folder or name holds `part`: (lane, bytes) in order."""
    paths = sorted(PCAPS.glob("*/*.pcap*")) + (sorted(SHARED.glob("*.pcap*")) if SHARED.is_dir() else [])
    chosen = [path for path in paths if part in f"{path.parent.name}/{path.name}" and path.stat().st_size < 400_000]
    found = [talk for path in chosen for talk in _of_capture(path)]
    return [talk for talk in found if 0 < sum(len(data) for _, data in talk) < LARGEST]


def seeds_for(part: str) -> list[bytes]:
    """Seeds for a target whose first byte chooses how to cut: lanes by turns, and each lane alone."""
    seeds = []
    for number, talk in enumerate(talks(part)):
        choice = bytes([number * 37 & 0xFC])
        seeds.append(choice + MARK.join(data for _, data in talk))
        seeds += [choice + b"".join(data for side, data in talk if side == lane) for lane in (0, 1)]
        seeds += [bytes([3]) + data for _, data in talk[:3]]
    return sorted(set(seeds))


def _of_capture(path: Path) -> list[Talk]:
    flows: dict[tuple[object, ...], Talk] = {}
    engine = Engine(flows=4096)
    try:
        with CaptureFile(path) as capture:
            for kind in capture.pump(engine):
                if kind in {DATA, DATAGRAM}:
                    flows.setdefault(engine.addresses(engine.flow), []).append((engine.lane, engine.take()))
    except CaptureError:
        return []
    return list(flows.values())
