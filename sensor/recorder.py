"""The recorder: the one process that owns the store. It has workers read, checks what they say, commits, acknowledges.

A batch is acknowledged when it is on disk. When the worker dies, the recorder says what was committed and ends; when
the recorder dies, the worker reads the end of its input and ends too. Reading again goes on where it stopped, because
batches in the ledger are skipped.
"""

from __future__ import annotations

import io
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Final, Self

import msgspec

import sensor
from sensor.budget import DEFAULT_MIB
from sensor.capture import STDIN
from sensor.capture.errors import CaptureDamaged, CaptureError, CaptureUnreadable, NotACapture
from sensor.forkserver import LAST, NEXT, Forkserver, Process, environment, see_end
from sensor.mirror import Tally, judged
from sensor.rows import SCHEMAS
from sensor.site import Site
from sensor.store import Ledger, Reading, Store
from sensor.store import Summary as CaptureSummary
from sensor.store.copies import Original, content_known_as, note_copy, possible_original
from sensor.store.ledger import LedgerMismatch
from sensor.wire import (
    BATCH_BYTES_MAX,
    INFLATE,
    NUMBER,
    BatchEnd,
    Content,
    Failure,
    Gathered,
    Hello,
    Job,
    Kind,
    Passed,
    Summary,
    WireError,
    decode,
    printable,
    receive,
)

WORKER: Final = (sys.executable, "-P", "-m", "sensor.worker")
_CAPTURE_ERRORS: Final = {error.__name__: error for error in (CaptureDamaged, CaptureUnreadable, NotACapture)}
SILENT_S: Final = 120.0
"""A worker that owes a word for so long is stuck: of a file it says one every ten seconds, live with each batch."""
_TEXT_MAX_CHARS: Final = 500
_OTHER_STREAM: Final = (
    "began like a stream that is in the store, and went on differently",
    "write it to a file and read that",
)

_LONGER_STREAM: Final = (
    "is a stream that is in the store, but had ended earlier; that is taken out now",
    "pipe it again to have it whole",
)

Progress = Callable[[Path, int, int], None]
"""Called with the capture's path, how many bytes of it have been read, and its size; a guess for compressed ones."""


class WorkerDied(Exception):
    """The worker ended, or said what it may not, before the capture's end. `str()` is one line."""

    def __init__(self, path: Path, how: str, committed_count: int) -> None:
        batches = "1 batch is" if committed_count == 1 else f"{committed_count} batches are"
        super().__init__(f"{path}: the worker {how}; {batches} safe in the store, run it again to go on from there")


class CaptureRead(msgspec.Struct, frozen=True):
    """What came of one capture.

    Attributes:
        path: as given.
        capture: id of its content; of a compressed copy, that of the capture which was read.
        known: it was in the store already, read in the same way; nothing was done.
        batch_count: batches committed now; `resumed_count`: those that an interrupted reading had committed.
        packets, bytes, damaged: of the capture.
    """

    path: Path
    capture: str
    known: bool
    batch_count: int
    resumed_count: int
    packets: int
    bytes: int
    damaged: str | None


class Recorder:
    """Reads captures into an open store; a context manager, because it keeps a process.

    Args:
        store: open for writing.
        site: path of the site file.
        site_key: path of the site key.
        batch_bytes: capture bytes to a batch.
        memory_mib: of a worker, see `sensor.budget`.
        progress: see `Progress`.
        command: starts the process that forks workers.
        workers: that process, where it is there already; it ends with this.

    Raises:
        SiteError: the site file cannot be used.
    """

    def __init__(
        self,
        store: Store,
        *,
        site: Path | None,
        site_key: Path,
        batch_bytes: int,
        memory_mib: int = DEFAULT_MIB,
        progress: Progress | None = None,
        command: Sequence[str] = WORKER,
        workers: Workers | None = None,
    ) -> None:
        self._store = store
        self._site = Site.load(site).for_facts
        self._site_key = site_key
        self._batch_bytes = batch_bytes
        self._memory_mib = memory_mib
        self._progress = progress or (lambda _path, _done, _size: None)
        self._workers = workers or Workers(command)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.close()

    def read(self, path: Path, *, last: bool = False) -> CaptureRead:
        """Read one capture to its end, unless the store has it. After the `last` one none may be wanted.

        Raises:
            CaptureError: it cannot be read.
            StoreError: the store refused; what was committed is safe.
            WorkerDied: run it again.
        """
        with suppress(LedgerMismatch):
            return self._attempt(path, last=last)
        # an interrupted reading by another engine: it is begun anew, from nothing
        return self._attempt(path, last=last)

    def _attempt(self, path: Path, *, last: bool) -> CaptureRead:
        capture = _standard_input(path) if path == STDIN else None
        with self._workers.talk(self._job(path), capture, last=last) as talk:
            conversation = _Reading(self._store, path, talk, self._batch_bytes, self._progress)
            try:
                return conversation.run()
            except WireError as error:
                raise WorkerDied(path, f"said what it may not ({printable(str(error))})", conversation.count) from error

    def _job(self, path: Path) -> Job:
        capture = bytes(path if path == STDIN else path.absolute())
        key = bytes(self._site_key.absolute())
        return Job(capture, self._site, key, self._batch_bytes, memory_mib=self._memory_mib)


class Workers:
    """The process that forks workers, started when the first one is wanted, or as a context manager at once.

    Should it have ended, it is started anew for the next job.

    Args:
        command: starts it.
        forkserver: it, where it is there already; it ends with this.
    """

    def __init__(self, command: Sequence[str] = WORKER, forkserver: Forkserver | None = None) -> None:
        self._command = list(command)
        self._process: Process | None = forkserver.process if forkserver else None
        self._line: socket.socket | None = forkserver.line if forkserver else None

    def __enter__(self) -> Self:
        with suppress(OSError):  # tried again, and said, when there is a job
            self._line = self._line or self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def talk(self, job: Job, capture: int | None = None, *, last: bool = False) -> Iterator[Talk]:
        """A worker with its job, and with a pipe to read from; it is gone when the context ends.

        For the `last` job none is forked: the process does it itself. Should another job come, a new one is started.

        Raises:
            CaptureError: the system gives no process or no pipes.
        """
        try:
            line = self._alive() or self._start()
            orders, words = _pipes(line, LAST if last else NEXT, [] if capture is None else [capture])
        except OSError as error:
            name = os.fsdecode(job.capture) or ",".join(job.interfaces)
            what = f"there is no worker for it: {error.strerror}"
            raise CaptureError(Path(name), what, "`ulimit -a` says how many processes and files it may have") from error
        talk = Talk(line, orders, words, self._process if last else None)
        if last:
            self._line = self._process = None
        try:
            talk.order(msgspec.json.encode(job))
            yield talk
        finally:
            words.close()
            _close_quietly(orders)
            talk.end()
            if last:
                line.close()

    def close(self) -> None:
        """End them all."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._line = self._process = None

    def _alive(self) -> socket.socket | None:
        """The way to the process, if it is there and has not ended."""
        if self._line is not None and self._process is not None and self._process.poll() is not None:
            self._line.close()
            self._line = self._process = None
        return self._line

    def _start(self) -> socket.socket:
        import subprocess  # noqa: PLC0415 - 2 ms of a start, and most often there is a forkserver

        ours, theirs = socket.socketpair()
        with ExitStack() as undo, theirs:
            undo.callback(ours.close)
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                self._command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the recorder, which ends the workers in order
            )
            undo.pop_all()
        self._line = ours
        return ours


class Talk:
    """The recorder's ends of the pipes to a worker.

    Args:
        line: to the process that forks workers.
        orders, words: the pipes.
        process: the worker, when it is that process itself.

    Attributes:
        pid: the worker's process id; 0 when it could not be made.
        silent_s: whoever waits for its words counts here for how long; 0 again with each word.
    """

    def __init__(
        self, line: socket.socket, orders: IO[bytes], words: IO[bytes], process: Process | None = None
    ) -> None:
        self._line = line
        self._process = process
        self._orders = orders
        self._words = words
        self._code: int | None = None
        self._ended = False
        self._gave_up_s = 0.0
        self.silent_s = 0.0
        self.pid = self._number() or 0

    def order(self, text: bytes) -> None:
        """Write a line; that a worker is gone is noticed at the next read, or was: then the pipe may be closed."""
        with suppress(BrokenPipeError, ValueError):
            self._orders.write(text + b"\n")
            self._orders.flush()

    @contextmanager
    def ended_by_hand(self) -> Iterator[None]:
        """Within, the first SIGINT or SIGTERM ends what the worker reads, and what it has read is kept."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def put_back() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def end(*_: object) -> None:
            put_back()
            with suppress(OSError, ValueError):  # it has ended
                os.write(self._orders.fileno(), b"stop\n")  # a line of our own, also within another order

        for number in before:
            signal.signal(number, end)
        try:
            yield
        finally:
            put_back()

    def hang_up(self) -> None:
        """Nothing more is ordered or acknowledged: the worker ends, as if we were gone."""
        _close_quietly(self._orders)

    def frames(self, patience_s: float | None = None) -> Iterator[tuple[Kind, bytes]]:
        """Until the worker ends; it is ended when it says nothing for `patience_s`, if that is not None."""
        words = self._words if patience_s is None else io.BufferedReader(self._awaited(patience_s))
        while (frame := receive(words)) is not None:
            self.silent_s = 0.0
            yield frame

    def end(self) -> None:
        """See that the worker ends, and learn how."""
        if self._ended:
            return
        self._ended = True
        if self._process is not None:
            self._code = see_end(self._process)
            return
        with suppress(ConnectionError):
            self._line.sendall(b".")
            self._code = self._number()

    def give_up(self) -> None:
        """End a worker that is stuck, and would neither read an order nor notice that we are gone."""
        self._gave_up_s, self.silent_s = self.silent_s, 0.0
        if self.pid:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, signal.SIGKILL)

    def _awaited(self, patience_s: float) -> _Awaited:
        def lose_patience() -> None:
            self.silent_s = patience_s
            self.give_up()

        return _Awaited(self._words.fileno(), patience_s, lose_patience)

    def death(self) -> str:
        """How the worker ended, in words."""
        self.end()
        if self._gave_up_s:
            return f"said nothing for {self._gave_up_s:.0f} s, and was ended"
        if self._code is None:
            return "was ended with the process that it came from"
        if self._code < 0:
            return f"was ended by signal {-self._code} ({signal.strsignal(-self._code)})"
        return f"ended with status {self._code}"

    def _number(self) -> int | None:
        with suppress(ConnectionError):
            said = self._line.recv(NUMBER.size, socket.MSG_WAITALL)
            if len(said) == NUMBER.size:
                return int(NUMBER.unpack(said)[0])
        return None


class _Awaited(io.RawIOBase):
    """A pipe whose next bytes are waited for `patience_s`; then `lose_patience` ends whoever owes them."""

    def __init__(self, pipe: int, patience_s: float, lose_patience: Callable[[], None]) -> None:
        self._pipe = pipe
        self._patience_ms = patience_s * 1000
        self._lose_patience = lose_patience
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)

    def readable(self) -> bool:
        """It is for nothing else."""
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        """Some bytes; how many, 0 at the end."""
        if not self._poll.poll(self._patience_ms):
            self._lose_patience()
        return os.readv(self._pipe, [target])


class _Reading:
    """One worker's reading of one capture."""

    def __init__(self, store: Store, path: Path, talk: Talk, batch_bytes: int, progress: Progress) -> None:
        self._store = store
        self._path = path
        self._talk = talk
        self._batch_bytes = batch_bytes
        self._progress = progress
        self._gathered = Gathered(SCHEMAS, BATCH_BYTES_MAX)
        self._next = 0
        self._new_count = 0
        self._hello: Hello | None = None
        self._original: Original | None = None
        self._capture = ""
        self._ledger: Ledger | None = None
        self._tally = Tally()

    @property
    def count(self) -> int:
        """Batches of this reading that are in the store."""
        return self._ledger.committed_count if self._ledger else 0

    def run(self) -> CaptureRead:
        """Listen until the capture is read, known, or the worker has died."""
        if self._path != STDIN:
            return self._listen(SILENT_S)
        with self._talk.ended_by_hand():
            return self._listen(None)  # a pipe may be silent for as long as it likes

    def _listen(self, patience_s: float | None) -> CaptureRead:
        for kind, payload in self._talk.frames(patience_s):
            if kind == Kind.ERROR:
                raise self._failure(decode(payload, Failure))
            if self._hello is None:
                self._greet(kind, payload)
            elif kind == Kind.PASSED:
                self._pass(decode(payload, Passed).byte_offset)
            elif self._ledger is None:
                self._compare(kind, payload, self._hello)
            elif kind == Kind.TABLE:
                self._gathered.add(payload)
            elif kind == Kind.BATCH:
                self._commit(self._ledger, decode(payload, BatchEnd))
            elif kind == Kind.SUMMARY:
                return self._finish(self._ledger, decode(payload, Summary))
            else:
                raise WireError("a second greeting")
            if self._ledger is not None and self._known(self._ledger):
                return self._already_there(self._ledger)
        raise WorkerDied(self._path, self._talk.death(), self.count)

    def _greet(self, kind: Kind, payload: bytes) -> None:
        if kind != Kind.HELLO:
            raise WireError("no greeting")
        self._hello = hello = decode(payload, Hello)
        known_as = content_known_as(self._store, hello.capture) if hello.compressed else None
        if hello.compressed and known_as is None:
            self._original = possible_original(self._store, printable(self._path.name))
        if self._original is not None:
            self._talk.order(INFLATE + b"%d" % self._original.size_bytes)
        else:
            self._begin(hello, known_as or hello.capture)

    def _compare(self, kind: Kind, payload: bytes, hello: Hello) -> None:
        """The worker has looked whether this is the compressed copy of a capture that was read."""
        if kind != Kind.CONTENT or self._original is None:
            raise WireError("nothing about the content")
        if decode(payload, Content).capture != self._original.capture:
            return self._begin(hello, hello.capture)
        note_copy(self._store, hello.capture, self._original.capture)
        return self._begin(hello, self._original.capture)

    def _begin(self, hello: Hello, capture: str) -> None:
        """What is inside is known under this id, or will be."""
        reading = Reading(
            capture,
            hello.parser_set,
            hello.settings,
            self._batch_bytes,
            printable(self._path.name),
            hello.size_bytes,
            sandbox=hello.sandbox,
        )
        self._capture = capture
        self._ledger = Ledger(self._store, reading)
        self._talk.order(b"skip" if self._known(self._ledger) else b"go")

    def _known(self, ledger: Ledger) -> bool:
        """There is nothing to read. Of a stream only its beginning is known yet: it is read, and compared."""
        return ledger.known is not None and self._path != STDIN

    def _commit(self, ledger: Ledger, end: BatchEnd) -> None:
        if end.number != self._next:
            raise WireError(f"batch {end.number} where {self._next} should come")
        tables = self._gathered.take()
        self._tally.add(tables)
        try:
            self._new_count += ledger.commit(end.number, end.byte_offset, tables)
        except LedgerMismatch as error:
            longer = ledger.ended_before(end.byte_offset)
            if self._path != STDIN or longer:  # it can be read again
                ledger.forget()
            if self._path == STDIN:
                raise CaptureError(self._path, *(_LONGER_STREAM if longer else _OTHER_STREAM)) from error
            raise
        self._next += 1
        self._talk.order(b"ack")
        self._pass(end.byte_offset)

    def _pass(self, offset: int) -> None:
        size_bytes = self._hello.size_bytes if self._hello else 0
        self._progress(self._path, min(offset, size_bytes), size_bytes)

    def _finish(self, ledger: Ledger, said: Summary) -> CaptureRead:
        damaged = printable(said.damaged) if said.damaged else None
        known = ledger.known is not None and not self._new_count
        ledger.warn(judged(self._tally, said.counts()), said.first_ts)
        ledger.finish(CaptureSummary(**msgspec.structs.asdict(said) | {"damaged": damaged}))
        return self._result(known=known, packets=said.packets, byte_count=said.bytes, damaged=damaged)

    def _already_there(self, ledger: Ledger) -> CaptureRead:
        known = ledger.known
        assert known is not None
        return self._result(known=True, packets=known.packets, byte_count=known.bytes, damaged=known.damaged)

    def _result(self, *, known: bool, packets: int, byte_count: int, damaged: str | None) -> CaptureRead:
        resumed = 0 if known else self._next - self._new_count
        return CaptureRead(self._path, self._capture, known, self._new_count, resumed, packets, byte_count, damaged)

    def _failure(self, said: Failure) -> Exception:
        what, hint = (printable(text)[:_TEXT_MAX_CHARS] for text in (said.what, said.hint))
        return _CAPTURE_ERRORS.get(said.kind, CaptureError)(self._path, what, hint)


def _pipes(line: socket.socket, which: bytes, more: list[int]) -> tuple[IO[bytes], IO[bytes]]:
    """Two new pipes, whose other ends go to a worker, with `more`; `which` job it is."""
    orders, our_orders = os.pipe()
    try:
        our_words, words = os.pipe()
    except OSError:  # no more files: what there is of them is needed
        os.close(orders)
        os.close(our_orders)
        raise
    with suppress(ConnectionError):  # noticed when no process id comes back
        socket.send_fds(line, [which], [orders, words, *more])
    os.close(orders)
    os.close(words)
    return os.fdopen(our_orders, "wb"), os.fdopen(our_words, "rb")


def _standard_input(path: Path) -> int:
    if sys.stdin is None:
        raise CaptureUnreadable(path, "there is no standard input", "pipe a capture into it")
    return sys.stdin.fileno()


def _close_quietly(pipe: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        pipe.close()


def _environment() -> dict[str, str]:
    """That of a worker, which finds `sensor` where it is."""
    root = str(Path(sensor.__file__ or "").parent.parent)
    path = os.pathsep.join(path for path in (root, os.environ.get("PYTHONPATH", "")) if path)
    return {**environment(os.environ), "PYTHONPATH": path}
