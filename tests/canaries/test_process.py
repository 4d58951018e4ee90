"""A worker in the middle of a read: no dump, no rights, nobody looks in, and nothing crosses the pipe that may not."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sensor import sandbox
from sensor.forkserver import Forkserver
from sensor.recorder import Talk, Workers
from sensor.site import SiteForFacts
from sensor.wire import BATCHES_AHEAD, NUMBER, Hello, Job, Kind, decode
from tests.canaries.needles import PLANTED, all_needles
from tests.canaries.reading import KEY, own_key
from tests.conftest import PCAPS

STORE20 = PCAPS / "dicom" / "store20.pcap"
BATCH_BYTES = 4_096
# Secrets, persons, and patients by each way to transfer them.
STEMS = ("user_", "find_", "store_", "get", "tls12_null", "smartcard", "personal_")
ACROSS = [path for path in PLANTED if path.stem.startswith(STEMS)]
MARKERS = (b"ARCHIVE", b"fact_authentication", str(own_key().mark(b"GIXG7GU6HJHUX5", None).digest).encode())

SECRETS = {"SPANWARD_TOKEN": "canary-0451-of-the-environment", "PASSWORD": "x" * 40_000 + "canary-1984", "FLAG": "1"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Held(NamedTuple):
    """A worker that waits for an acknowledgement, the process that it comes from, and what it has said so far."""

    talk: Talk
    origin: int
    hello: Hello
    frames: list[bytes]

    @property
    def proc(self) -> Path:
        """What the kernel says of it."""
        return Path("/proc") / str(self.talk.pid)

    def status(self, name: str) -> list[str]:
        """A line of its status, in words."""
        lines = (line.split() for line in (self.proc / "status").read_text().splitlines())
        return next(words[1:] for words in lines if words[0] == f"{name}:")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / KEY
    own_key().save(path)
    return path


class Split:
    """A process that another one has split off from itself, see `split`; that one sees to its end."""

    def __init__(self, pid: int, other: subprocess.Popen[bytes], line: socket.socket) -> None:
        self.pid = pid
        self._other = other
        self._line = line

    def poll(self) -> int | None:
        try:
            return self.wait() if stat(self.pid).state == "Z" else None
        except FileNotFoundError:
            return self.wait()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        self._line.close()
        return self._other.wait()


Way = Callable[[Path], AbstractContextManager[Workers]]


@contextmanager
def split(folder: Path) -> Iterator[Workers]:
    """As `spanward read` does: split off from a process that has secrets, and opens a store afterwards."""
    (folder / "open").write_bytes(b"")
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "tests.canaries.split", str(folder / "open")]
    with theirs:
        other = subprocess.Popen(command, stdin=theirs, env={**os.environ, **SECRETS})
    said, (line,), _, _ = socket.recv_fds(ours, NUMBER.size, 1)
    process = Split(int(NUMBER.unpack(said)[0]), other, ours)
    with Workers(forkserver=Forkserver(process, socket.socket(fileno=line))) as opened:
        yield opened


@contextmanager
def started(folder: Path) -> Iterator[Workers]:
    """As `spanward run` does: a new interpreter."""
    (folder / "open").touch()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        with Workers() as opened:
            yield opened


def greeted(talk: Talk, frames: Iterator[tuple[Kind, bytes]]) -> Hello:
    kind, payload = next(frames)
    assert kind == Kind.HELLO, payload
    talk.order(b"go")
    return decode(payload, Hello)


@pytest.fixture(
    scope="module",
    params=product([started, split], [False, True]),
    ids=lambda how: f"{how[0].__name__}{'-last' * how[1]}",
)
def held(request: pytest.FixtureRequest, key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    """It has parsed patients, has more of them ahead, and cannot go on: nobody has acknowledged its batches."""
    way, last = request.param
    job = Job(bytes(STORE20), SiteForFacts(), bytes(key), BATCH_BYTES)
    with ExitStack() as ends:
        workers = ends.enter_context(way(tmp_path_factory.mktemp("workers")))
        assert workers._process is not None
        origin = workers._process.pid
        talk = ends.enter_context(workers.talk(job, last=last))
        assert (talk.pid == origin) == last
        frames, said, batches = talk.frames(), [], 0
        hello = greeted(talk, frames)
        while batches < BATCHES_AHEAD:
            kind, payload = next(frames)
            assert kind in (Kind.TABLE, Kind.BATCH)
            said.append(payload)
            batches += kind == Kind.BATCH
        wait_until_it_waits(talk.pid)
        yield Held(talk, origin, hello, said)


def wait_until_it_waits(process: int) -> None:
    """It reads on until the next batch is due, and what its memory is changes meanwhile."""
    before = None
    while (now := stat(process)) != before or now.state != "S":
        before = now
        time.sleep(0.05)


class Stat(NamedTuple):
    state: str
    cpu: list[str]


def stat(process: int) -> Stat:
    words = (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()
    return Stat(words[0], words[11:13])


# ------------------------------------------------------------------ what the kernel says of it


def test_it_is_in_the_middle(held: Held) -> None:
    assert (held.proc / "status").exists()
    assert held.status("State")[0] in "RS"
    assert sum(len(payload) for payload in held.frames) > 1_000


def limits(process: int) -> dict[str, list[str]]:
    lines = (Path("/proc") / str(process) / "limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[:2] for line in lines}


def test_it_leaves_no_core_and_writes_no_file(held: Held) -> None:
    assert limits(held.talk.pid)["Max core file size"] == ["0", "0"]
    assert limits(held.talk.pid)["Max file size"] == ["0", "0"]
    assert limits(held.origin)["Max core file size"] == ["0", "0"]


def test_it_gets_no_new_rights_and_has_none(held: Held) -> None:
    assert held.status("NoNewPrivs") == ["1"]
    for name in ("CapPrm", "CapEff", "CapAmb"):
        assert int(held.status(name)[0], 16) == 0, name


def test_not_even_its_own_user_looks_in(held: Held) -> None:
    """It is not dumpable: its files in /proc are root's, and closed to its user. A dumpable process shows them."""
    user = int(held.status("Uid")[0])
    assert user == 0 or (held.proc / "environ").stat().st_uid == 0
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, **like(held)) as other:
        assert looked(other.pid, held).returncode == 0
    for file in ("environ", "maps", "mem"):
        refused = looked(held.talk.pid, held, file)
        assert b"Permission denied" in refused.stderr, file
        assert refused.stdout == b"", file


def like(held: Held) -> dict[str, Any]:
    """How to start a process with the user and the rights of the worker."""
    user, group = int(held.status("Uid")[0]), int(held.status("Gid")[0])
    return {"user": user, "group": group} if user else {"preexec_fn": sandbox._drop_capabilities}


def looked(process: int, held: Held, file: str = "environ") -> subprocess.CompletedProcess[bytes]:
    """What the worker's user sees in a file of a process."""
    command = ["head", "-c", "1", f"/proc/{process}/{file}"]
    return subprocess.run(command, capture_output=True, check=False, **like(held))


# ------------------------------------------------------------------ what it has of the process that it comes from


def test_it_holds_its_capture_its_pipes_and_standard_error(held: Held) -> None:
    for process, most in {held.origin: 2, held.talk.pid: 6}.items():
        links = {int(link.name): str(link.readlink()) for link in (Path("/proc") / str(process) / "fd").iterdir()}
        assert links[1] == os.devnull
        strange = [to for number, to in links.items() if number != 2 and not to.startswith(("pipe:", "socket:"))]
        assert set(strange) <= {os.devnull, str(STORE20)}
        assert len(links) <= most + 2, links


def test_its_memory_holds_no_secret_and_no_store(held: Held) -> None:
    for process in {held.talk.pid, held.origin}:
        try:
            memory = whole_memory(process)
        except PermissionError:
            pytest.skip("only root looks into it")
        assert b"PATH=" in memory
        for secret in (b"canary-0451", b"canary-1984"):
            assert secret not in memory
    assert "_duckdb" not in (held.proc / "maps").read_text()


def whole_memory(process: int) -> bytes:
    """All that it may write to, one part after the other."""
    parts = []
    with (Path("/proc") / str(process) / "mem").open("rb", buffering=0) as memory:
        for line in (Path("/proc") / str(process) / "maps").read_text().splitlines():
            span, rights, *_ = line.split()
            first, last = (int(end, 16) for end in span.split("-"))
            if rights.startswith("rw"):
                memory.seek(first)
                parts.append(memory.read(last - first))
    return b"".join(parts)


def test_it_is_of_a_session_of_its_own_and_ends_when_told(held: Held) -> None:
    assert os.getsid(held.origin) == held.origin
    blocked, ignored = (int(held.status(name)[0], 16) for name in ("SigBlk", "SigIgn"))
    assert blocked == 0
    assert not ignored & 1 << signal.SIGTERM - 1
    assert ignored & 1 << signal.SIGINT - 1


# ------------------------------------------------------------------ what crosses the pipe


def test_nothing_has_crossed_yet(held: Held) -> None:
    assert b"ARCHIVE" in b"".join(held.frames)
    assert all_needles().found(b"\n".join(held.frames)) == []


def said(workers: Workers, path: Path, key: Path) -> bytes:
    """Every frame of a worker that reads `path` to its end."""
    with workers.talk(Job(bytes(path), SiteForFacts(), bytes(key), BATCH_BYTES)) as talk:
        frames, payloads = talk.frames(), []
        greeted(talk, frames)
        for kind, payload in frames:
            payloads.append(payload)
            if kind == Kind.BATCH:
                talk.order(b"ack")
            if kind == Kind.SUMMARY:
                break
    assert kind == Kind.SUMMARY
    return b"\n".join(payloads)


@pytest.mark.parametrize("way", [started, split])
def test_a_worker_that_dies_is_replaced(way: Way, key: Path, tmp_path: Path) -> None:
    with way(tmp_path) as workers:
        with workers.talk(Job(bytes(STORE20), SiteForFacts(), bytes(key), BATCH_BYTES)) as talk:
            greeted(talk, talk.frames())
            os.kill(talk.pid, signal.SIGSEGV)
            assert "signal 11" in talk.death()
        assert b"ARCHIVE" in said(workers, STORE20, key)


@pytest.mark.parametrize("way", [started, split])
def test_the_last_worker_is_the_process_itself_and_is_replaced_all_the_same(
    way: Way, key: Path, tmp_path: Path
) -> None:
    with way(tmp_path) as workers:
        with workers.talk(Job(bytes(STORE20), SiteForFacts(), bytes(key), BATCH_BYTES), last=True) as talk:
            greeted(talk, talk.frames())
            os.kill(talk.pid, signal.SIGSEGV)
            assert way is split or "signal 11" in talk.death()
        assert b"ARCHIVE" in said(workers, STORE20, key)


@pytest.mark.parametrize("way", [started, split])
def test_it_does_not_outlive_the_recorder(way: Way, tmp_path: Path) -> None:
    with way(tmp_path) as workers:
        assert workers._process is not None
        assert workers._line is not None
        watched = os.pidfd_open(workers._process.pid)
        workers._line.shutdown(socket.SHUT_RDWR)
        ended, _, _ = select.select([watched], [], [], 60)
        os.close(watched)
    assert ended


def test_nothing_crosses_the_pipe(key: Path) -> None:
    """Secrets go as digests, patients and persons not at all."""
    others = Workers()
    try:
        crossed = b"\n".join(said(others, path, key) for path in ACROSS)
    finally:
        others.close()
    assert len(ACROSS) > 20
    assert [marker for marker in MARKERS if marker not in crossed] == []
    assert all_needles().found(crossed) == []
