"""A Samba domain of the scenario's own: its controller, its member server, and clients with Kerberos tickets.

The domain is provisioned into the scenario's folder before anything runs; accounts go straight into its database.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from _fleet import CONTROLLER, FILESERVER
from _net import wait_until_listening
from _samba import (
    DOMAIN,
    SHARE,
    SMB,
    WORKGROUP,
    Account,
    FileServer,
    Share,
    Station,
    library,
    made,
    names,
    nothing_left,
    sections,
    server_section,
    share_section,
    users,
)
from _software import debian

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _fleet import Machine
    from _lab import Lab
    from _net import Host

AD_DC = debian("Samba AD DC", "samba-ad-dc", "samba")
WINBIND = debian("winbind", "winbind", "winbindd")
MIT_KRB5 = debian("MIT Kerberos", "krb5-user", "kinit")
REALM = DOMAIN.upper()
LDAP = 389
SERVICES = "s3fs, rpc, ldap, cldap, kdc, winbindd"
TOOL = "/usr/bin/samba-tool"
KDC = 88
MEMBERSHIP = {
    "server role": "member server",
    "realm": REALM,
    "idmap config * : backend": "tdb",
    "idmap config * : range": "100000-199999",
    f"idmap config {WORKGROUP} : backend": "rid",
    f"idmap config {WORKGROUP} : range": "200000-299999",
    "kerberos method": "secrets and keytab",
    "password server": CONTROLLER.ip,
}


@dataclass(frozen=True)
class Domain:
    """A running domain: its controller as a file server, and what Kerberos clients need."""

    controller: FileServer
    administrator: Account
    krb5: Path

    @property
    def database(self) -> str:
        """Where the accounts are."""
        return str(self.controller.folder / "private" / "sam.ldb")


def tool(lab: Lab, domain: Domain, *what: str) -> None:
    """Run samba-tool on the domain's database."""
    lab.tool([TOOL, *what, "-H", domain.database, "-s", str(domain.controller.folder / "etc" / "smb.conf")])


def user(lab: Lab, domain: Domain, name: str) -> Account:
    """Make a domain account; its password and its owner's names are canaries."""
    who = Account(name, lab.canaries.token(f"password of {name}", 14), WORKGROUP)
    given, family = lab.canaries.token(f"given name of {name}"), lab.canaries.token(f"family name of {name}")
    tool(lab, domain, "user", "add", name, who.password, f"--given-name={given}", f"--surname={family}")
    return who


def computer(lab: Lab, domain: Domain, machine: Machine) -> Account:
    """Make a machine account and give it a password that is a canary."""
    who = Account(f"{machine.name.upper()}$", lab.canaries.token(f"password of {machine.name}$", 14), WORKGROUP)
    tool(lab, domain, "computer", "create", machine.name.upper())
    tool(lab, domain, "user", "setpassword", who.name, f"--newpassword={who.password}")
    return who


def new_password(lab: Lab, domain: Domain, name: str) -> None:
    """Change an account's password in the database, without telling its owner."""
    secret = lab.canaries.token(f"new password of {name}", 14)
    tool(lab, domain, "user", "setpassword", name, f"--newpassword={secret}")


def supported(lab: Lab, domain: Domain, server: FileServer, enctypes: int) -> None:
    """Say in the directory which keys a member server has (msDS-SupportedEncryptionTypes)."""
    command = ["net", "-s", str(server.folder / "smb.conf"), "ads", "enctypes", "set", f"{server.name}$", str(enctypes)]
    lab.run(server.host, [*command, "-U", domain.administrator.option], env=server.env)


def _krb5(folder: Path) -> Path:
    """Write a krb5.conf that names the KDC; nothing is looked up in the DNS."""
    settings = {
        "default_realm": REALM,
        "dns_lookup_kdc": "false",
        "dns_lookup_realm": "false",
        "rdns": "false",
        "dns_canonicalize_hostname": "false",
    }
    path = folder / "krb5.conf"
    path.write_text(
        sections({"libdefaults": settings})
        + f"[realms]\n  {REALM} = {{\n    kdc = {CONTROLLER.ip}\n  }}\n[domain_realm]\n  .{DOMAIN} = {REALM}\n"
    )
    return path


def _provision(lab: Lab, folder: Path, administrator: Account) -> None:
    bare = lab.workdir / "bare.conf"
    bare.write_text("[global]\n")
    lab.tool(
        [
            TOOL,
            "domain",
            "provision",
            f"--configfile={bare}",
            f"--targetdir={folder}",
            f"--realm={REALM}",
            f"--domain={WORKGROUP}",
            f"--host-name={CONTROLLER.name}",
            f"--host-ip={CONTROLLER.ip}",
            f"--adminpass={administrator.password}",
            "--dns-backend=NONE",
            "--server-role=dc",
        ]
    )


def _configure(folder: Path, share: Share | None) -> Path:
    """Complete the smb.conf that was provisioned: what runs, where its sockets are, and perhaps a share."""
    conf = folder / "etc" / "smb.conf"
    wanted = {
        "interfaces": "lo eth0",
        "bind interfaces only": "yes",
        "server services": SERVICES,
        "winbindd socket directory": folder / "winbindd",
        "pid directory": made(folder / "pid"),
        "ncalrpc dir": made(folder / "ncalrpc"),
        "log file": folder / "log.%m",
    }
    kept = "".join(f"{line}\n" for line in conf.read_text().splitlines() if "server services" not in line)
    kept = kept.replace("[global]\n", sections({"global": wanted}))
    conf.write_text(kept + (sections({share.name: share_section(folder, share)}) if share else ""))
    return conf


@contextlib.contextmanager
def domain(lab: Lab, *others: Machine, share: Share | None = None) -> Iterator[Domain]:
    """Run a domain controller during the block; ``others`` are machines that it knows by name."""
    lab.workdir.chmod(0o711)
    host, folder = lab.host(CONTROLLER), lab.workdir / "samba-dc"
    password = lab.canaries.plant(f"Aa1-{lab.canaries.token('administrator')}")
    administrator = Account("Administrator", password, WORKGROUP)
    _provision(lab, folder, administrator)
    env = names(folder, CONTROLLER, *others) | _winbind(lab, folder)
    here = Domain(FileServer(host, folder, env), administrator, _krb5(folder))
    tool(lab, here, "domain", "passwordsettings", "set", "--complexity=off")
    conf = _configure(folder, share)
    with nothing_left(host):
        server = ["samba", "-F", "--no-process-group", "-s", str(conf), "-l", str(folder)]
        lab.serve(host, server, LDAP, env=env | {"KRB5_CONFIG": str(here.krb5)})
        for port in (SMB, KDC):
            wait_until_listening(host, port, lab.servers[-1])
        yield here


def _winbind(lab: Lab, folder: Path) -> dict[str, str]:
    """Return the environment in which the domain's accounts are users of the system, asked at winbindd."""
    return users(lab, folder, ()) | {
        "SELFTEST_WINBINDD_SOCKET_DIR": str(folder / "winbindd"),
        "NSS_WRAPPER_MODULE_SO_PATH": library("libnss_winbind.so.2", "libnss-winbind"),
        "NSS_WRAPPER_MODULE_FN_PREFIX": "winbind",
    }


def _join(lab: Lab, of: Domain, host: Host, conf: Path, env: dict[str, str]) -> None:
    command = ["net", "-s", str(conf), "ads", "join", "-S", f"{CONTROLLER.name}.{DOMAIN}", "--no-dns-updates"]
    lab.run(host, [*command, "-U", of.administrator.option], env=env)


@contextlib.contextmanager
def member(lab: Lab, of: Domain, share: Share, **settings: str) -> Iterator[FileServer]:
    """Run a file server that is a member of the domain during the block; ``settings`` are smb.conf's global ones."""
    host, folder = lab.host(FILESERVER), lab.folder("samba-member")
    env = names(folder, FILESERVER, CONTROLLER) | _winbind(lab, folder) | {"KRB5_CONFIG": str(of.krb5)}
    places = {
        "winbindd socket directory": folder / "winbindd",
        "dedicated keytab file": f"FILE:{folder / 'krb5.keytab'}",
    }
    own = server_section(FILESERVER, folder, MEMBERSHIP | places | settings)
    conf = folder / "smb.conf"
    conf.write_text(sections({"global": own, share.name: share_section(folder, share)}))
    _join(lab, of, host, conf, env)
    with nothing_left(host):
        lab.run(host, ["winbindd", "-D", "-s", str(conf), "-l", str(folder)], env=env)
        lab.serve(host, ["smbd", "-F", "--no-process-group", "-s", str(conf), "-l", str(folder)], SMB, env=env)
        yield FileServer(host, folder, env)


@dataclass(frozen=True)
class Client:
    """A machine whose user has a ticket, and the environment that its programs find it in."""

    host: Host
    env: dict[str, str]
    ticket: str

    @property
    def options(self) -> list[str]:
        """What makes smbclient use the ticket."""
        return ["--use-kerberos=required", f"--use-krb5-ccache={self.ticket}"]


def ticket(lab: Lab, host: Host, machine: Machine, who: Account) -> Client:
    """Get a ticket-granting ticket for an account on a machine. Raises LabError when the KDC refuses."""
    folder = lab.folder(f"client-of-dc-{machine.name}")
    cache = f"FILE:{folder / 'tickets'}"
    env = names(folder, machine, CONTROLLER, FILESERVER)
    env |= {"KRB5_CONFIG": str(_krb5(folder)), "KRB5CCNAME": cache}
    lab.run(host, ["kinit", f"{who.name}@{REALM}"], f"{who.password}\n".encode(), env=env)
    return Client(host, env, cache)


def with_ticket(
    lab: Lab,
    client: Client,
    server: FileServer,
    commands: str,
    share: str = SHARE,
    settings: dict[str, str] | None = None,
    *,
    ok: tuple[int, ...] = (0,),
) -> bytes:
    """Run smbclient with the client's ticket; the server is called by its name in the DNS."""
    begin = Station(client.host, settings or {}).command(lab)
    where = f"//{server.host.name}.{DOMAIN}/{share}"
    return lab.run(client.host, [*begin, where, *client.options, "-c", commands], ok=ok, env=client.env)
