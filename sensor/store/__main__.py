"""`python -m sensor.store`: make a new store and forget it, so that it is kept to be copied (see `prepared`)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from sensor.store import Store

if __name__ == "__main__":
    sys.dont_write_bytecode = False
    with tempfile.TemporaryDirectory() as folder:
        Store.open(Path(folder) / "new.duckdb").close()
