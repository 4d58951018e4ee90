"""Live interfaces as one source of packets, whichever way they are tapped: `afpacket` on Linux, `libpcap` elsewhere."""

from __future__ import annotations

import secrets
import select
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Final, Literal, Protocol, Self

from sensor.capture.afpacket import RETIRE_MS, Ring
from sensor.capture.shedding import Shedding
from sensor.engine import NEED, Engine

Way = Literal["afpacket", "libpcap"]
DEFAULT_WAY: Final[Way] = "afpacket" if sys.platform == "linux" else "libpcap"
LAST_S: Final = 3 * RETIRE_MS / 1000
GLANCE_S: Final = 0.25
REBIND_S: Final = 1.0


class Tap(Protocol):
    """One interface, open.

    Attributes:
        name: of the interface.
        lost: it is gone or down.
        counters: what was seen and what was lost.
    """

    name: str
    lost: bool
    counters: Counter[str]

    def fileno(self) -> int:
        """Readable when packets are there; negative where that cannot be told."""

    @property
    def ready(self) -> bool:
        """Packets are there."""

    @property
    def filled(self) -> float:
        """How much of the room for waiting packets is used, from 0 to 1; rounded down."""

    def events(self, engine: Engine, step: Callable[[], int]) -> Iterator[int]:
        """The events of some of the packets that are there."""

    def count(self) -> None:
        """Fetch what the system has counted since the last time."""

    def notice(self) -> None:
        """An error is waiting: the interface went down, or away."""

    def find_again(self) -> None:
        """Look whether a lost interface is back. Raises CaptureGone when this process cannot have it again."""

    def refuse_more(self) -> None:
        """Let no more packets in; those that wait stay."""

    def close(self) -> None:
        """Let the interface go."""


def open_taps(names: Sequence[str], way: Way, ring_bytes: int, fanout: int) -> list[Tap]:
    """Open the interfaces, which takes rights.

    Args:
        names: of the interfaces.
        way: how they are tapped.
        ring_bytes: of packets that can wait, for each.
        fanout: number of the group of workers that share the interfaces; 0 when this one is alone.

    Raises:
        CaptureUnreadable: no such interface, no rights, or it cannot be captured from.
    """
    if way == "afpacket":
        return [Ring(name, ring_bytes, fanout) for name in names]
    from sensor.capture.libpcap import Handle  # noqa: PLC0415 - scapy, and the system's library, for whom it is for

    return [Handle(name, ring_bytes, fanout) for name in names]


class Interfaces:
    """Several interfaces as one source; see `LiveSource`.

    Args:
        taps: the interfaces, open.
        slice_s: how long a slice is.
        stop_fd: becomes readable when somebody wants something of us: the slice under way ends early.
    """

    def __init__(self, taps: Sequence[Tap], *, slice_s: float, stop_fd: int | None = None) -> None:
        self.capture_id = secrets.token_hex(16)
        self.ended = False
        self.damaged: str | None = None
        self.shedding = Shedding()
        self._taps = taps
        self._slice_s = slice_s
        self._stopped = False
        self._looked_s = 0.0
        self._poll = select.poll()
        if stop_fd is not None:
            self._poll.register(stop_fd, select.POLLIN)
        self._stop_fd = stop_fd
        for tap in taps:
            if tap.fileno() >= 0:
                self._poll.register(tap.fileno(), select.POLLIN | select.POLLERR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for tap in self._taps:
            tap.close()

    @property
    def offset(self) -> int:
        """Bytes of packets that are behind us."""
        return sum(tap.counters["ring_bytes"] for tap in self._taps)

    def stop(self) -> None:
        """See `LiveSource`."""
        self._stopped = True

    def pump(self, engine: Engine, step: Callable[[], int]) -> Iterator[int]:
        """The events of a slice; see `LiveSource`."""
        last_s = time.monotonic() + self._slice_s
        while not self._stopped and time.monotonic() < last_s:
            self.shedding.look(engine, max(tap.filled for tap in self._taps))
            busy = False
            for number, tap in enumerate(self._taps):
                if tap.ready:
                    busy = True
                    engine.source(number, tap.name)
                    yield from tap.events(engine, step)
            if not busy and self._wait(last_s):
                break
        if self._stopped:
            yield from self._end(engine, step, time.monotonic() + LAST_S)
        for tap in self._taps:
            tap.count()

    def counters(self) -> dict[str, int]:
        """Sums over all interfaces; of `interfaces_lost` the bit of each that is: 1 is the first."""
        total: Counter[str] = Counter()
        for tap in self._taps:
            total.update(tap.counters)
        total["interfaces_lost"] = sum(tap.lost << number for number, tap in enumerate(self._taps))
        return {**total, **self.shedding.counters()}

    def losses(self) -> dict[str, Mapping[str, int]]:
        """See `LiveSource`."""
        return {tap.name: tap.counters for tap in self._taps}

    def _end(self, engine: Engine, step: Callable[[], int], last_s: float) -> Iterator[int]:
        """All that waits, the last of which comes when it is old enough, and what the engine holds."""
        for tap in self._taps:
            tap.refuse_more()
        while time.monotonic() < last_s or any(tap.ready for tap in self._taps):
            for number, tap in enumerate(self._taps):
                if tap.ready:
                    engine.source(number, tap.name)
                    yield from tap.events(engine, step)
            if not any(tap.ready for tap in self._taps):
                time.sleep(RETIRE_MS / 4000)
        engine.finish()
        while (event := step()) != NEED:
            yield event
        self.ended = True

    def _wait(self, last_s: float) -> bool:
        """Until packets come, at most `GLANCE_S`. True when somebody wants something of us."""
        wait_s = min(GLANCE_S, max(0.0, last_s - time.monotonic()))
        found = dict(self._poll.poll(wait_s * 1000))
        for tap in self._taps:
            if found.get(tap.fileno(), 0) & select.POLLERR:
                tap.notice()
        if any(tap.lost for tap in self._taps):
            self._find_again()
        return self._stop_fd in found

    def _find_again(self) -> None:
        if time.monotonic() - self._looked_s < REBIND_S:
            return
        self._looked_s = time.monotonic()
        for tap in self._taps:
            if tap.lost:
                tap.find_again()
