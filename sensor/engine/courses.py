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
    from sensor.engine._cy import PREFETCH
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

    Most shapes that do not fit are found out by their mark, the bytes before the last blank, where its length stands. Most
    others have one step, or the same one again: a run is compared with the key of the step found last before it gets a key
    of its own.

    All numbers that this takes stand in one row, `plan`, as most of the time of a known run was waiting for memory:

        begin, size         of each piece outside of the blanks
        begin, size, first  of each blank, and the first earlier one of this size, counted from 1 (0: there is none)
        run, begin, next    of each earlier blank, and the next one of its size
        begin, first byte   of each thing that must not stand there

    Args:
        length: of the runs, in bytes.
        blanks: whatever tells shapes apart.
        spans: where blanks begin and end.
        unless: positions with the bytes that must not stand there.
        before: run, begin and length of all earlier blanks, in order.
    """

    def __init__(self, length, blanks, spans, unless, before):
        self.length, self.blanks, self.spans = length, blanks, spans
        pieces = [(begin, end - begin) for begin, end in _outside(length, spans)]
        self.outside = sum([size for _, size in pieces])
        earlier, first = _chained(before)
        own = [(begin, end - begin, first.get(end - begin, 0)) for begin, end in spans]
        self.refused = tuple([value for _, value in unless])
        self.plan = _flat([*pieces, *own, *earlier, *((begin, value[0]) for begin, value in unless)])
        self.piece_count, self.own_count, self.refused_count = len(pieces), len(own), len(unless)
        self.own_at = 2 * len(pieces)
        self.earlier_at = self.own_at + 3 * len(own)
        self.refused_at = self.earlier_at + 3 * len(earlier)
        self.mark_end = max([start for start, _ in spans], default=0)
        self.mark_at = max(0, self.mark_end - MARK_BYTES)
        self.mark, self.marks = -1, set()
        self.steps, self.latest_key, self.latest = {}, None, None

    def find(self, data: bytes, runs: list):
        """The step of a run of this length, if it fits."""
        mark: cython.longlong = self._mark(data)
        if mark != self.mark and not (self.marks and mark in self.marks):
            return None
        self._ask_ahead()
        if self._is_refused(data):
            return None
        if self.latest_key is not None and self._is_key(self.latest_key, data, runs):
            return self.latest
        key: bytes = self._key(data, runs)
        step = self.steps.get(key)
        if step is not None:
            self.latest_key, self.latest = key, step
        return step

    def _ask_ahead(self):
        """Ask for all memory at once that the step found last is compared in: one wait instead of one after the other."""
        if cython.compiled and self.latest is not None:
            PREFETCH(cython.address(self.plan[0]))
            PREFETCH(cython.cast(cython.p_void, self.latest_key))
            PREFETCH(cython.cast(cython.p_void, self.latest))
            PREFETCH(cython.cast(cython.p_char, cython.cast(cython.p_void, self.latest)) + 64)
            PREFETCH(cython.cast(cython.p_char, cython.cast(cython.p_void, self.latest)) + 128)
        return 0

    def keep(self, data: bytes, key, step):
        """What is done with runs of this key from now on."""
        if self.mark < 0:
            self.mark = self._mark(data)
        elif self.mark != self._mark(data):
            self.marks.add(self._mark(data))
        self.steps[key] = step
        self.latest_key = self.latest = None

    def _mark(self, data: bytes) -> cython.Py_ssize_t:
        mark: cython.longlong = 0
        at: cython.longlong
        for at in range(self.mark_at, self.mark_end):
            mark = mark << 8 | data[at]
        return mark

    def _is_refused(self, data: bytes) -> cython.bint:
        """Whether something stands there that must not."""
        number: cython.Py_ssize_t
        for number in range(self.refused_count):
            at: cython.longlong = self.plan[self.refused_at + 2 * number]
            if data[at] == self.plan[self.refused_at + 2 * number + 1]:
                value: bytes = self.refused[number]
                if _is_equal(data, at, value, 0, len(value)):
                    return True
        return False

    # ------------------------------------------------------------------ keys

    def key(self, data: bytes, runs: list):
        """What decides the step; None where something stands there that must not."""
        if len(data) != self.length:
            raise ValueError("a run of another length")
        return None if self._is_refused(data) else self._key(data, runs)

    def _key(self, data: bytes, runs: list):
        """All pieces outside of the blanks, then a byte for each blank: the first earlier one that holds the same."""
        number: cython.longlong
        if not cython.compiled:
            pieces = [self.plan[2 * n : 2 * n + 2] for n in range(self.piece_count)]
            outside = [data[begin : begin + size] for begin, size in pieces]
            return b"".join([*outside, bytes([self._earlier(data, n, runs) for n in range(self.own_count)])])
        key: bytes = PyBytes_FromStringAndSize(cython.NULL, self.outside + self.own_count)
        at_key: cython.longlong = 0
        for number in range(self.piece_count):
            size: cython.longlong = self._size(number, at_key, data)
            memcpy(PyBytes_AS_STRING(key) + at_key, PyBytes_AS_STRING(data) + self.plan[2 * number], size)
            at_key += size
        if at_key != self.outside:
            raise IndexError("short of the key")
        for number in range(self.own_count):
            PyBytes_AS_STRING(key)[self.outside + number] = self._earlier(data, number, runs)
        return key

    def _is_key(self, key: bytes, data: bytes, runs: list) -> cython.bint:
        """Whether this is the run's key, without making that one."""
        if not cython.compiled:
            return self._key(data, runs) == key
        at_key: cython.longlong = 0
        number: cython.longlong
        for number in range(self.piece_count):
            size: cython.longlong = self._size(number, at_key, data)
            if memcmp(PyBytes_AS_STRING(key) + at_key, PyBytes_AS_STRING(data) + self.plan[2 * number], size) != 0:
                return False
            at_key += size
        if at_key != self.outside or len(key) != self.outside + self.own_count:
            raise IndexError("short of the key")
        for number in range(self.own_count):
            if cython.cast(cython.uchar, PyBytes_AS_STRING(key)[at_key + number]) != self._earlier(data, number, runs):
                return False
        return True

    def _size(self, piece: cython.longlong, at_key: cython.longlong, data: bytes) -> cython.Py_ssize_t:
        """Of a piece that begins there in the key; the one test of both ranges."""
        begin: cython.longlong = self.plan[2 * piece]
        size: cython.longlong = self.plan[2 * piece + 1]
        if begin < 0 or size < 0 or begin + size > len(data) or at_key + size > self.outside:
            raise IndexError("beyond the run")
        return size

    def _earlier(self, data: bytes, blank: cython.longlong, runs: list) -> cython.Py_ssize_t:
        """The number of the first earlier blank that holds the same, from 1 to 255; 0 if none does."""
        at: cython.longlong = self.own_at + 3 * blank
        begin: cython.longlong = self.plan[at]
        size: cython.longlong = self.plan[at + 1]
        number: cython.longlong = self.plan[at + 2]
        while number != 0:
            at = self.earlier_at + 3 * (number - 1)
            run: bytes = runs[self.plan[at]]
            if _is_equal(data, begin, run, self.plan[at + 1], size):
                return number
            number = self.plan[at + 2]
        return 0


def _chained(before):
    """Of all earlier blanks run, begin, and the next one of the same size; and the first one of each size."""
    chained, first = [], {}
    for number in range(len(before), 0, -1):
        run, begin, size = before[number - 1]
        chained.append((run, begin, first.get(size, 0)))
        first[size] = number
    return chained[::-1], first


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
    """The numbers of all rows, one after the other."""
    numbers = [number for row in rows for number in row]
    flat = memoryview(bytearray(4 * len(numbers))).cast("i")
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
        before: run, begin and length of all blanks so far; None until the run that leads here is learnt.
        end: what a session does when a conversation ends here; None where that is not known.
    """

    def __init__(self):
        self.lanes, self.turns, self.begins, self.before = (), (), (0, 0), ()
        self.size = 0
        self.shapes, self.latest, self.latest_where = {}, None, 0
        self.put_off = {}
        self.end = None

    def after(self, lane, turn, length, leaves):
        """A new node, where a run leads to that is not learnt yet."""
        node = Node()
        node.lanes, node.turns = (*self.lanes, lane), (*self.turns, turn)
        node.size = self.size + length
        node.before = None
        node.begins = tuple([len(node.lanes) if lane in leaves else self.begins[lane] for lane in (0, 1)])
        return node

    def lead(self, node, shape: Shape):
        """Runs of this shape lead to `node`."""
        spans = [(len(self.lanes), start, end - start) for start, end in shape.spans]
        node.before = (*self.before, *spans)

    def find(self, lane: cython.longlong, turn: cython.longlong, data: bytes, runs: list):
        """The step that a run takes after `runs`; None if that is not known."""
        if turn >= TURNS_MAX:
            return None
        where: cython.longlong = (turn << 1 | lane) << 32 | len(data)
        latest: Shape = self.latest
        step: Step = None
        if latest is not None and where == self.latest_where:  # most nodes have one shape
            step = latest.find(data, runs)
        return self._search(where, data, runs) if step is None else step

    def _search(self, where: cython.longlong, data: bytes, runs: list):
        """Among all shapes but the one that fitted last."""
        shapes = self.shapes.get(where)
        if shapes is None:
            shapes = self._learn(where)
        for each in cython.cast(list, shapes):
            shape: Shape = each
            if shape is self.latest:
                continue
            step: Step = shape.find(data, runs)
            if step is not None:
                self.latest, self.latest_where = shape, where
                return step
        return None

    def _learn(self, where: cython.longlong):
        """Learn what was put off until another run of its length comes; returns the shapes of that length."""
        learn = self.put_off.pop(where, None)
        if learn is None:
            return []
        shapes = self.shapes[where] = []
        learn(self)
        return shapes

    def learn_later(self, lane, turn, length, learn):
        """Put off learning a run until another one of its length comes; False if one has come."""
        where = (turn << 1 | lane) << 32 | length
        if where in self.put_off:
            self._learn(where)
        if where in self.shapes:
            return False
        self.put_off[where] = learn
        return True

    def shapes_of(self, lane, turn, length):
        """The shapes of runs of this length, to be added to."""
        return self.shapes.setdefault((turn << 1 | lane) << 32 | length, [])
