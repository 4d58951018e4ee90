"""Traffic that nobody here wrote: every public capture is read, or refused in one clear line; no parser ever fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.capture.pcapfile import CaptureError
from tests.captures import items, shared_captures
from tests.conftest import SHARED_PCAPS

CAPTURES = shared_captures() or [SHARED_PCAPS / "none"]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_read_or_refused(path: Path, shared_pcaps: Path) -> None:
    """The bulkhead is off: a parser's bug would come out here."""
    assert path.parent == shared_pcaps
    refused = None
    try:
        items(path)
    except CaptureError as error:
        refused = str(error)
    assert refused is None or (path.suffix == ".snoop" and "\n" not in refused)
