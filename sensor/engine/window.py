# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""Memory that the engine reads: a window of the capture, and the packet or segment under way. And numbers in it.

Theory of operation
-------------------
Three views of memory, mostly one and the same:

    window   capture bytes, as `Records.load` was given them
    mem      where the packet is: the window, or a reassembled packet (`whole`) that has memory of its own
    w        where the bytes of a lane are: the packet, or a segment that was kept

**What is trusted.** All of the engine is compiled with bounds checks. The readers here are the exception: they test the
range of what they read once, and then read it without. `_two`, `_four`, `_six` and `_number` test nothing: who calls
them has tested the range of a whole header. They, and what is marked `boundscheck(False)` elsewhere, are listed in
README.md.

The readers stand in `window.pxd`, where the compiler puts them into all rooms that use them, and here for the
interpreter.
"""

from __future__ import annotations

from typing import NoReturn

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

if not cython.compiled:
    from sensor.engine._cy import PyBytes_FromStringAndSize
    from sensor.engine.events import EventSource
    from sensor.engine.layout import *


class Window(EventSource):
    """Where the bytes are.

    Attributes:
        cursor, window_end: the next record, and the end of what there is.
        big: numbers of the capture file are big-endian.
        last_ts, frames: time and number of the record that was decoded last.
        captured_bytes: of all packets so far.
        n: the counters, in the order of `COUNTERS`.
    """

    def __init__(self) -> None:
        self.window = self.w = self.mem = self.whole = memoryview(bytearray(1))
        self.w_other = self.w_whole = False
        self.cursor = self.window_end = 0
        self.big = False
        self.last_ts = self.frames = self.captured_bytes = 0
        self.n = memoryview(bytearray(8 * 32)).cast("q")

    def _beyond(self) -> NoReturn:
        """Raises; a function of its own, so that what calls it is small."""
        raise IndexError("beyond a table, the window or the packet")

    def _packet_bytes(self, at: int, end: int) -> bytes:
        """A copy of bytes of the packet: one test of the range, then one memcpy."""
        if at < 0 or end > self.mem.shape[0]:
            raise IndexError("beyond the packet")
        if at >= end:
            return b""
        if cython.compiled:
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, cython.address(self.mem[at])), end - at)
        return bytes(self.mem[at:end])

    def _lane_bytes(self, at: int, end: int) -> bytes:
        """The same for the bytes of a lane under way: of the packet, or of a segment that was kept."""
        if at < 0 or end > self.w.shape[0]:
            raise IndexError("beyond the segment")
        if at >= end:
            return b""
        if cython.compiled:
            return PyBytes_FromStringAndSize(cython.cast(cython.p_char, cython.address(self.w[at])), end - at)
        return bytes(self.w[at:end])

    # ------------------------------------------------------------------ numbers: the compiler has these from window.pxd

    if not cython.compiled:

        def _be16(self, at: int) -> int:
            """Of the packet, big-endian."""
            return self._beyond() if at < 0 or at + 2 > self.mem.shape[0] else self._two(at)

        def _be32(self, at: int) -> int:
            return self._beyond() if at < 0 or at + 4 > self.mem.shape[0] else self._four(at)

        def _mac(self, at: int) -> int:
            return self._be16(at) << 32 | self._be32(at + 2)

        def _two(self, at: int) -> int:
            """For callers that have tested the range of all they read: a header at a time."""
            return self.mem[at] << 8 | self.mem[at + 1]

        def _four(self, at: int) -> int:
            return int.from_bytes(self.mem[at : at + 4], "big")

        def _six(self, at: int) -> int:
            """Reads two bytes more: their range has to be tested too."""
            return int.from_bytes(self.mem[at : at + 6], "big")

        def _file16(self, at: int) -> int:
            """Of the capture file, in the byte order of its writer."""
            return self._of_window(at, 2, self.big)

        def _file32(self, at: int) -> int:
            return self._of_window(at, 4, self.big)

        def _number(self, at: int) -> int:
            """As `_file32`, for callers that have tested the range."""
            return int.from_bytes(self.window[at : at + 4], "big" if self.big else "little")

        def _le32(self, at: int) -> int:
            return self._of_window(at, 4, False)

        def _wide32(self, at: int) -> int:
            return self._of_window(at, 4, True)

        def _of_window(self, at: int, size: int, big: bool) -> int:
            if at < 0 or at + size > self.window.shape[0]:
                return self._beyond()
            return int.from_bytes(self.window[at : at + size], "big" if big else "little")
