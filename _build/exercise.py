"""What the compiled modules are exercised with, to count what is frequent: captures are read, as a worker does it.

Argument: a folder of captures. The counts are written when the interpreter ends.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sensor.capture.pcapfile import CaptureFile
from sensor.engine import COMPILED
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey


def main() -> None:
    """Read all captures, and make their rows.

    Raises:
        SystemExit: nothing is compiled here, or there are no captures.
    """
    captures = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix in {".pcap", ".pcapng"})
    if not COMPILED or not captures:
        sys.exit("nothing to count, or nothing to read")
    rows = 0
    for path in captures:
        with CaptureFile(path) as capture:
            for batch in Pipeline(capture, Site(), SiteKey(bytes(32), 0)).batches():
                rows += sum(table.row_count for _, table in batch.parts)
    print(f"{len(captures)} captures, {rows} rows")


if __name__ == "__main__":
    main()
