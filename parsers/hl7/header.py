"""MSH, FHS and BHS: who sends to whom, what, in which version, and what answer is asked for.

Field *n* of a header segment stands at place *n* - 1 of its parts, because field 1 is the separator itself.

Not read: MSH-7 (time), MSH-13 and MSH-14 (sequence, continuation). MSH-10 (control id) may hold anything, patients'
numbers too: it is compared with MSA-2 and never stated. MSH-8 (security) leaves as `Secret` only.

Spec: HL7 v2 ch. 2.14.9 (MSH), 2.14.1 (BHS), 2.14.6 (FHS).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec

from parsers.core import Attribute, Authentication, Field, Secret, Sensitivity, Subject
from parsers.hl7 import equipment
from parsers.hl7.charset import codec_of
from parsers.hl7.grammar import Delimiters, Grammar

_DEVICE: Final = Sensitivity.DEVICE
_LOCATION: Final = Sensitivity.LOCATION

SENDING_APPLICATION: Final = Field("hl7.sending_application", "HL7 v2 ch. 2.14.9.3")
SENDING_FACILITY: Final = Field("hl7.sending_facility", "HL7 v2 ch. 2.14.9.4", _LOCATION)
RECEIVING_APPLICATION: Final = Field("hl7.receiving_application", "HL7 v2 ch. 2.14.9.5")
RECEIVING_FACILITY: Final = Field("hl7.receiving_facility", "HL7 v2 ch. 2.14.9.6", _LOCATION)
MESSAGE_TYPE: Final = Field("hl7.message_type", "HL7 v2 ch. 2.14.9.9")
PROCESSING_ID: Final = Field("hl7.processing_id", "HL7 v2 ch. 2.14.9.11")
VERSION: Final = Field("hl7.version", "HL7 v2 ch. 2.14.9.12")
ACCEPT_ACKNOWLEDGMENT: Final = Field("hl7.accept_acknowledgment_type", "HL7 v2 ch. 2.14.9.15")
APPLICATION_ACKNOWLEDGMENT: Final = Field("hl7.application_acknowledgment_type", "HL7 v2 ch. 2.14.9.16")
COUNTRY_CODE: Final = Field("hl7.country_code", "HL7 v2 ch. 2.14.9.17")
CHARACTER_SET: Final = Field("hl7.character_set", "HL7 v2 ch. 2.14.9.18")
PRINCIPAL_LANGUAGE: Final = Field("hl7.principal_language", "HL7 v2 ch. 2.14.9.19")
MESSAGE_PROFILE: Final = Field("hl7.message_profile", "HL7 v2 ch. 2.14.9.21")
SENDING_ORGANIZATION: Final = Field("hl7.sending_responsible_organization", "HL7 v2 ch. 2.14.9.22", _LOCATION)
RECEIVING_ORGANIZATION: Final = Field("hl7.receiving_responsible_organization", "HL7 v2 ch. 2.14.9.23", _LOCATION)
SENDING_ADDRESS: Final = Field("hl7.sending_network_address", "HL7 v2 ch. 2.14.9.24")
RECEIVING_ADDRESS: Final = Field("hl7.receiving_network_address", "HL7 v2 ch. 2.14.9.25")

# Of composites where only the first component says something: code and version of standard tables.
_FIRST: Final = {11: PROCESSING_ID, 12: VERSION}
_MINE: Final = {
    3: SENDING_APPLICATION,
    4: SENDING_FACILITY,
    9: MESSAGE_TYPE,
    15: ACCEPT_ACKNOWLEDGMENT,
    16: APPLICATION_ACKNOWLEDGMENT,
    17: COUNTRY_CODE,
    19: PRINCIPAL_LANGUAGE,
    22: SENDING_ORGANIZATION,
    24: SENDING_ADDRESS,
}
_PEERS: Final = {
    5: RECEIVING_APPLICATION,
    6: RECEIVING_FACILITY,
    23: RECEIVING_ORGANIZATION,
    25: RECEIVING_ADDRESS,
}
_REPEATED: Final = {18: CHARACTER_SET, 21: MESSAGE_PROFILE}
MEMO_MAX: Final = 512
SECURITY: Final = 8
CONTROL_ID: Final = 10
CONTROL_ID_MAX_BYTES: Final = 256
NOT_READ: Final = frozenset({7, SECURITY, CONTROL_ID})
_READ: Final = tuple(sorted((_FIRST | _MINE | _PEERS | _REPEATED).items()))
_READ_OF_BATCH: Final = tuple((number, field) for number, field in _READ if number in {3, 4, 5, 6})

# The usual delimiters, and names that have none of them: whatever they are, the header says the same otherwise.
_USUAL: Final = frozenset({b"^~\\&", b"^~\\&#"})
_PLAIN: Final = re.compile(rb"[0-9A-Za-z](?:[0-9A-Za-z _.-]{0,62}[0-9A-Za-z])?")
NAME_MAX_BYTES: Final = 64
ANY_NAME: Final = b"NAME"

_IMPLANT_PROFILES: Final = ("IDCO", "1.3.6.1.4.1.19376.1.6.1.9.")


class Header(msgspec.Struct):
    """What a header segment says, apart from MSH-7, MSH-8 and MSH-10.

    Attributes:
        grammar: how to read the segments after it.
        facts: attributes of both sides.
        equipment: what MSH-3 and MSH-24 tell of the sending equipment.
        sender: who sends, without outcome.
        claims: that is claimed: MSH-3 is not empty, and this is no batch's header.
        acknowledges: the message is an acknowledgment by its type.
        describes: segments of this message may describe equipment.
        told_in: when this was told last, for whoever tells it.
        twice_acknowledged: both an accept and an application acknowledgment may come.
    """

    grammar: Grammar
    facts: tuple[Attribute, ...]
    sender: Authentication
    claims: bool
    identity: equipment.Identity | None
    acknowledges: bool = False
    describes: bool = False
    twice_acknowledged: bool = False
    told_in: int = -1

    @property
    def claim(self) -> Authentication | None:
        """Who claims to send the message; None if nobody does."""
        return self.sender if self.claims else None

    def security(self, secret: bytes) -> Authentication:
        """The same by what stands in MSH-8."""
        return msgspec.structs.replace(
            self.sender, mechanism="hl7-security", secret=Secret(secret), spec="HL7 v2 ch. 2.14.9.8"
        )


def parts_of(segment: bytes) -> list[bytes]:
    """The beginning of a header segment: field *n* at *n* - 1, up to field 10, and last all that follows."""
    return segment.split(segment[3:4], 10)


def key_of(parts: list[bytes], separator: bytes) -> bytes:
    """A header segment without its fields 7, 8 and 10, by its `parts_of`."""
    return separator.join((*parts[:6], *parts[8:9], *parts[10:]))


def secret_of(parts: list[bytes], grammar: Grammar) -> bytes:
    """What stands in MSH-8; mostly nothing."""
    return grammar.literal(parts[7]) if len(parts) > 7 and parts[7] not in {b"", b'""'} else b""


def control_id_of(field: bytes) -> bytes:
    """MSH-10 or MSA-2, to be compared."""
    return field.strip()[:CONTROL_ID_MAX_BYTES]


def parse(parts: list[bytes], separator: bytes, me: Subject, peer: Subject) -> Header | None:
    """A header segment that `framing.is_header` accepts, by its `parts_of`; None: an MSH without type and version.

    Fields 7, 8 and 10 are not looked at, and plain names in 3 and 5 are put in afterwards: a header that is the same
    otherwise was met in another conversation, most likely.
    """
    mine, its = plain_names_of(parts)
    if mine or its:
        first = (parts[0], parts[1], ANY_NAME if mine else parts[2], parts[3], ANY_NAME if its else parts[4], parts[5])
        found = _parsed(separator.join((*first, b"", b"", parts[8], b"", parts[10])), me, peer)
        if found is not None and found.grammar.cut:
            return named(found, mine, its)
    same = [b"" if number in NOT_READ else part for number, part in enumerate(parts, 1)]
    found = _parsed(separator.join(same), me, peer)
    return None if found is None else msgspec.structs.replace(found)


def plain_names_of(parts: list[bytes]) -> tuple[bytes, bytes]:
    """Fields 3 and 5 of a header in the usual delimiters, with ten fields and more; empty where they are not plain."""
    if len(parts) <= CONTROL_ID or parts[1] not in _USUAL:
        return b"", b""
    mine, its = _PLAIN.fullmatch(parts[2]), _PLAIN.fullmatch(parts[4])
    return parts[2] if mine else b"", parts[4] if its else b""


def named(found: Header, mine: bytes, its: bytes) -> Header:
    """A header of its own, with these plain names of applications in place of others; empty: what there is stays."""
    facts = list(found.facts)
    said: dict[str, Any] = {}
    if mine:
        name = said["principal"] = mine.decode("ascii")
        facts[0] = SENDING_APPLICATION.cleaned(facts[0].subject, name)
    if its:
        name = its.decode("ascii")
        at = next(at for at, fact in enumerate(facts) if fact.name == RECEIVING_APPLICATION.name)
        facts[at] = RECEIVING_APPLICATION.cleaned(facts[at].subject, name)
        said["details"] = found.sender.details | {"receiving_application": name}
    return msgspec.structs.replace(found, facts=tuple(facts), sender=msgspec.structs.replace(found.sender, **said))


@lru_cache(MEMO_MAX)
def _parsed(segment: bytes, me: Subject, peer: Subject) -> Header | None:
    """What is not told of it yet."""
    delimiters = Delimiters.of(segment)
    parts = segment.split(delimiters.field.encode("ascii"))
    codec = _codec(parts[17], delimiters) if len(parts) > 17 else ""
    grammar = Grammar(delimiters, codec)
    texts = ["", *grammar.fields(segment)]  # from here on field n stands at n
    is_message = segment.startswith(b"MSH")
    facts = tuple(_facts(texts, grammar, me, peer, is_message=is_message))
    said = {fact.name: fact.value for fact in facts}
    if is_message and MESSAGE_TYPE.name not in said and VERSION.name not in said:
        return None
    kind = said.get(MESSAGE_TYPE.name, "").partition("^")[0].upper()
    return Header(
        grammar,
        facts,
        _sender(said, me),
        is_message and bool(said.get(SENDING_APPLICATION.name)),
        equipment.identify(grammar.components(texts[3])) if len(texts) > 3 else None,
        kind in {"ACK", "MCF"},
        kind in equipment.MESSAGE_TYPES and not _concerns_implants(facts),
        _is_twice_acknowledged(said),
    )


def _codec(field: bytes, delimiters: Delimiters) -> str:
    return codec_of(Grammar(delimiters, "").repetitions(field.decode("latin_1")))


def _facts(texts: list[str], grammar: Grammar, me: Subject, peer: Subject, *, is_message: bool) -> Iterator[Attribute]:
    for number, field in _READ if is_message else _READ_OF_BATCH:
        if number >= len(texts) or not (text := texts[number]):
            continue
        subject = peer if number in _PEERS else me
        if number in _REPEATED:
            values = [grammar.composite(repetition) for repetition in dict.fromkeys(grammar.repetitions(text))]
        else:
            values = [grammar.first(text) if number in _FIRST else grammar.composite(text)]
        for value in values:
            if value:
                yield field.cleaned(subject, value)


def _sender(said: dict[str, str], me: Subject) -> Authentication:
    """Who the sender claims to be."""
    principal, realm = said.get(SENDING_APPLICATION.name), said.get(SENDING_FACILITY.name)
    details: dict[str, Any] = {
        name.removeprefix("hl7."): said[name]
        for name in (RECEIVING_APPLICATION.name, RECEIVING_FACILITY.name, PROCESSING_ID.name)
        if name in said
    }
    if {said.get(ACCEPT_ACKNOWLEDGMENT.name), said.get(APPLICATION_ACKNOWLEDGMENT.name)} == {"NE"}:
        details["acknowledgments"] = "none"
    return Authentication(
        me, "hl7-application", principal, realm, details=details, spec="HL7 v2 ch. 2.14.9.3", sensitivity=_DEVICE
    )


def _is_twice_acknowledged(said: dict[str, str]) -> bool:
    """Enhanced mode (MSH-15 or MSH-16 is there), and neither of the two says never. Spec: HL7 v2 ch. 2.9.3."""
    asked = said.get(ACCEPT_ACKNOWLEDGMENT.name), said.get(APPLICATION_ACKNOWLEDGMENT.name)
    return asked[0] is not None and "NE" not in asked


def _concerns_implants(facts: tuple[Attribute, ...]) -> bool:
    """Whether a profile says that the equipment is inside of a patient: then its serial number names the patient."""
    profiles = (fact.value for fact in facts if fact.name == MESSAGE_PROFILE.name)
    return any(mark in profile for profile in profiles for mark in _IMPLANT_PROFILES)
