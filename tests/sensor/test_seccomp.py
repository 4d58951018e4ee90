"""A worker that was taken over can still do next to nothing, and one that was not can do all that it needs."""

from __future__ import annotations

import ctypes
import mmap
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sensor import sandbox, seccomp, worker
from sensor.capture.pcapfile import CaptureError, CaptureFile
from sensor.columns import COUNT, column_of
from sensor.pipeline import Pipeline
from sensor.site import Site
from sensor.sitekey import SiteKey
from tests.conftest import PCAPS, ROOT

PTRACE_TRACEME = 0
MACHINES = ("x86_64", "aarch64")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")


def in_worker(act, *, writable=()):
    """What `act` returned in a confined process (as text), or how that process ended."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        said = b""
        try:
            if not sandbox.enter(os.getppid(), theirs, *writable).endswith("+seccomp"):
                said = b"no seccomp"
            else:
                said = str(act()).encode()
        except BaseException as error:  # noqa: BLE001 - told to the test
            said = f"{type(error).__name__}: {error}\n{traceback.format_exc()}".encode()
        finally:
            os.write(theirs, said)
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        said = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if said == "no seccomp":
        pytest.skip("the kernel has no seccomp")
    return said if status == 0 else f"ended by {signal.Signals(-status).name}"


def connect():
    with socket.socket() as sock:
        sock.connect(("127.0.0.1", 9))


def connect_locally():
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect("\0nobody")


def written_and_run():
    with mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC):
        pass


REFUSED = {
    "open for writing": lambda: os.open("/dev/null", os.O_WRONLY),
    "open for appending": lambda: os.open("/dev/null", os.O_APPEND),
    "open for both": lambda: os.open("/dev/null", os.O_RDWR),
    "make a file": lambda: os.open("/tmp/spanward-made", os.O_RDONLY | os.O_CREAT),
    "make a nameless file": lambda: os.memfd_create("x"),
    "connect": connect,
    "connect on this machine": connect_locally,
    "fork": os.fork,
    "signal the recorder": lambda: os.kill(os.getppid(), 0),
    "write to another descriptor": lambda: os.write(OTHER, b"x"),
    "another name for a descriptor": lambda: os.dup(2),
    "remove": lambda: os.unlink("/tmp/spanward-none"),  # noqa: PTH108
    "memory written and run": written_and_run,
}  # fmt: skip
OTHER = os.open(os.devnull, os.O_RDWR)


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused(what):
    assert in_worker(REFUSED[what]).startswith(("PermissionError: [Errno 1]", "OSError: [Errno 1]"))


def test_each_refusal_is_the_sandboxs():
    """Without it the same is allowed, or fails otherwise."""
    for what in ("open for writing", "open for appending", "open for both", "another name for a descriptor"):
        os.close(REFUSED[what]())
    assert REFUSED["write to another descriptor"]() == 1
    written_and_run()


@pytest.mark.parametrize(
    "act",
    [
        lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
        lambda: ctypes.CDLL(None).ptrace(PTRACE_TRACEME, 0, 0, 0),
        lambda: ctypes.CDLL(None).process_vm_readv(os.getppid(), 0, 0, 0, 0, 0),
        lambda: ctypes.CDLL(None).mount(0, 0, 0, 0, 0),
    ],
    ids=["exec", "ptrace", "another's memory", "mount"],
)
def test_it_ends_the_worker(act):
    assert in_worker(act) == "ended by SIGSYS"


def test_what_it_needs_it_has():
    def act():
        with ThreadPoolExecutor(2) as pool:
            names = list(pool.map(lambda _: threading.current_thread().name, range(4)))
        numbers = column_of(COUNT, range(1_000_000))
        worker._give_back()
        import xml.sax.expatreader

        return len(names), numbers.count, xml.sax.expatreader.version

    assert in_worker(act).startswith("(4, ")


def test_what_is_only_imported_where_it_is_needed_can_be_imported():
    """In an interpreter of its own, as here it may be imported already."""
    code = """
import os, sys
import sensor.worker
assert "cryptography" not in sys.modules
said = sensor.sandbox.enter(os.getppid(), 1)
import parsers._x509_signatures
print(said)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("seccomp")


def facts_of(path):
    try:
        with CaptureFile(path) as capture:
            return sum(1 for _ in Pipeline(capture, Site.load(None), SiteKey.test()).sightings())
    except CaptureError as error:
        return type(error).__name__


def test_all_captures_are_read_as_they_are_without_it():
    captures = sorted(path for path in PCAPS.rglob("*") if path.suffix in {".pcap", ".pcapng", ".gz", ".zst"})
    assert len(captures) > 300
    expected = [facts_of(path) for path in captures]
    assert in_worker(lambda: [facts_of(path) for path in captures]) == str(expected)


def test_a_worker_says_whether_it_is_held_to_it(monkeypatch):
    monkeypatch.setattr(seccomp, "_install", lambda *_: False)
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(theirs, sandbox.enter(os.getppid()).encode())
        os._exit(0)
    os.close(theirs)
    os.waitpid(child, 0)
    with os.fdopen(ours, "rb") as pipe:
        assert pipe.read().endswith(b"+no-seccomp")


# ---------------------------------------------------------------------- the program itself


def verdict(steps, machine, number, arguments=(), architecture=None):
    """What classic BPF says to a call: an interpreter of the six instructions in use."""
    data = {0: number, 4: seccomp._ARCHITECTURES[machine] if architecture is None else architecture}
    data |= {16 + 8 * place: value for place, value in enumerate(arguments)}
    at = loaded = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == seccomp._RETURN:
            return value
        if code == seccomp._LOAD:
            loaded = data.get(value, 0)
        elif code == seccomp._AND:
            loaded &= value
        else:
            tests = {
                seccomp._EQUAL: loaded == value,
                seccomp._AT_LEAST: loaded >= value,
                seccomp._ANY_BIT: bool(loaded & value),
            }
            at += yes if tests[code] else no


@pytest.mark.parametrize("machine", MACHINES)
def test_each_call_gets_what_its_rule_says(machine):
    calls = seccomp.read_table()
    steps = list(seccomp.program(calls, machine, (2, 7), 1234))
    assert len(steps) < 4096  # BPF_MAXINSNS
    numbers = {call.name: call.number(machine) for call in calls if call.number(machine) is not None}
    words = {"allow": seccomp._ALLOW, "deny": seccomp._REFUSE, "kill": seccomp._END, "absent": seccomp._UNKNOWN}
    for call in calls:
        if call.rule in words and call.name in numbers:
            assert verdict(steps, machine, numbers[call.name]) == words[call.rule], call.name
    told = [
        ("openat", (0, 0, os.O_RDONLY | os.O_CLOEXEC), True),
        ("openat", (0, 0, os.O_WRONLY), False),
        ("openat", (0, 0, os.O_CREAT), False),
        ("write", (7,), True),
        ("write", (8,), False),
        ("tgkill", (1234,), True),
        ("tgkill", (1,), False),
        ("socket", (socket.AF_UNIX,), True),
        ("socket", (socket.AF_INET,), False),
        ("mprotect", (0, 0, 5), True),
        ("mprotect", (0, 0, 6), False),
        ("mmap", (0, 0, 7), False),
        ("clone", (0x3D0F00,), True),
        ("clone", (0x01200011,), False),
        ("ioctl", (0, 0x5412), False),  # TIOCSTI: typing into a terminal
    ]
    for name, arguments, allowed in told:
        expected = seccomp._ALLOW if allowed else seccomp._REFUSE
        assert verdict(steps, machine, numbers[name], arguments) == expected, (name, arguments)
    assert verdict(steps, machine, 9_999) == seccomp._REFUSE
    assert verdict(steps, machine, numbers["read"], architecture=0x40000003) == seccomp._END  # i386


def test_numbers_are_the_kernels():
    """Where its headers are installed."""
    for machine, header in {
        "x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
        "aarch64": "/usr/include/asm-generic/unistd.h",
    }.items():
        if not Path(header).exists():
            pytest.skip("the kernel's headers are not installed")
        defined = dict(re.findall(r"^#define (__NR\w+) (\w+)$", Path(header).read_text(), re.MULTILINE))
        for call in seccomp.read_table():
            said = defined.get(f"__NR_{call.name}", "")
            number = said if said.isdecimal() else defined.get(said)
            assert call.number(machine) == (None if number is None else int(number)), (machine, call.name)
