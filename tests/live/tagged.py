"""VLAN tags for the frames of a classic little-endian pcap file."""

from __future__ import annotations

import struct


def tagged(capture, tags):
    """The capture with `tags` (type, VLAN id) behind the addresses of every frame, outermost first."""
    inserted = b"".join(struct.pack(">HH", kind, vlan) for kind, vlan in tags)
    out, at = [capture[:24]], 24
    while at < len(capture):
        seconds, fraction, count, original = struct.unpack_from("<IIII", capture, at)
        frame = capture[at + 16 : at + 16 + count]
        more = len(inserted)
        out.append(struct.pack("<IIII", seconds, fraction, count + more, original + more))
        out.append(frame[:12] + inserted + frame[12:])
        at += 16 + count
    return b"".join(out)
