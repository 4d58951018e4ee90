"""`spanward run`: packets as they come, or capture files as they appear, into the store; API and inference beside."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sensor.capture.errors import CaptureError
from sensor.capture.interfaces import DEFAULT_WAY, Way
from sensor.commands.access import opened, site, site_key_path
from sensor.commands.errors import CommandError, Status, note
from sensor.commands.rulebook import broken
from sensor.commands.serving import serve
from sensor.folderwatch import FolderWatch
from sensor.live import Live, LiveJob
from sensor.reading import infer_now
from sensor.rules import RuleError, load_rules
from sensor.settings import Settings
from sensor.sitekey import SiteKey, SiteKeyError
from sensor.store import Store


class Runner(Protocol):
    """Something that fills the store until it is stopped."""

    failure: Exception | None

    def start(self) -> None:
        """Begin. Raises CaptureError."""

    def stop(self) -> None:
        """Commit what there is and end."""


Maker = Callable[[Store, Callable[[], object]], Runner]


def run(
    interfaces: Sequence[str],
    folder: Path | None,
    workers: int,
    store: Path,
    listen: str | None,
    settings: Settings,
    way: Way | None = None,
) -> None:
    """Fill the store and serve it until SIGINT or SIGTERM.

    Raises:
        CommandError: neither or both kinds of source, or store, site file, key, rules or source cannot be used.
    """
    if bool(interfaces) == (folder is not None):
        raise CommandError("give either interfaces with -i or a folder with -r; see spanward run --help")
    key_path = site_key_path(settings.site_key)
    if folder is None:
        names = tuple(dict.fromkeys(interfaces))
        job = LiveJob(
            names,
            workers,
            settings.site,
            key_path,
            ring_bytes=settings.ring_mib << 20,
            way=way or DEFAULT_WAY,
            memory_mib=settings.worker_memory_mib,
        )
        serve(_filling(store, settings, key_path, lambda *given: _live(job, *given)), listen, settings)
    else:
        watched = folder
        serve(
            _filling(
                store,
                settings,
                key_path,
                lambda opened, infer: FolderWatch(
                    opened,
                    watched,
                    settings.site,
                    key_path,
                    infer=infer,
                    say=note,
                    fail=_end,
                    memory_mib=settings.worker_memory_mib,
                ),
            ),
            listen,
            settings,
        )


def _live(job: LiveJob, store: Store, infer: Callable[[], object]) -> Runner:
    return Live(store, job, infer=infer, say=note, fail=_end)


@contextmanager
def _filling(path: Path, settings: Settings, key_path: Path, make: Maker) -> Iterator[Store]:
    """The store, open for writing, being filled within the context."""
    known_site = site(settings.site)
    try:
        rules = load_rules(*([settings.rules] if settings.rules else []))
        SiteKey.load_or_create(key_path)
    except RuleError as error:
        raise broken(error) from error
    except SiteKeyError as error:
        raise CommandError(str(error)) from error
    with opened(path, read_only=False, memory_mib=settings.store_memory_mib) as store:
        runner = make(store, lambda: infer_now(store, known_site, datetime.now(UTC), rules))
        _start(runner)
        try:
            yield store
        finally:
            runner.stop()
        if runner.failure is not None:
            raise _failed(runner.failure)


def _start(runner: Runner) -> None:
    try:
        runner.start()
    except CaptureError as error:
        raise _failed(error) from error


def _failed(error: Exception) -> CommandError:
    return CommandError(str(error), Status.UNREADABLE if isinstance(error, CaptureError) else Status.USAGE)


def _end() -> None:
    """From any thread: end the server the way Ctrl-C does."""
    os.kill(os.getpid(), signal.SIGTERM)
