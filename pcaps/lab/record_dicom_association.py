"""Associations: rejected, aborted, and what can be negotiated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _archive import ACR_NEMA, DICOM, DICOM_TLS, ORTHANC, Route, call, dcmqrscp, orthanc, storescp
from _fleet import CT, CT2, DX, MG, MR, PACS, US, VIEWER
from _lab import Lab, scenario
from _objects import SOP_CLASS, image, save
from _pynet import associated, attempt, entity, serving
from pynetdicom import build_role, evt
from pynetdicom.pdu_primitives import (
    AsynchronousOperationsWindowNegotiation,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
)

if TYPE_CHECKING:
    from _fleet import Machine
    from _net import Host
    from pynetdicom.events import Event

VERIFICATION = "1.2.840.10008.1.1"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
FUJI_PRIVATE_CR = "1.2.392.200036.9125.1.1.2"
GE_PRIVATE = "1.2.840.113619.4.30"
ENUMERATED = ("PACS", "PACS1", "ARCHIVE1", "DICOM", "STORESCP", "MAINPACS", "IMPAX", "SYNAPSE")


def echo(
    lab: Lab, host: Host, title: str, archive: Host, called: str, port: int, *, ok: tuple[int, ...] = (0,)
) -> None:
    """Run echoscu from a host."""
    call(lab, Route(host, title, archive, called, port), "echoscu", ok=ok)


@scenario(
    "dicom/rejected_called",
    "The archive does not know the called AE title.",
    "DCMTK",
    expect=("A-ASSOCIATE-RJ result 1, source 1, reason 7",),
)
def rejected_called(lab: Lab) -> None:
    modality, archive = lab.host(CT), lab.host(PACS)
    orthanc(lab, archive, PACS.ae_title, ACR_NEMA, DicomCheckCalledAet=True)
    with lab.capture():
        echo(lab, modality, CT.ae_title, archive, "WRONGPACS", ACR_NEMA, ok=())


@scenario(
    "dicom/rejected_calling",
    "The archive does not know the calling AE title.",
    "DCMTK",
    expect=("A-ASSOCIATE-RJ result 1, source 1, reason 3",),
)
def rejected_calling(lab: Lab) -> None:
    stranger, archive = lab.host(VIEWER), lab.host(PACS)
    server = entity(PACS.ae_title, supported=[VERIFICATION])
    server.require_calling_aet = [CT.ae_title]
    lab.software.append("pynetdicom")
    with lab.capture(), serving(archive, server, DICOM):
        echo(lab, stranger, "STRANGER", archive, PACS.ae_title, DICOM, ok=())


@scenario(
    "dicom/rejected_limit",
    "The archive has as many associations as it takes and rejects for now.",
    "pynetdicom",
    expect=("A-ASSOCIATE-RJ result 2, source 3, reason 2",),
)
def rejected_limit(lab: Lab) -> None:
    modality, viewer, archive = lab.host(CT), lab.host(VIEWER), lab.host(PACS)
    server = entity(PACS.ae_title, supported=[VERIFICATION])
    server.maximum_associations = 1
    with (
        lab.capture(),
        serving(archive, server, DICOM),
        associated(modality, entity(CT.ae_title, requested=[VERIFICATION]), archive, DICOM, PACS.ae_title) as first,
    ):
        attempt(viewer, entity(VIEWER.ae_title, requested=[VERIFICATION]), archive, DICOM, PACS.ae_title)
        first.send_c_echo()


@scenario(
    "dicom/rejected_no_reason",
    "The receiver rejects every association without a reason.",
    "DCMTK",
    expect=("A-ASSOCIATE-RJ result 1, source 1, reason 1",),
)
def rejected_no_reason(lab: Lab) -> None:
    modality, archive = lab.host(CT), lab.host(PACS)
    storescp(lab, archive, PACS.ae_title, DICOM, "--refuse")
    with lab.capture():
        echo(lab, modality, CT.ae_title, archive, PACS.ae_title, DICOM, ok=())


@scenario(
    "dicom/rejected_enumeration",
    "Somebody tries eight called AE titles one after the other.",
    "DCMTK",
    expect=("DCM-011: eight rejections with reason 7 from one host",),
)
def rejected_enumeration(lab: Lab) -> None:
    stranger, archive = lab.host(VIEWER), lab.host(PACS)
    orthanc(lab, archive, PACS.ae_title, ACR_NEMA, DicomCheckCalledAet=True)
    with lab.capture():
        for title in ENUMERATED:
            echo(lab, stranger, "SCANNER", archive, title, ACR_NEMA, ok=())


def interrupted(lab: Lab, server: tuple[str, ...], client: tuple[str, ...]) -> None:
    """Record a C-STORE that one side breaks off."""
    modality, archive = lab.host(CT), lab.host(PACS)
    storescp(lab, archive, PACS.ae_title, DICOM, *server)
    path = save(image(CT, lab.canaries, side=16), lab.workdir / "object.dcm")
    with lab.capture():
        route = Route(modality, CT.ae_title, archive, PACS.ae_title, DICOM)
        call(lab, route, "storescu", "-R", *client, files=[path], ok=())


@scenario(
    "dicom/aborted_requestor",
    "The modality aborts after its C-STORE instead of releasing.",
    "DCMTK",
    "pydicom",
    expect=("A-ABORT source 0 from the initiator",),
)
def aborted_requestor(lab: Lab) -> None:
    interrupted(lab, (), ("--abort",))


@scenario(
    "dicom/aborted_acceptor",
    "The archive aborts while the object is being sent.",
    "DCMTK",
    "pydicom",
    expect=("A-ABORT from the responder, no C-STORE response",),
)
def aborted_acceptor(lab: Lab) -> None:
    interrupted(lab, ("--abort-during",), ())


@scenario(
    "dicom/aborted_provider",
    "The acceptor's provider aborts: what came is no DICOM PDU.",
    "pynetdicom",
    expect=("the initiator's bytes are HTTP", "A-ABORT source 0, then source 2 reason 2, both from the responder"),
)
def aborted_provider(lab: Lab) -> None:
    viewer, archive = lab.host(VIEWER), lab.host(PACS)
    with lab.capture(), serving(archive, entity(PACS.ae_title, supported=[VERIFICATION]), DICOM):
        lab.run(viewer, ["curl", "-s", "-m", "3", f"http://{archive.ip}:{DICOM}/"], ok=())


@scenario(
    "dicom/negotiation",
    "Everything that can be negotiated: roles, asynchronous window, extended negotiation.",
    "pynetdicom",
    expect=(
        "items 53H, 54H, 56H and 57H in the request; 53H, 54H and 56H in the answer",
        "window 5 invoked, 2 performed; answered 1 and 1",
    ),
)
def negotiation(lab: Lab) -> None:
    viewer, archive = lab.host(VIEWER), lab.host(PACS)
    window = AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked, window.maximum_number_operations_performed = 5, 2
    extended = SOPClassExtendedNegotiation()
    extended.sop_class_uid, extended.service_class_application_information = STUDY_ROOT_FIND, b"\x01\x01\x01"
    common = SOPClassCommonExtendedNegotiation()
    common.sop_class_uid, common.service_class_uid = SOP_CLASS["CT"], "1.2.840.10008.4.2"
    items = [window, extended, common, build_role(SOP_CLASS["CT"], scu_role=True, scp_role=True)]
    classes = [VERIFICATION, STUDY_ROOT_FIND, SOP_CLASS["CT"]]

    def agree(event: Event) -> dict[str, bytes]:
        return dict(event.app_info)  # type: ignore[attr-defined]  # this event has it

    handlers = [(evt.EVT_ASYNC_OPS, lambda _event: (1, 1)), (evt.EVT_SOP_EXTENDED, agree)]
    with (
        lab.capture(),
        serving(archive, entity(PACS.ae_title, supported=classes), DICOM, handlers),
        associated(
            viewer, entity(VIEWER.ae_title, requested=classes), archive, DICOM, PACS.ae_title, ext_neg=items
        ) as made,
    ):
        made.send_c_echo()


@scenario(
    "dicom/private_sop_class",
    "A mammograph proposes private SOP classes; the archive takes one of them.",
    "pynetdicom",
    expect=(
        "abstract syntax 1.2.392.200036.9125.1.1.2 accepted",
        "abstract syntax 1.2.840.113619.4.30 result 3 (not supported)",
    ),
)
def private_sop_class(lab: Lab) -> None:
    modality, archive = lab.host(MG), lab.host(PACS)
    server = entity(PACS.ae_title, supported=[VERIFICATION, FUJI_PRIVATE_CR])
    client = entity(MG.ae_title, requested=[VERIFICATION, FUJI_PRIVATE_CR, GE_PRIVATE])
    with (
        lab.capture(),
        serving(archive, server, DICOM),
        associated(modality, client, archive, DICOM, PACS.ae_title) as made,
    ):
        made.send_c_echo()


@scenario(
    "dicom/vendor_stack",
    "A stack that names its maker: a pynetdicom configured with a GE class UID and version name.",
    "pynetdicom",
    expect=("implementation class UID 1.2.840.113619.6.475, version name DV28.0",),
)
def vendor_stack(lab: Lab) -> None:
    modality, archive = lab.host(US), lab.host(PACS)
    client = entity(US.ae_title, requested=[VERIFICATION])
    client.implementation_class_uid, client.implementation_version_name = "1.2.840.113619.6.475", "DV28.0"
    orthanc(lab, archive, PACS.ae_title)
    with lab.capture(), associated(modality, client, archive, ORTHANC, PACS.ae_title) as made:
        made.send_c_echo()


@scenario(
    "dicom/promiscuous",
    "One archive accepts three called AE titles and a calling one that it cannot know.",
    "DCMTK",
    expect=("DCM-006: accepted as ARCHIVE, IMPAX and ANYTHING",),
)
def promiscuous(lab: Lab) -> None:
    modality, archive = lab.host(CT), lab.host(PACS)
    orthanc(lab, archive, PACS.ae_title)
    with lab.capture():
        for title in (PACS.ae_title, "IMPAX", "ANYTHING"):
            echo(lab, modality, CT.ae_title, archive, title, ORTHANC)
        echo(lab, modality, "NEVERSEEN", archive, PACS.ae_title, ORTHANC)


@scenario(
    "dicom/default_titles",
    "Tools with the AE titles they ship with, at an Orthanc with its own.",
    "DCMTK",
    "pydicom",
    expect=("DCM-007: ECHOSCU, STORESCU, ANY-SCP, ORTHANC",),
)
def default_titles(lab: Lab) -> None:
    viewer, archive = lab.host(VIEWER), lab.host(PACS)
    orthanc(lab, archive, "ORTHANC")
    path = save(image(DX, lab.canaries, side=16), lab.workdir / "object.dcm")
    with lab.capture():
        lab.run(viewer, ["echoscu", archive.ip, str(ORTHANC)])
        lab.run(viewer, ["storescu", "-R", "-aec", "ORTHANC", archive.ip, str(ORTHANC), str(path)])


@scenario(
    "dicom/same_calling_title",
    "Two CTs with their own serials share one calling AE title.",
    "DCMTK",
    "pydicom",
    expect=("DCM-008: CT01 from two MAC addresses, serials INV73019 and INV64208",),
)
def same_calling_title(lab: Lab) -> None:
    scanners: list[tuple[Machine, Host]] = [(CT, lab.host(CT)), (CT2, lab.host(CT2))]
    archive = lab.host(PACS)
    storescp(lab, archive, PACS.ae_title)
    with lab.capture():
        for machine, host in scanners:
            path = save(image(machine, lab.canaries, side=16, key=machine.name), lab.workdir / f"{machine.name}.dcm")
            call(lab, Route(host, machine.ae_title, archive, PACS.ae_title, DICOM), "storescu", "-R", files=[path])


@scenario(
    "dicom/clear_on_tls_port",
    "DICOM without TLS on the port registered for DICOM over TLS.",
    "DCMTK",
    expect=("TLS-007: port 2762, first byte 01",),
)
def clear_on_tls_port(lab: Lab) -> None:
    modality, archive = lab.host(MR), lab.host(PACS)
    dcmqrscp(lab, archive, PACS.ae_title, DICOM_TLS)
    with lab.capture():
        echo(lab, modality, MR.ae_title, archive, PACS.ae_title, DICOM_TLS)
