"""The laboratory: analysers, their middleware and the information system, in HL7 v2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _fleet import BS200E, COBAS, COULTER, EHR, GENEXPERT, LIS_HL7, Machine
from _hl7 import (
    UNSOLICITED,
    Header,
    Seen,
    control,
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
    NODE,
    NODE_CLIENT,
    NODE_SERVER,
    PYTHON_HL7,
    SOCAT,
    apy_listening,
    listening,
    node_send,
    node_serve,
    send,
)
from record_hl7_monitors import order

if TYPE_CHECKING:
    from _canary import Canaries

ANALYSER_EI = "e801-7F31^cobas 8000"
SOFTWARE = {1: "Roche Diagnostics", 2: "2.2.1", 3: "cobas infinity", 4: "CI-2.2.1.4471", 6: "20240311"}


def specimen(canaries: Canaries) -> str:
    """Return an SPM; its identifiers are canaries."""
    return segment("SPM", {1: "1", 2: f"{canaries.token('specimen')}&INVENTED", 4: "SER^Serum^HL70487"})


def reagent(lot: str, maker: str) -> str:
    """Return an INV: a reagent pack, its lot and its maker."""
    return segment(
        "INV", {1: "TSH^TSH Elecsys^99ROC", 2: "OK^OK status^HL70383", 3: "RC^Reagent^HL70384", 16: lot, 17: maker}
    )


def results(canaries: Canaries, code: str, device: str = "", method: str = "") -> list[str]:
    """Return the OBX of one test; value and comment are canaries."""
    seen = Seen(code, canaries.token("result", 8), "mIU/L", "", device=device, method=method)
    return [*observations(canaries, seen), segment("NTE", {1: "1", 3: canaries.words("result note")})]


@scenario(
    "hl7/lab_oul_r22",
    "Middleware reports results of an analyser: SFT, EQU, INV with the reagent's maker, SPM (OUL^R22).",
    NODE_CLIENT,
    NODE_SERVER,
    NODE,
    expect=(
        "software of the sender: Roche Diagnostics cobas infinity 2.2.1",
        "described: the analyser e801-7F31 by EQU-1 and OBX-18",
    ),
)
def lab_oul(lab: Lab) -> None:
    middleware, system = lab.host(COBAS), lab.host(LIS_HL7)
    header = Header(COBAS, LIS_HL7, "OUL^R22^OUL_R22", control(lab.canaries), "2.5.1", more={18: "UNICODE UTF-8"})
    device = segment("EQU", {1: ANALYSER_EI, 2: "20261125101500", 3: "OP^Normal Operation^HL70365", 4: "R"})
    body = [segment("SFT", SOFTWARE), patient(lab.canaries), stay(lab.canaries), specimen(lab.canaries)]
    test = [
        order(lab.canaries),
        request(lab.canaries, "TSH^TSH^99ROC"),
        *results(lab.canaries, "TSH^TSH^99ROC", ANALYSER_EI),
    ]
    node_serve(lab, system, "server")
    with lab.capture():
        text = message(header, *body, *test, device, reagent("INVLOT71", "Roche Diagnostics GmbH"))
        node_send(lab, middleware, system, "client", text)


@scenario(
    "hl7/lab_bs200e",
    "A chemistry analyser reports in v2.3.1: MSH-3 the maker, MSH-4 the model.",
    HL7APY,
    expect=("Mindray BS-200E", "hl7apy closes the connection after its answer"),
)
def lab_bs200e(lab: Lab) -> None:
    analyser, system = lab.host(BS200E), lab.host(LIS_HL7)
    more = {16: "0", 18: "ASCII"}
    header = Header(BS200E, LIS_HL7, "ORU^R01", control(lab.canaries), "2.3.1", more=more)
    body = [patient(lab.canaries), request(lab.canaries, "Mindray^BS-200E"), *results(lab.canaries, "ALT^ALT^LOCAL")]
    with lab.capture(), apy_listening(system, "ORU^R01"):
        send(analyser, system, message(header, *body))


@scenario(
    "hl7/lab_order_oml",
    "The information system orders tests from the middleware (OML^O21), with all that it knows of the patient.",
    NODE_CLIENT,
    NODE_SERVER,
    NODE,
    expect=("two orders, two AA",),
)
def lab_order(lab: Lab) -> None:
    system, middleware, sent = lab.host(LIS_HL7), lab.host(COBAS), []
    for n in (0, 1):
        header = Header(LIS_HL7, COBAS, "OML^O21^OML_O21", control(lab.canaries, f"control{n}"), "2.5.1")
        body = [patient(lab.canaries), stay(lab.canaries), *relatives(lab.canaries)[-3:], order(lab.canaries)]
        sent.append(message(header, *body, request(lab.canaries, "TSH^TSH^99ROC"), specimen(lab.canaries)))
    node_serve(lab, middleware, "server")
    with lab.capture():
        node_send(lab, system, middleware, "client", *sent)


@scenario(
    "hl7/lab_genexpert",
    "A molecular analyser's computer reports: product and version in the components of MSH-3, OBX-18 its modules.",
    PYTHON_HL7,
    expect=("GeneXpert Dx6.2", "MSH-4 is empty"),
)
def lab_genexpert(lab: Lab) -> None:
    analyser, system = lab.host(GENEXPERT), lab.host(LIS_HL7)
    header = Header(GENEXPERT, LIS_HL7, UNSOLICITED, control(lab.canaries), "2.5", more={18: "UNICODE UTF-8"})
    module = "^GeneXpert PC^^618402~^GeneXpert^^110014~^Module A1^^700231"
    body = [patient(lab.canaries), order(lab.canaries), request(lab.canaries, "MTB^MTB-RIF^99CEP")]
    with lab.capture(), listening(system):
        send(analyser, system, message(header, *body, *results(lab.canaries, "MTB^MTB-RIF^99CEP", module)))


@scenario(
    "hl7/lab_status_esu",
    "An analyser tells its state (ESU^U01): EQU with state and alert, ISD; nothing of a patient.",
    PYTHON_HL7,
    expect=("described: e801-7F31, state ES^Emergency Stop",),
)
def lab_status(lab: Lab) -> None:
    middleware, system = lab.host(COBAS), lab.host(LIS_HL7)
    header = Header(COBAS, LIS_HL7, "ESU^U01^ESU_U01", control(lab.canaries), "2.5.1")
    said = {1: ANALYSER_EI, 2: "20261125101500", 3: "ES^Emergency Stop^HL70365", 4: "L", 5: "W^Warning^HL70367"}
    with lab.capture(), listening(system):
        send(middleware, system, message(header, segment("EQU", said), segment("ISD", {1: "1", 2: "LO", 3: "ER"})))


def coulter(lab: Lab) -> str:
    """Return what an old haematology analyser reports."""
    header = Header(COULTER, LIS_HL7, "ORU^R01", control(lab.canaries), "2.3")
    body = [patient(lab.canaries), request(lab.canaries, "CBC^CBC"), *results(lab.canaries, "WBC^WBC")]
    return message(header, *body)


@scenario(
    "hl7/lab_unframed",
    "An old analyser behind a terminal server sends without MLLP framing and gets no answer.",
    SOCAT,
    expect=("framing none", "outcome unknown"),
)
def lab_unframed(lab: Lab) -> None:
    analyser, system, port = lab.host(COULTER), lab.host(LIS_HL7), 10001
    lab.serve(system, ["socat", "-u", f"TCP4-LISTEN:{port},reuseaddr", "OPEN:received,creat"], port)
    with lab.capture():
        lab.run(analyser, ["socat", "-u", "STDIN", f"TCP4:{system.ip}:{port}"], coulter(lab).encode())


@scenario(
    "hl7/lab_line_feeds",
    "An analyser ends its segments with line feeds.",
    PYTHON_HL7,
    expect=("every field as with carriage returns",),
)
def lab_line_feeds(lab: Lab) -> None:
    analyser, system = lab.host(COULTER), lab.host(LIS_HL7)
    with lab.capture(), listening(system):
        send(analyser, system, coulter(lab).replace("\r", "\n"))


@scenario(
    "hl7/lab_crlf",
    "An analyser ends its segments with carriage return and line feed, and leaves empty lines.",
    PYTHON_HL7,
    expect=("every field as with carriage returns",),
)
def lab_crlf(lab: Lab) -> None:
    analyser, system = lab.host(COULTER), lab.host(LIS_HL7)
    with lab.capture(), listening(system):
        send(analyser, system, coulter(lab).replace("\r", "\r\n") + "\r\n")


@scenario(
    "hl7/lab_reading",
    "A reading computer stands between: it names the analyser in OBR-24, OBX-15 and OBX-17, and itself in MSH.",
    PYTHON_HL7,
    expect=("observation method of the analyser", "the sender is not the analyser"),
)
def lab_reading(lab: Lab) -> None:
    reader, system = (
        Machine("reader", "8c:ec:4b:44:02:19", "10.20.7.71", application="READER", facility="LABORATORY"),
        lab.host(LIS_HL7),
    )
    host = lab.host(reader)
    header = Header(reader, LIS_HL7, UNSOLICITED, control(lab.canaries), "2.5.1")
    seen = results(lab.canaries, "718-7^Hemoglobin^LN", "INV5517^ABL90 FLEX", "ABL90 FLEX^Radiometer")
    body = [patient(lab.canaries), order(lab.canaries), request(lab.canaries, "24336-0^Gas panel^LN", f24="LAB")]
    with lab.capture(), listening(system):
        send(host, system, message(header, *body, *seen, segment("ZLR", {1: staff(lab.canaries, "reader of results")})))


@scenario(
    "hl7/lab_passes_on",
    "The laboratory's system passes results on to the record (ORU^R01), with the analyser's OBX-18 in them.",
    PYTHON_HL7,
    expect=("e801-7F31 is described by a sender that is two hops away from it",),
)
def lab_passes_on(lab: Lab) -> None:
    system, records = lab.host(LIS_HL7), lab.host(EHR)
    header = Header(LIS_HL7, EHR, UNSOLICITED, control(lab.canaries), "2.5.1", more={15: "NE", 16: "AL"})
    body = [
        segment("SFT", {1: "Invented Software House", 2: "11.4", 3: "LabSuite", 4: "LS-11.4.0"}),
        patient(lab.canaries),
    ]
    test = [
        order(lab.canaries),
        request(lab.canaries, "TSH^TSH^99ROC"),
        *results(lab.canaries, "TSH^TSH^99ROC", ANALYSER_EI),
    ]
    with lab.capture(), listening(records):
        send(system, records, message(header, *body, *test))
