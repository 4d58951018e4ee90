"""Spans that any bytes may have come in: only neighbours are looked at, and nothing else is found by looking at all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sensor.engine.spans import by_offset, conflicts, overlaps, touching, uncovered

PIECE = st.tuples(st.integers(0, 120), st.binary(min_size=1, max_size=12))


def kept(pieces: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """What is kept of them: sorted and disjoint, first bytes win."""
    known: list[tuple[int, bytes]] = []
    for offset, data in pieces:
        known = sorted([*known, *uncovered(known, offset, data)], key=by_offset)
    return known


@given(st.lists(PIECE, max_size=40), PIECE)
def test_neighbours_are_enough(pieces: list[tuple[int, bytes]], piece: tuple[int, bytes]) -> None:
    known, (offset, data) = kept(pieces), piece
    low, high = touching(known, offset, offset + len(data), by_offset)
    near = known[low:high]
    assert uncovered(near, offset, data) == uncovered(known, offset, data)
    assert conflicts(near, offset, data) == conflicts(known, offset, data)
    assert overlaps(near, offset, data) == overlaps(known, offset, data)


def test_far_ones_are_not_looked_at() -> None:
    known = [(10 * number, b"x") for number in range(100)]
    looked_at: list[int] = []

    def offset(span: tuple[int, bytes]) -> int:
        looked_at.append(span[0])
        return span[0]

    assert touching(known, 505, 515, offset) == (50, 52)
    assert len(looked_at) < 20
