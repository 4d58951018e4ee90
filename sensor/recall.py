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

Finding a step and taking it is compiled (`sensor.engine.courses`); this module learns.

What was not met before goes to a session. It is made then, and hears all that the conversation has said so far; what it
does with the new bytes becomes a step. A conversation leaves the automaton for good when bytes are missing, when a run
has no blanks named, when a secret is stated, or when it has said more than is kept of it.

Most first runs of their length are the last ones, too. So what would be learnt of one is put off until another run of
that length comes to its node; the conversation goes on to the next node all the same. Only a run that may state a name
is learnt at once, as names are stated before all else. An end is learnt like a run, of which nothing is a blank.

Everything is bounded, as all of it is the senders' choice. The automaton holds `STEPS_MAX` steps of at most
`KEYS_MAX_BYTES`; then it begins anew. A run of more than `SPANS_MAX` blanks, or of more than `BLANKS_MAX` together with
earlier ones, is not learnt, nor are more than `SHAPES_MAX` shapes of one length at a node. `COURSES_MAX` conversations
are on their way at a time; others have sessions at once.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Final, NamedTuple

import msgspec

from parsers.core import Attribute, Blanks, Field, Protocol, Side, Subject
from sensor.engine import Name, Node, Shape, Step
from sensor.engine.seen import Words

STEPS_MAX: Final = 8_192
KEYS_MAX_BYTES: Final = 16 << 20
SHAPES_MAX: Final = 64
SPANS_MAX: Final = 48
BLANKS_MAX: Final = 128
COURSES_MAX: Final = 8_192
COURSE_MAX_BYTES: Final = 16_384
COURSE_MAX_RUNS: Final = 32
BLANK_MIN_BYTES: Final = 8
NAMES_MAX: Final = 32_768

_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Run(NamedTuple):
    """Bytes of one lane, of one turn, as the engine delivered them."""

    lane: int
    turn: int
    data: bytes


class Recall:
    """The automaton.

    Attributes:
        roots: where conversations that begin alike begin.
        learnt: runs that were not met before, but for those whose length came once.
    """

    def __init__(self) -> None:
        self.roots: dict[Hashable, Node] = {}
        self._words: dict[tuple[Field, Subject], dict[bytes, Words]] = {}
        self._words_count = 0
        self._same: dict[bytes, Words] = {}
        self._steps = 0
        self._key_bytes = 0
        self.learnt = 0

    def learn(self, node: Node, run: Run, runs: list[bytes], protocol: Protocol, side: Side, step: Step) -> None:
        """Keep what a session did with `run` after `runs`; the step then has the node that it leads to, or none."""
        if is_full(node):
            return
        if node.before is None or not _may_name(step, protocol):
            later = partial(self._keep, run, list(runs), protocol, side, step)
            if node.learn_later(run.lane, run.turn, len(run.data), later):
                self._make_room(node.size + len(run.data))
                _lead_on(node, run, step)
                return
        if self._keep(run, runs, protocol, side, step, node):
            self._make_room(len(run.data))

    def learn_end(self, node: Node, protocol: Protocol | None, step: Step) -> None:
        """Keep what a session did when its conversation ended there, unless it says a name or a secret."""
        words = step.words
        if words is not None:
            if protocol is None or protocol.blanks is None or words.marks is not None or _may_name(step, protocol):
                return
            step.words = Words(words.facts, known=True)
            self._share(step)
        node.end = step

    def _keep(self, run: Run, runs: list[bytes], protocol: Protocol, side: Side, step: Step, node: Node) -> bool:
        """Keep it at the node; False: it is not to be known again."""
        blanks = _blanks(node, run, runs, protocol, side)
        shape = _shape(node, run, blanks) if blanks is not None else None
        key = shape.key(run.data, runs) if shape is not None else None
        if shape is None or key is None:
            return False
        self.learnt += 1
        self._take_names_out(step, run.data, shape.blanks, side)
        self._share(step)
        _lead_on(node, run, step)
        if step.node is not None:
            node.lead(step.node, shape)
        shape.keep(run.data, key, step)
        return True

    def _take_names_out(self, step: Step, data: bytes, blanks: Blanks, side: Side) -> None:
        """Names apart from words, which are then the same for others."""
        if step.words is None:
            return
        names = {}
        for start, end, field in blanks.said:
            name = self.name(start, end, field, Subject(side))
            names[name.words(data).facts[0]] = name
        facts = {fact: None for fact in step.words.facts if isinstance(fact, Attribute)}
        rest = tuple([fact for fact in step.words.facts if not (isinstance(fact, Attribute) and fact in names)])
        step.words = Words(rest, known=True) if rest else None
        step.names = tuple(name for fact, name in names.items() if fact in facts)

    def name(self, start: int, end: int, field: Field, subject: Subject) -> Name:
        """A name that stands there; equal ones are put into the very same words."""
        known = self._words.setdefault((field, subject), {})
        return Name(start, end, known, partial(self._put_into_words, known, field, subject))

    def _put_into_words(self, known: dict[bytes, Words], field: Field, subject: Subject, content: bytes) -> Words:
        if self._words_count >= NAMES_MAX:
            self._words_count = 0
            for words in self._words.values():
                words.clear()
        self._words_count += 1
        stated = field(subject, content.decode("utf-8", "replace"))
        known[content] = Words((stated,), known=True)
        return known[content]

    def _share(self, step: Step) -> None:
        """Let the step have the very words of another one that states the same."""
        if step.words is not None:
            same = _encode([(type(fact).__name__, fact) for fact in step.words.facts])
            step.words = self._same.setdefault(same, step.words)

    def _make_room(self, size: int) -> None:
        if self._steps >= STEPS_MAX or self._key_bytes >= KEYS_MAX_BYTES:
            self.roots.clear()
            self._same.clear()
            self._steps = self._key_bytes = 0
        self._steps += 1
        self._key_bytes += size


def _may_name(step: Step, protocol: Protocol) -> bool:
    """Whether something is stated that `blanks` may find to be said as it is."""
    facts = step.words.facts if step.words is not None else ()
    return any(isinstance(fact, Attribute) and fact.name in protocol.said for fact in facts)


def _lead_on(node: Node, run: Run, step: Step) -> None:
    """The step leads to a node, unless it ends the conversation."""
    if not step.ends and step.node is None:
        step.node = node.after(run.lane, run.turn, len(run.data), step.leaves)


def is_full(node: Node) -> bool:
    """More would be held of conversations that have come here than one may take."""
    return node.size > COURSE_MAX_BYTES or len(node.lanes) >= COURSE_MAX_RUNS


def _shape(node: Node, run: Run, blanks: Blanks) -> Shape | None:
    """The shape of a run, made where it is new; None where there are too many, or too many blanks."""
    shapes = node.shapes_of(run.lane, run.turn, len(run.data))
    for shape in shapes:
        if shape.blanks == blanks:
            return shape
    spans, before = (*blanks.own, *((start, end) for start, end, _ in blanks.said)), node.before
    if before is None or len(shapes) >= SHAPES_MAX or len(spans) > SPANS_MAX or len(spans) + len(before) > BLANKS_MAX:
        return None
    shapes.append(Shape(len(run.data), blanks, spans, blanks.unless, before))
    return shapes[-1]


def _blanks(node: Node, run: Run, runs: list[bytes], protocol: Protocol, side: Side) -> Blanks | None:
    """The blanks of a run, counted from its first byte, without short ones.

    None where the protocol names none, and where the run ends amid what must not stand there.
    """
    if protocol.blanks is None:
        return None
    begin = node.begins[run.lane]
    before = b"".join([data for lane, data in zip(node.lanes[begin:], runs[begin:], strict=True) if lane == run.lane])
    start, end = len(before), len(before) + len(run.data)
    found = protocol.blanks(before + run.data, side, begin == 0, start)
    if found is None or any(at < end < at + len(value) for at, value in found.unless):
        return None
    unless = tuple([(at - start, value) for at, value in found.unless if start <= at < end])
    said = tuple([(a - start, b - start, field) for a, b, field in found.said if a >= start and b <= end])
    return Blanks(_within(found.own, start, end), said, unless)


def _within(spans: tuple[tuple[int, int], ...], start: int, end: int) -> tuple[tuple[int, int], ...]:
    clipped = [(max(a, start) - start, min(b, end) - start) for a, b in spans]
    return tuple([(a, b) for a, b in clipped if b - a >= BLANK_MIN_BYTES])
