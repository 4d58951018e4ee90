"""A process that forks workers, split off from this one before it has anything that a worker may not have.

A new interpreter imports for 80 ms what this one has imported already. `spanward read`, which lives for seconds, is
spared that: before it opens, starts or loads anything it forks, and the child becomes what `python -m sensor.worker`
is. A fork inherits all, so of what there is at that moment nothing stays that a new interpreter would not have:

* files: standard error only. Standard input is the way to the recorder, all others are closed;
* memory: the store, its key and DuckDB are not loaded yet, or there is no fork; variables of the environment that no
  worker is given are overwritten, where Python holds them and where the kernel has put them;
* signals and session: those of a new process.

What remains is that both lie at the same addresses, which helps whoever takes a worker over and then attacks the
recorder. `spanward run`, which listens to strangers for months, therefore starts a new interpreter.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, NoReturn, Protocol

# What recorder and workers both need is imported once, here.
import sensor.capture.errors
import sensor.lean
import sensor.rows
import sensor.site
import sensor.sitekey
import sensor.wire  # noqa: F401

NEXT: Final = b"."
LAST: Final = b"!"
"""What a job comes with: after the last one no other worker is wanted."""
GRACE_S: Final = 2.0
GLANCE_S: Final = 0.005
_STORE: Final = "sensor.store"
_ENVIRONMENT_AT: Final = slice(47, 49)
_KEPT_VARIABLES: Final = ("HOME", "LANG", "PATH", "SPANWARD_INTERPRETED", "TZ", "VIRTUAL_ENV")
_KEPT_PREFIXES: Final = ("ARROW_", "LC_", "PYTHON", "COVERAGE_")


class Process(Protocol):
    """As `subprocess.Popen` has it."""

    pid: int

    def poll(self) -> int | None:
        """Its status, if it has ended."""

    def kill(self) -> None:
        """End it."""

    def wait(self) -> int:
        """Until it has ended; its status."""


class Forkserver(NamedTuple):
    """A process that forks workers, and the socket that it takes jobs from (see `sensor.worker`)."""

    process: Process
    line: socket.socket


class Child:
    """A process that we forked ourselves."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """Its status, if it has ended."""
        ended, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if ended else None

    def kill(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Until it has ended; its status."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def split_off() -> Forkserver | None:
    """Fork, if this process is still so young that it may; else None, and who needs workers starts an interpreter."""
    if not _is_young():
        return None
    gc.freeze()  # a collection would touch, and so copy, what both share
    ours, theirs = socket.socketpair()
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT, signal.SIGTERM})
    child = os.fork()
    if child == 0:
        _become_forkserver(ours, theirs)
    signal.pthread_sigmask(signal.SIG_SETMASK, held)
    gc.unfreeze()
    theirs.close()
    return Forkserver(Child(child), ours)


def see_end(process: Process) -> int:
    """Exit status of a process that ends by itself, or is killed."""
    last_s = time.monotonic() + GRACE_S
    while time.monotonic() < last_s:
        status = process.poll()
        if status is not None:
            return status
        time.sleep(GLANCE_S)
    process.kill()
    return process.wait()


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """What a worker needs to know; nothing that it could give away. Of other variables not even a copy is made."""
    return {name: own[name] for name in own if name in _KEPT_VARIABLES or name.startswith(_KEPT_PREFIXES)}


def _is_young() -> bool:
    """No store can be open, and no thread is there that a fork would lose."""
    return sys.platform == "linux" and _STORE not in sys.modules and len([*Path("/proc/self/task").iterdir()]) == 1


def _become_forkserver(ours: socket.socket, line: socket.socket) -> NoReturn:
    """Nothing returns from here to what was under way: this process, and those that it forks, end here.

    What nobody has caught is told by the hook that an interpreter would call.
    """
    status: object = 1
    try:
        _let_go(ours.detach(), line.detach())
        from sensor.worker import main  # noqa: PLC0415 - what only workers need

        main()
    except SystemExit as end:
        status = end.code
    finally:
        kind, error, trace = sys.exc_info()
        if kind is not None and error is not None:
            sys.excepthook(kind, error, trace)
        os._exit(status if isinstance(status, int) else 1)


def _let_go(ours: int, line: int) -> None:
    """Whatever a new process would not have."""
    os.setsid()
    os.dup2(line, 0)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.closerange(3, max(os.sysconf("SC_OPEN_MAX"), ours + 1, line + 1, nothing + 1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _forget_environment()


def _forget_environment() -> None:
    """Overwrite the variables that are not a worker's, and those that the kernel has laid above the stack."""
    import ctypes  # noqa: PLC0415 - what only workers need

    kept = environment(os.environ)
    lost = [os.environb[os.fsencode(name)] for name in os.environ if name not in kept]
    os.environ.clear()
    for value in lost:
        if len(value) > 1:  # a single byte is an object that all share
            ctypes.memset(id(value) + bytes.__basicsize__ - 1, 0, len(value))
    first, last = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_ENVIRONMENT_AT])
    ctypes.memset(first, 0, last - first)
    os.environ.update(kept)
