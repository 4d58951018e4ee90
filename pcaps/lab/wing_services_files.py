"""Files by the old ways: FTP with a password and without, a boot by TFTP, NFS that believes a number."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from _fleet import Machine
from _services import calling_itself, virtual, weekly, without_proof
from _software import debian
from _story import opening, scene
from _truth import device, identity, must, must_not
from wing_services_snmp import NAS

if TYPE_CHECKING:
    from _story import Hospital

CURL = debian("curl", "curl", "curl")
ATFTPD = debian("atftpd", "atftpd", "atftpd")
ATFTP = debian("atftp", "atftp", "atftp")
GANESHA = debian("NFS-Ganesha", "nfs-ganesha-vfs", "/usr/lib/x86_64-linux-gnu/ganesha/libfsalvfs.so")
LIBNFS = debian("libnfs", "libnfs-utils", "nfs-cp")
FTP, TFTP, NFS = 21, 69, 2049

FILES = virtual("ftp1", 86, "ftp", "file server", "file server")
BOOT = virtual("boot1", 87, "tftp", "boot server")
EEG = device(Machine("eeg1", "00:a0:9a:44:03:e9", "10.21.3.233"), vendor="Nihon Kohden")
THIN = device(Machine("thin-client4", "6c:c2:17:44:05:48", "10.21.5.72"), vendor="Hewlett Packard")
RECORDING = b"invented recording of nobody\n" * 40
LOADER = b"invented boot loader\n" * 100
GANESHA_CONF = """\
NFS_CORE_PARAM {{ Protocols = 4; Bind_addr = {ip}; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSv4 {{ RecoveryBackend = fs; RecoveryRoot = {folder}; Graceless = true; }}
EXPORT {{ Export_Id = 1; Path = {folder}/export; Pseudo = /export; Access_Type = RW; Squash = No_Root_Squash;
  SecType = sys; Protocols = 4; FSAL {{ Name = VFS; }} }}
LOG {{ Default_Log_Level = WARN; }}
"""


@opening("pyftpdlib", order=36)
def ftp_server(hospital: Hospital) -> None:
    """One folder for recordings and updates, read by anybody."""
    folder = hospital.folder("ftp1")
    (folder / "update.txt").write_bytes(LOADER)
    script = Path(__file__).with_name("_ftpserver.py")
    argv = [sys.executable, str(script), FILES.ip, str(folder), "eeg", hospital.canaries.token("ftp eeg", 14)]
    hospital.serve(hospital.host(FILES), argv, FTP)


@opening(ATFTPD, order=36)
def boot_server(hospital: Hospital) -> None:
    """TFTP, which knows no accounts."""
    folder = hospital.folder("boot1")
    folder.chmod(0o755)
    (folder / "pxelinux.0").write_bytes(LOADER)
    argv = ["atftpd", "--daemon", "--no-fork", "--bind-address", BOOT.ip, "--user", "root", "--logfile", "/dev/null"]
    hospital.serve(hospital.host(BOOT), [*argv, str(folder)], TFTP, "udp")


@opening(GANESHA, order=36)
def nfs_server(hospital: Hospital) -> None:
    """An export with AUTH_SYS: the client says who it is, and is believed."""
    folder = hospital.folder("nfs-nas3")
    (folder / "export").mkdir()
    os.chown(folder / "export", 1000, 1000)
    (folder / "conf").write_text(GANESHA_CONF.format(ip=NAS.ip, folder=folder))
    files = ["-f", str(folder / "conf"), "-L", str(folder / "log"), "-p", str(folder / "pid")]
    hospital.serve(hospital.host(NAS), ["ganesha.nfsd", "-F", *files], NFS)


@scene("an EEG delivers a recording", "pyftpdlib", CURL, days=[1], again=weekly(1, 2), at="10:20")
def recording_by_ftp(hospital: Hospital) -> None:
    """By FTP, its password in clear."""
    who = ["-u", f"eeg:{hospital.canaries.token('ftp eeg', 14)}", "-T", "-"]
    where = f"ftp://{FILES.ip}/recording.edf"
    hospital.run(hospital.host(EEG), ["curl", "-sS", "--disable-epsv", *who, where], RECORDING)


@scene("a thin client fetches its update", "pyftpdlib", CURL, days=[2], again=weekly(2, 2), at="06:15")
def update_by_ftp(hospital: Hospital) -> None:
    """By FTP, as anonymous."""
    hospital.run(hospital.host(THIN), ["curl", "-sS", f"ftp://{FILES.ip}/update.txt"])


@scene("a thin client boots", ATFTPD, ATFTP, days=[0], again=weekly(7, 2), at="06:10")
def boot(hospital: Hospital) -> None:
    """From the network, by TFTP."""
    got = hospital.workdir / "pxelinux.0"
    argv = ["atftp", "--get", "--remote-file", "pxelinux.0", "--local-file", str(got), BOOT.ip, str(TFTP)]
    hospital.run(hospital.host(THIN), argv)


@scene("the EEG keeps a copy on the NAS", GANESHA, LIBNFS, days=[1], again=weekly(1, 2), at="10:30")
def copy_by_nfs(hospital: Hospital) -> None:
    """By NFS 4 with AUTH_SYS; it says that it is user 1000."""
    kept = hospital.workdir / "recording.edf"
    kept.write_bytes(RECORDING[:400])
    where = f"nfs://{NAS.ip}/export/recording.edf?version=4&uid=1000&gid=1000"
    hospital.run(hospital.host(EEG), calling_itself("eeg1", "nfs-cp", str(kept), where))


# ------------------------------------------------------------------ the truth

identity("account", "eeg", "ftp", users=("eeg1",), peers=("ftp1",))

must("FTP-001", "ftp", device="eeg1", identity="eeg", first_day=1, why="password in clear")
must("FTP-002", "ftp", device="ftp1", first_day=2, why="lets anonymous in")
must("TFTP-001", "tftp", device="boot1", why="boot loader without authentication")
must("NFS-001", "nfs", device="nas3", first_day=1, why="AUTH_SYS")
must_not("FTP-001", "it logs on as anonymous: there is no credential", device="thin-client4")
without_proof("ftp", FILES, since=1)
without_proof("tftp", BOOT, THIN)
without_proof("nfs", NAS)
