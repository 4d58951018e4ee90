# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""What a lane is doing: modes, turns, budgets, and what of them is shed or wanted by nobody.

Theory of operation
-------------------
**A lane** knows the next sequence number (`NEXT`) and one of six modes:

    READ     bytes are delivered as soon as `WANT` of them are there
    SKIP     `LEFT` bytes are left out, by sequence number, across turns and loss
    SEARCH   bytes are left out until a mark of 1 to 4 bytes has passed
    DRAIN    the rest of this turn is left out on the dissector's word
    OVER     the rest of this turn is left out because its budget is used up: the next turn begins with a GAP
    CLOSED   nothing more is wanted

**Turns.** The first in-sequence payload byte whose segment acknowledges more of the other lane than the segment did
that began the previous turn begins a new one; so does one after `turn_idle_us` of silence. A one-sided mirror is no
hindrance: the seen lane's acknowledgements show the unseen lane speaking. A new turn has a fresh budget of
`head_bytes`, which a pending message raises up to `head_max`.

**Shedding.** A live worker that falls behind has less done (`shed`): of lanes that have spoken for long only a sample
of turns is read, heads are smaller, and at last some new conversations are passed over. A turn that is shed is one
whose budget is used up (OVER), so that what follows is told by a GAP. A shed turn wakes nobody. A lane that nobody
knows is looked at all the same.

**Listening.** Told what somebody may want (`listen`), the engine wakes Python only for lanes and datagrams that begin
so. Other lanes drain, and are looked at again in each turn, which costs next to nothing: so TLS is found that begins in
the midst of a protocol that nobody reads. A conversation that was told of, and that nobody knows, is given back
(`unlisten`). DAY and END come for flows that were told of.

Whoever takes bytes for a lane asks here first. Here no byte is taken, and no flow made.
"""

from __future__ import annotations

from collections.abc import Sequence

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

if not cython.compiled:
    from sensor.engine.layout import *
    from sensor.engine.rows import Rows


class Turns(Rows):
    """Of each lane, in which turn it is and how much of that is read. Settings are the engine's.

    Attributes:
        leads: values and masks that somebody may want, `tcp_leads` numbers for streams and the rest for datagrams.
        firsts: for each first byte, from which of them on there are any that begin with it; 0 where none does.
    """

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.head_bytes = self.head_max = self.turn_idle_us = 0
        self.shed_after, self.shed_flows = NEVER, 1
        self.listening = False
        self.leads = memoryview(bytearray(8)).cast("q")
        self.firsts = memoryview(bytearray(512))
        self.tcp_leads = self.all_leads = 0

    @cython.boundscheck(False)
    def _init_lane(self, base: int, row: int) -> int:
        if base < 0 or base + LANE_WIDTH > self.L.shape[0]:
            return self._beyond()
        for column in range(base, base + LANE_WIDTH):
            self.L[column] = 0
        self.L[base + NEXT] = self.L[base + TURN_ACK] = self.L[base + ACKED] = self.L[base + FINSEQ] = -1
        self.L[base + ISN] = self.L[base + STRAY] = self.L[base + TRUNC_END] = -1
        self.L[base + WANT] = 1
        self.L[base + LIMIT] = self.head_bytes
        self.L[base + OWNER] = row
        return 0

    def _leave(self, base: int, mode: int) -> int:
        self.L[base + MODE] = mode
        self.L[base + WANT] = 1
        self.L[base + LEFT] = 0
        return 0

    # ------------------------------------------------------------------ turns and budgets

    def _is_new_turn(self, base: int, ack: int, acks: bool, ts: int) -> bool:
        if self.L[base + TURN] == 0:
            return True
        if acks and (self.L[base + TURN_ACK] < 0 or self._distance(ack, self.L[base + TURN_ACK]) > 0):
            return True
        return ts - self.L[base + DATA_TS] > self.turn_idle_us

    def _turn(self, base: int, ack: int, acks: bool, ts: int) -> int:
        """In-sequence payload arrives: if it begins a turn, the lane has a fresh budget."""
        if self._is_new_turn(base, ack, acks, ts):
            self.L[base + TURN] += 1
            self.L[base + TURN_ACK] = ack if acks else -1
            self._fresh_head(base)
            self.L[base + HEADS] = 0
            if self._is_shed(self.L[base + TURN]):
                self._shed_turn(base)
            elif self.L[base + MODE] == DRAIN:
                self.L[base + MODE] = READ
            elif self.L[base + MODE] == OVER:
                self.L[base + MODE] = READ
                self.L[base + WANT] = 1
                self.L[base + GAPSIZE] = max(1, self.L[base + GAPSIZE] + self.L[base + OVERRUN])
                self.L[base + OVERRUN] = 0
        self.L[base + DATA_TS] = ts
        return 0

    def _fresh_head(self, base: int) -> int:
        """A new budget. What is held of a message that began before counts, and the message may be read to its end."""
        pending = self.L[base + WANT] if self.L[base + HELD] else 0
        carried = self.L[base + LIMIT] - self.L[base + USED]
        raised = self.L[base + LIMIT] > self.head_bytes
        self.L[base + USED] = self.L[base + HELD]
        self.L[base + LIMIT] = self.head_bytes
        self._raise(base, pending)
        if raised:
            self._raise(base, self.L[base + USED] + carried)
        return 0

    def _raise(self, base: int, needed: int) -> int:
        self.L[base + LIMIT] = max(self.L[base + LIMIT], min(needed, self.head_max))
        return 0

    # ------------------------------------------------------------------ shedding load

    def shed(self, after: int | None, head_bytes: int, head_max: int, flows: int) -> None:
        """Do less: from the next turn on, all of a lane behind its first `after` turns is left out but for a sample.

        `head_bytes` and `head_max` are as for a new engine. Of the conversations that begin, one in `flows` is read.
        `after` of None: nothing is shed. A lane that was left out goes on with a GAP, a conversation that was passed
        over too.
        """
        if head_bytes < 1 or head_max < head_bytes or flows < 1:
            raise ValueError("head_bytes >= 1, head_max >= head_bytes and flows >= 1 are needed")
        self.shed_after = NEVER if after is None else max(0, min(after, NEVER))
        self.head_bytes, self.head_max, self.shed_flows = head_bytes, head_max, flows

    def _shed_turn(self, base: int) -> int:
        """Leave the turn out as if its budget were used up. A message half read, or half left out, goes on.

        To look at the first bytes of a lane that nobody knows is no load, and leaving them out no gap: it is looked at.
        """
        mode = self.L[base + MODE]
        unknown = self._is_unknown(self.L[base + OWNER] * WIDTH)
        if mode == DRAIN and unknown:
            self.L[base + MODE] = READ
        elif not unknown and (mode == DRAIN or (mode == READ and self.L[base + HELD] == 0)):
            self.L[base + MODE] = OVER
            self.L[base + OVERRUN] = 0
        if self.L[base + MODE] == OVER:
            self.n[C_SHED_TURNS] += 1
        return 0

    def _shed_flow(self, row: int) -> int:
        """Pass a new conversation over: its lanes stand where those of a long one do."""
        self.n[C_SHED_FLOWS] += 1
        for lane in range(2):
            if self.p_proto == 17:
                self.F[row * WIDTH + TURN0 + lane] = self.shed_after
            else:
                base = self._base(row, lane)
                self.L[base + MODE] = OVER
                self.L[base + TURN] = self.shed_after
        return 0

    # ------------------------------------------------------------------ what somebody may want

    def listen(self, tcp: Sequence[tuple[bytes, bytes]], udp: Sequence[tuple[bytes, bytes]]) -> None:
        """Tell only of flows that somebody may want, and fold all of them into days.

        `tcp` and `udp` are values and masks, bytes of equal length, of which eight count: with what any dissector takes
        a lane or datagram begins. Other lanes are looked at again in each turn. DAY and END come for flows that were
        told of.
        """
        words = []
        for value, mask in (*tcp, *udp):
            if len(value) != len(mask):
                raise ValueError("value and mask of equal length are needed")
            for at in (0, 4):
                words += [int.from_bytes(part[at : at + 4].ljust(4, b"\0"), "big") for part in (value, mask)]
        self.firsts = memoryview(_firsts(tcp) + _firsts(udp))
        self.leads = memoryview(bytearray(8 * max(1, len(words)))).cast("q")
        for number, word in enumerate(words):
            self.leads[number] = word
        self.tcp_leads = 4 * len(tcp)
        self.all_leads = len(words)
        self.listening = True

    def _is_lead(self, lead: int, last: int, at: int, end: int, stream: bool) -> bool:
        """Whether the bytes there, as far as they go, are a lead's. Mostly the first one says that they are not."""
        if at < end:
            place = self.firsts[self.w[at] if stream else 256 + self.mem[at]]
            if place == 0:
                return False
            lead += 4 * (place - 1)
        first = self._word(at, end, stream)
        second = self._word(at + 4, end, stream)
        known = M32 ^ (M32 >> 8 * min(4, end - at))
        further = M32 ^ (M32 >> 8 * max(0, min(4, end - at - 4)))
        while lead < last:
            if ((first ^ self.leads[lead]) & self.leads[lead + 1] & known) == 0 and (
                (second ^ self.leads[lead + 2]) & self.leads[lead + 3] & further
            ) == 0:
                return True
            lead += 4
        return False

    def _word(self, at: int, end: int, stream: bool) -> int:
        """Four bytes, of the lane under way or of the packet; 0 for those beyond its end."""
        word = 0
        for number in range(at, at + 4):
            word = word << 8
            if number < end:
                word |= self.w[number] if stream else self.mem[number]
        return word

    # ------------------------------------------------------------------ the compiler has these from turns.pxd

    if not cython.compiled:

        def _is_shed(self, turn: int) -> bool:
            """A turn behind the first ones, and none of the sample."""
            return turn > self.shed_after and turn % SHED_EACH != 0

        def _is_unknown(self, r: int) -> bool:
            """Nobody was told of this conversation, or whoever was does not know it: its leads are looked at."""
            return not self.F[r + LABEL] & TOLD or self.F[r + UNWANTED] != 0


def _firsts(leads: Sequence[tuple[bytes, bytes]]) -> bytearray:
    """For each first byte, the place of the first of these that begins with it, counted from 1; 0 where none does.

    Places beyond what a byte holds count as the last that it does: whoever looks from there on misses none.
    """
    found = bytearray(256)
    for place, (value, mask) in reversed(list(enumerate(leads, 1))):
        for byte in value[:1] if mask[:1] == b"\xff" else range(256):
            if not mask or (byte ^ value[0]) & mask[0] == 0:
                found[byte] = min(place, 255)
    return found
