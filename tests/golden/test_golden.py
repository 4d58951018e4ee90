"""Every capture of ours still says what its golden says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.captures import facts, name_of, own_captures
from tests.golden.goldens import golden_of, lines, protocols_of


@pytest.mark.parametrize("path", own_captures(), ids=name_of)
def test_golden(path: Path) -> None:
    golden = golden_of(path)
    assert golden.exists(), f"no golden: make golden writes {golden.name}; read it before you commit it"
    expected = golden.read_text().splitlines()
    assert lines(facts(path), protocols_of(expected)) == expected
