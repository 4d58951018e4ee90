"""Two readings of one capture, side by side."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from sensor.verification.table import Row


class Key(NamedTuple):
    """What a value is of: an endpoint (`address port`) and a field."""

    endpoint: str
    row: Row


Reading = dict[Key, set[str]]


class Verdict(StrEnum):
    """What came of one field at one endpoint."""

    EQUAL = "equal"
    DIFFERENT = "different"
    ONLY_OURS = "only_ours"
    ONLY_THEIRS = "only_theirs"


class Difference(NamedTuple):
    """A field of an endpoint of which the two readings do not say the same."""

    key: Key
    verdict: Verdict
    ours: tuple[str, ...]
    theirs: tuple[str, ...]


class Comparison(NamedTuple):
    """What came of a capture: each verdict, and those that are not `equal` with both values."""

    verdicts: dict[Key, Verdict]
    differences: list[Difference]


def compare(ours: Reading, theirs: Reading) -> Comparison:
    """Compare what both sides, or one of them, read."""
    verdicts, differences = {}, []
    for key in sorted(ours.keys() | theirs.keys()):
        mine, said = ours.get(key, set()), theirs.get(key, set())
        verdicts[key] = verdict = _verdict(mine, said)
        if verdict is not Verdict.EQUAL:
            differences.append(Difference(key, verdict, tuple(sorted(mine)), tuple(sorted(said))))
    return Comparison(verdicts, differences)


def _verdict(ours: set[str], theirs: set[str]) -> Verdict:
    if ours == theirs:
        return Verdict.EQUAL
    if not theirs:
        return Verdict.ONLY_OURS
    return Verdict.DIFFERENT if ours else Verdict.ONLY_THEIRS
