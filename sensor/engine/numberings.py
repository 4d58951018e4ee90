# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""Streams that a mirror shows on both sides of a firewall which numbers their bytes anew.

Theory of operation
-------------------
A firewall may add a secret to the sequence numbers of a connection, another one for each lane, so that nobody guesses
what a host's initial numbers will be. A mirror of what is before it and behind it shows each segment twice, and no copy
has the numbers of the first one. The lane keeps those in which it was heard first; `shifts` says how far the others are
from them, once that is known. From then on the numbers of each segment are brought to the lane's before anything is
asked of it, and a copy is what repeats bytes that are there. What only the copy has is read like any other bytes: who
pretends to be such a firewall hides nothing.

How far they are apart is told by a second SYN of a lane, soon after the first and before a byte (`_begins_in_others`).
Where the beginning was not seen it is told by two segments, one after the other, that were said before in other
numbers, equally far away (`_tell_apart`): a lane is watched when a segment comes from far away. Others that are less
than `BELIEVED_BYTES` away look like bytes that are missing then: a gap is told, and the lane goes on in those.

Whoever takes up a segment asks here for its numbers. Here no flow is made, and none ends.
"""

from __future__ import annotations

from collections import OrderedDict

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.pages import numbers

if not cython.compiled:
    from sensor.engine.layout import *
    from sensor.engine.turns import Turns


class Numberings(Turns):
    """Which numbers the bytes of a lane have on the other side of a firewall.

    Attributes:
        shifts: for each lane of each flow how far its other numbers are from its own, modulo 2^32; 0: it has none.
        watched: what was said a moment ago in streams that may have others: by twice the row and lane.
    """

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.shifts = numbers(2 * rows, sparse=True)
        self.watched: OrderedDict[int, Watched] = OrderedDict()

    # ------------------------------------------------------------------ numbers that are known

    def _renumber(self, row: int, lane: int) -> bool:
        """Bring the numbers of a segment to those of its lanes. Whether they were others."""
        shift = self.shifts[2 * row + lane]
        moved = shift != 0 and self._is_moved(row, lane, self.p_seq, shift)
        if moved:
            self.p_seq = (self.p_seq - shift) & M32
        other = self.shifts[2 * row + 1 - lane]
        if other != 0 and self.p_flags & TCP_ACK and self._is_moved(row, 1 - lane, self.p_ack, other):
            self.p_ack = (self.p_ack - other) & M32
            moved = moved or shift == 0
        return moved

    def _is_moved(self, row: int, lane: int, number: int, shift: int) -> bool:
        """Whether a number of a lane is one of its others: brought over it is near where the lane is, and nearer."""
        near = self._near(row, lane)
        if near < 0:
            return False
        there = self._distance((number - shift) & M32, near)
        here = self._distance(number, near)
        if there > BELIEVED_BYTES or there < -BELIEVED_BYTES:
            return False
        return abs(there) < abs(here)

    def _near(self, row: int, lane: int) -> int:
        """Where a lane is, or has ended. -1: not known."""
        if self.F[row * WIDTH + STATE] == LINGER:
            return self.F[row * WIDTH + ENDED0 + lane]
        return self.L[self.F[row * WIDTH + LANES] + lane * LANE_WIDTH + NEXT]

    # ------------------------------------------------------------------ numbers that are told apart

    def _begins_in_others(self, row: int, lane: int) -> bool:
        """Whether a SYN is that of this lane in other numbers: no host begins anew so soon, before anything is said."""
        r = row * WIDTH
        isn = self.L[self.F[r + LANES] + lane * LANE_WIDTH + ISN]
        shift = self.shifts[2 * row + lane]
        if isn < 0 or isn == self.p_seq or (shift != 0 and isn != (self.p_seq - shift) & M32):
            return False
        if shift == 0:
            since = self.p_ts - self.F[r + FIRST_TS]
            said = self.F[r + BY0] + self.F[r + BY1] != 0
            if said or self.F[r + PK0 + lane] > 2 or since > HANDSHAKE_US or since < -DUPLICATE_US:
                return False
            self._shift(row, lane, self.p_seq - isn)
        self.p_seq = isn
        return True

    def _shift(self, row: int, lane: int, by: int) -> int:
        self.shifts[2 * row + lane] = by & M32
        self.F[row * WIDTH + FLAGS] |= F_RENUMBERED
        self.n[C_RENUMBERED] += 1
        return 0

    def _forget_numbers(self, row: int) -> int:
        """Another flow has this row now."""
        flags = self.F[row * WIDTH + FLAGS]
        if flags & F_RENUMBERED:
            self.shifts[2 * row] = self.shifts[2 * row + 1] = 0
        if flags & F_WATCHED:
            self.watched.pop(2 * row, None)
            self.watched.pop(2 * row + 1, None)
        return 0

    def _tell_apart(self, row: int, lane: int, said: bytes) -> bool:
        """Whether a lane has said the same a moment ago in other numbers; after the second time they are known.

        A lane is watched for so many segments, and again when one comes from far away.
        """
        key = 2 * row + lane
        watched = self.watched.get(key)
        if watched is None:
            watched = self.watched[key] = Watched()
            self.F[row * WIDTH + FLAGS] |= F_WATCHED
            if len(self.watched) > WATCHED_MAX:
                self._unwatch(next(iter(self.watched)))
        twin = watched.twin(self.p_ts, self.p_seq, said)
        known = twin >= 0 and self._is_known_by(row, lane, watched, twin)
        if known or len(watched.heard) >= WATCHED_SEGMENTS:
            self._unwatch(key)
        return twin >= 0

    def _is_known_by(self, row: int, lane: int, watched: Watched, twin: int) -> bool:
        """Whether a lane's other numbers are known now that it has said the same here and where its twin is."""
        away = self._distance(self.p_seq, self._near(row, lane))
        is_own = -BELIEVED_BYTES <= away <= BELIEVED_BYTES
        before = watched.by
        watched.by = by = (twin - self.p_seq if is_own else self.p_seq - twin) & M32
        if by != before:
            return False
        self._shift(row, lane, by)
        base = self.F[row * WIDTH + LANES] + lane * LANE_WIDTH
        self._bring_over(row, lane, base + ACKED, by)
        self._bring_over(row, lane, (base ^ LANE_WIDTH) + TURN_ACK, by)
        return True

    def _bring_over(self, row: int, lane: int, at: int, by: int) -> int:
        """What was acknowledged of a lane before its other numbers were known; what is neither is as good as old."""
        near = self._near(row, lane)
        if self.L[at] >= 0 and self._is_moved(row, lane, self.L[at], by):
            self.L[at] = (self.L[at] - by) & M32
        elif self.L[at] >= 0 and not -BELIEVED_BYTES <= self._distance(self.L[at], near) <= BELIEVED_BYTES:
            self.L[at] = (near - BELIEVED_BYTES) & M32
        return 0

    def _unwatch(self, key: int) -> int:
        del self.watched[key]
        if key ^ 1 not in self.watched:
            self.F[(key >> 1) * WIDTH + FLAGS] &= ~F_WATCHED
        return 0


class Watched:
    """What a lane said a moment ago.

    Attributes:
        heard: when, at which number, and a hash of it.
        by: how far away the same was said the last time; -1: never.
    """

    __slots__ = ("by", "heard")

    def __init__(self) -> None:
        self.heard: list[tuple[int, int, int]] = []
        self.by = -1

    def twin(self, ts_us: int, seq: int, said: bytes) -> int:
        """Where the same was said far from here; -1: nowhere, or nobody can tell."""
        what = hash(said)
        twins = {
            number
            for ts, number, other in self.heard
            if other == what and abs(ts_us - ts) <= DUPLICATE_US and not _is_near(seq, number)
        }
        self.heard.append((ts_us, seq, what))
        return twins.pop() if len(twins) == 1 else -1


def _is_near(one: int, other: int) -> bool:
    return (one - other + BELIEVED_BYTES) & M32 <= 2 * BELIEVED_BYTES
