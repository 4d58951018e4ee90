"""Rows on their way to the store: their columns, and the ids by which they are recognised again.

A row's `id` is a 64-bit number that depends on its key columns alone: the same in every batch, process and version of
Python. A key has two parts, where and what. Each is hashed once, however many rows it is part of; a row's id is the
value at *what* of a linear function modulo a prime that *where* chooses: one multiplication, and no collisions by sums.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
PICKED_MAX: Final = 5_000
_PRIME: Final = 2**64 - 59
_EPOCH_DAY: Final = date(1970, 1, 1)
_TS: Final = pa.timestamp("us")
_text, _flag, _number, _count = pa.string(), pa.bool_(), pa.int32(), pa.int64()

Columns = tuple[tuple[str, pa.DataType], ...]
Key = tuple[Any, ...]

ID: Final[Columns] = (("day", pa.date32()), ("id", pa.uint64()))
WHERE: Final[Columns] = (
    ("scope", _text),
    ("side", _text),
    ("mac", _text),
    ("ip", _text),
    ("peer_mac", _text),
    ("peer_ip", _text),
    ("port", _number),
    ("transport", _text),
    ("protocol", _text),
    ("continued", _flag),
)
WHAT: Final[dict[str, Columns]] = {
    "fact_attribute": (("about", _text), ("name", _text), ("value", _text), ("spec", _text), ("sensitivity", _text)),
    "fact_channel": (
        ("about", _text),
        ("version", _text),
        ("cipher", _text),
        ("encrypted", _flag),
        ("signed", _text),
        ("client_authenticated", _flag),
        ("details", _text),
    ),
    "fact_certificate": (("about", _text), ("role", _text), ("position", _number), ("sha256", _text)),
    "fact_authentication": (
        ("about", _text),
        ("mechanism", _text),
        ("principal", _text),
        ("realm", _text),
        ("secret_digest", _text),
        ("secret_principal_digest", _text),
        ("secret_class", _text),
        ("secret_length", _text),
        ("key_epoch", _number),
        ("outcome", _text),
        ("protection", _text),
        ("details", _text),
    ),
    "fact_anomaly": (("about", _text), ("code", _text), ("detail", _text)),
}
SEEN: Final[Columns] = (
    ("first_ts", _TS),
    ("last_ts", _TS),
    ("n", _count),
    ("hours", _number),
    ("frame", _count),
    ("community_id", _text),
)
QUALITY: Final[Columns] = (
    ("midstream", _flag),
    ("gap", _flag),
    ("one_sided", _flag),
    ("truncated", _flag),
    ("duplicate", _flag),
)
CONVERSATION: Final[Columns] = (
    ("scope", _text),
    ("initiator_mac", _text),
    ("initiator_ip", _text),
    ("responder_mac", _text),
    ("responder_ip", _text),
    ("port", _number),
    ("transport", _text),
    ("protocol", _text),
    ("confidence", _text),
    ("interface", _text),
    ("segment", _text),
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
LOSSES: Final[Columns] = (
    ("kernel_packets", _count),
    ("kernel_drops", _count),
    ("interface_drops", _count),
    ("ring_freezes", _count),
)

SCHEMAS: Final[dict[str, pa.Schema]] = {
    **{name: pa.schema([*ID, *WHERE, *what, *SEEN, *QUALITY]) for name, what in WHAT.items()},
    "fact_conversation": pa.schema([*ID, *CONVERSATION, *((name, _count) for name in SUMS), *SEEN]),
    "certificate": pa.schema(CERTIFICATE),
    "binding": pa.schema(BINDING),
    "fact_traffic": pa.schema([("hour", _TS), ("interface", _text), ("segment", _text), *TRAFFIC]),
    "fact_loss": pa.schema([("hour", _TS), ("interface", _text), *LOSSES]),
}


class Place(NamedTuple):
    """The linear function that *where* chooses."""

    factor: int
    term: int

    def id_of(self, what: int) -> int:
        """The id of a row, by `what_of` the rest of its key."""
        return (self.factor * what + self.term) % _PRIME


def place_of(key: Hashable) -> Place:
    """The function of a key's *where*: texts, numbers and None."""
    digest = hashlib.blake2b(msgspec.json.encode(key), digest_size=16).digest()
    return Place(int.from_bytes(digest[:8]) | 1, int.from_bytes(digest[8:]))


def what_of(key: Hashable) -> int:
    """The number of a key's *what*."""
    return int.from_bytes(hashlib.blake2b(msgspec.json.encode(key), digest_size=8).digest())


@lru_cache(64)
def day_of(number: int) -> date:
    """The date of a day counted since 1970."""
    return _EPOCH_DAY + timedelta(days=number)


def table(name: str, columns: Sequence[Sequence[object] | pa.Array]) -> pa.Table:
    """Rows of `SCHEMAS[name]`, given by columns."""
    schema = SCHEMAS[name]
    arrays = [
        column if isinstance(column, (pa.Array, pa.ChunkedArray)) else pa.array(column, field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def spread(rows: Sequence[Sequence[object]], columns: Columns, at: Sequence[int]) -> list[pa.Array]:
    """Column by column, the rows with the numbers `at`, each as often as it stands there.

    Few are picked one by one, as what Arrow does it with takes 40 ms to import.
    """
    by_column = zip(zip(*rows, strict=True), columns, strict=True)
    if len(at) < PICKED_MAX:
        return [pa.array([values[number] for number in at], kind) for values, (_, kind) in by_column]
    numbers = pa.array(at, pa.int32())
    return [pa.array(values, kind).take(numbers) for values, (_, kind) in by_column]
