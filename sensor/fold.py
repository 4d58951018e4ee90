# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""Fold: what was said to rows, one per fact and UTC day, before they leave the worker.

A row's key columns are everything but times, counts and evidence. They fall into *where* (which ends, which side, which
day) and *what* (the fact); both are kept once, and joined when rows are made (`sensor.folded`).

What is stated together is counted once for all of it. Words that are known, the same object whoever says them, have one
count at a place. Other facts that are new at a place together form a group, which has one count until some of them are
said without the rest: these become a group of their own. So no row is counted with one that was said at other times.

What an attacker can choose freely (names, tokens, UIDs) is capped: at most `VALUES_MAX` values per subject, name and
day; what is over becomes one `Anomaly` (`value_overflow`), so a day's size is bounded by endpoints, not by imagination.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Final

import msgspec

from parsers.core import Anomaly, Attribute, Authentication, Certificate, Channel, Fact, Side
from sensor.arrays import Index
from sensor.budget import COUNTED_BYTES, END_BYTES, FACT_BYTES, PLACE_BYTES, ROW_BYTES, SEEN_BYTES, Budget
from sensor.columns import Table
from sensor.engine.seen import Counted, Moment, Seen, Words
from sensor.folded import Facts, Folded, Places
from sensor.rows import DAY_US, WHAT, Key, table
from sensor.sighting import Ends, Said
from sensor.sitekey import SecretMark

VALUES_MAX: Final = 256
FEW: Final = 16
HELD_MAX: Final = 1 << 20
"""Values of all subjects that are held, some 70 bytes each, in each of two generations; a subject weighs `SUBJECT`."""
SUBJECT: Final = 8
KINDS: Final = 4_096
HASHES: Final = (1 << 50) - 1
CERTIFICATES_MAX: Final = 1 << 18
ROOM_BYTES: Final = Budget().row_bytes
_EARLIEST_US: Final = -62_135_596_800_000_000  # 0001-01-01
_LATEST_US: Final = 253_402_300_799_000_000  # 9999-12-31
_json: Final = msgspec.json.Encoder(order="sorted")

Kind = tuple[str, str]
"""Table, and name or kind."""
Value = int
"""One of the values of which only so many are taken: a hash of it, times `KINDS`; added is what it is a value of."""
Subject = tuple[int, tuple[bytes, int], int]
"""Scope, end, and 1 for the responder."""


class Kept:
    """Values, of each kind as many as may be.

    Attributes:
        count: of all kinds.
    """

    def __init__(self) -> None:
        self.count = 0
        self._values: set[Value] = set()
        self._counts: dict[int, int] = {}

    def admit(self, value: Value) -> bool:
        """Whether this is no value too many."""
        if value in self._values:
            return True
        kind = value % KINDS
        count = self._counts.get(kind, 0)
        if count >= VALUES_MAX:
            return False
        self._counts[kind] = count + 1
        self._values.add(value)
        self.count += 1
        return True


class Held:
    """How much the values of a generation of subjects weigh."""

    def __init__(self) -> None:
        self.count = 0


class Values:
    """The values of one subject on one day. As long as there are few of all kinds, nobody needs to look which.

    Attributes:
        batch: in which the subject was met last.
        end: its number there.
    """

    def __init__(self, held: Held) -> None:
        self.batch = self.end = 0
        self._told: list[Value] = []
        self._kept: Kept | None = None
        self.count_in(held)

    def count_in(self, held: Held) -> None:
        """Weigh there from now on."""
        self._held = held
        held.count += SUBJECT + len(self._told) + (0 if self._kept is None else self._kept.count)

    def admit(self, value: Value) -> bool:
        """Whether this is no value too many."""
        kept = self._kept
        if kept is None and len(self._told) < min(FEW, VALUES_MAX):
            self._told.append(value)
            self._held.count += 1
            return True
        if kept is None:
            kept = self._kept = Kept()
            for one in self._told:
                kept.admit(one)
            self._held.count -= len(self._told) - kept.count
            self._told = []
        before = kept.count
        admitted = kept.admit(value)
        self._held.count += kept.count - before
        return admitted


class Told:
    """One side's fact: what a row says, and among which values it counts. One object in a batch, once it has a row.

    Attributes:
        value: see `Value`; None if there may be any number. One object, whoever holds it.
        number: in its table; -1 as long as it has no row.
        order: among all that have a row.
        place, row: the first place where it has a row, and which; most facts have no other. -1 as long as it has none.
        moment: when it was last said.
    """

    def __init__(
        self, key: Hashable, facts: Facts, what: Key, side: Side, value: Value | None, text_bytes: int
    ) -> None:
        self.key = key
        self.facts = facts
        self.what = what
        self.side = side
        self.value = value
        self.text_bytes = text_bytes
        self.number = self.place = self.row = -1
        self.order = 0
        self.moment = 0


class Group(Seen):
    """What counts rows of one place that were always said together.

    Attributes:
        number: among all that counts.
        size: how many they are.
        moment: when it was last said; of which the following holds.
        met: how many of the rows were said.
        part: the number of what counts these.
    """

    number: int
    size: int
    moment: int
    met: int
    part: int


class Place:
    """Ends that speak a protocol on one day, and what was said there in this batch.

    Attributes:
        seen: what counts known words; None as long as there are none.
    """

    def __init__(self, number: int, initiator: Values, responder: Values) -> None:
        self.number = number
        self.seen: Counted | None = None
        self._initiator = initiator
        self._responder = responder

    def values(self, side: Side) -> Values:
        """What one of the two says of itself."""
        return self._responder if side else self._initiator


class Fold:
    """Rows of one batch. `add` what is said, `drain` to tables; caps span batches.

    Args:
        scopes: names by number.
        held_max: values of all subjects, see `HELD_MAX`.

    Attributes:
        room_bytes: what rows may take until they are drained.
        row_count: how many rows there are so far.
        text_bytes: how long the texts of their facts are.
        held_bytes: what the rows take, with all that they refer to.
        lost: facts for which there was no room, as nobody had drained for too long.
    """

    def __init__(self, scopes: tuple[str, ...], held_max: int = HELD_MAX) -> None:
        self._scopes = scopes
        self._held_max = held_max
        self.room_bytes = ROOM_BYTES
        self._certificates_sent: set[str] = set()
        self._kinds: dict[Kind, int] = {}
        self._values_day = 0
        self._begin_day()
        self._moment = self._batch = 0
        self.lost = 0
        self._clear()

    def _clear(self) -> None:
        self.row_count = self.text_bytes = self.held_bytes = 0
        self._batch += 1
        self._places: dict[Key, dict[Ends, Place]] = {}
        self._where = Places(self._scopes)
        self._rows = Index()
        self._counting: list[Seen] = []
        self._counts: list[Counted] = []
        self._tables = {name: Facts(name) for name in WHAT}
        self._told: dict[Hashable, Told] = {}
        self._spoken: dict[Words, list[Told]] = {}
        self._certificates: dict[str, Key] = {}

    def _begin_day(self) -> None:
        self._values: dict[Subject, Values] = {}
        self._older: dict[Subject, Values] = {}
        self._held = Held()

    def add(self, said: Said) -> Counted | None:
        """What was said at one moment. Returns what counts known words at its place, until it is drained."""
        day_us = DAY_US
        key = (said.ts_us // day_us, said.protocol, said.continued)
        here = self._places.get(key)
        place = None if here is None else here.get(said.ends)
        if place is None:
            place = self._place(key, said.ends)
        words = said.words
        if place is None:
            self.lost += len(words.facts)
            return None
        if words.known:
            seen = None if place.seen is None else place.seen.get(words)
            if seen is None and not self._is_full():
                seen = self._add_known(place, said, words)
            if seen is not None:
                seen.once(said)
                return place.seen
        if self._is_full():
            self.lost += len(words.facts)
            return None
        self._add_each(place, said)
        return place.seen

    def _is_full(self) -> bool:
        return self.held_bytes >= self.room_bytes

    def _weigh(self, size: int) -> None:
        """So many bytes more are held."""
        self.held_bytes += size

    def drain(self) -> Iterator[tuple[str, Table]]:
        """The rows since the last call, as parts of tables of `sensor.rows.SCHEMAS`.

        They are made when they are asked for, by whoever asks: folding goes on meanwhile, which a live capture needs.
        """
        if len(self._certificates_sent) >= CERTIFICATES_MAX:
            self._certificates_sent.clear()  # what is sent again is known where it arrives
        self._certificates_sent |= self._certificates.keys()
        for counts in self._counts:
            counts.clear()  # whoever counts there has to say anew where
        parts = _parts(self._where, self._counting, self._tables, self._certificates)
        self._clear()
        return parts

    # ------------------------------------------------------------------ where

    def _place(self, key: Key, ends: Ends) -> Place | None:
        """A new place; None where there is no room for another one."""
        if self._is_full():
            return None
        day, protocol, continued = key
        if day > self._values_day:
            self._values_day = day
            self._begin_day()
        if self._held.count >= self._held_max:
            self._older, self._values, self._held = self._values, {}, Held()
        initiator = self._values_of((ends.scope, ends.initiator, 0))
        responder = self._values_of((ends.scope, ends.responder, 1))
        number = self._where.add(day, ends, protocol, continued, initiator.end, responder.end)
        place = Place(number, initiator, responder)
        self._places.setdefault(key, {})[ends] = place
        self._weigh(PLACE_BYTES)
        return place

    def _values_of(self, subject: Subject) -> Values:
        """What a side has said of itself so far on the newest day, unless others have said much since."""
        values = self._values.get(subject)
        if values is None:
            values = self._older.pop(subject, None)
            if values is None:
                values = Values(self._held)
            else:
                values.count_in(self._held)
            self._values[subject] = values
        if values.batch != self._batch:
            values.batch, values.end = self._batch, self._where.add_end(subject[1])
            self._weigh(END_BYTES)
        return values

    # ------------------------------------------------------------------ known words

    def _add_known(self, place: Place, said: Said, words: Words) -> Seen | None:
        """Rows for words that are new at this place, counted as one. None where some of the values are too many."""
        spoken = self._spoken.get(words)
        if spoken is None:
            spoken = self._spoken[words] = [self._heard(fact, mark) for fact, mark in words.each()]
        for told in spoken:
            if not self._is_admitted(place, told):
                return None
        seen = Seen(said)
        number = self._count_in(seen)
        for told in spoken:
            self._add_row(place, told, number)
        if place.seen is None:
            place.seen = Counted()
            self._counts.append(place.seen)
            self._weigh(COUNTED_BYTES)
        place.seen.keep(words, seen)
        return seen

    def _heard(self, fact: Fact, mark: SecretMark | None) -> Told:
        """One of the facts of known words, which are kept."""
        told = self._told_by(fact, mark)
        self._keep(told, fact)
        return told

    # ------------------------------------------------------------------ facts

    def _add_each(self, place: Place, said: Said) -> None:
        """Facts that were stated together: those that are new here as a group, others where they are counted."""
        self._moment += 1
        new: Group | None = None
        before: list[Told] = []
        again: list[Told] = []
        met: list[Group] = []
        facts, marks = said.words.facts, said.words.marks
        for at, fact in enumerate(facts):
            told = self._told_by(fact, None if marks is None else marks[at])
            row = self._row(place, told)
            if row < 0 and not self._is_admitted(place, told):
                told = self._overflow(told)
                row = self._row(place, told)
            if told.moment == self._moment:
                again.append(told)
                continue
            told.moment = self._moment
            if row >= 0:
                before.append(told)
                self._meet(told, row, met)
                continue
            if new is None:
                new = self._group(said)
                new.once(said)
            self._keep(told, fact)
            self._state(place, told, new)
        self._count(place, said, met, before)
        for told in again:
            self._count_alone(place, said, told)

    def _row(self, place: Place, told: Told) -> int:
        """The row that says so, in its table; -1 as long as there is none."""
        if told.place < 0 or told.place == place.number:
            return told.row
        return self._rows.get(place.number, told.order)

    def _is_admitted(self, place: Place, told: Told) -> bool:
        """Whether a fact that is new at this place is no value too many."""
        return told.value is None or place.values(told.side).admit(told.value)

    def _overflow(self, told: Told) -> Told:
        """The fact that says that another one is one too many."""
        detail = f"more than {VALUES_MAX} values of {told.facts.name[5:]} {told.what[1]}"
        what = told.what[0], "value_overflow", detail
        return self._told_of("fact_anomaly", what, told.side)

    def _state(self, place: Place, told: Told, group: Group) -> None:
        """A row of a group."""
        row = self._add_row(place, told, group.number)
        if told.place < 0:
            told.place, told.row = place.number, row
        else:
            self._rows.put(place.number, told.order, row)
        group.size += 1

    def _add_row(self, place: Place, told: Told, counted: int) -> int:
        """A row, and what counts it; returns its number in its table."""
        self.row_count += 1
        self.text_bytes += told.text_bytes
        self._weigh(ROW_BYTES)
        return told.facts.add(2 * place.number + told.side, told.number, counted)

    def _count_in(self, seen: Seen) -> int:
        """From now on this counts rows; returns its number."""
        self._counting.append(seen)
        self._weigh(SEEN_BYTES)
        return len(self._counting) - 1

    def _group(self, first: Moment) -> Group:
        """A new group, without any rows."""
        group = Group(first)
        group.number = self._count_in(group)
        group.size = group.moment = group.met = group.part = 0
        return group

    def _group_of(self, told: Told, row: int) -> Group:
        """The group of a fact's row."""
        group = self._counting[told.facts.seen.held[row]]
        assert isinstance(group, Group)
        return group

    def _meet(self, told: Told, row: int, met: list[Group]) -> None:
        """A row was said again."""
        group = self._group_of(told, row)
        if group.moment != self._moment:
            group.moment, group.met = self._moment, 0
            met.append(group)
        group.met += 1

    def _count(self, place: Place, said: Said, met: list[Group], before: list[Told]) -> None:
        """Groups of which all was said are counted as they are; of others a part becomes a group of its own."""
        is_split = False
        for group in met:
            part = group
            if group.met < group.size:
                is_split = True
                part = self._split(group, group.met)
            group.part = part.number
            part.once(said)
        if is_split:
            for told in before:
                row = self._row(place, told)
                told.facts.count(row, self._group_of(told, row).part)

    def _count_alone(self, place: Place, said: Said, told: Told) -> None:
        """A fact that was stated once more at the same moment."""
        row = self._row(place, told)
        group = self._group_of(told, row)
        if group.size > 1:
            group = self._split(group, 1)
            told.facts.count(row, group.number)
        group.once(said)

    def _split(self, group: Group, size: int) -> Group:
        """A group of so many of its rows."""
        part = self._group(group)
        part.join(group)
        group.size -= size
        part.size = size
        return part

    # ------------------------------------------------------------------ what

    def _told_by(self, fact: Fact, mark: SecretMark | None) -> Told:
        """A fact, and whose it is."""
        if type(fact) is Attribute:
            told = self._told.get(fact)
            return told or self._new(fact, "fact_attribute", _attribute(fact), fact.subject.side)
        name, what = _what(fact, mark)
        return self._told_of(name, what, fact.subject.side)

    def _told_of(self, name: str, what: Key, side: Side) -> Told:
        key = name, what, side
        return self._told.get(key) or self._new(key, name, what, side)

    def _new(self, key: Hashable, name: str, what: Key, side: Side) -> Told:
        text_bytes = sum([len(column) for column in what if isinstance(column, str)])
        return Told(key, self._tables[name], what, side, self._value(name, what), text_bytes)

    def _value(self, name: str, what: Key) -> Value | None:
        """As what a fact counts among the values of whoever says it."""
        if name == "fact_anomaly":
            return None
        kinds, hashes = KINDS, HASHES
        if len(self._kinds) >= kinds:
            self._kinds.clear()  # from now on some are counted together
        number = self._kinds.setdefault((name, what[1]), len(self._kinds))
        return (hash(what) & hashes) * kinds + number

    def _keep(self, told: Told, fact: Fact) -> None:
        """From now on the fact is this object."""
        if told.number < 0:
            told.number = told.facts.number(told.what)
            told.order = len(self._told)
            self._told[told.key] = told
            self._weigh(FACT_BYTES + told.text_bytes)
            if type(fact) is Certificate and told.value is not None:
                self._keep_certificate(fact)

    def _keep_certificate(self, fact: Certificate) -> None:
        if fact.sha256 in self._certificates or fact.sha256 in self._certificates_sent:
            return
        self._certificates[fact.sha256] = (
            fact.sha256, fact.spki_sha256, fact.subject_name, fact.issuer, fact.serial,
            _clamp_s(fact.not_before), _clamp_s(fact.not_after), fact.key_type, fact.key_bits, fact.signature,
            list(fact.sans), fact.self_signed, fact.is_ca, fact.personal, _details(fact.details),
        )  # fmt: skip


def _parts(
    places: Places, counting: list[Seen], tables: dict[str, Facts], certificates: dict[str, Key]
) -> Iterator[tuple[str, Table]]:
    """What was folded is let go of table by table."""
    folded = Folded(places, counting)
    yield from folded.places(tables.values())
    while tables:
        _, facts = tables.popitem()
        yield from folded.parts(facts)
    if certificates:
        yield "certificate", table("certificate", list(zip(*certificates.values(), strict=True)))


def _attribute(fact: Attribute) -> Key:
    return fact.subject.about, fact.name, fact.value, fact.spec, str(fact.sensitivity)


def _what(fact: Fact, mark: SecretMark | None) -> tuple[str, Key]:
    """The table, and its columns of `WHAT`; of all but attributes."""
    about = fact.subject.about
    if type(fact) is Authentication:
        return "fact_authentication", _authentication(about, fact, mark)
    if type(fact) is Channel:
        return "fact_channel", (
            about, fact.version, fact.cipher, fact.encrypted, str(fact.signed), fact.client_authenticated,
            _details(fact.details),
        )  # fmt: skip
    if type(fact) is Certificate:
        return "fact_certificate", (about, fact.role, fact.position, fact.sha256)
    assert type(fact) is Anomaly
    return "fact_anomaly", (about, fact.code, fact.detail)


def _authentication(about: str, fact: Authentication, mark: SecretMark | None) -> Key:
    return (
        about,
        fact.mechanism,
        fact.principal,
        fact.realm,
        mark.digest if mark else None,
        mark.principal_digest if mark else None,
        str(mark.secret_class) if mark else None,
        mark.length if mark else None,
        mark.epoch if mark else None,
        str(fact.outcome),
        str(fact.protection),
        _details(fact.details),
    )


def _details(details: dict[str, Any]) -> str:
    return _json.encode(details).decode() if details else "{}"


def _clamp_s(seconds: int | None) -> int | None:
    """Microseconds for seconds since 1970, within the years 1 to 9999."""
    return None if seconds is None else min(max(seconds * 1_000_000, _EARLIEST_US), _LATEST_US)
