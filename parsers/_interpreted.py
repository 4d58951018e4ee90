"""Sources instead of what was compiled from them: with ``SPANWARD_INTERPRETED=1``, for tests and who doubts."""

from __future__ import annotations

import os
import sys


def heed(package: str) -> None:
    """Import sources below a package's folder, where they have a `.pxd`, if the environment says so.

    It is called before anything in it is imported.

    Args:
        package: `__file__` of the package.
    """
    if os.environ.get("SPANWARD_INTERPRETED") != "1":
        return
    from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader  # noqa: PLC0415 - hardly anybody asks
    from pathlib import Path  # noqa: PLC0415

    for typed in Path(package).parent.rglob("*.pxd"):
        folder = str(typed.parent)
        sys.path_importer_cache[folder] = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))
