"""NTP on the hospital's machines: chronyd as a server, and once as a client. The clock of the lab's machine stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _samba import made
from _software import debian

if TYPE_CHECKING:
    from _net import Host
    from _story import Hospital

CHRONY = debian("chrony", "chrony", "chronyd")
PORT = 123


def serve(hospital: Hospital, host: Host) -> None:
    """Start a server that believes in its own clock."""
    folder = hospital.folder("ntp")
    settings = ["allow", "local stratum 1", "cmdport 0", "bindcmdaddress /", f"pidfile {folder / 'pid'}", "user root"]
    (folder / "chrony.conf").write_text("\n".join(settings) + "\n")
    hospital.serve(host, ["chronyd", "-d", "-x", "-f", str(folder / "chrony.conf")], PORT, "udp")


def ask(hospital: Hospital, host: Host, server: str) -> None:
    """Ask a server for the time, once. Raises LabError when it does not answer."""
    pid = made(hospital.workdir / "ntp-clients") / f"{host.name}.pid"
    settings = [f"server {server} iburst maxsamples 1", f"pidfile {pid}", "cmdport 0", "bindcmdaddress /", "user root"]
    hospital.run(host, ["chronyd", "-Q", "-t", "5", *settings])
