"""File servers as they should be: no rule may fire on any of these captures. *Now* is the capture's own time."""

from __future__ import annotations

from _addc import AD_DC, MIT_KRB5, WINBIND, computer, domain, member, ticket, user, with_ticket
from _fleet import CT, FILESERVER, MR, WORKSTATION
from _lab import Lab, scenario
from _samba import SAMBA, SMBCLIENT, Share, fetch

STRICT = {
    "server min protocol": "SMB3_11",
    "server signing": "mandatory",
    "server smb encrypt": "required",
    "server smb3 encryption algorithms": "AES-256-GCM",
    "restrict anonymous": "2",
    "ntlm auth": "disabled",
}
SIGNED = {"server min protocol": "SMB3_11", "server signing": "mandatory", "restrict anonymous": "2"}
USED = (AD_DC, SAMBA, WINBIND, SMBCLIENT, MIT_KRB5)
AT_MEMBER = "tcp port 445 and not host 10.20.1.5"


def read(lab: Lab, settings: dict[str, str], *machines: str) -> None:
    """Record machines that read a file at a member server, each with its own account and ticket."""
    known = {machine.name: machine for machine in (CT, MR, WORKSTATION)}
    chosen = [(known[name], lab.host(known[name])) for name in machines]
    with domain(lab, FILESERVER, *known.values()) as made:
        accounts = {machine.name: user(lab, made, f"svc-{machine.name}") for machine, _ in chosen}
        with member(lab, made, Share(), **settings) as server:
            get = fetch(lab, server)
            have = [ticket(lab, host, machine, accounts[machine.name]) for machine, host in chosen]
            with lab.capture(AT_MEMBER):
                for client in have:
                    with_ticket(lab, client, server, get)


@scenario(
    "quiet/smb_kerberos_encrypted",
    "A CT reads from a file server: SMB 3.1.1, Kerberos with AES256, signing required, all encrypted.",
    *USED,
)
def smb_kerberos_encrypted(lab: Lab) -> None:
    read(lab, STRICT, "ct1")


@scenario(
    "quiet/smb_kerberos_signed",
    "A CT and an MR read from a file server: SMB 3.1.1, Kerberos with AES256, signing required.",
    *USED,
)
def smb_kerberos_signed(lab: Lab) -> None:
    read(lab, SIGNED, "ct1", "mr1")


@scenario(
    "quiet/smb_domain_controller",
    "A machine account reads its policies from the domain controller, with Kerberos and signing required.",
    AD_DC,
    SAMBA,
    SMBCLIENT,
    MIT_KRB5,
)
def smb_domain_controller(lab: Lab) -> None:
    host = lab.host(WORKSTATION)
    with domain(lab, WORKSTATION) as made:
        have = ticket(lab, host, WORKSTATION, computer(lab, made, WORKSTATION))
        with lab.capture("tcp port 445"):
            with_ticket(lab, have, made.controller, "ls ward.example", "sysvol")
