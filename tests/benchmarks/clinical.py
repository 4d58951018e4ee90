"""What clinical systems say, as bytes: templates are encoded once, and only what differs is put in."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from functools import cache

from tests.benchmarks.wire import Talk
from tests.parsers import _dicom as dicom
from tests.parsers import _smb as smb
from tests.parsers._hl7 import acknowledgment, framed, header

READ_BYTES = 65_536
_SERIAL = "SN-000000000"
_FILE = bytes(range(16))
_KEY_EXCHANGE, _SESSION_KEY_AT = 1 << 30, 52
_READ = struct.Struct("<HBBIQ16sIIIHHB")


# ---------------------------------------------------------------------- DICOM


def dicom_open(talk: Talk, title: str) -> Iterator[bytes]:
    """An association of `title` with the archive."""
    yield from talk.open()
    yield from talk.says(0, dicom.associate(calling=title))
    yield from talk.says(1, dicom.associate(answer=True, contexts=dicom.answered_contexts(), calling=title))


def dicom_store(talk: Talk, pixel_bytes: int, serial: int, serial_prefix: str = "SN-") -> Iterator[bytes]:
    """One C-STORE and its answer."""
    head, rest = _object(pixel_bytes)
    named = f"{serial_prefix}{serial:0{12 - len(serial_prefix)}}".encode()
    yield from talk.says(0, head.replace(_SERIAL.encode(), named) + rest)
    yield from talk.says(1, _stored())


@cache
def _object(pixel_bytes: int) -> tuple[bytes, bytes]:
    data = dicom.with_pixels(dicom.equipment(DeviceSerialNumber=_SERIAL), pixel_bytes)
    message = dicom.store(dicom.encoded(data))
    return message[:4096], message[4096:]


@cache
def _stored() -> bytes:
    return dicom.stored()


def dicom_close(talk: Talk) -> Iterator[bytes]:
    """A-RELEASE, then the connection's end."""
    yield from talk.says(0, dicom.release())
    yield from talk.says(1, dicom.release(answer=True))
    yield from talk.close()


# ---------------------------------------------------------------------- SMB


def smb_open(talk: Talk, account: str) -> Iterator[bytes]:
    """NEGOTIATE, an NTLM logon, and a share."""
    yield from talk.open()
    yield from talk.says(0, smb.frame(smb.smb2(0, smb.offer([0x0202, 0x0210, 0x0300]))))
    yield from talk.says(1, smb.frame(smb.smb2(0, smb.agreed(0x0300), answer=True)))
    yield from smb_logon(talk, account, session=5, message=1)
    yield from talk.says(0, smb.frame(smb.smb2(3, smb.connect(r"\\fs1\images"), message=3, session=5)))
    yield from talk.says(1, smb.frame(smb.smb2(3, smb.CONNECTED, message=3, session=5, answer=True)))


def smb_logon(talk: Talk, account: str, session: int, message: int) -> Iterator[bytes]:
    """The four messages of NTLM in SPNEGO, accepted."""
    hello = smb.set_up(smb.init([smb.NTLMSSP], smb.ntlm_negotiate()))
    yield from talk.says(0, smb.frame(smb.smb2(1, hello, message=message)))
    incomplete = b"\xa0\x03\x0a\x01\x01" + _der(0xA1, _der(6, smb.NTLMSSP))
    challenge = smb.set_up_answer(_spnego(smb.ntlm_challenge(), incomplete))
    answer = {"session": session, "answer": True}
    yield from talk.says(1, smb.frame(smb.smb2(1, challenge, message=message, status=smb.MORE, **answer)))
    proof = smb.set_up(_spnego(_authenticate(account)))
    yield from talk.says(0, smb.frame(smb.smb2(1, proof, message=message + 1, session=session)))
    done = smb.set_up_answer(smb.response(0))
    yield from talk.says(1, smb.frame(smb.smb2(1, done, message=message + 1, **answer)))


def _authenticate(account: str) -> bytes:
    """AUTHENTICATE_MESSAGE with a session key at its end, as Windows sends it. Spec: MS-NLMP 2.2.1.3."""
    message = smb.ntlm_authenticate(account, flags=smb.STRONG | _KEY_EXCHANGE)
    return message[:_SESSION_KEY_AT] + struct.pack("<HH", 16, 16) + message[_SESSION_KEY_AT + 4 :] + _FILE


def _spnego(token: bytes, before: bytes = b"") -> bytes:
    """NegTokenResp, in DER as strict readers want it. Spec: RFC 4178 4.2.2."""
    return _der(0xA1, _der(0x30, before + _der(0xA2, _der(4, token))))


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    long = size.to_bytes((size.bit_length() + 7) // 8) if size > 127 else b""
    return bytes((tag, 0x80 | len(long)) if long else (tag, size)) + long + content


def smb_read(talk: Talk, message: int, size_bytes: int = READ_BYTES, session: int = 5) -> Iterator[bytes]:
    """READ and its answer. Spec: MS-SMB2 2.2.19, 2.2.20."""
    asked = _READ.pack(49, 0x50, 0, size_bytes, message * size_bytes, _FILE, 0, 0, 0, 0, 0, 0)
    yield from talk.says(0, smb.frame(smb.smb2(8, asked, message=message, session=session)))
    head = struct.pack("<HBBIII", 17, 0x50, 0, size_bytes, 0, 0)
    body = smb.smb2(8, head, message=message, session=session, answer=True) + _noise(size_bytes)
    yield from talk.says(1, smb.frame(body))


# ---------------------------------------------------------------------- HL7


def hl7_message(talk: Talk, application: str, number: int, values: int = 6) -> Iterator[bytes]:
    """An observation report and its acknowledgement."""
    control = f"{number:09}"
    msh = header(application, "WARD7", "EMR", "HOSP", "20251123101010", "", "ORU^R01^ORU_R01", control, "P", "2.6")
    yield from talk.says(0, framed(msh + _observations(values)))
    yield from talk.says(1, framed(acknowledgment(control)))


@cache
def _observations(values: int) -> bytes:
    patient = b"PID|1||000000^^^HOSP||NOBODY^NONE\rOBR|1|||182777000^monitoring^SCT\r"
    return patient + b"".join(
        b"OBX|%d|NM|147842^MDC_ECG_HEART_RATE^MDC|1.6.1.%d|%d|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||F\r"
        % (at + 1, at + 1, 60 + at)
        for at in range(values)
    )


@cache
def _noise(size_bytes: int) -> bytes:
    return random.Random(size_bytes).randbytes(size_bytes)


def application_data(size_bytes: int) -> bytes:
    """TLS records of 16 KiB full of what cannot be read."""
    record = b"\x17\x03\x03\x40\x00" + _noise(16_384)
    return record * (size_bytes // len(record))
