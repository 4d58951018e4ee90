"""Fuzz target: TLS and DTLS, both lanes; and a certificate."""

from __future__ import annotations

from typing import Final

from parsers import _x509, dtls, tls
from parsers.core import Registry, Session

REGISTRY: Final = Registry([tls.PROTOCOL, dtls.PROTOCOL])


def fuzz_one(data: bytes) -> None:
    """The first byte chooses: how the rest is cut, or that it is a certificate."""
    if not data:
        return
    choice, rest = data[0], data[1:]
    if choice & 3 == 3:
        _x509._read(rest)
        return
    over = "udp" if choice & 1 else "tcp"
    session = Session(REGISTRY, over, midstream=bool(choice & 4), roles_guessed=bool(choice & 8))
    for number, piece in enumerate(rest.split(b"\xfa\xce")):
        lane = number & 1
        if over == "udp":
            session.feed_datagram(lane, piece)
        elif piece[:1] == b"\xff" and choice & 16:
            session.gap(lane)
        elif piece:
            session.feed(lane, piece, 1 + number // 2)
    session.end()
