"""The Samba domain: its controller and its file server, Kerberos with AES and with RC4, guesses, a cloned machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _addc import AD_DC, AD_PROVISION, ARCFOUR, MIT_KRB5, NSS_WINBIND, TOOL, WINBIND, domain, member, with_ticket
from _directory import (
    AD,
    BASE,
    CONTROLLER,
    Certificates,
    Directory,
    FileServers,
    account,
    fortnightly,
    kerberos,
    log_on,
    machine_account,
    open_share,
)
from _fleet import Machine
from _ldap import LDAP_UTILS
from _pki import Pki
from _samba import NSS_WRAPPER, SAMBA, SMBCLIENT, Account, Share, denied
from _story import EPOCH, opening, scene
from _truth import device, identity, must, must_not

if TYPE_CHECKING:
    from _addc import Domain
    from _story import Hospital

SAMBA_OS = "Unix-like (Samba)"
OFFICE_SHARE, DOSE_SHARE = "office", "dose"
RC4 = "4"  # of msDS-SupportedEncryptionTypes (MS-KILE 2.2.7)
HTTP_LABWEB = f"HTTP/labweb.{AD.dns}"
CIFS_FS1, CIFS_DC1 = f"cifs/fs1.{AD.dns}", f"cifs/dc1.{AD.dns}"
PEOPLE = "erika.invented"
TRIED = ("administrator", "backup", "service", "svc-artis", "svc-holter", "svc-labmw", "scanner")

DC1 = device(CONTROLLER, device_type="domain controller", role="domain controller")
FS1 = device(
    Machine("fs1", "00:50:56:33:01:02", "10.21.1.2"), device_type="file server", role="file server", os=SAMBA_OS
)
PC_ADM1 = device(Machine("pc-adm1", "8c:ec:4b:33:05:30", "10.21.5.30"), device_type="workstation")
PC_ADM2 = device(Machine("pc-adm2", "8c:ec:4b:33:05:31", "10.21.5.31"), device_type="workstation")
KIOSK = device(Machine("kiosk1", "8c:ec:4b:33:05:32", "10.21.5.32"), device_type="workstation")
OR2 = device(Machine("ws-or2", "3c:52:82:33:05:33", "10.21.5.33"), device_type="workstation")
OR3 = device(Machine("ws-or3", "3c:52:82:33:05:34", "10.21.5.34"), device_type="workstation")
LABMW = device(Machine("labmw", "00:21:5a:33:04:83", "10.21.4.131"), device_type="server", role="laboratory middleware")
PORTAL = device(
    Machine("intranet1", "00:50:56:33:01:56", "10.21.1.56"), device_type="server", role="application server"
)


@opening(AD_DC, AD_PROVISION, NSS_WRAPPER, NSS_WINBIND, "OpenSSL", LDAP_UTILS, order=10)
def directory(hospital: Hospital) -> None:
    """Provision the domain with its service accounts and members; LDAP is served in clear and over TLS."""
    pki = Pki(hospital, "pki-domain")
    pki.now = EPOCH
    root = pki.root()
    own = pki.server(f"dc1.{AD.dns}", root)
    own.key.chmod(0o600)
    settings = {
        "ldap server require strong auth": "no",  # old devices send their password in clear
        "old password allowed period": "0",  # in minutes; a day of the story is seconds here
        "tls keyfile": own.key,
        "tls certfile": own.cert,
        "tls cafile": root.cert,
    }
    made = Directory(hospital.open.enter_context(domain(hospital, realm=AD, settings=settings)))
    hospital.share(made)
    hospital.share(Certificates(pki, root))
    for name in ("svc-artis", "svc-holter", "svc-labmw", "svc-labweb", "svc-portal", "kiosk", PEOPLE):
        made.add(hospital, name)
    for machine in (PC_ADM1, PC_ADM2, OR2, OR3):
        made.join(hospital, machine)
    for service, name in ((HTTP_LABWEB, "svc-labweb"), (f"ldap/dc1.{AD.dns}", "DC1$")):
        hospital.tool([TOOL, "spn", "add", service, name, "-H", made.domain.database])
    _set(hospital, made.domain, "svc-labweb", "msDS-SupportedEncryptionTypes", RC4)


def _set(hospital: Hospital, of: Domain, name: str, attribute: str, value: str) -> None:
    """Set what samba-tool cannot, by LDAP on the controller itself."""
    ldif = f"dn: CN={name},CN=Users,{BASE}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"
    bind = ["-x", "-H", "ldap://127.0.0.1", "-D", f"Administrator@{AD.dns}", "-w", of.administrator.password]
    hospital.run(of.controller.host, ["ldapmodify", *bind], ldif.encode())


@opening(SAMBA, WINBIND, order=12)
def member_server(hospital: Hospital) -> None:
    """Start the domain's file server: SMB 3 alone, signed and encrypted."""
    settings = {"server min protocol": "SMB3", "server signing": "mandatory", "server smb encrypt": "required"}
    of = hospital.find(Directory).domain
    shares = (Share(OFFICE_SHARE), Share(DOSE_SHARE))
    hospital.share(FileServers(hospital.open.enter_context(member(hospital, of, *shares, machine=FS1, **settings))))


@scene(
    "two PCs of the office start and open a share, with Kerberos, AES and SMB 3 encrypted",
    MIT_KRB5,
    SMBCLIENT,
    days=[0],
    again=range(26, 120, 28),
    at="07:05",
)
def office_starts(hospital: Hospital) -> None:
    for machine in (PC_ADM1, PC_ADM2):
        client = log_on(hospital, hospital.host(machine), machine_account(hospital, machine))
        with_ticket(hospital, client, hospital.find(FileServers).member, "exit", OFFICE_SHARE, realm=AD)


@scene("a PC reads the policies of the domain", MIT_KRB5, SMBCLIENT, days=[0], again=[56, 112], at="07:20")
def policies(hospital: Hospital) -> None:
    client = log_on(hospital, hospital.host(PC_ADM1), machine_account(hospital, PC_ADM1))
    controller = hospital.find(Directory).domain.controller
    with_ticket(hospital, client, controller, f"ls {AD.dns}", "sysvol", realm=AD)


@scene("a person logs on at a PC of the office", MIT_KRB5, days=[0], again=fortnightly(5), at="07:40")
def person_logs_on(hospital: Hospital) -> None:
    log_on(hospital, hospital.host(PC_ADM2), account(hospital, PEOPLE))


identity(
    "service-principal",
    CIFS_FS1,
    "smb",
    ("fs1",),
    peers=("pc-adm1", "pc-adm2", "labmw", "cow1", "cow2"),
    realm=AD.kerberos,
)
identity("service-principal", CIFS_DC1, "smb", ("dc1",), peers=("pc-adm1",), realm=AD.kerberos)
identity("account", "PC-ADM1$", "kerberos", ("pc-adm1",), peers=("dc1",), realm=AD.kerberos)
identity("account", "PC-ADM2$", "kerberos", ("pc-adm2",), peers=("dc1",), realm=AD.kerberos)
identity("account", PEOPLE, "kerberos", ("pc-adm2",), peers=("dc1",), realm=AD.kerberos, belongs_to="human")
must_not("SMB-001", "it speaks SMB 3 alone", device="fs1")
must_not("SMB-002", "it insists on signatures", device="fs1")
must_not("SMB-002", "controllers insist on signatures", device="dc1")
must_not("NTLM-002", "it uses Kerberos", device="pc-adm1")
must_not("KRB-001", "its tickets and theirs are AES", device="pc-adm1")
must_not("ID-008", "its Kerberos tickets are an authentication", device="pc-adm1")
must_not("ID-008", "its Kerberos tickets are an authentication", device="pc-adm2")


@scene(
    "the laboratory's middleware knows RC4 only: its tickets, and what it proves with them",
    MIT_KRB5,
    SMBCLIENT,
    days=[6],
    again=range(34, 120, 28),
    at="05:30",
)
def old_kerberos(hospital: Hospital) -> None:
    old = {**ARCFOUR, "udp_preference_limit": "1465"}
    client = log_on(hospital, hospital.host(LABMW), account(hospital, "svc-labmw"), old)
    hospital.run(client.host, ["kvno", CIFS_FS1], env=client.env)
    with_ticket(hospital, client, hospital.find(FileServers).member, "exit", OFFICE_SHARE, realm=AD)


@scene(
    "a PC gets a ticket for the laboratory's web page, whose account has RC4 keys only", MIT_KRB5, days=[6], at="09:12"
)
def old_service(hospital: Hospital) -> None:
    client = log_on(hospital, hospital.host(PC_ADM1), machine_account(hospital, PC_ADM1))
    hospital.run(client.host, ["kvno", HTTP_LABWEB], env=client.env)


identity("account", "svc-labmw", "kerberos", ("labmw",), peers=("dc1",), realm=AD.kerberos)
must("KRB-001", "smb", device="labmw", first_day=6, why="its authenticators and session keys are RC4")
identity("service-principal", HTTP_LABWEB, "kerberos", (), peers=("pc-adm1",), realm=AD.kerberos)
must("KRB-001", "kerberos", identity=HTTP_LABWEB, first_day=6, why="tickets of this service are RC4")
must("KRB-005", "kerberos", identity=HTTP_LABWEB, first_day=6, why="an account's password can be guessed from a ticket")


@scene(
    "a computer of the operating theatre logs on with its machine account, by NTLM",
    SMBCLIENT,
    days=[0],
    again=fortnightly(0),
    at="06:50",
)
def theatre_logs_on(hospital: Hospital) -> None:
    _as_machine(hospital, OR2, OR2)


@scene(
    "a computer set up from an image of the other one bears its name and its account",
    SMBCLIENT,
    days=[70],
    again=[71],
    at="14:20",
)
def theatre_cloned(hospital: Hospital) -> None:
    _as_machine(hospital, OR3, OR2)


@scene(
    "the cloned computer has got a name and an account of its own",
    SMBCLIENT,
    days=[77],
    again=fortnightly(84),
    at="06:55",
)
def theatre_mended(hospital: Hospital) -> None:
    _as_machine(hospital, OR3, OR3)


def _as_machine(hospital: Hospital, machine: Machine, called: Machine) -> None:
    """Log on from a machine under a name and its account."""
    who, at = machine_account(hospital, called), hospital.find(FileServers).member
    open_share(hospital, hospital.host(machine), at, who, OFFICE_SHARE, settings={"netbios name": called.name.upper()})


TWICE = "two machines log on as one"
BY_NTLM = "Kerberos is used at this server"
identity("account", "WS-OR2$", "smb", ("ws-or2", "ws-or3"), peers=("fs1",), realm=AD.workgroup)
identity("account", "WS-OR3$", "smb", ("ws-or3",), peers=("fs1",), realm=AD.workgroup)
must("ID-012", "smb", identity="WS-OR2$", first_day=70, resolved_day=84, why=TWICE)
must("ID-009", "smb", device="ws-or3", first_day=70, resolved_day=77, why="both say that they are WS-OR2")
must("NTLM-002", "smb", device="ws-or2", identity="WS-OR2$", why=BY_NTLM)
must("NTLM-002", "smb", device="ws-or3", identity="WS-OR2$", first_day=70, resolved_day=77, why=BY_NTLM)
must("NTLM-002", "smb", device="ws-or3", identity="WS-OR3$", first_day=77, why=BY_NTLM)


@scene("the kiosk logs on with its account, by NTLM", SMBCLIENT, days=[2], again=fortnightly(16), at="08:30")
def kiosk_logs_on(hospital: Hospital) -> None:
    at = hospital.find(FileServers).member
    open_share(hospital, hospital.host(KIOSK), at, account(hospital, "kiosk"), OFFICE_SHARE)


@scene(
    "somebody at the kiosk tries accounts, on a Saturday night: by NTLM and by Kerberos",
    MIT_KRB5,
    SMBCLIENT,
    days=[52],
    at="23:14",
)
def guesses(hospital: Hospital) -> None:
    at, host = hospital.find(FileServers).member, hospital.host(KIOSK)
    for name in TRIED:
        who = Account(name, hospital.canaries.token(f"guess at {name}", 14), AD.workgroup)
        denied(open_share(hospital, host, at, who, OFFICE_SHARE, ok=(1,)), "NT_STATUS_LOGON_FAILURE")
    for name in TRIED[-3:]:
        secret = hospital.canaries.token(f"guess at {name}", 14)
        hospital.run(
            host, ["kinit", f"{name}@{AD.kerberos}"], f"{secret}\n".encode(), ok=(1,), env=kerberos(hospital, host)
        )


identity("account", "kiosk", "smb", ("kiosk1",), peers=("fs1",), realm=AD.workgroup)
must("NTLM-002", "smb", device="kiosk1", identity="kiosk", first_day=2, why=BY_NTLM)
must("SMB-008", "smb", device="kiosk1", first_day=52, resolved_day=58, why="seven accounts are refused in a minute")
must_not("SMB-006", "each account is tried once", device="kiosk1")
