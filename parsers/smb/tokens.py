"""Security tokens of session set-ups: SPNEGO around NTLM or Kerberos, or one of these by itself.

A token that cannot be read costs an anomaly, never the lane: the answer to it can be read all the same.

Spec: MS-SMB2 3.2.4.2.4; MS-SMB 2.2.4.6
"""

from __future__ import annotations

from typing import Final

import msgspec

from parsers import _kerberos, _ntlm, _spnego
from parsers.core import Anomaly, Attribute, Authentication, Conversation, Field, ProtocolError, Side

OFFERED_MECHANISM: Final = Field("smb.offered_mechanism", "RFC 4178 4.2.1")

Stated = Attribute | Anomaly

_UNDER_WAY: Final = frozenset({"accept-incomplete", "request-mic"})


class Token(msgspec.Struct):
    """What a token says.

    Attributes:
        facts: about either side.
        claim: who asks for a session.
        challenge: a server's own names, as details of an `Authentication`.
        refusal: why a Kerberos ticket was refused, by name.
        continues: the server goes on with what it was shown: it proves itself, or asks for a checksum. A server that
            names NTLM where it was shown a ticket passes the ticket over.
    """

    facts: list[Stated] = msgspec.field(default_factory=list)
    claim: Authentication | None = None
    challenge: dict[str, str] = {}
    refusal: str = ""
    continues: bool = False


def read(data: bytes, side: Side, talk: Conversation) -> Token:
    """A security token that `side` sent; empty ones say nothing."""
    token = Token()
    if data:
        try:
            _read(data, side, talk, token)
        except ProtocolError as error:
            token.facts.append(Anomaly(talk.me(side), f"security_token_{error.code}", detail=error.what))
    return token


def _read(data: bytes, side: Side, talk: Conversation, token: Token) -> None:
    negotiation = _spnego.parse(data)
    token.facts += [OFFERED_MECHANISM(talk.me(side), name) for name in negotiation.offered]
    inner = negotiation.token
    if inner.startswith(_ntlm.SIGNATURE):
        _ntlm_message(inner, side, talk, token)
    elif inner and _kerberos.begins(inner):
        _kerberos_message(inner, side, talk, token)
    if side is Side.RESPONDER and not inner and negotiation.chosen != "NTLMSSP":
        token.continues = negotiation.state in _UNDER_WAY


def _ntlm_message(inner: bytes, side: Side, talk: Conversation, token: Token) -> None:
    message = _ntlm.parse(inner)
    if isinstance(message, _ntlm.Challenge) is (side is Side.INITIATOR):
        return  # what the wrong side says is believed of nobody
    token.facts += _ntlm.facts_of(message, talk.me(side), talk.peer(side))
    if isinstance(message, _ntlm.Challenge):
        token.challenge = _ntlm.target_of(message)
    elif isinstance(message, _ntlm.Authenticate):
        token.claim = _ntlm.claim(message, talk.me(side))


def _kerberos_message(inner: bytes, side: Side, talk: Conversation, token: Token) -> None:
    message = _kerberos.parse(inner)
    if isinstance(message, _kerberos.ApReq) and side is Side.INITIATOR:
        token.facts += _kerberos.facts_of(message, talk.peer(side))
        token.claim = _kerberos.claim(message, talk.me(side))
    elif isinstance(message, _kerberos.KrbError) and side is Side.RESPONDER:
        token.refusal = message.code
    elif isinstance(message, _kerberos.ApRep):
        token.continues = side is Side.RESPONDER
