# What the type checker knows of what was said at a place. Source: seen.py.

from sensor.sighting import Ends, Quality, Said

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
    @property
    def ts_us(self) -> int: ...
    def once(self, said: Said) -> None: ...
    def again(self, ts_us: int, quality: Quality) -> None: ...
    def join(self, other: Seen) -> None: ...
    def joined(self, other: Seen) -> Seen: ...
