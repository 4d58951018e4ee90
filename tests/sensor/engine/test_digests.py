"""Sums of our own are those of their authors, compiled and interpreted, for every length."""

from __future__ import annotations

import random
from array import array

import pytest

from sensor import engine as installed
from sensor.engine import load_interpreted

both = pytest.mark.parametrize(
    "module", [installed.digests, load_interpreted("digests")], ids=["installed", "interpreted"]
)


@both
@pytest.mark.parametrize(("words", "expected"), [(0, 0x726FDB47DD0E0E31), (1, 0x93F5F5799A932462)])
def test_siphash_is_that_of_its_authors(module, words, expected) -> None:
    """Their test vectors: the key is 0, 1, ... 15, the message 0, 1, ..."""
    key = int.from_bytes(range(8), "little"), int.from_bytes(range(8, 16), "little")
    message = memoryview(array("q", bytes(range(8 * words))))
    summed = module.SipHash(key)
    summed.sum(message)
    assert summed.digest & (1 << 64) - 1 == expected


def test_siphash_is_the_same_compiled_and_interpreted() -> None:
    """Of any number of words, one after the other with the same key."""
    chance = random.Random(2)
    key = chance.getrandbits(64), chance.getrandbits(64)
    one, other = installed.digests.SipHash(key), load_interpreted("digests").SipHash(key)
    for words in range(1, 40):
        message = memoryview(chance.randbytes(8 * words)).cast("q")
        one.sum(message)
        other.sum(message)
        assert one.digest == other.digest
