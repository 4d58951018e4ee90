"""HL7 v2 messages: headers, an invented patient's segments, acknowledgements, and what devices say of themselves.

Everything about people is a canary (``_canary.py``): a message can be sent as it is and searched for afterwards.
Segments are texts; ``message`` joins them by carriage returns, as ER7 wants it (HL7 v2 chapter 2.6).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import hl7

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _canary import Canaries
    from _fleet import Machine

MLLP = 2575
UNSOLICITED = "ORU^R01^ORU_R01"
CODING = "|^~\\&"
PCD01 = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"
PCD03 = "IHE_PCD_003^IHE PCD^1.3.6.1.4.1.19376.1.6.1.3.1^ISO"
PCD04 = "IHE_PCD_004^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO"
PCD10 = "IHE_PCD_010^IHE PCD^1.3.6.1.4.1.19376.1.6.4.10^ISO"


def segment(name: str, fields: Mapping[int, str]) -> str:
    """Return a segment with these fields, by their number in the standard."""
    return "|".join([name, *(fields.get(n, "") for n in range(1, max(fields) + 1))])


@dataclass(frozen=True)
class Header:
    """What an MSH says (chapter 2.14.9); ``more`` holds fields by number. Sender and receiver speak for themselves."""

    sender: Machine
    receiver: Machine
    kind: str
    control: str
    version: str = "2.5.1"
    processing: str = "P"
    security: str = ""
    more: Mapping[int, str] = field(default_factory=dict)
    coding: str = CODING

    def __str__(self) -> str:
        """Return the segment."""
        said = {
            3: self.sender.application,
            4: self.sender.facility,
            5: self.receiver.application,
            6: self.receiver.facility,
            7: f"{dt.datetime.now(dt.UTC):%Y%m%d%H%M%S}",
            8: self.security,
            9: self.kind,
            10: self.control,
            11: self.processing,
            12: self.version,
            **self.more,
        }
        rest = self.coding[0].join(said.get(n, "") for n in range(3, max(said) + 1))
        return f"MSH{self.coding}{self.coding[0]}{rest}"


def message(header: Header, *segments: str) -> str:
    """Return a whole message, each segment ended by a carriage return."""
    return "".join(f"{s}\r" for s in (str(header), *segments))


def recoded(text: str, coding: str) -> str:
    """Return a message written with other delimiters than the usual five: field, component, repetition, escape, sub."""
    return text.translate(dict(zip(map(ord, CODING), coding, strict=True)))


def control(canaries: Canaries, element: str = "control") -> str:
    """Return a control id in which a patient's number hides, as some senders make them; the number is a canary."""
    return f"M{canaries.token(element, 12)}"


# ------------------------------------------------------------------ people, all of them canaries


def staff(canaries: Canaries, role: str) -> str:
    """Return a person of the staff (XCN): identifier, family and given name."""
    return f"{canaries.token(f'{role} id', 9)}^{canaries.token(f'{role} family')}^INVENTED^^^DR"


def event(canaries: Canaries, trigger: str) -> str:
    """Return an EVN with the operator who pressed the key (EVN-5)."""
    return segment("EVN", {1: trigger, 2: f"{dt.datetime.now(dt.UTC):%Y%m%d%H%M}", 5: staff(canaries, "operator")})


def patient(canaries: Canaries) -> str:
    """Return a PID in which every field that can name somebody is filled."""
    c = canaries
    return segment(
        "PID",
        {
            1: "1",
            3: f"{c.token('patient id')}^^^INVENTED^MR~{c.token('national id')}^^^INVENTED^NI",
            5: f"{c.token('family')}^{c.token('given', 8)}^^^^^L",
            6: f"{c.token('mother')}^INVENTED",
            7: c.date("birth"),
            8: "F",
            11: f"1 {c.token('street')} STREET^^{c.token('city')}^^00000^ZZ",
            13: f"^PRN^PH^^^000^{c.token('telephone')}",
            18: c.token("account"),
            19: c.token("social security"),
        },
    )


def stay(canaries: Canaries) -> str:
    """Return a PV1: room, attending doctor, visit number."""
    c = canaries
    bed = f"ICU^{c.token('room')}^{c.token('bed')}"
    return segment("PV1", {1: "1", 2: "I", 3: bed, 7: staff(c, "attending"), 19: c.token("visit")})


def device_part(
    canaries: Canaries, device: str, *, serial: str = "", kind: str = "", lot: str = "", udi: str = ""
) -> str:
    """Return a PRT of a device (chapter 7.4.4, v2.8.2); its person, PRT-5, his address and telephone are canaries."""
    return segment(
        "PRT",
        {
            2: "UC",
            4: "EQUIP^Equipment^HL70912",
            5: staff(canaries, "participant"),
            10: device,
            14: f"^^{canaries.token('participant city')}",
            15: f"^^PH^^^^{canaries.token('participant telephone')}",
            16: udi,
            19: lot,
            20: serial,
            22: kind,
        },
    ).rstrip("|")


def relatives(canaries: Canaries) -> list[str]:
    """Return next of kin, guarantor, insurance, allergy, diagnosis, procedure, and a note."""
    c = canaries
    return [
        segment("NK1", {1: "1", 2: f"{c.token('kin')}^INVENTED", 3: "SPO", 5: c.token("kin telephone")}),
        segment("PV2", {3: f"^{c.words('admit reason')}"}),
        segment("AL1", {1: "1", 2: "DA", 3: f"^{c.words('allergy')}"}),
        segment("DG1", {1: "1", 3: f"^{c.words('diagnosis')}", 16: staff(c, "diagnosing")}),
        segment("PR1", {1: "1", 3: f"^{c.words('procedure')}", 8: staff(c, "surgeon")}),
        segment("GT1", {1: "1", 3: f"{c.token('guarantor')}^INVENTED", 12: c.token("guarantor ssn")}),
        segment("IN1", {1: "1", 2: "PLAN", 16: f"{c.token('insured')}^INVENTED", 36: c.token("policy")}),
        segment("IN2", {1: c.token("employee id")}),
        segment("NTE", {1: "1", 3: c.words("note")}),
    ]


def local(canaries: Canaries) -> str:
    """Return a segment that a site made up."""
    return segment("ZPD", {1: canaries.token("local", 12), 2: canaries.words("local text")})


# ------------------------------------------------------------------ what is observed, and by which device


@dataclass(frozen=True)
class Seen:
    """One OBX: a code of the device's nomenclature, and a value, which is the patient's."""

    code: str
    value: str
    unit: str = ""
    place: str = "1.1.1.1"
    kind: str = "NM"
    device: str = ""
    method: str = ""


def observation(number: int, seen: Seen, canaries: Canaries) -> str:
    """Return an OBX; OBX-14, its time, is a canary."""
    return segment(
        "OBX",
        {
            1: str(number),
            2: seen.kind if seen.value else "",
            3: seen.code,
            4: seen.place,
            5: seen.value,
            6: seen.unit,
            11: "R" if seen.value else "X",
            14: f"{canaries.date('observed')}093000",
            16: staff(canaries, "observer") if seen.value else "",
            17: seen.method,
            18: seen.device,
        },
    ).rstrip("|")


def observations(canaries: Canaries, *seen: Seen) -> list[str]:
    """Return one OBX each, numbered."""
    return [observation(n, s, canaries) for n, s in enumerate(seen, 1)]


def request(canaries: Canaries, service: str, filler: str = "", **more: str) -> str:
    """Return an OBR: times, collector, orderer and reader are canaries; ``more`` by ``f<number>``."""
    c = canaries
    said = {
        1: "1",
        2: c.token("placer"),
        3: filler or c.token("filler"),
        4: service,
        7: f"{c.date('collected')}0915",
        10: staff(c, "collector"),
        16: staff(c, "orderer"),
        32: staff(c, "reader"),
    }
    return segment("OBR", said | {int(key[1:]): value for key, value in more.items()})


MONITOR = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"


def vitals(canaries: Canaries, device: str) -> list[str]:
    """Return a monitor's OBX: the device itself (MDS), then heart rate and saturation, which are canaries."""
    pulse, oxygen = canaries.token("pulse", 8), canaries.token("saturation", 8)
    return observations(
        canaries,
        Seen(MONITOR, "", place="1.0.0.0", device=device),
        Seen("147842^MDC_ECG_HEART_RATE^MDC", pulse, "264864^MDC_DIM_BEAT_PER_MIN^MDC", "1.7.4.147842"),
        Seen("150456^MDC_PULS_OXIM_SAT_O2^MDC", oxygen, "262688^MDC_DIM_PERCENT^MDC", "1.3.1.150456"),
    )


# ------------------------------------------------------------------ acknowledgements


def acknowledge(text: str, code: str = "AA", *, number: str = "", words: str = "", after: tuple[str, ...] = ()) -> str:
    """Return the ACK that python-hl7 makes for a message, with MSA-3 and segments after MSA where they are given."""
    made = hl7.parse(text.replace("\r\n", "\r").replace("\n", "\r")).create_ack(code, message_id=number or None)
    if words:
        made.segment("MSA").assign_field(words, 3)
    return str(made) + "".join(f"{s}\r" for s in after)
