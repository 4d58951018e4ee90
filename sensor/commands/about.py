"""`spanward version`."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

import duckdb

from sensor.commands.console import console, plain
from sensor.engine import COMPILED


def version() -> None:
    """Print what a report of an error should name."""
    engine = "compiled" if COMPILED else "interpreted (slow: install a C compiler or python3-dev, then reinstall)"
    lines = (
        f"spanward {own_version()}",
        f"engine {engine}",
        f"duckdb {duckdb.__version__}",
        f"python {platform.python_version()} on {platform.system()} {platform.machine()}",
    )
    for line in lines:
        console().print(plain(line))


def own_version() -> str:
    """The version of the installed distribution."""
    try:
        return version_of("spanward")
    except PackageNotFoundError:
        return "unknown (not installed)"
