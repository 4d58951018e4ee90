"""The makers' service reaching in from outside by SSH, and the servers that it reaches.

What is agreed: each second Tuesday between 20:00 and 22:00 UTC. It is kept, but for one night (day 47) and one
afternoon (day 100), when the service of the MR's maker comes from an address that nobody knew; it stays with that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from _fleet import Machine
from _ssh import (
    BY_PASSWORD,
    DROPBEAR,
    KEY_ONLY,
    OLD,
    OLD_CLIENT,
    OPENSSH,
    Account,
    Key,
    account,
    dropbear,
    dropbear_key,
    fingerprint,
    key,
    log_in,
    openssh,
    through,
)
from _story import opening, scene
from _truth import NEVER, device, identity, must, must_not
from wing_people import ENGINEER, SPARE

if TYPE_CHECKING:
    import subprocess

    from _net import Host
    from _story import Hospital

DEBIAN: Any = {"os": "Debian", "told": {"os": "ssh", "role": "ssh"}}  # as the banners of its OpenSSH say
VISITS = range(6, 120, 14)  # each second Tuesday
REINSTALLED, NEW_ADDRESS = 57, 100
LOOK_ROUND = b"uname -s\nfor i in 1 2 3; do echo invented service log line $i; done\nexit\n"

MR_SERVICE = device(Machine("mr-service", "", "203.0.113.50"), role="remote service", **DEBIAN)
MR_SERVICE_2 = device(Machine("mr-service-2", "", "203.0.113.61"), role="remote service", **DEBIAN)
XRAY_SERVICE = device(Machine("xray-service", "", "203.0.113.54"), role="remote service", **DEBIAN)
DOSE_SERVICE = device(Machine("dose-service", "", "198.51.100.52"), role="remote service", **DEBIAN)

MR3 = device(Machine("mr3", "88:4b:39:55:00:03", "10.21.2.100"), vendor="Siemens Healthineers", **DEBIAN)
XRAY3 = device(Machine("xray3", "00:e0:96:55:00:04", "10.21.2.101"), vendor="Shimadzu")
DOSE1 = device(Machine("dose1", "d0:43:1e:55:00:05", "10.21.1.101"), vendor="Dell Inc.", **DEBIAN)
JUMP1 = device(Machine("jump1", "00:50:56:55:00:06", "10.21.1.100"), role="jump host", **DEBIAN)
APP1 = device(Machine("app1", "00:50:56:55:00:07", "10.21.1.107"), **DEBIAN)
SERIAL = tuple(
    device(
        Machine(f"serial{n}", f"00:90:e8:55:00:1{n}", f"10.21.3.{99 + n}"), vendor="Moxa", device_type="serial server"
    )
    for n in (1, 2)
)


class Doors:
    """The accounts behind SSH servers, by machine, and the keys that open them."""

    def __init__(self, hospital: Hospital) -> None:
        self.keys = {name: key(hospital, name) for name in ("mr-service", "engineer")}
        self.accounts: dict[str, Account] = {}
        self._hospital = hospital

    def open_to(self, machine: Machine, name: str, *keys: Key) -> Account:
        """Plug a machine in with one account, and keep it."""
        password = self._hospital.canaries.token(f"ssh-{machine.name}")
        self.accounts[machine.name] = account(self._hospital, self._hospital.host(machine), name, password, *keys)
        return self.accounts[machine.name]

    def enter(self, client: Host, machine: Machine, *options: str, by: str = "") -> None:
        """Log in and look round."""
        log_in(self._hospital, client, self.accounts[machine.name], LOOK_ROUND, *options, by=self.keys.get(by))


@dataclass
class Dose:
    """The dose server's SSH server, which is another one after the reinstallation."""

    server: subprocess.Popen[bytes]


def host_key(hospital: Hospital, name: str, *machines: Machine, kind: str = "ed25519", bits: int = 0) -> Key:
    """Make a host key and say whose it is."""
    made = key(hospital, name, kind, bits) if kind != "dropbear" else dropbear_key(hospital, name)
    identity("ssh-host-key", fingerprint(hospital, made), "ssh", users=tuple(m.name for m in machines))
    return made


@opening(OPENSSH, DROPBEAR)
def doors(hospital: Hospital) -> None:
    """Start the SSH servers, each with its account."""
    found = Doors(hospital)
    hospital.share(found)
    mr = found.open_to(MR3, "service", found.keys["mr-service"])
    openssh(hospital, mr, host_key(hospital, "mr3", MR3), KEY_ONLY)
    old = host_key(hospital, "xray3", XRAY3, kind="rsa", bits=2048)
    openssh(hospital, found.open_to(XRAY3, "field"), old, BY_PASSWORD, OLD, "DebianBanner no\n")
    jump = found.open_to(JUMP1, "engineer", found.keys["engineer"])
    openssh(hospital, jump, host_key(hospital, "jump1", JUMP1), KEY_ONLY)
    behind = found.open_to(APP1, "engineer", found.keys["engineer"])
    openssh(hospital, behind, host_key(hospital, "app1", APP1), KEY_ONLY)
    dose = found.open_to(DOSE1, "dose")
    hospital.share(Dose(openssh(hospital, dose, host_key(hospital, "dose1", DOSE1), BY_PASSWORD)))
    shared = host_key(hospital, "serial", *SERIAL, kind="dropbear")
    must("SSH-003", "ssh", identity=fingerprint(hospital, shared), first_day=2, why="two serial servers, one host key")
    for machine in SERIAL:
        found.open_to(machine, "admin")
        dropbear(hospital, hospital.host(machine), shared)


@scene("the MR's maker logs in by key", OPENSSH, days=(6, 104), again=VISITS, at="20:15")
def mr_visit(hospital: Hospital) -> None:
    """Come in the agreed window; from day 100 on from the new address."""
    service = MR_SERVICE if hospital.day < NEW_ADDRESS else MR_SERVICE_2
    hospital.find(Doors).enter(hospital.internet(service), MR3, by="mr-service")


@scene("the MR's maker logs in at night, outside of the agreed window", OPENSSH, days=(47,), at="03:12")
def mr_night(hospital: Hospital) -> None:
    """Come when nobody agreed to it: a Monday morning."""
    hospital.find(Doors).enter(hospital.internet(MR_SERVICE), MR3, by="mr-service")


@scene("the MR's maker comes from a new address", OPENSSH, days=(NEW_ADDRESS,), at="13:20")
def mr_new_address(hospital: Hospital) -> None:
    """Come by the old key from an address that was never seen, on a Friday afternoon."""
    hospital.find(Doors).enter(hospital.internet(MR_SERVICE_2), MR3, by="mr-service")


@scene("the X-ray's maker logs in by password, to an old stack", OPENSSH, days=(6,), again=VISITS, at="20:30")
def xray_visit(hospital: Hospital) -> None:
    """Agree on group 14 with SHA-1, AES in CBC, HMAC-SHA-1 and an RSA key with SHA-1, as it was usual in 2008."""
    hospital.find(Doors).enter(hospital.internet(XRAY_SERVICE), XRAY3, *OLD_CLIENT)


@scene("the dose server's maker logs in by password", OPENSSH, days=(6, 62), again=VISITS, at="20:50")
def dose_visit(hospital: Hospital) -> None:
    """Come in the agreed window; after day 57 the server shows another host key."""
    hospital.find(Doors).enter(hospital.internet(DOSE_SERVICE), DOSE1)


@scene("the dose server is reinstalled: another host key", OPENSSH, days=(REINSTALLED,), at="09:00")
def dose_reinstalled(hospital: Hospital) -> None:
    """Start the server anew with the key that its second installation made, and look in."""
    dose, doors = hospital.find(Dose), hospital.find(Doors)
    hospital.stop(dose.server)
    dose.server = openssh(hospital, doors.accounts[DOSE1.name], host_key(hospital, "dose1-again", DOSE1), BY_PASSWORD)
    doors.enter(hospital.host(ENGINEER), DOSE1)


@scene("the engineer goes through the jump host", OPENSSH, days=(1,), again=range(1, 120, 14), at="09:10")
def engineer_jumps(hospital: Hospital) -> None:
    """Log in by key to a server that is reached from the jump host only."""
    doors = hospital.find(Doors)
    way = through(doors.accounts[JUMP1.name], doors.keys["engineer"])
    doors.enter(hospital.host(ENGINEER), APP1, *way, by="engineer")


@scene("the engineer looks after servers by SSH", OPENSSH, DROPBEAR, days=(2, 58), again=range(2, 120, 28), at="09:30")
def engineer_round(hospital: Hospital) -> None:
    """Log in by password, to two serial servers that have one host key among others."""
    for machine in (DOSE1, *SERIAL):
        hospital.find(Doors).enter(hospital.host(ENGINEER), machine)


@scene("a second machine with the engineer's key", OPENSSH, days=(12,), again=range(12, 120, 35), at="10:05")
def spare_round(hospital: Hospital) -> None:
    """Log in to the jump host with the key that was copied to the workstation."""
    hospital.find(Doors).enter(hospital.host(SPARE), JUMP1, by="engineer")


# which key a client proves itself with is encrypted: nobody on the network sees it
for _key, _users, _peers, _whose in (
    ("engineer", (ENGINEER, SPARE), (JUMP1, APP1), "human"),
    ("mr-service", (MR_SERVICE, MR_SERVICE_2), (MR3,), "vendor"),
):
    _names = {"users": tuple(m.name for m in _users), "peers": tuple(m.name for m in _peers)}
    identity("ssh-client-key", _key, NEVER, **_names, belongs_to=_whose)
for _reached in (MR3, XRAY3, DOSE1):
    must("VRA-002", "", device=_reached.name, first_day=6, why="SSH is answered to the internet")
must("SSH-002", "ssh", device=XRAY3.name, first_day=6, why="SHA-1, CBC")
for _kept in (JUMP1, APP1):
    must_not("SSH-002", "sntrup761 or curve25519, with strict key exchange", device=_kept.name)
must_not("VRA-002", "reached from within the hospital only", device=JUMP1.name)
must_not("SSH-003", "a new key after reinstalling: two keys of one machine, not one of two", device=DOSE1.name)
