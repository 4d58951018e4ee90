"""Recall: what is kept, what is not, and the bounds of both. That it is right is a contract: see `test_blanks`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from parsers.core import Blanks, Field, Lead, Leave, Protocol, Registry, Side, Subject, Verdict
from sensor import recall
from sensor.engine import COMPILED, Node, Step, load_interpreted
from sensor.engine.seen import Words
from sensor.recall import Recall, Run

NAME = Field("test.name", "none")
ME = Subject(Side.INITIATOR)
RANDOM, OTHER = b"r" * 8, b"s" * 8


def protocol(blanks: Callable[[bytes, Side, bool, int], Blanks | None]) -> Protocol:
    return Protocol(
        "test", "none", "tcp", lambda _head, _side: Verdict.LIKELY, lambda *_: iter(()), (Lead(b"t"),), blanks=blanks,
        said=frozenset({NAME.name}),
    )  # fmt: skip


@pytest.fixture(
    autouse=True, params=[True, False] if COMPILED else [False], ids=lambda on: "compiled" if on else "plain"
)
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module as it is installed, and interpreted."""
    if not request.param:
        module = load_interpreted("courses")
        assert not module.COMPILED
        for name in ("Name", "Node", "Shape", "Step"):
            for user in (vars(recall), globals()):
                if name in user:
                    monkeypatch.setitem(user, name, getattr(module, name))


def step(*values: str, leaves: tuple[int, ...] = ()) -> Step:
    words = Words(tuple(NAME(ME, value) for value in values)) if values else None
    done = Step(words, "test", 2)
    for lane in leaves:
        done.leave(lane, Leave.TURN, 0, b"")
    return done


def beginning(memory: Recall) -> Node:
    return memory.roots.setdefault("beginning", Node())


def learnt(spans: Blanks, data: bytes, *values: str) -> tuple[Recall, Node, Step]:
    memory, done = Recall(), step(*values)
    node = beginning(memory)
    memory.learn(node, Run(0, 1, data), [], protocol(lambda *_: spans), Side.INITIATOR, done)
    return memory, node, done


def test_a_run_that_differs_in_its_blanks_is_known() -> None:
    _, node, done = learnt(Blanks(own=((1, 9),)), b"t" + RANDOM + b"end", "x")
    assert node.find(0, 1, b"t" + OTHER + b"end", []) is done
    assert node.find(0, 1, b"t" + OTHER + b"END", []) is None
    assert node.find(0, 1, b"T" + OTHER + b"end", []) is None
    assert node.find(0, 1, b"t" + OTHER + b"end.", []) is None
    assert node.find(0, 2, b"t" + OTHER + b"end", []) is None
    assert node.find(1, 1, b"t" + OTHER + b"end", []) is None


def test_a_run_is_learnt_when_another_one_of_its_length_comes() -> None:
    """Two in a row: nobody is asked for their blanks before, and those of the first one decide about the second."""
    asked: list[int] = []

    def blanks(head: bytes, *_: object) -> Blanks:
        asked.append(len(head))
        return Blanks(own=((1, 9),))

    memory, said, first, second = Recall(), protocol(blanks), step(), step(leaves=(0,))
    node = beginning(memory)
    memory.learn(node, Run(0, 1, b"t" + RANDOM), [], said, Side.INITIATOR, first)
    assert first.node is not None
    memory.learn(first.node, Run(1, 1, b"u" + RANDOM), [b"t" + RANDOM], said, Side.RESPONDER, second)
    assert second.node is not None
    assert node.find(0, 1, b"t" + OTHER + b".", []) is None
    assert (asked, memory.learnt) == ([], 0)
    assert node.find(0, 1, b"t" + OTHER, []) is first
    assert (asked, memory.learnt) == ([9], 1)
    assert first.node.find(1, 1, b"u" + OTHER, [b"t" + RANDOM]) is None  # its blank was the one of the run before
    assert first.node.find(1, 1, b"u" + OTHER, [b"t" + OTHER]) is second
    assert (asked, memory.learnt) == ([9, 9], 2)


def test_after_a_run_that_is_not_learnt_yet_a_name_is_none_of_its_own() -> None:
    """Whether its span repeats an earlier blank is not known before."""
    spans = iter((Blanks(own=((1, 9),)), Blanks(said=((10, 18, NAME),))))
    memory, said, first, second = Recall(), protocol(lambda *_: next(spans)), step(), step("rrrrrrrr")
    node = beginning(memory)
    memory.learn(node, Run(0, 1, b"t" + RANDOM), [], said, Side.INITIATOR, first)
    assert first.node is not None
    memory.learn(first.node, Run(0, 2, b"t" + RANDOM), [b"t" + RANDOM], said, Side.INITIATOR, second)
    assert memory.learnt == 0
    assert node.find(0, 1, b"t" + OTHER, []) is first
    assert first.node.find(0, 2, b"t" + RANDOM, [b"t" + OTHER]) is None
    assert first.node.find(0, 2, b"t" + OTHER, [b"t" + OTHER]) is second
    assert [name.words(b"t" + OTHER).facts[0] for name in second.names] == [NAME(ME, "ssssssss")]


def test_what_is_put_off_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its number, and by the bytes that are kept for it."""
    said = protocol(lambda *_: Blanks())
    for bound, value in (("STEPS_MAX", 10), ("KEYS_MAX_BYTES", 2_000)):
        memory = Recall()
        with monkeypatch.context() as patch:
            patch.setattr(recall, bound, value)
            for size in range(150, 250):
                memory.learn(beginning(memory), Run(0, 1, bytes(size)), [], said, Side.INITIATOR, step())
            assert 0 < sum(beginning(memory).find(0, 1, bytes(size), []) is not None for size in range(150, 250)) <= 14


def test_shapes_of_one_length_are_told_apart() -> None:
    """Also where the bytes before the last blank are the same."""
    memory, node, first = learnt(Blanks(own=((2, 10),)), b"ab" + RANDOM + b"c", "x")
    others = [step("y"), step("z")]
    for run, done in zip((b"ab" + RANDOM + b"d", b"aB" + RANDOM + b"c"), others, strict=True):
        memory.learn(node, Run(0, 1, run), [], protocol(lambda *_: Blanks(own=((2, 10),))), Side.INITIATOR, done)
    whole = step("whole")
    memory.learn(node, Run(0, 1, b"k" * 11), [], protocol(lambda *_: Blanks(own=((0, 11),))), Side.INITIATOR, whole)
    found = [node.find(0, 1, run, []) for run in (b"ab" + OTHER + b"c", b"ab" + OTHER + b"d", b"aB" + OTHER + b"c")]
    assert found == [first, *others]
    assert node.find(0, 1, b"xx" + OTHER + b"x", []) is whole


def test_the_step_that_was_found_last_hides_no_other() -> None:
    """One shape with three steps, which differ in its first piece, its last piece, and what its blanks repeat."""
    memory, node, first = learnt(Blanks(own=((1, 9), (13, 21))), b"t" + RANDOM + b"then" + OTHER, "x")
    spans, steps = protocol(lambda *_: Blanks(own=((1, 9),), unless=((1, b"retry   "),))), {}
    earlier = [b"t" + RANDOM + b"then" + OTHER]
    assert first.node is not None
    for run in (b"a%se", b"b%se", b"a%sf"):
        for content in (RANDOM, b"n" * 8):
            steps[run, content] = step(f"{run!r} {content!r}")
            done = steps[run, content]
            memory.learn(first.node, Run(1, 1, run % content), earlier, spans, Side.RESPONDER, done)
    assert node.find(0, 1, b"t" + OTHER + b"then" + RANDOM, []) is first
    for (run, content), done in [*steps.items(), *reversed(steps.items()), *steps.items()]:
        assert first.node.find(1, 1, run % content, earlier) is done
        assert first.node.find(1, 1, run % content, earlier) is done
        assert first.node.find(1, 1, run % b"retry   ", earlier) is None
        assert first.node.find(1, 1, b"c" + (run % content)[1:], earlier) is None


def test_a_name_is_put_into_words() -> None:
    memory, node, done = learnt(Blanks(said=((1, 9, NAME),)), b"t" + RANDOM, "x", "rrrrrrrr")
    found = node.find(0, 1, b"t" + OTHER, [])
    assert found is done
    assert found.words is not None
    assert list(found.words.facts) == [NAME(ME, "x")]
    told = [name.words(b"t" + OTHER) for name in found.names]
    assert [fact for words in told for fact in words.facts] == [NAME(ME, "ssssssss")]
    assert memory.name(0, 8, NAME, ME).words(OTHER) is told[0]


def test_a_name_that_was_not_stated_is_not_put_into_words() -> None:
    _, _, done = learnt(Blanks(said=((1, 9, NAME),)), b"t" + RANDOM, "x")
    assert done.names == ()


def test_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "NAMES_MAX", 10)
    memory, _, done = learnt(Blanks(said=((1, 9, NAME),)), b"t" + RANDOM, "rrrrrrrr")
    told = [done.names[0].words(b"t%08d" % number) for number in range(100)]
    assert [words.facts[0].value for words in told] == [f"{number:08}" for number in range(100)]
    assert [len(known) for known in memory._words.values()] == [1]


def test_repeating_an_earlier_blank_is_another_thing_than_not_repeating_it() -> None:
    memory, _, first = learnt(Blanks(own=((1, 9), (9, 17))), b"t" + RANDOM + OTHER, "x")
    assert first.node is not None
    again, steps = protocol(lambda *_: Blanks(own=((0, 8),))), {}
    for content in (RANDOM, OTHER, b"n" * 8):
        steps[content] = step(content.decode())
        memory.learn(first.node, Run(1, 1, content), [b"t" + RANDOM + OTHER], again, Side.RESPONDER, steps[content])
    one, other, third = b"1" * 8, b"2" * 8, b"3" * 8
    runs = [b"t" + one + other]
    assert first.node.find(1, 1, one, runs) is steps[RANDOM]
    assert first.node.find(1, 1, other, runs) is steps[OTHER]
    assert first.node.find(1, 1, third, runs) is steps[b"n" * 8]
    assert first.node.find(1, 1, one, [b"t" + one + one]) is steps[RANDOM]


def test_where_something_must_not_stand_nothing_is_known() -> None:
    spans = Blanks(own=((1, 9),), unless=((1, b"retry"),))
    assert learnt(spans, b"tretryrrr", "x")[2].node is None
    _, node, _ = learnt(spans, b"t" + RANDOM, "x")
    assert node.find(0, 1, b"tretryrrr", []) is None


def test_what_must_not_stand_behind_a_run_does_not_concern_it() -> None:
    spans = Blanks(own=((1, 9),), unless=((9, b"retry"),))
    _, node, done = learnt(spans, b"t" + RANDOM, "x")
    assert node.find(0, 1, b"t" + OTHER, []) is done


def test_where_the_end_of_a_run_may_cut_what_must_not_stand_there_nothing_is_known() -> None:
    for at in range(5, 9):
        assert learnt(Blanks(own=((1, 9),), unless=((at, b"retry"),)), b"t" + RANDOM, "x")[2].node is None
    assert learnt(Blanks(own=((1, 9),), unless=((4, b"retry"),)), b"t" + RANDOM, "x")[2].node is not None


def test_blanks_are_counted_from_where_bytes_were_left_out() -> None:
    asked: list[tuple[bytes, bool, int]] = []

    def blanks(head: bytes, _: Side, whole: bool, known_bytes: int) -> Blanks:
        asked.append((head, whole, known_bytes))
        return Blanks()

    memory, runs = Recall(), []
    node = beginning(memory)
    for number, leaves in enumerate(((), (0,), ())):
        run, done = Run(0, 1, b"%d" % number), step("x", leaves=leaves)
        memory.learn(node, run, runs, protocol(blanks), Side.INITIATOR, done)
        assert done.node is not None
        node, runs = done.node, [*runs, run.data]
    assert asked == [(b"0", True, 0), (b"01", True, 1), (b"2", False, 0)]


def test_equal_words_are_one_object() -> None:
    memory, said = Recall(), protocol(lambda *_: Blanks())
    one, other = step("x"), step("x")
    for data, done in ((b"a", one), (b"bb", other)):
        memory.learn(beginning(memory), Run(0, 1, data), [], said, Side.INITIATOR, done)
    assert one.words is other.words


def test_the_automaton_begins_anew_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "STEPS_MAX", 10)
    memory, said = Recall(), protocol(lambda *_: Blanks())
    for number in range(100):
        memory.learn(beginning(memory), Run(0, 1, b"%d" % number), [], said, Side.INITIATOR, step("x"))
    found = [beginning(memory).find(0, 1, b"%d" % number, []) for number in range(100)]
    assert 0 < sum(one is not None for one in found) <= 10


def test_shapes_and_spans_are_bounded() -> None:
    memory = Recall()
    node = beginning(memory)

    def learn(length: int, spans: Blanks) -> None:
        memory.learn(node, Run(0, 1, bytes(length)), [], protocol(lambda *_: spans), Side.INITIATOR, step("x"))

    for number in range(100):
        learn(200, Blanks(own=((number, number + 8),)))
    assert memory.learnt == recall.SHAPES_MAX
    learn(8_000, Blanks(own=tuple((at, at + 8) for at in range(0, 8_000, 8))))
    assert memory.learnt == recall.SHAPES_MAX


@pytest.mark.parametrize(("size", "blanks", "runs"), [(8, 1, 32), (6_000, 0, 3), (320, 40, 3)])
def test_a_conversation_that_says_too_much_is_not_recalled_on(size: int, blanks: int, runs: int) -> None:
    """Too many runs, too many bytes, too many blanks."""
    memory, heard = Recall(), 0
    node: Node | None = beginning(memory)
    said = protocol(lambda head, *_: Blanks(own=tuple((at, at + 8) for at in range(0, 8 * blanks, 8))))
    while node is not None:
        done = step("x", leaves=(0,))
        memory.learn(node, Run(0, 1, bytes(size)), [bytes(size)] * heard, said, Side.INITIATOR, done)
        node, heard = done.node, heard + 1
    assert heard == runs + 1


def test_a_registry_knows_how_lanes_begin() -> None:
    assert Registry([protocol(lambda *_: None)]).beginnings("tcp") == [(b"t", b"\xff")]
    assert Registry([protocol(lambda *_: None)]).beginnings("udp") == []
    leadless = msgspec.structs.replace(protocol(lambda *_: None), lead=())
    assert Registry([leadless]).beginnings("tcp") == [(b"", b"")]
