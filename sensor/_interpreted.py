"""Once imported, the sources of compiled modules are imported, and not what was made of them."""

from __future__ import annotations

import sys
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path

for floor in ("parsers", "sensor"):
    for typed in (Path(__file__).parent.parent / floor).rglob("*.pxd"):
        folder = str(typed.parent)
        sys.path_importer_cache[folder] = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))
