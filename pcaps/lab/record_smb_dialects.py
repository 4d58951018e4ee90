"""Samba at each dialect, from the first LAN Manager to SMB 3.1.1, and the ways to negotiate one."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from _fleet import FILESERVER, WORKSTATION
from _lab import Lab, scenario
from _samba import NETBIOS_SESSION, SAMBA, SMBCLIENT, Setting, Station, account, denied, fetch, smbclient, smbd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OLD = {"server min protocol": "CORE", "lanman auth": "yes", "ntlm auth": "ntlmv1-permitted"}
OLD_CLIENT = {"client min protocol": "CORE", "client lanman auth": "yes", "client NTLMv2 auth": "no"}
SPNEGO_OFF = {"client use spnego": "no"}
CLEAR = OLD | {"encrypt passwords": "no"}
PLAINTEXT = {"client plaintext auth": "yes", **SPNEGO_OFF}


def logon(lab: Lab, setting: Setting) -> None:
    """Record a logon with the right password, a tree connect and a small file; or the refusal that is meant."""
    client, who = lab.host(WORKSTATION), account(lab, "svc-dose")
    with smbd(lab, FILESERVER, (who,), port=setting.port, settings=setting.server) as server:
        read = fetch(lab, server)
        with lab.capture("tcp"):
            station, options = Station(client, setting.client), ("-p", str(setting.port))
            out = smbclient(lab, station, server, who, read, *options, ok=(1,) if setting.denied else (0,))
    denied(out, setting.denied)


def play(setting: Setting) -> Callable[[Lab], None]:
    """Return a scenario's function."""
    return lambda lab: logon(lab, setting)


def limited(
    highest: str,
    offered: str = "",
    server: Mapping[str, str] = MappingProxyType({}),
    client: Mapping[str, str] = MappingProxyType({}),
    **more: Any,
) -> Setting:
    """Return a setting in which both sides stop at a dialect; the client offers all from SMB 2.0.2 on."""
    top = {"client max protocol": offered or highest, "client ipc max protocol": offered or highest}
    return Setting({"server max protocol": highest, **server}, {**top, **client}, **more)


SMB1 = limited("NT1", server=OLD, client={"client min protocol": "NT1"})
MULTI = {"client min protocol": "NT1", "client ipc min protocol": "NT1"}
EXPECT = "svc-dose accepted by NTLMv2"
DIALECTS: dict[str, tuple[str, Setting, tuple[str, ...]]] = {
    "smb202_ntlmv2": ("SMB 2.0.2, NTLMv2.", limited("SMB2_02"), ("dialect 0202", EXPECT)),
    "smb21_ntlmv2": ("SMB 2.1, NTLMv2.", limited("SMB2_10"), ("dialect 0210", EXPECT)),
    "smb30_ntlmv2": ("SMB 3.0, NTLMv2.", limited("SMB3_00"), ("dialect 0300", EXPECT)),
    "smb302_ntlmv2": ("SMB 3.0.2, NTLMv2.", limited("SMB3_02"), ("dialect 0302", EXPECT)),
    "smb311_ntlmv2": ("SMB 3.1.1, NTLMv2: Samba as it comes.", limited("SMB3_11"), ("dialect 0311", EXPECT)),
    "smb1_ntlmv2": ("SMB 1 with extended security, NTLMv2 inside SPNEGO.", SMB1, ("dialect NT LM 0.12", EXPECT)),
    "smb1_ntlmv2_no_spnego": (
        "SMB 1 without extended security: NTLMv2 responses in the session setup itself.",
        limited("NT1", server=OLD | {"raw NTLMv2 auth": "yes"}, client={"client min protocol": "NT1", **SPNEGO_OFF}),
        ("dialect NT LM 0.12", EXPECT, "capability extended security is not set by the client"),
    ),
    "smb1_ntlmv1_no_spnego": (
        "SMB 1 without extended security, NTLMv1.",
        limited("NT1", server=OLD, client={**OLD_CLIENT, "client lanman auth": "no", **SPNEGO_OFF}),
        ("NTLM-001: svc-dose accepted by NTLMv1",),
    ),
    "smb1_lanman2": (
        "LANMAN2.1: an LM response and nothing else.",
        limited("LANMAN2", server=OLD, client={**OLD_CLIENT, **SPNEGO_OFF}),
        ("dialect LANMAN2.1", "NTLM-001: LM response"),
    ),
    "smb1_lanman1": (
        "LANMAN1.0: an LM response and nothing else.",
        limited("LANMAN1", server=OLD, client={**OLD_CLIENT, **SPNEGO_OFF}),
        ("dialect LANMAN1.0", "NTLM-001: LM response"),
    ),
    "smb1_plaintext_refused": (
        "SMB 1, the server wants the password in clear, gets it and refuses it.",
        limited("NT1", server=CLEAR, client={**OLD_CLIENT, **PLAINTEXT}, denied="NT_STATUS_LOGON_FAILURE"),
        ("SMB-005", "the password of svc-dose crosses in clear", "rejected: STATUS_LOGON_FAILURE"),
    ),
    "negotiate_wildcard": (
        "A client that offers SMB 1 and SMB 2.???: the server answers SMB 2, the client negotiates anew.",
        limited("SMB3_11", client=MULTI),
        ("answer 02FF to the SMB 1 request, then 0311", EXPECT),
    ),
    "negotiate_wildcard_smb202": (
        "A client that offers SMB 1 and SMB 2.002 at most: the server chooses 2.0.2 at once.",
        limited("SMB2_02", client=MULTI),
        ("answer 0202 to the SMB 1 request, no second negotiation", EXPECT),
    ),
    "negotiate_down_to_smb1": (
        "A client that offers everything meets a server that has only SMB 1.",
        limited("NT1", "SMB3_11", server=OLD, client=MULTI),
        ("dialect NT LM 0.12", EXPECT),
    ),
    "negotiate_refused": (
        "A client that offers only SMB 1 meets a server that does not speak it.",
        Setting({}, {"client min protocol": "NT1", "client max protocol": "NT1"}, denied="NT_STATUS"),
        ("no dialect, no logon",),
    ),
    "negotiate_core_refused": (
        "A client that offers PC NETWORK PROGRAM 1.0 only; this server has it no more.",
        Setting(
            OLD,
            {**OLD_CLIENT, **SPNEGO_OFF, "client max protocol": "CORE"},
            denied="NT_STATUS_INVALID_NETWORK_RESPONSE",
        ),
        ("no dialect, no logon",),
    ),
    "netbios_session": (
        "SMB 3.1.1 inside the NetBIOS session service on port 139.",
        Setting(port=NETBIOS_SESSION),
        ("called name FS1, calling name WS4", EXPECT),
    ),
    "netbios_session_smb1": (
        "SMB 1 inside the NetBIOS session service on port 139.",
        Setting(SMB1.server, SMB1.client, port=NETBIOS_SESSION),
        ("called name FS1, calling name WS4", EXPECT),
    ),
}
for name, (what, setting, expect) in DIALECTS.items():
    scenario(f"smb/{name}", what, SAMBA, SMBCLIENT, expect=expect)(play(setting))
