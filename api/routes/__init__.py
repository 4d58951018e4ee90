"""The routes. Every module here with a `router` is part of the API; adding one edits no other file."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from fastapi import APIRouter


def routers() -> Iterator[APIRouter]:
    """The routers of all modules in this package, by name of the module."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        router = getattr(import_module(f"{__name__}.{module.name}"), "router", None)
        if isinstance(router, APIRouter):
            yield router
