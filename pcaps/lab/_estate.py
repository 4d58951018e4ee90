"""The hospital's network: VLANs on a switch, a router between them, an internet outside, and one mirror port.

Theory of operation: every machine is a namespace with one veth, whose other end is a port of its VLAN's bridge in the
switch's namespace. The router has a leg in each VLAN, all with one MAC address, as a layer-3 switch has. What comes in
at a port (``tc`` ingress) is mirrored to the monitor of its VLAN; ``_mirror.py`` tags it and sends it out of the mirror
port: in 802.1Q (SPAN), and if wanted the same frames in VXLAN and ERSPAN. A routed packet therefore crosses the mirror
twice, once in each VLAN, as it does on a real switch; what comes from outside crosses it once.

Programs find the hospital's name server in their resolv.conf, and themselves in their hosts file and as the name of
their host. What this process does itself inside a machine (a server written in Python) has to go by addresses.

All namespaces have a prefix with this process's id, and all is undone when the context ends, also half-way.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from _net import BUFFER_KIB, START_TIMEOUT_S, Host, LabError, inside, sh, wait_for_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROUTER_MAC = "00:1b:17:00:01:10"
NAME_SERVER = "10.21.1.53"
DOMAIN = "hospital.example"
ETC = Path("/etc/netns")  # what ``ip netns exec`` shows a program as its /etc
JUMBO = "9000"
MIRROR = Path(__file__).with_name("_mirror.py")
SEEN_AS = ("span", "vxlan", "erspan")


@dataclass(frozen=True)
class Vlan:
    """One VLAN of the hospital: its identifier, its network, and what lives there."""

    vid: int
    network: str
    what: str

    @property
    def gateway(self) -> str:
        """The router's address in it."""
        return str(next(ipaddress.ip_network(self.network).hosts()))

    def holds(self, ip: str) -> bool:
        """Whether an address is of this network."""
        return ipaddress.ip_address(ip) in ipaddress.ip_network(self.network)


SERVERS = Vlan(10, "10.21.1.0/24", "servers")
IMAGING = Vlan(20, "10.21.2.0/24", "imaging")
CLINICAL = Vlan(30, "10.21.3.0/24", "bedside devices")
LABORATORY = Vlan(40, "10.21.4.0/24", "laboratory")
OFFICE = Vlan(50, "10.21.5.0/24", "workstations, printers")
GUESTS = Vlan(60, "10.21.6.0/24", "guests' telephones")
VLANS = (SERVERS, IMAGING, CLINICAL, LABORATORY, OFFICE, GUESTS)
OUTSIDE = ("203.0.113.0/24", "198.51.100.0/24")  # documentation networks (RFC 5737)


class Estate:
    """The network, as a context manager; ``host`` and ``outside`` plug machines in."""

    def __init__(self) -> None:
        self._prefix = f"spw{os.getpid()}h"
        self._namespaces: list[str] = []
        self._processes: list[subprocess.Popen[str]] = []
        self.hosts: list[Host] = []
        self.switch = f"{self._prefix}-switch"
        self.isp = f"{self._prefix}-isp"
        self.sensor = f"{self._prefix}-sensor"

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End all that runs in the hospital's namespaces, and undo them."""
        for namespace in self._namespaces:
            for pid in pids(namespace):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for process in self._processes:
            process.wait()
        for namespace in self._namespaces:
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)
            shutil.rmtree(ETC / namespace, ignore_errors=True)
        self._namespaces.clear()

    def _build(self) -> None:
        for name in (self.switch, self.isp, self.sensor):
            self._namespace(name)
        with inside(self.isp):
            _bridge("wan")
        for vlan in VLANS:
            self._vlan(vlan)
        self.router = self._keep("router", self._new_namespace(), ROUTER_MAC, SERVERS.gateway)
        for vlan in VLANS:
            self._plug(self.router.namespace, f"vlan{vlan.vid}", vlan, ROUTER_MAC, f"{vlan.gateway}/24")
        self._wire_outside(self.router.namespace, [f"{_first(net)}/24" for net in OUTSIDE])
        with self.router.inside():
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")

    def _namespace(self, name: str) -> None:
        sh("ip", "netns", "add", name)
        self._namespaces.append(name)
        with inside(name):
            sh("ip", "link", "set", "lo", "up")

    def _new_namespace(self) -> str:
        name = f"{self._prefix}-{len(self._namespaces)}"
        self._namespace(name)
        return name

    def _vlan(self, vlan: Vlan) -> None:
        with inside(self.switch):
            _bridge(f"vlan{vlan.vid}")
            _pair(f"mirror{vlan.vid}", f"vlan{vlan.vid}", self.sensor)
            _raise(f"mirror{vlan.vid}")
        with inside(self.sensor):
            _raise(f"vlan{vlan.vid}")

    def _plug(self, namespace: str, device: str, vlan: Vlan, mac: str, address: str) -> None:
        port = f"p{len(self._namespaces)}v{vlan.vid}"
        with inside(self.switch):
            _pair(port, device, namespace)
            _raise(port, "master", f"vlan{vlan.vid}")
            _mirror(port, f"mirror{vlan.vid}")
        with inside(namespace):
            sh("ip", "link", "set", device, "address", mac)
            _raise(device)
            if address:
                sh("ip", "addr", "add", address, "brd", "+", "dev", device)

    def _wire_outside(self, namespace: str, addresses: list[str]) -> None:
        with inside(self.isp):
            port = f"w{len(self._namespaces)}"
            _pair(port, "wan0", namespace)
            _raise(port, "master", "wan")
        with inside(namespace):
            _raise("wan0")
            for address in addresses:
                sh("ip", "addr", "add", address, "dev", "wan0")

    def host(self, name: str, mac: str, ip: str) -> Host:
        """Plug a machine in; its address tells the VLAN, its default route is the router. Raises LabError."""
        found = self.known(name)
        if found:
            return found
        vlan = vlan_of(ip)
        namespace = self._new_namespace()
        self._plug(namespace, "eth0", vlan, mac, f"{ip}/24")
        with inside(namespace):
            sh("ip", "route", "add", "default", "via", vlan.gateway)
        return self._keep(name, namespace, mac, ip)

    def bare(self, name: str, mac: str, vlan: Vlan) -> Host:
        """Plug a machine in that has no address yet: it asks for one (DHCP)."""
        namespace = self._new_namespace()
        self._plug(namespace, "eth0", vlan, mac, "")
        return self._keep(name, namespace, mac, "")

    def outside(self, name: str, ip: str) -> Host:
        """Put a machine on the internet, by an address of a documentation network."""
        found = self.known(name)
        if found:
            return found
        network = next((net for net in OUTSIDE if ipaddress.ip_address(ip) in ipaddress.ip_network(net)), None)
        if network is None:
            raise LabError(f"{name}: {ip} is of none of {', '.join(OUTSIDE)}")
        namespace = self._new_namespace()
        self._wire_outside(namespace, [f"{ip}/24"])
        with inside(namespace):
            sh("ip", "route", "add", "default", "via", _first(network))
        return self._keep(name, namespace, "", ip)

    def unplug(self, host: Host) -> None:
        """Take a machine off the network for good; its programs are ended."""
        for pid in pids(host.namespace):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with host.inside():
            sh("ip", "link", "del", "eth0")
        self.hosts.remove(host)

    def known(self, name: str) -> Host | None:
        """Return the machine of this name, if it is plugged in."""
        return next((host for host in self.hosts if host.name == name), None)

    def _keep(self, name: str, namespace: str, mac: str, ip: str) -> Host:
        etc = ETC / namespace
        etc.mkdir(parents=True)
        (etc / "resolv.conf").write_text(f"search {DOMAIN}\nnameserver {NAME_SERVER}\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n{ip or '127.0.1.1'} {name}.{DOMAIN} {name}\n")
        called = ("unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh")
        host = Host(name, namespace, mac, ip, (*called, "ip", "netns", "exec", namespace))
        self.hosts.append(host)
        return host

    @contextlib.contextmanager
    def mirrored(self, files: Mapping[str, Path]) -> Iterator[None]:
        """Run the mirror during the block, and record what it sends: ``files`` by span, vxlan, erspan.

        Raises LabError when a frame was lost on the way.
        """
        with inside(self.sensor):
            for way in files:
                sh("ip", "link", "add", f"out-{way}", "mtu", JUMBO, "type", "veth", "peer", "name", way, "mtu", JUMBO)
                _raise(f"out-{way}")
                _raise(way)
        recorders = [self._tcpdump(way, path) for way, path in files.items()]
        mirror = self._start([sys.executable, str(MIRROR), *(str(v.vid) for v in VLANS), "--as", *files], "mirroring")
        try:
            yield
        finally:
            lost = _ended(mirror)
            said = [_ended(recorder) for recorder in recorders]
        if "0 frames lost" not in lost.splitlines():
            raise LabError(f"the mirror lost frames: {lost}")
        for counts in said:
            if "0 packets dropped by kernel" not in counts.splitlines():
                raise LabError(f"tcpdump lost packets: {counts}")

    def _tcpdump(self, device: str, path: Path) -> subprocess.Popen[str]:
        argv = ["tcpdump", "-i", device, "-n", "-U", "-s", "0", "-B", BUFFER_KIB, "--immediate-mode", "-Z", "root"]
        return self._start([*argv, "-w", str(path)], "listening on")

    def _start(self, argv: list[str], ready: str) -> subprocess.Popen[str]:
        with inside(self.sensor):
            process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self._processes.append(process)
        wait_for_line(process, ready)
        return process


def vlan_of(ip: str) -> Vlan:
    """Return the VLAN that an address is of. Raises LabError when it is of none."""
    found = next((vlan for vlan in VLANS if vlan.holds(ip)), None)
    if found is None:
        raise LabError(f"{ip} is of no VLAN of the hospital")
    return found


def pids(namespace: str) -> list[int]:
    """Return what runs in a namespace, without this process, which may be inside."""
    listed = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False)
    return [pid for pid in map(int, listed.stdout.split()) if pid != os.getpid()]


def _first(network: str) -> str:
    return str(next(ipaddress.ip_network(network).hosts()))


def _ended(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=START_TIMEOUT_S)
    return said


def _bridge(name: str) -> None:
    sh("ip", "link", "add", name, "type", "bridge", "mcast_snooping", "0", "forward_delay", "0")
    _raise(name)


def _pair(here: str, there: str, namespace: str) -> None:
    sh("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", namespace)
    with inside(namespace):
        offloads = ["tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off"]
        sh("ethtool", "-K", there, *offloads)


def _raise(device: str, *more: str) -> None:
    sh("ip", "link", "set", device, *more, "up", "addrgenmode", "none")


def _mirror(port: str, monitor: str) -> None:
    sh("tc", "qdisc", "add", "dev", port, "clsact")
    match = ["protocol", "all", "u32", "match", "u32", "0", "0"]
    sh("tc", "filter", "add", "dev", port, "ingress", *match, "action", "mirred", "egress", "mirror", "dev", monitor)
