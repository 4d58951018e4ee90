"""Live capture into an open store: what `spanward run -i` does beside the API.

A thread for each worker keeps it running and listens to it, so that its pipe does not fill up; one thread alone writes
the store, infers, and says what is wrong. Between them lies a queue of few batches: a worker that gets no
acknowledgement keeps its rows and goes on capturing.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec

from sensor.budget import DEFAULT_MIB
from sensor.capture.afpacket import RING_BYTES
from sensor.capture.errors import CaptureError, CaptureUnreadable
from sensor.capture.interfaces import DEFAULT_WAY, Way
from sensor.columns import Table
from sensor.health import Mirror
from sensor.mirror import MirrorWarning
from sensor.recorder import SILENT_S, WORKER, Talk, Workers
from sensor.rows import SCHEMAS
from sensor.site import Site, SiteForFacts
from sensor.store import Ledger, Reading, Store, StoreError
from sensor.store import Summary as CaptureSummary
from sensor.store.patience import patiently
from sensor.upkeep import Upkeep
from sensor.wire import (
    BatchEnd,
    Failure,
    Gathered,
    Hello,
    Job,
    Kind,
    Summary,
    WireError,
    decode,
    printable,
)

CUT_S: Final = 15.0
"""Of a batch. What a device says again within it is one row; inference waits for twice as long anyway."""
NOTE_S: Final = 30.0
LIVE_BATCH_BYTES_MAX: Final = 256 << 20
PART_BYTES: Final = 64 << 20
"""Of a batch. What was folded while we were late comes in one: it is committed part by part, and never held whole."""
NICE: Final = 10
"""Of the thread that writes: what it is late for is kept by the workers, what they are late for is lost."""
WORDS_WAITING: Final = 2
"""Of all workers, each up to `PART_BYTES` of rows: more wait in the workers' folds, where rows alike become one."""
_RESTART_FIRST_S: Final = 0.5
_RESTART_LAST_S: Final = 60.0
_TRIES: Final = 3
_TICK_S: Final = 0.5
_START_S: Final = 60.0


@dataclass(frozen=True)
class LiveJob:
    """What to capture, and how.

    Attributes:
        interfaces: names.
        workers: processes that share them.
        site, site_key: paths.
        cut_s: seconds to a batch.
        ring_bytes: of packets that can wait, for each interface and worker.
        way: how interfaces are tapped.
        memory_mib: see `sensor.budget`; for each worker.
    """

    interfaces: Sequence[str]
    workers: int
    site: Path | None
    site_key: Path
    cut_s: float = CUT_S
    ring_bytes: int = RING_BYTES
    way: Way = DEFAULT_WAY
    memory_mib: int = DEFAULT_MIB

    @cached_property
    def _site(self) -> SiteForFacts:
        return Site.load(self.site).for_facts

    @property
    def name(self) -> str:
        """As the capture is called in the store."""
        return ",".join(self.interfaces)

    def for_worker(self) -> Job:
        """The same for the wire."""
        fanout = os.getpid() & 0xFFFF or 1 if self.workers > 1 else 0
        key = bytes(self.site_key.absolute())
        interfaces = tuple(map(printable, self.interfaces))  # one whose name is no text is not found
        return Job(b"", self._site, key, 0, interfaces, fanout, self.cut_s, self.ring_bytes, self.way, self.memory_mib)


@dataclass(frozen=True)
class _Word:
    """What a worker has said. Its reading is a number that no other worker has."""

    reading: int
    talk: Talk


@dataclass(frozen=True)
class _Greeted(_Word):
    hello: Hello


@dataclass(frozen=True)
class _Rows(_Word):
    """Rows of a batch; `end` is None when others of it follow."""

    end: BatchEnd | None
    tables: dict[str, list[Table]]


@dataclass(frozen=True)
class _State(_Word):
    summary: Summary


@dataclass(frozen=True)
class _Ended(_Word):
    """`why` is None when it ended as it should."""

    why: str | None


class _Reading:
    """What the writing thread knows of one worker."""

    def __init__(self, ledger: Ledger, interfaces: Sequence[str]) -> None:
        self.ledger = ledger
        self.mirror = Mirror(interfaces, time.monotonic())
        self.next = 0
        self.committed = 0
        self.offset = 0
        self.noted_s = 0.0
        self.state: Summary | None = None
        self.warned: list[MirrorWarning] = []

    def commit(self, word: _Rows) -> bool:
        """Put rows into the store; acknowledge the batch that they end. False when there were none."""
        some = any(part.row_count for parts in word.tables.values() for part in parts)
        if word.end is None or word.end.number == self.next:
            self.mirror.count(word.tables)
            self.offset = self.offset if word.end is None else word.end.byte_offset
            if some:
                self.ledger.commit(self.committed, self.offset, word.tables)
                self.committed += 1
            self.next += word.end is not None
        if word.end is not None:
            word.talk.order(b"ack")
        return some

    def hear(self, summary: Summary) -> list[str]:
        """Note the counters; what is to be said of them."""
        self.state = summary
        if time.monotonic() - self.noted_s >= NOTE_S:
            self.noted_s = time.monotonic()
            self.ledger.note(_columns(summary, None))
        said = self.mirror.look(summary.counts(), time.monotonic())
        if self.mirror.standing != self.warned:
            self.warned = self.mirror.standing
            self.ledger.warn(self.warned)
        return said

    def finish(self, why: str | None) -> None:
        """The worker has ended; `why` when it should not have."""
        if self.state is not None:
            self.ledger.finish(_columns(self.state, why))


class Live:
    """Captures until `stop`.

    Args:
        store: open for writing; nobody else may write it.
        job: what to capture.
        infer: makes inferences; called in the thread that writes.
        say: gets lines for the person who watches.
        fail: called when it cannot go on; `failure` says why.
        command: starts the process that forks workers.
    """

    def __init__(
        self,
        store: Store,
        job: LiveJob,
        *,
        infer: Callable[[], object],
        say: Callable[[str], None],
        fail: Callable[[], None],
        command: Sequence[str] = WORKER,
    ) -> None:
        self.failure: Exception | None = None
        self._store = store
        self._job = job
        self._upkeep = Upkeep(store, infer)
        self._say = say
        self._fail = fail
        self._command = command
        self._words: queue.Queue[_Word | None] = queue.Queue(WORDS_WAITING)
        self._started = False
        self._stopping = threading.Event()
        self._greeted = threading.Semaphore(0)
        self._talks: set[Talk] = set()
        self._began: set[int] = set()
        self._numbers = iter(range(1 << 62))
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)
        self._keepers = [
            threading.Thread(target=self._keep, name=f"worker {number}", daemon=True) for number in range(job.workers)
        ]

    def start(self) -> None:
        """Begin; returns when every worker captures.

        Raises:
            CaptureError: an interface cannot be captured from.
        """
        self._writer.start()
        for keeper in self._keepers:
            keeper.start()
        for _ in self._keepers:
            if not self._greeted.acquire(timeout=_START_S):
                self.failure = self.failure or CaptureError(Path(self._job.name), "the workers do not start")
        self._started = True
        if self.failure is not None:
            self.stop()
            raise self.failure

    def stop(self) -> None:
        """Have the workers finish, commit the rest, and infer for the last time."""
        self._stopping.set()
        for talk in tuple(self._talks):
            talk.order(b"stop")
        for keeper in self._keepers:
            keeper.join()
        self._put(None)
        self._writer.join()

    # ------------------------------------------------------------------ a thread for each worker

    def _keep(self) -> None:
        """Have a worker run; start another when it dies."""
        workers, wait_s = Workers(self._command), _RESTART_FIRST_S
        tries = 0
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                self._run(workers)
            except CaptureError as error:
                if not self._captured():
                    self._give_up(error)
                    break
                self._say(f"{error}; another is tried")
            tries += 1
            if not self._captured() and tries == _TRIES:
                self._give_up(CaptureError(Path(self._job.name), "the workers die before they capture anything"))
                break
            wait_s = _RESTART_FIRST_S if time.monotonic() - began_s > _RESTART_LAST_S else wait_s
            workers.close()
            self._stopping.wait(wait_s)
            wait_s = min(2 * wait_s, _RESTART_LAST_S)
        workers.close()
        self._greeted.release()

    def _captured(self) -> bool:
        """A worker of this thread has captured before."""
        return threading.get_ident() in self._began

    def _run(self, workers: Workers) -> None:
        """One worker, from its greeting to its end.

        Raises:
            CaptureError: it cannot capture, and none before it could; or there is none.
        """
        number, why = next(self._numbers), None
        with workers.talk(self._job.for_worker()) as talk:
            try:
                for word in self._listen(talk, number):
                    self._put(word)
                    if isinstance(word, _Ended):
                        return
                why = talk.death()
            except CaptureError as error:
                if not self._captured():
                    raise
                why = f"stopped: {error.what}"
            except WireError as error:
                why = f"said what it may not ({printable(str(error))})"
            finally:
                self._talks.discard(talk)
        self._put(_Ended(number, talk, why))

    def _listen(self, talk: Talk, number: int) -> Iterator[_Word]:
        """A worker's words, each checked.

        Raises:
            CaptureError: it cannot capture.
            WireError: it said what it may not.
        """
        greeted, gathered = False, Gathered(SCHEMAS, LIVE_BATCH_BYTES_MAX)
        for kind, payload in talk.frames():
            if kind == Kind.ERROR:
                failure = decode(payload, Failure)
                raise CaptureUnreadable(Path(self._job.name), printable(failure.what), printable(failure.hint))
            if greeted == (kind == Kind.HELLO):
                raise WireError("a greeting too many, or none")
            if kind == Kind.HELLO:
                greeted = True
                yield _Greeted(number, talk, decode(payload, Hello))
                self._begin(talk)
            elif kind == Kind.TABLE:
                gathered.add(payload)
                if gathered.byte_count >= PART_BYTES:
                    yield _Rows(number, talk, None, gathered.take())
            elif kind == Kind.BATCH:
                yield _Rows(number, talk, decode(payload, BatchEnd), gathered.take())
            elif kind == Kind.STATE:
                yield _State(number, talk, decode(payload, Summary))
            else:
                yield _State(number, talk, decode(payload, Summary))
                yield _Ended(number, talk, None)

    def _begin(self, talk: Talk) -> None:
        talk.order(b"go")
        self._talks.add(talk)
        self._began.add(threading.get_ident())
        if self._stopping.is_set():
            talk.order(b"stop")
        self._greeted.release()

    def _put(self, word: _Word | None) -> None:
        """Wait for room in the queue, unless nobody takes out of it any more."""
        while self._writer.is_alive():
            with suppress(queue.Full):
                self._words.put(word, timeout=_TICK_S)
                return

    def _give_up(self, error: Exception) -> None:
        """End everything, from any thread."""
        if self.failure is None:
            self.failure = error
            self._stopping.set()
            if self._started:
                self._fail()

    # ------------------------------------------------------------------ the thread that writes

    def _write(self) -> None:
        """Whatever goes wrong here ends everything: rows that nobody takes would keep the workers waiting for ever."""
        written = False
        _stand_back()
        try:
            self._take_words()
            written = True
        except (StoreError, CaptureError) as error:
            self._give_up(error)
        finally:
            if not written:  # where it was said why, that stands
                self._give_up(CaptureError(Path(self._job.name), "rows could not be written", "please report it"))
            for talk in tuple(self._talks):  # whoever still waits for an acknowledgement would wait for ever
                talk.hang_up()

    def _take_words(self) -> None:
        readings: dict[int, _Reading] = {}
        while True:
            is_news = False
            try:
                word = self._words.get(timeout=_TICK_S)
            except queue.Empty:
                self._miss_words()
            else:
                if word is None:
                    break
                is_news = self._handle(readings, word)
            self._upkeep.look(is_news=is_news)
        for reading in readings.values():
            reading.finish(None)
        self._upkeep.infer()

    def _miss_words(self) -> None:
        """All that was said has been heard and acknowledged, so each worker owes a word soon."""
        for talk in tuple(self._talks):
            talk.silent_s += _TICK_S
            if talk.silent_s >= SILENT_S:
                talk.give_up()

    def _handle(self, readings: dict[int, _Reading], word: _Word) -> bool:
        """True when there is something new in the store."""
        if isinstance(word, _Greeted):
            readings[word.reading] = self._open(word.hello)
        reading = readings.get(word.reading)
        if isinstance(word, _Rows) and reading is not None:
            size_bytes = sum(part.size_bytes for parts in word.tables.values() for part in parts)
            patiently(lambda: self._store.expect(size_bytes), self._stopping, self._say)
            return reading.commit(word)
        if isinstance(word, _State) and reading is not None:
            for line in reading.hear(word.summary):
                self._say(line)
        elif isinstance(word, _Ended):
            self._end(readings.pop(word.reading, None), word.why)
        return False

    def _open(self, hello: Hello) -> _Reading:
        reading = Reading(
            hello.capture, hello.parser_set, hello.settings, 0, self._job.name, 0, live=True, sandbox=hello.sandbox
        )
        return _Reading(Ledger(self._store, reading), self._job.interfaces)

    def _end(self, reading: _Reading | None, why: str | None) -> None:
        if reading is not None:
            reading.finish(why and f"the worker {why}")
        if why is not None and not self._stopping.is_set():
            self._say(f"{self._job.name}: the worker {why}; another is started, what was committed is safe")


def _stand_back() -> None:
    """Let workers have the processor before this thread, where a thread can have a niceness of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + NICE)


def _columns(summary: Summary, why: str | None) -> CaptureSummary:
    """As the store wants it; `why` the capture ended too early."""
    values = msgspec.structs.asdict(summary)
    said = why or summary.damaged
    return CaptureSummary(
        **values | {"complete": summary.complete and why is None, "damaged": said and printable(said)}
    )
