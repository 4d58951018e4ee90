"""Fold: what was said to rows, one per fact and UTC day, before they leave the worker.

A row's key columns are everything but times, counts and evidence. They fall into *where* (which ends, which side, which
day) and *what* (the fact); both are kept once and joined when rows are made, column by column. Words that are known,
the same object whoever says them, are counted as one.

What an attacker can choose freely (names, tokens, UIDs) is capped: at most `VALUES_MAX` values per subject, name and
day; what is over becomes one `Anomaly` (`value_overflow`), so a day's size is bounded by endpoints, not by imagination.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from parsers.core import Anomaly, Attribute, Authentication, Certificate, Channel, Fact, Side
from sensor.days import TRANSPORT, community_id, ip_text, mac_text
from sensor.engine import Seen
from sensor.rows import (
    DAY_US,
    ID,
    PART_ROWS,
    QUALITY,
    SEEN,
    WHAT,
    WHERE,
    Key,
    Place,
    numbered,
    numbers,
    place_of,
    spread,
    table,
    what_of,
)
from sensor.sighting import Ends, Said, Words
from sensor.sitekey import SecretMark

VALUES_MAX: Final = 256
ROWS_MAX: Final = 1_000_000
TEXT_BYTES_MAX: Final = 256 << 20
_EARLIEST_US: Final = -62_135_596_800_000_000  # 0001-01-01
_LATEST_US: Final = 253_402_300_799_000_000  # 9999-12-31
_UNIX_DAY: Final = 719_163  # 1970-01-01, counted as `datetime.date` does
_json: Final = msgspec.json.Encoder(order="sorted")

Value = tuple[str, str, int]
"""Table, name or kind, and a hash: one of the values of which only so many are taken."""


class _Told(msgspec.Struct, gc=False, eq=False):
    """One side's fact: what a row says, and among which values it counts. One object in a batch, once it has a row."""

    key: Hashable
    rows: _Whats
    what: Key
    side: Side
    value: Value
    text_bytes: int
    number: int = -1


class _Place:
    """Ends that speak a protocol on one day, and what was said there in this batch."""

    __slots__ = ("key", "number", "seen", "values")

    def __init__(self, key: Key, number: int, values: tuple[_Values, _Values]) -> None:
        self.key = key
        self.number = number
        self.seen: dict[Words | _Told, Seen] = {}
        self.values = values


class _Values(msgspec.Struct, gc=False, eq=False):
    """The values of one subject on one day, as many as may be: hashes, by what they are values of."""

    told: list[Value] = []
    kept: dict[tuple[str, str], set[int]] | None = None

    def has_room(self, told: list[Value]) -> bool:
        """Whether all of these may be, as there are few of all; then nobody needs to look which."""
        if self.kept is not None or len(self.told) + len(told) > VALUES_MAX:
            return False
        self.told += told
        return True

    def admit(self, value: Value) -> bool:
        """Whether this is no value too many."""
        if self.kept is None:
            if self.has_room([value]):
                return True
            self.kept = {}
            for one in self.told:
                self._is_kept(self.kept, *one)
            self.told = []
        return self._is_kept(self.kept, *value)

    @staticmethod
    def _is_kept(kept: dict[tuple[str, str], set[int]], table: str, name: str, value: int) -> bool:
        values = kept.setdefault((table, name), set())
        if value not in values:
            if len(values) >= VALUES_MAX:
                return False
            values.add(value)
        return True


class _Whats:
    """The different facts of one table in this batch, and its rows in groups: at which place, which, how often."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._facts: dict[Key, int] = {}
        self._where: list[int] = []
        self._what: list[Sequence[int]] = []
        self._seen: list[Seen] = []

    def number(self, key: Key) -> int:
        """The number of a fact."""
        return self._facts.setdefault(key, len(self._facts))

    def add(self, where: int, facts: Sequence[int], seen: Seen) -> None:
        """A group: rows that say different things at one place, and are counted together."""
        self._where.append(where)
        self._what.append(facts)
        self._seen.append(seen)

    def parts(self, wheres: _Wheres) -> Iterator[pa.Table]:
        """All rows, each key once, `PART_ROWS` at a time: as tables they take ten times the memory."""
        hashes = [what_of((self.name, *key)) for key in self._facts]
        ids = list(self._ids(wheres, hashes))
        if len(set(ids)) < len(ids):
            ids = self._join_equal(ids)
        facts = list(zip(*self._facts, strict=True))
        end = 0
        for groups in self._slices():
            begin, end = end, end + sum(map(len, self._what[groups]))
            day, *rest = self._columns(groups, wheres, facts)
            yield table(self.name, [day, numbers(ids[begin:end], pa.uint64()), *rest])

    def _ids(self, wheres: _Wheres, hashes: list[int]) -> Iterator[int]:
        for where, what in zip(self._where, self._what, strict=True):
            id_of = wheres.places[where].id_of
            for number in what:
                yield id_of(hashes[number])

    def _join_equal(self, ids: list[int]) -> list[int]:
        """Rows of one id are one: a fact that was stated by itself and among words that are known."""
        rows: dict[int, tuple[int, tuple[int], Seen]] = {}
        groups = zip(self._where, self._what, self._seen, strict=True)
        single = ((where, (number,), seen) for where, what, seen in groups for number in what)
        for row_id, (where, what, seen) in zip(ids, single, strict=True):
            known = rows.get(row_id)
            rows[row_id] = (where, what, seen if known is None else known[2].joined(seen))
        self._where, self._what, self._seen = (list(column) for column in zip(*rows.values(), strict=True))
        return list(rows)

    def _slices(self) -> Iterator[slice]:
        """The groups by parts: of at most `PART_ROWS` rows, or of one group."""
        begin = rows = 0
        for at, what in enumerate(self._what):
            if rows and rows + len(what) > PART_ROWS:
                yield slice(begin, at)
                begin, rows = at, 0
            rows += len(what)
        if rows:
            yield slice(begin, len(self._what))

    def _columns(self, groups: slice, wheres: _Wheres, facts: list[Key]) -> list[pa.Array]:
        """All columns but the id's."""
        at = [number for number, what in enumerate(self._what[groups]) for _ in what]
        where, places = numbered(self._where[groups])
        what, different = numbered([number for what in self._what[groups] for number in what])
        told = [[column[number] for number in different] for column in facts]
        return [
            *spread(wheres.columns(places), ID[:1] + WHERE, [where[number] for number in at]),
            *spread(told, WHAT[self.name], what),
            *spread(_sights(self._seen[groups], wheres.communities), SEEN + QUALITY, at),
        ]


class _Communities(dict[tuple[Ends, int], str]):
    """Community IDs by ends and the initiator's port; conversations are spoken of in several rows."""

    def __missing__(self, conversation: tuple[Ends, int]) -> str:
        ends, port = conversation
        made = community_id(ends.transport, ends.initiator[0], port, ends.responder[0], ends.port)
        self[conversation] = made
        return made


def _sights(seen: list[Seen], communities: _Communities) -> list[Sequence[Any]]:
    """The columns of `SEEN` and `QUALITY`."""
    flags = zip(*(msgspec.structs.astuple(one.quality) for one in seen), strict=True)
    return [
        [one.first for one in seen],
        [one.last for one in seen],
        [one.n for one in seen],
        [one.hours for one in seen],
        [one.frame for one in seen],
        [communities[one.ends, one.port] for one in seen],
        *flags,
    ]


class _Spoken(NamedTuple):
    """What one side states in known words: the values, and by table which facts; how long their texts are."""

    side: Side
    values: list[Value]
    rows: list[tuple[_Whats, tuple[int, ...]]]
    text_bytes: int


class _Wheres:
    """Two rows for each place, one for each side that facts can be about; and what conversations there are called."""

    def __init__(self, places: Iterable[_Place], scopes: tuple[str, ...]) -> None:
        rows = [row for place in places for row in _where(place.key, scopes)]
        self.places: list[Place] = [place_of((_UNIX_DAY + row[0], *row[1:])) for row in rows]
        self.communities = _Communities()
        self._columns = list(zip(*rows, strict=True))

    def columns(self, at: list[int]) -> list[Sequence[Any]]:
        """The columns of the day and of `WHERE`."""
        return [[column[number] for number in at] for column in self._columns]


class Fold:
    """Rows of one batch. `add` what is said, `drain` to tables; caps span batches.

    Args:
        scopes: names by number.

    Attributes:
        row_count: how many rows there are so far.
        text_bytes: how long the texts of their facts are.
        lost: facts for which there was no room, as nobody had drained for too long.
    """

    def __init__(self, scopes: tuple[str, ...]) -> None:
        self._scopes = scopes
        self._certificates_sent: set[str] = set()
        self._values: dict[tuple[int, tuple[bytes, int], Side], _Values] = {}
        self._values_day = 0
        self.lost = 0
        self._clear()

    def _clear(self) -> None:
        self.row_count = self.text_bytes = 0
        self._places: dict[Key, _Place] = {}
        self._tables = {name: _Whats(name) for name in WHAT}
        self._told: dict[Hashable, _Told] = {}
        self._spoken: dict[Words, list[_Spoken]] = {}
        self._certificates: dict[str, Key] = {}

    def add(self, said: Said) -> dict[Words | _Told, Seen] | None:
        """What was said at one moment. Returns what has been counted at its place, until it is drained; see `tell`."""
        key = (said.ts_us // DAY_US, said.ends, said.protocol, said.continued)
        place = self._places.get(key) or self._place(key)
        words = said.words
        if place is None:
            self.lost += len(words.facts)
            return None
        if words.known and ((seen := place.seen.get(words)) or (seen := self._add_known(place, said))):
            seen.once(said)
        else:
            self._add_each(place, said)
        return place.seen

    def _add_known(self, place: _Place, said: Said) -> Seen | None:
        """Rows for words that are new at this place, counted as one. None where some may be too many for that."""
        spoken = self._spoken.get(said.words)
        if spoken is None:
            spoken = self._spoken[said.words] = self._listen(said.words)
        if not all(place.values[side].has_room(values) for side, values, _, _ in spoken):
            return None
        seen = place.seen[said.words] = Seen(said)
        for side, values, parts, text_bytes in spoken:
            for rows, facts in parts:
                rows.add(2 * place.number + side, facts, seen)
            self.row_count += len(values)
            self.text_bytes += text_bytes
        return seen

    def _add_each(self, place: _Place, said: Said) -> None:
        for fact, mark in said.words.facts:
            told = self._told_by(fact, mark)
            seen = place.seen.get(told)
            if seen is None:
                seen = self._state(place, told, fact, said)
            seen.once(said)

    def drain(self) -> Iterator[tuple[str, pa.Table]]:
        """The rows since the last call, as parts of tables of `sensor.rows.SCHEMAS`, made when they are asked for."""
        places, tables, certificates = self._places, self._tables, self._certificates
        self._certificates_sent |= certificates.keys()
        for place in places.values():
            place.seen.clear()  # whoever counts there has to say anew where
        self._clear()
        return _parts(places, tables, certificates, self._scopes)

    # ------------------------------------------------------------------ where

    def _place(self, key: Key) -> _Place | None:
        """A new place; None where there is no room for another one."""
        if self.row_count >= ROWS_MAX or self.text_bytes >= TEXT_BYTES_MAX:
            return None
        place = self._places[key] = _Place(key, len(self._places), self._values_of(key[0], key[1]))
        return place

    def _values_of(self, day: int, ends: Ends) -> tuple[_Values, _Values]:
        """What both sides have said of themselves so far on the newest day."""
        if day > self._values_day:
            self._values_day, self._values = day, {}
        keys = (ends.scope, ends.initiator, Side.INITIATOR), (ends.scope, ends.responder, Side.RESPONDER)
        found = [self._values.get(key) or self._values.setdefault(key, _Values()) for key in keys]
        return found[0], found[1]

    # ------------------------------------------------------------------ what

    def _listen(self, words: Words) -> list[_Spoken]:
        """Known words, by who says them and where it is kept."""
        told = [self._told_by(fact, mark) for fact, mark in words.facts]
        for (fact, _), one in zip(words.facts, told, strict=True):
            self._keep(one)
            if isinstance(fact, Certificate):
                self._keep_certificate(fact)
        sides = dict.fromkeys(one.side for one in told)
        return [_spoken(side, [one for one in told if one.side == side]) for side in sides]

    def _told_by(self, fact: Fact, mark: SecretMark | None) -> _Told:
        """A fact, and whose it is."""
        if isinstance(fact, Attribute):
            told = self._told.get(fact)
            if told is not None:
                return told
        name, what = _what(fact, mark)
        side = fact.subject.side
        return self._told_of(name, what, side, fact if isinstance(fact, Attribute) else (name, what, side))

    def _told_of(self, name: str, what: Key, side: Side, key: Hashable) -> _Told:
        told = self._told.get(key)
        if told is None:
            text_bytes = sum([len(column) for column in what if isinstance(column, str)])
            told = _Told(key, self._tables[name], what, side, (name, what[1], hash(what)), text_bytes)
        return told

    def _keep(self, told: _Told) -> None:
        """From now on the fact is this object."""
        if told.number < 0:
            told.number = told.rows.number(told.what)
            self._told[told.key] = told

    def _state(self, place: _Place, told: _Told, fact: Fact, said: Said) -> Seen:
        """What counts a fact that is new at this place: its row, or the one that says that it is one too many."""
        if not isinstance(fact, Anomaly) and not place.values[told.side].admit(told.value):
            what = _overflow(*told.value[:2], told.what[0])
            told = self._told_of("fact_anomaly", what, told.side, ("fact_anomaly", what, told.side))
            if (over := place.seen.get(told)) is not None:
                return over
        elif isinstance(fact, Certificate):
            self._keep_certificate(fact)
        self._keep(told)
        seen = place.seen[told] = Seen(said)
        told.rows.add(2 * place.number + told.side, (told.number,), seen)
        self.row_count += 1
        self.text_bytes += told.text_bytes
        return seen

    def _keep_certificate(self, fact: Certificate) -> None:
        if fact.sha256 in self._certificates or fact.sha256 in self._certificates_sent:
            return
        self._certificates[fact.sha256] = (
            fact.sha256, fact.spki_sha256, fact.subject_name, fact.issuer, fact.serial,
            _clamp_s(fact.not_before), _clamp_s(fact.not_after), fact.key_type, fact.key_bits, fact.signature,
            list(fact.sans), fact.self_signed, fact.is_ca, fact.personal, _json.encode(fact.details).decode(),
        )  # fmt: skip


def _parts(
    places: dict[Key, _Place], tables: dict[str, _Whats], certificates: dict[str, Key], scopes: tuple[str, ...]
) -> Iterator[tuple[str, pa.Table]]:
    """What was folded is let go table by table."""
    wheres = _Wheres(places.values(), scopes)
    places.clear()
    while tables:
        name, rows = tables.popitem()
        for part in rows.parts(wheres):
            yield name, part
    if certificates:
        yield "certificate", table("certificate", list(zip(*certificates.values(), strict=True)))


def _spoken(side: Side, told: list[_Told]) -> _Spoken:
    """The facts of one side."""
    tables = dict.fromkeys(one.rows for one in told)
    rows = [(rows, tuple([one.number for one in told if one.rows is rows])) for rows in tables]
    return _Spoken(side, [one.value for one in told], rows, sum(one.text_bytes for one in told))


def _where(key: Key, scopes: tuple[str, ...]) -> Iterator[Key]:
    """The day and the columns of `WHERE`, for each side."""
    day, ends, protocol, continued = key
    one, other = ((mac_text(mac), ip_text(ip)) for ip, mac in (ends.initiator, ends.responder))
    scope, rest = scopes[ends.scope], (ends.port, TRANSPORT[ends.transport], protocol, continued)
    yield day, scope, Side.INITIATOR.label, *one, *other, *rest
    yield day, scope, Side.RESPONDER.label, *other, *one, *rest


def _what(fact: Fact, mark: SecretMark | None) -> tuple[str, Key]:
    """The table, and its columns of `WHAT`."""
    about = fact.subject.about
    if isinstance(fact, Attribute):
        return "fact_attribute", (about, fact.name, fact.value, fact.spec, fact.sensitivity.value)
    if isinstance(fact, Authentication):
        return "fact_authentication", _authentication(about, fact, mark)
    if isinstance(fact, Channel):
        return "fact_channel", (
            about, fact.version, fact.cipher, fact.encrypted, fact.signed.value, fact.client_authenticated,
            _json.encode(fact.details).decode(),
        )  # fmt: skip
    if isinstance(fact, Certificate):
        return "fact_certificate", (about, fact.role, fact.position, fact.sha256)
    assert isinstance(fact, Anomaly)
    return "fact_anomaly", (about, fact.code, fact.detail)


def _authentication(about: str, fact: Authentication, mark: SecretMark | None) -> Key:
    return (
        about,
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


def _overflow(name: str, kind: str, about: str) -> Key:
    return about, "value_overflow", f"more than {VALUES_MAX} values of {name[5:]} {kind}"


def _clamp_s(seconds: int | None) -> int | None:
    """Microseconds for seconds since 1970, within the years 1 to 9999."""
    return None if seconds is None else min(max(seconds * 1_000_000, _EARLIEST_US), _LATEST_US)
