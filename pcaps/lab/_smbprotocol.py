"""smbprotocol on the lab's machines, in this process: what no command line offers."""

from __future__ import annotations

import contextlib
import os
import uuid
from typing import TYPE_CHECKING

from _samba import SHARE
from smbprotocol.connection import Connection, Dialects
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FileAttributes,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    ShareAccess,
)
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _net import Host
    from _samba import Account, FileServer

CLIENT_GUIDS = uuid.UUID("5ba7c1a0-0000-4000-8000-000000000000")
ANYBODY = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE


@contextlib.contextmanager
def connected(host: Host, server: FileServer, dialect: Dialects | None = None) -> Iterator[Connection]:
    """Connect from a machine, whose name NTLM says, and negotiate one dialect or the newest, for the block."""
    guid = uuid.uuid5(CLIENT_GUIDS, host.name)
    made = Connection(guid, server.host.ip, 445, require_signing=True)
    os.environ["NETBIOS_COMPUTER_NAME"] = host.name.upper()
    with host.inside():
        made.connect(dialect)
    try:
        yield made
    finally:
        made.disconnect(close=False)


def session(connection: Connection, who: Account) -> Session:
    """Log on with NTLM and return the session. Raises smbprotocol's error when refused."""
    name = f"{who.domain}\\{who.name}" if who.domain else who.name
    made = Session(connection, name, who.password, require_encryption=False, auth_protocol="ntlm")
    made.connect()
    return made


def tree(of: Session, server: FileServer, share: str = SHARE) -> TreeConnect:
    """Connect a share."""
    made = TreeConnect(of, rf"\\{server.name}\{share}")
    made.connect(require_secure_negotiate=False)
    return made


@contextlib.contextmanager
def opened(in_tree: TreeConnect, name: str) -> Iterator[Open]:
    """Have a file open, made if it is not there, for the block."""
    made = Open(in_tree, name)
    made.create(
        ImpersonationLevel.Impersonation,
        FilePipePrinterAccessMask.GENERIC_READ | FilePipePrinterAccessMask.GENERIC_WRITE,
        FileAttributes.FILE_ATTRIBUTE_NORMAL,
        ANYBODY,
        CreateDisposition.FILE_OPEN_IF,
        CreateOptions.FILE_NON_DIRECTORY_FILE,
    )
    yield made
    made.close()


@contextlib.contextmanager
def folder(in_tree: TreeConnect) -> Iterator[Open]:
    """Have the share's folder open for the block."""
    made = Open(in_tree, "")
    made.create(
        ImpersonationLevel.Impersonation,
        DirectoryAccessMask.FILE_LIST_DIRECTORY | DirectoryAccessMask.FILE_READ_ATTRIBUTES,
        FileAttributes.FILE_ATTRIBUTE_DIRECTORY,
        ANYBODY,
        CreateDisposition.FILE_OPEN,
        CreateOptions.FILE_DIRECTORY_FILE,
    )
    yield made
    made.close()
