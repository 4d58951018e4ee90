"""Bytes of the IntelliVue data export protocol over UDP, both sides, by Philips' published programming guide.

Everything is big-endian. A datagram of an association begins with E1 00 and the presentation context; the association
itself is set up by an ACSE that is the same bytes each time but for the user information. Attributes are a number,
a length and a value; the values of a patient's attributes are canaries.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _canary import Canaries
    from _fleet import Machine
    from _net import Host

DATA_EXPORT, CONNECT_INDICATION = 24105, 24005
BROADCAST = "10.21.3.255"
PATIENCE_S = 10.0
DATAGRAM_BYTES = 2048

INVOKE, RESULT = 1, 2  # remote operation apdus
EVENT_REPORT, CONFIRMED_EVENT_REPORT, CONFIRMED_ACTION = 0, 1, 7
SINGLE_BED_MDS, MDS = 0x0023, 0x0021
CONNECT_EVENT, CREATE_EVENT, POLL_ACTION = 0x0D17, 0x0D06, 0x0C16
NUMERIC, PATIENT = 0x0006, 0x002A

SESSION = bytes.fromhex("05081301001601028000 14020002")
OPEN = bytes.fromhex(
    "3180 a080800101 0000 a280 a003000001 a480 3080 020101 060452010001 3080 060251010000 0000"
    "3080 020102 060c2a8648ce1402010000000101 3080 060c2a8648ce1402010000000201 0000 0000 0000"
    "6180 3080 020101 a080 6080 a180 060c2a8648ce1402010000000301 0000 be80 2880"
    "060c2a8648ce1402010000000101 020102 81"
)
ACCEPT = bytes.fromhex(
    "3180 a080800101 0000 a280 a003000001 a580 3080 800100 81025101 0000"
    "3080 800100 810c2a8648ce1402010000000201 0000 0000"
    "6180 3080 020101 a080 6180 a180 060c2a8648ce1402010000000301 0000 a203020100 a305a103020100 be80 2880 020102 81"
)
TRAILER = bytes(16)
RELEASE = bytes.fromhex("0918 c116 6180 3080 020101 a080 6280 800100 0000 0000 0000 0000")
RELEASED = bytes.fromhex("0a18 c116 6180 3080 020101 a080 6380 800100 0000 0000 0000 0000")


def attributes(*pairs: tuple[int, bytes]) -> bytes:
    """Return an attribute list: count, length, then number, length and value of each."""
    body = b"".join(struct.pack(">HH", number, len(value)) + value for number, value in pairs)
    return struct.pack(">HH", len(pairs), len(body)) + body


def text(value: str) -> bytes:
    """Return a string as attributes hold it: length, and UTF-16."""
    data = (value + "\0").encode("utf-16-be")
    return struct.pack(">H", len(data)) + data


def octets(value: str) -> bytes:
    """Return a string of one-byte characters with its length, filled up to an even one."""
    data = value.encode() + b"\0" * (2 - len(value) % 2)
    return struct.pack(">H", len(data)) + data


def production(monitor: Machine) -> bytes:
    """Return the production specification: serial number, part number, software revision."""
    parts = ((1, 8, monitor.serial), (2, 8, "865240"), (4, 0x58, monitor.software))
    body = b"".join(struct.pack(">HH", kind, component) + octets(said) for kind, component, said in parts)
    return struct.pack(">HH", len(parts), len(body)) + body


def itself(monitor: Machine) -> list[tuple[int, bytes]]:
    """Return the attributes by which a monitor says what it is."""
    return [
        (0x0986, struct.pack(">HH", 1, 0x114D)),
        (0x0928, octets("Philips") + octets(monitor.model)),
        (0x092D, production(monitor)),
    ]


def apdu(kind: int, invoke: int, command: int, body: bytes) -> bytes:
    """Return a remote operation apdu, an invoke or a result."""
    inner = struct.pack(">HHH", invoke, command, len(body)) + body
    return struct.pack(">HH", kind, len(inner)) + inner


def reported(managed: int, event: int, body: bytes) -> bytes:
    """Return the argument of an event report: object, time, event, what it says."""
    return struct.pack(">HHHIHH", managed, 0, 0, 0x00012345, event, len(body)) + body


def indication(monitor: Machine) -> bytes:
    """Return the connect indication that a monitor broadcasts: who and where it is."""
    address = (
        bytes.fromhex(monitor.mac.replace(":", "")) + socket.inet_aton(monitor.ip) + socket.inet_aton("255.255.255.0")
    )
    ports = struct.pack(">HHHHHH", 1, 8, 5, 1, DATA_EXPORT, 0)
    said = attributes(*itself(monitor), (0xF135, text("BED7")), (0xF100, address), (0xF101, ports))
    return struct.pack(">I", 0x00000100) + apdu(INVOKE, 0, EVENT_REPORT, reported(SINGLE_BED_MDS, CONNECT_EVENT, said))


def association(first: int, presentation: bytes, system: int) -> bytes:
    """Return an association request (0D) or response (0E) with its user information."""
    poll = struct.pack(">IIIIII", 0x80000000, 8000, 1400, 1400, 0xFFFFFFFF, 0x60000000) + attributes()
    user = struct.pack(">IIIII", 0x80000000, 0x40000000, 0, system, 0x20000000) + attributes() + attributes((1, poll))
    inner = presentation + _length(len(user)) + user + TRAILER
    body = SESSION + b"\xc1" + _length(len(inner)) + inner
    return bytes([first]) + _length(len(body)) + body


def _length(length: int) -> bytes:
    return bytes([length]) if length < 0xFF else b"\xff" + struct.pack(">H", length)


def data(body: bytes) -> bytes:
    """Return a datagram of the association."""
    return struct.pack(">HH", 0xE100, 2) + body


def created(monitor: Machine) -> bytes:
    """Return the MDS create event, which repeats who the monitor is."""
    info = struct.pack(">HHH", MDS, 0, 0) + attributes(*itself(monitor))
    return data(apdu(INVOKE, 1, CONFIRMED_EVENT_REPORT, reported(MDS, CREATE_EVENT, info)))


def create_confirmed() -> bytes:
    """Return the client's answer to it."""
    return data(apdu(RESULT, 1, CONFIRMED_EVENT_REPORT, reported(MDS, CREATE_EVENT, b"")))


def poll(number: int, kind: int) -> bytes:
    """Return a client's request for the values of one kind of object."""
    asked = struct.pack(">HHHH", number, 1, kind, 0)
    action = struct.pack(">HHHIHH", MDS, 0, 0, 0, POLL_ACTION, len(asked)) + asked
    return data(apdu(INVOKE, number, CONFIRMED_ACTION, action))


def polled(number: int, kind: int, values: list[tuple[int, bytes]]) -> bytes:
    """Return the monitor's answer: one object in one context."""
    one = struct.pack(">H", 1) + attributes(*values)
    context = struct.pack(">HHH", 1, 1, len(one)) + one
    head = struct.pack(">HI8sHHH", number, 0x00012345, bytes(8), 1, kind, 0)
    reply = head + struct.pack(">HH", 1, len(context)) + context
    action = struct.pack(">HHHHH", MDS, 0, 0, POLL_ACTION, len(reply)) + reply
    return data(apdu(RESULT, number, CONFIRMED_ACTION, action))


def pulse(canaries: Canaries) -> list[tuple[int, bytes]]:
    """Return a numeric: label, observed value, and its label in words, a canary."""
    value = struct.pack(">HHHI", 0x4182, 0, 0x0AA0, 72)
    return [(0x0924, struct.pack(">I", 0x00024182)), (0x0950, value), (0x0927, text(canaries.token("pulse", 8)))]


def patient(canaries: Canaries) -> list[tuple[int, bytes]]:
    """Return who lies in the bed, all of it canaries."""
    names = ((0x095A, "patient id"), (0x095C, "family"), (0x095D, "given"))
    return [(number, text(canaries.token(element))) for number, element in names]


# ------------------------------------------------------------------ conversations


@contextlib.contextmanager
def bound(host: Host, port: int = 0) -> Iterator[socket.socket]:
    """Open a UDP socket on a machine."""
    with host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.bind((host.ip, port))
        opened.settimeout(PATIENCE_S)
        yield opened


def announce(host: Host, monitor: Machine) -> None:
    """Broadcast a connect indication."""
    with bound(host, DATA_EXPORT) as monitors:
        monitors.sendto(indication(monitor), (BROADCAST, CONNECT_INDICATION))


def export(host: Host, client: Host, monitor: Machine, canaries: Canaries) -> None:
    """Let a client associate with a monitor, which asks it for nothing, poll numerics and the patient, and leave."""
    with bound(host, DATA_EXPORT) as monitors, bound(client) as asking:
        there, back = (host.ip, DATA_EXPORT), asking.getsockname()
        opened = association(0x0D, OPEN, 0x80000000)
        accepted = association(0x0E, ACCEPT, 0x00800000)
        turns = [
            (asking, there, opened),
            (monitors, back, accepted),
            (monitors, back, created(monitor)),
            (asking, there, create_confirmed()),
            (asking, there, poll(2, NUMERIC)),
            (monitors, back, polled(2, NUMERIC, pulse(canaries))),
            (asking, there, poll(3, PATIENT)),
            (monitors, back, polled(3, PATIENT, patient(canaries))),
            (asking, there, RELEASE),
            (monitors, back, RELEASED),
        ]
        for sender, to, datagram in turns:
            sender.sendto(datagram, to)
            (monitors if sender is asking else asking).recv(DATAGRAM_BYTES)
