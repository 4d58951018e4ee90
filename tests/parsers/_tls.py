"""Helpers for the tests of TLS, DTLS and X.509: conversations of the captures, and records made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TypeVar

from parsers import _x509, dtls, tls
from parsers.core import Attribute, Fact, Registry, Session
from tests.captures import Piece, Talk, talks
from tests.conftest import PCAPS

REGISTRY = Registry([tls.PROTOCOL, dtls.PROTOCOL])
T = TypeVar("T")


def capture(name: str) -> Path:
    return PCAPS / "tls" / f"{name}.pcap"


@cache
def conversations(path: Path) -> tuple[Talk, ...]:
    return tuple(talks(path))


def state(talk: Talk, pieces: Iterable[Piece] | None = None) -> list[Fact]:
    """What is said about a conversation, or about these pieces of it."""
    session = Session(REGISTRY, talk.over, talk.ports, roles_guessed=talk.over == "udp")
    said: list[Fact] = []
    for piece in talk.pieces if pieces is None else pieces:
        if talk.over == "udp":
            said += session.feed_datagram(piece.lane, piece.data)
        else:
            said += session.feed(piece.lane, piece.data, piece.turn)
    return said + session.end()


@cache
def said(name: str) -> tuple[Fact, ...]:
    """All that is said about the project's capture of that name."""
    return tuple(fact for talk in conversations(capture(name)) for fact in state(talk))


def values(facts: Iterable[Fact], name: str) -> list[str]:
    return [fact.value for fact in facts if isinstance(fact, Attribute) and fact.name == name]


def only(facts: Iterable[Fact], kind: type[T]) -> T:
    found = [fact for fact in facts if isinstance(fact, kind)]
    assert len(found) == 1, found
    return found[0]


def all_of(facts: Iterable[Fact], kind: type[T]) -> list[T]:
    return [fact for fact in facts if isinstance(fact, kind)]


# ---------------------------------------------------------------------- by hand


def record(kind: int, content: bytes, version: bytes = b"\x03\x03") -> bytes:
    return bytes((kind,)) + version + len(content).to_bytes(2, "big") + content


def message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def vector(width: int, content: bytes) -> bytes:
    return len(content).to_bytes(width, "big") + content


def extension(kind: int, content: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(2, content)


def client_hello(extensions: bytes = b"", suites: bytes = b"\xc0\x2f\x00\x2f") -> bytes:
    body = b"\x03\x03" + bytes(32) + b"\x00" + vector(2, suites) + b"\x01\x00"
    return message(1, body + (vector(2, extensions) if extensions else b""))


def server_hello(suite: bytes = b"\xc0\x2f", extensions: bytes = b"", session_id: bytes = b"") -> bytes:
    body = b"\x03\x03" + bytes(32) + vector(1, session_id) + suite + b"\x00"
    return message(2, body + (vector(2, extensions) if extensions else b""))


def certificates(*chain: bytes) -> bytes:
    return message(11, vector(3, b"".join(vector(3, der) for der in chain)))


def feed(initiator: bytes, responder: bytes) -> list[Fact]:
    """What is said about two lanes, the initiator's fed first."""
    session = Session(REGISTRY, "tcp")
    facts = [fact for lane, data in enumerate((initiator, responder)) if data for fact in session.feed(lane, data)]
    return facts + session.end()


def shown(names: Iterable[str]) -> list[tuple[str, bytes]]:
    """The certificates in captures, each once, with the name of the first capture that shows it."""
    found: dict[bytes, str] = {}
    original, current = _x509.read, ""

    def note(der: bytes) -> _x509.Shown:
        found.setdefault(der, current)
        return original(der)

    _x509.read = note  # type: ignore[assignment]
    try:
        for current in names:
            for talk in conversations(capture(current)):
                state(talk)
    finally:
        _x509.read = original
    return [(name, der) for der, name in found.items()]
