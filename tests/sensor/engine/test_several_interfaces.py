"""Packets of several interfaces of a pcapng file: in the order of their times, whatever order they are written in."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence

import pytest

from sensor import engine as installed
from sensor.engine import load_interpreted
from tests.captures import name_of, own_captures
from tests.sensor.engine.builder import SECOND, Frame, Tcp, Wire, block, enhanced, interface, option, pcap, section
from tests.sensor.engine.harness import Event, event_of, new_engine, of, run, stream

MODULES = [pytest.param(installed, id="compiled"), pytest.param(load_interpreted(), id="interpreted")]
NANOSECONDS = option(9, b"\x09")
AHEAD_BYTES = 1 << 20
ELSEWHERE = [at for at, name in enumerate(installed.STATS) if name not in {"first_frame", "segment"}]


def conversation(turns: int = 20, answer: int = 700) -> list[Frame]:
    wire = Wire(step_us=100)
    talk = Tcp(wire).open()
    for number in range(turns):
        talk.send(0, b"ask%d" % number * 90, mss=100)
        talk.ack(1)
        talk.send(1, (b"answer%d" % number * 700)[:answer], mss=1400)
    talk.close()
    return wire.frames


def side_of(frame: Frame) -> int:
    return int(frame.data[:6] < frame.data[6:12])


def written(frames: Sequence[Frame], each: int, first: int = 0) -> Iterator[Frame]:
    """Of so many packets all of one direction, then all of the other, as who listens to a tap writes them."""
    for begin in range(0, len(frames), each):
        some = frames[begin : begin + each]
        yield from sorted(some, key=lambda frame: side_of(frame) ^ first)


def of_tap(frames: Sequence[Frame], behind_us: int = 0, options: bytes = b"", units: int = 1) -> bytes:
    """A file in which each direction has its interface; the second has another clock."""
    file = section() + interface() + interface(options=options)
    for frame in frames:
        side = side_of(frame)
        moment = (frame.ts_us - behind_us) * units if side else frame.ts_us
        file += enhanced(frame.data, moment, interface_id=side, length=frame.length)
    return file


def told(events: Sequence[Event]) -> list[tuple[object, ...]]:
    """All but where the packets stand in the file."""
    return [
        (e.kind, e.lane, e.ts_us, e.turn, e.size, e.reason, e.data, e.addresses, [e.stats[at] for at in ELSEWHERE])
        for e in events
        if e.kind != "corrupt"
    ]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("each", [2, 9, 10_000])
def test_the_directions_of_a_tap_are_read_in_order(module, each, first):
    frames = conversation()
    engine = new_engine(module)
    events = run(of_tap(list(written(frames, each, first)), options=NANOSECONDS, units=1000), engine=engine)
    assert told(events) == told(run(pcap(frames)))
    assert engine.counters()["clock_backwards"] == 0
    assert engine.counters()["packets"] == len(frames)


@pytest.mark.parametrize("path", own_captures("smb")[::3] + own_captures("dicom")[::3], ids=name_of)
@pytest.mark.parametrize("first", [0, 1])
def test_a_capture_of_ours_that_is_written_so(path, first):
    raw = path.read_bytes()
    if raw[:4] != b"\xd4\xc3\xb2\xa1":
        pytest.skip("not a classic little-endian pcap file of microseconds")
    frames = [Frame(*frame) for frame in frames_of(raw)]
    assert told(run(of_tap(list(written(frames, 500, first))))) == told(run(of_tap(frames)))


def frames_of(raw: bytes) -> Iterator[tuple[int, bytes, int]]:
    at = 24
    while at < len(raw):
        seconds, fraction, count, length = struct.unpack_from("<IIII", raw, at)
        yield seconds * SECOND + fraction, raw[at + 16 : at + 16 + count], length
        at += 16 + count


@pytest.mark.parametrize("window", [1, 60, 4_096, 100_000])
def test_where_windows_end_changes_nothing(window):
    frames = conversation(turns=4)
    file = of_tap(list(written(frames, 13)))
    engine = new_engine()
    assert windowed(engine, file, window) == run(file)


@pytest.mark.parametrize("window", [300_000, 1_300_000, 5_000_000])
def test_packets_are_looked_for_so_far_ahead_and_no_farther(window):
    """Half as far they are put in order, twice as far they are not: both however the file is cut."""
    frames = conversation(turns=200, answer=7_000)
    size = len(of_tap(frames)) / len(frames)
    near, far = (list(written(frames, int(share * AHEAD_BYTES / size))) for share in (0.9, 3))
    assert told(windowed(new_engine(), of_tap(near), window)) == told(run(pcap(frames)))
    events = windowed(new_engine(), of_tap(far), window)
    assert events == run(of_tap(far))
    assert told(events) != told(run(pcap(frames)))
    assert [stream(events, lane) for lane in (0, 1)] == [stream(run(pcap(frames)), lane) for lane in (0, 1)]


def windowed(engine, file: bytes, window: int) -> list[Event]:
    """As a capture is read: what is not worked off is given again, and it is told which is the last of it."""
    events, start, end = [], 0, 0
    engine.pcapng()
    while end < len(file):
        end = min(end + window, len(file))
        buffer = bytearray(file[start:end])
        engine.load(buffer, 0, len(buffer), end == len(file))
        while (kind := engine.step()) != 0:
            events.append(event_of(engine, kind))
        start += engine.position
    engine.finish()
    while (kind := engine.step()) != 0:
        events.append(event_of(engine, kind))
    assert start == len(file)
    return events


def test_a_packet_keeps_the_number_that_it_has_in_the_file():
    frames = conversation(turns=3)
    file = list(written(frames, 10_000, first=1))
    events = of(run(of_tap(file)), "data")
    assert len(events) > 5
    assert all(file[event.frame - 1].ts_us == event.ts_us for event in events)


@pytest.mark.parametrize("behind_us", [3 * SECOND, 3_600 * SECOND, -3_600 * SECOND])
def test_where_clocks_differ_the_order_of_the_file_stands(behind_us):
    frames = conversation()
    shifted = [frame._replace(ts_us=frame.ts_us - behind_us * side_of(frame)) for frame in frames]
    assert told(run(of_tap(frames, behind_us))) == told(run(pcap(shifted)))


def test_a_coarse_clock_says_nothing():
    frames = conversation()
    file = section() + interface() + interface(options=option(9, b"\x83"))  # an eighth of a second
    for frame in frames:
        side = side_of(frame)
        moment = frame.ts_us * 8 // SECOND if side else frame.ts_us
        file += enhanced(frame.data, moment, interface_id=side, length=frame.length)
    assert [(e.kind, e.lane, e.data) for e in run(file)] == [(e.kind, e.lane, e.data) for e in run(pcap(frames))]


def test_packets_without_a_time_stay_behind_the_one_before():
    frames = conversation()
    file = section() + interface() + interface()
    for number, frame in enumerate(frames):
        plain = struct.pack("<I", frame.length) + frame.data + bytes(-frame.length % 4)
        file += block(3, plain) if number % 3 else enhanced(frame.data, frame.ts_us, interface_id=1)
    assert [(e.kind, e.lane, e.data) for e in run(file)] == [(e.kind, e.lane, e.data) for e in run(pcap(frames))]


@pytest.mark.parametrize("window", [1_000_000, 100_000_000])
def test_a_block_that_is_larger_than_what_is_looked_ahead(window):
    """Those that wait do not wait for it, nor does it keep the window from moving."""
    frames = list(written(conversation(), 8))
    file = of_tap(frames[:16]) + block(0x0BAD, bytes(15 << 20))
    file += of_tap(frames[16:])[len(section() + 2 * interface()) :]
    assert told(windowed(new_engine(), file, window)) == told(run(pcap(conversation())))


def test_sections_are_put_in_order_each_by_itself():
    """What waits is read before the next section begins, which may have fewer interfaces."""
    one, two = conversation(turns=3), conversation(turns=2)
    file = of_tap(list(written(one, 10_000))) + section() + interface()
    file += b"".join(enhanced(f.data, f.ts_us, length=f.length) for f in two) + of_tap(list(written(one, 10_000)))
    engine = new_engine()
    run(file, engine=engine)
    assert engine.counters()["packets"] == 2 * len(one) + len(two)


def test_an_engine_that_was_left_in_the_midst_of_one_file_reads_another():
    """What waited is of the file before."""
    frames = conversation()
    file = of_tap(list(written(frames, 10_000)))
    engine = new_engine()
    engine.pcapng()
    engine.load(bytearray(file[: len(file) // 2]), 0, len(file) // 2, False)
    assert engine.step() == 0
    assert told(run(file, engine=engine)) == told(run(pcap(frames)))


def test_what_waits_is_read_before_a_file_is_found_corrupt_or_cut():
    frames = conversation()
    file = of_tap(list(written(frames, 10_000)))
    for ending in (bytes(40), enhanced(b"x" * 60, 1)[:50]):
        engine = new_engine()
        events = run(file + ending, engine=engine)
        assert told(events) == told(run(pcap(frames)))
        assert [e.kind for e in of(events, "corrupt")] == ["corrupt"] * (ending == bytes(40))
        assert engine.position == len(file)


def test_more_interfaces_than_are_told_apart():
    frames = conversation()
    file = section() + interface() * 40
    file += b"".join(enhanced(f.data, f.ts_us, interface_id=n % 40, length=f.length) for n, f in enumerate(frames))
    engine = new_engine()
    assert told(run(file, engine=engine)) == told(run(pcap(frames)))


def test_mutated_files_are_read_alike_and_whole():
    original = of_tap(list(written(conversation(turns=6), 20)))
    interpreted, chance = load_interpreted(), random.Random(7)
    for _ in range(300):
        file = bytearray(original)
        for _ in range(chance.randrange(1, 6)):
            file[chance.randrange(len(file))] = chance.randrange(256)
        cut = bytes(file[: chance.randrange(len(file))])
        engines = new_engine(), new_engine(interpreted)
        assert run(cut, engine=engines[0]) == run(cut, engine=engines[1])
        assert engines[0].counters() == engines[1].counters()
