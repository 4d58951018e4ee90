"""Wireshark's dissectors, asked through pyshark: the messages of a capture, with the fields we compare.

pyshark starts tshark with PDML output and gives whole packets; a display filter lets only those through that hold a
field we compare, and of these only the compared fields are kept. Measured on captures of 0.2 to 1.6 MB: tshark's start
takes 0.15 s, and PDML costs 15 ms more than a list of fields, which pyshark cannot read. pyshark's own event loop is
not used: it asks for parts of asyncio that Python 3.14 no longer has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from pyshark import FileCapture
from pyshark.tshark.tshark import TSharkNotFoundException, get_process_path, get_tshark_version

from sensor.verification.messages import DERIVED_FROM, OCTETS, Message, kept
from sensor.verification.table import Row, table

_INSTALL: Final = "tshark is not installed; install it (Debian: apt install tshark; macOS: brew install wireshark)"
# Layers of tshark's and the protocol of fields.csv they belong to; also what it is told to decode a port as.
LAYERS: Final = {
    "tls": "tls",
    "dtls": "dtls",
    "dicom": "dicom",
    "hl7": "hl7",
    "smb": "smb",
    "smb2": "smb",
    "nbss": "smb",
}
DISSECTORS: Final = {
    "tls": "tcp.port=={},tls",
    "dtls": "udp.port=={},dtls",
    "dicom": "tcp.port=={},dicom",
    "hl7": "tcp.port=={},hl7",
    "smb": "tcp.port=={},nbss",
}
# Answers must not depend on who asks: no keys from the user's settings. Reordered segments are put in order, as we do.
_PREFERENCES: Final = {"tls.keylog_file": "", "tcp.reassemble_out_of_order": "TRUE"}
_ADDRESSES: Final = {"ip": ("ip.src", "ip.dst"), "ipv6": ("ipv6.src", "ipv6.dst")}
_PORTS: Final = {"tcp": ("tcp.srcport", "tcp.dstport"), "udp": ("udp.srcport", "udp.dstport")}


class WiresharkMissing(Exception):
    """tshark is not installed. `str()` says what to install."""


class Dissection(NamedTuple):
    """What tshark read.

    Attributes:
        messages: in order.
        complaint: why it ended before the capture did; None where it did not.
    """

    messages: list[Message]
    complaint: str | None


def wireshark_version() -> str:
    """The version of the tshark that answers.

    Raises:
        WiresharkMissing: there is none.
    """
    try:
        get_process_path()
        return str(get_tshark_version())
    except TSharkNotFoundException as error:
        raise WiresharkMissing(_INSTALL) from error


def dissect(path: Path, ports: Mapping[str, Iterable[int]] | None = None) -> Dissection:
    """The messages of a capture.

    Args:
        path: the capture.
        ports: by protocol, ports that tshark is told to decode as that protocol.

    Raises:
        WiresharkMissing: tshark is not installed.
    """
    found: list[Message] = []
    with asyncio.Runner() as runner:
        asking = _Asking(path, ports or {}, runner.get_loop())
        try:
            runner.run(asking.packets_from_tshark(lambda packet: found.extend(_messages_of(packet))))
        except TSharkNotFoundException as error:
            raise WiresharkMissing(_INSTALL) from error
    return Dissection(found, asking.complaint if asking.status else None)


class _Asking(FileCapture):  # type: ignore[misc]  # pyshark has no types
    """pyshark's capture, which at the end of tshark's output waits for its exit status instead of killing it."""

    def __init__(self, path: Path, ports: Mapping[str, Iterable[int]], loop: asyncio.AbstractEventLoop) -> None:
        told = [part for name, found in ports.items() for port in sorted(found) for part in _decode_as(name, port)]
        super().__init__(
            str(path),
            keep_packets=False,
            eventloop=loop,
            override_prefs=dict(_PREFERENCES),
            # Not `display_filter` and `decode_as`: the one starts tshark a second time to ask for its version, the
            # other has room for one protocol a port.
            custom_parameters=["-Y", _filter(), *told],
        )
        self.status = 0

    @property
    def complaint(self) -> str:
        """The last line that tshark wrote to standard error."""
        return str(self._last_error_line or f"ended with status {self.status}")

    def _created_new_process(
        self, parameters: list[str], process: asyncio.subprocess.Process, process_name: str = "tshark"
    ) -> None:
        # pyshark raises here if the process has ended with an error already, before anybody has read why.
        del parameters, process_name
        self._running_processes.add(process)

    async def _cleanup_subprocess(self, process: asyncio.subprocess.Process) -> None:
        if not self._eof_reached:
            await super()._cleanup_subprocess(process)
            return
        self.status = await process.wait()


def _decode_as(protocol: str, port: int) -> list[str]:
    return ["-d", DISSECTORS[protocol].format(port)]


@cache
def _fields() -> frozenset[str]:
    """All fields of tshark's that are asked for: those of the table, of its conditions, and what others derive from."""
    asked = {field for row in table() for field in row.tshark_fields}
    asked |= {field for row in table() for condition in row.when for field in condition.fields}
    return frozenset(asked.union(*DERIVED_FROM.values())) - {field for field in asked if field.startswith("spanward.")}


@cache
def _filter() -> str:
    """Only packets that hold a field of the table where it counts, or what others derive from."""
    rows = {part for row in table() if (part := _row_filter(row))}
    return " or ".join(sorted(rows | set(DERIVED_FROM)))


def _row_filter(row: Row) -> str:
    """The packets of one line: status codes stand in every packet of SMB, and are asked for in few."""
    fields = [field for field in row.tshark_fields if not field.startswith("spanward.")]
    if not fields:
        return ""
    conditions = [[f"{field} == {value}" for field in fields_ for value in values] for fields_, values in row.when]
    parts = [f"({' or '.join(alternatives)})" for alternatives in (fields, *conditions)]
    return f"({' and '.join(parts)})"


def _messages_of(packet: Any) -> Iterator[Message]:  # noqa: ANN401 - pyshark has no types
    """The messages in a packet: its layers of our protocols, each with the addresses that stand before it."""
    addresses, ports = ("", ""), ("", "")
    for layer in packet.layers:
        name = layer.layer_name
        if name in _ADDRESSES:
            addresses = _pair(layer, _ADDRESSES[name])
        elif name in _PORTS:
            ports = _pair(layer, _PORTS[name])
        elif name in LAYERS and ports[0]:
            values = _values(layer)
            if values:
                ends = (f"{addresses[0]} {ports[0]}", f"{addresses[1]} {ports[1]}")
                yield Message(name, *ends, values, int(packet.number))


def _pair(layer: Any, names: tuple[str, str]) -> tuple[str, str]:  # noqa: ANN401
    first, second = (layer.get_field(name) for name in names)
    return (str(first.show) if first else "", str(second.show) if second else "")


def _values(layer: Any) -> dict[str, list[str]]:  # noqa: ANN401
    found: dict[str, list[str]] = {}
    # Not `get_field`: for every name that is not there it goes through all that are, 20 ms a layer.
    for field in layer._get_all_fields_with_alternates():  # noqa: SLF001
        if field.name in _fields() and ((said := kept(field.name, _said(field))) or field.name not in OCTETS):
            found.setdefault(field.name, []).append(said)
    return found


def _said(field: Any) -> str:  # noqa: ANN401
    """A field's value as tshark shows it; of fields in `OCTETS` its octets, one a character."""
    if field.name in OCTETS and field.raw_value:
        return bytes.fromhex(field.raw_value).decode("latin_1")
    return str(field.show or "")
