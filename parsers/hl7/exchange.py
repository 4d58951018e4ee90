# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""A connection for one message: it and its acknowledgment, both of known patterns, are told without lanes.

Nothing is kept of them but what was told, and the control id.

Spec: HL7 v2 ch. 2.9.
"""

from __future__ import annotations

from parsers.core import Conversation, Fact, Reader, Side, Steps
from parsers.core.conversation import answered
from parsers.core.exchange import Exchange as _Exchange
from parsers.hl7 import framing, opening
from parsers.hl7.acknowledgment import FRAMED, FRAMED_CHANNEL, OUTCOMES
from parsers.hl7.lane import dissect
from parsers.hl7.opening import Opening

_INITIATOR, _RESPONDER = Side


class Exchange(_Exchange):
    """See the module."""

    __slots__ = ("_answer", "_question")

    def __init__(self) -> None:
        self._question: Opening | None = None
        self._answer: Opening | None = None

    def ask(self, data: bytes) -> list[Fact] | None:
        """A message that claims a sender."""
        begun = opening.known(data, _INITIATOR)
        if begun is None or not begun.whole.asks or not begun.said.claims or not begun.control_id:
            return None
        if not framing.is_text(data):
            return None
        self._question = begun
        ahead, after = begun.whole.facts
        return [FRAMED[_INITIATOR], *begun.said.facts, FRAMED_CHANNEL, *ahead, *after]

    def answer(self, data: bytes) -> list[Fact] | None:
        """Its acknowledgment."""
        begun, asked = opening.known(data, _RESPONDER), self._question
        if begun is None or asked is None or begun.control_id != asked.control_id or not begun.whole.code:
            return None
        if not framing.is_text(data):
            return None
        self._answer = begun
        (ahead, after), code = begun.whole.facts, begun.whole.code
        claim = answered(asked.said.sender, OUTCOMES[code], {"acknowledgment_code": code})
        return [FRAMED[_RESPONDER], *begun.said.facts, *ahead, claim, *after]

    def end(self) -> list[Fact]:
        """Nobody has answered."""
        return [self._question.said.sender] if self._question is not None and self._answer is None else []

    def go_on(self, r: Reader, side: Side, talk: Conversation) -> Steps:
        """The lane behind its first message."""
        return dissect(r, side, talk, self._answer if side else self._question)
