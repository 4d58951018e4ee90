"""A capture cut into weeks, as a sensor that listens all the time would have met it: what it infers, it infers then."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

HEADER_BYTES = 24
RECORD = struct.Struct("<IIII")
WEEK_S = 7 * 86_400


def weeks(capture: Path, epoch: datetime, into: Path) -> Iterator[Path]:
    """Write a classic little-endian pcap file, week by week from `epoch` on, and yield each week's file."""
    data = memoryview(capture.read_bytes())
    start, number = HEADER_BYTES, 0
    while start < len(data):
        number += 1
        end = _end(data, start, int(epoch.timestamp()) + number * WEEK_S)
        if end > start:
            week = into / f"week{number:02}.pcap"
            week.write_bytes(bytes(data[:HEADER_BYTES]) + data[start:end])
            yield week
        start = end


def _end(data: memoryview, start: int, until: int) -> int:
    """Where the first record stands that is not before a moment."""
    at = start
    while at < len(data):
        seconds, _, kept, _ = RECORD.unpack_from(data, at)
        if seconds >= until:
            break
        at += RECORD.size + kept
    return at
