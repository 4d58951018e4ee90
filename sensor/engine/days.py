# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""What flows were, folded; and who held which address.

Theory of operation
-------------------
The engine comes here when a flow ends, or its UTC day does: once for each flow and day, with plain numbers. Three
tables of 64-bit numbers keep them:

    ENDS   a MAC and an IP address in a scope: once, however many conversations it is an end of
    DAYS   what all flows between two ends were on a day, of one service, label and segment: times, counts and sums
    HELD   an interval in which an end was seen, so its MAC address held its IP address

Days and intervals name ends by their numbers, so that what is said of an end (its texts) can be made once. Ends and
days are found through chains that begin at a keyed hash: who chooses addresses does not choose chains.

`take` gives the tables away and begins new ones. Nothing is copied, and nothing cleared: the memory of a table exists
as far as it was touched, and goes with whoever took it. `full` says that the tables want to be taken; there is room for
what the engine may still add before its caller hears of that. A flow beyond that is lost, and counted.
"""

from __future__ import annotations

from typing import Final

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.pages import numbers

# The columns. `rest` is scope (16 bits), family (8), and nothing (8); an IP address is four words, IPv4 has the last of
# them; a MAC address that is not known is -1. A day's `initiator` and `responder`, and `end`, are rows of `ENDS`; frame
# and `initiator_port` are those of the first flow. Chains, an end's `latest` interval and the one `before` an interval
# are rows counted from 1.
ENDS: Final[tuple[str, ...]] = ("rest", "mac", "ip0", "ip1", "ip2", "ip3", "chain", "latest")
DAYS: Final[tuple[str, ...]] = (
    *("day", "initiator", "responder", "transport", "port", "label", "segment", "chain"),
    *("first_ts", "last_ts", "frame", "initiator_port", "n", "hours"),
    *("packets", "initiator_bytes", "responder_bytes", "copied_bytes", "skipped_bytes", "left_out_bytes", "lost_bytes"),
    *("midstream_count", "one_sided_count", "gap_count", "unanswered_count", "truncated_count", "duplicate_count"),
)
HELD: Final[tuple[str, ...]] = ("end", "first_ts", "last_ts", "n", "before")

# Constants. The compiler has them from days.pxd, so that they are constants in C too.
if not cython.compiled:
    E_REST = 0
    E_MAC = 1
    E_IP = 2
    E_CHAIN = 6
    E_LATEST = 7
    E_WIDTH = 8
    D_DAY = 0
    D_INITIATOR = 1
    D_RESPONDER = 2
    D_TRANSPORT = 3
    D_PORT = 4
    D_LABEL = 5
    D_SEGMENT = 6
    D_CHAIN = 7
    D_FIRST = 8
    D_LAST = 9
    D_FRAME = 10
    D_INITIATOR_PORT = 11
    D_N = 12
    D_HOURS = 13
    D_SUMS = 14
    D_COUNTS = 21
    D_WIDTH = 27
    H_END = 0
    H_FIRST = 1
    H_LAST = 2
    H_N = 3
    H_BEFORE = 4
    H_WIDTH = 5
    DAYS_MAX = 65_536
    SLACK = 8
    DAY_BUCKETS = 65_536
    END_BUCKETS = 131_072
    M62 = 0x3FFFFFFFFFFFFFFF
    DAY_US = 86_400_000_000
    HOUR_US = 3_600_000_000
    JOIN_US = 900_000_000


class Folded:
    """Days and intervals, until they are taken.

    Args:
        keys: secret factors of what rows are found by, see `Batch`.

    Attributes:
        full: the tables want to be taken.
        lost: flows for which there was no room.
    """

    def __init__(self, keys: memoryview) -> None:
        self.keys = keys
        self.odd = keys[6] | 1
        self.lost = 0
        self._begin()

    def _begin(self) -> None:
        self.ends = numbers(2 * (DAYS_MAX + SLACK) * E_WIDTH)
        self.days = numbers((DAYS_MAX + SLACK) * D_WIDTH)
        self.held = numbers((DAYS_MAX + SLACK) * H_WIDTH, sparse=True)
        self.end_heads = numbers(END_BUCKETS, sparse=True)
        self.day_heads = numbers(DAY_BUCKETS, sparse=True)
        self.end_count = self.day_count = self.held_count = 0
        self.full = False

    def row_count(self) -> int:
        """How many rows of `DAYS` and `HELD` there are."""
        return self.day_count + self.held_count

    def take(self) -> tuple[memoryview, memoryview, memoryview]:
        """What was folded since the last call: the rows of `DAYS`, `HELD` and `ENDS`, one after the other."""
        taken = (
            memoryview(self.days)[: self.day_count * D_WIDTH],
            memoryview(self.held)[: self.held_count * H_WIDTH],
            memoryview(self.ends)[: self.end_count * E_WIDTH],
        )
        self._begin()
        return taken

    def admits(self) -> bool:
        """Whether there is room for another flow; if not, it is lost, which is nobody's doing but a caller's."""
        if self.day_count < DAYS_MAX + SLACK and self.held_count < DAYS_MAX + SLACK - 1:
            return True
        self.lost += 1
        return False

    # ------------------------------------------------------------------ ends

    def end(self, rest: int, mac: int, ip0: int, ip1: int, ip2: int, ip3: int) -> int:
        """The number of an end; a new one where there was none."""
        total = self.keys[0] * mac + self.keys[1] * rest + self.keys[2] * ip3
        if rest & 0xFF00 == 0x0600:
            total += self.keys[3] * ip0 + self.keys[4] * ip1 + self.keys[5] * ip2
        bucket = self._spread(total) & (END_BUCKETS - 1)
        row = self.end_heads[bucket] - 1
        while row >= 0:
            at = row * E_WIDTH
            if (
                self.ends[at + E_IP + 3] == ip3
                and self.ends[at + E_MAC] == mac
                and self.ends[at + E_REST] == rest
                and self.ends[at + E_IP] == ip0
                and self.ends[at + E_IP + 1] == ip1
                and self.ends[at + E_IP + 2] == ip2
            ):
                return row
            row = self.ends[at + E_CHAIN] - 1
        row = self.end_count
        at = row * E_WIDTH
        self.ends[at + E_REST], self.ends[at + E_MAC] = rest, mac
        self.ends[at + E_IP], self.ends[at + E_IP + 1] = ip0, ip1
        self.ends[at + E_IP + 2], self.ends[at + E_IP + 3] = ip2, ip3
        self.ends[at + E_CHAIN] = self.end_heads[bucket]
        self.end_count = self.end_heads[bucket] = row + 1
        return row

    def hold(self, end: int, first: int, last: int) -> int:
        """The end was seen: its MAC address, if it has one, held its IP address meanwhile."""
        e = end * E_WIDTH
        if self.ends[e + E_MAC] < 0:
            return 0
        before = self.ends[e + E_LATEST]
        at = (before - 1) * H_WIDTH
        if before and first <= self.held[at + H_LAST] + JOIN_US and last >= self.held[at + H_FIRST] - JOIN_US:
            self.held[at + H_FIRST] = min(first, self.held[at + H_FIRST])
            self.held[at + H_LAST] = max(last, self.held[at + H_LAST])
            self.held[at + H_N] += 1
            return 0
        at = self.held_count * H_WIDTH
        self.held[at + H_END], self.held[at + H_N], self.held[at + H_BEFORE] = end, 1, before
        self.held[at + H_FIRST], self.held[at + H_LAST] = first, last
        self.held_count += 1
        self.ends[e + E_LATEST] = self.held_count
        self.full = self.full or self.held_count >= DAYS_MAX
        return 0

    # ------------------------------------------------------------------ days

    def day(self, day: int, initiator: int, responder: int, transport: int, port: int, label: int, segment: int) -> int:
        """The number of the row of a day's flows between two ends, to a port; a new one where there was none."""
        total = (
            self.keys[0] * (initiator << 20 | responder)
            + self.keys[1] * (segment << 24 | transport << 16 | port)
            + self.keys[2] * day
            + self.keys[3] * label
        )
        bucket = self._spread(total) & (DAY_BUCKETS - 1)
        row = self.day_heads[bucket] - 1
        while row >= 0:
            at = row * D_WIDTH
            if (
                self.days[at + D_INITIATOR] == initiator
                and self.days[at + D_RESPONDER] == responder
                and self.days[at + D_PORT] == port
                and self.days[at + D_LABEL] == label
                and self.days[at + D_DAY] == day
                and self.days[at + D_TRANSPORT] == transport
                and self.days[at + D_SEGMENT] == segment
            ):
                return row
            row = self.days[at + D_CHAIN] - 1
        row = self.day_count
        at = row * D_WIDTH
        self.days[at + D_DAY], self.days[at + D_INITIATOR], self.days[at + D_RESPONDER] = day, initiator, responder
        self.days[at + D_TRANSPORT], self.days[at + D_PORT] = transport, port
        self.days[at + D_LABEL], self.days[at + D_SEGMENT] = label, segment
        self.days[at + D_CHAIN] = self.day_heads[bucket]
        self.day_count = self.day_heads[bucket] = row + 1
        self.full = self.full or self.day_count >= DAYS_MAX
        return row

    def see(self, row: int, first: int, last: int, frame: int, initiator_port: int) -> int:
        """Another flow of a row of `DAYS`. The evidence is that of the first one."""
        at = row * D_WIDTH
        if first < self.days[at + D_FIRST] or self.days[at + D_N] == 0:
            self.days[at + D_FIRST], self.days[at + D_FRAME] = first, frame
            self.days[at + D_INITIATOR_PORT] = initiator_port
        self.days[at + D_LAST] = max(last, self.days[at + D_LAST])
        self.days[at + D_N] += 1
        self.days[at + D_HOURS] |= self._hours(first, last)
        return 0

    def carry(
        self, row: int, packets: int, initiator: int, responder: int, copied: int, skipped: int, left: int, lost: int
    ) -> int:
        """Packets and bytes of the flow."""
        at = row * D_WIDTH + D_SUMS
        self.days[at] += packets
        self.days[at + 1] += initiator
        self.days[at + 2] += responder
        self.days[at + 3] += copied
        self.days[at + 4] += skipped
        self.days[at + 5] += left
        self.days[at + 6] += lost
        return 0

    def mark(
        self, row: int, midstream: int, one_sided: int, gap: int, unanswered: int, truncated: int, duplicate: int
    ) -> int:
        """Whether the flow was whole: 0 or 1 each."""
        at = row * D_WIDTH + D_COUNTS
        self.days[at] += midstream
        self.days[at + 1] += one_sided
        self.days[at + 2] += gap
        self.days[at + 3] += unanswered
        self.days[at + 4] += truncated
        self.days[at + 5] += duplicate
        return 0

    def _hours(self, first: int, last: int) -> int:
        """A bit for each hour of the day from one time to another."""
        hour = first % DAY_US // HOUR_US
        beyond = last % DAY_US // HOUR_US + 1
        return (1 << max(hour + 1, beyond)) - (1 << hour)

    def _spread(self, total: int) -> int:
        """Numbers times their keys, with all of it in all bits; in 62, so that both ways of running it agree."""
        total = total & M62
        total = (total ^ total >> 31) * self.odd & M62
        return total ^ total >> 31
