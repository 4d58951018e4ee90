r"""The NetBIOS session service, which frames every SMB message; on port 445 only its session message is used.

| offset | length | meaning |
|---|---|---|
| 0 | 1 | type: 00 message, 81 session request, 82 positive, 83 negative, 84 retarget, 85 keep-alive |
| 1 | 3 | length; RFC 1002 has 17 bits of it, direct TCP 24 |
| 4 | 4 | of an SMB message: FF `SMB` (1), FE `SMB` (2, 3), FD `SMB` (encrypted), FC `SMB` (compressed) |

A session request names both sides, each by 16 characters in 32 (`EGFDDB...` is `FS1...`); the last of the 16 is the
kind of service.

Spec: RFC 1001 14.1, RFC 1002 4.3; MS-SMB2 2.1
"""

from __future__ import annotations

from typing import Final

from parsers.core import Cursor, Field, Lead, Malformed, Side, Verdict

CALLED: Final = Field("smb.called_netbios_name", "RFC 1002 4.3.2")
CALLING: Final = Field("smb.calling_netbios_name", "RFC 1002 4.3.2")

HEADER_BYTES: Final = 4
MESSAGE: Final = 0x00
REQUEST: Final = 0x81
KEEP_ALIVE: Final = 0x85
REQUEST_MAX_BYTES: Final = 512

SMB1: Final = b"\xffSMB"
SMB2: Final = b"\xfeSMB"
ENCRYPTED: Final = b"\xfdSMB"
COMPRESSED: Final = b"\xfcSMB"
SMB1_HEADER_BYTES: Final = 32
SMB2_HEADER_BYTES: Final = 64
ENCRYPTED_HEADER_BYTES: Final = 52
COMPRESSED_HEADER_BYTES: Final = 16

LEAST: Final = {
    SMB1: SMB1_HEADER_BYTES + 3,
    SMB2: SMB2_HEADER_BYTES,
    ENCRYPTED: ENCRYPTED_HEADER_BYTES,
    COMPRESSED: COMPRESSED_HEADER_BYTES,
}
REPLIES: Final = {0x82: 0, 0x83: 1, 0x84: 6}
_NEGOTIATE: Final = 0x72
_NEGOTIATE_RESPONSE_WORDS: Final = frozenset({1, 13, 17})
_SMB2_COMMAND_MAX: Final = 0x13
_KEEP_ALIVES_MAX: Final = 64
_NAME_BYTES: Final = 32
_NAMES_BYTES: Final = 2 * (1 + _NAME_BYTES + 1)

LEAD: Final[tuple[bytes | Lead, ...]] = (
    Lead(b"\x00\x00\x00\x00\xfcSMB", b"\xff\x00\x00\x00\xfc\xff\xff\xff"),
    b"\x81\x00",
    *(bytes((kind, 0, 0, length)) for kind, length in REPLIES.items()),
    b"\x85\x00\x00\x00",
)


def probe(head: bytes, side: Side) -> Verdict:
    """Whether `head` begins a packet that `side` may send; in mid-stream any may come first."""
    for at in range(0, _KEEP_ALIVES_MAX * HEADER_BYTES, HEADER_BYTES):  # a keep-alive says nothing: what comes then?
        rest = head[at : at + 64]
        if rest[:HEADER_BYTES] != b"\x85\x00\x00\x00":
            return _probe(rest, side) if rest else Verdict.MORE
    return Verdict.NO


def _probe(head: bytes, side: Side) -> Verdict:
    kind = head[0]
    if kind == MESSAGE:
        return _message(head, side)
    if kind == REQUEST:
        return _request(head) if side is Side.INITIATOR else Verdict.NO
    if kind in REPLIES and side is Side.RESPONDER:
        return _prefix(head, bytes((kind, 0, 0, REPLIES[kind])))
    return _prefix(head, b"\x85\x00\x00\x00")


def _prefix(head: bytes, whole: bytes) -> Verdict:
    if head[: len(whole)] != whole[: len(head)]:
        return Verdict.NO
    return Verdict.LIKELY if len(head) >= len(whole) else Verdict.MORE


def _message(head: bytes, side: Side) -> Verdict:
    """A session message that holds an SMB message of the right direction."""
    word = head[HEADER_BYTES : HEADER_BYTES + 4]
    kinds = [kind for kind in LEAST if kind.startswith(word)]
    if not kinds:
        return Verdict.NO
    if len(word) < 4:
        return Verdict.MORE
    if int.from_bytes(head[1:4], "big") < LEAST[kinds[0]]:
        return Verdict.NO
    body = head[HEADER_BYTES:]
    if word == SMB1:
        return _smb1(body, side)
    if word == SMB2:
        return _smb2(body, side)
    return _encrypted(body) if word == ENCRYPTED else _compressed(body)


def _smb1(body: bytes, side: Side) -> Verdict:
    """Bit 7 of the flags is set in answers; some servers forget it."""
    if len(body) <= SMB1_HEADER_BYTES:
        return Verdict.MORE
    answer = bool(body[9] & 0x80)
    if not answer and body[4] == _NEGOTIATE:
        answer = body[SMB1_HEADER_BYTES] in _NEGOTIATE_RESPONSE_WORDS
    return Verdict.LIKELY if answer is (side is Side.RESPONDER) else Verdict.NO


def _smb2(body: bytes, side: Side) -> Verdict:
    """Size of the header, a known command, and bit 0 of the flags, which is set in answers."""
    if body[4:6] != b"\x40\x00"[: len(body[4:6])]:
        return Verdict.NO
    if len(body) < 20:
        return Verdict.MORE
    if int.from_bytes(body[12:14], "little") > _SMB2_COMMAND_MAX:
        return Verdict.NO
    return Verdict.LIKELY if bool(body[16] & 1) is (side is Side.RESPONDER) else Verdict.NO


def _encrypted(body: bytes) -> Verdict:
    """A transform header: flags, or the algorithm in 3.0, are 1."""
    if len(body) < 44:
        return Verdict.MORE
    return Verdict.LIKELY if body[42:44] == b"\x01\x00" else Verdict.NO


def _compressed(body: bytes) -> Verdict:
    """A compression transform header: its algorithm is one of few, its flags are 0 or 1."""
    if len(body) < 12:
        return Verdict.MORE
    return Verdict.LIKELY if body[8] <= 8 and not body[9] and body[10] <= 1 and not body[11] else Verdict.NO


def _request(head: bytes) -> Verdict:
    """A session request: two encoded names, as long as the packet says or shorter by their scopes."""
    if len(head) >= HEADER_BYTES and not _NAMES_BYTES <= int.from_bytes(head[1:4], "big") <= REQUEST_MAX_BYTES:
        return Verdict.NO
    if head[4:5] not in {b"", bytes((_NAME_BYTES,))}:
        return Verdict.NO
    if any(not 0x41 <= octet <= 0x50 for octet in head[5 : 5 + _NAME_BYTES]):
        return Verdict.NO
    return Verdict.LIKELY if len(head) >= 5 + _NAME_BYTES else Verdict.MORE


def names(request: bytes) -> tuple[str, str]:
    """Called and calling name of a session request, without padding and kind of service.

    Raises:
        Malformed: they are not encoded as RFC 1001 14.1 says.
    """
    cursor = Cursor(request)
    return _name(cursor), _name(cursor)


def _name(cursor: Cursor) -> str:
    encoded = cursor.vector8()
    if len(encoded) != _NAME_BYTES or any(not 0x41 <= octet <= 0x50 for octet in encoded):
        raise Malformed("no NetBIOS name", cursor.offset)
    while scope := cursor.u8():
        cursor.skip(scope)
    pairs = zip(encoded[::2], encoded[1::2], strict=True)
    decoded = bytes((high - 0x41) << 4 | (low - 0x41) for high, low in pairs)
    return decoded[:15].decode("latin-1").rstrip(" \0")
