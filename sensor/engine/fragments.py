"""IP fragments on their way to be whole datagrams. Spec: RFC 791 3.2, RFC 8200 4.5.

The engine decodes and asks; this keeps. First bytes win. What never completes is bounded in number, bytes and time of
the capture; the oldest loses, and is counted. Fragments are rare, so this is plain Python beside the compiled module.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from sensor.engine.spans import by_offset, overlaps, touching, uncovered

DATAGRAMS_MAX: Final = 4_096
BYTES_MAX: Final = 16 << 20
PIECES_MAX: Final = 128
PIECE_OVERHEAD_BYTES: Final = 200  # what Python needs for a piece besides its bytes
DATAGRAM_OVERHEAD_BYTES: Final = 500  # and for a datagram with its key
TIMEOUT_US: Final = 30_000_000
COPY_US: Final = 20_000  # a mirror's copy of a fragment comes within that time of its whole datagram
WHOLE_MAX: Final = 1_024


class _Datagram:
    """Pieces of one datagram; `size` is -1 until its last fragment was seen."""

    __slots__ = ("began_us", "known_bytes", "pieces", "size")

    def __init__(self, began_us: int) -> None:
        self.began_us = began_us
        self.size = -1
        self.pieces: list[tuple[int, bytes]] = []
        self.known_bytes = 0

    @property
    def held_bytes(self) -> int:
        return self.known_bytes + PIECE_OVERHEAD_BYTES * len(self.pieces) + DATAGRAM_OVERHEAD_BYTES


class Fragments:
    """The datagrams under way, by whatever tells them apart.

    Attributes:
        held_bytes: memory that they need, about.
    """

    def __init__(self) -> None:
        self._datagrams: OrderedDict[Hashable, _Datagram] = OrderedDict()
        self._whole_at: OrderedDict[Hashable, int] = OrderedDict()  # when datagrams became whole, the last few
        self.held_bytes = 0
        self._reassembled = self._dropped = self._overlaps = self._copies = 0

    def counters(self) -> dict[str, int]:
        """Counts, by the names that the engine gives them."""
        return {
            "fragments_reassembled": self._reassembled,
            "fragments_dropped": self._dropped,
            "fragments_overlap": self._overlaps,
            "fragments_duplicate": self._copies,
        }

    def refuse(self) -> None:
        """Count a fragment that cannot be part of any datagram."""
        self._dropped += 1

    def add(self, key: Hashable, ts_us: int, offset: int, data: bytes, *, more: bool) -> bytes | None:
        """Keep a fragment at `offset`; `more` follow. Returns the datagram once it is whole."""
        if self._is_copy(key, ts_us):
            return None
        datagram = self._under_way(key, ts_us)
        if not more and datagram.size >= 0 and datagram.size != offset + len(data):
            self._overlaps += 1
        elif not more:
            datagram.size = offset + len(data)
        self._keep(datagram, offset, data)
        if 0 <= datagram.size <= datagram.known_bytes:
            return self._whole(key, ts_us)
        if len(datagram.pieces) > PIECES_MAX:
            self._forget(key)
        while self._datagrams and (len(self._datagrams) > DATAGRAMS_MAX or self.held_bytes > BYTES_MAX):
            self._forget(next(iter(self._datagrams)))
        return None

    def _is_copy(self, key: Hashable, ts_us: int) -> bool:
        """A fragment of a datagram that has just become whole: it would begin another one that nobody sent."""
        whole_at = self._whole_at.get(key)
        if whole_at is None or abs(ts_us - whole_at) > COPY_US:
            return False
        self._copies += 1
        return True

    def _under_way(self, key: Hashable, ts_us: int) -> _Datagram:
        datagram = self._datagrams.get(key)
        if datagram is not None and ts_us - datagram.began_us > TIMEOUT_US:
            self._forget(key)
            datagram = None
        if datagram is None:
            datagram = self._datagrams[key] = _Datagram(ts_us)
            self.held_bytes += DATAGRAM_OVERHEAD_BYTES
        return datagram

    def _keep(self, datagram: _Datagram, offset: int, data: bytes) -> None:
        low, high = touching(datagram.pieces, offset, offset + len(data), by_offset)
        near = datagram.pieces[low:high]
        self._overlaps += overlaps(near, offset, data)
        new = uncovered(near, offset, data)
        datagram.pieces[low:high] = sorted(near + new, key=by_offset)
        new_bytes = sum(len(piece) for _, piece in new)
        datagram.known_bytes += new_bytes
        self.held_bytes += new_bytes + PIECE_OVERHEAD_BYTES * len(new)

    def _whole(self, key: Hashable, ts_us: int) -> bytes | None:
        datagram = self._datagrams.pop(key)
        self.held_bytes -= datagram.held_bytes
        whole = b"".join([piece for _, piece in datagram.pieces])
        if not whole or len(whole) != datagram.size:  # pieces beyond its end
            self._dropped += len(datagram.pieces)
            return None
        self._reassembled += 1
        self._whole_at[key] = ts_us
        self._whole_at.move_to_end(key)
        if len(self._whole_at) > WHOLE_MAX:
            self._whole_at.popitem(last=False)
        return whole

    def _forget(self, key: Hashable) -> None:
        datagram = self._datagrams.pop(key)
        self.held_bytes -= datagram.held_bytes
        self._dropped += len(datagram.pieces)
