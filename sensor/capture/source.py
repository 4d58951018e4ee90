"""What a live source of packets is to the pipeline: slices of events instead of one run to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from sensor.engine import Engine


class LiveSource(Protocol):
    """Packets as they come.

    Attributes:
        capture_id: of this capture alone: it cannot be read again.
        ended: it was stopped, and its last slice is over.
        damaged: why it ended, when it was not meant to; else None.
        offset: bytes that are behind us.
    """

    capture_id: str
    ended: bool
    damaged: str | None

    @property
    def offset(self) -> int:
        """See above."""
        ...

    def pump(self, engine: Engine, step: Callable[[], int]) -> Iterator[int]:
        """What `step` returns in a slice: some seconds, fewer when stopped. Raises CaptureError."""
        ...

    def counters(self) -> dict[str, int]:
        """What was lost on the way to the engine, and how often."""
        ...

    def losses(self) -> Mapping[str, Mapping[str, int]]:
        """The same by interface."""
        ...

    def stop(self) -> None:
        """The slice under way is the last one."""
        ...
