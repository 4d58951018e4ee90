"""A worker with an error of ours in the middle of a secret: a program for `test_errors`, not a test.

    python failing_worker.py HOW BULKHEAD                            is a worker
    python failing_worker.py HOW BULKHEAD STORE KEY CAPTURE          reads CAPTURE with such workers

HOW says how the error gets out; its message, its cause, its locals and its warnings all quote the capture. BULKHEAD is
`caught` or `uncaught`. Both are programs because a worker may write to a pipe, but not to the files that pytest
catches output in.
"""

from __future__ import annotations

import gc
import sys
import threading
import warnings
from pathlib import Path

from parsers.core import Confirmed, Conversation, Protocol, Reader, Registry, Secret, Side, Steps, Verdict
from sensor import worker
from sensor.capture.pcapfile import CaptureFile
from sensor.pipeline import Pipeline
from sensor.recorder import Recorder, WorkerDied
from sensor.site import Site
from sensor.sitekey import SiteKey
from sensor.store import Store
from sensor.wire import Job

PASSCODE = b"GIXG7GU6HJHUX5"
KNOWN: dict[bytes, int] = {}


def probe(head: bytes, side: Side) -> Verdict:
    return Verdict.LIKELY


def first(r: Reader) -> Steps:
    yield from r.exactly(1)
    yield Confirmed()


def raising(r: Reader, side: Side, talk: Conversation) -> Steps:
    """An error whose message quotes the wire, from another one that does so too."""
    yield from first(r)
    secret = Secret(PASSCODE)
    try:
        KNOWN[PASSCODE]
    except KeyError as error:
        raise ValueError(f"what is {secret.reveal()!r}?") from error


class Lingering:
    """Fails when nobody can catch it any more."""

    def __del__(self) -> None:
        raise ValueError(PASSCODE)


def lingering(r: Reader, side: Side, talk: Conversation) -> Steps:
    """An error while something is thrown away, which Python prints by itself."""
    yield from first(r)
    Lingering()
    gc.collect()


def threaded(r: Reader, side: Side, talk: Conversation) -> Steps:
    """An error in a thread, which ends nothing."""

    def fail() -> None:
        raise ValueError(PASSCODE)

    yield from first(r)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()


def warning(r: Reader, side: Side, talk: Conversation) -> Steps:
    """A library that warns of what it reads."""
    yield from first(r)
    warnings.warn(f"odd value {PASSCODE!r}", UserWarning, stacklevel=1)


FAILURES = {"raising": raising, "lingering": lingering, "threaded": threaded, "warning": warning}


def opener(capture: CaptureFile, site: Site, key: SiteKey, job: Job) -> Pipeline:
    how, bulkhead = sys.argv[1:]
    registry = Registry([Protocol("failing", "none", "tcp", probe, FAILURES[how])])
    return Pipeline(capture, site, key, registry=registry, batch_bytes=job.batch_bytes, bulkhead=bulkhead == "caught")


def read(store: Path, key: Path, capture: Path) -> None:
    command = (sys.executable, "-P", __file__, *sys.argv[1:3])
    with (
        Store.open(store) as opened,
        Recorder(opened, site=None, site_key=key, batch_bytes=1 << 20, command=command) as recorder,
    ):
        try:
            print(recorder.read(capture))
        except WorkerDied as died:
            sys.exit(str(died))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        worker.main(opener)
    else:
        read(*map(Path, sys.argv[3:]))
