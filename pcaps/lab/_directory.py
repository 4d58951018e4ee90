"""The hospital's directory: its Samba domain, the accounts in it, and how a machine of the hospital gets a ticket.

The domain is ``ad.hospital.example``; its controller answers for its own names. Machines find it as they do in any
hospital: the name server passes the domain's zone on, a client looks up the KDC's SRV record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from _addc import Client, Domain, Realm, asked, computer, krb5_conf, new_password, user
from _fleet import Machine
from _samba import Account, FileServer, Station, made, smbclient
from _story import LAST_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _net import Host
    from _pki import Credential, Pki
    from _story import Hospital

CONTROLLER = Machine("dc1", "00:50:56:33:01:05", "10.21.1.5")
AD = Realm("ad.hospital.example", "HOSPITAL", CONTROLLER, answers_dns=True)
BASE = "DC=ad,DC=hospital,DC=example"

SATURDAY = 3  # the first one: day 0 is a Wednesday
WORKDAYS = tuple(day for day in range(LAST_DAY + 1) if (day - SATURDAY) % 7 > 1)


def weekly(first_day: int, last_day: int = LAST_DAY) -> range:
    """Return every seventh day from the first on."""
    return range(first_day, last_day + 1, 7)


def fortnightly(first_day: int, last_day: int = LAST_DAY) -> range:
    """Return every fourteenth day from the first on."""
    return range(first_day, last_day + 1, 14)


@dataclass
class Directory:
    """The running domain, shared with other wings, and the accounts as they are now."""

    domain: Domain
    accounts: dict[str, Account] = field(default_factory=dict)

    def add(self, hospital: Hospital, name: str) -> Account:
        """Make an account."""
        self.accounts[name] = user(hospital, self.domain, name)
        return self.accounts[name]

    def join(self, hospital: Hospital, machine: Machine) -> Account:
        """Make a machine's account."""
        made_now = computer(hospital, self.domain, machine)
        self.accounts[made_now.name] = made_now
        return made_now

    def rotate(self, hospital: Hospital, name: str) -> Account:
        """Give an account another password."""
        self.accounts[name] = new_password(hospital, self.domain, name)
        return self.accounts[name]


@dataclass(frozen=True)
class Certificates:
    """The hospital's own certification authority, shared with other wings."""

    pki: Pki
    root: Credential


@dataclass(frozen=True)
class FileServers:
    """The domain's file server, shared with other wings."""

    member: FileServer


def account(hospital: Hospital, name: str) -> Account:
    """Return an account of the domain."""
    return hospital.find(Directory).accounts[name]


def machine_account(hospital: Hospital, machine: Machine) -> Account:
    """Return the account of a machine that is a member of the domain."""
    return account(hospital, f"{machine.name.upper()}$")


def kerberos(hospital: Hospital, host: Host, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which a machine's programs find the domain; ``more`` are settings of libdefaults."""
    settings = {"udp_preference_limit": "1", **(more or {})}  # TCP first, as Windows does
    return {"KRB5_CONFIG": str(krb5_conf(made(hospital.workdir / "kerberos" / host.name), AD, settings))}


def log_on(hospital: Hospital, host: Host, who: Account, more: Mapping[str, str] | None = None) -> Client:
    """Get a ticket for an account on a machine. Raises LabError when the KDC refuses."""
    env = kerberos(hospital, host, more)
    return asked(hospital, host, who, env, hospital.workdir / "kerberos" / host.name / "tickets", AD)


def open_share(
    hospital: Hospital,
    host: Host,
    server: FileServer,
    who: Account | None,
    share: str,
    *options: str,
    commands: str = "exit",
    settings: Mapping[str, str] | None = None,
    ok: tuple[int, ...] = (0,),
) -> bytes:
    """Log on at a file server by NTLM, with no account as anonymous, and do something there."""
    station = Station(host, {"workgroup": AD.workgroup, **(settings or {})})
    return smbclient(hospital, station, server, who, commands, *options, share=share, ok=ok)
