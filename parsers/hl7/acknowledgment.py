# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""Acknowledgments: what became of a message, found by its control id (MSH-10 in MSA-2).

The answer to a message can be read before the message only where packets were captured out of order. Such an early
answer counts only as long as nothing is missing and its control id is new to the conversation: there are senders who
use one control id for all, and the answer to a lost message must not become the answer to the next one.

In enhanced mode there may be two answers: the accept acknowledgment (C...) at once, and an application acknowledgment
(A...) later. The first one counts. An application acknowledgment that comes after bytes were missing may be the second
one; where two were asked for, it counts for nothing then. (Many receivers send one of type A whatever was asked for.)

Spec: HL7 v2 ch. 2.9, 2.14.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from parsers.core import Attribute, Authentication, Channel, Field, Outcome, Side, Subject
from parsers.core.conversation import Conversation
from parsers.hl7.header import Header

if TYPE_CHECKING:
    from parsers.hl7.whole import Whole

OUTCOMES: Final = {
    "AA": Outcome.ACCEPTED,
    "CA": Outcome.ACCEPTED,
    "AE": Outcome.REJECTED,
    "AR": Outcome.REJECTED,
    "CE": Outcome.REJECTED,
    "CR": Outcome.REJECTED,
}
_DETAILS: Final[dict[str, dict[str, Any]]] = {code: {"acknowledgment_code": code} for code in OUTCOMES}
REMEMBERED_MAX: Final = 512
EARLY_MAX: Final = 64
_CHANNEL: Final = "hl7-channel"
_UNFRAMED: Final = "hl7-unframed"

FRAMING: Final = Field("hl7.framing", "HL7 v2 implementation guide C.2")

FRAMED: Final = tuple(FRAMING(Subject(side), "mllp") for side in Side)
FRAMED_CHANNEL: Final = Channel(Subject(Side.RESPONDER), "HL7 v2", details={"framing": "mllp"}, spec="HL7 v2 ch. 2.10")

# Who asked, and the control id. What stands in MSH-8 is asked about under a key of its own.
_Key = bytes
_ASKER: Final = (b"0", b"1")
_SECURITY: Final = b"security "

# Whether the message has an MSH-8; and how many gaps there were, if there may be two answers.
_Awaited = tuple[bool, int | None]


class Dialogue:
    """What both lanes of a conversation know of each other."""

    def __init__(self) -> None:
        self.messages = [0, 0]  # by side
        self._awaited: dict[_Key, _Awaited] = {}
        self._doubtful: dict[_Key, None] = {}
        self._known: dict[_Key, None] = {}
        self._early: dict[_Key, str] = {}
        self._framed = [False, False]
        self._told: set[tuple[str, Side]] = set()

    # ------------------------------------------------------------------ messages and answers

    def settle(
        self, whole: Whole, said: Header, side: Side, control_id: bytes, secret: bytes, talk: Conversation
    ) -> None:
        """A whole message with this header was read: it asks who sent it, or answers, under a control id."""
        if whole.asks:
            self.asked(side, control_id, said, secret, talk)
        elif whole.code:
            self.answered(side, whole.code, control_id, talk)

    def asked(self, side: Side, control_id: bytes, header: Header, secret: bytes, talk: Conversation) -> None:
        """A message that claims a sender was read; its answer is not known yet."""
        security = header.security(secret) if secret else None
        self.claimed(side, control_id, header.claim, security, header.twice_acknowledged, talk)

    def claimed(
        self,
        side: Side,
        control_id: bytes,
        claim: Authentication | None,
        security: Authentication | None,
        twice: bool,  # noqa: FBT001 - C has no keywords
        talk: Conversation,
    ) -> None:
        """The same, by what its header and its MSH-8 claim, and whether it may be acknowledged twice."""
        key = _ASKER[side] + control_id
        if not control_id or self._is_doubtful(key, talk):
            talk.emit_all([one for one in (claim, security) if one is not None])
            return
        if claim is not None:
            talk.ask(key, claim)
        if security is not None:
            talk.ask(_SECURITY + key, security)
        _remember(self._awaited, key, (security is not None, talk.gaps if twice else None))
        if self._early:
            early = self._early.pop(key, None)
            if early is not None and not self._unsure(key, talk):
                self._answer(key, early, talk)
        _remember(self._known, key, None)

    def answered(self, side: Side, code: str, control_id: bytes, talk: Conversation) -> None:
        """`side` acknowledged a message of its peer."""
        key = _ASKER[1 - side] + control_id
        if not control_id or code not in OUTCOMES:
            return
        if key in self._awaited:
            self._answer(key, code, talk)
        elif not self._unsure(key, talk) and key not in self._early:
            self._early[key] = code
            if len(self._early) > EARLY_MAX:
                del self._early[next(iter(self._early))]

    def _unsure(self, key: _Key, talk: Conversation) -> bool:
        """Whether an early answer may belong to another message."""
        return bool(talk.gaps) or talk.midstream or key in self._known

    def _answer(self, key: _Key, code: str, talk: Conversation) -> None:
        secured, gaps = self._awaited[key]
        if code[0] == "A" and gaps is not None and gaps != talk.gaps:
            return
        del self._awaited[key]
        talk.answer_with(key, OUTCOMES[code], _DETAILS[code], True)
        if secured:
            talk.answer_with(_SECURITY + key, OUTCOMES[code], _DETAILS[code], True)

    def _is_doubtful(self, key: _Key, talk: Conversation) -> bool:
        """Whether several messages with one control id were open at once: nobody can tell whose answer came."""
        if key in self._awaited:
            del self._awaited[key]
            talk.answer(key, Outcome.UNKNOWN, positional=True)
            talk.answer(_SECURITY + key, Outcome.UNKNOWN, positional=True)
            _remember(self._doubtful, key, None)
        return key in self._doubtful

    # ------------------------------------------------------------------ frames and the channel

    def spoke(self, side: Side, talk: Conversation) -> None:
        """A message of `side` was read: there is a channel."""
        if not self.messages[side]:
            self._began(side, talk)
        self.messages[side] += 1

    def _began(self, side: Side, talk: Conversation) -> None:
        if not any(self.messages):
            self._open(talk)
        if not self._framed[side]:
            talk.defer((_UNFRAMED, side), lambda: self._unframed(side, talk))

    def _open(self, talk: Conversation) -> None:
        """The channel is told when it is known how the initiator frames its messages."""
        if self._framed[Side.INITIATOR]:
            talk.emit(FRAMED_CHANNEL)
        else:
            talk.defer(_CHANNEL, lambda: self._channel(talk))

    def framed(self, side: Side, talk: Conversation) -> None:
        """A start or an end block was read."""
        if not self._framed[side]:
            self._framed[side] = True
            talk.emit(FRAMED[side])
            if side is Side.INITIATOR:
                talk.release(_CHANNEL)

    def batched(self, side: Side, talk: Conversation) -> None:
        """The header of a batch or file was read."""
        self._once("batch", side, talk)

    def committed(self, side: Side, talk: Conversation) -> None:
        """A commit acknowledgment was read."""
        self._once("mllp-2", side, talk)

    def _once(self, framing: str, side: Side, talk: Conversation) -> None:
        if (framing, side) not in self._told:
            self._told.add((framing, side))
            talk.emit(FRAMING(talk.me(side), framing))

    def _framing(self, side: Side, talk: Conversation) -> str | None:
        """How `side` frames its messages. That it does not is only certain where all of the lane was read."""
        if self._framed[side]:
            return "mllp"
        return None if talk.gaps or talk.midstream or not self.messages[side] else "none"

    def _unframed(self, side: Side, talk: Conversation) -> Attribute | None:
        framing = self._framing(side, talk)
        return FRAMING(talk.me(side), framing) if framing == "none" else None

    def _channel(self, talk: Conversation) -> Channel:
        """Its framing is the initiator's: of the two lanes one may be missing."""
        framing = self._framing(Side.INITIATOR, talk)
        details = {"framing": framing} if framing is not None else {}
        return Channel(talk.me(Side.RESPONDER), "HL7 v2", details=details, spec="HL7 v2 ch. 2.10")


T = TypeVar("T")


def _remember(where: dict[_Key, T], key: _Key, value: T) -> None:
    """The newest one last; the oldest one goes."""
    where.pop(key, None)
    where[key] = value
    if len(where) > REMEMBERED_MAX:
        del where[next(iter(where))]
