"""Security tokens of session set-ups: SPNEGO around NTLM or Kerberos, or one of these by itself.

A token that cannot be read costs an anomaly, never the lane: the answer to it can be read all the same.

Spec: MS-SMB2 3.2.4.2.4; MS-SMB 2.2.4.6
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from parsers import _kerberos, _ntlm, _spnego
from parsers._spnego import Negotiation
from parsers.core import Anomaly, Attribute, Authentication, Conversation, Field, ProtocolError, Side

OFFERED_MECHANISM: Final = Field("smb.offered_mechanism", "RFC 4178 4.2.1")

Stated = Attribute | Anomaly

MEMO_MAX: Final = 256
MEMO_MAX_BYTES: Final = 128
"""Of tokens that are kept: what is offered, taken and answered. Proofs and tickets are longer, or are left out."""

ME: Final = tuple(Conversation().me(side) for side in Side)  # the same in all conversations
_UNDER_WAY: Final = frozenset({"accept-incomplete", "request-mic"})
_PROOF: Final = _ntlm.SIGNATURE + b"\x03"


class Token(msgspec.Struct, frozen=True):
    """What a token says.

    Attributes:
        facts: about either side.
        claim: who asks for a session.
        challenge: a server's own names, as details of an `Authentication`.
        refusal: why a Kerberos ticket was refused, by name.
        continues: the server goes on with what it was shown: it proves itself, or asks for a checksum. A server that
            names NTLM where it was shown a ticket passes the ticket over.
    """

    facts: tuple[Stated, ...] = ()
    claim: Authentication | None = None
    challenge: dict[str, str] = {}
    refusal: str = ""
    continues: bool = False


NOTHING: Final = Token()


def read(data: bytes, side: Side) -> Token:
    """A security token that `side` sent; empty ones say nothing. The result is shared: do not change it."""
    if not data:
        return NOTHING
    if len(data) > MEMO_MAX_BYTES or _PROOF in data:
        return _read(data, side)
    return _known(data, side)


def _read(data: bytes, side: Side) -> Token:
    facts: list[Stated] = []
    try:
        negotiation = _spnego.parse(data)
        facts += [OFFERED_MECHANISM(ME[side], name) for name in negotiation.offered]
        said = _inside(negotiation, side)
    except ProtocolError as error:
        facts.append(Anomaly(ME[side], f"security_token_{error.code}", detail=error.what))
        said = NOTHING
    return msgspec.structs.replace(said, facts=(*facts, *said.facts)) if facts else said


_known: Final = lru_cache(MEMO_MAX)(_read)


def _inside(negotiation: Negotiation, side: Side) -> Token:
    """The token of the mechanism itself. What the wrong side says is believed of nobody."""
    inner = negotiation.token
    if inner.startswith(_ntlm.SIGNATURE):
        return _ntlm_message(_ntlm.parse(inner), side)
    if inner and _kerberos.begins(inner):
        return _kerberos_message(_kerberos.parse(inner), side)
    under_way = side is Side.RESPONDER and not inner and negotiation.chosen != "NTLMSSP"
    return Token(continues=under_way and negotiation.state in _UNDER_WAY)


def _ntlm_message(message: _ntlm.Message, side: Side) -> Token:
    if isinstance(message, _ntlm.Challenge):
        return _challenge(message) if side is Side.RESPONDER else NOTHING
    if side is Side.RESPONDER:
        return NOTHING
    me = ME[side]
    claim = _ntlm.claim(message, me) if isinstance(message, _ntlm.Authenticate) else None
    return Token(tuple(_ntlm.facts_of(message, me, ME[side.peer])), claim)


@lru_cache(MEMO_MAX)
def _challenge(message: _ntlm.Challenge) -> Token:
    """A server says the same of itself each time."""
    facts = _ntlm.facts_of(message, ME[Side.RESPONDER], ME[Side.INITIATOR])
    return Token(tuple(facts), challenge=_ntlm.target_of(message))


def _kerberos_message(message: _kerberos.Message, side: Side) -> Token:
    if isinstance(message, _kerberos.ApReq) and side is Side.INITIATOR:
        facts = tuple(_kerberos.facts_of(message, ME[side.peer]))
        return Token(facts, _kerberos.claim(message, ME[side]))
    if isinstance(message, _kerberos.KrbError) and side is Side.RESPONDER:
        return Token(refusal=message.code)
    return Token(continues=isinstance(message, _kerberos.ApRep) and side is Side.RESPONDER)
