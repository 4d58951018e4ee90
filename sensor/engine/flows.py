# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False, binding=False
"""Flows under way: takes the engine's events, does again what is known, and asks for a `Step` where something is new.

Theory of operation
-------------------
This is the loop between the engine and all that reads. `Flows.step` takes events of the engine until one is for whoever
fills its window. It is Python source compiled by Cython, types in the .pxd, and wakes Python only where something is new;
the same file interpreted does the same.

Each event is about a `Flow`, which is opened at its first one. What is to be done is a `Step` (`courses`): a run of bytes
that conversations have said at this point before has one already. For all else `reader` (`sensor.dispatch`) feeds a
session, which says what it stated and what it needs next: one call in, one step out. Then the step is done, whoever made
it: the flow goes to its next node or leaves the way of others, its label changes, its words are said, the engine is told.

Words that were said before at a place are counted where they were counted then (`Counted`, which is the fold's: it
empties it when it drains). Others are told. Flows between the same ends share a `Pair`, which finds the counts again.

What sessions hold is weighed after each event that is read, and so are facts that are kept for midnight and nobody else
keeps. Where all that is too much, whoever was fed longest ago lets go: first of the facts, then of the bytes, at last of
the session.
"""

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

# Constants. The compiler has them from flows.pxd, so that they are constants in C too.
if not cython.compiled:
    from sensor.engine._cy import PREFETCH
    from sensor.engine.courses import Node

    # events, and bits of the engine's flags (as in __init__)
    DATA = 1
    DATAGRAM = 2
    GAP = 3
    DAY = 4
    END = 5
    MIDSTREAM = 16
    ONE_SIDED = 32
    GAP_SEEN = 64
    TRUNCATED = 128
    DUPLICATE = 1024
    UNLISTEN = 2  # see `Step.last`
    TCP = 6
    STATED_MAX = 256
    FACT_BYTES = 512
    PAIRS_MAX = 65_536
    ROWS_MIN = 1_024
    EVENTS_MAX = 4_096
    DAY_US = 86_400_000_000
    MIDSTREAM_ROOT = 4_294_967_296


@cython.no_gc
@cython.cclass
class Pair:
    """What flows have in common that are between the same ends, and at the same service.

    Attributes:
        ends: who talks with whom.
        day, protocol, counted: where something was said last; what counts words there, if anything does.
    """

    def __init__(self, ends):
        self.ends = ends
        self.day, self.protocol, self.counted = -1, "", None


@cython.freelist(256)
@cython.no_gc  # a session does not know its flow
@cython.cclass
class Flow:
    """A conversation under way.

    Attributes:
        row: of the engine.
        midstream, gap: its beginning, or something of it, was not seen.
        session: what reads it; None while it goes the way of others, and when it is done.
        held_bytes: what that one holds, objects included.
        node, runs: where it is on that way, and what it has said; None when it has left it.
        leaving: bits of the lanes of which the engine carries out a demand.
        done: nothing more of it is read.
        ports: the initiator's and the responder's as the engine has them, 16 bits each.
        pair, ends, port: who talks with whom as far as is known, and the initiator's port.
        protocol, label: of the conversation; the engine folds it under the label.
        ts_us, frame: of what was heard last of it.
        stated: the words that have to be restated at midnight, or None; `stated_count` facts, -1 when there is no room
            for more; `stated_bytes` is what they take, but for known words, which are others' too.
        counted, said: what counts its words, and how many of them it has counted so far.
        weighed: how much of both is in the sum of all.
    """

    def begin(self, row, pair, ports, flags):
        """A new one. (An `__init__` would take numbers as objects.)"""
        self.row, self.pair, self.ends, self.ports = row, pair, pair.ends, ports
        self.port = self.ports >> 16
        self.is_tcp = self.ends.transport == TCP
        self.midstream, self.gap = flags & MIDSTREAM != 0, flags & GAP_SEEN != 0
        self.session, self.held_bytes, self.weighed = None, 0, 0
        self.node = self.runs = None
        self.leaving = 0
        self.done = False
        self.protocol, self.label = "", 0
        self.stated, self.stated_count, self.stated_bytes = None, 0, 0
        self.day, self.counted, self.said = 0, None, 0


class Reader:
    """Reads what is new. `sensor.dispatch` is what is behind it; it is a class so that asking it is no call into Python."""

    def ends_of(self, key):
        """Who talks with whom, as the engine's `ends` says it."""
        raise NotImplementedError

    def read(self, flow, lane, turn, data):
        """Bytes that no conversation has said here before."""
        raise NotImplementedError

    def read_datagram(self, flow, lane, data):
        """A datagram."""
        raise NotImplementedError

    def miss(self, flow, lane):
        """Bytes are missing."""
        raise NotImplementedError

    def end(self, flow):
        """Nothing follows."""
        raise NotImplementedError

    def let_go(self, flow):
        """Sessions hold too much, and this one was fed longest ago."""
        raise NotImplementedError

    def condense(self, flow):
        """So many words were stated that only some are kept for midnight."""
        raise NotImplementedError

    def say(self, flow, words, quality, continued):
        """Tell what was said just now; returns what counts known words at its place, if anything does."""
        raise NotImplementedError


class Flows:
    """All flows of one engine; its length is how many are under way.

    Args:
        engine: gives the events.
        reader: reads what is new.
        qualities: of conversations, by the number that their flags make: the first one counts 16.
        roots: where conversations that begin alike begin; see `_root`.
        hints: ports that may hint at a protocol.
        held_max_bytes: what all sessions together may hold, and facts for midnight.
        courses_max: how many flows may go the way of others at a time.
        runs_max_bytes: what these may have said; then they leave it.

    Attributes:
        courses: how many of them go the way of others.
        is_crowded: they have said more than is kept.
        known: runs that were met before.
        unkept: facts that could not be kept for midnight.
    """

    def __init__(self, engine, reader, qualities, roots, hints, held_max_bytes, courses_max, runs_max_bytes):
        self.engine, self.reader, self.qualities = engine, reader, tuple(qualities)
        self.roots = roots
        hinted = bytearray(65_536)
        for port in hints:
            hinted[port] = True
        self.hinted = bytes(hinted)
        self.held_max_bytes, self.courses_max, self.runs_max_bytes = held_max_bytes, courses_max, runs_max_bytes
        self.rows, self.count = [], 0
        self.pairs, self.held = {}, {}
        self.newest = None
        self.held_bytes = self.courses = self.run_bytes = self.known = self.unkept = 0
        self.is_crowded = False

    def __len__(self):
        return self.count

    # ------------------------------------------------------------------ events

    def step(self):
        """Go on until an event is not about a flow; returns that one, or the last of `EVENTS_MAX` flows' events."""
        event: cython.int = 0
        count: cython.int
        for count in range(EVENTS_MAX):
            event = self.engine.step()
            if event == DATA:
                self._hear()
            elif event == DATAGRAM:
                self._hear_datagram()
            elif event == GAP:
                self._miss()
            elif event == DAY:
                self._begin_day()
            elif event == END:
                self._end()
            else:
                break
        return event

    def _hear(self):
        """A run of bytes."""
        engine: EventSource = self.engine
        flow: Flow = self._heard()
        if flow.done:
            return
        data: bytes = engine.payload
        step: Step = None
        counted = flow.pair.counted if flow.counted is None else flow.counted
        if cython.compiled:
            PREFETCH(cython.cast(cython.p_void, counted))
            PREFETCH(cython.cast(cython.p_char, cython.cast(cython.p_void, counted)) + 64)
            PREFETCH(cython.cast(cython.p_char, cython.cast(cython.p_void, counted)) + 128)
        if flow.node is not None and not self.is_crowded:
            step = flow.node.find(engine.lane, engine.turn, data, flow.runs)
        if step is None:
            self._go(flow, self.reader.read(flow, engine.lane, engine.turn, data), data)
            self._weigh(flow)
            return
        self.known += 1
        if counted is not None:
            counted.ask_ahead(flow.said)
        if flow.session is not None:
            self._drop_session(flow)
        self._go(flow, step, data)

    def _hear_datagram(self):
        """A session of datagrams holds about the same all the time: it is weighed when it comes and when it goes."""
        engine: EventSource = self.engine
        flow: Flow = self._heard()
        if flow.done:
            return
        is_new: cython.bint = flow.session is None
        stated_bytes: cython.longlong = flow.stated_bytes
        self._go(flow, self.reader.read_datagram(flow, engine.lane, engine.payload), None)
        if is_new or flow.session is None or flow.stated_bytes != stated_bytes:
            self._weigh(flow)

    def _miss(self):
        """Bytes are missing."""
        flow: Flow = self._heard()
        if not flow.done:
            self._go(flow, self.reader.miss(flow, self.engine.lane), None)
            self._weigh(flow)

    def _begin_day(self):
        """What the flow has stated is stated again for the new day."""
        flow: Flow = self._heard()
        if flow.stated is not None:
            self._condense(flow)
            for words in flow.stated or ():
                self.reader.say(flow, words, self._quality(flow), True)
            self._weigh(flow)

    def _end(self):
        """What is said now is of what was heard last: the packet under way may be others'."""
        flow: Flow = self._flow()
        if not flow.done:
            step: Step = flow.node.end if flow.node is not None else None
            self._go(flow, self.reader.end(flow) if step is None else step, None)
        self._drop(flow)
        flow.stated_bytes = 0
        self._drop_session(flow)

    # ------------------------------------------------------------------ flows

    def _flow(self):
        """The flow that the event is about."""
        row: cython.longlong = self.engine.flow
        flow = self.rows[row] if row < len(self.rows) else None
        return self._open(row) if flow is None else flow

    def _heard(self):
        """The flow, of which something was heard just now."""
        engine: EventSource = self.engine
        flow: Flow = self._flow()
        flow.ts_us, flow.frame = engine.ts_us, engine.frame
        return flow

    def _open(self, row):
        """A flow that nothing was heard of so far."""
        engine: EventSource = self.engine
        key: bytes = engine.ends(row)
        pair = self.pairs.get(key)
        if pair is None:
            pair = self._pair(key, self.reader.ends_of(key))
        flow: Flow = Flow()
        flow.begin(row, pair, engine.ports(row), engine.flags(row))
        flow.ts_us, flow.frame = engine.ts_us, engine.frame
        if flow.is_tcp and not flow.gap and self.courses < self.courses_max and not self.is_crowded:
            self.courses += 1
            flow.node, flow.runs = self._root(flow.midstream, flow.ports), []
        if row >= len(self.rows):
            self.rows += [None] * max(ROWS_MIN, row + 1)
        self.rows[row] = flow
        self.count += 1
        return flow

    def _pair(self, key, ends):
        """A new pair."""
        if len(self.pairs) >= PAIRS_MAX:
            self.pairs.clear()
        pair = self.pairs[key] = Pair(ends)
        return pair

    def _root(self, midstream, ports):
        """Where conversations begin that a session is told the same of: whether in their midst, and which ports hint."""
        key: cython.longlong = MIDSTREAM_ROOT if midstream else 0
        if self.hinted[ports >> 16]:
            key |= ports & 0xFFFF0000
        if self.hinted[ports & 0xFFFF]:
            key |= ports & 0xFFFF
        node = self.roots.get(key)
        if node is None:
            node = self.roots[key] = Node()
        return node

    def _drop(self, flow):
        """Nothing more is heard of the flow."""
        if self.rows[flow.row] is flow:
            self.rows[flow.row] = None
            self.count -= 1

    def _drop_session(self, flow):
        """It has not heard the last bytes; another one is made when there is something new."""
        flow.session, flow.held_bytes = None, 0
        self._weigh(flow)

    # ------------------------------------------------------------------ steps

    def _go(self, flow, step, data):
        """Do what a session did (with `data`): say its words, tell the engine."""
        if step.node is not None:
            self._keep_run(step.node.size - flow.node.size)
            flow.node = step.node
            flow.runs.append(data)
        elif flow.node is not None:
            self._keep_run(-flow.node.size)
            flow.node = flow.runs = None
            self.courses -= 1
        if step.label != flow.label:
            self._relabel(flow, step)
        for each in step.names:
            name: Name = each
            self._state(flow, name.words(data))
        if step.words is not None:
            self._state(flow, step.words)
        step.tell(self.engine, flow.row)
        if step.ends:
            self._finish(flow)

    def _keep_run(self, more):
        """A run is kept, or the runs of a flow that leaves the way of others are not any more."""
        self.run_bytes += more
        self.is_crowded = self.run_bytes >= self.runs_max_bytes

    def _relabel(self, flow, step):
        """The conversation is known as something else; an odd label says that its roles are swapped."""
        if (step.label ^ flow.label) & 1:
            flow.ends, flow.port = flow.ends.swapped(flow.port), flow.ends.port
            pair = self.pairs.get(flow.ends)
            flow.pair = self._pair(flow.ends, flow.ends) if pair is None else pair
        flow.label, flow.protocol, flow.counted = step.label, step.protocol, None
        self.engine.label(flow.row, step.label)

    def _finish(self, flow):
        """Nothing more of this flow is read; what it has stated is kept for midnight."""
        flow.done, flow.session, flow.held_bytes = True, None, 0
        if not flow.stated:
            self.engine.forget(flow.row)
            self._drop(flow)

    # ------------------------------------------------------------------ what is said

    def _state(self, flow, words):
        """Say words, and keep them for midnight."""
        if flow.stated is None:
            flow.stated = []
        if flow.stated_count >= 0 and not (flow.stated and flow.stated[len(flow.stated) - 1] is words):
            flow.stated.append(words)
            flow.stated_count += len(words.facts)
            flow.stated_bytes += self._weight(words)
            if flow.stated_count >= STATED_MAX:
                self._condense(flow)
        self._say(flow, words)

    def _weight(self, words):
        return 0 if words.known else FACT_BYTES * len(words.facts)

    def _condense(self, flow):
        """Keep only some of what was stated."""
        self.reader.condense(flow)
        flow.stated_bytes = 0
        for words in flow.stated or ():
            flow.stated_bytes += self._weight(words)

    def _unstate(self, flow):
        """What was stated today is not restated tomorrow."""
        self.unkept += max(flow.stated_count, 0)
        flow.stated, flow.stated_count, flow.stated_bytes = None, -1, 0
        if flow.done:
            self.engine.forget(flow.row)
            self._drop(flow)

    def _say(self, flow, words):
        """Words that were said before at this place are counted; others are told."""
        day: cython.longlong = flow.ts_us // DAY_US
        quality = self._quality(flow)
        pair: Pair = flow.pair
        if flow.counted is None or flow.day != day:
            flow.counted = pair.counted if pair.day == day and pair.protocol is flow.protocol else None
            flow.day, flow.said = day, 0
        before = flow.counted
        flow.said += 1
        if before is not None:
            seen: Seen = before.in_turn(flow.said - 1, words)
            if seen is not None and flow.ts_us >= seen.ts_us:
                seen.again(flow.ts_us, quality)
                return
        flow.counted = self.reader.say(flow, words, quality, False)
        if flow.counted is not None and flow.counted is not before:
            pair.day, pair.protocol, pair.counted = day, flow.protocol, flow.counted

    def _quality(self, flow):
        """A first datagram is always alone: only TCP tells that the other side should have been seen by now."""
        flags: cython.longlong = self.engine.flags(flow.row)
        number: cython.longlong = 0
        if flow.midstream:
            number |= 16
        if flow.gap:
            number |= 8
        if flow.is_tcp and flags & ONE_SIDED:
            number |= 4
        if flags & TRUNCATED:
            number |= 2
        if flags & DUPLICATE:
            number |= 1
        return self.qualities[number]

    # ------------------------------------------------------------------ what sessions hold

    def _weigh(self, flow):
        """What a flow holds after it was fed. Where all hold too much, the one that was fed longest ago lets go."""
        more: cython.longlong = flow.held_bytes + flow.stated_bytes - flow.weighed
        if more == 0 and (flow is self.newest or flow.weighed == 0):
            return
        self.held_bytes += more
        flow.weighed += more
        self._order(flow)
        if flow.weighed == 0:
            return
        while self.held_bytes > self.held_max_bytes:
            self._let_go(next(iter(self.held.values())))

    def _order(self, flow):
        """The flow was fed last of all that hold something; or it holds nothing any more."""
        if flow is not self.newest:
            self.held.pop(flow.row, None)
        if flow.weighed == 0:
            self.held.pop(flow.row, None)
            self.newest = None if flow is self.newest else self.newest
        elif flow is not self.newest:
            self.held[flow.row] = self.newest = flow

    def _let_go(self, flow):
        """Facts go first. Then what its lanes hold: they go on after a gap. Who holds nothing goes, and may join in again."""
        if flow.stated_bytes > 0:
            self._unstate(flow)
            self._weigh(flow)
            return
        step: Step = self.reader.let_go(flow)
        self._go(flow, step, None)
        if step.ends and step.last == UNLISTEN:
            flow.midstream, flow.gap, flow.done, flow.leaving = True, True, False, 0
        self._weigh(flow)
