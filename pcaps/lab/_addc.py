"""A Samba domain of the scenario's own: its controller, its member servers, and clients with Kerberos tickets.

The domain is provisioned into the scenario's folder before anything runs; accounts go straight into its database. What
it is called, and which machine controls it, is a ``Realm``: scenarios use ``WARD``, where everybody knows the others by
a hosts file; a domain with a name server of its own is asked for its names.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
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
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from _fleet import Machine
    from _lab import Lab
    from _net import Host

AD_DC = debian("Samba AD DC", "samba-ad-dc", "samba")
AD_PROVISION = debian("Samba AD provision", "samba-ad-provision", "/usr/share/samba/setup/provision.ldif")
NSS_WINBIND = debian("NSS by winbind", "libnss-winbind", "/usr/lib/x86_64-linux-gnu/libnss_winbind.so.2")
WINBIND = debian("winbind", "winbind", "winbindd")
MIT_KRB5 = debian("MIT Kerberos", "krb5-user", "kinit")
REALM = DOMAIN.upper()
LDAP = 389
DNS = 53
SERVICES = "s3fs, rpc, ldap, cldap, kdc, winbindd"
ARCFOUR = {"permitted_enctypes": "arcfour-hmac-md5", "allow_weak_crypto": "true", "allow_rc4": "true"}
TOOL = "/usr/bin/samba-tool"
KDC = 88


@dataclass(frozen=True)
class Realm:
    """What a domain is called, which machine controls it, and whether that machine answers for its names (DNS)."""

    dns: str = DOMAIN
    workgroup: str = WORKGROUP
    controller: Machine = CONTROLLER
    answers_dns: bool = False

    @property
    def kerberos(self) -> str:
        """Its name in Kerberos."""
        return self.dns.upper()

    @property
    def membership(self) -> dict[str, object]:
        """What the smb.conf of a member says of it."""
        return {
            "workgroup": self.workgroup,
            "server role": "member server",
            "realm": self.kerberos,
            "idmap config * : backend": "tdb",
            "idmap config * : range": "100000-199999",
            f"idmap config {self.workgroup} : backend": "rid",
            f"idmap config {self.workgroup} : range": "200000-299999",
            "kerberos method": "secrets and keytab",
            "password server": self.controller.ip,
        }


WARD = Realm()


@dataclass(frozen=True)
class Domain:
    """A running domain: its controller as a file server, and what Kerberos clients need."""

    controller: FileServer
    administrator: Account
    krb5: Path
    realm: Realm = WARD

    @property
    def database(self) -> str:
        """Where the accounts are."""
        return str(self.controller.folder / "private" / "sam.ldb")


def tool(lab: Lab, domain: Domain, *what: str) -> None:
    """Run samba-tool on the domain's database."""
    lab.tool([TOOL, *what, "-H", domain.database, "-s", str(domain.controller.folder / "etc" / "smb.conf")])


def user(lab: Lab, domain: Domain, name: str) -> Account:
    """Make a domain account; its password and its owner's names are canaries."""
    who = Account(name, lab.canaries.token(f"password of {name}", 14), domain.realm.workgroup)
    given, family = lab.canaries.token(f"given name of {name}"), lab.canaries.token(f"family name of {name}")
    names_of = [f"--given-name={given}", f"--surname={family}", "--use-username-as-cn"]
    tool(lab, domain, "user", "add", name, who.password, *names_of)
    return who


def computer(lab: Lab, domain: Domain, machine: Machine) -> Account:
    """Make a machine account and give it a password that is a canary."""
    secret = lab.canaries.token(f"password of {machine.name}$", 14)
    who = Account(f"{machine.name.upper()}$", secret, domain.realm.workgroup)
    tool(lab, domain, "computer", "create", machine.name.upper())
    tool(lab, domain, "user", "setpassword", who.name, f"--newpassword={who.password}")
    return who


def new_password(lab: Lab, domain: Domain, name: str) -> Account:
    """Change an account's password in the database, without telling its owner; return it as it is now."""
    secret = lab.canaries.token(f"new password of {name}", 14)
    tool(lab, domain, "user", "setpassword", name, f"--newpassword={secret}")
    return Account(name, secret, domain.realm.workgroup)


def supported(lab: Lab, domain: Domain, server: FileServer, enctypes: int) -> None:
    """Say in the directory which keys a member server has (msDS-SupportedEncryptionTypes)."""
    command = ["net", "-s", str(server.folder / "smb.conf"), "ads", "enctypes", "set", f"{server.name}$", str(enctypes)]
    lab.run(server.host, [*command, "-U", domain.administrator.option], env=server.env)


def krb5_conf(folder: Path, realm: Realm, more: Mapping[str, str] | None = None) -> Path:
    """Write a krb5.conf. The KDC is named in it, unless the domain's name server can be asked for it."""
    settings = {
        "default_realm": realm.kerberos,
        "dns_lookup_kdc": str(realm.answers_dns).lower(),
        "dns_lookup_realm": "false",
        "dns_uri_lookup": "false",
        "rdns": "false",
        "dns_canonicalize_hostname": "false",
        **(more or {}),
    }
    named = "master_kdc" if realm.answers_dns else "kdc"
    servers = f"[realms]\n  {realm.kerberos} = {{\n    {named} = {realm.controller.ip}\n  }}\n"
    path = folder / "krb5.conf"
    names_of = f"[domain_realm]\n  .{realm.dns} = {realm.kerberos}\n"
    path.write_text(sections({"libdefaults": settings}) + servers + names_of)
    return path


def _provision(lab: Lab, host: Host, folder: Path, realm: Realm, administrator: Account) -> None:
    bare = lab.workdir / "bare.conf"
    bare.write_text("[global]\n")
    lab.run(
        host,
        [
            TOOL,
            "domain",
            "provision",
            f"--configfile={bare}",
            f"--targetdir={folder}",
            f"--realm={realm.kerberos}",
            f"--domain={realm.workgroup}",
            f"--host-name={realm.controller.name}",
            f"--host-ip={realm.controller.ip}",
            f"--adminpass={administrator.password}",
            f"--dns-backend={'SAMBA_INTERNAL' if realm.answers_dns else 'NONE'}",
            "--server-role=dc",
        ],
    )


def _configure(folder: Path, realm: Realm, share: Share | None, settings: Mapping[str, object]) -> Path:
    """Complete the smb.conf that was provisioned: what runs, where its sockets are, and perhaps a share."""
    conf = folder / "etc" / "smb.conf"
    wanted = {
        "interfaces": "lo eth0",
        "bind interfaces only": "yes",
        "server services": SERVICES + (", dns" if realm.answers_dns else ""),
        "winbindd socket directory": folder / "winbindd",
        "pid directory": made(folder / "pid"),
        "ncalrpc dir": made(folder / "ncalrpc"),
        "log file": folder / "log.%m",
        **settings,
    }
    ours = ("server services", "dns forwarder")
    lines = [line for line in conf.read_text().splitlines() if not line.strip().startswith(ours)]
    kept = "".join(f"{line}\n" for line in lines).replace("[global]\n", sections({"global": wanted}))
    conf.write_text(kept + (sections({share.name: share_section(folder, share)}) if share else ""))
    return conf


@contextlib.contextmanager
def domain(
    lab: Lab,
    *others: Machine,
    share: Share | None = None,
    realm: Realm = WARD,
    settings: Mapping[str, object] | None = None,
) -> Iterator[Domain]:
    """Run a domain controller during the block; ``others`` are machines that it knows by name.

    ``settings`` are smb.conf's global ones.
    """
    lab.workdir.chmod(0o711)
    host, folder = lab.host(realm.controller), lab.workdir / "samba-dc"
    password = lab.canaries.plant(f"Aa1-{lab.canaries.token('administrator')}")
    administrator = Account("Administrator", password, realm.workgroup)
    _provision(lab, host, folder, realm, administrator)
    env = names(folder, realm.controller, *others, domain=realm.dns) | _winbind(lab, folder)
    here = Domain(FileServer(host, folder, env), administrator, krb5_conf(folder, realm), realm)
    tool(lab, here, "domain", "passwordsettings", "set", "--complexity=off")
    conf = _configure(folder, realm, share, settings or {})
    with nothing_left(host):
        server = ["samba", "-F", "--no-process-group", "-s", str(conf), "-l", str(folder)]
        lab.serve(host, server, LDAP, env=env | {"KRB5_CONFIG": str(here.krb5)})
        for port in (SMB, KDC, *([DNS] if realm.answers_dns else [])):
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
    command = ["net", "-s", str(conf), "ads", "join", "-S", f"{of.realm.controller.name}.{of.realm.dns}"]
    alone = [] if of.realm.answers_dns else ["--no-dns-updates"]
    lab.run(host, [*command, *alone, "-U", of.administrator.option], env=env)


@contextlib.contextmanager
def member(
    lab: Lab, of: Domain, *shares: Share, machine: Machine = FILESERVER, **settings: str
) -> Iterator[FileServer]:
    """Run a file server that is a member of the domain during the block; ``settings`` are smb.conf's global ones."""
    host, folder = lab.host(machine), lab.folder(f"samba-member-{machine.name}")
    env = names(folder, machine, of.realm.controller, domain=of.realm.dns)
    env |= _winbind(lab, folder) | {"KRB5_CONFIG": str(of.krb5)}
    places = {
        "winbindd socket directory": folder / "winbindd",
        "dedicated keytab file": f"FILE:{folder / 'krb5.keytab'}",
    }
    own = server_section(machine, folder, of.realm.membership | places | settings)
    conf = folder / "smb.conf"
    conf.write_text(sections({"global": own} | {share.name: share_section(folder, share) for share in shares}))
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
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> list[str]:
        """What makes smbclient use the ticket."""
        return ["--use-kerberos=required", f"--use-krb5-ccache={self.ticket}"]


def ticket(lab: Lab, host: Host, machine: Machine, who: Account) -> Client:
    """Get a ticket-granting ticket for an account on a machine. Raises LabError when the KDC refuses."""
    folder = lab.folder(f"client-of-dc-{machine.name}")
    env = names(folder, machine, CONTROLLER, FILESERVER) | {"KRB5_CONFIG": str(krb5_conf(folder, WARD))}
    return asked(lab, host, who, env, folder / "tickets")


def asked(lab: Lab, host: Host, who: Account, env: dict[str, str], cache: Path, realm: Realm = WARD) -> Client:
    """Ask the KDC for an account's ticket into a cache. Raises LabError when it refuses."""
    env |= {"KRB5CCNAME": f"FILE:{cache}"}
    lab.run(host, ["kinit", f"{who.name}@{realm.kerberos}"], f"{who.password}\n".encode(), env=env)
    return Client(host, env, f"FILE:{cache}", {"workgroup": realm.workgroup})


def with_ticket(
    lab: Lab,
    client: Client,
    server: FileServer,
    commands: str,
    share: str = SHARE,
    settings: dict[str, str] | None = None,
    *,
    realm: Realm = WARD,
    ok: tuple[int, ...] = (0,),
) -> bytes:
    """Run smbclient with the client's ticket; the server is called by its name in the DNS."""
    begin = Station(client.host, {**client.settings, **(settings or {})}).command(lab)
    where = f"//{server.host.name}.{realm.dns}/{share}"
    return lab.run(client.host, [*begin, where, *client.options, "-c", commands], ok=ok, env=client.env)
