"""What both lanes of an SMB connection know: what was negotiated, who logged on, what was connected to.

Sessions are told apart by SessionId (SMB 2) or UID (SMB 1), questions matched by MessageId, or by PID and MID. A
MessageId is used once, so that an answer can wait for its question; PIDs and MIDs come again: their answers belong to
what is open now or to nothing.

**A channel is stated for each session, when it is known whether its messages are encrypted.** Before SMB 3 none is.
From then on a server may demand encryption for a session, for single shares, or leave it to the client: what shows it
is the first message about a file, in clear or encrypted. Where a session does both, both are stated.

Spec: MS-SMB2 3.2.5.3, 3.3.5.5; MS-CIFS 3.2.5.3
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Final, TypeVar

import msgspec

from parsers.core import Authentication, Channel, Conversation, Field, Outcome, Side, Signed
from parsers.core.fact import clean

SHARE: Final = Field("smb.share", "MS-SMB2 2.2.9")
REFUSED_SHARE: Final = Field("smb.refused_share", "MS-SMB2 2.2.10")
ANONYMOUS_SHARE: Final = Field("smb.anonymous_share", "MS-SMB2 2.2.10")

SESSIONS_MAX: Final = 256
PENDING_MAX: Final = 256
TOLD_MAX: Final = 1_024

V = TypeVar("V")


class Terms(msgspec.Struct, frozen=True):
    """What a server's answer to NEGOTIATE settles.

    Attributes:
        version: `SMB 3.1.1`, `SMB 1`.
        dialect: its name; empty if it was only said by number and the offer was not read.
        signed: the server's security mode.
        cipher: what messages are encrypted with, if they are; None: none, or it is not known.
        encrypts: messages may be encrypted.
        share_level: of SMB 1, passwords belong to shares and not to users; None of later versions.
        plaintext: the server asks for passwords in clear.
    """

    version: str
    dialect: str
    signed: Signed
    cipher: str | None = None
    encrypts: bool = False
    share_level: bool | None = None
    plaintext: bool = False


class Answer(msgspec.Struct, frozen=True):
    """A server's answer to a session set-up or tree connect.

    `challenge`, a server's own names in an NTLM challenge; `pending`, it is no last word; `refusal`, why a Kerberos
    ticket was refused, by name.
    """

    success: bool
    status: str
    more: bool = False
    continues: bool = False
    guest: bool = False
    null: bool = False
    encrypt: bool = False
    challenge: dict[str, str] = {}
    refusal: str = ""


class _Session(msgspec.Struct):
    """A session that was set up, or is being set up."""

    accepted: bool = False
    anonymous: bool = False
    encrypt: bool = False
    signing: str | None = None
    target: dict[str, str] = {}
    unfinished: Hashable = None
    seen: set[bool] = msgspec.field(default_factory=set)
    stated: set[bool] = msgspec.field(default_factory=set)


class _Share(msgspec.Struct, frozen=True):
    """A share that was asked for; `guarded`: with a password of its own."""

    name: str
    guarded: bool


class Connection:
    """One per conversation; see above.

    Attributes:
        terms: what the answer to NEGOTIATE settled.
        in_clear: the session of which `used` has heard that it is used in clear, and would do nothing now.
    """

    def __init__(self) -> None:
        self.terms: Terms | None = None
        self.in_clear: int | None = None
        self._sessions: OrderedDict[int, _Session] = OrderedDict()
        self._signing: OrderedDict[Hashable, str] = OrderedDict()
        self._shares: OrderedDict[Hashable, _Share] = OrderedDict()
        self._asked: OrderedDict[Hashable, tuple[int, int]] = OrderedDict()
        self._connected: OrderedDict[Hashable, tuple[bool, bool]] = OrderedDict()
        self._told: set[tuple[str, str]] = set()
        self._set_up = False

    # ------------------------------------------------------------------ negotiation

    def negotiated(self, terms: Terms, talk: Conversation) -> None:
        """An answer to NEGOTIATE was read. On one connection the first counts."""
        if self.terms is not None:
            return
        self.terms = terms
        talk.defer("channel", lambda: self._channel_of_none(talk))
        for number in list(self._sessions):
            self._settle(number, talk)

    def named(self, dialect: str) -> None:
        """The offer was read after its answer: the dialect has a name now."""
        if self.terms is not None and not self.terms.dialect:
            self.terms = msgspec.structs.replace(self.terms, dialect=dialect)

    # ------------------------------------------------------------------ logons

    def asked(
        self, key: Hashable, number: int, claim: Authentication | None, signing: str, talk: Conversation,
        *, positional: bool = False,
    ) -> None:  # fmt: skip
        """A session set-up was read; `claim` if it says who asks, `signing` is the client's security mode."""
        _put(self._signing, key, signing)
        self._remember(key)
        if claim is not None:
            known = self._sessions.get(number)
            target = known.target if known is not None and number and claim.mechanism == "ntlm" else {}
            talk.ask(key, msgspec.structs.replace(claim, details=claim.details | target), positional=positional)

    def answered(
        self, key: Hashable, number: int, answer: Answer, talk: Conversation, *, positional: bool = False
    ) -> None:
        """The answer to a session set-up was read."""
        if answer.more:
            self._goes_on(key, number, answer, talk, positional=positional)
            return
        session = self._session(number)
        question, signing = talk.asked(key), self._signing.pop(key, None)
        self._answer(key, session, answer, talk, positional=positional)
        if session.unfinished is not None and question is None:  # the last message made no claim of its own
            self._answer(session.unfinished, session, answer, talk, positional=positional)
        session.unfinished = None
        if answer.success:
            nobody = question is not None and question.details.get("version") == "anonymous"
            session.anonymous = nobody or answer.guest or answer.null
            session.accepted, session.encrypt, session.signing = True, answer.encrypt, signing
            self._set_up = True
            talk.defer(("channel", number), lambda: self._channel_of_silent(session, talk))
            self._settle(number, talk)

    def _goes_on(self, key: Hashable, number: int, answer: Answer, talk: Conversation, *, positional: bool) -> None:
        """More messages are needed. A refused ticket is refused, all the same."""
        session = self._session(number)
        if answer.challenge:
            session.target, session.unfinished = answer.challenge, None
        if answer.refusal:
            session.unfinished = None
            details = {"status": answer.status, "krb_error": answer.refusal}
            talk.answer(key, Outcome.REJECTED, positional=positional, **details)
        elif answer.continues:
            session.unfinished = key

    def _answer(
        self, key: Hashable, session: _Session, answer: Answer, talk: Conversation, *, positional: bool
    ) -> None:
        question = talk.asked(key)
        details: dict[str, Any] = {"status": answer.status}
        details |= {name: True for name in ("guest", "null") if getattr(answer, name)}
        if answer.refusal:
            details["krb_error"] = answer.refusal
        if question is None or question.mechanism == "ntlm":
            details |= session.target
        outcome = Outcome.ACCEPTED if answer.success else Outcome.REJECTED
        talk.answer(key, outcome, positional=positional, **details)

    def ended(self, number: int, talk: Conversation) -> None:
        """LOGOFF was answered or asked for: what is said of the session next is of another one."""
        if self._sessions.pop(number, None) is not None:
            self.in_clear = None
            talk.release(("channel", number))

    # ------------------------------------------------------------------ channels

    def used(self, number: int, talk: Conversation, *, encrypted: bool) -> None:
        """A message of a session was read that shows whether its messages are encrypted."""
        session = self._sessions.get(number)
        if session is None or encrypted not in session.seen:
            self._session(number).seen.add(encrypted)
            self._settle(number, talk)
        self.in_clear = self.in_clear if encrypted else number

    def _settle(self, number: int, talk: Conversation) -> None:
        """State the channels of a session that are certain."""
        session, terms = self._sessions[number], self.terms
        if terms is None:
            return
        shown = session.seen if terms.encrypts else {False} if session.accepted else set()
        for encrypted in sorted(shown - session.stated):
            self._set_up = True
            session.stated.add(encrypted)
            talk.emit(self._channel(terms, session, talk, encrypted=encrypted))
        if session.stated:
            talk.release(("channel", number))

    def _channel_of_silent(self, session: _Session, talk: Conversation) -> Channel | None:
        """The channel of a session in which nothing followed that shows it: as the server demanded it."""
        if self.terms is None or session.stated:
            return None
        session.stated.add(session.encrypt)
        return self._channel(self.terms, session, talk, encrypted=session.encrypt)

    def _channel_of_none(self, talk: Conversation) -> Channel | None:
        """The channel of a connection in which no session was set up."""
        if self.terms is None or self._set_up:
            return None
        return self._channel(self.terms, _Session(), talk, encrypted=False)

    def _channel(self, terms: Terms, session: _Session, talk: Conversation, *, encrypted: bool) -> Channel:
        details: dict[str, Any] = {"dialect": terms.dialect} if terms.dialect else {}
        if session.signing is not None:
            details["client_signing"] = session.signing
        if terms.plaintext:
            details["encrypt_passwords"] = False
        if terms.share_level is not None:
            details["security"] = "share" if terms.share_level else "user"
        cipher = terms.cipher if encrypted else None
        responder = talk.me(Side.RESPONDER)
        return Channel(
            responder, terms.version, cipher, encrypted, terms.signed, None, details, "MS-SMB2 3.3.5.5"
        )  # fmt: skip

    # ------------------------------------------------------------------ shares

    def connecting(self, key: Hashable, name: str, talk: Conversation, *, guarded: bool = False) -> None:
        """A tree connect was read; `guarded`: with a password for the share itself."""
        answered = self._connected.pop(key, None)
        share = _Share(name, guarded)
        if answered is not None:
            self._tell_share(share, talk, success=answered[0], anonymous=answered[1])
        else:
            _put(self._shares, key, share)
            self._remember(key)

    def connected(
        self, key: Hashable, number: int, talk: Conversation, *, success: bool, positional: bool = False
    ) -> None:
        """A tree connect was answered, in the session `number`."""
        session = self._sessions.get(number)
        anonymous = session is not None and session.anonymous
        share = self._shares.pop(key, None)
        if share is not None:
            self._tell_share(share, talk, success=success, anonymous=anonymous)
        elif not positional:
            _put(self._connected, key, (success, anonymous))

    def question_of(self, key: tuple[int, int]) -> tuple[int, int]:
        """The PID and MID of the open question that an answer belongs to: some servers repeat the MID alone."""
        return key if key in self._signing or key in self._shares else self._asked.get(key[1], key)

    def _remember(self, key: Hashable) -> None:
        if isinstance(key, tuple):
            _put(self._asked, key[1], key)

    def gap(self) -> None:
        """Bytes of a lane are missing: what was matched by PID and MID no longer is."""
        self._asked.clear()
        for pending in (self._shares, self._signing):
            for key in [key for key in pending if not isinstance(key, int)]:
                del pending[key]

    def _tell_share(self, share: _Share, talk: Conversation, *, success: bool, anonymous: bool) -> None:
        fields = [SHARE] if success else [REFUSED_SHARE]
        if success and anonymous and not share.guarded:
            fields.append(ANONYMOUS_SHARE)
        for field in fields:
            if (field.name, share.name) in self._told:
                continue
            if len(self._told) < TOLD_MAX:
                self._told.add((field.name, share.name))
            talk.emit(field(talk.me(Side.RESPONDER), share.name))

    # ------------------------------------------------------------------ inside

    def _session(self, number: int) -> _Session:
        session = self._sessions.get(number)
        if session is None:
            session = self._sessions[number] = _Session()
            if len(self._sessions) > SESSIONS_MAX:
                self._sessions.popitem(last=False)
                self.in_clear = None
        return session


def share_of(path: str) -> str:
    r"""The share of `\\server\share`; nothing that follows it."""
    parts = [part for part in path.split("\\") if part]
    return clean(parts[1] if len(parts) > 1 else parts[0] if parts else "")


def _put(pending: OrderedDict[Hashable, V], key: Hashable, value: V) -> None:
    pending[key] = value
    if len(pending) > PENDING_MAX:
        pending.popitem(last=False)
