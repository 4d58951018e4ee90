# cython: annotation_typing=False, boundscheck=True, wraparound=False, initializedcheck=False, auto_pickle=False
"""Digests of short messages. Those of hashlib are objects, which take twice as long to make as the sum itself."""

from __future__ import annotations

try:
    import cython
except ImportError:
    from sensor.engine import _cy as cython

# Constants. The compiler has them from digests.pxd, so that they are constants in C too.
if not cython.compiled:
    BLOCK_BYTES = 64
    ROUNDS = 80
    M32 = 0xFFFFFFFF
    H0 = 0x67452301
    H1 = 0xEFCDAB89
    H2 = 0x98BADCFE
    H3 = 0x10325476
    H4 = 0xC3D2E1F0
    K0 = 0x5A827999
    K1 = 0x6ED9EBA1
    K2 = 0x8F1BBCDC
    K3 = 0xCA62C1D6
    M64 = 0xFFFFFFFFFFFFFFFF
    V0 = 0x736F6D6570736575
    V1 = 0x646F72616E646F6D
    V2 = 0x6C7967656E657261
    V3 = 0x7465646279746573


class Sha1:
    """SHA-1 of messages that fit into one block. Spec: FIPS 180-4 6.1.2.

    Attributes:
        block: begins with the message.
        digest: its sum, 20 bytes.
    """

    def __init__(self) -> None:
        self.block = memoryview(bytearray(BLOCK_BYTES))
        self.digest = memoryview(bytearray(20))
        self._schedule = memoryview(bytearray(4 * ROUNDS)).cast("I")
        self._end = 0

    def sum(self, size: int) -> int:
        """Sum up the first bytes of the block, 55 at most; the others are lost."""
        self._pad(size)
        self._expand()
        a, b, c, d, e = H0, H1, H2, H3, H4
        for t in range(20):
            mixed = ((a << 5 | a >> 27) + (d ^ b & (c ^ d)) + e + K0 + self._schedule[t]) & M32
            a, b, c, d, e = mixed, a, (b << 30 | b >> 2) & M32, c, d
        for t in range(20, 40):
            mixed = ((a << 5 | a >> 27) + (b ^ c ^ d) + e + K1 + self._schedule[t]) & M32
            a, b, c, d, e = mixed, a, (b << 30 | b >> 2) & M32, c, d
        for t in range(40, 60):
            mixed = ((a << 5 | a >> 27) + (b & c | d & (b | c)) + e + K2 + self._schedule[t]) & M32
            a, b, c, d, e = mixed, a, (b << 30 | b >> 2) & M32, c, d
        for t in range(60, ROUNDS):
            mixed = ((a << 5 | a >> 27) + (b ^ c ^ d) + e + K3 + self._schedule[t]) & M32
            a, b, c, d, e = mixed, a, (b << 30 | b >> 2) & M32, c, d
        self._put(0, a + H0)
        self._put(4, b + H1)
        self._put(8, c + H2)
        self._put(12, d + H3)
        self._put(16, e + H4)
        return 0

    def _pad(self, size: int) -> int:
        """Behind the message: a bit, zeros over what is left of the one before, its length. Spec: FIPS 180-4 5.1.1."""
        for at in range(size, self._end):
            self.block[at] = 0
        self._end = size + 1
        self.block[size] = 0x80
        self.block[BLOCK_BYTES - 2] = size >> 5
        self.block[BLOCK_BYTES - 1] = size << 3 & 0xFF
        return 0

    def _expand(self) -> int:
        """The words of all rounds. Spec: FIPS 180-4 6.1.2, step 1."""
        words = self._schedule
        for t in range(16):
            words[t] = (
                self.block[4 * t] << 24
                | self.block[4 * t + 1] << 16
                | self.block[4 * t + 2] << 8
                | self.block[4 * t + 3]
            )
        for t in range(16, ROUNDS):
            word = words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16]
            words[t] = (word << 1 | word >> 31) & M32
        return 0

    def _put(self, at: int, word: int) -> int:
        for place in range(4):
            self.digest[at + place] = word >> 8 * (3 - place) & 0xFF
        return 0


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
