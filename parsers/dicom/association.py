"""Association: who wants to speak with whom, about what, in which encodings, and whether that was granted.

A-ASSOCIATE-RQ and -AC, after the six bytes of the PDU's header:

| offset | length | meaning |
|---|---|---|
| 0 | 2 | protocol version; bit 0 is version 1 |
| 4 | 16 | called AE title |
| 20 | 16 | calling AE title |
| 68 | | items: type 1, reserved 1, length 2, value |

In the answer the titles are echoes and are not read. What both PDUs say together (which proposed class was accepted)
is told by whichever is read last; the lanes may come in any order, and one may be missing.

Spec: PS3.8 9.3.2-9.3.4, D.1; PS3.7 D.3.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec

from parsers.core import (
    Attribute,
    Authentication,
    Channel,
    Conversation,
    Cursor,
    Field,
    Malformed,
    Outcome,
    Protection,
    ProtocolError,
    Sensitivity,
    Side,
    Subject,
)
from parsers.dicom import identity
from parsers.dicom.identity import Identity

CALLING_AE: Final = Field("dicom.calling_ae_title", "PS3.8 9.3.2")
CALLED_AE: Final = Field("dicom.called_ae_title", "PS3.8 9.3.2")
PROPOSED_ABSTRACT_SYNTAX: Final = Field("dicom.proposed_abstract_syntax", "PS3.8 9.3.2.2.1")
PROPOSED_TRANSFER_SYNTAX: Final = Field("dicom.proposed_transfer_syntax", "PS3.8 9.3.2.2.2")
ACCEPTED_ABSTRACT_SYNTAX: Final = Field("dicom.accepted_abstract_syntax", "PS3.8 9.3.3.2")
ACCEPTED_TRANSFER_SYNTAX: Final = Field("dicom.accepted_transfer_syntax", "PS3.8 9.3.3.2.1")
PRESENTATION_RESULT: Final = Field("dicom.presentation_result", "PS3.8 9.3.3.2")
MAX_PDU_LENGTH: Final = Field("dicom.max_pdu_length", "PS3.8 D.1.1")
IMPLEMENTATION_UID: Final = Field("dicom.implementation_class_uid", "PS3.7 D.3.3.2.1")
IMPLEMENTATION_VERSION: Final = Field("dicom.implementation_version_name", "PS3.7 D.3.3.2.3")
ASYNC_OPERATIONS: Final = Field("dicom.async_operations", "PS3.7 D.3.3.3")
ROLE: Final = Field("dicom.role", "PS3.7 D.3.3.4")
EXTENDED_NEGOTIATION: Final = Field("dicom.sop_class_extended_negotiation", "PS3.7 D.3.3.5")
COMMON_EXTENDED: Final = Field("dicom.sop_class_common_extended_negotiation", "PS3.7 D.3.3.6")
REJECT: Final = Field("dicom.reject", "PS3.8 9.3.4")
ABORT: Final = Field("dicom.abort", "PS3.8 9.3.8")

CONTEXTS_MAX: Final = 128
CONTEXT_BYTES: Final = 448
SYNTAX_BYTES: Final = 120
SUB_ITEMS_MAX: Final = 512
KNOWN_MAX: Final = 64
KNOWN_MAX_BYTES: Final = 8_192
_DEFLATED: Final = "1.2.840.10008.1.2.1.99"

_RESULTS: Final = {1: "rejected_permanent", 2: "rejected_transient"}
_SOURCES: Final = {1: "service_user", 2: "service_provider_acse", 3: "service_provider_presentation"}
_REASONS: Final = {
    (1, 1): "no_reason_given",
    (1, 2): "application_context_name_not_supported",
    (1, 3): "calling_ae_title_not_recognized",
    (1, 7): "called_ae_title_not_recognized",
    (2, 1): "no_reason_given",
    (2, 2): "protocol_version_not_supported",
    (3, 1): "temporary_congestion",
    (3, 2): "local_limit_exceeded",
}
_PRESENTATION_RESULTS: Final = {
    1: "user_rejection",
    2: "no_reason",
    3: "abstract_syntax_not_supported",
    4: "transfer_syntaxes_not_supported",
}
_ABORT_SOURCES: Final = {0: "service_user", 2: "service_provider"}
_ABORT_REASONS: Final = {
    0: "reason_not_specified",
    1: "unrecognized_pdu",
    2: "unexpected_pdu",
    4: "unrecognized_pdu_parameter",
    5: "unexpected_pdu_parameter",
    6: "invalid_pdu_parameter_value",
}


class Context(msgspec.Struct):
    """A presentation context, as proposed (`syntaxes` offered) or answered (`syntaxes`: the chosen one)."""

    abstract_syntax: str = ""
    syntaxes: tuple[str, ...] = ()
    result: int = 0


class Terms(msgspec.Struct):
    """What one side's A-ASSOCIATE says."""

    calling: str = ""
    called: str = ""
    contexts: dict[int, Context] = {}
    identity: Identity | None = None
    server_response: bool = False
    async_window: tuple[int, int] | None = None

    @property
    def pipelined(self) -> bool:
        """It lets more than one operation be under way (0 is no limit)."""
        return self.async_window is not None and any(window != 1 for window in self.async_window)

    @property
    def kept_bytes(self) -> int:
        """What its presentation contexts take."""
        return sum(CONTEXT_BYTES + SYNTAX_BYTES * len(context.syntaxes) for context in self.contexts.values())


class _IdentifiesError(Exception):
    """There is a user identity among the items."""


class Reject(msgspec.Struct, frozen=True):
    """Why an association was refused, by name."""

    result: str
    source: str
    reason: str


_CHANNEL: Final = Channel(Subject(Side.RESPONDER), "DICOM UL 1", spec="PS3.8 9.3.2")
_ANONYMOUS: Final = msgspec.structs.replace(_CHANNEL, client_authenticated=False)


class Association:
    """What both lanes know of the association, and what is told once both have spoken."""

    def __init__(self) -> None:
        self.request: Terms | None = None
        self.accept: Terms | None = None
        self.reject: Reject | None = None
        self.in_use = False
        self._channel_told = False
        self._agreement_told = False

    # ------------------------------------------------------------------ what was read

    def requested(self, terms: Terms, talk: Conversation) -> None:
        """A-ASSOCIATE-RQ was read."""
        if self.request is not None:
            return
        self.request = terms
        talk.kept_bytes += terms.kept_bytes
        talk.defer("association", lambda: self._authentication(talk))
        if terms.identity is not None:
            found = terms.identity
            talk.defer("identity", lambda: self._identity(found, talk))
        self._settle(talk)

    def accepted(self, terms: Terms, talk: Conversation) -> None:
        """A-ASSOCIATE-AC was read."""
        if self.accept is None and self.reject is None:
            self.accept = terms
            talk.kept_bytes += terms.kept_bytes
            self._accepted_somehow(talk)

    def rejected(self, reject: Reject, talk: Conversation) -> None:
        """A-ASSOCIATE-RJ was read."""
        if self.accept is None and self.reject is None and not self.in_use:
            self.reject = reject
            self._settle(talk)

    def used(self, talk: Conversation) -> None:
        """A command was read: there is an association, even if nobody saw it being accepted."""
        if not self.in_use and self.reject is None:
            self.in_use = True
            self._accepted_somehow(talk)

    # ------------------------------------------------------------------ what follows from it

    @property
    def pipelined(self) -> bool:
        """More than one operation may be under way: both sides must have agreed to that."""
        one, other = self.request or self.accept, self.accept or self.request
        return one is not None and other is not None and one.pipelined and other.pipelined

    def deflated(self, context: int) -> bool:
        """The accepted transfer syntax of this context is the deflated one; False if that is not known."""
        terms = self.accept or Terms()
        return terms.contexts.get(context, Context()).syntaxes == (_DEFLATED,)

    @property
    def outcome(self) -> Outcome:
        """Whether the association was granted."""
        if self.reject is not None:
            return Outcome.REJECTED
        return Outcome.ACCEPTED if self.accept is not None or self.in_use else Outcome.UNKNOWN

    def _accepted_somehow(self, talk: Conversation) -> None:
        if not self._channel_told:
            self._channel_told = True
            talk.defer("channel", self._channel)
        self._settle(talk)

    def _settle(self, talk: Conversation) -> None:
        """Tell what is whole now."""
        if self.request is None:
            if talk.midstream:
                talk.release("channel")
            return
        if self.outcome is not Outcome.UNKNOWN:
            talk.release("association")
            talk.release("channel")
        if self.accept is not None or self.reject is not None:
            talk.release("identity")
        if self.accept is not None and not self._agreement_told:
            self._agreement_told = True
            for fact in _agreed(self.request, self.accept, talk.me(Side.RESPONDER)):
                talk.emit(fact)

    def _authentication(self, talk: Conversation) -> Authentication | None:
        terms = self.request
        if terms is None:
            return None
        details: dict[str, Any] = {"user_identity": terms.identity.kind if terms.identity is not None else "none"}
        if terms.called:
            details["called_ae_title"] = terms.called
        return Authentication(
            talk.me(Side.INITIATOR), "ae-title", terms.calling or None, None, None, self.outcome, Protection.NONE,
            details | self._refusal(), "PS3.8 9.3.2", Sensitivity.DEVICE,
        )  # fmt: skip

    def _identity(self, found: Identity, talk: Conversation) -> Authentication:
        """Who accepts without an answer (59H) may have ignored the identity: that is unknown, not accepted."""
        answered = self.accept is not None and self.accept.server_response
        outcome = Outcome.ACCEPTED if answered else Outcome.UNKNOWN
        if self.reject is not None:
            outcome = Outcome.REJECTED
        details = dict(found.details) | ({"server_response": True} if answered else {}) | self._refusal()
        return Authentication(
            talk.me(Side.INITIATOR), found.mechanism, found.principal, found.realm, found.secret, outcome,
            Protection.NONE, details, "PS3.7 D.3.3.7",
        )  # fmt: skip

    def _refusal(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self.reject) if self.reject is not None else {}

    def _channel(self) -> Channel:
        anonymous = self.request is not None and self.request.identity is None
        return _ANONYMOUS if anonymous else _CHANNEL


def _agreed(request: Terms, accept: Terms, responder: Subject) -> Iterator[Attribute]:
    """What became of each proposed presentation context."""
    told: set[str] = set()
    for number, answer in accept.contexts.items():
        proposed = request.contexts.get(number)
        if proposed is None or not proposed.abstract_syntax:
            continue
        if answer.result == 0:
            fact = ACCEPTED_ABSTRACT_SYNTAX(responder, proposed.abstract_syntax)
        else:
            name = _PRESENTATION_RESULTS.get(answer.result, str(answer.result))
            fact = PRESENTATION_RESULT(responder, f"{proposed.abstract_syntax} {name}")
        if fact.name + fact.value not in told:
            told.add(fact.name + fact.value)
            yield fact


# ---------------------------------------------------------------------- A-ASSOCIATE-RQ, -AC


def read_fixed(cursor: Cursor) -> Terms:
    """The fixed part of A-ASSOCIATE-RQ or -AC.

    Raises:
        Malformed: it is not of protocol version 1.
    """
    if not cursor.u16() & 1:
        raise Malformed("not version 1 of the protocol", cursor.offset)
    cursor.skip(2)
    called, calling = _title(cursor.take(16)), _title(cursor.take(16))
    return Terms(calling, called)


def read_context(value: bytes, base: int, terms: Terms, *, answer: bool) -> None:
    """A presentation context item: 20H of the request, 21H of the answer."""
    cursor = Cursor(value, base)
    number = cursor.u8()
    cursor.skip(1)
    context = Context(result=cursor.u8() if answer else 0)
    cursor.skip(1 if answer else 2)
    syntaxes: list[str] = []
    while cursor.remaining:
        kind, content = _item(cursor)
        if kind == 0x30:
            context.abstract_syntax = _uid(content.rest())
        elif kind == 0x40 and len(syntaxes) < CONTEXTS_MAX:
            syntaxes.append(_uid(content.rest()))
    context.syntaxes = tuple(syntaxes)
    if len(terms.contexts) < CONTEXTS_MAX:
        terms.contexts[number] = context


def find(items: bytes, terms: Terms, me: Subject, *, answer: bool) -> tuple[Attribute, ...] | None:
    """What the variable items of an A-ASSOCIATE tell, and into `terms` what they say; None: they are read one by one.

    Where they name who asks they are not known again, and nothing is kept of them.
    """
    try:
        said, facts = _read(items, me, answer=answer)
    except (ProtocolError, _IdentifiesError):
        return None
    terms.contexts, terms.server_response, terms.async_window = said.contexts, said.server_response, said.async_window
    return facts


@lru_cache(KNOWN_MAX)
def _read(items: bytes, me: Subject, *, answer: bool) -> tuple[Terms, tuple[Attribute, ...]]:
    cursor, terms = Cursor(items), Terms()
    facts: list[Attribute] = []
    while cursor.remaining:
        kind, content = _item(cursor)
        if kind == (0x21 if answer else 0x20):
            read_context(content.rest(), 0, terms, answer=answer)
        elif kind == 0x50:
            facts += read_user_information(content.rest(), 0, terms, me)
    if terms.identity is not None:
        raise _IdentifiesError
    return terms, (*facts_of_contexts(terms, me, answer=answer), *facts)


def facts_of_titles(terms: Terms, me: Subject, peer: Subject) -> Iterator[Attribute]:
    """What the fixed part of a request tells."""
    if terms.calling:
        yield CALLING_AE(me, terms.calling)
    if terms.called:
        yield CALLED_AE(peer, terms.called)


def facts_of_contexts(terms: Terms, me: Subject, *, answer: bool) -> Iterator[Attribute]:
    """What the presentation contexts of a request, or of an answer, tell by themselves."""
    return _facts_of_answer(terms, me) if answer else _facts_of_request(terms, me)


def _facts_of_request(terms: Terms, me: Subject) -> Iterator[Attribute]:
    contexts = terms.contexts.values()
    for uid in dict.fromkeys(context.abstract_syntax for context in contexts if context.abstract_syntax):
        yield PROPOSED_ABSTRACT_SYNTAX(me, uid)
    for uid in dict.fromkeys(uid for context in contexts for uid in context.syntaxes if uid):
        yield PROPOSED_TRANSFER_SYNTAX(me, uid)


def _facts_of_answer(terms: Terms, me: Subject) -> Iterator[Attribute]:
    accepted = (context for context in terms.contexts.values() if context.result == 0)
    for uid in dict.fromkeys(uid for context in accepted for uid in context.syntaxes if uid):
        yield ACCEPTED_TRANSFER_SYNTAX(me, uid)


def read_user_information(value: bytes, base: int, terms: Terms, me: Subject) -> Iterator[Attribute]:
    """The user information item (50H): puts into `terms` what concerns the association and tells the rest.

    Raises:
        Malformed: its items do not fit.
        LimitExceeded: there are more than `SUB_ITEMS_MAX`.
    """
    cursor = Cursor(value, base)
    for _ in range(SUB_ITEMS_MAX):
        if not cursor.remaining:
            return
        kind, content = _item(cursor)
        yield from _user_information_item(kind, content, terms, me)


def _user_information_item(kind: int, content: Cursor, terms: Terms, me: Subject) -> Iterator[Attribute]:
    if kind == 0x51:
        yield MAX_PDU_LENGTH(me, content.u32())
    elif kind == 0x52:
        yield from _named(IMPLEMENTATION_UID, me, _uid(content.rest()))
    elif kind == 0x53:
        terms.async_window = (content.u16(), content.u16())
        yield ASYNC_OPERATIONS(me, "{}/{}".format(*terms.async_window))
    elif kind == 0x54:
        uid = _uid(content.vector16())
        roles = [name for name in ("SCU", "SCP") if content.u8()]
        yield ROLE(me, " ".join([uid, *roles]))
    elif kind == 0x55:
        yield from _named(IMPLEMENTATION_VERSION, me, _title(content.rest()))
    elif kind == 0x56:
        yield EXTENDED_NEGOTIATION(me, _uid(content.vector16()))
    elif kind == 0x57:
        yield COMMON_EXTENDED(me, f"{_uid(content.vector16())} {_uid(content.vector16())}")
    elif kind == 0x58:
        terms.identity = identity.parse(content)
    elif kind == 0x59:
        terms.server_response = True


def _named(field: Field, me: Subject, value: str) -> Iterator[Attribute]:
    if value:
        yield field(me, value)


def _item(cursor: Cursor) -> tuple[int, Cursor]:
    kind = cursor.u8()
    cursor.skip(1)
    return kind, cursor.sub(cursor.u16())


def _uid(data: bytes) -> str:
    return data[:64].decode("ascii", "replace").strip(" \0")


def _title(data: bytes) -> str:
    return data.decode("ascii", "replace").strip(" \0")


# ---------------------------------------------------------------------- A-ASSOCIATE-RJ, A-ABORT


def read_reject(cursor: Cursor) -> Reject:
    """The four bytes of A-ASSOCIATE-RJ."""
    cursor.skip(1)
    result, source, reason = cursor.u8(), cursor.u8(), cursor.u8()
    return Reject(
        _RESULTS.get(result, str(result)),
        _SOURCES.get(source, str(source)),
        _REASONS.get((source, reason), str(reason)),
    )


def abort_text(cursor: Cursor) -> str:
    """The four bytes of A-ABORT as `<source> <reason>`; a user gives no reason."""
    cursor.skip(2)
    source, reason = cursor.u8(), cursor.u8()
    if source == 0:
        return _ABORT_SOURCES[0]
    return f"{_ABORT_SOURCES.get(source, str(source))} {_ABORT_REASONS.get(reason, str(reason))}"
