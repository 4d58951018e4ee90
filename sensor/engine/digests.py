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

    def sum(self, size: int) -> int:
        """Sum up the first bytes of the block, 55 at most; the others are lost."""
        self._pad(size)
        a, b, c, d, e = H0, H1, H2, H3, H4
        for t in range(ROUNDS):
            if t < 20:
                mixed = (b & c | ~b & d) + K0
            elif t < 40:
                mixed = (b ^ c ^ d) + K1
            elif t < 60:
                mixed = (b & c | b & d | c & d) + K2
            else:
                mixed = (b ^ c ^ d) + K3
            mixed = (mixed + (a << 5 | a >> 27) + e + self._word(t)) & M32
            a, b, c, d, e = mixed, a, (b << 30 | b >> 2) & M32, c, d
        self._put(0, a + H0)
        self._put(4, b + H1)
        self._put(8, c + H2)
        self._put(12, d + H3)
        self._put(16, e + H4)
        return 0

    def _pad(self, size: int) -> int:
        """Spec: FIPS 180-4 5.1.1."""
        self.block[size] = 0x80
        for at in range(size + 1, BLOCK_BYTES - 2):
            self.block[at] = 0
        self.block[BLOCK_BYTES - 2] = size >> 5
        self.block[BLOCK_BYTES - 1] = size << 3 & 0xFF
        return 0

    def _word(self, t: int) -> int:
        """The word of a round, after those of the rounds before."""
        if t < 16:
            at = 4 * t
            word = self.block[at] << 24 | self.block[at + 1] << 16 | self.block[at + 2] << 8 | self.block[at + 3]
        else:
            word = self._schedule[t - 3] ^ self._schedule[t - 8] ^ self._schedule[t - 14] ^ self._schedule[t - 16]
            word = (word << 1 | word >> 31) & M32
        self._schedule[t] = word
        return word

    def _put(self, at: int, word: int) -> int:
        for place in range(4):
            self.digest[at + place] = word >> 8 * (3 - place) & 0xFF
        return 0
