# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, infer_types=True, auto_pickle=False
"""The quick half of recall: known runs of bytes are taken here, and wake no Python.

Theory of operation
-------------------
`sensor.recall` says what is recalled and why; it learns, and this module finds again. Like `core` it is Python source
compiled by Cython in pure Python mode, bounds checks on, and the same file interpreted does the same.

A `Node` is a point that conversations come to. Of the way there it knows all but the bytes: which lanes spoke in which
turns, and where their blanks were. So a conversation on its way is one reference to a node and the list of its runs.

A `Shape` is what a node knows of runs of one length with the same blanks. The key of a step is what stands outside of
the blanks, and for each blank the number of the first earlier one that holds the same (0: none does). Keys are compared
in full, in a dictionary whose hash is keyed: nobody makes two runs equal, or all of them slow, by choosing bytes.

A `Recaller` is given each run that the engine delivers. Where it finds the step, it does what the step says: words are
counted where they were counted before (`Seen`; `places` are the fold's, which empties them when it drains), the engine
is told what to leave out. All else it hands on to dispatch
(`Owner`): flows that are new, runs that are not known, words that are new at their place.
"""

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

COMPILED = cython.compiled

# Constants. The compiler has them from recall.pxd, so that they are constants in C too.
if not cython.compiled:
    MARK_BYTES = 4
    TURNS_MAX = 1_048_576
    STATED_MAX = 256
    PLACES_MAX = 32_768
    TCP = 6
    ONE_SIDED = 32
    TRUNCATED = 128
    DUPLICATE = 1024
    DAY_US = 86_400_000_000
    HOUR_US = 3_600_000_000


@cython.final
@cython.no_gc  # what it holds never leads back to it
@cython.cclass
class Seen:
    """When and how often something was said at a place, in which quality, and the evidence of the first time.

    Made of what was said first, which still has to be counted.
    """

    first = cython.declare(cython.longlong, visibility="public")
    last = cython.declare(cython.longlong, visibility="public")
    n = cython.declare(cython.longlong, visibility="public")
    hours = cython.declare(cython.longlong, visibility="public")
    quality = cython.declare(object, visibility="public")
    frame = cython.declare(cython.longlong, visibility="public")
    ends = cython.declare(object, visibility="public")
    port = cython.declare(cython.longlong, visibility="public")

    def __init__(self, said):
        self.first = self.last = said.ts_us
        self.n = self.hours = 0
        self.quality = said.quality
        self.frame, self.ends, self.port = said.frame, said.ends, said.port

    def once(self, said):
        """Once more."""
        self._once(said.ts_us, said.quality)

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _once(self, ts_us: cython.longlong, quality) -> cython.int:
        if ts_us > self.last:
            self.last = ts_us
        elif ts_us < self.first:
            self.first = ts_us
        self.n += 1
        self.hours |= cython.cast(cython.longlong, 1) << ts_us % DAY_US // HOUR_US
        if quality is not self.quality:
            self.quality = self.quality.joined(quality)
        return 0

    def join(self, other: "Seen"):
        """What was said another time, too."""
        if other.first < self.first:
            self.first = other.first
            self.frame, self.ends, self.port = other.frame, other.ends, other.port
        self.last = max(self.last, other.last)
        self.n += other.n
        self.hours |= other.hours
        self.quality = self.quality.joined(other.quality)

    def joined(self, other: "Seen"):
        """Both together; neither changes."""
        both = Seen(self)
        both.join(self)
        both.join(other)
        return both

    @property
    def ts_us(self):
        """The first time, as what was said has it."""
        return self.first


@cython.final
@cython.cclass
class Name:
    """Where a run holds a text that is stated as it is, and the words of those that were met; `make` has others."""

    start = cython.declare(cython.longlong, visibility="public")
    end = cython.declare(cython.longlong, visibility="public")
    known: dict
    make: object

    def __init__(self, start, end, known, make):
        self.start, self.end = start, end
        self.known = known
        self.make = make

    def words(self, data: bytes):
        """The words that state the name in a run."""
        content = data[self.start : self.end]
        words = self.known.get(content)
        return self.make(content) if words is None else words


@cython.final
@cython.cclass
class Step:
    """What a session did with a run.

    Attributes:
        words: what it stated, without names; None if that is nothing.
        names: what else is stated.
        protocol, label: what the conversation is known as from here on.
        orders: what it told the engine: a method, and its arguments after the flow's row.
        leaves: lanes of which bytes are left out next.
        ends: nothing more of the conversation is read.
        node: where that leads; None where nothing can be recalled from here on.
    """

    words = cython.declare(object, visibility="public")
    names = cython.declare(tuple, visibility="public")
    protocol = cython.declare(object, visibility="public")
    label = cython.declare(cython.longlong, visibility="public")
    orders = cython.declare(tuple, visibility="public")
    leaves = cython.declare(tuple, visibility="public")
    ends = cython.declare(cython.bint, visibility="public")
    node = cython.declare(object, visibility="public")

    def __init__(self, words, protocol, label, orders, leaves, ends):
        self.words = words
        self.names = ()
        self.protocol, self.label = protocol, label
        self.orders, self.leaves = orders, leaves
        self.ends = ends
        self.node = None


@cython.final
@cython.cclass
class Shape:
    """Runs of equal length and equal blanks at one node, by what stands outside of them.

    Most shapes that do not fit are found out by their mark, the bytes before the last blank, where its length stands.

    Args:
        length: of the runs, in bytes.
        blanks: whatever tells shapes apart.
        spans: where blanks begin and end.
        unless: positions with the bytes that must not stand there.
        before: run, begin and length of all earlier blanks, in order.
    """

    blanks = cython.declare(object, visibility="public")
    spans = cython.declare(tuple, visibility="public")
    length: cython.longlong
    unless: tuple
    pieces: cython.longlong[::1]
    piece_count: cython.longlong
    outside: cython.longlong
    blank_spans: cython.longlong[::1]
    blank_count: cython.longlong
    before: cython.longlong[::1]
    before_count: cython.longlong
    mark_at: cython.longlong
    mark_end: cython.longlong
    mark: cython.longlong
    marks: set
    steps: dict

    def __init__(self, length, blanks, spans, unless, before):
        self.length, self.blanks, self.spans, self.unless = length, blanks, spans, unless
        pieces = _outside(length, spans)
        self.pieces, self.piece_count = _flat(pieces), len(pieces)
        self.outside = sum([end - start for start, end in pieces])
        self.blank_spans, self.blank_count = _flat(spans), len(spans)
        self.before, self.before_count = _flat(before), len(before)
        self.mark_end = max([start for start, _ in spans], default=0)
        self.mark_at = max(0, self.mark_end - MARK_BYTES)
        self.mark, self.marks = -1, set()
        self.steps = {}

    @cython.cfunc
    def find(self, data: bytes, runs: list):
        """The step of a run of this length, if it fits."""
        mark: cython.longlong = self._mark(data)
        if mark != self.mark and not (self.marks and mark in self.marks):
            return None
        key = self.key(data, runs)
        return None if key is None else self.steps.get(key)

    def keep(self, data: bytes, key, step):
        """What is done with runs of this key from now on."""
        if self.mark < 0:
            self.mark = self._mark(data)
        elif self.mark != self._mark(data):
            self.marks.add(self._mark(data))
        self.steps[key] = step

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _mark(self, data: bytes) -> cython.longlong:
        mark: cython.longlong = 0
        at: cython.longlong
        for at in range(self.mark_at, self.mark_end):
            mark = mark << 8 | data[at]
        return mark

    @cython.ccall
    def key(self, data: bytes, runs: list):
        """What decides the step; None where something stands there that must not.

        One test of the range of each piece, one memcpy; then a byte for each blank.
        """
        if len(data) != self.length:
            raise ValueError("a run of another length")
        for at, value in self.unless:
            if data.startswith(value, at):
                return None
        if not cython.compiled:
            outside = [data[self.pieces[2 * n] : self.pieces[2 * n + 1]] for n in range(self.piece_count)]
            return b"".join([*outside, bytes([self._earlier(data, n, runs) for n in range(self.blank_count)])])
        key: bytes = PyBytes_FromStringAndSize(cython.NULL, self.outside + self.blank_count)
        at_key: cython.longlong = 0
        number: cython.longlong
        for number in range(self.piece_count):
            start: cython.longlong = self.pieces[2 * number]
            size: cython.longlong = self.pieces[2 * number + 1] - start
            if start < 0 or size < 0 or start + size > len(data) or at_key + size > self.outside:
                raise IndexError("beyond the run")
            memcpy(PyBytes_AS_STRING(key) + at_key, PyBytes_AS_STRING(data) + start, size)
            at_key += size
        if at_key != self.outside:
            raise IndexError("short of the key")
        for number in range(self.blank_count):
            PyBytes_AS_STRING(key)[self.outside + number] = self._earlier(data, number, runs)
        return key

    @cython.cfunc
    @cython.exceptval(-2, check=True)
    def _earlier(self, data: bytes, blank: cython.longlong, runs: list) -> cython.longlong:
        """The number of the first earlier blank that holds the same, from 1 to 255; 0 if none does."""
        start: cython.longlong = self.blank_spans[2 * blank]
        size: cython.longlong = self.blank_spans[2 * blank + 1] - start
        number: cython.longlong
        for number in range(self.before_count):
            if self.before[3 * number + 2] == size:
                run: bytes = runs[self.before[3 * number]]
                if _is_equal(data, start, run, self.before[3 * number + 1], size):
                    return number + 1
        return 0


@cython.cfunc
@cython.exceptval(-2, check=True)
def _is_equal(
    one: bytes, at: cython.longlong, other: bytes, other_at: cython.longlong, size: cython.longlong
) -> cython.bint:
    """Whether the bytes are the same: one test of the ranges, then one memcmp."""
    if at < 0 or other_at < 0 or size < 0 or at + size > len(one) or other_at + size > len(other):
        raise IndexError("beyond the run")
    if cython.compiled:
        return memcmp(PyBytes_AS_STRING(one) + at, PyBytes_AS_STRING(other) + other_at, size) == 0
    return one[at : at + size] == other[other_at : other_at + size]


def _outside(length, spans):
    """Where what is not in `spans` begins and ends."""
    pieces, at = [], 0
    for start, end in sorted(spans):
        if start > at:
            pieces.append((at, start))
        at = max(at, end)
    return [*pieces, (at, length)] if at < length else pieces


def _flat(rows):
    """The numbers of all rows, one after the other; never none at all."""
    numbers = [number for row in rows for number in row] or [0]
    flat = memoryview(bytearray(8 * len(numbers))).cast("q")
    for at, number in enumerate(numbers):
        flat[at] = number
    return flat


@cython.final
@cython.cclass
class Node:
    """A point that conversations come to: the runs that were met there, and all of the way there but its bytes.

    Attributes:
        lanes: of the runs so far.
        turns: of the runs so far.
        begins: by lane, since which run its bytes are whole.
        size: bytes of all runs so far.
        before: run, begin and length of all blanks so far.
    """

    lanes = cython.declare(tuple, visibility="public")
    turns = cython.declare(tuple, visibility="public")
    begins = cython.declare(tuple, visibility="public")
    size = cython.declare(cython.longlong, visibility="public")
    before = cython.declare(tuple, visibility="public")
    shapes = cython.declare(dict, visibility="public")

    def __init__(self):
        self.lanes, self.turns, self.begins, self.before = (), (), (0, 0), ()
        self.size = 0
        self.shapes = {}

    def after(self, lane, turn, shape: Shape, length, leaves):
        """A new node, where a run leads to."""
        node = Node()
        node.lanes, node.turns = (*self.lanes, lane), (*self.turns, turn)
        node.size = self.size + length
        spans = [(len(self.lanes), start, end - start) for start, end in shape.spans]
        node.before = (*self.before, *spans)
        node.begins = tuple([len(node.lanes) if lane in leaves else self.begins[lane] for lane in (0, 1)])
        return node

    @cython.ccall
    def find(self, lane: cython.longlong, turn: cython.longlong, data: bytes, runs: list):
        """The step that a run takes after `runs`; None if that is not known."""
        if turn >= TURNS_MAX:
            return None
        shapes = self.shapes.get((turn << 1 | lane) << 32 | len(data))
        if shapes is None:
            return None
        for each in cython.cast(list, shapes):
            shape: Shape = each
            step = shape.find(data, runs)
            if step is not None:
                return step
        return None

    def shapes_of(self, lane, turn, length):
        """The shapes of runs of this length, to be added to."""
        return self.shapes.setdefault((turn << 1 | lane) << 32 | length, [])


@cython.final
@cython.no_gc  # a session does not know its flow
@cython.cclass
class Flow:
    """A conversation under way.

    Attributes:
        addresses: as the engine has them.
        midstream, gap: its beginning, or something of it, was not seen.
        session: what reads it; None while it goes the way of others, and when it is done.
        node, runs: where it is on that way, and what it has said; None when it has left it.
        leaving: bits of the lanes of which the engine carries out a demand.
        ends, port: who talks with whom as far as is known, and the initiator's port.
        protocol, label: of the conversation; the engine folds it under the label.
        stated: the words that have to be restated at midnight, or None; `stated_count` facts, -1 when there is no room
            for more.
    """

    addresses = cython.declare(tuple, visibility="public")
    midstream = cython.declare(cython.bint, visibility="public")
    gap = cython.declare(cython.bint, visibility="public")
    session = cython.declare(object, visibility="public")
    node = cython.declare(Node, visibility="public")
    runs = cython.declare(list, visibility="public")
    leaving = cython.declare(cython.longlong, visibility="public")
    done = cython.declare(cython.bint, visibility="public")
    ends = cython.declare(object, visibility="public")
    port = cython.declare(cython.longlong, visibility="public")
    protocol = cython.declare(object, visibility="public")
    label = cython.declare(cython.longlong, visibility="public")
    stated = cython.declare(list, visibility="public")
    stated_count = cython.declare(cython.longlong, visibility="public")
    is_tcp: cython.bint
    day: cython.longlong
    counted: dict

    def __init__(self, addresses, midstream, gap, node):
        self.addresses = addresses
        self.is_tcp = addresses[0] == TCP
        self.midstream, self.gap = midstream, gap
        self.session = None
        self.node, self.runs = node, None if node is None else []
        self.leaving = 0
        self.done = False
        self.ends, self.port = None, 0
        self.protocol, self.label = "", 0
        self.stated, self.stated_count = None, 0
        self.day, self.counted = 0, None


@cython.final
@cython.cclass
class Recaller:
    """Takes known runs.

    Args:
        engine: delivers the runs.
        owner: takes what is not known.
        qualities: of conversations, by the number that their flags make: the first one counts 16.

    Attributes:
        flows: all that are under way, by the engine's row.
        courses: how many of them go the way of others.
        known: runs that were met before.
    """

    engine: object
    owner: object
    qualities: tuple
    places: dict
    flows = cython.declare(dict, visibility="public")
    courses = cython.declare(cython.longlong, visibility="public")
    known = cython.declare(cython.longlong, visibility="public")

    def __init__(self, engine, owner, qualities):
        self.engine, self.owner, self.qualities = engine, owner, tuple(qualities)
        self.flows, self.places = {}, {}
        self.courses = self.known = 0

    def hear(self, row):
        """The run that the engine has just delivered."""
        engine = self.engine
        flow: Flow = self.flows.get(row)
        if flow is None:
            flow = self.owner.open(row)
        if flow.done:
            return
        lane: cython.longlong = engine.lane
        turn: cython.longlong = engine.turn
        data: bytes = engine.take()
        step = flow.node.find(lane, turn, data, flow.runs) if flow.node is not None else None
        if step is None:
            self.owner.read(row, flow, lane, turn, data)
            return
        self.known += 1
        if flow.session is not None:
            self.owner.interrupt(row, flow)
        self._go(row, flow, step, data)

    def go(self, row, flow: Flow, step: Step, data: bytes):
        """Do what a session did with `data`: say its words, tell the engine."""
        self._go(row, flow, step, data)

    @cython.cfunc
    def _go(self, row, flow: Flow, step: Step, data: bytes):
        if step.node is None:
            self.leave_way(flow)
        else:
            flow.node = step.node
            flow.runs.append(data)
        if step.label != flow.label:
            flow.counted = None
            self.owner.relabel(row, flow, step)
        for name in step.names:
            self._state(row, flow, name.words(data))
        if step.words is not None:
            self._state(row, flow, step.words)
        for order in step.orders:
            self._tell(row, order)
        if step.ends:
            self.owner.finish(row, flow)

    @cython.ccall
    def leave_way(self, flow: Flow):
        """The flow does not go the way of others any more."""
        if flow.node is not None:
            flow.node = flow.runs = None
            self.courses -= 1

    @cython.cfunc
    def _tell(self, row, order: tuple):
        """The orders of most steps have no more than three arguments besides the row."""
        size: cython.longlong = len(order)
        if size == 4:
            order[0](row, order[1], order[2], order[3])
        elif size == 1:
            order[0](row)
        elif size == 3:
            order[0](row, order[1], order[2])
        else:
            order[0](row, *order[1:])

    @cython.cfunc
    def _state(self, row, flow: Flow, words):
        if flow.stated is None:
            flow.stated = []
        if flow.stated_count >= 0 and not (flow.stated and flow.stated[len(flow.stated) - 1] is words):
            flow.stated.append(words)
            flow.stated_count += len(words.facts)
            if flow.stated_count >= STATED_MAX:
                self.owner.condense(flow)
        self._say(row, flow, words)

    @cython.cfunc
    def _say(self, row, flow: Flow, words):
        """Words that were said before at this place are counted; others the owner takes."""
        ts_us: cython.longlong = self.engine.ts_us
        day: cython.longlong = ts_us // DAY_US
        quality = self.quality(row, flow)
        if flow.counted is None or flow.day != day:
            flow.counted, flow.day = self.places.get((day, flow.ends, flow.protocol)), day
        before = flow.counted
        if before is not None:
            seen: Seen = before.get(words)
            if seen is not None:
                seen._once(ts_us, quality)
                return
        flow.counted = self.owner.say(flow, words, quality, False)
        if flow.counted is not None and flow.counted is not before:
            if len(self.places) >= PLACES_MAX:
                self.places.clear()
            self.places[day, flow.ends, flow.protocol] = flow.counted

    @cython.ccall
    def quality(self, row, flow: Flow):
        """A first datagram is always alone: only TCP tells that the other side should have been seen by now."""
        flags: cython.longlong = self.engine.flags(row)
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
