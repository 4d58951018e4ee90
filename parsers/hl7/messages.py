"""The messages of one lane: what their segments tell.

Facts that repeat with every message are told once, and again every `RESTATED_EACH` messages, so that a feed that lives
for months is still seen to say them. Who sent a message and what became of it is told of each.

Whether a message is itself an acknowledgment is known at the segment after its header (MSA, which SFT and UAC may
precede); until then nothing is claimed.

A segment whose name was told, and of which it is known that it tells nothing new, is passed over by its bytes
(`_READINGS`): most observations of a feed differ in their values only. What is kept to know them by is what would be
read of them: names, and OBX-3, 17 and 18.

Spec: HL7 v2 ch. 2.5, 2.9, 2.14.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Final

import msgspec

from parsers.core import Attribute, Conversation, Field, Malformed, Side
from parsers.hl7 import equipment, framing, header
from parsers.hl7.acknowledgment import OUTCOMES, Dialogue
from parsers.hl7.grammar import Grammar
from parsers.hl7.header import Header
from parsers.hl7.layout import BEFORE_MSA, NAME, SEGMENTS_MAX
from parsers.hl7.progress import Progress

SEGMENT: Final = Field("hl7.segment", "HL7 v2 ch. 2.5.2")
ACKNOWLEDGMENT_CODE: Final = Field("hl7.acknowledgment_code", "HL7 v2 ch. 2.14.8.1")

READ_MAX_BYTES: Final = 16_384
SEGMENT_MAX_BYTES: Final = 4_096
RESTATED_EACH: Final = 256
HEADERS_MAX: Final = 128
HEADERS_MAX_BYTES: Final = 65_536
OBSERVED_MAX: Final = 512
OBSERVED_MAX_CHARS: Final = 256
TOLD_MAX: Final = 1_024

_AT_MSA: Final = BEFORE_MSA | {b"MSA"}
_READ_ALWAYS: Final = frozenset({b"MSA", b"SFT"})
_READ_ANEW: Final = framing.HEADERS | {b"SFT", b"PRT", b"EQU", b"INV"}
_READ_OF_EQUIPMENT: Final = _READ_ALWAYS | {b"OBR", b"OBX", b"PRT", b"EQU", b"INV"}

_Observed = bytes | tuple[str | bytes, ...]
_Reading = Callable[["Messages", bytes, "Message"], bool]


class Message(msgspec.Struct):
    """The message that is under way; `equipment` is the key of what its last OBR or EQU named."""

    header: Header
    separator: bytes
    reads: frozenset[bytes]
    control_id: bytes
    secret: bytes
    asking: bool
    segments: int = 0
    read_bytes: int = 0
    equipment: str = ""

    @classmethod
    def under(cls, found: Header, control_id: bytes = b"", secret: bytes = b"") -> Message:
        """The message that a header begins."""
        reads = _READ_OF_EQUIPMENT if found.describes else _READ_ALWAYS
        return cls(found, found.grammar.separator, reads, control_id, secret, not found.acknowledges)

    @property
    def is_too_large(self) -> bool:
        """Whether enough of it was read."""
        return self.segments > SEGMENTS_MAX or self.read_bytes > READ_MAX_BYTES

    def stop_describing(self) -> None:
        """It is about something that belongs to one person."""
        self.reads, self.equipment = _READ_ALWAYS, ""


class Messages:
    """Reads the segments that `side` sends.

    Attributes:
        open: the message that is under way.
        progress: the lane's.
    """

    def __init__(self, side: Side, talk: Conversation, progress: Progress) -> None:
        self.open: Message | None = None
        self.progress = progress
        self._side = side
        self._talk = talk
        self._me, self._peer = talk.me(side), talk.peer(side)
        self._headers: dict[bytes, Header] = {}
        self._headers_bytes = 0
        self._observed: dict[_Observed, bool] = {}
        self._told: set[Attribute] = set()
        self._named: set[bytes] = set()
        self._usual: dict[bytes, _Reading] = {}
        self._grammar: Grammar | None = None
        self._codes: dict[str, Attribute] = {}  # for each of the few codes

    # ------------------------------------------------------------------ headers

    def parse(self, segment: bytes, parts: list[bytes]) -> Header:
        """What a header segment says; parsed once for all that differ in time, secret and control id only.

        Raises:
            Malformed: it says neither type nor version.
        """
        key = header.key_of(parts, segment[3:4])
        found = self._headers.get(key)
        if found is None:
            found = header.parse(parts, segment[3:4], self._me, self._peer)
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

    def begin(self, parts: list[bytes], found: Header) -> None:
        """A header whose meaning is `found`: a message begins, or (FHS, BHS) several will follow."""
        self.head(found)
        secret = header.secret_of(parts, found.grammar)
        if parts[0] == b"MSH":
            self._begin(parts, found, secret)
        elif secret:
            self._talk.emit(found.security(secret))

    def head(self, found: Header) -> None:
        """Tell what a header says, as far as it was not told lately."""
        if self.progress.count % RESTATED_EACH == 0 and self._told:
            self._restate()
        epoch = self.progress.count // RESTATED_EACH
        if found.told_in != epoch:
            found.told_in = epoch
            self.tell(found.facts)
            if found.identity is not None:
                self.tell(self._described(found.identity, named=False))

    def opened(self, told: Iterable[Attribute]) -> None:
        """A message was read already, and told this."""
        self._told.update(told)

    def speak(self) -> Dialogue:
        """One more message; returns what both sides know of each other."""
        self.progress.count += 1
        dialogue = self._talk.shared(Dialogue)
        dialogue.spoke(self._side, self._talk)
        return dialogue

    def _begin(self, parts: list[bytes], found: Header, secret: bytes) -> None:
        if found.grammar is not self._grammar:
            self._use(found.grammar)
        self.speak()
        control_id = header.control_id_of(parts[9]) if len(parts) > 9 else b""
        self.open = Message.under(found, control_id, secret)

    def _use(self, grammar: Grammar) -> None:
        """By another grammar the same bytes may say something else."""
        if self._grammar is None or not grammar.is_like(self._grammar):
            self._usual.clear()
            self._observed.clear()
        self._grammar = grammar

    def end(self) -> None:
        """The message is over."""
        message, self.open = self.open, None
        if message is not None and message.asking:
            self._ask(message)

    def _ask(self, message: Message) -> None:
        message.asking = False
        dialogue = self._talk.shared(Dialogue)
        dialogue.asked(self._side, message.control_id, message.header, message.secret, self._talk)
        message.secret = b""

    # ------------------------------------------------------------------ segments

    def named(self, name: bytes, message: Message) -> None:
        """The name of a segment is there; maybe no more of it yet."""
        if message.asking and name not in BEFORE_MSA:
            if name == b"MSA":
                message.asking = False
            else:
                self._ask(message)
        if name not in self._named:
            self._tell_name(name)

    def lines(self, segments: list[bytes], size: int) -> int:
        """Read whole segments of `size` bytes; returns how many: up to a header, or none where it may be too much."""
        message = self.open
        if message is None or message.segments + len(segments) > SEGMENTS_MAX:
            return 0
        if message.read_bytes + size > READ_MAX_BYTES:
            return 0
        count = self._lines(segments, message)
        message.segments += count - segments[:count].count(b"")
        return count

    def _lines(self, segments: list[bytes], message: Message) -> int:
        first = segments[0] if segments else b""
        if message.asking and first[:4] in self._usual and first[:3] not in _AT_MSA:
            self._ask(message)
        usual = {} if message.asking else self._usual
        for number, segment in enumerate(segments):
            read = usual.get(segment[:4])
            if read is None or not read(self, segment, message):
                if segment[:3] in framing.HEADERS and framing.is_header(segment):
                    return number
                self.line(segment, message)
                usual = {} if message.asking else self._usual
        return len(segments)

    def line(self, segment: bytes, message: Message) -> None:
        """A whole segment that is no header."""
        name = segment[:3]
        if len(segment) < 3 or segment[3:4] not in {b"", message.separator}:
            return
        self.named(name, message)
        if name in message.reads and len(segment) <= SEGMENT_MAX_BYTES:
            message.read_bytes += len(segment)
            self._read(name, segment, message)
        if name in self._named and name not in _READ_ANEW and message.header.grammar.cut and len(segment) > 3:
            self._usual[segment[:4]] = self._READINGS.get(name, self._READINGS[b""])

    def _read(self, name: bytes, segment: bytes, message: Message) -> None:
        """A segment that is on the allow-list."""
        grammar = message.header.grammar
        if name == b"MSA":
            self._acknowledgment(segment, message)
            return
        fields = grammar.fields(segment)
        if name == b"OBX":
            self._observation(fields, message)
        elif name == b"SFT":
            self.tell(equipment.software(fields, grammar, self._me))
        elif name == b"OBR":
            self._request(fields, message)
        elif name == b"PRT":
            self.tell(equipment.participation(fields, grammar, self._side, self._talk))
        elif name == b"EQU":
            self._equipment(fields, message)
        else:
            self._inventory(fields, message)

    # Segments that begin like one that was named lately, where it is known who asks. False: this one has to be read.

    def _usual_name(self, _segment: bytes, _message: Message) -> bool:
        """Nothing but its name is told of it."""
        return True

    def _usual_observation(self, segment: bytes, message: Message) -> bool:
        """By its bytes it is known what most observations tell: nothing new."""
        parts = segment.split(message.separator, 4)
        if len(parts) == 5 and parts[4].count(message.separator) < 13 and not message.equipment:
            personal = self._observed.get(parts[3])
        else:
            parts = segment.split(message.separator, 19)
            personal = self._observed.get((*parts[3:4], *parts[17:19], message.equipment))
        if personal is not False or message.reads is not _READ_OF_EQUIPMENT or len(segment) > SEGMENT_MAX_BYTES:
            return False
        message.read_bytes += len(segment)
        return True

    def _usual_request(self, segment: bytes, message: Message) -> bool:
        """Most often OBR-3 is the number of an order."""
        if message.reads is not _READ_OF_EQUIPMENT or len(segment) > SEGMENT_MAX_BYTES:
            return False
        parts = segment.split(message.separator, 4)
        if len(parts) > 3 and equipment.may_name_eui64(parts[3], message.header.grammar):
            return False
        message.read_bytes += len(segment)
        message.equipment = ""
        return True

    def _usual_acknowledgment(self, segment: bytes, message: Message) -> bool:
        if len(segment) > SEGMENT_MAX_BYTES:
            return False
        message.read_bytes += len(segment)
        self._acknowledgment(segment, message)
        return True

    _READINGS: ClassVar[dict[bytes, _Reading]] = {
        b"": _usual_name,
        b"OBX": _usual_observation,
        b"OBR": _usual_request,
        b"MSA": _usual_acknowledgment,
    }

    def _acknowledgment(self, segment: bytes, message: Message) -> None:
        """MSA-1 and MSA-2; what follows is text."""
        parts = segment.split(message.separator, 3)
        code = parts[1].strip().decode("ascii", "replace") if len(parts) > 1 else ""
        if code not in OUTCOMES:
            return
        fact = self._codes.get(code)
        if fact is None:
            fact = self._codes[code] = ACKNOWLEDGMENT_CODE(self._me, code)
        if fact not in self._told:
            self.tell((fact,))
        if len(parts) > 2:
            control_id = header.control_id_of(parts[2])
            self._talk.shared(Dialogue).answered(self._side, code, control_id, self._talk)

    def _request(self, fields: list[str], message: Message) -> None:
        """OBR-3 where it is an EUI-64; else it is a number of an order, and not read."""
        grammar = message.header.grammar
        identity = equipment.identify(grammar.components(fields[3])) if len(fields) > 3 else None
        message.equipment = identity.key if identity is not None else ""
        if identity is not None:
            self.tell(self._described(identity, named=False))

    def _observation(self, fields: list[str], message: Message) -> None:
        """OBX-3, 17 and 18. The value (OBX-5) is never looked at."""
        if len(fields) < 4:
            return
        grammar, read = message.header.grammar, (*fields[3:4], *fields[17:19])
        key = _observed_by(read, message.equipment, plain=bool(grammar.cut))
        personal = self._observed.get(key)
        if personal is None:
            method, instance = (*read[1:], "", "")[:2]
            personal = self._observe(fields[3], method, instance, message.equipment, grammar)
            if sum(map(len, read)) + len(message.equipment) <= OBSERVED_MAX_CHARS:
                if len(self._observed) >= OBSERVED_MAX:
                    self._observed.clear()
                self._observed[key] = personal
        if personal:
            message.stop_describing()

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
            self.tell((equipment.DEVICE_CODE(subject, code),))
        if value := grammar.composite(grammar.repetitions(method)[0]):
            self.tell((equipment.METHOD(subject, value),))
        return False

    def _equipment(self, fields: list[str], message: Message) -> None:
        """EQU: equipment and its state. Spec: HL7 v2 ch. 13.4.1."""
        grammar = message.header.grammar
        message.equipment = self._instances(fields[1], grammar) if len(fields) > 1 else ""
        if message.equipment and len(fields) > 3 and (state := grammar.composite(fields[3])):
            self.tell((equipment.STATE(self._talk.described(self._side, message.equipment), state),))

    def _inventory(self, fields: list[str], message: Message) -> None:
        """INV of the equipment that EQU named. Spec: HL7 v2 ch. 13.4.4."""
        maker = message.header.grammar.composite(fields[17]) if len(fields) > 17 else ""
        if maker and message.equipment:
            subject = self._talk.described(self._side, message.equipment)
            self.tell((equipment.REAGENT_MANUFACTURER(subject, maker),))

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
            self.tell(equipment.facts_of(identity, self._talk.described(self._side, key)))
        return eui64 or (identities[0].key if identities else "")

    def _described(self, identity: equipment.Identity, *, named: bool) -> Iterable[Attribute]:
        subject = self._talk.described(self._side, identity.key)
        return equipment.facts_of(identity, subject, named=named)

    # ------------------------------------------------------------------ telling

    def tell(self, facts: Iterable[Attribute]) -> None:
        """State what was not stated lately."""
        new = [fact for fact in dict.fromkeys(facts) if fact not in self._told]
        if len(self._told) + len(new) > TOLD_MAX:
            self._told.clear()
            self.progress.telling += 1
        self._told.update(new)
        self._talk.emit_all(new)

    def _tell_name(self, name: bytes) -> None:
        known = framing.segments().get(name)
        if known is None and name.startswith(b"Z") and NAME.fullmatch(name):
            known = "Z"  # locally defined: the letters after it may say anything
        if known is not None:
            self._named.add(name)
            self.tell((SEGMENT(self._me, known),))

    def _restate(self) -> None:
        self.progress.telling += 1
        self._told.clear()
        self._named.clear()
        self._usual.clear()
        self._observed.clear()


def _observed_by(read: tuple[str, ...], equipment_key: str, *, plain: bool) -> _Observed:
    """What an observation is known by: bytes, as `_usual_observation` finds them, where ASCII stands for itself.

    That is so in UTF-8 and in codes of one byte, whatever else is in the segment.
    """
    if not plain or not all(map(str.isascii, read)):
        return (*read, equipment_key)
    if len(read) == 1 and not equipment_key:
        return read[0].encode("ascii")
    return (*(text.encode("ascii") for text in read), equipment_key)
