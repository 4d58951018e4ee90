"""The switch's mirror session: frames of each VLAN, tagged, out of the mirror port.

``_mirror.py VID... --as span vxlan erspan`` runs in the sensor's namespace. It takes the frames that ``tc`` mirrored
from the device ``vlanVID``, in the order of their time stamps, and sends them out of ``out-span`` with an 802.1Q tag,
out of ``out-vxlan`` in VXLAN (RFC 7348, VNI = VID) and out of ``out-erspan`` in ERSPAN type II over GRE. A switch does
this in hardware; the kernel that recorded the captures could neither tag nor speak ERSPAN. It ends at SIGINT and says
how many frames were lost before it could read them.
"""

from __future__ import annotations

import argparse
import bisect
import select
import signal
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_STATISTICS = 6
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
RECEIVE_BYTES = 256 << 20
FRAME_BYTES = 65536
ROUND_FRAMES = 4096
PATIENCE_S = 0.01
NS = 1_000_000_000
HELD_NS = 10_000_000  # how long a frame waits for earlier ones

ADDRESSES_BYTES = 12
TPID = 0x8100
IPV4 = 0x0800
SWITCH_MAC, SENSOR_MAC = bytes.fromhex("001b1700 0101"), bytes.fromhex("001b1700 0102")
SWITCH_IP, SENSOR_IP = socket.inet_aton("10.21.0.2"), socket.inet_aton("10.21.0.3")
VXLAN_PORT, SOURCE_PORT = 4789, 49152
VNI_IS_VALID = 0x08000000
GRE_SEQUENCE = 0x1000
ERSPAN_TYPE_II = 0x88BE
ERSPAN_VERSION, SESSION, AS_IT_WAS = 1, 7, 3

Frame = tuple[int, int, bytes]  # nanoseconds since 1970, VLAN, bytes


def listen(vid: int) -> socket.socket:
    """Return a packet socket on a VLAN's monitor, with kernel time stamps."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    sock.bind((f"vlan{vid}", ETH_P_ALL))
    sock.setblocking(False)
    return sock


def waiting(sock: socket.socket, vid: int) -> Iterator[Frame]:
    """Yield what has come, bounded."""
    for _ in range(ROUND_FRAMES):
        try:
            frame, ancillary, _, _ = sock.recvmsg(FRAME_BYTES, 64)
        except BlockingIOError:
            return
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
        yield seconds * NS + nanoseconds, vid, frame


def tagged(frame: bytes, vid: int) -> bytes:
    """Return the frame with an IEEE 802.1Q tag."""
    return frame[:ADDRESSES_BYTES] + struct.pack(">HH", TPID, vid) + frame[ADDRESSES_BYTES:]


def ipv4(protocol: int, payload: bytes, number: int) -> bytes:
    """Return an Ethernet frame with an IPv4 packet from the switch to the sensor."""
    fixed = struct.pack(">BBHHHBB", 0x45, 0, 20 + len(payload), number & 0xFFFF, 0, 64, protocol)
    total = sum(struct.unpack(">10H", fixed + b"\0\0" + SWITCH_IP + SENSOR_IP))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~(total + (total >> 16)) & 0xFFFF
    header = fixed + struct.pack(">H", checksum) + SWITCH_IP + SENSOR_IP
    return SENSOR_MAC + SWITCH_MAC + struct.pack(">H", IPV4) + header + payload


def in_vxlan(frame: bytes, vid: int, number: int) -> bytes:
    """Return the frame in VXLAN (RFC 7348 section 5); over IPv4 a checksum of zero is none (RFC 768)."""
    inner = struct.pack(">II", VNI_IS_VALID, vid << 8) + frame
    udp = struct.pack(">HHHH", SOURCE_PORT, VXLAN_PORT, 8 + len(inner), 0)
    return ipv4(socket.IPPROTO_UDP, udp + inner, number)


def in_erspan(frame: bytes, vid: int, number: int) -> bytes:
    """Return the frame in ERSPAN type II: GRE with a sequence number (RFC 2890), version and VLAN, session, index."""
    gre = struct.pack(">HHI", GRE_SEQUENCE, ERSPAN_TYPE_II, number)
    session = struct.pack(">HHI", ERSPAN_VERSION << 12 | vid, AS_IT_WAS << 11 | SESSION, 0)
    return ipv4(socket.IPPROTO_GRE, gre + session + frame, number)


class Exports:
    """The ways out: each takes a frame and its VLAN."""

    def __init__(self, ways: list[str]) -> None:
        self._number = 0
        self._out = {way: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) for way in ways}
        for way, sock in self._out.items():
            sock.bind((f"out-{way}", 0))

    def send(self, frame: bytes, vid: int) -> None:
        """Send a frame out of every port."""
        self._number += 1
        for way, sock in self._out.items():
            if way == "span":
                sock.send(tagged(frame, vid))
            elif way == "vxlan":
                sock.send(in_vxlan(frame, vid, self._number))
            else:
                sock.send(in_erspan(frame, vid, self._number))


def lost(sock: socket.socket) -> int:
    """Return how many frames the kernel dropped for this socket."""
    return int(struct.unpack("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1])


def forward(sockets: dict[socket.socket, int], exports: Exports, held: list[Frame]) -> None:
    """Take what has come, and send on, by time, what has waited long enough for earlier frames of other VLANs.

    The copies of a routed packet come from two sockets, and the later one may be there first.
    """
    ready, _, _ = select.select(list(sockets), [], [], PATIENCE_S)
    for sock in ready:
        held += waiting(sock, sockets[sock])
    held.sort()
    ripe = bisect.bisect(held, (time.time_ns() - HELD_NS,))
    for _, vid, frame in held[:ripe]:
        exports.send(frame, vid)
    del held[:ripe]


def main() -> None:
    """Run until SIGINT, then empty what is waiting and say what was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vid", type=int, nargs="+")
    parser.add_argument("--as", dest="ways", nargs="+", choices=("span", "vxlan", "erspan"), required=True)
    asked = parser.parse_args()
    asking: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: asking.append(number))
    sockets = {listen(vid): vid for vid in asked.vid}
    exports = Exports(asked.ways)
    print("mirroring", file=sys.stderr, flush=True)
    held: list[Frame] = []
    while not asking:
        forward(sockets, exports, held)
    forward(sockets, exports, held)  # what came before the interrupt and was not read yet
    while held:
        forward(sockets, exports, held)
    print(f"{sum(map(lost, sockets))} frames lost", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
