"""`spanward read` without inference, which has no switch: facts, folding and DuckDB. Arguments: CAPTURE STORE KEY.

It is run as a script by the interpreter of the checkout that is measured, so it takes `sensor` from there.
"""

from __future__ import annotations

import sys
from pathlib import Path

try:
    from sensor.collector import collect_seldom

    collect_seldom()
except ImportError:  # a checkout from before it
    pass

try:
    from sensor.collector import Ending

    ending = Ending()
except ImportError:  # a checkout from before it
    ending = None

try:
    from sensor.forkserver import split_off
except ImportError:  # a checkout from before it
    split_off = None


def main() -> None:
    """Read one capture into a store, as `spanward read` does."""
    started = {"forkserver": split_off()} if split_off else {}
    from sensor import reading

    capture, store, key = (Path(argument) for argument in sys.argv[1:4])
    name = next(name for name in ("infer_now", "_infer") if hasattr(reading, name))  # it was called otherwise once
    setattr(reading, name, lambda *_: None)
    summary = reading.read_captures([capture], store, None, key, **started)
    if summary.failures:
        sys.exit(str(summary.failures[0]))


if __name__ == "__main__":
    main()
    if ending:
        ending.status = 0
