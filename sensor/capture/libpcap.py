"""Live packets where there is no AF_PACKET (macOS, BSD), by libpcap; on Linux by choice.

Scapy has the bindings (GPL-2.0-only, which our licence combines with); its other parts are not used. libpcap hands
packets over one by one: they are put behind one another as the records of a capture file, which the engine then walks.
That costs 2 µs a packet, where a ring costs nothing.

Handles are opened with rights, and used without: an interface that was gone cannot be had again by this process.

Spec: pcap(3pcap), pcap_next_ex(3pcap), pcap_stats(3pcap).
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sensor.capture.afpacket import UNWANTED
from sensor.capture.errors import CaptureGone, CaptureUnreadable
from sensor.capture.ports import Port, is_up
from sensor.capture.shedding import SHED_AT
from sensor.engine import CORRUPT, NEED, Engine

SNAP_BYTES: Final = 65_535 + 64
"""A frame that offloading has joined, with its headers."""
TIMEOUT_MS: Final = 100
WINDOW_BYTES: Final = 1 << 20
PACKETS_MAX: Final = 4096
DRAIN_S: Final = 10.0
"""What waits at the end is read for so long at most: not everywhere is it known how much that is."""
_ETHERNET: Final = 1
_RECORD: Final = struct.Struct("=IIII")
_ANY_NETMASK: Final = 0xFFFFFFFF
_32_BITS: Final = 0xFFFFFFFF


class Handle:
    """One interface, opened by libpcap; a `Tap`.

    Args:
        name: of the interface.
        ring_bytes: of packets that can wait.
        fanout: must be 0: libpcap has no way to share an interface between workers.

    Raises:
        CaptureUnreadable: no libpcap, no such interface, no rights, or it cannot be captured from.
    """

    def __init__(self, name: str, ring_bytes: int, fanout: int = 0) -> None:
        self.name = name
        self.ports = (Port(name),)
        self.counters: Counter[str] = Counter()
        if fanout:
            raise CaptureUnreadable(
                Path(name), "cannot be shared by several workers through libpcap", "give one worker"
            )
        self._lib = _bindings(name)
        self._pcap = self._open(ring_bytes)
        self._link_type = int(self._lib.pcap_datalink(self._pcap))
        self._last: int | None = None
        self._before = (0, 0, 0)
        self._window = bytearray(WINDOW_BYTES)
        self._address = ctypes.addressof((ctypes.c_char * WINDOW_BYTES).from_buffer(self._window))
        self._end = 0
        self._header = ctypes.POINTER(self._lib.pcap_pkthdr)()
        self._data = ctypes.POINTER(ctypes.c_ubyte)()
        self._dropping_slices = 0
        self._until_s = 0.0
        self._dead = False
        self._filter()

    def _open(self, ring_bytes: int) -> Any:  # noqa: ANN401 - ctypes has no better word for a pointer
        lib, said = self._lib, ctypes.create_string_buffer(self._lib.PCAP_ERRBUF_SIZE)
        pcap = lib.pcap_create(self.name.encode(), said)
        if not pcap:
            raise self._error(said.value)
        lib.pcap_set_snaplen(pcap, SNAP_BYTES)
        lib.pcap_set_promisc(pcap, 1)
        lib.pcap_set_timeout(pcap, TIMEOUT_MS)
        lib.pcap_set_buffer_size(pcap, ring_bytes)
        status = lib.pcap_activate(pcap)
        if status < 0:
            text = lib.pcap_statustostr(status) if status != lib.PCAP_ERROR else lib.pcap_geterr(pcap)
            lib.pcap_close(pcap)
            raise self._error(text)
        lib.pcap_setnonblock(pcap, 1, said)
        return pcap

    def _filter(self) -> None:
        """What is never wanted stays with the kernel."""
        if self._link_type != _ETHERNET:
            return
        lib, program = self._lib, self._lib.bpf_program()
        unwanted = " or ".join(f"ether proto {kind:#x}" for kind in UNWANTED)
        if lib.pcap_compile(self._pcap, ctypes.byref(program), f"not ({unwanted})".encode(), 1, _ANY_NETMASK) == 0:
            failed = lib.pcap_setfilter(self._pcap, ctypes.byref(program))
            lib.pcap_freecode(ctypes.byref(program))
            if not failed:
                return
        raise self._error(lib.pcap_geterr(self._pcap))

    def _error(self, said: bytes) -> CaptureUnreadable:
        names = ", ".join(sorted(name for _, name in socket.if_nameindex()))
        text = said.decode(errors="replace").strip()
        return CaptureUnreadable(Path(self.name), f"cannot be captured from: {text}", f"there are: {names}")

    # ------------------------------------------------------------------ as a tap

    def fileno(self) -> int:
        """See `Tap`."""
        return int(self._lib.pcap_get_selectable_fd(self._pcap))

    @property
    def ready(self) -> bool:
        """See `Tap`. Packets are fetched here."""
        if not self._end and not self._dead:
            self._fetch()
        return self._end > 0

    @property
    def filled(self) -> float:
        """See `Tap`. libpcap tells only when too much waited: the longer it was so, the fuller we call it."""
        return (0.0, *SHED_AT)[min(self._dropping_slices, len(SHED_AT))]

    def events(self, engine: Engine, step: Callable[[], int], first: int) -> Iterator[int]:
        """See `Tap`."""
        engine.source(first, self.name)
        engine.pcap(sys.byteorder == "big", nanosecond=False, link_type=self._link_type)
        engine.load(self._window, 0, self._end)
        while (event := step()) not in {NEED, CORRUPT}:
            yield event
        if event == CORRUPT:
            self.counters["ring_corrupt_blocks"] += 1
        self.counters["ring_bytes"] += self._end
        self._end = 0

    def count(self) -> None:
        """See `Tap`."""
        stats = self._stats()
        grown = [now - then & _32_BITS for now, then in zip(stats, self._before, strict=True)]
        self._before = stats
        for name, count in zip(("kernel_packets", "kernel_drops", "interface_drops"), grown, strict=True):
            self.ports[0].counters[name] += count
        self._dropping_slices = self._dropping_slices + 1 if grown[1] else 0
        if not _is_up(self.name):
            self.ports[0].lose()

    def watch(self) -> None:
        """See `Tap`. That it went is noticed by who looks for packets, and who counts."""
        if self.ports[0].lost and _is_up(self.name):
            if self._dead:
                raise CaptureGone(Path(self.name), "came back as another interface", "another worker is needed")
            self.ports[0].regain()

    def refuse_more(self) -> None:
        """See `Tap`. What has been let in so far is read, nothing after it."""
        received, dropped, _ = self._stats()
        fetched = self.counters["fetched_packets"]
        self._last = fetched + (received - dropped - fetched & _32_BITS)
        self._until_s = time.monotonic() + DRAIN_S

    def close(self) -> None:
        """See `Tap`. The engine may still look at the window, which stays."""
        self._lib.pcap_close(self._pcap)

    # ------------------------------------------------------------------ packets and counts

    def _fetch(self) -> None:
        """Put packets behind one another until none is left, or no room."""
        for _ in range(PACKETS_MAX):
            if self._end + _RECORD.size + SNAP_BYTES > WINDOW_BYTES or self._is_over():
                return
            status = self._lib.pcap_next_ex(self._pcap, ctypes.byref(self._header), ctypes.byref(self._data))
            if status == 1:
                self._append()
            else:
                if status < 0:
                    self._dead = True
                    self.ports[0].lose()
                return

    def _is_over(self) -> bool:
        if self._last is None:
            return False
        return self.counters["fetched_packets"] >= self._last or time.monotonic() > self._until_s

    def _append(self) -> None:
        header = self._header.contents
        count = min(header.caplen, SNAP_BYTES)
        _RECORD.pack_into(self._window, self._end, header.ts.tv_sec, header.ts.tv_usec, count, header.len)
        start = self._end + _RECORD.size
        ctypes.memmove(self._address + start, self._data, count)
        self._end = start + count
        self.counters["fetched_packets"] += 1

    def _stats(self) -> tuple[int, int, int]:
        """Packets that came, that had no room, and that the interface dropped, since the beginning, modulo 2^32."""
        found = self._lib.pcap_stat()
        if self._lib.pcap_stats(self._pcap, ctypes.byref(found)) < 0:
            return self._before
        return found.ps_recv, found.ps_drop, found.ps_ifdrop


def _is_up(name: str) -> bool:
    """Whether there is such an interface; on Linux, where libpcap waits without a word, also whether it is on."""
    if sys.platform != "linux":
        return name in (known for _, known in socket.if_nameindex())
    return is_up(name)


def _bindings(name: str) -> ModuleType:
    """Scapy's bindings.

    Raises:
        CaptureUnreadable: the library is not installed.
    """
    try:
        from scapy.libs import winpcapy  # noqa: PLC0415 - of no use where packets come another way
    except OSError as error:
        raise CaptureUnreadable(Path(name), "there is no libpcap", "install it (Debian: libpcap0.8)") from error
    return winpcapy
