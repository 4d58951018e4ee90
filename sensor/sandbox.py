"""Give up what a parser of hostile bytes does not need.

A worker calls `no_dumps` before it reads the site key, and `enter` once its capture is open: a file, or the sockets and
rings of live interfaces. It then has no way to more rights, no core dumps, no memory that others may look into, writes
no files, is no longer root, has few system calls left (see `seccomp`), and dies with the recorder. Where another user
could not read Python or the parsers (a checkout in root's home), it stays user 0 without capabilities.

Spec: prctl(2), capabilities(7).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

import parsers
from sensor import seccomp

NOBODY: Final = 65_534
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITY_VERSION_3: Final = 0x20080522
_CAPABILITIES: Final = 64
_LATE: Final = find_spec("cryptography")
_NEEDED: Final = (os.__file__, parsers.__file__, msgspec.__file__, _LATE and _LATE.origin)


def no_dumps() -> None:
    """No core dumps, and no attaching to this process: its memory holds secrets and patients."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)


def enter(parent: int, *writable: int) -> str:
    """Give up all rights for good; this process will not outlive `parent`, its parent.

    Says who we are now, and whether the kernel holds us to it: "nobody+seccomp", "nobody+no-seccomp".

    Args:
        parent: its process id.
        writable: file descriptors that may still be written to, besides standard error.

    Raises:
        SystemExit: the parent is gone already.
    """
    said = _drop_root() if os.geteuid() == 0 else "unprivileged"
    _drop_capabilities()  # a service may have been given CAP_NET_RAW without being root
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    no_dumps()  # changing the user has undone it
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be watched
        raise SystemExit(1)
    return f"{said}+{'seccomp' if seccomp.confine(writable) else 'no-seccomp'}"


def _drop_root() -> str:
    for name, uid, gid in (("nobody", NOBODY, NOBODY), ("owner", *_owner())):
        if uid != 0 and _can_read(uid, gid):
            _become(uid, gid)
            return name
    return "root-without-capabilities"


def _owner() -> tuple[int, int]:
    """Whose installation this is."""
    found = Path(parsers.__file__ or "/").stat()
    return found.st_uid, found.st_gid


def _can_read(uid: int, gid: int) -> bool:
    """Whether that user could import what is not imported yet, and open the parsers' tables."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(gid)
    os.seteuid(uid)
    try:
        return all(os.access(path, os.R_OK, effective_ids=True) for path in _NEEDED if path)
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def _become(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def _drop_capabilities() -> None:
    if sys.platform != "linux":
        return
    for capability in range(_CAPABILITIES):
        _prctl(_PR_CAPBSET_DROP, capability)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    libc().capset(header, nothing)


def _prctl(option: int, value: int) -> None:
    """Best effort: what a kernel does not know, it does not do."""
    if sys.platform == "linux":
        libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0)


@cache
def libc() -> ctypes.CDLL:
    """The system's C library; each `CDLL` is a class of its own to Python, and there are 70 calls."""
    return ctypes.CDLL(None)
