"""Facts: the whole vocabulary in which parsers speak.

A fact says what one parser read in the bytes about one *subject*: a side of the conversation, or a thing that a side
speaks of. It holds no time, no address, no frame number: the sensor stamps those on.

`Attribute`, `Channel`, `Certificate`, `Authentication` are knowledge; `Anomaly` says where the bytes depart from the
standard. `Confirmed`, `Handoff` and `Done` are words to the session and are never stored.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, NoReturn

import msgspec

from parsers.core.members import at_hand

ATTRIBUTE_MAX_CHARS = 256
DETAIL_MAX_CHARS = 200


@at_hand
class Side(IntEnum):
    """The two lanes of a conversation."""

    INITIATOR = 0
    RESPONDER = 1

    __hash__ = int.__hash__  # not an enumeration's own, which is a call into Python for each fact that is hashed

    @property
    def peer(self) -> Side:
        """The other lane."""
        return _PEER[self]

    @property
    def label(self) -> str:
        """`initiator` or `responder`, as it stands in facts."""
        return _LABEL[self]


_PEER = (Side.RESPONDER, Side.INITIATOR)
_LABEL = ("initiator", "responder")


class Subject(msgspec.Struct, frozen=True, cache_hash=True):
    """What a fact is about: a side itself (`about == "side"`), or the keyed thing that this side described."""

    side: Side
    about: str = "side"


@at_hand
class Sensitivity(StrEnum):
    """How a value has to be treated before it is stored.

    DEVICE     names or describes equipment: kept.
    PRINCIPAL  names an account: kept, or pseudonymised where the site asks for it.
    LOCATION   names a room, ward or organisation: kept, left out of exports on request.
    """

    DEVICE = "device"
    PRINCIPAL = "principal"
    LOCATION = "location"

    __hash__ = str.__hash__


@at_hand
class Outcome(StrEnum):
    """What the other side answered to an authentication. `unknown`: no answer was seen, or none could be."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@at_hand
class Protection(StrEnum):
    """What guarded an authentication on the wire."""

    NONE = "none"
    SIGNED = "signed"
    TLS = "tls"


@at_hand
class Signed(StrEnum):
    """Whether messages carry a signature or MAC of their own."""

    NONE = "none"
    ENABLED = "enabled"
    REQUIRED = "required"


class Secret:
    """A password, community or token on its way to be digested. It cannot be printed, compared or pickled by accident.

    Args:
        value: the bytes as they were on the wire, decoded of transport encodings only.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes, for the one function that digests them."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        msg = "a Secret is never serialised"
        raise TypeError(msg)


class Attribute(msgspec.Struct, frozen=True, cache_hash=True):
    """What a subject is: `dicom.manufacturer = GE`. Made by calling a `Field`."""

    subject: Subject
    name: str
    value: str
    spec: str
    sensitivity: Sensitivity = Sensitivity.DEVICE


class Field(msgspec.Struct, frozen=True):
    """Declares an attribute; calling it makes the fact.

    Args:
        name: `protocol.noun`, lower case, in the words of the standard.
        spec: where the standard defines it.
        sensitivity: see `Sensitivity`.
    """

    name: str
    spec: str
    sensitivity: Sensitivity = Sensitivity.DEVICE

    def __call__(self, subject: Subject, value: object) -> Attribute:
        """The fact that `subject` has this attribute. Control characters are replaced and long values cut."""
        return Attribute(subject, self.name, clean(str(value)), self.spec, self.sensitivity)

    def cleaned(self, subject: Subject, value: str) -> Attribute:
        """The same for text that was made of what `clean` has returned."""
        return Attribute(subject, self.name, value.strip()[:ATTRIBUTE_MAX_CHARS], self.spec, self.sensitivity)


class Channel(msgspec.Struct, frozen=True):
    """How a conversation is protected, stated once, when its handshake ends. Its subject is the responder.

    `client_authenticated` is None where it cannot be seen.
    """

    subject: Subject
    version: str
    cipher: str | None = None
    encrypted: bool = False
    signed: Signed = Signed.NONE
    client_authenticated: bool | None = None
    details: dict[str, Any] = {}
    spec: str = ""


class Certificate(msgspec.Struct, frozen=True):
    """A certificate that a side showed. Times are seconds since 1970 in UTC and may lie far out of a calendar's range.

    Of a person's certificate (`personal`) only hash, issuer and validity are filled in. Fields that could not be read
    are None; `details` names what bends the rules.
    """

    subject: Subject
    role: str  # server, client, ca
    position: int  # 0 = the end entity's
    sha256: str
    spki_sha256: str | None = None
    subject_name: str | None = None
    issuer: str | None = None
    serial: str | None = None
    not_before: int | None = None
    not_after: int | None = None
    key_type: str | None = None
    key_bits: int | None = None
    signature: str | None = None
    sans: tuple[str, ...] = ()
    self_signed: bool | None = None
    is_ca: bool | None = None
    personal: bool = False
    details: dict[str, Any] = {}
    spec: str = "RFC 5280 4.1"


class Authentication(msgspec.Struct, frozen=True):
    """Who a side claims to be, and how it proves it.

    `details` holds numbers and names of the standard, never a response or a ticket. `sensitivity` is the principal's:
    what names software or equipment (an AE title, an HL7 application) is `DEVICE`.
    """

    subject: Subject
    mechanism: str
    principal: str | None = None
    realm: str | None = None
    secret: Secret | None = None
    outcome: Outcome = Outcome.UNKNOWN
    protection: Protection = Protection.NONE
    details: dict[str, Any] = {}
    spec: str = ""
    sensitivity: Sensitivity = Sensitivity.PRINCIPAL


class Anomaly(msgspec.Struct, frozen=True):
    """A departure from the standard. `detail` is in our words and never holds payload."""

    subject: Subject
    code: str
    offset: int = -1
    detail: str = ""


class Confirmed(msgspec.Struct, frozen=True):
    """The dissector has seen real structure of its protocol; facts held back until now may go."""


class Handoff(msgspec.Struct, frozen=True):
    """From the next unread byte on, both lanes speak another protocol (STARTTLS, HTTP upgrade)."""

    protocol: str


class Done(msgspec.Struct, frozen=True):
    """Nothing that matters can follow in this conversation."""


Fact = Attribute | Channel | Certificate | Authentication | Anomaly


def clean(text: str, limit: int = ATTRIBUTE_MAX_CHARS) -> str:
    """`text` without control characters and lone surrogates, at most `limit` characters, without outer white space."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text.strip()[:limit]
