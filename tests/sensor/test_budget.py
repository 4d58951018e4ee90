"""The limit of a worker: how it is divided up, and that each part of it holds and says what had to go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from sensor.budget import DEFAULT_MIB, LEAST_MIB, MOST_MIB, ROW_BYTES, SAME_MIB, Budget
from sensor.capture.pcapfile import CaptureFile, CaptureStream
from sensor.capture.source import LiveSource
from sensor.engine import FLOWS, NEED, Engine
from sensor.mirror import EVICTED, crowded
from sensor.pipeline import Batch, Pipeline
from sensor.rows import WHAT
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.benchmarks.many_flows import frames
from tests.benchmarks.wire import write
from tests.conftest import PCAPS

FLOW_BYTES = 1_456
VALUE_BYTES = 2 * 72
MIB = 1 << 20
FLOWS_OF_CAPTURE, STEP_US = 2_000, 10


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("room") / "many.pcap"
    write(path, frames(FLOWS_OF_CAPTURE), STEP_US)
    return path


def counters_of(pipeline: Pipeline) -> dict[str, int]:
    counted: dict[str, int] = json.loads(str(pipeline.summary()["counters"]))
    return counted


@pytest.mark.parametrize("memory_mib", [LEAST_MIB, DEFAULT_MIB, 4_096, MOST_MIB])
def test_all_parts_together_stay_below_the_limit(memory_mib: int) -> None:
    budget = Budget.of(memory_mib)
    takes = budget.flows * FLOW_BYTES + budget.values * VALUE_BYTES
    takes += budget.session_bytes + budget.buffer_bytes + budget.run_bytes + budget.row_bytes
    assert 0.95 * memory_mib * MIB < SAME_MIB * MIB + takes <= memory_mib * MIB


def test_by_default_there_is_room_for_as_many_flows_as_an_engine_has_by_itself() -> None:
    assert Budget.of(DEFAULT_MIB) == Budget()
    assert Budget().flows == FLOWS


def facts(path: Path, budget: Budget) -> tuple[list[str], dict[str, int]]:
    with CaptureFile(path) as opened:
        pipeline = Pipeline(opened, Site(), SiteKey.test(), budget=budget, bulkhead=False)
        found = sorted(sighting.to_json().decode() for sighting in pipeline.sightings())
        return found, counters_of(pipeline)


@pytest.mark.parametrize("run_bytes", [0, 2_000])
def test_what_recalled_conversations_hold_is_bounded_and_their_facts_are_the_same(run_bytes: int) -> None:
    """Beyond it they are read by sessions."""
    path = PCAPS / "hospital" / "hospital.pcap"
    whole, counted = facts(path, Budget())
    found, fewer = facts(path, Budget()._replace(run_bytes=run_bytes))
    assert found == whole
    assert fewer["runs_known"] < counted["runs_known"]


def test_folded_rows_that_nobody_takes_are_bounded_and_what_is_lost_is_said(capture: Path) -> None:
    """A stream of which the id is never known: no batch can be cut. A fact's row counts with what it refers to."""
    budget = Budget()._replace(row_bytes=500 * ROW_BYTES)
    with capture.open("rb", buffering=0) as file, CaptureStream(file, id_bytes=1 << 30) as opened:
        pipeline = Pipeline(opened, Site(), SiteKey.test(), budget=budget, bulkhead=False)
        (batch,) = pipeline.batches()
        rows = sum(part.row_count for name, part in batch.parts if name in WHAT)
        counted = counters_of(pipeline)
    assert 0 < rows < 500
    assert counted["rows_lost"] > FLOWS_OF_CAPTURE // 20
    assert f"{counted['rows_lost']:,} rows were lost" in crowded(counted)


def test_batches_are_cut_sooner_where_there_is_little_room_and_nothing_is_lost(capture: Path) -> None:
    def read(budget: Budget) -> tuple[int, int, dict[str, int]]:
        with CaptureFile(capture, window_bytes=32 << 10) as opened:
            pipeline = Pipeline(opened, Site(), SiteKey.test(), budget=budget, bulkhead=False)
            cut: list[Batch] = []
            rows = 0
            for batch in pipeline.batches():
                cut.append(batch)
                rows += sum(part.row_count for name, part in batch.parts if name == "fact_attribute")
            return len(cut), rows, counters_of(pipeline)

    one, whole, _ = read(Budget())
    several, rows, counted = read(Budget()._replace(row_bytes=400 << 10))
    assert (one, whole, counted["rows_lost"]) == (1, rows, 0)
    assert several > 3


class Slices:
    """A file as if it were live: a slice is a window of it."""

    def __init__(self, capture: CaptureFile) -> None:
        self.capture_id, self.damaged, self.ended = capture.capture_id, None, False
        self._capture = capture
        self._events: Iterator[int] | None = None

    @property
    def offset(self) -> int:
        return self._capture.offset

    def pump(self, engine: Engine, step: Callable[[], int]) -> Iterator[int]:
        self._events = self._events or self._capture.pump(engine, step)
        for event in self._events:
            yield event
            if event == NEED:
                return
        self.ended = True

    def losses(self) -> dict[str, object]:
        return {}


@pytest.mark.parametrize("is_late", [False, True])
def test_as_long_as_a_live_batch_is_on_its_way_none_is_cut(capture: Path, is_late: bool) -> None:
    """Rows wait in the fold, where those alike become one; the last batch is cut in any case."""
    with CaptureFile(capture, window_bytes=16 << 10) as opened:
        source = cast("LiveSource", Slices(opened))
        pipeline = Pipeline(source, Site(), SiteKey.test(), bulkhead=False)
        batches, rows = [], 0
        for batch in pipeline.live(source, lambda: True):
            batches.append(batch)
            rows += 0 if is_late else _facts(batch)
        rows += sum(map(_facts, batches))
        counted = counters_of(pipeline)
    assert len(batches) == 2 if is_late else len(batches) > 5
    assert rows > 0
    assert counted["rows_lost"] == 0


def _facts(batch: Batch) -> int:
    return sum(part.row_count for name, part in batch.parts if name in WHAT)


def test_each_kind_of_what_goes_has_its_words() -> None:
    for name in EVICTED:
        assert crowded({name: 1_234}).startswith("no room: ")
        assert "1,234" in crowded({name: 1_234})
    assert crowded(dict.fromkeys(EVICTED, 0)) == ""
