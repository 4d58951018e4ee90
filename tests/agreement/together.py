"""Many captures in one go: tshark takes longer to start than to read one of ours.

The captures are put one behind the other in one file, and tshark's messages are told apart by their frames. That can
mix up two conversations between the same ports; so what comes of it is believed only where both sides are equal.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from sensor.verification import Reading, their_reading
from sensor.verification.messages import Message
from sensor.verification.wireshark import dissect
from tests.captures import packets, write


def read_together(paths: Sequence[Path], folder: Path) -> dict[Path, Reading]:
    """tshark's reading of each capture; they must be of one link type."""
    taken_apart = [packets(path) for path in paths]
    header = taken_apart[0][0]
    assert {other[20:24] for other, _ in taken_apart} == {header[20:24]}, "captures of several link types"
    together = write(folder / "together.pcap", header, [record for _, records in taken_apart for record in records])
    last_frames = list(accumulate(len(records) for _, records in taken_apart))
    found: dict[Path, list[Message]] = defaultdict(list)
    for message in dissect(together).messages:
        found[paths[bisect_left(last_frames, message.frame)]].append(message)
    return {path: their_reading(found[path]) for path in paths}
