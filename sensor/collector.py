"""The garbage collector, for a process that makes hardly any garbage: a command; and an end that takes nothing apart.

What a command imports, reads and infers is much, stays until the end and hardly ever makes a cycle. At its default the
collector looks at all of it again and again, which is an eighth of a reading and a tenth of a start: it looks seldom
from the moment that anything of this package is imported. At the end Python frees one object after the other, 6 ms of
them when nothing was read, and the kernel takes them all at once anyway.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

COLLECT_AFTER = 50_000
"""Objects that may come before the collector looks for cycles among them: 20 ms and 10 MB at most."""


def collect_seldom() -> None:
    """From now on look seldom."""
    gc.set_threshold(COLLECT_AFTER)


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
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.status)
