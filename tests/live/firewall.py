"""What a mirror shows that has both sides of a firewall which numbers the bytes of streams anew."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Iterator

from tests.captures import Packet

IPV4, TCP, ACK = b"\x08\x00", 6, 16
BEFORE, BEHIND = 12, 13
"""VLANs on both sides."""
FAR = 1 << 27
"""More than is believed to be missing."""


def firewalled(records: Iterable[Packet], delay_us: int, *, both_lanes: bool = True) -> list[Packet]:
    """Each TCP segment over IPv4 twice: as it was sent, and so much later as it went on.

    The one who is lower is before the firewall. Its sequence numbers are others behind it; with `both_lanes` those of
    whoever is behind it are others before it, too.
    """
    out = []
    for record in records:
        at = _header(record.data)
        if at is None:
            out.append(record)
            continue
        sender, other = record.data[26:30] + record.data[at : at + 2], record.data[30:34] + record.data[at + 2 : at + 4]
        is_lower = sender < other
        lots = random.Random(min(sender, other) + max(sender, other))
        secrets = [lots.randrange(FAR, (1 << 32) - FAR), lots.randrange(FAR, (1 << 32) - FAR) if both_lanes else 0]
        renumbered = _renumbered(record.data, at, *(secrets if is_lower else secrets[::-1]))
        first, second = (BEFORE, BEHIND) if is_lower else (BEHIND, BEFORE)
        out += [_on(record, record.data, first, 0), _on(record, renumbered, second, delay_us)]
    return sorted(out, key=lambda each: struct.unpack_from("<II", each.header))


def without_handshakes(records: Iterable[Packet]) -> Iterator[Packet]:
    """The same but for segments with SYN."""
    for record in records:
        at = _header(record.data)
        if at is None or not record.data[at + 13] & 2:
            yield record


def _header(data: bytes) -> int | None:
    """Where TCP begins; None: it is something else, or a fragment."""
    if len(data) < 54 or data[12:14] != IPV4 or data[23] != TCP or int.from_bytes(data[20:22]) & 0x3FFF:
        return None
    return 14 + 4 * (data[14] & 15)


def _renumbered(data: bytes, at: int, mine: int, others: int) -> bytes:
    """With other numbers and their checksum (RFC 1624)."""
    seq, ack = struct.unpack_from(">II", data, at + 4)
    new = struct.pack(">II", (seq + mine) % (1 << 32), (ack + others) % (1 << 32) if data[at + 13] & ACK else ack)
    old = struct.unpack_from(">4H", data, at + 4)
    total = (~int.from_bytes(data[at + 16 : at + 18]) & 0xFFFF) + sum(~word & 0xFFFF for word in old)
    total += sum(struct.unpack(">4H", new))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    checksum = (~total & 0xFFFF).to_bytes(2)
    return data[: at + 4] + new + data[at + 12 : at + 16] + checksum + data[at + 18 :]


def _on(record: Packet, data: bytes, vlan: int, later_us: int) -> Packet:
    """The packet on a VLAN."""
    seconds, micros, count, length = struct.unpack("<IIII", record.header)
    time = seconds * 1_000_000 + micros + later_us
    header = struct.pack("<IIII", *divmod(time, 1_000_000), count + 4, length + 4)
    return Packet(header, data[:12] + struct.pack(">HH", 0x8100, vlan) + data[12:])
