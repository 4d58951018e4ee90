r"""What the commands of SMB 1 say: NEGOTIATE, SESSION_SETUP_ANDX, TREE_CONNECT and TREE_CONNECT_ANDX.

| words | NEGOTIATE's answer | SESSION_SETUP_ANDX | its answer |
|---|---|---|---|
| 1 | core: no security mode | | |
| 3 | | | without token |
| 4 | | | with token |
| 10 | | LANMAN: one password | |
| 12 | | token | |
| 13 | LANMAN | NT LM 0.12: two passwords | |
| 17 | NT LM 0.12; capability 31: token | | |

**Passwords.** Whether these are challenge responses or in clear is said by the server's answer to NEGOTIATE alone. If
that was not read, only what has the shape of responses is told, as NTLM. A client that answers with responses where a
password in clear was asked for is taken at its word: they are dropped.

Spec: MS-CIFS 2.2.4.52, 2.2.4.53, 2.2.4.55, 2.2.4.50; MS-SMB 2.2.4.5, 2.2.4.6
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from parsers import _ntlm
from parsers.core import Authentication, Conversation, Field, Outcome, Secret, Side, Signed
from parsers.core.fact import clean
from parsers.smb import smb1, status, tokens
from parsers.smb.session import Answer, Connection, Terms, share_of
from parsers.smb.smb1 import Block, Header, Strings
from parsers.smb.smb2 import DIALECT, OFFERED_DIALECT, SERVER_GUID, guid_text

NATIVE_OS: Final = Field("smb.native_os", "MS-CIFS 2.2.4.53")
NATIVE_LAN_MANAGER: Final = Field("smb.native_lan_manager", "MS-CIFS 2.2.4.53")
PRIMARY_DOMAIN: Final = Field("smb.primary_domain", "MS-CIFS 2.2.4.53.2")
SERVER_NAME: Final = Field("smb.server_name", "MS-SMB 2.2.4.5.2.2")

DIALECTS_MAX: Final = 64
_NT_LM: Final = "NT LM 0.12"
_NO_DIALECT: Final = 0xFFFF
_CAN_UNICODE: Final = 4
_CAN_EXTENDED_SECURITY: Final = 0x80000000


class Offer:
    """The dialects that a client offered, and which of them the server took, in either order.

    What is answered in 17 words is NT LM 0.12, by whatever name it was offered: clients of Samba call it NT LANMAN 1.0
    as well, and servers take the first of two names.
    """

    def __init__(self) -> None:
        self.dialects: tuple[str, ...] | None = None
        self.index: int | None = None
        self.name = ""
        self._told = False

    def tell(self, talk: Conversation) -> None:
        """State the dialect when its name is known."""
        if self.index is None or self._told or (self.dialects is None and not self.name):
            return
        self._told = True
        if not self.name and self.dialects is not None and self.index < len(self.dialects):
            self.name = self.dialects[self.index]
        if self.name:
            talk.emit(DIALECT(talk.me(Side.RESPONDER), self.name))
            talk.shared(Connection).named(self.name)


def read(head: Header, body: bytes, side: Side, talk: Conversation) -> Iterator[tokens.Stated]:
    """A message whose command is in `smb1.READ_WHOLE`."""
    for block in smb1.blocks(head, body):
        reading = _READINGS.get((block.command, side))
        if reading is not None:
            yield from reading(head, block, talk)


# ---------------------------------------------------------------------- NEGOTIATE


def _offer(_: Header, block: Block, talk: Conversation) -> Iterator[tokens.Stated]:
    """Dialects: each 02, name, 00."""
    names = [entry[1:] for entry in block.data.split(b"\0") if entry[:1] == b"\x02"]
    dialects = tuple(clean(name.decode("latin-1")) for name in names[:DIALECTS_MAX])
    for name in dict.fromkeys(dialects):
        yield OFFERED_DIALECT(talk.me(Side.INITIATOR), name)
    offer = talk.shared(Offer)
    if offer.dialects is None:
        offer.dialects = dialects
        offer.tell(talk)


def _agreement(head: Header, block: Block, talk: Conversation) -> Iterator[tokens.Stated]:
    """The answer to NEGOTIATE, in one of its three forms."""
    if head.status or block.count not in {1, 13, 17} or block.number(0) == _NO_DIALECT:
        return
    offer = talk.shared(Offer)
    if offer.index is None:
        offer.index, offer.name = block.number(0), _NT_LM if block.count == 17 else ""
        offer.tell(talk)
    me = talk.me(Side.RESPONDER)
    if block.count == 1:
        terms = Terms("SMB 1", offer.name, Signed.NONE, share_level=True, plaintext=True)
    else:
        terms = _terms(offer.name, block)
    if block.count == 17:
        yield from _agreement_of_nt(head, block, talk)
    elif block.count == 13:
        strings = Strings(block.data, block.at, unicode=False)
        strings.bytes(min(block.number(22), len(block.data)))
        if domain := strings.text():
            yield PRIMARY_DOMAIN(me, domain)
    talk.shared(Connection).negotiated(terms, talk)


def _terms(dialect: str, block: Block) -> Terms:
    """The security mode: bit 0 users, 1 encrypted passwords, 2 signatures, 3 signatures required."""
    mode = block.words[2]
    signed = Signed.REQUIRED if mode & 8 else Signed.ENABLED if mode & 4 else Signed.NONE
    return Terms("SMB 1", dialect, signed, share_level=not mode & 1, plaintext=not mode & 2)


def _agreement_of_nt(head: Header, block: Block, talk: Conversation) -> Iterator[tokens.Stated]:
    """The bytes of the answer: GUID and token, or challenge, domain and server."""
    me = talk.me(Side.RESPONDER)
    strings = Strings(block.data, block.at, unicode=head.unicode, aligned=False)
    if block.number(19, 4) & _CAN_EXTENDED_SECURITY:
        guid = strings.bytes(16)
        if any(guid):
            yield SERVER_GUID(me, guid_text(guid))
        yield from tokens.read(block.data[16:], Side.RESPONDER).facts
        return
    strings.bytes(block.words[33])
    strings.widen(can_unicode=bool(block.words[19] & _CAN_UNICODE))
    if domain := strings.text():
        yield PRIMARY_DOMAIN(me, domain)
    if server := strings.text():
        yield SERVER_NAME(me, server)


# ---------------------------------------------------------------------- SESSION_SETUP_ANDX


def _set_up(head: Header, block: Block, talk: Conversation) -> Iterator[tokens.Stated]:
    """A session is asked for, in one of three forms."""
    claim = None
    if block.count == 12:
        strings = Strings(block.data, block.at, unicode=head.unicode)
        token = tokens.read(strings.bytes(block.number(14)), Side.INITIATOR)
        claim = token.claim
        yield from token.facts
        yield from _native(strings, Side.INITIATOR, talk)
    elif block.count in {10, 13}:
        strings = Strings(block.data, block.at, unicode=head.unicode)
        oem = strings.bytes(block.number(14))
        unicode = strings.bytes(block.number(16)) if block.count == 13 else b""
        claim = _claim(oem, unicode, strings.text(), strings.text(), talk)
        yield from _native(strings, Side.INITIATOR, talk)
    else:
        return
    talk.shared(Connection).asked(head.key, head.uid, claim, head.signing, talk, positional=True)


def _claim(oem: bytes, unicode: bytes, account: str, domain: str, talk: Conversation) -> Authentication | None:
    """Who asks, by responses or by a password in clear; None if nobody said which of them these are."""
    me, terms = talk.me(Side.INITIATOR), talk.shared(Connection).terms
    principal, realm = clean(account) or None, clean(domain) or None
    nobody = principal is None and not any(oem) and not any(unicode)
    if nobody or _ntlm.are_responses(oem, unicode) or (terms is not None and not terms.plaintext):
        responses = _ntlm.measure(oem, unicode if any(unicode) else b"", account, extended=False)
        details = _ntlm.details_of(responses)
        return Authentication(me, "ntlm", principal, realm, details=details, spec="MS-CIFS 2.2.4.53.1")
    if terms is None:
        return None
    secret = Secret(_password(oem, unicode))
    return Authentication(me, "smb-plaintext", principal, realm, secret, spec="MS-CIFS 2.2.4.53.1")


def _password(oem: bytes, unicode: bytes) -> bytes:
    """A password in clear, in UTF-8 if it was Unicode; without its terminator."""
    if any(unicode):
        return unicode.decode("utf-16-le", "replace").partition("\0")[0].encode()
    return oem.partition(b"\0")[0]


def _set_up_answer(head: Header, block: Block, talk: Conversation) -> Iterator[tokens.Stated]:
    """The answer: of three or four words, or of none and a status."""
    connection = talk.shared(Connection)
    more = head.status == status.MORE_PROCESSING_REQUIRED
    token = tokens.NOTHING
    if block.count in {3, 4}:
        strings = Strings(block.data, block.at, unicode=head.unicode)
        if block.count == 4:
            token = tokens.read(strings.bytes(block.number(6)), Side.RESPONDER)
        yield from token.facts
        yield from _native(strings, Side.RESPONDER, talk)
    success = smb1.passed(head, block, 3)
    if success is None and not more:
        return
    answer = Answer(
        success=bool(success) and not more,
        status=status.name(status.SUCCESS) if success else head.status_name,
        more=more,
        continues=token.continues,
        guest=bool(block.count >= 3 and block.number(4) & 1) and not more,
        challenge=token.challenge,
        refusal=token.refusal,
    )
    connection.answered(connection.question_of(head.key), head.uid, answer, talk, positional=True)


def _native(strings: Strings, side: Side, talk: Conversation) -> Iterator[tokens.Stated]:
    """System, LAN manager and, of servers, primary domain."""
    me = talk.me(side)
    if system := strings.text():
        yield NATIVE_OS(me, system)
    if manager := strings.text():
        yield NATIVE_LAN_MANAGER(me, manager)
    if side is Side.RESPONDER and (domain := strings.text()):
        yield PRIMARY_DOMAIN(me, domain)


# ---------------------------------------------------------------------- TREE_CONNECT


def _connect(head: Header, block: Block, talk: Conversation) -> Iterable[tokens.Stated]:
    """TREE_CONNECT_ANDX: flags 4, length of the password 6; password, path, service."""
    if block.count != 4:
        return ()
    strings = Strings(block.data, block.at, unicode=head.unicode)
    password = strings.bytes(block.number(6))
    _connecting(head, share_of(strings.text()), password, talk)
    return ()


def _connect_of_core(head: Header, block: Block, talk: Conversation) -> Iterable[tokens.Stated]:
    """TREE_CONNECT: path, password and service, each after an octet 04."""
    if block.count:
        return ()
    strings = Strings(block.data, block.at, unicode=False)
    path, password = strings.oem(), strings.oem()
    _connecting(head, share_of(path[1:]), password[1:].encode("latin-1"), talk)
    return ()


def _connecting(head: Header, share: str, password: bytes, talk: Conversation) -> None:
    connection = talk.shared(Connection)
    terms = connection.terms
    connection.connecting(head.key, share, talk, guarded=any(password))
    if terms is not None and terms.share_level:
        plain = password.partition(b"\0")[0]
        secret = Secret(plain) if terms.plaintext or not any(password) else None
        details: dict[str, Any] = {"share": share}
        claim = Authentication(
            talk.me(Side.INITIATOR), "smb-share-password", secret=secret, details=details, spec="MS-CIFS 2.2.4.55.1"
        )
        talk.ask(("share", *head.key), claim, positional=True)


def _connected(head: Header, block: Block, talk: Conversation) -> Iterable[tokens.Stated]:
    """The answer to either of them."""
    success = smb1.passed(head, block, 2)
    if success is not None:
        connection = talk.shared(Connection)
        key = connection.question_of(head.key)
        connection.connected(key, head.uid, talk, success=success, positional=True)
        said = status.name(status.SUCCESS) if success else head.status_name
        outcome = Outcome.ACCEPTED if success else Outcome.REJECTED
        talk.answer(("share", *key), outcome, positional=True, status=said)
    return ()


# ---------------------------------------------------------------------- LOGOFF_ANDX


def _log_off(head: Header, _: Block, talk: Conversation) -> Iterable[tokens.Stated]:
    talk.shared(Connection).ended(head.uid, talk)
    return ()


_READINGS: Final[dict[tuple[int, Side], Callable[[Header, Block, Conversation], Iterable[tokens.Stated]]]] = {
    (smb1.NEGOTIATE, Side.INITIATOR): _offer,
    (smb1.NEGOTIATE, Side.RESPONDER): _agreement,
    (smb1.SESSION_SETUP_ANDX, Side.INITIATOR): _set_up,
    (smb1.SESSION_SETUP_ANDX, Side.RESPONDER): _set_up_answer,
    (smb1.TREE_CONNECT_ANDX, Side.INITIATOR): _connect,
    (smb1.TREE_CONNECT, Side.INITIATOR): _connect_of_core,
    (smb1.TREE_CONNECT_ANDX, Side.RESPONDER): _connected,
    (smb1.TREE_CONNECT, Side.RESPONDER): _connected,
    (smb1.LOGOFF_ANDX, Side.INITIATOR): _log_off,
}
