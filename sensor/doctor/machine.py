"""This computer: rights, kernel, memory, clock, disk, and what is installed.

Spec: capabilities(7), packet(7), adjtimex(2), proc(5), cgroups(7).
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sensor.capture.ports import NO_RIGHTS
from sensor.doctor.check import Check, ok, problem, warning
from sensor.engine import COMPILED
from sensor.mirror import MEMORY
from sensor.store.space import SpaceGuard

_CAP_NET_RAW: Final = 13
_STA_UNSYNC: Final = 0x40
_TIME_ERROR: Final = 5
_KERNEL_MIN: Final = (3, 2)  # the first one with TPACKET_V3
_PYTHONS: Final = ((3, 11), (3, 14))
_ROOMY_BYTES: Final = 2 << 30
_MIB: Final = 1 << 20


def examine(store: Path, interfaces: int, ring_bytes: int, worker_bytes: int) -> Iterator[Check]:
    """All checks of this computer. Without `interfaces` to capture from, rights matter less."""
    yield rights(needed=interfaces > 0)
    yield kernel()
    yield memory(max(1, interfaces) * ring_bytes, worker_bytes)
    yield clock()
    yield disk(store)
    yield engine()
    yield python()
    yield tshark()


def rights(*, needed: bool) -> Check:
    """Whether this process may open packet sockets."""
    if has_net_raw():
        return ok("rights", "CAP_NET_RAW is there; workers give it up before they look at a packet")
    says = "this user has no CAP_NET_RAW: files can be read, interfaces cannot"
    return (problem if needed else warning)("rights", says, NO_RIGHTS)


def has_net_raw(status: Path = Path("/proc/self/status")) -> bool:
    """Whether CAP_NET_RAW is among the effective capabilities."""
    for line in _lines(status):
        name, _, value = line.partition(":")
        if name == "CapEff":
            return bool(int(value, 16) >> _CAP_NET_RAW & 1)
    return False


def kernel() -> Check:
    """AF_PACKET and TPACKET_V3."""
    release = platform.release()
    if sys.platform != "linux":
        return warning("kernel", f"{platform.system()} has no AF_PACKET", "capture on Linux, or read capture files")
    if not Path("/proc/self/net/packet").exists():
        return problem("kernel", f"{release} was built without AF_PACKET", "load it (modprobe af_packet)")
    if _version(release) < _KERNEL_MIN:
        return problem("kernel", f"{release} is too old for TPACKET_V3", "update it to 3.2 or newer")
    return ok("kernel", f"{release}: AF_PACKET with TPACKET_V3")


def _version(release: str) -> tuple[int, int]:
    numbers = [*release.replace("-", ".").split("."), "0"]
    return tuple(int(part) if part.isdecimal() else 0 for part in numbers[:2])  # type: ignore[return-value]


def memory(ring_bytes: int, worker_bytes: int, available_bytes: int | None = None) -> Check:
    """Whether the rings, and a worker as large as it may be, fit into what this process may still have."""
    free = available() if available_bytes is None else available_bytes
    takes = f"rings take {ring_bytes // _MIB} MiB, a worker up to {worker_bytes // _MIB:,} MiB"
    if free is None:
        return ok("memory", f"how much is free is not known here; {takes}")
    says = f"{takes}, {free // _MIB:,} MiB are free"
    if ring_bytes > free:
        return problem("memory", says, "free memory, or raise the limit (ulimit -v, MemoryMax= in systemd)")
    if ring_bytes > free // 4:
        return warning("memory", says, "give this machine more, or capture from fewer interfaces")
    if ring_bytes + worker_bytes > free:
        return warning("memory", says, f"give this machine more, or set {MEMORY} lower")
    return ok("memory", says)


def available() -> int | None:
    """Bytes of memory that this process could get: the least of the machine's, its control group's and its limit's."""
    found = [_meminfo(), _cgroup(), _limit()]
    known = [count for count in found if count is not None]
    return min(known) if known else None


def _meminfo() -> int | None:
    for line in _lines(Path("/proc/meminfo")):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) << 10
    return None


def _cgroup(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """What this process's group (version 2) has left; None when it has no limit."""
    group = next((line[3:] for line in _lines(Path("/proc/self/cgroup")) if line.startswith("0::")), "/")
    for folder in (root / group.lstrip("/"), root):
        most, used = (_lines(folder / name) for name in ("memory.max", "memory.current"))
        if most and used and most[0].isdecimal():
            return max(0, int(most[0]) - int(used[0]))
    return None


def _limit() -> int | None:
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if most == resource.RLIM_INFINITY else most


def clock() -> Check:
    """Whether something keeps this computer's time."""
    state = _adjtimex()
    if state is None:
        return ok("clock", "whether it is kept is not known here")
    code, status, error_us = state
    if code == _TIME_ERROR or status & _STA_UNSYNC:
        return warning(
            "clock",
            "not synchronised: times of what is seen will be off, and expiry is judged wrongly",
            "let NTP keep it (systemd-timesyncd, chrony), or its host if this is a container",
        )
    return ok("clock", f"synchronised, to within {error_us / 1000:.0f} ms")


class _Timex(ctypes.Structure):
    """The beginning of `struct timex`, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 40),
    )


def _adjtimex() -> tuple[int, int, int] | None:
    """(state, status, largest error in microseconds) of the kernel's clock; None where it is not said. Sets nothing."""
    if sys.platform != "linux":
        return None
    asked = _Timex()
    state = ctypes.CDLL(None).adjtimex(ctypes.byref(asked))
    return None if state < 0 else (state, asked.status, asked.maxerror)


def disk(store: Path) -> Check:
    """Room where the store lies, or will."""
    path = store.absolute()
    if not path.parent.is_dir():
        return problem("disk", f"there is no folder {path.parent}", "make it, or choose another --store")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return problem("disk", f"{path} may not be written by this user", "choose another --store, or another user")
    free, needed = shutil.disk_usage(path.parent).free, SpaceGuard(path).needed_bytes(0)
    says = f"{free // _MIB:,} MiB are free beside {path}"
    if free < needed:
        return problem("disk", f"{says}, {needed // _MIB:,} MiB are needed", "free some, or choose another --store")
    if free < needed + _ROOMY_BYTES:
        return warning("disk", says, "have some GiB in reserve: a store grows with devices and days")
    return ok("disk", says)


def engine() -> Check:
    """Which engine is at work."""
    if COMPILED:
        return ok("engine", "compiled")
    return problem(
        "engine",
        "interpreted: a hundred times slower, too slow for a mirror",
        "install Python's C headers (Debian: python3-dev), then run make, or pip install, again",
    )


def python() -> Check:
    """The version of Python."""
    oldest, newest = _PYTHONS
    says = platform.python_version()
    if oldest <= sys.version_info[:2] <= newest:
        return ok("python", says)
    wanted = f"{oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}"
    return warning("python", f"{says}: not one that is tested", f"use {wanted}")


def tshark() -> Check:
    """What `spanward verify` needs; nothing else does."""
    if found := shutil.which("tshark"):
        return ok("tshark", found)
    return ok("tshark", "not installed; only spanward verify needs it", "apt install tshark")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
