# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""Which protocols there are, and which of them may begin with these bytes.

The registry walks the package `parsers` and takes the `PROTOCOL` of every module whose name has no underscore in front.
Each protocol says with which bytes a lane of it can begin (`lead`); from these one index over the first byte is built,
so that a head meets `PROBES_MAX` probes at most, whatever the number of protocols. Ports only decide the order.

Which of them fit is found out once for each beginning, of as many bytes as the longest lead has.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Collection, Generator, Iterable
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from parsers.core.fact import Field, Side
from parsers.core.members import at_hand

if TYPE_CHECKING:
    from parsers.core.exchange import Exchange
    from parsers.core.lane import Steps

PROBES_MAX: Final = 3
BEGINNINGS_MAX: Final = 4_096


@at_hand
class Verdict(IntEnum):
    """What a probe says of the first bytes of a lane: certainly not, cannot say yet, this looks like it."""

    NO = 0
    MORE = 1
    LIKELY = 2


@at_hand
class Confidence(IntEnum):
    """How sure we are of a conversation's protocol."""

    PORT = 0
    PROBED = 1
    CONFIRMED = 2

    __hash__ = int.__hash__  # see `Side`

    @property
    def label(self) -> str:
        """`port`, `probed` or `confirmed`, as it stands in conversations."""
        return _LABEL[self]


_LABEL: Final = ("port", "probed", "confirmed")


class Lead(msgspec.Struct, frozen=True):
    """First bytes of a lane: `value` where `mask` has ones. Without a mask all bits count."""

    value: bytes
    mask: bytes = b""

    def matches(self, head: bytes) -> bool:
        """Whether `head`, as far as it goes, fits."""
        if not self.mask:
            return head[: len(self.value)] == self.value[: len(head)]
        return all(h & m == v & m for h, v, m in zip(head, self.value, self.mask, strict=False))

    def first_bytes(self) -> Iterable[int]:
        """The values that the first byte can have."""
        mask = self.mask[0] if self.mask else 0xFF
        if mask == 0xFF:
            return (self.value[0],)
        return (byte for byte in range(256) if byte & mask == self.value[0] & mask)


class Blanks(msgspec.Struct, frozen=True):
    """Spans (start, end) of a lane's bytes in which conversations differ that say the same.

    Attributes:
        own: no fact depends on what they hold, but on whether an earlier blank held the same. Whatever shows where
            they are, lengths and types, lies outside of them.
        said: spans whose content is stated, as this attribute of the side, unless an earlier blank held the same; and
            no other fact depends on more than that.
        unless: positions with the bytes that must not stand there, for else the message means something else.
    """

    own: tuple[tuple[int, int], ...] = ()
    said: tuple[tuple[int, int, Field], ...] = ()
    unless: tuple[tuple[int, bytes], ...] = ()


Probe = Callable[[bytes, Side], Verdict]


class Protocol(msgspec.Struct, frozen=True):
    """What one parser exports as `PROTOCOL`.

    Attributes:
        name: lower case; the first part of its attributes' names.
        spec: the standard that it follows.
        over: `tcp`, `udp`, `ethernet`, or the name of the protocol that hands messages on.
        probe: is asked about the first bytes of a lane (`over="udp"`: about a datagram). It never refuses a prefix of
            what it accepts, and is also asked whether bytes after a gap are a boundary of messages.
        dissect: makes the generator that reads one lane.
        lead: first bytes by which a lane can begin; empty where nothing can be said.
        port_hints: registered or usual ports of the responder; they order probes and decide nothing.
        finds_boundary: after a gap its dissector finds the next boundary by itself, wherever it begins (`r.resumed`);
            the probe is not asked then, and no turn is given up.
        blanks: names the blanks in the bytes of a lane since it began, or (`whole` is False) since bytes of it were
            left out; None for bytes that had better be read anew. The last argument says of how many of them it has
            named the blanks before, which it may then leave away. Without it nothing of this protocol is recalled.
        said: names of the attributes that `blanks` may find to be said as they are.
        exchange: makes what knows a usual question and its answer without lanes; None where there is no such thing.
        version: raised when the facts that this parser states change; part of the parser-set version.
    """

    name: str
    spec: str
    over: str
    probe: Probe
    dissect: Callable[..., Steps]
    lead: tuple[bytes | Lead, ...] = ()
    port_hints: frozenset[int] = frozenset()
    finds_boundary: bool = False
    blanks: Callable[[bytes, Side, bool, int], Blanks | None] | None = None
    said: frozenset[str] = frozenset()
    exchange: Callable[[], Exchange] | None = None
    version: int = 1

    def leads(self) -> Iterable[Lead]:
        """`lead`, all as `Lead`."""
        return (lead if isinstance(lead, Lead) else Lead(lead) for lead in self.lead)


class _Layer:
    """The protocols over one layer: their leads by first byte, and which of them fit the beginnings met lately."""

    __slots__ = ("by_byte", "known", "leadless", "longest")

    def __init__(self) -> None:
        self.by_byte: list[list[tuple[Lead, Protocol]]] = [[] for _ in range(256)]
        self.leadless: list[Protocol] = []
        self.longest = 1
        self.known: dict[bytes, list[Protocol]] = {}

    def add(self, protocol: Protocol) -> None:
        """Another one over this layer."""
        if not protocol.lead:
            self.leadless.append(protocol)
        for lead in protocol.leads():
            self.longest = max(self.longest, len(lead.value))
            for byte in lead.first_bytes():
                self.by_byte[byte].append((lead, protocol))

    def candidates(self, head: bytes, ports: Collection[int]) -> list[Protocol]:
        """Ports matter only where several fit: most heads are nobody's, or one parser's."""
        beginning = head[: self.longest]
        fitting = self.known.get(beginning)
        if fitting is None:
            fitting = self._learn(beginning)
        if len(fitting) < 2 and not self.leadless:
            return fitting
        hinted = sorted(fitting, key=lambda protocol: protocol.port_hints.isdisjoint(ports))
        return (hinted + self.leadless)[:PROBES_MAX]

    def _learn(self, beginning: bytes) -> list[Protocol]:
        """All that fit, longer leads before shorter."""
        entries = [entry for entry in self.by_byte[beginning[0]] if entry[0].matches(beginning)]
        entries.sort(key=lambda entry: -len(entry[0].value))
        if len(self.known) >= BEGINNINGS_MAX:
            self.known.clear()
        fitting = self.known[beginning] = list(dict.fromkeys(protocol for _, protocol in entries))
        return fitting


class Registry:
    """The protocols, indexed by layer and first byte.

    Args:
        protocols: names must differ.
    """

    __slots__ = ("_by_name", "_layers", "protocols")

    def __init__(self, protocols: Iterable[Protocol]) -> None:
        self.protocols = tuple(sorted(protocols, key=lambda p: p.name))
        self._by_name = {protocol.name: protocol for protocol in self.protocols}
        if len(self._by_name) != len(self.protocols):
            msg = "two protocols have the same name"
            raise ValueError(msg)
        self._layers: dict[str, _Layer] = {}
        for protocol in self.protocols:
            self._layers.setdefault(protocol.over, _Layer()).add(protocol)

    @classmethod
    def installed(cls) -> Registry:
        """The registry of all parsers in this installation; made once."""
        return _installed()

    def get(self, name: str) -> Protocol | None:
        """The protocol of that name."""
        return self._by_name.get(name)

    @property
    def version(self) -> str:
        """The parser-set version: changes when any parser's facts may."""
        text = " ".join(f"{protocol.name}:{protocol.version}" for protocol in self.protocols)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def candidates(self, over: str, head: bytes, ports: Collection[int] = ()) -> list[Protocol]:
        """The protocols worth probing on `head` (at least one byte): hinted ones first, longer leads before shorter.

        The list is the registry's own.
        """
        layer = self._layers.get(over)
        return layer.candidates(head, ports) if layer is not None else []

    def beginnings(self, over: str) -> list[tuple[bytes, bytes]]:
        """Values and masks of the bytes with which a lane can begin, each once; see `Engine.listen`."""
        layer = self._layers.get(over)
        if layer is not None and layer.leadless:
            return [(b"", b"")]
        leads = (lead for protocol in self.protocols if protocol.over == over for lead in protocol.leads())
        return list(dict.fromkeys((lead.value, lead.mask or b"\xff" * len(lead.value)) for lead in leads))


@cache
def _installed() -> Registry:
    return Registry(_walk())


def _walk() -> Generator[Protocol, None, None]:
    for name in sorted(_modules(Path(__file__).parent.parent) - {"core"}):
        exported = getattr(importlib.import_module(f"parsers.{name}"), "PROTOCOL", None)
        if isinstance(exported, Protocol):
            yield exported


def _modules(package: Path) -> set[str]:
    """Names of what can be imported from a package and has no underscore in front.

    Not by `pkgutil`: it imports `inspect`, for file names, which is a thirtieth of a start.
    """
    files = {path.stem for path in package.glob("*.py")}
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    return {name for name in files | folders if not name.startswith("_")}
