"""Shedding load by value: what a live worker that falls behind leaves undone, least valuable first, and when.

How far behind it is shows in what waits in the ring. The ring fills up gradually, so levels are reached in their order;
a level is left when hardly anything has waited for a while. Files wait for us, and are never shed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from sensor.engine import Engine

HEAD_BYTES: Final = 16_384
HEAD_MAX: Final = 65_536
SHED_AT: Final = (0.4, 0.55, 0.7, 0.85)
"""How full the ring is when each level begins."""
CALM_S: Final = 2.0


class Level(NamedTuple):
    """How much is done; see `Engine.shed`."""

    after: int | None
    head_bytes: int
    head_max: int
    flows: int


LEVELS: Final = (
    Level(None, HEAD_BYTES, HEAD_MAX, 1),
    Level(64, HEAD_BYTES, HEAD_MAX, 1),
    Level(24, 8_192, HEAD_MAX, 1),
    Level(24, 8_192, HEAD_MAX, 2),
    Level(24, 8_192, HEAD_MAX, 8),
)
"""All; bulk is shed; smaller heads; half of new conversations, handshakes and all; an eighth of them."""


class Shedding:
    """The level of one worker.

    Args:
        clock: seconds, of any clock that only goes forward.

    Attributes:
        level: 0 when nothing is shed.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.level = 0
        self._clock = clock
        self._raises: Counter[str] = Counter()
        self._began_s = self._waited_s = clock()
        self._shed_s = 0.0

    def look(self, engine: Engine, filled: float) -> None:
        """Change the level if it has to be, now that a share of the ring is filled."""
        now_s = self._clock()
        wanted = sum(filled >= share for share in SHED_AT)
        if wanted > 0:
            self._waited_s = now_s
        if wanted > self.level:
            self._raises.update(f"shed_to_{level}" for level in range(self.level + 1, wanted + 1))
            self._go_to(engine, wanted, now_s)
        elif self.level and now_s - self._waited_s >= CALM_S:
            self._waited_s = now_s  # one level at a time
            self._go_to(engine, self.level - 1, now_s)

    def counters(self) -> dict[str, int]:
        """The level, how often each was begun, and for how long something was shed."""
        shed_s = self._shed_s + (self._clock() - self._began_s if self.level else 0.0)
        return {"shed_level": self.level, "shed_ms": int(shed_s * 1000), **self._raises}

    def _go_to(self, engine: Engine, level: int, now_s: float) -> None:
        if self.level:
            self._shed_s += now_s - self._began_s
        self._began_s = now_s
        self.level = level
        engine.shed(*LEVELS[level])
