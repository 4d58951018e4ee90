# What the type checker knows of what was said at a place. Source: seen.py.

from collections.abc import Iterator

from parsers.core import Fact
from sensor.sighting import Ends, Quality
from sensor.sitekey import SecretMark

class Words:
    facts: tuple[Fact, ...]
    marks: tuple[SecretMark | None, ...] | None
    known: bool

    def __init__(
        self, facts: tuple[Fact, ...], marks: tuple[SecretMark | None, ...] | None = None, *, known: bool = False
    ) -> None: ...
    def each(self) -> Iterator[tuple[Fact, SecretMark | None]]: ...

class Moment:
    ts_us: int
    frame: int
    ends: Ends
    port: int
    quality: Quality

class Seen(Moment):
    last: int
    n: int
    hours: int

    def __init__(self, first: Moment) -> None: ...
    def once(self, said: Moment) -> None: ...
    def again(self, ts_us: int, quality: Quality) -> None: ...
    def join(self, other: Seen) -> None: ...
    def joined(self, other: Seen) -> Seen: ...

class Counted:
    def get(self, words: Words) -> Seen | None: ...
    def keep(self, words: Words, seen: Seen) -> None: ...
    def clear(self) -> None: ...
    def in_turn(self, turn: int, words: Words) -> Seen | None: ...
