"""DHCP on the hospital's network: dnsmasq on the router, and clients as machines have them (dhclient, udhcpc).

A client says who it is as its machine's real one would: that stands in its configuration. What it gets is set on its
interface by a script of ours; the machine that the lab runs on is not touched. Addresses are given in order, so that a
recording is like the other: after the highest one in use, and from the first one again when that is the last one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from _estate import DOMAIN, NAME_SERVER, vlan_of
from _samba import made
from _software import debian

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _net import Host
    from _story import Hospital

DNSMASQ = debian("dnsmasq", "dnsmasq-base", "dnsmasq")
DHCLIENT = debian("ISC DHCP client", "isc-dhcp-client", "dhclient")
UDHCPC = debian("udhcpc", "udhcpc", "udhcpc")
SERVER_PORT = 67
TAKE = """#!/bin/sh
# called by dhclient ($reason, $new_...) and by udhcpc ($1, $ip, $router)
case "${reason:-$1}" in
BOUND | REBOOT | RENEW | REBIND | bound | renew)
    ip addr flush dev eth0
    ip addr add "${new_ip_address:-$ip}/24" brd + dev eth0
    ip route replace default via "${new_routers:-$router}" ;;
RELEASE | EXPIRE | STOP | deconfig)
    ip addr flush dev eth0
    ip link set eth0 up ;;
esac
"""
WINDOWS = """\
option private-routes code 249 = string;
option auto-proxy code 252 = string;
send vendor-class-identifier "MSFT 5.0";
send host-name "{name}";
send dhcp-client-identifier = hardware;
request subnet-mask, routers, domain-name-servers, domain-name, router-discovery, static-routes,
    vendor-encapsulated-options, netbios-name-servers, netbios-node-type, netbios-scope, domain-search,
    private-routes, auto-proxy;
"""
ANDROID_ASKS = ("subnet", "router", "dns", "domain", "mtu", "broadcast", "lease", "0x3a", "0x3b", "0x2b")


@dataclass(frozen=True)
class Pool:
    """The addresses that the server gives in one network, and for how long."""

    first: str
    last: str
    lease: str

    @property
    def setting(self) -> str:
        """As dnsmasq's configuration says it."""
        return f"dhcp-range={self.first},{self.last},{self.lease}"


def serve(hospital: Hospital, *pools: Pool, time_server: str, reserved: Mapping[str, str]) -> None:
    """Start the server on the router: it gives addresses and says who the router, the name and the time server are.

    ``reserved``: address by MAC address.
    """
    folder = hospital.folder("dhcp")
    vlans = [vlan_of(pool.first) for pool in pools]
    settings = [
        "port=0",
        "bind-dynamic",
        "dhcp-sequential-ip",
        "dhcp-authoritative",
        "no-ping",
        "log-facility=/dev/null",
        f"dhcp-leasefile={folder / 'leases'}",
        f"dhcp-option=option:dns-server,{NAME_SERVER}",
        f"dhcp-option=option:ntp-server,{time_server}",
        f"dhcp-option=option:domain-name,{DOMAIN}",
        *(f"interface=vlan{vlan.vid}" for vlan in vlans),
        *(pool.setting for pool in pools),
        *(f"dhcp-host={mac},{ip}" for mac, ip in reserved.items()),
    ]
    (folder / "dnsmasq.conf").write_text("\n".join(settings) + "\n")
    command = ["dnsmasq", "--keep-in-foreground", "--user=root", f"--conf-file={folder / 'dnsmasq.conf'}"]
    hospital.serve(hospital.network.router, command, SERVER_PORT, "udp")


def _files(hospital: Hospital, host: Host) -> Path:
    """Return where a client's files are, with the script that takes what it gets."""
    folder = made(hospital.workdir / "dhcp-clients" / host.namespace)
    script = folder / "take"
    script.write_text(TAKE)
    script.chmod(0o755)
    return folder


def _dhclient(hospital: Hospital, host: Host, name: str, *options: str) -> None:
    folder = _files(hospital, host)
    conf, leases = folder / "dhclient.conf", folder / "leases"
    conf.write_text(WINDOWS.format(name=name))
    leases.touch()
    files = ["-sf", str(folder / "take"), "-cf", str(conf), "-lf", str(leases), "-pf", str(folder / "pid")]
    hospital.run(host, ["dhclient", "-4", *options, *files, "eth0"])


def windows_starts(hospital: Hospital, host: Host, name: str) -> None:
    """Get an address as a machine with Windows does, with what it had before in mind."""
    _dhclient(hospital, host, name, "-1")


def windows_leaves(hospital: Hospital, host: Host, name: str) -> None:
    """Give the address back."""
    _dhclient(hospital, host, name, "-r")


def embedded_starts(hospital: Hospital, host: Host, name: str) -> None:
    """Get an address as a device with BusyBox inside does."""
    _udhcpc(hospital, host, "-x", f"hostname:{name}")


def android_starts(hospital: Hospital, host: Host, release: int) -> None:
    """Get an address as a telephone with Android does: it says its release, and no name."""
    asks = [option for asked in ANDROID_ASKS for option in ("-O", asked)]
    _udhcpc(hospital, host, "-C", "-V", f"android-dhcp-{release}", "-o", *asks)


def _udhcpc(hospital: Hospital, host: Host, *options: str) -> None:
    script = _files(hospital, host) / "take"
    hospital.run(host, ["udhcpc", "-f", "-q", "-n", "-i", "eth0", "-s", str(script), *options])
