"""What is shared out between interfaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.capture.ports import shared

COUNTS = st.integers(0, 1 << 32)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [(10, [1, 1], [5, 5]), (10, [3, 0], [10, 0]), (1, [0, 0], [0, 1]), (7, [1], [7]), (0, [5, 6], [0, 0])],
)
def test_a_number_is_shared_out_by_weights(total, weights, parts):
    assert shared(total, weights) == parts


@given(COUNTS, st.lists(COUNTS, min_size=1, max_size=16))
def test_nothing_is_lost_or_added(total, weights):
    parts = shared(total, weights)
    assert sum(parts) == total
    assert all(part >= 0 for part in parts)
    if whole := sum(weights):
        exact = [total * weight / whole for weight in weights]
        assert all(abs(part - wanted) < 1.001 for part, wanted in zip(parts, exact, strict=True))
