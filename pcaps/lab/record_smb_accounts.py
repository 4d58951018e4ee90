"""Accounts and who uses them: shared, known to be a maker's, of the domain, from outside, of old systems."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from _addc import AD_DC, MIT_KRB5, WINBIND, computer, domain, member, ticket, user, with_ticket
from _fleet import CT, CT2, FILESERVER, FIREWALL, MR, NAS, PARTNER, TELERADIOLOGY, US, US_FLEET, WORKSTATION
from _lab import Lab, scenario
from _samba import SAMBA, SHARE, SMBCLIENT, Account, Share, Station, account, fetch, smbclient, smbd
from _smbprotocol import connected, session, tree
from smbprotocol.connection import Dialects
from spnego._ntlm_raw.messages import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _fleet import Machine
    from _samba import FileServer

MEMBER = (AD_DC, SAMBA, WINBIND, SMBCLIENT)
AT_MEMBER = "tcp port 445 and not host 10.20.1.5"


def visits(lab: Lab, server: FileServer, guests: tuple[tuple[Machine, Account], ...], expression: str = "tcp") -> None:
    """Record machine after machine reading a file, each with its account."""
    get = fetch(lab, server)
    stations = [(Station(lab.host(machine)), who) for machine, who in guests]
    with lab.capture(expression):
        for station, who in stations:
            smbclient(lab, station, server, who, get)


@scenario(
    "smb/shared_local_account",
    "Three devices of three makers log on with one local account of the file server.",
    SAMBA,
    SMBCLIENT,
    expect=("NTLM-005: service of FS1 from ct1, mr1 and us1",),
)
def shared_local_account(lab: Lab) -> None:
    right = account(lab, "service")
    here = Account(right.name, right.password, "FS1")
    with smbd(lab, FILESERVER, (right,)) as server:
        visits(lab, server, tuple((machine, here) for machine in (CT, MR, US)))


@scenario(
    "smb/shared_own_realm",
    "Two devices log on with one local account of the file server, each naming itself for the realm.",
    SAMBA,
    SMBCLIENT,
    expect=("NTLM-005: service of FS1 from ct1 and mr1, realms CT1 and MR1",),
)
def shared_own_realm(lab: Lab) -> None:
    right = account(lab, "service")
    with smbd(lab, FILESERVER, (right,)) as server:
        visits(lab, server, tuple((m, Account(right.name, right.password, m.name.upper())) for m in (CT, MR)))


@scenario(
    "smb/shared_fleet_account",
    "Five ultrasound devices of one model log on with one account of the domain.",
    *MEMBER,
    expect=("ID-001: svc-ultrasound of WARD from us1 to us5",),
)
def shared_fleet_account(lab: Lab) -> None:
    with domain(lab, FILESERVER, *US_FLEET) as made:
        who = user(lab, made, "svc-ultrasound")
        with member(lab, made, Share()) as server:
            visits(lab, server, tuple((machine, who) for machine in US_FLEET), AT_MEMBER)


@scenario(
    "smb/same_name_two_servers",
    "Two servers each have an account of their own with the same name; a device uses each of them.",
    SAMBA,
    SMBCLIENT,
    expect=("scan of FS1 from ct1, scan of NAS2 from mr1: two identities",),
)
def same_name_two_servers(lab: Lab) -> None:
    scanner, other = Station(lab.host(CT)), Station(lab.host(MR))
    at_fs1 = Account("scan", lab.canaries.token("password at fs1", 14), "FS1")
    at_nas = Account("scan", lab.canaries.token("password at nas2", 14), "NAS2")
    with smbd(lab, FILESERVER, (at_fs1,)) as fs1, smbd(lab, NAS, (at_nas,)) as nas:
        first, second = fetch(lab, fs1), fetch(lab, nas)
        with lab.capture("tcp"):
            smbclient(lab, scanner, fs1, at_fs1, first)
            smbclient(lab, other, nas, at_nas, second)


@scenario(
    "smb/vendor_accounts",
    "Two devices log on with accounts whose names are known as makers'.",
    SAMBA,
    SMBCLIENT,
    expect=("ID-005: museadmin and insite",),
)
def vendor_accounts(lab: Lab) -> None:
    one, other = account(lab, "museadmin"), account(lab, "insite")
    with smbd(lab, FILESERVER, (one, other)) as server:
        visits(lab, server, ((WORKSTATION, one), (US, other)))


@scenario(
    "smb/machine_account_twice",
    "One machine account is used by two CTs, one of which was set up from an image of the other.",
    *MEMBER,
    expect=("principal CT1$ of WARD from ct1 and ct2",),
)
def machine_account_twice(lab: Lab) -> None:
    with domain(lab, FILESERVER, CT) as made:
        who = computer(lab, made, CT)
        with member(lab, made, Share()) as server:
            visits(lab, server, ((CT, who), (CT2, who)), AT_MEMBER)


@scenario(
    "smb/ntlm_beside_kerberos",
    "A workstation uses Kerberos at the file server; a CT uses NTLM there, with an account of the domain.",
    *MEMBER,
    MIT_KRB5,
    expect=("NTLM-002: svc-ct of WARD by NTLM, where ws4 has a ticket",),
)
def ntlm_beside_kerberos(lab: Lab) -> None:
    scanner, host = lab.host(CT), lab.host(WORKSTATION)
    with domain(lab, FILESERVER, WORKSTATION) as made:
        mine, other = user(lab, made, "svc-dose"), user(lab, made, "svc-ct")
        with member(lab, made, Share()) as server:
            have, get = ticket(lab, host, WORKSTATION, mine), fetch(lab, server)
            with lab.capture(AT_MEMBER):
                with_ticket(lab, have, server, get)
                smbclient(lab, Station(scanner), server, other, get)


@scenario(
    "smb/administrative_share",
    "A workstation connects the share of a whole disk with an administrator's account.",
    SAMBA,
    SMBCLIENT,
    expect=("administrator at C$", "accepted"),
)
def administrative_share(lab: Lab) -> None:
    host, who = lab.host(WORKSTATION), account(lab, "administrator")
    with smbd(lab, FILESERVER, (who,), (Share("C$"),)) as server, lab.capture("tcp"):
        smbclient(lab, Station(host), server, who, "ls", share="C$")


@scenario(
    "smb/from_outside",
    "A reading service outside the hospital logs on at the file server through the firewall.",
    SAMBA,
    SMBCLIENT,
    expect=("svc-reading from 203.0.113.44; its frames carry the firewall's MAC",),
)
def from_outside(lab: Lab) -> None:
    firewall, host, who = lab.host(FIREWALL), lab.host(FILESERVER), account(lab, "svc-reading")
    service = lab.outside(TELERADIOLOGY, firewall)
    with smbd(lab, FILESERVER, (who,), host=host) as server:
        get = fetch(lab, server)
        with lab.capture("tcp"):
            smbclient(lab, Station(service), server, who, get)


@scenario(
    "smb/to_outside",
    "A CT sends its account and a response to a file server outside the hospital.",
    SAMBA,
    SMBCLIENT,
    expect=("svc-ct to 203.0.113.60, accepted",),
)
def to_outside(lab: Lab) -> None:
    firewall, scanner, who = lab.host(FIREWALL), lab.host(CT), account(lab, "svc-ct")
    with smbd(lab, PARTNER, (who,), host=lab.outside(PARTNER, firewall)) as server:
        get = fetch(lab, server)
        with lab.capture("tcp"):
            smbclient(lab, Station(scanner), server, who, get)


@contextlib.contextmanager
def version(major: int, minor: int, build: int) -> Iterator[None]:
    """Let this process's NTLM say another version during the block (MS-NLMP 2.2.2.10)."""
    own = Version.get_current
    Version.get_current = staticmethod(lambda: Version(major, minor, build))
    try:
        yield
    finally:
        Version.get_current = staticmethod(own)


SAID = "the NTLM version that it says set by pcaps/lab/record_smb_accounts.py"


def says(lab: Lab, *build: int, dialect: Dialects | None = None) -> None:
    """Record a client that says a build of Windows."""
    host, who = lab.host(CT), account(lab, "svc-ct")
    with (
        smbd(lab, FILESERVER, (who,)) as server,
        lab.capture("tcp"),
        version(*build),
        connected(host, server, dialect) as connection,
    ):
        tree(session(connection, who), server, SHARE)


@scenario(
    "smb/windows_7",
    "A CT that says that it runs Windows 7, and speaks the newest dialect which that knows.",
    SAMBA,
    "smbprotocol",
    SAID,
    expect=("EOL-001: NTLM version 6.1.7601 from a client that offers SMB 2.1",),
)
def windows_7(lab: Lab) -> None:
    says(lab, 6, 1, 7601, dialect=Dialects.SMB_2_1_0)


@scenario(
    "smb/windows_7_claimed",
    "A CT that says that it runs Windows 7, but speaks a dialect which that never knew.",
    SAMBA,
    "smbprotocol",
    SAID,
    expect=("NTLM version 6.1.7601 from a client that offers SMB 3.1.1: some other program",),
)
def windows_7_claimed(lab: Lab) -> None:
    says(lab, 6, 1, 7601)


@scenario(
    "smb/windows_ltsc",
    "A CT that says that it runs a Windows 10 that is still served.",
    SAMBA,
    "smbprotocol",
    SAID,
    expect=("NTLM version 10.0.17763: Windows 10 1809, LTSC 2019 or Server 2019",),
)
def windows_ltsc(lab: Lab) -> None:
    says(lab, 10, 0, 17763)
