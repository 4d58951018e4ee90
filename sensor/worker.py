"""The worker: reads one capture, in a process of its own, and sends folded batches to the recorder.

It may crash, or be taken over by what it parses: it has no store and no rights (see `sandbox`), and what it sends is
data that the recorder checks (see `wire`). It ends by itself when the recorder is gone.

`python -m sensor.worker` is started by `sensor.recorder`; the job comes as the first line of standard input.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

import msgspec
import pyarrow as pa

from sensor import sandbox
from sensor.capture.pcapfile import CaptureError, CaptureFile
from sensor.pipeline import Pipeline
from sensor.site import Site, SiteError
from sensor.sitekey import SiteKey, SiteKeyError
from sensor.wire import BATCHES_AHEAD, BatchEnd, Failure, Hello, Job, Kind, decode, pack_table, send


class Cut(Protocol):
    """A batch: rows by table, and where in the capture it was cut."""

    @property
    def offset(self) -> int:
        """Bytes of the capture."""

    @property
    def tables(self) -> Mapping[str, pa.Table]:
        """Rows by table name."""


class Source(Protocol):
    """What a pipeline is to a worker."""

    parser_set: str

    def batches(self) -> Iterator[Cut]:
        """All batches, in order."""

    def summary(self) -> dict[str, object]:
        """After the last batch: the fields of `wire.Summary`."""


Opener = Callable[[CaptureFile, Site, SiteKey, int], Source]


class Worker:
    """One reading of one capture, over two pipes."""

    def __init__(self, orders: BinaryIO, words: BinaryIO, opener: Opener) -> None:
        self._orders = orders
        self._words = words
        self._open = opener
        self._unacknowledged = 0

    def run(self) -> None:
        """Do the job; what is wrong with capture or site is told to the recorder.

        Raises:
            SystemExit: the recorder is gone, or wants nothing.
        """
        job = decode(self._order(), Job)
        try:
            self._read(job, Site.load(Path(job.site) if job.site else None), SiteKey.load(Path(job.site_key)))
        except CaptureError as error:
            self._say(Kind.ERROR, Failure(type(error).__name__, error.what, error.hint))
        except (SiteError, SiteKeyError) as error:
            self._say(Kind.ERROR, Failure(type(error).__name__, str(error), ""))

    def _read(self, job: Job, site: Site, key: SiteKey) -> None:
        with CaptureFile(Path(job.capture)) as capture:
            source = self._open(capture, site, key, job.batch_bytes)
            size_bytes = Path(job.capture).stat().st_size
            mode = sandbox.enter(job.recorder)
            self._say(Kind.HELLO, Hello(capture.capture_id, source.parser_set, settings(site, key), size_bytes, mode))
            if self._order() == b"go":
                self._send_batches(source)

    def _send_batches(self, source: Source) -> None:
        for number, batch in enumerate(source.batches()):
            if self._unacknowledged == BATCHES_AHEAD:
                self._await_acknowledgement()
            for name, rows in batch.tables.items():
                send(self._words, Kind.TABLE, pack_table(name, rows))
            self._say(Kind.BATCH, BatchEnd(number, batch.offset))
            self._unacknowledged += 1
        while self._unacknowledged:
            self._await_acknowledgement()
        send(self._words, Kind.SUMMARY, msgspec.json.encode(source.summary()))

    def _await_acknowledgement(self) -> None:
        self._order()
        self._unacknowledged -= 1

    def _order(self) -> bytes:
        line = self._orders.readline()
        if not line.endswith(b"\n"):
            raise SystemExit(1)  # the recorder is gone
        return line[:-1]

    def _say(self, kind: Kind, what: msgspec.Struct) -> None:
        send(self._words, kind, msgspec.json.encode(what))


def settings(site: Site, key: SiteKey) -> str:
    """A digest of what decides facts beside the parsers, to recognise a reading made in the same way."""
    said = site.model_dump_json(include={"scopes", "privacy"}) + key.pseudonym("reading")
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def open_pipeline(capture: CaptureFile, site: Site, key: SiteKey, batch_bytes: int) -> Source:
    """The pipeline that a worker runs."""
    return Pipeline(capture, site, key, batch_bytes=batch_bytes)


def tell_where(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    """An uncaught error in one line: what and where, but never its text, which may quote a capture."""
    frames = traceback.extract_tb(trace)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    sys.stderr.write(f"spanward worker: {kind.__name__}{where}; please report it\n")


def main(opener: Opener = open_pipeline) -> None:
    """Run one job from standard input to standard output."""
    sandbox.no_dumps()
    sys.excepthook = tell_where
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the recorder decides; without it we end
    words = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not get between the frames
    try:
        Worker(os.fdopen(os.dup(0), "rb"), words, opener).run()
    except BrokenPipeError:
        os._exit(1)  # the recorder is gone; nothing is left to flush


if __name__ == "__main__":
    main()
