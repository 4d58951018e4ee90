"""Reading makes no cycles: what a conversation held is freed with it, and the garbage collector has nothing to do.

`sensor.collector.collect_never` counts on it.
"""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from parsers.core import Conversation, Protocol, Reader, Registry, Side, Steps, Verdict
from sensor.capture.pcapfile import CaptureError, CaptureFile
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.captures import name_of, own_captures
from tests.conftest import ROOT
from tests.fuzz.engine import mutate

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


def left_by(path: Path, saved: list[object], registry: Registry | None = None) -> dict[str, int]:
    """Objects of ours that reading it left behind, by module."""
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), registry=registry)
        for batch in pipeline.batches():
            for _ in batch.parts:
                pass
        gc.collect()
        ours = Counter(type(one).__module__ for one in saved)
        return {name: count for name, count in ours.items() if name.partition(".")[0] in {"parsers", "sensor"}}


@pytest.mark.parametrize("path", SAMPLE, ids=name_of)
def test_reading_leaves_no_garbage(path: Path, saved: list[object]) -> None:
    assert not left_by(path, saved)


@pytest.mark.parametrize("path", SAMPLE, ids=name_of)
def test_nor_does_what_was_bent(path: Path, saved: list[object], tmp_path: Path) -> None:
    bent = tmp_path / "bent.pcap"
    bent.write_bytes(mutate(path.read_bytes(), random.Random(path.name)))
    with suppress(CaptureError):  # not even its header may be left
        assert not left_by(bent, saved)


@pytest.mark.parametrize("path", SAMPLE[::6], ids=name_of)
def test_nor_does_a_dissector_that_breaks(path: Path, saved: list[object]) -> None:
    assert not left_by(path, saved, Registry([Protocol("test", "none", "tcp", probe, breaking)]))


def probe(head: bytes, side: Side) -> Verdict:
    return Verdict.LIKELY


def breaking(r: Reader, side: Side, talk: Conversation) -> Steps:
    yield from r.exactly(1)
    held: list[object] = [r, side, talk]
    raise ZeroDivisionError(held)


def test_facts_of_many_captures_take_no_more_memory_than_those_of_few() -> None:
    few, many = peak_mib(SAMPLE[:3]), peak_mib(SAMPLE[:3] * 10)
    assert many < few + 30, "a capture's engine has 6 MiB and more"


def peak_mib(captures: list[Path]) -> float:
    line = [sys.executable, "-m", "sensor.cli", "facts", *map(str, captures)]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / 1024
