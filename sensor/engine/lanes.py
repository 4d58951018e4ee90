# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""What becomes of a lane's bytes: what dissectors say of it, and how that is done with the bytes under way.

Theory of operation
-------------------
A dissector says what it wants of a lane (`want`), or what is to be left out (`skip`, `skip_until`, `next_turn`,
`close_lane`, `done`). That sets the lane's mode (see `turns`), and `_consume` does what the mode says with the bytes
under way until some of them are delivered: so what was said takes effect before the next byte is copied.

The state machine hands bytes in order over to here; who takes events says what is next.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

if not cython.compiled:
    from sensor.engine.layout import *
    from sensor.engine.pieces import Pieces


class Lanes(Pieces):
    """Reads lanes. Behind marks in one turn, `sample_after` heads are read, and then each `sample_each`th."""

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.sample_after = self.sample_each = 1

    # ------------------------------------------------------------------ what the dissector says

    def want(self, row: int, lane: int, n: int, message: int) -> None:
        """Wake when `n` undelivered bytes are there; `message` bytes are still to come of the message being read."""
        base = self._lane(row, lane)
        if base >= 0 and self.L[base + MODE] != CLOSED:
            self.L[base + WANT] = max(1, min(n, self.head_max + 1))
            used = self.L[base + USED] - self.L[base + HELD]
            if used < self.head_bytes + HEADER_SLACK:
                self._raise(base, used + max(0, min(max(n, message), self.head_max)))
            if self.L[base + HELD] >= self.L[base + WANT]:
                self.ready.append((row, lane))

    def skip(self, row: int, lane: int, n: int) -> None:
        """Leave out exactly `n` bytes by sequence number, across turns and across loss."""
        base = self._lane(row, lane)
        if self._is_lost(base):
            return
        left = max(0, min(n, 1 << 60))
        dropped = min(left, self.L[base + HELD])
        if dropped:
            self.F[row * WIDTH + SKIPPED] += dropped
            self._trim_held(row, lane, dropped)
        self._leave(base, SKIP if left > dropped else READ)
        self.L[base + LEFT] = left - dropped

    def skip_until(self, row: int, lane: int, mark: bytes, limit: int) -> None:
        """Leave out everything up to and including `mark`, 1 to 4 bytes; past `limit` bytes the rest of the turn."""
        if not 1 <= len(mark) <= 4:
            raise ValueError("a mark has 1 to 4 bytes")
        base = self._lane(row, lane)
        if self._is_lost(base):
            return
        key = row * 2 + (lane ^ self.F[row * WIDTH + INIT])
        there = bytes(self.held.get(key, b""))
        self._leave(base, SEARCH)
        self.L[base + MARK] = int.from_bytes(mark, "big")
        self.L[base + MARKLEN] = len(mark)
        self.L[base + SEARCH_LIMIT] = self.L[base + LEFT] = max(1, min(limit, 1 << 60))
        self.L[base + ROLL] = 0
        self.L[base + ROLLED] = 0
        if there:
            self._search_held(row, lane, there, mark)

    def _search_held(self, row: int, lane: int, there: bytes, mark: bytes) -> None:
        """The mark may be in what is held already; else what is held counts as searched."""
        base = self._lane(row, lane)
        found = there.find(mark, 0, self.L[base + LEFT])
        passed = len(there) if found < 0 else found + len(mark)
        self.F[row * WIDTH + SKIPPED] += passed
        if found >= 0:
            self._found_mark(base)
            self._trim_held(row, lane, passed)
            return
        self._drop_held(row, lane)
        self.L[base + ROLL] = int.from_bytes(there[max(0, passed - 4) :], "big")
        self.L[base + ROLLED] = passed
        self.L[base + LEFT] -= passed
        if self.L[base + LEFT] <= 0:
            self.L[base + MODE] = OVER

    def next_turn(self, row: int, lane: int) -> None:
        """Leave out the rest of this turn; DATA goes on with the first byte of the next."""
        base = self._lane(row, lane)
        if base < 0 or self.L[base + MODE] == CLOSED:
            return
        self.F[row * WIDTH + SKIPPED] += self.L[base + HELD]
        self._drop_held(row, lane)
        self._leave(base, DRAIN)
        self.L[base + OVERRUN] = 0

    def _is_lost(self, base: int) -> bool:
        """The lane is closed, or over its budget: then nobody knows where in the stream it is, until its GAP."""
        return base < 0 or self.L[base + MODE] == CLOSED or self.L[base + MODE] == OVER

    def done(self, row: int) -> None:
        """Shunt the flow: it is counted and never copied again."""
        self._done(row)

    def _done(self, row: int) -> int:
        r = self._row(row)
        self.close_lane(row, 0)
        self.close_lane(row, 1)
        self.F[r + FLAGS] |= F_SHUNTED
        if self.F[r + STATE] == LIVE and self.F[r + LIST] != L_SHUNTED:
            self._unlink(row)
            self._link(row, L_SHUNTED)
        return 0

    def unlisten(self, row: int) -> None:
        """Nobody knows what this conversation is: from here on it is looked at as those are that nobody was told of.

        The rest of both turns is left out; a turn that begins as somebody may want is DATA again. DAY and END still
        come.
        """
        r = self._row(row)
        if self.listening and self.F[r + KREST] & 0xFF == 6:
            self.F[r + UNWANTED] = 1
            self.next_turn(row, 0)
            self.next_turn(row, 1)

    def close_lane(self, row: int, lane: int) -> None:
        """Nothing more of this lane is wanted."""
        base = self._lane(row, lane)
        if base >= 0:
            self._close_lane(row, lane ^ self.F[row * WIDTH + INIT], base)
        else:
            self.F[row * WIDTH + TURN0 + (lane ^ self.F[row * WIDTH + INIT])] = -1

    def _close_lane(self, row: int, lane: int, base: int) -> int:
        if self.L[base + HELD]:
            self._drop_held_of(row, lane, base)
        if self.L[base + PIECES]:
            self._drop_pieces_of(row, lane)
        return self._leave(base, CLOSED)

    # ------------------------------------------------------------------ bytes

    def _consume(self) -> int:
        """Let the lane's mode decide about the bytes under way, and about kept segments that follow them."""
        base = self.c_base
        while True:
            if self.L[base + GAPSIZE]:
                return self._gap(base)
            if self.c_at >= self.c_end:
                if self.L[base + PIECES] and self._next_piece(base):
                    continue
                if not self._go_over():
                    self.c_row = -1
                    return 0
                base = self.c_base
                continue
            mode = self.L[base + MODE]
            event = 0
            if mode == READ:
                event = self._read(base)
            elif mode == SKIP:
                self._skip_bytes(base)
            elif mode == SEARCH:
                self._search(base)
            else:
                self._leave_out(base)
            if event:
                return event

    def _gap(self, base: int) -> int:
        # the beginning of a message that waited for its rest is missing too
        self.size = self.L[base + GAPSIZE] + self.L[base + HELD]
        self.F[self.c_row * WIDTH + LEFT_OUT] += self.L[base + HELD]
        self._drop_held_of(self.c_row, self.c_lane, base)
        self.L[base + GAPSIZE] = 0
        self.L[base + WANT] = 1
        self.F[self.c_row * WIDTH + FLAGS] |= F_GAP
        self.turn = self.L[base + TURN]
        if self._is_unknown(self.c_row * WIDTH):
            return 0
        self.L[base + DATA_FRAME] = self.c_frame
        return self._event_of(GAP, self.c_row, self.c_lane, base)

    def _read(self, base: int) -> int:
        """Deliver, or hold until enough is there; past the turn's budget leave the rest of it out."""
        if self._is_unknown(self.c_row * WIDTH) and not self._is_wanted(base):
            return 0
        room = self.L[base + LIMIT] - self.L[base + USED]
        if room <= 0:
            self.L[base + OVERRUN] = self.L[base + HELD]
            self.F[self.c_row * WIDTH + LEFT_OUT] += self.L[base + HELD]
            self._drop_held_of(self.c_row, self.c_lane, base)
            self.L[base + MODE] = OVER
            return 0
        n = min(self.c_end - self.c_at, room)
        at = self.c_at
        self.c_at += n
        self.L[base + USED] += n
        self.L[base + DATA_FRAME] = self.c_frame
        self.F[self.c_row * WIDTH + COPIED] += n
        self.n[C_COPIED] += n
        if self.L[base + HELD] == 0 and n >= self.L[base + WANT]:
            self.payload = self._lane_bytes(at, at + n)
            return self._data(self.c_row, self.c_lane, base)
        if self._hold(base, at, n) and self.L[base + HELD] >= self.L[base + WANT]:
            return self._deliver_held(self.c_row, self.c_lane, base)
        return 0

    def _is_wanted(self, base: int) -> bool:
        """Whether anybody may want a lane that nobody has wanted so far; if not, its turn is left out."""
        at = self.c_at
        if self._is_lead(0, self.tcp_leads, at, self.c_end, True):
            self.F[self.c_row * WIDTH + UNWANTED] = 0
            return True
        self._leave(base, DRAIN)
        self.L[base + OVERRUN] = 0
        return False

    def _skip_bytes(self, base: int) -> int:
        n = min(self.c_end - self.c_at, self.L[base + LEFT])
        self.c_at += n
        self.L[base + LEFT] -= n
        self.F[self.c_row * WIDTH + SKIPPED] += n
        if self.L[base + LEFT] == 0:
            self.L[base + MODE] = READ
        return 0

    def _search(self, base: int) -> int:
        """Roll over the bytes until the last ones are the mark."""
        r = self.c_row * WIDTH
        start = self.c_at
        roll = self.L[base + ROLL]
        rolled = self.L[base + ROLLED]
        mark = self.L[base + MARK]
        length = self.L[base + MARKLEN]
        mask = M32 >> 32 - 8 * length
        stop = min(self.c_end, start + self.L[base + LEFT])
        found = False
        while self.c_at < stop and not found:
            roll = (roll << 8 | self.w[self.c_at]) & M32
            rolled += 1
            self.c_at += 1
            found = rolled >= length and roll & mask == mark
        self.L[base + ROLL], self.L[base + ROLLED] = roll, rolled
        self.L[base + LEFT] -= self.c_at - start
        self.F[r + SKIPPED] += self.c_at - start
        if found:
            self._found_mark(base)
        elif self.L[base + LEFT] <= 0:
            self.L[base + MODE] = OVER
        return 0

    def _found_mark(self, base: int) -> int:
        """A fresh head begins; after very many in one turn only each so many-th."""
        self.L[base + HEADS] += 1
        self.L[base + ROLLED] = 0
        heads = self.L[base + HEADS]
        if heads <= self.sample_after or heads % self.sample_each == 0:
            self.L[base + MODE] = READ
            self.L[base + USED] = 0
            self.L[base + LIMIT] = self.head_bytes
        else:
            self.L[base + LEFT] = self.L[base + SEARCH_LIMIT]
        return 0

    def _leave_out(self, base: int) -> int:
        r = self.c_row * WIDTH
        n = self.c_end - self.c_at
        self.c_at = self.c_end
        if self.L[base + MODE] == OVER:
            self.L[base + OVERRUN] += n
            self.F[r + LEFT_OUT] += n
        else:
            self.F[r + SKIPPED] += n
        return 0

    # ------------------------------------------------------------------ what is delivered

    def take(self) -> bytes:
        """The bytes of the DATA or DATAGRAM that `step` has just returned."""
        return self.payload

    def _data(self, row: int, lane: int, base: int) -> int:
        self.size = len(self.payload)
        self.turn = self.L[base + TURN]
        self.L[base + WANT] = 1
        return self._event_of(DATA, row, lane, base)

    def _event_of(self, kind: int, row: int, lane: int, base: int) -> int:
        """Bytes are told with the time and the frame that they came with, which need not be those of the packet."""
        self._event(kind, row, lane)
        self.ts_us, self.frame = self.L[base + DATA_TS], self.L[base + DATA_FRAME]
        return kind

    def _deliver_held(self, row: int, lane: int, base: int) -> int:
        buffer = self.held.pop(row * 2 + lane)
        self.held_bytes -= len(buffer) + OVERHEAD
        self.L[base + HELD] = 0
        self.payload = bytes(buffer)
        return self._data(row, lane, base)

    def _deliver_ready(self) -> int:
        """A lane whose dissector now wants less than is held for it."""
        row, lane = self.ready.pop()
        base = self._lane(row, lane)
        if self.L[base + HELD] == 0 or self.L[base + HELD] < self.L[base + WANT] or self.L[base + MODE] != READ:
            return 0
        return self._deliver_held(row, lane ^ self.F[row * WIDTH + INIT], base)
