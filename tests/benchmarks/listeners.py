"""Who listens to a wire: Spanward and Suricata, started, ended, and asked what they have seen."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import duckdb

from sensor.capture.afpacket import BLOCK_BYTES, RING_BYTES
from tests.benchmarks.peers import HERE, REPOSITORY

PATIENCE_S = 120.0
_PORT = 8479
# What tells facts apart; addresses are other ones in each round of a capture, times and counts aside.
_KEYS = {
    "attributes": "scope, side, mac, peer_mac, port, transport, protocol, about, name, value",
    "authentications": "scope, side, mac, peer_mac, port, transport, protocol, about, mechanism, principal, realm,"
    " secret_digest, secret_class, outcome, protection, details",
    "certificate_sightings": "scope, side, mac, peer_mac, port, transport, protocol, about, role, position, sha256",
    "channels": "scope, side, mac, peer_mac, port, transport, protocol, about, version, cipher, encrypted, signed,"
    " client_authenticated, details",
    "conversations": "scope, initiator_mac, responder_mac, port, transport, protocol, confidence",
}


class Seen(NamedTuple):
    """What a listener says of a run.

    Attributes:
        packets: that it has looked at.
        dropped: that came to the interface and that it has not looked at.
        shed: how it did less than it would have liked to; empty when it did not.
        events: how many, by kind.
    """

    packets: int
    dropped: int
    shed: str
    events: dict[str, int]


class Listener(NamedTuple):
    """A program. `start` is given the folder it runs in; `ready` waits until it captures."""

    name: str
    command: Callable[[str], Sequence[str]]
    ready: Callable[[Path], bool]
    seen: Callable[[Path], Seen]
    missing: str = ""
    prepare: Callable[[Path], None] = lambda _: None


class Heard(NamedTuple):
    """A run that is over. `drain_s`: from the order to end to the end."""

    cpu_s: float
    drain_s: float
    memory_mib: float
    error: str | None


class Running:
    """A listener at work."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.heard: Heard | None = None
        self._process = process
        self._folder = folder
        self._peak_kib = 0
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()

    def end(self) -> Heard:
        """Have it finish what waits, and end."""
        begin = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._over.set()
        self._watch.join()
        said = (self._folder / "err.txt").read_text(errors="replace").strip().rpartition("\n")[2]
        error = said or f"status {self._process.returncode}" if self._process.returncode not in {0, -2} else None
        cpu_s = usage.ru_utime + usage.ru_stime
        self.heard = Heard(cpu_s, time.monotonic() - begin, self._peak_kib / 1024, error)
        return self.heard

    def kill(self) -> None:
        """When something went wrong."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(0.5):
            self._peak_kib = max(self._peak_kib, sum(map(_pss_kib, _family(self._process.pid))))


@contextmanager
def running(listener: Listener, interface: str, folder: Path, prefix: Sequence[str]) -> Iterator[Running]:
    """Start it, by way of the command `prefix`, in this thread's network namespace; returns when it captures."""
    listener.prepare(folder)
    out, err = (folder / "out.txt").open("wb"), (folder / "err.txt").open("wb")
    with out, err:
        process = _start([*prefix, *listener.command(interface)], folder, out, err)
    work = Running(process, folder)
    try:
        last_s = time.monotonic() + PATIENCE_S
        while not listener.ready(folder):
            if process.poll() is not None or time.monotonic() > last_s:
                raise RuntimeError(f"{listener.name} does not start: {(folder / 'err.txt').read_text()[-400:]}")
            time.sleep(0.1)
        yield work
    finally:
        work.kill()


def _start(command: Sequence[str], folder: Path, out: IO[bytes], err: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "SPANWARD_SITE_KEY": "key"}
    return subprocess.Popen(command, cwd=folder, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment)


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


def _pss_kib(pid: int) -> int:
    with suppress(OSError):
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0
    return 0


# ---------------------------------------------------------------------- Spanward


def spanward(way: str = "afpacket") -> list[Listener]:
    """Without inference, as in the other tables; and the whole product."""
    program = [sys.executable, str(HERE / "live_only.py")]
    whole = [str(REPOSITORY / ".venv/bin/spanward"), "run", "--listen", f"127.0.0.1:{_PORT}", "--source", way]
    label = "" if way == "afpacket" else f" {way}"
    return [
        Listener(
            f"spanward{label}", lambda name: [*program, name, "s.duckdb", "key", way], _says_ready, _in_store
        ),
        Listener(
            f"spanward{label} run -i", lambda name: [*whole, "-i", name, "--store", "s.duckdb"], _serves, _in_store
        ),
    ]  # fmt: skip


def _says_ready(folder: Path) -> bool:
    return b"ready" in (folder / "out.txt").read_bytes()


def _serves(_: Path) -> bool:
    """The API is there once it captures."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", _PORT)) == 0


def _in_store(folder: Path) -> Seen:
    with duckdb.connect(str(folder / "s.duckdb"), read_only=True) as store:
        total: dict[str, int] = {}
        for (text,) in store.execute("SELECT counters FROM capture").fetchall():
            for name, count in json.loads(text).items():
                total[name] = total.get(name, 0) + count
        events = {name: _number(store, f"SELECT coalesce(sum(n), 0) FROM {name}") for name in _KEYS}
    highest = max((level for level in range(1, 5) if total.get(f"shed_to_{level}")), default=0)
    shed = [f"level {highest}, {total['shed_ms'] / 1000:.0f} s"] if highest else []
    if total["rows_lost"]:
        shed.append(f"{total['rows_lost']:,} rows lost")
    dropped = total["kernel_drops"] + total["interface_drops"]
    return Seen(total["packets"], dropped, "; ".join(shed), events)


def compare(live: Path, file: Path) -> tuple[int, int, int]:
    """Keys of facts in the store of a file, how many of them a live store lacks, and what it has besides."""
    with duckdb.connect() as store:
        store.execute(f"ATTACH '{file}' AS file (READ_ONLY); ATTACH '{live}' AS live (READ_ONLY)")
        sums = [0, 0, 0]
        for name, keys in _KEYS.items():
            both = [f"SELECT DISTINCT {keys} FROM {where}.{name}" for where in ("file", "live")]
            for place, query in enumerate((both[0], " EXCEPT ".join(both), " EXCEPT ".join(both[::-1]))):
                sums[place] += _number(store, f"SELECT count(*) FROM ({query})")
    return sums[0], sums[1], sums[2]


def _number(store: duckdb.DuckDBPyConnection, query: str) -> int:
    row = store.execute(query).fetchone()
    return int(row[0]) if row else 0


# ---------------------------------------------------------------------- Suricata


# One thread, a ring as large as Spanward's, in blocks of 1 MiB. (`ring-size` counts frames of the largest size.)
_FRAMES_A_BLOCK = 112
_AF_PACKET = f"""
af-packet:
  - interface: mirror
    threads: 1
    cluster-id: 99
    cluster-type: cluster_flow
    defrag: yes
    use-mmap: yes
    tpacket-v3: yes
    block-size: 1048576
    ring-size: {RING_BYTES // BLOCK_BYTES * _FRAMES_A_BLOCK}
    checksum-checks: no
"""


def suricata(program: str, name: str, missing: str) -> Listener:
    """With `suricata.yaml`, an af-packet section, and counters at the end."""

    def prepare(folder: Path) -> None:
        tuned = (HERE / "suricata.yaml").read_text()
        counted = tuned.replace("stats:\n  enabled: no", "stats:\n  enabled: yes\n  interval: 600")
        counted = counted.replace("      types:\n", "      types:\n        - stats\n", 1)
        (folder / "live.yaml").write_text(counted.replace("level: error", "level: notice") + _AF_PACKET)

    def command(interface: str) -> Sequence[str]:
        return [
            program, "-c", "live.yaml", "-S", "/dev/null", "--runmode", "workers", "-k", "none",
            f"--af-packet={interface}", "-l", ".",
        ]  # fmt: skip

    return Listener(name, command, _engine_started, _eve, missing, prepare)


def _engine_started(folder: Path) -> bool:
    said = (folder / "out.txt").read_bytes() + (folder / "err.txt").read_bytes()
    return b"ngine started" in said


def _eve(folder: Path) -> Seen:
    events: dict[str, int] = {}
    stats: dict[str, Any] = {}
    with (folder / "eve.json").open("rb") as lines:
        for line in lines:
            event = json.loads(line)
            events[event["event_type"]] = events.get(event["event_type"], 0) + 1
            stats = event["stats"] if event["event_type"] == "stats" else stats
    events.pop("stats", None)
    capture = stats["capture"]
    dropped = capture["kernel_drops"]
    return Seen(capture["kernel_packets"] - dropped, dropped, "", events)
