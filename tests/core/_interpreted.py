"""The parsers once more, their sources interpreted, beside those that are at work in this process."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from types import ModuleType

from tests.conftest import ROOT

TYPED = sorted((ROOT / "parsers").rglob("*.pxd"))


@cache
def core() -> ModuleType:
    """`parsers.core` of their world, with the protocols that were written with it (`Registry.installed`)."""
    ours = _parsers()
    for name in ours:
        del sys.modules[name]
    folders = {str(path.parent) for path in TYPED}
    for folder in folders:
        sys.path_importer_cache[folder] = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))
    try:
        theirs = importlib.import_module("parsers.core")
        theirs.Registry.installed()
    finally:
        for folder in folders:
            del sys.path_importer_cache[folder]
        for name in _parsers():
            del sys.modules[name]
        sys.modules.update(ours)
    return theirs


def _parsers() -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if f"{name}.".startswith("parsers.")}
