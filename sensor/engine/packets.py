# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""The next packet of a batch: those that only count are counted here, any other becomes the one under way.

Theory of operation
-------------------
**Most packets** go on in a flow as it did: an acknowledgement, bytes in order of a lane that is skipped, drained or
closed, a datagram that nobody wants. What there is to count is counted from the row of the batch (`_quick`), without
the stages. It decides as they do, or leaves it to them; a test takes it away and compares. All others are counted when
their turn comes (`_count_packet`), and those in other numbers than their lane's as copies (`_count_copy`).

**The clock** that tells what is idle only goes forward, and is the newest time seen: of sources whose clocks differ,
the one that is ahead. One time far ahead ends nothing; it is believed when the next packet says so too. Times that stay
far behind for very many packets are a clock that was set back: from there on it goes forward again.

The state machine asks here for a packet. Here nothing is delivered, and nothing ends.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

if not cython.compiled:
    from sensor.engine._cy import PREFETCH
    from sensor.engine.layout import *
    from sensor.engine.table import Table


class Packets(Table):
    """The packet under way (`p_...`), its bytes from `p_data` to `p_l4_end`.

    Attributes:
        shift: what is added to the times of packets since a clock was set back.
        doubts: packets in a row whose times are far ahead, or minus those far behind.
    """

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.shift = self.doubts = 0
        self.p_data = self.p_l4_end = 0

    def _gather(self) -> int:
        """A batch, part by part: while one is decoded, memory of the flows of those before is on its way.

        Where rows are few all of it is one part. Returns what ended it early, see `_fill`.
        """
        event = decoded = lanes = rows = 0
        part = PART if self.fresh_row > ROWS_CACHED else BATCH
        self._begin_batch()
        while event == 0 and decoded < BATCH and not self.p_whole:
            known = self.b_count
            event = self._fill(part)
            self._warm(rows, known)
            self._warm_lanes(lanes, rows)
            lanes, rows = rows, known
            decoded += part
        self._end_batch()
        self._warm(rows, self.b_count)
        self._recognise(self.b_count)
        self._warm_lanes(lanes, self.b_count)
        return event

    @cython.boundscheck(False)
    def _warm(self, begin: int, end: int) -> int:
        """Ask for the memory of the flows of these packets of the batch, so that it is there when their turn comes.

        Rows that are few are in the cache anyway.
        """
        if self.fresh_row <= ROWS_CACHED:
            return 0
        if begin < 0 or end * BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        if cython.compiled:
            for number in range(begin, end):
                row = self.heads[self.batch[number * BATCH_WIDTH + B_HASH] & (self.buckets - 1)] - 1
                if row >= 0:
                    self._warm_row(row, self.batch[number * BATCH_WIDTH + B_REST] >> 8 & 0xFF == 6)
        return 0

    @cython.boundscheck(False)
    def _warm_lanes(self, begin: int, end: int) -> int:
        """The same for the first lines of both lanes; rows of `L` that are few are in the cache anyway."""
        if self.fresh_lanes <= LANES_CACHED:
            return 0
        if begin < 0 or end * BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        if cython.compiled:
            for number in range(begin, end):
                row = self.heads[self.batch[number * BATCH_WIDTH + B_HASH] & (self.buckets - 1)] - 1
                if self.batch[number * BATCH_WIDTH + B_REST] & 0xFF == 6 and 0 <= row < self.rows:
                    base = self.F[row * WIDTH + LANES]
                    if base >= 0 and base + LANES_WIDTH <= self.L.shape[0]:
                        PREFETCH(cython.address(self.L[base]))
                        PREFETCH(cython.address(self.L[base + 8]))
                        PREFETCH(cython.address(self.L[base + LANE_WIDTH]))
                        PREFETCH(cython.address(self.L[base + LANE_WIDTH + 8]))
        return 0

    @cython.boundscheck(False)
    def _warm_row(self, row: int, wide: bool) -> int:
        """The first three lines; and of IPv6 the one where the rest of both addresses is."""
        r = row * WIDTH
        if cython.compiled and 0 <= row < self.rows:
            PREFETCH(cython.address(self.F[r]))
            PREFETCH(cython.address(self.F[r + 8]))
            PREFETCH(cython.address(self.F[r + 16]))
            if wide:
                PREFETCH(cython.address(self.F[r + K0]))
        return 0

    @cython.boundscheck(False)
    def _unpack(self) -> int:
        """The next packet of the batch becomes the one under way."""
        b = self.b_at * BATCH_WIDTH
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        self.b_at += 1
        self.p_batch = b
        self.position = self.batch[b + B_POSITION]
        self.p_ts = self.batch[b + B_TS]
        self.p_frame = self.batch[b + B_FRAME]
        self.p_proto = self.batch[b + B_REST] & 0xFF
        self.p_data = self.batch[b + B_DATA]
        self.p_l4_end = self.batch[b + B_L4_END]
        self.p_len = self.batch[b + B_LEN]
        self.p_flags = self.batch[b + B_FLAGS]
        self.p_seq = self.batch[b + B_SEQ]
        self.p_ack = self.batch[b + B_ACK]
        self.p_segment = self.batch[b + B_SEGMENT]
        self.p_src_mac = self.batch[b + B_SRC_MAC]
        self.p_dst_mac = self.batch[b + B_DST_MAC]
        self.p_lane = self.batch[b + B_LANE]
        self.p_hash = self.batch[b + B_HASH]
        self.p_traits = self.batch[b + B_TRAITS]
        if self.batch[b + B_WHOLE]:
            self.mem = self.whole
            self.w_other = self.w_whole = True
        elif self.w_whole:
            self.mem = self.window
            self.w_other, self.w_whole = True, False
        self._tick()
        self.stage = S_ROUTE
        return 0

    # ------------------------------------------------------------------ packets that only count

    @cython.boundscheck(False)
    def _quick(self) -> bool:
        """Count the next packet of the batch, if that is all there is to do with it. False: nothing was done.

        Of a flow that is known and goes on as it did: a datagram that nobody wants, an acknowledgement, bytes in order
        that are left out. What it does with them is what the stages would do.
        """
        b = self.b_at * BATCH_WIDTH
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        row = self.heads[self.batch[b + B_HASH] & (self.buckets - 1)] - 1
        ts = self.batch[b + B_TS]
        since = ts + self.shift - self.clock
        length = self.batch[b + B_LEN]
        if row < 0 or since < -LEAP_US or since > LEAP_US or self.batch[b + B_TRAITS] & TRAIT_DUPLICATE:
            return False
        clock = self.clock + since if since > 0 else self.clock
        r = row * WIDTH
        lane = self.batch[b + B_LANE]
        if (
            clock - self.swept >= SWEEP_US
            or self.batch[b + B_L4_END] - self.batch[b + B_DATA] < length
            or not self._matches(r, b)
            or self.F[r + STATE] != LIVE
            or self.F[r + LIST] == L_HALF
            or ts >= (self.F[r + DAYNO] + 1) * DAY_US
            or not (self.F[r + SEEN] >> lane) & 1
        ):
            return False
        if self.batch[b + B_REST] & 0xFF == 17:
            if length > 0 and self.F[r + TURN0 + lane] >= 0:
                return False
        elif not self._only_counts(b, r, self.F[r + LANES] + lane * LANE_WIDTH):
            return False
        self.now = self.clock = clock
        self.doubts = 0
        self.b_at += 1
        first = self.F[r + FIRST_TS]
        self.F[r + LAST_TS] = max(first, ts)
        self.F[r + PK0 + lane] += 1
        self.F[r + BY0 + lane] += length
        if self.F[r + MAC0 + lane] < 0 or self.F[r + PK0 + lane] == 1:
            self.F[r + MAC0 + lane] = self.batch[b + B_SRC_MAC]
        if self.F[r + MAC1 - lane] < 0:
            self.F[r + MAC1 - lane] = self.batch[b + B_DST_MAC]
        since = clock - self.F[r + LINKED]
        if since >= SWEEP_US or since < 0:
            self._relink(row)
        return True

    @cython.boundscheck(False)
    def _only_counts(self, b: int, r: int, base: int) -> bool:
        """Whether a segment begins, ends and fills nothing: then its lanes are told of it."""
        other = base ^ LANE_WIDTH
        if r < 0 or r + WIDTH > self.F.shape[0] or base < 0 or (base | LANE_WIDTH) + LANE_WIDTH > self.L.shape[0]:
            return self._beyond()
        length = self.batch[b + B_LEN]
        ack = self.batch[b + B_ACK]
        heard = self.L[base + TURN_ACK]
        newer = self._distance(ack, heard) if heard >= 0 else 1
        if (
            self.batch[b + B_FLAGS] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK) != TCP_ACK
            or self.F[r + FLAGS] & (F_FIN | F_RENUMBERED | F_WATCHED)
            or self.L[base + PIECES]
            or self.L[other + PIECES]
            or newer > QUARTER32
        ):
            return False
        if length > 0:
            mode = self.L[base + MODE]
            if self.batch[b + B_SEQ] != self.L[base + NEXT] or self.L[base + GAPSIZE]:
                return False
            if mode != CLOSED and not self._goes_on(base, mode, newer, length, self.batch[b + B_TS]):
                return False
            self.L[base + NEXT] = (self.L[base + NEXT] + length) & M32
            self.F[r + (LEFT_OUT if mode == OVER else SKIPPED)] += length
        if self.L[other + ACKED] < 0 or self._distance(ack, self.L[other + ACKED]) > 0:
            self.L[other + ACKED] = ack
        return True

    @cython.boundscheck(False)
    def _goes_on(self, base: int, mode: int, newer: int, length: int, ts: int) -> bool:
        """Whether bytes in order are in the midst of a turn of which they are left out; if so, they are."""
        if base < 0 or base + LANE_WIDTH > self.L.shape[0]:
            return self._beyond()
        if mode in (READ, SEARCH) or newer > 0 or ts - self.L[base + DATA_TS] > self.turn_idle_us:
            return False
        if mode == SKIP:
            if self.L[base + LEFT] <= length:
                return False
            self.L[base + LEFT] -= length
        elif mode == OVER:
            self.L[base + OVERRUN] += length
        self.L[base + DATA_TS] = ts
        return True

    # ------------------------------------------------------------------ packets that do more

    def _count_copy(self) -> int:
        """A segment in other numbers than its lane's: its packet was counted, what it says is looked at."""
        r = self.p_row * WIDTH
        self.n[C_DUPLICATES] += 1
        self.segments.count_copy(self.p_segment)
        self.F[r + FLAGS] |= F_DUPLICATE
        self.F[r + SEEN] |= 1 << self.p_lane
        return 0

    @cython.boundscheck(False)
    def _count_packet(self) -> int:
        r = self.p_row * WIDTH
        lane = self.p_lane
        if r < 0 or r + WIDTH > self.F.shape[0] or not 0 <= lane <= 1:
            return self._beyond()
        self.F[r + LAST_TS] = max(self.p_ts, self.F[r + FIRST_TS])
        self.F[r + PK0 + lane] += 1
        self.F[r + BY0 + lane] += self.p_len
        self.F[r + SEEN] |= 1 << lane
        if self.F[r + MAC0 + lane] < 0 or self.F[r + PK0 + lane] == 1:
            self.F[r + MAC0 + lane] = self.p_src_mac
        if self.F[r + MAC1 - lane] < 0:
            self.F[r + MAC1 - lane] = self.p_dst_mac
        if self.p_l4_end - self.p_data < self.p_len:
            self.F[r + FLAGS] |= F_TRUNCATED
        kind = self._list_of(r)
        since = self.now - self.F[r + LINKED]
        if kind != self.F[r + LIST] or since >= SWEEP_US or since < 0:
            self._unlink(self.p_row)
            self._link(self.p_row, kind)
        return 0

    def _list_of(self, r: int) -> int:
        """A flow is half as long as one side alone was seen; with TCP, payload makes it whole too."""
        kind = self.F[r + LIST]
        if kind != L_HALF or (self.F[r + SEEN] != 3 and (self.p_proto == 17 or self.p_len == 0)):
            return kind
        return L_TCP if self.p_proto == 6 else L_UDP

    # ------------------------------------------------------------------ the clock

    def _tick(self) -> int:
        """The clock goes on by what the packet says, unless that is far away (see on top). A copy says nothing new."""
        if self.p_traits & TRAIT_DUPLICATE:
            return 0
        since = self.p_ts + self.shift - self.clock
        if since < -LEAP_US or since > LEAP_US:
            return self._leap(since)
        if since > 0:
            self.clock += since
        self.now = self.clock
        self.doubts = 0
        return 0

    def _leap(self, since: int) -> int:
        """Far ahead or far behind: how many packets in a row have said so decides."""
        self.now = self.clock + max(0, since)
        self.doubts = max(0, self.doubts) + 1 if since > 0 else min(0, self.doubts) - 1
        if self.doubts > 1 or self.serial == 0:
            self.clock = self.now
        elif self.doubts <= -SET_BACK_PACKETS:
            self.shift -= since
        return 0
