# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""Records of a capture: pcap, and the blocks of a TPACKET_V3 ring; pcapng has a room below.

Theory of operation
-------------------
Records are walked in place, in windows (`load`): `_fill` decodes some packets of a batch, and stops where a record is
beyond the window's end (`needed` is then what it has) or makes no sense. A packet whose fragments became whole has
memory of its own, so it ends its batch.
"""

from __future__ import annotations

from collections.abc import Sequence

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

if not cython.compiled:
    from sensor.engine._cy import PREFETCH
    from sensor.engine.blocks import Blocks
    from sensor.engine.layout import *


class Records(Blocks):
    """What format the capture has, and how far it was read."""

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.kind = K_NONE
        self.link = 1
        self.modified = self.nano = False
        self.way, self.way_count = -1, 0
        self.ways = memoryview(bytearray(8 * 3 * SOURCES)).cast("q")

    def pcap(self, big_endian: bool, nanosecond: bool, link_type: int, modified: bool = False) -> None:
        """Records of a classic pcap file follow. `modified`: records with the longer header of an old Linux variant."""
        self.kind = K_PCAP
        self.big, self.nano, self.modified = bool(big_endian), bool(nanosecond), bool(modified)
        self.link = link_type

    def tpacket(self, big_endian: bool, ways: Sequence[tuple[int, int, int]]) -> None:
        """Blocks of a TPACKET_V3 ring follow, of this machine's byte order; each is loaded from its first packet on.

        `ways`: of each interface the kernel's number, ours (see `source`), and its link type.
        """
        self.kind = K_TPACKET
        self.big = bool(big_endian)
        self.way = -1
        self.way_count = min(len(ways), SOURCES)
        for place in range(self.way_count):
            self.ways[3 * place], self.ways[3 * place + 1], self.ways[3 * place + 2] = ways[place]

    def source(self, number: int, name: str) -> None:
        """What follows comes from the interface of this number and name; a pcapng file says so itself."""
        number = min(number, SOURCES - 1)
        self.p_source = number * SEGMENTS
        self.segments.names[number] = name

    def load(self, window: bytearray | memoryview, start: int, end: int, is_last: bool = True) -> None:
        """A window of capture bytes: records are walked in place from `start` to `end`.

        It goes on where the one before was worked off (`position`). Not `is_last`: packets may wait for those after it.
        """
        view = memoryview(window)
        if not 0 <= start <= end <= len(view):
            raise ValueError("start and end must lie in the window")
        if self.several:
            self._move(start - self.cursor)
        self.is_last = is_last
        self.window = self.w = self.mem = view
        self.p_whole = self.w_whole = self.w_other = False
        self.position = self.cursor = start
        self.window_end = end
        self.b_at = self.b_count = self.b_known = 0
        self._outermost()

    # ------------------------------------------------------------------ batches

    def _begin_batch(self) -> int:
        """An empty one, of packets in the window."""
        self.b_at = self.b_count = self.b_known = 0
        if self.w_whole:
            self.mem = self.window
            self.w_other, self.w_whole = True, False
        return 0

    def _fill(self, most: int) -> int:
        """Decode so many packets more. Returns what ended it early: -1 or CORRUPT; both come again after the batch."""
        event = 0
        while event == 0 and most > 0 and not self.p_whole:
            event = self._decode()
            most -= 1
        return event

    def _end_batch(self) -> int:
        """A reassembled packet has memory of its own: it ends its batch."""
        if self.p_whole:
            if self.p_routed:
                self.batch[(self.b_count - 1) * BATCH_WIDTH + B_WHOLE] = 1
            self.whole = self.mem
            self.mem = self.window
            self.p_whole = False
        return 0

    def _decode(self) -> int:
        """One record or block; a packet in it that belongs to a flow sets `stage` to ROUTE."""
        if self.kind == K_PCAP:
            return self._fetch_record()
        if self.kind == K_PCAPNG:
            return self._fetch_block()
        if self.kind == K_TPACKET:
            return self._fetch_tpacket()
        return -1

    # ------------------------------------------------------------------ pcap

    @cython.boundscheck(False)
    def _fetch_record(self) -> int:
        """A record of a pcap file: seconds, fraction, captured length, original length; 8 bytes more in the variant."""
        at = self.cursor
        header = 24 if self.modified else 16
        if self.window_end - at < header:
            return self._need(header)
        if at < 0 or at + header > self.window.shape[0]:
            return self._beyond()
        captured = self._number(at + 8)
        if captured > RECORD_MAX:
            return CORRUPT
        if self.window_end - at < header + captured:
            return self._need(header + captured)
        fraction = self._number(at + 4)
        self.cursor = at + header + captured
        self._ask_ahead(self.cursor)
        self._ask_ahead(at + AHEAD * (header + captured))
        self._stamp(self._number(at) * 1000000 + (fraction // 1000 if self.nano else fraction))
        self._packet(self.link, at + header, at + header + captured, self._number(at + 12))
        return 0

    @cython.boundscheck(False)
    def _ask_ahead(self, at: int) -> int:
        """Ask for the headers of a packet: of the next, and of one some packets on, if all are as long: bulk is."""
        if cython.compiled and at >= 0 and at + 128 <= self.window.shape[0]:
            PREFETCH(cython.address(self.window[at]))
            PREFETCH(cython.address(self.window[at + 64]))
        return 0

    # ------------------------------------------------------------------ a ring of the kernel

    def _fetch_tpacket(self) -> int:
        """A packet of a TPACKET_V3 block. Spec: struct tpacket3_hdr and sockaddr_ll in linux/if_packet.h.

        0 next (0: the last)   4 seconds   8 nanoseconds   12 captured   16 original   20 status
        24 offset of the frame   32 VLAN tag that the kernel has taken out   36 its type   52 number of the interface
        """
        at = self.cursor
        if self.window_end - at < TPACKET_HEADER:
            return self._need(TPACKET_HEADER)
        following = self._file32(at)
        captured = self._file32(at + 12)
        start = at + self._file16(at + 24)
        if start < at + TPACKET_HEADER + 4 or self.window_end - start < captured or self.window_end - at < following:
            return CORRUPT
        if following and following < TPACKET_HEADER:
            return CORRUPT
        self.cursor = at + following if following else self.window_end
        self._ask_ahead(self.cursor)
        self._ask_ahead(at + AHEAD * following)
        self._stamp(self._file32(at + 4) * 1000000 + self._file32(at + 8) // 1000)
        if self._file32(at + TPACKET_INTERFACE) != self.way:
            self._come_by(self._file32(at + TPACKET_INTERFACE))
        original = self._file32(at + 16)
        end = start + captured
        if self.link == 1 and self._file32(at + 20) & TPACKET_VLAN and captured >= 14:
            self._tag_again(at, start)
            start -= 4
            original += 4
        self._packet(self.link, start, end, original)
        return 0

    def _come_by(self, way: int) -> int:
        """Packets come by this interface of the kernel's. By one that was not told of: of a link that is not read."""
        self.way = way
        self.link = -1
        for place in range(0, 3 * self.way_count, 3):
            if self.ways[place] == way:
                self.p_source = min(self.ways[place + 1], SOURCES - 1) * SEGMENTS
                self.link = self.ways[place + 2]
        return 0

    def _tag_again(self, at: int, start: int) -> int:
        """Put a VLAN tag back where it was on the wire: both addresses move four bytes forward, where there is room."""
        tag = self._file32(at + 32)
        kind = self._file16(at + 36) if self._file32(at + 20) & TPACKET_TPID else 0x8100
        for place in range(start - 4, start + 8):
            self.window[place] = self.window[place + 4]
        self.window[start + 8] = cython.cast(cython.uchar, kind >> 8 & 0xFF)
        self.window[start + 9] = cython.cast(cython.uchar, kind & 0xFF)
        self.window[start + 10] = cython.cast(cython.uchar, tag >> 8 & 0xFF)
        self.window[start + 11] = cython.cast(cython.uchar, tag & 0xFF)
        return 0
