"""Fuzz target: a capture file's bytes through the engine, with a dissector that says everything at odd moments.

Besides not failing, the engine has to keep its promises: rows in range, one END for each flow, sizes that are true,
memory within its bounds. Each 50th input runs interpreted too, and must give the same events.
"""

from __future__ import annotations

import random
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from types import ModuleType

from sensor import engine as installed
from sensor.engine import load_interpreted
from tests.sensor.engine.builder import Frame, Tcp, Wire, datagram, ethernet, ip, pcap, pcapng
from tests.sensor.engine.harness import Event, event_of, kinds_of, new_engine, opinions
from tests.sensor.engine.hostile import SCENARIOS
from tests.sensor.engine.test_tunnels import EVERY, SCOPES, nested

SHARED = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "pcaps"
OPTIONS = {"flows": 8, "buffer_bytes": 30_000, "head_bytes": 200, "head_max": 900, "sample_after": 4, "sample_each": 3}
FRAGMENT_BYTES = 16 << 20
INTERPRET_EACH = 50
INTERPRET_PACKETS = 600
HOSTILE_PACKETS = 300
PROBES_MAX = 64 + 2  # the longest chain, and once more for each flow that has to end first
LARGEST_SEED = 6000


def fuzz_one(data: bytes) -> int:
    """One capture; raises AssertionError where the engine breaks a promise. Returns how many packets were in it."""
    events, counters = account(installed, data)
    check(events)
    if zlib.crc32(data) % INTERPRET_EACH == 0 and counters["packets"] <= INTERPRET_PACKETS:
        assert account(load_interpreted(), data) == (events, counters), "interpreted and compiled differ"
    return counters["packets"]


def account(module: ModuleType, data: bytes) -> tuple[list[Event], dict[str, int]]:
    engine, events = new_engine(module, **OPTIONS), []
    engine.scope_of_tunnel(SCOPES)
    for kind in kinds_of(engine, data, 4096):
        events.append(event_of(engine, kind))
        if events[-1].kind != "corrupt":
            opinions(engine, events[-1])
    counters = engine.counters()
    assert counters["held_bytes"] <= OPTIONS["buffer_bytes"] + FRAGMENT_BYTES
    assert min(counters.values()) >= 0
    assert counters["rows_in_use"] <= OPTIONS["flows"]
    assert counters["probes"] <= PROBES_MAX * counters["packets"]
    return events, counters


def check(events: list[Event]) -> None:
    live: set[int] = set()
    for event in events:
        if event.kind == "corrupt":
            continue
        assert 0 <= event.flow < OPTIONS["flows"]
        assert event.lane in {0, 1}
        assert event.kind not in {"data", "datagram"} or event.size == len(event.data) > 0
        assert event.kind != "gap" or event.size > 0
        assert min(event.stats) >= 0
        live = live - {event.flow} if event.kind == "end" else live | {event.flow}
    assert not live, "flows without an END"
    frames = [event.frame for event in events if event.kind != "corrupt"]
    assert all(a <= b for a, b in pairwise(frames))


# --- inputs


def corpus() -> list[bytes]:
    """Small captures of our own, and the small ones among the shared captures when they are there."""
    kinds = (_streams(), _fragments(), _datagrams(), _mixed(), _tunnels(), _tunnels()[::-1])
    own = [form(frames) for frames in kinds for form in (pcap, pcapng)]
    hostile = [pcap(scenario(HOSTILE_PACKETS)) for scenario in SCENARIOS.values()]
    shared = sorted(SHARED.glob("*.pcap*")) if SHARED.is_dir() else []
    return own + hostile + [path.read_bytes() for path in shared if 60 < path.stat().st_size < LARGEST_SEED]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Whole records are moved about and bytes changed, mostly in headers, so that packets stay packets."""
    magic, records = data[:4], _records(data)
    if magic == b"\xd4\xc3\xb2\xa1" and records and chance.random() < 0.9:
        for _ in range(chance.choice((1, 1, 2, 3, 8))):
            chance.choice((_swap, _repeat, _drop, _change, _change, _change, _cut))(records, chance)
        return data[:24] + b"".join(records)
    content = bytearray(data)
    for _ in range(chance.choice((1, 2, 5, 20))):
        content[chance.randrange(len(content))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(content[: chance.randrange(24, len(content) + 1)] if chance.random() < 0.2 else content)


def _records(data: bytes) -> list[bytearray]:
    """The records of a little-endian pcap, header and all."""
    records, at = [], 24
    while at + 16 <= len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        records.append(bytearray(data[at : at + 16 + size]))
        at += 16 + size
    return records


def _swap(records: list[bytearray], chance: random.Random) -> None:
    a, b = chance.randrange(len(records)), chance.randrange(len(records))
    records[a], records[b] = records[b], records[a]


def _repeat(records: list[bytearray], chance: random.Random) -> None:
    records.insert(chance.randrange(len(records) + 1), bytearray(chance.choice(records)))


def _drop(records: list[bytearray], chance: random.Random) -> None:
    if len(records) > 1:
        del records[chance.randrange(len(records))]


def _cut(records: list[bytearray], chance: random.Random) -> None:
    record = chance.choice(records)
    if len(record) > 16:
        del record[chance.randrange(16, len(record)) :]
        struct.pack_into("<I", record, 8, len(record) - 16)


def _change(records: list[bytearray], chance: random.Random) -> None:
    """A byte of time, of the headers, or anywhere; lengths in the record's header stay true, mostly."""
    record = chance.choice(records)
    headers = range(16, min(len(record), 90)), range(30, min(len(record), 76)), range(58, min(len(record), 150))
    places = [range(8), *headers, range(len(record))]
    place = chance.choice(chance.choices(places, (1, 4, 8, 4, 1))[0] or range(8))
    record[place] = chance.choice((0, 1, 0x10, 0x7F, 0x80, 0xFF, record[place] ^ 1, chance.randrange(256)))


def _streams() -> list[Frame]:
    wire = Wire()
    for number in range(3):
        talk = Tcp(wire, ports=(50000 + number, 104), isn=(0xFFFFFF00, 7), vlans=(number,) * number).open()
        for turn in range(3):
            talk.send(0, b"ask\r\n" * 20 * (turn + 1), mss=60)
            talk.send(1, bytes(300 + turn), mss=130)
        talk.segment(0, talk.sent[0] + 40, b"ahead" * 9)
        talk.segment(0, talk.sent[0], b"fills" * 9)
    talk.close()
    wire.wait(90000)
    talk.send(0, b"late")
    return wire.frames


def _fragments() -> list[Frame]:
    wire = Wire()
    for ident in range(3):
        for at in range(0, 48, 16):
            head = struct.pack(">BBHI", 17, 0, at | (at < 32), ident)
            wire.put(ethernet(ip("fd00::1", "fd00::2", 44, bytes(range(16)), extensions=head)))
            wire.put(ethernet(ip("10.0.0.1", "10.0.0.2", 17, bytes(range(16)), ident=ident, fragment=at, more=at < 32)))
    return wire.frames


def _mixed() -> list[Frame]:
    """Reassembled packets between packets of streams."""
    streams, fragments = _streams(), _fragments()
    return [frame for pair in zip(streams, fragments * 9, strict=False) for frame in pair]


def _datagrams() -> list[Frame]:
    wire = Wire()
    for number in range(6):
        datagram(wire, b"ask %d" % number, vlans=(number,))
        datagram(wire, b"answer", source=("10.0.0.2", 161), target=("10.0.0.1", 40000))
    return wire.frames


def _tunnels() -> list[Frame]:
    """Every tunnel once, tunnels in tunnels, and each third frame again as another mirror's copy."""
    wire = Wire(step_us=300)
    for number, frame in enumerate([*EVERY, *(nested(EVERY[0], times) for times in range(8))]):
        wire.put(frame)
        if number % 3 == 0:
            wire.put(frame)
    return wire.frames
