"""Monitors, their gateways and infusion pumps: HL7 v2 as IHE profiles it for devices (PCD-01, -03, -04, -10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _fleet import (
    B40,
    CIS,
    EGATEWAY,
    EHR,
    MX500,
    N22,
    PHARMACY,
    PIC_IX,
    PUMP_SERVER,
    VC150,
    VS8,
    Machine,
)
from _hl7 import (
    PCD01,
    PCD03,
    PCD04,
    PCD10,
    UNSOLICITED,
    Header,
    Seen,
    acknowledge,
    control,
    device_part,
    message,
    observations,
    patient,
    request,
    segment,
    staff,
    stay,
    vitals,
)
from _lab import Lab, scenario
from _mllp import (
    HL7APY,
    MEDPLUM,
    NODE,
    PYTHON_HL7,
    SIMPLE,
    apy_listening,
    listening,
    node_send,
    node_serve,
    send,
)
from _tls import PUMPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _canary import Canaries

MONITORING = "182777000^monitoring of patient^SCT"
PDQ = 3502
DEVICE_FEED = {15: "AL", 16: "NE", 18: "UNICODE UTF-8", 21: PCD01}


def report(
    canaries: Canaries,
    sender: Machine,
    device: str,
    *extra: str,
    more: Mapping[int, str] = DEVICE_FEED,
    number: int = 0,
) -> str:
    """Return a PCD-01 report: the patient, the device and what it measures."""
    header = Header(sender, CIS, UNSOLICITED, control(canaries, f"control{number}"), "2.6", more=more)
    who = [patient(canaries), stay(canaries)]
    return message(header, *who, request(canaries, MONITORING), *extra, *vitals(canaries, device))


@scenario(
    "hl7/pcd01_gateway",
    "A gateway reports two monitors by PCD-01: OBX-18 with EUI-64 (FFFE), PRT-10.",
    PYTHON_HL7,
    expect=(
        "described: two BeneVision N22 by EUI-64; MACs 00:a0:37:71:4e:01 and 00:a0:37:71:4e:02",
        "the gateway is neither of them",
    ),
)
def pcd01_gateway(lab: Lab) -> None:
    gateway, information, sent = lab.host(EGATEWAY), lab.host(CIS), []
    for n, monitor in enumerate(N22):
        device = f"{lab.describe(monitor).eui64.upper()}^MINDRAY^{monitor.eui64.upper()}^EUI-64"
        part = device_part(lab.canaries, device, kind=f"^^^^^^^^{monitor.model}")
        sent.append(report(lab.canaries, EGATEWAY, device, part, number=n))
    with lab.capture(), listening(information):
        send(gateway, information, *sent)


@scenario(
    "hl7/pcd01_philips",
    "An information centre reports two monitors: OBX-18 with EUI-64 (FFFF), model and product number as text.",
    PYTHON_HL7,
    expect=("described: two IntelliVue MX500; MACs 00:09:fb:9b:42:b3 and 00:09:fb:9b:42:b4",),
)
def pcd01_philips(lab: Lab) -> None:
    centre, information, sent = lab.host(PIC_IX), lab.host(CIS), []
    for n, monitor in enumerate(MX500):
        name = f"8a6c3f0{n}-52d1-4f7e-9b07-1d0c5e7a44b{n}-IntelliVue MX500 - 866064"
        device = f"{lab.describe(monitor).eui64[:6]}FFFF{monitor.eui64[10:]}^^^EUI-64~{name}"
        sent.append(report(lab.canaries, PIC_IX, device, number=n))
    with lab.capture(), listening(information):
        send(centre, information, *sent)


@scenario(
    "hl7/monitor_itself",
    "Two monitors speak for themselves: MSH-3 is the model, MSH-4 and MSH-24 the MAC.",
    PYTHON_HL7,
    expect=("each VC150's MSH-24 is its own MAC", "same MSH-3 at two devices, different MSH-4"),
)
def monitor_itself(lab: Lab) -> None:
    monitors, information = [(machine, lab.host(machine)) for machine in VC150], lab.host(CIS)
    with lab.capture(), listening(information):
        for machine, monitor in monitors:
            more = DEVICE_FEED | {24: f"^{machine.facility}^MAC"}
            send(monitor, information, report(lab.canaries, machine, "", more=more, number=int(machine.name[-1])))


@scenario(
    "hl7/monitor_b40",
    "A monitor names itself in OBX-18: the maker's own EUI-64 prefix, namespace B40_GE, a text after the MAC.",
    HL7APY,
    expect=("namespace B40_GE; 08:00:19:2d:61:7c is not the MAC that it sends with",),
)
def monitor_b40(lab: Lab) -> None:
    monitor, information = lab.host(B40), lab.host(CIS)
    device = f"{B40.eui64.upper()}B40PATMON^B40_GE^{B40.eui64.upper()}^EUI-64"
    with lab.capture(), apy_listening(information, UNSOLICITED):
        send(monitor, information, report(lab.canaries, B40, device))


@scenario(
    "hl7/prt_udi",
    "PRT of v2.8.2: UDI device identifier, lot, serial number and device type of a monitor behind a gateway.",
    MEDPLUM,
    NODE,
    expect=("described: IntelliVue MX500, serial INVDE44723, UDI device identifier 00884838000001",),
)
def prt_udi(lab: Lab) -> None:
    centre, information, monitor = lab.host(PIC_IX), lab.host(CIS), lab.describe(MX500[0])
    device = f"{monitor.serial}^PHILIPS^{monitor.eui64.upper()}^EUI-64"
    part = device_part(
        lab.canaries,
        device,
        serial=monitor.serial,
        kind=f"{monitor.model}^Patient monitor",
        lot="INVLOT9",
        udi="00884838000001",
    )
    header = Header(PIC_IX, CIS, UNSOLICITED, control(lab.canaries), "2.8.2", more=DEVICE_FEED)
    who = [patient(lab.canaries), stay(lab.canaries), request(lab.canaries, MONITORING)]
    node_serve(lab, information, "medplum")
    with lab.capture():
        node_send(lab, centre, information, "medplum", message(header, *who, part, *vitals(lab.canaries, "")))


@scenario(
    "hl7/alert_pcd04",
    "A gateway reports an alarm of a monitor by PCD-04 (ORU^R40).",
    SIMPLE,
    NODE,
    expect=("described: a BeneVision N22 by EUI-64",),
)
def alert(lab: Lab) -> None:
    gateway, information, monitor = lab.host(EGATEWAY), lab.host(CIS), lab.describe(N22[0])
    header = Header(EGATEWAY, CIS, "ORU^R40^ORU_R40", control(lab.canaries), "2.6", more=DEVICE_FEED | {21: PCD04})
    device = f"{monitor.eui64.upper()}^MINDRAY^{monitor.eui64.upper()}^EUI-64"
    text = f"196670^MDC_EVT_LO^MDC^{lab.canaries.words('alarm')}"
    seen = (
        Seen(
            "196616^MDC_EVT_ALARM^MDC",
            f"196670^MDC_EVT_LO^MDC{text}",
            kind="CWE",
            place="1.3.1.150456.1",
            device=device,
        ),
        Seen("68481^MDC_ATTR_EVENT_PHASE^MDC", "start", kind="ST", place="1.3.1.150456.2"),
    )
    who = [patient(lab.canaries), stay(lab.canaries), request(lab.canaries, "196616^MDC_EVT_ALARM^MDC")]
    node_serve(lab, information, "simple")
    with lab.capture():
        node_send(lab, gateway, information, "simple", message(header, *who, *observations(lab.canaries, *seen)))


def pump_of(lab: Lab, number: int = 0) -> str:
    """Write a pump into the sidecar and return its EI; the pump itself stays silent."""
    octets = lab.describe(PUMPS[number]).mac.replace(":", "").upper()
    eui64 = f"{octets[:6]}FFFE{octets[6:]}"
    return f"{eui64}^^{eui64}^EUI-64"


def order(canaries: Canaries) -> str:
    """Return an ORC with everybody who had to do with the order."""
    people = {n: staff(canaries, role) for n, role in ((10, "enterer"), (11, "verifier"), (12, "ordering"))}
    return segment("ORC", {1: "RE", 2: canaries.token("placer"), 3: canaries.token("filler"), **people})


@scenario(
    "hl7/pump_order_pcd03",
    "A pharmacy system sends an infusion order to the pumps' server by PCD-03 (RGV^O15).",
    PYTHON_HL7,
    expect=("the pump described by EUI-64 is neither sender nor receiver",),
)
def pump_order(lab: Lab) -> None:
    pharmacy, server, pump = lab.host(PHARMACY), lab.host(PUMP_SERVER), pump_of(lab)
    more = {15: "AL", 16: "AL", 21: PCD03}
    header = Header(PHARMACY, PUMP_SERVER, "RGV^O15^RGV_O15", control(lab.canaries), "2.6", more=more)
    drug = f"{lab.canaries.token('drug')}^{lab.canaries.words('drug name')}^LOCAL"
    dose = {1: "1", 2: "1", 4: drug, 5: "100", 7: "263762^MDC_DIM_MILLI_L^MDC", 9: f"^{lab.canaries.words('remark')}"}
    seen = Seen("69986^MDC_DEV_PUMP_INFUS_VMD^MDC", "", place="1.1.0.0", device=pump)
    body = [patient(lab.canaries), stay(lab.canaries), order(lab.canaries), segment("RXG", dose)]
    with lab.capture(), listening(server):
        send(
            pharmacy,
            server,
            message(header, *body, segment("RXR", {1: "^IV"}), *observations(lab.canaries, seen)),
        )


@scenario(
    "hl7/pump_event_pcd10",
    "The pumps' server reports events of two pumps by PCD-10 (ORU^R42).",
    SIMPLE,
    PYTHON_HL7,
    NODE,
    expect=("described: two pumps by EUI-64, MACs b0:4c:05:00:9a:01 and b0:4c:05:00:9a:02",),
)
def pump_event(lab: Lab) -> None:
    server, records, sent = lab.host(PUMP_SERVER), lab.host(EHR), []
    for n in (0, 1):
        more = {15: "AL", 16: "NE", 21: PCD10}
        header = Header(PUMP_SERVER, EHR, "ORU^R42^ORU_R42", control(lab.canaries, f"control{n}"), "2.6", more=more)
        rate = Seen("157784^MDC_FLOW_FLUID_PUMP^MDC", lab.canaries.token("rate", 8), place="1.1.2.1")
        seen = (Seen("69986^MDC_DEV_PUMP_INFUS_VMD^MDC", "", place="1.1.0.0", device=pump_of(lab, n)), rate)
        body = [patient(lab.canaries), stay(lab.canaries), order(lab.canaries), request(lab.canaries, MONITORING)]
        sent.append(message(header, *body, *observations(lab.canaries, *seen)))
    with lab.capture(), listening(records):
        node_send(lab, server, records, "simple", *sent)


@scenario(
    "hl7/query_pdq",
    "A monitor asks for patients (QBP^Q22, port 3502) and is answered with two (RSP^K22).",
    PYTHON_HL7,
    expect=("MSH-3 of the monitor carries its own EUI-64: MAC 00:a0:37:35:20:8f",),
)
def query_pdq(lab: Lab) -> None:
    monitor, records = lab.host(VS8), lab.host(EHR)
    more = {15: "AL", 16: "AL", 18: "UNICODE UTF-8", 21: "ITI-22^IHE"}
    asked = f"IHE PDQ Query^^|Q1|@PID.5.1.1^{lab.canaries.token('family')}~@PID.3.1^{lab.canaries.token('patient id')}"
    header = Header(VS8, EHR, "QBP^Q22^QBP_Q21", control(lab.canaries), "2.5", more=more)

    def answer(text: str) -> list[str]:
        found = acknowledge(text).replace("ACK^Q22^ACK", "RSP^K22^RSP_K21")
        return [f"{found}QAK|Q1|OK\rQPD|{asked}\r{patient(lab.canaries)}\r{stay(lab.canaries)}\r"]

    with lab.capture(), listening(records, answer, PDQ):
        send(monitor, records, message(header, f"QPD|{asked}", "RCP|I"), port=PDQ)


@scenario(
    "hl7/query_a19",
    "A gateway asks for a patient in v2.3.1 (QRY^A19) and is answered (ADR^A19).",
    PYTHON_HL7,
    expect=("sending application Mindray, facility Gateway",),
)
def query_a19(lab: Lab) -> None:
    sender = Machine("egateway", EGATEWAY.mac, EGATEWAY.ip, application="Mindray", facility="Gateway")
    gateway, records = lab.host(sender), lab.host(EHR)
    who = segment(
        "QRD", {1: "20261125", 2: "R", 3: "I", 4: "Q1", 7: "1^RD", 8: lab.canaries.token("patient id"), 9: "DEM"}
    )
    header = Header(sender, EHR, "QRY^A19", control(lab.canaries), "2.3.1")

    def answer(text: str) -> list[str]:
        found = acknowledge(text).replace("ACK^A19^ACK", "ADR^A19")
        return [f"{found}{who}\r{patient(lab.canaries)}\r{stay(lab.canaries)}\r"]

    with lab.capture(), listening(records, answer):
        send(gateway, records, message(header, who))
