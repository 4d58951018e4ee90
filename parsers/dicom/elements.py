"""Which elements of a data set are read, and of whom they speak.

The lists here are allow-lists: no other element's value is ever copied. None of them is in a patient's group, and free
text, identifiers of instances and times of an examination are not among them.

A data set describes the equipment that made it, which often is not the one that sends it (archives and routers forward
others' objects). So its facts are about a subject of its own, whose key is the strongest name that it has.

Spec: PS3.3 C.7.5.1, C.24, PS3.4 C.4, K.6, F.7, H.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from parsers.core import Attribute, Conversation, Field, Sensitivity, Side, Subject
from parsers.core.fact import clean
from parsers.dicom.charset import codec_of, text_of
from parsers.dicom.command import Command
from parsers.dicom.dataset import DataSet, Wanted

VIA: Final = Field("dicom.via", "PS3.7 E.1-1 (0000,0100)")
DATASET_ENCODING: Final = Field("dicom.dataset_encoding", "PS3.5 A.5")
SOP_CLASS_UID: Final = Field("dicom.sop_class_uid", "PS3.3 C.12.1 (0008,0016)")
QUERY_LEVEL: Final = Field("dicom.query_level", "PS3.4 C.4.1 (0008,0052)")

_CHARACTER_SET: Final = 0x00080005
_QUERY_LEVEL: Final = 0x00080052
_MODALITY: Final = 0x00080060
_MANUFACTURER: Final = 0x00080070
_STATION_NAME: Final = 0x00081010
_MODEL: Final = 0x00081090
_SERIAL: Final = 0x00181000
_DEVICE_UID: Final = 0x00181002
_UDI_SEQUENCE: Final = 0x0018100A
_SCHEDULED_STEP: Final = 0x00400100

_LOCATION: Final = Sensitivity.LOCATION

EQUIPMENT: Final = {
    0x00080055: Field("dicom.station_ae_title", "PS3.3 C.12.1 (0008,0055)"),
    _MODALITY: Field("dicom.modality", "PS3.3 C.7.3.1 (0008,0060)"),
    _MANUFACTURER: Field("dicom.manufacturer", "PS3.3 C.7.5.1 (0008,0070)"),
    0x00080080: Field("dicom.institution_name", "PS3.3 C.7.5.1 (0008,0080)", _LOCATION),
    _STATION_NAME: Field("dicom.station_name", "PS3.3 C.7.5.1 (0008,1010)"),
    0x00081040: Field("dicom.department_name", "PS3.3 C.7.5.1 (0008,1040)", _LOCATION),
    _MODEL: Field("dicom.model_name", "PS3.3 C.7.5.1 (0008,1090)"),
    _SERIAL: Field("dicom.device_serial_number", "PS3.3 C.7.5.1 (0018,1000)"),
    _DEVICE_UID: Field("dicom.device_uid", "PS3.3 C.7.5.1 (0018,1002)"),
    0x00181003: Field("dicom.device_id", "PS3.3 C.7.5.1 (0018,1003)"),
    0x00181005: Field("dicom.generator_id", "PS3.3 C.7.5.1 (0018,1005)"),
    0x00181008: Field("dicom.gantry_id", "PS3.3 C.7.5.1 (0018,1008)"),
    0x00181009: Field("dicom.udi", "PS3.3 10.29 (0018,1009)"),
    0x0018100B: Field("dicom.manufacturer_device_class_uid", "PS3.3 C.7.5.1 (0018,100B)"),
    0x00181020: Field("dicom.software_versions", "PS3.3 C.7.5.1 (0018,1020)"),
    0x00181200: Field("dicom.date_of_last_calibration", "PS3.3 C.7.5.1 (0018,1200)"),
    0x0018700A: Field("dicom.detector_id", "PS3.3 C.8.11.4 (0018,700A)"),
    0x0018700C: Field("dicom.date_of_last_detector_calibration", "PS3.3 C.8.11.4 (0018,700C)"),
}
SECONDARY_CAPTURE: Final = {
    0x00181016: Field("dicom.secondary_capture_manufacturer", "PS3.3 C.8.6.1 (0018,1016)"),
    0x00181018: Field("dicom.secondary_capture_model_name", "PS3.3 C.8.6.1 (0018,1018)"),
    0x00181019: Field("dicom.secondary_capture_software_versions", "PS3.3 C.8.6.1 (0018,1019)"),
}
PERFORMED: Final = {
    0x00400241: Field("dicom.performed_station_ae_title", "PS3.3 C.4.14 (0040,0241)"),
    0x00400242: Field("dicom.performed_station_name", "PS3.3 C.4.14 (0040,0242)"),
    0x00400243: Field("dicom.performed_station_location", "PS3.3 C.4.14 (0040,0243)", _LOCATION),
}
SCHEDULED: Final = {
    0x00400001: Field("dicom.scheduled_station_ae_title", "PS3.3 C.4.10 (0040,0001)"),
    0x00400010: Field("dicom.scheduled_station_name", "PS3.3 C.4.10 (0040,0010)"),
    0x00400011: Field("dicom.scheduled_station_location", "PS3.3 C.4.10 (0040,0011)", _LOCATION),
    _MODALITY: EQUIPMENT[_MODALITY],
}
_FIELDS: Final = EQUIPMENT | PERFORMED | SCHEDULED

# Value multiplicity 1-n in PS3.6; the others have one value.
_MULTIVALUED: Final = frozenset({0x00181019, 0x00181020, 0x00181200})
_LEVELS: Final = frozenset({"PATIENT", "STUDY", "SERIES", "IMAGE", "FRAME"})
_UDI: Final = {_UDI_SEQUENCE: frozenset({0x00181009})}
MEMO_MAX: Final = 1_024
MEMO_MAX_BYTES: Final = 2_048
_MODALITY_WORKLIST: Final = "1.2.840.10008.5.1.4.31"
_MPPS: Final = "1.2.840.10008.3.1.2.3.3"
_PRINTER: Final = "1.2.840.10008.5.1.1.16"
# Templates of implants speak of what is put into a patient, not of equipment.
_IMPLANTS: Final = ("1.2.840.10008.5.1.4.43.", "1.2.840.10008.5.1.4.44.", "1.2.840.10008.5.1.4.45.")


class Plan(msgspec.Struct, frozen=True):
    """How a kind of data set is read: `via` names the way by which equipment is described, empty where none is."""

    via: str
    wanted: Wanted


def _wanted(*lists: dict[int, Field]) -> frozenset[int]:
    return frozenset({_CHARACTER_SET}.union(*lists) - {0x00181009})


_STORE_ELEMENTS: Final = Wanted(_wanted(EQUIPMENT, SECONDARY_CAPTURE), _UDI, last=0x0018700C)
STORE: Final = Plan("C-STORE", _STORE_ELEMENTS)
MOVED: Final = Plan("C-STORE moved", _STORE_ELEMENTS)
MPPS: Final = Plan("MPPS", Wanted(_wanted(EQUIPMENT, PERFORMED), _UDI, last=0x00400243))
PRINTER: Final = Plan("printer", Wanted(_wanted(EQUIPMENT), _UDI, last=0x00181200))
WORKLIST: Final = Plan(
    "worklist", Wanted(frozenset({_CHARACTER_SET}), {_SCHEDULED_STEP: frozenset(SCHEDULED)}, last=_SCHEDULED_STEP)
)
QUERY: Final = Plan("", Wanted(frozenset({_QUERY_LEVEL}), last=_QUERY_LEVEL))


def plan_of(command: Command) -> Plan | None:
    """How the data set after `command` is read; None: not at all. Answers to queries are dense with patients."""
    if command.is_response:
        return PRINTER if (command.operation, command.sop_class) == ("N-GET", _PRINTER) else None
    if command.operation == "C-STORE" and not command.sop_class.startswith(_IMPLANTS):
        return MOVED if command.move_originator else STORE
    if command.operation == "N-CREATE" and command.sop_class == _MPPS:
        return MPPS
    if command.operation == "C-FIND" and command.sop_class == _MODALITY_WORKLIST:
        return WORKLIST
    return QUERY if command.operation in {"C-FIND", "C-MOVE", "C-GET"} else None


class _Read(NamedTuple):
    """All that the facts of a data set are made of; the values are those of the allow-list."""

    via: str
    sop_class: str
    deflated: bool
    found: tuple[tuple[int, tuple[bytes, ...]], ...]


def facts_of(data_set: DataSet, plan: Plan, command: Command, me: Subject) -> tuple[Attribute, ...]:
    """What a data set that `me` sent tells; a thousand images of one series say the same."""
    found = tuple([(tag, tuple(values)) for tag, values in data_set.found.items()])
    size = sum(len(value) for _, values in found for value in values)
    made = _facts_of if size <= MEMO_MAX_BYTES else _facts_of.__wrapped__
    return made(_Read(plan.via, command.sop_class, data_set.deflated, found), me)


@lru_cache(MEMO_MAX)
def _facts_of(read: _Read, me: Subject) -> tuple[Attribute, ...]:
    values = _values(dict(read.found))
    if read.via == WORKLIST.via:
        return tuple(_scheduled(values, me.side))
    if read.via != QUERY.via:
        return tuple(_equipment(values, read, me.side))
    level = _first(values, _QUERY_LEVEL)
    return (QUERY_LEVEL(me, level),) if level in _LEVELS else ()


def _described(side: Side, key: str) -> Subject:
    return Conversation().described(side, key)


def _equipment(values: dict[int, list[str]], read: _Read, side: Side) -> Iterator[Attribute]:
    yield from _secondary_capture(values, side)
    key = _key(values)
    if not key:
        return
    subject = _described(side, key)
    yield VIA(subject, read.via)
    if read.deflated:
        yield DATASET_ENCODING(subject, "deflated")
    if read.via not in {PRINTER.via, MPPS.via} and read.sop_class:
        yield SOP_CLASS_UID(subject, read.sop_class)
    for tag, field in _FIELDS.items():
        for value in values.get(tag, ()):
            yield field(subject, value)


def _key(values: dict[int, list[str]]) -> str:
    """The strongest name: device UID, serial, station, title, model; at last the modality."""
    maker, model = _first(values, _MANUFACTURER), _first(values, _MODEL)
    if uid := _first(values, _DEVICE_UID):
        return f"device-uid:{uid}"
    if serial := _first(values, _SERIAL):
        return f"serial:{maker}|{serial}"
    if station := _first(values, _STATION_NAME) or _first(values, 0x00400242):
        return f"station:{station}"
    if title := _first(values, 0x00400241) or _first(values, 0x00080055):
        return f"ae-title:{title}"
    if maker or model:
        return f"model:{maker}|{model}"
    modality = _first(values, _MODALITY)
    return f"modality:{modality}" if modality else ""


def _secondary_capture(values: dict[int, list[str]], side: Side) -> Iterator[Attribute]:
    """The frame grabber or print-to-archive tool, which is not the modality."""
    maker, model = _first(values, 0x00181016), _first(values, 0x00181018)
    if not maker and not model:
        return
    subject = _described(side, f"secondary-capture:{maker}|{model}")
    for tag, field in SECONDARY_CAPTURE.items():
        for value in values.get(tag, ()):
            yield field(subject, value)


def _scheduled(values: dict[int, list[str]], side: Side) -> Iterator[Attribute]:
    """The station that a worklist query asks for, which mostly is who asks. Wild cards name none."""
    named = {tag: found for tag, found in values.items() if not any(c in found[0] for c in "*?\\")}
    title, station = _first(named, 0x00400001), _first(named, 0x00400010)
    modality = _first(named, _MODALITY)
    key = (title and f"ae-title:{title}") or (station and f"station:{station}") or (modality and f"modality:{modality}")
    if not key:
        return
    subject = _described(side, key)
    yield VIA(subject, WORKLIST.via)
    for tag, field in SCHEDULED.items():
        for value in named.get(tag, ()):
            yield field(subject, value)


def _values(read: dict[int, tuple[bytes, ...]]) -> dict[int, list[str]]:
    """Texts by tag, without padding and empty ones."""
    codec = codec_of(b"\\".join(read.pop(_CHARACTER_SET, ())))
    values: dict[int, list[str]] = {}
    for tag, found in read.items():
        texts = (text_of(value, codec) for value in found)
        parts = (part for text in texts for part in (text.split("\\") if tag in _MULTIVALUED else (text,)))
        kept = [cleaned for part in parts if (cleaned := clean(part.strip(" \0")))]
        if kept:
            values[tag] = kept
    return values


def _first(values: dict[int, list[str]], tag: int) -> str:
    found = values.get(tag)
    return found[0] if found else ""
