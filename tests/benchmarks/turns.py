"""What sessions cost, with nothing before or after them: ``python -m tests.benchmarks.turns [hl7 hl7-first smb dicom]``.

CPU microseconds of a turn, the best of a few runs. Turns are those of the workloads; a session is told of its bytes as
dispatch tells it, a segment at a time, and what it leaves out is not fed. Compare ratios, side by side.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from parsers.core import Leave, Registry, Session
from tests.benchmarks import clinical
from tests.benchmarks.wire import MSS_BYTES

RUNS = 5
FEEDS, FIRSTS, LONG, SHARES, SERIES = 4, 2_000, 1_000, 5, 20

Turn = tuple[int, bytes]


class Spoken:
    """Stands in for a connection: what is said comes as it is, not in frames."""

    def open(self) -> Iterator[Turn]:
        """No turn."""
        return iter(())

    close = open

    def says(self, lane: int, data: bytes) -> Iterator[Turn]:
        """A turn."""
        yield lane, data


class Talks(NamedTuple):
    """Conversations of one kind."""

    port: int
    turns: list[list[Turn]]


def feeds() -> Talks:
    """Long HL7 feeds that say nothing new."""
    talk = Spoken()
    return Talks(
        2575,
        [
            [turn for n in range(LONG) for turn in clinical.hl7_message(talk, f"FEED{feed:06}", n)]
            for feed in range(FEEDS)
        ],
    )


def firsts() -> Talks:
    """One HL7 message and its answer, each time of another application."""
    talk = Spoken()
    return Talks(2575, [list(clinical.hl7_message(talk, f"MON{n:06}", n, values=1)) for n in range(FIRSTS)])


def shares() -> Talks:
    """SMB connections that read files."""
    talk = Spoken()
    return Talks(445, [[*clinical.smb_open(talk, f"svc-{n:06}"), *_reads(talk)] for n in range(SHARES)])


def _reads(talk: Spoken) -> Iterator[Turn]:
    for message in range(LONG):
        yield from clinical.smb_read(talk, 4 + message)


def series() -> Talks:
    """DICOM associations of a hundred images."""
    talk = Spoken()
    return Talks(104, [[*clinical.dicom_open(talk, f"CT{n:06}"), *_images(talk, n)] for n in range(SERIES)])


def _images(talk: Spoken, number: int) -> Iterator[Turn]:
    for _ in range(100):
        yield from clinical.dicom_store(talk, 65_536, number)


KINDS: dict[str, Callable[[], Talks]] = {"hl7": feeds, "hl7-first": firsts, "smb": shares, "dicom": series}


def converse(registry: Registry, port: int, turns: list[Turn]) -> int:
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


def microseconds(registry: Registry, talks: Talks) -> tuple[float, int]:
    """CPU time of a turn, and how many facts were stated."""
    begin, facts = time.process_time_ns(), 0
    for turns in talks.turns:
        facts += converse(registry, talks.port, turns)
    return (time.process_time_ns() - begin) / 1e3 / sum(map(len, talks.turns)), facts


def main() -> None:
    """One line for each kind."""
    chosen = argparse.ArgumentParser(description=__doc__)
    chosen.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="all, if none is named")
    registry = Registry.installed()
    gc.disable()
    sys.stdout.write(f"{'kind':12}{'turns':>8}{'facts':>8}{'us a turn':>12}\n")
    for kind in chosen.parse_args().kinds or KINDS:
        talks = KINDS[kind]()
        runs = [microseconds(registry, talks) for _ in range(RUNS)]
        sys.stdout.write(f"{kind:12}{sum(map(len, talks.turns)):8}{runs[0][1]:8}{min(runs)[0]:12.2f}\n")


if __name__ == "__main__":
    main()
