"""Objects with identities in unusual places: other equipment, private elements, late serial numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _archive import DICOM, ORTHANC, Route, call, orthanc, storescp
from _fleet import CT, MG, MR, PACS, US
from _lab import Lab, scenario
from _objects import SOP_CLASS, image, save
from _pynet import associated, entity
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

if TYPE_CHECKING:
    from _fleet import Machine

REFERENCED_IMAGES = 240
SERIES_LENGTH = 5


def store(lab: Lab, machine: Machine, *objects: Dataset) -> None:
    """Store objects from their modality at a storescp, one association."""
    modality, archive = lab.host(machine), lab.host(PACS)
    storescp(lab, archive, PACS.ae_title)
    files = [save(ds, lab.workdir / f"{n}.dcm") for n, ds in enumerate(objects)]
    with lab.capture():
        call(lab, Route(modality, machine.ae_title, archive, PACS.ae_title, DICOM), "storescu", "-R", files=files)


@scenario(
    "dicom/store_series",
    "A CT sends the five images of a series; each image says the same of the CT.",
    "DCMTK",
    "pydicom",
    expect=("one described device, seen five times",),
)
def store_series(lab: Lab) -> None:
    store(lab, CT, *(image(CT, lab.canaries, number, side=16) for number in range(1, SERIES_LENGTH + 1)))


def contributor(purpose: str, manufacturer: str, model: str, serial: str) -> Dataset:
    """Return one item of the Contributing Equipment Sequence (PS3.3 C.12.1)."""
    item, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = purpose, "DCM", "invented purpose"
    item.Manufacturer, item.ManufacturerModelName, item.DeviceSerialNumber = manufacturer, model, serial
    item.StationName, item.SoftwareVersions = "GATE-01", "4.2"
    item.PurposeOfReferenceCodeSequence = Sequence([code])
    return item


@scenario(
    "dicom/store_contributing",
    "An object that other equipment touched: gateway, frame grabber, original attributes.",
    "DCMTK",
    "pydicom",
    expect=(
        "the acquiring device is the mammograph INV30577",
        "the contributing gateway INV-GW-7 is another subject",
        "UDI (01)09999999999994(21)INV30577, Device UID, Gantry and Detector ids",
    ),
)
def store_contributing(lab: Lab) -> None:
    ds, udi, original, old = image(MG, lab.canaries), Dataset(), Dataset(), Dataset()
    ds.ContributingEquipmentSequence = Sequence([contributor("109103", "Invented Gateways", "Edge Router", "INV-GW-7")])
    udi.UniqueDeviceIdentifier = "(01)09999999999994(21)INV30577"
    ds.UDISequence = Sequence([udi])
    ds.DeviceUID, ds.DeviceID, ds.StationAETitle = "2.25.30577", "MG-ROOM-1", MG.ae_title
    ds.GantryID, ds.DetectorID, ds.DateOfLastCalibration = "GANTRY-5", "DET-77", "20260301"
    ds.SecondaryCaptureDeviceManufacturer, ds.SecondaryCaptureDeviceManufacturerModelName = "Invented Grabbers", "FG-2"
    old.PatientName, old.PatientID = lab.canaries.person("OldPatientName"), lab.canaries.token("OldPatientID")
    original.ModifiedAttributesSequence = Sequence([old])
    original.ModifyingSystem, original.ReasonForTheAttributeModification = "EDGEROUTER", "COERCE"
    original.SourceOfPreviousValues, original.AttributeModificationDateTime = "MG-ROOM-1", "20261123080000"
    ds.OriginalAttributesSequence = Sequence([original])
    ds.InstitutionName = "Erfundenes Klinikum Süd"
    store(lab, MG, ds)


@scenario(
    "dicom/store_private",
    "Private elements, known and unknown, that hold patient data.",
    "DCMTK",
    "pydicom",
    expect=("nothing of groups 0009, 0019, 0029 and of UN values is kept",),
)
def store_private(lab: Lab) -> None:
    ds, nested = image(MR, lab.canaries), Dataset()
    block = ds.private_block(0x0009, "INVENTED PRIVATE 01", create=True)
    block.add_new(0x01, "LO", lab.canaries.words("private text"))
    block.add_new(0x02, "PN", lab.canaries.person("private name"))
    nested.PatientName = lab.canaries.person("nested in private sequence")
    block.add_new(0x10, "SQ", Sequence([nested]))
    unknown = ds.private_block(0x0019, "INVENTED PRIVATE 02", create=True)
    unknown.add_new(0x05, "UN", lab.canaries.words("private unknown").encode().ljust(40))
    ds.add(DataElement(0x00120010, "LO", lab.canaries.words("ClinicalTrialSponsorName")))
    store(lab, MR, ds)


@scenario(
    "dicom/store_late_serial",
    "240 referenced images before the serial number: it stands 25 kB into the data set.",
    "DCMTK",
    "pydicom",
    expect=("Manufacturer is read; the serial number lies beyond 16 KiB",),
)
def store_late_serial(lab: Lab) -> None:
    ds, items = image(US, lab.canaries), []
    for number in range(REFERENCED_IMAGES):
        item = Dataset()
        item.ReferencedSOPClassUID = SOP_CLASS["US"]
        item.ReferencedSOPInstanceUID = f"{lab.canaries.uid('late')}"
        item.ReferencedFrameNumber = str(number + 1)
        items.append(item)
    ds.ReferencedImageSequence = Sequence(items)
    store(lab, US, ds)


@scenario(
    "dicom/store_utf8",
    "Names in UTF-8 (ISO_IR 192) from a Japanese installation.",
    "DCMTK",
    "pydicom",
    expect=("institution 架空総合病院, station name in ASCII",),
)
def store_utf8(lab: Lab) -> None:
    ds = image(MR, lab.canaries)
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.InstitutionName, ds.InstitutionalDepartmentName = "架空総合病院", "放射線科"
    ds.PatientName = f"{lab.canaries.token('PatientName')}^INVENTED=架空^患者"
    store(lab, MR, ds)


@scenario(
    "dicom/store_undefined_length",
    "One CT object whose sequences and items have undefined length and end with delimiters.",
    "pynetdicom",
    "pydicom",
    expect=("a delimited sequence stands between the model name and the serial number",),
)
def store_undefined_length(lab: Lab) -> None:
    ds = image(CT, lab.canaries, side=16)
    ds["ReferencedImageSequence"].is_undefined_length = True
    ds.ReferencedImageSequence[0].is_undefined_length_sequence_item = True
    store_by_pynetdicom(lab, CT, ds)


def store_by_pynetdicom(lab: Lab, machine: Machine, ds: Dataset) -> None:
    """Store one object from its modality at an Orthanc; pynetdicom leaves the data set's encoding alone."""
    modality, archive = lab.host(machine), lab.host(PACS)
    orthanc(lab, archive, PACS.ae_title)
    path, client = save(ds, lab.workdir / "object.dcm"), entity(machine.ae_title, requested=[ds.SOPClassUID])
    with lab.capture(), associated(modality, client, archive, ORTHANC, PACS.ae_title) as association:
        association.send_c_store(path)


@scenario(
    "dicom/store_pynetdicom",
    "An MR that is built on pynetdicom stores one object at an Orthanc.",
    "pynetdicom",
    "pydicom",
    expect=("initiator pynetdicom, responder DCMTK inside Orthanc",),
)
def store_pynetdicom(lab: Lab) -> None:
    store_by_pynetdicom(lab, MR, image(MR, lab.canaries))
