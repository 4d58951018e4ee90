# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""The table of flows: which flow a packet is of, and which flow goes when it is silent or there is no room.

Theory of operation
-------------------
A keyed hash with a bounded chain finds rows. A packet whose flow is not there makes one, and says who began it.

A stream that has ended lingers: what comes late belongs to it, and makes no new flow. That it has ended is what a RST
or FINs say, and anybody can send those. A side that goes on behind its end shows that nobody heeded it: its row becomes
a new flow, begun in its midst (`_outlives`).

Five lists keep rows in the order of their last packet, to a second: TCP, UDP, lingering, shunted, and half (one side
alone and no TCP payload: scans; or both have said FIN and something before it is missing). The heads of these lists are
what is idle or evicted first: by age where a list says how long silence may be, by value (`_oldest`) where there is no
room.

Whoever takes up a packet asks here for its flow (`_route`). Here no flow ends: one that has to is named (`end_row`),
comes to its end above, and is given back (`_recycle`); then the packet is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

if not cython.compiled:
    from sensor.engine.layout import *
    from sensor.engine.numberings import Numberings


class Table(Numberings):
    """Flows by their keys, and by their last packet. Settings are the engine's.

    Attributes:
        lists: the first and last row of each, or -1; `half_count` rows are half.
        free, free_count: rows that were given back, in a chain; from `fresh_row` on they were never used.
        free_lanes, fresh_lanes: the same of the rows of `L`, by their offsets.
        clock: the newest time that is believed; `now` is that of the packet under way.
        swept: when silent flows were looked for.
        stage: what is done next with the packet under way; `p_row` and `p_lane` are its flow and lane.
        end_row, end_reason, end_lane: the flow that has to end, why, and how far it has come.
    """

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.tcp_idle_us = self.udp_idle_us = self.linger_us = 0
        self.mark_responders(())
        self.lists = memoryview(bytearray(8 * 10)).cast("q")
        for number in range(10):
            self.lists[number] = -1
        self.free = self.free_lanes = -1
        self.free_count = self.fresh_row = self.fresh_lanes = self.half_count = 0
        self.serial = 0
        self.swept = -SWEEP_US
        self.now = self.clock = 0
        self.stage = S_FETCH
        self.p_row = self.end_row = -1
        self.p_lane = self.p_batch = self.p_traits = self.end_reason = self.end_lane = 0

    # ------------------------------------------------------------------ the flow of a packet

    def _route(self) -> int:
        """Find or make the packet's flow. Whatever has to end first ends first; then this is called again."""
        if self.clock - self.swept >= SWEEP_US and self._sweep():
            return 0
        bucket = self.p_hash & (self.buckets - 1)
        row = self.heads[bucket] - 1
        length = 0
        while row >= 0 and not self._matches(row * WIDTH, self.p_batch):
            row = self.F[row * WIDTH + CHAIN] - 1
            length += 1
        self.n[C_PROBES] += length
        if self.p_traits & TRAIT_DUPLICATE:
            return self._leave_duplicate(row)
        if row >= 0:
            return self._found(row)
        if length >= CHAIN_MAX:
            return self._evict(self.heads[bucket] - 1)
        return self._new_flow(bucket)

    def _leave_duplicate(self, row: int) -> int:
        """Counted, and its flow knows; nothing else happens with it."""
        self.n[C_DUPLICATES] += 1
        if row >= 0:
            self.F[row * WIDTH + FLAGS] |= F_DUPLICATE
        self.stage = S_FETCH
        return 0

    def _found(self, row: int) -> int:
        r = row * WIDTH
        self.p_row = row
        syn = self.p_proto == 6 and self.p_flags & (TCP_SYN | TCP_ACK) == TCP_SYN
        moved = self.F[r + FLAGS] & F_RENUMBERED and not syn and self._renumber(row, self.p_lane)
        if self.F[r + STATE] == LINGER:
            if not syn and self._outlives(r):
                self.n[C_UNHEEDED] += 1
            elif moved:
                return self._leave_duplicate(row)
            elif not syn:
                if self.p_len > 0:  # the last acknowledgement comes after the second FIN, and is not late
                    self.n[C_LATE] += 1
                self.stage = S_FETCH
                return 0
            self._unlink(row)
            self._init_flow(row)
        elif moved or (self.p_proto == 6 and self.p_flags & TCP_SYN and self._begins_in_others(row, self.p_lane)):
            self.p_traits |= TRAIT_RENUMBERED
        elif syn and self._other_isn(r):
            return self._begin_end(row, R_REUSED)
        self.stage = S_DAY
        return 0

    def _outlives(self, r: int) -> bool:
        """A side of a stream goes on behind where it is said to have ended. Whoever was told so did not believe it.

        A segment that its receiver drops (another checksum, time stamp or TTL) could hide a connection otherwise.
        """
        ended = self.F[r + ENDED0 + self.p_lane]
        if ended < 0 or self.p_flags & TCP_RST or not (self.p_len > 0 or self.p_flags & TCP_SYN):
            return False
        return self._distance(self.p_seq + self.p_len, ended) > 1  # a FIN has a number, too

    def _other_isn(self, r: int) -> bool:
        """A SYN that does not repeat the one that began this flow begins another."""
        base = self._base(self.p_row, self.p_lane)
        if self.L[base + ISN] >= 0:
            return self.L[base + ISN] != self.p_seq
        if self.L[base + NEXT] < 0:
            return (self.F[r + SEEN] >> self.p_lane) & 1 == 1
        # packets that overtook their SYN in the capture are few, and lie shortly behind it
        behind = self._distance(self.L[base + NEXT], self.p_seq + 1)
        return behind < 0 or behind > OVERTAKEN_BYTES or self.F[r + PK0 + self.p_lane] > OVERTAKEN_PACKETS

    def _new_flow(self, bucket: int) -> int:
        row = self._free_row()
        if row < 0:
            return self._evict(self._oldest())
        r = row * WIDTH
        self.F[r + CHAIN] = self.heads[bucket]
        self.heads[bucket] = row + 1
        self.F[r + HASH] = self.p_hash
        self.p_row = row
        self._keys(r)
        self._init_flow(row)
        self.stage = S_DAY
        return 0

    def _free_row(self) -> int:
        """One that was given back, else one that was never used. -1: none."""
        row = self.free
        if row >= 0:
            self.free_count -= 1
            self.free = self.F[row * WIDTH + NEXTROW]
        elif self.fresh_row < self.rows:
            row = self.fresh_row
            self.fresh_row += 1
        return row

    def _take_lanes(self, row: int) -> int:
        """A row of `L` for a stream, the one that was given back last: there are as many as of `F`."""
        base = self.free_lanes
        if base >= 0:
            self.free_lanes = self.L[base]
        else:
            base = self.fresh_lanes
            self.fresh_lanes += LANES_WIDTH
        self.F[row * WIDTH + LANES] = base
        self._init_lane(base, row)
        self._init_lane(base + LANE_WIDTH, row)
        return 0

    def _give_lanes(self, row: int) -> int:
        """The stream has ended. Whoever still asks for one of its lanes is beyond the table."""
        base = self.F[row * WIDTH + LANES]
        self.L[base], self.free_lanes = self.free_lanes, base
        self.F[row * WIDTH + LANES] = -LANES_WIDTH
        return 0

    def _keys(self, r: int) -> int:
        wide = (self.batch[self.p_batch + B_REST] >> 8) & 0xFF == 6
        for word in range(3):
            self.F[r + K0 + word] = self.batch[self.p_batch + B_K0 + word] if wide else 0
            self.F[r + K4 + word] = self.batch[self.p_batch + B_K4 + word] if wide else 0
        self.F[r + K3] = self.batch[self.p_batch + B_K3]
        self.F[r + K7] = self.batch[self.p_batch + B_K7]
        self.F[r + KPORTS] = self.batch[self.p_batch + B_PORTS]
        self.F[r + KREST] = self.batch[self.p_batch + B_REST]
        return 0

    def _init_flow(self, row: int) -> int:
        r = row * WIDTH
        self._forget_numbers(row)
        self._clear(r)
        self.F[r + STATE] = LIVE
        self.serial += 1
        self.n[C_FLOWS] += 1
        self.F[r + SERIAL] = self.serial
        self.F[r + LABEL] = 0 if self.listening else TOLD
        self.F[r + SEGMENT] = self.p_segment
        self.F[r + MAC0] = self.F[r + MAC1] = -1
        self.F[r + DAYNO] = self.p_ts // DAY_US
        self.F[r + FIRST_TS] = self.F[r + LAST_TS] = self.p_ts
        self.F[r + FIRST_FRAME] = self.p_frame
        if self.p_proto == 6:
            self._take_lanes(row)
        if self.shed_flows > 1 and self.serial % self.shed_flows:
            self._shed_flow(row)
        if self.p_traits & TRAIT_TUNNELLED:
            self.F[r + FLAGS] |= F_TUNNELLED
        self._cast_roles(r)
        self._link(row, L_HALF)
        return 0

    @cython.boundscheck(False)
    def _clear(self, r: int) -> int:
        """All but what finds the flow, its hash, chain and keys, and who began it."""
        if r < 0 or r + WIDTH > self.F.shape[0]:
            return self._beyond()
        self.F[r + SEEN] = 0
        for column in range(r + DAYNO, r + K0):
            self.F[column] = 0
        return 0

    # ------------------------------------------------------------------ who began

    def mark_responders(self, ports: Iterable[int]) -> None:
        """Ports that mark a responder where the beginning of a conversation was not seen."""
        table = bytearray(65536 // 8)
        for port in ports:
            table[port >> 3] |= 1 << (port & 7)
        self.responders = memoryview(table)

    def _cast_roles(self, r: int) -> int:
        """Who began: the sender of SYN, else who is not on a responder's port, else the sender of the first packet."""
        sender = self.p_lane
        if self.p_proto == 6 and self.p_flags & TCP_SYN:
            self.F[r + INIT] = 1 - sender if self.p_flags & TCP_ACK else sender
            if self.p_flags & TCP_ACK:
                self.F[r + FLAGS] |= F_MIDSTREAM
            return 0
        if self.p_proto == 6:
            self.F[r + FLAGS] |= F_MIDSTREAM
        ports = self.F[r + KPORTS]
        responds = self._responds(self._port(ports, sender), self._port(ports, 1 - sender))
        self.F[r + INIT] = 1 - sender if responds else sender
        return 0

    def _port(self, ports: int, lane: int) -> int:
        return ports & M16 if lane else ports >> 16

    def _responds(self, port: int, other: int) -> bool:
        """Whether whoever is on the first of both ports is the responder."""
        if port == other:
            return False
        marked = (self.responders[port >> 3] >> (port & 7)) & 1
        if marked != (self.responders[other >> 3] >> (other & 7)) & 1:
            return marked == 1
        if port < 1024 or other < 1024:
            return port < other
        return port < EPHEMERAL_FROM <= other

    # ------------------------------------------------------------------ lists in the order of the last packet

    def _link(self, row: int, kind: int) -> int:
        r = row * WIDTH
        last = self.lists[kind * 2 + 1]
        self.F[r + LIST] = kind
        self.half_count += kind == L_HALF
        self.F[r + LINKED] = self.now
        self.F[r + PREV] = last
        self.F[r + NEXTROW] = -1
        if last >= 0:
            self.F[last * WIDTH + NEXTROW] = row
        else:
            self.lists[kind * 2] = row
        self.lists[kind * 2 + 1] = row
        return 0

    def _unlink(self, row: int) -> int:
        r = row * WIDTH
        kind = self.F[r + LIST]
        self.half_count -= kind == L_HALF
        before = self.F[r + PREV]
        after = self.F[r + NEXTROW]
        if before >= 0:
            self.F[before * WIDTH + NEXTROW] = after
        else:
            self.lists[kind * 2] = after
        if after >= 0:
            self.F[after * WIDTH + PREV] = before
        else:
            self.lists[kind * 2 + 1] = before
        return 0

    def _relink(self, row: int) -> int:
        """To the end of its list."""
        kind = self.F[row * WIDTH + LIST]
        self._unlink(row)
        return self._link(row, kind)

    def _first_of(self, kind: int) -> int:
        """The head of a list. Flows whose time was ahead of the clock, and not believed, are as old as the clock."""
        row = self.lists[kind * 2]
        while row >= 0 and self.F[row * WIDTH + LINKED] > self.clock:
            self._unlink(row)
            self._link(row, kind)
            self.F[row * WIDTH + LINKED] = self.clock
            row = self.lists[kind * 2]
        return row

    # ------------------------------------------------------------------ what goes

    def _sweep(self) -> bool:
        """End the longest idle flow, if it has been idle for too long; lingering rows just go. Called once a second."""
        for kind in range(5):
            row = self._first_of(kind)
            if row >= 0 and self.clock - self.F[row * WIDTH + LINKED] > self._idle_us(kind):
                if kind == L_LINGER:
                    self._recycle(row)
                else:
                    self._begin_end(row, self._silent_reason(row))
                return True
        self.swept = self.clock
        return False

    def _silent_reason(self, row: int) -> int:
        return R_FIN if self.F[row * WIDTH + KREST] & 0xFF == 6 and self._both_fin(row) else R_IDLE

    def _idle_us(self, kind: int) -> int:
        if kind == L_LINGER:
            return self.linger_us
        return self.udp_idle_us if kind in (L_UDP, L_HALF) else self.tcp_idle_us

    def _oldest(self) -> int:
        """The least valuable flow: the one that was silent longest.

        Of those that linger, half and shunted ones silence counts `SOONER` times: who has just ended is still waited
        for, or his last acknowledgement would be a flow of its own. Where half ones fill a quarter of the table they go
        first: scans, however many, take no more of it. But not before: a flow that begins is half until its other side
        speaks, and in a table full of silent ones it would be gone by then.
        """
        if self.half_count * 4 > self.rows:
            return self.lists[L_HALF * 2]
        oldest = -1
        longest = 0
        for kind in range(L_HALF, -1, -1):
            row = self.lists[kind * 2]
            if row >= 0:
                silence = self.now - self.F[row * WIDTH + LINKED]
                if kind >= L_LINGER:
                    silence *= SOONER
                if oldest < 0 or silence > longest:
                    oldest, longest = row, silence
        return oldest

    def _evict(self, row: int) -> int:
        r = row * WIDTH
        if self.F[r + STATE] == LINGER:  # it has ended: nothing is lost
            self._recycle(row)
            return 0
        self.n[C_EVICTED] += 1
        self.F[r + FLAGS] |= F_EVICTED
        return self._begin_end(row, R_EVICTED)

    def _begin_end(self, row: int, reason: int) -> int:
        self.end_row = row
        self.end_reason = reason
        self.end_lane = 0
        return 0

    def _recycle(self, row: int) -> int:
        """Out of its list and its chain; the row is free."""
        r = row * WIDTH
        bucket = self.F[r + HASH] & (self.buckets - 1)
        at = self.heads[bucket] - 1
        self._unlink(row)
        self.F[r + STATE] = FREE
        if at == row:
            self.heads[bucket] = self.F[r + CHAIN]
        else:
            while self.F[at * WIDTH + CHAIN] - 1 != row:
                at = self.F[at * WIDTH + CHAIN] - 1
            self.F[at * WIDTH + CHAIN] = self.F[r + CHAIN]
        self.free_count += 1
        self.F[r + NEXTROW], self.free = self.free, row
        return 0

    # ------------------------------------------------------------------ the compiler has these from table.pxd

    if not cython.compiled:

        def _matches(self, r: int, b: int) -> bool:
            """Whether a row of the batch is a packet of the flow in a row of the table."""
            if r < 0 or r + WIDTH > self.F.shape[0] or b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
                return self._beyond()
            if (
                self.F[r + K3] != self.batch[b + B_K3]
                or self.F[r + K7] != self.batch[b + B_K7]
                or self.F[r + KPORTS] != self.batch[b + B_PORTS]
                or self.F[r + KREST] != self.batch[b + B_REST]
            ):
                return False
            return (self.batch[b + B_REST] >> 8) & 0xFF == 4 or (
                self.F[r + K0] == self.batch[b + B_K0]
                and self.F[r + K1] == self.batch[b + B_K1]
                and self.F[r + K2] == self.batch[b + B_K2]
                and self.F[r + K4] == self.batch[b + B_K4]
                and self.F[r + K5] == self.batch[b + B_K5]
                and self.F[r + K6] == self.batch[b + B_K6]
            )
