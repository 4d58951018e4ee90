# What the type checker knows of flows. Theory and source: flows.py.

from collections.abc import Collection, Hashable, Iterable

from parsers.core import Session
from sensor.engine.courses import Node, Step
from sensor.engine.events import EventSource
from sensor.engine.seen import Counted, Words
from sensor.sighting import Ends, Quality

class Flow:
    row: int
    ports: int
    midstream: bool
    gap: bool
    done: bool
    session: Session | None
    held_bytes: int
    leaving: int
    node: Node | None
    runs: list[bytes] | None
    ends: Ends
    port: int
    protocol: str
    label: int
    ts_us: int
    frame: int
    stated: list[Words] | None
    stated_count: int

class Reader:
    def ends_of(self, key: bytes) -> Ends: ...
    def read(self, flow: Flow, lane: int, turn: int, data: bytes) -> Step: ...
    def read_datagram(self, flow: Flow, lane: int, data: bytes) -> Step: ...
    def miss(self, flow: Flow, lane: int) -> Step: ...
    def end(self, flow: Flow) -> Step: ...
    def let_go(self, flow: Flow) -> Step: ...
    def condense(self, flow: Flow) -> None: ...
    def say(self, flow: Flow, words: Words, quality: Quality, continued: bool) -> Counted | None: ...

class Flows:
    courses: int
    is_crowded: bool
    known: int
    unkept: int

    def __init__(
        self,
        engine: EventSource,
        reader: Reader,
        qualities: Iterable[Quality],
        roots: dict[Hashable, Node],
        hints: Collection[int],
        held_max_bytes: int,
        courses_max: int,
        runs_max_bytes: int,
    ) -> None: ...
    def __len__(self) -> int: ...
    def step(self) -> int: ...
