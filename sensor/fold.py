"""Fold: sightings to rows, one per fact and UTC day, before they leave the worker.

A row's key columns are everything but times, counts and evidence; its `id` is a 64-bit hash of them, the same in every
batch, process and version of Python. What an attacker can choose freely (names, tokens, UIDs) is capped: at most
`VALUES_MAX` values per subject, name and day; what is over becomes one `Anomaly` (`value_overflow`), so a day's size is
bounded by endpoints, not by imagination.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from datetime import date, timedelta
from functools import lru_cache
from operator import add
from typing import Any, Final

import msgspec
import pyarrow as pa

from parsers.core import Anomaly, Attribute, Authentication, Certificate, Channel
from sensor.dispatch import ConversationDay, Item
from sensor.sighting import Endpoint, Sighting

VALUES_MAX: Final = 256
DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000
JOIN_US: Final = 900_000_000
SPANS_MAX: Final = 256
_EPOCH_DAY: Final = date(1970, 1, 1)
_EARLIEST_US: Final = -62_135_596_800_000_000  # 0001-01-01
_LATEST_US: Final = 253_402_300_799_000_000  # 9999-12-31
_json: Final = msgspec.json.Encoder(order="sorted")

_TS: Final = pa.timestamp("us")
_WHERE: Final = (
    ("scope", pa.string()),
    ("side", pa.string()),
    ("mac", pa.string()),
    ("ip", pa.string()),
    ("peer_mac", pa.string()),
    ("peer_ip", pa.string()),
    ("port", pa.int32()),
    ("transport", pa.string()),
    ("protocol", pa.string()),
    ("about", pa.string()),
    ("continued", pa.bool_()),
)
_SEEN: Final = (
    ("first_ts", _TS),
    ("last_ts", _TS),
    ("n", pa.int64()),
    ("hours", pa.int32()),
    ("frame", pa.int64()),
    ("community_id", pa.string()),
)
_QUALITY: Final = (("midstream", pa.bool_()), ("gap", pa.bool_()), ("one_sided", pa.bool_()))
_VALUES: Final[dict[str, tuple[tuple[str, pa.DataType], ...]]] = {
    "fact_attribute": (
        ("name", pa.string()),
        ("value", pa.string()),
        ("spec", pa.string()),
        ("sensitivity", pa.string()),
    ),
    "fact_channel": (
        ("version", pa.string()),
        ("cipher", pa.string()),
        ("encrypted", pa.bool_()),
        ("signed", pa.string()),
        ("client_authenticated", pa.bool_()),
        ("details", pa.string()),
    ),
    "fact_certificate": (("role", pa.string()), ("position", pa.int32()), ("sha256", pa.string())),
    "fact_authentication": (
        ("mechanism", pa.string()),
        ("principal", pa.string()),
        ("realm", pa.string()),
        ("secret_digest", pa.string()),
        ("secret_principal_digest", pa.string()),
        ("secret_class", pa.string()),
        ("secret_length", pa.string()),
        ("key_epoch", pa.int32()),
        ("outcome", pa.string()),
        ("protection", pa.string()),
        ("details", pa.string()),
    ),
    "fact_anomaly": (("code", pa.string()), ("detail", pa.string())),
}
_CONVERSATION_KEY: Final = (
    ("scope", pa.string()),
    ("initiator_mac", pa.string()),
    ("initiator_ip", pa.string()),
    ("responder_mac", pa.string()),
    ("responder_ip", pa.string()),
    ("port", pa.int32()),
    ("transport", pa.string()),
    ("protocol", pa.string()),
    ("confidence", pa.string()),
)
_CONVERSATION_SUMS: Final = tuple(
    (name, pa.int64())
    for name in (
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
    )
)
_ID: Final = (("day", pa.date32()), ("id", pa.uint64()))

SCHEMAS: Final[dict[str, pa.Schema]] = {
    **{name: pa.schema([*_ID, *_WHERE, *values, *_SEEN, *_QUALITY]) for name, values in _VALUES.items()},
    "fact_conversation": pa.schema([*_ID, *_CONVERSATION_KEY, *_CONVERSATION_SUMS, *_SEEN]),
    "certificate": pa.schema(
        [
            ("sha256", pa.string()),
            ("spki_sha256", pa.string()),
            ("subject_name", pa.string()),
            ("issuer", pa.string()),
            ("serial", pa.string()),
            ("not_before", _TS),
            ("not_after", _TS),
            ("key_type", pa.string()),
            ("key_bits", pa.int32()),
            ("signature", pa.string()),
            ("sans", pa.list_(pa.string())),
            ("self_signed", pa.bool_()),
            ("is_ca", pa.bool_()),
            ("personal", pa.bool_()),
            ("details", pa.string()),
        ]
    ),
    "binding": pa.schema(
        [
            ("scope", pa.string()),
            ("mac", pa.string()),
            ("ip", pa.string()),
            ("first_ts", _TS),
            ("last_ts", _TS),
            ("n", pa.int64()),
        ]
    ),
}

Row = list[Any]
Key = tuple[Any, ...]


class _Seen:
    """When and how often a key was seen on one day, and the evidence of its first sight."""

    __slots__ = ("community_id", "first", "frame", "gap", "hours", "last", "midstream", "n", "one_sided", "sums")

    def __init__(self, ts_us: int, frame: int, community_id: str | None) -> None:
        self.first = self.last = ts_us
        self.n = self.hours = 0
        self.frame, self.community_id = frame, community_id
        self.midstream = self.gap = self.one_sided = False
        self.sums: list[int] = []

    def span(self, first_us: int, last_us: int, n: int) -> None:
        """Seen `n` more times between two times of one day."""
        self.first, self.last = min(self.first, first_us), max(self.last, last_us)
        self.n += n
        for hour in range(first_us % DAY_US // HOUR_US, max(first_us, last_us) % DAY_US // HOUR_US + 1):
            self.hours |= 1 << hour

    def once(self, item: Sighting) -> None:
        """Seen once more."""
        ts_us, quality = item.ts_us, item.quality
        if ts_us > self.last:
            self.last = ts_us
        elif ts_us < self.first:
            self.first = ts_us
        self.n += 1
        self.hours |= 1 << ts_us % DAY_US // HOUR_US
        self.midstream |= quality.midstream
        self.gap |= quality.gap
        self.one_sided |= quality.one_sided

    def columns(self) -> Row:
        """In the order of `_SEEN`."""
        return [self.first, self.last, self.n, self.hours, self.frame, self.community_id]


class _Place:
    """Where facts were seen: the columns of `_WHERE` on one day, and what was seen there in this batch."""

    __slots__ = ("head", "key", "seen")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.head = msgspec.json.encode(key)[:-1] + b","
        self.seen: dict[Hashable, _Seen] = {}


class Fold:
    """Rows of one batch. `add` what is seen, `drain` to tables; what spans batches (caps, who holds an IP) stays."""

    def __init__(self) -> None:
        self._places: dict[Key, _Place] = {}
        self._last: tuple[Sighting, _Place] | None = None
        self._facts: dict[str, list[tuple[_Place, Key, _Seen]]] = {name: [] for name in _VALUES}
        self._conversations: dict[Key, _Seen] = {}
        self._certificates: dict[str, Row] = {}
        self._certificates_sent: set[str] = set()
        self._values: dict[Key, set[Key]] = {}
        self._values_day = 0
        self._bindings = _Bindings()

    def add(self, item: Item) -> None:
        """One sighting or conversation day."""
        if isinstance(item, ConversationDay):
            self._add_conversation(item)
        else:
            self._add_sighting(item)

    def drain(self) -> dict[str, pa.Table]:
        """The rows since the last call, as tables of `SCHEMAS`; tables without rows are left out."""
        rows = {name: [_fact_row(*found) for found in facts] for name, facts in self._facts.items()}
        rows["fact_conversation"] = [
            [*_id(key), *key[1:], *seen.sums, *seen.columns()] for key, seen in self._conversations.items()
        ]
        rows["certificate"] = list(self._certificates.values())
        rows["binding"] = self._bindings.drain()
        self._certificates_sent |= self._certificates.keys()
        self._certificates = {}
        self._conversations = {}
        self._places, self._last = {}, None
        self._facts = {name: [] for name in _VALUES}
        return {name: _table(SCHEMAS[name], found) for name, found in rows.items() if found}

    # ------------------------------------------------------------------ sightings

    def _add_sighting(self, item: Sighting) -> None:
        if item.ts_us // DAY_US > self._values_day:
            self._values_day = item.ts_us // DAY_US
            self._values = {}
        place = self._place(item)
        fact = item.fact
        seen = place.seen.get(fact) if isinstance(fact, Attribute) else None
        if seen is None:
            seen = self._seen(place, item)
        seen.once(item)

    def _place(self, item: Sighting) -> _Place:
        """Facts of one conversation come one after the other, most of them from the place of the one before."""
        if self._last is not None and _is_there(item, self._last[0]):
            return self._last[1]
        key = (item.ts_us // DAY_US, *self._where(item))
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place(key)
        self._last = (item, place)
        return place

    def _seen(self, place: _Place, item: Sighting) -> _Seen:
        """What is counted for this fact at this place: a fact stands for its values, an attribute also for itself."""
        name, values = self._values_of(item)
        if self._over_limit(name, place.key[1:], values):
            name, values = (
                "fact_anomaly",
                ("value_overflow", f"more than {VALUES_MAX} values of {name[5:]} {values[0]}"),
            )
        seen = place.seen.get((name, values))
        if seen is None:
            seen = place.seen[name, values] = _Seen(item.ts_us, item.frame, item.community_id)
            self._facts[name].append((place, values, seen))
        if name == "fact_attribute":
            place.seen[item.fact] = seen
        return seen

    def _values_of(self, item: Sighting) -> tuple[str, Key]:
        """The table, and its value columns in the order of `_VALUES`."""
        fact = item.fact
        if isinstance(fact, Attribute):
            return "fact_attribute", (fact.name, fact.value, fact.spec, fact.sensitivity.value)
        if isinstance(fact, Authentication):
            return "fact_authentication", _authentication_values(item, fact)
        if isinstance(fact, Channel):
            return "fact_channel", (
                fact.version,
                fact.cipher,
                fact.encrypted,
                fact.signed.value,
                fact.client_authenticated,
                _json.encode(fact.details).decode(),
            )
        if isinstance(fact, Certificate):
            self._keep_certificate(fact)
            return "fact_certificate", (fact.role, fact.position, fact.sha256)
        return "fact_anomaly", _anomaly_values(fact)

    @staticmethod
    def _where(item: Sighting) -> Key:
        """In the order of `_WHERE`."""
        subject = item.fact.subject
        return (
            item.scope,
            subject.side.label,
            item.endpoint.mac,
            item.endpoint.ip,
            item.peer.mac,
            item.peer.ip,
            item.port,
            item.transport,
            item.protocol,
            subject.about,
            item.continued,
        )

    def _over_limit(self, name: str, where: Key, values: Key) -> bool:
        """Whether this is one value too many of its subject, name and day."""
        if name == "fact_anomaly":
            return False
        kept = self._values.setdefault((name, *where[:4], values[0]), set())
        value = (where[9], *values)
        if value in kept:
            return False
        if len(kept) >= VALUES_MAX:
            return True
        kept.add(value)
        return False

    def _keep_certificate(self, fact: Certificate) -> None:
        if fact.sha256 in self._certificates or fact.sha256 in self._certificates_sent:
            return
        self._certificates[fact.sha256] = [
            fact.sha256,
            fact.spki_sha256,
            fact.subject_name,
            fact.issuer,
            fact.serial,
            _clamp_s(fact.not_before),
            _clamp_s(fact.not_after),
            fact.key_type,
            fact.key_bits,
            fact.signature,
            list(fact.sans),
            fact.self_signed,
            fact.is_ca,
            fact.personal,
            _json.encode(fact.details).decode(),
        ]

    # ------------------------------------------------------------------ conversations

    def _add_conversation(self, item: ConversationDay) -> None:
        initiator, responder = item.initiator, item.responder
        key = (
            item.first_ts_us // DAY_US,
            item.scope,
            initiator.mac,
            initiator.ip,
            responder.mac,
            responder.ip,
            responder.port,
            item.transport,
            item.protocol,
            item.confidence,
        )
        seen = self._conversations.get(key)
        if seen is None:
            seen = self._conversations[key] = _Seen(item.first_ts_us, item.frame, item.community_id)
            seen.sums = [0] * len(_CONVERSATION_SUMS)
        if item.first_ts_us < seen.first:
            seen.frame, seen.community_id = item.frame, item.community_id
        seen.span(item.first_ts_us, item.last_ts_us, 1)
        counts = _conversation_counts(item)
        seen.sums = list(map(add, seen.sums, counts))
        self._bindings.add(item)


def _is_there(item: Sighting, other: Sighting) -> bool:
    """Whether two sightings, if of one conversation, are of the same place; by identity, which is quickly looked at."""
    return (
        item.endpoint is other.endpoint
        and item.peer is other.peer
        and item.fact.subject is other.fact.subject
        and item.protocol is other.protocol
        and item.continued is other.continued
        and item.port == other.port
        and item.scope is other.scope
        and item.transport is other.transport
        and item.ts_us // DAY_US == other.ts_us // DAY_US
    )


def _fact_row(place: _Place, values: Key, seen: _Seen) -> Row:
    key = place.key
    digest = hashlib.blake2b(place.head + msgspec.json.encode(values)[1:], digest_size=8).digest()
    return [
        _day(key[0]), int.from_bytes(digest), *key[1:], *values,
        *seen.columns(), seen.midstream, seen.gap, seen.one_sided,
    ]  # fmt: skip


def _conversation_counts(item: ConversationDay) -> tuple[int, ...]:
    """In the order of `_CONVERSATION_SUMS`."""
    return (
        item.packets,
        item.initiator_bytes,
        item.responder_bytes,
        item.copied_bytes,
        item.skipped_bytes,
        item.left_out_bytes,
        item.lost_bytes,
        int(item.midstream),
        int(item.one_sided),
        int(item.gap),
        int(item.unanswered),
    )


def _anomaly_values(fact: Anomaly) -> Key:
    return (fact.code, fact.detail)


def _authentication_values(item: Sighting, fact: Authentication) -> Key:
    mark = item.secret
    return (
        fact.mechanism,
        fact.principal,
        fact.realm,
        mark.digest if mark else None,
        mark.principal_digest if mark else None,
        mark.secret_class.value if mark else None,
        mark.length if mark else None,
        mark.epoch if mark else None,
        fact.outcome.value,
        fact.protection.value,
        _json.encode(fact.details).decode(),
    )


class _Bindings:
    """Which MAC held which IP, as intervals. Conversations end in any order, so intervals are joined when drained."""

    def __init__(self) -> None:
        self._open: dict[Key, list[tuple[int, int, int]]] = {}

    def add(self, item: ConversationDay) -> None:
        """Both ends of a conversation; the responder only if it was heard."""
        self._extend(item.scope, item.initiator, item)
        if not item.unanswered and not item.one_sided:
            self._extend(item.scope, item.responder, item)

    def drain(self) -> list[Row]:
        """All intervals of this batch; the recorder joins those that touch across batches."""
        rows = [[*key, *span] for key, spans in self._open.items() for span in _joined(spans)]
        self._open = {}
        return rows

    def _extend(self, scope: str, endpoint: Endpoint, item: ConversationDay) -> None:
        if endpoint.mac is None or endpoint.ip is None:
            return
        spans = self._open.setdefault((scope, endpoint.mac, endpoint.ip), [])
        first, last, n = item.first_ts_us, item.last_ts_us, 1
        if spans and spans[-1][0] <= first <= spans[-1][1] + JOIN_US:
            before = spans.pop()
            first, last, n = before[0], max(before[1], last), before[2] + 1
        spans.append((first, last, n))
        if len(spans) > SPANS_MAX:
            spans[:] = _joined(spans)


def _joined(spans: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Spans in order; those less than `JOIN_US` apart are one."""
    joined: list[tuple[int, int, int]] = []
    for first, last, n in sorted(spans):
        if joined and first - joined[-1][1] <= JOIN_US:
            before = joined[-1]
            joined[-1] = (before[0], max(before[1], last), before[2] + n)
        else:
            joined.append((first, last, n))
    return joined if len(joined) <= SPANS_MAX // 2 else [(joined[0][0], joined[-1][1], sum(n for *_, n in joined))]


def _id(key: Key) -> Row:
    """The `day` and `id` columns of a key whose first element is its day."""
    digest = hashlib.blake2b(msgspec.json.encode(key), digest_size=8).digest()
    return [_day(key[0]), int.from_bytes(digest)]


@lru_cache(64)
def _day(number: int) -> date:
    return _EPOCH_DAY + timedelta(days=number)


def _clamp_s(seconds: int | None) -> int | None:
    """Microseconds for seconds since 1970, within the years 1 to 9999."""
    return None if seconds is None else min(max(seconds * 1_000_000, _EARLIEST_US), _LATEST_US)


def _table(schema: pa.Schema, rows: list[Row]) -> pa.Table:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
