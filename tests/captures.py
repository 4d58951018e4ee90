"""Captures for tests: which there are, what is read in them, and how to cut them up."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from parsers.core import Anomaly, Registry
from sensor.capture.pcapfile import CaptureFile
from sensor.engine import DATA, DATAGRAM, END, Engine
from sensor.pipeline import Pipeline
from sensor.sighting import Sighting
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.conftest import PCAPS, SHARED_PCAPS
from tests.tables import told

Fact = tuple[tuple[str, Any], ...]
_VOLATILE = ("ts", "capture", "frame", "community_id", "quality")


_WITH_TESTS_OF_THEIR_OWN = {"hostile", "hospital"}


def own_captures(folder: str = "*") -> list[Path]:
    """The project's captures of single scenarios, in order."""
    found = PCAPS.glob(f"{folder}/*.pcap*")
    return sorted(path for path in found if path.parent.name not in _WITH_TESTS_OF_THEIR_OWN)


def hospital() -> list[Path]:
    """The recorded hospital, where it is there."""
    return sorted((PCAPS / "hospital").glob("*.pcap"))


def shared_captures(part: str = "") -> list[Path]:
    """The public captures whose name contains `part`; none where the folder is not there."""
    names = (".pcap", ".pcapng", ".cap", ".gz", ".snoop")
    return sorted(path for path in SHARED_PCAPS.glob("*") if path.suffix in names and part in path.name)


def name_of(path: Path) -> str:
    """A test's id for a capture."""
    return f"{path.parent.name}/{path.stem}"


def items(path: Path, engine: Engine | None = None) -> list[Sighting]:
    """All facts of a capture, read to its end with the bulkhead off."""
    with CaptureFile(path) as capture:
        return list(Pipeline(capture, Site(), SiteKey.test(), bulkhead=False, engine=engine).sightings())


def rows(path: Path, engine: Engine | None = None) -> dict[str, list[dict[str, Any]]]:
    """What a capture gives to the store, by table."""
    found: dict[str, list[dict[str, Any]]] = {}
    with CaptureFile(path) as capture:
        for batch in Pipeline(capture, Site(), SiteKey.test(), bulkhead=False, engine=engine).batches():
            for name, table in batch.parts:
                found.setdefault(name, []).extend(told(table))
    return found


def everything(path: Path) -> bytes:
    """All that leaves the worker: lines of facts, folded tables."""
    return b"\n".join([*(item.to_json() for item in items(path)), msgspec.json.encode(rows(path), enc_hook=str)])


def facts(path: Path, engine: Engine | None = None) -> list[dict[str, Any]]:
    """The facts of a capture as `spanward facts` prints them."""
    return [msgspec.json.decode(item.to_json()) for item in items(path, engine)]


def plain(found: Iterable[dict[str, Any]], *, anomalies: bool = False) -> list[dict[str, Any]]:
    """Facts without time, evidence and quality; without anomalies unless wanted."""
    return [
        {key: value for key, value in fact.items() if key not in _VOLATILE}
        for fact in found
        if anomalies or fact["kind"] != "anomaly"
    ]


def weaker(cut: dict[str, Any], whole: dict[str, Any]) -> bool:
    """Whether `cut` says nothing that `whole` does not: an outcome may be unknown, a detail absent, never different."""
    if cut.keys() != whole.keys():
        return False
    for key, value in cut.items():
        other = whole[key]
        if value == other or value is None or (key == "outcome" and value == "unknown"):
            continue
        if key == "details" and all(name in other and other[name] == said for name, said in value.items()):
            continue
        return False
    return True


# ------------------------------------------------------------------ classic pcap files, taken apart and put together


_MICROSECONDS, _NANOSECONDS = b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"


class Packet(NamedTuple):
    """A record of a classic pcap file: its 16 header bytes and its data."""

    header: bytes
    data: bytes

    def ts_us(self, file_header: bytes) -> int:
        """When it was captured, in us."""
        seconds, part = struct.unpack_from("<II", self.header)
        return seconds * 1_000_000 + (part // 1000 if file_header[:4] == _NANOSECONDS else part)


def is_plain(path: Path) -> bool:
    """A classic little-endian pcap file, whose packets can be read without Spanward."""
    with path.open("rb") as file:
        return file.read(4) in {_MICROSECONDS, _NANOSECONDS}


def packets(path: Path) -> tuple[bytes, list[Packet]]:
    """The file header and the records of a classic little-endian pcap file."""
    assert is_plain(path), f"{path.name} is not a little-endian pcap"
    raw = path.read_bytes()
    at, found = 24, []
    while at + 16 <= len(raw):
        captured = struct.unpack_from("<I", raw, at + 8)[0]
        found.append(Packet(raw[at : at + 16], raw[at + 16 : at + 16 + captured]))
        at += 16 + captured
    return raw[:24], found


def write(path: Path, header: bytes, records: Iterable[Packet]) -> Path:
    """A classic pcap file of these records."""
    path.write_bytes(header + b"".join(record.header + record.data for record in records))
    return path


# ------------------------------------------------------------------ conversations, for feeding sessions directly


class Piece(NamedTuple):
    """Bytes of one lane, in order, of one turn; or one datagram."""

    lane: int
    data: bytes
    turn: int


class Talk(NamedTuple):
    """One conversation as a session is fed it."""

    name: str
    over: str
    ports: tuple[int, int]
    pieces: list[Piece]


def talks(path: Path) -> Iterator[Talk]:
    """The conversations of a capture, every byte of them."""
    with CaptureFile(path) as capture:
        engine = Engine(head_bytes=1 << 30, head_max=1 << 30)
        open_talks: dict[int, Talk] = {}
        for event in capture.pump(engine):
            if event in (DATA, DATAGRAM):
                addresses = engine.addresses(engine.flow)
                over = "tcp" if addresses[0] == 6 else "udp"
                talk = open_talks.setdefault(
                    engine.flow, Talk(f"{name_of(path)}:{addresses[4]}", over, (addresses[7], addresses[4]), [])
                )
                talk.pieces.append(Piece(engine.lane, engine.take(), engine.turn))
            elif event == END and engine.flow in open_talks:
                yield open_talks.pop(engine.flow)


def feed(registry: Registry, talk: Talk, pieces: Iterable[Piece]) -> list[str]:
    """What a session says about these pieces: sorted texts of its facts, anomalies left out."""
    from parsers.core import Session

    session = Session(registry, talk.over, talk.ports, roles_guessed=talk.over == "udp")
    said = []
    for piece in pieces:
        if talk.over == "udp":
            said += session.feed_datagram(piece.lane, piece.data)
        else:
            said += session.feed(piece.lane, piece.data, piece.turn)
    said += session.end()
    return sorted(repr(fact) for fact in said if not isinstance(fact, Anomaly))
