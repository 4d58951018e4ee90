"""Segments that describe equipment, and who it is that they describe.

A message often speaks of equipment that is not its sender: a gateway passes on what many monitors measured. So what is
read here is about a subject of its own, whose key is the strongest name that the segment has:

    serial:<maker>|<serial>     PRT-20 (no maker is told there)
    eui64:<16 hex digits>       an entity identifier of type EUI-64
    udi:<device identifier>     PRT-16
    equipment:<namespace>|<id>  any other entity identifier

Equipment is read in messages of observations, of laboratory automation and of pumps only (`MESSAGE_TYPES`). Patient
administration (ADT) and orders may name a patient's implant, whose serial number is the patient's. For the same reason
a message stops describing anything at the first observation of an implant (IEEE 11073-10103) or of a personal device
at home (IEEE 11073-104xx, application hosting devices).

An EUI-64 holds a MAC address where its fourth and fifth bytes are FFFE (as IEEE derives it) or FFFF.

Allow-list: OBX-3 (of medical device systems, virtual devices and channels), OBX-17, OBX-18; OBR-3 only where it is an
EUI-64; PRT-10, 16, 19, 20, 22; EQU-1, 3; INV-17; SFT-1 to 4. Spec: HL7 v2 ch. 7.4, 13.4, 2.14.12; IHE PCD TF-2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from parsers.core import Attribute, Conversation, Field, Side, Subject
from parsers.hl7.charset import text_of
from parsers.hl7.grammar import Grammar

INSTANCE: Final = Field("hl7.equipment_instance_identifier", "HL7 v2 ch. 7.4.2.18")
EUI64: Final = Field("hl7.eui64", "IHE PCD TF-2 B.10.3")
MAC: Final = Field("hl7.mac_address", "IHE PCD TF-2 B.10.3")
DEVICE_CODE: Final = Field("hl7.device_code", "HL7 v2 ch. 7.4.2.3; IEEE 11073-10101")
METHOD: Final = Field("hl7.observation_method", "HL7 v2 ch. 7.4.2.17")
STATE: Final = Field("hl7.equipment_state", "HL7 v2 ch. 13.4.1.3")
REAGENT_MANUFACTURER: Final = Field("hl7.reagent_manufacturer", "HL7 v2 ch. 13.4.4.17")
UDI: Final = Field("hl7.udi_device_identifier", "HL7 v2.8.2 ch. 7.4.4.16")
LOT: Final = Field("hl7.device_lot_number", "HL7 v2.8.2 ch. 7.4.4.19")
SERIAL: Final = Field("hl7.device_serial_number", "HL7 v2.8.2 ch. 7.4.4.20")
DEVICE_TYPE: Final = Field("hl7.device_type", "HL7 v2.8.2 ch. 7.4.4.22")
SOFTWARE_VENDOR: Final = Field("hl7.software_vendor_organization", "HL7 v2 ch. 2.14.12.1")
SOFTWARE_VERSION: Final = Field("hl7.software_version", "HL7 v2 ch. 2.14.12.2")
SOFTWARE_PRODUCT: Final = Field("hl7.software_product_name", "HL7 v2 ch. 2.14.12.3")
SOFTWARE_BINARY: Final = Field("hl7.software_binary_id", "HL7 v2 ch. 2.14.12.4")

MESSAGE_TYPES: Final = frozenset(
    {
        "ORU", "OUL", "OPU", "ORA",  # observations
        "RAS", "RGV",  # pumps: what is given
        "ESU", "ESR", "EAC", "EAN", "EAR",  # equipment: status, commands, notifications
        "SSU", "SSR", "INU", "INR", "TCU", "TCR", "LSU", "LSR",  # specimens, inventory, tests, logs
    }
)  # fmt: skip

_EUI64: Final = re.compile(r"([0-9A-Fa-f]{2}[-: ]?){7}[0-9A-Fa-f]{2}")
_EUI64_TYPES: Final = frozenset({"EUI-64", "EUI64"})
# GE's monitors write company, filler, adapter and then more; their namespace tells it.
_EUI64_AHEAD: Final = re.compile(r"[0-9A-Fa-f]{6}(?:FFFE|FFFF|fffe|ffff)[0-9A-Fa-f]{6}")
_LONG_NAMESPACES: Final = frozenset({"B40_GE"})
_FILLERS: Final = frozenset({"fffe", "ffff"})
_DEVICE_CODES: Final = ("_MDS", "_VMD", "_CHAN")
_PERSONAL_NAMES: Final = ("MDC_IDC_", "MDC_DEV_SPEC_PROFILE_", "MDC_MOC_VMS_MDS_AHD")
# Reference numbers: implanted cardiac devices (partition 11), specializations of personal devices, hosting devices.
_PERSONAL_NUMBERS: Final = (range(720_896, 786_432), range(528_384, 528_640), range(531_981, 531_982))


class Identity(msgspec.Struct, frozen=True):
    """Who a piece of equipment is: the key of its subject, the identifier as text, its EUI-64 (may be empty)."""

    key: str
    text: str = ""
    eui64: str = ""

    @property
    def is_text(self) -> bool:
        """It is a name that nobody vouches for: no namespace, no universal id."""
        return self.key.startswith("equipment:|")


def identify(components: list[str]) -> Identity | None:
    """The equipment that an entity identifier or hierarchic designator names as an EUI-64; None: as nothing such."""
    eui64 = _eui64(components)
    return Identity(f"eui64:{eui64}", "^".join(components), eui64) if eui64 else None


def identify_any(components: list[str]) -> Identity | None:
    """The equipment that an entity identifier (EI: id, namespace, universal id, its type) names in any way."""
    if not any(components):
        return None
    number, namespace, universal, kind = [*components, "", "", ""][:4]
    # Some analysers leave the id empty and write their serial number where its type belongs.
    key = f"equipment:{namespace or universal}|{number or universal or kind}"
    return identify(components) or Identity(key, "^".join(components))


def facts_of(identity: Identity, subject: Subject, *, named: bool = True) -> Iterator[Attribute]:
    """What an identifier says of the equipment that it names; with its text only where that is not something else."""
    if named:
        yield INSTANCE(subject, identity.text)
    if identity.eui64:
        yield EUI64(subject, identity.eui64)
        if mac := mac_of(identity.eui64):
            yield MAC(subject, mac)


def mac_of(eui64: str) -> str:
    """The MAC address within 16 lower-case hex digits; empty where there is none, or no card's."""
    if eui64[6:10] not in _FILLERS or int(eui64[:2], 16) & 1:
        return ""
    digits = eui64[:6] + eui64[10:]
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2)) if digits.strip("0") else ""


def is_personal(observed: list[str]) -> bool:
    """Whether OBX-3 is an observation of an implant or of a device at home."""
    code, name = [*observed, "", ""][:2]
    if name.startswith(_PERSONAL_NAMES) or code.startswith(_PERSONAL_NAMES):
        return True
    return code.isdecimal() and len(code) < 8 and any(int(code) in numbers for numbers in _PERSONAL_NUMBERS)


def device_code(components: list[str]) -> str:
    """OBX-3 where it is the code of a medical device system, virtual device or channel: `number^name`."""
    code, name = [*components, "", ""][:2]
    named = name if name.startswith("MDC_") else code
    return "^".join(components[:2]) if named.startswith("MDC_") and named.endswith(_DEVICE_CODES) else ""


# ---------------------------------------------------------------------- segments


def may_name_eui64(field: bytes, grammar: Grammar) -> bool:
    """Whether OBR-3 may be an EUI-64: what is, says so. Most are numbers of orders, and not looked at closer."""
    return b"64" in field or b"B40_GE" in field or not field.isascii() or (bool(field) and grammar.escape in field)


def named_by_order(field: bytes, grammar: Grammar) -> bytes:
    """What is read of OBR-3: the EUI-64 that it is, or nothing."""
    if not may_name_eui64(field, grammar):
        return b""
    identity = identify(grammar.components(text_of(field, grammar.codec)))
    mark = grammar.delimiters.component
    return mark.join(["", "", identity.eui64, "EUI-64"]).encode("ascii") if identity is not None else b""


def software(fields: list[str], grammar: Grammar, me: Subject) -> Iterator[Attribute]:
    """SFT: what made the message. Spec: HL7 v2 ch. 2.14.12."""
    for number, field in enumerate((SOFTWARE_VENDOR, SOFTWARE_VERSION, SOFTWARE_PRODUCT, SOFTWARE_BINARY), 1):
        if len(fields) > number and (value := grammar.first(fields[number])):
            yield field(me, value)


def participation(fields: list[str], grammar: Grammar, side: Side, talk: Conversation) -> Iterator[Attribute]:
    """PRT of a device. PRT-5 is a person and is not touched. Spec: HL7 v2.8.2 ch. 7.4.4."""
    values = {
        number: grammar.composite(fields[number])
        for number in (16, 19, 20, 22)
        if len(fields) > number and fields[number]
    }
    if (udi := fields[16] if len(fields) > 16 else "") and 16 in values:
        values[16] = grammar.first(udi) or values[16]
    if values.get(22, "").startswith("^^"):  # neither code nor name: the original text (CWE-9) is all there is
        values[22] = values[22].lstrip("^")
    named = identify_any(grammar.components(grammar.repetitions(fields[10])[0])) if len(fields) > 10 else None
    subject = _participant(values, named, side, talk)
    if subject is None:
        return
    if named is not None:
        yield from facts_of(named, subject)
    for number, field in ((16, UDI), (19, LOT), (20, SERIAL), (22, DEVICE_TYPE)):
        if value := values.get(number):
            yield field(subject, value)


def _participant(values: dict[int, str], named: Identity | None, side: Side, talk: Conversation) -> Subject | None:
    if serial := values.get(20):
        return talk.described(side, f"serial:|{serial}")
    if named is not None and named.eui64:
        return talk.described(side, named.key)
    if udi := values.get(16):
        return talk.described(side, f"udi:{udi}")
    return talk.described(side, named.key) if named is not None else None


def _eui64(components: list[str]) -> str:
    """16 lower-case hex digits, where the components say that one of them is an EUI-64."""
    if any(part.upper() in _EUI64_TYPES for part in components[1:]):
        for part in (*components[2:3], *components[1:2], *components[:1]):
            if _EUI64.fullmatch(part):
                return "".join(c for c in part if c.isalnum()).lower()
            if found := _EUI64_AHEAD.match(part):
                return found[0].lower()
    elif len(components) > 1 and components[1] in _LONG_NAMESPACES and (found := _EUI64_AHEAD.match(components[0])):
        return found[0].lower()
    return ""
