"""HL7 v2 samples and ways to feed them."""

from __future__ import annotations

from collections.abc import Iterable

from parsers.core import Anomaly, Attribute, Authentication, Channel, Fact, Registry, Session
from parsers.hl7 import PROTOCOL

REGISTRY = Registry([PROTOCOL])
ADT = (
    b"MSH|^~\\&|REGADT|MCM|IFENG|HOSP|20261125101010||ADT^A04^ADT_A01|000001|P|2.5.1\r"
    b"EVN|A04|20261125\r"
    b"PID|1||4711||DOE^JANE||19500101|F\r"
)


def framed(message: bytes) -> bytes:
    return b"\x0b" + message + b"\x1c\r"


def header(*fields: str, delimiters: str = "|^~\\&") -> bytes:
    """An MSH from field 3 on, with field 9 and 12 filled in where they are not given."""
    values = [*fields, *[""] * (10 - len(fields))]
    values[6] = values[6] or "ORU" + delimiters[1] + "R01"
    values[9] = values[9] or "2.6"
    return ("MSH" + delimiters + delimiters[0] + delimiters[0].join(values)).encode("latin-1") + b"\r"


def acknowledgment(control_id: str, code: str = "AA", text: str = "") -> bytes:
    return header("EMR", "HOSP", "REGADT", "MCM", "", "", "ACK", "R" + control_id) + (
        f"MSA|{code}|{control_id}|{text}\r".encode()
    )


def read(*said: bytes, midstream: bool = False, piece: int = 0) -> list[Fact]:
    """What is said when initiator and responder speak in turns, beginning with the initiator; b"" says nothing."""
    session = Session(REGISTRY, "tcp", (2575, 50_000), midstream=midstream)
    facts: list[Fact] = []
    for number, data in enumerate(said):
        for at in range(0, len(data), piece or max(1, len(data))):
            facts += session.feed(number & 1, data[at : at + (piece or len(data))], 1 + number // 2)
    return facts + session.end()


def values(facts: Iterable[Fact], name: str, about: str | None = None) -> list[str]:
    """The values of `hl7.<name>`, of one subject or of all."""
    return [
        fact.value
        for fact in facts
        if isinstance(fact, Attribute) and fact.name == f"hl7.{name}" and about in {None, fact.subject.about}
    ]


def subjects(facts: Iterable[Fact]) -> list[str]:
    """The keys of what is described."""
    return sorted({fact.subject.about for fact in facts if fact.subject.about != "side"})


def claims(facts: Iterable[Fact], mechanism: str = "hl7-application") -> list[Authentication]:
    return [fact for fact in facts if isinstance(fact, Authentication) and fact.mechanism == mechanism]


def outcomes(facts: Iterable[Fact]) -> list[str]:
    return [claim.outcome.value for claim in claims(facts)]


def channels(facts: Iterable[Fact]) -> list[Channel]:
    return [fact for fact in facts if isinstance(fact, Channel)]


def anomalies(facts: Iterable[Fact]) -> list[str]:
    return [fact.code for fact in facts if isinstance(fact, Anomaly)]
