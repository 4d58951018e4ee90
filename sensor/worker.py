"""The worker: reads one capture, in a process of its own, and sends folded batches to the recorder.

It may crash, or be taken over by what it parses: it has no store and no rights (see `sandbox`), and what it sends is
data that the recorder checks (see `wire`). It ends by itself when the recorder is gone.

`python -m sensor.worker` is started once by `sensor.recorder`, or split off by `sensor.forkserver`. It imports what
parsing takes, then forks a worker for each capture; it never sees a byte of one itself. Standard input is a socket:

    recorder: a byte, with the two pipes of a job      this process: the new worker's process id
    recorder: a byte when it has done with the worker  this process: how the worker ended, as `subprocess` counts it

A third file may come with the pipes: the capture itself, when it is a pipe. For the last job no worker is forked: this
process, which has what a worker has and nothing else, does it itself, and the recorder is its parent.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, Protocol, TextIO, cast

import msgspec

from parsers.core import Registry
from sensor import sandbox
from sensor.budget import DEFAULT_MIB, Budget
from sensor.capture import STDIN
from sensor.capture.pcapfile import Capture, CaptureError, CaptureFile, CaptureStream
from sensor.capture.stream import Ended
from sensor.capture.window import WINDOW_BYTES
from sensor.collector import LastResort, collect_never
from sensor.columns import Table
from sensor.forkserver import LAST, Child, see_end
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey, SiteKeyError
from sensor.wire import (
    BATCHES_AHEAD,
    INFLATE,
    NUMBER,
    PASSED_BYTES,
    PASSED_S,
    BatchEnd,
    Content,
    Failure,
    Hello,
    Job,
    Kind,
    Passed,
    decode,
    send,
    send_table,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sensor.capture.interfaces import Interfaces

STREAM_ID_BYTES: Final = 32 << 20
SLICE_S: Final = 1.0
"""Of live packets: so long may it take until a word of the recorder is heard."""


class Cut(Protocol):
    """A batch: rows by table, and where in the capture it was cut."""

    @property
    def offset(self) -> int:
        """Bytes of the capture."""

    @property
    def parts(self) -> Iterator[tuple[str, Table]]:
        """Names of tables, and some of their rows."""


class Source(Protocol):
    """What a pipeline is to a worker."""

    parser_set: str

    def batches(self, passed: Callable[[int], None] = ...) -> Iterator[Cut]:
        """All batches, in order; `passed` hears how many bytes have been read."""

    def summary(self) -> dict[str, object]:
        """After the last batch: the fields of `wire.Summary`."""


Opener = Callable[[Capture, Site, SiteKey, Job], Source]


class Pipes(NamedTuple):
    """A worker's ends of its pipes, and the process that it must not outlive."""

    orders: BinaryIO
    words: BinaryIO
    parent: int
    capture: BinaryIO | None = None


class Worker:
    """One reading of one capture, over two pipes."""

    def __init__(self, pipes: Pipes, opener: Opener) -> None:
        self._orders = pipes.orders
        self._words = pipes.words
        self._parent = pipes.parent
        self._capture = pipes.capture
        self._open = opener
        self._unacknowledged = 0
        self._stopped = False
        self._next_passed, self._next_passed_s = PASSED_BYTES, time.monotonic() + PASSED_S

    def run(self) -> None:
        """Do the job; what is wrong with the capture or the site key is told to the recorder.

        Raises:
            SystemExit: the recorder is gone, or wants nothing.
        """
        job = decode(self._order(), Job)
        read = self._read_stream if job.capture == bytes(STDIN) else self._watch if job.interfaces else self._read
        try:
            read(job, Site.of_facts(job.site), SiteKey.load(_path(job.site_key)))
        except CaptureError as error:
            self._say(Kind.ERROR, Failure(type(error).__name__, error.what, error.hint))
        except SiteKeyError as error:
            self._say(Kind.ERROR, Failure(type(error).__name__, str(error), ""))

    def _read(self, job: Job, site: Site, key: SiteKey) -> None:
        with CaptureFile(_path(job.capture), window_bytes=min(WINDOW_BYTES, job.batch_bytes)) as capture:
            source = self._open(capture, site, key, job)
            mode = sandbox.enter(self._parent, self._words.fileno())
            how = settings(site, key, job.memory_mib)
            known_by = (capture.capture_id, source.parser_set, how)
            self._say(Kind.HELLO, Hello(*known_by, capture.size_bytes, mode, capture.is_compressed))
            order = self._order()
            if order.startswith(INFLATE):
                content = capture.content_id(int(order.removeprefix(INFLATE)), self._pass)
                self._say(Kind.CONTENT, Content(content))
                order = self._order()
            if order == b"go":
                self._send_batches(source, source.batches(self._pass))

    def _read_stream(self, job: Job, site: Site, key: SiteKey) -> None:
        """The greeting waits for the first batch: only then it is known which capture this is.

        Whether it is compressed shows when nothing may be imported any more; of a file it is known before.
        """
        import gzip  # noqa: F401, PLC0415

        import zstandard  # noqa: F401, PLC0415

        assert self._capture is not None
        pipe = cast("BinaryIO", Ended(self._capture, self._orders.fileno(), self._is_enough))
        mode = sandbox.enter(self._parent, self._words.fileno())
        with CaptureStream(pipe, id_bytes=min(STREAM_ID_BYTES, job.batch_bytes)) as capture:
            source = self._open(capture, site, key, job)
            batches = source.batches()
            first = next(batches)
            self._say(
                Kind.HELLO, Hello(capture.capture_id, source.parser_set, settings(site, key, job.memory_mib), 0, mode)
            )
            if self._order() == b"go":
                self._send_batches(source, chain([first], batches))

    def _watch(self, job: Job, site: Site, key: SiteKey) -> None:
        """A live capture, until the recorder says `stop`. What needs rights is done before a packet is looked at.

        What only this takes is imported here, while it may be: 8 ms that every file would wait for.
        """
        import concurrent.futures.thread  # noqa: F401, PLC0415

        from sensor.capture.interfaces import Interfaces, open_taps  # noqa: PLC0415

        taps = open_taps(job.interfaces, job.way, job.ring_bytes, job.fanout)
        with Interfaces(taps, slice_s=min(job.cut_s, SLICE_S), stop_fd=self._orders.fileno()) as source:
            pipeline = Pipeline(source, site, key, budget=Budget.of(job.memory_mib))
            last_resort = LastResort((job.memory_mib << 20) + len(job.interfaces) * job.ring_bytes)
            mode = sandbox.enter(self._parent, self._words.fileno())
            how = settings(site, key, job.memory_mib)
            self._say(Kind.HELLO, Hello(source.capture_id, pipeline.parser_set, how, 0, mode))
            if self._order() == b"go":
                self._send_live(pipeline, source, job.cut_s, last_resort)

    def _send_live(self, pipeline: Pipeline, source: Interfaces, cut_s: float, last_resort: LastResort) -> None:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - it is there, see `_watch`

        os.set_blocking(self._orders.fileno(), False)
        number, due_s = 0, time.monotonic() + cut_s
        sent: Future[None] | None = None

        def ready() -> bool:
            """Without acknowledgements the rows stay in the fold."""
            if self._hear():
                source.stop()
            due = time.monotonic() >= due_s or pipeline.is_much
            return due and self._unacknowledged < BATCHES_AHEAD

        with ThreadPoolExecutor(1) as sender:  # a recorder that is late must not keep us from the rings
            for batch in pipeline.live(source, ready):
                due_s = time.monotonic() + cut_s
                state = msgspec.json.encode(pipeline.summary(complete=False, more=source.counters()))
                self._unacknowledged += 1
                if sent is not None and sent.done():
                    sent.result()  # raises what went wrong there
                sent = sender.submit(self._send_cut, number, batch, state)
                number += 1
                last_resort.look()
        if sent is not None:
            sent.result()
        os.set_blocking(self._orders.fileno(), True)
        while self._unacknowledged:
            self._hear()
        send(self._words, Kind.SUMMARY, msgspec.json.encode(pipeline.summary(more=source.counters())))

    def _send_cut(self, number: int, batch: Cut, state: bytes) -> None:
        """A batch, and how things stand; in a thread of its own."""
        try:
            send(self._words, Kind.STATE, state)
            self._send_batch(number, batch)
        except BrokenPipeError:
            os._exit(1)  # the recorder is gone

    def _hear(self) -> bool:
        """Whatever the recorder has said meanwhile: `ack` and `stop`, in whole lines, which pipes keep whole.

        True from `stop` on.
        """
        try:
            said = os.read(self._orders.fileno(), 4096)
        except BlockingIOError:
            return self._stopped
        if not said:
            raise SystemExit(1)  # the recorder is gone
        lines = said.split()
        self._unacknowledged -= lines.count(b"ack")
        self._stopped |= b"stop" in lines
        return self._stopped

    def _is_enough(self, said: bool) -> bool:  # noqa: FBT001
        """Of a pipe. `said`: the recorder has said something."""
        return self._hear() if said else self._stopped

    def _send_batches(self, source: Source, batches: Iterable[Cut]) -> None:
        for number, batch in enumerate(batches):
            if self._unacknowledged == BATCHES_AHEAD:
                self._await_acknowledgement()
            self._send_batch(number, batch)
            self._unacknowledged += 1
            _give_back()
        while self._unacknowledged:
            self._await_acknowledgement()
        send(self._words, Kind.SUMMARY, msgspec.json.encode(source.summary()))

    def _send_batch(self, number: int, batch: Cut) -> None:
        for name, rows in batch.parts:
            send_table(self._words, name, rows)
        self._say(Kind.BATCH, BatchEnd(number, batch.offset))

    def _pass(self, offset: int) -> None:
        now_s = time.monotonic()
        if offset >= self._next_passed or now_s >= self._next_passed_s:
            self._next_passed, self._next_passed_s = offset + PASSED_BYTES, now_s + PASSED_S
            self._say(Kind.PASSED, Passed(offset))

    def _await_acknowledgement(self) -> None:
        self._order()
        self._unacknowledged -= 1

    def _order(self) -> bytes:
        while (line := self._orders.readline()) == b"stop\n":  # of a pipe, while nobody reads it
            self._stopped = True
        if not line.endswith(b"\n"):
            raise SystemExit(1)  # the recorder is gone
        return line[:-1]

    def _say(self, kind: Kind, what: msgspec.Struct) -> None:
        send(self._words, kind, msgspec.json.encode(what))


def _path(name: bytes) -> Path:
    return Path(os.fsdecode(name))


def _give_back() -> None:
    """What a batch's rows were made of goes back to the system: the recorder needs memory next, for the same rows."""
    trim = getattr(sandbox.libc(), "malloc_trim", None)  # glibc's; others hold little
    if trim is not None:
        trim(0)


def settings(site: Site, key: SiteKey, memory_mib: int = DEFAULT_MIB) -> str:
    """A digest of what decides facts beside the parsers, to recognise a reading made in the same way."""
    said = msgspec.json.encode(site.for_facts) + key.pseudonym("reading").encode()
    if memory_mib != DEFAULT_MIB:
        said += b"%d MiB" % memory_mib
    return hashlib.sha256(said).hexdigest()[:16]


def open_pipeline(capture: Capture, site: Site, key: SiteKey, job: Job) -> Source:
    """The pipeline that a worker runs."""
    return Pipeline(capture, site, key, batch_bytes=job.batch_bytes, budget=Budget.of(job.memory_mib))


def tell_where(kind: type[BaseException], _: BaseException | None, trace: TracebackType | None) -> None:
    """An uncaught error in one line: what and where, but never its text, which may quote a capture."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
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
    """Fork a worker for every job but the last, until the recorder is gone. Returns in the workers only.

    Raises:
        SystemExit: the recorder is gone.
    """
    with socket.socket(fileno=os.dup(0)) as line:
        recorder, parent = os.getppid(), os.getpid()
        while True:
            which, pipes, _, _ = socket.recv_fds(line, 1, 3)
            if len(pipes) < 2:
                raise SystemExit(0)
            if which == LAST:
                line.sendall(NUMBER.pack(parent))
                parent = recorder
                break
            child = os.fork()
            if child == 0:
                break
            _attend(line, child, pipes)
    _silence()
    capture = os.fdopen(pipes[2], "rb", buffering=0) if len(pipes) > 2 else None
    # unbuffered: a live worker waits for orders and for packets at the same time, so none may hide in a buffer
    orders = cast("BinaryIO", os.fdopen(pipes[0], "rb", buffering=0))
    return Pipes(orders, os.fdopen(pipes[1], "wb"), parent, cast("BinaryIO | None", capture))


def _attend(line: socket.socket, child: int, pipes: list[int]) -> None:
    """Stand by until the recorder has done with the worker, or is gone; then see that it ends, and say how."""
    for pipe in pipes:
        os.close(pipe)
    line.sendall(NUMBER.pack(child))
    line.recv(1)
    line.sendall(NUMBER.pack(see_end(Child(child))))


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
    collect_never()
    try:
        Worker(next_job(), opener).run()
    except BrokenPipeError:
        os._exit(1)  # the recorder is gone; nothing is left to flush
    os._exit(0)


if __name__ == "__main__":
    main()
