"""msgspec, without `typing_extensions`, which it imports where that is installed.

It wants three names of it that `typing` has as well, and the very same, in every Python that we run on. With `inspect`
and all that this takes, it is a thirtieth of a start. Whoever else wants it gets it: it is missed within here only.

Imported before anything that imports msgspec, by whoever wants to start soon.
"""

from __future__ import annotations

import sys
from typing import Final

UNWANTED: Final = "typing_extensions"

if UNWANTED not in sys.modules:
    # what the import system takes for "not to be had"
    sys.modules[UNWANTED] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules[UNWANTED]
