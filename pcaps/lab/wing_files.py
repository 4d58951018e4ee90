"""File servers not well kept: an old Samba with SMB 1 until day 80, guests and nobody at all; a NAS in clear."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from _directory import fortnightly, open_share
from _estate import DOMAIN
from _fleet import Machine
from _samba import NSS_WRAPPER, SAMBA, SMB, SMBCLIENT, Account, FileServer, Share, denied, fetch, patient_file, smbd
from _story import opening, scene
from _truth import device, identity, must, must_not
from wing_domain import SAMBA_OS

if TYPE_CHECKING:
    from _story import Hospital

VIDEOS, SCANS, PUBLIC, EYES = "endoscopy", "scans", "public", "oct"
OPEN = {"guest ok": "yes"}
OLD = {"server min protocol": "NT1", "ntlm auth": "ntlmv1-permitted"}
NEW = {"server min protocol": "SMB2_10", "ntlm auth": "ntlmv2-only"}
SMB1 = {"client min protocol": "NT1", "client max protocol": "NT1"}
NTLMV1 = {"client NTLMv2 auth": "no", "client lanman auth": "no"}
NTLMV1_PLAIN = {**NTLMV1, "ntlmssp_client:ntlm2": "no"}
IN_CLEAR = {
    **SMB1,
    "client use spnego": "no",
    "client lanman auth": "yes",
    "client NTLMv2 auth": "no",
    "client plaintext auth": "yes",
}
SCRIPT = Path(__file__).with_name("_smbserver.py")
IMPACKET_CLEAR = "its wish for passwords in clear added by pcaps/lab/_smbserver.py"
SWITCHED_OFF = 80  # a Saturday

FS2 = device(
    Machine("fs2", "00:50:56:33:01:03", "10.21.1.3"), device_type="file server", role="file server", os=SAMBA_OS
)
NAS2 = device(Machine("nas2", "00:11:32:33:01:04", "10.21.1.4"), device_type="file server", role="file server")
TOWER1, TOWER2 = (
    device(
        Machine(f"endotower{n}", f"00:01:13:33:02:0{n}", f"10.21.2.14{n}"), vendor="Olympus", device_type="endoscopy"
    )
    for n in (1, 2)
)
OCT1 = device(Machine("oct1", "a0:36:9f:33:02:43", "10.21.2.143"), device_type="ophthalmic instrument")
MFP3 = device(Machine("mfp3", "00:26:73:33:05:36", "10.21.5.36"), device_type="printer")
ERGO1 = device(Machine("ergo1", "00:0d:b8:33:03:83", "10.21.3.131"), vendor="Schiller", device_type="cardiograph")


@dataclass(frozen=True)
class OldServers:
    """The two servers, and the accounts that they know by themselves."""

    samba: FileServer
    nas: FileServer
    endo: Account
    eyes: Account


@opening(SAMBA, NSS_WRAPPER, "impacket", IMPACKET_CLEAR, order=16)
def old_servers(hospital: Hospital) -> None:
    """Start the old Samba, which knows its own accounts only, and the NAS, which asks for passwords in clear."""
    endo = Account("endo", hospital.canaries.token("password of endo", 14), "FS2")
    eyes = Account("oct", hospital.canaries.token("password of oct", 14), "NAS2")
    shares = (Share(VIDEOS), Share(SCANS, OPEN), Share(PUBLIC, OPEN))
    settings = {**OLD, "workgroup": "WORKGROUP", "map to guest": "Bad User"}
    samba = hospital.open.enter_context(smbd(hospital, FS2, (endo,), shares, settings=settings, domain=DOMAIN))
    hospital.share(OldServers(samba, _nas(hospital, eyes), endo, eyes))


def _nas(hospital: Hospital, known: Account) -> FileServer:
    host, folder = hospital.host(NAS2), hospital.folder("nas2")
    shared = folder / "share" / EYES
    shared.mkdir(parents=True)
    command = [sys.executable, str(SCRIPT), host.ip, "NAS2", EYES, str(shared), "--plaintext", "--system", "Unix"]
    hospital.serve(host, [*command, "--account", known.name, "--password", known.password], SMB)
    return FileServer(host, folder, {})


def _tower_keeps(hospital: Hospital, machine: Machine, settings: dict[str, str]) -> None:
    """Log on from an endoscopy tower with the account that both share, and read a file."""
    at = hospital.find(OldServers)
    get = fetch(hospital, at.samba, VIDEOS)
    open_share(hospital, hospital.host(machine), at.samba, at.endo, VIDEOS, commands=get, settings=settings)


@scene(
    "two endoscopy towers keep films by SMB 1 and NTLMv1", SMBCLIENT, days=[0], again=fortnightly(14, 70), at="15:10"
)
def towers_by_smb1(hospital: Hospital) -> None:
    _tower_keeps(hospital, TOWER1, {**SMB1, **NTLMV1})
    _tower_keeps(hospital, TOWER2, {**SMB1, **NTLMV1_PLAIN})


@scene(
    "SMB 1 is switched off at the old Samba; a tower is refused, and works once it was updated",
    SMBCLIENT,
    days=[SWITCHED_OFF],
    at="06:30",
)
def smb1_switched_off(hospital: Hospital) -> None:
    at = hospital.find(OldServers)
    conf = at.samba.folder / "smb.conf"
    text = conf.read_text()
    for key, value in OLD.items():
        text = text.replace(f"{key} = {value}", f"{key} = {NEW[key]}")
    conf.write_text(text)
    for message in ("reload-config", "ping"):  # it answers the second when it has done the first
        hospital.run(at.samba.host, ["smbcontrol", "-s", str(conf), "smbd", message], env=at.samba.env)
    host = hospital.host(TOWER1)
    out = open_share(hospital, host, at.samba, at.endo, VIDEOS, settings={**SMB1, **NTLMV1}, ok=(1,))
    denied(out, "NT_STATUS_INVALID_NETWORK_RESPONSE")
    _tower_keeps(hospital, TOWER1, {})


@scene("two endoscopy towers keep films by SMB 3 and NTLMv2", SMBCLIENT, days=[84], again=fortnightly(98), at="15:10")
def towers_by_smb3(hospital: Hospital) -> None:
    for machine in (TOWER1, TOWER2):
        _tower_keeps(hospital, machine, {})


BOTH_TOWERS = "both towers use the server's account endo"
identity("account", "endo", "smb", ("endotower1", "endotower2"), peers=("fs2",), realm="FS2")
must("SMB-001", "smb", device="fs2", resolved_day=SWITCHED_OFF, why="it speaks SMB 1 until day 80")
must("SMB-002", "smb", device="fs2", why="it does not insist on signatures")
must("NTLM-001", "smb", device="endotower1", identity="endo", resolved_day=SWITCHED_OFF, why="it knows NTLMv1 only")
must("NTLM-001", "smb", device="endotower2", identity="endo", resolved_day=84, why="it knows NTLMv1 only")
must("NTLM-004", "smb", device="endotower2", resolved_day=84, why="its NTLMv1 is without extended session security")
must("NTLM-005", "smb", identity="endo", why=BOTH_TOWERS)
must_not("ID-001", "an account of the server's own is NTLM-005", identity="endo")


@scene("a copier leaves scans as a guest", SMBCLIENT, days=[0], again=fortnightly(14), at="14:05")
def copier_scans(hospital: Hospital) -> None:
    at = hospital.find(OldServers).samba
    who = Account("scanuser", hospital.canaries.token("password of scanuser", 14), "FS2")
    open_share(hospital, hospital.host(MFP3), at, who, SCANS, commands=fetch(hospital, at, SCANS))


@scene("a cardiograph reads a share without an account", SMBCLIENT, days=[0], again=fortnightly(14), at="14:10")
def cardiograph_reads(hospital: Hospital) -> None:
    at = hospital.find(OldServers).samba
    open_share(hospital, hospital.host(ERGO1), at, None, PUBLIC, commands=fetch(hospital, at, PUBLIC))


identity("account", "scanuser", "smb", ("mfp3",), peers=("fs2",), realm="FS2")
must("SMB-003", "smb", device="fs2", why="whom it does not know becomes a guest")
must("SMB-004", "smb", device="fs2", why="the shares scans and public are open to all")


@scene(
    "a tomograph for eyes keeps its images at a NAS by SMB 1, its password in clear",
    SMBCLIENT,
    days=[0],
    again=fortnightly(14),
    at="16:40",
)
def eyes_in_clear(hospital: Hospital) -> None:
    at = hospital.find(OldServers)
    name = patient_file(hospital, at.nas.folder / "share" / EYES)
    get = f"get {name} /dev/null"
    open_share(hospital, hospital.host(OCT1), at.nas, at.eyes, EYES, commands=get, settings=IN_CLEAR)


identity("account", "oct", "smb", ("oct1",), peers=("nas2",), realm="NAS2")
must("SMB-001", "smb", device="nas2", why="it speaks SMB 1 throughout")
must("SMB-002", "smb", device="nas2", why="it does not insist on signatures")
must("SMB-005", "smb", device="nas2", identity="oct", why="it asks for passwords in clear, and gets one")
must_not("ID-003", "119 days are less than a year", identity="oct")
