"""The messages of one lane: what their segments tell.

Facts that repeat with every message are told once, and again every `RESTATED_EACH` messages, so that a feed that lives
for months is still seen to say them. Who sent a message and what became of it is told of each.

Whether a message is itself an acknowledgment is known at the segment after its header (MSA, which SFT and UAC may
precede); until then nothing is claimed.

Spec: HL7 v2 ch. 2.5, 2.9, 2.14.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from parsers.core import Attribute, Conversation, Field, Malformed, Secret, Side
from parsers.hl7 import equipment, framing, header
from parsers.hl7.acknowledgment import OUTCOMES, Dialogue
from parsers.hl7.grammar import Grammar
from parsers.hl7.header import Header

SEGMENT: Final = Field("hl7.segment", "HL7 v2 ch. 2.5.2")
ACKNOWLEDGMENT_CODE: Final = Field("hl7.acknowledgment_code", "HL7 v2 ch. 2.14.8.1")

READ_MAX_BYTES: Final = 16_384
SEGMENT_MAX_BYTES: Final = 4_096
SEGMENTS_MAX: Final = 512
RESTATED_EACH: Final = 256
HEADERS_MAX: Final = 128
HEADERS_MAX_BYTES: Final = 65_536
OBSERVED_MAX: Final = 512
OBSERVED_MAX_CHARS: Final = 256
TOLD_MAX: Final = 1_024
CONTROL_ID_MAX_BYTES: Final = 256

_NAME: Final = re.compile(rb"[A-Z][A-Z0-9]{2}")
_BEFORE_MSA: Final = frozenset({b"SFT", b"UAC"})
_READ_ALWAYS: Final = frozenset({b"MSA", b"SFT"})
_READ_OF_EQUIPMENT: Final = _READ_ALWAYS | {b"OBR", b"OBX", b"PRT", b"EQU", b"INV"}


class Message(msgspec.Struct):
    """The message that is under way; `equipment` is the key of what its last OBR or EQU named."""

    header: Header
    separator: int
    reads: frozenset[bytes]
    control_id: bytes
    secret: bytes
    asking: bool
    segments: int = 0
    read_bytes: int = 0
    equipment: str = ""

    @property
    def is_too_large(self) -> bool:
        """Whether enough of it was read."""
        return self.segments > SEGMENTS_MAX or self.read_bytes > READ_MAX_BYTES


class Messages:
    """Reads the segments that `side` sends.

    Attributes:
        open: the message that is under way.
        count: messages begun so far.
    """

    def __init__(self, side: Side, talk: Conversation) -> None:
        self.open: Message | None = None
        self.count = 0
        self._side = side
        self._talk = talk
        self._me, self._peer = talk.me(side), talk.peer(side)
        self._headers: dict[bytes, Header] = {}
        self._headers_bytes = 0
        self._observed: dict[tuple[str, ...], bool] = {}
        self._told: set[Attribute] = set()
        self._named: set[bytes] = set()

    # ------------------------------------------------------------------ headers

    def parse(self, segment: bytes) -> Header:
        """What a header segment says; parsed once for all that differ in time, secret and control id only.

        Raises:
            Malformed: it says neither type nor version.
        """
        key = _key(segment)
        found = self._headers.get(key)
        if found is None:
            found = header.parse(segment, self._me, self._peer)
            if found is None:
                raise Malformed("a message header without type and version")
            self._keep(key, found)
        return found

    def _keep(self, key: bytes, found: Header) -> None:
        if len(self._headers) >= HEADERS_MAX or self._headers_bytes + len(key) > HEADERS_MAX_BYTES:
            self._headers.clear()
            self._headers_bytes = 0
        self._headers[key] = found
        self._headers_bytes += len(key)

    def begin(self, segment: bytes, found: Header) -> None:
        """A header whose meaning is `found`: a message begins, or (FHS, BHS) several will follow."""
        if self.count % RESTATED_EACH == 0:
            self._restate()
        epoch = self.count // RESTATED_EACH
        if found.told_in != epoch:
            found.told_in = epoch
            self._tell_header(found)
        parts = segment.split(segment[3:4], 10)
        secret = found.grammar.literal(parts[7]) if len(parts) > 7 and parts[7] not in {b"", b'""'} else b""
        if segment.startswith(b"MSH"):
            self._begin(segment, parts, found, secret)
        elif secret:
            self._talk.emit(msgspec.structs.replace(found.security, secret=Secret(secret)))

    def _begin(self, segment: bytes, parts: list[bytes], found: Header, secret: bytes) -> None:
        self.count += 1
        self._talk.shared(Dialogue).spoke(self._side, self._talk)
        self.open = Message(
            found,
            segment[3],
            _READ_OF_EQUIPMENT if found.describes else _READ_ALWAYS,
            parts[9].strip()[:CONTROL_ID_MAX_BYTES] if len(parts) > 9 else b"",
            secret,
            not found.acknowledges,
        )

    def end(self) -> None:
        """The message is over."""
        message, self.open = self.open, None
        if message is not None and message.asking:
            self._ask(message)

    def _tell_header(self, found: Header) -> None:
        self._tell(found.facts)
        if found.identity is not None:
            self._tell(self._described(found.identity, named=False))

    def _ask(self, message: Message) -> None:
        message.asking = False
        dialogue = self._talk.shared(Dialogue)
        dialogue.asked(self._side, message.control_id, message.header, message.secret, self._talk)
        message.secret = b""

    # ------------------------------------------------------------------ segments

    def named(self, name: bytes, message: Message) -> None:
        """The name of a segment is there; maybe no more of it yet."""
        if message.asking and name not in _BEFORE_MSA:
            if name == b"MSA":
                message.asking = False
            else:
                self._ask(message)
        if name not in self._named:
            self._tell_name(name)

    def read(self, name: bytes, segment: bytes, message: Message) -> None:
        """A whole segment that is on the allow-list."""
        grammar = message.header.grammar
        fields = grammar.fields(segment)
        if name == b"OBX":
            self._observation(fields, message)
        elif name == b"MSA":
            self._acknowledgment(segment, message)
        elif name == b"SFT":
            self._tell(equipment.software(fields, grammar, self._me))
        elif name == b"OBR":
            self._request(fields, message)
        elif name == b"PRT":
            self._tell(equipment.participation(fields, grammar, self._side, self._talk))
        elif name == b"EQU":
            self._equipment(fields, message)
        else:
            self._inventory(fields, message)

    def _acknowledgment(self, segment: bytes, message: Message) -> None:
        """MSA-1 and MSA-2; what follows is text."""
        parts = segment.split(bytes((message.separator,)), 3)
        code = parts[1].strip().decode("ascii", "replace") if len(parts) > 1 else ""
        if code not in OUTCOMES:
            return
        self._tell((ACKNOWLEDGMENT_CODE(self._me, code),))
        if len(parts) > 2:
            control_id = parts[2].strip()[:CONTROL_ID_MAX_BYTES]
            self._talk.shared(Dialogue).answered(self._side, code, control_id, self._talk)

    def _request(self, fields: list[str], message: Message) -> None:
        """OBR-3 where it is an EUI-64; else it is a number of an order, and not read."""
        grammar = message.header.grammar
        identity = equipment.identify(grammar.components(fields[3])) if len(fields) > 3 else None
        message.equipment = identity.key if identity is not None else ""
        if identity is not None:
            self._tell(self._described(identity, named=False))

    def _observation(self, fields: list[str], message: Message) -> None:
        """OBX-3, 17 and 18. The value (OBX-5) is never looked at."""
        if len(fields) < 4:
            return
        method, instance = (fields[number] if len(fields) > number else "" for number in (17, 18))
        key = (fields[3], method, instance, message.equipment)
        personal = self._observed.get(key)
        if personal is None:
            personal = self._observe(*key, message.header.grammar)
            if sum(map(len, key)) <= OBSERVED_MAX_CHARS:
                if len(self._observed) >= OBSERVED_MAX:
                    self._observed.clear()
                self._observed[key] = personal
        if personal:
            message.reads, message.equipment = _READ_ALWAYS, ""

    def _observe(self, what: str, method: str, instance: str, group: str, grammar: Grammar) -> bool:
        """What is observed, by what; True: by something that belongs to one person."""
        observed = grammar.components(what)
        if equipment.is_personal(observed):
            return True
        about = self._instances(instance, grammar) or group
        if not about:
            return False
        subject = self._talk.described(self._side, about)
        if code := equipment.device_code(observed):
            self._tell((equipment.DEVICE_CODE(subject, code),))
        if value := grammar.composite(grammar.repetitions(method)[0]):
            self._tell((equipment.METHOD(subject, value),))
        return False

    def _equipment(self, fields: list[str], message: Message) -> None:
        """EQU: equipment and its state. Spec: HL7 v2 ch. 13.4.1."""
        grammar = message.header.grammar
        message.equipment = self._instances(fields[1], grammar) if len(fields) > 1 else ""
        if message.equipment and len(fields) > 3 and (state := grammar.composite(fields[3])):
            self._tell((equipment.STATE(self._talk.described(self._side, message.equipment), state),))

    def _inventory(self, fields: list[str], message: Message) -> None:
        """INV of the equipment that EQU named. Spec: HL7 v2 ch. 13.4.4."""
        maker = message.header.grammar.composite(fields[17]) if len(fields) > 17 else ""
        if maker and message.equipment:
            subject = self._talk.described(self._side, message.equipment)
            self._tell((equipment.REAGENT_MANUFACTURER(subject, maker),))

    def _instances(self, field: str, grammar: Grammar) -> str:
        """Tell of the equipment in each repetition of a field; returns the first one's key."""
        if not field:
            return ""
        found = [equipment.identify_any(grammar.components(part)) for part in grammar.repetitions(field)]
        identities = [identity for identity in found if identity is not None]
        eui64 = next((identity.key for identity in identities if identity.eui64), "")
        for identity in identities:
            # A text without a namespace beside an EUI-64 is another name of the same equipment.
            key = eui64 if eui64 and identity.is_text else identity.key
            self._tell(equipment.facts_of(identity, self._talk.described(self._side, key)))
        return eui64 or (identities[0].key if identities else "")

    def _described(self, identity: equipment.Identity, *, named: bool) -> Iterable[Attribute]:
        subject = self._talk.described(self._side, identity.key)
        return equipment.facts_of(identity, subject, named=named)

    # ------------------------------------------------------------------ telling

    def _tell(self, facts: Iterable[Attribute]) -> None:
        """State what was not stated lately."""
        for fact in facts:
            if fact not in self._told:
                if len(self._told) >= TOLD_MAX:
                    self._told.clear()
                self._told.add(fact)
                self._talk.emit(fact)

    def _tell_name(self, name: bytes) -> None:
        known = framing.segments().get(name)
        if known is None and name.startswith(b"Z") and _NAME.fullmatch(name):
            known = "Z"  # locally defined: the letters after it may say anything
        if known is not None:
            self._named.add(name)
            self._tell((SEGMENT(self._me, known),))

    def _restate(self) -> None:
        self._told.clear()
        self._named.clear()
        self._observed.clear()


def _key(segment: bytes) -> bytes:
    """A header segment without its fields 7, 8 and 10."""
    parts = segment.split(segment[3:4])
    return b"\n".join((*parts[:6], *parts[8:9], *parts[10:]))
