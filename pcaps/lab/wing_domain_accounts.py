"""Stories of service accounts: one that an engineer borrows, one whose device was not told the new password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _directory import AD, BASE, Directory, FileServers, account, fortnightly, open_share, weekly
from _fleet import Machine
from _ldap import LDAP_UTILS, search, simple
from _samba import SMBCLIENT, Account, denied
from _story import scene
from _truth import device, identity, must, must_not
from wing_domain import BY_NTLM, DOSE_SHARE

if TYPE_CHECKING:
    from _story import Hospital

ARTIS, HOLTER = "svc-artis", "svc-holter"
ARTIS_NAME = f"CN={ARTIS},CN=Users,{BASE}"
CONTROLLER_URL = f"ldap://dc1.{AD.dns}"
CHANGED, TOLD = 64, 68  # a Thursday, and the Monday after
TRIES = 6

ANGIO2 = device(
    Machine("angio2", "88:4b:39:33:02:83", "10.21.2.131"), vendor="Siemens Healthineers", device_type="angiography"
)
LAPTOP = device(Machine("laptop-eng", "54:ee:75:33:05:35", "10.21.5.35"), device_type="laptop")
HOLTER1 = device(Machine("holter1", "00:0d:b8:33:03:84", "10.21.3.132"), vendor="Schiller", device_type="cardiograph")


def _asks(hospital: Hospital, machine: Machine) -> None:
    """Ask the domain for a user, as the angiography does: its name and password in clear."""
    bind = simple(ARTIS_NAME, account(hospital, ARTIS).password)
    search(hospital, hospital.host(machine), CONTROLLER_URL, bind, f"CN=Users,{BASE}", "(sAMAccountName=kiosk)")


def _logs_on(hospital: Hospital, machine: Machine, who: Account, *, refused: bool = False) -> None:
    """Log on at the share for dose reports."""
    at, ok = hospital.find(FileServers).member, (1,) if refused else (0,)
    out = open_share(hospital, hospital.host(machine), at, who, DOSE_SHARE, ok=ok)
    denied(out, "NT_STATUS_LOGON_FAILURE" if refused else "")


@scene(
    "an angiography asks the domain for its users, its password in clear and never changed",
    LDAP_UTILS,
    days=[0],
    again=weekly(7),
    at="07:30",
)
def angiography_asks(hospital: Hospital) -> None:
    _asks(hospital, ANGIO2)


@scene("the angiography leaves its dose report", SMBCLIENT, days=[5], again=fortnightly(19), at="17:20")
def angiography_reports(hospital: Hospital) -> None:
    _logs_on(hospital, ANGIO2, account(hospital, ARTIS))


@scene(
    "an engineer uses the angiography's account from a laptop, for two days",
    LDAP_UTILS,
    SMBCLIENT,
    days=[34, 35],
    at="10:40",
)
def engineer_borrows(hospital: Hospital) -> None:
    _asks(hospital, LAPTOP)
    _logs_on(hospital, LAPTOP, account(hospital, ARTIS))


BORROWED = "an engineer works under a device's account"
IN_CLEAR = "the password crosses in clear"
identity("account", ARTIS, "smb", ("angio2", "laptop-eng"), peers=("fs1",), realm=AD.workgroup)
identity("ldap-dn", ARTIS_NAME, "ldap", ("angio2", "laptop-eng"), peers=("dc1",))
must("LDAP-001", "ldap", device="angio2", identity=ARTIS_NAME, why=IN_CLEAR)
must("LDAP-001", "ldap", device="laptop-eng", identity=ARTIS_NAME, first_day=34, why=IN_CLEAR)
must("NTLM-002", "smb", device="angio2", identity=ARTIS, first_day=5, why=BY_NTLM)
must("NTLM-002", "smb", device="laptop-eng", identity=ARTIS, first_day=34, why=BY_NTLM)
must("ID-001", "smb", identity=ARTIS, first_day=34, why="two machines use one service account")
must("ID-002", "smb", identity=ARTIS, first_day=34, why=BORROWED)
must_not("ID-003", "unchanged for 119 days at least, which is less than a year", identity=ARTIS_NAME)


@scene("a Holter recorder leaves its recordings", SMBCLIENT, days=[1], again=fortnightly(15, CHANGED - 1), at="08:00")
def holter_reports(hospital: Hospital) -> None:
    _logs_on(hospital, HOLTER1, account(hospital, HOLTER))


@scene(
    "the password of the Holter recorder is changed; it goes on with the old one for three days",
    SMBCLIENT,
    days=[CHANGED],
    again=[CHANGED + 1, CHANGED + 2],
    at="08:00",
)
def holter_not_told(hospital: Hospital) -> None:
    old = account(hospital, HOLTER)
    hospital.find(Directory).rotate(hospital, HOLTER)
    for _ in range(TRIES):
        _logs_on(hospital, HOLTER1, old, refused=True)


@scene(
    "the Holter recorder leaves its recordings with the new password",
    SMBCLIENT,
    days=[TOLD],
    again=fortnightly(71),
    at="08:00",
)
def holter_told(hospital: Hospital) -> None:
    _logs_on(hospital, HOLTER1, account(hospital, HOLTER))


identity("account", HOLTER, "smb", ("holter1",), peers=("fs1",), realm=AD.workgroup)
must("NTLM-002", "smb", device="holter1", identity=HOLTER, first_day=1, why=BY_NTLM)
must(
    "SMB-006",
    "smb",
    device="holter1",
    identity=HOLTER,
    first_day=CHANGED,
    resolved_day=TOLD,
    why="it is refused six times a day with its old password",
)
must_not("SMB-008", "it tries one account", device="holter1")
