"""Fuzz target of the HL7 dissector: any bytes, in both lanes, never an exception and never more than they allow."""

from __future__ import annotations

import random
from typing import Final

from parsers.core import Registry, Session
from parsers.hl7 import PROTOCOL
from parsers.hl7.charset import text_of
from parsers.hl7.grammar import Delimiters, Grammar
from tests.fuzz import run, streams

_REGISTRY: Final = Registry([PROTOCOL])
FACTS_MAX: Final = 60
MIDSTREAM, LOSS, ONE_LANE, LANE = 1, 2, 4, 8
_PIECES: Final = (1, 7, 97, 1_448, 1 << 20)
_TOKENS: Final = (
    b"\x0b", b"\x1c", b"\r", b"\n", b"\x1c\r", b"\x0b\x1c\r", b"\x0b\x06\x1c\r", b"|", b"^", b"~", b"\\", b"&",
    b"\\F\\", b"\\X41\\", b"MSH|^~\\&|", b"MSH", b"FHS|^~\\&|", b"BHS|^~\\&|", b"MSA|AA|", b"OBX|", b"OBR|", b"PRT|",
    b"EQU|", b"SFT|", b"INV|", b"^^^EUI-64", b"0009FBFFFF9B42B3", b"UNICODE UTF-8", b"GB 18030-2000", b"\xef\xbb\xbf",
    b"\xff\xfe", b"ACK",
)  # fmt: skip


def fuzz_one(data: bytes) -> None:
    """The first byte says how: from the middle, with losses, one lane or by turns, and in which pieces."""
    if not data:
        return
    how, body = data[0], data[1:]
    session = Session(_REGISTRY, "tcp", midstream=bool(how & MIDSTREAM))
    facts = []
    for number, said in enumerate(body.split(streams.MARK)):
        lane = bool(how & LANE) if how & ONE_LANE else number & 1
        if how & LOSS and number % 3 == 2:
            facts += session.gap(lane)
        step = _PIECES[(how >> 4) % len(_PIECES)]
        for at in range(0, len(said), step):
            facts += session.feed(lane, said[at : at + step], 1 + number // 2)
    facts += session.end()
    assert len(facts) <= FACTS_MAX + len(body)
    _grammar(body)


def _grammar(body: bytes) -> None:
    grammar = Grammar(Delimiters("|", "^", "~", "\\", "&", ""), ("", "gb18030", "iso2022_jp_2")[len(body) % 3])
    for part in grammar.repetitions(text_of(body[:200], grammar.codec)):
        assert len(grammar.composite(part)) <= 3 * 200
    grammar.literal(body[:200])


def corpus() -> list[bytes]:
    """What real feeds say, by turns and as one lane."""
    seeds = []
    for number, talk in enumerate(streams.talks("hl7")):
        choice = number * 16 & 0xF0
        turns = streams.MARK.join(data for _, data in talk)
        seeds += [bytes([choice]) + turns, bytes([choice | LOSS]) + turns]
        for lane in (0, 1):
            alone = b"".join(data for side, data in talk if side == lane)
            seeds.append(bytes([choice | MIDSTREAM | ONE_LANE | LANE * lane]) + alone)
    return sorted({seed for seed in seeds if len(seed) < 12_000})


def mutate(data: bytes, chance: random.Random) -> bytes:
    """The usual, or what the grammar is made of, put anywhere."""
    if chance.random() < 0.5:
        return run.spoil(data, chance)
    content = bytearray(data)
    for _ in range(chance.choice((1, 2, 4, 16))):
        at = chance.randrange(1, len(content) + 1)
        content[at : at + chance.choice((0, 0, 1, 4))] = chance.choice(_TOKENS)
    return bytes(content)
