"""Ethernet frames with TCP cut into small segments, the way a stack with a tiny window would send them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tests.captures import Packet

ETHERNET_BYTES: Final = 14
IPV4: Final = b"\x08\x00"
IPV6: Final = b"\x86\xdd"
IPV6_HEADER_BYTES: Final = 40
TCP: Final = 6
_FIN_PSH: Final = 0x09


class Frame(NamedTuple):
    """Where the headers of an Ethernet frame with TCP end, and where its payload does."""

    tcp: int
    payload: int
    end: int


def dissected(data: bytes) -> Frame | None:
    """The places in a frame; None when it is no TCP over IPv4, or over IPv6 without extension headers, or has tags.

    ====== ====== ==============================================
    offset length meaning
    ====== ====== ==============================================
    12     2      EtherType, 0x0800 or 0x86DD
    14     1      version, and of IPv4 the header length in words
    16     2      of IPv4 the total length
    18     2      of IPv6 the payload length
    20     1      of IPv6 the next header, 6
    23     1      of IPv4 the protocol, 6
    t+12   1      TCP header length in words, upper four bits
    ====== ====== ==============================================
    """
    if data[12:14] == IPV4 and data[23] == TCP:
        tcp, end = ETHERNET_BYTES + (data[14] & 0x0F) * 4, ETHERNET_BYTES + int.from_bytes(data[16:18])
    elif data[12:14] == IPV6 and data[20] == TCP:
        tcp = ETHERNET_BYTES + IPV6_HEADER_BYTES
        end = tcp + int.from_bytes(data[18:20])
    else:
        return None
    return Frame(tcp, tcp + (data[tcp + 12] >> 4) * 4, end)


def segmented(records: Iterable[Packet], size: int) -> Iterator[Packet]:
    """The same bytes of the same conversations in segments of at most `size` bytes. Checksums are left as they were."""
    for record in records:
        frame = dissected(record.data)
        if frame is None or frame.end - frame.payload <= size:
            yield record
        else:
            yield from _cut(record, frame, size)


def _cut(record: Packet, frame: Frame, size: int) -> Iterator[Packet]:
    first = int.from_bytes(record.data[frame.tcp + 4 : frame.tcp + 8])
    for at in range(frame.payload, frame.end, size):
        part = record.data[at : min(at + size, frame.end)]
        head = bytearray(record.data[: frame.payload])
        if head[12:14] == IPV4:
            head[16:18] = (frame.payload - ETHERNET_BYTES + len(part)).to_bytes(2)
        else:
            head[18:20] = (frame.payload - frame.tcp + len(part)).to_bytes(2)
        head[frame.tcp + 4 : frame.tcp + 8] = (first + at - frame.payload & 0xFFFF_FFFF).to_bytes(4)
        if at + size < frame.end:
            head[frame.tcp + 13] &= ~_FIN_PSH
        length = len(head) + len(part)
        yield Packet(record.header[:8] + struct.pack("<II", length, length), bytes(head) + part)
