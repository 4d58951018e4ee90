"""Samba on the lab's machines: file servers, each configured for one scenario, and smbclient.

A server keeps all its state in the scenario's folder. Its accounts and its name exist for it alone: nss_wrapper shows
it users and hosts of its own, the machine that the lab runs on gets no new users.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from _net import LabError
from _software import debian

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from _fleet import Machine
    from _lab import Lab
    from _net import Host

SAMBA = debian("Samba", "samba", "smbd")
SMBCLIENT = debian("smbclient", "smbclient", "smbclient")
NSS_WRAPPER = debian("nss_wrapper", "libnss-wrapper", "/usr/lib/x86_64-linux-gnu/libnss_wrapper.so")
SMB = 445
NETBIOS_SESSION = 139
WORKGROUP = "WARD"
DOMAIN = "ward.example"
SHARE = "dosereports"
FIRST_UID = 21001


@dataclass(frozen=True)
class FileServer:
    """A running smbd: where it is, where its files are, and the environment its tools need."""

    host: Host
    folder: Path
    env: dict[str, str]

    @property
    def name(self) -> str:
        """Its NetBIOS name."""
        return self.host.name.upper()


@dataclass(frozen=True)
class Account:
    """Who logs on: as the client says it."""

    name: str
    password: str
    domain: str = ""

    @property
    def option(self) -> str:
        """As smbclient takes it after ``-U``."""
        return f"{self.domain}\\{self.name}%{self.password}" if self.domain else f"{self.name}%{self.password}"


@dataclass(frozen=True)
class Share:
    """A share: its folder is made, and the settings that are not the usual ones."""

    name: str = SHARE
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """How both sides of a scenario are set up, and the status that is meant to end it; empty when it works."""

    server: dict[str, str] = field(default_factory=dict)
    client: dict[str, str] = field(default_factory=dict)
    port: int = SMB
    share: Share = field(default_factory=Share)
    denied: str = ""


def account(lab: Lab, name: str, domain: str = "", length: int = 14) -> Account:
    """Return an account with a canary for its password, the same each time in one scenario."""
    return Account(name, lab.canaries.token(f"password of {domain}{name}", length), domain)


def patient_file(lab: Lab, folder: Path, size: int = 0) -> str:
    """Put a file into a folder whose name and content are canaries, and return its name."""
    name = f"{lab.canaries.token('patient in a file name')}_INVENTED.txt"
    text = f"{lab.canaries.token('patient in a file')}\n".encode()
    (folder / name).write_bytes(text * max(1, size // len(text)))
    (folder / name).chmod(0o666)
    return name


def sections(parts: Mapping[str, Mapping[str, object]]) -> str:
    """Return the text of an smb.conf."""
    lines = []
    for section, settings in parts.items():
        lines += [f"[{section}]", *(f"  {key} = {value}" for key, value in settings.items())]
    return "\n".join(lines) + "\n"


def _directories(folder: Path) -> dict[str, object]:
    kinds = ("private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir")
    return {kind: made(folder / kind.split()[0]) for kind in kinds}


def library(name: str, package: str) -> str:
    """Return where a shared library is. Raises LabError, with the Debian package that has it, when it is not here."""
    found = next(Path("/usr/lib").glob(f"*/{name}"), None)
    if not found:
        raise LabError(f"there is no {name}: apt-get install {package}")
    return str(found)


def made(folder: Path) -> Path:
    """Make a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def users(lab: Lab, folder: Path, accounts: tuple[Account, ...]) -> dict[str, str]:
    """Return the environment in which these are the users of the system, besides its own."""
    hashed = [lab.tool(["openssl", "passwd", "-6", a.password]).decode().strip() for a in accounts]
    rows = [
        f"{a.name}:{proof}:{FIRST_UID + n}:{FIRST_UID}::/nonexistent:/bin/false"
        for n, (a, proof) in enumerate(zip(accounts, hashed, strict=True))
    ]
    (folder / "passwd").write_text(Path("/etc/passwd").read_text() + "".join(f"{row}\n" for row in rows))
    (folder / "group").write_text(Path("/etc/group").read_text() + f"lab:x:{FIRST_UID}:\n")
    return {"NSS_WRAPPER_PASSWD": str(folder / "passwd"), "NSS_WRAPPER_GROUP": str(folder / "group")}


def names(folder: Path, machine: Machine, *others: Machine, domain: str = DOMAIN) -> dict[str, str]:
    """Return the environment in which a program believes to run on a machine and knows others by name."""
    known = [f"{m.ip} {m.name}.{domain} {m.name}\n" for m in (machine, *others)]
    (folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(known))
    return {
        "LD_PRELOAD": library("libnss_wrapper.so", "libnss-wrapper"),
        "NSS_WRAPPER_HOSTS": str(folder / "hosts"),
        "NSS_WRAPPER_HOSTNAME": f"{machine.name}.{domain}",
    }


def server_section(machine: Machine, folder: Path, settings: Mapping[str, object]) -> dict[str, object]:
    """Return the global section of a server's smb.conf."""
    return {
        "netbios name": machine.name,
        "workgroup": WORKGROUP,
        "server string": machine.name,
        "server role": "standalone server",
        "interfaces": "lo eth0",
        "bind interfaces only": "yes",
        "log file": folder / "log.%m",
        "load printers": "no",
        "printcap name": "/dev/null",
        "disable spoolss": "yes",
        **_directories(folder),
        **settings,
    }


def share_section(folder: Path, share: Share) -> dict[str, object]:
    """Make a share's folder and return its section of smb.conf."""
    path = made(folder / "share" / share.name)
    path.chmod(0o777)  # smbd acts as the account that logged on
    return {"path": path, "read only": "no", **share.settings}


@contextlib.contextmanager
def smbd(
    lab: Lab,
    machine: Machine,
    accounts: tuple[Account, ...] = (),
    shares: tuple[Share, ...] = (Share(),),
    port: int = SMB,
    settings: Mapping[str, object] | None = None,
    host: Host | None = None,
    domain: str = DOMAIN,
) -> Iterator[FileServer]:
    """Run a stand-alone file server during the block; ``settings`` are smb.conf's global ones."""
    host, folder = host or lab.host(machine), lab.folder(f"samba-{machine.name}")
    lab.workdir.chmod(0o711)
    env = users(lab, folder, accounts) | names(folder, machine, domain=domain)
    conf = folder / "smb.conf"
    parts = {"global": server_section(machine, folder, {"smb ports": port, **(settings or {})})}
    parts |= {share.name: share_section(folder, share) for share in shares}
    conf.write_text(sections(parts))
    server = FileServer(host, folder, env)
    for who in accounts:
        add(lab, server, who)
    with nothing_left(host):
        lab.serve(host, ["smbd", "-F", "--no-process-group", "-s", str(conf), "-l", str(folder)], port, env=env)
        yield server


def add(lab: Lab, server: FileServer, who: Account) -> None:
    """Put an account into a server's own database."""
    command = ["smbpasswd", "-c", str(server.folder / "smb.conf"), "-L", "-s", "-a", who.name]
    lab.run(server.host, command, f"{who.password}\n{who.password}\n".encode(), env=server.env)


def signalled(host: Host, number: signal.Signals) -> None:
    """Send a signal to all that runs in a host's namespace, but not to the lab itself, which may be inside."""
    listed = subprocess.run(["ip", "netns", "pids", host.namespace], capture_output=True, text=True, check=True)
    for pid in map(int, listed.stdout.split()):
        if pid != os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


@contextlib.contextmanager
def nothing_left(host: Host) -> Iterator[None]:
    """End, after the block, what runs in a host's namespace: a server's helpers have sessions of their own."""
    try:
        yield
    finally:
        signalled(host, signal.SIGKILL)


@dataclass(frozen=True)
class Station:
    """A machine that smbclient runs on, and how it is set up."""

    host: Host
    settings: Mapping[str, str] = field(default_factory=dict)

    def command(self, lab: Lab) -> list[str]:
        """Return the beginning of smbclient's command line, with a configuration written for it."""
        made_up = {"netbios name": self.host.name.upper(), "workgroup": WORKGROUP, **self.settings}
        folder = lab.workdir / f"client-{self.host.name}"
        if folder.exists():
            shutil.rmtree(folder)
        made(folder)
        made_up |= {kind: made(folder / "state") for kind in _directories(folder)}
        (folder / "smb.conf").write_text(sections({"global": made_up}))
        return ["smbclient", "-s", str(folder / "smb.conf")]


def smbclient(
    lab: Lab,
    station: Station,
    server: FileServer,
    who: Account | None,
    commands: str = "",
    *options: str,
    share: str = SHARE,
    ok: tuple[int, ...] = (0,),
) -> bytes:
    """Run smbclient to its end, with no account as anonymous; return what it printed. Raises LabError."""
    where = [f"//{server.name}/{share}", "-I", server.host.ip]
    known = ["-U", who.option] if who else ["-N", "-U", "%"]
    return lab.run(station.host, [*station.command(lab), *where, *known, *options, "-c", commands or "exit"], ok=ok)


def fetch(lab: Lab, server: FileServer, share: str = SHARE) -> str:
    """Return smbclient's command that reads a file with a patient's name from a share."""
    return f"get {patient_file(lab, server.folder / 'share' / share)} /dev/null"


def denied(out: bytes, status: str) -> None:
    """Raise LabError unless the client printed this status."""
    if status.encode() not in out:
        raise LabError(f"not {status}: {out.decode(errors='replace')[-300:]}")
