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
LARGEST: Final = 12_000
_TOKENS: Final = (
    b"\x0b", b"\x1c", b"\r", b"\n", b"\x1c\r", b"\x0b\x1c\r", b"\x0b\x06\x1c\r", b"|", b"^", b"~", b"\\", b"&",
    b"\\F\\", b"\\X41\\", b"MSH|^~\\&|", b"MSH", b"FHS|^~\\&|", b"BHS|^~\\&|", b"MSA|AA|", b"OBX|", b"OBR|", b"PRT|",
    b"EQU|", b"SFT|", b"INV|", b"^^^EUI-64", b"0009FBFFFF9B42B3", b"UNICODE UTF-8", b"GB 18030-2000", b"\xef\xbb\xbf",
    b"\xff\xfe", b"ACK",
)  # fmt: skip


def fuzz_one(data: bytes) -> None:
    """See `streams.feed`; and the grammar by itself."""
    if not data:
        return
    facts = streams.feed(Session(_REGISTRY, "tcp", midstream=bool(data[0] & streams.MIDSTREAM)), data)
    assert len(facts) <= FACTS_MAX + len(data)
    _grammar(data[1:])


def _grammar(body: bytes) -> None:
    grammar = Grammar(Delimiters("|", "^", "~", "\\", "&", ""), ("", "gb18030", "iso2022_jp_2")[len(body) % 3])
    for part in grammar.repetitions(text_of(body[:200], grammar.codec)):
        assert len(grammar.composite(part)) <= 3 * 200
    grammar.literal(body[:200])


def corpus() -> list[bytes]:
    """What real feeds say."""
    return streams.inputs_for("hl7", LARGEST)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """The usual, or what the grammar is made of, put anywhere."""
    if chance.random() < 0.5:
        return run.spoil(data, chance)
    content = bytearray(data)
    for _ in range(chance.choice((1, 2, 4, 16))):
        at = chance.randrange(1, len(content) + 1)
        content[at : at + chance.choice((0, 0, 1, 4))] = chance.choice(_TOKENS)
    return bytes(content)
