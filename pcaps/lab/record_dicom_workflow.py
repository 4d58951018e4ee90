"""Modality Performed Procedure Step, storage commitment and printer status, by pynetdicom."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from _archive import ACR_NEMA, DICOM
from _fleet import CT, MR, PACS, PRINTER, RIS, VIEWER
from _lab import Lab, scenario
from _net import LabError
from _objects import SOP_CLASS, describe_patient
from _pynet import SUCCESS, associated, entity, serving
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pynetdicom import build_role, evt

if TYPE_CHECKING:
    from pynetdicom.events import Event

MPPS = "1.2.840.10008.3.1.2.3.3"
COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
PRINTER_CLASS, PRINTER_INSTANCE = "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.17"
PRINTER_TAGS = [Tag(t) for t in (0x00080070, 0x00081090, 0x00181000, 0x00181020, 0x21100010, 0x21100030)]
REQUEST_COMMITMENT, COMMITTED = 1, 1
PATIENCE_S = 10


def step_begun(lab: Lab) -> Dataset:
    """Return what a modality reports when it begins (PS3.4 F.7.2.1)."""
    ds, scheduled = Dataset(), Dataset()
    describe_patient(scheduled, lab.canaries, "scheduled")
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.ScheduledStepAttributesSequence = Sequence([scheduled])
    ds.PatientName, ds.PatientID = lab.canaries.person("PatientName"), lab.canaries.token("PatientID")
    ds.PatientBirthDate, ds.PatientSex = lab.canaries.date("PatientBirthDate"), "O"
    ds.PerformedProcedureStepID = lab.canaries.token("PerformedProcedureStepID")
    ds.PerformedStationAETitle, ds.PerformedStationName = MR.ae_title, MR.station
    ds.PerformedLocation, ds.Modality = "MRI ROOM 2", "MR"
    ds.PerformedProcedureStepStartDate, ds.PerformedProcedureStepStartTime = lab.canaries.date("Start"), "091500"
    ds.PerformedProcedureStepStatus = "IN PROGRESS"
    ds.PerformedProcedureStepDescription = lab.canaries.words("PerformedProcedureStepDescription")
    return ds


def step_done(lab: Lab) -> Dataset:
    """Return what a modality reports when it has ended."""
    ds, series = Dataset(), Dataset()
    series.PerformingPhysicianName = lab.canaries.person("PerformingPhysicianName")
    series.OperatorsName = lab.canaries.person("OperatorsName")
    series.SeriesInstanceUID = lab.canaries.uid("SeriesInstanceUID")
    series.ProtocolName = lab.canaries.words("ProtocolName")
    ds.PerformedProcedureStepStatus = "COMPLETED"
    ds.PerformedProcedureStepEndDate, ds.PerformedProcedureStepEndTime = lab.canaries.date("End"), "093500"
    ds.PerformedSeriesSequence = Sequence([series])
    return ds


def take(event: Event) -> tuple[int, Dataset]:
    """Accept an N-CREATE or N-SET."""
    return SUCCESS, getattr(event, "attribute_list", Dataset()) if event.event is evt.EVT_N_CREATE else Dataset()


@scenario(
    "dicom/mpps",
    "An MR reports that it begins and ends a step: N-CREATE and N-SET.",
    "pynetdicom",
    expect=("Performed Station AE Title MR01, Station Name and Modality in the N-CREATE", "both status 0000"),
)
def mpps(lab: Lab) -> None:
    modality, manager = lab.host(MR), lab.host(RIS)
    instance = lab.canaries.uid("mpps")
    handlers = [(evt.EVT_N_CREATE, take), (evt.EVT_N_SET, take)]
    with (
        lab.capture(),
        serving(manager, entity(RIS.ae_title, supported=[MPPS]), DICOM, handlers),
        associated(modality, entity(MR.ae_title, requested=[MPPS]), manager, DICOM, RIS.ae_title) as association,
    ):
        association.send_n_create(step_begun(lab), MPPS, instance)
        association.send_n_set(step_done(lab), MPPS, instance)


def commitment(lab: Lab) -> Dataset:
    """Return a transaction about one stored object (PS3.4 J.3.2)."""
    ds, item = Dataset(), Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = SOP_CLASS["CT"], lab.canaries.uid("SOPInstanceUID")
    ds.TransactionUID = lab.canaries.uid("TransactionUID")
    ds.ReferencedSOPSequence = Sequence([item])
    return ds


@scenario(
    "dicom/storage_commitment",
    "A CT asks the archive to commit; the report comes on the same association.",
    "pynetdicom",
    expect=("N-ACTION, action type 1, then N-EVENT-REPORT, event type 1, by the acceptor",),
)
def storage_commitment(lab: Lab) -> None:
    modality, archive = lab.host(CT), lab.host(PACS)
    reported = threading.Event()

    def report(asked: Event) -> tuple[int, Dataset]:
        later = threading.Timer(
            0.5, asked.assoc.send_n_event_report, (commitment(lab), COMMITTED, COMMITMENT, COMMITMENT_INSTANCE)
        )
        later.start()
        return SUCCESS, Dataset()

    def hear(_event: Event) -> tuple[int, Dataset]:
        reported.set()
        return SUCCESS, Dataset()

    server = entity(PACS.ae_title, supported=[COMMITMENT])
    with (
        lab.capture(),
        serving(archive, server, DICOM, [(evt.EVT_N_ACTION, report)]),
        associated(
            modality,
            entity(CT.ae_title, requested=[COMMITMENT]),
            archive,
            DICOM,
            PACS.ae_title,
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, hear)],
        ) as association,
    ):
        association.send_n_action(commitment(lab), REQUEST_COMMITMENT, COMMITMENT, COMMITMENT_INSTANCE)
        wait(reported)
        threading.Event().wait(1)


def wait(reported: threading.Event) -> None:
    """Wait for the report. Raises LabError when none comes."""
    if not reported.wait(PATIENCE_S):
        raise LabError("no N-EVENT-REPORT came")


@scenario(
    "dicom/storage_commitment_reverse",
    "The archive reports commitment on an association that it opens itself.",
    "pynetdicom",
    expect=(
        "two associations: CT01 to ARCHIVE port 11112, ARCHIVE to CT01 port 104",
        "role selection: the requestor of the second is SCP",
    ),
)
def storage_commitment_reverse(lab: Lab) -> None:
    modality, archive = lab.host(CT), lab.host(PACS)
    listener = entity(CT.ae_title, supported=[COMMITMENT])
    server = entity(PACS.ae_title, supported=[COMMITMENT])
    accept: Any = lambda _event: (SUCCESS, Dataset())  # noqa: E731
    with (
        lab.capture(),
        serving(archive, server, DICOM, [(evt.EVT_N_ACTION, accept)]),
        serving(modality, listener, ACR_NEMA, [(evt.EVT_N_EVENT_REPORT, accept)]),
    ):
        with associated(modality, entity(CT.ae_title, requested=[COMMITMENT]), archive, DICOM, PACS.ae_title) as asking:
            asking.send_n_action(commitment(lab), REQUEST_COMMITMENT, COMMITMENT, COMMITMENT_INSTANCE)
        back = entity(PACS.ae_title, requested=[COMMITMENT])
        with associated(
            archive, back, modality, ACR_NEMA, CT.ae_title, ext_neg=[build_role(COMMITMENT, scp_role=True)]
        ) as answering:
            answering.send_n_event_report(commitment(lab), COMMITTED, COMMITMENT, COMMITMENT_INSTANCE)


@scenario(
    "dicom/printer",
    "A workstation asks a film printer how it is: N-GET.",
    "pynetdicom",
    expect=("Manufacturer Agfa, model, serial and software of the printer in the N-GET response",),
)
def printer(lab: Lab) -> None:
    def tell(_event: Event) -> tuple[int, Dataset]:
        ds = Dataset()
        ds.PrinterStatus, ds.PrinterName = "NORMAL", PRINTER.station
        ds.Manufacturer, ds.ManufacturerModelName = PRINTER.manufacturer, PRINTER.model
        ds.DeviceSerialNumber, ds.SoftwareVersions = PRINTER.serial, PRINTER.software
        return SUCCESS, ds

    viewer, imager = lab.host(VIEWER), lab.host(PRINTER)
    server = entity(PRINTER.ae_title, supported=[PRINTER_CLASS])
    with (
        lab.capture(),
        serving(imager, server, ACR_NEMA, [(evt.EVT_N_GET, tell)]),
        associated(
            viewer, entity(VIEWER.ae_title, requested=[PRINTER_CLASS]), imager, ACR_NEMA, PRINTER.ae_title
        ) as association,
    ):
        association.send_n_get(PRINTER_TAGS, PRINTER_CLASS, PRINTER_INSTANCE)
