"""One run of a program and all it starts: CPU, wall time, peak of memory, on one core.

CPU time is that of every process the program started and that has ended, also of those that it left behind: they are
adopted and waited for. Memory is the peak of the proportional set sizes of all its processes together, looked at now
and then: what lasts a few milliseconds is missed. (The kernel's own peak begins with that of the process that forked.)
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

_LOOK_S = 0.1  # at first more often: what is short has to be seen, what is long must not be disturbed
_FIRST_LOOK_S = 0.002
_SET_CHILD_SUBREAPER = 36


class Run(NamedTuple):
    """What a run cost. `error` is the last line of its standard error where it failed."""

    cpu_s: float
    wall_s: float
    memory_mib: float
    error: str | None


def adopt() -> None:
    """Processes that lose their parent become ours, so that what they cost is counted."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def settle(capture: Path) -> None:
    """Have the page cache hold the capture as it comes from the disk.

    How a file came there decides in how large pieces the kernel has it, and with that what reading costs everybody:
    1.9 GB took `read` 0.18 s of CPU time as they happened to be, and 0.12 s from then on.
    """
    with capture.open("rb") as file:
        os.fsync(file.fileno())  # what is not written yet would stay
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    for _ in range(2):  # what is read again is kept rather than what is read once
        warm(capture)


def warm(capture: Path) -> None:
    """Have the capture in the page cache: what comes from a disk costs another, and another's, CPU time."""
    piece = bytearray(1 << 20)
    with capture.open("rb", buffering=0) as file:
        while file.readinto(piece):
            pass


def measure(command: Sequence[str], folder: Path, core: int, environment: Mapping[str, str] | None = None) -> Run:
    """Run a command in a folder, pinned to a core; standard output goes to `out.txt` there, errors to `err.txt`."""
    before, begin = _children_s(), time.monotonic()
    with (folder / "out.txt").open("wb") as out, (folder / "err.txt").open("wb") as err:
        child = subprocess.Popen(
            ["taskset", "-c", str(core), *command], cwd=folder, stdout=out, stderr=err, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
        with _Watch(child.pid) as watch:
            _, status = os.waitpid(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - begin
    _reap()
    error = _last(folder / "err.txt") if child.returncode else None
    return Run(_children_s() - before, wall_s, watch.peak_kib / 1024, error)


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _reap() -> None:
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _last(path: Path) -> str:
    lines = path.read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "failed without a word")


class _Watch:
    """Looks at the memory of a process and its descendants until it ends."""

    def __init__(self, pid: int) -> None:
        self.peak_kib = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        pause_s = _FIRST_LOOK_S
        while not self._over.wait(pause_s):
            pause_s = min(_LOOK_S, 2 * pause_s)
            self.peak_kib = max(self.peak_kib, sum(map(_pss_kib, _family(self._pid))))


def _family(pid: int) -> Iterator[int]:
    """The process and its descendants."""
    yield pid
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


def _pss_kib(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
