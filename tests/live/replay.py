"""Plays a classic pcap file of Ethernet frames into interfaces, as fast as it goes: replay.py CAPTURE INTERFACE...

Into two of them as a network tap does: each gets one direction.
"""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import ExitStack
from pathlib import Path


def frames(capture):
    order = "<" if capture[:4] in {b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"} else ">"
    at = 24
    while at < len(capture):
        count = struct.unpack_from(order + "I", capture, at + 8)[0]
        yield capture[at + 16 : at + 16 + count]
        at += 16 + count


def main(path, *interfaces):
    with ExitStack() as stack:
        socks = []
        for interface in interfaces:
            socks.append(stack.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)))
            socks[-1].bind((interface, 0))
        for frame in frames(Path(path).read_bytes()):
            forth = frame[6:12] < frame[:6]
            socks[forth * (len(socks) - 1)].send(frame)


if __name__ == "__main__":
    main(*sys.argv[1:])
