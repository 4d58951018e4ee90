"""A small hospital network made of Linux network namespaces.

Theory of operation: every host is a namespace with one veth; the other end of each veth is a port of a bridge that
lives in a namespace of its own (the switch). ``tcpdump`` listens on the bridge, where a mirror port would. This
process enters a host's namespace (``Host.inside``) before it opens sockets or starts programs, so real software
runs unchanged and believes that it has a machine to itself. Offloads are off: captures hold frames of the size and
checksum that a wire would carry.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNET = 0x40000000
NETNS_DIR = Path("/run/netns")
TCP_LISTEN = "0A"
SETTLE_S = 0.4
BUFFER_KIB = "65536"
START_TIMEOUT_S = 20.0

_networks = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """The lab could not be built or a program in it did not do its part; says which and why."""


def sh(*argv: str) -> str:
    """Run a system command and return its output. Raises LabError with what it printed."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def _enter(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        if _libc.setns(fd, CLONE_NEWNET):
            raise LabError(f"cannot enter {path}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(fd)


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Everything this thread opens or starts in the block belongs to the namespace."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    _enter(NETNS_DIR / namespace)
    try:
        yield
    finally:
        _libc.setns(home, CLONE_NEWNET)
        os.close(home)


@dataclass(frozen=True)
class Host:
    """One machine on the lab's network: its name in the sidecar, its namespace and its addresses."""

    name: str
    namespace: str
    mac: str
    ip: str
    enter: tuple[str, ...] = ()  # what goes before a program's command line, where a namespace alone is not enough

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Be this machine for the block."""
        with inside(self.namespace):
            yield

    def listens(self, port: int, table: str = "tcp") -> bool:
        """Whether somebody listens on the port here, asked without sending a packet."""
        with self.inside():
            rows = Path(f"/proc/thread-self/net/{table}").read_text().splitlines()[1:]
            rows6 = Path(f"/proc/thread-self/net/{table}6")
            rows += rows6.read_text().splitlines()[1:] if rows6.exists() else []
        wanted = f":{port:04X}"
        return any(r.split()[1].endswith(wanted) and (table == "udp" or r.split()[3] == TCP_LISTEN) for r in rows)


class Network:
    """The switch and its hosts; use as a context manager, so that nothing is left behind."""

    def __init__(self) -> None:
        self._prefix = f"spw{os.getpid()}n{next(_networks)}"
        self._switch = f"{self._prefix}-switch"
        self._namespaces: list[str] = []
        self.hosts: list[Host] = []

    def __enter__(self) -> Self:
        self._namespace(self._switch)
        with inside(self._switch):
            sh("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
            sh("ip", "link", "set", "br0", "up", "addrgenmode", "none")
        return self

    def __exit__(self, *_exc: object) -> None:
        for namespace in self._namespaces:
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)

    def _namespace(self, name: str) -> None:
        sh("ip", "netns", "add", name)
        self._namespaces.append(name)

    def host(self, name: str, mac: str, ip: str) -> Host:
        """Plug a new machine into the switch; its address is of 10.20.0.0/16 or fd00:20::/64."""
        namespace = f"{self._prefix}-{len(self.hosts)}"
        self._namespace(namespace)
        port = f"port{len(self.hosts)}"
        with inside(self._switch):
            sh("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
            sh("ip", "link", "set", port, "master", "br0", "up", "addrgenmode", "none")
        with inside(namespace):
            _bring_up(mac, ip)
        self.hosts.append(Host(name, namespace, mac, ip))
        return self.hosts[-1]

    def outside(self, name: str, ip: str, router: Host) -> Host:
        """Put a machine on the other side of a router, reached by an address of a documentation network (RFC 5737).

        What it sends crosses the switch in the router's frames. Hosts plugged in before have their default route there.
        """
        namespace = f"{self._prefix}-{len(self.hosts)}"
        self._namespace(namespace)
        with inside(router.namespace):
            sh("ip", "link", "add", "wan0", "type", "veth", "peer", "name", "eth0", "netns", namespace)
            sh("ip", "link", "set", "wan0", "up", "addrgenmode", "none")
            sh("ip", "addr", "add", f"{ip.rpartition('.')[0]}.1/24", "dev", "wan0")
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        with inside(namespace):
            sh("ip", "link", "set", "lo", "up")
            sh("ip", "link", "set", "eth0", "up", "addrgenmode", "none")
            sh("ethtool", "-K", "eth0", "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off")
            sh("ip", "addr", "add", f"{ip}/24", "dev", "eth0")
            sh("ip", "route", "add", "default", "via", f"{ip.rpartition('.')[0]}.1")
        for host in (h for h in self.hosts if h != router):
            with host.inside():
                sh("ip", "route", "add", "default", "via", router.ip)
        self.hosts.append(Host(name, namespace, "", ip))
        return self.hosts[-1]

    @contextlib.contextmanager
    def capture(self, path: Path, expression: str = "ip or arp") -> Iterator[None]:
        """Record what crosses the switch during the block into a pcap file."""
        argv = ["tcpdump", "-i", "br0", "-n", "-U", "-s", "0", "-B", BUFFER_KIB, "--immediate-mode", "-Z", "root"]
        with inside(self._switch):
            recorder = subprocess.Popen([*argv, "-w", str(path), expression], stderr=subprocess.PIPE, text=True)
        try:
            wait_for_line(recorder, "listening on")
            yield
            wait_until_quiet(path)
        finally:
            recorder.send_signal(signal.SIGINT)
            _, counts = recorder.communicate(timeout=START_TIMEOUT_S)
        if "0 packets dropped by kernel" not in counts.splitlines():
            raise LabError(f"tcpdump lost packets: {counts}")


def _bring_up(mac: str, ip: str) -> None:
    sh("ip", "link", "set", "lo", "up")
    sh("ethtool", "-K", "eth0", "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off")
    sh("ip", "link", "set", "eth0", "address", mac, "addrgenmode", "none")
    sh("ip", "link", "set", "eth0", "up")
    sh("ip", "addr", "add", *([f"{ip}/64", "nodad"] if ":" in ip else [f"{ip}/16"]), "dev", "eth0")


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    """Read what a program says until it says this. Raises LabError when it ends before."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        if text in line:
            return
        said.append(line)
    raise LabError(f"{process.args!r} did not start: {''.join(said)}")


def wait_until_quiet(path: Path, settle_s: float = SETTLE_S) -> None:
    """Wait until a file being recorded does not grow for so long."""
    size = -1
    while size != (size := path.stat().st_size):
        time.sleep(settle_s)


def wait_until_listening(host: Host, port: int, process: subprocess.Popen[bytes], table: str = "tcp") -> None:
    """Wait for a server started in the host to open its port. Raises LabError when it ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not host.listens(port, table):
        if process.poll() is not None:
            raise LabError(f"{process.args!r} ended with {process.returncode} before it listened on {port}")
        if time.monotonic() > deadline:
            raise LabError(f"{process.args!r} does not listen on {port}")
        time.sleep(0.05)
