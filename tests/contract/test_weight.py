"""What a session says that it takes in memory, against what the allocator saw, for every conversation of ours."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from parsers.core import Registry, Session
from tests.captures import Talk, own_captures, talks

REGISTRY = Registry.installed()
COPIES = 8
WARM = 3
"""So often something is said until it is known as well as it will be."""
POINTS = 6
TALK_MAX_BYTES = 60_000
TALKS_EACH = 6
OVER = 1.75
"""A session may take so many times what it says."""
UNDER = 6.0
"""It may say so many times what it takes: most have read little of what they could."""


def sampled() -> Iterator[tuple[str, Talk]]:
    """Some conversations of each protocol."""
    count: dict[str, int] = {}
    for path in own_captures():
        for talk in talks(path):
            session = fed(talk, len(talk.pieces))
            name = session.protocol.name if session.protocol is not None else "unknown"
            is_short = sum(len(piece.data) for piece in talk.pieces) <= TALK_MAX_BYTES
            if is_short and count.get(name, 0) < TALKS_EACH:
                count[name] = count.get(name, 0) + 1
                yield name, talk


def fed(talk: Talk, count: int) -> Session:
    """A session that has heard the first pieces, each copied as the engine does it."""
    session = Session(REGISTRY, talk.over, talk.ports, roles_guessed=talk.over == "udp")
    for lane, data, turn in talk.pieces[:count]:
        own = bytes(bytearray(data))
        session.feed_datagram(lane, own) if talk.over == "udp" else session.feed(lane, own, turn)
    return session


def taken_bytes(talk: Talk, count: int) -> float:
    """What the allocator gave, for each of some sessions; what all share is made before."""
    for _ in range(WARM):
        fed(talk, count)
    tracemalloc.start()
    try:
        sessions = [fed(talk, count) for _ in range(COPIES)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return taken / len(sessions)


TALKS = list(sampled())


@pytest.mark.parametrize(("name", "talk"), TALKS, ids=[f"{name}-{talk.name}" for name, talk in TALKS])
def test_a_session_takes_what_it_says(name: str, talk: Talk) -> None:
    for count in range(1, len(talk.pieces) + 1, max(1, len(talk.pieces) // POINTS)):
        taken = taken_bytes(talk, count)
        session = fed(talk, count)
        if not session.done:
            assert session.weight / UNDER <= taken <= OVER * session.weight


def test_there_are_conversations_of_every_protocol() -> None:
    assert {name for name, _ in TALKS} >= {protocol.name for protocol in REGISTRY.protocols}
