# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""A bounded cursor over one whole message."""

from __future__ import annotations

from typing import NoReturn

from parsers.core.errors import Malformed


def cut(data: bytes, begin: int, end: int) -> bytes:
    """`data[begin:end]`, for a `begin` that is not negative. Compiled, it makes no objects of both numbers."""
    size = len(data)
    if begin <= 0 and end >= size:
        return data
    end = min(end, size)
    if begin < 0 or begin >= end:
        return b""
    octets = data
    return octets[begin:end]


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
        self.skip(n)
        return cut(self._data, at, self._at)

    def peek(self, n: int) -> bytes:
        """Up to `n` of the next bytes, without reading them."""
        return self._data[self._at : min(self._at + n, self._end)]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self._end - self._at)

    def skip(self, n: int) -> None:
        """Pass over `n` bytes without copying them."""
        if n < 0 or n > self._end - self._at:
            self._refuse(f"{n} bytes")
        self._at += n

    def sub(self, n: int) -> Cursor:
        """A cursor over the next `n` bytes, which this one has then read."""
        base = self._base + self._at
        return Cursor(self.take(n), base)

    def u8(self) -> int:
        """An octet."""
        at = self._at
        if at >= self._end:
            self._refuse("1 byte")
        self._at = at + 1
        return self._data[at]

    def u16(self) -> int:
        """A 16-bit number, big-endian."""
        return self._big(2)

    def u24(self) -> int:
        """A 24-bit number, big-endian."""
        return self._big(3)

    def u32(self) -> int:
        """A 32-bit number, big-endian."""
        return self._big(4)

    def u48(self) -> int:
        """A 48-bit number, big-endian."""
        return self._big(6)

    def u64(self) -> int:
        """A 64-bit number, big-endian."""
        return self._big(8)

    def u16le(self) -> int:
        """A 16-bit number, little-endian."""
        return self._little(2)

    def u32le(self) -> int:
        """A 32-bit number, little-endian."""
        return self._little(4)

    def u64le(self) -> int:
        """A 64-bit number, little-endian."""
        return self._little(8)

    def vector8(self) -> bytes:
        """Bytes with an 8-bit length before them (RFC 8446 3.4)."""
        return self.take(self.u8())

    def vector16(self) -> bytes:
        """Bytes with a 16-bit length before them (RFC 8446 3.4)."""
        return self.take(self.u16())

    def vector24(self) -> bytes:
        """Bytes with a 24-bit length before them (RFC 8446 3.4)."""
        return self.take(self.u24())

    def _refuse(self, needed: str) -> NoReturn:
        raise Malformed(f"needs {needed}, {self.remaining} are left", self.offset)

    def _big(self, n: int) -> int:
        """A number of `n` bytes, big-endian."""
        at = self._at
        self._octets(n)
        value = 0
        for place in range(at, at + n):
            value = value << 8 | self._data[place]
        return value

    def _little(self, n: int) -> int:
        """A number of `n` bytes, little-endian."""
        at = self._at
        self._octets(n)
        value = 0
        for place in range(at + n - 1, at - 1, -1):
            value = value << 8 | self._data[place]
        return value

    def _octets(self, n: int) -> None:
        """Pass over the few bytes of a number."""
        if n > self._end - self._at:
            self._refuse(f"{n} bytes")
        self._at += n
