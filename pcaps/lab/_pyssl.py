"""Python's ssl module on both sides, in this process."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _net import Host
    from _pki import Credential

LINE = b"invented line\n"
PATIENCE_S = 10.0


def context(
    side: ssl._SSLMethod, version: ssl.TLSVersion, own: Credential | None = None, trust: str = ""
) -> ssl.SSLContext:
    """Return a context for exactly one version; ``trust`` is the root that the peer's certificate is checked with."""
    made = ssl.SSLContext(side)
    if version < ssl.TLSVersion.TLSv1_2:
        made.set_ciphers("DEFAULT@SECLEVEL=0")
    made.minimum_version = made.maximum_version = version
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED if trust else ssl.CERT_NONE
    if trust:
        made.load_verify_locations(trust)
    if own:
        bundle = own.cert.with_suffix(".bundle")
        bundle.write_text("".join(p.read_text() for p in (own.cert, *own.issuers)))
        made.load_cert_chain(bundle, own.key)
    return made


def _echo(listener: socket.socket, made: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError):
        while True:
            plain, _ = listener.accept()
            with contextlib.suppress(OSError), made.wrap_socket(plain, server_side=True) as peer:
                peer.sendall(peer.recv(len(LINE)))
                peer.recv(1)


@contextlib.contextmanager
def serving(host: Host, port: int, made: ssl.SSLContext) -> Iterator[None]:
    """Echo one line a connection on a host during the block."""
    with host.inside():
        listener = socket.create_server((host.ip, port))
    thread = threading.Thread(target=_echo, args=(listener, made), daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE_S)


def call(host: Host, server: Host, port: int, made: ssl.SSLContext, name: str) -> None:
    """Say one line and hear it again. Raises OSError."""
    with host.inside():
        plain = socket.create_connection((server.ip, port), PATIENCE_S)
    with plain, made.wrap_socket(plain, server_hostname=name) as peer:
        peer.sendall(LINE)
        peer.recv(len(LINE))
