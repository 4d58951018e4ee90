"""Budget: what a worker may hold, and how it is divided up between all that grows with traffic.

An administrator sets one limit in bytes (`SPANWARD_WORKER_MEMORY_MIB`). A part of it is the same in every worker: the
interpreter, parsers and libraries, the window of a file, fragments, what `sensor.recall` has learnt, and the memos of
`sensor.engine.flows`. What is left is divided up as at the default, where it is

    ========================================================== =======
    conversations that can be followed, with their ends         364 MiB
    what sessions hold, objects included, and facts for         256 MiB
    midnight
    segments behind a hole, and beginnings of messages           64 MiB
    bytes of conversations that say what others have said        64 MiB
    values of which only so many are taken of each device       144 MiB
    folded rows until they are sent, on their way included      400 MiB
    ========================================================== =======

and 36 MiB for what the allocator cannot give back. Nothing is taken before it is needed: a network of some thousand
devices needs a tenth. Where a part is used up, what is least valuable goes, and is counted (`sensor.mirror.crowded`).

The division depends on the limit alone, not on the machine nor on what else is running: the same capture is read in the
same way again. Rings of live captures come on top; the kernel has them, whoever captures.
"""

from __future__ import annotations

from typing import Final, NamedTuple

DEFAULT_MIB: Final = 1_536
LEAST_MIB: Final = 384
MOST_MIB: Final = 65_536
SAME_MIB: Final = 208
ROW_BYTES: Final = 80
"""Of a fact's row, and of the columns that are made of it; what it refers to weighs by itself, as do texts."""
PLACE_BYTES: Final = 420
"""Of a place where something was said."""
COUNTED_BYTES: Final = 180
"""Of a place's counts of known words, besides."""
END_BYTES: Final = 420
"""Of an end of places. Its values have a share of their own."""
SEEN_BYTES: Final = 220
"""Of what counts rows that were said together."""
FACT_BYTES: Final = 560
"""Of what a row says, which many may say."""
DAY_BYTES: Final = 200
"""Of a row of a day's flows or of an interval, with its ends, and of the columns that are made of it."""


class Budget(NamedTuple):
    """How much there may be of what.

    Attributes:
        flows: conversations that are followed at a time.
        session_bytes: of sessions, and of facts that are kept for midnight.
        buffer_bytes: of what the engine keeps of streams.
        run_bytes: of what conversations have said that go the way of others.
        values: see `sensor.fold`.
        row_bytes: of folded rows that were not sent yet.
    """

    flows: int = 262_144
    session_bytes: int = 256 << 20
    buffer_bytes: int = 64 << 20
    run_bytes: int = 64 << 20
    values: int = 1 << 20
    row_bytes: int = 400 << 20

    @classmethod
    def of(cls, memory_mib: int) -> Budget:
        """The room in a worker of so many MiB."""
        share = max(memory_mib, LEAST_MIB) - SAME_MIB
        return cls(*(most * share // (DEFAULT_MIB - SAME_MIB) for most in cls()))
