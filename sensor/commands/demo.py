"""`spanward demo`: the bundled captures, read, summed up and served."""

from __future__ import annotations

import tempfile
from pathlib import Path

import sensor
from sensor.commands.access import opened
from sensor.commands.errors import CommandError, note
from sensor.commands.formats import SummaryFormat
from sensor.commands.reading import fill
from sensor.commands.serving import serve
from sensor.commands.summary import summarise
from sensor.settings import Settings
from sensor.sitekey import SiteKey

_LEFT_OUT = frozenset({"hostile", "lab"})  # made to be refused; scripts


def demo(store_path: Path | None, listen: str | None, settings: Settings, *, once: bool) -> None:
    """Read the bundled captures into `store_path` or a temporary store, show the summary, serve unless `once`.

    Raises:
        CommandError: there are no captures, or something cannot be used.
    """
    captures = bundled(settings.captures)
    with tempfile.TemporaryDirectory(prefix="spanward-demo-") as folder:
        path = store_path or Path(folder) / "demo.duckdb"
        key_path = Path(folder) / "site.key"
        # Whatever is in them was made up: the fixed key keeps two demos comparable, and the site's own key out of it.
        SiteKey.test().save(key_path)
        for failure in fill(captures, path, settings.site, key_path).failures:
            note(str(failure))
        with opened(path) as store:
            summarise(store, SummaryFormat.TABLE)
        if not once:
            serve(path, listen, settings)


def bundled(folder: Path | None) -> list[Path]:
    """The captures beside the packages, or those in `folder`, by name.

    Raises:
        CommandError: there are none.
    """
    where = folder or Path(sensor.__file__).resolve().parent.parent / "pcaps"
    found = sorted(path for path in where.glob("*/*.pcap*") if path.parent.name not in _LEFT_OUT)
    if not found:
        raise CommandError(
            f"{where}: no captures (*/*.pcap); run it in a checkout, set SPANWARD_CAPTURES, or use `spanward read`"
        )
    return found
