"""What sessions cost, and nothing around them: ``python -m tests.benchmarks.turns [hl7 hl7-first smb dicom]``.

CPU microseconds of a turn, the best of a few runs. Turns are those of the workloads; a session is told of its bytes as
dispatch tells it, a segment at a time, and what it leaves out is not fed. Compare ratios, side by side.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

from parsers.core import Leave, Registry, Session
from sensor.collector import collect_never
from tests.benchmarks import clinical
from tests.benchmarks.wire import MSS_BYTES, Talk

RUNS = 5
FEEDS, FIRSTS, LONG, SHARES, SERIES = 4, 2_000, 1_000, 5, 20

Turns = list[tuple[int, bytes]]


class Spoken(Talk):
    """What is said as it is, in no frames: a byte for the lane, then the bytes."""

    def __init__(self) -> None:
        super().__init__(("10.1.0.1", "10.9.0.1"), (50_000, 1), seed=1)

    def open(self) -> Iterator[bytes]:
        """Nothing is said."""
        return iter(())

    def says(self, lane: int, data: bytes) -> Iterator[bytes]:
        """A turn."""
        yield bytes((lane,)) + data


SPOKEN = Spoken()


def _turns(*said: Iterator[bytes]) -> Turns:
    return [(turn[0], turn[1:]) for part in said for turn in part]


def feed(number: int) -> Turns:
    """A long HL7 feed that says nothing new."""
    return _turns(*(clinical.hl7_message(SPOKEN, f"FEED{number:06}", message) for message in range(LONG)))


def first(number: int) -> Turns:
    """One HL7 message of an application that was not met before, and its answer."""
    return _turns(clinical.hl7_message(SPOKEN, f"MON{number:06}", number, values=1))


def share(number: int) -> Turns:
    """An SMB connection on which files are read."""
    reads = (clinical.smb_read(SPOKEN, 4 + message) for message in range(LONG))
    return _turns(clinical.smb_open(SPOKEN, f"svc-{number:06}"), *reads)


def series(number: int) -> Turns:
    """A DICOM association of a hundred images."""
    images = (clinical.dicom_store(SPOKEN, 65_536, number) for _ in range(100))
    return _turns(clinical.dicom_open(SPOKEN, f"CT{number:06}"), *images)


KINDS: dict[str, tuple[int, int, Callable[[int], Turns]]] = {
    "hl7": (2575, FEEDS, feed),
    "hl7-first": (2575, FIRSTS, first),
    "smb": (445, SHARES, share),
    "dicom": (104, SERIES, series),
}
"""Port, number of conversations, and what makes one."""


def converse(registry: Registry, port: int, turns: Turns) -> int:
    """Let a session hear a conversation; returns the number of its facts."""
    session = Session(registry, "tcp", (port, 50_000))
    numbers, facts = [0, 0], 0
    for lane, data in turns:
        numbers[lane] += 1
        facts += _say(session, lane, data, numbers[lane])
    return facts + len(session.end())


def _say(session: Session, lane: int, data: bytes, turn: int) -> int:
    """One turn; no turn leaves out more than itself."""
    at = facts = 0
    while at < len(data):
        facts += len(session.feed(lane, data[at : at + MSS_BYTES], turn))
        at += MSS_BYTES
        demand = session.demand(lane)
        while demand.leave is not Leave.NOTHING:
            at = len(data) if demand.leave is Leave.TURN else at + demand.count
            facts += len(session.hand_over(lane))
            demand = session.demand(lane)
            if at >= len(data):
                return facts
    return facts


def microseconds(registry: Registry, port: int, talks: list[Turns]) -> tuple[float, int]:
    """CPU time of a turn, and how many facts were stated."""
    begin, facts = time.process_time_ns(), 0
    for turns in talks:
        facts += converse(registry, port, turns)
    return (time.process_time_ns() - begin) / 1e3 / sum(map(len, talks)), facts


def main() -> None:
    """One line for each kind."""
    registry = Registry.installed()
    collect_never()
    sys.stdout.write(f"{'kind':12}{'turns':>8}{'facts':>8}{'us a turn':>12}\n")
    for kind in sys.argv[1:] or KINDS:
        port, count, make = KINDS[kind]
        talks = [make(number) for number in range(count)]
        runs = [microseconds(registry, port, talks) for _ in range(RUNS)]
        sys.stdout.write(f"{kind:12}{sum(map(len, talks)):8}{runs[0][1]:8}{min(runs)[0]:12.2f}\n")


if __name__ == "__main__":
    main()
