"""A mirror of both sides of a firewall that numbers streams anew: the facts are those of one side."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.captures import Packet, facts, name_of, own_captures, packets, plain, write
from tests.live.firewall import firewalled, without_handshakes

FOLDERS = ("dicom", "hl7", "smb", "tls", "mixed")
CAPTURES = [path for folder in FOLDERS for path in own_captures(folder)]
DELAY_US = 4
"""Less than it took the other side to answer when they were recorded, over a virtual cable."""


def said(path: Path, header: bytes, records: list[Packet]) -> Counter[str]:
    return Counter(map(repr, plain(facts(write(path, header, records)))))


@pytest.mark.parametrize("both_lanes", [True, False], ids=["both", "one"])
@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_both_sides_say_what_one_says(path: Path, both_lanes: bool, tmp_path: Path) -> None:
    header, records = packets(path)
    twice = firewalled(records, DELAY_US, both_lanes=both_lanes)
    assert said(tmp_path / "twice.pcap", header, twice) == said(tmp_path / "once.pcap", header, records)


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_without_the_beginning_nothing_is_missing(path: Path, tmp_path: Path) -> None:
    """Of a message or two an answer may be seen that has come back already."""
    header, records = packets(path)
    records = list(without_handshakes(records))
    twice = said(tmp_path / "twice.pcap", header, firewalled(records, DELAY_US))
    once = said(tmp_path / "once.pcap", header, records)
    assert not once - twice
    assert all("'outcome': 'unknown'" in fact for fact in twice - once)
