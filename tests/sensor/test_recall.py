"""Recall: what is kept, what is not, and the bounds of both. That it is right is a contract: see `test_blanks`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from parsers.core import Blanks, Field, Lead, Protocol, Registry, Side, Subject, Verdict
from sensor import recall
from sensor.recall import Course, Node, Recall, Run, Step
from sensor.sighting import Words

NAME = Field("test.name", "none")
ME = Subject(Side.INITIATOR)
RANDOM, OTHER = b"r" * 8, b"s" * 8


def protocol(blanks: Callable[[bytes, Side, bool], Blanks | None]) -> Protocol:
    return Protocol(
        "test", "none", "tcp", lambda _head, _side: Verdict.LIKELY, lambda *_: iter(()), (Lead(b"t"),), blanks=blanks
    )


def step(*values: str) -> Step:
    words = Words(tuple((NAME(ME, value), None) for value in values)) if values else None
    return Step(words, (), "test", 2, (), (), False, None)


def learnt(spans: Blanks, data: bytes, *values: str) -> tuple[Recall, Node, Step]:
    memory, node = Recall(), Node()
    done = memory.learn(node, Run(0, 1, data), Course(), protocol(lambda *_: spans), Side.INITIATOR, step(*values))
    return memory, node, done


def test_a_run_that_differs_in_its_blanks_is_known() -> None:
    _, node, done = learnt(Blanks(own=((1, 9),)), b"t" + RANDOM + b"end", "x")
    assert node.find(Run(0, 1, b"t" + OTHER + b"end"), Course()) is done
    assert node.find(Run(0, 1, b"t" + OTHER + b"END"), Course()) is None
    assert node.find(Run(0, 2, b"t" + OTHER + b"end"), Course()) is None
    assert node.find(Run(1, 1, b"t" + OTHER + b"end"), Course()) is None


def test_a_name_is_put_into_words() -> None:
    memory, node, done = learnt(Blanks(said=((1, 9, NAME),)), b"t" + RANDOM, "x", "rrrrrrrr")
    found = node.find(Run(0, 1, b"t" + OTHER), Course())
    assert found is done
    assert found.words is not None
    assert [fact for fact, _ in found.words.facts] == [NAME(ME, "x")]
    told = [memory.words_of(name, b"t" + OTHER) for name in found.names]
    assert [fact for words in told for fact, _ in words.facts] == [NAME(ME, "ssssssss")]
    assert memory.words_of(found.names[0], b"t" + OTHER) is told[0]


def test_a_name_that_was_not_stated_is_not_put_into_words() -> None:
    _, _, done = learnt(Blanks(said=((1, 9, NAME),)), b"t" + RANDOM, "x")
    assert done.names == ()


def test_repeating_an_earlier_blank_is_another_thing_than_not_repeating_it() -> None:
    memory, node, first = learnt(Blanks(own=((1, 9),)), b"t" + RANDOM, "x")
    assert first.node is not None
    course, again = Course(), protocol(lambda *_: Blanks(own=((0, 8),)))
    node.find(Run(0, 1, b"t" + RANDOM), course)
    memory.learn(first.node, Run(1, 1, RANDOM), course, again, Side.RESPONDER, step("same"))
    for content, known in ((OTHER, True), (RANDOM, False)):
        course = Course()
        node.find(Run(0, 1, b"t" + OTHER), course)
        assert (first.node.find(Run(1, 1, content), course) is not None) is known


def test_where_something_must_not_stand_nothing_is_known() -> None:
    spans = Blanks(own=((1, 9),), unless=((1, b"retry"),))
    assert learnt(spans, b"tretryrrr", "x")[2].node is None
    _, node, _ = learnt(spans, b"t" + RANDOM, "x")
    assert node.find(Run(0, 1, b"tretryrrr"), Course()) is None


def test_blanks_are_counted_from_where_bytes_were_left_out() -> None:
    asked: list[tuple[bytes, bool]] = []

    def blanks(head: bytes, _: Side, whole: bool) -> Blanks:
        asked.append((head, whole))
        return Blanks()

    memory, course, node = Recall(), Course(), Node()
    for number, leaves in enumerate(((), (0,), ())):
        done = memory.learn(
            node, Run(0, 1, b"%d" % number), course, protocol(blanks), Side.INITIATOR, step()._replace(leaves=leaves)
        )
        assert done.node is not None
        node = done.node
    assert asked == [(b"0", True), (b"01", True), (b"2", False)]


def test_equal_words_are_one_object() -> None:
    memory, node = Recall(), Node()
    said = protocol(lambda *_: Blanks())
    one, other = (
        memory.learn(node, Run(0, 1, data), Course(), said, Side.INITIATOR, step("x")) for data in (b"a", b"bb")
    )
    assert one.words is other.words


def test_the_automaton_begins_anew_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "STEPS_MAX", 10)
    memory, said = Recall(), protocol(lambda *_: Blanks())
    for number in range(100):
        node = memory.root("beginning")
        memory.learn(node, Run(0, 1, b"%d" % number), Course(), said, Side.INITIATOR, step("x"))
    found = [memory.root("beginning").find(Run(0, 1, b"%d" % number), Course()) for number in range(100)]
    assert 0 < sum(one is not None for one in found) <= 10


def test_shapes_and_spans_are_bounded() -> None:
    memory, node = Recall(), Node()
    for number in range(100):
        spans = protocol(lambda *_, at=number: Blanks(own=((at, at + 8),)))
        memory.learn(node, Run(0, 1, bytes(200)), Course(), spans, Side.INITIATOR, step("x"))
    assert memory.learnt == recall.SHAPES_MAX
    many = protocol(lambda *_: Blanks(own=tuple((at, at + 8) for at in range(0, 8_000, 8))))
    memory.learn(node, Run(0, 1, bytes(8_000)), Course(), many, Side.INITIATOR, step("x"))
    assert memory.learnt == recall.SHAPES_MAX


def test_a_registry_knows_how_lanes_begin() -> None:
    assert Registry([protocol(lambda *_: None)]).beginnings("tcp") == [(b"t", b"\xff")]
    assert Registry([protocol(lambda *_: None)]).beginnings("udp") == []
    leadless = msgspec.structs.replace(protocol(lambda *_: None), lead=())
    assert Registry([leadless]).beginnings("tcp") == [(b"", b"")]
