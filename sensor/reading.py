"""Capture files into a store, then inference, once: what `spanward read` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import msgspec

from sensor.budget import DEFAULT_MIB
from sensor.capture.errors import CaptureError
from sensor.forkserver import Forkserver
from sensor.recorder import WORKER, CaptureRead, Progress, Recorder, WorkerDied, Workers
from sensor.site import Site
from sensor.sitekey import SiteKey
from sensor.store import Store, StoreError
from sensor.store.duck import duckdb
from sensor.store.errors import translated
from sensor.wire import BATCH_BYTES

if TYPE_CHECKING:
    from sensor.inference import InferenceSummary
    from sensor.rules import Rule

__all__ = [
    "CaptureRead",
    "Progress",
    "ReadSummary",
    "StoreError",
    "WorkerDied",
    "captures_read",
    "infer_now",
    "read_captures",
]


class ReadSummary(msgspec.Struct):
    """What came of some captures.

    Attributes:
        captures: those that are in the store now.
        failures: why others are not; the rest was read all the same.
        inference: what follows from all that is in the store.
    """

    captures: list[CaptureRead] = msgspec.field(default_factory=list)
    failures: list[CaptureError | WorkerDied] = msgspec.field(default_factory=list)
    inference: InferenceSummary | None = None


class Options(TypedDict, total=False):
    """What `captures_read` takes besides, by name."""

    as_of: datetime | None
    rules: Path | None
    progress: Progress | None
    memory_mib: int | None
    batch_bytes: int
    command: Sequence[str]
    forkserver: Forkserver | None


@contextmanager
def captures_read(  # noqa: PLR0913 - the last ones are for tests
    paths: Sequence[Path],
    store: Path | Store,
    site: Path | None,
    site_key: Path,
    *,
    as_of: datetime | None = None,
    rules: Path | None = None,
    progress: Progress | None = None,
    worker_mib: int = DEFAULT_MIB,
    memory_mib: int | None = None,
    batch_bytes: int = BATCH_BYTES,
    command: Sequence[str] = WORKER,
    forkserver: Forkserver | None = None,
) -> Iterator[tuple[Store, ReadSummary]]:
    """Within, captures are in a store that is open: read one after the other, and inferred from.

    Args:
        paths: capture files.
        store: path of the store, made when it is not there; or one that is open for writing.
        site: the site file.
        site_key: the site key's file, made on first use.
        as_of: *now* for rules about age; otherwise the newest fact's time.
        rules: folder of the site's own rules, beside those that ship.
        progress: called after each batch, and between them.
        worker_mib: of a worker, see `sensor.budget`.
        memory_mib: see `Store.open`.
        batch_bytes: capture bytes to a batch.
        command: starts the process that forks workers.
        forkserver: that process, where it is there already; it ends with this.

    Raises:
        SiteError, SiteKeyError: site file or key cannot be used.
        RuleError: a rule is broken; if it is one of the site's own nothing was read.
        StoreError: the store cannot; what was committed is safe.
    """
    with ExitStack() as ends:
        workers = ends.enter_context(Workers(command, forkserver))  # imports what it takes while we do what is ours
        known_site = Site.load(site)
        known_rules = _with_own(rules) if rules else None
        SiteKey.load_or_create(site_key)
        opened = store if isinstance(store, Store) else ends.enter_context(Store.open(store, memory_mib=memory_mib))
        with Recorder(
            opened,
            site=site,
            site_key=site_key,
            batch_bytes=batch_bytes,
            memory_mib=worker_mib,
            progress=progress,
            workers=workers,
        ) as recorder:
            summary = _read_all(recorder, paths)
        summary.inference = infer_now(opened, known_site, as_of, known_rules)
        yield opened, summary


def read_captures(
    paths: Sequence[Path],
    store: Path | Store,
    site: Path | None,
    site_key: Path,
    **options: Unpack[Options],
) -> ReadSummary:
    """`captures_read` for those who want nothing else of the store."""
    with captures_read(paths, store, site, site_key, **options) as (_, summary):
        return summary


def _read_all(recorder: Recorder, paths: Sequence[Path]) -> ReadSummary:
    summary = ReadSummary()
    for number, path in enumerate(paths, 1):
        try:
            summary.captures.append(recorder.read(path, last=number == len(paths)))
        except (CaptureError, WorkerDied) as error:
            summary.failures.append(error)
    return summary


def _with_own(folder: Path) -> Sequence[Rule]:
    """The site's own rules, which were not checked as those were that ship, and these."""
    from sensor.rules import load_rules  # noqa: PLC0415 - only inference wants those that ship

    return load_rules(folder)


def infer_now(
    store: Store, site: Site, as_of: datetime | None, rules: Sequence[Rule] | None = None
) -> InferenceSummary:
    """Infer from all that is in the store, by these rules, or those that ship.

    Raises:
        RuleError: a rule is broken; nothing has changed.
        StoreError: the store refused; nothing has changed.
    """
    # Not before there is something to infer from: the workers read meanwhile.
    from sensor.inference import infer  # noqa: PLC0415

    store.expect()
    cursor: duckdb.DuckDBPyConnection = store.cursor()
    try:
        with translated(store.path):
            summary = infer(cursor, site, as_of, rules)
    finally:
        cursor.close()
    store.checkpoint()
    return summary
