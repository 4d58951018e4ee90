"""A window on a stream: a buffer that the engine walks in place.

The incomplete record at its end moves to the front, and the rest is filled again. The window grows only for one record
or block that is larger than it, and only up to a bound.
"""

from __future__ import annotations

from typing import Final

from sensor.capture.stream import Stream, StreamDamaged
from sensor.engine.pages import octets

# Filling it drives all else from the processor's nearer caches: the larger it is, the less often.
# It may be larger than they are (1 MiB and less), as the engine asks for packets ahead.
WINDOW_BYTES: Final = 2 << 20
LARGEST_WINDOW_BYTES: Final = 16 << 20


class Window:
    """The bytes `buffer[start:end]` of a stream, the first of them at `base + start`.

    Attributes:
        at_end: the stream has no more bytes.
        damage: why the stream ended early, or None.
    """

    def __init__(self, stream: Stream, size: int = WINDOW_BYTES, largest: int = LARGEST_WINDOW_BYTES) -> None:
        self.buffer = memoryview(octets(size))
        self.base = self.start = self.end = 0
        self.at_end = False
        self.damage: str | None = None
        self._stream = stream
        self._largest = max(size, largest)

    @property
    def full(self) -> bool:
        """One record fills the largest window there is: it will never be whole."""
        return self.start == 0 and self.end == len(self.buffer) == self._largest

    def fill(self, limit: int | None = None) -> None:
        """Read until the window is full, up to `limit` bytes, or the stream has ended."""
        goal = len(self.buffer) if limit is None else min(limit, len(self.buffer))
        while self.end < goal and not self.at_end:
            self.end += self._read(goal)

    def consume(self, position: int) -> None:
        """Everything before `position` is done with: the rest moves to the front, with room behind it."""
        rest = self.buffer[position : self.end]
        if len(rest) == len(self.buffer):
            # A new buffer: the engine may still look at the old one, which therefore cannot be resized.
            self.buffer = memoryview(octets(min(2 * len(rest), self._largest)))
        self.buffer[: len(rest)] = rest
        self.base += position
        self.start, self.end = 0, len(rest)

    def _read(self, goal: int) -> int:
        try:
            count = self._stream.readinto(self.buffer[self.end : goal])
        except StreamDamaged as error:
            self.damage, count = error.reason, 0
        self.at_end = count == 0
        return count
