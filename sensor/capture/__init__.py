"""Where packets come from: capture files, streams, live interfaces."""

from __future__ import annotations

from pathlib import Path
from typing import Final

STDIN: Final = Path("-")
"""What standard input is called on the command line, and in the store."""
