"""Live packets on Linux: an AF_PACKET socket with a TPACKET_V3 ring, which the engine walks in place.

A ring is memory shared with the kernel, in blocks. The kernel fills a block with packets and hands it over when it is
full or `RETIRE_MS` old; we walk it and hand it back. Nothing is copied and no call is made per packet.

**One ring for all interfaces.** A network tap has an interface for each direction of a link, and a conversation makes
sense in its order alone. The socket is bound to no interface, and its filter lets in what comes by those that are
wanted: the kernel puts packets one behind another as they come, and says of each which way it came. Rings of their own
would be walked block by block: all questions of 150 ms, then all answers.

Opening takes CAP_NET_RAW; what follows does not, finding an interface again after it was gone included: the worker
gives up its rights as soon as the ring is made (see `sandbox`).

* Promiscuous, because a mirror's frames are addressed to others.
* A filter in the kernel (classic BPF) leaves out what is never wanted: pause frames, loopback tests, storage.
* VLAN tags, which the kernel takes out, are put back by the engine; `PACKET_RESERVE` keeps the room for them.
* Outgoing frames are kept: a mirror port has none, and a host that watches itself wants both directions. On a loopback
  interface every frame would be seen twice, so there they are left out.
* Several workers share the interfaces by `PACKET_FANOUT_HASH`: both directions of a conversation come to the same one,
  whichever interface each comes by.

Spec: packet(7), Documentation/networking/packet_mmap.rst of the kernel, linux/if_packet.h, linux/filter.h.
"""

from __future__ import annotations

import ctypes
import mmap
import socket
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from sensor.capture.errors import CaptureUnreadable
from sensor.capture.ports import Interface, Lookout, packet_socket, shared
from sensor.capture.shedding import SHED_AT
from sensor.engine import CORRUPT, NEED, Engine

RING_BYTES: Final = 256 << 20
BLOCK_BYTES: Final = 1 << 20
RETIRE_MS: Final = 150

_SOL_PACKET: Final = 263
_RX_RING, _STATISTICS, _VERSION = 5, 6, 10
_RESERVE, _FANOUT = 12, 18
_TPACKET_V3: Final = 2
_FANOUT_HASH_DEFRAG: Final = 0x8000
_SO_ATTACH_FILTER: Final = 26
_ETH_P_ALL: Final = 3
_ETHERNET: Final = 1
_OUTGOING: Final = 4
_TAG_BYTES: Final = 4
_USER, _LOSING = 1, 4
# struct tpacket_block_desc: version, offset to private area, then status, packets, offset to the first, bytes
_BLOCK: Final = struct.Struct("=IIIIII")
_STATUS_AT: Final = 8
# Never wanted: Ethernet pause, loopback test, FCoE (2), RoCE, ATA over Ethernet.
UNWANTED: Final = (0x8808, 0x9000, 0x8906, 0x8914, 0x8915, 0x88A2)

Step = tuple[int, int, int, int]
"""Of a filter: operation, how many steps to leave out if so and if not, operand."""
_LOAD_WORD, _LOAD_HALF, _IF_EQUAL, _RETURN = 0x20, 0x28, 0x15, 0x06
_CAME_AS, _CAME_BY = 0xFFFFF004, 0xFFFFF008
"""Where a filter finds the kind of a packet (`sll_pkttype`) and the number of its interface."""
_ACCEPT: Final[Step] = (_RETURN, 0, 0, 0x40000)
_REFUSE: Final[Step] = (_RETURN, 0, 0, 0)


class Ring:
    """A socket and its ring, for packets of some interfaces; a `Tap`.

    Args:
        names: of the interfaces.
        ring_bytes: of packets that can wait, for each of them.
        fanout: number of the group of workers that share the interfaces; 0 when this one is alone.

    Attributes:
        ports: the interfaces.
    """

    def __init__(self, names: Sequence[str], ring_bytes: int = RING_BYTES, fanout: int = 0) -> None:
        self.counters: Counter[str] = Counter()
        self.blocks = max(2, len(names) * ring_bytes // BLOCK_BYTES)
        self._at = 0
        self.ports: list[Lookout] = []
        try:
            for name in names:
                self.ports.append(Lookout(name))
            self.socket = packet_socket(",".join(names), _ETH_P_ALL)
        except CaptureUnreadable:
            self._close_ports()
            raise
        try:
            self._set_up(fanout)
        except OSError as error:
            self.close()
            raise CaptureUnreadable(Path(",".join(names)), f"cannot be captured from: {error.strerror}") from error

    def _set_up(self, fanout: int) -> None:
        """Filter, ring and group. What has come before there is a ring is thrown away, and not counted."""
        sock = self.socket
        sock.setblocking(False)
        sock.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V3)
        sock.setsockopt(_SOL_PACKET, _RESERVE, _TAG_BYTES)
        self._filter()
        frame_bytes = 2048  # a formality of version 3, which packs frames of any size into a block
        frames = self.blocks * (BLOCK_BYTES // frame_bytes)
        request = struct.pack("=IIIIIII", BLOCK_BYTES, self.blocks, frame_bytes, frames, RETIRE_MS, 0, 0)
        sock.setsockopt(_SOL_PACKET, _RX_RING, request)
        self._pages = mmap.mmap(sock.fileno(), self.blocks * BLOCK_BYTES)
        self._view = memoryview(self._pages)
        self._ask_kernel()
        if fanout:
            sock.setsockopt(_SOL_PACKET, _FANOUT, struct.pack("=I", fanout & 0xFFFF | _FANOUT_HASH_DEFRAG << 16))

    def _filter(self) -> None:
        """Let in what comes by the interfaces as they are now."""
        self._filtered = [port.found for port in self.ports]
        _attach(self.socket, filter_program(self._filtered, UNWANTED))

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

    def events(self, engine: Engine, step: Callable[[], int], first: int) -> Iterator[int]:
        """See `Tap`. The block then goes back to the kernel."""
        start = self._at * BLOCK_BYTES
        _, _, status, packets, begin, used_bytes = self._block()
        if status & _LOSING:
            self.counters["ring_losing_blocks"] += 1
        if packets:
            for number, port in enumerate(self.ports, first):
                engine.source(number, port.name)
            engine.tpacket(sys.byteorder == "big", self._ways(first))
            engine.load(self._view, start + begin, start + min(max(used_bytes, begin), BLOCK_BYTES))
            while (event := step()) not in {NEED, CORRUPT}:
                yield event
            if event == CORRUPT:
                self.counters["ring_corrupt_blocks"] += 1
        self.counters["ring_blocks"] += 1
        self.counters["ring_bytes"] += used_bytes
        struct.pack_into("=I", self._view, start + _STATUS_AT, 0)
        self._at = (self._at + 1) % self.blocks

    def _ways(self, first: int) -> list[tuple[int, int, int]]:
        """Of each interface the kernel's number, ours, and its link type."""
        return [(found.number, number, found.link_type) for number, found in enumerate(self._filtered, first)]

    def count(self) -> None:
        """See `Tap`. The kernel forgets what it has counted when it is asked.

        It counts for the ring. What an interface has of that is not known, and shared out by what each has moved.
        """
        moved = [port.count() for port in self.ports]
        said = self._ask_kernel()
        for name, total in zip(("kernel_packets", "kernel_drops", "ring_freezes"), said, strict=True):
            for port, part in zip(self.ports, shared(total, moved), strict=True):
                port.counters[name] += part

    def _ask_kernel(self) -> tuple[int, ...]:
        return struct.unpack("=III", self.socket.getsockopt(_SOL_PACKET, _STATISTICS, 12))

    def watch(self) -> None:
        """See `Tap`. An interface that was made anew has another number."""
        for port in self.ports:
            port.watch()
        if self._filtered != [port.found for port in self.ports]:
            self._filter()

    def refuse_more(self) -> None:
        """See `Tap`."""
        _attach(self.socket, [_REFUSE])

    def close(self) -> None:
        """Let the interfaces go; the pages go with the process, because the engine may still look at them."""
        self.socket.close()
        self._close_ports()

    def _close_ports(self) -> None:
        for port in self.ports:
            port.close()


def filter_program(interfaces: Sequence[Interface], unwanted: Sequence[int]) -> list[Step]:
    """Classic BPF: all of a frame that comes by one of the interfaces, unless it is one that is not wanted.

    Not wanted are, of Ethernet, EtherTypes (at offset 12), and what leaves by a loopback interface.
    """
    looped = [(_LOAD_WORD, 0, 0, _CAME_AS), (_IF_EQUAL, len(unwanted) + 2, 0, _OUTGOING)]
    ethernet = [
        (_LOAD_HALF, 0, 0, 12),
        *((_IF_EQUAL, len(unwanted) - number, 0, kind) for number, kind in enumerate(unwanted)),
    ]
    ways = [_REFUSE, *looped, *ethernet, _ACCEPT, _REFUSE]
    tests = []
    for left, found in zip(reversed(range(len(interfaces))), interfaces, strict=True):
        way = ways.index(_ACCEPT) if found.link_type != _ETHERNET else 1 if found.loopback else 1 + len(looped)
        tests.append((_IF_EQUAL, left + way, 0, found.number))
    return [(_LOAD_WORD, 0, 0, _CAME_BY), *tests, *ways]


def _attach(sock: socket.socket, program: Sequence[Step]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(code)))
