"""What real conversations say, as seeds for the fuzz targets of the parsers; and how such an input is fed.

An input of `feed` is a byte that says how, then what is said: by turns, from `MARK` to `MARK`, or in one lane.

| bits | meaning |
|---|---|
| 0 | begun in mid-stream |
| 1 | bytes are lost before every fifth turn |
| 2, 3 | all of it is said in one lane; which |
| 4 to 6 | into which pieces it is cut: `PIECES` |
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from parsers.core import Fact, Session
from sensor.capture.pcapfile import CaptureError, CaptureFile
from sensor.engine import DATA, DATAGRAM, Engine

ROOT = Path(__file__).resolve().parent.parent.parent
PCAPS = ROOT / "pcaps"
SHARED = ROOT.parent / "shared" / "pcaps"
MARK = b"\xfa\xce"  # between the pieces of two lanes, in targets that split their input by it
LARGEST = 40_000
MIDSTREAM, LOSS, ONE_LANE, LANE = 1, 2, 4, 8
PIECES = (1 << 20, 1, 7, 97, 291, 679, 1_448, 4_096)

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


def feed(session: Session, data: bytes) -> list[Fact]:
    """The facts of an input, to its end."""
    how, facts = data[0], []
    step = PIECES[how >> 4 & 7]
    for number, said in enumerate(data[1:].split(MARK)):
        lane = bool(how & LANE) if how & ONE_LANE else number & 1
        if how & LOSS and number % 5 == 4:
            facts += session.gap(lane)
        for at in range(0, len(said), step):
            facts += session.feed(lane, said[at : at + step], 1 + number // 2)
    return facts + session.end()


def turns_of(talk: Talk) -> list[Talk]:
    """What the lanes of a conversation say, by turns."""
    return [list(said) for _, said in groupby(talk, lambda part: part[0])]


def inputs_for(part: str, largest: int = LARGEST) -> list[bytes]:
    """Inputs of `feed`: the captures' conversations by turns, with loss, from the middle, and each lane alone."""
    inputs: set[bytes] = set()
    for number, talk in enumerate(talks(part)):
        cut = number << 4 & 0x70
        turns = MARK.join(b"".join(data for _, data in said) for said in turns_of(talk))
        inputs |= {bytes([cut | how]) + turns for how in (0, LOSS, MIDSTREAM)}
        for lane in (0, 1):
            alone = b"".join(data for side, data in talk if side == lane)
            inputs |= {bytes([cut | how | ONE_LANE | LANE * lane]) + alone for how in (0, MIDSTREAM)}
    return sorted(found for found in inputs if len(found) <= largest)


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
