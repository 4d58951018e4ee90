"""Other implementations than Samba's: impacket as client and as server, pysmb, smbprotocol."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from _fleet import FILESERVER, NAS, WORKSTATION
from _lab import Lab, scenario
from _net import LabError
from _samba import (
    NETBIOS_SESSION,
    SAMBA,
    SHARE,
    SMB,
    SMBCLIENT,
    Account,
    FileServer,
    Share,
    Station,
    account,
    denied,
    patient_file,
    smbclient,
    smbd,
)
from impacket.smb import SMB_DIALECT
from impacket.smb3structs import SMB2_DIALECT_002, SMB2_DIALECT_21, SMB2_DIALECT_30, SMB2_DIALECT_311
from impacket.smbconnection import SessionError, SMBConnection
from smb import smb_structs
from smb.base import NotReadyError
from smb.SMBConnection import SMBConnection as PySmb

IMPACKET, PYSMB = "impacket", "pysmb"
SCRIPT = Path(__file__).with_name("_smbserver.py")
OLD = {"server min protocol": "NT1", "ntlm auth": "ntlmv1-permitted"}
NO_MIC = "NTLM-003: no MIC (MsvAvFlags without 2)"
WITHOUT_SPNEGO = {"client use spnego": "no", "client min protocol": "NT1", "client max protocol": "NT1"}
BY_LM = {**WITHOUT_SPNEGO, "client lanman auth": "yes", "client NTLMv2 auth": "no"}
IN_CLEAR = {**BY_LM, "client plaintext auth": "yes"}


def by_impacket(lab: Lab, dialect: int | None, *, wrong: bool = False) -> None:
    """Record a logon of impacket's client at Samba."""
    host, who = lab.host(WORKSTATION), account(lab, "svc-dose")
    typed = lab.canaries.token("wrong password", 14) if wrong else who.password
    with smbd(lab, FILESERVER, (who,), settings=OLD) as server:
        name = patient_file(lab, server.folder / "share" / SHARE)
        with lab.capture("tcp"), host.inside():
            client = SMBConnection(server.name, server.host.ip, "WS4", preferredDialect=dialect)
            try:
                client.login(who.name, typed)
            except SessionError as error:
                denied(str(error).encode(), "STATUS_LOGON_FAILURE" if wrong else "nothing")
                client.close()
                return
            client.getFile(SHARE, name, io.BytesIO().write)
            client.logoff()
            client.close()


for label, dialect, spoken in (
    ("smb1", SMB_DIALECT, "SMB 1"),
    ("smb202", SMB2_DIALECT_002, "SMB 2.0.2"),
    ("smb21", SMB2_DIALECT_21, "SMB 2.1"),
    ("smb30", SMB2_DIALECT_30, "SMB 3.0"),
    ("smb311", SMB2_DIALECT_311, "SMB 3.1.1"),
    ("multi", None, "what both sides know, from a multi-protocol negotiation"),
):
    scenario(
        f"smb/impacket_{label}",
        f"impacket's client at Samba, {spoken}.",
        SAMBA,
        IMPACKET,
        expect=("svc-dose accepted by NTLMv2", NO_MIC),
    )(lambda lab, wanted=dialect: by_impacket(lab, wanted))


@scenario(
    "smb/impacket_wrong_password",
    "impacket's client at Samba, a wrong password.",
    SAMBA,
    IMPACKET,
    expect=("svc-dose rejected: STATUS_LOGON_FAILURE",),
)
def impacket_wrong_password(lab: Lab) -> None:
    by_impacket(lab, SMB2_DIALECT_21, wrong=True)


def at_impacket(lab: Lab, client: dict[str, str], *options: str, wrong: bool = False) -> None:
    """Record a logon of smbclient at impacket's server."""
    host, device, folder = lab.host(WORKSTATION), lab.host(NAS), lab.folder("share")
    right = account(lab, "svc-dose")
    who = Account(right.name, lab.canaries.token("wrong password", 14)) if wrong else right
    command = [sys.executable, str(SCRIPT), device.ip, "NAS2", SHARE, str(folder), *options]
    lab.serve(device, [*command, "--account", right.name, "--password", right.password], SMB)
    server = FileServer(device, lab.workdir, {})
    get = f"get {patient_file(lab, folder)} /dev/null"
    with lab.capture("tcp"):
        out = smbclient(lab, Station(host, client), server, who, get, ok=(1,) if wrong else (0,))
    denied(out, "NT_STATUS_LOGON_FAILURE" if wrong else "")


@scenario(
    "smb/impacket_server",
    "smbclient at impacket's server, SMB 2.0.2.",
    SMBCLIENT,
    IMPACKET,
    expect=("svc-dose accepted by NTLMv2", "the server's NTLM version is ff:ff:ff"),
)
def impacket_server(lab: Lab) -> None:
    at_impacket(lab, {"client max protocol": "SMB2_02"}, "--smb2")


@scenario(
    "smb/impacket_server_smb1",
    "smbclient at impacket's server, SMB 1.",
    SMBCLIENT,
    IMPACKET,
    expect=("svc-dose accepted by NTLMv2",),
)
def impacket_server_smb1(lab: Lab) -> None:
    at_impacket(lab, {"client min protocol": "NT1", "client max protocol": "NT1"})


@scenario(
    "smb/impacket_server_wrong_password",
    "smbclient at impacket's server, a wrong password.",
    SMBCLIENT,
    IMPACKET,
    expect=("svc-dose rejected: STATUS_LOGON_FAILURE",),
)
def impacket_server_wrong(lab: Lab) -> None:
    at_impacket(lab, {"client max protocol": "SMB2_02"}, "--smb2", wrong=True)


@scenario(
    "smb/windows_2003",
    "smbclient at an old server, SMB 1.",
    SMBCLIENT,
    IMPACKET,
    "its NativeOS set by pcaps/lab/record_smb_python.py",
    expect=("EOL-001: native OS Windows Server 2003 3790 Service Pack 2",),
)
def windows_2003(lab: Lab) -> None:
    system = "Windows Server 2003 3790 Service Pack 2"
    at_impacket(lab, {"client min protocol": "NT1", "client max protocol": "NT1"}, "--system", system)


CLEAR = "its wish for passwords in clear added by pcaps/lab/_smbserver.py"
SHARES = "its wish for a password for each share added by pcaps/lab/_smbserver.py"


@scenario(
    "smb/smb1_plaintext",
    "SMB 1, the server wants the password in clear and takes it.",
    SMBCLIENT,
    IMPACKET,
    CLEAR,
    expect=("SMB-005: the password of svc-dose crosses in clear", "accepted"),
)
def smb1_plaintext(lab: Lab) -> None:
    at_impacket(lab, IN_CLEAR, "--plaintext")


@scenario(
    "smb/smb1_share_level",
    "SMB 1 with a password for each share, which is proved by a challenge-response.",
    SMBCLIENT,
    IMPACKET,
    SHARES,
    expect=("security mode without bit 0", "a password in the tree connect; no secret"),
)
def smb1_share_level(lab: Lab) -> None:
    at_impacket(lab, BY_LM, "--share-level")


@scenario(
    "smb/smb1_share_level_plaintext",
    "SMB 1 with a password for each share, in clear.",
    SMBCLIENT,
    IMPACKET,
    SHARES,
    CLEAR,
    expect=("security mode without bits 0 and 1", "SMB-005: the password of dosereports crosses in clear"),
)
def smb1_share_level_plaintext(lab: Lab) -> None:
    at_impacket(lab, IN_CLEAR, "--share-level", "--plaintext")


def by_pysmb(lab: Lab, *, smb2: bool, port: int = SMB, wrong: bool = False, **options: Any) -> None:
    """Record a logon of pysmb's client at Samba."""
    host, who = lab.host(WORKSTATION), account(lab, "svc-dose")
    typed = lab.canaries.token("wrong password", 14) if wrong else who.password
    smb_structs.SUPPORT_SMB2 = smb_structs.SUPPORT_SMB2x = smb2
    with smbd(lab, FILESERVER, (who,), (Share(),), port, OLD) as server:
        name = patient_file(lab, server.folder / "share" / SHARE)
        client = PySmb(who.name, typed, "WS4", server.name, is_direct_tcp=port == SMB, **options)
        with lab.capture("tcp"), host.inside():
            try:
                if client.connect(server.host.ip, port) == wrong:
                    raise LabError(f"pysmb: {wrong}")
                if not wrong:
                    client.retrieveFile(SHARE, name, io.BytesIO())
            except NotReadyError as error:
                raise LabError(str(error)) from error
            finally:
                client.close()


@scenario("smb/pysmb_smb2", "pysmb's client at Samba, SMB 2.", SAMBA, PYSMB, expect=("svc-dose accepted by NTLMv2",))
def pysmb_smb2(lab: Lab) -> None:
    by_pysmb(lab, smb2=True)


@scenario("smb/pysmb_smb1", "pysmb's client at Samba, SMB 1.", SAMBA, PYSMB, expect=("svc-dose accepted by NTLMv2",))
def pysmb_smb1(lab: Lab) -> None:
    by_pysmb(lab, smb2=False)


@scenario(
    "smb/pysmb_ntlmv1",
    "pysmb's client at Samba, SMB 1 with NTLMv1.",
    SAMBA,
    PYSMB,
    expect=("NTLM-001: svc-dose accepted by NTLMv1",),
)
def pysmb_ntlmv1(lab: Lab) -> None:
    by_pysmb(lab, smb2=False, use_ntlm_v2=False)


@scenario(
    "smb/pysmb_netbios",
    "pysmb's client at Samba, SMB 1 inside the NetBIOS session service.",
    SAMBA,
    PYSMB,
    expect=("called name FS1, calling name WS4", "svc-dose accepted by NTLMv2"),
)
def pysmb_netbios(lab: Lab) -> None:
    by_pysmb(lab, smb2=False, port=NETBIOS_SESSION)


@scenario(
    "smb/pysmb_wrong_password",
    "pysmb's client at Samba, a wrong password.",
    SAMBA,
    PYSMB,
    expect=("svc-dose rejected: STATUS_LOGON_FAILURE",),
)
def pysmb_wrong_password(lab: Lab) -> None:
    by_pysmb(lab, smb2=True, wrong=True)
