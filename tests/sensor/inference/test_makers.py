"""Makers of network cards: our way through the registry's index against the library's."""

from __future__ import annotations

import netaddr
import pytest
from netaddr.eui import ieee

from sensor.knowledge.makers import maker


def test_every_block_has_the_maker_that_the_library_names() -> None:
    blocks = sorted(ieee.OUI_INDEX)
    assert len(blocks) > 30_000
    for number in [*blocks[::40], blocks[-1]]:
        block = netaddr.OUI(number)
        assert maker(str(block).lower().replace("-", ":")) == block.registration().org


@pytest.mark.parametrize("block", ["02:00:00", "ff:ff:ff"])
def test_a_block_that_nobody_has(block: str) -> None:
    with pytest.raises(netaddr.NotRegisteredError):
        netaddr.OUI(block.replace(":", "-"))
    assert maker(block) is None
