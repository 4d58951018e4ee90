"""A web portal's way to ask a directory, on ldap3: ``_portal.py SERVER CA_FILE NAME BASE FILTER``, password on stdin.

It binds over LDAPS, checks the certificate, and speaks TLS 1.2, as applications of some years ago do.
"""

from __future__ import annotations

import ssl
import sys

from ldap3 import NONE, Connection, Server, Tls


def main() -> None:
    """Bind, search, unbind."""
    server, authority, name, base, wanted = sys.argv[1:]
    tls = Tls(validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLSv1_2, ca_certs_file=authority)
    at = Server(server, use_ssl=True, tls=tls, get_info=NONE)
    with Connection(at, name, sys.stdin.readline().strip(), auto_bind=True) as connection:
        connection.search(base, wanted, attributes=["cn"])


if __name__ == "__main__":
    main()
