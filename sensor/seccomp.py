"""What a worker may ask of the kernel: seccomp, with a list of the system calls that it needs.

`syscalls.csv` names the calls. All others are refused with EPERM, so that a library that tries something first goes on
without it; those that nothing of ours calls, and whoever has taken the worker over would, end the process. What is left
to a worker: to read files, to write to the recorder, memory that is not both written and run, threads.

The filter is a program of classic BPF over `struct seccomp_data`:

    ====== ====== ==================================================
    offset length meaning
    ====== ====== ==================================================
    0      4      number of the system call
    4      4      architecture, AUDIT_ARCH_*
    8      8      address of the instruction
    16     8 x 6  arguments
    ====== ====== ==================================================

Of an argument its lower half is looked at: all that is asked about here are ints to the kernel. Both architectures are
little-endian.

Spec: seccomp(2), Documentation/userspace-api/seccomp_filter.rst of the kernel.
"""

from __future__ import annotations

import csv
import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

Step = tuple[int, int, int, int]
"""Of classic BPF: code, how many to leave out if true, if false, number."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW: Final = 0x7FFF0000
_END: Final = 0x80000000
_REFUSE: Final = 0x00050000 | errno.EPERM
_UNKNOWN: Final = 0x00050000 | errno.ENOSYS
_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_FROM: Final = 0x40000000
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_TABLE: Final = Path(__file__).with_name("syscalls.csv")

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | 0o20000000  # the last: O_TMPFILE
_CLONE_THREAD: Final = 0x10000
_PR_SET_NAME: Final = 15
_F_GETFD_TO_SETFL: Final = (1, 2, 3, 4)
# TCGETS, FIONBIO, FIONCLEX, FIOCLEX; SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFHWADDR, SIOCGIFINDEX
_QUESTIONS: Final = (0x5401, 0x5421, 0x5450, 0x5451, 0x8912, 0x8913, 0x8927, 0x8933)
_AF_UNIX: Final = 1
_WRITE_AND_RUN: Final = 2 | 4
STANDARD_ERROR: Final = 2


class Call(NamedTuple):
    """A line of the table. A number is None where the architecture has no such call."""

    name: str
    x86_64: int | None
    aarch64: int | None
    rule: str

    def number(self, machine: str) -> int | None:
        """On such a machine."""
        return self.x86_64 if machine == "x86_64" else self.aarch64


def confine(writable: Iterable[int] = ()) -> bool:
    """Bind this process, for good. False where the kernel does not know how, or the machine is of another kind.

    Args:
        writable: file descriptors that may be written to, besides standard error.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _ARCHITECTURES or sys.byteorder != "little":
        return False
    calls = read_table()
    code = [*program(calls, machine, (STANDARD_ERROR, *writable), os.getpid())]
    seccomp = next(call.number(machine) for call in calls if call.name == "seccomp")
    return _install(code, seccomp)


def read_table() -> list[Call]:
    """The system calls of `syscalls.csv`."""
    with _TABLE.open(encoding="ascii") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return [Call(row["call"], _number(row["x86_64"]), _number(row["aarch64"]), row["rule"]) for row in rows]


def program(calls: Sequence[Call], machine: str, writable: Iterable[int], pid: int) -> Iterator[Step]:
    """The filter. Each call's part decides to its end, so that the next one finds the number still loaded."""
    rules = _rules(tuple(writable), pid)
    yield _LOAD, 0, 0, _ARCHITECTURE_AT
    yield _EQUAL, 1, 0, _ARCHITECTURES[machine]
    yield _RETURN, 0, 0, _END
    yield _LOAD, 0, 0, _NUMBER_AT
    if machine == "x86_64":
        yield _AT_LEAST, 0, 1, _X32_FROM
        yield _RETURN, 0, 0, _END
    for call in calls:
        number = call.number(machine)
        if number is not None:
            part = rules[call.rule](call)
            yield _EQUAL, 0, len(part), number
            yield from part
    yield _RETURN, 0, 0, _REFUSE


def _rules(writable: tuple[int, ...], pid: int) -> dict[str, Callable[[Call], list[Step]]]:
    """What a rule of the table does with its call."""
    return {
        "allow": lambda _: [(_RETURN, 0, 0, _ALLOW)],
        "deny": lambda _: [(_RETURN, 0, 0, _REFUSE)],
        "kill": lambda _: [(_RETURN, 0, 0, _END)],
        "absent": lambda _: [(_RETURN, 0, 0, _UNKNOWN)],
        "read_only": lambda call: _without(1 if call.name == "open" else 2, _WRITING),
        "memory": lambda _: _not_all(2, _WRITE_AND_RUN),
        "thread": lambda _: _with(0, _CLONE_THREAD),
        "out": partial(_one_of, 0, writable),
        "name": partial(_one_of, 0, (_PR_SET_NAME,)),
        "flags": partial(_one_of, 1, _F_GETFD_TO_SETFL),
        "asking": partial(_one_of, 1, _QUESTIONS),
        "local": partial(_one_of, 0, (_AF_UNIX,)),
        "self": partial(_one_of, 0, (pid,)),
        "asked": partial(_one_of, 2, (0,)),
    }


def _argument(place: int) -> Step:
    return _LOAD, 0, 0, _ARGUMENTS_AT + 8 * place


def _one_of(place: int, values: tuple[int, ...], _: Call) -> list[Step]:
    tests = [step for value in values for step in ((_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW))]
    return [_argument(place), *tests, (_RETURN, 0, 0, _REFUSE)]


def _with(place: int, bits: int) -> list[Step]:
    return [_argument(place), (_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]


def _without(place: int, bits: int) -> list[Step]:
    return [_argument(place), (_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]


def _not_all(place: int, bits: int) -> list[Step]:
    masked = [_argument(place), (_AND, 0, 0, bits), (_EQUAL, 0, 1, bits)]
    return [*masked, (_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]


def _install(code: Sequence[Step], seccomp: int | None) -> bool:
    """For all threads there are. The process must have given up gaining rights (PR_SET_NO_NEW_PRIVS)."""
    steps = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in code))
    filter_ = ctypes.create_string_buffer(struct.pack("@HP", len(code), ctypes.addressof(steps)))
    libc = ctypes.CDLL(None)
    arguments = (ctypes.c_long(seccomp or 0), ctypes.c_ulong(_SET_MODE_FILTER), ctypes.c_ulong(_ALL_THREADS))
    return bool(seccomp and libc.syscall(*arguments, filter_) == 0)


def _number(text: str) -> int | None:
    return int(text) if text else None
