r"""NTLM messages, for whatever carries them: who a client says it is, and what both sides tell of themselves.

| offset | length | NEGOTIATE (1) | CHALLENGE (2) | AUTHENTICATE (3) |
|---|---|---|---|---|
| 0 | 8 + 4 | `NTLMSSP\0`, type | the same | the same |
| 12 | | flags 4 | target name 8 | LM response 8 |
| 16 | | domain 8 | | |
| 20 | | | flags 4 | NT response 8 |
| 24 | | workstation 8 | challenge 8, reserved 8 | |
| 28 | | | | domain 8 |
| 32 | | version 8 | | |
| 36 | | | | user 8 |
| 40 | | | target information 8 | |
| 44 | | | | workstation 8 |
| 48 | | | version 8 | |
| 52 | | | | session key 8, flags 4 |
| 64 | | | | version 8, MIC 16 |

A field of 8 is length 2, maximum 2, offset 4, little-endian; the bytes lie behind the fixed part. Fixed parts of old
clients end earlier: what lies behind the first field's bytes does not exist.

Responses, challenges, MICs and session keys are measured (their length and shape say which version of NTLM it is) and
never leave this module: who has them can guess passwords off line.

Spec: MS-NLMP 2.2.1
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec

from parsers.core import Attribute, Authentication, Cursor, Field, Malformed, Subject
from parsers.core.fact import clean

SIGNATURE: Final = b"NTLMSSP\0"
MEMO_MAX: Final = 256
MEMO_MAX_BYTES: Final = 1_024
"""Of messages whose names are kept as they are: there are few servers, and each says the same again and again."""

TARGET_NAME: Final = Field("ntlm.target_name", "MS-NLMP 2.2.1.2")
COMPUTER_NAME: Final = Field("ntlm.computer_name", "MS-NLMP 2.2.2.1")
DOMAIN_NAME: Final = Field("ntlm.domain_name", "MS-NLMP 2.2.2.1")
DNS_COMPUTER_NAME: Final = Field("ntlm.dns_computer_name", "MS-NLMP 2.2.2.1")
DNS_DOMAIN_NAME: Final = Field("ntlm.dns_domain_name", "MS-NLMP 2.2.2.1")
DNS_TREE_NAME: Final = Field("ntlm.dns_tree_name", "MS-NLMP 2.2.2.1")
WORKSTATION: Final = Field("ntlm.workstation", "MS-NLMP 2.2.1.3")
OS_VERSION: Final = Field("ntlm.os_version", "MS-NLMP 2.2.2.10")
TARGET_SPN: Final = Field("ntlm.target_spn", "MS-NLMP 2.2.2.1")

_UNICODE: Final = 1 << 0
_EXTENDED_SECURITY: Final = 1 << 19
_VERSION: Final = 1 << 25
_128: Final = 1 << 29
_56: Final = 1 << 31

_NB_COMPUTER: Final = 1
_NB_DOMAIN: Final = 2
_FLAGS: Final = 6
_SPN: Final = 9
_NAMES: Final = {1: COMPUTER_NAME, 2: DOMAIN_NAME, 3: DNS_COMPUTER_NAME, 4: DNS_DOMAIN_NAME, 5: DNS_TREE_NAME}
_PAIRS_MAX: Final = 32
_PAIR: Final = struct.Struct("<HH")
_RESPONSE_BYTES: Final = 24
_PROOF_BYTES: Final = 16
_BLOB_PAIRS_AT: Final = 44
_NAME_MAX_CHARS: Final = 256


class Negotiate(msgspec.Struct, frozen=True):
    """NEGOTIATE: what a client offers. Strings are empty where it says nothing."""

    workstation: str = ""
    os_version: str = ""


class Challenge(msgspec.Struct, frozen=True, cache_hash=True):
    """CHALLENGE: what a server tells of itself; `names` with their AvId."""

    target_name: str = ""
    names: tuple[tuple[int, str], ...] = ()
    os_version: str = ""


class Responses(msgspec.Struct, frozen=True):
    """The shape of a client's responses, without a byte of them.

    Attributes:
        version: `NTLMv2`, `NTLMv1`, `NTLM2 session`, `LM`, `anonymous` (no name, no response) or `none` (a name, and
            nothing that could be a response).
        lm: a real LM response is among them.
        mic: of NTLMv2, whether the client says that a MIC guards the messages; None of all others.
        target_spn: the service that the client means to speak with.
    """

    version: str
    lm: bool = False
    mic: bool | None = None
    target_spn: str = ""


class Authenticate(msgspec.Struct, frozen=True):
    """AUTHENTICATE: who a client says it is. `flags` is None where it does not say."""

    domain: str
    user: str
    workstation: str
    responses: Responses
    flags: int | None = None
    os_version: str = ""


Message = Negotiate | Challenge | Authenticate


def parse(token: bytes) -> Message:
    """A whole message.

    Raises:
        Malformed: it is none, or a field lies outside it.
    """
    if token[:8] != SIGNATURE or len(token) < 16:
        raise Malformed("no NTLM message")
    kind = int.from_bytes(token[8:12], "little")
    if kind == 1:
        return _negotiate(token)
    if kind == 2:
        return _challenge(token)
    if kind == 3:
        return _authenticate(token)
    raise Malformed("no NTLM message of this type", 8)


def facts_of(message: Message, me: Subject, peer: Subject) -> Iterator[Attribute]:
    """What a message tells of the side that sent it, and of whom that side means to speak with."""
    if isinstance(message, Challenge):
        if message.target_name:
            yield TARGET_NAME(me, message.target_name)
        for kind, name in message.names:
            yield _NAMES[kind](me, name)
    elif message.workstation:
        yield WORKSTATION(me, message.workstation)
    if message.os_version:
        yield OS_VERSION(me, message.os_version)
    if isinstance(message, Authenticate) and message.responses.target_spn:
        yield TARGET_SPN(peer, message.responses.target_spn)


def claim(message: Authenticate, me: Subject, **details: object) -> Authentication:
    """The logon that an AUTHENTICATE asks for; `details` join its own."""
    said = details_of(message.responses)
    if message.workstation:
        said["workstation"] = clean(message.workstation)
    if message.responses.version not in {"anonymous", "none"} and (weak := _weak_flags(message.flags)):
        said["weak_flags"] = weak
    user, domain = clean(message.user), clean(message.domain)
    return Authentication(me, "ntlm", user or None, domain or None, details=said | details, spec="MS-NLMP 2.2.1.3")


def details_of(responses: Responses) -> dict[str, Any]:
    """What the responses' shape says, as details of an `Authentication`."""
    details: dict[str, Any] = {"version": responses.version}
    if responses.lm:
        details["lm_response"] = True
    if responses.mic is not None:
        details["mic"] = responses.mic
    if responses.target_spn:
        details["target_spn"] = clean(responses.target_spn)
    return details


def target_of(message: Challenge) -> dict[str, str]:
    """A server's own names, as details of the `Authentication` that answers its challenge."""
    names = dict(message.names)
    found = {"target_name": names.get(_NB_COMPUTER, ""), "target_domain": names.get(_NB_DOMAIN, "")}
    return {key: clean(name) for key, name in found.items() if name}


def are_responses(lm: bytes, nt: bytes) -> bool:
    """Whether two fields are responses by their shape alone, where they might be passwords in clear as well."""
    if len(lm) == len(nt) == _RESPONSE_BYTES:
        return True
    return len(nt) > _BLOB_PAIRS_AT and nt[_PROOF_BYTES : _PROOF_BYTES + 8] == b"\x01\x01\0\0\0\0\0\0"


def measure(lm: bytes, nt: bytes, user: str, *, extended: bool) -> Responses:
    """Which version of NTLM two responses are of.

    Args:
        lm: the LM response, or what stands in its place.
        nt: the NT response.
        user: the account; without one and without responses a logon is anonymous.
        extended: extended session security was agreed on.
    """
    if not nt and len(lm) <= 1 and not user:
        return Responses("anonymous")
    if len(nt) > _RESPONSE_BYTES:
        pairs = _pairs(nt[_BLOB_PAIRS_AT:])
        mic = bool(int.from_bytes(pairs.get(_FLAGS, b""), "little") & 2)
        return Responses("NTLMv2", mic=mic, target_spn=_utf16(pairs.get(_SPN, b"")))
    if _RESPONSE_BYTES not in {len(lm), len(nt)}:
        return Responses("none")
    if extended and len(lm) == _RESPONSE_BYTES and not any(lm[8:]):
        return Responses("NTLM2 session")
    real_lm = len(lm) == _RESPONSE_BYTES and any(lm) and lm != nt
    return Responses("NTLMv1" if len(nt) == _RESPONSE_BYTES else "LM", lm=real_lm)


# ---------------------------------------------------------------------- messages


def _negotiate(token: bytes) -> Negotiate:
    flags = int.from_bytes(token[12:16], "little")
    domain, workstation = _optional(token, 16), _optional(token, 24)
    version = _version(token, 32, flags, [domain, workstation])
    return Negotiate(_text(_bytes(token, workstation), unicode=False), version)


def _challenge(token: bytes) -> Challenge:
    flags = int.from_bytes(_cursor(token, 20).take(4), "little")
    target, information = _field(token, 12), _optional(token, 40)
    name = _bytes(token, target)
    pairs = _pairs(_bytes(token, information))
    names = tuple([pairs.get(kind, b"") for kind in _NAMES])
    made = _challenge_of if len(token) <= MEMO_MAX_BYTES else _challenge_of.__wrapped__
    return made(name, bool(flags & _UNICODE), names, _version(token, 48, flags, [target, information]))


@lru_cache(MEMO_MAX)
def _challenge_of(target: bytes, unicode: bool, names: tuple[bytes, ...], version: str) -> Challenge:  # noqa: FBT001
    """What all challenges of a server have in common: `names` in the order of `_NAMES`."""
    said = [(kind, _utf16(name)) for kind, name in zip(_NAMES, names, strict=True)]
    return Challenge(_text(target, unicode=unicode), tuple(pair for pair in said if pair[1]), version)


def _authenticate(token: bytes) -> Authenticate:
    lm, nt, domain, user, workstation = (_field(token, at) for at in (12, 20, 28, 36, 44))
    fields = [lm, nt, domain, user, workstation]
    flags = int.from_bytes(token[60:64], "little") if _begin(token, fields) >= 64 else None
    names = [_bytes(token, field) for field in (domain, user, workstation)]
    unicode = any(0 in name for name in names) if flags is None else bool(flags & _UNICODE)
    said = [_text(name, unicode=unicode) for name in names]
    extended = flags is None or bool(flags & _EXTENDED_SECURITY)
    responses = measure(_bytes(token, lm), _bytes(token, nt), said[1], extended=extended)
    version = _version(token, 64, flags or 0, fields)
    return Authenticate(said[0], said[1], said[2], responses, flags, version)


def _weak_flags(flags: int | None) -> list[str]:
    """What the agreed flags leave to be desired; nothing if they are not known."""
    if flags is None:
        return []
    weak = [] if flags & _128 else ["no-128"]
    if flags & _56 and not flags & _128:
        weak.insert(0, "56")
    return weak if flags & _EXTENDED_SECURITY else [*weak, "no-ess"]


# ---------------------------------------------------------------------- fields


class _Place(msgspec.Struct, frozen=True):
    """Where the bytes of a field lie."""

    length: int = 0
    at: int = 0


def _cursor(token: bytes, at: int) -> Cursor:
    cursor = Cursor(token)
    cursor.skip(at)
    return cursor


def _field(token: bytes, at: int) -> _Place:
    cursor = _cursor(token, at)
    length = cursor.u16le()
    cursor.skip(2)
    return _Place(length, cursor.u32le())


def _optional(token: bytes, at: int) -> _Place:
    """A field that old clients and servers leave away."""
    return _field(token, at) if len(token) >= at + 8 else _Place()


def _bytes(token: bytes, place: _Place) -> bytes:
    if not place.length:
        return b""
    if place.at + place.length > len(token):
        raise Malformed("a field lies outside its NTLM message", place.at)
    return token[place.at : place.at + place.length]


def _begin(token: bytes, places: list[_Place]) -> int:
    """Where the fixed part ends: where the first of the fields' bytes lie."""
    return min([place.at for place in places if place.length], default=len(token))


def _version(token: bytes, at: int, flags: int, places: list[_Place]) -> str:
    """`major.minor.build`; empty where none was said, or nothing but zeros."""
    if not flags & _VERSION or min(_begin(token, places), len(token)) < at + 8:
        return ""
    major, minor, build = token[at], token[at + 1], int.from_bytes(token[at + 2 : at + 4], "little")
    return f"{major}.{minor}.{build}" if major or minor or build else ""


def _pairs(data: bytes) -> dict[int, bytes]:
    """AV pairs up to their end. They may be cut short or missing: that is no reason to refuse the message."""
    pairs: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data) and len(pairs) < _PAIRS_MAX:
        kind, length = _PAIR.unpack_from(data, at)
        if not kind or at + 4 + length > len(data):
            break
        pairs.setdefault(kind, data[at + 4 : at + 4 + length])
        at += 4 + length
    return pairs


def _text(data: bytes, *, unicode: bool) -> str:
    """A string; of OEM characters nobody says which code page they are of: Latin-1 at least keeps them apart."""
    return _utf16(data) if unicode else data.decode("latin-1").rstrip("\0")[:_NAME_MAX_CHARS]


def _utf16(data: bytes) -> str:
    return data.decode("utf-16-le", "replace").rstrip("\0")[:_NAME_MAX_CHARS]
