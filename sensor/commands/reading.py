"""`spanward read`: captures into the store, with a progress bar where somebody watches, then the summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from sensor.commands.access import site_key_path
from sensor.commands.console import plain, progress
from sensor.commands.errors import CommandError, Status, note
from sensor.commands.formats import SummaryFormat
from sensor.commands.rulebook import broken
from sensor.commands.summary import summarise
from sensor.forkserver import Forkserver
from sensor.reading import Progress, ReadSummary, StoreError, captures_read
from sensor.rules import RuleError
from sensor.settings import Settings
from sensor.site import SiteError
from sensor.sitekey import SiteKeyError
from sensor.store import Store


def read(
    captures: Sequence[Path],
    store_path: Path,
    settings: Settings,
    form: SummaryFormat,
    as_of: datetime | None,
    forkserver: Forkserver | None = None,
) -> None:
    """Read captures, infer, and write the summary of the store.

    Captures that cannot be read are named on standard error; the others are read all the same.

    Raises:
        CommandError: captures could not be read, or the store, site file or key cannot be used.
    """
    key_path = site_key_path(settings.site_key)
    with filled(captures, store_path, settings, key_path, as_of, forkserver) as (store, summary):
        for failure in summary.failures[:-1]:
            note(str(failure))
        if summary.captures:
            summarise(store, form)
    if summary.failures:
        raise CommandError(str(summary.failures[-1]), Status.UNREADABLE)


@contextmanager
def filled(
    captures: Sequence[Path],
    store_path: Path,
    settings: Settings,
    key_path: Path,
    as_of: datetime | None = None,
    forkserver: Forkserver | None = None,
) -> Iterator[tuple[Store, ReadSummary]]:
    """Within, the captures are in the store, and inferred from.

    Raises:
        CommandError: store, site file, key or a rule cannot be used.
    """
    try:
        with (
            ExitStack() as bar,
            captures_read(
                captures,
                store_path,
                settings.site,
                key_path,
                as_of=as_of,
                rules=settings.rules,
                progress=bar.enter_context(_watched(captures)),
                worker_mib=settings.worker_memory_mib,
                memory_mib=settings.store_memory_mib,
                forkserver=forkserver,
            ) as found,
        ):
            bar.close()  # all is read: what comes now needs the terminal
            yield found
    except RuleError as error:
        raise broken(error) from error
    except (StoreError, SiteError, SiteKeyError) as error:
        raise CommandError(str(error)) from error


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

        def watch(path: Path, read_bytes: int, size_bytes: int) -> None:
            done[path] = min(read_bytes, size_bytes)  # inflated, it may be more than the file
            bar.update(task, completed=sum(done.values()), description=str(plain(path.name)))

        yield watch
