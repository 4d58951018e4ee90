"""A domain: Kerberos and NTLM with domain and machine accounts, at a domain controller and at a member server."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from _addc import (
    AD_DC,
    MIT_KRB5,
    REALM,
    WINBIND,
    Client,
    Domain,
    computer,
    domain,
    member,
    new_password,
    supported,
    ticket,
    user,
    with_ticket,
)
from _fleet import CT, FILESERVER, WORKSTATION
from _lab import Lab, scenario
from _net import LabError
from _samba import DOMAIN, SAMBA, SMBCLIENT, Account, FileServer, Share, Station, denied, fetch, library, smbclient
from _smbprotocol import connected
from _software import debian
from impacket.smb3structs import SMB2_DIALECT_21
from impacket.smbconnection import SMBConnection
from smbprotocol.exceptions import SMBException
from smbprotocol.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _fleet import Machine
    from _net import Host

FAKETIME = debian("faketime", "faketime", "faketime")
USED = (AD_DC, SAMBA, WINBIND, SMBCLIENT, MIT_KRB5)
AT_DC = (AD_DC, SAMBA, SMBCLIENT, MIT_KRB5)
AES256 = "ticket of cifs/fs1.ward.example, aes256-cts-hmac-sha1-96, realm WARD.EXAMPLE; no client name can be seen"
SMB_ONLY = "tcp port 445 and not host 10.20.1.5"
RC4, AES128 = 4, 8  # bits of msDS-SupportedEncryptionTypes
LOGON_FAILURE = "NT_STATUS_LOGON_FAILURE"


@contextlib.contextmanager
def estate(lab: Lab, machine: Machine = WORKSTATION, **settings: str) -> Iterator[tuple[Domain, FileServer, Host]]:
    """Run a domain with a member server and plug a client in."""
    client = lab.host(machine)
    with domain(lab, FILESERVER, machine) as made, member(lab, made, Share(), **settings) as server:
        yield made, server, client


def kerberos(lab: Lab, server: dict[str, str], client: dict[str, str] | None = None) -> None:
    """Record a logon with a ticket at a member server set up so."""
    with estate(lab, **server) as (made, fs1, host):
        have = ticket(lab, host, WORKSTATION, user(lab, made, "svc-dose"))
        get = fetch(lab, fs1)
        with lab.capture(SMB_ONLY):
            with_ticket(lab, have, fs1, get, settings=client)


@scenario("smb/kerberos_aes256", "SMB 3.1.1, Kerberos with AES256.", *USED, expect=(AES256, "accepted"))
def kerberos_aes256(lab: Lab) -> None:
    kerberos(lab, {})


def with_keys(lab: Lab, enctypes: int) -> None:
    """Record a logon with a ticket at a server of which the directory says that it has only such keys."""
    with estate(lab) as (made, fs1, host):
        supported(lab, made, fs1, enctypes)
        have = ticket(lab, host, WORKSTATION, user(lab, made, "svc-dose"))
        get = fetch(lab, fs1)
        with lab.capture(SMB_ONLY):
            with_ticket(lab, have, fs1, get)


@scenario(
    "smb/kerberos_rc4",
    "SMB 3.1.1, Kerberos at a server that has RC4 keys only.",
    *USED,
    expect=("KRB-001: ticket of cifs/fs1.ward.example encrypted with rc4-hmac", "accepted"),
)
def kerberos_rc4(lab: Lab) -> None:
    with_keys(lab, RC4)


@scenario(
    "smb/kerberos_aes128",
    "SMB 3.1.1, Kerberos at a server that has AES128 keys only.",
    *USED,
    expect=("ticket of cifs/fs1.ward.example encrypted with aes128-cts-hmac-sha1-96", "accepted"),
)
def kerberos_aes128(lab: Lab) -> None:
    with_keys(lab, AES128)


@scenario(
    "smb/kerberos_encrypted",
    "SMB 3.1.1, Kerberos, then everything encrypted with AES-256-GCM.",
    *USED,
    expect=(AES256, "accepted", "cipher 4"),
)
def kerberos_encrypted(lab: Lab) -> None:
    kerberos(lab, {"server smb encrypt": "required", "server smb3 encryption algorithms": "AES-256-GCM"})


@scenario("smb/kerberos_smb21", "SMB 2.1, Kerberos with AES256.", *USED, expect=(AES256, "accepted"))
def kerberos_smb21(lab: Lab) -> None:
    kerberos(lab, {"server max protocol": "SMB2_10"})


@scenario("smb/kerberos_smb1", "SMB 1, Kerberos with AES256.", *USED, expect=(AES256, "accepted"))
def kerberos_smb1(lab: Lab) -> None:
    old = {"min protocol": "NT1", "max protocol": "NT1"}
    kerberos(
        lab, {f"server {key}": value for key, value in old.items()}, {f"client {key}": v for key, v in old.items()}
    )


@scenario(
    "smb/kerberos_wrong_key",
    "The member server's password was changed behind its back: it cannot read the ticket.",
    *USED,
    expect=(AES256, "rejected: STATUS_LOGON_FAILURE"),
)
def kerberos_wrong_key(lab: Lab) -> None:
    with estate(lab) as (made, fs1, host):
        new_password(lab, made, "FS1$")
        have = ticket(lab, host, WORKSTATION, user(lab, made, "svc-dose"))
        with lab.capture(SMB_ONLY):
            denied(with_ticket(lab, have, fs1, "exit", ok=(1,)), LOGON_FAILURE)


@scenario(
    "smb/kerberos_wrong_clock",
    "A CT whose clock is an hour late shows a ticket: the server refuses it.",
    *USED,
    FAKETIME,
    expect=("ticket of cifs/fs1.ward.example", "rejected"),
)
def kerberos_wrong_clock(lab: Lab) -> None:
    with estate(lab, CT) as (made, fs1, host):
        have = ticket(lab, host, CT, user(lab, made, "svc-ct"))
        with_ticket(lab, have, fs1, "exit")
        preloaded = f"{have.env['LD_PRELOAD']} {library('faketime/libfaketime.so.1', 'faketime')}"
        late = Client(host, have.env | {"FAKETIME": "-60m", "LD_PRELOAD": preloaded}, have.ticket)
        with lab.capture(SMB_ONLY):
            denied(with_ticket(lab, late, fs1, "exit", ok=(1,)), "NT_STATUS")


@scenario(
    "smb/kerberos_share_refused",
    "Kerberos, but the account may not use the share.",
    *USED,
    expect=(AES256, "accepted", "tree connect refused: STATUS_ACCESS_DENIED"),
)
def kerberos_share_refused(lab: Lab) -> None:
    host = lab.host(WORKSTATION)
    with domain(lab, FILESERVER, WORKSTATION) as made:
        who = user(lab, made, "svc-dose")
        with member(lab, made, Share(settings={"valid users": "root"})) as fs1:
            have = ticket(lab, host, WORKSTATION, who)
            with lab.capture(SMB_ONLY):
                denied(with_ticket(lab, have, fs1, "exit", ok=(1,)), "NT_STATUS_ACCESS_DENIED")


@scenario(
    "smb/kerberos_controller",
    "A machine account reads its policies from the domain controller, with Kerberos.",
    *AT_DC,
    expect=("ticket of cifs/dc1.ward.example, aes256-cts-hmac-sha1-96", "share sysvol", "signing required"),
)
def kerberos_controller(lab: Lab) -> None:
    host = lab.host(CT)
    with domain(lab, CT) as made:
        have = ticket(lab, host, CT, computer(lab, made, CT))
        with lab.capture("tcp port 445"):
            with_ticket(lab, have, made.controller, "ls ward.example", "sysvol")


def by_ntlm(lab: Lab, who: Account, server: FileServer, host: Host, *options: str, status: str = "") -> None:
    """Record a logon with NTLM, the server called by its NetBIOS name."""
    get = fetch(lab, server)
    with lab.capture(SMB_ONLY):
        out = smbclient(lab, Station(host), server, who, get, *options, ok=(1,) if status else (0,))
    denied(out, status)


@scenario(
    "smb/ntlm_domain",
    "A domain account logs on by NTLM at a member server that offers Kerberos.",
    *USED,
    expect=("NTLM-002: svc-dose of WARD by NTLMv2, target cifs/FS1", "accepted"),
)
def ntlm_domain(lab: Lab) -> None:
    with estate(lab) as (made, fs1, host):
        by_ntlm(lab, user(lab, made, "svc-dose"), fs1, host)


@scenario(
    "smb/ntlm_domain_wrong_password",
    "A domain account with a wrong password, by NTLM at a member server.",
    *USED,
    expect=("svc-dose of WARD rejected: STATUS_LOGON_FAILURE",),
)
def ntlm_domain_wrong_password(lab: Lab) -> None:
    with estate(lab) as (made, fs1, host):
        right = user(lab, made, "svc-dose")
        wrong = Account(right.name, lab.canaries.token("wrong password", 14), right.domain)
        by_ntlm(lab, wrong, fs1, host, status=LOGON_FAILURE)


@scenario(
    "smb/ntlm_machine_account",
    "A machine account logs on by NTLM at a member server.",
    *USED,
    expect=("principal CT1$, realm WARD, a machine account", "accepted"),
)
def ntlm_machine_account(lab: Lab) -> None:
    with estate(lab, CT) as (made, fs1, host):
        by_ntlm(lab, computer(lab, made, CT), fs1, host)


@scenario(
    "smb/ntlm_principal_name",
    "A domain account logs on by NTLM under its user principal name.",
    *USED,
    expect=("principal svc-dose@WARD.EXAMPLE, no realm", "accepted"),
)
def ntlm_principal_name(lab: Lab) -> None:
    with estate(lab) as (made, fs1, host):
        who = user(lab, made, "svc-dose")
        by_ntlm(lab, Account(f"{who.name}@{REALM}", who.password), fs1, host, "--use-kerberos=off")


@scenario(
    "smb/kerberos_impacket",
    "impacket's client with Kerberos at a member server.",
    AD_DC,
    SAMBA,
    WINBIND,
    "impacket",
    expect=(AES256, "accepted"),
)
def kerberos_impacket(lab: Lab) -> None:
    with estate(lab) as (made, fs1, host):
        have = ticket(lab, host, WORKSTATION, user(lab, made, "svc-dose"))
        lab.run(host, ["kvno", f"cifs/fs1.{DOMAIN}"], env=have.env)
        os.environ["KRB5CCNAME"] = have.ticket.removeprefix("FILE:")
        with lab.capture(SMB_ONLY), host.inside():
            client = SMBConnection(f"fs1.{DOMAIN}", fs1.host.ip, "WS4", preferredDialect=SMB2_DIALECT_21)
            client.kerberosLogin("", "", REALM, kdcHost=made.controller.host.ip, useCache=True)
            client.logoff()
            client.close()


def by_smbprotocol(lab: Lab, name: str, protocol: str, *, rejected: bool = False) -> None:
    """Record a logon of smbprotocol with a ticket for a service's name, bare or inside SPNEGO."""
    with estate(lab) as (domain_made, fs1, host):
        have = ticket(lab, host, WORKSTATION, user(lab, domain_made, "svc-dose"))
        os.environ |= {key: have.env[key] for key in ("KRB5_CONFIG", "KRB5CCNAME")}
        with lab.capture(SMB_ONLY), connected(host, fs1) as connection, host.inside():
            made = Session(
                connection,
                None,
                None,
                require_encryption=False,
                auth_protocol=protocol,
                hostname_override=f"{name}.{DOMAIN}",
            )
            try:
                made.connect()
            except SMBException:
                if not rejected:
                    raise
                return
    if rejected:
        raise LabError(f"the ticket for {name} is taken")


@scenario(
    "smb/kerberos_smbprotocol",
    "smbprotocol with Kerberos inside SPNEGO.",
    AD_DC,
    SAMBA,
    WINBIND,
    MIT_KRB5,
    "smbprotocol",
    expect=(AES256, "accepted"),
)
def kerberos_smbprotocol(lab: Lab) -> None:
    by_smbprotocol(lab, "fs1", "negotiate")


@scenario(
    "smb/kerberos_bare",
    "smbprotocol with a Kerberos token that is not inside SPNEGO.",
    AD_DC,
    SAMBA,
    WINBIND,
    MIT_KRB5,
    "smbprotocol",
    expect=(AES256, "accepted"),
)
def kerberos_bare(lab: Lab) -> None:
    by_smbprotocol(lab, "fs1", "kerberos")


@scenario(
    "smb/kerberos_wrong_service",
    "A ticket for the domain controller, shown to the member server.",
    AD_DC,
    SAMBA,
    WINBIND,
    MIT_KRB5,
    "smbprotocol",
    expect=("ticket of cifs/dc1.ward.example shown to fs1", "rejected: STATUS_LOGON_FAILURE"),
)
def kerberos_wrong_service(lab: Lab) -> None:
    by_smbprotocol(lab, "dc1", "negotiate", rejected=True)
