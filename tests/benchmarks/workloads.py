"""The four workloads of the benchmarks, each a stream of frames and a list of what is planted in it.

* a, bulk: DICOM C-STORE, SMB2 reads after an NTLM logon, TLS bulk, HL7, DNS; VLANs, IPv6, some frames swapped. Planted
  are AE titles, accounts, applications and the names that TLS clients ask for.
* b, connections: full TLS connections, five of eight TLS 1.3, 500 certificates. Planted are the names asked for and,
  where TLS 1.2 shows them, the certificates' subjects.
* c, small packets: 60 % of flows are UDP (DNS, SNMP, syslog, NTP, BACnet), the others short TCP; up to 20,000 flows at
  a time. Planted are the applications of the HL7 messages among them.
* d, chatty: HL7 feeds, DICOM associations, SMB connections that last. Planted is who speaks in the last tenth of each
  and did not before: an application, a machine's serial number, an account.

`scale` multiplies the number of conversations, never their length; at 1, a is half a gigabyte. Seeds are fixed.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.benchmarks import clinical
from tests.benchmarks.handshakes import templates
from tests.benchmarks.wire import Talk, datagram, interleaved, swapped

DISTINCT_HELLOS = 20_000
CERTIFICATES = 500


class Planted(NamedTuple):
    """Values that must be found. `name` is the attribute, the mechanism or the certificate's field."""

    kind: str
    name: str
    values: list[str]


class Workload(NamedTuple):
    """Frames in the order of capture, `step_us` apart; `counts` says how many of what there are."""

    frames: Iterator[bytes]
    step_us: int
    planted: list[Planted]
    counts: dict[str, int]


def _many(base: int, scale: float) -> int:
    return max(2, round(base * scale))


# ---------------------------------------------------------------------- a


def bulk(scale: float) -> Workload:
    """Large messages: images, files, backups, among little ones."""
    chance = random.Random(1)
    counts = {"dicom": 36, "smb": 50, "tls": 71, "hl7": 82, "dns": 198}
    counts = {name: _many(base, scale) for name, base in counts.items()}
    secret = templates(min(CERTIFICATES, counts["tls"]), seed=1)
    # A function for each kind: the number of a conversation gives its frames.
    makers: dict[str, Callable[[int], Iterator[bytes]]] = {
        "dicom": _images, "smb": _files, "hl7": _reports, "dns": _lookups,
        "tls": lambda number: _download(number, secret[number % len(secret)][number & 1]),
    }  # fmt: skip
    order = [(kind, number) for kind, n in counts.items() for number in range(n)]
    chance.shuffle(order)
    talks = (swapped(makers[kind](number), chance, 0.002) for kind, number in order)
    planted = [
        Planted("attribute", "dicom.calling_ae_title", [f"CT{n:06}" for n in range(counts["dicom"])]),
        Planted("authentication", "ntlm", [f"svc-{n:06}" for n in range(counts["smb"])]),
        Planted("attribute", "hl7.sending_application", [f"MON{n:06}" for n in range(counts["hl7"])]),
        Planted("attribute", "tls.sni", [_name(n) for n in range(counts["tls"])]),
    ]
    return Workload(interleaved(talks, 64, chance), 8, planted, counts)


def _ends(kind: int, number: int, server: str = "10.9.0.1") -> tuple[str, str]:
    """Addresses of a client and its server.

    tcpreplay, asked for new ones each round, counts the last 32 bits up or down, and for both directions of a
    conversation alike only until one of them passes zero: those of IPv6 begin far from it, and apart.
    """
    if number % 20 == 7:
        return f"2001:db8:{kind:x}::{0x1000 + (number >> 8):x}:{number & 255:x}", f"2001:db8:9::2000:{kind:x}"
    return f"10.{kind}.{number >> 8 & 255}.{number & 255}", server


def _talk(kind: int, number: int, port: int) -> Talk:
    ends = _ends(kind, number, f"10.9.0.{kind}")
    return Talk(ends, (20_000 + number % 40_000, port), (kind << 32) + number, vlan=100 if number % 5 == 0 else 0)


def _images(number: int) -> Iterator[bytes]:
    talk = _talk(1, number, 104)
    yield from clinical.dicom_open(talk, f"CT{number:06}")
    for _ in range(10):
        yield from clinical.dicom_store(talk, 524_288, number)
    yield from clinical.dicom_close(talk)


def _files(number: int) -> Iterator[bytes]:
    talk = _talk(2, number, 445)
    yield from clinical.smb_open(talk, f"svc-{number:06}")
    for message in range(40):
        yield from clinical.smb_read(talk, 4 + message)
    yield from talk.close()


def _download(number: int, template) -> Iterator[bytes]:
    talk = _talk(3, number, 443)
    yield from talk.open()
    for lane, data in template.copy(_name(number), random.Random(number)):
        yield from talk.says(lane, data)
    yield from talk.says(1, clinical.application_data(1_600_000))
    yield from talk.close()


def _reports(number: int) -> Iterator[bytes]:
    talk = _talk(4, number, 2575)
    yield from talk.open()
    for message in range(20):
        yield from clinical.hl7_message(talk, f"MON{number:06}", message)
    yield from talk.close()


def _lookups(number: int) -> Iterator[bytes]:
    yield from _dns(number, exchanges=1)


def _name(number: int) -> str:
    return f"d-{number:06}.ward.example"


# ---------------------------------------------------------------------- b


def connections(scale: float) -> Workload:
    """Whole TLS connections and little else: what a Python parser is worst at."""
    chance = random.Random(2)
    count = _many(50_000, scale)
    hellos = min(DISTINCT_HELLOS, max(2, count // 2))
    made = templates(min(CERTIFICATES, hellos), seed=2)
    talks = (_connection(number % hellos, number, made) for number in range(count))
    shown = sorted({hello % len(made) for hello in range(hellos) if not _is_13(hello)})
    planted = [
        Planted("attribute", "tls.sni", [_name(n) for n in range(hellos)]),
        Planted("certificate", "subject", [f"CN=device-{n:04}.ward.example" for n in shown]),
    ]
    newest = sum(_is_13(number % hellos) for number in range(count))
    counts = {"tls": count, "tls 1.3": newest, "distinct hellos": hellos, "certificates": len(made)}
    return Workload(interleaved(talks, 256, chance), 20, planted, counts)


def _is_13(hello: int) -> bool:
    return hello % 8 < 5


def _connection(hello: int, number: int, made) -> Iterator[bytes]:
    which = hello % len(made)
    ends = f"10.{20 + hello % 16}.{hello >> 4 & 255}.{hello >> 12}", f"10.9.{1 + which // 250}.{1 + which % 250}"
    ports = 1024 + (number + number // 60_000 * 3) % 60_000, 443  # no two connections of the same ends and ports
    talk = Talk(ends, ports, number, vlan=100 + number % 3 if number % 4 == 0 else 0)
    yield from talk.open()
    for lane, data in made[which][_is_13(hello)].copy(_name(hello), random.Random(number)):
        yield from talk.says(lane, data)
        yield talk.ack(1 - lane)
    yield from talk.close()


# ---------------------------------------------------------------------- c


def small(scale: float) -> Workload:
    """Many flows of little packets."""
    chance = random.Random(3)
    count = _many(40_000, scale)
    talks = (frames_of_small(number) for number in range(count))
    reports = [number for number in range(count) if number % 5 < 2 and number % 10 == 0]
    planted = [Planted("attribute", "hl7.sending_application", [f"MON{n:06}" for n in reports])]
    return Workload(interleaved(talks, 20_000, chance), 10, planted, {"flows": count, "hl7": len(reports)})


def frames_of_small(number: int) -> Iterator[bytes]:
    """The frames of one flow of c."""
    kinds = (_dns, _snmp, _syslog, _ntp, _bacnet)
    return _short(number) if number % 5 < 2 else kinds[number // 5 % len(kinds)](number, exchanges=None)


def _hosts(number: int) -> tuple[str, str]:
    return f"10.{40 + (number >> 16)}.{number >> 8 & 255}.{number & 255}", f"10.9.8.{1 + number % 250}"


def _exchange(number: int, port: int, asked: bytes, answered: bytes, exchanges: int) -> Iterator[bytes]:
    """Questions and answers of one flow; their first two bytes count up."""
    ends, ports = _hosts(number), (1024 + number % 60_000, port)
    for at in range(exchanges):
        mark = (number + at & 0xFFFF).to_bytes(2)
        yield datagram(ends, ports, mark + asked)
        if answered:
            yield datagram(ends[::-1], ports[::-1], mark + answered)


def _dns(number: int, exchanges: int | None) -> Iterator[bytes]:
    question = b"\x08d-%06d\x04ward\x07example\x00\x00\x01\x00\x01" % (number % 1_000_000)
    asked = struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0) + question
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\x0a\x09\x00\x01"
    answered = struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + question + record
    yield from _exchange(number, 53, asked, answered, exchanges or 3)


def _ntp(number: int, exchanges: int | None) -> Iterator[bytes]:
    ends, ports = _hosts(number), (123, 123)
    for at in range(exchanges or 10):
        stamp = struct.pack(">II", 0xE9000000 + at, number)
        yield datagram(ends, ports, b"\x23\x00\x06\xec" + bytes(36) + stamp)
        yield datagram(ends[::-1], ports, b"\x24\x02\x06\xec" + bytes(12) + b"\x0a\x09\x00\x01" + stamp * 4)


def _snmp(number: int, exchanges: int | None) -> Iterator[bytes]:
    ends, ports = _hosts(number), (1024 + number % 60_000, 161)
    for at in range(exchanges or 20):
        yield datagram(ends, ports, _snmp_message(0xA0, at + 1, b"\x05\x00"))
        yield datagram(ends[::-1], ports[::-1], _snmp_message(0xA2, at + 1, b"\x43\x04\x00\x12\xd6\x87"))


def _snmp_message(pdu: int, request: int, value: bytes) -> bytes:
    """Version 2c, sysUpTime.0. Spec: RFC 3416 3."""
    binding = _tlv(0x30, b"\x06\x08\x2b\x06\x01\x02\x01\x01\x03\x00" + value)
    body = _tlv(2, request.to_bytes(2)) + b"\x02\x01\x00\x02\x01\x00" + _tlv(0x30, binding)
    return _tlv(0x30, b"\x02\x01\x01" + _tlv(4, b"ward-ro") + _tlv(pdu, body))


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content


def _syslog(number: int, exchanges: int | None) -> Iterator[bytes]:
    ends, ports = _hosts(number), (1024 + number % 60_000, 514)
    for at in range(exchanges or 30):
        yield datagram(ends, ports, b"<134>Nov 23 10:00:%02d pump%06d app: state=ok n=%d" % (at % 60, number, at))


def _bacnet(number: int, exchanges: int | None) -> Iterator[bytes]:
    """ReadProperty of a present value, and its answer. Spec: ASHRAE 135 15.5."""
    ends, ports = _hosts(number), (47_808, 47_808)
    for at in range(exchanges or 15):
        invoke = bytes((at,))
        asked = b"\x81\x0a\x00\x11\x01\x04\x00\x05" + invoke + b"\x0c\x0c\x00\x00\x00\x01\x19\x55"
        answered = (
            b"\x81\x0a\x00\x17\x01\x00\x30" + invoke + b"\x0c\x0c\x00\x00\x00\x01\x19\x55\x3e\x44\x42\x48\x00\x00\x3f"
        )
        yield datagram(ends, ports, asked)
        yield datagram(ends[::-1], ports, answered)


def _short(number: int) -> Iterator[bytes]:
    hl7 = number % 10 == 0
    port = 2575 if hl7 else (80, 9100, 502)[number % 3]
    talk = Talk(_hosts(number), (1024 + number % 60_000, port), number)
    yield from talk.open()
    if hl7:
        yield from clinical.hl7_message(talk, f"MON{number:06}", number, values=1)
    else:
        for lane, data in _little(port, number):
            yield from talk.says(lane, data)
            yield talk.ack(1 - lane)
    yield from talk.close()


def _little(port: int, number: int) -> Iterator[tuple[int, bytes]]:
    if port == 80:
        yield 0, b"GET /status?n=%d HTTP/1.1\r\nHost: device\r\n\r\n" % number
        yield 1, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    elif port == 502:
        for at in range(4):
            yield 0, struct.pack(">HHHBBHH", at, 0, 6, 1, 3, number & 0xFF, 1)
            yield 1, struct.pack(">HHHBBBH", at, 0, 5, 1, 3, 2, number & 0xFF)
    else:
        yield 0, b"\x1b%-12345X@PJL INFO STATUS\r\n"
        yield 1, b"@PJL INFO STATUS\r\nCODE=10001\r\n"


# ---------------------------------------------------------------------- d

_FEED, _SERIES, _SHARE = 2_000, 100, 300


def chatty(scale: float) -> Workload:
    """Conversations that last; in the last tenth of each, an identity that was not there before."""
    chance = random.Random(4)
    counts = {name: _many(base, scale) for name, base in {"hl7": 20, "dicom": 10, "smb": 20}.items()}
    talks = [
        *(_feed(number) for number in range(counts["hl7"])),
        *(_series(number) for number in range(counts["dicom"])),
        *(_share(number) for number in range(counts["smb"])),
    ]
    planted = [
        Planted("authentication", "ntlm", [f"late-{n:06}" for n in range(counts["smb"])]),
        Planted("authentication", "hl7-application", [f"LATE{n:06}" for n in range(counts["hl7"])]),
        Planted("attribute", "dicom.device_serial_number", [f"LATE{n:08}" for n in range(counts["dicom"])]),
    ]
    return Workload(interleaved(talks, len(talks), chance), 50_000, planted, counts)


def _feed(number: int) -> Iterator[bytes]:
    talk = _talk(5, number, 2575)
    yield from talk.open()
    for message in range(_FEED):
        late = message >= _FEED * 95 // 100
        yield from clinical.hl7_message(talk, f"{'LATE' if late else 'FEED'}{number:06}", message)


def _series(number: int) -> Iterator[bytes]:
    talk = _talk(6, number, 11_112)
    yield from clinical.dicom_open(talk, f"MR{number:06}")
    for image in range(_SERIES):
        yield from clinical.dicom_store(talk, 65_536, number, "LATE" if image == _SERIES * 95 // 100 else "SN-")


def _share(number: int) -> Iterator[bytes]:
    talk = _talk(7, number, 445)
    yield from clinical.smb_open(talk, f"svc-{number:06}")
    late = _SHARE * 95 // 100
    for message in range(_SHARE):
        if message == late:
            yield from clinical.smb_logon(talk, f"late-{number:06}", session=9, message=4 + message)
        yield from clinical.smb_read(talk, 4 + message + 2 * (message >= late), 4096)


WORKLOADS: dict[str, Callable[[float], Workload]] = {"a": bulk, "b": connections, "c": small, "d": chatty}
