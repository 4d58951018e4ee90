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
from sensor.capture.ports import Port
from sensor.capture.shedding import Shedding
from sensor.engine import NEED, Engine

Way = Literal["afpacket", "libpcap"]
DEFAULT_WAY: Final[Way] = "afpacket" if sys.platform == "linux" else "libpcap"
LAST_S: Final = 3 * RETIRE_MS / 1000
GLANCE_S: Final = 0.25


class Tap(Protocol):
    """One way by which packets come, of one interface or of some.

    Attributes:
        ports: the interfaces.
        counters: what was seen and what was lost, beside what the ports count.
    """

    counters: Counter[str]

    @property
    def ports(self) -> Sequence[Port]:
        """See above."""
        ...

    def fileno(self) -> int:
        """Readable when packets are there; negative where that cannot be told."""

    @property
    def ready(self) -> bool:
        """Packets are there."""

    @property
    def filled(self) -> float:
        """How much of the room for waiting packets is used, from 0 to 1; rounded down."""

    def events(self, engine: Engine, step: Callable[[], int], first: int) -> Iterator[int]:
        """The events of some of the packets that are there. The ports are the engine's sources from `first` on."""

    def count(self) -> None:
        """Fetch what the system has counted since the last time."""

    def watch(self) -> None:
        """Ask whether interfaces went, and whether lost ones are back.

        Raises:
            CaptureGone: one is, but this process cannot have it again.
        """

    def refuse_more(self) -> None:
        """Let no more packets in; those that wait stay."""

    def close(self) -> None:
        """Let the interfaces go."""


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
        return [Ring(names, ring_bytes, fanout)]
    from sensor.capture.libpcap import Handle  # noqa: PLC0415 - scapy, and the system's library, for whom it is for

    return [Handle(name, ring_bytes, fanout) for name in names]


class Interfaces:
    """Several interfaces as one source; see `LiveSource`.

    Args:
        taps: what they are tapped by, open.
        slice_s: how long a slice is.
        stop_fd: becomes readable when somebody wants something of us: the slice under way ends early.
    """

    def __init__(self, taps: Sequence[Tap], *, slice_s: float, stop_fd: int | None = None) -> None:
        self.capture_id = secrets.token_hex(16)
        self.ended = False
        self.damaged: str | None = None
        self.shedding = Shedding()
        self._taps = taps
        self._ports = [port for tap in taps for port in tap.ports]
        self._slice_s = slice_s
        self._stopped = False
        self._looked_s = 0.0
        self._poll = select.poll()
        if stop_fd is not None:
            self._poll.register(stop_fd, select.POLLIN)
        self._stop_fd = stop_fd
        for tap in taps:
            if tap.fileno() >= 0:
                self._poll.register(tap.fileno(), select.POLLIN)

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
            self._watch()
            if any(tap.ready for tap in self._taps):
                yield from self._turn(engine, step)
            elif self._wait(last_s):
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
        for port in self._ports:
            total.update(port.counters)
        total["interfaces_lost"] = sum(port.lost << number for number, port in enumerate(self._ports))
        return {**total, **self.shedding.counters()}

    def losses(self) -> dict[str, Mapping[str, int]]:
        """See `LiveSource`."""
        return {port.name: port.counters for port in self._ports}

    def _turn(self, engine: Engine, step: Callable[[], int]) -> Iterator[int]:
        """The events of some packets of each tap that has any."""
        first = 0
        for tap in self._taps:
            if tap.ready:
                yield from tap.events(engine, step, first)
            first += len(tap.ports)

    def _end(self, engine: Engine, step: Callable[[], int], last_s: float) -> Iterator[int]:
        """All that waits, the last of which comes when it is old enough, and what the engine holds."""
        for tap in self._taps:
            tap.refuse_more()
        while time.monotonic() < last_s or any(tap.ready for tap in self._taps):
            yield from self._turn(engine, step)
            if not any(tap.ready for tap in self._taps):
                time.sleep(RETIRE_MS / 4000)
        engine.finish()
        while (event := step()) != NEED:
            yield event
        self.ended = True

    def _wait(self, last_s: float) -> bool:
        """Until packets come, at most `GLANCE_S`. True when somebody wants something of us."""
        wait_s = min(GLANCE_S, max(0.0, last_s - time.monotonic()))
        return self._stop_fd in dict(self._poll.poll(wait_s * 1000))

    def _watch(self) -> None:
        """See `Tap`; now and then, however busy we are."""
        if time.monotonic() - self._looked_s >= GLANCE_S:
            self._looked_s = time.monotonic()
            for tap in self._taps:
                tap.watch()
