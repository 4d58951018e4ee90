"""Rows on their way to the store: their columns, and the ids by which they are recognised again.

A row's `id` is a 64-bit number that depends on its key columns alone: the same in every batch, process and version of
Python. A key has two parts, where and what. Each is hashed once, however many rows it is part of; a row's id is the
value at *what* of a linear function modulo a prime that *where* chooses: one multiplication, and no collisions by sums.
What is hashed is the key as MessagePack, of which no two keys have the same.

Of facts there are many at one place. So *where* is a row of its own (`place`), which they refer to by its id. Of
attributes there are the same at many places: *what* they say is a row of its own as well (`attribute`), and a row of
`fact_attribute` nothing but numbers. Of the kinds of conversations (`kind`) there are few.

Texts travel as numbers of words: most of them stand in many rows. A part of a table has `PART_ROWS` rows at most, so
that the numbers take two bytes. What is a number stays one: MAC addresses have 48 bits, and a flow's Community ID is
left to who wants to see it, as it follows from addresses and ports.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Hashable, Iterable, Sequence
from functools import reduce
from typing import Any, Final

import msgspec

from sensor.columns import COUNT, DAY, FLAG, ID, NUMBER, TEXT, TEXTS, TIME, WORD, Column, Kind, Schema, Table, column_of

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
PART_ROWS: Final = 32_768
PRIME: Final = 2**64 - 59
_SIDES: Final = struct.Struct(">4Q")
_encode: Final = msgspec.msgpack.Encoder().encode

Columns = tuple[tuple[str, Kind], ...]
Key = tuple[Any, ...]

DAY_AND_ID: Final[Columns] = (("day", DAY), ("id", ID))
WHERE: Final[Columns] = (
    ("scope", WORD),
    ("side", WORD),
    ("mac", COUNT),
    ("ip", WORD),
    ("peer_mac", COUNT),
    ("peer_ip", WORD),
    ("port", NUMBER),
    ("transport", WORD),
    ("protocol", WORD),
    ("continued", FLAG),
)
WHAT: Final[dict[str, Columns]] = {
    "fact_attribute": (("about", WORD), ("name", WORD), ("value", WORD), ("spec", WORD), ("sensitivity", WORD)),
    "fact_channel": (
        ("about", WORD),
        ("version", WORD),
        ("cipher", WORD),
        ("encrypted", FLAG),
        ("signed", WORD),
        ("client_authenticated", FLAG),
        ("details", WORD),
    ),
    "fact_certificate": (("about", WORD), ("role", WORD), ("position", NUMBER), ("sha256", WORD)),
    "fact_authentication": (
        ("about", WORD),
        ("mechanism", WORD),
        ("principal", WORD),
        ("realm", WORD),
        ("secret_digest", WORD),
        ("secret_principal_digest", WORD),
        ("secret_class", WORD),
        ("secret_length", WORD),
        ("key_epoch", NUMBER),
        ("outcome", WORD),
        ("protection", WORD),
        ("details", WORD),
    ),
    "fact_anomaly": (("about", WORD), ("code", WORD), ("detail", WORD)),
}
SEEN: Final[Columns] = (
    ("first_ts", TIME),
    ("last_ts", TIME),
    ("n", COUNT),
    ("hours", NUMBER),
    ("frame", COUNT),
    ("initiator_port", NUMBER),
)
QUALITY: Final = ("midstream", "gap", "one_sided", "truncated", "duplicate")
"""What the bits of a row's `quality` say, from the highest on: of two numbers the smaller one lacks less."""
CONVERSATION: Final[Columns] = (
    ("kind", ID),
    ("initiator_mac", COUNT),
    ("initiator_ip", WORD),
    ("responder_mac", COUNT),
    ("responder_ip", WORD),
    ("port", NUMBER),
)
KIND: Final[Columns] = (
    ("scope", WORD),
    ("protocol", WORD),
    ("confidence", WORD),
    ("interface", WORD),
    ("segment", WORD),
    ("transport", WORD),
)
SUMS: Final = (
    "packets",
    "initiator_bytes",
    "responder_bytes",
    "copied_bytes",
    "skipped_bytes",
    "left_out_bytes",
    "lost_bytes",
    "midstream_count",
    "one_sided_count",
    "gap_count",
    "unanswered_count",
    "truncated_count",
    "duplicate_count",
)
CERTIFICATE: Final[Columns] = (
    ("sha256", TEXT),
    ("spki_sha256", TEXT),
    ("subject_name", TEXT),
    ("issuer", TEXT),
    ("serial", TEXT),
    ("not_before", TIME),
    ("not_after", TIME),
    ("key_type", TEXT),
    ("key_bits", NUMBER),
    ("signature", TEXT),
    ("sans", TEXTS),
    ("self_signed", FLAG),
    ("is_ca", FLAG),
    ("personal", FLAG),
    ("details", TEXT),
)
BINDING: Final[Columns] = (
    ("scope", TEXT),
    ("mac", COUNT),
    ("ip", TEXT),
    ("first_ts", TIME),
    ("last_ts", TIME),
    ("n", COUNT),
)
TRAFFIC: Final[Columns] = (
    ("packets", COUNT),
    ("bytes", COUNT),
    ("duplicates", COUNT),
    ("group_packets", COUNT),
    ("truncated", COUNT),
)
REFERRED: Final = ("place", "attribute", "kind")
"""The tables that others refer to, by columns of these names. Their rows are told again in each batch, and
never change."""
LOSSES: Final[Columns] = (
    ("kernel_packets", COUNT),
    ("kernel_drops", COUNT),
    ("interface_drops", COUNT),
    ("ring_freezes", COUNT),
)

_REFERS: Final[dict[str, Columns]] = WHAT | {"fact_attribute": (("attribute", ID),)}

SCHEMAS: Final[dict[str, Schema]] = {
    **{name: dict([*DAY_AND_ID, ("place", ID), *what, *SEEN, ("quality", NUMBER)]) for name, what in _REFERS.items()},
    "place": dict([*DAY_AND_ID, *WHERE]),
    "attribute": dict([("id", ID), *WHAT["fact_attribute"]]),
    "kind": dict([("id", ID), *KIND]),
    "fact_conversation": dict([*DAY_AND_ID, *CONVERSATION, *((name, COUNT) for name in SUMS), *SEEN]),
    "certificate": dict(CERTIFICATE),
    "binding": dict(BINDING),
    "fact_traffic": dict([("hour", TIME), ("interface", TEXT), ("segment", TEXT), *TRAFFIC]),
    "fact_loss": dict([("hour", TIME), ("interface", TEXT), *LOSSES]),
}


def quality_number(lacks: Iterable[object]) -> int:
    """The number that says what is lacking: of what is true or false, in the order of `QUALITY`."""
    return reduce(lambda number, lacking: number << 1 | bool(lacking), lacks, 0)


def sides_of(key: Hashable) -> tuple[int, int, int, int]:
    """The functions of two sides that have their *where* in common, a factor and a term for each.

    The key holds texts, bytes, numbers and None. An id is `(factor * what_of(key) + term) % PRIME`; that of the place
    itself is the term.
    """
    factor, term, other_factor, other_term = _SIDES.unpack(hashlib.blake2b(_encode(key), digest_size=32).digest())
    return factor | 1, term, other_factor | 1, other_term


def what_of(key: Hashable) -> int:
    """The number of a key's *what*."""
    return int.from_bytes(hashlib.blake2b(_encode(key), digest_size=8).digest())


def table(name: str, columns: Sequence[Sequence[object] | Column]) -> Table:
    """Rows of `SCHEMAS[name]`, given by columns."""
    return Table(
        {
            field: column if isinstance(column, Column) else column_of(kind, column)
            for (field, kind), column in zip(SCHEMAS[name].items(), columns, strict=True)
        }
    )
