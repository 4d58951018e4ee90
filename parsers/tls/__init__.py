"""TLS 1.0 to 1.3 and SSL 2.0 and 3.0: who offers what, what was agreed, which certificates were shown.

`Done` is said when both lanes' handshakes are over (their first encrypted record was seen), or by a fatal alert. A lane
whose peer is not seen ends after 32 records of application data; its channel is then stated without the peer's part.

From TLS 1.3 on certificates, alerts and extensions of the server are encrypted: said as `certificates_hidden`.

Spec: RFC 8446, RFC 5246, RFC 4346, RFC 2246, RFC 6101 (SSL 3.0), Hickman 1995 (SSL 2.0)
"""

from __future__ import annotations

from parsers.core import Lead, Protocol, Side, Verdict
from parsers.tls import _records, _sslv2
from parsers.tls._blanks import blanks
from parsers.tls._handshake import CLIENT_HELLO, SERVER_HELLO, SNI


def probe(head: bytes, side: Side) -> Verdict:
    """Whether this is a record of any type, as after a gap it may be; a hello has to come from its own side."""
    if not head:
        return Verdict.MORE
    return _sslv2.probe(head, side) if head[0] & 0x80 else _probe_record(head, side)


def _probe_record(head: bytes, side: Side) -> Verdict:
    if not _records.is_header(head):
        return Verdict.NO
    if len(head) <= _records.HEADER_BYTES:
        return Verdict.MORE
    kind, following = head[0], head[_records.HEADER_BYTES + int.from_bytes(head[3:5], "big") :]
    if following and not _records.is_header(following):
        return Verdict.NO
    if kind == _records.HANDSHAKE and head[_records.HEADER_BYTES] == _hello_of(side.peer):
        return _probe_hello(head)
    return Verdict.LIKELY


def _hello_of(side: Side) -> int:
    return CLIENT_HELLO if side is Side.INITIATOR else SERVER_HELLO


def _probe_hello(head: bytes) -> Verdict:
    """A handshake record that begins like the other side's hello: refused, if it is one and not something encrypted."""
    begin = head[_records.HEADER_BYTES :][: _records.MESSAGE_HEAD_BYTES]
    if len(begin) < _records.MESSAGE_HEAD_BYTES:
        return Verdict.MORE
    return Verdict.NO if _records.is_message(begin, int.from_bytes(head[3:5], "big")) else Verdict.LIKELY


PROTOCOL = Protocol(
    name="tls",
    spec="RFC 8446",
    over="tcp",
    probe=probe,
    dissect=_records.dissect,
    blanks=blanks,
    said=frozenset({SNI.name}),
    lead=(
        *(bytes((kind, 3)) for kind in range(20, 25)),
        Lead(b"\x80\x00\x01\x00\x02", b"\x80\x00\xff\xff\xff"),  # SSL 2.0
        Lead(b"\x80\x00\x01\x03\x00", b"\x80\x00\xff\xff\xf8"),  # its hello, offering SSL 3.0 or more
        Lead(b"\x80\x00\x04\x00\x00\x00\x02", b"\x80\x00\xff\xfe\xfe\xff\xff"),
    ),
    port_hints=frozenset(
        {443, 465, 636, 853, 989, 990, 992, 993, 994, 995, 2762, 3269, 5061, 5671, 5986, 6514, 8443, 8883}
    ),
    version=2,
)
