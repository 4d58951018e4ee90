"""`spanward read`: captures into the store, with a progress bar where somebody watches, then the summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sensor.commands.access import opened, site_key_path
from sensor.commands.console import plain, progress
from sensor.commands.errors import CommandError, Status, note
from sensor.commands.formats import SummaryFormat
from sensor.commands.rulebook import broken
from sensor.commands.summary import summarise
from sensor.reading import Progress, ReadSummary, StoreError, WorkerDied, read_captures
from sensor.rules import RuleError
from sensor.settings import Settings
from sensor.site import SiteError
from sensor.sitekey import SiteKeyError


def read(
    captures: Sequence[Path], store_path: Path, settings: Settings, form: SummaryFormat, as_of: datetime | None
) -> None:
    """Read captures, infer, and write the summary of the store.

    Captures that cannot be read are named on standard error; the others are read all the same.

    Raises:
        CommandError: captures could not be read, or the store, site file or key cannot be used.
    """
    failures = fill(captures, store_path, settings, site_key_path(settings.site_key), as_of).failures
    for failure in failures[:-1]:
        note(str(failure))
    if len(failures) < len(captures):
        with opened(store_path) as store:
            summarise(store, form)
    if failures:
        raise CommandError(str(failures[-1]), Status.UNREADABLE)


def fill(
    captures: Sequence[Path], store_path: Path, settings: Settings, key_path: Path, as_of: datetime | None = None
) -> ReadSummary:
    """Read captures into the store and infer.

    Raises:
        CommandError: store, site file, key or a rule cannot be used, or a worker died.
    """
    try:
        with _watched(captures) as watch:
            return read_captures(
                captures, store_path, settings.site, key_path, as_of=as_of, rules=settings.rules, progress=watch
            )
    except RuleError as error:
        raise broken(error) from error
    except (StoreError, SiteError, SiteKeyError) as error:
        raise CommandError(str(error)) from error
    except WorkerDied as error:
        raise CommandError(str(error), Status.UNREADABLE) from error


@contextmanager
def _watched(captures: Sequence[Path]) -> Iterator[Progress | None]:
    """A progress bar over the bytes of all captures, or None in a pipe."""
    sizes = {path: path.stat().st_size for path in captures if path.is_file()}
    with progress(sum(sizes.values())) as bar:
        if bar is None:
            yield None
            return
        task = bar.add_task("", total=sum(sizes.values()))
        done: dict[Path, int] = {}

        def watch(path: Path, committed_bytes: int, size_bytes: int) -> None:
            done[path] = min(committed_bytes, size_bytes)  # inflated, it may be more than the file
            bar.update(task, completed=sum(done.values()), description=str(plain(path.name)))

        yield watch
