"""Patients, orders and documents between a hospital's systems, and every way to acknowledge them."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from _fleet import EHR, ENGINE, FIREWALL, LIS_HL7, PACS, PHARMACY, RIS, TELERADIOLOGY, TEST_EHR, Machine
from _hl7 import (
    MLLP,
    UNSOLICITED,
    Header,
    Seen,
    acknowledge,
    control,
    event,
    local,
    message,
    observations,
    patient,
    relatives,
    request,
    segment,
    staff,
    stay,
)
from _lab import Lab, scenario
from _mllp import (
    HL7APY,
    MEDPLUM,
    NODE,
    NODE_CLIENT,
    NODE_SERVER,
    PYTHON_HL7,
    SIMPLE,
    apy_listening,
    listening,
    node_send,
    node_serve,
    send,
)
from record_hl7_monitors import order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _canary import Canaries

ADMIT = "ADT^A01^ADT_A01"
NEVER: Mapping[int, str] = {15: "NE", 16: "NE"}
ENHANCED: Mapping[int, str] = {15: "AL", 16: "AL"}
RIS_HL7 = Machine("ris", RIS.mac, RIS.ip, application="RIS", facility="RADIOLOGY")
PACS_HL7 = Machine("pacs", PACS.mac, PACS.ip, application="PACS", facility="RADIOLOGY")
DOCUMENT_BYTES = 45_000


def admission(
    canaries: Canaries,
    receiver: Machine = ENGINE,
    number: int = 0,
    *,
    sender: Machine = EHR,
    more: Mapping[int, str] | None = None,
    security: str = "",
    processing: str = "P",
    trigger: str = "A01",
) -> str:
    """Return an admission with the patient, the stay and who pressed the key."""
    kind = f"ADT^{trigger}^ADT_{trigger}"
    header = Header(
        sender, receiver, kind, control(canaries, f"control{number}"), "2.5.1", processing, security, more or {}
    )
    return message(header, event(canaries, trigger), patient(canaries), stay(canaries))


# ------------------------------------------------------------------ what is said


@scenario(
    "hl7/adt_a01",
    "An admission with everything that a record knows: relatives, insurance, diagnosis, notes, a local segment.",
    SIMPLE,
    PYTHON_HL7,
    NODE,
    expect=("EPIC at GENERALHOSPITAL; nothing of any other segment",),
)
def adt_a01(lab: Lab) -> None:
    records, engine, c = lab.host(EHR), lab.host(ENGINE), lab.canaries
    body = [event(c, "A01"), patient(c), segment("PD1", {4: staff(c, "family doctor")}), *relatives(c), local(c)]
    body.insert(3, stay(c))
    header = Header(EHR, ENGINE, ADMIT, control(c), "2.5.1", more={18: "UNICODE UTF-8"})
    with lab.capture(), listening(engine):
        node_send(lab, records, engine, "simple", message(header, *body))


@scenario(
    "hl7/adt_merge",
    "Two records of one patient are merged (ADT^A40): the other one stands in MRG.",
    PYTHON_HL7,
    expect=("nothing of MRG",),
)
def adt_merge(lab: Lab) -> None:
    records, engine, c = lab.host(EHR), lab.host(ENGINE), lab.canaries
    other = segment("MRG", {1: f"{c.token('other id')}^^^INVENTED^MR", 7: f"{c.token('other family')}^INVENTED"})
    header = Header(EHR, ENGINE, "ADT^A40^ADT_A39", control(c), "2.5.1")
    with lab.capture(), listening(engine):
        send(records, engine, message(header, event(c, "A40"), patient(c), other))


@scenario(
    "hl7/adt_implant",
    "An admission lists the patient's implant: PRT and OBX-18 with UDI and serial number, which are the patient's.",
    PYTHON_HL7,
    expect=("no device is described: a pacemaker is no device of the hospital",),
)
def adt_implant(lab: Lab) -> None:
    records, engine, c = lab.host(EHR), lab.host(ENGINE), lab.canaries
    serial = c.token("implant serial")
    part = segment(
        "PRT",
        {
            2: "UC",
            4: "EQUIP^Equipment^HL70912",
            10: f"{serial}^MEDTRONIC",
            16: c.token("udi", 14),
            20: serial,
            22: c.token("implant"),
        },
    )
    seen = Seen(
        "74711-3^Unique device identifier^LN", c.token("udi value"), kind="ST", place="", device=f"{serial}^MEDTRONIC"
    )
    header = Header(EHR, ENGINE, ADMIT, control(c), "2.8.2")
    with lab.capture(), listening(engine):
        send(records, engine, message(header, event(c, "A01"), patient(c), stay(c), part, *observations(c, seen)))


@scenario(
    "hl7/orders_orm",
    "An order for an examination goes to the radiology system and its archive (ORM^O01, v2.3.1).",
    PYTHON_HL7,
    expect=("one sender, two receivers",),
)
def orders_orm(lab: Lab) -> None:
    records, c = lab.host(EHR), lab.canaries
    machines = [(machine, lab.host(machine)) for machine in (RIS_HL7, PACS_HL7)]
    with lab.capture():
        for n, (machine, host) in enumerate(machines):
            header = Header(EHR, machine, "ORM^O01", control(c, f"control{n}"), "2.3.1")
            body = [patient(c), stay(c), order(c), request(c, f"CT^{c.words('examination')}^LOCAL"), local(c)]
            with listening(host):
                send(records, host, message(header, *body))


@scenario(
    "hl7/schedule_siu",
    "An appointment is booked (SIU^S12): who, with whom, where, and why.",
    HL7APY,
    expect=("nothing of SCH, AIS, AIP, AIL",),
)
def schedule_siu(lab: Lab) -> None:
    records, radiology, c = lab.host(EHR), lab.host(RIS_HL7), lab.canaries
    body = [
        segment(
            "SCH",
            {1: c.token("appointment"), 7: f"^{c.words('reason')}", 12: staff(c, "contact"), 16: staff(c, "filler")},
        ),
        patient(c),
        stay(c),
        segment("RGS", {1: "1"}),
        segment("AIS", {1: "1", 3: f"CT^{c.words('service')}"}),
        segment("AIP", {1: "1", 3: staff(c, "personnel")}),
        segment("AIL", {1: "1", 3: f"RAD^{c.token('place')}"}),
    ]
    header = Header(EHR, RIS_HL7, "SIU^S12^SIU_S12", control(c), "2.5")
    with lab.capture(), apy_listening(radiology, "SIU^S12^SIU_S12"):
        send(records, radiology, message(header, *body))


@scenario(
    "hl7/document_60kb",
    "A document in base64 (ED), 60 kB in one OBX: one message over many segments, another follows.",
    PYTHON_HL7,
    expect=("the message after the long one is read too: MSH-9 ADT^A03",),
)
def document(lab: Lab) -> None:
    records, engine, c = lab.host(EHR), lab.host(ENGINE), lab.canaries
    noise = hashlib.shake_128(b"an invented document").digest(DOCUMENT_BYTES)
    text = c.token("document", 30).encode()
    c.plant(base64.b64encode(text).decode())
    data = base64.b64encode(noise[: DOCUMENT_BYTES // 3 * 3] + text).decode()
    txa = segment(
        "TXA", {1: "1", 2: "CN", 5: staff(c, "activity"), 9: staff(c, "originator"), 12: c.token("document id")}
    )
    seen = Seen("PDF^Report^LOCAL", f"^application^pdf^Base64^{data}", kind="ED", place="")
    header = Header(EHR, ENGINE, "MDM^T02^MDM_T02", control(c), "2.5.1")
    long = message(header, event(c, "T02"), patient(c), stay(c), txa, *observations(c, seen), local(c))
    with lab.capture(), listening(engine):
        send(records, engine, long, admission(c, number=1, trigger="A03"))


# ------------------------------------------------------------------ how it is acknowledged


@scenario(
    "hl7/feed_without_acknowledgement",
    "A feed that wants no acknowledgement: MSH-15 and MSH-16 are NE, nobody answers.",
    MEDPLUM,
    NODE,
    expect=("outcome unknown", "acknowledgments none"),
)
def feed(lab: Lab) -> None:
    records, engine = lab.host(EHR), lab.host(ENGINE)
    sent = [admission(lab.canaries, number=n, more=NEVER) for n in range(4)]
    node_serve(lab, engine, "medplum", "noack")
    with lab.capture():
        node_send(lab, records, engine, "medplum", *sent, options="noack")


@scenario(
    "hl7/nobody_answers",
    "A sender asks for an accept acknowledgement (MSH-15 AL), gets none and goes on.",
    MEDPLUM,
    NODE,
    expect=("outcome unknown", "HL7-007: nobody acknowledges"),
)
def nobody_answers(lab: Lab) -> None:
    records, engine = lab.host(EHR), lab.host(ENGINE)
    sent = [admission(lab.canaries, number=n, more={15: "AL", 16: "NE"}) for n in range(5)]
    node_serve(lab, engine, "medplum", "noack")
    with lab.capture():
        node_send(lab, records, engine, "medplum", *sent, options="noack")


@scenario(
    "hl7/enhanced",
    "Enhanced mode: a commit accept (CA) first, the application's answer (AA) afterwards, on the same connection.",
    MEDPLUM,
    NODE,
    expect=("outcome accepted", "both acknowledgment codes of the receiver: CA, AA"),
)
def enhanced(lab: Lab) -> None:
    records, engine = lab.host(EHR), lab.host(ENGINE)
    node_serve(lab, engine, "medplum", "enhanced")
    with lab.capture():
        sent = [admission(lab.canaries, number=n, more=ENHANCED) for n in (0, 1)]
        node_send(lab, records, engine, "medplum", *sent, options="enhanced")


@scenario(
    "hl7/enhanced_deferred",
    "Enhanced mode as the standard has it: the application's answer comes on a connection of its own, the other way.",
    PYTHON_HL7,
    expect=("the AA of the second conversation answers no message of it", "each side speaks as a sender once"),
)
def enhanced_deferred(lab: Lab) -> None:
    records, engine, c = lab.host(EHR), lab.host(ENGINE), lab.canaries
    text = admission(c, more=ENHANCED)

    def commit(asked: str) -> list[str]:
        return [acknowledge(asked, "CA")]

    with lab.capture(), listening(engine, commit), listening(records, commit):
        send(records, engine, text)
        send(engine, records, acknowledge(text, "AA"))


def refused(lab: Lab, *codes: str, security: str = "", more: Mapping[int, str] | None = None) -> None:
    """Record messages that are answered by these codes; MSA-3 and ERR quote the patient."""
    records, engine, c = lab.host(EHR), lab.host(ENGINE), lab.canaries
    words = f"Patient {c.token('family')} not found"
    err = segment(
        "ERR", {2: "PID^1^3", 3: "204^Unknown key identifier^HL70357", 4: "E", 7: words, 8: c.words("user message")}
    )
    left = list(codes)

    def answer(text: str) -> list[str]:
        return [acknowledge(text, left.pop(0), words=words, after=(err,))]

    with lab.capture(), listening(engine, answer):
        sent = [admission(c, number=n, more=more, security=security) for n, _ in enumerate(codes)]
        send(records, engine, *sent)


@scenario(
    "hl7/adt_ae",
    "An application error (AE): MSA-3 and ERR quote the patient.",
    PYTHON_HL7,
    expect=("outcome rejected, acknowledgment code AE",),
)
def adt_ae(lab: Lab) -> None:
    refused(lab, "AE")


@scenario(
    "hl7/adt_ae_to_enhanced",
    "A sender asks for enhanced mode; the receiver knows none and answers AE, then AA.",
    PYTHON_HL7,
    expect=("rejected with AE, accepted with AA: most receivers ignore MSH-15 and MSH-16",),
)
def adt_ae_to_enhanced(lab: Lab) -> None:
    refused(lab, "AE", "AA", more=ENHANCED)


@scenario(
    "hl7/commit_refused",
    "Enhanced mode: a commit error (CE), then a commit reject (CR).",
    PYTHON_HL7,
    expect=("outcome rejected, acknowledgment codes CE and CR",),
)
def commit_refused(lab: Lab) -> None:
    refused(lab, "CE", "CR", more=ENHANCED)


@scenario(
    "hl7/adt_ar",
    "A receiver rejects (AR) the type of message that it does not take, and accepts the other one.",
    HL7APY,
    expect=("ADT^A01 accepted, ORU^R01 rejected with AR", "hl7apy closes after each message: two connections"),
)
def adt_ar(lab: Lab) -> None:
    records, engine, c = lab.host(EHR), lab.host(ENGINE), lab.canaries
    header = Header(EHR, ENGINE, UNSOLICITED, control(c), "2.5.1")
    with lab.capture(), apy_listening(engine, ADMIT):
        send(records, engine, message(header, patient(c), stay(c)))
        send(records, engine, admission(c, number=1))


@scenario(
    "hl7/accepted_and_refused",
    "Answers differ by message: AA, AE, AA in one connection.",
    PYTHON_HL7,
    expect=("both outcomes of one sender",),
)
def accepted_and_refused(lab: Lab) -> None:
    refused(lab, "AA", "AE", "AA")


@scenario(
    "hl7/answer_to_another",
    "A receiver answers with a control id that nobody sent, then closes.",
    PYTHON_HL7,
    expect=("outcome unknown: an answer to another question is none",),
)
def answer_to_another(lab: Lab) -> None:
    records, engine, c = lab.host(EHR), lab.host(ENGINE), lab.canaries
    text = admission(c)
    other = text.replace(control(c, "control0"), "M0000000000")
    with lab.capture(), listening(engine, lambda _asked: [acknowledge(other)]):
        send(records, engine, text)


# ------------------------------------------------------------------ who says it


@scenario(
    "hl7/security",
    "MSH-8, Security, holds a password in clear.",
    PYTHON_HL7,
    expect=("HL7-002: a secret in MSH-8", "the password leaves as a digest only", "outcome accepted"),
)
def security(lab: Lab) -> None:
    records, engine = lab.host(EHR), lab.host(ENGINE)
    secret = lab.canaries.token("security", 14)
    with lab.capture(), listening(engine):
        send(records, engine, *(admission(lab.canaries, number=n, security=secret) for n in (0, 1)))


@scenario(
    "hl7/security_same",
    "MSH-8 holds the name of the sending application.",
    PYTHON_HL7,
    expect=("secret class same_as_principal",),
)
def security_same(lab: Lab) -> None:
    records, engine = lab.host(EHR), lab.host(ENGINE)
    with lab.capture(), listening(engine):
        send(records, engine, admission(lab.canaries, security=EHR.application))


@scenario(
    "hl7/security_refused",
    "MSH-8 holds a password that the receiver rejects (AR).",
    PYTHON_HL7,
    expect=("outcome rejected",),
)
def security_refused(lab: Lab) -> None:
    refused(lab, "AR", security=lab.canaries.token("security", 14))


@scenario(
    "hl7/security_shared",
    "Two applications on two machines use the same password in MSH-8.",
    PYTHON_HL7,
    expect=("one digest, two identities, two devices",),
)
def security_shared(lab: Lab) -> None:
    engine, secret = lab.host(ENGINE), lab.canaries.token("security", 14)
    senders = [(machine, lab.host(machine)) for machine in (EHR, PHARMACY)]
    with lab.capture(), listening(engine):
        for n, (machine, host) in enumerate(senders):
            send(host, engine, admission(lab.canaries, number=n, sender=machine, security=secret))


@scenario(
    "hl7/same_application",
    "Two machines send as the same application and facility.",
    NODE_CLIENT,
    NODE_SERVER,
    NODE,
    expect=("one HL7 application on two devices",),
)
def same_application(lab: Lab) -> None:
    engine, senders = lab.host(ENGINE), [lab.host(EHR), lab.host(TEST_EHR)]
    node_serve(lab, engine, "server")
    with lab.capture():
        for n, host in enumerate(senders):
            node_send(lab, host, engine, "client", admission(lab.canaries, number=n))


@scenario(
    "hl7/placeholder",
    "A system sends under the names of the examples, SENDING_APPLICATION at SENDING_FACILITY, and is accepted.",
    NODE_CLIENT,
    NODE_SERVER,
    NODE,
    expect=("HL7-008: a placeholder",),
)
def placeholder(lab: Lab) -> None:
    sender = Machine(
        "vendor-pc", "8c:ec:4b:0c:5a:16", "10.20.7.86", application="SENDING_APPLICATION", facility="SENDING_FACILITY"
    )
    host, engine = lab.host(sender), lab.host(ENGINE)
    node_serve(lab, engine, "server")
    with lab.capture():
        node_send(lab, host, engine, "client", admission(lab.canaries, sender=sender))


@scenario(
    "hl7/test_to_production",
    "A test system sends messages marked T to a receiver that answers as production.",
    PYTHON_HL7,
    expect=("processing id T from ehr-test, P from ehr and from the receiver",),
)
def test_to_production(lab: Lab) -> None:
    engine, records, test = lab.host(ENGINE), lab.host(EHR), lab.host(TEST_EHR)

    def answer(text: str) -> list[str]:
        return [acknowledge(text).replace("|T|2.5.1", "|P|2.5.1")]

    with lab.capture(), listening(engine, answer):
        send(records, engine, admission(lab.canaries))
        send(test, engine, admission(lab.canaries, number=1, sender=TEST_EHR, processing="T"))


@scenario(
    "hl7/engine",
    "An interface engine takes from three systems and passes on, unchanged, to a fourth.",
    PYTHON_HL7,
    SIMPLE,
    MEDPLUM,
    NODE,
    expect=("the engine sends as EPIC, PHARMACY and LIS, and is none of them",),
)
def engine(lab: Lab) -> None:
    broker, radiology = lab.host(ENGINE), lab.host(RIS_HL7)
    senders = [(machine, lab.host(machine)) for machine in (EHR, PHARMACY, LIS_HL7)]
    texts = [admission(lab.canaries, number=n, sender=machine) for n, (machine, _) in enumerate(senders)]
    node_serve(lab, radiology, "medplum")
    with lab.capture(), listening(broker):
        send(senders[0][1], broker, texts[0])
        for (_, host), text, library in zip(senders[1:], texts[1:], ("simple", "medplum"), strict=True):
            node_send(lab, host, broker, library, text)
        send(broker, radiology, *texts)


@scenario(
    "hl7/outside",
    "A reading service outside the hospital sends results through the firewall (203.0.113.44) and is accepted.",
    PYTHON_HL7,
    expect=("a sender of an address outside; its frames carry the firewall's MAC",),
)
def outside(lab: Lab) -> None:
    radiology, firewall = lab.host(RIS_HL7), lab.host(FIREWALL)
    service, c = lab.outside(TELERADIOLOGY, firewall), lab.canaries
    header = Header(TELERADIOLOGY, RIS_HL7, UNSOLICITED, control(c), "2.4")
    seen = Seen("RPT^Report^LOCAL", c.words("report"), kind="TX", place="")
    with lab.capture(), listening(radiology, port=MLLP):
        send(service, radiology, message(header, patient(c), request(c, "CT^CT^LOCAL"), *observations(c, seen)))
