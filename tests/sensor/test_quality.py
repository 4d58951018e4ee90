"""Facts and conversations say how well they were seen, and conversations where."""

from __future__ import annotations

import struct

import pytest

from sensor.reading import read_captures
from sensor.sitekey import SiteKey
from tests.captures import Packet, facts, packets, write
from tests.conftest import PCAPS
from tests.live.tagged import tagged

ECHO = PCAPS / "dicom" / "echo.pcap"
ARP = b"\x08\x06"
PORT, STATUS = 40918, 10
"""The initiator's port, and the frame without which the answer's status comes from behind a hole."""


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "site.key"
    SiteKey.test().save(path)
    return path


def test_facts_say_that_their_conversation_was_shown_twice(store, key, tmp_path):
    path = tmp_path / "twice.pcap"
    path.write_bytes(twice(ECHO.read_bytes()))
    read_captures([ECHO, path], store, None, key)
    said = store.query(
        "SELECT c.name, bit_or(quality) & 1 <> 0, bit_or(quality) & 2 <> 0"
        " FROM fact_authentication JOIN capture AS c USING (reading) GROUP BY c.name ORDER BY c.name"
    )
    assert said == [("echo.pcap", False, False), ("twice.pcap", True, False)]
    assert store.query("SELECT sum(duplicate_count), sum(n) FROM conversations WHERE segment = ''") == [(1, 2)]


def twice(raw: bytes) -> bytes:
    """A classic little-endian pcap file with every record twice."""
    out, at = [raw[:24]], 24
    while at < len(raw):
        end = at + 16 + int.from_bytes(raw[at + 8 : at + 12], "little")
        out += [raw[at:end]] * 2
        at = end
    return b"".join(out)


@pytest.mark.parametrize("lossy", ["first", "second"])
@pytest.mark.parametrize("files", [1, 2])
def test_one_whole_conversation_is_enough(store, key, tmp_path, lossy, files):
    """Where a mirror loses packets now and then nothing would ever be known for certain otherwise."""
    header, records = packets(ECHO)
    talks = [[moved(record, number) for record in records] for number in range(2)]
    del talks[lossy == "second"][STATUS - 1]
    parts = talks if files == 2 else [talks[0] + talks[1]]
    paths = [write(tmp_path / f"{number}.pcap", header, part) for number, part in enumerate(parts)]
    read_captures(paths, store, None, key)
    assert any(fact["quality"]["gap"] for path in paths for fact in facts(path))
    assert store.query("SELECT DISTINCT gap FROM attributes") == [(False,)]
    assert store.query("SELECT sum(gap_count), sum(n) FROM conversations") == [(1, 2)]


def moved(record: Packet, number: int) -> Packet:
    """The same from another port, so many minutes later."""
    seconds, micros = struct.unpack_from("<II", record.header)
    header = struct.pack("<II", seconds + 60 * number, micros) + record.header[8:]
    if record.data[12:14] == ARP:
        return Packet(header, record.data)
    ports = record.data[34:38].replace(PORT.to_bytes(2, "big"), (PORT + number).to_bytes(2, "big"))
    return Packet(header, record.data[:34] + ports + record.data[38:])


def test_facts_say_that_their_conversation_was_cut_off(tmp_path):
    """The last packets with payload lose their ends: what was read before is the same."""
    path = tmp_path / "cut.pcap"
    path.write_bytes(cut(ECHO.read_bytes(), 70))
    assert {fact["quality"]["truncated"] for fact in facts(ECHO)} == {False}
    assert {fact["quality"]["duplicate"] for fact in facts(ECHO)} == {False}
    assert any(fact["quality"]["truncated"] for fact in facts(path))


def cut(raw: bytes, size: int) -> bytes:
    """A classic little-endian pcap file captured with a snap length, but for its first packets."""
    out, at, number = [raw[:24]], 24, 0
    while at < len(raw):
        kept = int.from_bytes(raw[at + 8 : at + 12], "little")
        end, number = at + 16 + kept, number + 1
        keep = kept if number < 8 else min(kept, size)
        out += [raw[at : at + 8], keep.to_bytes(4, "little"), raw[at + 12 : at + 16 + keep]]
        at = end
    return b"".join(out)


def test_conversations_know_their_vlan(store, key, tmp_path):
    path = tmp_path / "tagged.pcap"
    path.write_bytes(tagged(ECHO.read_bytes(), [(0x88A8, 7), (0x8100, 12)]))
    read_captures([ECHO, path], store, None, key)
    assert store.query("SELECT interface, segment, n FROM conversations ORDER BY segment") == [
        ("", "", 1),
        ("", "vlan 12", 1),
    ]


def test_rows_of_before_know_nothing_of_it(store, key):
    """Their columns are empty; the views say none."""
    read_captures([ECHO], store, None, key)
    for statement in (
        "UPDATE kind SET interface = NULL, segment = NULL",
        "UPDATE fact_conversation SET truncated_count = NULL, duplicate_count = NULL",
    ):
        store.cursor().execute(statement)
    assert store.query("SELECT interface, segment, truncated_count, duplicate_count FROM conversations") == [
        ("", "", 0, 0)
    ]
