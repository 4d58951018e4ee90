"""One capture on its way through engine, dispatch and fold: what a worker runs, for files and live alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from parsers.core import Registry
from sensor.budget import DAY_BYTES, Budget
from sensor.capture.pcapfile import Capture
from sensor.capture.source import LiveSource
from sensor.columns import Table
from sensor.days import Days
from sensor.dispatch import Dispatcher
from sensor.engine import COMPILED, FULL, NEED, Engine
from sensor.fold import Fold
from sensor.sighting import Said, Sighting
from sensor.site import Site
from sensor.sitekey import SiteKey
from sensor.traffic import Losses, carried
from sensor.wire import BATCH_BYTES

PIPELINE_VERSION: Final = 14
BATCH_ROWS: Final = 250_000
BATCH_TEXT_BYTES: Final = 64 << 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class Batch(NamedTuple):
    """Folded rows of the capture up to `offset`, in parts: tables' names and rows, made when they are asked for.

    Same capture, parsers and site key: same batches.
    """

    offset: int
    parts: Iterator[tuple[str, Table]]


class Load:
    """Rows on their way to the recorder: who takes them may be another thread.

    Attributes:
        size_bytes: what they take; 0 when all were taken.
    """

    def __init__(self, size_bytes: int, parts: Iterator[tuple[str, Table]]) -> None:
        self.size_bytes = size_bytes
        self._parts = parts

    def parts(self) -> Iterator[tuple[str, Table]]:
        """One after the other."""
        yield from self._parts
        self.size_bytes = 0


class Pipeline:
    """Reads one open capture.

    Args:
        capture: open; it is read once, to its end. A live one is read with `live`, all others with `batches`.
        site: scopes and privacy.
        key: digests secrets.
        registry: the parsers; all that are installed by default.
        batch_bytes: capture bytes to a batch, at most; it is cut earlier where there are many rows.
        budget: how much may be held of what.
        bulkhead: see `Dispatcher`.
    """

    def __init__(
        self,
        capture: Capture | LiveSource,
        site: Site,
        key: SiteKey,
        *,
        registry: Registry | None = None,
        batch_bytes: int = BATCH_BYTES,
        budget: Budget = Budget(),  # noqa: B008 - it is immutable
        bulkhead: bool = True,
        engine: Engine | None = None,
    ) -> None:
        registry = registry or Registry.installed()
        self.parser_set = f"{PIPELINE_VERSION}-{registry.version}"
        self.engine = engine or Engine(flows=budget.flows, buffer_bytes=budget.buffer_bytes, seed=key.stream_seed())
        self.engine.scope_of_vlan(site.scope_of_vlan)
        self.engine.scope_of_tunnel(site.scope_of_tunnel)
        self.engine.mark_responders(port for protocol in registry.protocols for port in protocol.port_hints)
        self._capture = capture
        self._batch_bytes = batch_bytes
        self._scopes = site.scope_names
        self._fold = Fold(self._scopes, budget.values)
        self._dispatcher = Dispatcher(
            self.engine, registry, site, key, self._fold.add, budget=budget, bulkhead=bulkhead
        )
        self._row_key = key.row_key()
        self._row_bytes = budget.row_bytes
        self._away = Load(0, iter(()))
        self._waiting: list[Days] = []
        self._give_room()
        self._lost = 0
        self._first_us: int | None = None
        self._last_us: int | None = None

    def sightings(self) -> Iterator[Sighting]:
        """What `spanward facts` prints: all facts, unfolded."""
        heard: list[Said] = []
        self._dispatcher.tell = heard.append
        for event in chain(self._dispatcher.run(self._capture.pump), (NEED,)):
            if event == FULL:
                self._days()
            for said in heard:
                yield from said.sightings(self._capture.capture_id, self._scopes)
            heard.clear()
        self._days()

    def batches(self, passed: Callable[[int], None] = lambda _offset: None) -> Iterator[Batch]:
        """Folded rows, cut where the capture's windows end, never by the clock; the last batch may be empty.

        Whoever asks for the next one has done with the last. `passed` hears how many bytes have been read.
        """
        assert isinstance(self._capture, Capture)
        settled, next_cut = self._capture.settled_bytes, self._batch_bytes
        for event in self._dispatcher.run(self._capture.pump):
            if event not in {NEED, FULL}:
                continue
            offset = self._capture.offset
            passed(offset)
            if offset >= settled and (event == FULL or offset >= next_cut or self._has_many_rows or self.is_much):
                yield self._batch()
                next_cut, self._away.size_bytes = offset + self._batch_bytes, 0
                self._give_room()
            elif event == FULL:
                self._keep_waiting()
        yield self._batch(carried(self.engine))

    def live(self, source: LiveSource, ready: Callable[[], bool]) -> Iterator[Batch]:
        """Folded rows of a live capture, cut after a slice when `ready` says so, and at its end.

        As long as a batch is on its way none is cut: rows alike become one in the fold, and nowhere at less cost.
        """
        losses = Losses()
        while not source.ended:
            for event in self._dispatcher.run(source.pump):
                if event == FULL:
                    self._keep_waiting()
            if (ready() and not self._away.size_bytes) or source.ended:
                lost = losses.rows(source.losses(), time.time_ns() // 1000)
                yield self._batch(carried(self.engine) | lost)
            self._give_room()

    def _keep_waiting(self) -> None:
        """Put the engine's days by, as long as there is room; who is to take them is late."""
        days = self._days()
        if self._fold.held_bytes + DAY_BYTES * days.row_count <= self._fold.room_bytes:
            self._waiting.append(days)
            self._give_room()
        else:
            self._lost += days.row_count

    def _give_room(self) -> None:
        """Let the fold have what neither days that wait take nor a batch that is on its way."""
        self._fold.room_bytes = self._row_bytes - self._days_bytes() - self._away.size_bytes

    def _days_bytes(self) -> int:
        return DAY_BYTES * sum(days.row_count for days in self._waiting) if self._waiting else 0

    @property
    def is_much(self) -> bool:
        """Half of the room for rows is used up: a batch wants to be cut."""
        rows_bytes = self._fold.held_bytes + self._days_bytes() + DAY_BYTES * self.engine.folded()
        return rows_bytes >= self._row_bytes // 2

    @property
    def _has_many_rows(self) -> bool:
        fold = self._fold
        return fold.row_count + self.engine.folded() >= BATCH_ROWS or fold.text_bytes >= BATCH_TEXT_BYTES

    def _batch(self, more: Mapping[str, Table] = MappingProxyType({})) -> Batch:
        self._waiting.append(self._days())
        days, size_bytes = self._waiting, self._fold.held_bytes + self._days_bytes()
        self._waiting = []
        parts = chain(*(one.parts() for one in days), self._fold.drain(), more.items())
        self._away = Load(size_bytes, parts)
        return Batch(self._capture.offset, self._away.parts())

    def _days(self) -> Days:
        """What the engine has folded since the last call."""
        engine = self.engine
        days = Days(*engine.take_days(), self._dispatcher.labels, self._scopes, engine.segment_name, self._row_key)
        if (span := days.span_us) is not None:
            self._first_us = span[0] if self._first_us is None else min(self._first_us, span[0])
            self._last_us = span[1] if self._last_us is None else max(self._last_us, span[1])
        return days

    def summary(self, *, complete: bool = True, more: Mapping[str, int] | None = None) -> dict[str, object]:
        """The columns of table `capture` that reading has found out, at the end or so far; `more` are counters."""
        counters = {**self.engine.counters(), **self._dispatcher.counters, **(more or {})}
        counters.setdefault("parser_failures", 0)
        counters["rows_lost"] = self._fold.lost + self._lost
        counters["compiled"] = int(COMPILED)
        return {
            "first_ts": _naive(self._first_us),
            "last_ts": _naive(self._last_us),
            "packets": counters.get("packets", 0),
            "bytes": counters.get("bytes", 0),
            "complete": complete,
            "damaged": self._capture.damaged,
            "counters": msgspec.json.encode(counters).decode(),
        }


def _naive(ts_us: int | None) -> datetime | None:
    return None if ts_us is None else _EPOCH + timedelta(microseconds=ts_us)
