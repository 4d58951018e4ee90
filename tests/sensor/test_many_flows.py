"""More flows at a time than the table has room for: what is kept is bounded, and what had to go is said."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from parsers.core import Attribute
from sensor.capture.pcapfile import CaptureFile
from sensor.engine import EVICTED, Engine
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.benchmarks.many_flows import frames
from tests.benchmarks.wire import write
from tests.captures import rows
from tests.sensor.engine.harness import new_engine, of, run

FLOWS, TABLE, STEP_US = 5_000, 512, 10


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "many.pcap"
    write(path, frames(FLOWS), STEP_US)
    return path


def test_the_engine_keeps_to_its_table_and_says_what_it_evicted(capture: Path) -> None:
    engine = new_engine(flows=TABLE)
    reasons = Counter(event.reason for event in of(run(capture.read_bytes(), engine=engine), "end"))
    counters = engine.counters()
    assert reasons[EVICTED] > FLOWS
    assert counters["evicted_flows"] == reasons[EVICTED]  # a row that only lingered was no flow any more
    assert counters["flows"] == sum(reasons.values()) > FLOWS
    assert engine.counters()["held_bytes"] == 0


def test_dispatch_keeps_as_many_flows_as_there_are_rows_at_most(capture: Path) -> None:
    engine, most = Engine(flows=TABLE), 0
    with CaptureFile(capture) as opened:
        pipeline = Pipeline(opened, Site(), SiteKey.test(), bulkhead=False, engine=engine)
        flows = pipeline._dispatcher.flows
        for _ in pipeline.sightings():
            most = max(most, len(flows))
        told = json.loads(str(pipeline.summary()["counters"]))
    assert 0 < most <= TABLE
    assert not flows
    assert told["evicted_flows"] == engine.counters()["evicted_flows"] > FLOWS


def test_every_flow_is_counted_among_the_conversations(capture: Path) -> None:
    """The evicted ones too: what there was of them is in the store."""
    engine = Engine(flows=TABLE)
    conversations = sum(row["n"] for row in rows(capture, engine)["fact_conversation"])
    assert conversations == engine.counters()["flows"] > 2 * FLOWS - TABLE


def test_with_room_nothing_is_evicted(capture: Path) -> None:
    with CaptureFile(capture) as opened:
        pipeline = Pipeline(opened, Site(), SiteKey.test(), bulkhead=False, engine=Engine(flows=2 * FLOWS))
        facts = list(pipeline.sightings())
        told = json.loads(str(pipeline.summary()["counters"]))
    applications = {
        item.fact.value
        for item in facts
        if isinstance(item.fact, Attribute) and item.fact.name == "hl7.sending_application"
    }
    assert told["evicted_flows"] == 0
    assert {f"MON{number:06}" for number in range(0, FLOWS, 10)} <= applications
