"""What happens inside one connection: several sessions, late ones, compounds, pending answers, large messages."""

from __future__ import annotations

import contextlib
import signal
import socket
from typing import TYPE_CHECKING

from _fleet import CT, FILESERVER, WORKSTATION
from _lab import Lab, scenario
from _net import LabError
from _samba import SAMBA, SMBCLIENT, Account, Share, Station, account, fetch, patient_file, signalled, smbclient, smbd
from _smbprotocol import ANYBODY, connected, folder, opened, session, tree
from smbprotocol.change_notify import CompletionFilter, FileSystemWatcher
from smbprotocol.exceptions import SMBException
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    FileAttributes,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _net import Host
    from _samba import FileServer
    from smbprotocol.connection import Connection

PYTHON = "smbprotocol"
DATA_BYTES = 24_000
LATE_READS = 6


@contextlib.contextmanager
def stage(lab: Lab, *names: str, settings: dict[str, str] | None = None) -> Iterator[tuple[Host, FileServer]]:
    """Run a server with these accounts, plug a workstation in, and record during the block."""
    client = lab.host(WORKSTATION)
    with smbd(lab, FILESERVER, tuple(account(lab, n) for n in names), (Share(),), settings=settings) as server:
        patient_file(lab, server.folder / "share" / Share().name, DATA_BYTES)
        with lab.capture("tcp"):
            yield client, server


def read(lab: Lab, connection: Connection, server: FileServer, who: Account, times: int = 1) -> None:
    """Log on, read the patient's file, stay logged on."""
    name = f"{lab.canaries.token('patient in a file name')}_INVENTED.txt"
    with opened(tree(session(connection, who), server), name) as file:
        for _ in range(times):
            file.read(0, DATA_BYTES)


def refused(connection: Connection, who: Account) -> None:
    """Log on in vain. Raises LabError when it works."""
    try:
        session(connection, who)
    except SMBException:
        return
    raise LabError(f"{who.name} is let in")


@scenario(
    "smb/two_sessions",
    "Two accounts on one connection, one after the other, both logged on.",
    SAMBA,
    PYTHON,
    expect=("svc-dose accepted", "svc-backup accepted", "one connection"),
)
def two_sessions(lab: Lab) -> None:
    with stage(lab, "svc-dose", "svc-backup") as (client, server), connected(client, server) as connection:
        session(connection, account(lab, "svc-dose"))
        session(connection, account(lab, "svc-backup"))


@scenario(
    "smb/three_sessions_one_refused",
    "Three accounts on one connection; the second has a wrong password.",
    SAMBA,
    PYTHON,
    expect=("svc-dose accepted", "svc-old rejected", "svc-backup accepted", "one connection"),
)
def three_sessions(lab: Lab) -> None:
    wrong = Account("svc-old", lab.canaries.token("wrong password", 14))
    with stage(lab, "svc-dose", "svc-old", "svc-backup") as (client, server), connected(client, server) as connection:
        session(connection, account(lab, "svc-dose"))
        refused(connection, wrong)
        session(connection, account(lab, "svc-backup"))


@scenario(
    "smb/late_session",
    "A second account logs on after the first has read for a while.",
    SAMBA,
    PYTHON,
    expect=("svc-dose accepted", "svc-late accepted after 144 kB of reads"),
)
def late_session(lab: Lab) -> None:
    with stage(lab, "svc-dose", "svc-late") as (client, server), connected(client, server) as connection:
        read(lab, connection, server, account(lab, "svc-dose"), LATE_READS)
        session(connection, account(lab, "svc-late"))


@scenario(
    "smb/reauthentication",
    "A session is authenticated anew by the same account.",
    SAMBA,
    PYTHON,
    expect=("svc-dose accepted twice in one session",),
)
def reauthentication(lab: Lab) -> None:
    with stage(lab, "svc-dose") as (client, server), connected(client, server) as connection:
        made = session(connection, account(lab, "svc-dose"))
        with contextlib.suppress(SMBException):  # smbprotocol derives new keys, the server signs its yes with the old
            made.connect()


@scenario(
    "smb/reauthentication_refused",
    "A session is authenticated anew, with a wrong password.",
    SAMBA,
    PYTHON,
    expect=("svc-dose accepted, then rejected, in one session",),
)
def reauthentication_refused(lab: Lab) -> None:
    with stage(lab, "svc-dose") as (client, server), connected(client, server) as connection:
        made = session(connection, account(lab, "svc-dose"))
        made.password = lab.canaries.token("wrong password", 14)
        try:
            made.connect()
        except SMBException:
            return
    raise LabError("the wrong password is taken")


@scenario(
    "smb/logoff_and_on",
    "An account logs off and another one logs on, on the same connection.",
    SAMBA,
    PYTHON,
    expect=("svc-dose accepted", "svc-backup accepted", "a logoff between them"),
)
def logoff_and_on(lab: Lab) -> None:
    with stage(lab, "svc-dose", "svc-backup") as (client, server), connected(client, server) as connection:
        session(connection, account(lab, "svc-dose")).disconnect()
        session(connection, account(lab, "svc-backup")).disconnect()


@scenario(
    "smb/compound",
    "Create, read and close in one compound request.",
    SAMBA,
    PYTHON,
    expect=("NextCommand is not 0; related operations", "svc-dose accepted"),
)
def compound(lab: Lab) -> None:
    with stage(lab, "svc-dose") as (client, server), connected(client, server) as connection:
        made = session(connection, account(lab, "svc-dose"))
        share = tree(made, server)
        file = Open(share, f"{lab.canaries.token('patient in a file name')}_INVENTED.txt")
        create = file.create(
            ImpersonationLevel.Impersonation,
            FilePipePrinterAccessMask.GENERIC_READ,
            FileAttributes.FILE_ATTRIBUTE_NORMAL,
            ANYBODY,
            CreateDisposition.FILE_OPEN,
            CreateOptions.FILE_NON_DIRECTORY_FILE,
            send=False,
        )
        parts = [create, file.read(0, 64, send=False), file.close(get_attributes=False, send=False)]
        sent = connection.send_compound([p[0] for p in parts], made.session_id, share.tree_connect_id, related=True)
        for (_, take), request in zip(parts, sent, strict=True):
            take(request)


@scenario(
    "smb/pending",
    "A change notification is pending while another session on the connection makes a file.",
    SAMBA,
    PYTHON,
    expect=("STATUS_PENDING with an AsyncId, answered later", "svc-dose and svc-backup accepted"),
)
def pending(lab: Lab) -> None:
    with (
        stage(lab, "svc-dose", "svc-backup") as (client, server),
        connected(client, server) as connection,
        folder(tree(session(connection, account(lab, "svc-dose")), server)) as watched,
    ):
        watcher = FileSystemWatcher(watched)
        watcher.start(CompletionFilter.FILE_NOTIFY_CHANGE_FILE_NAME)
        other = tree(session(connection, account(lab, "svc-backup")), server)
        with opened(other, f"{lab.canaries.token('another patient')}_INVENTED.txt"):
            watcher.wait()


@scenario(
    "smb/large_write",
    "A message that needs many TCP segments, then a second logon on the same connection.",
    SAMBA,
    PYTHON,
    expect=("a WRITE of 24,000 bytes in one message", "svc-dose and svc-late accepted"),
)
def large_write(lab: Lab) -> None:
    with stage(lab, "svc-dose", "svc-late") as (client, server), connected(client, server) as connection:
        with opened(tree(session(connection, account(lab, "svc-dose")), server), "export.bin") as file:
            file.write(lab.canaries.token("patient in what is written").encode() * (DATA_BYTES // 10))
        session(connection, account(lab, "svc-late"))


@scenario(
    "smb/given_up",
    "A client that ends the connection after the server's challenge.",
    SAMBA,
    expect=("a challenge, no account, no outcome",),
)
def given_up(lab: Lab) -> None:
    with stage(lab, "svc-dose") as (client, server), connected(client, server) as connection:
        real = connection.transport.send

        def cut(message: bytes) -> None:
            if b"NTLMSSP\x00\x03" in message:
                connection.transport._sock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001
            real(message)

        connection.transport.send = cut
        with contextlib.suppress(Exception):
            session(connection, account(lab, "svc-dose"))


@scenario(
    "smb/reset",
    "The server is killed right after the client's proof: no answer is seen.",
    SAMBA,
    PYTHON,
    expect=("svc-dose, outcome unknown",),
)
def reset(lab: Lab) -> None:
    with stage(lab, "svc-dose") as (client, server), connected(client, server) as connection:
        real = connection.transport.send

        def last(message: bytes) -> None:
            if b"NTLMSSP\x00\x03" in message:
                signalled(server.host, signal.SIGSTOP)
                real(message)
                signalled(server.host, signal.SIGKILL)
            else:
                real(message)

        connection.transport.send = last
        with contextlib.suppress(Exception):
            session(connection, account(lab, "svc-dose"))


def second_logon(lab: Lab, client: dict[str, str]) -> None:
    """Record smbclient logging on as somebody else on the connection that it has."""
    host, first, other = lab.host(WORKSTATION), account(lab, "svc-dose"), account(lab, "svc-backup")
    with smbd(lab, FILESERVER, (first, other), settings={"server min protocol": "NT1"}) as server, lab.capture("tcp"):
        smbclient(lab, Station(host, client), server, first, f"logon {other.name} {other.password}")


@scenario(
    "smb/smb1_two_sessions",
    "SMB 1, two accounts on one connection, each with its own UID.",
    SAMBA,
    SMBCLIENT,
    expect=("svc-dose accepted", "svc-backup accepted", "one connection"),
)
def smb1_two_sessions(lab: Lab) -> None:
    second_logon(lab, {"client min protocol": "NT1", "client max protocol": "NT1"})


@scenario(
    "smb/share_list",
    "A workstation asks a server for its shares, which crosses a pipe on IPC$.",
    SAMBA,
    SMBCLIENT,
    expect=("svc-dose accepted", "share IPC$ only"),
)
def share_list(lab: Lab) -> None:
    host, who = lab.host(WORKSTATION), account(lab, "svc-dose")
    with smbd(lab, FILESERVER, (who,)) as server, lab.capture("tcp"):
        begin = Station(host).command(lab)
        lab.run(host, [*begin, "-g", "-L", f"//{server.host.ip}", "-U", who.option])


@scenario(
    "smb/two_devices",
    "A CT and a workstation, each with its own account, at one server.",
    SAMBA,
    SMBCLIENT,
    expect=("svc-ct from ct1, svc-dose from ws4",),
)
def two_devices(lab: Lab) -> None:
    scanner, client = lab.host(CT), lab.host(WORKSTATION)
    with smbd(lab, FILESERVER, (account(lab, "svc-ct"), account(lab, "svc-dose"))) as server:
        get = fetch(lab, server)
        with lab.capture("tcp"):
            smbclient(lab, Station(scanner), server, account(lab, "svc-ct"), get)
            smbclient(lab, Station(client), server, account(lab, "svc-dose"), get)
