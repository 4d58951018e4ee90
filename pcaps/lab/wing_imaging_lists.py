"""Worklists, performed procedure steps and storage commitment: what a modality asks and tells around its images."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from _archive import ACR_NEMA, DICOM, ORTHANC, Route, call
from _imaging import (
    CT1,
    DX1,
    MG1,
    MODALITIES,
    MONDAY,
    MR1,
    MR2,
    PACS,
    RIS,
    THURSDAY,
    ULTRASOUND,
    WEDNESDAY,
    done,
    on,
    stack,
    take,
)
from _net import LabError
from _objects import SOP_CLASS, describe_patient, save
from _pynet import SUCCESS, associated, entity, serving
from _story import opening, scene
from _truth import device, identity, must, must_not
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pynetdicom import evt

if TYPE_CHECKING:
    from _fleet import Machine
    from _story import Hospital
    from pynetdicom import AE
    from pynetdicom.events import Event

MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"
MPPS = "1.2.840.10008.3.1.2.3.3"
COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
REQUEST_COMMITMENT = 1
STEPS = 11113
PATIENCE_S = 20.0

# ------------------------------------------------------------------ what is true

device(RIS, device_type="worklist broker", role="worklist broker")
identity("ae-title", "RISBROKER", "dicom", ("ris-broker",), peers=tuple(m.name for m in MODALITIES))

must("DCM-001", "dicom", device="ris-broker", why="worklists and steps come and go in clear text")
must("DCM-002", "dicom", device="ris-broker", why="it takes associations from everybody")
must("DCM-002", "dicom", device="ct1", why="it takes the report of storage commitment from everybody")
must_not("DCM-006", "it refuses titles that are not its own", device="ris-broker")
must_not("DCM-010", "asking for a worklist is what modalities do", device="ct1")


# ------------------------------------------------------------------ the broker


@opening("DCMTK", "pynetdicom", order=32)
def worklists_and_steps(hospital: Hospital) -> None:
    """Start the broker: DCMTK's worklist server, and a manager of performed procedure steps."""
    host, folder = hospital.host(RIS), hospital.folder(f"worklists/{RIS.ae_title}")
    (folder / "lockfile").touch()
    for machine in MODALITIES:
        save(worklist_entry(hospital, machine), folder / f"{machine.name}.wl")
    hospital.serve(host, ["wlmscpfs", "-dfp", str(folder.parent), str(DICOM)], DICOM)
    handlers = [(evt.EVT_N_CREATE, take), (evt.EVT_N_SET, take)]
    hospital.open.enter_context(serving(host, entity(RIS.ae_title, supported=[MPPS]), STEPS, handlers))


def worklist_entry(hospital: Hospital, machine: Machine) -> Dataset:
    """Return one scheduled procedure step for a modality (PS3.4 K.6.1.2.2)."""
    ds, step, key = Dataset(), Dataset(), f"worklist-{machine.name}"
    ds.SpecificCharacterSet = "ISO_IR 100"
    describe_patient(ds, hospital.canaries, key)
    ds.RequestedProcedureID = hospital.canaries.token(f"{key}RequestedProcedureID")
    step.Modality, step.ScheduledStationAETitle = machine.modality, machine.ae_title
    step.ScheduledStationName = machine.station
    step.ScheduledProcedureStepStartDate = f"{hospital.now:%Y%m%d}"
    step.ScheduledProcedureStepStartTime = "090000"
    step.ScheduledProcedureStepID = hospital.canaries.token(f"{key}ScheduledProcedureStepID")
    ds.ScheduledProcedureStepSequence = Sequence([step])
    ds.SOPClassUID, ds.SOPInstanceUID = MODALITY_WORKLIST, hospital.canaries.uid(key)
    return ds


# ------------------------------------------------------------------ everyday life


def ask_worklist(hospital: Hospital, machine: Machine) -> None:
    """Let a modality ask for its worklist."""
    step = "ScheduledProcedureStepSequence[0]."
    keys = [
        f"{step}ScheduledStationAETitle={machine.ae_title}",
        f"{step}Modality={machine.modality}",
        f"{step}ScheduledStationName",
        "PatientName",
        "PatientID",
        "StudyInstanceUID",
    ]
    route = Route(hospital.host(machine), machine.ae_title, hospital.host(RIS), RIS.ae_title, DICOM)
    call(hospital, route, "findscu", "-W", *(x for key in keys for x in ("-k", key)))


@scene("the scanners ask for their worklists", "DCMTK", days=(5,), again=on(MONDAY)[::4], at="07:00")
def scanners_ask(hospital: Hospital) -> None:
    for machine in (CT1, MR1, MR2, DX1, MG1):
        ask_worklist(hospital, machine)


@scene("the ultrasound machines ask for their worklists", "DCMTK", days=(8,), again=on(THURSDAY)[1::8], at="07:05")
def ultrasound_asks(hospital: Hospital) -> None:
    for machine in ULTRASOUND:
        ask_worklist(hospital, machine)


def step_begun(hospital: Hospital, machine: Machine) -> Dataset:
    """Return what a modality reports when it begins (PS3.4 F.7.2.1)."""
    ds, scheduled, key = Dataset(), Dataset(), f"step-{machine.name}"
    scheduled.StudyInstanceUID = hospital.canaries.uid(f"{key}StudyInstanceUID")
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.ScheduledStepAttributesSequence = Sequence([scheduled])
    ds.PatientName, ds.PatientID = hospital.canaries.person(f"{key}Name"), hospital.canaries.token(f"{key}ID")
    ds.PerformedProcedureStepID = hospital.canaries.token(f"{key}StepID")
    ds.PerformedStationAETitle, ds.PerformedStationName = machine.ae_title, machine.station
    ds.Modality, ds.PerformedProcedureStepStatus = machine.modality, "IN PROGRESS"
    ds.PerformedProcedureStepStartDate = f"{hospital.now:%Y%m%d}"
    ds.PerformedProcedureStepStartTime = f"{hospital.now:%H%M%S}"
    return ds


def step_done(hospital: Hospital) -> Dataset:
    """Return what a modality reports when it has ended."""
    ds = Dataset()
    ds.PerformedProcedureStepStatus = "COMPLETED"
    ds.PerformedProcedureStepEndDate, ds.PerformedProcedureStepEndTime = f"{hospital.now:%Y%m%d}", "102000"
    return ds


@scene(
    "the MR reports that it begins and ends a step", "pynetdicom", days=(0, 56), again=on(WEDNESDAY)[::2], at="10:00"
)
def steps(hospital: Hospital) -> None:
    instance = hospital.canaries.uid(f"mpps{hospital.day}")
    broker = hospital.host(RIS)
    with associated(hospital.host(MR1), stack(MR1, [MPPS]), broker, STEPS, RIS.ae_title) as association:
        done(association.send_n_create(step_begun(hospital, MR1), MPPS, instance)[0])
        done(association.send_n_set(step_done(hospital), MPPS, instance)[0])


@scene(
    "the CT asks the archive to keep what it sent; the archive reports on an association of its own",
    "Orthanc",
    "pynetdicom",
    days=(0, 56),
    again=on(WEDNESDAY)[::2],
    at="08:30",
)
def commitment(hospital: Hospital) -> None:
    modality, reported = hospital.host(CT1), threading.Event()
    asked, item = Dataset(), Dataset()
    item.ReferencedSOPClassUID = SOP_CLASS["CT"]
    item.ReferencedSOPInstanceUID = hospital.canaries.uid(f"ct1ct1SOPInstanceUID{hospital.day}")
    asked.TransactionUID = hospital.canaries.uid(f"TransactionUID{hospital.day}")
    asked.ReferencedSOPSequence = Sequence([item])

    def hear(_event: Event) -> tuple[int, Dataset]:
        reported.set()
        return SUCCESS, Dataset()

    listener = entity(CT1.ae_title, supported=[COMMITMENT])
    with serving(modality, listener, ACR_NEMA, [(evt.EVT_N_EVENT_REPORT, hear)]):
        with associated(modality, stack(CT1, [COMMITMENT]), hospital.host(PACS), ORTHANC, PACS.ae_title) as association:
            done(association.send_n_action(asked, REQUEST_COMMITMENT, COMMITMENT, COMMITMENT_INSTANCE)[0])
        if not reported.wait(PATIENCE_S):
            raise LabError("the archive did not report")
        until_quiet(listener)


def until_quiet(listener: AE) -> None:
    """Wait until a listener's callers have gone. Raises LabError when they stay."""
    deadline = time.monotonic() + PATIENCE_S
    while listener.active_associations:
        if time.monotonic() > deadline:
            raise LabError("a caller does not go")
        time.sleep(0.02)
