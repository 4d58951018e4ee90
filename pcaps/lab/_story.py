"""The story: what happens in the hospital on which day, played in order, and put at its time.

Theory of operation: a *scene* is one thing that somebody does, on certain days at a certain time of day. Scenes are
played one after the other by real software; nothing waits for the clock. The capture is cut where one scene ends and
the next begins (the mirror is silent between them), and each piece is *stamped*: its first packet gets the scene's day
and time, counted from ``EPOCH``, the others keep their distance from it. A scene may be stamped ``again`` on further
days without being played anew: the same packets at another time. Nothing else in a packet is changed; so what software
writes into its messages of the present (a Kerberos time, an NTLM time stamp) is the day of the recording, and what the
lab writes (the date of a study, of a message, of a certificate) is the story's.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from _lab import Lab
from _net import LabError, wait_until_quiet
from _sidecar import PCAP_HEADER_BYTES, RECORD_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _estate import Estate, Vlan
    from _fleet import Machine
    from _net import Host

EPOCH = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
LAST_DAY = 119
MICROSECONDS = 1_000_000
SILENCE_S = 0.15

T = TypeVar("T")


@dataclass
class Hospital(Lab):
    """The lab of the whole story: machines, servers that stay up, and what wings tell each other.

    ``now`` is the story's date and time at the beginning of the scene being played; what ``open`` is given is closed at
    the end.
    """

    network: Estate  # type: ignore[assignment]
    open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    now: dt.datetime = EPOCH
    _shared: dict[type, object] = field(default_factory=dict)

    @property
    def day(self) -> int:
        """The story's day, from 0."""
        return (self.now - EPOCH).days

    def host(self, machine: Machine) -> Host:
        """Plug a machine in, or return it when it is."""
        return self.network.host(machine.name, machine.mac, machine.ip)

    def bare(self, machine: Machine, vlan: Vlan) -> Host:
        """Plug a machine in that has no address yet."""
        return self.network.bare(machine.name, machine.mac, vlan)

    def internet(self, machine: Machine) -> Host:
        """Put a machine on the internet, or return it when it is there."""
        return self.network.outside(machine.name, machine.ip)

    def share(self, thing: object) -> None:
        """Let other scenes and wings find this by its type."""
        self._shared[type(thing)] = thing

    def find(self, kind: type[T]) -> T:
        """Return what was shared of this type. Raises LabError when nothing was."""
        if kind not in self._shared:
            raise LabError(f"nobody shared a {kind.__name__}")
        return self._shared[kind]  # type: ignore[return-value]


@dataclass(frozen=True)
class Scene:
    """One thing that happens, on which days, and when in the day."""

    name: str
    what: str
    play: Callable[[Hospital], None]
    days: tuple[int, ...]
    again: tuple[int, ...]
    at: dt.time
    software: tuple[str, ...]
    synthetic: str


@dataclass(frozen=True)
class Opening:
    """What a wing starts before the first day; in order of ``order``, then name."""

    name: str
    play: Callable[[Hospital], None]
    order: int
    software: tuple[str, ...]


SCENES: dict[str, Scene] = {}
OPENINGS: dict[str, Opening] = {}
NAMES: dict[str, str] = {}  # what the name server knows besides the machines' own names


def known_as(name: str, ip: str) -> str:
    """Let the hospital's name server know a name; return it."""
    NAMES[name] = ip
    return name


def scene(
    what: str,
    *software: str,
    days: Iterable[int],
    at: str,
    again: Iterable[int] = (),
    synthetic: str = "",
) -> Callable[[Callable[[Hospital], None]], Callable[[Hospital], None]]:
    """Register a function as a scene of the story.

    ``days``: when it is played (0 to 119). ``again``: when the latest playing before is stamped once more. ``at``:
    "HH:MM" or "HH:MM:SS", UTC. ``synthetic``: why no real software speaks here; the sidecar says it.
    """

    def register(play: Callable[[Hospital], None]) -> Callable[[Hospital], None]:
        name = f"{play.__module__.removeprefix('wing_')}.{play.__name__}"
        chosen, repeated = tuple(sorted(set(days))), tuple(sorted(set(again) - set(days)))
        _check(name, chosen, repeated)
        SCENES[name] = Scene(name, what, play, chosen, repeated, dt.time.fromisoformat(at), software, synthetic)
        return play

    return register


def _check(name: str, days: tuple[int, ...], again: tuple[int, ...]) -> None:
    if not days or days[0] < 0 or max(*days, *again, 0) > LAST_DAY:
        raise LabError(f"{name}: days are 0 to {LAST_DAY}, and one at least")
    if again and again[0] < days[0]:
        raise LabError(f"{name}: cannot be stamped again before it was played")


def opening(*software: str, order: int = 50) -> Callable[[Callable[[Hospital], None]], Callable[[Hospital], None]]:
    """Register a function that starts servers before the first day; low orders come first."""

    def register(play: Callable[[Hospital], None]) -> Callable[[Hospital], None]:
        name = f"{play.__module__.removeprefix('wing_')}.{play.__name__}"
        OPENINGS[name] = Opening(name, play, order, software)
        return play

    return register


def load_wings() -> None:
    """Import every wing beside this file, which registers its scenes, openings and truth."""
    for path in sorted(Path(__file__).parent.glob("wing_*.py")):
        importlib.import_module(path.stem)


def moment(day: int, at: dt.time) -> dt.datetime:
    """Return the time of a scene."""
    return dt.datetime.combine(EPOCH.date() + dt.timedelta(days=day), at, dt.UTC)


@dataclass
class Tape:
    """What was recorded, as pieces at their times."""

    recording: Path
    pieces: list[tuple[dt.datetime, bytes]] = field(default_factory=list)
    _at: int = PCAP_HEADER_BYTES

    def cut(self) -> bytes:
        """Wait for silence, and return the records since the last cut."""
        wait_until_quiet(self.recording, SILENCE_S)
        with self.recording.open("rb") as file:
            file.seek(self._at)
            piece = file.read()
        self._at += len(piece)
        return piece

    def stamp(self, when: dt.datetime, piece: bytes) -> None:
        """Put a piece at its time."""
        if piece:
            self.pieces.append((when, piece))

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Yield all records in order of time: microseconds since 1970, and the record with that time in its header."""
        every = [record for when, piece in self.pieces for record in stamped(piece, when)]
        yield from sorted(every, key=lambda record: record[0])


def stamped(piece: bytes, when: dt.datetime) -> Iterator[tuple[int, bytes]]:
    """Yield a piece's records, moved so that the first is at ``when``."""
    at, shift = 0, None
    while at < len(piece):
        seconds, micros, kept, whole = RECORD_HEADER.unpack_from(piece, at)
        time = seconds * MICROSECONDS + micros
        if shift is None:
            shift = round(when.timestamp() * MICROSECONDS) - time
        new = time + shift
        header = RECORD_HEADER.pack(new // MICROSECONDS, new % MICROSECONDS, kept, whole)
        end = at + RECORD_HEADER.size + kept
        yield new, header + piece[at + RECORD_HEADER.size : end]
        at = end


def pcap_header() -> bytes:
    """Return the header of a little-endian pcap file of Ethernet frames with microseconds."""
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


def playings(chosen: Iterable[Scene]) -> list[tuple[int, Scene]]:
    """Return what is played in which order: by day, time of day and name."""
    every = [(day, found) for found in chosen for day in found.days]
    return sorted(every, key=lambda one: (one[0], one[1].at, one[1].name))


def repeats(found: Scene, day: int) -> list[int]:
    """Return the days on which the playing of ``day`` is stamped again: until the next playing."""
    later = [d for d in found.days if d > day]
    return [d for d in found.again if d > day and not (later and d > later[0])]


def play(hospital: Hospital, tapes: list[Tape], chosen: Iterable[Scene], tell: Callable[[str], None]) -> None:
    """Play scenes in order and keep their pieces. Raises LabError with the scene's name."""
    for day, found in playings(chosen):
        hospital.now = moment(day, found.at)
        tell(f"day {day:3} {found.at:%H:%M} {found.name}")
        try:
            found.play(hospital)
        except (LabError, OSError) as error:
            raise LabError(f"{found.name} on day {day}: {error}") from error
        for tape in tapes:
            piece = tape.cut()
            for when in (day, *repeats(found, day)):
                tape.stamp(moment(when, found.at), piece)


def open_all(hospital: Hospital, names: Iterable[str], tell: Callable[[str], None]) -> None:
    """Start what the wings start before the first day. Raises LabError with the opening's name."""
    for found in sorted((OPENINGS[name] for name in names), key=lambda one: (one.order, one.name)):
        hospital.now = EPOCH
        tell(f"opens {found.name}")
        try:
            found.play(hospital)
        except (LabError, OSError) as error:
            raise LabError(f"{found.name}: {error}") from error
