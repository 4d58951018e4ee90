"""Fuzz target of the SMB dissector: any bytes, in both lanes, never an exception and never more than they allow.

Tokens of NTLM, SPNEGO and Kerberos are tried by themselves as well, since few changes of a stream reach them.
"""

from __future__ import annotations

from itertools import groupby

from parsers import _kerberos, _ntlm, _spnego
from parsers.core import Authentication, Outcome, ProtocolError, Registry, Session
from parsers.smb import PROTOCOL
from parsers.smb.session import PENDING_MAX, SESSIONS_MAX, Connection
from tests.fuzz import streams

_REGISTRY = Registry([PROTOCOL])
MIDSTREAM, LOSS, ONE_LANE, LANE = 1, 2, 4, 8
FACTS_MAX = 40
TOKEN = 0xFF  # of the first byte: the rest is a token


def fuzz_one(data: bytes) -> None:
    """The first byte says how: from the middle, with losses, one lane or by turns, and in which pieces."""
    if not data:
        return
    how, body = data[0], data[1:]
    if how == TOKEN:
        _token(body)
        return
    session = Session(_REGISTRY, "tcp", midstream=bool(how & MIDSTREAM), roles_guessed=bool(how & MIDSTREAM))
    facts = []
    for number, said in enumerate(body.split(streams.MARK)):
        lane = bool(how & LANE) if how & ONE_LANE else number & 1
        if how & LOSS and number % 5 == 4:
            facts += session.gap(lane)
        step = max(1, (how >> 4) * 97 or len(said))
        for at in range(0, len(said), step):
            facts += session.feed(lane, said[at : at + step], 1 + number // 2)
    _bounded(session)
    facts += session.end()
    assert len(facts) <= FACTS_MAX + len(body)
    if how & ONE_LANE and not how & MIDSTREAM:
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
    """What real connections say, by turns and as one lane, and what stands in their tokens."""
    seeds: set[bytes] = set()
    for number, talk in enumerate(streams.talks("smb")):
        turns = [(lane, b"".join(data for _, data in said)) for lane, said in groupby(talk, lambda part: part[0])]
        choice = number * 16 & 0xF0
        whole = streams.MARK.join(data for _, data in turns)
        seeds |= {bytes([choice]) + whole, bytes([choice | LOSS]) + whole, bytes([choice | MIDSTREAM]) + whole}
        for lane in (0, 1):
            alone = b"".join(data for side, data in turns if side == lane)
            seeds.add(bytes([choice & 0x70 | ONE_LANE | LANE * lane]) + alone)
        seeds |= {bytes([TOKEN]) + token for _, data in turns for token in _tokens(data)}
    return sorted(seeds)


def _tokens(data: bytes) -> list[bytes]:
    """Where a token may begin, to the end of what was said at once."""
    marks = (_ntlm.SIGNATURE, b"\x06\x06\x2b\x06\x01\x05\x05\x02", b"\x6e\x82")
    found = [data.find(mark) for mark in marks]
    return [
        data[max(0, at - (4 if mark[0] == 6 else 0)) :][:2_000]
        for at, mark in zip(found, marks, strict=True)
        if at >= 0
    ]
