"""Capture files: what is read, what is refused and with which line, what is damaged, and that memory stays bounded."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from sensor.capture.errors import CaptureDamaged, CaptureError, CaptureUnreadable, NotACapture
from sensor.capture.pcapfile import CaptureFile, identify
from sensor.capture.window import LARGEST_WINDOW_BYTES
from sensor.engine import DATA, DATAGRAM, NEED, Engine
from tests.conftest import SHARED_PCAPS
from tests.sensor.engine.builder import Tcp, Wire, block, datagram, pcapng, section


def packed_gzip(data: bytes) -> bytes:
    """The same bytes at any time: a gzip header holds the time, and samples are named by their bytes."""
    return gzip.compress(data, mtime=0)


PACKERS = {"plain": bytes, "gzip": packed_gzip, "zstd": zstandard.ZstdCompressor().compress}


def capture(packets: int = 5) -> Wire:
    wire = Wire()
    for number in range(packets):
        datagram(wire, b"message %d" % number)
    return wire


def saved(folder: Path, content: bytes, name: str = "a.bin") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(path: Path, **options: int) -> tuple[list[bytes], CaptureFile]:
    engine = Engine(flows=64)
    with CaptureFile(path, **options) as opened:
        payloads = [engine.take() for kind in opened.pump(engine) if kind in {DATA, DATAGRAM}]
    return payloads, opened


def id_of(path: Path) -> str:
    with CaptureFile(path) as opened:
        return opened.capture_id


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_captures_are_known_by_their_content(tmp_path: Path, packer: str, form: str) -> None:
    wire = capture()
    path = saved(tmp_path, PACKERS[packer](wire.pcap() if form == "pcap" else pcapng(wire.frames)), "odd name.txt")
    payloads, opened = read(path)
    assert payloads == [b"message %d" % number for number in range(5)]
    assert opened.damaged is None


@pytest.mark.parametrize("window", [512, 1000, 4096])
@pytest.mark.parametrize("packer", PACKERS)
def test_windows_do_not_matter(tmp_path: Path, packer: str, window: int) -> None:
    wire = capture(500)
    path = saved(tmp_path, PACKERS[packer](wire.pcap()))
    assert read(path, window_bytes=window)[0] == read(path)[0]


def test_a_record_larger_than_the_window_makes_it_grow(tmp_path: Path) -> None:
    wire = Wire()
    Tcp(wire).open().send(0, b"x" * 60_000, mss=60_000)
    payloads, opened = read(saved(tmp_path, wire.pcap()), window_bytes=512)
    assert len(b"".join(payloads)) == 16_384
    assert opened.damaged is None


@pytest.mark.parametrize("pack", [packed_gzip, zstandard.ZstdCompressor().compress])
def test_parts_packed_one_after_another_are_one_capture(tmp_path: Path, pack) -> None:
    content = capture().pcap()
    payloads, opened = read(saved(tmp_path, pack(content[:100]) + pack(content[100:])))
    assert len(payloads) == 5
    assert opened.damaged is None


def test_a_capture_without_packets_is_fine(tmp_path: Path) -> None:
    payloads, opened = read(saved(tmp_path, Wire().pcap()))
    assert (payloads, opened.damaged) == ([], None)


def test_frame_check_sequence_bits_are_no_link_type(tmp_path: Path) -> None:
    content = bytearray(capture().pcap())
    struct.pack_into("<I", content, 20, 0x24000001)
    assert len(read(saved(tmp_path, bytes(content)))[0]) == 5


# --- what is refused


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"hello, this is a text\n", "is a text file"),
        ("Gerät ö".encode() * 100, "is a text file"),
        (b"snoop\0\0\0" + bytes(50), "Solaris snoop"),
        (b"GMBU" + bytes(50), "Network Monitor"),
        (b"PK\x03\x04" + bytes(50), "ZIP"),
        (b"\xfd7zXZ\0" + bytes(50), "xz"),
        (b"\x7fELF" + bytes(50), "is not a capture"),
        (bytes(100), "is not a capture"),
        (packed_gzip(b"just text, packed"), "is a text file"),
        (zstandard.ZstdCompressor().compress(b"\x7fELF" + bytes(50)), "is not a capture"),
    ],
)
def test_what_is_no_capture_is_refused_with_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = saved(tmp_path, content)
    with pytest.raises(NotACapture) as caught:
        CaptureFile(path)
    line = str(caught.value)
    assert words in line
    assert line.startswith(str(path))
    assert "\n" not in line


@pytest.mark.parametrize(
    "content",
    [
        Wire().pcap()[:10],
        Wire().pcap()[:23],
        pcapng([])[:20],
        packed_gzip(b""),
        packed_gzip(capture().pcap())[:15],
        b"\x1f\x8b\x08" + bytes(30),
        b"\x28\xb5\x2f\xfd" + b"\xff" * 30,
        zstandard.ZstdCompressor().compress(capture().pcap())[:15],
    ],
    ids=["pcap 10", "pcap 23", "pcapng 20", "empty gzip", "gzip 15", "gzip zeros", "zstd ones", "zstd 15"],
)
def test_what_is_damaged_before_its_first_packet_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CaptureDamaged) as caught:
        CaptureFile(saved(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureUnreadable, match="there is no such file"):
        CaptureFile(tmp_path / "nothing")
    with pytest.raises(CaptureError, match="is a folder"):
        CaptureFile(tmp_path)
    with pytest.raises(CaptureUnreadable):
        CaptureFile(tmp_path / ("x" * 5000))
    with pytest.raises(CaptureUnreadable):
        CaptureFile(Path("a\0b"))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, capture().pcap())
    path.chmod(0)
    with pytest.raises(CaptureUnreadable, match="may not be read"):
        CaptureFile(path)


def test_a_pipe_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CaptureError, match="not a regular file"):
        CaptureFile(tmp_path / "pipe")


# --- what is damaged


@pytest.mark.parametrize("packer", PACKERS)
def test_what_was_cut_short_is_read_up_to_there(tmp_path: Path, packer: str) -> None:
    path = saved(tmp_path, PACKERS[packer](capture().pcap()[:-3]))
    payloads, opened = read(path)
    assert len(payloads) == 4
    assert opened.damaged is not None
    assert "cut short" in opened.damaged


def test_a_cut_at_any_byte_is_told(tmp_path: Path) -> None:
    content = capture().pcap()
    edges = [24 + number * (len(content) - 24) // 5 for number in range(6)]
    for cut in range(24, len(content) + 1):
        payloads, opened = read(saved(tmp_path, content[:cut]))
        assert len(payloads) == sum(edge <= cut for edge in edges) - 1
        assert (opened.damaged is None) == (cut in edges)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_gzip_cut_short_is_told(tmp_path: Path, cut: float) -> None:
    packed = packed_gzip(capture(2000).pcap())
    payloads, opened = read(saved(tmp_path, packed[: int(len(packed) * cut)]))
    assert 0 < len(payloads) < 2000
    assert opened.damaged is not None
    assert "cut short" in opened.damaged


def test_gzip_with_flipped_bits_is_told(tmp_path: Path) -> None:
    packed = bytearray(packed_gzip(capture(3000).pcap()))
    packed[len(packed) // 2] ^= 0xFF
    _, opened = read(saved(tmp_path, bytes(packed)))
    assert opened.damaged is not None
    assert "corrupt" in opened.damaged


def test_records_that_cannot_be_are_told_with_their_place(tmp_path: Path) -> None:
    content = capture().pcap()
    payloads, opened = read(saved(tmp_path, content + b"\xff" * 40))
    assert len(payloads) == 5
    assert opened.damaged is not None
    assert f"byte {len(content)}" in opened.damaged


def test_a_block_larger_than_any_window_is_told(tmp_path: Path) -> None:
    huge = struct.pack("<II", 0x0BAD, LARGEST_WINDOW_BYTES + 64)
    payloads, opened = read(saved(tmp_path, pcapng(capture().frames) + huge + bytes(64)))
    assert len(payloads) == 5
    assert opened.damaged is not None


def test_a_large_block_that_is_no_packet_is_stepped_over(tmp_path: Path) -> None:
    large = block(0x0BAD, bytes(3 << 20))
    payloads, opened = read(saved(tmp_path, section() + large + pcapng(capture().frames)))
    assert len(payloads) == 5
    assert opened.damaged is None


# --- the rest of the contract


def test_the_id_is_the_content_s(tmp_path: Path) -> None:
    content = capture().pcap()
    one, same = saved(tmp_path, content, "one"), saved(tmp_path, content, "two")
    other = saved(tmp_path, content[:-1] + b"!", "three")
    ids = [id_of(path) for path in (one, same, other)]
    assert ids[0] == ids[1] != ids[2]
    assert all(len(name) == 32 and int(name, 16) >= 0 for name in ids)


@pytest.mark.parametrize("place", [0, 1 << 20, 3 << 20, (6 << 20) - 1])
def test_the_id_sees_the_edges_and_samples_of_a_large_file(tmp_path: Path, place: int) -> None:
    content = bytearray(capture().pcap().ljust(6 << 20, b"\0"))
    before = id_of(saved(tmp_path, bytes(content)))
    content[place or 30] ^= 1
    assert id_of(saved(tmp_path, bytes(content))) != before


def test_the_id_is_of_what_was_there_when_it_was_taken(tmp_path: Path) -> None:
    path = saved(tmp_path, capture(50).pcap())
    with CaptureFile(path, window_bytes=512) as opened, path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(capture(5).pcap()[24:])
        file.flush()
        engine = Engine(flows=64)
        assert sum(kind == DATAGRAM for kind in opened.pump(engine)) == 55
        assert identify(file, opened.size_bytes) == opened.capture_id


@pytest.mark.parametrize("packets", [1, 5, 1_100, 2_000, 5_000])
@pytest.mark.parametrize("packer", ["gzip", "zstd"])
def test_inside_gzip_and_zstd_is_what_it_would_be_outside(tmp_path: Path, packer: str, packets: int) -> None:
    wire = Wire()
    for number in range(packets):
        datagram(wire, number.to_bytes(4, "big") * 250)
    plain = wire.pcap()
    path = saved(tmp_path, PACKERS[packer](plain))
    outside = id_of(saved(tmp_path, plain, "plain"))
    passed: list[int] = []
    with CaptureFile(path) as opened:
        assert opened.is_compressed
        assert opened.content_id(len(plain), passed.append) == outside
        for size in (0, len(plain) - 1, len(plain) + 1, 1 << 62):
            assert opened.content_id(size, lambda _: None) is None
        engine = Engine(flows=64)
        assert sum(kind == DATAGRAM for kind in opened.pump(engine)) == packets  # it is read as if nobody had looked
    assert passed[-1] == len(plain)
    other = bytearray(plain)
    other[len(plain) // 2 if len(plain) < 1 << 20 else -5] ^= 1
    with CaptureFile(saved(tmp_path, PACKERS[packer](bytes(other)))) as opened:
        assert opened.content_id(len(plain), lambda _: None) != outside
    if packets > 1_000:  # of the others nothing is left
        with CaptureFile(saved(tmp_path, path.read_bytes()[:-9])) as opened:
            assert opened.content_id(len(plain), lambda _: None) is None


@pytest.mark.parametrize("packer", PACKERS)
def test_the_offset_never_falls_and_ends_at_the_end(tmp_path: Path, packer: str) -> None:
    content = capture(300).pcap()
    offsets: dict[int, list[int]] = {}
    for window in (512, 4096, 1 << 19):
        engine = Engine(flows=64)
        with CaptureFile(saved(tmp_path, PACKERS[packer](content)), window_bytes=window) as opened:
            offsets[window] = [opened.offset for event in opened.pump(engine) if event != NEED]
            assert opened.offset == len(content)
    assert offsets[512] == offsets[4096] == offsets[1 << 19]
    assert offsets[512] == sorted(offsets[512])


@pytest.mark.parametrize("pack", [packed_gzip, zstandard.ZstdCompressor(level=19).compress])
def test_a_bomb_costs_no_memory(tmp_path: Path, pack) -> None:
    """200 MB of records that say nothing, in a few hundred kilobytes."""
    record = struct.pack("<IIII", 1, 0, 200_000, 200_000) + bytes(200_000)
    path = saved(tmp_path, pack(Wire().pcap() + record * 1000))
    assert path.stat().st_size < 1 << 20
    engine = Engine(flows=64)
    tracemalloc.start()
    with CaptureFile(path) as opened:
        for _ in opened.pump(engine):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert engine.counters()["packets"] == 1000
    assert peak < 8 << 20


def test_closing_twice_is_fine(tmp_path: Path) -> None:
    with CaptureFile(saved(tmp_path, capture().pcap())) as opened:
        pass
    opened.close()


@pytest.mark.skipif(not SHARED_PCAPS.is_dir(), reason="the shared captures are not beside this checkout")
def test_every_shared_capture_is_read() -> None:
    packets, damaged, refused = 0, [], []
    for path in sorted(SHARED_PCAPS.glob("*__*")):
        engine = Engine(flows=4096)
        try:
            with CaptureFile(path) as opened:
                for _ in opened.pump(engine):
                    pass
        except CaptureError as error:
            refused.append(str(error))
            continue
        packets += engine.counters()["packets"]
        damaged += [path.name] if opened.damaged else []
    assert len(refused) == 1
    assert "snoop" in refused[0]
    assert all(name.startswith(("file-", "fuzz_")) for name in damaged)
    assert packets > 50_000
