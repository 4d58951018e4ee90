"""What the handshake messages say: TLS and DTLS share it, their record layers do not.

Theory of operation
-------------------
Each lane has a `Lane`, both share a `Talk`. The record layer hands whole plain messages to `Lane.message`, and tells of
ChangeCipherSpec, of plain alerts and of encrypted records. The lanes may be read in any order, or only one of them, so
each writes to `Talk` what it saw for certain, and the `Channel` is put together at the end:

* The initiator is the client. A ServerHello by the initiator is refused (a connection whose roles are turned around, as
  the data connections of FTP in active mode, is not read).
* *Nothing was asked for* (`client_certificate = not_requested`, `resumed`) is only said where the lane was read without
  a gap from its hello on.
* A lane is *over* when its first encrypted record after ChangeCipherSpec, or any application data, is seen: the rest is
  hidden. When both are over, nothing more can be learnt: `Done`.
* What a server accepts is seen by its ChangeCipherSpec: before TLS 1.3 it comes after the client's Finished, or there
  was no client certificate (an abbreviated handshake).

Spec: RFC 8446, RFC 5246, RFC 6101 (SSL 3.0), RFC 9147 and 6347 (DTLS)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec

from parsers import _x509
from parsers.core import (
    Anomaly,
    Authentication,
    Confirmed,
    Conversation,
    Cursor,
    Done,
    Fact,
    Field,
    Malformed,
    Outcome,
    Protection,
    Side,
    Subject,
)
from parsers.tls import _fingerprint, _hello, _names
from parsers.tls._channel import Talk, channel, key_parameters

HELLO_REQUEST: Final = 0
CLIENT_HELLO: Final = 1
SERVER_HELLO: Final = 2
HELLO_VERIFY_REQUEST: Final = 3
CERTIFICATE: Final = 11
SERVER_KEY_EXCHANGE: Final = 12
CERTIFICATE_REQUEST: Final = 13
SERVER_HELLO_DONE: Final = 14
CLIENT_KEY_EXCHANGE: Final = 16
# Session ticket, certificate verify, URL and status, supplemental data, next protocol: nothing in them is stated.
_PASSED_OVER: Final = frozenset({HELLO_REQUEST, HELLO_VERIFY_REQUEST, 4, 15, 21, 22, 23, 67})

_SERVER_FLIGHT: Final = frozenset({SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE})

CHAIN_MAX: Final = 16
STATED_MAX: Final = 64
MEMO_MAX: Final = 2_048
MEMO_MAX_BYTES: Final = 4_096
CERTIFICATE_MAX_BYTES: Final = 65_536
IDENTITY_MAX_BYTES: Final = 1_024
FATAL: Final = 2
NO_CERTIFICATE: Final = 41
_ENCRYPTED_ALERT_BYTES: Final = frozenset({2 + 1 + 8, 2 + 1 + 16})  # alert, content type, tag

SNI = Field("tls.sni", "RFC 6066 3")
ALPN_OFFERED = Field("tls.alpn_offered", "RFC 7301 3.1")
ALPN = Field("tls.alpn", "RFC 7301 3.1")
MAX_VERSION = Field("tls.max_version", "RFC 8446 4.2.1")
SUPPORTED_GROUPS = Field("tls.supported_groups", "RFC 8446 4.2.7")
JA3 = Field("tls.ja3", "JA3")
JA3S = Field("tls.ja3s", "JA3S")
JA4 = Field("tls.ja4", "JA4")
ALERT = Field("tls.alert", "RFC 8446 6.2")

_ME: Final = tuple(Conversation().me(side) for side in Side)  # the same in all conversations

Stated = Fact | Confirmed | Done


class Lane:
    """One lane's handshake messages.

    Args:
        side: whose they are; the initiator is the client.
        talk: the conversation.
        transport: `t` over TCP, `d` in DTLS.

    Attributes:
        sealed: what follows is encrypted.
        talking: the state that both lanes share; not touched before the lane is confirmed.
    """

    def __init__(self, side: Side, talk: Conversation, transport: str) -> None:
        self.side = side
        self.talk = talk
        self.talking = talk.shared(Talk)
        self.transport = transport
        self.sealed = False
        self.confirmed = False
        self._whole = False  # read without a gap since the hello
        self._requested = False
        self._stated: Collection[Fact] = ()

    @property
    def expects_retry(self) -> bool:
        """Whether a plain hello may still follow a ChangeCipherSpec (RFC 8446 D.4)."""
        if self.side is Side.RESPONDER:
            return self.talking.retried and self.talking.server is None
        client = self.talking.client
        return client is not None and any(number in client.versions for number in (_names.TLS13, _names.DTLS13))

    def message(self, kind: int, body: bytes) -> Iterable[Stated]:
        """A whole handshake message.

        Raises:
            Malformed: it contradicts the standard, or does not belong into this lane.
        """
        if kind == CLIENT_HELLO and self.side is Side.INITIATOR:
            return self._client_hello(body)
        if kind == SERVER_HELLO and self.side is Side.RESPONDER:
            return self._server_hello(body)
        if kind == CERTIFICATE:
            return self._certificates(body)
        if kind == CLIENT_KEY_EXCHANGE and self.side is Side.INITIATOR:
            self.talking.key_exchange_message = body[: IDENTITY_MAX_BYTES + 2]
            self._ask_psk()
        elif kind in _SERVER_FLIGHT and self.side is Side.RESPONDER:
            self._server_flight(kind, body)
        elif kind not in _PASSED_OVER:
            raise Malformed(f"handshake message of type {kind} by the {self.side.label}")
        return ()

    def confirm(self) -> Iterator[Confirmed]:
        """State once that real structure was read."""
        if not self.confirmed:
            self.confirmed = True
            yield Confirmed()

    # ------------------------------------------------------------------ hellos

    def _client_hello(self, body: bytes) -> Iterator[Stated]:
        shared, own = _hello.outline(body, datagram=self.transport == "d")
        made = _offered if len(body) <= MEMO_MAX_BYTES else _offered.__wrapped__
        offered, facts = made(shared, self.transport)
        hello = _hello.with_own(offered, own)
        if not self.confirmed:
            yield from self.confirm()
        self._whole = True
        self.talking.client = hello
        self.talking.early_data = bool(self.talking.early_data) or _hello.EARLY_DATA in hello.extensions
        if own.server_name is not None:
            facts = (SNI(self.talk.me(self.side), own.server_name), *facts)
        self.talk.emit_all(self._unsaid(facts))
        if hello.malformed:
            yield from self._broken(hello.malformed)

    def _unsaid(self, facts: tuple[Fact, ...]) -> Collection[Fact]:
        """Those of the facts that no hello of this lane has stated yet; nearly always there is only one hello."""
        if not self._stated:
            self._stated = facts
            return facts
        fresh = [fact for fact in facts if fact not in self._stated]
        self._stated = {*self._stated, *fresh}
        return fresh

    def _server_hello(self, body: bytes) -> Iterator[Stated]:
        shared, session_id = _hello.choice(body)
        made = _chosen if len(body) <= MEMO_MAX_BYTES else _chosen.__wrapped__
        chosen, facts = made(shared, self.transport)
        if _names.version(chosen.version) is None:
            raise Malformed(f"version {chosen.version:04x} chosen")
        if not self.confirmed:
            yield from self.confirm()
        hello = msgspec.structs.replace(chosen, session_id=session_id)
        if hello.is_retry:
            self.talking.retried = True
            return
        self._whole = True
        self.talking.server = hello
        me = self.talk.me(self.side)
        self.talk.defer("channel", lambda: channel(self.talking, me))
        self._ask_psk()
        self.talk.emit_all(facts)
        self.sealed = hello.is_tls13
        if hello.malformed:
            yield from self._broken(hello.malformed)

    def _broken(self, extensions: tuple[int, ...]) -> Iterator[Stated]:
        for extension in extensions:
            yield Anomaly(self.talk.me(self.side), "malformed_extension", detail=f"extension {extension}")

    # ------------------------------------------------------------------ certificates and keys

    def _certificates(self, body: bytes) -> Iterator[Stated]:
        chain, cut = _chain(body)
        if not self.confirmed:
            yield from self.confirm()
        me = self.talk.me(self.side)
        for position, der in enumerate(chain):
            self.talk.emit_all(certificate(me, self.side, position, der))
        if cut:
            yield Anomaly(me, "certificate_chain_too_long", detail=f"more than {CHAIN_MAX} certificates")
        if self.side is Side.INITIATOR:
            self.talking.client_certificate = "sent" if chain else "empty"
            if chain:
                self._ask_certificate(chain[0])

    def _ask_certificate(self, der: bytes) -> None:
        shown = _x509.read(der)
        details: dict[str, Any] = {"sha256": shown.sha256}
        if shown.spki_sha256 is not None and not shown.personal:
            details["spki_sha256"] = shown.spki_sha256
        self.talk.ask(
            "client-certificate",
            Authentication(
                self.talk.me(self.side),
                "tls-client-certificate",
                principal=None if shown.personal else shown.details.get("common_name"),
                protection=Protection.TLS,
                details=details,
                spec="RFC 5246 7.4.6",
            ),
        )

    def _ask_psk(self) -> None:
        """State the PSK identity, once it is known that the suite is one that sends it."""
        server, message = self.talking.server, self.talking.key_exchange_message
        if server is None or message is None or server.is_tls13:
            return
        exchange = _names.key_exchange(_names.cipher_suite(server.suite)) or ""
        self.talking.key_exchange_message = None
        if "PSK" not in exchange:
            return
        identity = Cursor(message).vector16()
        self.talk.ask(
            "psk",
            Authentication(
                self.talk.me(Side.INITIATOR),
                "tls-psk",
                principal=_identity(identity),
                protection=Protection.TLS,
                details={"key_exchange": exchange},
                spec="RFC 4279 2",
            ),
        )

    def _server_flight(self, kind: int, body: bytes) -> None:
        if not self._whole:
            return
        if kind == CERTIFICATE_REQUEST:
            self.talking.requested = self._requested = True
        elif kind == SERVER_HELLO_DONE:
            self.talking.resumed = False
            self.talking.requested = self._requested
        elif self.talking.server is not None:
            suite = _names.cipher_suite(self.talking.server.suite)
            self.talking.key = key_parameters(_names.key_exchange(suite) or "", body)

    # ------------------------------------------------------------------ what ends a handshake

    def change_cipher_spec(self) -> None:
        """The lane says that it encrypts from now on."""
        if self.expects_retry and self.side is Side.RESPONDER:
            return
        talking = self.talking
        if self.side is Side.RESPONDER and not self.sealed:
            if self._whole and talking.resumed is None and self.transport == "t":  # datagrams in between may be lost
                talking.resumed = True
            self._accepted()
        self.sealed = True

    def alert(self, level: int, description: int) -> Iterator[Stated]:
        """A plain alert; a fatal one ends the handshake."""
        name = _names.alert(description)
        yield ALERT(self.talk.me(self.side), name)
        if level != FATAL:
            if description == NO_CERTIFICATE and self.side is Side.INITIATOR:
                self.talking.client_certificate = "empty"
            return
        if self.talking.alert is None:
            self.talking.alert = (name, self.side)
        if self.side is Side.RESPONDER:
            self.talk.answer("client-certificate", Outcome.REJECTED)
            self.talk.answer("psk", Outcome.REJECTED)
        self.talking.over[self.side] = True
        peer = self.talking.client if self.side is Side.RESPONDER else self.talking.server
        if peer is not None:
            yield Done()

    def encrypted(self, *, handshake: bool = False, alert: bool = False, length: int = 0) -> Iterable[Stated]:
        """An encrypted record: the handshake of this lane is over."""
        talking = self.talking
        if not talking.over[self.side]:
            talking.over[self.side] = True
            if alert and self._whole and self.transport == "t":  # else the Finished before it may be lost
                talking.encrypted_alert = self.side
            if not alert:
                # an alert in TLS 1.3 looks like data, but has a length of its own
                talking.finished[self.side] = handshake or length not in _ENCRYPTED_ALERT_BYTES
                if self.side is Side.RESPONDER:
                    self._accepted()
        return (Done(),) if all(talking.over) else ()

    def _accepted(self) -> None:
        self.talk.answer("client-certificate", Outcome.ACCEPTED)
        self.talk.answer("psk", Outcome.ACCEPTED)


@lru_cache(MEMO_MAX)
def _offered(shared: _hello.Outline, transport: str) -> tuple[_hello.ClientHello, tuple[Fact, ...]]:
    """What all hellos of one program offer, with the facts about it, each once."""
    hello = _hello.offer(shared)
    return hello, tuple(dict.fromkeys(_offered_facts(hello, transport)))


@lru_cache(MEMO_MAX)
def _chosen(shared: _hello.Choice, transport: str) -> tuple[_hello.ServerHello, tuple[Fact, ...]]:
    """What a server answers to all hellos of one program, with the facts about it."""
    hello, me = _hello.chosen(shared), _ME[Side.RESPONDER]
    facts: list[Fact] = []
    if hello.alpn:
        facts.append(ALPN(me, hello.alpn.decode("utf-8", "backslashreplace")))
    if transport == "t":
        facts.append(JA3S(me, _fingerprint.ja3s(hello)))
    return hello, tuple(facts)


def offered_memo() -> tuple[int, int]:
    """How often a program's hello was known already, and how often it was not."""
    info = _offered.cache_info()
    return info.hits, info.misses


def _offered_facts(hello: _hello.ClientHello, transport: str) -> Iterator[Fact]:
    me = _ME[Side.INITIATOR]
    for protocol in hello.alpn[:STATED_MAX]:
        if not _is_grease(protocol):
            yield ALPN_OFFERED(me, protocol.decode("utf-8", "backslashreplace"))
    highest = _names.newest(hello.versions or (hello.version,))
    if highest is not None:
        yield MAX_VERSION(me, _names.version(highest))
    groups = [_names.group(group).name for group in hello.groups[:STATED_MAX] if group not in _names.GREASE]
    if groups:
        yield SUPPORTED_GROUPS(me, ",".join(groups))  # in order of preference
    if transport == "t":
        yield JA3(me, _fingerprint.ja3(hello))
    yield JA4(me, _fingerprint.ja4(hello, transport))


def certificate(me: Subject, side: Side, position: int, der: bytes) -> Iterator[Fact]:
    """The facts about a certificate that `side` showed as number `position` of its chain."""
    if len(der) > CERTIFICATE_MAX_BYTES:
        yield Anomaly(me, "certificate_too_large", detail=f"{len(der)} bytes")
        return
    role = "ca" if position else ("client", "server")[side]
    shown = _x509.read(der)
    yield shown.fact(me, role, position)
    if shown.unreadable:
        yield Anomaly(me, "unreadable_certificate", detail=f"certificate {position} of the chain")
    for problem in shown.details.get("problems", ()):
        yield Anomaly(me, f"certificate_{problem}", detail=f"certificate {position} of the chain")


def _chain(body: bytes) -> tuple[list[bytes], bool]:
    """The certificates of a Certificate message, and whether there are more than we read (RFC 5246 7.4.2)."""
    cursor = Cursor(body)
    listed = Cursor(cursor.vector24())
    if cursor.remaining:
        raise Malformed("bytes after the certificates")
    chain: list[bytes] = []
    while listed.remaining and len(chain) < CHAIN_MAX:
        chain.append(listed.vector24())
    return chain, bool(listed.remaining)


def _identity(identity: bytes) -> str:
    """A PSK identity as text, or in hexadecimal where it is none."""
    try:
        text = identity.decode("utf-8")
    except UnicodeDecodeError:
        return identity[:128].hex()
    return text[:256] if text.isprintable() else identity[:128].hex()


def _is_grease(protocol: bytes) -> bool:
    return len(protocol) == 2 and protocol[0] == protocol[1] and protocol[0] & 0x0F == 0x0A
