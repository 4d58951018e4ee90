"""A capture cross-examined: read by us, read by Wireshark, compared."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from sensor.capture.pcapfile import CaptureFile
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey
from sensor.verification.compare import Comparison, Reading, compare
from sensor.verification.ours import OurReading, our_reading
from sensor.verification.theirs import their_reading
from sensor.verification.wireshark import DISSECTORS, Dissection, dissect


class Verified(NamedTuple):
    """What came of a capture.

    Attributes:
        comparison: the fields of both readings.
        told: ports that tshark was told the protocol of, because it had found nothing there, by protocol.
        damaged: what ends the capture before its end, said by the first reader that noticed; None where it is whole.
    """

    comparison: Comparison
    told: dict[str, list[int]]
    damaged: str | None


class DissectionFailed(Exception):
    """tshark cannot read a capture that we can. `str()` is one line: what, where."""


def verify(path: Path, site: Site, key: SiteKey) -> Verified:
    """Read a capture twice and compare.

    Raises:
        CaptureError: we cannot read it.
        DissectionFailed: tshark cannot.
        WiresharkMissing: there is no tshark.
    """
    with CaptureFile(path) as capture:
        ours = our_reading(Pipeline(capture, site, key).sightings())
        damaged = capture.damaged
    first = _dissected(path, damaged)
    theirs, told = their_reading(first.messages), {}
    for protocol, ports in _unheard(ours, theirs).items():
        again = their_reading(_dissected(path, damaged, {protocol: ports}).messages)
        more = {found: values for found, values in again.items() if found.row.protocol == protocol}
        if any(theirs.get(found) != values for found, values in more.items()):
            theirs.update(more)
            told[protocol] = sorted(ports)
    return Verified(compare(ours.values, theirs), told, damaged or first.complaint)


def _dissected(path: Path, damaged: str | None, ports: dict[str, set[int]] | None = None) -> Dissection:
    found = dissect(path, ports)
    if found.complaint and not damaged:
        raise DissectionFailed(f"{path}: tshark: {found.complaint}")
    return found


def _unheard(ours: OurReading, theirs: Reading) -> dict[str, set[int]]:
    """By protocol, the responders' ports of conversations that only we read something in."""
    found: dict[str, set[int]] = defaultdict(set)
    for key in ours.values.keys() - theirs.keys():
        if key.row.protocol in DISSECTORS:
            found[key.row.protocol] |= ours.ports[key] - {0}
    return {protocol: ports for protocol, ports in found.items() if ports}
