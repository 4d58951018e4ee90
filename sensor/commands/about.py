"""`spanward version`."""

from __future__ import annotations

import platform

from sensor.commands.console import console, plain
from sensor.engine import COMPILED


def version() -> None:
    """Print what a report of an error should name."""
    import duckdb  # noqa: PLC0415 - the summary asks this module for the engine only

    lines = (
        f"spanward {own_version()}",
        f"engine {engine()}",
        f"duckdb {duckdb.__version__}",
        f"python {platform.python_version()} on {platform.system()} {platform.machine()}",
    )
    for line in lines:
        console().print(plain(line))


def engine() -> str:
    """Which of the two engines is at work; if it is the slow one, how to get the other."""
    if COMPILED:
        return "compiled"
    return "interpreted, slow: install Python's C headers (Debian: python3-dev), then run make, or pip install, again"


def own_version() -> str:
    """The version of the installed distribution."""
    from importlib.metadata import PackageNotFoundError  # noqa: PLC0415 - 20 ms
    from importlib.metadata import version as version_of  # noqa: PLC0415

    try:
        return version_of("spanward")
    except PackageNotFoundError:
        return "unknown (not installed)"
