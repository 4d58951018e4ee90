"""Fuzz target of the SMB dissector: any bytes, in both lanes, never an exception and never more than they allow.

Tokens of NTLM, SPNEGO and Kerberos are tried by themselves as well, since few changes of a stream reach them.
"""

from __future__ import annotations

from parsers import _kerberos, _ntlm, _spnego
from parsers.core import Authentication, Outcome, ProtocolError, Registry, Session
from parsers.smb import PROTOCOL
from parsers.smb.session import PENDING_MAX, SESSIONS_MAX, Connection
from tests.fuzz import streams

_REGISTRY = Registry([PROTOCOL])
FACTS_MAX = 40
TOKEN = 0xFF  # of the first byte: the rest is a token


def fuzz_one(data: bytes) -> None:
    """A token, or see `streams.feed`."""
    if not data:
        return
    how = data[0]
    if how == TOKEN:
        _token(data[1:])
        return
    midstream = bool(how & streams.MIDSTREAM)
    session = Session(_REGISTRY, "tcp", midstream=midstream, roles_guessed=midstream)
    facts = streams.feed(session, data)
    _bounded(session)
    assert len(facts) <= FACTS_MAX + len(data)
    if how & streams.ONE_LANE and not midstream:
        said_to = [fact.outcome for fact in facts if isinstance(fact, Authentication)]
        assert all(outcome is Outcome.UNKNOWN for outcome in said_to), "answered by nobody"


def _bounded(session: Session) -> None:
    connection = session.talk.shared(Connection)
    assert len(connection._sessions) <= SESSIONS_MAX
    assert max(map(len, (connection._signing, connection._shares, connection._connected))) <= PENDING_MAX


def _token(data: bytes) -> None:
    for parse in (_spnego.parse, _ntlm.parse, _kerberos.parse, _kerberos.begins):
        try:
            parse(data)
        except ProtocolError:
            continue


def corpus() -> list[bytes]:
    """What real connections say, and what stands in their tokens."""
    said = [b"".join(data for _, data in turn) for talk in streams.talks("smb") for turn in streams.turns_of(talk)]
    tokens = {bytes([TOKEN]) + token for data in said for token in _tokens(data)}
    return [*streams.inputs_for("smb"), *sorted(tokens)]


def _tokens(data: bytes) -> list[bytes]:
    """Where a token may begin, to the end of what was said at once."""
    marks = (_ntlm.SIGNATURE, b"\x06\x06\x2b\x06\x01\x05\x05\x02", b"\x6e\x82")
    found = [data.find(mark) for mark in marks]
    return [
        data[max(0, at - (4 if mark[0] == 6 else 0)) :][:2_000]
        for at, mark in zip(found, marks, strict=True)
        if at >= 0
    ]
