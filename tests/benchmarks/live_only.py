"""`spanward run -i` without inference and API: facts, folding and DuckDB. Arguments: INTERFACE STORE KEY WAY.

Says `ready` on standard output once it captures; SIGINT ends it.
"""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from sensor.live import Live, LiveJob
from sensor.sitekey import SiteKey
from sensor.store import Store


def main() -> None:
    """Capture until SIGINT."""
    interface, path, key, way = sys.argv[1:5]
    over = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: over.set())
    SiteKey.load_or_create(Path(key))
    job = LiveJob([interface], 1, None, Path(key), way=way)  # type: ignore[arg-type]
    with Store.open(Path(path)) as store:
        live = Live(store, job, infer=lambda: None, say=_say, fail=over.set)
        live.start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while not over.wait(1.0):
            pass
        live.stop()
    if live.failure is not None:
        sys.exit(str(live.failure))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
