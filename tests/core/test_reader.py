"""The resumable reader: waiting, leaving out, and handing that over."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from parsers.core import MESSAGE_MAX_BYTES, Cursor, Leave, LimitExceeded, Malformed, Reader
from parsers.core.reader import Passer


def run(steps: Generator[object, None, bytes]) -> bytes | None:
    """One push: the result, or None while it waits."""
    try:
        next(steps)
    except StopIteration as stop:
        return stop.value
    return None


def test_exactly_waits_for_the_last_byte() -> None:
    r = Reader()
    steps = r.exactly(3)
    r.feed(b"ab", 1)
    assert run(steps) is None
    assert r.demand.want == 1
    r.feed(b"cd", 1)
    assert run(steps) == b"abc"
    assert r.held == 1


def test_too_much_is_refused_at_once() -> None:
    with pytest.raises(LimitExceeded):
        run(Reader().exactly(MESSAGE_MAX_BYTES + 1))


def test_expect_is_what_the_engine_may_not_cut() -> None:
    r = Reader()
    r.expect(500)
    run(r.exactly(4))
    assert (r.demand.want, r.demand.message) == (4, 500)


@pytest.mark.parametrize("pieces", [[b"abcdef"], [b"a", b"b", b"c", b"d", b"e", b"f"], [b"abcd", b"ef"]])
def test_skip_drops_what_is_fed(pieces: list[bytes]) -> None:
    r = Reader()

    def read() -> Generator[object, None, bytes]:
        yield from r.skip(4)
        return (yield from r.exactly(2))

    steps, found = read(), None
    for piece in pieces:
        r.feed(piece, 1)
        found = run(steps)
    assert found == b"ef"
    assert r.offset == 6


def test_skip_handed_over_is_not_fed() -> None:
    r = Reader()

    def read() -> Generator[object, None, bytes]:
        yield from r.skip(1_000_000)
        return (yield from r.exactly(2))

    steps = read()
    r.feed(b"abc", 1)
    run(steps)
    assert (r.demand.leave, r.demand.count) == (Leave.BYTES, 999_997)
    r.hand_over()
    run(steps)
    r.feed(b"ef", 9)
    assert run(steps) == b"ef"


def test_no_lane_has_as_much_as_a_length_may_say() -> None:
    with pytest.raises(LimitExceeded):
        next(Reader().skip(1 << 64))


@pytest.mark.parametrize("cut", range(9))
def test_skip_until_finds_a_mark_however_it_is_cut(cut: int) -> None:
    r = Reader()

    def read() -> Generator[object, None, bytes]:
        yield from r.skip_until(b"\x1c\r", 100)
        return (yield from r.exactly(2))

    steps, found = read(), None
    for piece in (b"ab\x1cc\x1c\ref"[:cut], b"ab\x1cc\x1c\ref"[cut:]):
        r.feed(piece, 1)
        found = run(steps) if found is None else found
    assert found == b"ef"


def test_next_turn_gives_up_the_rest_of_this_one() -> None:
    r = Reader()

    def read() -> Generator[object, None, bytes]:
        yield from r.exactly(1)
        yield from r.next_turn()
        return (yield from r.exactly(2))

    steps = read()
    r.feed(b"abc", 1)
    run(steps)
    r.feed(b"def", 1)
    assert run(steps) is None
    r.feed(b"gh", 2)
    assert run(steps) == b"gh"


def test_until_is_bounded() -> None:
    r = Reader()
    r.feed(b"x" * 50, 1)
    with pytest.raises(LimitExceeded):
        run(r.until(b"\n", 40))


def test_a_cursor_never_reads_past_its_message() -> None:
    cursor = Cursor(b"\x01\x02\x03", base=10)
    assert (cursor.u8(), cursor.u16(), cursor.remaining) == (1, 0x0203, 0)
    with pytest.raises(Malformed) as caught:
        cursor.u8()
    assert caught.value.offset == 13
    with pytest.raises(Malformed):
        Cursor(b"abc").take(-1)


def test_ready_takes_bytes_that_are_there_and_waits_for_none() -> None:
    reader = Reader()
    assert reader.ready(1) == b""
    reader.feed(b"abc", 1)
    assert reader.ready(4) == b""
    assert (reader.ready(2), reader.offset, reader.held) == (b"ab", 2, 1)


def test_what_is_there_can_be_seen_and_left_out_at_once() -> None:
    r = Reader()
    r.feed(b"abcdef", 1)
    assert (r.seen(4), r.offset) == (b"abcd", 0)
    assert not r.skipped(7)
    assert r.skipped(4)
    assert (r.seen(9), r.offset, r.held) == (b"ef", 4, 2)


def test_holding_waits_and_reads_nothing() -> None:
    r = Reader()
    steps = r.hold(3)
    r.feed(b"ab", 1)
    next(steps)
    assert r.demand.want == 1
    r.feed(b"c", 1)
    assert run(steps) is None
    assert (r.seen(3), r.held) == (b"abc", 3)
    with pytest.raises(LimitExceeded):
        run(r.hold(MESSAGE_MAX_BYTES + 1))


def test_a_demand_is_the_same_as_long_as_nothing_changes() -> None:
    r = Reader()
    first = r.demand
    r.feed(b"a", 1)
    run(r.exactly(1))
    assert r.demand is first
    next(r.exactly(2))
    assert r.demand != first


def test_pieces_read_across_deliveries() -> None:
    """What was read before the next bytes come is not read again, nor what was not read lost."""
    r, read = Reader(), b""
    for piece in (b"abcde", b"f", b"ghij"):
        r.feed(piece, 1)
        read += r.ready(3) + r.ready(2)
    assert read + r.drain() == b"abcdefghij"


# ---------------------------------------------------------------------- what passes


class Spaces(Passer):
    """Lets spaces pass, and leaves out eight bytes after a tab."""

    def passes(self, r: Reader) -> bool:
        while (data := r.seen(1)) in {b" ", b"\t"}:
            r.pass_over(1 if data == b" " else 9)
        return not r.held


@pytest.mark.parametrize(
    ("data", "sleeps", "left", "count"),
    [
        (b"   ", True, b"", 0),
        (b"  ab", False, b"ab", 0),
        (b" \t12345678a ", False, b"a ", 0),
        (b" \t123", True, b"", 5),
    ],
)
def test_a_dissector_sleeps_while_all_passes(data: bytes, sleeps: bool, left: bytes, count: int) -> None:
    r = Reader()
    r.passer = Spaces()
    r.feed(data, 1)
    assert r.sleeps() is sleeps
    assert (r.seen(99), r.demand.count) == (left, count)
    assert r.offset == len(data) - len(left) + count


def test_what_passes_is_left_out_as_it_comes() -> None:
    r = Reader()
    r.passer = Spaces()
    for data in (b" \t123", b"45", b"678"):
        r.feed(data, 1)
        assert r.sleeps()
    r.feed(b" b", 1)
    assert not r.sleeps()
    assert r.seen(99) == b"b"


def test_nobody_sleeps_without_a_passer() -> None:
    r = Reader()
    r.feed(b" ", 1)
    assert not r.sleeps()
