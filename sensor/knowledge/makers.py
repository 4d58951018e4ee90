"""Who made a network card: the IEEE's registry of MAC address blocks, as it comes with `netaddr`.

`netaddr` reads the whole index into a dictionary before the first answer: 70 ms and 20 MiB, where most captures show a
few makers. So the index is searched instead. It has a line per block, `NUMBER,OFFSET,LENGTH`: the block as a decimal
number, and where in `oui.txt` its entry stands, whose first line ends with the organisation's name.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_MARK: Final = "(hex)"


@lru_cache(maxsize=100_000)
def maker(block: str) -> str | None:
    """The organisation that has a block of MAC addresses; None where nobody has it.

    Args:
        block: its first three bytes, `00:0c:29`.
    """
    number = int(block.replace(":", ""), 16)
    index = _index()
    at = index.find(b"\n%d," % number)
    if at < 0:
        return None
    _, offset, length = map(int, index[at + 1 : index.index(b"\n", at + 1)].split(b","))
    with _file("oui.txt").open("rb") as registry:
        registry.seek(offset)
        entry = registry.read(length).decode("utf-8")
    return entry[: entry.index("\n")].partition(_MARK)[2].strip()


@cache
def _index() -> bytes:
    return b"\n" + _file("oui.idx").read_bytes() + b"\n"


def _file(name: str) -> Path:
    spec = find_spec("netaddr")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "eui" / name
