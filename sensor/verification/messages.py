"""A message as tshark reads it, and the few fields that follow from it only together with earlier ones.

Derived fields are named `spanward.…`. What they need of earlier messages is kept by who spoke to whom.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple
from uuid import UUID

from sensor.verification.readings import words


class Message(NamedTuple):
    """One message of one protocol.

    Attributes:
        protocol: tshark's name of it: `tls`, `smb2`.
        speaker: `address port` of who sends it.
        hearer: `address port` of whom it is sent to.
        values: tshark's values by the name of their field, in their order.
        frame: number of the packet that ends it, from 1.
    """

    protocol: str
    speaker: str
    hearer: str
    values: dict[str, list[str]]
    frame: int = 0


Derivation = Callable[[Message, dict[str, list[str]]], dict[str, list[str]]]


def derived(messages: Iterable[Message]) -> Iterator[Message]:
    """The messages with their derived fields."""
    memories: dict[tuple[str, ...], dict[str, list[str]]] = defaultdict(dict)
    for message in messages:
        memory = memories[tuple(sorted((message.speaker, message.hearer)))]
        found = dict(message.values)
        for derivation in _DERIVATIONS.get(message.protocol, ()):
            found.update(derivation(message, memory))
        yield message._replace(values=found)


def _certificate_role(message: Message, memory: dict[str, list[str]]) -> dict[str, list[str]]:
    """Whoever has said ServerHello (2) shows a server's certificate; an empty Certificate message shows none."""
    field = f"{message.protocol}.handshake.type"
    said = memory.setdefault(f"{message.speaker} {field}", [])
    types = message.values.get(field, [])
    said += [type_ for type_ in types if type_ == "2" and not said]
    shown = message.values.get(f"{message.protocol}.handshake.certificate")
    return {"spanward.certificate_role": ["server" if said else "client"]} if shown else {}


def _smb1_agreement(message: Message, memory: dict[str, list[str]]) -> dict[str, list[str]]:
    """The answer of an SMB 1 server to NEGOTIATE.

    It says which of the offered dialects it takes by its number in the offer. Before NT LM 0.12 there were no
    signatures. The octets of its GUID tshark shows in the order of the wire.
    """
    memory["offer"] = message.values.get("smb.dialect.name") or memory.get("offer", [])
    names = memory["offer"]
    indexes = [int(value) for value in message.values.get("smb.dialect.index", []) if value.isdigit()]
    chosen = [names[index] for index in indexes if index < len(names)]
    found = {"spanward.dialect": chosen, "spanward.smb_version": ["SMB 1"]} if chosen else {}
    if "smb.sm.mode" in message.values and "smb.sm.signatures" not in message.values:
        found["spanward.signatures"] = ["0.0"]
    if guids := message.values.get("smb.server_guid"):
        found["spanward.server_guid"] = [str(UUID(bytes_le=UUID(guid).bytes)) for guid in guids]
    return found


def _smb2_signing(message: Message, memory: dict[str, list[str]]) -> dict[str, list[str]]:
    """What a client says of signatures when it sets up a session counts when it gets the session."""
    if "1" not in message.values.get("smb2.cmd", []):
        return {}
    if "0" in message.values.get("smb2.flags.response", []):
        memory["signing"] = message.values.get("smb2.sec_mode", [])
        return {}
    success = {int(value, 16) for value in message.values.get("smb2.nt_status", [])} == {0}
    return {"spanward.client_signing": memory.get("signing", [])} if success else {}


# Header segments of HL7 and which of their fields are kept; of the segment of an acknowledgment, its code.
_HL7_FIELDS: Final = {
    "MSH": frozenset({3, 4, 5, 6, 9, 11, 12, 15, 16, 17, 18, 19, 21, 22, 23, 24, 25}),
    "BHS": frozenset({3, 4, 5, 6}),
    "FHS": frozenset({3, 4, 5, 6}),
    "MSA": frozenset({1}),
}
_HL7_NAMES: Final = {"MSH": "spanward.msh", "BHS": "spanward.msh", "FHS": "spanward.msh", "MSA": "spanward.msa"}
_HL7_REPEATED: Final = frozenset({"spanward.msh.18", "spanward.msh.21"})


def _hl7_fields(message: Message, _: dict[str, list[str]]) -> dict[str, list[str]]:
    """The fields of HL7 segments, which tshark leaves as they stand: characters, composites, repetitions, escapes."""
    found: dict[str, list[str]] = defaultdict(list)
    delimiters = "|^~\\&"
    for segment in message.values.get("hl7.segment", []):
        name = segment[:3]
        if name != "MSA":
            delimiters = segment[3:4] + segment[4:].partition(segment[3:4])[0]
        fields = _numbered(segment, delimiters[0])
        codec = words("hl7_charset").get(fields.get(18, "").partition(delimiters[2:3] or "~")[0], "")
        for number, text in fields.items():
            if number in _HL7_FIELDS[name]:
                _add_hl7(found, f"{_HL7_NAMES[name]}.{number}", text, delimiters, codec)
    return dict(found)


def _numbered(segment: str, separator: str) -> dict[int, str]:
    """The fields of a segment by their numbers; of header segments the separator itself is field 1."""
    first = 0 if segment.startswith("MSA") else 1
    return dict(enumerate(segment.rstrip("\r").split(separator), first))


def _add_hl7(found: dict[str, list[str]], field: str, text: str, delimiters: str, codec: str) -> None:
    component, repetition, escape, subcomponent = (delimiters[at : at + 1] or "\0" for at in range(1, 5))
    meanings = dict(zip("FSRET", delimiters, strict=False))
    sequence = re.compile(f"{re.escape(escape)}(?:([FSRET])|X((?:[0-9A-F]{{2}})+)){re.escape(escape)}")

    def resolved(said: re.Match[str]) -> str:
        return meanings.get(said[1], "") if said[1] else bytes.fromhex(said[2]).decode("latin_1")

    def plain(part: str) -> str:
        return "" if part == '""' else _characters(sequence.sub(resolved, part), codec).strip()

    for one in text.split(repetition) if field in _HL7_REPEATED else [text]:
        parts = [
            "&".join(_trimmed([plain(piece) for piece in part.split(subcomponent)])) for part in one.split(component)
        ]
        found[field].append("^".join(_trimmed(parts)))
        found[f"{field}.1"].append(parts[0] if parts else "")


def _characters(octets: str, codec: str) -> str:
    """Octets, one a character, as text: in the character set that MSH-18 names, else in UTF-8, else in Latin-1."""
    try:
        return octets.encode("latin_1").decode(codec or "utf_8")
    except UnicodeError:
        return octets


def _trimmed(parts: list[str]) -> list[str]:
    while parts and not parts[-1]:
        parts.pop()
    return parts


_DERIVATIONS: Final[dict[str, tuple[Derivation, ...]]] = {
    "tls": (_certificate_role,),
    "dtls": (_certificate_role,),
    "smb": (_smb1_agreement,),
    "smb2": (_smb2_signing,),
    "hl7": (_hl7_fields,),
}
# What derivations look at: which packets, in the language of display filters, and which fields in them.
DERIVED_FROM: Final = {
    "tls.handshake.type": ["tls.handshake.type", "tls.handshake.certificate"],
    "dtls.handshake.type": ["dtls.handshake.type", "dtls.handshake.certificate"],
    "smb.cmd == 0x72": [
        "smb.dialect.name",
        "smb.dialect.index",
        "smb.sm.mode",
        "smb.sm.signatures",
        "smb.server_guid",
    ],
    "smb2.cmd == 1": ["smb2.cmd", "smb2.flags.response", "smb2.sec_mode", "smb2.nt_status"],
    "hl7.segment": ["hl7.segment"],
}


def kept(field: str, value: str) -> str:
    """What is kept of a value that can hold anything: of HL7, header segments with the listed fields, else nothing."""
    if field != "hl7.segment":
        return value
    name, separator = value[:3], value[3:4]
    if name not in _HL7_FIELDS:
        return ""
    numbers = _HL7_FIELDS[name] | ({2} if name != "MSA" else set())
    fields = _numbered(value, separator or "|")
    first = min(fields)
    return separator.join(text if number in numbers or number == first else "" for number, text in fields.items())


# Fields that tshark shows with U+FFFD in the place of what is not ASCII.
OCTETS: Final = frozenset({"hl7.segment"})
