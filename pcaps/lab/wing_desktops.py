"""Remote desktops: a maker's service by RDP and VNC from outside, the engineer from within, and a stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _desktops import (
    FREERDP,
    FREERDP_SHADOW,
    NLA,
    PASSWORD_CHARACTERS,
    STANDARD,
    TIGERVNC,
    TLS,
    VNCDOTOOL,
    VNCPASSWD,
    WINPR,
    XRDP,
    XVFB,
    Screens,
    look,
    rdp,
    screens,
    shadow,
    vnc,
    xrdp,
)
from _fleet import Machine
from _pki import Pki
from _software import debian
from _story import EPOCH, opening, scene
from _truth import device, identity, must, must_not
from wing_people import ENGINEER, PORTAL_NAME, WORKING_DAYS
from wing_remote import DOSE1, JUMP1, SERIAL, VISITS, XRAY3

if TYPE_CHECKING:
    from _net import Host
    from _story import Hospital

GLIBC = debian("GNU C Library", "libc-bin", "getent")
INTRUSION = 88

LAB_SERVICE = device(Machine("lab-service", "", "198.51.100.50"), role="remote service", told={"role": "rdp"})
OR_SERVICE = device(Machine("or-service", "", "198.51.100.60"), role="remote service", told={"role": "vnc"})
STRANGER = device(Machine("stranger", "", "198.51.100.77"))

PCR1 = device(Machine("pcr1", "00:0e:2f:55:00:30", "10.21.4.100"), vendor="Roche Diagnostics")
COUNTER1 = device(Machine("counter1", "00:06:6b:55:00:31", "10.21.4.101"), vendor="Sysmex")
TABLE1 = device(Machine("table1", "00:0d:d1:55:00:32", "10.21.3.102"), vendor="Stryker")
TOWER1 = device(Machine("tower1", "00:01:13:55:00:33", "10.21.3.103"), vendor="Olympus")
KEPT_DESKTOP = device(Machine("kept-ws2", "64:4e:d7:55:00:34", "10.21.5.96"), vendor="HP Inc.")


def _connect(hospital: Hospital, client: Host, server: Machine, user: str, layer: str) -> None:
    password = hospital.canaries.token(f"rdp-{user}")
    rdp(hospital, client, hospital.host(server), user, password, layer, hospital.find(Screens).number)


def _password(hospital: Hospital) -> str:
    return hospital.canaries.token("vnc-tower1", PASSWORD_CHARACTERS)


@opening(XRDP, FREERDP_SHADOW, WINPR, XVFB, TIGERVNC, VNCPASSWD)
def desktops(hospital: Hospital) -> None:
    """Start three RDP servers and two VNC servers, each with its way to know who comes."""
    numbers = screens(hospital, hospital.internet(LAB_SERVICE))
    pki = Pki(hospital, "pki-desktops")
    pki.now = EPOCH
    shows = pki.server("counter1.hospital.example", pki.root("Invented Device CA"))
    xrdp(hospital, hospital.host(PCR1), TLS, pki.server("pcr1"))
    xrdp(hospital, hospital.host(COUNTER1), STANDARD, shows)
    kept = hospital.host(KEPT_DESKTOP)
    shadow(hospital, kept, "engineer", hospital.canaries.token("rdp-engineer"), numbers.number)
    vnc(hospital, hospital.host(TABLE1), numbers.number + 1)
    vnc(hospital, hospital.host(TOWER1), numbers.number + 2, _password(hospital))


@scene("the analyser's maker comes by RDP over TLS", XRDP, FREERDP, days=(6,), again=VISITS, at="21:10")
def lab_visit(hospital: Hospital) -> None:
    """Connect without network level authentication; the cookie names the account."""
    _connect(hospital, hospital.internet(LAB_SERVICE), PCR1, "labservice", TLS)


@scene("the tower's maker looks at its screen by VNC", TIGERVNC, VNCDOTOOL, days=(6,), again=VISITS, at="21:30")
def tower_visit(hospital: Hospital) -> None:
    """Connect with VNC authentication."""
    look(hospital, hospital.internet(OR_SERVICE), hospital.host(TOWER1), _password(hospital))


@scene("the engineer looks at screens", TIGERVNC, VNCDOTOOL, FREERDP, days=(2,), again=range(2, 120, 14), at="11:00")
def engineer_looks(hospital: Hospital) -> None:
    """Connect by VNC without any authentication, and by RDP with the security of 1998."""
    laptop = hospital.host(ENGINEER)
    look(hospital, laptop, hospital.host(TABLE1))
    _connect(hospital, laptop, COUNTER1, "engineer", STANDARD)


@scene(
    "the engineer works on a well-kept desktop", FREERDP_SHADOW, FREERDP, days=(3,), again=range(3, 120, 14), at="11:40"
)
def kept_desktop(hospital: Hospital) -> None:
    """Connect by RDP with network level authentication, inside TLS 1.3."""
    _connect(hospital, hospital.host(ENGINEER), KEPT_DESKTOP, "engineer", NLA)


@scene("a stranger comes by RDP at night", XRDP, FREERDP, days=(INTRUSION,), at="02:37")
def stranger(hospital: Hospital) -> None:
    """Connect from the internet to an analyser's PC, as its administrator."""
    _connect(hospital, hospital.internet(STRANGER), COUNTER1, "administrator", STANDARD)


@scene("machines that say little look a name up", GLIBC, days=(0,), again=WORKING_DAYS, at="04:00")
def lookups(hospital: Hospital) -> None:
    """Ask the name server: so they are heard on every working day."""
    for machine in (COUNTER1, KEPT_DESKTOP, TABLE1, TOWER1, DOSE1, JUMP1, XRAY3, *SERIAL):
        hospital.run(hospital.host(machine), ["getent", "ahostsv4", PORTAL_NAME])


identity("rdp-user", "labservice", "rdp", users=(LAB_SERVICE.name,), peers=(PCR1.name,), belongs_to="vendor")
identity(
    "rdp-user", "engineer", "rdp", users=(ENGINEER.name,), peers=(COUNTER1.name, KEPT_DESKTOP.name), belongs_to="human"
)
identity("rdp-user", "administrator", "rdp", users=(STRANGER.name,), peers=(COUNTER1.name,), belongs_to="human")
identity("vnc", TOWER1.name, "vnc", users=(OR_SERVICE.name,), peers=(TOWER1.name,), belongs_to="vendor")
identity("certificate-key", PCR1.name, "tls", users=(PCR1.name,))
must("VRA-002", "", device=PCR1.name, first_day=6, why="RDP is answered to the internet")
must("VRA-002", "", device=TOWER1.name, first_day=6, why="VNC is answered to the internet")
must("VRA-002", "", device=COUNTER1.name, first_day=INTRUSION, resolved_day=INTRUSION + 8, why="one night")
must("RDP-001", "rdp", device=PCR1.name, first_day=6, why="TLS without network level authentication")
must("RDP-001", "rdp", device=COUNTER1.name, first_day=2, why="standard RDP security")
must("RDP-002", "rdp", device=PCR1.name, first_day=6, why="RDP from the internet")
must("RDP-002", "rdp", device=COUNTER1.name, first_day=INTRUSION, why="RDP from the internet")
must("CERT-007", "tls", device=PCR1.name, identity=PCR1.name, first_day=6, why="self-signed, shown inside RDP")
must("CERT-011", "tls", device=PCR1.name, identity=PCR1.name, first_day=6, why="asked for by its address, shows a name")
must("ID-008", "vnc", device=TABLE1.name, first_day=30, why="asks nobody who it is, and proves itself to nobody")
must("VNC-001", "vnc", device=TABLE1.name, first_day=2, why="security type None")
must("VNC-002", "vnc", device=TOWER1.name, first_day=6, why="VNC authentication in clear")
must_not("RDP-001", "network level authentication", device=KEPT_DESKTOP.name)
must_not("VRA-002", "looked at from within the hospital only", device=TABLE1.name)
