"""What is shed by value: bulk, then the ends of long heads; identities in handshakes are read to the last."""

from __future__ import annotations

import pytest

from parsers.core import Anomaly, Authentication, Certificate, Channel
from sensor.capture.pcapfile import CaptureFile
from sensor.capture.shedding import LEVELS
from sensor.engine import Engine
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.captures import own_captures

CAPTURES = [path for folder in ("tls", "smb", "dicom", "hl7", "mixed") for path in own_captures(folder)]
HANDSHAKES = (Authentication, Certificate, Channel)


def facts(path, level):
    engine = Engine(seed=1)
    engine.shed(*LEVELS[level])
    with CaptureFile(path) as capture:
        sightings = Pipeline(capture, Site.load(None), SiteKey.test(), engine=engine, bulkhead=False).sightings()
        return {(repr(seen.fact), seen.endpoint) for seen in sightings if not isinstance(seen.fact, Anomaly)}, engine


def handshakes(found):
    return {one for one in found if one[0].startswith(tuple(kind.__name__ for kind in HANDSHAKES))}


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_until_conversations_are_passed_over_nothing_of_a_short_one_is_lost(path):
    assert facts(path, 0)[0] == facts(path, 1)[0] == facts(path, 2)[0]


@pytest.mark.parametrize("level", [3, 4])
def test_of_conversations_that_are_read_handshakes_are_read_whole(level):
    """Those of the hospital's morning: fewer, but none that says something else."""
    (path,) = own_captures("mixed")
    everything, fewer = handshakes(facts(path, 0)[0]), handshakes(facts(path, level)[0])
    assert fewer < everything
