"""Reading makes no cycles: what a conversation held is freed with it, and the garbage collector has nothing to do.

`calm_collector` counts on it.
"""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensor.capture.pcapfile import CaptureFile
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.captures import name_of, own_captures

SAMPLE = random.Random("garbage").sample([path for path in own_captures() if path.stat().st_size < 200_000], 60)


@pytest.fixture
def saved() -> Iterator[list[object]]:
    """What the collector finds is kept here, and it looks only when it is told to."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()
    gc.collect()


@pytest.mark.parametrize("path", SAMPLE, ids=name_of)
def test_reading_leaves_no_garbage(path: Path, saved: list[object]) -> None:
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test())
        for batch in pipeline.batches():
            for _ in batch.parts:
                pass
        gc.collect()
        ours = Counter(type(one).__module__ for one in saved)
        assert not {name: count for name, count in ours.items() if name.partition(".")[0] in {"parsers", "sensor"}}
