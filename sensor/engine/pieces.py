# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""Bytes that wait: held for a lane that wants more of them, or kept until the hole before them is filled.

Theory of operation
-------------------
**Holes.** A segment beyond `NEXT` is kept, in order, and of those kept the first bytes win. What is in order is read at
once, whatever was kept for its place: so do receivers. Other bytes for the same place are counted. The hole before it
is given up (GAP) when too much is kept, when the other lane has acknowledged past it and time or segments have gone by,
or at the end. A hole inside what is being left out anyway is no gap.

**What comes early.** Where the directions of a conversation come by ways of their own (queues of a card, ports of a
switch), an answer may come before its question. What begins a turn and acknowledges what was not heard yet of the other
lane is kept as well, until that has been read; for at most `EARLY_US` of the capture's time, and not where the other
lane goes on behind it, which says that it is lost. So it is where nothing at all was heard of the other lane: what is
told then would be marked as one-sided. The end of a conversation waits in the same way. A lane that was
waited for in vain is waited for no more until it says something. Where sides that were never seen do not come (a mirror
of one direction), only those of a sample are waited for. Acknowledgements more than `EARLY_BYTES` ahead are numbers
that somebody on the way has changed; where half of the memory is used nobody waits.

Half-read messages and kept segments live in dictionaries of byte strings, by row and lane, whose total size, with what
Python needs for each, is bounded; the oldest holder loses.

Whoever has bytes of a lane gives them here to wait, and gets them back in order (`_next_piece`). Here nothing is
delivered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.spans import conflicts, touching, uncovered

if not cython.compiled:
    from sensor.engine.layout import *
    from sensor.engine.packets import Packets

Piece = tuple[int, bytearray, int, bool, int, int]
"""A segment that is kept: sequence number, bytes, acknowledgement number, whether there is one, time, frame."""


class Pieces(Packets):
    """What waits, and the bytes under way.

    Attributes:
        held, pieces: by row * 2 + lane, the oldest first; their sizes are bounded by `buffer_bytes` together.
        ready: lanes that now want less than is held for them.
        early: since when a lane's bytes have waited for the other one, or a flow's end for a lane that was not seen; by
            row * 2 + lane, in that order.
        early_until: when the first one of them has waited for long enough.
        patience: how often sides that were not seen so far are waited for; it grows when one comes.
        c_row, c_lane, c_base: the lane whose bytes are under way; no lane where `c_row` is -1.
        c_at, c_end, c_frame: those bytes of `w`, and the frame that they came in.
        c_force: the hole before the next piece is given up.
        c_lost: what is under way came so, not as a packet in order.
    """

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.buffer_bytes = 0
        self.held: OrderedDict[int, bytearray] = OrderedDict()
        self.pieces: OrderedDict[int, list[Piece]] = OrderedDict()
        self.held_bytes = self.pieces_bytes = 0
        self.ready: list[tuple[int, int]] = []
        self.early: OrderedDict[int, int] = OrderedDict()  # the first one of a dictionary is searched for
        self.early_until = NEVER
        self.patience = PATIENCE_MAX
        self.c_row = -1
        self.c_lane = self.c_base = self.c_at = self.c_end = self.c_frame = 0
        self.c_force = self.c_lost = False

    # ------------------------------------------------------------------ bytes held for a lane

    def _hold(self, base: int, at: int, n: int) -> bool:
        key = self.c_row * 2 + self.c_lane
        buffer = self.held.get(key)
        if buffer is None:
            buffer = self.held[key] = bytearray()
            self.held_bytes += OVERHEAD
        buffer += self._lane_bytes(at, at + n)
        self.L[base + HELD] += n
        self.held_bytes += n
        while self.held_bytes + self.pieces_bytes > self.buffer_bytes:
            self._evict_bytes()
        return self.L[base + HELD] > 0

    def _drop_held(self, row: int, lane: int) -> None:
        """For a lane counted from the initiator."""
        base = self._lane(row, lane)
        if self.L[base + HELD]:
            self._drop_held_of(row, lane ^ self.F[row * WIDTH + INIT], base)

    def _drop_held_of(self, row: int, lane: int, base: int) -> None:
        buffer = self.held.pop(row * 2 + lane, None)
        if buffer is not None:
            self.held_bytes -= len(buffer) + OVERHEAD
        self.L[base + HELD] = 0

    def _trim_held(self, row: int, lane: int, n: int) -> None:
        """Drop the first `n` held bytes, of a lane counted from the initiator."""
        base = self._lane(row, lane)
        key = row * 2 + (lane ^ self.F[row * WIDTH + INIT])
        buffer = self.held.get(key)
        if buffer is None or n >= len(buffer):
            self._drop_held(row, lane)
            return
        del buffer[:n]
        self.held_bytes -= n
        self.L[base + HELD] -= n
        if self.L[base + HELD] >= 1:
            self.ready.append((row, lane))

    def _evict_bytes(self) -> None:
        """Too much is held: whoever has held bytes longest loses them, as if they had been over the budget."""
        self.n[C_EVICTED_BUFFERS] += 1
        if self.held and (not self.pieces or self.held_bytes >= self.pieces_bytes):
            key = next(iter(self.held))
            row, lane = key // 2, key % 2
            base = self._base(row, lane)
            self.L[base + OVERRUN] = self.L[base + HELD]
            self.F[row * WIDTH + LEFT_OUT] += self.L[base + HELD]
            self._drop_held_of(row, lane, base)
            if self.L[base + MODE] == READ:
                self.L[base + MODE] = OVER
        else:
            key = next(iter(self.pieces))
            self._drop_pieces_of(key // 2, key % 2)

    # ------------------------------------------------------------------ segments that are kept

    def _keep(self, base: int) -> int:
        """Keep a segment that is ahead or early, then see whether the hole before it has to be given up."""
        key = self.p_row * 2 + self.p_lane
        kept = self.pieces.setdefault(key, [])
        if not kept:
            self.L[base + HOLE_TS] = self.p_ts
            self.L[base + AFTER_HOLE] = 0
        self.L[base + AFTER_HOLE] += 1
        self.L[base + REORD] += 1
        self._truncation(base)
        acks = bool(self.p_flags & TCP_ACK)
        data = bytearray(self._packet_bytes(self.p_data, max(self.p_data, self.p_l4_end)))
        start = self._distance(self.p_seq, self.L[base + NEXT])
        offset_of = _offset_from(self.L[base + NEXT])
        low, high = touching(kept, start, start + len(data), offset_of)
        near = kept[low:high]
        flat = [(offset_of(piece), piece[1]) for piece in near]
        self.L[base + OVERLAP] += conflicts(flat, start, data)
        for offset, new in uncovered(flat, start, data):
            seq = (self.L[base + NEXT] + offset) & 0xFFFFFFFF
            near.append((seq, bytearray(new), self.p_ack, acks, self.p_ts, self.p_frame))
            self.pieces_bytes += len(new) + OVERHEAD
            self.L[base + PIECE_BYTES] += len(new)
        kept[low:high] = sorted(near, key=offset_of)
        self.L[base + PIECES] = len(kept)
        if not kept:
            del self.pieces[key]
            return 0
        if self._is_waiting(base, kept):
            self._wait_for_other(key)
        while self.held_bytes + self.pieces_bytes > self.buffer_bytes:
            self._evict_bytes()
        if self.L[base + PIECES] and self._give_up_now(base, kept):
            self._force(self.p_row, self.p_lane)
        return 0

    def _take_up(self, row: int, lane: int) -> int:
        """What is kept of a lane is under way."""
        self.c_row, self.c_lane, self.c_base = row, lane, self._base(row, lane)
        self.c_at = self.c_end = 0
        self.c_force = False
        return 0

    def _force(self, row: int, lane: int) -> int:
        """A lane goes on whatever is missing. If it waits for the other one, a hole of that one goes first."""
        base = self._base(row, lane)
        other = self.L[(base ^ LANE_WIDTH) + PIECES] and self._is_waiting(base, self.pieces[row * 2 + lane])
        self._take_up(row, 1 - lane if other else lane)
        self.c_force = self.c_lost = True
        return 0

    def _truncation(self, base: int) -> int:
        """The capture cut the packet short: what is missing will never come, so its hole need not be waited for."""
        if self.p_l4_end - self.p_data < self.p_len:
            self.L[base + TRUNC_END] = (self.p_seq + self.p_len) & M32
        return 0

    def _give_up_now(self, base: int, kept: list[Piece]) -> bool:
        if self.L[base + PIECES] > PIECES_MAX or self.L[base + PIECE_BYTES] > PIECE_BYTES_MAX:
            return True
        if self._is_waiting(base, kept):
            return False
        if self.L[base + TRUNC_END] >= 0 and self._distance(self.L[base + TRUNC_END], kept[0][0]) == 0:
            return True
        if self.L[base + ACKED] < 0 or self._distance(self.L[base + ACKED], kept[0][0]) < 0:
            return False
        return self.p_ts - self.L[base + HOLE_TS] > HOLE_US or self.L[base + AFTER_HOLE] > HOLE_SEGMENTS

    def _compare(self, base: int, at: int, have: int) -> None:
        """Bytes in order against those kept for the same place."""
        kept = self.pieces[self.p_row * 2 + self.p_lane]
        offset_of = _offset_from(self.L[base + NEXT])
        low, high = touching(kept, 0, have, offset_of)
        if low < high:
            flat = [(offset_of(piece), piece[1]) for piece in kept[low:high]]
            self.L[base + OVERLAP] += conflicts(flat, 0, self._packet_bytes(at, at + have))

    def _next_piece(self, base: int) -> bool:
        """Set up the next kept segment, if it is in order, or the hole before it is given up."""
        key = self.c_row * 2 + self.c_lane
        r = self.c_row * WIDTH
        kept = self.pieces[key]
        seq, data, ack, acks, ts, frame = kept[0]
        ahead = self._distance(seq, self.L[base + NEXT])
        early = self._is_early(base, ack, acks)
        if (ahead > 0 or early) and not self.c_force:
            self.L[base + HOLE_TS] = self.p_ts
            self.L[base + AFTER_HOLE] = 0
            if early:
                self._wait_for_other(key)
            return False
        self.c_force = self.end_row >= 0
        self.early.pop(key, None)
        kept.pop(0)
        self.pieces_bytes -= len(data) + OVERHEAD
        self.L[base + PIECE_BYTES] -= len(data)
        self.L[base + PIECES] = len(kept)
        if not kept:
            del self.pieces[key]
        if ahead > 0:
            self._give_up(r, base, ahead, ack, acks, ts)
            ahead = 0
        if ahead + len(data) <= 0:
            return True
        self.L[base + NEXT] = (seq + len(data)) & M32
        self._turn(base, ack, acks, max(ts, self.F[r + FIRST_TS]))  # not before the day that has begun meanwhile
        self.w = memoryview(data)
        self.w_other = True
        self.c_at, self.c_end, self.c_frame = -ahead, len(data), frame
        return True

    # ------------------------------------------------------------------ what comes before what it answers

    def _is_early(self, base: int, ack: int, acks: bool) -> bool:
        """Whether bytes of a lane begin a turn, and acknowledge what is missing of the other lane."""
        if not acks:
            return False
        if self.L[base + TURN_ACK] >= 0 and self._distance(ack, self.L[base + TURN_ACK]) <= 0:
            return False
        if self.L[base + MODE] == CLOSED or self.pieces_bytes > self.buffer_bytes >> 1:
            return False
        return self._is_missing(base ^ LANE_WIDTH, ack)

    def _is_missing(self, base: int, ack: int) -> bool:
        """Whether something of a lane was acknowledged that has not come, and may still: bytes, or its very first one.

        Of a lane that was heard a SYN is no byte, and a FIN neither.
        """
        r = self.L[base + OWNER] * WIDTH
        both = self.F[r + SEEN] == 3
        heard = self.L[base + NEXT] if self.L[base + NEXT] >= 0 else self.L[base + ISN]
        beyond = self._distance(ack, heard)
        if heard < 0 or beyond <= both or beyond > EARLY_BYTES:
            return False
        if self.L[base + TRUNC_END] >= 0 and self._distance(ack, self.L[base + TRUNC_END]) <= 1:
            return False
        if self.F[r + FLAGS] & (F_UNHEARD << 1 if base & LANE_WIDTH else F_UNHEARD):
            return False
        return both or self.patience > 0 or self.F[r + SERIAL] % PATIENCE_EACH == 0

    def _is_waiting(self, base: int, kept: list[Piece]) -> bool:
        """Whether the first segment kept has no hole before it: it waits for the other lane."""
        return self._distance(kept[0][0], self.L[base + NEXT]) <= 0

    def _wait_for_other(self, key: int) -> None:
        """From now on, if it does not wait already."""
        if key in self.early:
            return
        if not self.early:
            self.early_until = self.clock + EARLY_US
        self.early[key] = self.clock
        r = key // 2 * WIDTH
        if self.F[r + SEEN] != 3 and not self.F[r + FLAGS] & F_AWAITED:
            self.F[r + FLAGS] |= F_AWAITED
            self.patience = max(0, self.patience - 1)

    def _waits_in_vain(self, other: int, kept: list[Piece]) -> bool:
        """The packet under way lies behind what the first segment kept of the other lane waits for."""
        _, _, ack, acks, _, _ = kept[0]
        return self._is_waiting(other, kept) and acks and self._distance(self.p_seq, ack) >= 0

    def _go_over(self) -> bool:
        """From the lane under way to the other one, where what is kept of that has waited for it."""
        other = self.c_base ^ LANE_WIDTH
        if self.end_row >= 0 or not self.L[other + PIECES]:
            return False
        if not self._has_waited(other, self.pieces[self.c_row * 2 + 1 - self.c_lane]):
            return False
        self._resume(self.c_row, 1 - self.c_lane)
        return True

    def _has_waited(self, base: int, kept: list[Piece]) -> bool:
        """Whether what the first segment kept of a lane waited for has come."""
        _, _, ack, acks, _, _ = kept[0]
        return self._is_waiting(base, kept) and not self._is_early(base, ack, acks)

    def _resume(self, row: int, lane: int) -> int:
        """A lane has waited for the other one, and not in vain."""
        r = row * WIDTH
        if not self.c_lost:
            self.n[C_EARLY] += 1
        if self.F[r + FLAGS] & F_AWAITED:
            self.F[r + FLAGS] &= ~F_AWAITED
            self.patience = min(PATIENCE_MAX, self.patience + PATIENCE_MORE)
        return self._take_up(row, lane)

    # ------------------------------------------------------------------ holes

    def _give_up(self, r: int, base: int, ahead: int, ack: int, acks: bool, ts: int) -> None:
        """The hole stays a hole. Inside what is left out anyway that is no gap."""
        self.n[C_HOLES] += 1
        mode = self.L[base + MODE]
        if mode == SKIP:
            passed = min(ahead, self.L[base + LEFT])
            self.L[base + LEFT] -= passed
            self.F[r + SKIPPED] += passed
            ahead -= passed
            if self.L[base + LEFT] == 0:
                self.L[base + MODE] = READ
            if ahead == 0:
                return
        self.F[r + LOST] += ahead
        if mode == CLOSED or (mode in (DRAIN, OVER) and not self._is_new_turn(base, ack, acks, ts)):
            if mode == OVER:
                self.L[base + OVERRUN] += ahead
            return
        self.L[base + GAPSIZE] = ahead + self.L[base + OVERRUN]
        self.L[base + OVERRUN] = 0
        self.L[base + MODE] = READ
        self.L[base + LEFT] = 0

    def _drop_old_pieces(self, base: int) -> None:
        """Kept segments that lie before the lane's next byte are of no use any more."""
        key = self.p_row * 2 + self.p_lane
        kept = []
        for piece in self.pieces.get(key, ()):
            if self._distance((piece[0] + len(piece[1])) & 0xFFFFFFFF, self.L[base + NEXT]) > 0:
                kept.append(piece)
            else:
                self.pieces_bytes -= len(piece[1]) + OVERHEAD
                self.L[base + PIECE_BYTES] -= len(piece[1])
        if kept:
            self.pieces[key] = kept
        else:
            self.pieces.pop(key, None)
            self.early.pop(key, None)
        self.L[base + PIECES] = len(kept)

    def _drop_pieces_of(self, row: int, lane: int) -> None:
        base = self._base(row, lane)
        for piece in self.pieces.pop(row * 2 + lane, ()):
            self.pieces_bytes -= len(piece[1]) + OVERHEAD
        self.early.pop(row * 2 + lane, None)
        self.L[base + PIECES] = 0
        self.L[base + PIECE_BYTES] = 0


def _offset_from(origin: int) -> Callable[[Piece], int]:
    """Sort key: how far a kept segment lies behind `origin`, modulo 2^32."""

    def key(piece: Piece) -> int:
        return ((piece[0] - origin + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    return key
