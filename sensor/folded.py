# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""Folded: what was said in one batch, as numbers, and the tables that are made of it.

A row of a table is three numbers: at which place and side, which fact, and what counts it. All else is kept once for
each of these, and joined to rows when they are asked for, a part of a table at a time: as tables they take ten times
the memory.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import chain
from typing import Final, TypeVar

import msgspec
import pyarrow as pa

from parsers.core import Side
from sensor.arrays import Longs, Numbered, Numbers, Texts, id_array, ids, ids_of, repeats, spread
from sensor.days import TRANSPORT, community_id, ip_text, mac_text
from sensor.engine.seen import Seen
from sensor.rows import ID, PART_ROWS, QUALITY, WHAT, WHERE, Key, sides_of, table, what_of
from sensor.sighting import Ends, Quality

_KIND: Final = ID[:1] + WHERE[:2] + WHERE[6:]
_day, _number, _count, _ts = pa.date32(), pa.int32(), pa.int64(), pa.timestamp("us")

H = TypeVar("H", bound=Hashable)


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


class Wheres:
    """The places of a batch, taken apart: many have an end in common, or all but their ends.

    Args:
        places: day, ends, protocol, and whether it was restated.
        scopes: names by number.

    Attributes:
        functions: of all places, a factor and a term for each side.
        ids: of all places, one for each side.
    """

    def __init__(self, places: list[Key], scopes: tuple[str, ...]) -> None:
        self.functions = memoryview(bytearray(32 * max(len(places), 1))).cast("Q")
        self.ids = memoryview(bytearray(16 * max(len(places), 1))).cast("Q")
        self._kinds: dict[Key, int] = {}
        self._ends: dict[tuple[bytes, int], int] = {}
        self._day, self._kind, self._end, self._peer = Numbers(), Numbers(), Numbers(), Numbers()
        for number, (day, ends, protocol, continued) in enumerate(places):
            kind = day, scopes[ends.scope], ends.port, TRANSPORT[ends.transport], protocol, continued
            for at, part in enumerate(sides_of((kind, ends.initiator, ends.responder)), 4 * number):
                self.functions[at] = part
                self.ids[at >> 1] = part  # the term, which comes last
            self._add(kind, ends.initiator, ends.responder)
        self._rows = [_kind_row(kind, side) for kind in self._kinds for side in Side]
        self._numbered = Numbered(len(self._rows))
        self._mac, macs = _numbered([mac for _, mac in self._ends])
        self._ip, ips = _numbered([ip for ip, _ in self._ends])
        self._macs, self._ips = Texts([mac_text(mac) for mac in macs]), Texts([ip_text(ip) for ip in ips])

    def _add(self, kind: Key, initiator: tuple[bytes, int], responder: tuple[bytes, int]) -> None:
        """The rows of both sides of a place."""
        number = 2 * self._kinds.setdefault(kind, len(self._kinds))
        one = self._ends.setdefault(initiator, len(self._ends))
        other = self._ends.setdefault(responder, len(self._ends))
        self._day.add(kind[0])
        self._day.add(kind[0])
        self._kind.add(number)
        self._kind.add(number + 1)
        self._end.add(one)
        self._end.add(other)
        self._peer.add(other)
        self._peer.add(one)

    def columns(self, where: Numbers) -> list[pa.Array]:
        """The day and `WHERE` of rows."""
        at, different = self._numbered.anew(self._kind.of(where))
        kinds = [self._rows[number] for number in different]
        day, scope, side, *rest = spread(list(zip(*kinds, strict=True)), _KIND, at)
        return [day, scope, side, *self._addresses(self._end.of(where)), *self._addresses(self._peer.of(where)), *rest]

    def days(self, where: Numbers) -> pa.Array:
        """The day of rows."""
        return self._day.of(where).array(_day)

    def _addresses(self, ends: Numbers) -> list[pa.Array]:
        """MAC and IP addresses."""
        return [self._macs.array(self._mac.of(ends)), self._ips.array(self._ip.of(ends))]


class Counts:
    """What counts the rows of a batch, column by column.

    Args:
        counting: by number.
    """

    def __init__(self, counting: Iterable[Seen]) -> None:
        self._seen: list[Seen] = []
        self._first, self._last, self._n, self._frame = Longs(), Longs(), Longs(), Longs()
        self._hours, self._quality, self._community = Numbers(), Numbers(), Numbers()
        self._qualities: dict[Quality, int] = {}
        self._conversations: dict[tuple[Ends, int], int] = {}
        for seen in counting:
            self._add(seen)
        self._communities = Texts([_community_id(ends, port) for ends, port in self._conversations])

    def _add(self, seen: Seen) -> None:
        self._seen.append(seen)
        self._first.add(seen.ts_us)
        self._last.add(seen.last)
        self._n.add(seen.n)
        self._frame.add(seen.frame)
        self._hours.add(seen.hours)
        self._quality.add(self._qualities.setdefault(seen.quality, len(self._qualities)))
        conversation = seen.ends, seen.port
        self._community.add(self._conversations.setdefault(conversation, len(self._conversations)))

    def both(self, one: int, other: int) -> int:
        """The number of what counts two together."""
        self._add(self._seen[one].joined(self._seen[other]))
        return len(self._seen) - 1

    def columns(self, seen: Numbers) -> list[pa.Array]:
        """`SEEN` of rows."""
        return [
            self._first.of(seen, _ts),
            self._last.of(seen, _ts),
            self._n.of(seen, _count),
            self._hours.of(seen).array(_number),
            self._frame.of(seen, _count),
            self._communities.array(self._community.of(seen)),
        ]

    def flags(self, seen: Numbers) -> list[pa.Array]:
        """`QUALITY` of rows."""
        return spread(list(zip(*self._flags(), strict=True)), QUALITY, self._quality.of(seen))

    def quality(self, seen: Numbers) -> pa.Array:
        """The same as one number of each row: a bit for each column, the first one is the lowest."""
        bits = [sum(flag << at for at, flag in enumerate(flags)) for flags in self._flags()]
        return Numbers.listed(bits).of(self._quality.of(seen)).array(_number)

    def _flags(self) -> list[tuple[bool, ...]]:
        return [msgspec.structs.astuple(quality) for quality in self._qualities]


class Folded:
    """All that the tables of one batch have in common.

    Args:
        places, scopes: see `Wheres`.
        counting: see `Counts`.
    """

    def __init__(self, places: list[Key], counting: Iterable[Seen], scopes: tuple[str, ...]) -> None:
        self._wheres = Wheres(places, scopes)
        self._counts = Counts(counting)

    def parts(self, facts: Facts) -> Iterator[tuple[str, pa.Table]]:
        """The rows of one table, each key once, `PART_ROWS` at a time; of attributes also what they refer to."""
        hashes = _hashes(facts)
        row_ids = ids(facts.where, facts.what, self._wheres.functions, hashes)
        first = repeats(row_ids, facts.what.count)
        if first is not None:
            facts = self._joined(facts, first)
            row_ids = ids(facts.where, facts.what, self._wheres.functions, hashes)
        if facts.name == "fact_attribute":
            return chain(self._places(facts), self._whats(facts, hashes), self._referring(facts, row_ids, hashes))
        return self._whole(facts, row_ids)

    def _whole(self, facts: Facts, row_ids: memoryview) -> Iterator[tuple[str, pa.Table]]:
        """Rows that say all themselves."""
        told = list(zip(*facts.known, strict=True))
        of_whats = Numbered(len(facts.known))
        for begin, end in _cuts(facts.what.count):
            day, *where = self._wheres.columns(facts.where.cut(begin, end))
            what = _what_columns(told, facts, of_whats, facts.what.cut(begin, end))
            seen = facts.seen.cut(begin, end)
            columns = [*self._counts.columns(seen), *self._counts.flags(seen)]
            yield facts.name, table(facts.name, [day, id_array(row_ids[begin:end]), *where, *what, *columns])

    def _referring(self, facts: Facts, row_ids: memoryview, hashes: memoryview) -> Iterator[tuple[str, pa.Table]]:
        """Rows that say where and what by its id."""
        for begin, end in _cuts(facts.what.count):
            where, seen = facts.where.cut(begin, end), facts.seen.cut(begin, end)
            refers = [ids_of(self._wheres.ids, where), ids_of(hashes, facts.what.cut(begin, end))]
            columns = [*refers, *self._counts.columns(seen), self._counts.quality(seen)]
            yield facts.name, table(facts.name, [self._wheres.days(where), id_array(row_ids[begin:end]), *columns])

    def _places(self, facts: Facts) -> Iterator[tuple[str, pa.Table]]:
        """The places at which something was said."""
        used = _used(facts.where, len(self._wheres.ids))
        for begin, end in _cuts(used.count):
            part = used.cut(begin, end)
            day, *where = self._wheres.columns(part)
            yield "place", table("place", [day, ids_of(self._wheres.ids, part), *where])

    def _whats(self, facts: Facts, hashes: memoryview) -> Iterator[tuple[str, pa.Table]]:
        """What was said."""
        told = list(zip(*facts.known, strict=True))
        of_whats = Numbered(len(facts.known))
        used = _used(facts.what, len(facts.known))
        for begin, end in _cuts(used.count):
            part = used.cut(begin, end)
            what = _what_columns(told, facts, of_whats, part)
            yield "attribute", table("attribute", [ids_of(hashes, part), *what])

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


def _cuts(count: int) -> Iterator[tuple[int, int]]:
    """From where to where the parts of so many rows go."""
    return ((begin, min(begin + PART_ROWS, count)) for begin in range(0, count, PART_ROWS))


def _used(numbers: Numbers, count: int) -> Numbers:
    """Each number once."""
    return Numbers.listed(Numbered(count).anew(numbers)[1])


def _what_columns(told: list[Key], facts: Facts, of_whats: Numbered, what: Numbers) -> list[pa.Array]:
    """`WHAT` of rows; `told` are the columns of all facts."""
    at, different = of_whats.anew(what)
    return spread([[column[number] for number in different] for column in told], WHAT[facts.name], at)


def _kind_row(kind: Key, side: Side) -> Key:
    day, scope, *rest = kind
    return day, scope, side.label, *rest


def _numbered(values: list[H]) -> tuple[Numbers, list[H]]:
    """The number of each among the different ones, and these."""
    known: dict[H, int] = {}
    number = Numbers(len(values))
    for value in values:
        number.add(known.setdefault(value, len(known)))
    return number, list(known)


def _hashes(facts: Facts) -> memoryview:
    """The numbers of all facts."""
    hashes = memoryview(bytearray(8 * max(len(facts.known), 1))).cast("Q")
    for at, key in enumerate(facts.known):
        hashes[at] = what_of((facts.name, *key))
    return hashes


def _community_id(ends: Ends, port: int) -> str:
    return community_id(ends.transport, ends.initiator[0], port, ends.responder[0], ends.port)
