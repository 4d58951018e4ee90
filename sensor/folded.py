# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""Folded: what was said in one batch, as numbers, and the tables that are made of it.

A row of a table is three numbers: at which place and side, which fact, and what counts it. All else is kept once for
each of these, and joined to rows when they are asked for, a part of a table at a time: as tables they take ten times
the memory.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from parsers.core import Side
from sensor.arrays import Longs, Numbered, Numbers, id_column, ids, ids_of, repeats, spread, words
from sensor.columns import COUNT, DAY, NUMBER, TIME, Column, Table
from sensor.days import TRANSPORT
from sensor.engine import ENDS
from sensor.engine.columns import ip_texts, macs, picked
from sensor.engine.seen import Seen
from sensor.rows import DAY_AND_ID, PART_ROWS, WHAT, WHERE, Key, quality_number, sides_of, table, what_of
from sensor.sighting import Ends, Quality

_KIND: Final = DAY_AND_ID[:1] + WHERE[:2] + WHERE[6:]
_WORDS: Final = struct.Struct(">4I")

Address = tuple[bytes, int]
"""Packed IP address, and MAC address."""


class Facts:
    """The different facts of one table, and its rows.

    Attributes:
        name: of the table.
        known: the numbers of the facts.
        where: of each row, twice the number of its place, and the side.
        what: the number of its fact.
        seen: the number of what counts it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.known: dict[Key, int] = {}
        self.where, self.what, self.seen = Numbers(), Numbers(), Numbers()

    def number(self, key: Key) -> int:
        """The number of a fact."""
        return self.known.setdefault(key, len(self.known))

    def add(self, where: int, what: int, seen: int) -> int:
        """A row; returns its number."""
        self.where.add(where)
        self.what.add(what)
        self.seen.add(seen)
        return self.what.count - 1

    def count(self, row: int, seen: int) -> None:
        """From now on a row is counted elsewhere."""
        self.seen.held[row] = seen


class Places:
    """The places of a batch, taken apart as they come: many have an end in common, or all but their ends.

    Args:
        scopes: names by number.

    Attributes:
        count: how many there are.
        functions: of each, a factor and a term for each side.
        kinds: what places have in common: day, scope, port, transport, protocol, and whether it was restated.
        kind: of each place, the number of its kind.
        end: of each side of a place, the number of its end.
        ends: rows as of `sensor.engine.ENDS`.
    """

    def __init__(self, scopes: tuple[str, ...]) -> None:
        self._scopes = scopes
        self.count = self._end_count = 0
        self.functions = array("Q")
        self.kinds: dict[Key, int] = {}
        self.kind = Numbers()
        self.end, self.ends = Longs(), Longs()

    def add_end(self, address: Address) -> int:
        """An end, which is new; returns its number."""
        ip, mac = address
        self.ends.add((4 if len(ip) == 4 else 6) << 8)
        self.ends.add(mac)
        for word in _WORDS.unpack(bytes(16 - len(ip)) + ip):
            self.ends.add(word)
        self.ends.add(0)
        self.ends.add(0)
        self._end_count += 1
        return self._end_count - 1

    def add(self, day: int, ends: Ends, protocol: str, continued: bool, one: int, other: int) -> int:  # noqa: FBT001
        """A new place, between the ends of these numbers; returns its number."""
        kind = day, self._scopes[ends.scope], ends.port, TRANSPORT[ends.transport], protocol, continued
        self.functions.extend(sides_of((kind, ends.initiator, ends.responder)))
        self.kind.add(self.kinds.setdefault(kind, len(self.kinds)))
        self.end.add(one)
        self.end.add(other)
        self.count += 1
        return self.count - 1


class Wheres:
    """The columns of places.

    Args:
        places: no more come.

    Attributes:
        functions: see `Places`.
        ids: of all places, one for each side.
    """

    def __init__(self, places: Places) -> None:
        self.functions = _memory(places.functions)
        self.ids = _memory(places.functions[1::2])
        self._kind, self._end, self._ends = _of_sides(places.kind), places.end, places.ends.all
        self._rows = [_kind_row(kind, side) for kind in places.kinds for side in Side]
        self._days = Numbers.listed([row[0] for row in self._rows])
        self._numbered = Numbered(len(self._rows))

    def columns(self, where: Numbers) -> list[Column]:
        """The day and `WHERE` of rows."""
        at, different = self._numbered.anew(self._kind.of(where))
        kinds = [self._rows[number] for number in different]
        day, scope, side, *rest = spread(list(zip(*kinds, strict=True)), _KIND, at)
        ends, peers = self._end.taken(where), self._end.taken(where, 1)
        return [day, scope, side, *self._addresses(ends), *self._addresses(peers), *rest]

    def days(self, where: Numbers) -> Column:
        """The day of rows."""
        return self._days.of(self._kind.of(where)).column(DAY)

    def _addresses(self, ends: memoryview) -> list[Column]:
        """MAC and IP addresses."""
        numbers, bits = macs(self._ends, ends)
        places, ips = picked(ends, len(self._ends) // len(ENDS))
        return [Column(COUNT, len(ends), [numbers], bits), words(places, ip_texts(self._ends, ips))]


class Counts:
    """What counts the rows of a batch, column by column.

    Args:
        counting: by number.
    """

    def __init__(self, counting: list[Seen]) -> None:
        self._seen = counting
        self._first, self._last, self._n, self._frame = Longs(), Longs(), Longs(), Longs()
        self._hours, self._quality, self._port = Numbers(), Numbers(), Numbers()
        self._qualities: dict[Quality, int] = {}
        for number in range(len(counting)):
            self._take_apart(number)

    def _take_apart(self, number: int) -> None:
        seen = self._seen[number]
        self._first.add(seen.ts_us)
        self._last.add(seen.last)
        self._n.add(seen.n)
        self._frame.add(seen.frame)
        self._hours.add(seen.hours)
        self._quality.add(self._qualities.setdefault(seen.quality, len(self._qualities)))
        self._port.add(seen.port)

    def both(self, one: int, other: int) -> int:
        """The number of what counts two together."""
        number = len(self._seen)
        self._seen.append(self._seen[one].joined(self._seen[other]))
        self._take_apart(number)
        return number

    def columns(self, seen: Numbers) -> list[Column]:
        """`SEEN` of rows."""
        return [
            self._first.of(seen, TIME),
            self._last.of(seen, TIME),
            self._n.of(seen, COUNT),
            self._hours.of(seen).column(NUMBER),
            self._frame.of(seen, COUNT),
            self._port.of(seen).column(NUMBER),
        ]

    def quality(self, seen: Numbers) -> Column:
        """`QUALITY` of rows."""
        numbers = [quality_number(msgspec.structs.astuple(one)) for one in self._qualities]
        return Numbers.listed(numbers).of(self._quality.of(seen)).column(NUMBER)


class Sayings:
    """The columns of the facts of one table.

    Args:
        facts: no more come.
    """

    def __init__(self, facts: Facts) -> None:
        self._kinds = WHAT[facts.name]
        self._told = list(zip(*facts.known, strict=True))
        self._numbered = Numbered(len(facts.known))

    def columns(self, what: Numbers) -> list[Column]:
        """`WHAT` of rows."""
        at, different = self._numbered.anew(what)
        return spread([[column[number] for number in different] for column in self._told], self._kinds, at)


class Folded:
    """All that the tables of one batch have in common.

    Args:
        places: see `Wheres`.
        counting: see `Counts`.
    """

    def __init__(self, places: Places, counting: list[Seen]) -> None:
        self._wheres = Wheres(places)
        self._counts = Counts(counting)

    def places(self, tables: Iterable[Facts]) -> Iterator[tuple[str, Table]]:
        """The places to which the rows of these tables refer."""
        used = _used([facts.where for facts in tables], len(self._wheres.ids))
        for begin, end in _cuts(used.count):
            part = used.cut(begin, end)
            day, *where = self._wheres.columns(part)
            yield "place", table("place", [day, ids_of(self._wheres.ids, part), *where])

    def parts(self, facts: Facts) -> Iterator[tuple[str, Table]]:
        """The rows of one table, each key once, `PART_ROWS` at a time; of attributes also what they refer to."""
        hashes = _hashes(facts)
        row_ids = ids(facts.where, facts.what, self._wheres.functions, hashes)
        first = repeats(row_ids, facts.what.count)
        if first is not None:
            facts = self._joined(facts, first)
            row_ids = ids(facts.where, facts.what, self._wheres.functions, hashes)
        sayings = Sayings(facts)
        if facts.name == "fact_attribute":
            yield from _attributes(facts, sayings, hashes)
            yield from self._rows(facts, row_ids, lambda what: [ids_of(hashes, what)])
        else:
            yield from self._rows(facts, row_ids, sayings.columns)

    def _rows(
        self, facts: Facts, row_ids: memoryview, said: Callable[[Numbers], list[Column]]
    ) -> Iterator[tuple[str, Table]]:
        for begin, end in _cuts(facts.what.count):
            where, seen = facts.where.cut(begin, end), facts.seen.cut(begin, end)
            keys = [self._wheres.days(where), id_column(row_ids[begin:end]), ids_of(self._wheres.ids, where)]
            counts = [*self._counts.columns(seen), self._counts.quality(seen)]
            yield facts.name, table(facts.name, [*keys, *said(facts.what.cut(begin, end)), *counts])

    def _joined(self, facts: Facts, first: Numbers) -> Facts:
        """Rows of one id as one: a fact that was stated by itself and among words that are known."""
        whole, now = Facts(facts.name), Numbers(first.count)
        whole.known = facts.known
        for row in range(first.count):
            if first.held[row] == row:
                now.add(whole.add(facts.where.held[row], facts.what.held[row], facts.seen.held[row]))
            else:
                at = now.held[first.held[row]]
                now.add(at)
                whole.count(at, self._counts.both(whole.seen.held[at], facts.seen.held[row]))
        return whole


def _attributes(facts: Facts, sayings: Sayings, hashes: memoryview) -> Iterator[tuple[str, Table]]:
    """What was said of attributes."""
    used = _used([facts.what], len(facts.known))
    for begin, end in _cuts(used.count):
        part = used.cut(begin, end)
        yield "attribute", table("attribute", [ids_of(hashes, part), *sayings.columns(part)])


def _cuts(count: int) -> Iterator[tuple[int, int]]:
    """From where to where the parts of so many rows go."""
    return ((begin, min(begin + PART_ROWS, count)) for begin in range(0, count, PART_ROWS))


def _used(several: Iterable[Numbers], count: int) -> Numbers:
    """Each number once."""
    used = bytearray(count)
    for numbers in several:
        for at in range(numbers.count):
            used[numbers.held[at]] = 1
    return Numbers.listed([number for number in range(count) if used[number]])


def _kind_row(kind: Key, side: Side) -> Key:
    day, scope, *rest = kind
    return day, scope, side.label, *rest


def _of_sides(numbers: Numbers) -> Numbers:
    """A number for each of both sides."""
    both = Numbers(2 * numbers.count)
    for at in range(numbers.count):
        both.add(2 * numbers.held[at])
        both.add(2 * numbers.held[at] + 1)
    return both


def _memory(numbers: array[int]) -> memoryview:
    """These numbers; there is always one more at the end, as there is no memory of nothing."""
    return memoryview(numbers + array("Q", [0]))


def _hashes(facts: Facts) -> memoryview:
    """The numbers of all facts."""
    hashes = memoryview(bytearray(8 * max(len(facts.known), 1))).cast("Q")
    for at, key in enumerate(facts.known):
        hashes[at] = what_of((facts.name, *key))
    return hashes
