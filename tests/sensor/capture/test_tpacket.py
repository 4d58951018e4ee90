"""Blocks of a TPACKET_V3 ring, made here: the engine sees in them what it sees in the file."""

from __future__ import annotations

import random
import struct
import sys

import pytest

from sensor.capture.afpacket import UNWANTED, filter_program
from sensor.capture.ports import Interface
from sensor.engine import CORRUPT, NEED, TRAFFIC, load_interpreted
from tests.captures import name_of, own_captures
from tests.live.tagged import tagged
from tests.sensor.engine.harness import compiled, event_of, kinds_of, new_engine

BIG = sys.byteorder == "big"
VLAN, TPID = 0x10, 0x40
HEADER = struct.Struct("=IIIIIIHHIIHH8x")
MODULES = [pytest.param(compiled, id="compiled"), pytest.param(load_interpreted(), id="interpreted")]
CAPTURES = [path for path in own_captures("dicom") if path.read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"][:4]


def records(capture):
    at = 24
    while at < len(capture):
        seconds, fraction, count, original = struct.unpack_from("<IIII", capture, at)
        yield seconds, fraction, capture[at + 16 : at + 16 + count], original
        at += 16 + count


def packet(seconds, fraction, frame, original, *, last):
    """As the kernel writes it: header, address, room, frame; a tag is taken out of the frame."""
    status, tci, kind = 1, 0, 0
    if frame[12:14] in {b"\x81\x00", b"\x88\xa8"}:
        kind, tci = struct.unpack_from(">HH", frame, 12)
        status, original, frame = 1 | VLAN | TPID, original - 4, frame[:12] + frame[16:]
    start = 48 + 20 + 14
    size = (start + len(frame) + 15) & ~15
    header = HEADER.pack(
        0 if last else size, seconds, fraction * 1000, len(frame), original, status, start, start + 14, 0, tci, kind, 0
    )
    return (header + bytes(start - len(header)) + frame).ljust(size, b"\0")


def block(capture):
    found = list(records(capture))
    return bytearray(b"".join(packet(*record, last=record is found[-1]) for record in found))


def events_of_block(engine, ring, start=0):
    engine.tpacket(BIG, [(0, 0, 1)])
    engine.load(ring, start, len(ring))
    while (kind := engine.step()) not in {NEED, CORRUPT}:
        yield event_of(engine, kind)
    if kind == CORRUPT:
        yield event_of(engine, kind)
    engine.finish()
    while (kind := engine.step()) != NEED:
        yield event_of(engine, kind)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
@pytest.mark.parametrize("tags", [[], [(0x8100, 12)], [(0x88A8, 7), (0x8100, 12)]], ids=["plain", "tag", "two tags"])
def test_a_block_is_read_like_the_file(path, module, tags):
    capture = tagged(path.read_bytes(), tags)
    engine, reference = new_engine(module), new_engine()
    expected = [event_of(reference, kind) for kind in kinds_of(reference, capture)]
    assert list(events_of_block(engine, block(capture))) == expected
    assert engine.counters() == reference.counters()


def test_mutated_blocks_are_read_alike_and_never_beyond_the_window():
    """The kernel writes no such thing; a mistake of ours would."""
    interpreted = load_interpreted()
    original = block(CAPTURES[0].read_bytes())
    chance = random.Random(4)
    for _ in range(300):
        ring = bytearray(original[: chance.randrange(len(original))])
        for _ in range(chance.randrange(1, 9)):
            if ring:
                ring[chance.randrange(len(ring))] = chance.randrange(256)
        copy = bytearray(ring)
        assert list(events_of_block(new_engine(), ring)) == list(events_of_block(new_engine(interpreted), copy))


def test_a_packet_that_points_back_ends_its_block():
    ring = block(CAPTURES[0].read_bytes())
    struct.pack_into("=I", ring, 0, 16)
    assert [event.kind for event in events_of_block(new_engine(), ring)] == ["corrupt"]


@pytest.mark.parametrize("module", MODULES)
def test_of_each_packet_it_is_known_by_which_interface_it_came(module):
    """Its source, and its link type: of the third, packets have no Ethernet header; of the fourth nobody has told."""
    of_ip = (record for record in records(CAPTURES[0].read_bytes()) if record[2][12:14] == b"\x08\x00")
    frames = list(zip(of_ip, range(7, 11), strict=False))
    ring = bytearray()
    for ((seconds, fraction, frame, original), way), cut in zip(frames, (0, 0, 14, 0), strict=True):
        made = bytearray(packet(seconds, fraction, frame[cut:], original - cut, last=way == 10))
        struct.pack_into("=I", made, 52, way)
        ring += made
    engine = new_engine(module)
    for number, name in enumerate(["one", "two", "three"]):
        engine.source(number, name)
    engine.tpacket(BIG, [(7, 0, 1), (8, 1, 1), (9, 2, 101)])
    engine.load(ring, 0, len(ring))
    while engine.step() not in {NEED, CORRUPT}:
        pass
    engine.finish()
    while engine.step() != NEED:
        pass
    packets = {interface: counts[TRAFFIC.index("packets")] for (interface, _, _), counts in engine.traffic().items()}
    assert (packets["one"], packets["two"]) == (1, 1)
    counters = engine.counters()
    assert (counters["packets"], counters["not_ip"], counters["unsupported_link"]) == (4, 0, 1)


ETHERNET, SECOND = Interface(2, 1, loopback=False), Interface(900, 1, loopback=False)
TUNNEL, LOOP = Interface(3, 101, loopback=False), Interface(1, 1, loopback=True)
SEEN = [ETHERNET, SECOND, TUNNEL, LOOP]
FRAMES = [(0x0800, True), (0x86DD, True), (0x0806, True), *((kind, False) for kind in UNWANTED)]
COMING, LEAVING = 0, 4  # as `sll_pkttype` has it


@pytest.mark.parametrize("interface", [ETHERNET, SECOND, LOOP])
@pytest.mark.parametrize(("kind", "kept"), FRAMES)
def test_the_kernel_filter_keeps_all_but_what_is_never_wanted(interface, kind, kept):
    frame = bytes(12) + kind.to_bytes(2) + bytes(46)
    assert _passes(filter_program(SEEN, UNWANTED), frame, interface.number) == kept


@pytest.mark.parametrize("kind", UNWANTED)
def test_the_kernel_filter_looks_for_no_ethertype_where_there_is_none(kind):
    assert _passes(filter_program(SEEN, UNWANTED), bytes(12) + kind.to_bytes(2) + bytes(46), TUNNEL.number)


@pytest.mark.parametrize("seen", [[interface] for interface in SEEN] + [SEEN])
def test_the_kernel_filter_keeps_what_comes_by_the_interfaces_that_are_wanted(seen):
    program = filter_program(seen, UNWANTED)
    ipv4 = bytes(12) + b"\x08\x00" + bytes(46)
    passed = {number for number in range(1, 1000) if _passes(program, ipv4, number)}
    assert passed == {interface.number for interface in seen}
    leaving = {number for number in range(1, 1000) if _passes(program, ipv4, number, LEAVING)}
    assert leaving == {interface.number for interface in seen if not interface.loopback}


def _passes(program, frame, number, kind=COMING):
    """Classic BPF, as far as it is used."""
    at, accumulator = 0, 0
    while True:
        code, when_true, when_false, value = program[at]
        at += 1
        if code == 0x28:
            accumulator = int.from_bytes(frame[value : value + 2])
        elif code == 0x20:
            accumulator = {0xFFFFF004: kind, 0xFFFFF008: number}[value]
        elif code == 0x15:
            at += when_true if accumulator == value else when_false
        else:
            assert code == 0x06
            return value > 0
