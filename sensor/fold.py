"""Fold: what was said to rows, one per fact and UTC day, before they leave the worker.

A row's key columns are everything but times, counts and evidence. They fall into *where* (which ends, which side, which
day) and *what* (the fact); both are kept once and joined when rows are made, column by column. Words that are known,
the same object whoever says them, are counted as one.

What an attacker can choose freely (names, tokens, UIDs) is capped: at most `VALUES_MAX` values per subject, name and
day; what is over becomes one `Anomaly` (`value_overflow`), so a day's size is bounded by endpoints, not by imagination.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from parsers.core import Anomaly, Attribute, Authentication, Certificate, Channel, Fact, Side
from sensor.days import TRANSPORT, community_id, ip_text, mac_text
from sensor.engine import Seen
from sensor.rows import (
    DAY_US,
    QUALITY,
    SEEN,
    WHAT,
    WHERE,
    Key,
    Place,
    day_of,
    place_of,
    spread,
    table,
    what_of,
)
from sensor.sighting import Ends, Said, Words
from sensor.sitekey import SecretMark

VALUES_MAX: Final = 256
ROWS_MAX: Final = 1_000_000
PART_ROWS: Final = 32_768
_EARLIEST_US: Final = -62_135_596_800_000_000  # 0001-01-01
_LATEST_US: Final = 253_402_300_799_000_000  # 9999-12-31
_json: Final = msgspec.json.Encoder(order="sorted")

Told = tuple[str, Key]
"""A table, and what one of its rows says."""


class _Place:
    """Ends that speak a protocol on one day, and what was said there in this batch."""

    __slots__ = ("key", "number", "seen", "values")

    def __init__(self, key: Key, number: int, values: tuple[_Values, _Values]) -> None:
        self.key = key
        self.number = number
        self.seen: dict[Hashable, Seen] = {}
        self.values = values


class _Values:
    """The values of one subject on one day, as many as may be."""

    __slots__ = ("_kept", "_told")

    def __init__(self) -> None:
        self._told: list[Told] = []
        self._kept: dict[Key, set[Key]] | None = None

    def has_room(self, told: list[Told]) -> bool:
        """Whether all of these may be, as there are few of all; then nobody needs to look which."""
        if self._kept is not None or len(self._told) + len(told) > VALUES_MAX:
            return False
        self._told += told
        return True

    def admit(self, name: str, what: Key) -> bool:
        """Whether this is no value too many."""
        if name == "fact_anomaly":
            return True
        if self._kept is None:
            if self.has_room([(name, what)]):
                return True
            self._kept = {}
            for one in self._told:
                self._is_kept(self._kept, *one)
            self._told = []
        return self._is_kept(self._kept, name, what)

    @staticmethod
    def _is_kept(kept: dict[Key, set[Key]], name: str, what: Key) -> bool:
        values = kept.setdefault((name, what[1]), set())
        if what not in values:
            if len(values) >= VALUES_MAX:
                return False
            values.add(what)
        return True


class _Whats:
    """The different facts of one table in this batch, and its rows: at which place, which fact, how often."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._facts: dict[Key, int] = {}
        self._where: list[int] = []
        self._what: list[int] = []
        self._seen: list[Seen] = []

    def __len__(self) -> int:
        return len(self._seen)

    def number(self, key: Key) -> int:
        """The number of a fact."""
        return self._facts.setdefault(key, len(self._facts))

    def add(self, where: int, facts: list[int], seen: Seen) -> None:
        """Some rows that say different things at one place, and are counted together."""
        self._where += [where] * len(facts)
        self._what += facts
        self._seen += [seen] * len(facts)

    def parts(self, wheres: _Wheres) -> Iterator[pa.Table]:
        """All rows, each key once, `PART_ROWS` at a time: as tables they take ten times the memory."""
        hashes = [what_of((self._name, *key)) for key in self._facts]
        ids = [wheres.places[a].id_of(hashes[b]) for a, b in zip(self._where, self._what, strict=True)]
        if len(set(ids)) < len(ids):
            ids = self._join_equal(ids)
        facts = list(self._facts)
        for begin in range(0, len(ids), PART_ROWS):
            rows = slice(begin, begin + PART_ROWS)
            where, (at, different) = self._where[rows], _numbered(self._seen[rows])
            columns = [
                *spread(wheres.rows, WHERE, where),
                *spread(facts, WHAT[self._name], self._what[rows]),
                *spread([_row(seen) for seen in different], SEEN + QUALITY, at),
            ]
            yield table(self._name, [[wheres.days[number] for number in where], ids[rows], *columns])

    def _join_equal(self, ids: list[int]) -> list[int]:
        """Rows of one id are one: a fact that was stated by itself and among words that are known."""
        rows: dict[int, tuple[int, int, Seen]] = {}
        for row_id, where, what, seen in zip(ids, self._where, self._what, self._seen, strict=True):
            known = rows.get(row_id)
            rows[row_id] = (where, what, seen if known is None else known[2].joined(seen))
        self._where, self._what, self._seen = (list(column) for column in zip(*rows.values(), strict=True))
        return list(rows)


class _Spoken(NamedTuple):
    """What one side states in known words."""

    side: Side
    told: list[Told]
    rows: list[tuple[_Whats, list[int]]]


class _Wheres:
    """Two rows for each place, one for each side that facts can be about."""

    def __init__(self, places: Iterable[_Place], scopes: tuple[str, ...]) -> None:
        rows = [_where(place.key, side, scopes) for place in places for side in Side]
        self.days = [day for day, _ in rows]
        self.places: list[Place] = [place_of((day.toordinal(), *row)) for day, row in rows]
        self.rows = [row for _, row in rows]


class Fold:
    """Rows of one batch. `add` what is said, `drain` to tables; caps span batches.

    Args:
        scopes: names by number.

    Attributes:
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
        self._places: dict[Key, _Place] = {}
        self._tables = {name: _Whats(name) for name in WHAT}
        self._spoken: dict[Words, list[_Spoken]] = {}
        self._certificates: dict[str, Key] = {}

    @property
    def row_count(self) -> int:
        """How many rows there are so far."""
        return sum(len(rows) for rows in self._tables.values())

    def add(self, said: Said) -> dict[Hashable, Seen] | None:
        """What was said at one moment. Returns what has been counted at its place, until it is drained; see `tell`."""
        place = self._place(said)
        words = said.words
        if place is None:
            self.lost += len(words.facts)
            return None
        if not words.known or not self._add_known(place, said):
            self._add_each(place, said)
        return place.seen

    def _add_known(self, place: _Place, said: Said) -> bool:
        """Count words as one. False where some of them may be too many for that."""
        seen = place.seen.get(said.words)
        if seen is None:
            spoken = self._spoken.get(said.words)
            if spoken is None:
                spoken = self._spoken[said.words] = self._listen(said.words)
            if not all(place.values[side].has_room(told) for side, told, _ in spoken):
                return False
            seen = place.seen[said.words] = Seen(said)
            for side, _, parts in spoken:
                for rows, numbers in parts:
                    rows.add(2 * place.number + side, numbers, seen)
        seen.once(said)
        return True

    def _add_each(self, place: _Place, said: Said) -> None:
        for fact, mark in said.words.facts:
            key = fact if isinstance(fact, Attribute) else (*_what(fact, mark), fact.subject.side)
            seen = place.seen.get(key)
            if seen is None:
                seen = place.seen[key] = self._state(place, fact, mark, Seen(said))
            seen.once(said)

    def drain(self) -> Iterator[tuple[str, pa.Table]]:
        """The rows since the last call, as parts of tables of `sensor.rows.SCHEMAS`, made when they are asked for."""
        places, tables, certificates = list(self._places.values()), self._tables, self._certificates
        self._certificates_sent |= certificates.keys()
        for place in places:
            place.seen.clear()  # whoever counts there has to say anew where
        self._clear()
        return _parts(places, tables, certificates, self._scopes)

    # ------------------------------------------------------------------ where

    def _place(self, said: Said) -> _Place | None:
        """Where it was said; None where there is no room for another place."""
        key = (said.ts_us // DAY_US, said.ends, said.protocol, said.continued)
        place = self._places.get(key)
        if place is None and self.row_count < ROWS_MAX:
            place = self._places[key] = _Place(key, len(self._places), self._values_of(key[0], said.ends))
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
        found: dict[Side, _Spoken] = {}
        for fact, mark in words.facts:
            name, what = _what(fact, mark)
            if isinstance(fact, Certificate):
                self._keep_certificate(fact)
            side = fact.subject.side
            found.setdefault(side, _Spoken(side, [], [])).told.append((name, what))
        for spoken in found.values():
            for name in dict.fromkeys(name for name, _ in spoken.told):
                rows = self._tables[name]
                spoken.rows.append((rows, [rows.number(what) for one, what in spoken.told if one == name]))
        return list(found.values())

    def _state(self, place: _Place, fact: Fact, mark: SecretMark | None, seen: Seen) -> Seen:
        """A row for a fact that is new at this place. Returns what counts it: another's where it is one too many."""
        name, what = _what(fact, mark)
        side = fact.subject.side
        if not place.values[side].admit(name, what):
            name, what = "fact_anomaly", _overflow(name, what)
            over = place.seen.get((name, what, side))
            if over is not None:
                over.join(seen)
                return over
            place.seen[name, what, side] = seen
        if isinstance(fact, Certificate):
            self._keep_certificate(fact)
        rows = self._tables[name]
        rows.add(2 * place.number + side, [rows.number(what)], seen)
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
    places: list[_Place], tables: dict[str, _Whats], certificates: dict[str, Key], scopes: tuple[str, ...]
) -> Iterator[tuple[str, pa.Table]]:
    wheres = _Wheres(places, scopes)
    for name, rows in tables.items():
        for part in rows.parts(wheres) if len(rows) else ():
            yield name, part
    if certificates:
        yield "certificate", table("certificate", list(zip(*certificates.values(), strict=True)))


def _row(seen: Seen) -> Key:
    """The columns of `SEEN` and `QUALITY`."""
    ends, quality = seen.ends, seen.quality
    return (
        seen.first, seen.last, seen.n, seen.hours, seen.frame,
        community_id(ends.transport, ends.initiator[0], seen.port, ends.responder[0], ends.port),
        quality.midstream, quality.gap, quality.one_sided, quality.truncated, quality.duplicate,
    )  # fmt: skip


def _numbered(seen: list[Seen]) -> tuple[list[int], list[Seen]]:
    """Where each stands among the different ones, and these."""
    different = dict.fromkeys(seen)
    number = {one: at for at, one in enumerate(different)}
    return [number[one] for one in seen], list(different)


def _where(key: Key, side: Side, scopes: tuple[str, ...]) -> tuple[Any, Key]:
    """The day, and the columns of `WHERE`."""
    day, ends, protocol, continued = key
    addresses = ends.initiator, ends.responder
    me, peer = addresses[side], addresses[1 - side]
    return day_of(day), (
        scopes[ends.scope], side.label, mac_text(me[1]), ip_text(me[0]), mac_text(peer[1]), ip_text(peer[0]),
        ends.port, TRANSPORT[ends.transport], protocol, continued,
    )  # fmt: skip


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


def _overflow(name: str, what: Key) -> Key:
    return what[0], "value_overflow", f"more than {VALUES_MAX} values of {name[5:]} {what[1]}"


def _clamp_s(seconds: int | None) -> int | None:
    """Microseconds for seconds since 1970, within the years 1 to 9999."""
    return None if seconds is None else min(max(seconds * 1_000_000, _EARLIEST_US), _LATEST_US)
