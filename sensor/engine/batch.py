# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""Packets that were decoded, and wait in a batch for their flows; and which of them a mirror shows twice.

Theory of operation
-------------------
The rooms above decode a packet field by field into `p_...` (and its addresses into `s...` and `d...`). When it belongs
to a flow, `_to_route` makes a row of the batch of it, with a keyed hash of both ends, and asks for the memory in which
its flow is to be looked for: most of the time of small packets was waiting for memory.

**Duplicates.** A mirror of several ports, or of ingress and egress, shows a packet twice: on another VLAN, with another
TTL and other MAC addresses, or in another tunnel. A copy has the same flow, direction, IP ident, transport checksum
(which covers payload and TCP's time stamps), length, flags, sequence and acknowledgement numbers, and comes within
`DUPLICATE_US` of the first, in either direction of time. A sender that repeats itself uses a new ident. Where there is
none (IPv6, or 0) a checksum is needed and a millisecond is the limit, less than any retransmission timer, and pure
acknowledgements, which receivers do repeat, are left alone. Datagrams that are seen before a card has summed them up
(on the sender itself, on a virtual switch) have a checksum of addresses and length, which is finished here. A copy
taken wrongly costs no byte of a stream, as the first one was read. Copies are recognised batch by batch, in a small
table of two places to a packet, so that ones some thousand packets behind are not; TCP then takes them for
retransmissions.

**The scope** is that of the innermost tunnel that the site names, else of the inner VLAN, else of what is around.
"""

from __future__ import annotations

from hashlib import shake_128

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.pages import numbers
from sensor.engine.segments import Segments

if not cython.compiled:
    from sensor.engine._cy import PREFETCH
    from sensor.engine.layout import *
    from sensor.engine.window import Window


class Batch(Window):
    """The packet that is being decoded, and those that were.

    Args:
        rows: flows that there is room for.
        seed: the keys are made of it.

    Attributes:
        keys, odd: a secret factor for each column of the batch, and one more.
        batch: rows of `BATCH_WIDTH` numbers; `b_count` of them are there, `b_at` is the next one to be worked off, and
            of `b_known` it is known whether they are copies.
        ring: what went by a moment ago.
        heads: where chains of flows begin, `buckets` of them.
        segments: what is counted by segment and hour.
    """

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__()
        self.keys = memoryview(bytearray(shake_128(f"{seed}".encode()).digest(8 * BATCH_WIDTH))).cast("q")
        self.odd = self.keys[0] | 1
        self.batch = memoryview(bytearray(8 * BATCH * BATCH_WIDTH)).cast("q")
        self.ring = numbers(RING * 4)
        self.buckets = 1 << (rows - 1).bit_length()
        self.heads = numbers(self.buckets)
        self.segments = Segments()
        self.scopes = memoryview(bytearray(4096))
        self.b_at = self.b_count = self.b_known = 0
        self.p_whole = self.p_routed = self.p_named = False
        self.p_vlan = self.p_src_mac = self.p_dst_mac = -1
        self.p_end = self.p_said = self.p_layers = self.p_whole_at = self.p_around = self.p_inside = self.p_tunnel = (
            self.p_source
        ) = self.p_segment = 0
        self.p_family = self.p_proto = self.p_ident = self.p_sum = self.p_flags = self.p_seq = self.p_ack = (
            self.p_len
        ) = self.p_hash = 0
        self.s0 = self.s1 = self.s2 = self.s3 = self.d0 = self.d1 = self.d2 = self.d3 = 0

    def scope_of_vlan(self, table: bytes | bytearray | memoryview) -> None:
        """Scope numbers (0 to 255) of the 4096 VLAN ids."""
        table = bytes(table)
        if len(table) != 4096:
            raise ValueError("a table of 4096 scope numbers is needed")
        self.scopes = memoryview(bytearray(table))

    @cython.boundscheck(False)
    def _to_route(self, at: int, data: int, end: int, length: int) -> int:
        """A packet of a flow: it becomes a row of the batch, with its keys in the order in which flows keep them."""
        b = self.b_count * BATCH_WIDTH
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0] or at < 0 or at + 4 > self.mem.shape[0]:
            return self._beyond()
        sport = self._two(at)
        dport = self._two(at + 2)
        low = self._is_low(sport, dport)
        rest = self._scope() << 16 | self.p_family << 8 | self.p_proto
        mine = b + (B_K0 if low else B_K4)
        theirs = b + (B_K4 if low else B_K0)
        if self.p_family == 6:
            self.batch[mine], self.batch[mine + 1], self.batch[mine + 2] = self.s0, self.s1, self.s2
            self.batch[theirs], self.batch[theirs + 1], self.batch[theirs + 2] = self.d0, self.d1, self.d2
        self.batch[mine + 3], self.batch[theirs + 3] = self.s3, self.d3
        self.batch[b + B_PORTS] = sport << 16 | dport if low else dport << 16 | sport
        self.batch[b + B_REST] = rest
        self.batch[b + B_POSITION] = self.cursor
        self.batch[b + B_TS] = self.last_ts
        self.batch[b + B_FRAME] = self.frames
        self.batch[b + B_WHOLE] = 0
        self.batch[b + B_DATA] = data
        self.batch[b + B_L4_END] = end
        self.batch[b + B_LEN] = length
        self.batch[b + B_FLAGS] = self.p_flags
        self.batch[b + B_SEQ] = self.p_seq
        self.batch[b + B_ACK] = self.p_ack
        self.batch[b + B_SRC_MAC] = self.p_src_mac
        self.batch[b + B_DST_MAC] = self.p_dst_mac
        self.batch[b + B_LANE] = 1 - low
        self.p_len = length
        total = self._sum(b)
        found_by = self._spread(total)
        self.batch[b + B_HASH] = found_by
        self.batch[b + B_TRAITS] = self.p_inside
        self._describe(b, low, total)
        self.b_count += 1
        self.p_routed = True
        if cython.compiled:
            PREFETCH(cython.address(self.heads[found_by & (self.buckets - 1)]))
        return 0

    def _is_low(self, sport: int, dport: int) -> int:
        """1 if the sender's address and port are the lower ones: rows keep the lower endpoint first."""
        if self.p_family == 6:
            if self.s0 != self.d0:
                return self.s0 < self.d0
            if self.s1 != self.d1:
                return self.s1 < self.d1
            if self.s2 != self.d2:
                return self.s2 < self.d2
        if self.s3 != self.d3:
            return self.s3 < self.d3
        return sport <= dport

    def _scope(self) -> int:
        """Of the VLAN; in a tunnel that the site names, of the tunnel; in another, as around it if all is silent."""
        if self.p_named:
            return self.p_around
        scope = self.scopes[self.p_vlan] if self.p_vlan >= 0 else 0
        return scope or self.p_around

    # ------------------------------------------------------------------ keyed hashes

    @cython.boundscheck(False)
    def _sum(self, b: int) -> int:
        """Of what both directions of a flow have in common, each number times its key.

        Who does not know the keys cannot choose numbers whose sums are equal (multiply-shift hashing, Dietzfelbinger
        1996). What overflows in C is over the 62 bits that are kept, so both ways of running it agree.
        """
        total = (
            self.keys[B_K3] * self.batch[b + B_K3]
            + self.keys[B_K7] * self.batch[b + B_K7]
            + self.keys[B_PORTS] * self.batch[b + B_PORTS]
            + self.keys[B_REST] * self.batch[b + B_REST]
        )
        if self.p_family == 6:
            for word in range(B_K0, B_K3):
                total += self.keys[word] * self.batch[b + word] + self.keys[word + 4] * self.batch[b + word + 4]
        return total & M62

    def _spread(self, total: int) -> int:
        """A sum, with all of it in all bits: sums of numbers in a row are in a row too."""
        total = (total ^ total >> 31) * self.odd & M62
        return total ^ total >> 31

    def _secretly(self, ends: tuple[int, ...], ident: int) -> int:
        """A keyed sum: Python's own hash of numbers is the same everywhere, and whoever sends could make them meet."""
        total = self.keys[0] * ident
        for number, word in enumerate(ends, 1):
            total += self.keys[number] * word
        return total & M62

    # ------------------------------------------------------------------ what a mirror shows twice

    @cython.boundscheck(False)
    def _describe(self, b: int, low: int, total: int) -> int:
        """What a copy of this packet has in common with it; without an ident, closer than a sender repeats itself."""
        what = 0
        within = DUPLICATE_US if self.p_ident else UNNAMED_US
        if self.p_proto == 17 and self.p_ident == 0 and self.p_sum:
            self._sum_up(b)
        if self.p_ident or (self.p_sum and (self.p_len or self.p_flags & (TCP_FIN | TCP_SYN | TCP_RST))):
            total += (
                self.keys[B_WHAT] * (self.p_ident << 16 | self.p_sum)
                + self.keys[B_LEN] * ((self.p_len & M16) << 9 | low << 8 | self.p_flags)
                + self.keys[B_SEQ] * self.p_seq
                + self.keys[B_ACK] * self.p_ack
            )
            what = self._spread(total & M62)
            if cython.compiled:
                PREFETCH(cython.address(self.ring[(what & (RING - 1)) * 4]))
        else:
            within = -1
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        self.batch[b + B_WHAT], self.batch[b + B_WITHIN] = what, within
        return 0

    def _sum_up(self, b: int) -> int:
        """Finish a checksum that its sender has left to a card: so far it is of ends, protocol and length alone.

        RFC 768, RFC 8200 8.1; words may be summed up as well as their halves (RFC 1071).
        """
        length = 8 + self.p_len
        begun = self._folded(
            self.s0 + self.s1 + self.s2 + self.s3 + self.d0 + self.d1 + self.d2 + self.d3 + 17 + length
        )
        if begun != self.p_sum:
            return 0
        total = begun + self.batch[b + B_PORTS] + length
        at = self.batch[b + B_DATA]
        end = min(self.batch[b + B_L4_END], at + SUMMED_BYTES)
        while at + 4 <= end:
            total += self._be32(at)
            at += 4
        if at + 2 <= end:
            total += self._be16(at)
            at += 2
        if at < end:
            total += self.mem[at] << 8
        self.p_sum = (self._folded(total) ^ M16) or M16
        return 0

    def _folded(self, total: int) -> int:
        while total > M16:
            total = (total >> 16) + (total & M16)
        return total

    @cython.boundscheck(False)
    def _recognise(self, count: int) -> int:
        """Which of the first packets of the batch went by a moment ago: asked when their memory is there."""
        if count < 0 or count * BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        while self.b_known < count:
            b = self.b_known * BATCH_WIDTH
            self.b_known += 1
            if self.batch[b + B_WITHIN] >= 0 and self._is_copy(b):
                self.batch[b + B_TRAITS] |= TRAIT_DUPLICATE
                self.segments.count_copy(self.batch[b + B_SEGMENT])
        return 0

    @cython.boundscheck(False)
    def _is_copy(self, b: int) -> bool:
        """Two places for each packet, side by side, the newer first: the older goes. Each is a keyed hash, a time."""
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0] or self.ring.shape[0] < RING * 4:
            return self._beyond()
        what = self.batch[b + B_WHAT]
        ts = self.batch[b + B_TS]
        within = self.batch[b + B_WITHIN]
        at = (what & (RING - 1)) * 4
        if self.ring[at] == what:
            if -within <= ts - self.ring[at + 1] <= within:  # either clock may be ahead
                return True
        elif self.ring[at + 2] == what and -within <= ts - self.ring[at + 3] <= within:
            return True
        self.ring[at + 2], self.ring[at + 3] = self.ring[at], self.ring[at + 1]
        self.ring[at], self.ring[at + 1] = what, ts
        return False
