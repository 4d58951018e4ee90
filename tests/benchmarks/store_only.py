"""`spanward read` without inference, which has no switch: facts, folding and DuckDB. Arguments: CAPTURE STORE KEY.

It is run as a script by the interpreter of the checkout that is measured, so it takes `sensor` from there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sensor import reading


def main() -> None:
    """Read one capture into a store."""
    capture, store, key = (Path(argument) for argument in sys.argv[1:4])
    name = next(name for name in ("infer_now", "_infer") if hasattr(reading, name))  # it was called otherwise once
    setattr(reading, name, lambda *_: None)
    summary = reading.read_captures([capture], store, None, key)
    if summary.failures:
        sys.exit(str(summary.failures[0]))


if __name__ == "__main__":
    main()
