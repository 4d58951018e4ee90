"""What counts known words at a place, whichever way conversations say them."""

from __future__ import annotations

import pytest

from sensor.engine.seen import Counted, Moment, Seen, Words


def counted(count: int) -> tuple[Counted, list[Words], list[Seen]]:
    here = Counted()
    words = [Words((f"fact {number}",), known=True) for number in range(count)]  # type: ignore[arg-type]
    seen = [seen_once() for _ in words]
    for one, count_of_it in zip(words, seen, strict=True):
        here.keep(one, count_of_it)
    return here, words, seen


def seen_once() -> Seen:
    moment = Moment()
    moment.ts_us, moment.frame, moment.ends, moment.port, moment.quality = 1, 1, None, 1, None  # type: ignore[assignment]
    return Seen(moment)


@pytest.mark.parametrize("step", [1, 3, -1])
def test_words_are_found_in_whatever_turn_they_come(step: int) -> None:
    here, words, seen = counted(12)
    for _ in range(2):
        for turn, number in enumerate(list(range(12))[::step]):
            assert here.in_turn(turn, words[number]) is seen[number]
            assert here.get(words[number]) is seen[number]


def test_words_that_were_not_said_here_are_not_found() -> None:
    here, words, seen = counted(2)
    other = Words(words[0].facts, known=True)
    assert here.in_turn(0, words[0]) is seen[0]
    assert here.in_turn(0, other) is None
    assert here.in_turn(0, words[0]) is seen[0]


def test_what_was_emptied_counts_nothing() -> None:
    here, words, _ = counted(10)
    for turn, one in enumerate(words):
        here.in_turn(turn, one)
    here.clear()
    assert [here.in_turn(turn, one) for turn, one in enumerate(words)] == [None] * 10


def test_words_keep_the_count_that_they_have() -> None:
    here, words, seen = counted(1)
    here.in_turn(0, words[0])
    here.keep(words[0], seen_once())
    assert here.in_turn(0, words[0]) is here.get(words[0]) is seen[0]
