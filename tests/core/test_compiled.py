"""Compiled and interpreted, the same source does the same: the interpreter is the compiler's oracle."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import core as installed
from tests.captures import own_captures, shared_captures
from tests.conftest import ROOT
from tests.core import _interpreted
from tests.fuzz import sessions

interpreted = _interpreted.core()
BOTH = (installed, interpreted)
MUTANTS = 400
SAMPLE = 60

pytestmark = pytest.mark.skipif(
    not installed.reader.__file__.endswith(".so"), reason="nothing is compiled here: there is nothing to compare"
)


def test_both_are_what_they_are_called() -> None:
    for path in _interpreted.TYPED:
        if path.parent.name == "core":
            files = [Path(getattr(world, path.stem).__file__).suffix for world in BOTH]
            assert files == [".so", ".py"], path.stem
    assert installed.Reader is not interpreted.Reader


@pytest.mark.parametrize("data", [b"", b"a", b"abcdef"])
def test_what_is_cut_is_a_slice(data: bytes) -> None:
    for begin in range(8):
        for end in (*range(-2, 9), 1 << 60):
            assert all(world.cursor.cut(data, begin, end) == data[begin : max(end, 0)] for world in BOTH)


# ------------------------------------------------------------------ readers


class Call(NamedTuple):
    """A method of a reader and its arguments."""

    name: str
    arguments: tuple[Any, ...]


class Delivery(NamedTuple):
    """What comes next in a lane: bytes of this turn or the next, or (`taken`) a demand is met by who feeds it."""

    data: bytes
    new_turn: bool
    taken: bool


counts = st.integers(0, 40) | st.sampled_from([-1, 65_536, 65_537, 1 << 60, (1 << 60) + 1, 1 << 64])
few = st.integers(0, 40)

marks = st.sampled_from([b"\r", b"\x1c\r", b"abc"])
pieces = st.text("abc\r\x1c", max_size=20).map(str.encode)
waiting = st.one_of(
    st.builds(Call, st.sampled_from(["exactly", "peek", "hold", "skip"]), st.tuples(counts)),
    st.builds(Call, st.sampled_from(["until", "skip_until"]), st.tuples(marks, few)),
    st.builds(Call, st.sampled_from(["next_turn", "datagram"]), st.just(())),
)
at_once = st.one_of(
    st.builds(Call, st.sampled_from(["ready", "seen", "skipped", "expect"]), st.tuples(few)),
    st.builds(Call, st.just("drain"), st.just(())),
    st.builds(Call, st.just("feed_datagram"), st.tuples(pieces)),
)
deliveries = st.builds(Delivery, pieces, st.booleans(), st.booleans())


@given(st.lists(waiting | at_once, max_size=12), st.lists(deliveries, max_size=12), st.booleans())
def test_readers_read_the_same(calls: list[Call], fed: list[Delivery], resumed: bool) -> None:
    compiled, oracle = (read(world, calls, fed, resumed=resumed) for world in BOTH)
    assert compiled == oracle


def read(world: Any, calls: list[Call], fed: list[Delivery], *, resumed: bool) -> list[object]:
    """All that can be seen of a reader while it is fed."""
    r = world.Reader(resumed=resumed, turn=1)
    seen: list[object] = [r.resumed]
    steps, turn = dissect(world, r, calls, seen), 1
    for data, new_turn, taken in (Delivery(b"", new_turn=False, taken=False), *fed):
        next(steps, None)
        seen.append((r.offset, r.held, tuple(map(int, (r.partial_mark, r.demand.leave))), repr(r.demand)))
        if taken and r.demand.leave and not r.partial_mark:
            r.hand_over()
            continue
        turn += new_turn
        r.feed(data, turn)
    return seen


def dissect(world: Any, r: Any, calls: list[Call], seen: list[object]) -> Generator[object, None, None]:
    for name, arguments in calls:
        try:
            found = getattr(r, name)(*arguments)
            seen.append((yield from found) if hasattr(found, "send") else found)
        except world.ProtocolError as error:
            seen.append((error.code, error.what, error.offset))


# ------------------------------------------------------------------ cursors

numbers = st.sampled_from(["u8", "u16", "u24", "u32", "u48", "u64", "u16le", "u32le", "u64le"])
vectors = st.sampled_from(["vector8", "vector16", "vector24", "rest"])
moves = st.one_of(
    st.builds(Call, numbers | vectors, st.just(())),
    st.builds(Call, st.sampled_from(["take", "peek", "skip", "sub"]), st.tuples(counts)),
)


@given(st.binary(max_size=60), st.integers(0, 1 << 40), st.lists(moves, max_size=12))
def test_cursors_read_the_same(data: bytes, base: int, calls: list[Call]) -> None:
    compiled, oracle = (walk(world, world.Cursor(data, base), calls) for world in BOTH)
    assert compiled == oracle


def walk(world: Any, cursor: Any, calls: list[Call]) -> list[object]:
    seen: list[object] = []
    for name, arguments in calls:
        try:
            found = getattr(cursor, name)(*arguments)
            seen.append(found.rest() if isinstance(found, world.Cursor) else found)
        except world.Malformed as error:
            seen.append((error.what, error.offset))
        seen.append((cursor.offset, cursor.remaining))
    return seen


# ------------------------------------------------------------------ sessions


def test_sessions_say_the_same() -> None:
    """Conversations of the captures, bent: every parser, gaps, exclusions, answers to nothing."""
    count = 0
    for data in mutants():
        compiled, oracle = (list(talk(world, data)) for world in BOTH)
        assert compiled == oracle
        count += len(compiled)
    assert count > MUTANTS


def mutants() -> Iterator[bytes]:
    chance = random.Random("sessions")
    corpus = sessions.corpus()
    for _ in range(MUTANTS):
        yield sessions.mutate(chance.choice(corpus), chance)


def talk(world: Any, data: bytes) -> Iterator[str]:
    """What a session states, and what it wants after each piece."""
    over, midstream = "udp" if data[0] & 1 else "tcp", bool(data[0] & 2)
    session = world.Session(
        world.Registry.installed(), over, (445, 104), midstream=midstream, roles_guessed=bool(data[0] & 4)
    )
    turns = [1, 1]
    for how, piece in sessions.pieces(data[1:]):
        lane = how & 1
        turns[lane] += how >> 1 & 1
        if how & 4:
            yield repr(session.gap(lane))
        if over == "udp":
            yield repr(session.feed_datagram(lane, piece))
            continue
        yield repr(session.feed(lane, piece, turns[lane]))
        if not session.closed(lane) and session.demand(lane).leave and session.can_hand_over(lane):
            yield repr((session.demand(lane), session.hand_over(lane)))
        protocol = session.protocol.name if session.protocol else ""
        yield repr((protocol, session.confidence, session.done, session.held_bytes, session.failed_candidates))
    yield repr(session.end())


# ------------------------------------------------------------------ the whole way


def test_facts_are_the_same(tmp_path: Path) -> None:
    """`spanward facts`, in processes of their own: nothing at all is compiled in one of them."""
    chance = random.Random("captures")
    captures = [path for found in (own_captures(), shared_captures()) for path in found if path.stat().st_size < 60_000]
    sample = chance.sample(captures, SAMPLE)
    compiled = facts(sample, XDG_CONFIG_HOME=str(tmp_path))
    assert compiled.stdout.count(b"\n") > SAMPLE
    oracle = facts(sample, XDG_CONFIG_HOME=str(tmp_path), SPANWARD_INTERPRETED="1")
    assert (oracle.returncode, oracle.stdout) == (compiled.returncode, compiled.stdout)


def facts(captures: list[Path], **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "sensor.cli", "facts", *map(str, captures)]
    return subprocess.run(command, check=False, capture_output=True, cwd=ROOT, env={**os.environ, **environment})


@pytest.mark.parametrize("order", ["parsers.core, sensor.pipeline", "sensor.pipeline, parsers.core", "parsers.core"])
def test_who_asks_for_sources_gets_them_whatever_is_imported_first(order: str) -> None:
    assert loaded(order, "1") == 0
    assert loaded(order, "0") > 3


def test_what_cython_needs_everywhere_is_compiled_once() -> None:
    own = b"Can only create a buffer that is contiguous in memory."  # said by its views of memory
    compiled = [path for floor in ("parsers", "sensor") for path in (ROOT / floor).rglob("*.so")]
    assert [path.name.split(".")[0] for path in compiled if own in path.read_bytes()] == ["_cython"]


def loaded(order: str, interpreted: str) -> int:
    """How many of our modules are compiled once these are imported."""
    code = f"""
import sys, {order}
ours = [module for name, module in sys.modules.items() if name.startswith(("parsers.", "sensor."))]
print(sum(module.__file__.endswith(".so") for module in ours))
"""
    environment = {**os.environ, "SPANWARD_INTERPRETED": interpreted}
    return int(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, env=environment))
