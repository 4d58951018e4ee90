# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
# cython: infer_types=True, auto_pickle=False
"""Blocks of pcapng: sections, interfaces and their clocks, packets. Those of several interfaces are put in order.

Theory of operation
-------------------
**Several interfaces.** Who writes what two of them hear writes it in pieces: some 100 ms of the one, then of the other,
of a tap's two directions all questions, then all answers. So packets wait (`waiting`), in a row for each interface,
while blocks after them are looked at (`scout`), until those go `AHEAD_BYTES` beyond the oldest that waits; then the one
goes on whose time is the least. Its number stays the one it has in the file. Times that are farther than `APART_US`
apart are of clocks that differ, and say nothing: there the file's order stands, as it does within each interface.
Packets without a time, or of a clock that is coarser than `FINE_UNITS` to the second, stay behind the one before them.

What is looked at, and what goes on, depends on the file alone, not on where its windows end.
"""

from __future__ import annotations

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

if not cython.compiled:
    from sensor.engine.layout import *
    from sensor.engine.links import Links


class Blocks(Links):
    """Where the next packet of a pcapng file is.

    Attributes:
        interfaces: of the section; of each its link type, units of time to the second, and seconds to add.
        several: there is more than one; packets wait for one another.
        is_last: nothing comes after the window.
        scout: the next block to be looked at; `scouted` packets came before it, the last of them at `scouted_ts`.
        oldest: where the oldest packet is that waits.
    """

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(rows, seed)
        self.interfaces: list[tuple[int, int, int]] = []
        self.in_section = self.several = False
        self.is_last = True
        self.position = self.needed = 0
        self.scout = self.scouted = self.scouted_ts = self.oldest = self.waiting = self.spare = 0
        self.pool = self.queues = memoryview(bytearray(8)).cast("q")

    def pcapng(self) -> None:
        """Blocks of a pcapng file follow, a Section Header Block first."""
        self.kind = K_PCAPNG
        self.interfaces = []
        self.in_section = self.several = False

    def _need(self, count: int) -> int:
        self.needed = count
        return -1

    def _stamp(self, ts: int) -> int:
        if ts < self.last_ts:
            self._count_backwards(ts)
        self.last_ts = ts
        self.frames += 1
        return 0

    def _count_backwards(self, ts: int) -> int:
        self.n[C_BACKWARDS] += 1
        if self.last_ts - ts > JUMP_US:
            self.n[C_JUMPS] += 1
        return 0

    # ------------------------------------------------------------------ blocks

    def _fetch_block(self) -> int:
        """A block of a pcapng file: type, total length, body, total length again."""
        if self.several:
            return self._fetch_in_order()
        at = self.cursor
        total = self._look(at)
        if total < 12:
            return CORRUPT if total == AMISS else -1
        self.cursor = at + total
        return self._take(at, total)

    def _look(self, at: int) -> int:
        """The size, 12 or more, of a block that is whole and makes sense. -1: it is not whole; AMISS: it makes none."""
        if self.window_end - at < 12:
            return self._need(12)
        kind = self._file32(at)
        if kind == SECTION:
            self.in_section = self._section(at)
        total = self._file32(at + 4)
        if not self.in_section or total < 12 or total > BLOCK_MAX:
            return AMISS
        total = (total + 3) & ~3
        if self.window_end - at < total:
            return self._need(total)
        if kind in {6, 2} and not self._sound(at + 8, at + total - 4):
            return AMISS
        return total

    def _take(self, at: int, total: int) -> int:
        """What is in a block that was looked at."""
        kind = self._file32(at)
        if kind in {6, 2}:
            return self._enhanced(kind, at + 8, at + total - 4)
        if kind == 3:
            return self._simple(at + 8, at + total - 4)
        if kind == 1:
            self._interface(at + 8, at + total - 4)
        elif kind == SECTION:
            self.interfaces = []
        return 0

    def _section(self, at: int) -> bool:
        """Byte order of a section, from its magic number, if it has one."""
        magic = self._wide32(at + 8)
        self.big = magic == 0x1A2B3C4D
        return self.big or magic == 0x4D3C2B1A

    def _interface(self, at: int, end: int) -> None:
        """An Interface Description Block: link type; options for name (2), resolution (9) and offset (14) of time."""
        if end - at < 8 or len(self.interfaces) >= INTERFACES_MAX:
            self.interfaces.append((-1, 1000000, 0))
            return
        link = self._file16(at)
        units = 1000000
        offset = 0
        at += 8
        while end - at >= 4:
            code, length = self._file16(at), self._file16(at + 2)
            at += 4
            if code == 0 or length > end - at:
                break
            if code == 9 and length >= 1:
                units = self._resolution(self.window[at])
            elif code == 14 and length >= 8:
                offset = self._seconds(at)
            elif code == 2 and len(self.interfaces) < SOURCES - 1:
                self.segments.names.setdefault(
                    len(self.interfaces), bytes(self.window[at : at + min(length, 64)]).decode("utf-8", "replace")
                )
            at += (length + 3) & ~3
        self.interfaces.append((link, units, offset))
        if len(self.interfaces) == 2:
            self._expect_several()

    def _resolution(self, code: int) -> int:
        """Units to the second: a negative power of ten, or of two where the top bit is set."""
        units = 1
        steps = min(code & 0x7F, 62 if code & 0x80 else 18)
        while steps > 0:
            units *= 2 if code & 0x80 else 10
            steps -= 1
        return units

    def _seconds(self, at: int) -> int:
        """A signed 64-bit number of seconds, as far as it makes sense: the years 1 to 9999 either way."""
        high = self._file32(at if self.big else at + 4)
        low = self._file32(at + 4 if self.big else at)
        if high & HALF32:
            high -= M32 + 1
        return max(-SECONDS_MAX, min(high * (M32 + 1) + low, SECONDS_MAX))

    def _sound(self, at: int, end: int) -> bool:
        """Whether the captured length of a packet block fits the block; a block too small for one is left alone."""
        if end - at < 20:
            return True
        captured = self._file32(at + 12)
        return captured <= end - at - 20 and captured <= RECORD_MAX

    def _enhanced(self, kind: int, at: int, end: int) -> int:
        """An Enhanced Packet Block (6), or the old Packet Block (2), whose interface number has 16 bits."""
        if end - at < 20:
            return 0
        number = self._file32(at) if kind == 6 else self._file16(at)
        captured = self._file32(at + 12)
        return self._interface_packet(number, self._ticks(at), at + 20, at + 20 + captured, self._file32(at + 16))

    def _ticks(self, at: int) -> int:
        """Its time. One with the top bit set would be negative here: no clock says that."""
        return (self._file32(at + 4) & (HALF32 - 1)) << 32 | self._file32(at + 8)

    def _simple(self, at: int, end: int) -> int:
        """A Simple Packet Block: original length and bytes, on interface 0, without time."""
        if end - at < 4:
            return 0
        original = self._file32(at)
        captured = min(original, end - at - 4)
        return self._interface_packet(0, -1, at + 4, at + 4 + captured, original)

    def _interface_packet(self, number: int, ticks: int, at: int, end: int, original: int) -> int:
        """A packet of interface `number`; `ticks` is its time in that interface's units, or -1."""
        link = -1
        units = 0
        offset = 0
        moment = self.last_ts
        if number < len(self.interfaces):
            link, units, offset = self.interfaces[number]
            if ticks >= 0:
                moment = self._moment(ticks, units) + offset * 1000000
        self.p_source = min(number, SOURCES - 1) * SEGMENTS
        self._stamp(min(max(moment, 0), SECONDS_MAX * 1000000))
        self._packet(link, at, end, original)
        return 0

    def _moment(self, ticks: int, units: int) -> int:
        """Microseconds, in whole numbers of 64 bits."""
        if units == 1000000:
            return min(ticks, SECONDS_MAX * 1000000)
        seconds = min(ticks // units, SECONDS_MAX)
        rest = ticks % units
        while units > 1000000000000:
            units //= 1000
            rest //= 1000
        return seconds * 1000000 + rest * 1000000 // units

    # ------------------------------------------------------------------ several interfaces

    def _expect_several(self) -> None:
        """From here on packets wait for one another. Of interfaces beyond `SOURCES` packets wait in one row."""
        if self.waiting > 0 or self.pool.shape[0] < 2:
            self._clear_rows()
        self.scout = self.cursor
        self.scouted, self.scouted_ts = self.frames, self.last_ts
        self.several = True

    def _clear_rows(self) -> None:
        """Nothing waits. Between sections that is so already: there may be very many of them."""
        self.pool = memoryview(bytearray(8 * WAIT_WIDTH * WAITING_MAX)).cast("q")
        self.queues = memoryview(bytearray(8 * 2 * SOURCES)).cast("q")
        for place in range(2 * SOURCES):
            self.queues[place] = -1
        for place in range(WAITING_MAX):
            self.pool[place * WAIT_WIDTH + WAIT_NEXT] = place + 1
        self.spare = self.waiting = 0

    def _fetch_in_order(self) -> int:
        """Look at blocks as far ahead as is worth it; then the packet that comes first."""
        found = 0
        while (
            found == 0 and self.waiting < WAITING_MAX and (self.waiting == 0 or self.scout - self.oldest < AHEAD_BYTES)
        ):
            found = self._scout_on()
        if self.waiting == 0:
            self.cursor = self.scout
            if found == NEW_SECTION:
                self.several = False
                return 0
            return CORRUPT if found == AMISS else -1
        if found == -1 and not self.is_last and self.needed <= AHEAD_BYTES:
            self.cursor = self.oldest
            return -1
        return self._let_on()

    def _scout_on(self) -> int:
        """One block further: a packet waits, of others is taken what is in them. Else why not, as `_look` says it.

        NEW_SECTION and LARGE: those that wait have to go on before it.
        """
        at = self.scout
        if self.window_end - at >= 4 and self._file32(at) == SECTION:
            return NEW_SECTION
        total = self._look(at)
        if total < 12:
            return total
        if total > AHEAD_BYTES and self.waiting > 0:
            return LARGE
        self.scout = at + total
        kind = self._file32(at)
        if kind not in {6, 2, 3}:
            self._take(at, total)
        elif total - 12 >= (4 if kind == 3 else 20):
            self._wait(at, kind)
        return 0

    def _wait(self, at: int, kind: int) -> int:
        """A packet block waits in the row of its interface."""
        number = 0
        if kind != 3:
            number = self._file32(at + 8) if kind == 6 else self._file16(at + 8)
            if number < len(self.interfaces):
                _, units, offset = self.interfaces[number]
                if units >= FINE_UNITS:
                    self.scouted_ts = self._moment(self._ticks(at + 8), units) + offset * 1000000
        queue = min(number, SOURCES - 1) * 2
        place = self.spare * WAIT_WIDTH
        self.scouted += 1
        self.pool[place + WAIT_AT], self.pool[place + WAIT_TS] = at, self.scouted_ts
        self.pool[place + WAIT_FRAME] = self.scouted
        last = self.queues[queue + 1]
        if last < 0:
            self.queues[queue] = self.spare
        else:
            self.pool[last * WAIT_WIDTH + WAIT_NEXT] = self.spare
        self.queues[queue + 1] = self.spare
        self.spare = self.pool[place + WAIT_NEXT]
        self.pool[place + WAIT_NEXT] = -1
        self.oldest = min(self.oldest, at) if self.waiting else at
        self.waiting += 1
        return 0

    def _first(self) -> int:
        """The row whose first packet goes on: the oldest in the file, or one whose time is a little earlier."""
        chosen = -1
        for queue in range(0, 2 * SOURCES, 2):
            place = self.queues[queue] * WAIT_WIDTH
            if place >= 0 and self.pool[place + WAIT_AT] == self.oldest:
                chosen = queue
        latest = least = self.pool[self.queues[chosen] * WAIT_WIDTH + WAIT_TS]
        for queue in range(0, 2 * SOURCES, 2):
            place = self.queues[queue] * WAIT_WIDTH
            if place >= 0 and latest - APART_US <= self.pool[place + WAIT_TS] < least:
                chosen, least = queue, self.pool[place + WAIT_TS]
        return chosen

    def _let_on(self) -> int:
        """The packet that comes first leaves its row."""
        queue = self._first()
        gone = self.queues[queue]
        place = gone * WAIT_WIDTH
        at, frame = self.pool[place + WAIT_AT], self.pool[place + WAIT_FRAME]
        self.queues[queue] = self.pool[place + WAIT_NEXT]
        if self.queues[queue] < 0:
            self.queues[queue + 1] = -1
        self.pool[place + WAIT_NEXT] = self.spare
        self.spare = gone
        self.waiting -= 1
        self._find_oldest()
        self.cursor = self.oldest if self.waiting else self.scout
        count = self.frames
        self.frames = frame - 1
        self._take(at, (self._file32(at + 4) + 3) & ~3)
        self.frames = count + 1
        return 0

    def _find_oldest(self) -> int:
        self.oldest = self.scout
        for queue in range(0, 2 * SOURCES, 2):
            place = self.queues[queue] * WAIT_WIDTH
            if place >= 0:
                self.oldest = min(self.oldest, self.pool[place + WAIT_AT])
        return 0

    def _move(self, by: int) -> int:
        """The window has moved: all places in it are others."""
        self.scout += by
        self.oldest += by
        for queue in range(0, 2 * SOURCES, 2):
            place = self.queues[queue]
            while place >= 0:
                self.pool[place * WAIT_WIDTH + WAIT_AT] += by
                place = self.pool[place * WAIT_WIDTH + WAIT_NEXT]
        return 0
