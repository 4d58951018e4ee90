"""Remote desktops of the hospital: RDP by xrdp and FreeRDP, VNC by TigerVNC and vncdotool.

FreeRDP draws on an X server, or shows one: here one that nobody looks at (Xvfb). It does not begin anew when its last
client leaves (``-noreset``): the next may come at that moment, and would not get in. X servers' numbers lie above those
that people use, and are this process's own.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from _net import LabError
from _software import debian

if TYPE_CHECKING:
    from _net import Host
    from _pki import Credential
    from _story import Hospital

XRDP = debian("xrdp", "xrdp", "xrdp")
FREERDP = debian("FreeRDP", "freerdp2-x11", "xfreerdp")
FREERDP_SHADOW = debian("FreeRDP's shadow server", "freerdp2-shadow-x11", "freerdp-shadow-cli")
WINPR = debian("WinPR", "winpr-utils", "winpr-hash")
XVFB = debian("Xvfb", "xvfb", "Xvfb")
TIGERVNC = debian("TigerVNC", "tigervnc-standalone-server", "Xtigervnc")
VNCPASSWD = debian("TigerVNC tools", "tigervnc-tools", "tigervncpasswd")
VNCDOTOOL = "vncdotool"
RDP, RFB, X11 = 3389, 5900, 6000
STANDARD, TLS, NLA = "rdp", "tls", "nla"  # security layers, in the words of xrdp and of FreeRDP
SMALL = ("/w:200", "/h:200", "/bpp:8")
PASSWORD_CHARACTERS = 8  # of VNC authentication (RFC 6143 7.2.2)
XRDP_INI = """\
[Globals]
ini_version=1
fork=true
port=tcp://:3389
security_layer={layer}
crypt_level=high
certificate={cert}
key_file={key}
ssl_protocols=TLSv1.2
autorun=
max_bpp=8
hidelogwindow=true
[Logging]
LogFile={log}
LogLevel=INFO
EnableSyslog=false
[Nobody]
name=Nobody
lib=libvnc.so
ip=127.0.0.1
port=5999
username=ask
password=ask
"""


@dataclass
class Screens:
    """The X server that RDP clients draw on, and the numbers of those that VNC servers are."""

    number: int

    def next(self) -> int:
        """Return a number that no X server of this lab has."""
        self.number += 1
        return self.number


def screens(hospital: Hospital, host: Host) -> Screens:
    """Start an X server for RDP clients on one of them; the others find it by the file system."""
    first = 100 + os.getpid() % 30_000
    argv = ["Xvfb", f":{first}", "-listen", "tcp", "-ac", "-noreset", "-screen", "0", "640x480x24"]
    hospital.serve(host, argv, X11 + first)
    made = Screens(first)
    hospital.share(made)
    return made


def xrdp(hospital: Hospital, host: Host, layer: str, shows: Credential) -> None:
    """Start an RDP server without network level authentication: with standard RDP security, or TLS."""
    path = hospital.workdir / f"xrdp-{host.name}.ini"
    log = path.with_suffix(".log")
    path.write_text(XRDP_INI.format(layer=layer, cert=shows.cert, key=shows.key, log=log))
    hospital.serve(host, ["xrdp", "--nodaemon", "--config", str(path)], RDP)


def shadow(hospital: Hospital, host: Host, user: str, password: str, number: int) -> None:
    """Start an RDP server with network level authentication (CredSSP with NTLM) that knows one user."""
    folder = hospital.folder(f"shadow-{host.name}")
    known = folder / "sam"
    known.write_bytes(hospital.tool(["winpr-hash", "-u", user, "-p", password, "-f", "sam"]))
    argv = [
        "freerdp-shadow-cli",
        f"/port:{RDP}",
        f"/bind-address:{host.ip}",
        f"/sec:{NLA}",
        "+auth",
        f"/sam-file:{known}",
    ]
    hospital.serve(host, argv, RDP, env={"HOME": str(folder), "DISPLAY": f":{number}"})


def rdp(hospital: Hospital, client: Host, server: Host, user: str, password: str, layer: str, number: int) -> None:
    """Connect to an RDP server as a user, and leave when the server has let the client in or has not."""
    home = hospital.workdir / f"freerdp-{client.name}"
    home.mkdir(exist_ok=True)
    options = [f"/u:{user}", f"/p:{password}", "/cert:ignore", f"/sec:{layer}", *SMALL, "+auth-only"]
    env = {"HOME": str(home), "DISPLAY": f":{number}"}
    said = hospital.run(client, ["xfreerdp", f"/v:{server.ip}", *options], ok=(), env=env)
    if b"Authentication only, exit status" not in said:
        raise LabError(f"xfreerdp: {said.decode(errors='replace')[-500:]}")


def vnc(hospital: Hospital, host: Host, number: int, password: str = "") -> None:
    """Start a VNC server, the screen's name being the machine's: without a password, security type None."""
    argv = ["Xtigervnc", f":{number}", "-rfbport", str(RFB), "-geometry", "64x48", "-desktop", host.name]
    if password:
        stored = hospital.workdir / f"vnc-{host.name}"
        stored.write_bytes(hospital.tool(["tigervncpasswd", "-f"], password.encode()))
        security = ["-SecurityTypes", "VncAuth", "-PasswordFile", str(stored)]
    else:
        security = ["-SecurityTypes", "None"]
    hospital.serve(host, [*argv, "-nolisten", "tcp", *security], RFB)


def look(hospital: Hospital, client: Host, server: Host, password: str = "") -> None:
    """Connect to a VNC server, press a key and leave."""
    given = ["-p", password] if password else []
    argv = [sys.executable, "-m", "vncdotool.command", "-s", f"{server.ip}::{RFB}", *given, "key", "a"]
    hospital.run(client, argv, env={"HOME": str(hospital.workdir)})
