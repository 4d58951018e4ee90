"""An HL7 feed of 10,000 messages on one connection: who comes late is seen, with acknowledgments and without."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from parsers.core import Attribute, Authentication
from sensor.capture.pcapfile import CaptureFile
from sensor.engine import Engine
from sensor.pipeline import Pipeline
from sensor.sighting import Sighting
from sensor.site import Site
from sensor.sitekey import SiteKey

MESSAGES = 10_000
LATE = 9_000
SEGMENT_BYTES = 1_448
_RECORD = struct.Struct("<IIII")
_FILE = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)


class Wire:
    """A TCP connection as records of a pcap file. Acknowledgment numbers only move when the peer has sent payload."""

    def __init__(self) -> None:
        self.seq = [1_000, 5_000]
        self.us = 0
        self.records = [_FILE, self._packet(0, b"", 0x02), self._packet(1, b"", 0x12), self._packet(0, b"", 0x10)]

    def send(self, lane: int, data: bytes, size: int = SEGMENT_BYTES) -> None:
        for at in range(0, len(data), size):
            self.records.append(self._packet(lane, data[at : at + size], 0x18))

    def _packet(self, lane: int, data: bytes, flags: int) -> bytes:
        self.us += 20
        ports = (50_000, 2575) if lane == 0 else (2575, 50_000)
        ips = (b"\x0a\x14\x04\x0b", b"\x0a\x14\x01\x0a")
        tcp = struct.pack(">HHIIBBHHH", *ports, self.seq[lane], self.seq[1 - lane], 0x50, flags, 65_535, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, ips[lane], ips[1 - lane])
        macs = (b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02")
        frame = macs[1 - lane] + macs[lane] + b"\x08\0" + ip + tcp + data
        self.seq[lane] = (self.seq[lane] + len(data) + (flags & 2 > 0)) & 0xFFFFFFFF
        return _RECORD.pack(self.us // 1_000_000, self.us % 1_000_000, len(frame), len(frame)) + frame


def observation(number: int) -> bytes:
    """ORU^R01 of a monitor behind a gateway; from `LATE` on every hundredth one is from somebody else."""
    late = number >= LATE and number % 100 == 0
    sender, monitor = ("LATECOMER", "0009FBFFFF00BEEF") if late else ("GATEWAY", f"0009FBFFFF0000{number % 8:02X}")
    observations = b"".join(
        b"OBX|%d|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.0.0.%d|CANARY%d|262688^MDC_DIM_PERCENT^MDC|||||R|||2026||||%s^^%s^EUI-64\r"
        % (n, n, n, monitor.encode(), monitor.encode())
        for n in range(1, 6)
    )
    return (
        b"MSH|^~\\&|%s|WARD 3|EMR|HOSPITAL|20261125101010||ORU^R01^ORU_R01|%d|P|2.6\r" % (sender.encode(), number)
        + b"PID|||4711^^^HOSP^MR||CANARY^PATIENT^^^^^L||19500101|F\rPV1||I|CANARY^2^1\r"
        + b"OBR|1|A%d^GATEWAY|B%d^GATEWAY|69121^MDC_OBS^MDC\r" % (number, number)
        + observations
    )


def admission(number: int) -> bytes:
    """ADT^A08 of a registration system; from `LATE` on every hundredth one is from somebody else."""
    sender = b"LATECOMER" if number >= LATE and number % 100 == 0 else b"REGISTRATION"
    return (
        b"MSH|^~\\&|%s|SITE|EMR|HOSPITAL|20261125101010||ADT^A08|%d|P|2.3\r" % (sender, number)
        + b"EVN|A08|20261125\rPID|1||4711||CANARY^PATIENT||19500101|F\rPV1|1|I|CANARY^2^1\r"
    )


def acknowledgment(number: int) -> bytes:
    code = b"AE" if number == LATE else b"AA"
    return b"MSH|^~\\&|EMR|HOSPITAL|X|Y|20261125101010||ACK|R%d|P|2.3\rMSA|%s|%d|CANARY\r" % (number, code, number)


def framed(message: bytes) -> bytes:
    return b"\x0b" + message + b"\x1c\r"


def by_turns(message: Callable[[int], bytes]) -> list[bytes]:
    wire = Wire()
    for number in range(MESSAGES):
        wire.send(0, framed(message(number)))
        wire.send(1, framed(acknowledgment(number)))
    return wire.records


def message_by_message(message: Callable[[int], bytes]) -> list[bytes]:
    """Every message begins a packet, and nobody answers."""
    wire = Wire()
    for number in range(MESSAGES):
        wire.send(0, framed(message(number)))
    return wire.records


def as_a_stream(message: Callable[[int], bytes]) -> list[bytes]:
    """Packets are cut wherever they are full, and nobody answers."""
    wire = Wire()
    wire.send(0, b"".join(framed(message(number)) for number in range(MESSAGES)))
    return wire.records


def without_frames(message: Callable[[int], bytes]) -> list[bytes]:
    wire = Wire()
    wire.send(0, b"".join(message(number) for number in range(MESSAGES)))
    return wire.records


LAYOUTS = (by_turns, message_by_message, as_a_stream, without_frames)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feeds")


@pytest.fixture(scope="module")
def feed(folder: Path) -> Callable[..., list[Sighting]]:
    @cache
    def seen(layout: Callable[..., list[bytes]], message: Callable[[int], bytes]) -> list[Sighting]:
        path = folder / "feed.pcap"
        path.write_bytes(b"".join(layout(message)))
        return list(_read(path))

    return seen


def _read(path: Path, engine: Engine | None = None) -> Iterator[Sighting]:
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), bulkhead=False, engine=engine)
        yield from pipeline.sightings()


def said(sightings: list[Sighting], name: str) -> list[str]:
    return [
        item.fact.value for item in sightings if isinstance(item.fact, Attribute) and item.fact.name == f"hl7.{name}"
    ]


def claims(sightings: list[Sighting]) -> list[Authentication]:
    return [item.fact for item in sightings if isinstance(item.fact, Authentication)]


@pytest.mark.parametrize("message", [observation, admission])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_latecomer_is_seen(feed, layout, message) -> None:
    sightings = feed(layout, message)
    assert "LATECOMER" in said(sightings, "sending_application")
    assert [claim.principal for claim in claims(sightings)].count("LATECOMER") == 10


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_latecomers_monitor_is_seen(feed, layout) -> None:
    assert "00:09:fb:00:be:ef" in said(feed(layout, observation), "mac_address")
    assert len(set(said(feed(layout, observation), "eui64"))) == 9


@pytest.mark.parametrize("message", [observation, admission])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_message_is_counted(feed, layout, message) -> None:
    assert len(claims(feed(layout, message))) == MESSAGES


def test_each_outcome_is_told(feed) -> None:
    outcomes = [(claim.principal, claim.outcome.value) for claim in claims(feed(by_turns, admission))]
    assert outcomes.count(("REGISTRATION", "accepted")) == MESSAGES - 10
    assert outcomes.count(("LATECOMER", "accepted")) == 9
    assert outcomes.count(("LATECOMER", "rejected")) == 1


@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_without_acknowledgments_nothing_is_accepted(feed, layout) -> None:
    assert {claim.outcome.value for claim in claims(feed(layout, admission))} == {"unknown"}


@pytest.mark.parametrize("message", [observation, admission])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_patient_comes_out(feed, layout, message) -> None:
    assert not [item for item in feed(layout, message) if "CANARY" in repr(item)]


@pytest.mark.parametrize("message", [observation, admission])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_attributes_are_told_once_and_again_now_and_then(feed, layout, message) -> None:
    """A fact for each message would be 100,000 of them."""
    assert len(feed(layout, message)) < 2.5 * MESSAGES


@pytest.mark.parametrize("message", [observation, admission])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_lost_packet_costs_its_messages_only(folder, layout, message) -> None:
    """Without answers and pauses all of the feed is one turn; what follows a gap in it is found again."""
    records = layout(message)
    path = folder / "torn.pcap"
    path.write_bytes(b"".join(record for number, record in enumerate(records) if number < 5 or number % 997))
    told = claims(list(_read(path)))
    assert MESSAGES * 0.99 < len(told) < MESSAGES
    assert [claim.principal for claim in told].count("LATECOMER") >= 8


@pytest.mark.parametrize("frame", [framed, bytes])
@pytest.mark.parametrize("message", [observation, admission])
def test_packets_that_were_joined_before_they_were_captured(folder, message, frame) -> None:
    """Packets nearly as large as all that the engine gives of a turn: a message is lost now and then, not the feed."""
    wire = Wire()
    wire.send(0, b"".join(frame(message(number)) for number in range(MESSAGES)), 60_000)
    path = folder / "joined.pcap"
    path.write_bytes(b"".join(wire.records))
    told = claims(list(_read(path)))
    assert MESSAGES * 0.99 < len(told) <= MESSAGES
    assert "LATECOMER" in {claim.principal for claim in told}


def test_hardly_anything_of_long_documents_is_copied(folder) -> None:
    document = b"OBX|9|ED|PDF^CANARY||^AP^^Base64^" + b"Q0FO" * 15_000 + b"||||||F\r"
    wire = Wire()
    for number in range(500):
        wire.send(0, framed(admission(number) + document))
    path, engine = folder / "documents.pcap", Engine()
    path.write_bytes(b"".join(wire.records))
    assert len(claims(list(_read(path, engine)))) == 500
    counters = engine.counters()
    assert counters["bytes_copied"] < 0.05 * counters["bytes"]
