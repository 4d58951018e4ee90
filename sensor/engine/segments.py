# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False
# cython: cdivision=True, auto_pickle=False
"""What went over each segment, hour by hour.

Theory of operation
-------------------
A packet counts for its segment: the innermost VLAN, else the innermost tunnel, else none, of its interface. A segment's
number is a row of the table, which holds the hour under way; `taken` gives that out with the hours before:

    interface * SEGMENTS + 0            no VLAN and no tunnel
                         + 1 to 4096    VLAN 0 to 4095
                         + TUNNELS_FROM and up: tunnels, in the order in which they were seen
                         + SEGMENTS - 1: tunnels beyond what there is room for

Interfaces beyond what it has room for share the last place too, so neither a capture's header nor a forged tunnel makes
it grow. Times that go back and forth between hours could make very many rows: from `PAST_MAX` on an hour has no end
until somebody fetches what there is.
"""

from __future__ import annotations

from typing import Final, NoReturn

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.pages import numbers

if not cython.compiled:
    from sensor.engine.layout import *

# What is counted for a segment, in the order of its columns.
TRAFFIC: Final = ("packets", "bytes", "duplicates", "group_packets", "truncated")

# What identifies a tunnel, in the order of the constants T_...: VXLAN and Geneve network, GRE key, NVGRE subnet, ERSPAN
# session, 802.1ah service instance.
TUNNELS: Final = ("", "vni", "gre", "vsid", "erspan", "isid")


class Segments:
    """Counts of packets, by segment and hour.

    Attributes:
        hour_from, hour_to: times, in microseconds, between which `turn` is not needed.
    """

    def __init__(self) -> None:
        self.table = numbers(SOURCES * SEGMENTS * SEGMENT_WIDTH, sparse=True)
        self.touched: list[int] = []
        self.past: dict[tuple[int, int], list[int]] = {}
        self.names: dict[int, str] = {}
        self.places: dict[int, int] = {}
        self.place_keys: list[int] = []
        self.hour = self.hour_from = self.hour_to = 0

    def _touch(self, segment: int) -> int:
        """The first packet of an hour."""
        self.touched.append(segment)
        return 0

    def count_traits(self, segment: int, to_group: bool, truncated: bool) -> int:
        """The packet went to a group of receivers; not all of it was captured."""
        self.table[segment * SEGMENT_WIDTH + N_GROUP] += to_group
        self.table[segment * SEGMENT_WIDTH + N_TRUNCATED] += truncated
        return 0

    def count_copy(self, segment: int) -> int:
        """A packet of it went by twice."""
        self.table[segment * SEGMENT_WIDTH + N_DUPLICATES] += 1
        return 0

    def place(self, key: int) -> int:
        """Where a tunnel is counted; those beyond what there is room for share the last place."""
        found = self.places.get(key)
        if found is None:
            found = TUNNELS_FROM + len(self.places)
            if found >= SEGMENTS - 1:
                return SEGMENTS - 1
            self.places[key] = found
            self.place_keys.append(key)
        return found

    def turn(self, ts: int) -> int:
        """Another hour begins; or goes on without an end, when too much is there that nobody fetches."""
        self._settle()
        if len(self.past) >= PAST_MAX:
            self.hour_from, self.hour_to = 0, M62
            return 0
        self.hour = ts // HOUR_US
        self.hour_from = self.hour * HOUR_US
        self.hour_to = self.hour_from + HOUR_US
        return 0

    def _settle(self) -> None:
        """Put what was counted by."""
        for segment in self.touched:
            at = segment * SEGMENT_WIDTH
            counts = self.past.setdefault((segment, self.hour), [0] * len(TRAFFIC))
            for column in range(len(TRAFFIC)):
                counts[column] += self.table[at + column]
                self.table[at + column] = 0
        self.touched = []

    def taken(self) -> dict[tuple[str, str, int], tuple[int, ...]]:
        """{(interface, segment, hours since 1970): counts of `TRAFFIC`} since the last call."""
        self._settle()
        found = {(*self.name_of(segment), hour): tuple(counts) for (segment, hour), counts in self.past.items()}
        self.past = {}
        self.hour_from = self.hour_to = 0
        return found

    def _beyond(self) -> NoReturn:
        raise IndexError("no such segment")

    def name_of(self, segment: int) -> tuple[str, str]:
        """(interface, segment) of a segment's number."""
        source, place = divmod(segment, SEGMENTS)
        name = self.names.get(source, str(source) if source else "")
        if place == 0:
            return name, ""
        if place < TUNNELS_FROM:
            return name, f"vlan {place - 1}"
        if place == SEGMENTS - 1:
            return name, "other"
        key = self.place_keys[place - TUNNELS_FROM]
        return name, f"{TUNNELS[key >> 32]} {key & M32}" if key >> 32 else "tunnel"

    # ------------------------------------------------------------------ the compiler has this from segments.pxd

    if not cython.compiled:

        def count(self, segment: int, size: int) -> int:
            """A packet of so many bytes on the wire."""
            at = segment * SEGMENT_WIDTH
            if at < 0 or at + SEGMENT_WIDTH > self.table.shape[0]:
                self._beyond()
            self.table[at + N_BYTES] += size
            self.table[at] += 1
            return self._touch(segment) if self.table[at] == 1 else 0
