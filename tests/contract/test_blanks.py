"""What a protocol calls blank decides nothing, and what is recalled is what would have been read."""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from parsers.core import Anomaly, Attribute, Blanks, Fact, Protocol, Registry, Session, Side
from sensor.capture.pcapfile import CaptureFile
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.captures import Packet, Piece, Talk, name_of, own_captures, packets, plain, talks, write
from tests.conftest import PCAPS

REGISTRY = Registry.installed()
RECALLED = [protocol for protocol in REGISTRY.protocols if protocol.blanks is not None]
CAPTURES = [path for protocol in RECALLED for path in own_captures(protocol.name)]
HOUR_S = 3600
ETHERNET = 1
TAG = b"\x81\x00\x00\x05"
SITE = Site(scopes={"copy": (5,)})


def own_talks() -> Iterator[tuple[Talk, Protocol]]:
    for protocol in RECALLED:
        for path in own_captures(protocol.name):
            yield from ((talk, protocol) for talk in talks(path) if talk.over == protocol.over)


def said(talk: Talk, pieces: list[Piece]) -> list[list[Fact]]:
    """What a session says after each piece, anomalies left out."""
    session = Session(REGISTRY, talk.over, talk.ports)
    steps = [session.feed(piece.lane, piece.data, piece.turn) for piece in pieces]
    return [[fact for fact in facts if not isinstance(fact, Anomaly)] for facts in [*steps, session.end()]]


def marked(talk: Talk, protocol: Protocol) -> tuple[list[Piece], list[Blanks]]:
    """The pieces that could be recalled, up to the first one that could not, and their blanks."""
    lanes, found = [b"", b""], []
    assert protocol.blanks is not None
    for piece in talk.pieces:
        before = len(lanes[piece.lane])
        lanes[piece.lane] += piece.data
        head = lanes[piece.lane]
        blanks = protocol.blanks(head, Side(piece.lane), True, 0)
        if blanks is None or any(head.startswith(value, at) for at, value in blanks.unless):
            break
        own = _clipped(blanks.own, before, len(piece.data))
        said = tuple((start - before, end - before, field) for start, end, field in blanks.said if start >= before)
        found.append(Blanks(own, said))
    return talk.pieces[: len(found)], found


def _clipped(spans: tuple[tuple[int, int], ...], before: int, length: int) -> tuple[tuple[int, int], ...]:
    inside = ((max(start - before, 0), min(end - before, length)) for start, end in spans)
    return tuple((start, end) for start, end in inside if end - start >= 8)


def filled(data: bytes, spans: Iterable[tuple[int, int]], chance: random.Random, known: dict[bytes, bytes]) -> bytes:
    """Other bytes in the spans; the same for the same."""
    for start, end in spans:
        other = known.setdefault(data[start:end], bytes(chance.choices(range(97, 123), k=end - start)))
        data = data[:start] + other + data[end:]
    return data


def test_there_is_something_to_test() -> None:
    assert RECALLED
    assert sum(bool(blanks.own) for talk, protocol in own_talks() for blanks in marked(talk, protocol)[1]) > 200


def test_blanks_decide_nothing() -> None:
    for talk, protocol in own_talks():
        (pieces, blanks), known, chance = marked(talk, protocol), {}, random.Random(talk.name)
        other = [
            piece._replace(data=filled(piece.data, spans.own, chance, known))
            for piece, spans in zip(pieces, blanks, strict=True)
        ]
        assert said(talk, other) == said(talk, pieces), talk.name


def test_blanks_are_the_same_where_those_before_are_known() -> None:
    for talk, protocol in own_talks():
        lanes = [b"", b""]
        for piece in marked(talk, protocol)[0]:
            before = len(lanes[piece.lane])
            lanes[piece.lane] += piece.data
            named = [_since(protocol, lanes[piece.lane], piece.lane, before, known) for known in (0, before)]
            assert named[0] == named[1], talk.name


def _since(protocol: Protocol, head: bytes, lane: int, before: int, known_bytes: int) -> Blanks:
    """The blanks of what follows after `before`, as far as they reach into it."""
    blanks = protocol.blanks and protocol.blanks(head, Side(lane), True, known_bytes)
    assert blanks is not None
    said = tuple(span for span in blanks.said if span[0] >= before)
    return Blanks(
        _clipped(blanks.own, before, len(head)), said, tuple(one for one in blanks.unless if one[0] >= before)
    )


def test_what_may_be_said_is_declared() -> None:
    """Such runs are learnt at once."""
    found: dict[str, set[str]] = {}
    for talk, protocol in own_talks():
        names = found.setdefault(protocol.name, set())
        names.update(field.name for blanks in marked(talk, protocol)[1] for _, _, field in blanks.said)
    assert found == {protocol.name: protocol.said for protocol in RECALLED}


def test_what_is_said_decides_nothing_else() -> None:
    for talk, protocol in own_talks():
        (pieces, blanks), known, chance = marked(talk, protocol), {}, random.Random(talk.name)
        other = [
            piece._replace(data=filled(piece.data, [span[:2] for span in spans.said], chance, known))
            for piece, spans in zip(pieces, blanks, strict=True)
        ]
        texts = {old.decode(errors="replace"): new.decode() for old, new in known.items()}
        renamed = [[_renamed(fact, texts) for fact in facts] for facts in said(talk, pieces)]
        assert said(talk, other) == renamed, talk.name


def _renamed(fact: Fact, texts: dict[str, str]) -> Fact:
    if isinstance(fact, Attribute) and fact.value in texts:
        return msgspec.structs.replace(fact, value=texts[fact.value])
    return fact


def twice(path: Path, into: Path) -> Path | None:
    """A capture, and an hour later the same in another VLAN, which is another scope."""
    header, records = packets(path)
    if struct.unpack_from("<I", header, 20)[0] != ETHERNET or any(len(record.data) < 14 for record in records):
        return None
    again = []
    for record in records:
        seconds, fraction, captured, length = struct.unpack("<4I", record.header)
        tagged = record.data[:12] + TAG + record.data[12:]
        again.append(Packet(struct.pack("<4I", seconds + HOUR_S, fraction, captured + 4, length + 4), tagged))
    return write(into, header, [*records, *again])


def read(path: Path) -> tuple[list[dict], int]:
    """The facts, and how many runs were recalled."""
    with CaptureFile(path) as capture:
        pipeline = Pipeline(capture, SITE, SiteKey.test(), bulkhead=False)
        found = [msgspec.json.decode(sighting.to_json()) for sighting in pipeline.sightings()]
        counters = msgspec.json.decode(str(pipeline.summary()["counters"]))
    return plain(found, anomalies=True), counters["runs_known"]


@pytest.fixture(scope="module")
def recalled() -> Counter[str]:
    return Counter()


@pytest.mark.parametrize("path", CAPTURES, ids=name_of)
def test_what_is_recalled_is_what_would_be_read(path: Path, tmp_path: Path, recalled: Counter[str]) -> None:
    doubled = twice(path, tmp_path / "twice.pcap")
    if doubled is None:
        pytest.skip("not Ethernet")
    facts, known = read(doubled)
    recalled["runs"] += known
    by_scope: dict[str, list[str]] = {"default": [], "copy": []}
    for fact in facts:
        by_scope[fact.pop("scope")].append(repr(fact))
    assert sorted(by_scope["copy"]) == sorted(by_scope["default"])


def test_something_was_recalled(tmp_path: Path) -> None:
    """A plain handshake needs no session the second time."""
    doubled = twice(PCAPS / "tls" / "tls12_ecdhe.pcap", tmp_path / "twice.pcap")
    assert doubled is not None
    assert read(doubled)[1] >= 3
