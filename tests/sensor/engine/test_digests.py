"""Digests of our own are those of the standard's, compiled and interpreted, for every length that they take."""

from __future__ import annotations

import hashlib
import random

import pytest

from sensor import engine as installed
from sensor.engine import load_interpreted


@pytest.mark.parametrize("module", [installed.digests, load_interpreted("digests")], ids=["installed", "interpreted"])
def test_sha1_is_that_of_the_library(module) -> None:
    """One after the other in the same block: nothing of a longer message stays."""
    chance = random.Random(1)
    messages = [chance.randbytes(size) for size in (*range(55, -1, -1), 55, 24, 48)]
    summed = module.Sha1()
    for message in messages:
        summed.block[: len(message)] = message
        summed.sum(len(message))
        assert bytes(summed.digest) == hashlib.sha1(message).digest()
