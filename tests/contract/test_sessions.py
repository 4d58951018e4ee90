"""What every parser must stand: its captures fed in any pieces, with junk, cut, bent and replaced by noise."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from parsers.core import Registry, Session, Verdict
from tests.captures import Piece, Talk, feed, own_captures, talks

EXHAUSTIVE_BYTES = 2_000
SAMPLES = 40
TALK_MAX_BYTES = 60_000
REGISTRY = Registry.installed()
# What kinds of fact a conversation holds: conversations that differ in values only are one sample.
KIND = re.compile(
    r"(?:^\w+\(|\bname='[^']*'|mechanism='[^']*'|version='[^']*'|'client_certificate': '\w+'|key_exchange)"
)


def understood() -> Iterator[tuple[str, Talk]]:
    """(protocol, conversation) for what the project's captures hold; large ones and repetitions are left out."""
    seen: set[tuple[str, frozenset[str]]] = set()
    for path in own_captures():
        for talk in talks(path):
            if sum(len(piece.data) for piece in talk.pieces) > TALK_MAX_BYTES:
                continue
            session = Session(REGISTRY, talk.over, talk.ports, roles_guessed=talk.over == "udp")
            for piece in talk.pieces:
                (session.feed_datagram(piece.lane, piece.data) if talk.over == "udp" else session.feed(*piece))
            if session.protocol is None:
                continue
            kinds = frozenset(KIND.findall("\n".join(feed(REGISTRY, talk, talk.pieces))))
            if (session.protocol.name, kinds) not in seen:
                seen.add((session.protocol.name, kinds))
                yield session.protocol.name, talk


TALKS = list(understood())
STREAMS = [(protocol, talk) for protocol, talk in TALKS if talk.over == "tcp"]
ids = [f"{protocol}-{talk.name}" for protocol, talk in TALKS]
stream_ids = [f"{protocol}-{talk.name}" for protocol, talk in STREAMS]


def split(piece: Piece, at: int) -> list[Piece]:
    return [piece._replace(data=part) for part in (piece.data[:at], piece.data[at:]) if part]


def places(length: int, salt: str) -> list[int]:
    if length <= EXHAUSTIVE_BYTES:
        return list(range(1, length))
    return sorted(random.Random(salt).sample(range(1, length), SAMPLES))


def test_there_are_conversations_of_every_protocol() -> None:
    assert {protocol for protocol, _ in TALKS} == {protocol.name for protocol in REGISTRY.protocols}


@pytest.mark.parametrize(("protocol", "talk"), STREAMS, ids=stream_ids)
def test_byte_by_byte(protocol: str, talk: Talk) -> None:
    bytewise = [piece._replace(data=piece.data[i : i + 1]) for piece in talk.pieces for i in range(len(piece.data))]
    assert feed(REGISTRY, talk, bytewise) == feed(REGISTRY, talk, talk.pieces)


@pytest.mark.parametrize(("protocol", "talk"), STREAMS, ids=stream_ids)
def test_every_two_way_split(protocol: str, talk: Talk) -> None:
    expected = feed(REGISTRY, talk, talk.pieces)
    for number, piece in enumerate(talk.pieces):
        step = max(1, sum(len(p.data) for p in talk.pieces) // EXHAUSTIVE_BYTES)
        for at in places(len(piece.data), talk.name)[::step]:
            pieces = [*talk.pieces[:number], *split(piece, at), *talk.pieces[number + 1 :]]
            assert feed(REGISTRY, talk, pieces) == expected, f"piece {number} split at {at}"


@pytest.mark.parametrize(("protocol", "talk"), STREAMS, ids=stream_ids)
def test_junk_after_it(protocol: str, talk: Talk) -> None:
    noise = random.Random(talk.name).randbytes(64)
    last = max(piece.turn for piece in talk.pieces)
    junk = [Piece(lane, noise, last + 1) for lane in (0, 1)]
    expected = feed(REGISTRY, talk, talk.pieces)
    assert [fact for fact in expected if fact not in feed(REGISTRY, talk, [*talk.pieces, *junk])] == []


@pytest.mark.parametrize(("protocol", "talk"), TALKS, ids=ids)
def test_cut_off_at_any_byte(protocol: str, talk: Talk) -> None:
    for number, piece in enumerate(talk.pieces):
        for at in places(len(piece.data), talk.name)[:: max(1, len(talk.pieces))]:
            feed(REGISTRY, talk, [*talk.pieces[:number], piece._replace(data=piece.data[:at])])


@pytest.mark.parametrize(("protocol", "talk"), TALKS, ids=ids)
def test_flipped_bits(protocol: str, talk: Talk) -> None:
    rng = random.Random(talk.name)
    for _ in range(SAMPLES * 2):
        number = rng.randrange(len(talk.pieces))
        data = bytearray(talk.pieces[number].data)
        data[rng.randrange(min(len(data), EXHAUSTIVE_BYTES))] ^= 1 << rng.randrange(8)
        bent = talk.pieces[number]._replace(data=bytes(data))
        feed(REGISTRY, talk, [*talk.pieces[:number], bent, *talk.pieces[number + 1 :]])


@pytest.mark.parametrize("over", ["tcp", "udp"])
def test_noise_is_nothing(over: str) -> None:
    rng = random.Random(over)
    for _ in range(2_000):
        talk = Talk("noise", over, (rng.randrange(65536), rng.randrange(65536)), [])
        pieces = [Piece(rng.randrange(2), rng.randbytes(rng.randrange(1, 400)), turn) for turn in range(1, 4)]
        assert feed(REGISTRY, talk, pieces) == []


def heads(talk: Talk) -> Iterator[tuple[int, bytes]]:
    """The first bytes of each lane: of a stream all of its first turn, of datagrams the first one."""
    for lane in (0, 1):
        mine = [piece for piece in talk.pieces if piece.lane == lane]
        if mine and talk.over == "tcp":
            yield lane, b"".join(piece.data for piece in mine if piece.turn == mine[0].turn)[:8192]
        elif mine:
            yield lane, mine[0].data


@pytest.mark.parametrize(("protocol", "talk"), TALKS, ids=ids)
def test_probes(protocol: str, talk: Talk) -> None:
    """A probe never refuses a prefix of its own sample, and refuses every other protocol's."""
    taken = 0
    for lane, head in heads(talk):
        side = Session(REGISTRY, talk.over).side(lane)
        for other in REGISTRY.protocols:
            if other.name != protocol and other.over == talk.over:
                assert other.probe(head, side) is Verdict.NO, f"{other.name} takes a {protocol} {side.label}"
            elif other.name == protocol and other.probe(head, side) is Verdict.LIKELY:
                taken += 1
                prefixes = range(1, len(head) + 1) if talk.over == "tcp" else ()
                refused = [n for n in prefixes if other.probe(head[:n], side) is Verdict.NO]
                assert refused == [], f"{protocol} refuses a prefix of its own {side.label}"
    assert taken, f"{protocol} takes neither lane of its own sample"
