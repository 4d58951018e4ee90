"""Frames of made-up conversations with right checksums, quickly: a workload is millions of them.

The ones' complement sum of RFC 1071 is a residue modulo 65535 and 2^16 is 1 there, so a whole payload is summed as one
big number, and sequence numbers need not be taken apart. Lanes are 0 (opens the connection) and 1.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

FIN, SYN, PSH, ACK = 1, 2, 8, 16
MSS_BYTES = 1448
WINDOW = 64240
START_US = 1_763_856_000_000_000  # 2025-11-23T00:00:00Z
# MSS, SACK permitted, time stamps left empty, window scale: what a Linux host offers.
_SYN_OPTIONS = bytes.fromhex("020405b40402080a000000000000000001030307")
_GLOBAL = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
_RECORD = struct.Struct("<IIII")
_IPV4_TCP = struct.Struct(">BBHHHBBH8sHHIIHHHH")
_TCP = struct.Struct(">HHIIHHHH")
_FLUSH_BYTES = 4 << 20


class Talk:
    """A TCP connection: each call gives the next frame or frames, with sequence numbers kept."""

    def __init__(self, ends: tuple[str, str], ports: tuple[int, int], seed: int, *, vlan: int = 0) -> None:
        chance = random.Random(seed)
        self.seq = [chance.getrandbits(32), chance.getrandbits(32)]
        self._ident = chance.getrandbits(16)
        addresses = [packed(end) for end in ends]
        self._ports = (ports, ports[::-1])
        self._v6 = len(addresses[0]) == 16
        self._link = [link(addresses[lane], addresses[1 - lane], vlan) for lane in (0, 1)]
        self._addresses = (addresses[0] + addresses[1], addresses[1] + addresses[0])
        self._sum = (int.from_bytes(addresses[0]) + int.from_bytes(addresses[1])) % 65535
        self._constant = self._sum + 6 + sum(ports) + WINDOW

    def open(self) -> Iterator[bytes]:
        """The three frames of the handshake."""
        yield self._frame(0, b"", SYN, _SYN_OPTIONS)
        yield self._frame(1, b"", SYN | ACK, _SYN_OPTIONS)
        yield self._frame(0, b"", ACK)

    def says(self, lane: int, data: bytes) -> Iterator[bytes]:
        """Segments of a message; the other lane acknowledges every second one."""
        last = len(data) - MSS_BYTES
        for number, at in enumerate(range(0, len(data), MSS_BYTES)):
            yield self._frame(lane, data[at : at + MSS_BYTES], ACK | PSH if at >= last else ACK)
            if number & 1:
                yield self._frame(1 - lane, b"", ACK)

    def ack(self, lane: int) -> bytes:
        """A lone acknowledgement."""
        return self._frame(lane, b"", ACK)

    def close(self) -> Iterator[bytes]:
        """Both sides end."""
        yield self._frame(0, b"", FIN | ACK)
        yield self._frame(1, b"", FIN | ACK)
        yield self._frame(0, b"", ACK)

    def _frame(self, lane: int, payload: bytes, flags: int, options: bytes = b"") -> bytes:
        seq, ack = self.seq[lane], self.seq[1 - lane] if flags & ACK else 0
        self.seq[lane] = (seq + len(payload) + (flags & (SYN | FIN) > 0)) & 0xFFFFFFFF
        body = options + payload
        word, size = (20 + len(options)) << 10 | flags, 20 + len(body)
        check = -(self._constant + seq + ack + word + size + total(body)) % 65535
        source, target = self._ports[lane]
        if self._v6:
            head = struct.pack(">IHBB", 6 << 28, size, 6, 64) + self._addresses[lane]
            tcp = _TCP.pack(source, target, seq, ack, word, WINDOW, check, 0)
            return self._link[lane] + head + tcp + body
        self._ident = ident = (self._ident + 1) & 0xFFFF
        ip_check = -(0x4500 + 20 + size + ident + 0x4000 + 0x4006 + self._sum) % 65535
        return (
            self._link[lane]
            + _IPV4_TCP.pack(
                0x45, 0, 20 + size, ident, 0x4000, 64, 6, ip_check, self._addresses[lane],
                source, target, seq, ack, word, WINDOW, check, 0,
            )
            + body
        )  # fmt: skip


def link(source: bytes, target: bytes, vlan: int = 0) -> bytes:
    """Ethernet header for packed IP addresses; a MAC address for each IP address."""
    tag = struct.pack(">HH", 0x8100, vlan) if vlan else b""
    kind = b"\x86\xdd" if len(source) == 16 else b"\x08\x00"
    return b"\x02\x00" + target[-4:] + b"\x02\x00" + source[-4:] + tag + kind


def datagram(ends: tuple[str, str], ports: tuple[int, int], payload: bytes, vlan: int = 0) -> bytes:
    """A UDP datagram over IPv4."""
    a, b = packed(ends[0]), packed(ends[1])
    size, ends_sum = 8 + len(payload), (int.from_bytes(a) + int.from_bytes(b)) % 65535
    # Zero would mean that there is no checksum.
    check = 65535 - (ends_sum + 17 + sum(ports) + 2 * size + total(payload)) % 65535
    ip_check = -(0x4500 + 20 + size + 0x4000 + 0x4011 + ends_sum) % 65535
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, 64, 17, ip_check)
    return link(a, b, vlan) + ip + a + b + struct.pack(">HHHH", *ports, size, check) + payload


@lru_cache(maxsize=1 << 17)
def packed(address: str) -> bytes:
    """The bytes of an address."""
    return ip_address(address).packed


def total(data: bytes) -> int:
    """Sum of the 16-bit words, an odd byte padded, modulo 65535."""
    number = int.from_bytes(data) % 65535
    return number << 8 if len(data) & 1 else number


def swapped(frames: Iterable[bytes], chance: random.Random, share: float) -> Iterator[bytes]:
    """The frames, with a share of neighbours in the wrong order."""
    held = None
    for frame in frames:
        if held is not None:
            yield frame
            yield held
            held = None
        elif chance.random() < share:
            held = frame
        else:
            yield frame
    if held is not None:
        yield held


def interleaved(talks: Iterable[Iterator[bytes]], live: int, chance: random.Random) -> Iterator[bytes]:
    """Frames of all conversations, `live` of them at a time, in any order; each in its own order."""
    waiting = iter(talks)
    running = [talk for _, talk in zip(range(live), waiting, strict=False)]
    draw = chance.random
    while running:
        at = int(draw() * len(running))
        frame = next(running[at], None)
        if frame is not None:
            yield frame
        elif (talk := next(waiting, None)) is not None:
            running[at] = talk
        else:
            running[at] = running[-1]
            running.pop()


def write(path: Path, frames: Iterable[bytes], step_us: int) -> tuple[int, int]:
    """A pcap file, one frame each `step_us`; returns packets and bytes of frames."""
    count = size = held = 0
    pieces = [_GLOBAL]
    with path.open("wb") as file:
        for frame in frames:
            second, us = divmod(START_US + count * step_us, 1_000_000)
            length = len(frame)
            pieces.append(_RECORD.pack(second, us, length, length))
            pieces.append(frame)
            count, size, held = count + 1, size + length, held + length
            if held > _FLUSH_BYTES:
                file.write(b"".join(pieces))
                pieces, held = [], 0
        file.write(b"".join(pieces))
    return count, size
