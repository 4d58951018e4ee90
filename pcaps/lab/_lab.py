"""One scenario being recorded: hosts, programs, the capture, and its sidecar."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from _canary import Canaries
from _net import Host, LabError, Network, wait_until_listening
from _sidecar import Sidecar
from _software import advice, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _fleet import Machine

PCAPS = Path(__file__).resolve().parent.parent
RUN_TIMEOUT_S = 300


@dataclass(frozen=True)
class Scenario:
    """One capture to be made, and the function that plays it."""

    path: str
    what: str
    software: tuple[str, ...]
    play: Callable[[Lab], None]
    expect: tuple[str, ...] = ()
    synthetic: bool = False


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    path: str, what: str, *software: str, expect: tuple[str, ...] = (), synthetic: bool = False
) -> Callable[[Callable[[Lab], None]], Callable[[Lab], None]]:
    """Register the function as the recorder of ``pcaps/<path>.pcap``.

    ``synthetic`` when no real software speaks so and the recorder itself makes the bytes.
    """

    def register(play: Callable[[Lab], None]) -> Callable[[Lab], None]:
        SCENARIOS[path] = Scenario(path, what, software, play, expect, synthetic)
        return play

    return register


def there(program: str) -> None:
    """Raise LabError, with the package that has it, for a program that is not installed."""
    if not shutil.which(program):
        raise LabError(f"there is no {program}{advice(program)}")


@dataclass
class Lab:
    """What a scenario's function works with."""

    network: Network
    workdir: Path
    target: Path
    canaries: Canaries
    hosts: dict[str, dict[str, str]] = field(default_factory=dict)
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    software: list[str] = field(default_factory=list)
    expect: list[str] = field(default_factory=list)

    def host(self, machine: Machine) -> Host:
        """Plug a machine of the fleet in; it is described in the sidecar."""
        self.describe(machine)
        return self.network.host(machine.name, machine.mac, machine.ip)

    def outside(self, machine: Machine, router: Host) -> Host:
        """Put a machine on the other side of a router; it is described in the sidecar."""
        self.describe(machine)
        return self.network.outside(machine.name, machine.ip, router)

    def describe(self, machine: Machine) -> Machine:
        """Write a machine into the sidecar only: the others speak of it, it is not on the network."""
        self.hosts[machine.name] = {k: v for k, v in asdict(machine).items() if v}
        return machine

    @contextlib.contextmanager
    def capture(self, expression: str = "ip or arp") -> Iterator[None]:
        """Record into the scenario's file during the block."""
        with self.network.capture(self.target, expression):
            yield

    def serve(
        self, host: Host, argv: list[str], port: int, table: str = "tcp", env: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a server on a host and return when it listens; it is ended with the scenario."""
        there(argv[0])
        with host.inside(), (self.workdir / f"log{len(self.servers)}").open("wb") as log:
            process = subprocess.Popen(
                [*host.enter, *argv],
                cwd=self.workdir,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ | (env or {}),
                start_new_session=True,
            )
        self.servers.append(process)
        wait_until_listening(host, port, process, table)
        return process

    def run(
        self,
        host: Host,
        argv: list[str],
        feed: bytes = b"",
        *,
        ok: tuple[int, ...] = (0,),
        env: dict[str, str] | None = None,
    ) -> bytes:
        """Run a client on a host to its end and return what it printed. Raises LabError on another exit status."""
        there(argv[0])
        with host.inside():
            done = subprocess.run(
                [*host.enter, *argv],
                cwd=self.workdir,
                input=feed,
                capture_output=True,
                timeout=RUN_TIMEOUT_S,
                check=False,
                env=os.environ | (env or {}),
            )
        if ok and done.returncode not in ok:
            raise LabError(f"{argv}: {done.returncode}\n{(done.stdout + done.stderr).decode(errors='replace')[-1500:]}")
        return done.stdout + done.stderr

    def tool(self, argv: list[str], feed: bytes = b"") -> bytes:
        """Run a program that needs no network and return its output. Raises LabError when it fails."""
        there(argv[0])
        done = subprocess.run(
            argv, cwd=self.workdir, input=feed, capture_output=True, timeout=RUN_TIMEOUT_S, check=False
        )
        if done.returncode:
            raise LabError(f"{argv}: {done.returncode}\n{done.stderr.decode(errors='replace')[-1500:]}")
        return done.stdout

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a server that ``serve`` started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # its own session: forked children of this server, nobody else
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def folder(self, name: str) -> Path:
        """Return a fresh folder of this scenario."""
        path = self.workdir / name
        path.mkdir(parents=True)
        return path


def perform(play: Callable[[Lab], None], path: str, workdir: Path) -> Lab:
    """Play a scenario on a network of its own; the capture is the returned lab's target. Raises LabError."""
    with Network() as network:
        lab = Lab(network, workdir, workdir / "capture.pcap", Canaries(path))
        try:
            play(lab)
        finally:
            for server in lab.servers:
                lab.stop(server)
    return lab


def record(found: Scenario, into: Path = PCAPS) -> None:
    """Play a scenario and leave its capture and sidecar in its folder under ``into``. Raises LabError."""
    with tempfile.TemporaryDirectory(prefix="spanward-lab-", ignore_cleanup_errors=True) as workdir:
        Path(workdir).chmod(0o711)  # file servers act as the account that logged on
        _keep(found, perform(found.play, found.path, Path(workdir)), into)


def _keep(found: Scenario, lab: Lab, into: Path) -> None:
    kept = into / f"{found.path}.pcap"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(lab.target, kept)
    group = found.path.split("/")[0]
    origin = ", ".join(version_of(s) for s in dict.fromkeys([*found.software, *lab.software]))
    Sidecar(
        found.what,
        origin,
        f"pcaps/lab/record.py {group} {found.path.split('/')[1]}",
        [*found.expect, *lab.expect],
        sorted(lab.canaries.planted),
        list(lab.hosts.values()),
        found.synthetic,
    ).write(kept)
