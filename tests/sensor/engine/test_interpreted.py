"""The same source compiled and interpreted gives the same events: the interpreter is the compiler's oracle."""

from __future__ import annotations

import gzip
import os
import random
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from sensor import engine as installed
from sensor.engine import COMPILED, load_interpreted
from tests.conftest import SHARED_PCAPS
from tests.sensor.engine.builder import pcap, pcapng
from tests.sensor.engine.harness import event_of, kinds_of, new_engine, opinions
from tests.sensor.engine.test_captures import conversation, react

LARGEST = 300_000
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
    return sorted(path for path in SHARED_PCAPS.glob("*.*") if path.suffix not in {".md", ".tsv", ".jsonl"})


def content_of(path: Path) -> bytes:
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    return raw[:LARGEST] if raw[:4] in MAGICS else b""


def test_the_interpreted_engine_is_interpreted() -> None:
    assert COMPILED
    assert not load_interpreted().COMPILED
    assert load_interpreted().STATS == installed.STATS


def test_the_environment_asks_for_the_interpreter() -> None:
    code = "from sensor.engine import COMPILED, Engine; print(COMPILED, Engine(flows=8).counters()['packets'])"
    environment = os.environ | {"SPANWARD_INTERPRETED": "1"}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "0"]


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_both_agree_on_a_bit_of_everything(form) -> None:
    assert both_agree(form(conversation().frames), say=react) > 10


@pytest.mark.skipif(not SHARED_PCAPS.is_dir(), reason="the shared captures are not beside this checkout")
def test_both_agree_on_real_captures() -> None:
    contents = [content for path in real_captures() if (content := content_of(path))]
    assert len(contents) > 300
    assert sum(both_agree(content) for content in contents) > 8_000
    assert sum(both_agree(content, say=lambda *_: None, head_bytes=500, head_max=900) for content in contents) > 10_000


@pytest.mark.skipif(not SHARED_PCAPS.is_dir(), reason="the shared captures are not beside this checkout")
def test_both_agree_on_mutated_captures() -> None:
    chance = random.Random(1)
    for path in chance.sample(real_captures(), 60):
        content = bytearray(content_of(path)[:8000])
        for _ in range(0 if len(content) < 60 else 1 + len(content) // 100):
            content[chance.randrange(24, len(content))] = chance.randrange(256)
        if content:
            both_agree(bytes(content), flows=8, buffer_bytes=20_000, head_bytes=64, head_max=400)


def test_the_compiler_and_the_interpreter_have_the_same_constants() -> None:
    """core.pxd holds what core.py holds: one of them alone would be changed some day."""
    text = (Path(installed.__file__).parent / "core.pxd").read_text()
    pattern = r"^\s+(?:const long long )?([A-Z][A-Z0-9_]*) (?:= )?\"?(0x[0-9A-F]+|\d+)"
    declared = dict(re.findall(pattern, text, re.MULTILINE))
    module = load_interpreted()
    block = Path(module.__file__).read_text().split("if not cython.compiled:\n")[1].split("\n\n\n")[0]
    names = set(re.findall(r"^    ([A-Z][A-Z0-9_]*) = ", block, re.MULTILINE))
    assert set(declared) == names
    assert {name: int(value, 0) for name, value in declared.items()} == {name: getattr(module, name) for name in names}
