"""Cut everywhere: whatever is left out of a capture, the rest never says anything that the whole does not."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from sensor.engine import Engine
from tests.captures import facts, name_of, own_captures, packets, plain, weaker, write

SAMPLE = 24
CAPTURES = own_captures()


def sampled(count: int, limit: int = SAMPLE) -> list[int]:
    """At most `limit` numbers spread over `range(count)`, both ends among them."""
    if count <= limit:
        return list(range(count))
    return sorted({round(step * (count - 1) / (limit - 1)) for step in range(limit)})


def assert_within(cut: list[dict[str, Any]], whole: list[dict[str, Any]], how: str) -> None:
    for fact in plain(cut):
        assert any(weaker(fact, other) for other in whole), f"{how}: the whole capture does not say {fact}"


@lru_cache(maxsize=8)
def whole_facts(path: Path) -> list[dict[str, Any]]:
    return plain(facts(path))


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
@pytest.mark.parametrize("head_bytes", [64, 512, 4096])
def test_short_heads(path: Path, head_bytes: int) -> None:
    cut = facts(path, Engine(head_bytes=head_bytes, head_max=head_bytes))
    assert_within(cut, whole_facts(path), f"heads of {head_bytes}")


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_any_packet_lost(path: Path, tmp_path: Path) -> None:
    header, records = packets(path)
    for number in sampled(len(records)):
        cut = facts(write(tmp_path / "cut.pcap", header, records[:number] + records[number + 1 :]))
        assert_within(cut, whole_facts(path), f"without packet {number + 1}")


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_started_in_the_middle(path: Path, tmp_path: Path) -> None:
    header, records = packets(path)
    for number in sampled(len(records)):
        cut = facts(write(tmp_path / "cut.pcap", header, records[number:]))
        assert_within(cut, whole_facts(path), f"from packet {number + 1} on")


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_one_lane_only(path: Path, tmp_path: Path) -> None:
    header, records = packets(path)
    for sender in sorted({record.data[6:12] for record in records}):
        kept = [record for record in records if record.data[6:12] != sender]
        cut = facts(write(tmp_path / "cut.pcap", header, kept))
        assert_within(cut, whole_facts(path), f"without all that {sender.hex(':')} sent")
