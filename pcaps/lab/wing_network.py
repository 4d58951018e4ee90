"""What every machine of the hospital needs: the router, and a name server (dnsmasq)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _estate import DOMAIN, NAME_SERVER, ROUTER_MAC, VLANS
from _fleet import Machine
from _software import debian
from _story import NAMES, opening
from _truth import DEVICES, Address, device

if TYPE_CHECKING:
    from _story import Hospital

DNSMASQ = debian("dnsmasq", "dnsmasq-base", "dnsmasq")
DNS = 53
ACTIVE_DIRECTORY = ("ad.hospital.example", "10.21.1.5")

ROUTER = device(
    Machine("router", ROUTER_MAC, VLANS[0].gateway),
    *(Address(ROUTER_MAC, vlan.gateway) for vlan in VLANS),
    vendor="Palo Alto Networks",
    role="network router",
    device_type="router",
)
NAMES_1 = device(Machine("ns1", "00:50:56:a4:21:53", NAME_SERVER), role="name server", device_type="server")


@opening(DNSMASQ, order=0)
def name_server(hospital: Hospital) -> None:
    """Answer for every machine by its name, and pass what Active Directory knows on to its controller."""
    host, folder = hospital.host(NAMES_1), hospital.folder("dnsmasq")
    records = {f"{name}.{DOMAIN}": a.ip for name, found in DEVICES.items() for a in found.addresses[:1] if a.ip}
    zone, controller = ACTIVE_DIRECTORY
    settings = [
        "no-resolv",
        "no-hosts",
        "log-facility=/dev/null",
        f"local=/{DOMAIN}/",
        f"server=/{zone}/{controller}",
        *(f"host-record={name},{ip}" for name, ip in (records | NAMES).items()),
    ]
    (folder / "dnsmasq.conf").write_text("\n".join(settings) + "\n")
    command = ["dnsmasq", "--keep-in-foreground", "--user=root", f"--conf-file={folder / 'dnsmasq.conf'}"]
    hospital.serve(host, command, DNS, "udp")
