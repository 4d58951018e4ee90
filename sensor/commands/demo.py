"""`spanward demo`: the bundled captures, read, summed up and served."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sensor
from sensor.commands.access import opened
from sensor.commands.errors import CommandError, note
from sensor.commands.formats import SummaryFormat
from sensor.commands.reading import filled
from sensor.commands.serving import serve
from sensor.commands.summary import summarise
from sensor.forkserver import Forkserver
from sensor.settings import Settings
from sensor.sitekey import SiteKey
from sensor.store import Store

_HOSPITAL = "hospital"  # the capture that was recorded for this
_LEFT_OUT = frozenset({"hostile", "lab"})  # made to be refused; scripts


def demo(
    store_path: Path | None,
    listen: str | None,
    settings: Settings,
    *,
    once: bool,
    forkserver: Forkserver | None = None,
) -> None:
    """Read the bundled captures into `store_path` or a temporary store, show the summary, serve unless `once`.

    Raises:
        CommandError: there are no captures, or something cannot be used.
    """
    captures = bundled(settings.captures)
    with tempfile.TemporaryDirectory(prefix="spanward-demo-") as folder:
        opening = _filled(captures, store_path or Path(folder) / "demo.duckdb", Path(folder), settings, forkserver)
        if once:
            with opening:
                return
        serve(opening, listen, settings)


@contextmanager
def _filled(
    captures: list[Path], path: Path, folder: Path, settings: Settings, forkserver: Forkserver | None
) -> Iterator[Store]:
    """The store with the captures in it, once its summary has been shown."""
    # Whatever is in the captures was made up: a fixed key makes two demos comparable and leaves the site's own alone.
    key_path = folder / "site.key"
    SiteKey.test().save(key_path)
    with filled(captures, path, settings, key_path, forkserver=forkserver) as (store, summary):
        for failure in summary.failures:
            note(str(failure))
        summarise(store, SummaryFormat.TABLE)
    with opened(path) as read_only:
        yield read_only


def bundled(folder: Path | None) -> list[Path]:
    """The hospital's captures beside the packages or in `folder`; where there are none, all others; by name.

    Raises:
        CommandError: there are none.
    """
    where = folder or Path(sensor.__file__).resolve().parent.parent / "pcaps"
    found = sorted(path for path in where.glob("*/*.pcap*") if path.parent.name not in _LEFT_OUT)
    found = [path for path in found if path.parent.name == _HOSPITAL] or found
    if not found:
        raise CommandError(
            f"{where}: no captures (*/*.pcap); run it in a checkout, set SPANWARD_CAPTURES, or use `spanward read`"
        )
    return found
