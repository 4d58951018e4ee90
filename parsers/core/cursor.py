"""A bounded cursor over one whole message."""

from __future__ import annotations

from parsers.core.errors import Malformed


class Cursor:
    """Reads a message front to back; reading past its end is `Malformed`.

    Args:
        data: the message, whole.
        base: offset of the message in its lane, for error positions.
    """

    __slots__ = ("_at", "_base", "_data", "_end")

    def __init__(self, data: bytes, base: int = 0) -> None:
        self._data = data
        self._at = 0
        self._end = len(data)
        self._base = base

    @property
    def offset(self) -> int:
        """Position in the lane, in bytes."""
        return self._base + self._at

    @property
    def remaining(self) -> int:
        """Bytes not yet read."""
        return self._end - self._at

    def take(self, n: int) -> bytes:
        """The next `n` bytes."""
        at = self._at
        end = at + n
        if n < 0 or end > self._end:
            raise Malformed(f"needs {n} bytes, {self._end - at} are left", self.offset)
        self._at = end
        return self._data[at:end]

    def peek(self, n: int) -> bytes:
        """Up to `n` of the next bytes, without reading them."""
        return self._data[self._at : min(self._at + n, self._end)]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self._end - self._at)

    def skip(self, n: int) -> None:
        """Pass over `n` bytes without copying them."""
        if n < 0 or self._at + n > self._end:
            raise Malformed(f"needs {n} bytes, {self.remaining} are left", self.offset)
        self._at += n

    def sub(self, n: int) -> Cursor:
        """A cursor over the next `n` bytes, which this one has then read."""
        base = self.offset
        return Cursor(self.take(n), base)

    def u8(self) -> int:
        """An octet."""
        at = self._at
        if at >= self._end:
            raise Malformed("needs 1 byte, 0 are left", self.offset)
        self._at = at + 1
        return self._data[at]

    def u16(self) -> int:
        """A 16-bit number, big-endian."""
        return int.from_bytes(self.take(2), "big")

    def u24(self) -> int:
        """A 24-bit number, big-endian."""
        return int.from_bytes(self.take(3), "big")

    def u32(self) -> int:
        """A 32-bit number, big-endian."""
        return int.from_bytes(self.take(4), "big")

    def u48(self) -> int:
        """A 48-bit number, big-endian."""
        return int.from_bytes(self.take(6), "big")

    def u64(self) -> int:
        """A 64-bit number, big-endian."""
        return int.from_bytes(self.take(8), "big")

    def u16le(self) -> int:
        """A 16-bit number, little-endian."""
        return int.from_bytes(self.take(2), "little")

    def u32le(self) -> int:
        """A 32-bit number, little-endian."""
        return int.from_bytes(self.take(4), "little")

    def u64le(self) -> int:
        """A 64-bit number, little-endian."""
        return int.from_bytes(self.take(8), "little")

    def vector8(self) -> bytes:
        """Bytes with an 8-bit length before them (RFC 8446 3.4)."""
        return self.take(self.u8())

    def vector16(self) -> bytes:
        """Bytes with a 16-bit length before them (RFC 8446 3.4)."""
        return self.take(self.u16())

    def vector24(self) -> bytes:
        """Bytes with a 24-bit length before them (RFC 8446 3.4)."""
        return self.take(self.u24())
