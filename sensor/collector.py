"""The garbage collector, for processes that make no garbage or hardly any; and an end that takes nothing apart.

Reading makes no cycles: whatever a conversation held is freed with it. What a command imports, reads and infers is
much, stays until the end and hardly ever makes a cycle. At its default the collector looks at all of it again and
again, which is an eighth of a reading and a tenth of a start: it looks seldom from the moment that anything of this
package is imported. At the end Python frees one object after the other, 6 ms of them when nothing was read, and the
kernel takes them all at once anyway.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import suppress

COLLECT_AFTER = 50_000
"""Objects that may come before the collector looks for cycles among them: 20 ms and 10 MB at most."""


def collect_seldom() -> None:
    """From now on look seldom."""
    gc.set_threshold(COLLECT_AFTER)


def collect_never() -> None:
    """For a process that reads captures, once it has imported all it needs.

    A conversation under way is some twenty objects, and a search looks at all that have come since the last one. It
    took 1.1 s once many had gone silent, for which no ring of a live capture has room.
    """
    gc.freeze()
    gc.disable()


class LastResort:
    """Looks for cycles when the process has become larger than it may be: something holds what nobody counts.

    Args:
        limit_bytes: of memory that is resident.
    """

    def __init__(self, limit_bytes: int) -> None:
        import resource  # noqa: PLC0415 - what only a live worker needs, before it may import nothing any more

        self._usage = resource.getrusage
        self._who = resource.RUSAGE_SELF
        self._limit_bytes = limit_bytes

    def look(self) -> bool:
        """Collect if it is time to; not again before the process has grown by a quarter.

        Spec: getrusage(2), `ru_maxrss`: the most there was so far; macOS gives bytes.
        """
        most_bytes = self._usage(self._who).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        if most_bytes <= self._limit_bytes:
            return False
        self._limit_bytes = most_bytes * 5 // 4
        gc.collect()
        return True


class Ending:
    """How this process ends, as soon as it is known: at once, when everything else that is to be done at the end is.

    It is made before whatever may register something to be done: what is registered last is done first.

    Attributes:
        status: its exit status; as long as there is none it ends as Python does.
        is_ours: this process has one. What only gives memory back can be left to the kernel.
    """

    is_ours = False

    def __init__(self) -> None:
        self.status: int | None = None
        Ending.is_ours = True
        atexit.register(self._leave)

    def _leave(self) -> None:
        gc.freeze()  # nothing is looked at once more
        if self.status is not None:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError):  # what could not be written has been said, or cannot be
                    stream.flush()
            os._exit(self.status)
