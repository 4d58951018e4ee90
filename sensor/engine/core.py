# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""The packet engine: capture bytes in, the head of every turn out.

Theory of operation
-------------------
The engine walks the records of a capture in place, decodes each packet down to its transport, finds its flow in a
table, puts TCP segments in order, and wakes Python only when a dissector's lane has the bytes that it waits for. It is
Python source compiled by Cython, types in .pxd files, bounds checks on; the very same files interpreted give the same
events.

**Synchronous waking.** `step()` runs until something needs Python, says what (an event), and goes on from exactly there
at the next call. Whatever the dissector says in between (`want`, `skip`, `skip_until`, `next_turn`, `done`) therefore
takes effect before the next byte is copied. What is under way is a small state machine (`stage`)::

    FETCH ─► ROUTE ─► DAY ─► TRANSPORT ─► SEGMENT ─► CLOSE ─► FETCH ...
               └── a flow has to end first (idle, evicted, port reused): its END comes out, then ROUTE again

**Batches.** FETCH decodes up to 32 packets ahead, asks meanwhile for the memory of their flows, and then hands them on
one by one: most of the time of small packets was waiting for memory. Most of them only count, and never come to a stage
(`packets`).

**Rooms.** All that is done at a stage lies below, one floor above the other, each a class that inherits the one before:
`window` (memory and numbers in it), `batch` (decoded packets, copies), `tunnels`, `network` (IP, TCP's and UDP's
headers), `links`, `records` (of the capture); `rows` (of flows and lanes), `turns` (what lanes are doing), `table`
(which flow, and which goes), `packets` (the next one), `pieces` (bytes that wait), `lanes` (bytes that are read or left
out). Here is what comes next: the stages, what a segment does to its lane, and the end of a flow. See README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.rows import STATS
from sensor.engine.segments import TRAFFIC, TUNNELS

if not cython.compiled:
    from sensor.engine.lanes import Lanes
    from sensor.engine.layout import *

COMPILED: Final[bool] = cython.compiled

COUNTERS = (
    "packets",
    "bytes",
    "bytes_copied",
    "truncated",
    "not_ip",
    "unsupported_link",
    "bad_header",
    "other_transport",
    "tcp_segments",
    "udp_datagrams",
    "fragments",
    "flows",
    "evicted_flows",
    "evicted_buffers",
    "late_segments",
    "holes",
    "clock_backwards",
    "vlan_packets",
    "tunnelled",
    "stray_segments",
    "duplicates",
    "tunnels_refused",
    "nested_too_deep",
    "probes",
    "clock_jumps",
    "shed_turns",
    "shed_datagrams",
    "shed_flows",
    "early_turns",
    "unheeded_ends",
    "renumbered_lanes",
)
__all__ = ["COMPILED", "COUNTERS", "STATS", "TRAFFIC", "TUNNELS", "Engine"]


class Engine(Lanes):
    """The engine of one capture. Numbers are settings in bytes, microseconds and rows; `seed` keys the hash of flows.

    `responder_ports` are ports that mark a responder where the beginning of a conversation was not seen.
    """

    def __init__(  # noqa: PLR0913
        self,
        *,
        flows: int = 262_144,
        head_bytes: int = 16_384,
        head_max: int = 65_536,
        turn_idle_us: int = 5_000_000,
        tcp_idle_us: int = 3_600_000_000,
        udp_idle_us: int = 300_000_000,
        linger_us: int = 30_000_000,
        buffer_bytes: int = 67_108_864,
        sample_after: int = 16_384,
        sample_each: int = 64,
        seed: int = 0x1F3A5C7E9B2D4680,
        responder_ports: Iterable[int] = (),
    ) -> None:
        if flows < 2 or head_bytes < 1 or head_max < head_bytes:
            raise ValueError("flows >= 2, head_bytes >= 1 and head_max >= head_bytes are needed")
        super().__init__(flows, seed)
        self.head_bytes = head_bytes
        self.head_max = head_max
        self.turn_idle_us = turn_idle_us
        self.tcp_idle_us = tcp_idle_us
        self.udp_idle_us = udp_idle_us
        self.linger_us = linger_us
        self.buffer_bytes = buffer_bytes
        self.sample_after = sample_after
        self.sample_each = max(1, sample_each)
        self.mark_responders(responder_ports)
        self.free_row = -1
        self.finishing: Iterator[int] | None = None

    def finish(self) -> None:
        """No more input: `step` now delivers what is held, and an END for each flow, in the order they began in."""
        rows = list(filter(self._is_live, range(self.fresh_row)))
        rows.sort(key=self._serial_of)
        self.finishing = filter(self._is_live, rows)

    def _is_live(self, row: int) -> bool:
        """Who has waited for too long may end meanwhile."""
        return self.F[row * WIDTH + STATE] == LIVE

    def _serial_of(self, row: int) -> int:
        return self.F[row * WIDTH + SERIAL]

    def counters(self) -> dict[str, int]:
        """Counts of the whole engine, by name."""
        self.n[C_PACKETS], self.n[C_BYTES] = self.frames, self.captured_bytes
        found = {name: self.n[number] for number, name in enumerate(COUNTERS)}
        found.update(self.fragments.counters())
        found["days_lost"] = self.days.lost
        found["rows_in_use"] = self.fresh_row - self.free_count
        found["last_packet_us"] = self.last_ts
        found["held_bytes"] = self.held_bytes + self.pieces_bytes + self.fragments.held_bytes
        return found

    # ------------------------------------------------------------------ the state machine

    def step(self) -> int:
        """Go on until something needs Python; returns which event."""
        event = 0
        while event == 0:
            if self.ready:
                event = self._deliver_ready()
            elif self.free_row >= 0:
                self._release()
            elif self.days_full:
                self.days_full = False
                event = FULL
            elif self.c_row >= 0:
                event = self._consume()
            elif self.end_row >= 0:
                event = self._end()
            elif self.stage == S_FETCH:
                event = self._fetch()
                if event == -1:
                    return NEED
                if self.stage == S_ROUTE:
                    event = self._through()
            elif self.stage == S_ROUTE:
                self._route()
            elif self.stage == S_DAY:
                event = self._day()
            elif self.stage == S_TRANSPORT:
                event = self._transport()
            elif self.stage == S_SEGMENT:
                self._segment()
            else:
                self._close()
        return event

    def _through(self) -> int:
        """The usual way of a packet, without looking round at every stage; `step` takes up whatever is left."""
        self._route()
        if self.stage != S_DAY:
            return 0
        event = self._day()
        if event == 0:
            event = self._transport()
        if event != 0 or self.stage != S_SEGMENT or self.c_row >= 0:
            return event
        self._segment()
        if self.c_row >= 0:
            event = self._consume()
        if event == 0 and self.c_row < 0 and self.end_row < 0:
            self._close()
        return event

    def _fetch(self) -> int:
        """The next packet of the batch, or of a new batch. -1: more input is needed.

        Whoever has waited for too long is heard first.
        """
        if self.clock >= self.early_until and self._take_overdue():
            return 0
        event = 0
        while event == 0:
            while self.b_at < self.b_count:
                if not self._quick():
                    return self._unpack()
            if self.finishing is not None:
                return self._finish_next()
            event = self._gather()
            if self.b_count > 0:
                event = 0
        if event != 0:
            self.position, self.p_ts, self.p_frame = self.cursor, self.last_ts, self.frames
        return event

    def _finish_next(self) -> int:
        assert self.finishing is not None
        row = next(self.finishing, None)
        if row is None:
            return -1
        self._begin_end(row, self._reason(row) or R_EOF)
        return 0

    def _day(self) -> int:
        """The first packet of a flow on a new UTC day: its numbers of the day before go out first."""
        r = self.p_row * WIDTH
        day = self.p_ts // DAY_US
        self.stage = S_TRANSPORT
        if day <= self.F[r + DAYNO] or self.F[r + FIRST_FRAME] == 0:
            return 0
        self.F[r + DAYNO] = day
        self.size = 0
        self.p_row = -1 - self.p_row
        if not self.F[r + LABEL] & TOLD:
            return 0
        return self._event(DAY, -1 - self.p_row, 0)

    def _new_day(self) -> int:
        r = self.p_row * WIDTH
        if self.listening:
            self._fold(r)
        for column in range(PK0, BY1 + 1):
            self.F[r + column] = 0
        for column in range(COPIED, LOST + 1):
            self.F[r + column] = 0
        self.F[r + SKIPPED] = 0
        if self.p_proto == 6:
            base = self.F[r + LANES]
            for column in range(RETRANS, OVERLAP + 1):
                self.L[base + column] = self.L[base + LANE_WIDTH + column] = 0
        self.F[r + FIRST_TS] = self.p_ts
        self.F[r + FIRST_FRAME] = self.p_frame
        return 0

    # ------------------------------------------------------------------ transport

    def _transport(self) -> int:
        if self.p_row < 0:
            self.p_row = -1 - self.p_row
            self._new_day()
        if self.p_traits & TRAIT_RENUMBERED:
            self._count_copy()
        else:
            self._count_packet()
        if self.p_proto == 17:
            return self._datagram()
        self.stage = S_SEGMENT
        if self.p_flags & TCP_ACK and not self.p_flags & TCP_RST:
            self._acknowledge()
        return 0

    def _datagram(self) -> int:
        r = self.p_row * WIDTH
        self.stage = S_FETCH
        if self.F[r + TURN0 + self.p_lane] < 0 or self.p_l4_end <= self.p_data:
            return 0
        if not self.F[r + LABEL] & TOLD and not self._is_wanted_datagram(r):
            return 0
        self.F[r + TURN0 + self.p_lane] += 1
        self.turn = self.F[r + TURN0 + self.p_lane]
        self.size = self.p_l4_end - self.p_data
        if self._is_shed(self.turn):
            self.F[r + LEFT_OUT] += self.size
            self.n[C_SHED_DATAGRAMS] += 1
            return 0
        self.F[r + COPIED] += self.size
        self.n[C_COPIED] += self.size
        self.payload = self._packet_bytes(self.p_data, self.p_l4_end)
        return self._event(DATAGRAM, self.p_row, self.p_lane)

    def _is_wanted_datagram(self, r: int) -> bool:
        """Whether anybody may want this datagram of a flow that nobody has wanted so far; after a few it is shunted."""
        at = self.p_data
        if self._is_lead(self.tcp_leads, self.all_leads, at, self.p_l4_end, False):
            return True
        self.F[r + SKIPPED] += self.p_l4_end - at
        self.F[r + UNWANTED] += 1
        if self.F[r + UNWANTED] >= UNWANTED_MAX:
            self._done(self.p_row)
        return False

    # ------------------------------------------------------------------ TCP

    def _segment(self) -> int:
        """RFC 9293: one segment; what is in order is set up to be consumed."""
        r = self.p_row * WIDTH
        base = self._base(self.p_row, self.p_lane)
        self.stage = S_CLOSE
        if self.p_flags & TCP_SYN:
            self._syn(r, base)
        if self.p_flags & TCP_RST:
            return self._reset(r, base)
        if self.p_flags & TCP_FIN:
            self.F[r + FLAGS] |= F_FIN
            self.L[base + FINSEQ] = (self.p_seq + self.p_len) & M32
        if self.p_len > 0:
            self._payload(r, base)
        elif self.p_flags & TCP_FIN and self.L[base + NEXT] < 0:
            self.L[base + NEXT] = self.p_seq
        return 0

    def _syn(self, r: int, base: int) -> int:
        if self.p_flags & TCP_ACK:
            self.F[r + FLAGS] |= F_SYNACK
            if self.L[(base ^ LANE_WIDTH) + ISN] < 0:  # its SYN was lost, or is still to come
                self.L[(base ^ LANE_WIDTH) + ISN] = (self.p_ack - 1) & M32
        else:
            self.F[r + FLAGS] = (self.F[r + FLAGS] | F_SYN) & ~F_MIDSTREAM
        self.L[base + ISN] = self.p_seq
        if self.L[base + NEXT] < 0:
            self.L[base + NEXT] = (self.p_seq + 1) & M32
        self.p_seq = (self.p_seq + 1) & M32
        return 0

    def _acknowledge(self) -> int:
        """What the other lane sent was received: a hole of its that is acknowledged will not be filled any more."""
        lane = 1 - self.p_lane
        other = self._base(self.p_row, lane)
        base = self._base(self.p_row, self.p_lane)
        if self.L[base + TURN_ACK] >= 0 and self._distance(self.p_ack, self.L[base + TURN_ACK]) > QUARTER32:
            # gigabytes were heard since this lane spoke: what it acknowledges stays newer than that, modulo 2^32
            self.L[base + TURN_ACK] = (self.p_ack - QUARTER32) & M32
        if self.L[other + ACKED] < 0 or self._distance(self.p_ack, self.L[other + ACKED]) > 0:
            self.L[other + ACKED] = self.p_ack
        if self.L[other + FINSEQ] >= 0 and self.p_ack == (self.L[other + FINSEQ] + 1) & M32:
            self.p_ack = self.L[other + FINSEQ]  # a FIN is no byte: hearing it begins no turn
        if self.L[other + PIECES]:
            kept = self.pieces[self.p_row * 2 + lane]
            if self._give_up_now(other, kept) or self._waits_in_vain(other, kept):
                self._force(self.p_row, lane)
            elif self._has_waited(other, kept):
                self.c_lost = False
                self._resume(self.p_row, lane)
        if self.L[other + ISN] < 0 and self.L[other + NEXT] < 0 and self.L[base + ISN] >= 0:
            self.L[other + ISN] = (self.p_ack - 1) & M32  # the first thing that is heard of it is its SYN
        if self.F[self.p_row * WIDTH + FLAGS] & F_UNHEARD << self.p_lane:
            self.F[self.p_row * WIDTH + FLAGS] &= ~(F_UNHEARD << self.p_lane)
        return 0

    def _reset(self, r: int, base: int) -> int:
        """RST ends the flow if it could be genuine: within a window of what the lane sends next."""
        if self.L[base + NEXT] >= 0:
            away = self._distance(self.p_seq, self.L[base + NEXT])
            if away > RST_WINDOW or away < -RST_WINDOW:
                return 0
        if self.L[base + FINSEQ] < 0:
            self.L[base + FINSEQ] = self.p_seq
        acked = self.L[(base ^ LANE_WIDTH) + ACKED]
        if self.p_flags & TCP_ACK and (acked < 0 or self._distance(self.p_ack, acked) > 0):
            self.L[(base ^ LANE_WIDTH) + ACKED] = self.p_ack
        self.F[r + FLAGS] |= F_RST
        return 0

    def _payload(self, r: int, base: int) -> int:
        at = self.p_data
        have = max(0, self.p_l4_end - at)
        if self.L[base + NEXT] < 0:
            self._begin_lane(base)
        ahead = self._distance(self.p_seq, self.L[base + NEXT])
        if ahead > BELIEVED_BYTES or ahead < -BELIEVED_BYTES:
            if self.L[base + MODE] != CLOSED:
                ahead = -self.p_len if self._is_told_again(have) else self._stray(base, ahead)
        elif self.F[r + FLAGS] & F_WATCHED:
            self._is_told_again(have)
        if ahead + self.p_len <= 0:
            self.L[base + RETRANS] += 1
            return 0
        if ahead < 0:
            self.L[base + RETRANS] += 1
            at -= ahead
            have += ahead
        elif ahead > 0:
            ahead = self._jump(r, base, ahead)
        acks = (self.p_flags & TCP_ACK) != 0
        if ahead > 0 or self._is_early(base, self.p_ack, acks):
            return self._keep(base)
        self._truncation(base)
        if have <= 0:
            return 0
        if self.L[base + PIECES]:
            self._compare(base, at, have)
        self.L[base + NEXT] = (self.L[base + NEXT] + have) & M32
        if self.w_other:
            self.w = self.mem
            self.w_other = False
        self._turn(base, self.p_ack, acks, self.p_ts)
        self.c_row, self.c_lane, self.c_base = self.p_row, self.p_lane, base
        self.c_at, self.c_end, self.c_frame = at, at + have, self.p_frame
        self.c_force = self.c_lost = False
        return 0

    def _begin_lane(self, base: int) -> int:
        """Where a lane begins of which no SYN was seen: there, or a little before, if the other side's SYN says so."""
        begin = (self.L[base + ISN] + 1) & M32
        ahead = self._distance(self.p_seq, begin)
        known = self.L[base + ISN] >= 0 and 0 <= ahead <= EARLY_BYTES
        self.L[base + NEXT] = begin if known else self.p_seq
        return 0

    def _is_told_again(self, have: int) -> bool:
        """Whether a segment says what was said a moment ago far from there: see `Numberings`."""
        if have < WATCHED_LEAST:
            return False
        return self._tell_apart(self.p_row, self.p_lane, self._packet_bytes(self.p_data, self.p_data + have))

    def _stray(self, base: int, ahead: int) -> int:
        """A segment far from where a lane is that is silent is believed when another follows it.

        Returns how far ahead it is now.
        """
        believed = self.L[base + STRAY] == self.p_seq and self.p_ts - self.L[base + DATA_TS] > DUPLICATE_US
        self.L[base + STRAY] = (self.p_seq + self.p_len) & M32
        if not believed:
            self.n[C_STRAY] += 1
            return -self.p_len
        if ahead > 0 and self.L[base + MODE] != READ:
            return ahead
        self._restart(base)
        return 0

    def _restart(self, base: int) -> None:
        """The lane goes on somewhere else; how much is missing cannot be known."""
        self._drop_pieces_of(self.p_row, self.p_lane)
        self.L[base + NEXT] = self.p_seq
        self.L[base + FINSEQ] = -1
        self.L[base + LEFT] = self.L[base + OVERRUN] = 0
        self.L[base + MODE] = READ
        self.L[base + GAPSIZE] = 1

    def _jump(self, r: int, base: int, ahead: int) -> int:
        """A hole inside what is left out anyway is no gap: go on behind it. Returns how far ahead it still is."""
        mode = self.L[base + MODE]
        if self.L[base + PIECES] and self._is_waiting(base, self.pieces[self.p_row * 2 + self.p_lane]):
            return ahead
        if mode == SKIP and ahead <= self.L[base + LEFT]:
            self.L[base + LEFT] -= ahead
            self.F[r + SKIPPED] += ahead
            if self.L[base + LEFT] == 0:
                self.L[base + MODE] = READ
        elif mode == DRAIN and not self._is_new_turn(base, self.p_ack, (self.p_flags & TCP_ACK) != 0, self.p_ts):
            self.F[r + SKIPPED] += ahead
        elif mode == OVER and not self._is_new_turn(base, self.p_ack, (self.p_flags & TCP_ACK) != 0, self.p_ts):
            self.L[base + OVERRUN] += ahead
            self.F[r + LEFT_OUT] += ahead
        elif mode != CLOSED:
            return ahead
        self.L[base + NEXT] = self.p_seq
        if self.L[base + PIECES]:
            self._drop_old_pieces(base)
        return 0

    # ------------------------------------------------------------------ the end of a flow

    def _close(self) -> int:
        """END, if that was the end of the stream, and nothing is missing that may still come."""
        r = self.p_row * WIDTH
        self.stage = S_FETCH
        if not self.F[r + FLAGS] & (F_FIN | F_RST) or self.F[r + STATE] != LIVE:
            return 0
        reason = self._reason(self.p_row)
        if reason:
            for lane in range(2):
                base = self._base(self.p_row, lane)
                acked = self.L[base + ACKED] >= 0 and self._is_missing(base, self.L[base + ACKED])
                if acked or 0 < self._left(base) <= EARLY_BYTES:
                    self._wait_for_other(self.p_row * 2 + 1 - lane)
                    return 0
            return self._begin_end(self.p_row, reason)
        if self._both_fin(self.p_row) and self.F[r + LIST] != L_HALF:
            # something before a FIN is missing: it may still come, but not for an hour
            self._unlink(self.p_row)
            self._link(self.p_row, L_HALF)
        return 0

    def _take_overdue(self) -> bool:
        """Who has waited longest goes on without the other lane, if that was too long. False: it was not."""
        while self.early:
            key = next(iter(self.early))
            row, lane = key // 2, key % 2
            if self.clock - self.early[key] < EARLY_US:
                self.early_until = self.early[key] + EARLY_US
                return False
            if self.L[self._base(row, lane) + PIECES] and self._is_waiting(self._base(row, lane), self.pieces[key]):
                self.F[row * WIDTH + FLAGS] |= F_UNHEARD << 1 - lane
                self._force(row, lane)
                return True
            del self.early[key]
            reason = self._reason(row)
            if reason:
                self._begin_end(row, reason)
                return True
        self.early_until = NEVER
        return False

    def _left(self, base: int) -> int:
        """How much of a lane is still to come before its end, as far as that is known."""
        if self.L[base + FINSEQ] < 0 or self.L[base + NEXT] < 0:
            return 0
        return self._distance(self.L[base + FINSEQ], self.L[base + NEXT])

    def _ended(self, base: int) -> int:
        """Where a lane has ended, or, where a RST came that was far ahead, where it was then. -1: not known."""
        return self.L[base + NEXT] if self._left(base) > 0 else self.L[base + FINSEQ]

    def _reason(self, row: int) -> int:
        """RST, or both lanes have sent FIN and all before it was read, or the other lane was not seen. 0: not ended."""
        flags = self.F[row * WIDTH + FLAGS]
        if flags & F_RST:
            return R_RST
        return R_FIN if flags & F_FIN and self._closed(row, 0) and self._closed(row, 1) else 0

    def _closed(self, row: int, lane: int) -> bool:
        base = self._base(row, lane)
        if not (self.F[row * WIDTH + SEEN] >> lane) & 1:
            return True
        return self.L[base + FINSEQ] >= 0 and self._left(base) <= 0

    def _end(self) -> int:
        """What is kept of both lanes comes out, then END."""
        row = self.end_row
        if self.F[row * WIDTH + KREST] & 0xFF != 6:
            self.end_lane = 2
        while self.end_lane < 2:
            base = self._base(row, self.end_lane)
            if self.L[base + PIECES]:
                return self._force(row, self.end_lane)
            lane = self.end_lane
            self.end_lane += 1
            if self.L[base + HELD] and self.L[base + MODE] == READ:
                return self._deliver_held(row, lane, base)
        self.free_row = row
        self.end_row = -1
        self.reason = self.end_reason
        self.size = 0
        if not self.F[row * WIDTH + LABEL] & TOLD:
            return 0
        return self._event(END, row, 0)

    def _release(self) -> int:
        """The row of a flow whose END is out: closed connections linger, so that late segments make no new flow."""
        row = self.free_row
        self.free_row = -1
        if self.listening:
            self._fold(row * WIDTH)
        if self.F[row * WIDTH + KREST] & 0xFF == 6:
            self._forget(row, 0)
            self._forget(row, 1)
            r, base = row * WIDTH, self._base(row, 0)
            self.F[r + ENDED0], self.F[r + ENDED1] = self._ended(base), self._ended(base ^ LANE_WIDTH)
            self._give_lanes(row)
        if self.reason in (R_FIN, R_RST):
            self._unlink(row)
            self.F[row * WIDTH + STATE] = LINGER
            self._link(row, L_LINGER)
        else:
            self._recycle(row)
        return 0

    def _forget(self, row: int, lane: int) -> int:
        base = self._base(row, lane)
        if self.L[base + HELD]:
            self._drop_held_of(row, lane, base)
        if self.L[base + PIECES]:
            self._drop_pieces_of(row, lane)
        self.early.pop(row * 2 + lane, None)
        return 0
