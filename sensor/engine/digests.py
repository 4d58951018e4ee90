# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""Keyed sums of numbers. Those of hashlib are objects, which take twice as long to make as the sum itself."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

# Constants. The compiler has them from digests.pxd, so that they are constants in C too.
if not cython.compiled:
    M64 = 0xFFFFFFFFFFFFFFFF
    V0 = 0x736F6D6570736575
    V1 = 0x646F72616E646F6D
    V2 = 0x6C7967656E657261
    V3 = 0x7465646279746573


class SipHash:
    """SipHash-2-4 of numbers of 64 bits: who does not know the key cannot make two sums meet.

    Spec: Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2.

    Attributes:
        digest: the sum, 64 bits with a sign.
    """

    def __init__(self, key: tuple[int, int]) -> None:
        self._k0, self._k1 = key
        self._v0 = self._v1 = self._v2 = self._v3 = self.digest = 0

    def sum(self, numbers: memoryview) -> int:
        """Sum up the numbers, the lowest byte of each first."""
        self._v0, self._v1 = self._k0 ^ V0, self._k1 ^ V1
        self._v2, self._v3 = self._k0 ^ V2, self._k1 ^ V3
        for at in range(len(numbers)):
            self._take(numbers[at] & M64)
        self._take((len(numbers) & 31) << 59)
        self._v2 ^= 0xFF
        self._mix(4)
        self.digest = self._v0 ^ self._v1 ^ self._v2 ^ self._v3
        if not cython.compiled:
            self.digest = (self.digest ^ 1 << 63) - (1 << 63)
        return 0

    def _take(self, word: int) -> int:
        self._v3 ^= word
        self._mix(2)
        self._v0 ^= word
        return 0

    def _mix(self, rounds: int) -> int:
        v0, v1, v2, v3 = self._v0, self._v1, self._v2, self._v3
        for _ in range(rounds):
            v0 = (v0 + v1) & M64
            v2 = (v2 + v3) & M64
            v1 = (v1 << 13 | v1 >> 51) & M64 ^ v0
            v3 = (v3 << 16 | v3 >> 48) & M64 ^ v2
            v0 = (v0 << 32 | v0 >> 32) & M64
            v2 = (v2 + v1) & M64
            v0 = (v0 + v3) & M64
            v1 = (v1 << 17 | v1 >> 47) & M64 ^ v2
            v3 = (v3 << 21 | v3 >> 43) & M64 ^ v0
            v2 = (v2 << 32 | v2 >> 32) & M64
        self._v0, self._v1, self._v2, self._v3 = v0, v1, v2, v3
        return 0
