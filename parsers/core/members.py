"""Members of enumerations at the price of a constant.

In Python 3.11 `Side.INITIATOR` calls a descriptor that is written in Python, which takes five times as long as reading
an attribute; dissectors do that several times a turn. From 3.12 on members stand in their class, and nothing changes.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

E = TypeVar("E", bound=type[Enum])


def at_hand(kind: E) -> E:
    """The enumeration, with its members in its class: a decorator."""
    for name, member in kind.__members__.items():
        type.__setattr__(kind, name, member)  # an enumeration's own refuses
    return kind
