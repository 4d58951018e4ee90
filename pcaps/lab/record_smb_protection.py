"""Signing and encryption between Samba and smbclient: off, possible, required, and with which algorithm."""

from __future__ import annotations

from _fleet import CT, FILESERVER
from _lab import Lab, scenario
from _samba import SAMBA, SMBCLIENT, Setting, Share, Station, account, denied, fetch, smbclient, smbd

SMB1 = {"server min protocol": "NT1", "server max protocol": "NT1"}
SMB1_CLIENT = {"client min protocol": "NT1", "client max protocol": "NT1"}
ENCRYPT = {"server smb encrypt": "required"}
REFUSED = "NT_STATUS_ACCESS_DENIED"


def only(cipher: str) -> Setting:
    """Return a server that requires encryption with one cipher."""
    return Setting(ENCRYPT | {"server smb3 encryption algorithms": cipher})


def signed_by(algorithm: str) -> Setting:
    """Return a server that requires signing with one algorithm."""
    return Setting({"server signing": "mandatory", "server smb3 signing algorithms": algorithm})


WAYS: dict[str, tuple[str, Setting, tuple[str, ...]]] = {
    "signing_enabled": (
        "SMB 3.1.1, both sides could sign, neither wants to.",
        Setting({"server signing": "auto"}, {"client signing": "if_required"}),
        ("SMB-002: security mode 01 on both sides",),
    ),
    "signing_required": (
        "SMB 3.1.1, both sides require signing.",
        Setting({"server signing": "mandatory"}, {"client signing": "required"}),
        ("security mode 03 on both sides",),
    ),
    "signing_required_server": (
        "SMB 3.1.1, the server requires signing, the client does not.",
        Setting({"server signing": "mandatory"}, {"client signing": "if_required"}),
        ("security mode of the server 03, of the client 01",),
    ),
    "signing_required_client": (
        "SMB 3.1.1, the client requires signing, the server does not.",
        Setting({"server signing": "auto"}, {"client signing": "required"}),
        ("SMB-002: security mode of the server 01; of the client 03",),
    ),
    "signing_required_smb202": (
        "SMB 2.0.2, both sides require signing.",
        Setting({"server signing": "mandatory"}, {"client signing": "required", "client max protocol": "SMB2_02"}),
        ("security mode 03 on both sides",),
    ),
    "signing_gmac": ("SMB 3.1.1 signed with AES-128-GMAC.", signed_by("AES-128-GMAC"), ("signing algorithm 2",)),
    "signing_cmac": ("SMB 3.1.1 signed with AES-128-CMAC.", signed_by("AES-128-CMAC"), ("signing algorithm 1",)),
    "signing_hmac": ("SMB 3.1.1 signed with HMAC-SHA256.", signed_by("HMAC-SHA256"), ("signing algorithm 0",)),
    "signing_off_smb1": (
        "SMB 1, the server cannot sign.",
        Setting(SMB1 | {"server signing": "disabled"}, {**SMB1_CLIENT, "client signing": "if_required"}),
        ("security mode without bits 2 and 3",),
    ),
    "signing_enabled_smb1": (
        "SMB 1, the server can sign.",
        Setting(SMB1 | {"server signing": "auto"}, {**SMB1_CLIENT, "client signing": "if_required"}),
        ("security mode with bit 2, without bit 3",),
    ),
    "signing_required_smb1": (
        "SMB 1, the server requires signing.",
        Setting(SMB1 | {"server signing": "mandatory"}, {**SMB1_CLIENT, "client signing": "required"}),
        ("security mode with bits 2 and 3",),
    ),
    "encrypted_aes128gcm": (
        "SMB 3.1.1, the server requires encryption: AES-128-GCM.",
        only("AES-128-GCM"),
        ("cipher 2; all after the session setup is encrypted",),
    ),
    "encrypted_aes128ccm": ("SMB 3.1.1, encrypted with AES-128-CCM.", only("AES-128-CCM"), ("cipher 1",)),
    "encrypted_aes256gcm": ("SMB 3.1.1, encrypted with AES-256-GCM.", only("AES-256-GCM"), ("cipher 4",)),
    "encrypted_aes256ccm": ("SMB 3.1.1, encrypted with AES-256-CCM.", only("AES-256-CCM"), ("cipher 3",)),
    "encrypted_smb30": (
        "SMB 3.0, encrypted: AES-128-CCM, as that dialect has nothing else.",
        Setting(ENCRYPT, {"client max protocol": "SMB3_00"}),
        ("dialect 0300", "no negotiate contexts"),
    ),
    "encrypted_by_client": (
        "SMB 3.1.1, the client wants encryption, the server only offers it.",
        Setting({}, {"client smb encrypt": "required"}),
        ("session flags without ENCRYPT_DATA, yet all after the session setup is encrypted",),
    ),
    "encrypted_share": (
        "SMB 3.1.1, one share requires encryption, the server does not.",
        Setting(share=Share(settings=ENCRYPT)),
        ("share flag ENCRYPT_DATA; IPC$ in clear, the share encrypted",),
    ),
    "encryption_refused_smb21": (
        "A client that stops at SMB 2.1 meets a server that requires encryption.",
        Setting(ENCRYPT, {"client max protocol": "SMB2_10"}, denied=REFUSED),
        ("no session",),
    ),
}


def logon(lab: Lab, how: Setting) -> None:
    """Record a logon of a CT's account and a small file; raise LabError when it does not end as it should."""
    scanner, who = lab.host(CT), account(lab, "svc-ct")
    with smbd(lab, FILESERVER, (who,), (how.share,), settings=how.server) as server:
        read = fetch(lab, server)
        with lab.capture("tcp"):
            out = smbclient(lab, Station(scanner, how.client), server, who, read, ok=(1,) if how.denied else (0,))
    denied(out, how.denied)


for name, (what, setting, expect) in WAYS.items():
    scenario(f"smb/{name}", what, SAMBA, SMBCLIENT, expect=expect)(lambda lab, how=setting: logon(lab, how))
