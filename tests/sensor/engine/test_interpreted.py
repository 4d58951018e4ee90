"""The same source compiled and interpreted gives the same events: the interpreter is the compiler's oracle."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from sensor import engine as installed
from sensor.capture.pcapfile import CaptureFile
from sensor.engine import COMPILED, load_interpreted
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.captures import own_captures
from tests.conftest import PCAPS, SHARED_PCAPS
from tests.contract.test_blanks import twice
from tests.fuzz.engine import mutate
from tests.sensor.engine.builder import START_US, Tcp, Wire, datagram, ethernet, ip, pcap, pcapng, udp
from tests.sensor.engine.harness import event_of, kinds_of, new_engine, opinions, run
from tests.sensor.engine.test_captures import conversation, react
from tests.tables import told

MUTATED_BYTES = 60_000
MAGICS = {b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a"}

pytestmark = pytest.mark.skipif(not COMPILED, reason="the engine is not compiled here: there is nothing to compare")


def account(module, capture: bytes, *, say=opinions, **options) -> tuple[object, ...]:
    """Every event with everything about it, payload as a checksum; counters and traffic at the end."""
    engine = new_engine(module, **options)
    events = []
    for kind in kinds_of(engine, capture, 30_000):
        event = event_of(engine, kind)
        events.append((*event[:8], zlib.crc32(event.data), *event[9:]))
        if event.kind != "corrupt":
            say(engine, event)
    return events, engine.counters(), engine.traffic()


def both_agree(capture: bytes, **options) -> int:
    compiled = account(installed, capture, **options)
    interpreted = account(load_interpreted(), capture, **options)
    assert compiled == interpreted
    return len(compiled[0])


def real_captures() -> list[Path]:
    """The shared captures, less the one in a format that is not read, and our own."""
    shared = [path for path in SHARED_PCAPS.glob("*.*") if path.suffix not in {".md", ".tsv", ".jsonl", ".snoop"}]
    return sorted(shared) + sorted(PCAPS.glob("*/*.pcap"))


def content_of(path: Path) -> bytes:
    """All of it, unpacked."""
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    raw = zstandard.ZstdDecompressor().decompressobj().decompress(raw) if raw[:4] == b"\x28\xb5\x2f\xfd" else raw
    assert raw[:4] in MAGICS, path.name
    return raw


def test_the_interpreted_engine_is_interpreted() -> None:
    assert COMPILED
    assert not load_interpreted().COMPILED
    assert load_interpreted().STATS == installed.STATS


def test_the_environment_asks_for_the_interpreter() -> None:
    code = "from sensor.engine import COMPILED, Engine; print(COMPILED, Engine(flows=8).counters()['packets'])"
    assert interpreted(code) == "False 0"


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_both_agree_on_a_bit_of_everything(form) -> None:
    assert both_agree(form(conversation().frames), say=react) > 10


def test_both_agree_where_flows_are_many() -> None:
    """More than are in the cache anyway: batches come in parts, and end in any where a packet was reassembled."""
    wire = Wire(now_us=START_US - 3_600_000_000)
    for number in range(4_200):
        datagram(wire, b"many", source=(f"10.1.{number >> 8}.{number & 255}", 40_000))
    for number in range(40):
        whole = udp(40_000, 53, bytes([number]) * 1_000)
        wire.put(ethernet(ip("10.0.0.1", "10.0.0.2", 17, whole[:800], ident=number + 1, more=True)))
        wire.put(ethernet(ip("10.0.0.1", "10.0.0.2", 17, whole[800:], ident=number + 1, fragment=800)))
        for other in range(number):
            datagram(wire, b"beside", source=(f"10.2.0.{other}", 40_000))
    assert both_agree(pcap(wire.frames + conversation().frames), say=react) > 4_200 + 40


@pytest.mark.skipif(not SHARED_PCAPS.is_dir(), reason="the shared captures are not beside this checkout")
def test_both_agree_on_all_real_captures() -> None:
    contents = [content_of(path) for path in real_captures()]
    assert len(contents) > 700
    assert sum(both_agree(content, flows=4096) for content in contents) > 14_000
    assert sum(both_agree(content, say=lambda *_: None, head_bytes=500, head_max=900) for content in contents) > 18_000


@pytest.mark.skipif(not SHARED_PCAPS.is_dir(), reason="the shared captures are not beside this checkout")
@pytest.mark.parametrize("seed", [1, 2])
def test_both_agree_on_all_captures_mutated(seed: int) -> None:
    """Records moved about and bytes of headers changed; small tables and buffers, so that all kinds of room run out."""
    chance = random.Random(seed)
    for path in real_captures():
        content = mutate(content_of(path)[:MUTATED_BYTES], chance)
        both_agree(content, flows=8, buffer_bytes=20_000, head_bytes=64, head_max=400)


class Plodding(load_interpreted().Engine):
    """Goes through every layer and every stage with each packet."""

    def _plain(self, *_: object) -> bool:
        return False

    def _quick(self) -> bool:
        return False


def test_most_packets_are_counted_at_one_go() -> None:
    """And the test below would see if they were not: what it compares does go another way."""
    wire = Wire()
    talk = Tcp(wire).open()
    talk.send(0, bytes(14_600))
    for _ in range(20):
        talk.ack(1)
    stages: Counter[str] = Counter()

    class Watched(load_interpreted().Engine):
        def _unpack(self) -> int:
            stages["slow"] += 1
            return int(super()._unpack())

    run(wire.pcap(), lambda engine, event: engine.done(event.flow), engine=new_engine(SimpleNamespace(Engine=Watched)))
    assert stages["slow"] < 8 < len(wire.frames)


@pytest.mark.skipif(not SHARED_PCAPS.is_dir(), reason="the shared captures are not beside this checkout")
@pytest.mark.parametrize("say", [opinions, lambda engine, event: engine.done(event.flow)])
def test_the_usual_way_of_a_packet_is_no_other_way(say) -> None:
    """What `_plain` and `_quick` do with most packets is what the layers and stages would do, to the last count."""
    for path in real_captures()[::2]:
        content = content_of(path)
        quick, plodding = (
            account(module, content, flows=4096, say=say, head_bytes=500, head_max=900)
            for module in (load_interpreted(), SimpleNamespace(Engine=Plodding))
        )
        assert quick == plodding, path.name


@pytest.mark.skipif(not SHARED_PCAPS.is_dir(), reason="the shared captures are not beside this checkout")
def test_both_give_the_same_facts() -> None:
    """Through dispatch and every parser."""
    for path in real_captures():
        assert facts_of(path) == facts_of(path, load_interpreted()), path.name


def facts_of(path: Path, module=installed) -> list[object]:
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), bulkhead=False, engine=module.Engine(flows=4096))
        return [item.to_json() for item in pipeline.sightings()]


def test_all_that_is_compiled_is_the_same_interpreted(tmp_path: Path) -> None:
    """Facts, rows of small batches, and what was recalled, of captures that say all twice."""
    made = (twice(path, tmp_path / path.name) for path in own_captures("tls"))
    doubled = [path for path in made if path is not None]
    compiled = [everything(path) for path in doubled]
    assert interpreted(EVERYTHING, *map(str, doubled)) == repr(compiled)
    assert sum(known for *_, known in compiled) > 100


EVERYTHING = """
import sys
from pathlib import Path
from tests.sensor.engine.test_interpreted import everything
print([everything(Path(path)) for path in sys.argv[1:]])
"""


def interpreted(code: str, *args: str) -> str:
    """What this code prints where nothing is compiled."""
    environment = os.environ | {"SPANWARD_INTERPRETED": "1"}
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def everything(path: Path) -> tuple[object, ...]:
    with CaptureFile(path, window_bytes=4096) as capture:
        pipeline = Pipeline(capture, Site(), SiteKey.test(), bulkhead=False, batch_bytes=8192)
        rows = [(name, told(part)) for batch in pipeline.batches() for name, part in batch.parts]
        counters = json.loads(str(pipeline.summary()["counters"]))
    return facts_of(path), rows, counters["runs_known"]


@pytest.mark.parametrize("source", ["columns", "courses", "days", "digests", "flows", "layout", "seen"])
def test_the_compiler_and_the_interpreter_have_the_same_constants(source: str) -> None:
    """A .pxd holds what the .py holds: one of them alone would be changed some day."""
    text = (Path(installed.__file__).parent / f"{source}.pxd").read_text()
    pattern = r"^\s+(?:const (?:unsigned )?(?:long long|int) )?([A-Z][A-Z0-9_]*) (?:= )?\"?(0x[0-9A-F]+|\d+)"
    declared = dict(re.findall(pattern, text, re.MULTILINE))
    module = load_interpreted(source)
    block = Path(module.__file__).read_text().split("if not cython.compiled:\n")[1].split("\n\n\n")[0]
    names = set(re.findall(r"^    ([A-Z][A-Z0-9_]*) = ", block, re.MULTILINE))
    assert set(declared) == names
    assert {name: int(value, 0) for name, value in declared.items()} == {name: getattr(module, name) for name in names}
