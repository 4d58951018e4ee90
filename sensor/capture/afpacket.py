"""Live packets on Linux: AF_PACKET sockets with TPACKET_V3 rings, which the engine walks in place.

A ring is memory shared with the kernel, in blocks. The kernel fills a block with packets and hands it over when it is
full or `RETIRE_MS` old; we walk it and hand it back. Nothing is copied and no call is made per packet.

Opening takes CAP_NET_RAW; what follows does not, finding the interface again after it was gone included: the worker
gives up its rights as soon as the rings are made (see `sandbox`).

* Promiscuous, because a mirror's frames are addressed to others.
* A filter in the kernel (classic BPF) leaves out what is never wanted: pause frames, loopback tests, storage.
* VLAN tags, which the kernel takes out, are put back by the engine; `PACKET_RESERVE` keeps the room for them.
* Outgoing frames are kept: a mirror port has none, and a host that watches itself wants both directions. On a loopback
  interface every frame would be seen twice, so there they are left out.
* Several workers share an interface by `PACKET_FANOUT_HASH`: both directions of a conversation come to the same one.

Spec: packet(7), Documentation/networking/packet_mmap.rst of the kernel, linux/if_packet.h.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import socket
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sensor.capture.errors import CaptureError, CaptureGone, CaptureUnreadable
from sensor.capture.shedding import SHED_AT
from sensor.engine import CORRUPT, NEED, Engine

RING_BYTES: Final = 256 << 20
BLOCK_BYTES: Final = 1 << 20
RETIRE_MS: Final = 150

_SOL_PACKET: Final = 263
_ADD_MEMBERSHIP, _RX_RING, _STATISTICS, _VERSION = 1, 5, 6, 10
_RESERVE, _FANOUT = 12, 18
_IGNORE_OUTGOING: Final = 23
_MR_PROMISC: Final = 1
_TPACKET_V3: Final = 2
_FANOUT_HASH_DEFRAG: Final = 0x8000
_SO_ATTACH_FILTER: Final = 26
_ETH_P_ALL: Final = 3
_SIOCGIFFLAGS, _SIOCGIFHWADDR = 0x8913, 0x8927
_TAG_BYTES: Final = 4
_USER, _LOSING = 1, 4
# struct tpacket_block_desc: version, offset to private area, then status, packets, offset to the first, bytes
_BLOCK: Final = struct.Struct("=IIIIII")
_STATUS_AT: Final = 8
# Link types (as in captures) by ARPHRD_*: Ethernet, loopback; tunnels and point-to-point links that carry bare IP.
_LINK_TYPES: Final = {1: 1, 772: 1, 65534: 101, 768: 101, 769: 101, 776: 101, 512: 101}
_LOOPBACK: Final = 772
# Never wanted: Ethernet pause, loopback test, FCoE (2), RoCE, ATA over Ethernet.
UNWANTED: Final = (0x8808, 0x9000, 0x8906, 0x8914, 0x8915, 0x88A2)


class Interface(NamedTuple):
    """A network interface as it is now. `link_type` as in captures."""

    number: int
    link_type: int
    loopback: bool


class Ring:
    """One interface's socket and ring; a `Tap`.

    Args:
        name: of the interface.
        ring_bytes: of packets that can wait.
        fanout: number of the group of workers that share the interface; 0 when this one is alone.

    Attributes:
        lost: the interface is gone or down.
    """

    def __init__(self, name: str, ring_bytes: int = RING_BYTES, fanout: int = 0) -> None:
        self.name = name
        self.lost = False
        self.counters: Counter[str] = Counter()
        self._fanout = fanout
        self.blocks = max(2, ring_bytes // BLOCK_BYTES)
        self._at = 0
        found = look_up(name)
        self._dropped = dropped_by(name)
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        except PermissionError as error:
            raise CaptureUnreadable(Path(name), "may not be captured from by this user", NO_RIGHTS) from error
        try:
            self._set_up(found)
            self._bind(found)
        except OSError as error:
            self.socket.close()
            raise CaptureUnreadable(Path(name), f"cannot be captured from: {error.strerror}") from error
        if self._fanout:
            self._join()

    def _set_up(self, found: Interface) -> None:
        """Everything before the first packet can come."""
        sock = self.socket
        sock.setblocking(False)
        sock.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V3)
        sock.setsockopt(_SOL_PACKET, _RESERVE, _TAG_BYTES)
        if found.loopback:
            sock.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        if found.link_type == 1:
            _attach(sock, filter_program(UNWANTED))
        frame_bytes = 2048  # a formality of version 3, which packs frames of any size into a block
        frames = self.blocks * (BLOCK_BYTES // frame_bytes)
        request = struct.pack("=IIIIIII", BLOCK_BYTES, self.blocks, frame_bytes, frames, RETIRE_MS, 0, 0)
        sock.setsockopt(_SOL_PACKET, _RX_RING, request)
        self._pages = mmap.mmap(sock.fileno(), self.blocks * BLOCK_BYTES)
        self._view = memoryview(self._pages)

    def _bind(self, found: Interface) -> None:
        self.socket.bind((self.name, _ETH_P_ALL))
        self.index, self.link_type = found.number, found.link_type
        if found.link_type == 1 and not found.loopback:
            request = struct.pack("=IHH8s", found.number, _MR_PROMISC, 0, b"")
            self.socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, request)

    def _join(self) -> None:
        """Share the interface. The group's number is one for each interface, the same in all workers."""
        group = (self._fanout ^ (self.index * 0x9E37)) & 0xFFFF
        self.socket.setsockopt(_SOL_PACKET, _FANOUT, struct.pack("=I", group | _FANOUT_HASH_DEFRAG << 16))

    def fileno(self) -> int:
        """See `Tap`."""
        return self.socket.fileno()

    @property
    def ready(self) -> bool:
        """The kernel has handed over a block."""
        return bool(self._block()[2] & _USER)

    @property
    def filled(self) -> float:
        """See `Tap`. The kernel fills blocks in turn, so that one look tells for all before it."""
        return max((share for share in SHED_AT if self._is_filled(share)), default=0.0)

    def _is_filled(self, share: float) -> bool:
        block = (self._at + min(int(share * self.blocks), self.blocks - 1)) % self.blocks
        return bool(_BLOCK.unpack_from(self._view, block * BLOCK_BYTES)[2] & _USER)

    def _block(self) -> tuple[int, ...]:
        return _BLOCK.unpack_from(self._view, self._at * BLOCK_BYTES)

    def events(self, engine: Engine, step: Callable[[], int]) -> Iterator[int]:
        """See `Tap`. The block then goes back to the kernel."""
        start = self._at * BLOCK_BYTES
        _, _, status, packets, first, used_bytes = self._block()
        if status & _LOSING:
            self.counters["ring_losing_blocks"] += 1
        if packets:
            engine.tpacket(sys.byteorder == "big", self.link_type)
            engine.load(self._view, start + first, start + min(max(used_bytes, first), BLOCK_BYTES))
            while (event := step()) not in {NEED, CORRUPT}:
                yield event
            if event == CORRUPT:
                self.counters["ring_corrupt_blocks"] += 1
        self.counters["ring_blocks"] += 1
        self.counters["ring_bytes"] += used_bytes
        struct.pack_into("=I", self._view, start + _STATUS_AT, 0)
        self._at = (self._at + 1) % self.blocks

    def count(self) -> None:
        """See `Tap`. The kernel forgets what it has counted when it is asked."""
        said = self.socket.getsockopt(_SOL_PACKET, _STATISTICS, 12)
        packets, drops, freezes = struct.unpack("=III", said)
        self.counters["kernel_packets"] += packets
        self.counters["kernel_drops"] += drops
        self.counters["ring_freezes"] += freezes
        dropped = dropped_by(self.name)
        self.counters["interface_drops"] += max(0, dropped - self._dropped)
        self._dropped = dropped

    def notice(self) -> None:
        """See `Tap`."""
        failure = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure in {errno.ENETDOWN, errno.ENODEV, errno.ENXIO} and not self.lost:
            self.lost = True
            self.counters["interface_losses"] += 1

    def _bind_anew(self, found: Interface) -> None:
        """The kernel binds no socket of a group again: that takes a new worker."""
        if self._fanout:
            raise CaptureGone(Path(self.name), "came back as another interface", "another worker is needed")
        self._bind(found)

    def _is_bound(self) -> bool:
        """Whether the kernel has not let go of what the socket was bound to; its name is not asked for, nor may it be.

        Spec: packet(7), `sll_hatype`, which is none where there is no interface.
        """
        return bool(self.socket.getsockname()[3])

    def find_again(self) -> None:
        """See `Tap`. One that was made anew is bound anew."""
        try:
            found = look_up(self.name)
            if not is_up(self.name):
                return
            if found.number != self.index or not self._is_bound():
                self._bind_anew(found)
        except CaptureGone:
            raise
        except (CaptureError, OSError):
            return
        self.lost = False
        self.counters["interface_returns"] += 1

    def refuse_more(self) -> None:
        """See `Tap`."""
        _attach(self.socket, [_REFUSE])

    def close(self) -> None:
        """Let the interface go; the pages go with the process, because the engine may still look at them."""
        self.socket.close()


def look_up(name: str) -> Interface:
    """The interface of that name.

    Raises:
        CaptureUnreadable: there is none, or of a kind that is not read.
    """
    try:
        kind = _ask(name, _SIOCGIFHWADDR)
        number = socket.if_nametoindex(name)
    except OSError as error:
        raise CaptureUnreadable(Path(name), f"there is no interface {name}", _names()) from error
    if kind not in _LINK_TYPES:
        raise CaptureUnreadable(Path(name), f"an interface of a kind that is not read (ARPHRD {kind})")
    return Interface(number, _LINK_TYPES[kind], kind == _LOOPBACK)


def is_up(name: str) -> bool:
    """Whether the interface is switched on (IFF_UP)."""
    try:
        return bool(_ask(name, _SIOCGIFFLAGS) & 1)
    except OSError:
        return False


def dropped_by(name: str) -> int:
    """Packets that the interface, or the queue behind it, has dropped before any socket saw them; 0 when it is gone.

    Spec: proc_net(5): after the name come bytes, packets, errors and drops of what was received.
    """
    try:
        lines = Path("/proc/self/net/dev").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # hidden from us
        return 0
    for line in lines:
        label, _, numbers = line.partition(":")
        if label.strip() == name:
            return int(numbers.split()[3])
    return 0


def _ask(name: str, request: int) -> int:
    """The number that netdevice(7) puts first into its answer. Any kind of socket may ask."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        answer = fcntl.ioctl(sock, request, struct.pack("=16s24x", os.fsencode(name)[:15]))
    return int(struct.unpack_from("=H", answer, 16)[0])


def _names() -> str:
    return "there are: " + ", ".join(sorted(name for _, name in socket.if_nameindex()))


def filter_program(unwanted: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Classic BPF: nothing of a frame whose EtherType, at offset 12, is unwanted; all of any other."""
    count = len(unwanted)
    tests = [(0x15, count - number, 0, kind) for number, kind in enumerate(unwanted)]
    return [(0x28, 0, 0, 12), *tests, (0x06, 0, 0, 0x40000), _REFUSE]


_REFUSE: Final = (0x06, 0, 0, 0)


def _attach(sock: socket.socket, program: Sequence[tuple[int, int, int, int]]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(code)))


NO_RIGHTS: Final = "run it as root, or grant CAP_NET_RAW (systemd: AmbientCapabilities=CAP_NET_RAW)"
