"""Evidence: the frame that a fact names is one between those whom the fact is about, and the time is that frame's."""

from __future__ import annotations

import random
from ipaddress import ip_address
from pathlib import Path

import pytest

from sensor.capture.pcapfile import CaptureError
from tests.captures import Packet, hospital, is_plain, items, name_of, own_captures, packets, shared_captures, write

LOST_IN_100 = 3
SHARED = [path for path in shared_captures() if is_plain(path)]


def strangers(path: Path, header: bytes, records: list[Packet]) -> list[str]:
    """Facts whose frame is not between the ends that they name, or of another time."""
    found = []
    for item in items(path):
        record = records[item.frame - 1]
        ends = [ip_address(end.ip).packed for end in (item.endpoint, item.peer)]
        if not all(end in record.data for end in ends) or item.ts_us != record.ts_us(header):
            found.append(item.to_json().decode())
    return found


@pytest.mark.parametrize("path", own_captures(), ids=name_of)
def test_of_single_scenarios(path: Path) -> None:
    if not is_plain(path):
        pytest.skip("not a classic capture file")
    assert not strangers(path, *packets(path))


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.name)
def test_of_public_captures(path: Path) -> None:
    """Hosts talk at the same time: what is told when a conversation ends comes out with others' packets."""
    try:
        assert not strangers(path, *packets(path))
    except CaptureError as error:
        pytest.skip(f"refused: {error}")


@pytest.mark.parametrize("path", hospital(), ids=name_of)
def test_of_a_hospital_with_packets_lost(path: Path, tmp_path: Path) -> None:
    """What is kept behind a hole comes out with whatever packet gives the hole up."""
    header, records = packets(path)
    lots = random.Random(7)
    left = [record for record in records if lots.randrange(100) >= LOST_IN_100]
    assert not strangers(write(tmp_path / path.name, header, left), header, left)
