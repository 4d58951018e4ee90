"""Serve a folder by FTP: ``_ftpserver.py ADDRESS FOLDER USER PASSWORD``; anybody may read it anonymously."""

from __future__ import annotations

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


def main() -> None:
    """Serve until ended."""
    address, folder, user, secret = sys.argv[1:]
    authorizer = DummyAuthorizer()
    authorizer.add_user(user, secret, folder, perm="elrw")
    authorizer.add_anonymous(folder)
    FTPHandler.authorizer = authorizer
    FTPHandler.passive_ports = range(50000, 50100)
    FTPServer((address, 21), FTPHandler).serve_forever()


if __name__ == "__main__":
    main()
