# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, infer_types=True, auto_pickle=False
"""The ways that conversations have gone, and what was done at each turn: where known runs of bytes are found again.

Theory of operation
-------------------
`sensor.recall` says what is recalled and why; it learns, and this module finds again. It is Python source compiled by
Cython, types in the .pxd, bounds checks on, and the same file interpreted does the same.

A `Node` is a point that conversations come to. Of the way there it knows all but the bytes: which lanes spoke in which
turns, and where their blanks were. So a conversation on its way is one reference to a node and the list of its runs.

A `Shape` is what a node knows of runs of one length with the same blanks. The key of a step is what stands outside of
the blanks, and for each blank the number of the first earlier one that holds the same (0: none does). Keys are compared
in full, in a dictionary whose hash is keyed: nobody makes two runs equal, or all of them slow, by choosing bytes.

A `Step` is what a session did with a run: what it stated, what it told the engine, and the node where that leads.
"""

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

COMPILED = cython.compiled

# Constants. The compiler has them from courses.pxd, so that they are constants in C too.
if not cython.compiled:
    from sensor.engine.events import EventSource

    MARK_BYTES = 4
    TURNS_MAX = 1_048_576
    # what to leave out first (parsers.core.Leave), what comes then, and last
    BYTES = 1
    UNTIL_MARK = 2
    TURN = 3
    WAIT = 1
    CLOSE = 2
    DONE = 1
    UNLISTEN = 2
    COUNT_MAX = 1_152_921_504_606_846_976


class Name:
    """Where a run holds a text that is stated as it is, and the words of those that were met; `make` has others."""

    def __init__(self, start, end, known, make):
        self.start, self.end = start, end
        self.known = known
        self.make = make

    def words(self, data: bytes):
        """The words that state the name in a run."""
        content = data[self.start : self.end]
        words = self.known.get(content)
        return self.make(content) if words is None else words


class Step:
    """What a session did at an event, ready to be done; also another time.

    What the engine is told comes in a fixed order: for each lane what to leave out first, and then what to wait for;
    at last something about the flow.

    Attributes:
        words: what it stated, without names; None if that is nothing.
        names: what else is stated.
        protocol, label: what the conversation is known as from here on.
        leaves: lanes of which bytes are left out next.
        last: what the engine is told of the flow: `DONE`, `UNLISTEN` or nothing (0).
        ends: nothing more of the conversation is read.
        node: where that leads; None where nothing can be recalled from here on.
    """

    def __init__(self, words=None, protocol="", label=0, ends=False):
        self.words = words
        self.names = self.leaves = ()
        self.protocol, self.label = protocol, label
        self.ends = ends
        self.last = 0
        self.node = None
        self.marks = None
        if not cython.compiled:  # in C they are arrays
            self.left, self.count, self.then, self.wanted, self.message = [0, 0], [0, 0], [0, 0], [0, 0], [0, 0]

    def leave(self, lane, what, count, mark):
        """Leave bytes of a lane out first, as a `Demand` of this kind (`Leave`) says."""
        at: cython.longlong = lane & 1
        self.left[at] = what
        self.count[at] = _clamped(count)
        if mark:
            self.marks = (*(self.marks or ()), (at, mark))
        self.leaves = (*self.leaves, lane)

    def wait(self, lane, wanted, message):
        """Wait for bytes of a lane."""
        at: cython.longlong = lane & 1
        self.then[at] = WAIT
        self.wanted[at], self.message[at] = _clamped(wanted), _clamped(message)

    def close(self, lane):
        """Nothing more of a lane is wanted."""
        at: cython.longlong = lane & 1
        self.then[at] = CLOSE

    def tell(self, engine: EventSource, row: cython.longlong):
        """Tell the engine."""
        lane: cython.longlong
        for lane in range(2):
            if self.left[lane] != 0:
                self._leave_out(engine, row, lane)
            if self.then[lane] == WAIT:
                engine.want(row, lane, self.wanted[lane], self.message[lane])
            elif self.then[lane] == CLOSE:
                engine.close_lane(row, lane)
        if self.last == DONE:
            engine.done(row)
        elif self.last == UNLISTEN:
            engine.unlisten(row)

    def _leave_out(self, engine: EventSource, row: cython.longlong, lane: cython.longlong):
        left: cython.longlong = self.left[lane]
        if left == BYTES:
            engine.skip(row, lane, self.count[lane])
        elif left == TURN:
            engine.next_turn(row, lane)
        else:
            for at, mark in self.marks:
                if at == lane:
                    engine.skip_until(row, lane, mark, self.count[lane])


def _clamped(number):
    """A number of bytes that a sender may have made up, as one of at most 60 bits."""
    if not cython.compiled:
        return max(0, min(number, COUNT_MAX))
    beyond: cython.int = 0
    count: cython.Py_ssize_t = PyLong_AsLongLongAndOverflow(number, cython.address(beyond))
    if beyond != 0:
        return COUNT_MAX if beyond > 0 else 0
    return max(0, min(count, COUNT_MAX))


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

    def _mark(self, data: bytes) -> cython.Py_ssize_t:
        mark: cython.longlong = 0
        at: cython.longlong
        for at in range(self.mark_at, self.mark_end):
            mark = mark << 8 | data[at]
        return mark

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

    def _earlier(self, data: bytes, blank: cython.longlong, runs: list) -> cython.Py_ssize_t:
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


class Node:
    """A point that conversations come to: the runs that were met there, and all of the way there but its bytes.

    Attributes:
        lanes: of the runs so far.
        turns: of the runs so far.
        begins: by lane, since which run its bytes are whole.
        size: bytes of all runs so far.
        before: run, begin and length of all blanks so far.
    """

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
