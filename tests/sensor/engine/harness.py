"""Runs captures through the engine and writes down every event, for tests to look at."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

from sensor import engine as compiled
from sensor.capture.formats import pcap_header
from sensor.engine import CORRUPT, DATA, DATAGRAM, DAY, END, FULL, GAP, NEED, STATS

NAMES = {DATA: "data", DATAGRAM: "datagram", GAP: "gap", DAY: "day", END: "end", CORRUPT: "corrupt", FULL: "full"}
SEED = 0x5EED


class Event(NamedTuple):
    """One event of the engine with everything that can be asked about it."""

    kind: str
    flow: int
    lane: int
    ts_us: int
    frame: int
    turn: int
    size: int
    reason: int
    data: bytes
    addresses: tuple[Any, ...]
    stats: tuple[int, ...]

    def stat(self, name: str) -> int:
        return self.stats[STATS.index(name)]


React = Callable[[Any, Event], None]


def new_engine(module: ModuleType = compiled, **options: Any) -> Any:
    """A small engine: tests make thousands of them."""
    settings: dict[str, Any] = {"flows": 64, "buffer_bytes": 1 << 20, "seed": SEED}
    return module.Engine(**(settings | options))


def declare(engine: Any, capture: bytes) -> int:
    """Tell the engine the format; the offset of the first record."""
    header = pcap_header(capture[:24])
    if header is None:
        engine.pcapng()
        return 0
    engine.pcap(header.big_endian, header.nanosecond, header.link_type, header.modified)
    return 24


def kinds_of(
    engine: Any, capture: bytes, window: int | None = None, step: Callable[[], int] | None = None
) -> Iterator[int]:
    """Every event kind; the capture comes in pieces of `window` new bytes, or whole."""
    rest, at = b"", declare(engine, capture)
    step, size = step or engine.step, window or max(1, len(capture))
    while at < len(capture):
        rest += capture[at : at + size]
        at += size
        buffer = bytearray(rest)
        engine.load(buffer, 0, len(buffer))
        while (kind := step()) not in {NEED, CORRUPT}:
            yield kind
        if kind == CORRUPT:
            yield kind
            break
        rest = rest[engine.position :]
    engine.finish()
    while (kind := step()) != NEED:
        yield kind


def event_of(engine: Any, kind: int) -> Event:
    if kind == CORRUPT:
        return Event("corrupt", 0, 0, 0, 0, 0, 0, 0, b"", (), ())
    data = bytes(engine.take()) if kind in {DATA, DATAGRAM} else b""
    flow = engine.flow
    numbers = (flow, engine.lane, engine.ts_us, engine.frame, engine.turn, engine.size, engine.reason)
    return Event(NAMES[kind], *numbers, data, tuple(engine.addresses(flow)), tuple(engine.stats(flow)))


def run(
    capture: bytes,
    react: React | None = None,
    *,
    window: int | None = None,
    module: ModuleType = compiled,
    engine: Any = None,
    **options: Any,
) -> list[Event]:
    """All events of a capture. `react` says to the engine what a dissector would say after each of them."""
    engine = engine or new_engine(module, **options)
    events = []
    for kind in kinds_of(engine, capture, window):
        event = event_of(engine, kind)
        events.append(event)
        if react is not None:
            react(engine, event)
    return events


def come_out(capture: bytes, **options: Any) -> list[tuple[Event, int]]:
    """All events, each with the number of the packet at which it came out: they are given one at a time."""
    engine = new_engine(**options)
    numbers: list[int] = []
    events = run(capture, lambda *_: numbers.append(engine.counters()["packets"]), window=1, engine=engine)
    return list(zip(events, numbers, strict=True))


def opinions(engine: Any, event: Event) -> None:
    """Says something to most events, decided by a checksum of what was seen."""
    mark = zlib.crc32(event.data) + event.flow * 7 + event.turn
    if event.kind not in {"data", "datagram"}:
        return
    lane = event.lane if mark & 64 else 1 - event.lane
    choice = mark % 12
    if choice == 0:
        engine.done(event.flow)
    elif choice == 1:
        engine.close_lane(event.flow, lane)
    elif choice == 2:
        engine.next_turn(event.flow, lane)
    elif choice == 3:
        engine.skip_until(event.flow, lane, event.data[: 1 + mark % 4][-4:], mark % 5000)
    elif choice < 6:
        engine.skip(event.flow, lane, mark % 3000)
    elif choice < 9:
        engine.want(event.flow, lane, 1 + mark % 900, 1 + mark % 30000)


def of(events: list[Event], *kinds: str) -> list[Event]:
    return [event for event in events if event.kind in kinds]


def stream(events: list[Event], lane: int, flow: int | None = None) -> bytes:
    """What a lane delivered, gaps left out."""
    return b"".join(e.data for e in of(events, "data") if e.lane == lane and flow in {None, e.flow})


def story(events: list[Event]) -> list[tuple[Any, ...]]:
    """A short form for comparing: (kind, lane, turn, data or size)."""
    return [(e.kind, e.lane, e.turn, e.data if e.kind in {"data", "datagram"} else e.size) for e in events]
