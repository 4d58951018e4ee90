"""Logons at a Samba server that succeed and that fail, each in its own way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from _fleet import CT, FILESERVER, WORKSTATION
from _lab import Lab, scenario
from _samba import (
    SAMBA,
    SMBCLIENT,
    Account,
    Share,
    Station,
    account,
    denied,
    fetch,
    smbclient,
    smbd,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from _samba import FileServer

SERVICE = "svc-dose"
SMB1 = {"server min protocol": "NT1", "server max protocol": "NT1"}
SMB1_CLIENT = {"client min protocol": "NT1", "client max protocol": "NT1"}
V1 = {"ntlm auth": "ntlmv1-permitted"}
V1_CLIENT = {"client NTLMv2 auth": "no", "client lanman auth": "no"}
LM = {"lanman auth": "yes", "ntlm auth": "ntlmv1-permitted"}
LM_CLIENT = {"client NTLMv2 auth": "no", "client lanman auth": "yes"}
WITHOUT_SPNEGO = {"client use spnego": "no"}
GUESTS = {"map to guest": "Bad User"}
OPEN = Share(settings={"guest ok": "yes"})


@dataclass(frozen=True)
class Attempt:
    """One logon: who knocks (no name: anonymous), with which password, at what server, and what comes of it."""

    name: str | None = SERVICE
    domain: str = ""
    wrong: bool = False
    known: bool = True
    server: dict[str, str] = field(default_factory=dict)
    client: dict[str, str] = field(default_factory=dict)
    share: Share = field(default_factory=Share)
    asked: str = ""
    denied: str = ""
    before: Callable[[Lab, FileServer], object] = lambda _lab, _server: None

    def who(self, lab: Lab) -> Account | None:
        """Return the account as its owner types it."""
        right = account(lab, self.name) if self.name else None
        if right is None:
            return None
        typed = lab.canaries.token("wrong password", 14) if self.wrong else right.password
        return Account(right.name, typed, self.domain)


def attempt(lab: Lab, what: Attempt) -> None:
    """Record one attempt; raise LabError when it does not end as it should."""
    client, known = lab.host(WORKSTATION), (account(lab, what.name),) if what.name and what.known else ()
    with smbd(lab, FILESERVER, known, (what.share,), settings=what.server) as server:
        read = "exit" if what.asked else fetch(lab, server)
        what.before(lab, server)
        with lab.capture("tcp"):
            out = smbclient(
                lab,
                Station(client, what.client),
                server,
                what.who(lab),
                read,
                share=what.asked or what.share.name,
                ok=(1,) if what.denied else (0,),
            )
    denied(out, what.denied)


def pdbedit(*options: str) -> Callable[[Lab, FileServer], object]:
    """Return what changes the account in the server's database."""
    return lambda lab, server: lab.run(
        server.host, ["pdbedit", "-s", str(server.folder / "smb.conf"), "-u", SERVICE, *options], env=server.env
    )


def must_change(lab: Lab, server: FileServer) -> None:
    """Say that the account has to change its password before it may log on."""
    command = ["net", "-s", str(server.folder / "smb.conf"), "sam", "set", "pwdmustchangenow", SERVICE, "yes"]
    lab.run(server.host, command, env=server.env)


ONLY_OTHERS = Share(settings={"valid users": "root"})
ATTEMPTS: dict[str, tuple[str, Attempt, tuple[str, ...]]] = {
    "ntlmv1": (
        "SMB 3.1.1, NTLMv1 with extended session security, which the server permits.",
        Attempt(server=V1, client=V1_CLIENT),
        ("NTLM-001: NTLM2 session response", "accepted"),
    ),
    "ntlmv1_plain": (
        "SMB 3.1.1, NTLMv1 without extended session security.",
        Attempt(server=V1, client={**V1_CLIENT, "ntlmssp_client:ntlm2": "no"}),
        ("NTLM-001: NTLMv1", "accepted"),
    ),
    "ntlmv1_refused": (
        "SMB 3.1.1, NTLMv1 at a server that takes NTLMv2 only.",
        Attempt(client=V1_CLIENT, denied="NT_STATUS_LOGON_FAILURE"),
        ("NTLM-001: NTLM2 session response, rejected",),
    ),
    "smb1_ntlmv1": (
        "SMB 1, NTLMv1 with extended session security inside SPNEGO.",
        Attempt(server=SMB1 | V1, client={**SMB1_CLIENT, **V1_CLIENT}),
        ("NTLM-001: NTLM2 session response", "accepted"),
    ),
    "smb1_ntlmv1_lm": (
        "SMB 1, an LM response and an NTLMv1 response inside SPNEGO.",
        Attempt(server=SMB1 | LM, client={**SMB1_CLIENT, **LM_CLIENT, "ntlmssp_client:ntlm2": "no"}),
        ("NTLM-001: LM response besides NTLMv1", "accepted"),
    ),
    "smb1_wrong_password": (
        "SMB 1 with extended security, a wrong password.",
        Attempt(server=SMB1, client=SMB1_CLIENT, wrong=True, denied="NT_STATUS_LOGON_FAILURE"),
        ("rejected: STATUS_LOGON_FAILURE",),
    ),
    "smb1_wrong_password_no_spnego": (
        "SMB 1 without extended security, NTLMv1 with a wrong password.",
        Attempt(
            server=SMB1 | V1,
            client={**SMB1_CLIENT, **V1_CLIENT, **WITHOUT_SPNEGO},
            wrong=True,
            denied="NT_STATUS_LOGON_FAILURE",
        ),
        ("rejected: STATUS_LOGON_FAILURE",),
    ),
    "wrong_password": (
        "SMB 3.1.1, a wrong password.",
        Attempt(wrong=True, denied="NT_STATUS_LOGON_FAILURE"),
        ("rejected: STATUS_LOGON_FAILURE",),
    ),
    "wrong_password_smb202": (
        "SMB 2.0.2, a wrong password.",
        Attempt(wrong=True, client={"client max protocol": "SMB2_02"}, denied="NT_STATUS_LOGON_FAILURE"),
        ("rejected: STATUS_LOGON_FAILURE",),
    ),
    "unknown_user": (
        "SMB 3.1.1, an account that the server does not know.",
        Attempt(known=False, denied="NT_STATUS_LOGON_FAILURE"),
        ("rejected: STATUS_LOGON_FAILURE",),
    ),
    "account_disabled": (
        "SMB 3.1.1, the right password of a disabled account.",
        Attempt(before=pdbedit("-c", "[D]"), denied="NT_STATUS_ACCOUNT_DISABLED"),
        ("rejected: STATUS_ACCOUNT_DISABLED",),
    ),
    "account_expired": (
        "SMB 3.1.1, the right password of an account that has expired.",
        Attempt(before=pdbedit("--kickoff-time=1000000000"), denied="NT_STATUS_ACCOUNT_EXPIRED"),
        ("rejected: STATUS_ACCOUNT_EXPIRED",),
    ),
    "password_must_change": (
        "SMB 3.1.1, the right password, which has to be changed first.",
        Attempt(before=must_change, denied="NT_STATUS_PASSWORD_MUST_CHANGE"),
        ("rejected: STATUS_PASSWORD_MUST_CHANGE",),
    ),
    "guest": (
        "SMB 3.1.1, an unknown account is let in as guest.",
        Attempt(known=False, server=GUESTS, share=OPEN),
        ("SMB-003: session flag IS_GUEST", "principal svc-dose, accepted as guest"),
    ),
    "guest_smb1": (
        "SMB 1, an unknown account is let in as guest.",
        Attempt(known=False, server=SMB1 | GUESTS, client=SMB1_CLIENT, share=OPEN),
        ("SMB-003: action bit 0", "principal svc-dose, accepted as guest"),
    ),
    "guest_smb21": (
        "SMB 2.1, an unknown account is let in as guest.",
        Attempt(known=False, server=GUESTS, client={"client max protocol": "SMB2_10"}, share=OPEN),
        ("SMB-003: session flag IS_GUEST",),
    ),
    "guest_wrong_password": (
        "SMB 3.1.1, a known account with a wrong password is let in as guest.",
        Attempt(wrong=True, server={"map to guest": "Bad Password"}, share=OPEN),
        ("SMB-003: session flag IS_GUEST", "principal svc-dose, accepted as guest"),
    ),
    "anonymous_ipc": (
        "SMB 3.1.1, anonymous at IPC$.",
        Attempt(None, asked="IPC$"),
        ("anonymous, accepted", "SMB-004 does not fire: IPC$ only"),
    ),
    "anonymous_share": (
        "SMB 3.1.1, anonymous at a share with files, which it reads.",
        Attempt(None, server=GUESTS, share=OPEN),
        ("SMB-004: anonymous at dosereports",),
    ),
    "anonymous_share_smb1": (
        "SMB 1, anonymous at a share with files, which it reads.",
        Attempt(None, server=SMB1 | GUESTS, client=SMB1_CLIENT, share=OPEN),
        ("SMB-004: anonymous at dosereports",),
    ),
    "anonymous_share_no_spnego": (
        "SMB 1 without extended security, anonymous at a share with files.",
        Attempt(None, server=SMB1 | GUESTS, client={**SMB1_CLIENT, **WITHOUT_SPNEGO}, share=OPEN),
        ("SMB-004: anonymous at dosereports",),
    ),
    "anonymous_refused": (
        "SMB 3.1.1, anonymous at a server that restricts it.",
        Attempt(None, server={"restrict anonymous": "2"}, asked="IPC$", denied="NT_STATUS_ACCESS_DENIED"),
        ("anonymous is refused",),
    ),
    "share_refused": (
        "SMB 3.1.1, the right password, but this account may not use the share.",
        Attempt(share=ONLY_OTHERS, denied="NT_STATUS_ACCESS_DENIED"),
        ("svc-dose accepted", "tree connect refused: STATUS_ACCESS_DENIED"),
    ),
    "share_unknown": (
        "SMB 3.1.1, the right password, but there is no such share.",
        Attempt(asked="XRAYS", denied="NT_STATUS_BAD_NETWORK_NAME"),
        ("svc-dose accepted", "tree connect refused: STATUS_BAD_NETWORK_NAME"),
    ),
    "share_refused_smb1": (
        "SMB 1, the right password, but this account may not use the share.",
        Attempt(server=SMB1, client=SMB1_CLIENT, share=ONLY_OTHERS, denied="NT_STATUS_ACCESS_DENIED"),
        ("svc-dose accepted", "tree connect refused: STATUS_ACCESS_DENIED"),
    ),
    "local_account": (
        "SMB 3.1.1, an account of the server, which the client says.",
        Attempt(domain="FS1"),
        ("principal svc-dose, realm FS1", "accepted"),
    ),
    "umlaut": (
        "SMB 3.1.1, an account with a letter outside ASCII.",
        Attempt("svc-r\u00f6ntgen"),
        ("principal svc-r\u00f6ntgen", "accepted"),
    ),
    "own_realm": (
        "SMB 3.1.1, the client says its own name for the realm, as devices do with local accounts.",
        Attempt(domain="WS4"),
        ("principal svc-dose, realm WS4, the account is one of FS1", "accepted"),
    ),
}
for name, (what, made_so, expect) in ATTEMPTS.items():
    scenario(f"smb/{name}", what, SAMBA, SMBCLIENT, expect=expect)(lambda lab, how=made_so: attempt(lab, how))

TRIES = 8


@scenario(
    "smb/old_password",
    "A CT still has the password of before the change and tries it eight times; the account is locked out.",
    SAMBA,
    SMBCLIENT,
    expect=("eight logons of svc-ct rejected", "five with STATUS_LOGON_FAILURE, three with STATUS_ACCOUNT_LOCKED_OUT"),
)
def old_password(lab: Lab) -> None:
    scanner, who = lab.host(CT), account(lab, "svc-ct")
    old = Account(who.name, lab.canaries.token("the password before", 14))
    with smbd(lab, FILESERVER, (who,)) as server:
        policy = ["pdbedit", "-s", str(server.folder / "smb.conf"), "-P", "bad lockout attempt", "-C", "5"]
        lab.run(server.host, policy, env=server.env)
        with lab.capture("tcp"):
            for _ in range(TRIES):
                smbclient(lab, Station(scanner), server, old, ok=(1,))
