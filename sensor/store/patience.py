"""Wait for room on a disk that is full: a sensor that listens for months outlives it, and goes on by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from sensor.store.errors import StoreFull

ROOM_S: Final = 5.0
"""After so long it is tried again."""
T = TypeVar("T")


def patiently(write: Callable[[], T], stopping: threading.Event, say: Callable[[str], None]) -> T:
    """What `write` gives, which is tried until there is room; `say` hears that it is waited for, and when that is over.

    Raises:
        StoreFull: there is none still when all is to end.
    """
    waited = False
    while True:
        try:
            given = write()
        except StoreFull as error:
            if stopping.is_set():
                raise
            if not waited:
                say(f"{error.what}; it goes on when there is room")
            waited = True
            stopping.wait(ROOM_S)
        else:
            if waited:
                say("there is room on the disk of the store again")
            return given
