# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""A lane of a conversation: one direction, as far as it is read, and by whom."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from parsers.core.fact import Confirmed, Done, Fact, Handoff
from parsers.core.reader import Reader, Wait

Step = Wait | Confirmed | Handoff | Done | Fact
"""What a dissector yields."""
Steps = Generator[Step, None, None]

# The states of a lane: plain numbers, which are quick to compare.
PROBING: Final = 0
READING: Final = 1
RESUMING: Final = 2
CLOSED: Final = 3

LANE_BYTES: Final = 6_656
FACT_BYTES: Final = 512
"""What objects take: a lane's dissector, and a fact that is held back."""


class Lane:
    """One direction: its state, its reader and generator, and the bytes that led to them."""

    __slots__ = ("confirmed", "failed", "head", "held", "overflowed", "probed_turn", "reader", "state", "steps", "turn")

    def __init__(self) -> None:
        self.state = PROBING
        self.reader: Reader | None = None
        self.steps: Steps | None = None
        self.head = b""
        self.overflowed = False
        self.turn = 0
        self.probed_turn = 0
        self.confirmed = False
        self.failed = 0
        self.held: list[Fact] | None = None

    def reset(self, state: int) -> None:
        """Back to a state without generator; what it held back is dropped."""
        if self.steps is not None:
            self.steps.close()
        self.state, self.reader, self.steps, self.confirmed = state, None, None, False
        self.held = None

    def held_bytes(self) -> int:
        """Bytes that are kept."""
        return len(self.head) if self.reader is None else len(self.head) + self.reader.held

    def weight(self) -> int:
        """What it takes in memory, roughly."""
        weight = self.held_bytes()
        if self.reader is not None:
            weight += LANE_BYTES
        if self.held is not None:
            weight += FACT_BYTES * len(self.held)
        return weight

    def drain(self) -> bytes:
        """All that its dissector has not read."""
        return self.reader.drain() if self.reader is not None else b""

    def forget(self) -> None:
        """The head is not looked at again."""
        self.head, self.overflowed = b"", False
