"""What both lanes have seen of a handshake, and the channel that comes of it.

Nothing is said that a lost packet or an unseen lane could turn around: what is not known is not there.

Spec: RFC 8446, RFC 5246 7.4, RFC 8422 5.4, RFC 7627 (extended master secret), RFC 5746 (renegotiation info)
"""

from __future__ import annotations

from typing import Any, Final

from parsers.core import Channel, Cursor, Malformed, Side, Signed, Subject
from parsers.tls import _hello, _names

_MUTUAL: Final = ("SRP", "KRB5", "ECJPAKE", "ECCPWD")  # key exchanges in which the client proves a secret, as with PSK


class Talk:
    """What both lanes have seen of one handshake."""

    def __init__(self) -> None:
        self.client: _hello.ClientHello | None = None
        self.server: _hello.ServerHello | None = None
        self.retried = False
        self.resumed: bool | None = None
        self.requested: bool | None = None
        self.client_certificate: str | None = None
        self.key_exchange_message: bytes | None = None
        self.key: dict[str, Any] = {}
        self.over = [False, False]
        self.finished = [False, False]
        self.early_data: bool | None = None  # the client offers to send data before it has finished
        self.alert: tuple[str, Side] | None = None
        self.encrypted_alert: Side | None = None


def channel(talking: Talk, subject: Subject) -> Channel | None:
    """What was agreed, stated about the server; None while no ServerHello was read."""
    server = talking.server
    version = _names.version(server.version) if server is not None else None
    if server is None or version is None:
        return None
    suite = _names.cipher_suite(server.suite)
    return Channel(
        subject,
        version,
        cipher=suite,
        encrypted=_names.is_encrypting(suite),
        signed=Signed.NONE if suite == "TLS_NULL_WITH_NULL_NULL" else Signed.REQUIRED,
        client_authenticated=_client_authenticated(talking),
        details=_details(talking, server, suite),
        spec="RFC 8446 4.1.3",
    )


def _client_authenticated(talking: Talk) -> bool | None:
    if talking.server is None or talking.server.is_tls13 or _resumed(talking):
        return None
    exchange = _names.key_exchange(_names.cipher_suite(talking.server.suite)) or ""
    if exchange.startswith(_MUTUAL) or exchange.endswith("PSK"):
        return True if _completed(talking) else None
    if talking.client_certificate == "empty" or talking.requested is False:
        return False
    return True if talking.client_certificate == "sent" and _completed(talking) else None


def _resumed(talking: Talk) -> bool | None:
    """Whether an older session goes on, without certificates: by the flight that is left out, or by its id."""
    if talking.resumed is None and talking.client is not None and talking.server is not None:
        offered = talking.client.session_id
        return True if offered and offered == talking.server.session_id else None
    return talking.resumed


def _completed(talking: Talk) -> bool | None:
    """Whether both have finished. In TLS 1.3 a client's data prove it only where they cannot be early data."""
    server = talking.server
    if all(talking.finished) and (talking.early_data is False or (server is not None and not server.is_tls13)):
        return True
    return False if talking.alert is not None else None


def _details(talking: Talk, server: _hello.ServerHello, suite: str) -> dict[str, Any]:
    """What is known; a key that is not known is not there."""
    known: dict[str, Any] = {"completed": _completed(talking)}
    known |= _details_tls13(server) if server.is_tls13 else _details_tls12(talking, server, suite)
    if talking.retried:
        known["hello_retry"] = True
    if talking.client is not None and _hello.ENCRYPTED_CLIENT_HELLO in talking.client.extensions:
        known["ech"] = True
    if talking.alert is not None:
        known["alert"], known["alert_by"] = talking.alert[0], talking.alert[1].label
    if talking.encrypted_alert is not None:
        known["encrypted_alert_by"] = talking.encrypted_alert.label
    return {name: value for name, value in known.items() if value is not None}


def _details_tls13(server: _hello.ServerHello) -> dict[str, Any]:
    known: dict[str, Any] = {"client_certificate": "hidden", "certificates_hidden": True}
    known["resumed"] = _hello.PRE_SHARED_KEY in server.extensions
    if server.group is None:
        known["key_exchange"] = "PSK" if known["resumed"] else None
        return known
    group = _names.group(server.group)
    known["group"], known["group_bits"] = group.name, group.bits
    known["key_exchange"] = {"EC": "ECDHE", "FF": "DHE"}.get(group.kind, group.kind or None)
    return known


def _details_tls12(talking: Talk, server: _hello.ServerHello, suite: str) -> dict[str, Any]:
    offered = talking.client
    known: dict[str, Any] = {"key_exchange": _names.key_exchange(suite), "resumed": _resumed(talking)} | talking.key
    known["client_certificate"] = talking.client_certificate
    if talking.requested is not None and not known["resumed"]:
        known["client_certificate_requested"] = talking.requested
        if not talking.requested:
            known["client_certificate"] = "not_requested"
    known["compression"] = {0: None, 1: "DEFLATE", 64: "LZS"}.get(server.compression, f"method_{server.compression}")
    known["extended_master_secret"] = _agreed(
        _hello.EXTENDED_MASTER_SECRET in server.extensions,
        offered=offered is not None and _hello.EXTENDED_MASTER_SECRET in offered.extensions,
    )
    known["renegotiation_info"] = _agreed(
        _hello.RENEGOTIATION_INFO in server.extensions,
        offered=offered is not None and offered.offers_renegotiation_info,
    )
    return known


def _agreed(chosen: bool, *, offered: bool) -> bool | None:  # noqa: FBT001
    """False only where the client is known to have offered it: a server may not answer what was not offered."""
    return True if chosen else False if offered else None


def key_parameters(exchange: str, body: bytes) -> dict[str, Any]:
    """Group and its size, of a ServerKeyExchange (RFC 5246 7.4.3, RFC 8422 5.4); empty where it cannot be read."""
    cursor = Cursor(body)
    try:
        if exchange.endswith("PSK"):
            cursor.vector16()
        if exchange.startswith("ECDH"):
            return _curve(cursor)
        if exchange == "RSA":  # only of EXPORT suites, whose keys are made short for the moment
            return {"temporary_rsa_bits": int.from_bytes(cursor.vector16(), "big").bit_length()}
        if exchange.startswith("DH"):
            return {"group_bits": int.from_bytes(cursor.vector16(), "big").bit_length()}
    except Malformed:
        pass
    return {}


def _curve(cursor: Cursor) -> dict[str, Any]:
    kind = cursor.u8()
    if kind == 3:
        group = _names.group(cursor.u16())
        return {"group": group.name} | ({"group_bits": group.bits} if group.bits else {})
    if kind == 1:
        prime = int.from_bytes(cursor.vector8(), "big")
        return {"group": "explicit_prime", "group_bits": prime.bit_length()}
    return {"group": "explicit_char2", "group_bits": cursor.u16()} if kind == 2 else {}
