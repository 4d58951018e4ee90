"""What the wings of databases, mail, management, web and printers share: machines, certificates, accounts, days."""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from _estate import DOMAIN
from _fleet import Machine
from _net import START_TIMEOUT_S, LabError
from _pki import CLIENT, Credential, Pki
from _story import EPOCH, LAST_DAY
from _truth import device, must

if TYPE_CHECKING:
    from _story import Hospital

EVERY_DAY = range(LAST_DAY + 1)
WEEKEND = (3, 4)  # day 0 is a Wednesday
WORKDAYS = tuple(day for day in EVERY_DAY if day % 7 not in WEEKEND)
OFTEN = WORKDAYS[::2]
SOMETIMES = WORKDAYS[::3]
LIFE = {"start": "20260501000000Z", "end": "20270501000000Z"}  # covers the story and the day of a recording
VIRTUAL_MAC = "00:50:56:44"  # VMware's block, then the number of these wings


def virtual(name: str, last: int, shown_by: str = "", role: str = "", device_type: str = "server") -> Machine:
    """Return a virtual server; ``shown_by`` is the protocol that tells its role.

    Nobody made it, and where nothing tells what it does, nothing is said of that.
    """
    machine = Machine(name, f"{VIRTUAL_MAC}:01:{last:02x}", f"10.21.1.{last}")
    if not shown_by:
        return device(machine)
    return device(machine, role=role, device_type=device_type, told={"role": shown_by, "device_type": shown_by})


WORKSTATION = {"role": "workstation", "device_type": "workstation", "told": {"role": "http", "device_type": "http"}}

APP1 = virtual("lis-app1", 89)  # an old laboratory and radiology application
APP2 = virtual("ris-app2", 90)  # its successor, well kept
PORTAL_PC = device(Machine("ward-pc7", "8c:ec:4b:44:05:46", "10.21.5.70"), vendor="Dell Inc.", **WORKSTATION)


@dataclass(frozen=True)
class ServicesPki:
    """The authority of the services, and the folder its keys are made in."""

    pki: Pki
    root: Credential


def authority(hospital: Hospital) -> ServicesPki:
    """Return the services' authority; the first who asks has it made."""
    try:
        return hospital.find(ServicesPki)
    except LabError:
        pki = Pki(hospital, "services-pki")
        pki.now = EPOCH
        made = ServicesPki(pki, pki.root("Invented Services Root CA", start="20200101000000Z"))
        hospital.share(made)
        return made


def certificate(hospital: Hospital, machine: Machine, **options: str) -> Credential:
    """Issue a server's certificate for a machine's name, by default for the year that the story lies in."""
    its = authority(hospital)
    return its.pki.server(f"{machine.name}.{DOMAIN}", its.root, **(LIFE | options))


def client_certificate(hospital: Hospital, machine: Machine) -> Credential:
    """Issue a client's certificate for a machine."""
    its = authority(hospital)
    subject = f"/C=DE/O=Invented General Hospital/OU=Services/CN={machine.name}.{DOMAIN}"
    return its.pki.issue(subject, (*CLIENT, f"subjectAltName = DNS:{machine.name}.{DOMAIN}"), its.root, **LIFE)


def owned(folder: Path, account: str, *credentials: Path) -> list[str]:
    """Copy files into a folder for an account that alone may read them; return their names there."""
    names = []
    for given in credentials:
        kept = folder / given.name
        shutil.copyfile(given, kept)
        kept.chmod(0o600)
        shutil.chown(kept, account, account)
        names.append(str(kept))
    return names


def own(folder: Path, account: str) -> Path:
    """Give a folder to an account; return it."""
    shutil.chown(folder, account, account)
    return folder


def acting_as(account: str, *argv: str) -> list[str]:
    """Return a command line that runs as an account of this machine."""
    return ["setpriv", f"--reuid={account}", f"--regid={account}", "--clear-groups", *argv]


def calling_itself(name: str, *argv: str) -> list[str]:
    """Return a command line for a program that asks the system for its host name (namespaces share this machine's)."""
    return ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name, *argv]


def fqdn(machine: Machine) -> str:
    """Return a machine's name as the name server knows it."""
    return f"{machine.name}.{DOMAIN}"


UNTIL_HEARD = """\
sent() { awk '$1 == "eth0:" { print $11 }' /proc/net/dev; }
enough=$(($(sent) + $0))
"$@" &
until [ "$(sent)" -ge "$enough" ]; do sleep 0.02; done
kill $! && wait
"""


def until_heard(frames: int, *argv: str) -> list[str]:
    """Return a command line that runs a program until its machine has sent so many frames, then ends it."""
    return ["timeout", str(START_TIMEOUT_S), "sh", "-c", UNTIL_HEARD, str(frames), *argv]


def encoded(hospital: Hospital, text: str) -> None:
    """Plant what protocols make of a name and a password that they send in base64."""
    hospital.canaries.plant(base64.b64encode(text.encode()).decode().rstrip("="))


def heard_once(hospital: Hospital, machine: Machine) -> None:
    """Let a machine say once that it joins or leaves a group (IGMP version 2).

    Version 3 says it again some time later, which would fall into another scene.
    """
    with hospital.host(machine).inside():
        Path("/proc/sys/net/ipv4/conf/eth0/force_igmp_version").write_text("2")


def without_proof(protocol: str, *machines: Machine, since: int = 0) -> None:
    """Say of machines that they never show who they are: they answer, or ask without a name."""
    for machine in machines:
        why = "active for a month, and shows no identity of its own"
        must("ID-008", protocol, device=machine.name, first_day=since + 30, why=why)


def weekly(start: int, weeks: int = 1) -> range:
    """Return every seventh (or so many weeks') day from one on."""
    return range(start, LAST_DAY + 1, 7 * weeks)
