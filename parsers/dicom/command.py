"""Command sets: which operation, on what, with which outcome.

Always implicit VR little endian, all elements of group 0000: tag 2+2, length 4, value. Identifiers of instances and
free text (error comment) are passed over.

Spec: PS3.7 6.3, 9.3, 10.3, E.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec

from parsers.core import Attribute, Cursor, Field, Malformed, Subject
from parsers.dicom.alike import Known, Spans

COMMAND_MAX_BYTES: Final = 8_192
VALUE_MAX_BYTES: Final = 64
MEMO_MAX: Final = 1_024
SIZES_MAX: Final = 128
RECENT_MAX: Final = 4

OPERATION: Final = Field("dicom.operation", "PS3.7 E.1-1 (0000,0100)")
OPERATION_SOP_CLASS: Final = Field("dicom.operation_sop_class", "PS3.7 E.1-1 (0000,0002)")
STATUS: Final = Field("dicom.status", "PS3.7 E.1-1 (0000,0900)")
MOVE_DESTINATION: Final = Field("dicom.move_destination", "PS3.7 E.1-1 (0000,0600)")
MOVE_ORIGINATOR: Final = Field("dicom.move_originator_ae_title", "PS3.7 E.1-1 (0000,1030)")
EVENT_TYPE: Final = Field("dicom.event_type", "PS3.7 E.1-1 (0000,1002)")
ACTION_TYPE: Final = Field("dicom.action_type", "PS3.7 E.1-1 (0000,1008)")

_ELEMENT: Final = struct.Struct("<HHI")
_WANTED: Final = (0x0002, 0x0003, 0x0100, 0x0600, 0x0800, 0x0900, 0x1002, 0x1008, 0x1030)
_RESPONSE: Final = 0x8000
_CANCEL: Final = 0x0FFF
_NO_DATA_SET: Final = 0x0101
_PENDING: Final = frozenset({0xFF00, 0xFF01})
_OPERATIONS: Final = {
    0x0001: "C-STORE",
    0x0010: "C-GET",
    0x0020: "C-FIND",
    0x0021: "C-MOVE",
    0x0030: "C-ECHO",
    0x0100: "N-EVENT-REPORT",
    0x0110: "N-GET",
    0x0120: "N-SET",
    0x0130: "N-ACTION",
    0x0140: "N-CREATE",
    0x0150: "N-DELETE",
    _CANCEL: "C-CANCEL",
}


class Command(msgspec.Struct, frozen=True, cache_hash=True):
    """What is wanted of a command set. Empty strings and None: not there."""

    operation: str
    is_response: bool
    has_data_set: bool
    sop_class: str = ""
    status: int | None = None
    move_destination: str = ""
    move_originator: str = ""
    event_type: int | None = None
    action_type: int | None = None

    @property
    def is_pending(self) -> bool:
        """More responses to the same request follow."""
        return self.status in _PENDING


def parse(data: bytes, base: int) -> Known[Command]:
    """A whole command set, `base` bytes into its lane; the same one for those that differ in identifiers only.

    Raises:
        Malformed: it has no known command field, or is no command set.
    """
    recent = _recent(len(data))
    for known in recent:
        if known.is_like(data):
            return known
    spans: Spans = []
    command = _parsed(_elements(data, base, spans), base)
    known = Known(data, spans, command)
    recent[RECENT_MAX - 1 :] = []
    recent.insert(0, known)
    return known


@lru_cache(SIZES_MAX)
def _recent(_size: int) -> list[Known[Command]]:
    """Command sets of this size that were met lately in any lane."""
    return []


def _parsed(found: dict[int, bytes], base: int) -> Command:
    command = _command(tuple([found.get(element) for element in _WANTED]))
    if command is None:
        raise Malformed("no command field that is known", base)
    return command


@lru_cache(MEMO_MAX)
def _command(values: tuple[bytes | None, ...]) -> Command | None:
    """What the values of the elements in `_WANTED` say; None: no known command."""
    elements = dict(zip(_WANTED, values, strict=True))
    field = _number(elements[0x0100])
    operation = _OPERATIONS.get(field if field == _CANCEL else field & ~_RESPONSE) if field is not None else None
    if field is None or operation is None:
        return None
    return Command(
        operation,
        is_response=bool(field & _RESPONSE),
        has_data_set=_number(elements[0x0800]) != _NO_DATA_SET,
        sop_class=_text(elements[0x0002] or elements[0x0003]),
        status=_number(elements[0x0900]),
        move_destination=_text(elements[0x0600]),
        move_originator=_text(elements[0x1030]),
        event_type=_number(elements[0x1002]),
        action_type=_number(elements[0x1008]),
    )


@lru_cache(MEMO_MAX)
def facts_of(command: Command, speaker: Subject) -> tuple[Attribute, ...]:
    """What the command says of who sent it; of the same command the same facts."""
    return tuple(_facts(command, speaker))


def _facts(command: Command, speaker: Subject) -> Iterator[Attribute]:
    if command.is_response:
        if command.status is not None:
            yield STATUS(speaker, f"{command.operation} {command.status:04X}")
        return
    yield OPERATION(speaker, command.operation)
    if command.sop_class:
        yield OPERATION_SOP_CLASS(speaker, f"{command.operation} {command.sop_class}")
    if command.move_destination:
        yield MOVE_DESTINATION(speaker, command.move_destination)
    if command.move_originator:
        yield MOVE_ORIGINATOR(speaker, command.move_originator)
    if command.event_type is not None:
        yield EVENT_TYPE(speaker, command.event_type)
    if command.action_type is not None:
        yield ACTION_TYPE(speaker, command.action_type)


def _elements(data: bytes, base: int, spans: Spans) -> dict[int, bytes]:
    """The elements that are read; adds to `spans` where they and the heads of all are."""
    elements: dict[int, bytes] = {}
    begin, at, end, head = 0, 0, len(data), _ELEMENT.size
    while end - at >= head:
        group, element, length = _ELEMENT.unpack_from(data, at)
        read_to = at + head
        if group or length > end - read_to:
            break
        if element in _WANTED:
            elements[element] = data[read_to : read_to + min(length, VALUE_MAX_BYTES + 1)]
            read_to += min(length, VALUE_MAX_BYTES + 1)
        at += head + length
        if read_to < at:
            spans.append(slice(begin, read_to))
            begin = at
    if at < end:
        _refuse(Cursor(data[at:], base + at))
    if begin < end:
        spans.append(slice(begin, end))
    return elements


def _refuse(cursor: Cursor) -> None:
    """What comes is no element of a command set, or not all of one."""
    if cursor.u16le():
        raise Malformed("an element of another group in a command set", cursor.offset)
    cursor.skip(2)
    cursor.skip(cursor.u32le())


def _number(value: bytes | None) -> int | None:
    return int.from_bytes(value, "little") if value is not None and len(value) == 2 else None


def _text(value: bytes | None) -> str:
    return value.decode("ascii", "replace").strip(" \0") if value is not None and len(value) <= VALUE_MAX_BYTES else ""
