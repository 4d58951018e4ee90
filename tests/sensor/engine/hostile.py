"""Traffic that is meant to hurt: what somebody who can send packets past the mirror would try, one scenario each.

A scenario is a function of a number of packets, about so many of which it makes. `SCENARIOS` has them by name: tests
look at what the engine holds and does meanwhile, fuzz targets spoil them, the benchmark asks what a packet costs.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from itertools import count, islice

from sensor.engine import load_interpreted
from tests.sensor.engine.builder import (
    ACK,
    FIN,
    PSH,
    RST,
    SECOND,
    START_US,
    SYN,
    Frame,
    Tcp,
    Wire,
    datagram,
    ethernet,
    gre,
    ip,
    tcp,
    udp,
    vxlan,
)
from tests.sensor.engine.harness import new_engine

YEAR_US = 31_557_600 * SECOND
Scenario = Callable[[int], list[Frame]]


def plain(packets: int) -> list[Frame]:
    """What nobody means to hurt with: the measure for the others."""
    wire = Wire(step_us=50)
    talks = [Tcp(wire, ports=(40_000 + number, 104)).open() for number in range(20)]
    while len(wire.frames) < packets:
        for talk in talks:
            talk.send(0, b"question " * 20)
            talk.send(1, b"answer " * 60)
    return wire.frames


# --- segments


def conflicting_overlaps(packets: int) -> list[Frame]:
    """Every byte is sent three times, with other contents, at other cuts; in order and behind a hole."""
    wire, chance = Wire(step_us=50), random.Random(1)
    talk = Tcp(wire).open()
    while len(wire.frames) < packets:
        hole = chance.randrange(2)
        for _ in range(40):
            offset = talk.sent[0] + hole + chance.randrange(900)
            talk.segment(0, offset, chance.randbytes(chance.randrange(1, 400)), ack=talk.sent[1])
        talk.segment(0, talk.sent[0], bytes(1), ack=talk.sent[1])
        talk.sent[0] += 1300
        talk.send(1, b"go on")
    return wire.frames


def same_segments_behind_a_hole(packets: int) -> list[Frame]:
    """A hole, as many segments as are kept behind it, and then those again and again."""
    wire = Wire(step_us=50)
    talk = Tcp(wire).open()
    talk.segment(0, 0, b"x")
    while len(wire.frames) < packets:
        for number in range(127):
            talk.segment(0, 10 + 3 * number, b"yz", ack=0)
    return wire.frames


def one_segment_over_many(packets: int) -> list[Frame]:
    """Single bytes with gaps between them behind a hole, then large segments over all of them, that fill the gaps."""
    wire = Wire(step_us=50)
    talk = Tcp(wire).open()
    while len(wire.frames) < packets:
        for number in range(60):
            talk.segment(0, talk.sent[0] + 10 + 3 * number, b"y", ack=talk.sent[1])
        for number in range(60):
            talk.segment(0, talk.sent[0] + 9, b"z" * (3 * number + 4), ack=talk.sent[1])
        talk.segment(0, talk.sent[0], bytes(400), ack=talk.sent[1])
        talk.sent[0] += 400
        talk.send(1, b"go on")
    return wire.frames


def tiny_segments(packets: int) -> list[Frame]:
    """One byte to a segment, both sides in turn."""
    wire = Wire(step_us=50)
    talk = Tcp(wire).open()
    while len(wire.frames) < packets:
        talk.send(0, b"q")
        talk.send(1, b"a")
    return wire.frames


def tiny_segments_backwards(packets: int) -> list[Frame]:
    """One byte to a segment, the last one first."""
    wire = Wire(step_us=50)
    talk = Tcp(wire).open()
    while len(wire.frames) < packets:
        for offset in range(127, -1, -1):
            talk.segment(0, talk.sent[0] + offset, b"b", ack=talk.sent[1])
        talk.sent[0] += 128
        talk.send(1, b"go on")
    return wire.frames


def window_games(packets: int) -> list[Frame]:
    """Probes of a closed window, keep-alive segments, acknowledgements of what was never sent, and of long ago."""
    wire, chance = Wire(step_us=50), random.Random(2)
    talk = Tcp(wire).open()
    while len(wire.frames) < packets:
        talk.segment(0, talk.sent[0] - 1, b"", ack=talk.sent[1])
        talk.segment(0, talk.sent[0] - 1, b"k", ack=talk.sent[1])
        talk.segment(0, talk.sent[0], b"p", ack=talk.sent[1])
        talk.segment(1, talk.sent[1], b"", ack=chance.choice((0, talk.sent[0] + 70_000, 1 << 31, (1 << 31) - 1)))
        talk.send(chance.randrange(2), b"data")
    return wire.frames


def far_out_of_window(packets: int) -> list[Frame]:
    """Segments anywhere in the space of sequence numbers, twice now and then so that they are believed."""
    wire, chance = Wire(step_us=50), random.Random(3)
    talk = Tcp(wire).open()
    while len(wire.frames) < packets:
        offset = chance.choice((1 << 31, 1 << 30, chance.getrandbits(32), 300_000, -300_000))
        talk.segment(0, offset, b"far", ack=chance.getrandbits(32))
        if chance.random() < 0.5:
            talk.segment(0, offset + 3, b"off", ack=0)
        talk.send(1, b"near")
    return wire.frames


def resets_and_fins(packets: int) -> list[Frame]:
    """SYN, FIN, RST and data in any order and combination, within the window and without."""
    wire, chance = Wire(step_us=50), random.Random(4)
    talks = [Tcp(wire, ports=(40_000 + number, 104)).open() for number in range(8)]
    while len(wire.frames) < packets:
        talk = chance.choice(talks)
        flags = chance.choice((FIN, FIN | ACK, RST, RST | ACK, SYN, SYN | ACK, SYN | FIN, SYN | RST, PSH | ACK, 0, 63))
        offset = chance.choice((0, 1, -1, 100, 1 << 22, -(1 << 22), 1 << 31))
        talk.segment(chance.randrange(2), talk.sent[0] + offset, bytes(chance.choice((0, 0, 1, 50))), flags=flags)
    return wire.frames


def new_connections_on_one_pair(packets: int) -> list[Frame]:
    """Every SYN has another sequence number: each ends the connection before it."""
    wire = Wire(step_us=50)
    for number in range(packets // 4):
        talk = Tcp(wire, isn=(number * 100_000, number * 70_000)).open()
        talk.segment(0, 50, b"behind a hole")
    return wire.frames


# --- flows


def _address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def syn_flood(packets: int) -> list[Frame]:
    """Every packet is a SYN from somewhere else."""
    wire = Wire(step_us=1)
    for number in range(packets):
        segment = tcp(1024 + number % 60_000, 443, number, 0, SYN)
        wire.put(ethernet(ip(_address(number), "10.255.0.1", 6, segment)))
    return wire.frames


def datagram_flood(packets: int) -> list[Frame]:
    """Every packet is a datagram from somewhere else."""
    wire = Wire(step_us=1)
    for number in range(packets):
        datagram(wire, b"flood", source=(_address(number), 1024 + number % 60_000))
    return wire.frames


def hoarders(packets: int) -> list[Frame]:
    """Connections that begin a message and go silent: half of them behind a hole."""
    wire = Wire(step_us=10)
    for number in range(packets // 5):
        talk = Tcp(wire, addresses=(_address(number), "10.255.0.1"), ports=(1024 + number % 60_000, 104)).open()
        talk.send(0, b"\x01\x00\x00\x00\xff\xff" + bytes(600))
        talk.segment(0, talk.sent[0] + number % 2, bytes(900))
    return wire.frames


def colliding(seed: int, buckets: int, wanted: int) -> list[tuple[str, int]]:
    """(address, port) of senders to 10.255.0.1 port 161 whose flows share one bucket: for whoever knows the key."""
    module = load_interpreted()
    engine = new_engine(module, seed=seed)
    keys, odd = engine.keys, engine.odd
    top = (1 << 62) - 1
    same = keys[module.B_K7] * int(ip_address("10.255.0.1")) + keys[module.B_REST] * (4 << 8 | 17)

    def bucket_of(address: str, port: int) -> int:
        # all addresses here are below the target's
        total = (same + keys[module.B_K3] * int(ip_address(address)) + keys[module.B_PORTS] * (port << 16 | 161)) & top
        total = (total ^ total >> 31) * odd & top
        return int(total ^ total >> 31) & (buckets - 1)

    def senders() -> Iterator[tuple[str, int]]:
        for number in count():
            address, port = _address(number >> 8), 1024 + (number & 255)
            if bucket_of(address, port) == 0:
                yield address, port

    return list(islice(senders(), wanted))


def collisions(packets: int, *, seed: int = 0x5EED, buckets: int = 64, flows: int = 70) -> list[Frame]:
    """Flows of one bucket, a few more than its chain may have, in turn: the key is known."""
    wire, ends = Wire(step_us=1), colliding(seed, buckets, flows)
    for number in range(packets):
        datagram(wire, b"same", source=ends[number % flows], target=("10.255.0.1", 161))
    return wire.frames


# --- fragments, layers, lengths, clocks


def _fragment(ident: int, offset: int, size: int, *, more: bool = True) -> bytes:
    return ethernet(ip("10.0.0.1", "10.0.0.2", 17, bytes(size), ident=ident & 0xFFFF, fragment=offset, more=more))


def fragments_never_whole(packets: int) -> list[Frame]:
    """Each is of another datagram; none has its other half."""
    wire = Wire(step_us=10)
    for number in range(packets):
        source = f"10.1.{number >> 24 & 255}.{number >> 16 & 255}"
        wire.put(ethernet(ip(source, "10.0.0.2", 17, bytes(1400), ident=number & 0xFFFF, fragment=8, more=True)))
    return wire.frames


def fragments_overlapping(packets: int) -> list[Frame]:
    """Overlapping by eight bytes and by all but eight, with two ends, one inside the other."""
    wire, chance = Wire(step_us=10), random.Random(5)
    for number in range(packets):
        offset, size = 8 * chance.randrange(200), 8 * chance.randrange(1, 60)
        wire.put(_fragment(number >> 9, offset, size, more=chance.random() < 0.98))
    return wire.frames


def same_fragments(packets: int) -> list[Frame]:
    """As many pieces as are kept of a datagram, and then those again and again."""
    wire = Wire(step_us=10)
    for number in range(packets):
        wire.put(_fragment(1, 16 * (number % 127) + 16, 8))
    return wire.frames


def tiny_fragments(packets: int) -> list[Frame]:
    """Eight bytes to a fragment, the last one first; each datagram becomes whole."""
    wire = Wire(step_us=10)
    for number in range(packets):
        at = 99 - number % 100
        wire.put(_fragment(number // 100, 8 * at, 8, more=at < 99))
    return wire.frames


def nested_tunnels(packets: int) -> list[Frame]:
    """Tunnels in tunnels, deeper than anybody goes in after them, and as deep as the frame is long."""
    wire = Wire(step_us=10)
    frames = []
    inner = ethernet(ip("10.0.0.1", "10.0.0.2", 17, udp(40_000, 161, b"deep")))
    while len(inner) < 1400:
        inner = ethernet(ip("10.7.0.1", "10.7.0.2", 17, udp(50_000, 4789, vxlan(inner, 7))))
        frames.append(inner)
        frames.append(ethernet(ip("10.7.0.3", "10.7.0.4", 47, gre(inner[14:], 0x0800))))
    for number in range(packets):
        wire.put(frames[number % len(frames)])
    return wire.frames


def stacked_tags(packets: int) -> list[Frame]:
    """VLAN tags and MPLS labels, up to as many as fit a frame; labels without a bottom."""
    packet = ip("10.0.0.1", "10.0.0.2", 17, udp(40_000, 161, b"tags"))
    tags = [ethernet(packet, vlans=tuple(range(depth))) for depth in (1, 7, 8, 9, 300)]
    stacks = [struct.pack(">I", 99 << 12 | 64) * depth for depth in (0, 6, 7, 8, 300)]
    labels = [ethernet(stack + struct.pack(">I", 99 << 12 | 1 << 8) + packet, ether_type=0x8847) for stack in stacks]
    bottomless = [ethernet(stack, ether_type=0x8847) for stack in stacks]
    wire, frames = Wire(step_us=10), tags + labels + bottomless
    for number in range(packets):
        wire.put(frames[number % len(frames)])
    return wire.frames


def lies(packets: int) -> list[Frame]:
    """Lengths in headers that are not true: of IP, its options and extensions, TCP, UDP, tunnels."""
    wire, chance = Wire(step_us=10), random.Random(6)
    good = [
        ethernet(ip("10.0.0.1", "10.0.0.2", 6, tcp(40_000, 104, 7, 7, ACK, bytes(40), options=bytes(12)))),
        ethernet(ip("10.0.0.1", "10.0.0.2", 17, udp(40_000, 161, bytes(40)))),
        ethernet(ip("fd00::1", "fd00::2", 17, udp(40_000, 161, bytes(40)), extensions=b"")),
        ethernet(ip("fd00::1", "fd00::2", 0, udp(40_000, 161, bytes(40)), extensions=b"\x11\x00" + bytes(6))),
        ethernet(ip("10.0.0.3", "10.0.0.4", 47, gre(ip("10.0.0.1", "10.0.0.2", 17, udp(7, 8, bytes(20))), 0x0800))),
    ]
    places = {14: range(14, 24), 46: range(46, 52), 18: range(14, 64)}
    while len(wire.frames) < packets:
        frame = bytearray(chance.choice(good))
        for _ in range(chance.choice((1, 1, 2))):
            place = chance.choice(chance.choice(list(places.values())))
            if place < len(frame):
                frame[place] = chance.choice((0, 1, 4, 0x0F, 0x40, 0x45, 0x4F, 0x60, 0x7F, 0x80, 0xF0, 0xFF))
        wire.put(bytes(frame[: chance.choice((len(frame), len(frame), chance.randrange(14, len(frame))))]))
    return wire.frames


def leaping_clock(packets: int) -> list[Frame]:
    """Time goes back and forth by seconds, hours and decades, while conversations go on."""
    wire, chance = Wire(), random.Random(7)
    talks = [Tcp(wire, ports=(40_000 + number, 104)).open() for number in range(100)]
    while len(wire.frames) < packets:
        wire.now_us = chance.choice(
            (0, START_US, START_US + 3 * SECOND, START_US - 7200 * SECOND, START_US + 40 * YEAR_US)
        )
        for talk in chance.sample(talks, 5):
            talk.send(chance.randrange(2), b"tick")
    return wire.frames


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        plain, conflicting_overlaps, same_segments_behind_a_hole, one_segment_over_many, tiny_segments,
        tiny_segments_backwards, window_games, far_out_of_window, resets_and_fins, new_connections_on_one_pair,
        syn_flood, datagram_flood, hoarders, collisions, fragments_never_whole, fragments_overlapping, same_fragments,
        tiny_fragments, nested_tunnels, stacked_tags, lies, leaping_clock,
    )
}  # fmt: skip
