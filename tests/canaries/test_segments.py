"""Canaries that are cut into pieces on the wire, and captures that lack any packet: nothing comes out either."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.canaries.needles import PLANTED, all_needles, canaries
from tests.canaries.packets import dissected, segmented
from tests.captures import everything, facts, hospital, name_of, packets, plain, write
from tests.conftest import PCAPS

# Shorter than a token by three: what stands before a segment by chance (a time stamp) must not make it whole again.
SEGMENT_BYTES = 5
LOST_SAMPLE = 20


def cut_up(path: Path, into: Path, size: int) -> Path:
    header, records = packets(path)
    return write(into, header, segmented(records, size))


def test_the_writer_keeps_every_byte_of_every_lane() -> None:
    _, records = packets(PCAPS / "dicom" / "user_identity_2.pcap")
    cut = list(segmented(records, SEGMENT_BYTES))
    frames = [(record.data, dissected(record.data)) for record in cut]
    payloads = [data[frame.payload : frame.end] for data, frame in frames if frame]
    assert len(cut) > 5 * len(records)
    assert max(map(len, payloads)) == SEGMENT_BYTES
    whole = [(record.data, dissected(record.data)) for record in records]
    assert b"".join(payloads) == b"".join(data[frame.payload : frame.end] for data, frame in whole if frame)


@pytest.mark.parametrize("path", [path for path in PLANTED if path not in hospital()], ids=name_of)
def test_cut_into_small_segments(path: Path, tmp_path: Path) -> None:
    cut = cut_up(path, tmp_path / "cut.pcap", SEGMENT_BYTES)
    raw = cut.read_bytes()
    assert [token for token in canaries(path) if token.encode() in raw] == []
    assert all_needles().found(everything(cut)) == []
    in_pieces = facts(cut)
    assert plain(in_pieces) == plain(facts(path))
    # Pieces of one packet share its ident, and differ in what their checksums cover: none is another one's copy.
    assert not any(fact["quality"]["duplicate"] for fact in in_pieces)


def sampled(count: int, limit: int) -> list[int]:
    step = -(-count // limit)
    return list(range(0, count, step))


def lost(path: Path, scratch: Path) -> bytes:
    """All that leaves the worker when any one packet is lost, of some packets of a capture."""
    header, records = packets(path)
    readings = []
    for number in sampled(len(records), LOST_SAMPLE):
        write(scratch, header, records[:number] + records[number + 1 :])
        readings.append(everything(scratch))
    return b"\n".join(readings)


@pytest.mark.parametrize("name", ["user_identity_2", "store20"])
def test_any_packet_lost(name: str, tmp_path: Path) -> None:
    out = lost(PCAPS / "dicom" / f"{name}.pcap", tmp_path / "lost.pcap")
    assert b"ARCHIVE" in out
    assert all_needles().found(out) == []


@pytest.mark.parametrize("name", ["user_identity_2", "store_implicit"])
@pytest.mark.parametrize("how", ["one lost", "begun in the middle"])
def test_a_hole_in_a_canary(name: str, how: str, tmp_path: Path) -> None:
    """The sensor misses, or comes in, at every place of a passcode or a patient's name."""
    whole = PCAPS / "dicom" / f"{name}.pcap"
    header, records = packets(cut_up(whole, tmp_path / "cut.pcap", SEGMENT_BYTES))
    readings = []
    for number in sampled(len(records), 120):
        kept = records[number + 1 :] if how == "begun in the middle" else records[:number] + records[number + 1 :]
        readings.append(everything(write(tmp_path / "holed.pcap", header, kept)))
    out = b"\n".join(readings)
    assert b"10.20." in out
    assert all_needles().found(out) == []
    assert [part for token in canaries(whole) for part in parts(token) if part.encode() in out] == []


def parts(token: str) -> set[str]:
    """What one segment holds of a token; nothing of dates and UIDs, where seven digits say nothing."""
    if token.replace(".", "").isdecimal():
        return set()
    return {token[at : at + SEGMENT_BYTES] for at in range(len(token) - SEGMENT_BYTES + 1)}
