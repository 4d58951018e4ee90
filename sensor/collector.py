"""The garbage collector, for a process that makes hardly any garbage: a command.

What a command imports, reads and infers is much, stays until the end and hardly ever makes a cycle. At its default the
collector looks at all of it again and again, which is an eighth of a reading and a tenth of a start; and once more when
the process ends and everything goes anyway.
"""

from __future__ import annotations

import atexit
import gc
from typing import Final

COLLECT_AFTER: Final = 50_000
"""Objects that may come before the collector looks for cycles among them: 20 ms and 10 MB at most."""


def collect_seldom() -> None:
    """From now on look seldom, and not at all when the process ends."""
    gc.set_threshold(COLLECT_AFTER)
    atexit.register(gc.freeze)
