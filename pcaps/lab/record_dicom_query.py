"""C-FIND, C-MOVE and C-GET by the DCMTK tools: archive, worklist, and who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _archive import ACR_NEMA, DICOM, Route, call, dcmqrscp, storescp
from _fleet import CT, MR, PACS, RIS, US, VIEWER, WORKSTATION
from _lab import Lab, scenario
from _objects import describe_patient, image, save
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

if TYPE_CHECKING:
    from _fleet import Machine
    from _net import Host

MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"


def filled_archive(lab: Lab, machines: tuple[Machine, ...], destination: Host | None = None) -> Host:
    """Start an archive that holds one image of each machine; nothing of this is recorded."""
    archive, feeder = lab.host(PACS), lab.network.host("feeder", "00:50:56:a4:10:fe", "10.20.1.254")
    peers = {
        "viewer": (VIEWER.ae_title, VIEWER.ip, DICOM),
        "feeder": ("FEEDER", feeder.ip, DICOM),
        "ct": (CT.ae_title, CT.ip, DICOM),
    }
    if destination:
        peers["ws4"] = (WORKSTATION.ae_title, destination.ip, DICOM)
    dcmqrscp(lab, archive, PACS.ae_title, ACR_NEMA, peers)
    files = [save(image(m, lab.canaries, key=m.name), lab.workdir / f"{m.name}.dcm") for m in machines]
    call(lab, Route(feeder, "FEEDER", archive, PACS.ae_title, ACR_NEMA), "storescu", "-R", files=files)
    return archive


def keys(**wanted: str) -> list[str]:
    """Return the tools' options for query keys; an empty value asks for the attribute."""
    return [x for name, value in wanted.items() for x in ("-k", f"{name}={value}" if value else name)]


@scenario(
    "dicom/find_study",
    "A viewer searches the archive for a patient: C-FIND, Study Root.",
    "DCMTK",
    "pydicom",
    expect=("one pending response, then success", "identifiers of request and response hold canaries"),
)
def find_study(lab: Lab) -> None:
    archive, viewer = filled_archive(lab, (CT, MR)), lab.host(VIEWER)
    name = lab.canaries.token("ct1PatientName")
    with lab.capture():
        call(
            lab,
            Route(viewer, VIEWER.ae_title, archive, PACS.ae_title, ACR_NEMA),
            "findscu",
            "-S",
            *keys(
                QueryRetrieveLevel="STUDY",
                PatientName=f"{name}*",
                PatientID="",
                StudyInstanceUID="",
                StudyDescription="",
                AccessionNumber="",
            ),
        )


@scenario(
    "dicom/find_by_modality",
    "A CT lists every study of the archive with wildcard and date range.",
    "DCMTK",
    "pydicom",
    expect=("DCM-010: C-FIND by a modality", "two pending responses"),
)
def find_by_modality(lab: Lab) -> None:
    archive, modality = filled_archive(lab, (CT, MR)), lab.host(CT)
    with lab.capture():
        call(
            lab,
            Route(modality, CT.ae_title, archive, PACS.ae_title, ACR_NEMA),
            "findscu",
            "-S",
            *keys(
                QueryRetrieveLevel="STUDY",
                PatientName="*",
                PatientID="",
                StudyInstanceUID="",
                StudyDate="18000101-19001231",
            ),
        )


@scenario(
    "dicom/move",
    "A viewer has a study sent to a third machine: C-MOVE and the archive's C-STOREs.",
    "DCMTK",
    "pydicom",
    expect=(
        "Move Destination WS4",
        "C-STORE from ARCHIVE to WS4 with Move Originator VIEW3",
        "the object describes the CT, not the archive",
    ),
)
def move(lab: Lab) -> None:
    viewer, workstation = lab.host(VIEWER), lab.host(WORKSTATION)
    archive = filled_archive(lab, (CT,), workstation)
    storescp(lab, workstation, WORKSTATION.ae_title)
    study = lab.canaries.uid("ct1StudyInstanceUID")
    with lab.capture():
        call(
            lab,
            Route(viewer, VIEWER.ae_title, archive, PACS.ae_title, ACR_NEMA),
            "movescu",
            *("-S", "-aem", WORKSTATION.ae_title),
            *keys(QueryRetrieveLevel="STUDY", StudyInstanceUID=study),
        )


@scenario(
    "dicom/get",
    "A viewer fetches a study: C-GET, the objects come back on the same association.",
    "DCMTK",
    "pydicom",
    expect=("C-STORE requests by the acceptor", "role selection: the requestor is SCP of storage"),
)
def get(lab: Lab) -> None:
    archive, viewer = filled_archive(lab, (US,)), lab.host(VIEWER)
    study = lab.canaries.uid("us1StudyInstanceUID")
    with lab.capture():
        call(
            lab,
            Route(viewer, VIEWER.ae_title, archive, PACS.ae_title, ACR_NEMA),
            "getscu",
            *("-S", "-od", str(lab.folder("got"))),
            *keys(QueryRetrieveLevel="STUDY", StudyInstanceUID=study),
        )


def worklist_entry(lab: Lab) -> Dataset:
    """Return one scheduled procedure step for the CT (PS3.4 K.6.1.2.2)."""
    ds, step = Dataset(), Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    describe_patient(ds, lab.canaries, "")
    ds.RequestedProcedureID = lab.canaries.token("RequestedProcedureID")
    ds.RequestedProcedureDescription = lab.canaries.words("RequestedProcedureDescription")
    ds.RequestingPhysician = lab.canaries.person("RequestingPhysician")
    step.Modality, step.ScheduledStationAETitle = "CT", CT.ae_title
    step.ScheduledStationName = CT.station
    step.ScheduledProcedureStepStartDate = lab.canaries.date("ScheduledProcedureStepStartDate")
    step.ScheduledProcedureStepStartTime = "090000"
    step.ScheduledPerformingPhysicianName = lab.canaries.person("ScheduledPerformingPhysicianName")
    step.ScheduledProcedureStepDescription = lab.canaries.words("ScheduledProcedureStepDescription")
    step.ScheduledProcedureStepID = lab.canaries.token("ScheduledProcedureStepID")
    ds.ScheduledProcedureStepSequence = Sequence([step])
    ds.SOPClassUID, ds.SOPInstanceUID = MODALITY_WORKLIST, lab.canaries.uid("worklist")
    return ds


@scenario(
    "dicom/find_worklist",
    "A CT asks for its worklist: C-FIND, Modality Worklist.",
    "DCMTK",
    "pydicom",
    expect=("Scheduled Station AE Title CT01 and Modality CT in the request", "one pending response with canaries"),
)
def find_worklist(lab: Lab) -> None:
    modality, broker = lab.host(CT), lab.host(RIS)
    folder = lab.folder(f"worklists/{RIS.ae_title}")
    (folder / "lockfile").touch()
    save(worklist_entry(lab), folder / "entry.wl")
    lab.serve(broker, ["wlmscpfs", "-dfp", str(folder.parent), str(DICOM)], DICOM)
    step = "ScheduledProcedureStepSequence[0]."
    wanted = {
        f"{step}ScheduledStationAETitle": CT.ae_title,
        f"{step}Modality": "CT",
        f"{step}ScheduledProcedureStepStartDate": "",
        f"{step}ScheduledStationName": "",
        "PatientName": "",
        "PatientID": "",
        "AccessionNumber": "",
        "StudyInstanceUID": "",
        "RequestedProcedureDescription": "",
        "ReferringPhysicianName": "",
    }
    with lab.capture():
        call(lab, Route(modality, CT.ae_title, broker, RIS.ae_title, DICOM), "findscu", "-W", *keys(**wanted))
