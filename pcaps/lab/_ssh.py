"""SSH in the hospital: OpenSSH and Dropbear servers with accounts of their own machine, and OpenSSH's client.

``ip netns exec`` shows a program the files of its machine's folder under /etc/netns in place of those in /etc. So each
machine here has its own passwd and shadow: the accounts exist in it alone, and go with it.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from _estate import ETC
from _software import debian

if TYPE_CHECKING:
    import subprocess

    from _net import Host
    from _story import Hospital

OPENSSH = debian("OpenSSH", "openssh-server", "sshd")
DROPBEAR = debian("Dropbear", "dropbear-bin", "dropbear")
SSH = 22
SSHD = "/usr/sbin/sshd"  # it starts itself anew for every connection, and wants to know from where
RUN = Path("/run/sshd")
UID = 61022
PASSWD = """\
root:x:0:0:root:/root:/bin/sh
sshd:x:{empty}:65534::{run}:/usr/sbin/nologin
{name}:x:{uid}:{uid}::{home}:/bin/sh
"""
SETTINGS = """\
Port 22
ListenAddress 0.0.0.0
PidFile none
UsePAM no
UseDNS no
StrictModes no
PrintMotd no
PrintLastLog no
HostKey {key}
AuthorizedKeysFile {allowed}
"""
KEY_ONLY = "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin no\n"
BY_PASSWORD = "PasswordAuthentication yes\nKbdInteractiveAuthentication no\n"
OLD = "KexAlgorithms diffie-hellman-group14-sha1\nCiphers aes128-cbc\nMACs hmac-sha1\nHostKeyAlgorithms ssh-rsa\n"
OLD_CLIENT = (
    *("-o", "KexAlgorithms=diffie-hellman-group14-sha1", "-o", "Ciphers=aes128-cbc"),
    *("-o", "MACs=hmac-sha1", "-o", "HostKeyAlgorithms=ssh-rsa"),
)
WHOEVER = (
    *("-F", "none", "-o", "UserKnownHostsFile=/dev/null"),
    *("-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"),
)


@dataclass(frozen=True)
class Key:
    """A key pair of OpenSSH's: the private key's file; the public one lies beside it."""

    path: Path

    @property
    def public(self) -> Path:
        """The file of the public key."""
        return self.path.with_suffix(".pub")


@dataclass
class Account:
    """An account of one machine: who may log on, with what, and where its home is."""

    host: Host
    name: str
    password: str
    home: Path

    @property
    def allowed(self) -> Path:
        """The public keys that may log on."""
        return self.home / "authorized_keys"


def key(hospital: Hospital, name: str, kind: str = "ed25519", bits: int = 0) -> Key:
    """Make a key pair; its file is named for it."""
    path = hospital.workdir / f"ssh-{name}"
    size = ["-b", str(bits)] if bits else []
    hospital.tool(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", name, "-f", str(path)])
    return Key(path)


def fingerprint(hospital: Hospital, of: Key) -> str:
    """Return the public key's SHA-256 as OpenSSH prints it."""
    return hospital.tool(["ssh-keygen", "-l", "-E", "sha256", "-f", str(of.public)]).split()[1].decode()


def account(hospital: Hospital, host: Host, name: str, password: str, *keys: Key) -> Account:
    """Give a machine an account of this name; programs started on it later know it."""
    home = hospital.folder(f"home-{host.name}")
    made = Account(host, name, password, home)
    made.allowed.write_text("".join(k.public.read_text() for k in keys))
    for path in (home, made.allowed):
        os.chown(path, UID, UID)
    hashed = ["openssl", "passwd", "-6", "-salt", "invented", "-stdin"]
    digest = hospital.tool(hashed, password.encode()).decode().strip()
    etc = ETC / host.namespace
    (etc / "passwd").write_text(PASSWD.format(name=name, uid=UID, home=home, empty=UID + 1, run=RUN))
    (etc / "shadow").write_text(f"root:*:20000::::::\nsshd:!:20000::::::\n{name}:{digest}:20000::::::\n")
    return made


def openssh(hospital: Hospital, who: Account, host_key: Key, *settings: str) -> subprocess.Popen[bytes]:
    """Start an OpenSSH server that knows this account."""
    if not RUN.exists():
        RUN.mkdir(mode=0o755)
        hospital.open.callback(_remove, RUN)
    path = hospital.workdir / f"sshd-{host_key.path.name}-{who.host.name}"
    path.write_text(SETTINGS.format(key=host_key.path, allowed=who.allowed) + "".join(settings))
    return hospital.serve(who.host, [SSHD, "-D", "-e", "-f", str(path)], SSH)


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def dropbear_key(hospital: Hospital, name: str) -> Key:
    """Make a host key for Dropbear, in its own format."""
    path = hospital.workdir / f"ssh-{name}"
    said = hospital.tool(["dropbearkey", "-t", "ed25519", "-f", str(path)]).decode().splitlines()
    made = Key(path)
    made.public.write_text(next(line for line in said if line.startswith("ssh-")) + "\n")
    return made


def dropbear(hospital: Hospital, host: Host, host_key: Key) -> subprocess.Popen[bytes]:
    """Start a Dropbear server; it knows the accounts of its machine."""
    pid = hospital.workdir / f"dropbear-{host.name}.pid"
    return hospital.serve(host, ["dropbear", "-F", "-E", "-r", str(host_key.path), "-P", str(pid)], SSH)


def log_in(hospital: Hospital, client: Host, who: Account, feed: bytes, *options: str, by: Key | None = None) -> bytes:
    """Log in from a machine, by a key or else by the account's password, and let the shell there read ``feed``."""
    if by:
        proof, env = ["-i", str(by.path), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"], {}
    else:
        proof, env = ["-o", "PubkeyAuthentication=no"], _asked(hospital, who)
    return hospital.run(client, ["ssh", "-T", *WHOEVER, *proof, *options, f"{who.name}@{who.host.ip}"], feed, env=env)


def through(jump: Account, by: Key) -> tuple[str, str]:
    """Return the client's options that lead it through a jump host, into which it logs in by the same key."""
    asked = ["ssh", *WHOEVER, "-i", str(by.path), "-o", "BatchMode=yes", "-W", "%h:%p", f"{jump.name}@{jump.host.ip}"]
    return "-o", f"ProxyCommand={' '.join(asked)}"


def _asked(hospital: Hospital, who: Account) -> dict[str, str]:
    """Return the environment in which the client asks a script for the password."""
    script = hospital.workdir / f"askpass-{who.host.name}"
    script.write_text(f"#!/bin/sh\necho '{who.password}'\n")
    script.chmod(0o700)
    return {"SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"}
