"""A TCP server of the lab's own, for protocols that no software at hand serves; it works in this process."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from _net import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _net import Host

PATIENCE_S = 10.0
CHUNK_BYTES = 4096


class Line:
    """One connection, read up to a mark."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._held = connection, b""

    def read(self, mark: bytes) -> bytes:
        """Return what comes up to and with the mark; empty when the peer has closed."""
        while mark not in self._held:
            more = self._connection.recv(CHUNK_BYTES)
            if not more:
                return b""
            self._held += more
        found, _, self._held = self._held.partition(mark)
        return found + mark

    def write(self, data: bytes) -> None:
        """Send."""
        self._connection.sendall(data)

    def ask(self, data: bytes, mark: bytes) -> bytes:
        """Send, and return the answer up to and with the mark. Raises LabError when the peer closes instead."""
        self.write(data)
        answer = self.read(mark)
        if not answer:
            raise LabError(f"closed instead of answering {data[:40]!r}")
        return answer


@contextlib.contextmanager
def answering(host: Host, port: int, talk: Callable[[Line], None]) -> Iterator[None]:
    """Let ``talk`` handle each connection to a machine's port during the block, one after the other."""
    with host.inside():
        listener = socket.create_server((host.ip, port))
    thread = threading.Thread(target=_serve, args=(listener, talk), daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE_S)


def _serve(listener: socket.socket, talk: Callable[[Line], None]) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with contextlib.suppress(OSError), connection:
                talk(Line(connection))


@contextlib.contextmanager
def calling(host: Host, peer: Host, port: int) -> Iterator[Line]:
    """Connect from one machine to another for the block."""
    with host.inside():
        connection = socket.create_connection((peer.ip, port), PATIENCE_S)
    with connection:
        yield Line(connection)
