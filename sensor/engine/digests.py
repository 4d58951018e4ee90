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
