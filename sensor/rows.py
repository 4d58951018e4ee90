"""Rows on their way to the store: their columns, and the ids by which they are recognised again.

A row's `id` is a 64-bit number that depends on its key columns alone: the same in every batch, process and version of
Python. A key has two parts, where and what. Each is hashed once, however many rows it is part of; a row's id is the
value at *what* of a linear function modulo a prime that *where* chooses: one multiplication, and no collisions by sums.
What is hashed is the key as MessagePack, of which no two keys have the same.

Of facts there are many at one place. So *where* is a row of its own (`place`), which they refer to by its id. Of
attributes there are the same at many places: *what* they say is a row of its own as well (`attribute`), and a row of
`fact_attribute` nothing but numbers. Of the kinds of conversations (`kind`) there are few.

Texts travel as numbers of words (Arrow's dictionaries): most of them stand in many rows. A part of a table has
`PART_ROWS` rows at most, so that the numbers take two bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Hashable, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
PART_ROWS: Final = 32_768
PRIME: Final = 2**64 - 59
_SIDES: Final = struct.Struct(">4Q")
_TS: Final = pa.timestamp("us")
_encode: Final = msgspec.msgpack.Encoder().encode
_text, _flag, _number, _count = pa.string(), pa.bool_(), pa.int32(), pa.int64()
WORD: Final = pa.dictionary(pa.int16(), _text)

Columns = tuple[tuple[str, pa.DataType], ...]
Key = tuple[Any, ...]

ID: Final[Columns] = (("day", pa.date32()), ("id", pa.uint64()))
WHERE: Final[Columns] = (
    ("scope", WORD),
    ("side", WORD),
    ("mac", WORD),
    ("ip", WORD),
    ("peer_mac", WORD),
    ("peer_ip", WORD),
    ("port", _number),
    ("transport", WORD),
    ("protocol", WORD),
    ("continued", _flag),
)
WHAT: Final[dict[str, Columns]] = {
    "fact_attribute": (("about", WORD), ("name", WORD), ("value", WORD), ("spec", WORD), ("sensitivity", WORD)),
    "fact_channel": (
        ("about", WORD),
        ("version", WORD),
        ("cipher", WORD),
        ("encrypted", _flag),
        ("signed", WORD),
        ("client_authenticated", _flag),
        ("details", WORD),
    ),
    "fact_certificate": (("about", WORD), ("role", WORD), ("position", _number), ("sha256", WORD)),
    "fact_authentication": (
        ("about", WORD),
        ("mechanism", WORD),
        ("principal", WORD),
        ("realm", WORD),
        ("secret_digest", WORD),
        ("secret_principal_digest", WORD),
        ("secret_class", WORD),
        ("secret_length", WORD),
        ("key_epoch", _number),
        ("outcome", WORD),
        ("protection", WORD),
        ("details", WORD),
    ),
    "fact_anomaly": (("about", WORD), ("code", WORD), ("detail", WORD)),
}
SEEN: Final[Columns] = (
    ("first_ts", _TS),
    ("last_ts", _TS),
    ("n", _count),
    ("hours", _number),
    ("frame", _count),
    ("community_id", WORD),
)
QUALITY: Final = ("midstream", "gap", "one_sided", "truncated", "duplicate")
"""What the bits of a row's `quality` say, from the lowest on."""
CONVERSATION: Final[Columns] = (
    ("kind", pa.uint64()),
    ("initiator_mac", WORD),
    ("initiator_ip", WORD),
    ("responder_mac", WORD),
    ("responder_ip", WORD),
    ("port", _number),
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
    ("sha256", _text),
    ("spki_sha256", _text),
    ("subject_name", _text),
    ("issuer", _text),
    ("serial", _text),
    ("not_before", _TS),
    ("not_after", _TS),
    ("key_type", _text),
    ("key_bits", _number),
    ("signature", _text),
    ("sans", pa.list_(_text)),
    ("self_signed", _flag),
    ("is_ca", _flag),
    ("personal", _flag),
    ("details", _text),
)
BINDING: Final[Columns] = (
    ("scope", _text),
    ("mac", _text),
    ("ip", _text),
    ("first_ts", _TS),
    ("last_ts", _TS),
    ("n", _count),
)
TRAFFIC: Final[Columns] = (
    ("packets", _count),
    ("bytes", _count),
    ("duplicates", _count),
    ("group_packets", _count),
    ("truncated", _count),
)
REFERRED: Final = ("place", "attribute", "kind")
"""The tables that others refer to, by columns of these names. Their rows are told again in each batch, and
never change."""
LOSSES: Final[Columns] = (
    ("kernel_packets", _count),
    ("kernel_drops", _count),
    ("interface_drops", _count),
    ("ring_freezes", _count),
)

_REFERS: Final[dict[str, Columns]] = WHAT | {"fact_attribute": (("attribute", pa.uint64()),)}

SCHEMAS: Final[dict[str, pa.Schema]] = {
    **{
        name: pa.schema([*ID, ("place", pa.uint64()), *what, *SEEN, ("quality", _number)])
        for name, what in _REFERS.items()
    },
    "place": pa.schema([*ID, *WHERE]),
    "attribute": pa.schema([ID[1], *WHAT["fact_attribute"]]),
    "kind": pa.schema([ID[1], *KIND]),
    "fact_conversation": pa.schema([*ID, *CONVERSATION, *((name, _count) for name in SUMS), *SEEN]),
    "certificate": pa.schema(CERTIFICATE),
    "binding": pa.schema(BINDING),
    "fact_traffic": pa.schema([("hour", _TS), ("interface", _text), ("segment", _text), *TRAFFIC]),
    "fact_loss": pa.schema([("hour", _TS), ("interface", _text), *LOSSES]),
}


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


def table(name: str, columns: Sequence[Sequence[object] | pa.Array]) -> pa.Table:
    """Rows of `SCHEMAS[name]`, given by columns."""
    schema = SCHEMAS[name]
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
