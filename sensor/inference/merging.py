"""Which addresses are one device: only two independent proofs join what addresses keep apart.

A key that several addresses show may be one machine with several interfaces, or a key copied to several machines
(which is a finding, not a merge). So one shared key never merges. Two strong ones do; a strong one with a weaker one
does where the addresses were never in use at the same time and at least one of them is known by IP alone (a routed
device whose lease changed).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Final, NamedTuple

from sensor.inference.described import Anchor
from sensor.inference.evidence import Span

STRONG: Final = frozenset({"certificate-key", "serial", "device-uid", "eui64", "ssh-host-key"})
WEAK: Final = frozenset({"ae-title", "hostname"})
HOLDERS_MAX: Final = 4  # a key that more addresses show is no one's own


class Proof(NamedTuple):
    """Something that an anchor shows and that another may show too."""

    kind: str
    value: str


class Merge(NamedTuple):
    """Two anchors that are one device, and why."""

    one: Anchor
    other: Anchor
    reason: str


def merges(proofs: Mapping[Anchor, set[Proof]], spans: Mapping[Anchor, Span]) -> list[Merge]:
    """Every pair of anchors that is one device, in a fixed order."""
    holders: dict[Proof, list[Anchor]] = defaultdict(list)
    for anchor in sorted(proofs):
        for proof in proofs[anchor]:
            holders[proof].append(anchor)
    pairs = {
        pair
        for proof, anchors in holders.items()
        if proof.kind in STRONG and 1 < len(anchors) <= HOLDERS_MAX
        for pair in combinations(anchors, 2)
    }
    found = (_merge(one, other, proofs[one] & proofs[other], spans) for one, other in sorted(pairs))
    return [merge for merge in found if merge is not None]


def _merge(one: Anchor, other: Anchor, shared: Iterable[Proof], spans: Mapping[Anchor, Span]) -> Merge | None:
    strong = sorted({proof.kind for proof in shared if proof.kind in STRONG})
    weak = sorted({proof.kind for proof in shared if proof.kind in WEAK})
    if len(strong) > 1:
        return Merge(one, other, f"same {' and '.join(strong)}")
    if strong and weak and "ip" in (one.kind, other.kind) and _apart(spans[one], spans[other]):
        return Merge(one, other, f"same {strong[0]} and {weak[0]}, never in use at the same time")
    return None


def _apart(one: Span, other: Span) -> bool:
    return one.last < other.first or other.last < one.first
