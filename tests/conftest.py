"""Where captures are, for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PCAPS = ROOT / "pcaps"
SHARED_PCAPS = ROOT.parent / "shared" / "pcaps"


@pytest.fixture(scope="session")
def shared_pcaps() -> Path:
    """The folder of public captures beside the checkout."""
    if not SHARED_PCAPS.is_dir():
        pytest.skip(f"no public captures at {SHARED_PCAPS.relative_to(ROOT.parent)} beside the checkout")
    return SHARED_PCAPS
