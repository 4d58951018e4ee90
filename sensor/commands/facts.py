"""`spanward facts`: what the parsers read, as NDJSON on standard output; no store, no inference."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from sensor.budget import Budget
from sensor.capture.pcapfile import CaptureError, CaptureFile
from sensor.commands.errors import CommandError, Status, note
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey


def facts(captures: Sequence[Path], site: Site, key: SiteKey, memory_mib: int) -> None:
    """Print the facts of each capture, in order.

    A capture that ends within a record gives its facts up to there and a line on standard error.

    Captures that cannot be read are named on standard error; the others are read all the same.

    Raises:
        CommandError: captures could not be read.
    """
    failures = [error for path in captures if (error := _failure(path, site, key, memory_mib))]
    for failure in failures[:-1]:
        note(str(failure))
    if failures:
        raise CommandError(str(failures[-1]), Status.UNREADABLE)


def _failure(path: Path, site: Site, key: SiteKey, memory_mib: int) -> CaptureError | None:
    gc.disable()  # reading makes no garbage
    try:
        with CaptureFile(path) as capture:
            _print(capture, site, key, memory_mib)
    except CaptureError as error:
        return error
    finally:
        gc.enable()
        gc.collect()  # the pipeline itself is one large cycle
    return None


def _print(capture: CaptureFile, site: Site, key: SiteKey, memory_mib: int) -> None:
    pipeline = Pipeline(capture, site, key, budget=Budget.of(memory_mib))
    out = sys.stdout.buffer
    for sighting in pipeline.sightings():
        out.write(sighting.to_json() + b"\n")
    out.flush()
    if capture.damaged:
        note(f"{capture.path}: {capture.damaged}; the facts before that were printed")
    if failures := parser_failures(pipeline):
        note(f"{capture.path}: {failures} parser failures: an error of ours; please report it with the capture")


def parser_failures(pipeline: Pipeline) -> int:
    """How often a parser failed in a way that no capture should make it fail; 0 unless we have made a mistake."""
    counters = orjson.loads(str(pipeline.summary()["counters"]))
    return int(counters["parser_failures"])
