# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True, infer_types=True, auto_pickle=False, binding=False
"""The packet engine: capture bytes in, the head of every turn out.

Theory of operation
-------------------
The engine walks the records of a capture in place, decodes each packet down to its transport, finds its flow in a table,
puts TCP segments in order, and wakes Python only when a dissector's lane has the bytes that it waits for. It is Python
source compiled by Cython in pure Python mode, bounds checks on; the very same file interpreted gives the same events.

**Synchronous waking.** `step()` runs until something needs Python, says what (an event), and goes on from exactly there
at the next call. Whatever the dissector says in between (`want`, `skip`, `skip_until`, `next_turn`, `done`) therefore
takes effect before the next byte is copied. What is under way is a small state machine (`stage`)::

    FETCH ─► ROUTE ─► DAY ─► TRANSPORT ─► SEGMENT ─► CLOSE ─► FETCH ...
               └── a flow has to end first (idle, evicted, port reused): its END comes out, then ROUTE again

**Batches.** FETCH decodes up to 32 packets ahead, asks for the memory of their flows, and then hands them on one by one:
most of the time of small packets was waiting for memory.

**Most packets** are IPv4 in Ethernet, and go on in a flow as it did: an acknowledgement, bytes in order of a lane that is
skipped, drained or closed, a datagram that nobody wants. Such layers are decoded at one go (`Links._plain`), and what there is to
count is counted from the row of the batch (`_quick`), without the stages. Both decide as the layers and stages do, or leave
it to them; a test takes them away and compares.

**Rooms.** What a packet is found out one floor above the other, each a class that inherits the one before: `window` (memory
and numbers in it), `batch` (decoded packets, copies), `tunnels`, `network` (IP, TCP's and UDP's headers), `links`, `records`
(of the capture); `segments` counts. Here is what is done with packets: flows, streams, turns. See README.md.

**Flows** are rows of 64-bit numbers in a table that comes from `mmap`, what streams need besides in another one (`L`); a
keyed hash with a bounded chain finds them.
Five lists keep them in the order of their last packet, to a second: TCP, UDP, lingering, shunted, and half (one side alone
and no TCP payload: scans; or both have said FIN and something before it is missing). The heads of these lists are what is
idle or evicted first. The columns of a row are named below, and those of each of its two lanes.

**The clock** that tells what is idle only goes forward, and is the newest time seen: of sources whose clocks differ, the one
that is ahead. One time far ahead ends nothing; it is believed when the next packet says so too. Times that stay far
behind for very many packets are a clock that was set back: from there on it goes forward again.

**A lane** knows the next sequence number (`NEXT`) and one of six modes:

    READ     bytes are delivered as soon as `WANT` of them are there
    SKIP     `LEFT` bytes are left out, by sequence number, across turns and loss
    SEARCH   bytes are left out until a mark of 1 to 4 bytes has passed
    DRAIN    the rest of this turn is left out on the dissector's word
    OVER     the rest of this turn is left out because its budget is used up: the next turn begins with a GAP
    CLOSED   nothing more is wanted

**Turns.** The first in-sequence payload byte whose segment acknowledges more of the other lane than the segment did that
began the previous turn begins a new one; so does one after `turn_idle_us` of silence. A one-sided mirror is no hindrance:
the seen lane's acknowledgements show the unseen lane speaking. A new turn has a fresh budget of `head_bytes`, which a
pending message raises up to `head_max`.

**Shedding.** A live worker that falls behind has less done (`shed`): of lanes that have spoken for long only a sample of turns
is read, heads are smaller, and at last some new conversations are passed over. A turn that is shed is one whose budget is used
up (OVER), so that what follows is told by a GAP. A shed turn wakes nobody. A lane that nobody knows is looked at all the same.

**Listening.** Told what somebody may want (`listen`), the engine wakes Python only for lanes and datagrams that begin so.
Other lanes drain, and are looked at again in each turn, which costs next to nothing: so TLS is found that begins in the
midst of a protocol that nobody reads. A conversation that was told of, and that nobody knows, is given back (`unlisten`).
DAY and END come for flows that were told of; what a flow was is folded (`days`) by its ends, service, day and the label
that Python gave it, and so is who held which address. FULL says that these tables want to be taken.

**Holes.** A segment beyond `NEXT` is kept, in order, and of those kept the first bytes win. What is in order is read at once,
whatever was kept for its place: so do receivers. Other bytes for the same place are counted. The hole before it is given up (GAP) when too much
is kept, when the other lane has acknowledged past it and time or segments have gone by, or at the end. A hole inside what
is being left out anyway is no gap. Kept segments, half-read messages and fragments live in dictionaries of byte strings
whose total size, with what Python needs for each, is bounded; the oldest holder loses.
"""

from collections import OrderedDict
from itertools import chain

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

from sensor.engine.days import Folded
from sensor.engine.pages import numbers
from sensor.engine.segments import TRAFFIC, TUNNELS
from sensor.engine.spans import conflicts, touching, uncovered

COMPILED = cython.compiled

STATS = (
    "first_ts_us", "last_ts_us", "first_frame", "packets_i", "packets_r", "bytes_i", "bytes_r", "copied", "skipped", "left_out",
    "lost", "retransmitted", "reordered", "overlap_conflicts", "flags",
)

# ---------------------------------------------------------------- counters
COUNTERS = (
    "packets", "bytes", "bytes_copied", "truncated", "not_ip", "unsupported_link", "bad_header", "other_transport",
    "tcp_segments", "udp_datagrams", "fragments",
    "flows", "evicted_flows", "evicted_bytes", "late_segments", "holes", "clock_backwards", "vlan_packets", "tunnelled",
    "stray_segments", "duplicates", "tunnels_refused", "nested_too_deep", "probes", "clock_jumps",
    "shed_turns", "shed_datagrams", "shed_flows",
)

if not cython.compiled:
    from sensor.engine.layout import *
    from sensor.engine.records import Records


@cython.final
@cython.cclass
class Engine(Records):
    """The engine of one capture. Numbers are settings in bytes, microseconds and rows; `seed` keys the hash of flows.

    `responder_ports` are ports that mark a responder where the beginning of a conversation was not seen.
    """

    # settings
    rows: cython.longlong
    head_bytes: cython.longlong
    head_max: cython.longlong
    turn_idle_us: cython.longlong
    tcp_idle_us: cython.longlong
    udp_idle_us: cython.longlong
    linger_us: cython.longlong
    buffer_bytes: cython.longlong
    sample_after: cython.longlong
    sample_each: cython.longlong
    shed_after: cython.longlong
    shed_flows: cython.longlong
    responders: cython.uchar[::1]

    # tables
    F: cython.longlong[::1]
    L: cython.longlong[::1]
    lists: cython.longlong[::1]
    free_stream: cython.longlong
    free_datagram: cython.longlong
    free_count: cython.longlong
    fresh_row: cython.longlong
    last_row: cython.longlong
    serial: cython.longlong
    swept: cython.longlong
    now: cython.longlong
    clock: cython.longlong
    shift: cython.longlong
    doubts: cython.longlong
    held: object
    held_bytes: cython.longlong
    pieces: object
    pieces_bytes: cython.longlong
    ready: list

    # the packet under way
    stage: cython.int
    p_traits: cython.longlong
    p_l4_end: cython.longlong
    p_data: cython.longlong
    p_row: cython.longlong
    p_lane: cython.longlong
    p_batch: cython.longlong

    # bytes of a lane under way
    c_base: cython.longlong
    c_row: cython.longlong
    c_lane: cython.longlong
    c_at: cython.longlong
    c_end: cython.longlong
    c_force: cython.bint

    # a flow that ends
    end_row: cython.longlong
    end_reason: cython.longlong
    end_lane: cython.longlong
    free_row: cython.longlong
    finishing: object
    ends_key: object
    E: cython.longlong[::1]

    # what is told, and what is folded
    listening: cython.bint
    leads: cython.longlong[::1]
    firsts: cython.uchar[::1]
    tcp_leads: cython.longlong
    all_leads: cython.longlong
    days: Folded
    days_full: cython.bint

    def __init__(
        self,
        *,
        flows=262_144,
        head_bytes=16_384,
        head_max=65_536,
        turn_idle_us=5_000_000,
        tcp_idle_us=3_600_000_000,
        udp_idle_us=300_000_000,
        linger_us=30_000_000,
        buffer_bytes=67_108_864,
        sample_after=16_384,
        sample_each=64,
        seed=0x1F3A5C7E9B2D4680,
        responder_ports=(),
    ):
        if flows < 2 or head_bytes < 1 or head_max < head_bytes:
            raise ValueError("flows >= 2, head_bytes >= 1 and head_max >= head_bytes are needed")
        super().__init__(flows, seed)
        self.rows = flows
        self.head_bytes = head_bytes
        self.head_max = head_max
        self.turn_idle_us = turn_idle_us
        self.tcp_idle_us = tcp_idle_us
        self.udp_idle_us = udp_idle_us
        self.linger_us = linger_us
        self.buffer_bytes = buffer_bytes
        self.sample_after = sample_after
        self.sample_each = max(1, sample_each)
        self.shed_after, self.shed_flows = NEVER, 1
        self.mark_responders(responder_ports)
        self.F = numbers(flows * WIDTH)
        self.L = numbers(flows * LANES_WIDTH)
        self.lists = memoryview(bytearray(8 * 10)).cast("q")
        for number in range(10):
            self.lists[number] = -1
        self.free_stream = self.free_datagram = -1
        self.free_count = self.fresh_row = 0
        self.last_row = flows
        self.serial = 0
        self.swept = -SWEEP_US
        self.now = self.clock = self.shift = self.doubts = 0
        self.held = OrderedDict()
        self.held_bytes = 0
        self.pieces = OrderedDict()
        self.pieces_bytes = 0
        self.ready = []
        self.payload = b""
        self.stage = 0
        self.end_row = -1
        self.free_row = -1
        self.c_row = -1
        self.finishing = None
        self.ends_key = bytearray(8 * ENDS_WORDS)
        self.E = memoryview(self.ends_key).cast("q")
        self.listening = self.days_full = False
        self.leads = memoryview(bytearray(8)).cast("q")
        self.firsts = memoryview(bytearray(512))
        self.tcp_leads = self.all_leads = 0
        self.days = Folded(self.seed, self.key0, self.key1)
        self.flow = self.lane = self.ts_us = self.frame = self.turn = self.size = self.reason = 0
        self.p_data = self.p_l4_end = self.p_lane = self.p_batch = self.p_traits = 0
        self.p_row = -1
        self.c_force = False
        self.c_lane = self.c_base = self.c_at = self.c_end = self.end_reason = self.end_lane = 0

    # ================================================================ input

    def finish(self):
        """No more input: `step` now delivers what is held, and an END for every flow, in the order of their first packets."""
        used = chain(range(self.fresh_row), range(self.last_row, self.rows))
        rows = [row for row in used if self.F[row * WIDTH + STATE] == LIVE]
        rows.sort(key=self._serial_of)
        self.finishing = iter(rows)

    def _serial_of(self, row):
        return self.F[row * WIDTH + SERIAL]

    def mark_responders(self, ports):
        """Ports that mark a responder where the beginning of a conversation was not seen."""
        table = bytearray(65536 // 8)
        for port in ports:
            table[port >> 3] |= 1 << (port & 7)
        self.responders = memoryview(table)

    def listen(self, tcp, udp):
        """Tell only of flows that somebody may want, and fold all of them into days.

        `tcp` and `udp` are values and masks, bytes of equal length, of which eight count: with what any dissector takes a
        lane or datagram begins. Other lanes are looked at again in each turn. DAY and END come for flows that were told of.
        """
        words = []
        for value, mask in (*tcp, *udp):
            if len(value) != len(mask):
                raise ValueError("value and mask of equal length are needed")
            value, mask = value[:8].ljust(8, b"\0"), mask[:8].ljust(8, b"\0")
            for at in (0, 4):
                words += [int.from_bytes(value[at : at + 4], "big"), int.from_bytes(mask[at : at + 4], "big")]
        self.firsts = memoryview(_firsts(tcp) + _firsts(udp))
        self.leads = memoryview(bytearray(8 * max(1, len(words)))).cast("q")
        for number, word in enumerate(words):
            self.leads[number] = word
        self.tcp_leads = 4 * len(tcp)
        self.all_leads = len(words)
        self.listening = True

    # ================================================================ what comes out

    def take(self):
        """The bytes of the DATA or DATAGRAM that `step` has just returned."""
        return self.payload

    def addresses(self, row):
        """(transport, scope, vlan, ip initiator, port, mac, ip responder, port, mac); IPs packed, MACs as numbers or -1."""
        r: cython.longlong = self._row(row)
        low = self._ip(r, K0), self.F[r + KPORTS] >> 16, self.F[r + MAC0]
        high = self._ip(r, K4), self.F[r + KPORTS] & 0xFFFF, self.F[r + MAC1]
        first, second = (high, low) if self.F[r + INIT] else (low, high)
        place: cython.longlong = self.F[r + SEGMENT] % SEGMENTS
        vlan: cython.longlong = place - 1 if place < TUNNELS_FROM else -1
        return (self.F[r + KREST] & 0xFF, self.F[r + KREST] >> 16, vlan, *first, *second)

    @cython.ccall
    @cython.exceptval(-2)
    def ports(self, row: cython.longlong) -> cython.longlong:
        """The initiator's port and the responder's, 16 bits each."""
        r: cython.longlong = self._row(row)
        ports: cython.longlong = self.F[r + KPORTS]
        return (ports >> 16 | (ports & 0xFFFF) << 16) if self.F[r + INIT] else ports

    @cython.ccall
    def ends(self, row: cython.longlong):
        """Who talks with whom at which service, as 64-bit numbers: both IP addresses (four words each), both MAC addresses,
        KREST, and the responder's port.
        """
        r: cython.longlong = self._row(row)
        swap: cython.longlong = self.F[r + INIT]
        word: cython.longlong
        for word in range(4):
            self.E[word] = self.F[r + (K4 if swap else K0) + word]
            self.E[4 + word] = self.F[r + (K0 if swap else K4) + word]
        self.E[8], self.E[9] = self.F[r + MAC0 + swap], self.F[r + MAC1 - swap]
        self.E[10], self.E[11] = self.F[r + KREST], self.ports(row) & 0xFFFF
        if cython.compiled:
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, cython.address(self.E[0])), 8 * ENDS_WORDS)
        return bytes(self.ends_key)

    def segment(self, row):
        """(interface, segment) of a flow's first packet, as `traffic` names them."""
        return self.segment_name(self.F[self._row(row) + SEGMENT])

    def segment_name(self, segment):
        """(interface, segment) of a segment's number."""
        return self.segments.name_of(segment)

    def traffic(self):
        """{(interface, segment, hours since 1970): counts of `TRAFFIC`} since the last call."""
        return self.segments.taken()

    @cython.cfunc
    def _ip(self, r: cython.longlong, column: cython.longlong):
        words = [self.F[r + column + i] for i in range(4)]
        if (self.F[r + KREST] >> 8) & 0xFF == 4:
            return words[3].to_bytes(4, "big")
        return b"".join([word.to_bytes(4, "big") for word in words])

    def stats(self, row):
        """The numbers that `STATS` names: since the flow began, or since its last DAY."""
        r: cython.longlong = self._row(row)
        flags: cython.longlong = self.F[r + FLAGS]
        if self.F[r + SEEN] != 3:
            flags |= F_ONE_SIDED
        swap: cython.longlong = self.F[r + INIT]
        return (
            self.F[r + FIRST_TS], self.F[r + LAST_TS], self.F[r + FIRST_FRAME],
            self.F[r + PK0 + swap], self.F[r + PK1 - swap], self.F[r + BY0 + swap], self.F[r + BY1 - swap],
            self.F[r + COPIED], self.F[r + SKIPPED], self.F[r + LEFT_OUT], self.F[r + LOST],
            self._of_lanes(row, RETRANS), self._of_lanes(row, REORD), self._of_lanes(row, OVERLAP), flags,
        )

    def _of_lanes(self, row, column):
        """The sum of both lanes; datagrams have none."""
        base = self._lane(row, 0)
        return 0 if base < 0 else self.L[base + column] + self.L[(base ^ LANE_WIDTH) + column]

    @cython.ccall
    @cython.exceptval(-2)
    def flags(self, row: cython.longlong) -> cython.longlong:
        """The last of `STATS` alone."""
        r: cython.longlong = self._row(row)
        return self.F[r + FLAGS] if self.F[r + SEEN] == 3 else self.F[r + FLAGS] | F_ONE_SIDED

    def folded(self):
        """How many rows `take_days` would give."""
        return self.days.row_count()

    def take_days(self):
        """What was folded since the last call: rows of `DAYS`, `HELD` and `ENDS` (see `days`), as 64-bit numbers."""
        self.days_full = False
        return self.days.take()

    def counters(self):
        """Counts of the whole engine, by name."""
        self.n[C_PACKETS], self.n[C_BYTES] = self.frames, self.captured_bytes
        found = {name: self.n[number] for number, name in enumerate(COUNTERS)}
        found.update(self.fragments.counters())
        found["days_lost"] = self.days.lost
        found["rows_in_use"] = self.fresh_row + self.rows - self.last_row - self.free_count
        found["last_packet_us"] = self.last_ts
        found["held_bytes"] = self.held_bytes + self.pieces_bytes + self.fragments.held_bytes
        return found

    # ================================================================ what the dissector says

    @cython.ccall
    def want(self, row: cython.longlong, lane: cython.longlong, n: cython.longlong, message: cython.longlong):
        """Wake when `n` undelivered bytes are there; `message` bytes are still to come of the message being read."""
        base: cython.longlong = self._lane(row, lane)
        if base >= 0 and self.L[base + MODE] != CLOSED:
            self.L[base + WANT] = max(1, min(n, self.head_max + 1))
            used: cython.longlong = self.L[base + USED] - self.L[base + HELD]
            if used < self.head_bytes + HEADER_SLACK:
                self._raise(base, used + max(0, min(max(n, message), self.head_max)))
            if self.L[base + HELD] >= self.L[base + WANT]:
                self.ready.append((row, lane))

    @cython.ccall
    def skip(self, row: cython.longlong, lane: cython.longlong, n: cython.longlong):
        """Leave out exactly `n` bytes by sequence number, across turns and across loss."""
        base: cython.longlong = self._lane(row, lane)
        if self._is_lost(base):
            return
        left: cython.longlong = max(0, min(n, 1 << 60))
        dropped: cython.longlong = min(left, self.L[base + HELD])
        if dropped:
            self.F[row * WIDTH + SKIPPED] += dropped
            self._trim_held(row, lane, dropped)
        self._leave(base, SKIP if left > dropped else READ)
        self.L[base + LEFT] = left - dropped

    @cython.ccall
    def skip_until(self, row: cython.longlong, lane: cython.longlong, mark, limit: cython.longlong):
        """Leave out everything up to and including `mark`, 1 to 4 bytes; past `limit` bytes the rest of the turn."""
        if not 1 <= len(mark) <= 4:
            raise ValueError("a mark has 1 to 4 bytes")
        base: cython.longlong = self._lane(row, lane)
        if self._is_lost(base):
            return
        key = row * 2 + (lane ^ self.F[row * WIDTH + INIT])
        there = bytes(self.held.get(key, b""))
        self._leave(base, SEARCH)
        self.L[base + MARK] = int.from_bytes(mark, "big")
        self.L[base + MARKMASK] = M32 >> (32 - 8 * len(mark))
        self.L[base + MARKLEN] = len(mark)
        self.L[base + SEARCH_LIMIT] = self.L[base + LEFT] = max(1, min(limit, 1 << 60))
        self.L[base + ROLL] = 0
        self.L[base + ROLLED] = 0
        if there:
            self._search_held(row, lane, there, mark)

    @cython.cfunc
    def _search_held(self, row, lane, there, mark):
        """The mark may be in what is held already; else what is held counts as searched."""
        base: cython.longlong = self._lane(row, lane)
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

    @cython.ccall
    def next_turn(self, row: cython.longlong, lane: cython.longlong):
        """Leave out the rest of this turn; DATA goes on with the first byte of the next."""
        base: cython.longlong = self._lane(row, lane)
        if base < 0 or self.L[base + MODE] == CLOSED:
            return
        self.F[row * WIDTH + SKIPPED] += self.L[base + HELD]
        self._drop_held(row, lane)
        self._leave(base, DRAIN)
        self.L[base + OVERRUN] = 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_lost(self, base: cython.longlong) -> cython.bint:
        """The lane is closed, or over its budget: then nobody knows where in the stream it is, until its GAP."""
        return base < 0 or self.L[base + MODE] == CLOSED or self.L[base + MODE] == OVER

    @cython.ccall
    def done(self, row: cython.longlong):
        """Shunt the flow: it is counted and never copied again."""
        self._done(row)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _done(self, row: cython.longlong) -> cython.int:
        r: cython.longlong = self._row(row)
        lane: cython.longlong
        for lane in range(2):
            if self.F[r + KREST] & 0xFF == 6:
                self._close_lane(row, lane, row * LANES_WIDTH + lane * LANE_WIDTH)
            else:
                self.F[r + TURN0 + lane] = -1
        self.F[r + FLAGS] |= F_SHUNTED
        if self.F[r + STATE] == LIVE and self.F[r + LIST] != L_SHUNTED:
            self._unlink(row)
            self._link(row, L_SHUNTED)
        return 0

    @cython.ccall
    def label(self, row: cython.longlong, number: cython.longlong):
        """What the flow is folded under: any number of at most 32 bits. An odd one says that the lanes' roles are swapped."""
        r: cython.longlong = self._row(row)
        self.F[r + LABEL] = number << 1 | (self.F[r + LABEL] & TOLD)

    @cython.ccall
    def forget(self, row: cython.longlong):
        """Nobody wants to hear of this flow's DAY or END."""
        self.F[self._row(row) + LABEL] &= ~TOLD

    @cython.ccall
    def unlisten(self, row: cython.longlong):
        """Nobody knows what this conversation is: from here on it is looked at as those are that nobody was told of.

        The rest of both turns is left out; a turn that begins as somebody may want is DATA again. DAY and END still come.
        """
        r: cython.longlong = self._row(row)
        if self.listening and self.F[r + KREST] & 0xFF == 6:
            self.F[r + UNWANTED] = 1
            self.next_turn(row, 0)
            self.next_turn(row, 1)

    @cython.ccall
    def close_lane(self, row: cython.longlong, lane: cython.longlong):
        """Nothing more of this lane is wanted."""
        base: cython.longlong = self._lane(row, lane)
        if base >= 0:
            self._close_lane(row, lane ^ self.F[row * WIDTH + INIT], base)
        else:
            self.F[row * WIDTH + TURN0 + (lane ^ self.F[row * WIDTH + INIT])] = -1

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _close_lane(self, row: cython.longlong, lane: cython.longlong, base: cython.longlong) -> cython.int:
        if self.L[base + HELD]:
            self._drop_held_of(row, lane, base)
        if self.L[base + PIECES]:
            self._drop_pieces_of(row, lane)
        return self._leave(base, CLOSED)

    # ================================================================ shedding load

    def shed(self, after, head_bytes, head_max, flows):
        """Do less: from the next turn on, of a lane all that is behind its first `after` turns is left out but for a sample.

        `head_bytes` and `head_max` are as for a new engine. Of the conversations that begin, one in `flows` is read. `after`
        of None: nothing is shed. A lane that was left out goes on with a GAP, a conversation that was passed over too.
        """
        if head_bytes < 1 or head_max < head_bytes or flows < 1:
            raise ValueError("head_bytes >= 1, head_max >= head_bytes and flows >= 1 are needed")
        self.shed_after = NEVER if after is None else max(0, min(after, NEVER))
        self.head_bytes, self.head_max, self.shed_flows = head_bytes, head_max, flows

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_shed(self, turn: cython.longlong) -> cython.bint:
        return turn > self.shed_after and turn % SHED_EACH != 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _shed_turn(self, base: cython.longlong) -> cython.int:
        """Leave the turn out as if its budget were used up. A message half read, or half left out, goes on.

        To look at the first bytes of a lane that nobody knows is no load, and leaving them out no gap: it is looked at.
        """
        mode: cython.longlong = self.L[base + MODE]
        unknown: cython.bint = self._is_unknown(base // LANES_WIDTH * WIDTH)
        if mode == DRAIN and unknown:
            self.L[base + MODE] = READ
        elif not unknown and (mode == DRAIN or (mode == READ and self.L[base + HELD] == 0)):
            self.L[base + MODE] = OVER
            self.L[base + OVERRUN] = 0
        if self.L[base + MODE] == OVER:
            self.n[C_SHED_TURNS] += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_unknown(self, r: cython.longlong) -> cython.bint:
        """Nobody was told of this conversation, or whoever was does not know it: its turns are looked at by their leads."""
        return not self.F[r + LABEL] & TOLD or self.F[r + UNWANTED] != 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _shed_flow(self, row: cython.longlong) -> cython.int:
        """Pass a new conversation over: its lanes stand where those of a long one do."""
        self.n[C_SHED_FLOWS] += 1
        lane: cython.longlong
        for lane in range(2):
            if self.p_proto == 17:
                self.F[row * WIDTH + TURN0 + lane] = self.shed_after
            else:
                base: cython.longlong = row * LANES_WIDTH + lane * LANE_WIDTH
                self.L[base + MODE] = OVER
                self.L[base + TURN] = self.shed_after
        return 0

    # ================================================================ the state machine

    @cython.ccall
    @cython.exceptval(-2)
    def step(self) -> cython.int:
        """Go on until something needs Python; returns which event."""
        event: cython.int = 0
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _through(self) -> cython.int:
        """The usual way of a packet, without looking round at every stage; `step` takes up whatever is left."""
        self._route()
        if self.stage != S_DAY:
            return 0
        event: cython.int = self._day()
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _event(self, kind: cython.int, row: cython.longlong, lane: cython.longlong) -> cython.int:
        self.flow = row
        if not self.F[row * WIDTH + LABEL] & TOLD:
            self.F[row * WIDTH + LABEL] |= TOLD
        # rows keep lanes in the order of their addresses; the outside counts from the initiator
        self.lane = lane ^ self.F[row * WIDTH + INIT]
        return kind

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _row(self, row: cython.longlong) -> cython.longlong:
        if row < 0 or row >= self.rows:
            raise IndexError("no such flow")
        return row * WIDTH

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _lane(self, row: cython.longlong, lane: cython.longlong) -> cython.longlong:
        """Offset of a lane's columns, for a lane counted from the initiator; -1 for datagrams, which have none."""
        r: cython.longlong = self._row(row)
        if lane < 0 or lane > 1:
            raise IndexError("no such lane")
        if self.F[r + KREST] & 0xFF != 6:
            return -1
        return row * LANES_WIDTH + (lane ^ self.F[r + INIT]) * LANE_WIDTH

    # ================================================================ records

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fetch(self) -> cython.int:
        """The next packet of the batch, or of a new batch. -1: more input is needed."""
        event: cython.int = 0
        while event == 0:
            while self.b_at < self.b_count:
                if not self._quick():
                    return self._unpack()
            if self.finishing is not None:
                return self._finish_next()
            event = self._fill()
            if self.b_count > 0:
                self._warm()
                self._recognise(self.b_count)
                event = 0
        if event != 0:
            self.position, self.ts_us, self.frame = self.cursor, self.last_ts, self.frames
        return event

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _warm(self) -> cython.int:
        """Ask for the memory of all flows of the batch, so that it is there when their turn comes."""
        if cython.compiled:
            number: cython.longlong
            row: cython.longlong
            place: cython.longlong
            for number in range(self.b_count):
                row = self.heads[self.batch[number * BATCH_WIDTH + B_HASH] & (self.buckets - 1)] - 1
                if row >= 0:
                    self._warm_row(row, self.batch[number * BATCH_WIDTH + B_REST] & 0xFF == 6)
        return 0

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _warm_row(self, row: cython.longlong, has_lanes: cython.bint) -> cython.int:
        """What most packets need: the row, and the first lines of both lanes."""
        r: cython.longlong = row * WIDTH
        base: cython.longlong = row * LANES_WIDTH
        if cython.compiled and 0 <= row < self.rows:
            PREFETCH(cython.address(self.F[r]))
            PREFETCH(cython.address(self.F[r + 8]))
            PREFETCH(cython.address(self.F[r + 16]))
            PREFETCH(cython.address(self.F[r + 24]))
            PREFETCH(cython.address(self.F[r + 32]))
            if has_lanes:
                PREFETCH(cython.address(self.L[base]))
                PREFETCH(cython.address(self.L[base + 8]))
                PREFETCH(cython.address(self.L[base + LANE_WIDTH]))
                PREFETCH(cython.address(self.L[base + LANE_WIDTH + 8]))
        return 0

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _unpack(self) -> cython.int:
        """The next packet of the batch becomes the one under way."""
        b: cython.longlong = self.b_at * BATCH_WIDTH
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        self.b_at += 1
        self.p_batch = b
        self.position = self.batch[b + B_POSITION]
        self.ts_us = self.batch[b + B_TS]
        self.frame = self.batch[b + B_FRAME]
        self.p_proto = self.batch[b + B_REST] & 0xFF
        self.p_data = self.batch[b + B_DATA]
        self.p_l4_end = self.batch[b + B_L4_END]
        self.p_len = self.batch[b + B_LEN]
        self.p_flags = self.batch[b + B_FLAGS]
        self.p_seq = self.batch[b + B_SEQ]
        self.p_ack = self.batch[b + B_ACK]
        self.p_segment = self.batch[b + B_SEGMENT]
        self.p_src_mac = self.batch[b + B_SRC_MAC]
        self.p_dst_mac = self.batch[b + B_DST_MAC]
        self.p_lane = self.batch[b + B_LANE]
        self.p_hash = self.batch[b + B_HASH]
        self.p_traits = self.batch[b + B_TRAITS]
        if self.batch[b + B_WHOLE]:
            self.mem = self.whole
            self.w_other = self.w_whole = True
        elif self.w_whole:
            self.mem = self.window
            self.w_other, self.w_whole = True, False
        self._tick()
        self.stage = S_ROUTE
        return 0

    # ---------------------------------------------------------------- most packets

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _quick(self) -> cython.bint:
        """Count the next packet of the batch, if that is all there is to do with it. False: nothing was done.

        Of a flow that is known and goes on as it did: a datagram that nobody wants, an acknowledgement, bytes in order that are
        left out. What it does with them is what the stages below would do.
        """
        b: cython.longlong = self.b_at * BATCH_WIDTH
        if b < 0 or b + BATCH_WIDTH > self.batch.shape[0]:
            return self._beyond()
        row: cython.longlong = self.heads[self.batch[b + B_HASH] & (self.buckets - 1)] - 1
        ts: cython.longlong = self.batch[b + B_TS]
        since: cython.longlong = ts + self.shift - self.clock
        length: cython.longlong = self.batch[b + B_LEN]
        if row < 0 or since < -LEAP_US or since > LEAP_US or self.batch[b + B_TRAITS] & TRAIT_DUPLICATE:
            return False
        clock: cython.longlong = self.clock + since if since > 0 else self.clock
        r: cython.longlong = row * WIDTH
        lane: cython.longlong = self.batch[b + B_LANE]
        if (
            clock - self.swept >= SWEEP_US
            or self.batch[b + B_L4_END] - self.batch[b + B_DATA] < length
            or not self._matches(r, b)
            or self.F[r + STATE] != LIVE
            or self.F[r + LIST] == L_HALF
            or ts // DAY_US > self.F[r + DAYNO]
            or not (self.F[r + SEEN] >> lane) & 1
        ):
            return False
        if self.batch[b + B_REST] & 0xFF == 17:
            if length > 0 and self.F[r + TURN0 + lane] >= 0:
                return False
        elif not self._only_counts(b, row, lane):
            return False
        self.now = self.clock = clock
        self.doubts = 0
        self.b_at += 1
        first: cython.longlong = self.F[r + FIRST_TS]
        self.F[r + LAST_TS] = ts if ts > first else first
        self.F[r + PK0 + lane] += 1
        self.F[r + BY0 + lane] += length
        if self.F[r + MAC0 + lane] < 0 or self.F[r + PK0 + lane] == 1:
            self.F[r + MAC0 + lane] = self.batch[b + B_SRC_MAC]
        if self.F[r + MAC1 - lane] < 0:
            self.F[r + MAC1 - lane] = self.batch[b + B_DST_MAC]
        since = clock - self.F[r + LINKED]
        if since >= SWEEP_US or since < 0:
            self._relink(row)
        return True

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _only_counts(self, b: cython.longlong, row: cython.longlong, lane: cython.longlong) -> cython.bint:
        """Whether a segment begins, ends and fills nothing: then its lanes are told of it."""
        base: cython.longlong = row * LANES_WIDTH + lane * LANE_WIDTH
        other: cython.longlong = base ^ LANE_WIDTH
        if row < 0 or (row + 1) * LANES_WIDTH > self.L.shape[0] or (row + 1) * WIDTH > self.F.shape[0]:
            return self._beyond()
        r: cython.longlong = row * WIDTH
        length: cython.longlong = self.batch[b + B_LEN]
        ack: cython.longlong = self.batch[b + B_ACK]
        heard: cython.longlong = self.L[base + TURN_ACK]
        newer: cython.longlong = self._distance(ack, heard) if heard >= 0 else 1
        if (
            self.batch[b + B_FLAGS] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK) != TCP_ACK
            or self.F[r + FLAGS] & F_FIN
            or self.L[base + PIECES]
            or self.L[other + PIECES]
            or newer > QUARTER32
        ):
            return False
        if length > 0:
            mode: cython.longlong = self.L[base + MODE]
            if self.batch[b + B_SEQ] != self.L[base + NEXT] or self.L[base + GAPSIZE]:
                return False
            if mode != CLOSED and not self._goes_on(base, mode, newer, length, self.batch[b + B_TS]):
                return False
            self.L[base + NEXT] = (self.L[base + NEXT] + length) & M32
            self.F[r + (LEFT_OUT if mode == OVER else SKIPPED)] += length
        if self.L[other + ACKED] < 0 or self._distance(ack, self.L[other + ACKED]) > 0:
            self.L[other + ACKED] = ack
        return True

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _goes_on(
        self, base: cython.longlong, mode: cython.longlong, newer: cython.longlong, length: cython.longlong,
        ts: cython.longlong,
    ) -> cython.bint:
        """Whether bytes in order are in the midst of a turn of which they are left out; if so, they are."""
        if base < 0 or base + LANE_WIDTH > self.L.shape[0]:
            return self._beyond()
        if mode == READ or mode == SEARCH or newer > 0 or ts - self.L[base + DATA_TS] > self.turn_idle_us:
            return False
        if mode == SKIP:
            if self.L[base + LEFT] <= length:
                return False
            self.L[base + LEFT] -= length
        elif mode == OVER:
            self.L[base + OVERRUN] += length
        self.L[base + DATA_TS] = ts
        return True

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _relink(self, row: cython.longlong) -> cython.int:
        """To the end of its list."""
        kind: cython.longlong = self.F[row * WIDTH + LIST]
        self._unlink(row)
        return self._link(row, kind)

    # ---------------------------------------------------------------- the clock

    @cython.cfunc
    @cython.inline
    @cython.exceptval(-2)
    def _tick(self) -> cython.int:
        """The clock goes on by what the packet says, unless that is far away (see on top). A copy says nothing new."""
        if self.p_traits & TRAIT_DUPLICATE:
            return 0
        since: cython.longlong = self.ts_us + self.shift - self.clock
        if since < -LEAP_US or since > LEAP_US:
            return self._leap(since)
        if since > 0:
            self.clock += since
        self.now = self.clock
        self.doubts = 0
        return 0

    @cython.cfunc
    @cython.exceptval(-2)
    def _leap(self, since: cython.longlong) -> cython.int:
        """Far ahead or far behind: how many packets in a row have said so decides."""
        self.now = self.clock + max(0, since)
        self.doubts = max(0, self.doubts) + 1 if since > 0 else min(0, self.doubts) - 1
        if self.doubts > 1 or self.serial == 0:
            self.clock = self.now
        elif self.doubts <= -SET_BACK_PACKETS:
            self.shift -= since
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _finish_next(self) -> cython.int:
        row = next(self.finishing, None)
        if row is None:
            return -1
        self._begin_end(row, R_EOF)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _leave_duplicate(self, row: cython.longlong) -> cython.int:
        """Counted, and its flow knows; nothing else happens with it."""
        self.n[C_DUPLICATES] += 1
        if row >= 0:
            self.F[row * WIDTH + FLAGS] |= F_DUPLICATE
        self.stage = S_FETCH
        return 0

    # ================================================================ flows

    @cython.cfunc
    @cython.inline
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _matches(self, r: cython.longlong, b: cython.longlong) -> cython.bint:
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _route(self) -> cython.int:
        """Find or make the packet's flow. Whatever has to end first ends first; then this is called again."""
        if self.clock - self.swept >= SWEEP_US and self._sweep():
            return 0
        bucket: cython.longlong = self.p_hash & (self.buckets - 1)
        row: cython.longlong = self.heads[bucket] - 1
        length: cython.int = 0
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _found(self, row: cython.longlong) -> cython.int:
        r: cython.longlong = row * WIDTH
        self.p_row = row
        syn: cython.bint = self.p_proto == 6 and self.p_flags & (TCP_SYN | TCP_ACK) == TCP_SYN
        if self.F[r + STATE] == LINGER:
            if not syn:
                if self.p_len > 0:  # the last acknowledgement comes after the second FIN, and is not late
                    self.n[C_LATE] += 1
                self.stage = S_FETCH
                return 0
            self._unlink(row)
            self._init_flow(row)
        elif syn and self._other_isn(r):
            return self._begin_end(row, R_REUSED)
        self.stage = S_DAY
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _other_isn(self, r: cython.longlong) -> cython.bint:
        """A SYN that does not repeat the one that began this flow begins another."""
        base: cython.longlong = self.p_row * LANES_WIDTH + self.p_lane * LANE_WIDTH
        if self.L[base + ISN] >= 0:
            return self.L[base + ISN] != self.p_seq
        if self.L[base + NEXT] < 0:
            return (self.F[r + SEEN] >> self.p_lane) & 1 == 1
        # packets that overtook their SYN in the capture are few, and lie shortly behind it
        behind: cython.longlong = self._distance(self.L[base + NEXT], self.p_seq + 1)
        return behind < 0 or behind > OVERTAKEN_BYTES or self.F[r + PK0 + self.p_lane] > OVERTAKEN_PACKETS

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _new_flow(self, bucket: cython.longlong) -> cython.int:
        row: cython.longlong = self._free_row(self.p_proto == 6)
        if row < 0:
            return self._evict(self._oldest())
        r: cython.longlong = row * WIDTH
        self.F[r + CHAIN] = self.heads[bucket]
        self.heads[bucket] = row + 1
        self.F[r + HASH] = self.p_hash
        self.p_row = row
        self._keys(r)
        self._init_flow(row)
        self.stage = S_DAY
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _free_row(self, stream: cython.bint) -> cython.longlong:
        """Streams from the front and datagrams from the back, so that few pages of the table of lanes are touched. -1: none."""
        row: cython.longlong = self.free_stream if stream else self.free_datagram
        if row < 0 and self.fresh_row < self.last_row:
            self.fresh_row += stream
            self.last_row -= not stream
            return self.fresh_row - 1 if stream else self.last_row
        if row < 0:
            stream = not stream
            row = self.free_stream if stream else self.free_datagram
        if row >= 0:
            self.free_count -= 1
            if stream:
                self.free_stream = self.F[row * WIDTH + NEXTROW]
            else:
                self.free_datagram = self.F[row * WIDTH + NEXTROW]
        return row

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _keys(self, r: cython.longlong) -> cython.int:
        word: cython.longlong
        wide: cython.bint = (self.batch[self.p_batch + B_REST] >> 8) & 0xFF == 6
        for word in range(8):
            self.F[r + K0 + word] = self.batch[self.p_batch + B_K0 + word] if wide or word & 3 == 3 else 0
        self.F[r + KPORTS] = self.batch[self.p_batch + B_PORTS]
        self.F[r + KREST] = self.batch[self.p_batch + B_REST]
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _init_flow(self, row: cython.longlong) -> cython.int:
        r: cython.longlong = row * WIDTH
        self._clear(r)
        self.F[r + STATE] = LIVE
        self.serial += 1
        self.n[C_FLOWS] += 1
        self.F[r + SERIAL] = self.serial
        self.F[r + LABEL] = 0 if self.listening else TOLD
        self.F[r + SEGMENT] = self.p_segment
        self.F[r + MAC0] = self.F[r + MAC1] = -1
        self.F[r + DAYNO] = self.ts_us // DAY_US
        self.F[r + FIRST_TS] = self.F[r + LAST_TS] = self.ts_us
        self.F[r + FIRST_FRAME] = self.frame
        if self.p_proto == 6:
            self._init_lane(row * LANES_WIDTH)
            self._init_lane(row * LANES_WIDTH + LANE_WIDTH)
        if self.shed_flows > 1 and self.serial % self.shed_flows:
            self._shed_flow(row)
        if self.p_traits & TRAIT_TUNNELLED:
            self.F[r + FLAGS] |= F_TUNNELLED
        self._cast_roles(r)
        self._link(row, L_HALF)
        return 0

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _clear(self, r: cython.longlong) -> cython.int:
        """All but what finds the flow: its hash, chain and keys."""
        if r < 0 or r + WIDTH > self.F.shape[0]:
            return self._beyond()
        column: cython.longlong
        self.F[r + SEEN] = self.F[r + FLAGS] = 0
        for column in range(r + DAYNO, r + WIDTH):
            self.F[column] = 0
        return 0

    @cython.cfunc
    @cython.boundscheck(False)
    @cython.exceptval(-2)
    def _init_lane(self, base: cython.longlong) -> cython.int:
        if base < 0 or base + LANE_WIDTH > self.L.shape[0]:
            return self._beyond()
        column: cython.longlong
        for column in range(base, base + LANE_WIDTH):
            self.L[column] = 0
        self.L[base + NEXT] = self.L[base + TURN_ACK] = self.L[base + ACKED] = self.L[base + FINSEQ] = -1
        self.L[base + ISN] = self.L[base + STRAY] = self.L[base + TRUNC_END] = -1
        self.L[base + WANT] = 1
        self.L[base + LIMIT] = self.head_bytes
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _cast_roles(self, r: cython.longlong) -> cython.int:
        """Who began: the sender of SYN, else whoever is not on a responder's port, else the sender of the first packet."""
        sender: cython.longlong = self.p_lane
        if self.p_proto == 6 and self.p_flags & TCP_SYN:
            self.F[r + INIT] = 1 - sender if self.p_flags & TCP_ACK else sender
            if self.p_flags & TCP_ACK:
                self.F[r + FLAGS] |= F_MIDSTREAM
            return 0
        if self.p_proto == 6:
            self.F[r + FLAGS] |= F_MIDSTREAM
        ports: cython.longlong = self.F[r + KPORTS]
        self.F[r + INIT] = 1 - sender if self._responds(self._port(ports, sender), self._port(ports, 1 - sender)) else sender
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _port(self, ports: cython.longlong, lane: cython.longlong) -> cython.longlong:
        return ports & M16 if lane else ports >> 16

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _responds(self, port: cython.longlong, other: cython.longlong) -> cython.bint:
        """Whether whoever is on the first of both ports is the responder."""
        if port == other:
            return False
        marked: cython.longlong = (self.responders[port >> 3] >> (port & 7)) & 1
        if marked != (self.responders[other >> 3] >> (other & 7)) & 1:
            return marked == 1
        if port < 1024 or other < 1024:
            return port < other
        return port < EPHEMERAL_FROM <= other

    # ---------------------------------------------------------------- lists in the order of the last packet

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _link(self, row: cython.longlong, kind: cython.longlong) -> cython.int:
        r: cython.longlong = row * WIDTH
        last: cython.longlong = self.lists[kind * 2 + 1]
        self.F[r + LIST] = kind
        self.F[r + LINKED] = self.now
        self.F[r + PREV] = last
        self.F[r + NEXTROW] = -1
        if last >= 0:
            self.F[last * WIDTH + NEXTROW] = row
        else:
            self.lists[kind * 2] = row
        self.lists[kind * 2 + 1] = row
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _unlink(self, row: cython.longlong) -> cython.int:
        r: cython.longlong = row * WIDTH
        kind: cython.longlong = self.F[r + LIST]
        before: cython.longlong = self.F[r + PREV]
        after: cython.longlong = self.F[r + NEXTROW]
        if before >= 0:
            self.F[before * WIDTH + NEXTROW] = after
        else:
            self.lists[kind * 2] = after
        if after >= 0:
            self.F[after * WIDTH + PREV] = before
        else:
            self.lists[kind * 2 + 1] = before
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _sweep(self) -> cython.bint:
        """End the longest idle flow, if it has been idle for too long; lingering rows just go. Called once a second."""
        kind: cython.longlong
        for kind in range(5):
            row: cython.longlong = self._first_of(kind)
            if row >= 0 and self.clock - self.F[row * WIDTH + LINKED] > self._idle_us(kind):
                if kind == L_LINGER:
                    self._recycle(row)
                else:
                    self._begin_end(row, self._silent_reason(row))
                return True
        self.swept = self.clock
        return False

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _silent_reason(self, row: cython.longlong) -> cython.longlong:
        return R_FIN if self.F[row * WIDTH + KREST] & 0xFF == 6 and self._both_fin(row) else R_IDLE

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _first_of(self, kind: cython.longlong) -> cython.longlong:
        """The head of a list. Flows whose time was ahead of the clock, and was not believed, are as old as the clock."""
        row: cython.longlong = self.lists[kind * 2]
        while row >= 0 and self.F[row * WIDTH + LINKED] > self.clock:
            self._unlink(row)
            self._link(row, kind)
            self.F[row * WIDTH + LINKED] = self.clock
            row = self.lists[kind * 2]
        return row

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _idle_us(self, kind: cython.longlong) -> cython.longlong:
        if kind == L_LINGER:
            return self.linger_us
        return self.udp_idle_us if kind == L_UDP or kind == L_HALF else self.tcp_idle_us

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _oldest(self) -> cython.longlong:
        """The least valuable flow: lingering, then half, then shunted, then the one that was silent longest."""
        if self.lists[L_LINGER * 2] >= 0:
            return self.lists[L_LINGER * 2]
        if self.lists[L_HALF * 2] >= 0:
            return self.lists[L_HALF * 2]
        if self.lists[L_SHUNTED * 2] >= 0:
            return self.lists[L_SHUNTED * 2]
        tcp: cython.longlong = self.lists[L_TCP * 2]
        udp: cython.longlong = self.lists[L_UDP * 2]
        if tcp < 0 or udp < 0:
            return udp if tcp < 0 else tcp
        return udp if self.F[udp * WIDTH + LINKED] <= self.F[tcp * WIDTH + LINKED] else tcp

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _evict(self, row: cython.longlong) -> cython.int:
        r: cython.longlong = row * WIDTH
        if self.F[r + STATE] == LINGER:  # it has ended: nothing is lost
            self._recycle(row)
            return 0
        self.n[C_EVICTED] += 1
        self.F[r + FLAGS] |= F_EVICTED
        return self._begin_end(row, R_EVICTED)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _recycle(self, row: cython.longlong) -> cython.int:
        """Out of its list and its chain; the row is free."""
        r: cython.longlong = row * WIDTH
        bucket: cython.longlong = self.F[r + HASH] & (self.buckets - 1)
        at: cython.longlong = self.heads[bucket] - 1
        self._unlink(row)
        self.F[r + STATE] = FREE
        if at == row:
            self.heads[bucket] = self.F[r + CHAIN]
        else:
            while self.F[at * WIDTH + CHAIN] - 1 != row:
                at = self.F[at * WIDTH + CHAIN] - 1
            self.F[at * WIDTH + CHAIN] = self.F[r + CHAIN]
        self.free_count += 1
        if self.F[r + KREST] & 0xFF == 6:
            self.F[r + NEXTROW], self.free_stream = self.free_stream, row
        else:
            self.F[r + NEXTROW], self.free_datagram = self.free_datagram, row
        return 0

    # ---------------------------------------------------------------- the end of a flow

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _begin_end(self, row: cython.longlong, reason: cython.longlong) -> cython.int:
        self.end_row = row
        self.end_reason = reason
        self.end_lane = 0
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _end(self) -> cython.int:
        """What is kept of both lanes comes out, then END."""
        row: cython.longlong = self.end_row
        if self.F[row * WIDTH + KREST] & 0xFF != 6:
            self.end_lane = 2
        while self.end_lane < 2:
            base: cython.longlong = row * LANES_WIDTH + self.end_lane * LANE_WIDTH
            if self.L[base + PIECES]:
                self.c_row, self.c_lane, self.c_base = row, self.end_lane, base
                self.c_at = self.c_end = 0
                self.c_force = True
                return 0
            lane: cython.longlong = self.end_lane
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _release(self) -> cython.int:
        """The row of a flow whose END has been returned: closed connections linger, so that late segments make no new flow."""
        row: cython.longlong = self.free_row
        self.free_row = -1
        if self.listening:
            self._fold(row * WIDTH)
        if self.F[row * WIDTH + KREST] & 0xFF == 6:
            self._forget(row, 0)
            self._forget(row, 1)
        if self.reason == R_FIN or self.reason == R_RST:
            self._unlink(row)
            self.F[row * WIDTH + STATE] = LINGER
            self._link(row, L_LINGER)
        else:
            self._recycle(row)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _forget(self, row: cython.longlong, lane: cython.longlong) -> cython.int:
        base: cython.longlong = row * LANES_WIDTH + lane * LANE_WIDTH
        if self.L[base + HELD]:
            self._drop_held_of(row, lane, base)
        if self.L[base + PIECES]:
            self._drop_pieces_of(row, lane)
        return 0

    # ---------------------------------------------------------------- days

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _day(self) -> cython.int:
        """The first packet of a flow on a new UTC day: its numbers of the day before go out first."""
        r: cython.longlong = self.p_row * WIDTH
        day: cython.longlong = self.ts_us // DAY_US
        self.stage = S_TRANSPORT
        if day <= self.F[r + DAYNO] or self.F[r + FIRST_FRAME] == 0:
            return 0
        self.F[r + DAYNO] = day
        self.size = 0
        self.p_row = -1 - self.p_row
        if not self.F[r + LABEL] & TOLD:
            return 0
        return self._event(DAY, -1 - self.p_row, 0)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _new_day(self) -> cython.int:
        r: cython.longlong = self.p_row * WIDTH
        if self.listening:
            self._fold(r)
        column: cython.longlong
        for column in range(PK0, LOST + 1):
            self.F[r + column] = 0
        if self.p_proto == 6:
            for column in range(RETRANS, OVERLAP + 1):
                self.L[self.p_row * LANES_WIDTH + column] = self.L[self.p_row * LANES_WIDTH + LANE_WIDTH + column] = 0
        self.F[r + FIRST_TS] = self.ts_us
        self.F[r + FIRST_FRAME] = self.frame
        return 0

    # ---------------------------------------------------------------- what flows were, folded

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fold(self, r: cython.longlong) -> cython.int:
        """What this flow was since it began, or since its last DAY, joins what others of its ends and service were."""
        if self.F[r + FIRST_FRAME] == 0 or not self.days.admits():
            return 0
        init: cython.longlong = self.F[r + INIT] ^ ((self.F[r + LABEL] >> 1) & 1)
        ports: cython.longlong = self.F[r + KPORTS]
        if init:
            ports = (ports & M16) << 16 | ports >> 16
        first: cython.longlong = self.F[r + FIRST_TS]
        last: cython.longlong = self.F[r + LAST_TS]
        one: cython.longlong = self._end_of(r, init)
        other: cython.longlong = self._end_of(r, 1 - init)
        row: cython.longlong = self.days.day(
            first // DAY_US, one, other, self.F[r + KREST] & 0xFF, ports & M16, self.F[r + LABEL] >> 2, self.F[r + SEGMENT]
        )
        self.days.see(row, first, last, self.F[r + FIRST_FRAME], ports >> 16)
        self._add_up(r, row, init)
        self.days.hold(one, first, last)
        if self.F[r + SEEN] == 3:
            self.days.hold(other, first, last)
        self.days_full = self.days.full
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _end_of(self, r: cython.longlong, lane: cython.longlong) -> cython.longlong:
        at: cython.longlong = r + K0 + 4 * lane
        rest: cython.longlong = self.F[r + KREST] & ~0xFF
        return self.days.end(rest, self.F[r + MAC0 + lane], self.F[at], self.F[at + 1], self.F[at + 2], self.F[at + 3])

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _add_up(self, r: cython.longlong, row: cython.longlong, init: cython.longlong) -> cython.int:
        flags: cython.longlong = self.F[r + FLAGS]
        one_sided: cython.longlong = self.F[r + SEEN] != 3
        silent: cython.longlong = self.F[r + BY0] == 0 and self.F[r + BY1] == 0
        self.days.carry(
            row, self.F[r + PK0] + self.F[r + PK1], self.F[r + BY0 + init], self.F[r + BY1 - init],
            self.F[r + COPIED], self.F[r + SKIPPED], self.F[r + LEFT_OUT], self.F[r + LOST],
        )
        self.days.mark(
            row, (flags & F_MIDSTREAM) != 0, one_sided, (flags & F_GAP) != 0, one_sided & silent,
            (flags & F_TRUNCATED) != 0, (flags & F_DUPLICATE) != 0,
        )
        return 0

    # ================================================================ transport

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _transport(self) -> cython.int:
        if self.p_row < 0:
            self.p_row = -1 - self.p_row
            self._new_day()
        self._count_packet()
        if self.p_proto == 17:
            return self._datagram()
        self.stage = S_SEGMENT
        if self.p_flags & TCP_ACK and not self.p_flags & TCP_RST:
            self._acknowledge()
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _count_packet(self) -> cython.int:
        r: cython.longlong = self.p_row * WIDTH
        lane: cython.longlong = self.p_lane
        self.F[r + LAST_TS] = max(self.ts_us, self.F[r + FIRST_TS])
        self.F[r + PK0 + lane] += 1
        self.F[r + BY0 + lane] += self.p_len
        self.F[r + SEEN] |= 1 << lane
        if self.F[r + MAC0 + lane] < 0 or self.F[r + PK0 + lane] == 1:
            self.F[r + MAC0 + lane] = self.p_src_mac
        if self.F[r + MAC1 - lane] < 0:
            self.F[r + MAC1 - lane] = self.p_dst_mac
        if self.p_l4_end - self.p_data < self.p_len:
            self.F[r + FLAGS] |= F_TRUNCATED
        kind: cython.longlong = self._list_of(r)
        since: cython.longlong = self.now - self.F[r + LINKED]
        if kind != self.F[r + LIST] or since >= SWEEP_US or since < 0:
            self._unlink(self.p_row)
            self._link(self.p_row, kind)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _list_of(self, r: cython.longlong) -> cython.longlong:
        """A flow is half as long as one side alone was seen; with TCP, payload makes it whole too."""
        kind: cython.longlong = self.F[r + LIST]
        if kind != L_HALF or (self.F[r + SEEN] != 3 and (self.p_proto == 17 or self.p_len == 0)):
            return kind
        return L_TCP if self.p_proto == 6 else L_UDP

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _datagram(self) -> cython.int:
        r: cython.longlong = self.p_row * WIDTH
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_wanted_datagram(self, r: cython.longlong) -> cython.bint:
        """Whether anybody may want this datagram of a flow that nobody has wanted so far; after a few it is shunted."""
        at: cython.longlong = self.p_data
        if self._is_lead(self.tcp_leads, self.all_leads, at, self.p_l4_end, False):
            return True
        self.F[r + SKIPPED] += self.p_l4_end - at
        self.F[r + UNWANTED] += 1
        if self.F[r + UNWANTED] >= UNWANTED_MAX:
            self._done(self.p_row)
        return False

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_lead(
        self, lead: cython.longlong, last: cython.longlong, at: cython.longlong, end: cython.longlong, stream: cython.bint
    ) -> cython.bint:
        """Whether the bytes there, as far as they go, are those of a lead. Mostly the first one says that they are not."""
        if at < end and not self.firsts[self.w[at] if stream else 256 + self.mem[at]]:
            return False
        first: cython.longlong = self._word(at, end, stream)
        second: cython.longlong = self._word(at + 4, end, stream)
        known: cython.longlong = M32 ^ (M32 >> 8 * min(4, end - at))
        further: cython.longlong = M32 ^ (M32 >> 8 * max(0, min(4, end - at - 4)))
        while lead < last:
            if (
                ((first ^ self.leads[lead]) & self.leads[lead + 1] & known) == 0
                and ((second ^ self.leads[lead + 2]) & self.leads[lead + 3] & further) == 0
            ):
                return True
            lead += 4
        return False

    @cython.cfunc
    @cython.exceptval(-2)
    def _word(self, at: cython.longlong, end: cython.longlong, stream: cython.bint) -> cython.longlong:
        """Four bytes, of the lane under way or of the packet; 0 for those beyond its end."""
        word: cython.longlong = 0
        number: cython.longlong
        for number in range(at, at + 4):
            word = word << 8
            if number < end:
                word |= self.w[number] if stream else self.mem[number]
        return word

    # ---------------------------------------------------------------- TCP

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def _distance(self, seq: cython.longlong, origin: cython.longlong) -> cython.longlong:
        """How far `seq` lies behind `origin`, signed, modulo 2^32 (RFC 9293 3.4)."""
        return ((seq - origin + HALF32) & M32) - HALF32

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _segment(self) -> cython.int:
        """RFC 9293: one segment; what is in order is set up to be consumed."""
        r: cython.longlong = self.p_row * WIDTH
        base: cython.longlong = self.p_row * LANES_WIDTH + self.p_lane * LANE_WIDTH
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _syn(self, r: cython.longlong, base: cython.longlong) -> cython.int:
        if self.p_flags & TCP_ACK:
            self.F[r + FLAGS] |= F_SYNACK
        else:
            self.F[r + FLAGS] = (self.F[r + FLAGS] | F_SYN) & ~F_MIDSTREAM
        self.L[base + ISN] = self.p_seq
        if self.L[base + NEXT] < 0:
            self.L[base + NEXT] = (self.p_seq + 1) & M32
        self.p_seq = (self.p_seq + 1) & M32
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _acknowledge(self) -> cython.int:
        """What the other lane sent was received: a hole of its that is acknowledged will not be filled any more."""
        lane: cython.longlong = 1 - self.p_lane
        other: cython.longlong = self.p_row * LANES_WIDTH + lane * LANE_WIDTH
        base: cython.longlong = self.p_row * LANES_WIDTH + self.p_lane * LANE_WIDTH
        if self.L[base + TURN_ACK] >= 0 and self._distance(self.p_ack, self.L[base + TURN_ACK]) > QUARTER32:
            # gigabytes were heard since this lane spoke: what it acknowledges stays newer than that, modulo 2^32
            self.L[base + TURN_ACK] = (self.p_ack - QUARTER32) & M32
        if self.L[other + ACKED] < 0 or self._distance(self.p_ack, self.L[other + ACKED]) > 0:
            self.L[other + ACKED] = self.p_ack
        if self.L[other + FINSEQ] >= 0 and self.p_ack == (self.L[other + FINSEQ] + 1) & M32:
            self.p_ack = self.L[other + FINSEQ]  # a FIN is no byte: hearing it begins no turn
        if self.L[other + PIECES] and self._give_up_now(other, self.pieces[self.p_row * 2 + lane]):
            self.c_row, self.c_lane, self.c_base = self.p_row, lane, other
            self.c_at = self.c_end = 0
            self.c_force = True
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _reset(self, r: cython.longlong, base: cython.longlong) -> cython.int:
        """RST ends the flow if it could be genuine: within a window of what the lane sends next."""
        if self.L[base + NEXT] >= 0:
            away: cython.longlong = self._distance(self.p_seq, self.L[base + NEXT])
            if away > RST_WINDOW or away < -RST_WINDOW:
                return 0
        self.F[r + FLAGS] |= F_RST
        return self._begin_end(self.p_row, R_RST)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _payload(self, r: cython.longlong, base: cython.longlong) -> cython.int:
        at: cython.longlong = self.p_data
        have: cython.longlong = max(0, self.p_l4_end - at)
        if self.L[base + NEXT] < 0:
            self.L[base + NEXT] = self.p_seq
        ahead: cython.longlong = self._distance(self.p_seq, self.L[base + NEXT])
        if (ahead > BELIEVED_BYTES or ahead < -BELIEVED_BYTES) and self.L[base + MODE] != CLOSED:
            ahead = self._stray(base, ahead)
        if ahead + self.p_len <= 0:
            self.L[base + RETRANS] += 1
            return 0
        if ahead < 0:
            self.L[base + RETRANS] += 1
            at -= ahead
            have += ahead
        elif ahead > 0:
            ahead = self._jump(r, base, ahead)
        if ahead > 0:
            return self._keep(base, have)
        self._truncation(base)
        if have <= 0:
            return 0
        if self.L[base + PIECES]:
            self._compare(base, at, have)
        self.L[base + NEXT] = (self.L[base + NEXT] + have) & M32
        if self.w_other:
            self.w = self.mem
            self.w_other = False
        self._turn(base, self.p_ack, (self.p_flags & TCP_ACK) != 0, self.ts_us)
        self.c_row, self.c_lane, self.c_base = self.p_row, self.p_lane, base
        self.c_at, self.c_end = at, at + have
        self.c_force = False
        return 0

    @cython.cfunc
    def _compare(self, base: cython.longlong, at: cython.longlong, have: cython.longlong):
        """Bytes in order against those kept for the same place."""
        kept = self.pieces[self.p_row * 2 + self.p_lane]
        offset_of = _offset_from(self.L[base + NEXT])
        low, high = touching(kept, 0, have, offset_of)
        if low < high:
            flat = [(offset_of(piece), piece[1]) for piece in kept[low:high]]
            self.L[base + OVERLAP] += conflicts(flat, 0, self._packet_bytes(at, at + have))

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _stray(self, base: cython.longlong, ahead: cython.longlong) -> cython.longlong:
        """A segment far from where the lane is: believed when a second one follows it. Returns how far ahead it is now."""
        believed: cython.bint = self.L[base + STRAY] == self.p_seq
        self.L[base + STRAY] = (self.p_seq + self.p_len) & M32
        if not believed:
            self.n[C_STRAY] += 1
            return -self.p_len
        if ahead > 0 and self.L[base + MODE] != READ:
            return ahead
        self._restart(base)
        return 0

    @cython.cfunc
    def _restart(self, base: cython.longlong):
        """The lane goes on somewhere else; how much is missing cannot be known."""
        self._drop_pieces_of(self.p_row, self.p_lane)
        self.L[base + NEXT] = self.p_seq
        self.L[base + FINSEQ] = -1
        self.L[base + LEFT] = self.L[base + OVERRUN] = 0
        self.L[base + MODE] = READ
        self.L[base + GAPSIZE] = 1

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _truncation(self, base: cython.longlong) -> cython.int:
        """The capture cut the packet short: what is missing will never come, so its hole need not be waited for."""
        if self.p_l4_end - self.p_data < self.p_len:
            self.L[base + TRUNC_END] = (self.p_seq + self.p_len) & M32
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _jump(self, r: cython.longlong, base: cython.longlong, ahead: cython.longlong) -> cython.longlong:
        """A hole inside what is left out anyway is no gap: go on behind it. Returns how far ahead the segment still is."""
        mode: cython.longlong = self.L[base + MODE]
        if mode == SKIP and ahead <= self.L[base + LEFT]:
            self.L[base + LEFT] -= ahead
            self.F[r + SKIPPED] += ahead
            if self.L[base + LEFT] == 0:
                self.L[base + MODE] = READ
        elif mode == DRAIN and not self._is_new_turn(base, self.p_ack, (self.p_flags & TCP_ACK) != 0, self.ts_us):
            self.F[r + SKIPPED] += ahead
        elif mode == OVER and not self._is_new_turn(base, self.p_ack, (self.p_flags & TCP_ACK) != 0, self.ts_us):
            self.L[base + OVERRUN] += ahead
            self.F[r + LEFT_OUT] += ahead
        elif mode != CLOSED:
            return ahead
        self.L[base + NEXT] = self.p_seq
        if self.L[base + PIECES]:
            self._drop_old_pieces(base)
        return 0

    @cython.cfunc
    def _drop_old_pieces(self, base: cython.longlong):
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
        self.L[base + PIECES] = len(kept)

    # ---------------------------------------------------------------- turns and budgets

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_new_turn(self, base: cython.longlong, ack: cython.longlong, acks: cython.bint, ts: cython.longlong) -> cython.bint:
        if self.L[base + TURN] == 0:
            return True
        if acks and (self.L[base + TURN_ACK] < 0 or self._distance(ack, self.L[base + TURN_ACK]) > 0):
            return True
        return ts - self.L[base + DATA_TS] > self.turn_idle_us

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _turn(self, base: cython.longlong, ack: cython.longlong, acks: cython.bint, ts: cython.longlong) -> cython.int:
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _fresh_head(self, base: cython.longlong) -> cython.int:
        """A new budget. What is held of a message that began before counts, and the message may be read to its end."""
        pending: cython.longlong = self.L[base + WANT] if self.L[base + HELD] else 0
        carried: cython.longlong = self.L[base + LIMIT] - self.L[base + USED]
        raised: cython.bint = self.L[base + LIMIT] > self.head_bytes
        self.L[base + USED] = self.L[base + HELD]
        self.L[base + LIMIT] = self.head_bytes
        self._raise(base, pending)
        if raised:
            self._raise(base, self.L[base + USED] + carried)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _raise(self, base: cython.longlong, needed: cython.longlong) -> cython.int:
        self.L[base + LIMIT] = max(self.L[base + LIMIT], min(needed, self.head_max))
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _leave(self, base: cython.longlong, mode: cython.longlong) -> cython.int:
        self.L[base + MODE] = mode
        self.L[base + WANT] = 1
        self.L[base + LEFT] = 0
        return 0

    # ---------------------------------------------------------------- bytes

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _consume(self) -> cython.int:
        """Let the lane's mode decide about the bytes under way, and about kept segments that follow them."""
        base: cython.longlong = self.c_base
        while True:
            if self.L[base + GAPSIZE]:
                return self._gap(base)
            if self.c_at >= self.c_end:
                if not self.L[base + PIECES] or not self._next_piece(base):
                    self.c_row = -1
                    return 0
                continue
            mode: cython.longlong = self.L[base + MODE]
            event: cython.int = 0
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _gap(self, base: cython.longlong) -> cython.int:
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
        return self._event(GAP, self.c_row, self.c_lane)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _read(self, base: cython.longlong) -> cython.int:
        """Deliver, or hold until enough is there; past the turn's budget leave the rest of it out."""
        if self._is_unknown(self.c_row * WIDTH) and not self._is_wanted(base):
            return 0
        room: cython.longlong = self.L[base + LIMIT] - self.L[base + USED]
        if room <= 0:
            self.L[base + OVERRUN] = self.L[base + HELD]
            self.F[self.c_row * WIDTH + LEFT_OUT] += self.L[base + HELD]
            self._drop_held_of(self.c_row, self.c_lane, base)
            self.L[base + MODE] = OVER
            return 0
        n: cython.longlong = min(self.c_end - self.c_at, room)
        at: cython.longlong = self.c_at
        self.c_at += n
        self.L[base + USED] += n
        self.F[self.c_row * WIDTH + COPIED] += n
        self.n[C_COPIED] += n
        if self.L[base + HELD] == 0 and n >= self.L[base + WANT]:
            self.payload = self._lane_bytes(at, at + n)
            return self._data(self.c_row, self.c_lane, base)
        if self._hold(base, at, n) and self.L[base + HELD] >= self.L[base + WANT]:
            return self._deliver_held(self.c_row, self.c_lane, base)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _is_wanted(self, base: cython.longlong) -> cython.bint:
        """Whether anybody may want a lane that nobody has wanted so far; if not, its turn is left out."""
        at: cython.longlong = self.c_at
        if self._is_lead(0, self.tcp_leads, at, self.c_end, True):
            self.F[self.c_row * WIDTH + UNWANTED] = 0
            return True
        self._leave(base, DRAIN)
        self.L[base + OVERRUN] = 0
        return False

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _data(self, row: cython.longlong, lane: cython.longlong, base: cython.longlong) -> cython.int:
        self.size = len(self.payload)
        self.turn = self.L[base + TURN]
        self.L[base + WANT] = 1
        return self._event(DATA, row, lane)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _skip_bytes(self, base: cython.longlong) -> cython.int:
        n: cython.longlong = min(self.c_end - self.c_at, self.L[base + LEFT])
        self.c_at += n
        self.L[base + LEFT] -= n
        self.F[self.c_row * WIDTH + SKIPPED] += n
        if self.L[base + LEFT] == 0:
            self.L[base + MODE] = READ
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _search(self, base: cython.longlong) -> cython.int:
        """Roll over the bytes until the last ones are the mark."""
        r: cython.longlong = self.c_row * WIDTH
        start: cython.longlong = self.c_at
        roll: cython.longlong = self.L[base + ROLL]
        rolled: cython.longlong = self.L[base + ROLLED]
        mark: cython.longlong = self.L[base + MARK]
        mask: cython.longlong = self.L[base + MARKMASK]
        length: cython.longlong = self.L[base + MARKLEN]
        stop: cython.longlong = min(self.c_end, start + self.L[base + LEFT])
        found: cython.bint = False
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

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _found_mark(self, base: cython.longlong) -> cython.int:
        """A fresh head begins; after very many in one turn only each so many-th."""
        self.L[base + HEADS] += 1
        self.L[base + ROLLED] = 0
        heads: cython.longlong = self.L[base + HEADS]
        if heads <= self.sample_after or heads % self.sample_each == 0:
            self.L[base + MODE] = READ
            self.L[base + USED] = 0
            self.L[base + LIMIT] = self.head_bytes
        else:
            self.L[base + LEFT] = self.L[base + SEARCH_LIMIT]
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _leave_out(self, base: cython.longlong) -> cython.int:
        r: cython.longlong = self.c_row * WIDTH
        n: cython.longlong = self.c_end - self.c_at
        self.c_at = self.c_end
        if self.L[base + MODE] == OVER:
            self.L[base + OVERRUN] += n
            self.F[r + LEFT_OUT] += n
        else:
            self.F[r + SKIPPED] += n
        return 0

    # ---------------------------------------------------------------- bytes held for a lane that wants more of them

    @cython.cfunc
    def _hold(self, base: cython.longlong, at: cython.longlong, n: cython.longlong) -> cython.bint:
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

    @cython.cfunc
    def _deliver_held(self, row: cython.longlong, lane: cython.longlong, base: cython.longlong) -> cython.int:
        buffer = self.held.pop(row * 2 + lane)
        self.held_bytes -= len(buffer) + OVERHEAD
        self.L[base + HELD] = 0
        self.payload = bytes(buffer)
        return self._data(row, lane, base)

    @cython.cfunc
    def _deliver_ready(self) -> cython.int:
        """A lane whose dissector now wants less than is held for it."""
        row, lane = self.ready.pop()
        base: cython.longlong = self._lane(row, lane)
        if self.L[base + HELD] == 0 or self.L[base + HELD] < self.L[base + WANT] or self.L[base + MODE] != READ:
            return 0
        return self._deliver_held(row, lane ^ self.F[row * WIDTH + INIT], base)

    @cython.cfunc
    def _drop_held(self, row, lane):
        """For a lane counted from the initiator."""
        base: cython.longlong = self._lane(row, lane)
        if self.L[base + HELD]:
            self._drop_held_of(row, lane ^ self.F[row * WIDTH + INIT], base)

    @cython.cfunc
    def _drop_held_of(self, row: cython.longlong, lane: cython.longlong, base: cython.longlong):
        buffer = self.held.pop(row * 2 + lane, None)
        if buffer is not None:
            self.held_bytes -= len(buffer) + OVERHEAD
        self.L[base + HELD] = 0

    @cython.cfunc
    def _trim_held(self, row, lane, n):
        """Drop the first `n` held bytes, of a lane counted from the initiator."""
        base: cython.longlong = self._lane(row, lane)
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

    @cython.cfunc
    def _evict_bytes(self):
        """Too much is held: whoever has held bytes longest loses them, as if they had been over the budget."""
        self.n[C_EVICTED_BYTES] += 1
        if self.held and (not self.pieces or self.held_bytes >= self.pieces_bytes):
            key = next(iter(self.held))
            row, lane = key // 2, key % 2
            base = row * LANES_WIDTH + lane * LANE_WIDTH
            self.L[base + OVERRUN] = self.L[base + HELD]
            self.F[row * WIDTH + LEFT_OUT] += self.L[base + HELD]
            self._drop_held_of(row, lane, base)
            if self.L[base + MODE] == READ:
                self.L[base + MODE] = OVER
        else:
            key = next(iter(self.pieces))
            self._drop_pieces_of(key // 2, key % 2)

    # ---------------------------------------------------------------- segments kept until the hole before them is filled

    @cython.cfunc
    def _keep(self, base: cython.longlong, have: cython.longlong):
        """Keep a segment that is ahead, then see whether the hole before it has to be given up."""
        key = self.p_row * 2 + self.p_lane
        kept = self.pieces.setdefault(key, [])
        if not kept:
            self.L[base + HOLE_TS] = self.ts_us
            self.L[base + AFTER_HOLE] = 0
        self.L[base + AFTER_HOLE] += 1
        self.L[base + REORD] += 1
        self._truncation(base)
        acks = bool(self.p_flags & TCP_ACK)
        data = bytearray(self._packet_bytes(self.p_data, self.p_data + have))
        start = self._distance(self.p_seq, self.L[base + NEXT])
        offset_of = _offset_from(self.L[base + NEXT])
        low, high = touching(kept, start, start + len(data), offset_of)
        near = kept[low:high]
        flat = [(offset_of(piece), piece[1]) for piece in near]
        self.L[base + OVERLAP] += conflicts(flat, start, data)
        for offset, new in uncovered(flat, start, data):
            seq = (self.L[base + NEXT] + offset) & 0xFFFFFFFF
            near.append((seq, bytearray(new), self.p_ack, acks, self.ts_us))
            self.pieces_bytes += len(new) + OVERHEAD
            self.L[base + PIECE_BYTES] += len(new)
        kept[low:high] = sorted(near, key=offset_of)
        self.L[base + PIECES] = len(kept)
        if not kept:
            del self.pieces[key]
            return 0
        while self.held_bytes + self.pieces_bytes > self.buffer_bytes:
            self._evict_bytes()
        if self.L[base + PIECES] and self._give_up_now(base, kept):
            self.c_row, self.c_lane, self.c_base = self.p_row, self.p_lane, base
            self.c_at = self.c_end = 0
            self.c_force = True
        return 0

    @cython.cfunc
    def _give_up_now(self, base: cython.longlong, kept):
        if self.L[base + PIECES] > PIECES_MAX or self.L[base + PIECE_BYTES] > PIECE_BYTES_MAX:
            return True
        if self.L[base + TRUNC_END] >= 0 and self._distance(self.L[base + TRUNC_END], kept[0][0]) == 0:
            return True
        if self.L[base + ACKED] < 0 or self._distance(self.L[base + ACKED], kept[0][0]) < 0:
            return False
        return self.ts_us - self.L[base + HOLE_TS] > HOLE_US or self.L[base + AFTER_HOLE] > HOLE_SEGMENTS

    @cython.cfunc
    def _next_piece(self, base: cython.longlong) -> cython.bint:
        """Set up the next kept segment, if it is in order, or the hole before it is given up."""
        key = self.c_row * 2 + self.c_lane
        r: cython.longlong = self.c_row * WIDTH
        kept = self.pieces[key]
        seq, data, ack, acks, ts = kept[0]
        ahead: cython.longlong = self._distance(seq, self.L[base + NEXT])
        if ahead > 0 and not self.c_force:
            self.L[base + HOLE_TS] = self.ts_us
            self.L[base + AFTER_HOLE] = 0
            return False
        self.c_force = self.end_row >= 0
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
        self._turn(base, ack, acks, ts)
        self.w = memoryview(data)
        self.w_other = True
        self.c_at, self.c_end = -ahead, len(data)
        return True

    @cython.cfunc
    def _give_up(self, r, base, ahead, ack, acks, ts):
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

    @cython.cfunc
    def _drop_pieces_of(self, row, lane):
        base = row * LANES_WIDTH + lane * LANE_WIDTH
        for piece in self.pieces.pop(row * 2 + lane, ()):
            self.pieces_bytes -= len(piece[1]) + OVERHEAD
        self.L[base + PIECES] = 0
        self.L[base + PIECE_BYTES] = 0

    # ---------------------------------------------------------------- after a segment

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _close(self) -> cython.int:
        """Both lanes have sent FIN and all before it was read, or the other lane is not there to be seen: END."""
        r: cython.longlong = self.p_row * WIDTH
        self.stage = S_FETCH
        if not self.F[r + FLAGS] & F_FIN or self.F[r + STATE] != LIVE:
            return 0
        if self._closed(self.p_row, 0) and self._closed(self.p_row, 1):
            return self._begin_end(self.p_row, R_FIN)
        if self._both_fin(self.p_row) and self.F[r + LIST] != L_HALF:
            # something before a FIN is missing: it may still come, but not for an hour
            self._unlink(self.p_row)
            self._link(self.p_row, L_HALF)
        return 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _both_fin(self, row: cython.longlong) -> cython.bint:
        first: cython.longlong = row * LANES_WIDTH
        return self.L[first + FINSEQ] >= 0 and self.L[first + LANE_WIDTH + FINSEQ] >= 0

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _closed(self, row: cython.longlong, lane: cython.longlong) -> cython.bint:
        base: cython.longlong = row * LANES_WIDTH + lane * LANE_WIDTH
        if not (self.F[row * WIDTH + SEEN] >> lane) & 1:
            return True
        return self.L[base + FINSEQ] >= 0 and self._distance(self.L[base + NEXT], self.L[base + FINSEQ]) >= 0


def _firsts(leads):
    """For each first byte, whether any of these begins with it."""
    found = bytearray(256)
    for value, mask in leads:
        for byte in range(256):
            found[byte] |= not mask or (byte ^ value[0]) & mask[0] == 0
    return found


def _offset_from(origin):
    """Sort key: how far a kept segment lies behind `origin`, modulo 2^32."""

    def key(piece):
        return ((piece[0] - origin + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    return key
