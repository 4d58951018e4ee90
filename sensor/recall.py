"""Recall: what sessions did when conversations like this one said the same.

Theory of operation
-------------------
Devices say the same again and again: a thousand connections of one program differ in randoms, session ids and key
shares, and in nothing that a fact is made of. So what a session did at a turn (the facts it stated, what it then told
the engine) is kept, and the next conversation that comes the same way needs no session at all.

It is an automaton that learns. A conversation begins at a root, which stands for all that a session is told at its
beginning. Each run of bytes is a `Step` to the next `Node`. Which bytes count is the protocol's word: its `blanks` name
the spans of a run that decide nothing (see `parsers.core.Blanks`). The bytes outside of them, and which blanks equal
one of an earlier run, are the key of the step. As all lengths lie outside, bytes that fit the key have the same blanks.
A name that is stated as it is (`said`) is no part of the key, but a value that the step puts into words.

What was not met before goes to a session. It is made then, and hears all that the conversation has said so far; what it
does with the new bytes becomes a step. A conversation leaves the automaton for good when bytes are missing, when a run
has no blanks named, when a secret is stated, or when it has said more than is kept of it.

Everything is bounded, as all of it is the senders' choice. The automaton holds `STEPS_MAX` steps of at most
`KEYS_MAX_BYTES`; then it begins anew. A run of more than `SPANS_MAX` blanks is not learnt, nor are more than
`SHAPES_MAX` shapes of one length at a node. `COURSES_MAX` conversations are on their way at a time; others have
sessions at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from parsers.core import Attribute, Blanks, Field, Protocol, Side, Subject
from sensor.sighting import Words

STEPS_MAX: Final = 8_192
KEYS_MAX_BYTES: Final = 16 << 20
SHAPES_MAX: Final = 64
MARK_BYTES: Final = 4
SPANS_MAX: Final = 48
COURSES_MAX: Final = 8_192
COURSE_MAX_BYTES: Final = 16_384
COURSE_MAX_RUNS: Final = 32
BLANK_MIN_BYTES: Final = 8
NAMES_MAX: Final = 32_768

_encode: Final = msgspec.json.Encoder(order="sorted").encode
Order = tuple[Any, ...]
"""A method of the engine, and its arguments after the flow's row."""
Cut = Callable[[bytes], Any]


class Run(NamedTuple):
    """Bytes of one lane, of one turn, as the engine delivered them."""

    lane: int
    turn: int
    data: bytes


class Course:
    """What one conversation has said so far.

    Attributes:
        runs: all of it.
        blanks: the number of the blank that first held this content, by which equal ones are recognised.
    """

    __slots__ = ("_begins", "_count", "_size", "blanks", "runs")

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.blanks: dict[bytes, int] = {}
        self._begins = [0, 0]
        self._count = 0
        self._size = 0

    def add(self, run: Run, blanks: tuple[bytes, ...]) -> None:
        """One more run, with what its blanks hold."""
        self.runs.append(run)
        self._size += len(run.data)
        for content in blanks:
            self.blanks.setdefault(content, self._count)
            self._count += 1

    def leave_out(self, lane: int) -> None:
        """Bytes of a lane are left out before its next ones."""
        self._begins[lane] = len(self.runs)

    @property
    def is_full(self) -> bool:
        """More would be held than a conversation may take."""
        return self._size > COURSE_MAX_BYTES or len(self.runs) >= COURSE_MAX_RUNS

    def since(self, lane: int) -> tuple[bytes, bool]:
        """The bytes of a lane since it began, or since some were left out (then False)."""
        begin = self._begins[lane]
        return b"".join(run.data for run in self.runs[begin:] if run.lane == lane), begin == 0


class Name(NamedTuple):
    """Where a run holds a text that is stated as it is."""

    start: int
    end: int
    field: Field
    subject: Subject

    def stated(self, data: bytes) -> Attribute:
        """The attribute, from the bytes of a run."""
        return self.field(self.subject, data[self.start : self.end].decode("utf-8", "replace"))


class Step(NamedTuple):
    """What a session did with a run.

    Attributes:
        words: what it stated, without names.
        names: what else is stated.
        protocol, label: what the conversation is known as from here on.
        orders: what it told the engine.
        leaves: lanes of which bytes are left out next.
        ends: nothing more of the conversation is read.
        node: where that leads; None where nothing can be recalled from here on.
    """

    words: Words | None
    names: tuple[Name, ...]
    protocol: str
    label: int
    orders: tuple[Order, ...]
    leaves: tuple[int, ...]
    ends: bool
    node: Node | None


class _Shape:
    """Runs of equal length and equal blanks, by what stands outside of them.

    Most shapes that do not fit are found out by their mark, the bytes before the last blank, where its length stands.
    """

    __slots__ = ("_key", "_mark", "_marks", "_steps", "_unless", "blanks", "hold")

    def __init__(self, length: int, blanks: Blanks) -> None:
        spans = (*blanks.own, *((start, end) for start, end, _ in blanks.said))
        self.blanks = blanks
        self.hold = _inside(spans)
        self._key = _outside(length, spans)
        self._unless = blanks.unless
        last = max((start for start, _ in spans), default=0)
        self._mark = slice(max(0, last - MARK_BYTES), last)
        self._marks: set[bytes] = set()
        self._steps: dict[Hashable, Step] = {}

    def find(self, data: bytes, course: Course) -> Step | None:
        """The step of a run of this length, if it fits."""
        if data[self._mark] not in self._marks:
            return None
        key = self.key(data, course)
        return None if key is None else self._steps.get(key)

    def keep(self, data: bytes, key: Hashable, step: Step) -> None:
        """What is done with runs of this key from now on."""
        self._marks.add(data[self._mark])
        self._steps[key] = step

    def key(self, data: bytes, course: Course) -> Hashable:
        """What decides the step; None where something stands there that must not."""
        for at, value in self._unless:
            if data.startswith(value, at):
                return None
        if not course.blanks:
            return self._key(data), ()
        return self._key(data), tuple([course.blanks.get(content) for content in self.hold(data)])


class Node:
    """A point that conversations come to: the runs that were met there, by lane, turn and length."""

    __slots__ = ("_shapes",)

    def __init__(self) -> None:
        self._shapes: dict[tuple[int, int, int], list[_Shape]] = {}

    def find(self, run: Run, course: Course) -> Step | None:
        """The step that fits; the run then belongs to the course."""
        for shape in self._shapes.get((run.lane, run.turn, len(run.data)), ()):
            step = shape.find(run.data, course)
            if step is not None:
                if not step.ends:
                    _go(course, run, shape, step)
                return step
        return None

    def shape(self, run: Run, blanks: Blanks) -> _Shape | None:
        """The shape of a run, made where it is new; None where there are too many."""
        shapes = self._shapes.setdefault((run.lane, run.turn, len(run.data)), [])
        for shape in shapes:
            if shape.blanks == blanks:
                return shape
        if len(shapes) >= SHAPES_MAX or len(blanks.own) + len(blanks.said) > SPANS_MAX:
            return None
        shapes.append(_Shape(len(run.data), blanks))
        return shapes[-1]


class Recall:
    """The automaton.

    Attributes:
        known, learnt: runs that were met before, and that were not.
    """

    def __init__(self) -> None:
        self._roots: dict[Hashable, Node] = {}
        self._words: dict[Hashable, Words] = {}
        self._same: dict[bytes, Words] = {}
        self._steps = 0
        self._key_bytes = 0
        self.known = self.learnt = 0

    def root(self, beginning: Hashable) -> Node:
        """Where conversations that begin alike begin."""
        node = self._roots.get(beginning)
        if node is None:
            node = self._roots[beginning] = Node()
        return node

    def learn(self, node: Node, run: Run, course: Course, protocol: Protocol, side: Side, step: Step) -> Step:
        """Keep what a session did with `run`. Returns it with the node that it leads to, or with none."""
        blanks = _blanks(run, course, protocol, side)
        shape = node.shape(run, blanks) if blanks is not None else None
        key = shape.key(run.data, course) if shape is not None else None
        if shape is None or key is None:
            return step
        self._make_room(len(run.data))
        self.learnt += 1
        step = self._shared(_without_names(step, run, shape.blanks, side))
        if not step.ends:
            step = step._replace(node=Node())
            _go(course, run, shape, step)
        shape.keep(run.data, key, step)
        return step

    def words(self, step: Step, data: bytes) -> list[Words]:
        """All that is stated with a run: names before the rest."""
        named = [self.words_of(name, data) for name in step.names]
        return named if step.words is None else [*named, step.words]

    def words_of(self, name: Name, data: bytes) -> Words:
        """The words that state a name."""
        key = name.field.name, name.subject, data[name.start : name.end]
        words = self._words.get(key)
        if words is None:
            if len(self._words) >= NAMES_MAX:
                self._words.clear()
            words = self._words[key] = Words(((name.stated(data), None),), known=True)
        return words

    def _shared(self, step: Step) -> Step:
        """The step with the very words of another one that states the same."""
        if step.words is None:
            return step
        same = _encode([(type(fact).__name__, fact) for fact, _ in step.words.facts])
        return step._replace(words=self._same.setdefault(same, step.words))

    def _make_room(self, size: int) -> None:
        if self._steps >= STEPS_MAX or self._key_bytes >= KEYS_MAX_BYTES:
            self._roots.clear()
            self._same.clear()
            self._steps = self._key_bytes = 0
        self._steps += 1
        self._key_bytes += size


def _go(course: Course, run: Run, shape: _Shape, step: Step) -> None:
    """The run becomes part of the course."""
    course.add(run, shape.hold(run.data))
    for lane in step.leaves:
        course.leave_out(lane)


def _blanks(run: Run, course: Course, protocol: Protocol, side: Side) -> Blanks | None:
    """The blanks of a run, counted from its first byte, without short ones; None where the protocol names none."""
    if protocol.blanks is None:
        return None
    before, whole = course.since(run.lane)
    found = protocol.blanks(before + run.data, side, whole)
    if found is None:
        return None
    start, end = len(before), len(before) + len(run.data)
    unless = tuple((at - start, value) for at, value in found.unless if at >= start)
    said = tuple((a - start, b - start, field) for a, b, field in found.said if a >= start and b <= end)
    return Blanks(_within(found.own, start, end), said, unless)


def _without_names(step: Step, run: Run, blanks: Blanks, side: Side) -> Step:
    """The step with its names apart from its words, which are the same for others from now on."""
    names = [Name(start, end, field, Subject(side)) for start, end, field in blanks.said]
    facts = {fact: None for fact, _ in step.words.facts if isinstance(fact, Attribute)} if step.words else {}
    stated = {name.stated(run.data): name for name in names}
    if step.words is None:
        return step
    rest = tuple([one for one in step.words.facts if not (isinstance(one[0], Attribute) and one[0] in stated)])
    return step._replace(
        words=Words(rest, known=True) if rest else None,
        names=tuple(name for fact, name in stated.items() if fact in facts),
    )


def _within(spans: tuple[tuple[int, int], ...], start: int, end: int) -> tuple[tuple[int, int], ...]:
    clipped = ((max(a, start) - start, min(b, end) - start) for a, b in spans)
    return tuple((a, b) for a, b in clipped if b - a >= BLANK_MIN_BYTES)


def _outside(length: int, spans: tuple[tuple[int, int], ...]) -> Cut:
    """Takes what is not in `spans`."""
    pieces, at = [], 0
    for start, end in sorted(spans):
        pieces.append(slice(at, start))
        at = max(at, end)
    return itemgetter(*pieces, slice(at, length))


def _inside(spans: tuple[tuple[int, int], ...]) -> Callable[[bytes], tuple[bytes, ...]]:
    """Takes what is in `spans`."""
    if not spans:
        return lambda _: ()
    pieces = [slice(start, end) for start, end in spans]
    if len(pieces) == 1:
        return lambda data: (data[pieces[0]],)
    return itemgetter(*pieces)
