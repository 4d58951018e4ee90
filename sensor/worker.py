"""The worker: reads one capture, in a process of its own, and sends folded batches to the recorder.

It may crash, or be taken over by what it parses: it has no store and no rights (see `sandbox`), and what it sends is
data that the recorder checks (see `wire`). It ends by itself when the recorder is gone.

`python -m sensor.worker` is started once by `sensor.recorder`. It imports what parsing takes, then forks a worker for
each capture, which spares the capture half a second; it never sees a byte of one itself. Standard input is a socket:

    recorder: a byte, with the two pipes of a job      this process: the new worker's process id
    recorder: a byte when it has done with the worker  this process: how the worker ended, as `subprocess` counts it
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, Protocol, TextIO

import msgspec
import pyarrow as pa

from parsers.core import Registry
from sensor import sandbox
from sensor.capture.pcapfile import CaptureError, CaptureFile
from sensor.pipeline import Pipeline, calm_collector
from sensor.site import Site, SiteError
from sensor.sitekey import SiteKey, SiteKeyError
from sensor.wire import BATCHES_AHEAD, NUMBER, BatchEnd, Failure, Hello, Job, Kind, decode, pack_table, send

GRACE_S: Final = 2.0
GLANCE_S: Final = 0.005


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


class Pipes(NamedTuple):
    """A worker's ends of its pipes, and the process that it must not outlive."""

    orders: BinaryIO
    words: BinaryIO
    parent: int


class Worker:
    """One reading of one capture, over two pipes."""

    def __init__(self, pipes: Pipes, opener: Opener) -> None:
        self._orders = pipes.orders
        self._words = pipes.words
        self._parent = pipes.parent
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
            mode = sandbox.enter(self._parent)
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


def tell_where(kind: type[BaseException], _: BaseException | None, trace: TracebackType | None) -> None:
    """An uncaught error in one line: what and where, but never its text, which may quote a capture."""
    frames = traceback.extract_tb(trace)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    sys.stderr.write(f"spanward worker: {kind.__name__}{where}; please report it\n")


def quote_nothing() -> None:
    """Whatever Python says of errors and warnings by itself, it says in one line without their text."""
    sys.excepthook = tell_where
    sys.unraisablehook = _tell_of_lost
    threading.excepthook = _tell_of_lost
    warnings.showwarning = _tell_of_warning


def _tell_of_lost(lost: sys.UnraisableHookArgs | threading.ExceptHookArgs) -> None:
    """An error that nobody could catch: in a finaliser, in a thread."""
    tell_where(lost.exc_type, lost.exc_value, lost.exc_traceback)


def _tell_of_warning(
    message: Warning | str,  # noqa: ARG001
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    sys.stderr.write(f"spanward worker: {category.__name__} at {Path(filename).name}:{lineno}\n")


def next_job() -> Pipes:
    """Fork a worker for every job, until the recorder is gone. Returns in the workers only.

    Raises:
        SystemExit: the recorder is gone.
    """
    with socket.socket(fileno=os.dup(0)) as line:
        parent = os.getpid()
        while True:
            _, pipes, _, _ = socket.recv_fds(line, 1, 2)
            if len(pipes) < 2:
                raise SystemExit(0)
            child = os.fork()
            if child == 0:
                break
            _attend(line, child, pipes)
    _silence()
    return Pipes(os.fdopen(pipes[0], "rb"), os.fdopen(pipes[1], "wb"), parent)


def _attend(line: socket.socket, child: int, pipes: list[int]) -> None:
    """Stand by until the recorder has done with the worker, or is gone; then see that it ends, and say how."""
    for pipe in pipes:
        os.close(pipe)
    line.sendall(NUMBER.pack(child))
    line.recv(1)
    line.sendall(NUMBER.pack(_end(child)))


def _end(child: int) -> int:
    """Exit status of a child that ends by itself, or is killed."""
    last_s = time.monotonic() + GRACE_S
    while time.monotonic() < last_s:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(GLANCE_S)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _silence() -> None:
    """Standard input and output are not the worker's: the first is the way to new workers."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


def main(opener: Opener = open_pipeline) -> None:
    """Run the jobs that come over standard input, each in a process of its own."""
    sandbox.no_dumps()
    quote_nothing()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the recorder decides; without it we end
    Registry.installed()  # imports every parser
    calm_collector()
    try:
        Worker(next_job(), opener).run()
    except BrokenPipeError:
        os._exit(1)  # the recorder is gone; nothing is left to flush
    os._exit(0)


if __name__ == "__main__":
    main()
