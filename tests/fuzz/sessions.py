"""Fuzz target: whole conversations through sessions with every parser that is installed, as dispatch runs them.

An input is a list of pieces: a byte (bit 0 lane, bit 1 new turn, bit 2 a gap before it, bit 3 datagrams), two bytes of
length, then so many bytes. The first byte of the input is the session's flags.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from parsers.core import Registry, Session
from tests.fuzz.streams import talks

REGISTRY = Registry.installed()
FACTS_MAX = 2000


def fuzz_one(data: bytes) -> None:
    """One conversation. Facts are bounded: what an attacker sends must not become any number of rows."""
    if not data:
        return
    over = "udp" if data[0] & 1 else "tcp"
    session = Session(REGISTRY, over, midstream=bool(data[0] & 2), roles_guessed=bool(data[0] & 4))
    turns, count = [1, 1], 0
    for how, piece in pieces(data[1:]):
        lane = how & 1
        turns[lane] += how >> 1 & 1
        if over == "udp":
            count += len(session.feed_datagram(lane, piece))
            continue
        if how & 4:
            count += len(session.gap(lane))
        count += len(session.feed(lane, piece, turns[lane])) if piece else 0
    count += len(session.end())
    assert count <= FACTS_MAX + len(data)


def pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 3 <= len(data):
        how, size = struct.unpack_from(">BH", data, at)
        yield how, data[at + 3 : at + 3 + size]
        at += 3 + size


def packed(parts: list[tuple[int, bytes]]) -> bytes:
    cut = [(how, data[at : at + 0xFFFF]) for how, data in parts for at in range(0, len(data), 0xFFFF)]
    return b"".join(struct.pack(">BH", how, len(data)) + data for how, data in cut)


def corpus() -> list[bytes]:
    """Every conversation of the captures."""
    return [flags + packed([(lane | 2, data) for lane, data in talk]) for talk in talks() for flags in (b"\0", b"\1")]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Pieces are cut, joined, swapped, lost; bytes inside them are changed."""
    parts = list(pieces(data[1:])) or [(0, b"")]
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        chance.choice((_cut, _lose, _swap, _gap, _change, _change, _change, _change))(parts, chance)
    flags = data[0] ^ chance.choice((0, 0, 0, 2, 4))
    return bytes([flags]) + packed(parts)


def _cut(parts: list[tuple[int, bytes]], chance: random.Random) -> None:
    at = chance.randrange(len(parts))
    how, data = parts[at]
    middle = chance.randrange(len(data) + 1)
    parts[at : at + 1] = [(how, data[:middle]), (how & ~6, data[middle:])]


def _lose(parts: list[tuple[int, bytes]], chance: random.Random) -> None:
    if len(parts) > 1:
        del parts[chance.randrange(len(parts))]


def _swap(parts: list[tuple[int, bytes]], chance: random.Random) -> None:
    a, b = chance.randrange(len(parts)), chance.randrange(len(parts))
    parts[a], parts[b] = parts[b], parts[a]


def _gap(parts: list[tuple[int, bytes]], chance: random.Random) -> None:
    at = chance.randrange(len(parts))
    how, data = parts[at]
    parts[at] = how | 6, data[chance.randrange(len(data) + 1) :]


def _change(parts: list[tuple[int, bytes]], chance: random.Random) -> None:
    at = chance.randrange(len(parts))
    how, data = parts[at]
    if not data:
        return
    content = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 6))):
        place = min(chance.randrange(len(content)), chance.randrange(len(content)))
        content[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, content[place] ^ 1, chance.randrange(256)))
    parts[at] = how, bytes(content)
