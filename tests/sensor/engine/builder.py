"""Builds packets and captures for the engine's tests, byte by byte, so that each test says what is on the wire.

Lanes are 0 (the side that sends the SYN) and 1. Times are microseconds since the epoch.
"""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import NamedTuple

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START_US = 1_763_856_000_000_000  # 2025-11-23T00:00:00Z
SECOND = 1_000_000
MASK = 0xFFFFFFFF
ETHERNET, NULL, RAW, LOOP, SLL, RAW_IPV4, SLL2 = 1, 0, 101, 108, 113, 228, 276


class Frame(NamedTuple):
    """One captured frame; `length` is what it had on the wire."""

    ts_us: int
    data: bytes
    length: int


def mac(number: int) -> bytes:
    return (0x020000000000 + number).to_bytes(6, "big")


def ethernet(payload: bytes, *, ether_type: int | None = None, vlans: tuple[int, ...] = (), tpid: int = 0x8100,
             source: int = 1, target: int = 2) -> bytes:  # fmt: skip
    """An Ethernet frame, not padded; VLAN tags from the outside to the inside."""
    kind = ether_type if ether_type is not None else (0x86DD if payload[:1] and payload[0] >> 4 == 6 else 0x0800)
    tags = b"".join(struct.pack(">HH", tpid, vlan) for vlan in vlans)
    return mac(target) + mac(source) + tags + struct.pack(">H", kind) + payload


def ip(source: str, target: str, protocol: int, payload: bytes, *, ident: int = 0, fragment: int = 0,
       more: bool = False, total: int | None = None, extensions: bytes = b"", ttl: int = 64) -> bytes:  # fmt: skip
    """An IPv4 or IPv6 packet. `fragment` is the offset in bytes; IPv6 extension headers are the caller's business."""
    a, b = ip_address(source), ip_address(target)
    if a.version == 6:
        size = len(extensions) + len(payload) if total is None else total
        return struct.pack(">IHBB", 6 << 28, size, protocol, ttl) + a.packed + b.packed + extensions + payload
    size = 20 + len(payload) if total is None else total
    flags = (0x2000 if more else 0) | fragment >> 3
    return struct.pack(">BBHHHBBH", 0x45, 0, size, ident, flags, ttl, protocol, 0) + a.packed + b.packed + payload


def tcp(source: int, target: int, seq: int, ack: int, flags: int, payload: bytes = b"", *, options: bytes = b"",
        window: int = 65535) -> bytes:  # fmt: skip
    """A TCP segment; options must be padded to four bytes."""
    offset = (20 + len(options)) // 4 << 4
    return (
        struct.pack(">HHIIBBHHH", source, target, seq & MASK, ack & MASK, offset, flags, window, 0, 0)
        + options
        + payload
    )


def udp(source: int, target: int, payload: bytes, *, length: int | None = None) -> bytes:
    return struct.pack(">HHHH", source, target, 8 + len(payload) if length is None else length, 0) + payload


class Wire:
    """Frames in the order of their capture, one millisecond apart unless told otherwise."""

    def __init__(self, now_us: int = START_US, step_us: int = 1000) -> None:
        self.frames: list[Frame] = []
        self.now_us = now_us
        self.step_us = step_us

    def put(self, data: bytes, *, length: int | None = None) -> None:
        self.frames.append(Frame(self.now_us, data, len(data) if length is None else length))
        self.now_us += self.step_us

    def wait(self, seconds: float) -> None:
        self.now_us += int(seconds * SECOND)

    def pcap(self, **options: object) -> bytes:
        return pcap(self.frames, **options)  # type: ignore[arg-type]


class Tcp:
    """A TCP conversation: keeps sequence numbers, so that a test names only what matters."""

    def __init__(self, wire: Wire, *, addresses: tuple[str, str] = ("10.0.0.1", "10.0.0.2"),
                 ports: tuple[int, int] = (50000, 104), isn: tuple[int, int] = (1000, 5000),
                 vlans: tuple[int, ...] = ()) -> None:  # fmt: skip
        self.wire = wire
        self.addresses, self.ports, self.isn, self.vlans = addresses, ports, isn, vlans
        self.sent = [0, 0]  # payload bytes put on the wire in order
        self.acked = [0, 0]  # payload bytes of the *other* lane that this lane has acknowledged

    def open(self) -> Tcp:
        self._put(0, SYN, self.isn[0], 0)
        self._put(1, SYN | ACK, self.isn[1], self.isn[0] + 1)
        self._put(0, ACK, self.isn[0] + 1, self.isn[1] + 1)
        return self

    def send(self, lane: int, data: bytes, *, ack: bool = True, mss: int = 1460) -> None:
        """Data in order, in segments of `mss`, acknowledging what the other lane has sent, unless told not to."""
        for begin in range(0, len(data), mss):
            piece = data[begin : begin + mss]
            self.segment(lane, self.sent[lane], piece, ack=self.sent[1 - lane] if ack else self.acked[lane])
            self.sent[lane] += len(piece)

    def lose(self, lane: int, count: int) -> None:
        """Bytes that were sent, and that the capture does not have."""
        self.sent[lane] += count

    def segment(self, lane: int, offset: int, data: bytes = b"", *, ack: int | None = None, flags: int = PSH | ACK,
                snap: int | None = None) -> None:  # fmt: skip
        """One segment at a payload offset of the lane; `ack` is a payload offset of the other lane."""
        self.acked[lane] = self.acked[lane] if ack is None else ack
        other = self.isn[1 - lane] + 1 + self.acked[lane]
        self._put(lane, flags, self.isn[lane] + 1 + offset, other, data, snap)

    def ack(self, lane: int) -> None:
        """A pure acknowledgement of everything the other lane has sent."""
        self.segment(lane, self.sent[lane], ack=self.sent[1 - lane], flags=ACK)

    def fin(self, lane: int) -> None:
        self.segment(lane, self.sent[lane], ack=self.sent[1 - lane], flags=FIN | ACK)
        self.sent[lane] += 1

    def rst(self, lane: int) -> None:
        self.segment(lane, self.sent[lane], flags=RST | ACK)

    def close(self) -> None:
        self.fin(0)
        self.fin(1)
        self.ack(0)

    def frame(self, lane: int, flags: int, seq: int, ack: int, data: bytes = b"") -> bytes:
        a, b = (0, 1) if lane == 0 else (1, 0)
        segment = tcp(self.ports[a], self.ports[b], seq, ack, flags, data)
        packet = ip(self.addresses[a], self.addresses[b], 6, segment)
        return ethernet(packet, vlans=self.vlans, source=10 + a, target=10 + b)

    def _put(self, lane: int, flags: int, seq: int, ack: int, data: bytes = b"", snap: int | None = None) -> None:
        frame = self.frame(lane, flags, seq, ack, data)
        kept = frame if snap is None else frame[: len(frame) - len(data) + snap]
        self.wire.put(kept, length=len(frame))


def datagram(wire: Wire, payload: bytes, *, source: tuple[str, int] = ("10.0.0.1", 40000),
             target: tuple[str, int] = ("10.0.0.2", 161), vlans: tuple[int, ...] = ()) -> None:  # fmt: skip
    wire.put(ethernet(ip(source[0], target[0], 17, udp(source[1], target[1], payload)), vlans=vlans))


# --- files


def pcap(frames: list[Frame], *, link_type: int = ETHERNET, big_endian: bool = False, nanosecond: bool = False,
         modified: bool = False) -> bytes:  # fmt: skip
    order = ">" if big_endian else "<"
    magic = 0xA1B2CD34 if modified else 0xA1B23C4D if nanosecond else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)]
    for frame in frames:
        seconds, rest = divmod(frame.ts_us, SECOND)
        fraction = rest * 1000 if nanosecond else rest
        parts.append(struct.pack(order + "IIII", seconds, fraction, len(frame.data), frame.length))
        parts.append(bytes(8) if modified else b"")
        parts.append(frame.data)
    return b"".join(parts)


def block(kind: int, body: bytes, *, big_endian: bool = False) -> bytes:
    order = ">" if big_endian else "<"
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(*, big_endian: bool = False) -> bytes:
    order = ">" if big_endian else "<"
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), big_endian=big_endian)


def interface(link_type: int = ETHERNET, *, options: bytes = b"", snaplen: int = 0, big_endian: bool = False) -> bytes:
    order = ">" if big_endian else "<"
    return block(1, struct.pack(order + "HHI", link_type, 0, snaplen) + options, big_endian=big_endian)


def option(code: int, value: bytes, *, big_endian: bool = False) -> bytes:
    order = ">" if big_endian else "<"
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def enhanced(data: bytes, units: int, *, interface_id: int = 0, length: int | None = None, options: bytes = b"",
             big_endian: bool = False) -> bytes:  # fmt: skip
    """An enhanced packet block; `units` is the time in the interface's resolution."""
    order = ">" if big_endian else "<"
    head = (interface_id, units >> 32, units & MASK, len(data), len(data) if length is None else length)
    body = struct.pack(order + "IIIII", *head) + data + bytes(-len(data) % 4) + options
    return block(6, body, big_endian=big_endian)


def pcapng(frames: list[Frame], *, big_endian: bool = False, link_type: int = ETHERNET) -> bytes:
    """One section, one interface with microseconds."""
    parts = [section(big_endian=big_endian), interface(link_type, big_endian=big_endian)]
    parts += [enhanced(f.data, f.ts_us, length=f.length, big_endian=big_endian) for f in frames]
    return b"".join(parts)


# --- tunnels


def mpls(payload: bytes, *labels: int) -> bytes:
    """A label stack, from the top to the bottom."""
    last = len(labels) - 1
    return (
        b"".join(struct.pack(">I", label << 12 | (n == last) << 8 | 64) for n, label in enumerate(labels, 0)) + payload
    )


def ppp(packet: bytes, *, short: bool = False) -> bytes:
    """A PPP frame of an IP packet; `short`: with the protocol field compressed to a byte."""
    kind = 0x57 if packet[0] >> 4 == 6 else 0x21
    return (bytes([kind]) if short else struct.pack(">H", kind)) + packet


def pppoe(payload: bytes, *, session: int = 7, length: int | None = None) -> bytes:
    return struct.pack(">BBHH", 0x11, 0, session, len(payload) if length is None else length) + payload


def gre(payload: bytes, kind: int, *, key: int | None = None, sequence: int | None = None, checksum: bool = False,
        flags: int = 0) -> bytes:  # fmt: skip
    """RFC 2784 and 2890; `flags` are more bits for the first word."""
    flags |= (0x8000 if checksum else 0) | (0 if key is None else 0x2000) | (0 if sequence is None else 0x1000)
    words = bytes(4) if checksum else b""
    words += b"".join(struct.pack(">I", word) for word in (key, sequence) if word is not None)
    return struct.pack(">HH", flags, kind) + words + payload


def erspan2(frame: bytes, *, vlan: int = 0, session: int = 0) -> bytes:
    """GRE with a sequence number, and ERSPAN type II."""
    return gre(struct.pack(">HHI", 1 << 12 | vlan, session, 0) + frame, 0x88BE, sequence=1)


def erspan3(payload: bytes, *, vlan: int = 0, session: int = 0, frame_type: int = 0, subheader: bool = False) -> bytes:
    """GRE and ERSPAN type III; frame type 2 is IP without a frame."""
    head = struct.pack(">HHIHH", 2 << 12 | vlan, session, 12345, 0, 0x8000 | frame_type << 10 | subheader)
    return gre(head + bytes(8 if subheader else 0) + payload, 0x22EB, sequence=1)


def vxlan(frame: bytes, vni: int, *, flags: int = 8, following: int = 0) -> bytes:
    """RFC 7348; `following` is the next protocol of the generic extension."""
    return struct.pack(">BHBI", flags, 0, following, vni << 8) + frame


def geneve(payload: bytes, vni: int, *, kind: int = 0x6558, options: bytes = b"") -> bytes:
    return struct.pack(">BBHI", len(options) // 4, 0, kind, vni << 8) + options + payload


def gtp(packet: bytes, *, extensions: bytes | None = None, message: int = 255) -> bytes:
    """GTP-U; `extensions` begins with the type of the first and ends with a zero as the type of none."""
    more = b"" if extensions is None else bytes(3) + extensions
    flags = 0x30 if extensions is None else 0x34
    return struct.pack(">BBHI", flags, message, len(more) + len(packet), 1) + more + packet
