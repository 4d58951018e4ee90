"""Claims about a device (`vendor`, `model`, `role`, …), each with source and certainty, and the verdict among them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

DECAY: Final = timedelta(days=90)
COLUMNS: Final = ("vendor", "model", "device_type", "serial", "software", "os", "role")
LOSERS_MAX: Final = 5


class Claim(NamedTuple):
    """`name` of a device is `value`, says `source`."""

    device_id: str
    name: str
    value: str
    source: str
    certainty: float
    first: datetime
    last: datetime
    n: int


class Verdict(NamedTuple):
    """The claim that won and the ones that lost against it."""

    won: Claim
    lost: tuple[Claim, ...]

    def why(self) -> dict[str, Any]:
        """For the `why` column."""
        said: dict[str, Any] = {"source": self.won.source, "certainty": self.won.certainty}
        others = [
            {"value": c.value, "source": c.source, "certainty": c.certainty}
            for c in self.lost
            if c.value != self.won.value
        ]
        return said | ({"against": others[:LOSERS_MAX]} if others else {})


def decide(claims: Iterable[Claim], now: datetime) -> dict[str, dict[str, Verdict]]:
    """Per device and name, the claim that wins: the most certain after ageing, then the most seen."""
    grouped: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        grouped[claim.device_id, claim.name].append(claim)
    verdicts: dict[str, dict[str, Verdict]] = defaultdict(dict)
    for (device_id, name), rivals in grouped.items():
        won, *lost = sorted(rivals, key=lambda c: (-_score(c, now), -c.n, c.value, c.source))
        verdicts[device_id][name] = Verdict(won, tuple(lost))
    return verdicts


def _score(claim: Claim, now: datetime) -> float:
    """Half of the certainty is lost over 90 days without a new sight."""
    age = max(now - claim.last, timedelta(0))
    return claim.certainty * (1 - 0.5 * min(age / DECAY, 1.0))
