# What the type checker knows of recall. Theory and source: recall.py.

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol, TypeAlias

from parsers.core import Blanks, Session
from sensor.engine.core import Engine
from sensor.sighting import Ends, Quality, Said, Words

COMPILED: Final[bool]

Order: TypeAlias = tuple[Any, ...]

class Seen:
    first: int
    last: int
    n: int
    hours: int
    quality: Quality
    frame: int
    ends: Ends
    port: int

    def __init__(self, said: Said | Seen) -> None: ...
    def once(self, said: Said) -> None: ...
    def join(self, other: Seen) -> None: ...
    def joined(self, other: Seen) -> Seen: ...

class Name:
    start: int
    end: int

    def __init__(self, start: int, end: int, known: dict[bytes, Words], make: Callable[[bytes], Words]) -> None: ...
    def words(self, data: bytes) -> Words: ...

class Step:
    words: Words | None
    names: tuple[Name, ...]
    protocol: str
    label: int
    orders: tuple[Order, ...]
    leaves: tuple[int, ...]
    ends: bool
    node: Node | None

    def __init__(
        self,
        words: Words | None,
        protocol: str,
        label: int,
        orders: tuple[Order, ...],
        leaves: tuple[int, ...],
        ends: bool,
    ) -> None: ...

class Shape:
    blanks: Blanks
    spans: tuple[tuple[int, int], ...]

    def __init__(
        self,
        length: int,
        blanks: Blanks,
        spans: tuple[tuple[int, int], ...],
        unless: tuple[tuple[int, bytes], ...],
        before: tuple[tuple[int, int, int], ...],
    ) -> None: ...
    def keep(self, data: bytes, key: bytes, step: Step) -> None: ...
    def key(self, data: bytes, runs: list[bytes]) -> bytes | None: ...

class Node:
    lanes: tuple[int, ...]
    turns: tuple[int, ...]
    begins: tuple[int, int]
    size: int
    before: tuple[tuple[int, int, int], ...]

    def after(self, lane: int, turn: int, shape: Shape, length: int, leaves: tuple[int, ...]) -> Node: ...
    def find(self, lane: int, turn: int, data: bytes, runs: list[bytes]) -> Step | None: ...
    def shapes_of(self, lane: int, turn: int, length: int) -> list[Shape]: ...

class Flow:
    addresses: tuple[int, int, int, bytes, int, int, bytes, int, int]
    midstream: bool
    gap: bool
    session: Session | None
    node: Node | None
    runs: list[bytes] | None
    leaving: int
    done: bool
    ends: Ends
    port: int
    protocol: str
    label: int
    stated: list[Words] | None
    stated_count: int

    def __init__(
        self,
        addresses: tuple[int, int, int, bytes, int, int, bytes, int, int],
        midstream: bool,
        gap: bool,
        node: Node | None,
    ) -> None: ...

class Owner(Protocol):
    def open(self, row: int) -> Flow: ...
    def read(self, row: int, flow: Flow, lane: int, turn: int, data: bytes) -> None: ...
    def interrupt(self, row: int, flow: Flow) -> None: ...
    def relabel(self, row: int, flow: Flow, step: Step) -> None: ...
    def condense(self, flow: Flow) -> None: ...
    def say(self, flow: Flow, words: Words, quality: Quality, continued: bool) -> dict[Any, Seen] | None: ...
    def finish(self, row: int, flow: Flow) -> None: ...

class Recaller:
    flows: dict[int, Flow]
    courses: int
    known: int

    def __init__(self, engine: Engine, owner: Owner, qualities: Iterable[Quality]) -> None: ...
    def hear(self, row: int) -> None: ...
    def go(self, row: int, flow: Flow, step: Step, data: bytes) -> None: ...
    def leave_way(self, flow: Flow) -> None: ...
    def quality(self, row: int, flow: Flow) -> Quality: ...
