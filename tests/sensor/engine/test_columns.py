"""Columns of addresses, compiled and interpreted."""

from __future__ import annotations

import random
from array import array
from ipaddress import ip_address
from itertools import pairwise

import pytest

from sensor import engine as installed
from sensor.columns import COUNT, Column, values
from sensor.engine import ENDS, load_interpreted

MODULES = pytest.mark.parametrize(
    "module", [installed.columns, load_interpreted("columns")], ids=["installed", "interpreted"]
)


def ends(*rows: tuple[str, int]) -> memoryview:
    """Ends with these IP and MAC addresses."""
    numbers = array("q")
    for text, mac in rows:
        ip = ip_address(text)
        words = [int(ip) >> shift & 0xFFFFFFFF for shift in (96, 64, 32, 0)]
        numbers.extend([ip.version << 8, mac, *words, 0, 0])
    assert len(numbers) == len(rows) * len(ENDS)
    return memoryview(numbers)


@MODULES
@pytest.mark.parametrize("is_all_there", [True, False])
@pytest.mark.parametrize("count", [0, 1, 8, 900])
def test_mac_addresses_are_those_of_the_ends(module, count: int, is_all_there: bool) -> None:
    chance = random.Random(count)
    macs = [chance.getrandbits(chance.choice((1, 24, 48))) for _ in range(count)] + ([] if is_all_there else [-1])
    rows = [chance.randrange(len(macs)) for _ in range(2 * count)] if count else []
    rows += [] if is_all_there else [len(macs) - 1]
    numbers, bits = module.macs(ends(*(("192.0.2.1", mac) for mac in macs)), memoryview(array("q", rows)))
    assert (bits is None) == is_all_there
    column = Column(COUNT, len(rows), [numbers], bits)
    assert list(values(column)) == [None if macs[row] < 0 else macs[row] for row in rows]


@MODULES
@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["255.255.255.255"] * 3,
        ["0.0.0.0", "2001:db8:1111:2222:3333:4444:5555:6666", "255.255.255.255"],
        ["2001:db8:1111:2222:3333:4444:5555:6666"] * 2,
    ],
)
def test_there_is_room_for_the_longest_ip_addresses(module, texts: list[str]) -> None:
    rows = memoryview(array("q", range(len(texts))))
    offsets, characters = module.ip_texts(ends(*((text, -1) for text in texts)), rows)
    said = bytes(characters).decode()
    assert [said[begin:end] for begin, end in pairwise(offsets)] == texts
