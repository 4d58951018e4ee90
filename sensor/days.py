"""Days: what the engine has folded of flows, as rows of conversations and of who held which address.

The engine folds in numbers (`sensor.engine.DAYS`, `ENDS`, `HELD`), which become columns' memory in
`sensor.engine.columns`; here it is said which column is which. The key of a conversation is everything but times and
sums; many flows between the same ends, to the same service, are one row.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Final

import msgspec

from sensor.arrays import text_column, words
from sensor.columns import COUNT, DAY, ID, NUMBER, TIME, Column, Kind, Table
from sensor.engine import DAYS, ENDS, HELD, columns
from sensor.rows import PART_ROWS, SUMS, table, what_of

JOIN_US: Final = 900_000_000
SPANS_MAX: Final = 256
TRANSPORT: Final = {6: "tcp", 17: "udp"}

Span = tuple[int, int, int]
"""First, last, how often."""
Label = tuple[str, str]
"""Protocol and confidence."""

ip_text = lru_cache(maxsize=16_384)(columns.ip_text)
mac_text = lru_cache(maxsize=16_384)(columns.mac_text)


class Days:
    """Rows of one drain of the engine.

    Args:
        days, held, ends: what `Engine.take_days` gave.
        labels: protocol and confidence by the number that flows were labelled with.
        scopes: names by number.
        segment: the interface and the segment of a segment's number.
        key: of the hash that makes ids.
    """

    def __init__(
        self,
        days: memoryview,
        held: memoryview,
        ends: memoryview,
        labels: Sequence[Label],
        scopes: Sequence[str],
        segment: Callable[[int], tuple[str, str]],
        key: tuple[int, int],
    ) -> None:
        self._days = days
        self._held = held
        self._ends = ends
        self._labels = labels
        self._scopes = scopes
        self._key = key
        self._segments = {number: segment(number) for number in set(days[DAYS.index("segment") :: len(DAYS)])}

    @property
    def row_count(self) -> int:
        """How many rows the engine gave."""
        return len(self._days) // len(DAYS) + len(self._held) // len(HELD)

    @property
    def span_us(self) -> tuple[int, int] | None:
        """The first and the last packet of all, in microseconds; None where there is none."""
        return columns.extent(self._days)

    def parts(self) -> Iterator[tuple[str, Table]]:
        """Parts of tables of `sensor.rows.SCHEMAS`, made when they are asked for."""
        step = PART_ROWS * len(DAYS)
        for begin in range(0, len(self._days), step):
            yield from self._conversations(self._days[begin : begin + step])
        if len(self._held):
            yield "binding", self._bindings()

    def _conversations(self, rows: memoryview) -> Iterator[tuple[str, Table]]:
        of, narrow = partial(_numbers, rows, DAYS), partial(_numbers, rows, DAYS, make=columns.narrow)
        initiators, responders = of("initiator"), of("responder")
        kinds, of_kind, ids = self._kinds(rows)
        yield "kind", kinds
        yield "fact_conversation", table(
            "fact_conversation",
            [
                _column(DAY, narrow("day")), ids, of_kind,
                self._macs(initiators), self._ips(initiators),
                self._macs(responders), self._ips(responders),
                _column(NUMBER, narrow("port")),
                *(_column(COUNT, of(name)) for name in SUMS),
                _column(TIME, of("first_ts")), _column(TIME, of("last_ts")), _column(COUNT, of("n")),
                _column(NUMBER, narrow("hours")), _column(COUNT, of("frame")),
                _column(NUMBER, narrow("initiator_port")),
            ],
        )  # fmt: skip

    def _kinds(self, rows: memoryview) -> tuple[Table, Column, Column]:
        """The kinds of these rows, the id of the kind of each, and its own."""
        of_kind, kinds = columns.kinds(rows, self._ends)
        told = [
            (self._scopes[scope], *self._labels[label], *self._segments[number], TRANSPORT[transport])
            for scope, label, number, transport in kinds
        ]
        kind_ids = array("Q", map(what_of, told))
        digests = b"".join(hashlib.blake2b(msgspec.json.encode(one[:-1]), digest_size=16).digest() for one in told)
        ids = columns.row_ids(rows, self._ends, of_kind, memoryview(digests).cast("q"), self._key)
        return (
            table("kind", [kind_ids, *zip(*told, strict=True)]),
            _column(ID, columns.gathered(memoryview(kind_ids).cast("B").cast("q"), of_kind)),
            _column(ID, ids),
        )

    def _macs(self, ends: memoryview) -> Column:
        numbers, bits = columns.macs(self._ends, ends)
        return Column(COUNT, len(ends), [numbers], bits)

    def _ips(self, ends: memoryview) -> Column:
        numbers, different = columns.picked(ends, len(self._ends) // len(ENDS))
        return words(numbers, columns.ip_texts(self._ends, different))

    def _bindings(self) -> Table:
        """All intervals; the recorder joins those that touch across batches."""
        ends, first, last, n, before = (_numbers(self._held, HELD, name) for name in HELD)
        if any(before):
            ends, first, last, n = _joined(ends, first, last, n, before)
        scopes = [scope.encode() for scope in self._scopes]
        return table(
            "binding",
            [
                text_column(columns.spelled(scopes, columns.scopes(self._ends, ends))),
                self._macs(ends),
                text_column(columns.ip_texts(self._ends, ends)),
                _column(TIME, first), _column(TIME, last), _column(COUNT, n),
            ],
        )  # fmt: skip


def _numbers(
    rows: memoryview,
    names: Sequence[str],
    name: str,
    make: Callable[[memoryview, int, int], memoryview] = columns.column,
) -> memoryview:
    return make(rows, len(names), names.index(name))


def _column(kind: Kind, values: memoryview) -> Column:
    return Column(kind, len(values), [values])


def _joined(
    ends: memoryview, first: memoryview, last: memoryview, n: memoryview, before: memoryview
) -> list[memoryview]:
    """Rows of `HELD`, less the column `before`: the intervals of an end that has several, joined."""
    several: dict[int, list[Span]] = {end: [] for end, other in zip(ends, before, strict=True) if other}
    rows: list[tuple[int, int, int, int]] = []
    for row in zip(ends, first, last, n, strict=True):
        if row[0] in several:
            several[row[0]].append(row[1:])
        else:
            rows.append(row)
    rows += [(end, *span) for end, spans in several.items() for span in joined(spans)]
    return [memoryview(array("q", column)) for column in zip(*rows, strict=True)]


def joined(spans: list[Span]) -> list[Span]:
    """(first, last, n) in order; those less than `JOIN_US` apart are one."""
    if len(spans) == 1:
        return spans
    together: list[Span] = []
    for first, last, n in sorted(spans):
        if together and first - together[-1][1] <= JOIN_US:
            before = together[-1]
            together[-1] = (before[0], max(before[1], last), before[2] + n)
        else:
            together.append((first, last, n))
    if len(together) <= SPANS_MAX // 2:
        return together
    return [(together[0][0], max(last for _, last, _ in together), sum(n for *_, n in together))]
