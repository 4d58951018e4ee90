"""Where captures are, for every test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PCAPS = ROOT / "pcaps"
SHARED_PCAPS = ROOT.parent / "shared" / "pcaps"


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """A command run in this process may calm the garbage collector, as it does in its own: engines would pile up."""
    before = gc.get_threshold()
    yield
    if gc.get_threshold() != before:
        gc.set_threshold(*before)
        gc.unfreeze()


@pytest.fixture(scope="session")
def shared_pcaps() -> Path:
    """The folder of public captures beside the checkout."""
    if not SHARED_PCAPS.is_dir():
        pytest.skip(f"no public captures at {SHARED_PCAPS.relative_to(ROOT.parent)} beside the checkout")
    return SHARED_PCAPS
