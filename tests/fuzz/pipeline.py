"""Fuzz target: a capture file's bytes through the whole pipeline: engine, dispatch, every parser, and fold.

Nothing may fail, no bug may hide behind the bulkhead, what is held while reading is bounded, and at the end nothing is
held any more. What earlier conversations taught the sensor must not change what it says: some inputs are read again
without. (Listening is not compared: which turns of an unknown conversation are looked at is luck once bytes are
missing, and whoever looks at others finds more here and less there.)
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from parsers.core import Registry
from sensor import dispatch
from sensor.dispatch import Dispatcher
from sensor.engine import CORRUPT, FULL, Engine
from sensor.fold import Fold
from sensor.sighting import Said
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.captures import is_plain, packets
from tests.fuzz import engine as engine_target
from tests.live.firewall import firewalled
from tests.sensor.engine.builder import pcap
from tests.sensor.engine.harness import kinds_of
from tests.sensor.engine.hostile import SCENARIOS

PCAPS = Path(__file__).resolve().parent.parent.parent / "pcaps"
REGISTRY = Registry.installed()
SITE, KEY = Site(), SiteKey.test()
FLOWS, BUFFER_BYTES, FRAGMENT_BYTES = 32, 1 << 20, 16 << 20
LARGEST_SEED = 20_000
FACTS_MAX = 2_000
FOLD_EACH = 8
PLAINLY_EACH = 8
FIREWALL_US = 4


def fuzz_one(data: bytes) -> int:
    """One capture. Returns how many packets were in it."""
    said, counters = read(data)
    mark = zlib.crc32(data)
    if mark % FOLD_EACH == 0:
        fold = Fold(SITE.scope_names)
        for words in said:
            fold.add(words)
        dict(fold.drain())
    if mark // FOLD_EACH % PLAINLY_EACH == 0:
        assert facts(said) == facts(read(data, recall=False)[0]), "recall changes what is said"
    return counters["packets"]


def read(data: bytes, *, recall: bool = True) -> tuple[list[Said], dict[str, int]]:
    """All that is said of a capture, and the engine's counters, with recall or without."""
    said: list[Said] = []
    engine = Engine(flows=FLOWS, buffer_bytes=BUFFER_BYTES)
    engine.mark_responders(port for protocol in REGISTRY.protocols for port in protocol.port_hints)
    with mock.patch.object(dispatch, "COURSES_MAX", dispatch.COURSES_MAX if recall else 0):
        dispatcher = Dispatcher(engine, REGISTRY, SITE, KEY, said.append, bulkhead=False)

        def events(engine: Engine, step: Callable[[], int]) -> Iterator[int]:
            return (kind for kind in kinds_of(engine, data, 4096, step) if kind != CORRUPT)

        for event in dispatcher.run(events):
            assert len(dispatcher.flows) <= FLOWS
            if event == FULL:
                engine.take_days()
    engine.take_days()
    counters = engine.counters()
    assert sum(len(words.words.facts) for words in said) <= FACTS_MAX + len(data), "more facts than bytes"
    assert not dispatcher.flows, "flows without an END"
    assert counters["held_bytes"] <= FRAGMENT_BYTES
    assert counters["days_lost"] == 0
    return said, counters


def facts(said: list[Said]) -> list[str]:
    """What is said of whom, in any order; without MAC addresses, which a flow may show one after the other."""
    return sorted(
        repr((words.ends.initiator[0], words.ends.responder[0], words.ends.port, words.port, words.protocol, fact))
        for words in said
        for fact in words.words.facts
    )


def corpus() -> list[bytes]:
    """Small captures, most of them twice, as others' too, or on both sides of a firewall; and what is to hurt."""
    paths = sorted(PCAPS.glob("*/*.pcap"))
    paths += sorted(engine_target.SHARED.glob("*.pcap*")) if engine_target.SHARED.is_dir() else []
    hostile = [pcap(scenario(engine_target.HOSTILE_PACKETS)) for scenario in SCENARIOS.values()]
    small = [path for path in paths if 60 < path.stat().st_size < LARGEST_SEED]
    both_sides = [seen_from_both_sides(path) for path in small[::4] if is_plain(path)]
    return hostile + both_sides + [doubled(path.read_bytes()) for path in small]


def seen_from_both_sides(path: Path) -> bytes:
    """Of a firewall that numbers streams anew."""
    header, records = packets(path)
    return header + b"".join(record.header + record.data for record in firewalled(records, FIREWALL_US))


def doubled(capture: bytes) -> bytes:
    """A little-endian pcap of IPv4 in Ethernet, and then the same again between other hosts."""
    if capture[:4] != b"\xd4\xc3\xb2\xa1" or capture[20] != 1:
        return capture
    again = []
    for record in engine_target._records(capture):
        if record[28:30] == b"\x08\x00" and len(record) > 50:
            record[43] ^= 0x40
            record[47] ^= 0x40
            struct.pack_into("<I", record, 0, struct.unpack_from("<I", record)[0] + 1 & 0xFFFFFFFF)
        again.append(record)
    return capture + b"".join(again)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """As for the engine."""
    return engine_target.mutate(data, chance)
