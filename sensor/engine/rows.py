# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""Rows of flows and of their lanes, what is told of them, and what they are folded into.

Theory of operation
-------------------
**A flow** is a row of 64-bit numbers in a table (`F`), what a stream needs besides is a row of another one (`L`), which
it gives back when it ends: most rows of `F` are of streams that have ended and linger, and those of `L` are few and
stay in the processor's cache. Both come from `mmap`, so that rows exist once they are touched. Rows keep the lower
endpoint first, whoever began; who calls from outside counts lanes from the initiator (`_lane`, `_event`), all rooms
count them in the order of the row. The columns are named in `layout`.

What a flow was, since it began or since its last DAY, is asked for by row (`stats`, `ends`, `addresses`), or folded
(`_fold`) into days by its ends, service, day and the label that Python gave it; and so is who held which address. FULL
says that those tables want to be taken.

All rooms above touch rows; here is what none of them changes.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.days import Folded
from sensor.engine.pages import numbers

if not cython.compiled:
    from sensor.engine._cy import PyBytes_FromStringAndSize
    from sensor.engine.layout import *
    from sensor.engine.records import Records

STATS = (
    "first_ts_us",
    "last_ts_us",
    "first_frame",
    "packets_i",
    "packets_r",
    "bytes_i",
    "bytes_r",
    "copied",
    "skipped",
    "left_out",
    "lost",
    "retransmitted",
    "reordered",
    "overlap_conflicts",
    "flags",
)


class Rows(Records):
    """The tables of flows and lanes.

    Attributes:
        rows: flows that there is room for.
        F: a row of `WIDTH` numbers for each.
        L: `LANES_WIDTH` numbers for each stream that has not ended.
        days: what flows were; `days_full` when it wants to be taken.
        p_ts, p_frame: of the packet under way.
    """

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.rows = rows
        self.F = numbers(rows * WIDTH)
        self.L = numbers(rows * LANES_WIDTH)
        self.ends_key = bytearray(8 * ENDS_WORDS)
        self.E = memoryview(self.ends_key).cast("q")
        self.days = Folded(self.keys)
        self.days_full = False
        self.flow = self.lane = self.ts_us = self.frame = self.turn = self.size = self.reason = 0
        self.p_ts = self.p_frame = 0
        self.payload = b""

    def _row(self, row: int) -> int:
        if row < 0 or row >= self.rows:
            raise IndexError("no such flow")
        return row * WIDTH

    def _lane(self, row: int, lane: int) -> int:
        """Offset of a lane's columns, for a lane counted from the initiator; -1 where there is none.

        A datagram has none, nor has a stream that has ended.
        """
        r = self._row(row)
        if lane < 0 or lane > 1:
            raise IndexError("no such lane")
        if self.F[r + KREST] & 0xFF != 6:
            return -1
        first = self.F[r + LANES]
        return -1 if first < 0 else first + (lane ^ self.F[r + INIT]) * LANE_WIDTH

    def _event(self, kind: int, row: int, lane: int) -> int:
        self.flow, self.ts_us, self.frame = row, self.p_ts, self.p_frame
        if not self.F[row * WIDTH + LABEL] & TOLD:
            self.F[row * WIDTH + LABEL] |= TOLD
        # rows keep lanes in the order of their addresses; the outside counts from the initiator
        self.lane = lane ^ self.F[row * WIDTH + INIT]
        return kind

    def _both_fin(self, row: int) -> bool:
        first = self.F[row * WIDTH + LANES]
        return self.L[first + FINSEQ] >= 0 and self.L[first + LANE_WIDTH + FINSEQ] >= 0

    # ------------------------------------------------------------------ what is told of a flow

    def addresses(self, row: int) -> tuple[int, int, int, bytes, int, int, bytes, int, int]:
        """(transport, scope, vlan, ip, port, mac, ip, port, mac): initiator first, IPs packed, MACs numbers or -1."""
        r = self._row(row)
        low = self._ip(r, 0), self.F[r + KPORTS] >> 16, self.F[r + MAC0]
        high = self._ip(r, 1), self.F[r + KPORTS] & 0xFFFF, self.F[r + MAC1]
        first, second = (high, low) if self.F[r + INIT] else (low, high)
        place = self.F[r + SEGMENT] % SEGMENTS
        vlan = place - 1 if place < TUNNELS_FROM else -1
        return (self.F[r + KREST] & 0xFF, self.F[r + KREST] >> 16, vlan, *first, *second)

    def ports(self, row: int) -> int:
        """The initiator's port and the responder's, 16 bits each."""
        r = self._row(row)
        ports = self.F[r + KPORTS]
        return (ports >> 16 | (ports & 0xFFFF) << 16) if self.F[r + INIT] else ports

    def ends(self, row: int) -> bytes:
        """Who talks with whom at which service, as 64-bit numbers.

        Both IP addresses (four words each), both MAC addresses, KREST, and the responder's port.
        """
        r = self._row(row)
        swap = self.F[r + INIT]
        for word in range(3):
            self.E[word] = self.F[r + (K4 if swap else K0) + word]
            self.E[4 + word] = self.F[r + (K0 if swap else K4) + word]
        self.E[3], self.E[7] = self.F[r + K3 + swap], self.F[r + K7 - swap]
        self.E[8], self.E[9] = self.F[r + MAC0 + swap], self.F[r + MAC1 - swap]
        self.E[10], self.E[11] = self.F[r + KREST], self.ports(row) & 0xFFFF
        if cython.compiled:
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, cython.address(self.E[0])), 8 * ENDS_WORDS)
        return bytes(self.ends_key)

    def segment(self, row: int) -> tuple[str, str]:
        """(interface, segment) of a flow's first packet, as `traffic` names them."""
        return self.segment_name(self.F[self._row(row) + SEGMENT])

    def segment_name(self, segment: int) -> tuple[str, str]:
        """(interface, segment) of a segment's number."""
        return self.segments.name_of(segment)

    def traffic(self) -> dict[tuple[str, str, int], tuple[int, ...]]:
        """{(interface, segment, hours since 1970): counts of `TRAFFIC`} since the last call."""
        return self.segments.taken()

    def _ip(self, r: int, lane: int) -> bytes:
        first = r + (K4 if lane else K0)
        words = [self.F[first], self.F[first + 1], self.F[first + 2], self.F[r + K3 + lane]]
        if (self.F[r + KREST] >> 8) & 0xFF == 4:
            return words[3].to_bytes(4, "big")
        return b"".join([word.to_bytes(4, "big") for word in words])

    def stats(self, row: int) -> tuple[int, ...]:
        """The numbers that `STATS` names: since the flow began, or since its last DAY."""
        r = self._row(row)
        flags = self.F[r + FLAGS]
        if self.F[r + SEEN] != 3:
            flags |= F_ONE_SIDED
        swap = self.F[r + INIT]
        return (
            self.F[r + FIRST_TS],
            self.F[r + LAST_TS],
            self.F[r + FIRST_FRAME],
            self.F[r + PK0 + swap],
            self.F[r + PK1 - swap],
            self.F[r + BY0 + swap],
            self.F[r + BY1 - swap],
            self.F[r + COPIED],
            self.F[r + SKIPPED],
            self.F[r + LEFT_OUT],
            self.F[r + LOST],
            self._of_lanes(row, RETRANS),
            self._of_lanes(row, REORD),
            self._of_lanes(row, OVERLAP),
            flags,
        )

    def _of_lanes(self, row: int, column: int) -> int:
        """The sum of both lanes; datagrams have none."""
        base = self._lane(row, 0)
        return 0 if base < 0 else self.L[base + column] + self.L[(base ^ LANE_WIDTH) + column]

    def flags(self, row: int) -> int:
        """The last of `STATS` alone."""
        r = self._row(row)
        return self.F[r + FLAGS] if self.F[r + SEEN] == 3 else self.F[r + FLAGS] | F_ONE_SIDED

    def label(self, row: int, number: int) -> None:
        """What the flow is folded under: a number of at most 32 bits. An odd one says that roles are swapped."""
        r = self._row(row)
        self.F[r + LABEL] = number << 1 | (self.F[r + LABEL] & TOLD)

    def forget(self, row: int) -> None:
        """Nobody wants to hear of this flow's DAY or END."""
        self.F[self._row(row) + LABEL] &= ~TOLD

    # ------------------------------------------------------------------ what flows were, folded

    def folded(self) -> int:
        """How many rows `take_days` would give."""
        return self.days.row_count()

    def take_days(self) -> tuple[memoryview, memoryview, memoryview]:
        """What was folded since the last call: rows of `DAYS`, `HELD` and `ENDS` (see `days`), as 64-bit numbers."""
        self.days_full = False
        return self.days.take()

    def _fold(self, r: int) -> int:
        """What this flow was since it began, or since its last DAY, joins what others of its ends and service were."""
        if self.F[r + FIRST_FRAME] == 0 or not self.days.admits():
            return 0
        init = self.F[r + INIT] ^ ((self.F[r + LABEL] >> 1) & 1)
        ports = self.F[r + KPORTS]
        if init:
            ports = (ports & M16) << 16 | ports >> 16
        first = self.F[r + FIRST_TS]
        last = self.F[r + LAST_TS]
        one = self._end_of(r, init)
        other = self._end_of(r, 1 - init)
        row = self.days.day(
            first // DAY_US,
            one,
            other,
            self.F[r + KREST] & 0xFF,
            ports & M16,
            self.F[r + LABEL] >> 2,
            self.F[r + SEGMENT],
        )
        self.days.see(row, first, last, self.F[r + FIRST_FRAME], ports >> 16)
        self._add_up(r, row, init)
        self.days.hold(one, first, last)
        if self.F[r + SEEN] == 3:
            self.days.hold(other, first, last)
        self.days_full = self.days.full
        return 0

    def _end_of(self, r: int, lane: int) -> int:
        at = r + (K4 if lane else K0)
        rest, last = self.F[r + KREST] & ~0xFF, self.F[r + K3 + lane]
        return self.days.end(rest, self.F[r + MAC0 + lane], self.F[at], self.F[at + 1], self.F[at + 2], last)

    def _add_up(self, r: int, row: int, init: int) -> int:
        flags = self.F[r + FLAGS]
        one_sided = self.F[r + SEEN] != 3
        silent = self.F[r + BY0] == 0 and self.F[r + BY1] == 0
        self.days.carry(
            row,
            self.F[r + PK0] + self.F[r + PK1],
            self.F[r + BY0 + init],
            self.F[r + BY1 - init],
            self.F[r + COPIED],
            self.F[r + SKIPPED],
            self.F[r + LEFT_OUT],
            self.F[r + LOST],
        )
        self.days.mark(
            row,
            (flags & F_MIDSTREAM) != 0,
            one_sided,
            (flags & F_GAP) != 0,
            one_sided & silent,
            (flags & F_TRUNCATED) != 0,
            (flags & F_DUPLICATE) != 0,
        )
        return 0

    # ------------------------------------------------------------------ the compiler has these from rows.pxd

    if not cython.compiled:

        def _distance(self, seq: int, origin: int) -> int:
            """How far `seq` lies behind `origin`, signed, modulo 2^32 (RFC 9293 3.4)."""
            return ((seq - origin + HALF32) & M32) - HALF32

        def _base(self, row: int, lane: int) -> int:
            """Where the columns of a stream's lane are, for a lane in the order of the row."""
            return self.F[row * WIDTH + LANES] + lane * LANE_WIDTH
