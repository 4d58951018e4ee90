"""Addresses and time: DHCP that moves an address from machine to machine, a guest's telephone, and a time server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _addc import MIT_KRB5, with_ticket
from _dhcp import (
    DHCLIENT,
    DNSMASQ,
    UDHCPC,
    Pool,
    android_starts,
    embedded_starts,
    serve,
    windows_leaves,
    windows_starts,
)
from _directory import AD, WORKDAYS, Certificates, Directory, FileServers, log_on, machine_account
from _estate import DOMAIN, GUESTS, OFFICE
from _fleet import Machine
from _ntp import CHRONY, ask
from _ntp import serve as serve_time
from _samba import SMBCLIENT
from _story import LAST_DAY, known_as, opening, scene
from _tls import connect, sni
from _tls import serve as serve_page
from _truth import Address, device, identity, must, must_not
from wing_domain import DC1, FS1, LABMW, OFFICE_SHARE, PORTAL
from wing_domain_accounts import ANGIO2, HOLTER1
from wing_domain_ldap import CARDIO_WS, LDAP1, VIVID7
from wing_files import ERGO1, FS2, MFP3, NAS2, OCT1, TOWER1, TOWER2

if TYPE_CHECKING:
    from _net import Host
    from _story import Hospital

OFFICE_POOL, GUEST_POOL = Pool("10.21.5.40", "10.21.5.59", "12h"), Pool("10.21.6.100", "10.21.6.199", "1h")
MOVING = OFFICE_POOL.first  # the address that three machines have, one after the other
COW1_MAC, COW2_MAC, TABLET_MAC = "8c:ec:4b:33:05:40", "8c:ec:4b:33:05:41", "f4:8e:38:33:05:42"
PRINTER_MAC = "84:24:8d:33:05:43"
VISITS = {3: "fe:21:0a:33:06:01", 17: "ba:90:5c:33:06:02", 44: "3e:07:d1:33:06:03", 90: "da:e4:66:33:06:04"}
PORTAL_NAME = f"intranet1.{DOMAIN}"
CLOUD_NAME = known_as("play.telephone.example", "203.0.113.5")
OFTEN = tuple(day for day in WORKDAYS if day % 3 == 0)
WINDOWS = {"os": "Windows", "told": {"os": "dhcp"}}
ANDROID = {"os": "Android", "told": {"os": "dhcp"}}

TIME = device(Machine("ntp1", "ec:46:70:33:01:55", "10.21.1.55"), device_type="server", role="time server")
COW1 = device(
    Machine("cow1", COW1_MAC, ""),
    Address(COW1_MAC, MOVING, 0, 20),
    Address(COW1_MAC, "10.21.5.41", 22),
    device_type="workstation",
    **WINDOWS,
)
COW2 = device(
    Machine("cow2", COW2_MAC, ""),
    Address(COW2_MAC, MOVING, 21, 50),
    Address(COW2_MAC, "10.21.5.42", 54),
    device_type="workstation",
    **WINDOWS,
)
TABLET = device(Machine("tablet1", TABLET_MAC, ""), Address(TABLET_MAC, MOVING, 51), device_type="tablet", **ANDROID)
PRINTER = device(Machine("labels1", PRINTER_MAC, ""), Address(PRINTER_MAC, OFFICE_POOL.last), device_type="printer")
TELEPHONE = device(
    Machine("telephone1", "", ""),
    *(Address(mac, f"10.21.6.{100 + n}", day, day) for n, (day, mac) in enumerate(VISITS.items())),
    device_type="telephone",
    **ANDROID,
)
CLOUD = device(Machine("telephone-cloud", "", "203.0.113.5"), device_type="server")
KEEP_TIME = (ANGIO2, HOLTER1, ERGO1, TOWER1, TOWER2, OCT1, MFP3, VIVID7, CARDIO_WS, LABMW, NAS2, FS1, FS2, DC1, LDAP1)


@opening(DNSMASQ, order=5)
def addresses(hospital: Hospital) -> None:
    """Start the DHCP server on the router, for the office and for guests."""
    serve(hospital, OFFICE_POOL, GUEST_POOL, time_server=TIME.ip, reserved={PRINTER_MAC: OFFICE_POOL.last})


@opening(CHRONY, order=6)
def time_server(hospital: Hospital) -> None:
    """Start the time server."""
    serve_time(hospital, hospital.host(TIME))


@opening("OpenSSL", order=18)
def pages(hospital: Hospital) -> None:
    """Start the portal's web page, and what a telephone calls on the internet; give carts accounts in the domain."""
    authority = hospital.find(Certificates)
    inside = authority.pki.server(PORTAL_NAME, authority.root, key="ec:P-256")
    outside = authority.pki.server(CLOUD_NAME, authority.pki.root("Invented Public CA", key="ec:P-256"), key="ec:P-256")
    serve_page(hospital, hospital.host(PORTAL), *inside.chain)
    serve_page(hospital, hospital.internet(CLOUD), *outside.chain)
    for machine in (COW1, COW2):
        hospital.find(Directory).join(hospital, machine)


def _plugged(hospital: Hospital, machine: Machine) -> Host:
    """Return a machine of the office that asks for its address; it is plugged in when it first appears."""
    return hospital.network.known(machine.name) or hospital.bare(machine, OFFICE)


def _starts(hospital: Hospital, machine: Machine, address: str) -> None:
    """Let a cart start: it gets an address, which has to be this one, for the truth says so."""
    host = _plugged(hospital, machine)
    windows_starts(hospital, host, machine.name.upper())
    _has(hospital, host, address)


def _has(hospital: Hospital, host: Host, address: str) -> None:
    """Raise LabError unless the machine was given this address."""
    hospital.run(host, ["sh", "-c", 'ip -4 addr show dev eth0 | tee /dev/stderr | grep -qF " $0/"', address])


def _works(hospital: Hospital, machine: Machine) -> None:
    """Log on with the cart's account by Kerberos, and open the office's share."""
    client = log_on(hospital, _plugged(hospital, machine), machine_account(hospital, machine))
    with_ticket(hospital, client, hospital.find(FileServers).member, "exit", OFFICE_SHARE, realm=AD)


def _days(first_day: int, last_day: int) -> list[int]:
    return [day for day in OFTEN if first_day < day <= last_day]


@scene("a computer on a cart starts", DHCLIENT, days=[0], again=_days(0, 20), at="06:40")
def cart_1_starts(hospital: Hospital) -> None:
    _starts(hospital, COW1, MOVING)


@scene("the computer on the cart logs on", MIT_KRB5, SMBCLIENT, days=[0, 22], again=[14, 78], at="06:45")
def cart_1_works(hospital: Hospital) -> None:
    _works(hospital, COW1)


@scene("a label printer starts", UDHCPC, days=[0], again=_days(0, LAST_DAY), at="06:42")
def printer_starts(hospital: Hospital) -> None:
    host = _plugged(hospital, PRINTER)
    embedded_starts(hospital, host, "labels1")
    _has(hospital, host, OFFICE_POOL.last)


@scene("the cart is shut down, and gives its address back", DHCLIENT, days=[20], at="18:00")
def cart_1_leaves(hospital: Hospital) -> None:
    windows_leaves(hospital, _plugged(hospital, COW1), "COW1")


@scene(
    "another cart starts, and is given the first one's address", DHCLIENT, days=[21], again=_days(21, 50), at="06:40"
)
def cart_2_starts(hospital: Hospital) -> None:
    _starts(hospital, COW2, MOVING)


@scene("the other cart logs on", MIT_KRB5, SMBCLIENT, days=[21, 54], again=[35, 110], at="06:45")
def cart_2_works(hospital: Hospital) -> None:
    _works(hospital, COW2)


@scene(
    "the first cart is back, and is given another address", DHCLIENT, days=[22], again=_days(22, LAST_DAY), at="06:40"
)
def cart_1_returns(hospital: Hospital) -> None:
    _starts(hospital, COW1, "10.21.5.41")


@scene("the other cart is shut down, and gives its address back", DHCLIENT, days=[50], at="18:00")
def cart_2_leaves(hospital: Hospital) -> None:
    windows_leaves(hospital, _plugged(hospital, COW2), "COW2")


@scene("a tablet starts, and is given that address, too", UDHCPC, days=[51], again=_days(51, LAST_DAY), at="06:40")
def tablet_starts(hospital: Hospital) -> None:
    host = _plugged(hospital, TABLET)
    android_starts(hospital, host, 11)
    _has(hospital, host, MOVING)


@scene("the tablet shows a page of the portal", "OpenSSL", days=[51], again=_days(51, LAST_DAY)[::3], at="06:48")
def tablet_works(hospital: Hospital) -> None:
    connect(hospital, _plugged(hospital, TABLET), hospital.host(PORTAL), *sni(PORTAL_NAME), "-tls1_2")


@scene(
    "the other cart is back, and is given another address", DHCLIENT, days=[54], again=_days(54, LAST_DAY), at="06:40"
)
def cart_2_returns(hospital: Hospital) -> None:
    _starts(hospital, COW2, "10.21.5.42")


@scene(
    "a guest's telephone visits; its MAC address is another one each time", UDHCPC, "OpenSSL", days=VISITS, at="13:25"
)
def telephone_visits(hospital: Hospital) -> None:
    host = hospital.bare(Machine(TELEPHONE.name, VISITS[hospital.day], ""), GUESTS)
    android_starts(hospital, host, 13)
    _has(hospital, host, f"10.21.6.{100 + list(VISITS).index(hospital.day)}")
    connect(hospital, host, hospital.internet(CLOUD), *sni(CLOUD_NAME))
    hospital.network.unplug(host)


@scene("machines ask for the time", CHRONY, days=[0], again=range(3, LAST_DAY + 1, 3), at="05:00")
def keep_time(hospital: Hospital) -> None:
    for machine in KEEP_TIME:
        ask(hospital, hospital.host(machine), TIME.ip)


identity("account", "COW1$", "kerberos", ("cow1",), peers=("dc1",), realm=AD.kerberos)
identity("account", "COW2$", "kerberos", ("cow2",), peers=("dc1",), realm=AD.kerberos)
identity("certificate-key", PORTAL_NAME, "tls", ("intranet1",), peers=("tablet1",))
ALONE = "it never proves who it is, nor shows a key"
for _alone in (TIME, ERGO1, FS2, NAS2, LDAP1):  # most of what they say is NTP
    must("ID-008", "ntp", device=_alone.name, first_day=30, why=ALONE)
must("ID-008", "dhcp", device="labels1", first_day=30, why=ALONE)
must("ID-008", "dhcp", device="tablet1", first_day=81, why=ALONE)
must("ID-008", "radius", device="wlc1", first_day=30, why="it passes on what others prove")
must_not("ID-008", "its Kerberos tickets are an authentication", device="cow1")
must_not("ID-008", "its Kerberos tickets are an authentication", device="cow2")
must_not("ID-009", "it was a lease of the first cart's", device="cow2")
must_not("ID-009", "it was a lease of two other machines", device="tablet1")
must_not("CERT-007", "the hospital's own authority signed it", device="intranet1")
