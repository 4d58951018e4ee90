"""The laboratory: analysers by HL7, by ASTM with and without an access password, and bedside tests by POCT1-A."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _answering import Line, answering, calling
from _fleet import Machine
from _hl7 import UNSOLICITED, Seen, observations, segment
from _mllp import PYTHON_HL7, send
from _story import opening, scene
from _truth import device, identity, must, must_not
from wing_bedside import MLLP, saying, stamp, who
from wing_bedside_engine import LIS, WEEKDAYS

if TYPE_CHECKING:
    from _net import Host
    from _story import Hospital

ASTM_GUARDED, ASTM_OPEN, POCT = 5100, 5200, 9005
ENQ, ACK, EOT, STX, ETX, ETB = b"\x05", b"\x06", b"\x04", b"\x02", b"\x03", b"\x17"
CR, LF = b"\r", b"\n"
FRAME_BYTES = 240


# ------------------------------------------------------------------ who lives there


def _analyser(name: str, mac: str, number: int, kind: str, protocol: str, **said: str) -> Machine:
    machine = Machine(name, mac, f"10.21.4.{number}", **said)
    if protocol == "hl7":
        return device(machine, device_type=kind, role="HL7 sender")
    return device(machine, device_type=kind, told=dict.fromkeys(("model", "serial", "device_type"), protocol))


GENEXPERT = _analyser(
    "genexpert",
    "00:21:38:22:51:40",
    51,
    "molecular analyser",
    "hl7",
    manufacturer="Cepheid",
    model="GeneXpert",
    serial="110014",
    application="GeneXpert PC^GeneXpert^Dx6.2",
)
BS200E = _analyser(
    "bs200e",
    "00:a0:37:22:31:2b",
    31,
    "chemistry analyser",
    "hl7",
    manufacturer="Mindray",
    model="BS-200E",
    application="Mindray",
    facility="BS-200E",
)
COBAS = device(
    Machine(
        "cobas-infinity",
        "00:50:56:a4:22:f1",
        "10.21.4.41",
        manufacturer="Roche Diagnostics",
        model="cobas infinity",
        application="INFINITY^2.2",
        facility="Roche Diagnostics",
    ),
    device_type="server",
    role="laboratory middleware",
)
MODULE = device(Machine("genexpert-a1", "", "", model="Module A1", serial="700231", via="genexpert"), vendor="Cepheid")
E801 = device(
    Machine("e801", "", "", manufacturer="Roche Diagnostics", model="cobas e801", via="cobas-infinity"),
    device_type="chemistry analyser",
    known_by="7F31",
)
SYSMEX = _analyser(
    "xn1000",
    "00:06:6b:22:61:03",
    61,
    "haematology analyser",
    "astm",
    manufacturer="Sysmex",
    model="XN-1000",
    serial="INV18603",
)
ABL90 = _analyser(
    "abl90",
    "00:50:c2:05:b2:22",
    62,
    "blood gas analyser",
    "astm",
    manufacturer="Radiometer",
    model="ABL90 FLEX",
    serial="INV39362",
)
RAPIDPOINT = _analyser(
    "rapidpoint",
    "20:e7:91:22:63:0b",
    63,
    "blood gas analyser",
    "astm",
    manufacturer="Siemens Healthineers",
    model="RAPIDPoint 500",
    serial="INV40563",
)
ISTAT = _analyser(
    "istat-dock",
    "00:13:dd:22:71:04",
    71,
    "blood gas analyser",
    "poct1a",
    manufacturer="Abbott",
    model="i-STAT 1",
    serial="INV33871",
)
ACCUCHEK = _analyser(
    "accuchek-base",
    "00:60:19:22:72:05",
    72,
    "glucose meter",
    "poct1a",
    manufacturer="Roche Diagnostics",
    model="Accu-Chek Inform II",
    serial="INV12472",
)
POCT_MANAGER = device(Machine("poct-manager", "00:50:56:a4:22:40", "10.21.1.40"), device_type="server")

identity("hl7-application", "Mindray", "hl7", ("bs200e",), peers=("lis",), realm="BS-200E")
identity("hl7-application", GENEXPERT.application, "hl7", ("genexpert",), peers=("lis",))
identity("hl7-application", COBAS.application, "hl7", ("cobas-infinity",), peers=("lis",), realm=COBAS.facility)
must("MED-006", "astm", device="xn1000", why="an access password in H-4 crosses in clear")
must("MED-001", "astm", device="lis", why="two analysers send results without any proof")
must("MED-001", "poct1a", device="poct-manager", why="two kinds of bedside tests send results without any proof")
for name, protocol in (
    ("abl90", "astm"),
    ("rapidpoint", "astm"),
    *((n, "poct1a") for n in ("istat-dock", "accuchek-base", "poct-manager")),
):
    must("ID-008", protocol, device=name, first_day=30, why="nobody proves anything in what it speaks")
must_not("HL7-006", "its analysers were there from the first day", device="cobas-infinity")


# ------------------------------------------------------------------ HL7


def found(hospital: Hospital, code: str, equipment: str = "") -> list[str]:
    """Return an order and one result, which is a canary."""
    seen = Seen(code, hospital.canaries.token("result", 8), "mIU/L", "", device=equipment)
    order = segment("OBR", {1: "1", 3: hospital.canaries.token("filler"), 4: code, 7: stamp(hospital.now)})
    return [who(hospital.canaries), order, *observations(hospital.canaries, seen)]


@scene("a molecular and a chemistry analyser report", PYTHON_HL7, days=[0], again=WEEKDAYS[1::4], at="10:40")
def analysers_report(hospital: Hospital) -> None:
    """Send one ORU^R01 each."""
    module = "^GeneXpert PC^^618402~^GeneXpert^^110014~^Module A1^^700231"
    swab = saying(hospital, GENEXPERT, LIS, UNSOLICITED, *found(hospital, "MTB^MTB-RIF^99CEP", module), version="2.5")
    serum = saying(hospital, BS200E, LIS, "ORU^R01", *found(hospital, "ALT^ALT^LOCAL"), version="2.3.1", more={16: "0"})
    for analyser, text in ((GENEXPERT, swab), (BS200E, serum)):
        send(hospital.host(analyser), hospital.host(LIS), text, port=MLLP)


@scene("middleware reports what its analyser found", PYTHON_HL7, days=[0], again=WEEKDAYS[2::4], at="10:50")
def middleware_reports(hospital: Hospital) -> None:
    """Send OUL^R22 with the middleware's software (SFT) and the analyser's identity (EQU, OBX-18)."""
    software = segment("SFT", {1: "Roche Diagnostics", 2: "2.2.1", 3: "cobas infinity", 4: "CI-2.2.1.4471"})
    state = segment("EQU", {1: "7F31^cobas e801", 2: stamp(hospital.now), 3: "OP^Normal Operation^HL70365"})
    body = [software, *found(hospital, "TSH^TSH^99ROC", "7F31^cobas e801"), state]
    text = saying(hospital, COBAS, LIS, "OUL^R22^OUL_R22", *body)
    send(hospital.host(COBAS), hospital.host(LIS), text, port=MLLP)


# ------------------------------------------------------------------ ASTM E1381 and E1394


def acknowledging(line: Line) -> None:
    """Take a message: ACK for the enquiry and for each frame, which ends by CR LF."""
    if line.read(ENQ):
        line.write(ACK)
        while line.read(LF):
            line.write(ACK)


@opening(order=60)
def information_system(hospital: Hospital) -> None:
    """Let the laboratory's system listen for analysers, at one port with and at one without an access password."""
    for port in (ASTM_GUARDED, ASTM_OPEN):
        hospital.open.enter_context(answering(hospital.host(LIS), port, acknowledging))


def records(hospital: Hospital, analyser: Machine, code: str, secret: str = "") -> bytes:
    """Return a message of one result; patient, specimen and value are canaries. H-4 is the access password."""
    c = hospital.canaries
    sender = f"{analyser.model}^1.0^{analyser.serial}"
    lines = [
        rf"H|\^&||{secret}|{sender}|||||||P|LIS2-A2|{stamp(hospital.now)}",
        f"P|1||{c.token('patient id')}||{c.token('family')}^{c.token('given', 8)}",
        f"O|1|{c.token('specimen')}||^^^{code}|R",
        f"R|1|^^^{code}|{c.token('result', 8)}|10*9/L||N||F",
        "L|1|N",
    ]
    return "".join(f"{line}\r" for line in lines).encode()


def frames(message: bytes) -> list[bytes]:
    """Return a message in frames of E1381: STX, number, text, ETB or in the last ETX, checksum, CR LF."""
    parts = [message[at : at + FRAME_BYTES] for at in range(0, len(message), FRAME_BYTES)]
    made = []
    for number, part in enumerate(parts, 1):
        body = str(number % 8).encode() + part + (ETX if number == len(parts) else ETB)
        made.append(STX + body + f"{sum(body) % 256:02X}".encode() + CR + LF)
    return made


def report(host: Host, peer: Host, port: int, message: bytes) -> None:
    """Send a message, each frame after the ACK of the one before."""
    with calling(host, peer, port) as line:
        for block in (ENQ, *frames(message)):
            line.ask(block, ACK)
        line.write(EOT)


SYNTHETIC_ASTM = "astm-2025 and astmio, of PyPI, were tried and fail on Python 3.11: frames by the standard"


@scene("an analyser logs on by ASTM and reports", days=[0], again=WEEKDAYS[1::4], at="11:05", synthetic=SYNTHETIC_ASTM)
def guarded(hospital: Hospital) -> None:
    """Send a blood count; H-4 holds an access password, the same each time."""
    secret = hospital.canaries.token("access password of the analyser", 12)
    report(hospital.host(SYSMEX), hospital.host(LIS), ASTM_GUARDED, records(hospital, SYSMEX, "WBC", secret))


@scene("two blood gas analysers report by ASTM", days=[0], again=range(2, 120, 7), at="11:25", synthetic=SYNTHETIC_ASTM)
def unguarded(hospital: Hospital) -> None:
    """Send a result each, without a password."""
    for analyser in (ABL90, RAPIDPOINT):
        report(hospital.host(analyser), hospital.host(LIS), ASTM_OPEN, records(hospital, analyser, "pO2"))


# ------------------------------------------------------------------ POCT1-A


def document(hospital: Hospital, name: str, number: int, body: str) -> bytes:
    """Return a message: a header with its number and time, and what it says."""
    moment = f"{hospital.now:%Y-%m-%dT%H:%M:%S+00:00}"
    head = f'<HDR><HDR.control_id V="{number}"/><HDR.version_id V="POCT1"/><HDR.creation_dttm V="{moment}"/></HDR>'
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{head}{body}</{name}>\r\n'.encode()


def hello(hospital: Hospital, meter: Machine) -> bytes:
    """Return a hello: all that a device says of itself."""
    said = {
        "device_id": f"{meter.manufacturer.upper()}^{meter.model}^{meter.serial}",
        "vendor_id": meter.manufacturer,
        "model_id": meter.model,
        "serial_id": meter.serial,
        "manufacturer_name": meter.manufacturer,
        "hw_version": "2",
        "sw_version": "3.07",
    }
    fields = "".join(f'<DEV.{name} V="{value}"/>' for name, value in said.items())
    name = "HEL.R01"  # codespell:ignore hel
    return document(hospital, name, 1, f'<DEV>{fields}<DCP><DCP.application_timeout V="60"/></DCP></DEV>')


def result(hospital: Hospital) -> bytes:
    """Return OBS.R01: a patient's result, all of it canaries."""
    c = hospital.canaries
    patient = f'<PT><PT.patient_id V="{c.token("patient id")}"/><PT.name V="{c.token("family")}"/>'
    seen = f'<OBS><OBS.observation_id V="GLU" SN="LN"/><OBS.value V="{c.token("result", 8)}" U="mg/dL"/></OBS></PT>'
    operator = f'<OPR><OPR.operator_id V="{c.token("operator id", 9)}"/></OPR>'
    return document(hospital, "OBS.R01", 3, f'<SVC><SVC.role_cd V="OBS"/>{patient}{seen}{operator}</SVC>')


def status(hospital: Hospital) -> bytes:
    """Return DST.R01: one new observation waits."""
    return document(hospital, "DST.R01", 2, '<DST><DST.new_observations_qty V="1"/><DST.condition_cd V="R"/></DST>')


SYNTHETIC_POCT = "no package for POCT1-A was found in Debian or PyPI: documents by CLSI POCT1-A2"


@scene("two bedside tests report by POCT1-A", days=[0], again=range(3, 120, 12), at="12:15", synthetic=SYNTHETIC_POCT)
def bedside_tests(hospital: Hospital) -> None:
    """Say hello, status and a result; the manager acknowledges each, and the device ends the conversation."""

    def manager(line: Line) -> None:
        number = 0
        while line.read(b"\r\n"):
            number += 1
            acknowledged = f'<ACK><ACK.type_cd V="AA"/><ACK.ack_control_id V="{number}"/></ACK>'
            line.write(document(hospital, "ACK.R01", 100 + number, acknowledged))

    with answering(hospital.host(POCT_MANAGER), POCT, manager):
        for meter in (ISTAT, ACCUCHEK):
            with calling(hospital.host(meter), hospital.host(POCT_MANAGER), POCT) as line:
                for message in (hello(hospital, meter), status(hospital), result(hospital)):
                    line.ask(message, b"\r\n")
                line.ask(document(hospital, "END.R01", 4, '<TRM><TRM.reason_cd V="NRM"/></TRM>'), b"\r\n")
