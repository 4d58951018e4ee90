"""A consumer that is too slow on purpose sheds in order, says so, still reads handshakes, and goes back to normal."""

from __future__ import annotations

import pytest

from sensor.capture.afpacket import Ring
from sensor.capture.interfaces import Interfaces
from sensor.capture.pcapfile import CaptureFile
from sensor.capture.shedding import CALM_S, Shedding
from sensor.health import Mirror
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.conftest import PCAPS
from tests.sensor.engine.builder import Tcp, Wire

HANDSHAKE = PCAPS / "tls" / "tls12_ecdhe.pcap"
LOGON = PCAPS / "smb" / "late_session.pcap"
RING_BYTES = 24 << 20
BULK_BYTES = 2 << 20


class Busy(Ring):
    """While a block is worked on, others come."""

    def events(self, engine, step, first):
        yield from super().events(engine, step, first)
        self.meanwhile()


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def bulk(path, number):
    """A conversation of long messages of HL7, some blocks of the ring long. What nobody knows is not shed."""
    wire = Wire()
    talk = Tcp(wire, ports=(20_000 + number, 9_999)).open()
    while talk.sent[0] < BULK_BYTES:
        talk.send(0, b"\x0bMSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5\rOBX|1|ST|" + b"x" * 59_000 + b"\r\x1c\r", mss=8_000)
        talk.send(1, b"\x0bMSH|^~\\&|C|D|A|B|2026||ACK|1|P|2.5\rMSA|AA|1\r\x1c\r")
    path.write_bytes(wire.pcap())
    return path


def said(items):
    return {(repr(item.fact), item.endpoint) for item in items}


def from_file(path):
    with CaptureFile(path) as capture:
        return said(Pipeline(capture, Site.load(None), SiteKey.test()).sightings())


@pytest.mark.parametrize("worst", [2, 4])
def test_it_sheds_in_order_still_reads_handshakes_and_returns_to_normal(mirror, tmp_path, worst):
    ring, health, clock = Busy([mirror.name], RING_BYTES), Mirror(["mirror"], 0), Clock()
    levels, lines, sent = [0], [], []

    def meanwhile():
        level = source.shedding.level
        if level != levels[-1]:
            levels.append(level)
            lines.extend(health.look(source.counters(), 0))
        if max(levels) < worst:
            sent.append(bulk(tmp_path / "bulk.pcap", len(sent)))
            mirror.send(sent[-1])
        elif levels[-1] == worst and HANDSHAKE not in sent:
            sent.append(HANDSHAKE)
            mirror.send(HANDSHAKE)

    ring.meanwhile = meanwhile
    with Interfaces([ring], slice_s=0.5) as source:
        source.shedding = Shedding(clock)
        pipeline = Pipeline(source, Site.load(None), SiteKey.test(), bulkhead=False)
        mirror.send(bulk(tmp_path / "bulk.pcap", 0))
        items = []
        while max(levels) < worst or ring.ready:
            items += pipeline.sightings()
        assert levels == list(range(worst + 1))
        while source.shedding.level:
            clock.now_s += CALM_S
            items += pipeline.sightings()
            lines.extend(health.look(source.counters(), 0))
        mirror.send(LOGON)
        source.stop()
        items += pipeline.sightings()
        counters = source.counters() | pipeline.engine.counters()

    assert [counters.get(f"shed_to_{level}", 0) for level in (1, 2, 3, 4)] == [1] * worst + [0] * (4 - worst)
    assert counters["shed_turns"] > 0
    assert counters["kernel_drops"] == 0
    assert sum("falls" in line for line in lines) == worst
    assert "falls behind" in lines[0]
    assert lines[-1].endswith("long conversations are read again")
    assert from_file(LOGON) <= said(items)
    if worst == 2:
        assert from_file(HANDSHAKE) <= said(items)
