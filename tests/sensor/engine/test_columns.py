"""Columns that are found by hashes and rooms of their own, compiled and interpreted."""

from __future__ import annotations

import random
from array import array
from ipaddress import ip_address
from itertools import pairwise

import pytest

from sensor import engine as installed
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
@pytest.mark.parametrize("different", [1, 2, 3, 900])
def test_mac_addresses_are_numbered_as_they_come(module, different: int) -> None:
    chance = random.Random(different)
    macs = [chance.choice((number, number << 24, number << 40)) for number in range(different)]
    told = [chance.choice([*macs, -1]) for _ in range(2 * different)]
    numbers, found = module.mac_numbers(ends(*(("192.0.2.1", mac) for mac in told)))
    expected = list(dict.fromkeys(mac for mac in told if mac >= 0))
    assert list(found) == expected
    assert list(numbers) == [expected.index(mac) if mac >= 0 else -1 for mac in told]


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
