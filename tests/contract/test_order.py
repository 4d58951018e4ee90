"""Directions that come by ways of their own: the facts of a capture are those of the order in which it was said."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.captures import Packet, facts, name_of, own_captures, packets, plain, write

ETHERNET, IPV4, SYN, ACK = 1, b"\x08\x00", 2, 16
AFTER_A_RESET = {("dicom/aborted_provider", 2000)}
"""What is said after the other side's RST, and acknowledged by nobody, may be missing."""

CAPTURES = [path for folder in ("dicom", "hl7", "smb", "tls", "mixed") for path in own_captures(folder)]

Ends = tuple[bytes, bytes]
"""Addresses and ports of a sender and of whom it speaks to."""


def ends(data: bytes) -> Ends | None:
    """Of TCP over IPv4 without options, and without tags; None for all else."""
    if data[12:14] != IPV4 or data[14:15] != b"\x45" or data[23:24] != b"\x06" or len(data) < 54:
        return None
    return data[26:30] + data[34:36], data[30:34] + data[36:38]


def responders(records: list[Packet]) -> set[Ends]:
    """Who answers whom: the sender of a SYN began, else whoever speaks first."""
    found: set[Ends] = set()
    for record in records:
        both = ends(record.data)
        if both is not None and record.data[47] & (SYN | ACK) == SYN:
            found.discard(both)
            found.add(both[::-1])
        elif both is not None and both not in found and both[::-1] not in found:
            found.add(both[::-1])
    return found


def later(records: list[Packet], us: int) -> list[Packet]:
    """What responders say comes that much later."""
    who = responders(records)
    moved = []
    for record in records:
        seconds, micros = struct.unpack_from("<II", record.header)
        time = seconds * 1_000_000 + micros + (us if ends(record.data) in who else 0)
        stamp = struct.pack("<II", *divmod(time, 1_000_000))
        moved.append((time, record._replace(header=stamp + record.header[8:])))
    return [record for _, record in sorted(moved, key=lambda each: each[0])]


def marked(found: list[dict[str, Any]]) -> list[tuple[bool, Any]]:
    """Facts, and whether they are marked as one-sided though their conversation was seen from its beginning."""
    return [
        (fact["quality"]["one_sided"] > fact["quality"]["midstream"], each) for fact in found for each in plain([fact])
    ]


@pytest.mark.parametrize("us", [-400, 2000])
@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_directions_out_of_order_say_the_same(path: Path, us: int, tmp_path: Path) -> None:
    header, records = packets(path)
    assert struct.unpack_from("<I", header, 20)[0] == ETHERNET
    other = write(tmp_path / path.name, header, later(records, us))
    said, whole = (Counter(map(repr, marked(facts(each)))) for each in (other, path))
    if (name_of(path), us) in AFTER_A_RESET:
        assert not said - whole
    else:
        assert said == whole
