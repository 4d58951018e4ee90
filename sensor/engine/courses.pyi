# What the type checker knows of courses. Theory and source: courses.py.

from collections.abc import Callable
from typing import Final

from parsers.core import Blanks
from sensor.engine.events import EventSource
from sensor.engine.seen import Words

COMPILED: Final[bool]

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
    leaves: tuple[int, ...]
    last: int
    ends: bool
    node: Node | None

    def __init__(self, words: Words | None = ..., protocol: str = ..., label: int = ..., ends: bool = ...) -> None: ...
    def leave(self, lane: int, what: int, count: int, mark: bytes) -> None: ...
    def wait(self, lane: int, wanted: int, message: int) -> None: ...
    def close(self, lane: int) -> None: ...
    def tell(self, engine: EventSource, row: int) -> None: ...

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
    before: tuple[tuple[int, int, int], ...] | None
    end: Step | None

    def after(self, lane: int, turn: int, length: int, leaves: tuple[int, ...]) -> Node: ...
    def lead(self, node: Node, shape: Shape) -> None: ...
    def learn_later(self, lane: int, turn: int, length: int, learn: Callable[[Node], object]) -> bool: ...
    def find(self, lane: int, turn: int, data: bytes, runs: list[bytes]) -> Step | None: ...
    def shapes_of(self, lane: int, turn: int, length: int) -> list[Shape]: ...
