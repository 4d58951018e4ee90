"""SMB, NTLM, SPNEGO and Kerberos messages put together by hand, and a way to feed them."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from parsers.core import Attribute, Authentication, Channel, Fact, Registry, Session, Side
from parsers.smb import PROTOCOL

INITIATOR, RESPONDER = Side.INITIATOR, Side.RESPONDER
GUID = bytes(range(1, 17))
MORE = 0xC0000016
PENDING = 0x103
LOGON_FAILURE = 0xC000006D
ACCESS_DENIED = 0xC0000022

# ---------------------------------------------------------------------- DER, SPNEGO, Kerberos

NTLMSSP = bytes.fromhex("2b06010401823702020a")
KERBEROS = bytes.fromhex("2a864886f712010202")
MS_KERBEROS = bytes.fromhex("2a864882f712010202")
IAKERB = bytes.fromhex("2b0601050205")
SPNEGO = bytes.fromhex("2b0601050502")


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    n = len(content)
    length = bytes((n,)) if n < 128 else b"\x82" + n.to_bytes(2, "big")
    return bytes((tag,)) + length + content


def tagged(number: int, *parts: bytes) -> bytes:
    return der(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def init(kinds: Iterable[bytes], token: bytes = b"", *, hints: bool = False) -> bytes:
    fields = [tagged(0, der(0x30, *(der(6, kind) for kind in kinds)))]
    if token:
        fields.append(tagged(2, der(4, token)))
    if hints:
        fields.append(tagged(3, der(0x30, tagged(0, der(0x1B, b"not_defined_in_RFC4178@please_ignore")))))
    return der(0x60, der(6, SPNEGO), tagged(0, der(0x30, *fields)))


def response(state: int | None = None, kind: bytes = b"", token: bytes = b"") -> bytes:
    fields = [tagged(0, der(10, bytes((state,))))] if state is not None else []
    if kind:
        fields.append(tagged(1, der(6, kind)))
    if token:
        fields.append(tagged(2, der(4, token)))
    return tagged(1, der(0x30, *fields))


def encrypted(etype: int, kvno: int | None = None) -> bytes:
    version = [tagged(1, integer(kvno))] if kvno is not None else []
    return der(0x30, tagged(0, integer(etype)), *version, tagged(2, der(4, b"TICKET-CIPHER" * 20)))


def ap_req(
    realm: str = "WARD.EXAMPLE", service: tuple[str, ...] = ("cifs", "fs1.ward.example"), etype: int = 18,
    kvno: int | None = 3, options: int = 0x20,
) -> bytes:  # fmt: skip
    names = der(0x30, tagged(0, integer(2)), tagged(1, der(0x30, *(der(0x1B, name.encode()) for name in service))))
    ticket = der(
        0x61,
        der(
            0x30, tagged(0, integer(5)), tagged(1, der(0x1B, realm.encode())), tagged(2, names),
            tagged(3, encrypted(etype, kvno)),
        ),
    )  # fmt: skip
    flags = der(3, bytes((0, options, 0, 0, 0)))
    return der(
        0x6E,
        der(
            0x30, tagged(0, integer(5)), tagged(1, integer(14)), tagged(2, flags), tagged(3, ticket),
            tagged(4, encrypted(18)),
        ),
    )  # fmt: skip


def ap_rep() -> bytes:
    return der(0x6F, der(0x30, tagged(0, integer(5)), tagged(1, integer(15)), tagged(2, encrypted(18))))


def krb_error(code: int) -> bytes:
    return der(0x7E, der(0x30, tagged(0, integer(5)), tagged(1, integer(30)), tagged(6, integer(code))))


def gss(message: bytes, kind: bytes = b"\x01\x00", mechanism: bytes = KERBEROS) -> bytes:
    return der(0x60, der(6, mechanism), kind, message)


# ---------------------------------------------------------------------- NTLM

UNICODE, ESS, VERSION, TARGET_INFO, B128, B56 = 1, 1 << 19, 1 << 25, 1 << 23, 1 << 29, 1 << 31
STRONG = UNICODE | ESS | VERSION | TARGET_INFO | B128 | B56
WINDOWS_10 = bytes((10, 0)) + struct.pack("<H", 17763) + b"\0\0\0\x0f"


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def pairs(values: dict[int, bytes]) -> bytes:
    return b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in values.items()) + bytes(4)


def _fields(at: int, values: list[bytes]) -> tuple[list[bytes], bytes]:
    fields, body = [], b""
    for value in values:
        fields.append(struct.pack("<HHI", len(value), len(value), at + len(body)))
        body += value
    return fields, body


def ntlm_negotiate(flags: int = STRONG, version: bytes = WINDOWS_10, workstation: bytes = b"") -> bytes:
    fields, body = _fields(40, [b"", workstation])
    return b"NTLMSSP\0" + struct.pack("<II", 1, flags) + b"".join(fields) + version + body


def ntlm_challenge(
    target: str = "WARD", names: dict[int, str] | None = None, flags: int = STRONG, version: bytes = WINDOWS_10
) -> bytes:
    names = {2: "WARD", 1: "FS1", 4: "ward.example", 3: "fs1.ward.example"} if names is None else names
    information = pairs({kind: utf16(name) for kind, name in names.items()})
    fields, body = _fields(56, [utf16(target) if flags & UNICODE else target.encode(), information])
    challenge = b"CHALLENG" + bytes(8)
    return (
        b"NTLMSSP\0"
        + struct.pack("<I", 2)
        + fields[0]
        + struct.pack("<I", flags)
        + challenge
        + fields[1]
        + version
        + body
    )


def ntlmv2(flags: int = 2, spn: str = "cifs/fs1") -> bytes:
    said = {1: utf16("FS1"), 6: struct.pack("<I", flags)} | ({9: utf16(spn)} if spn else {})
    return b"PROOF-OF-NTLMV2!" + b"\x01\x01" + bytes(6) + b"TIME8BYT" + b"NONCENON" + bytes(4) + pairs(said) + bytes(4)


def ntlm_authenticate(
    user: str = "svc-ct", domain: str = "WARD", workstation: str = "CT1", nt: bytes | None = None,
    lm: bytes = bytes(24), flags: int = STRONG, version: bytes = WINDOWS_10, fixed: int = 88,
) -> bytes:  # fmt: skip
    nt = ntlmv2() if nt is None else nt
    names = [utf16(name) if flags & UNICODE else name.encode("latin-1") for name in (domain, user, workstation)]
    fields, body = _fields(fixed, [lm, nt, *names, b""])
    head = b"NTLMSSP\0" + struct.pack("<I", 3) + b"".join(fields) + struct.pack("<I", flags) + version + bytes(16)
    return head[:fixed] + body


# ---------------------------------------------------------------------- frames, SMB 2


def frame(*messages: bytes) -> bytes:
    body = b"".join(messages)
    return struct.pack(">I", len(body)) + body


def smb2(
    command: int, body: bytes = b"", *, message: int = 0, session: int = 0, status: int = 0, answer: bool = False,
    flags: int = 0, following: int = 0,
) -> bytes:  # fmt: skip
    return struct.pack(
        "<4sHHIHHIIQIIQ16s", b"\xfeSMB", 64, 1, status, command, 1, flags | answer, following, message, 0, 1, session,
        bytes(16),
    ) + body  # fmt: skip


def contexts(*said: tuple[int, bytes]) -> bytes:
    out = b""
    for kind, data in said:
        out += bytes(-len(out) % 8) + struct.pack("<HHI", kind, len(data), 0) + data
    return out


def offer(dialects: Iterable[int], *said: tuple[int, bytes], mode: int = 1) -> bytes:
    dialects = list(dialects)
    names = b"".join(struct.pack("<H", dialect) for dialect in dialects)
    pad = bytes(-(36 + len(names)) % 8)
    at = 64 + 36 + len(names) + len(pad) if said else 0
    head = struct.pack("<HHHHI16sIHH", 36, len(dialects), mode, 0, 0x7F, GUID, at, len(said), 0)
    return head + names + pad + contexts(*said)


def agreed(
    dialect: int, *said: tuple[int, bytes], mode: int = 1, capabilities: int = 0x7F, token: bytes = b""
) -> bytes:
    pad = bytes(-(64 + len(token)) % 8)
    at = 128 + len(token) + len(pad) if said else 0
    head = struct.pack(
        "<HHHH16sIIIIQQHHI", 65, mode, dialect, len(said), GUID, capabilities, 1 << 20, 1 << 20, 1 << 20, 0, 0, 128,
        len(token), at,
    )  # fmt: skip
    return head + token + pad + contexts(*said)


def set_up(token: bytes, *, mode: int = 1, flags: int = 0) -> bytes:
    return struct.pack("<HBBIIHHQ", 25, flags, mode, 1, 0, 88, len(token), 0) + token


def set_up_answer(token: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack("<HHHH", 9, flags, 72, len(token)) + token


ERROR = struct.pack("<HBBIB", 9, 0, 0, 0, 0)


def connect(path: str) -> bytes:
    return struct.pack("<HHHH", 9, 0, 72, len(utf16(path))) + utf16(path)


CONNECTED = struct.pack("<HBBIII", 16, 1, 0, 0, 0, 0)


def transform(session: int, size: int = 80) -> bytes:
    return b"\xfdSMB" + bytes(32) + struct.pack("<IHHQ", size, 0, 1, session) + b"\xaa" * size


# ---------------------------------------------------------------------- SMB 1


def smb1(
    command: int, words: bytes = b"", data: bytes = b"", *, status: int = 0, answer: bool = False, uid: int = 0,
    mid: int = 1, pid: int = 7, flags2: int = 0xC001, tail: bytes = b"",
) -> bytes:  # fmt: skip
    head = struct.pack(
        "<4sBIBHHQHHHHH", b"\xffSMB", command, status, 0x80 if answer else 0, flags2, 0, 0, 0, 0, pid, uid, mid
    )
    return head + block(words, data) + tail


def block(words: bytes, data: bytes) -> bytes:
    return bytes((len(words) // 2,)) + words + struct.pack("<H", len(data)) + data


def dialects(*names: str) -> bytes:
    return b"".join(b"\x02" + name.encode() + b"\0" for name in names)


def nt_agreed(index: int = 0, mode: int = 3, capabilities: int = 0x4, challenge: bytes = b"CHALLENG") -> bytes:
    return struct.pack("<HBHHIIIIQHB", index, mode, 50, 1, 65_535, 65_536, 0, capabilities, 0, 0, len(challenge))


def names_at(at: int, *names: str, unicode: bool = True) -> bytes:
    if not unicode:
        return b"".join(name.encode("latin-1") + b"\0" for name in names)
    return bytes(at & 1) + b"".join(utf16(name) + b"\0\0" for name in names)


def nt_set_up(
    oem: bytes, unicode: bytes, account: str, domain: str, *, andx: int = 0xFF, offset: int = 0, wide: bool = True
) -> tuple[bytes, bytes]:
    words = struct.pack("<BBHHHHIHHII", andx, 0, offset, 16_644, 10, 1, 0, len(oem), len(unicode), 0, 0xD4)
    at = 32 + 1 + len(words) + 2 + len(oem) + len(unicode)
    return words, oem + unicode + names_at(at, account, domain, "Windows 5.1", "Windows 2000 LAN Manager", unicode=wide)


def lanman_set_up(password: bytes, account: str, domain: str) -> tuple[bytes, bytes]:
    words = struct.pack("<BBHHHHIHI", 0xFF, 0, 0, 16_644, 10, 1, 0, len(password), 0)
    return words, password + names_at(0, account, domain, "DOS", "LANMAN", unicode=False)


def token_set_up(token: bytes) -> tuple[bytes, bytes]:
    words = struct.pack("<BBHHHHIHII", 0xFF, 0, 0, 16_644, 10, 1, 0, len(token), 0, 0x800000D4)
    return words, token + names_at(32 + 1 + len(words) + 2 + len(token), "Unix", "Samba")


def set_up_done(action: int = 0, *, andx: int = 0xFF, offset: int = 0) -> tuple[bytes, bytes]:
    words = struct.pack("<BBHH", andx, 0, offset, action)
    return words, names_at(32 + 1 + len(words) + 2, "Windows 5.1", "Windows 2000 LAN Manager", "WARD")


def token_done(token: bytes, action: int = 0) -> tuple[bytes, bytes]:
    words = struct.pack("<BBHHH", 0xFF, 0, 0, action, len(token))
    return words, token + names_at(32 + 1 + len(words) + 2 + len(token), "Unix", "Samba", "WARD")


def connect1(path: str, password: bytes = b"\0", base: int = 32) -> tuple[bytes, bytes]:
    words = struct.pack("<BBHHH", 0xFF, 0, 0, 0, len(password))
    return words, password + names_at(base + 1 + len(words) + 2 + len(password), path) + b"?????\0"


CONNECTED1 = struct.pack("<BBHH", 0xFF, 0, 0, 0), b"A:\0"


# ---------------------------------------------------------------------- feeding


class Wire:
    """A conversation that is fed message by message; every message begins a turn."""

    def __init__(self, *, midstream: bool = False) -> None:
        self.session = Session(Registry([PROTOCOL]), "tcp", (445, 50_000), midstream=midstream, roles_guessed=midstream)
        self.facts: list[Fact] = []
        self._turn = 0

    def asks(self, *messages: bytes) -> Wire:
        return self.says(INITIATOR, *messages)

    def answers(self, *messages: bytes) -> Wire:
        return self.says(RESPONDER, *messages)

    def says(self, side: Side, *messages: bytes) -> Wire:
        self._turn += 1
        self.facts += self.session.feed(side, frame(*messages) if messages[0][0] >= 0xFC else messages[0], self._turn)
        return self

    def gap(self, side: Side) -> Wire:
        self.facts += self.session.gap(side)
        return self

    def end(self) -> Wire:
        self.facts += self.session.end()
        return self

    def values(self, name: str) -> list[str]:
        return [fact.value for fact in self.facts if isinstance(fact, Attribute) and fact.name == name]

    def about(self, side: Side) -> dict[str, str]:
        return {f.name: f.value for f in self.facts if isinstance(f, Attribute) and f.subject.side is side}

    @property
    def logons(self) -> list[Authentication]:
        return [fact for fact in self.facts if isinstance(fact, Authentication)]

    @property
    def channels(self) -> list[Channel]:
        return [fact for fact in self.facts if isinstance(fact, Channel)]


def outcomes(wire: Wire) -> list[tuple[str | None, str]]:
    return [(logon.principal, logon.outcome.value) for logon in wire.logons]


def negotiated(dialect: int = 0x0210, *said: tuple[int, bytes], mode: int = 1, **options: bool) -> Wire:
    """A conversation after NEGOTIATE of SMB 2 or 3."""
    wire = Wire(**options).asks(smb2(0, offer([0x0202, 0x0210, 0x0300, 0x0311])))
    return wire.answers(smb2(0, agreed(dialect, *said, mode=mode), answer=True))


def logged_on(
    wire: Wire, *, session: int = 5, message: int = 1, user: str = "svc-ct", status: int = 0, flags: int = 0,
    mode: int = 1,
) -> Wire:  # fmt: skip
    """The four messages of an NTLM logon, inside SPNEGO."""
    wire.asks(smb2(1, set_up(init([NTLMSSP], ntlm_negotiate()), mode=mode), message=message))
    challenge = response(1, NTLMSSP, ntlm_challenge())
    wire.answers(smb2(1, set_up_answer(challenge), message=message, session=session, status=MORE, answer=True))
    proof = response(None, b"", ntlm_authenticate(user))
    wire.asks(smb2(1, set_up(proof, mode=mode), message=message + 1, session=session))
    body = set_up_answer(response(0), flags) if not status else ERROR
    return wire.answers(smb2(1, body, message=message + 1, session=session, status=status, answer=True))
