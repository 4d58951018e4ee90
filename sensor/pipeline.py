"""One capture on its way through engine, dispatch and fold: what a worker runs, for files and live alike."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple

import msgspec
import pyarrow as pa

from parsers.core import Registry
from sensor.capture.pcapfile import Capture
from sensor.capture.source import LiveSource
from sensor.dispatch import ConversationDay, Dispatcher, Item
from sensor.engine import COMPILED, Engine
from sensor.fold import Fold
from sensor.sighting import Sighting
from sensor.site import Site
from sensor.sitekey import SiteKey

PIPELINE_VERSION: Final = 2
BATCH_BYTES: Final = 32 << 20
COLLECT_AFTER: Final = 50_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class Batch(NamedTuple):
    """Folded rows of the capture up to `offset`. Same capture, parsers and site key: same batches."""

    offset: int
    tables: dict[str, pa.Table]


class Pipeline:
    """Reads one open capture.

    Args:
        capture: open; it is read once, to its end. A live one is read with `live`, all others with `batches`.
        site: scopes and privacy.
        key: digests secrets.
        registry: the parsers; all that are installed by default.
        batch_bytes: capture bytes to a batch.
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
        bulkhead: bool = True,
        engine: Engine | None = None,
    ) -> None:
        registry = registry or Registry.installed()
        self.parser_set = f"{PIPELINE_VERSION}-{registry.version}"
        self.engine = engine or Engine(seed=key.stream_seed())
        self.engine.scope_of_vlan(site.scope_of_vlan)
        self.engine.scope_of_tunnel(site.scope_of_tunnel)
        self.engine.mark_responders(port for protocol in registry.protocols for port in protocol.port_hints)
        self._capture = capture
        self._batch_bytes = batch_bytes
        self._dispatcher = Dispatcher(self.engine, registry, site, key, capture.capture_id, bulkhead=bulkhead)
        self._first_us: int | None = None
        self._last_us: int | None = None

    def items(self) -> Iterator[Item]:
        """Sightings and conversation days, unfolded."""
        return chain.from_iterable(self._events())

    def sightings(self) -> Iterator[Sighting]:
        """What `spanward facts` prints."""
        return (item for item in self.items() if isinstance(item, Sighting))

    def batches(self) -> Iterator[Batch]:
        """Folded rows, cut by capture offset, never by the clock; the last batch may be empty."""
        fold, next_cut = Fold(), self._batch_bytes
        for items in self._events():
            offset = self._capture.offset
            if offset >= next_cut:
                yield Batch(next_cut, fold.drain())
                next_cut = offset - offset % self._batch_bytes + self._batch_bytes
            for item in items:
                fold.add(item)
        yield Batch(next_cut, fold.drain())

    def live(self, source: LiveSource, ready: Callable[[], bool]) -> Iterator[Batch]:
        """Folded rows of a live capture, cut after a slice when `ready` says so, and at its end."""
        fold = Fold()
        while not source.ended:
            for item in self.items():
                fold.add(item)
            if ready() or source.ended:
                yield Batch(source.offset, fold.drain())

    def summary(self, *, complete: bool = True, more: Mapping[str, int] | None = None) -> dict[str, object]:
        """The columns of table `capture` that reading has found out, at the end or so far; `more` are counters."""
        counters = {**self.engine.counters(), **self._dispatcher.counters, **(more or {})}
        counters.setdefault("parser_failures", 0)
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

    def _events(self) -> Iterator[list[Item]]:
        """The items of each event that had any."""
        for items in self._dispatcher.by_event(self._capture.pump):
            for item in items:
                if isinstance(item, ConversationDay):
                    self._note_times(item)
            yield items

    def _note_times(self, item: ConversationDay) -> None:
        first, last = self._first_us, self._last_us
        self._first_us = item.first_ts_us if first is None else min(first, item.first_ts_us)
        self._last_us = item.last_ts_us if last is None else max(last, item.last_ts_us)


def calm_collector() -> None:
    """Let the garbage collector look less often; for a process that reads captures, once it has imported all it needs.

    A flow under way is some twenty objects, and what ends with it is freed by counting references: nearly nothing is
    for the collector. At its default it searches all live flows again and again: half of the time on small packets.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 10)


def _naive(ts_us: int | None) -> datetime | None:
    return None if ts_us is None else _EPOCH + timedelta(microseconds=ts_us)
