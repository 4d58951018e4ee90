"""Synthetic DICOM objects: what a modality says of itself is plausible, what it says of a patient is a canary."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

if TYPE_CHECKING:
    from pathlib import Path

    from _canary import Canaries
    from _fleet import Machine
    from pydicom.uid import UID

SOP_CLASS = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "MG": "1.2.840.10008.5.1.4.1.1.1.2",
    "SR": "1.2.840.10008.5.1.4.1.1.88.67",
}
CODE_SERIES_DESCRIPTION = "invented localizer"


def describe_patient(ds: Dataset, canaries: Canaries, key: str) -> None:
    """Plant a canary in each element that would hold patient or study data (PS3.15 Annex E)."""
    ds.PatientName = canaries.person(f"{key}PatientName")
    ds.PatientID = canaries.token(f"{key}PatientID")
    ds.PatientBirthDate = canaries.date(f"{key}PatientBirthDate")
    ds.PatientSex = "O"
    ds.PatientAddress = canaries.words(f"{key}PatientAddress")
    ds.OtherPatientIDs = canaries.token(f"{key}OtherPatientIDs")
    ds.PatientComments = canaries.words(f"{key}PatientComments")
    ds.AccessionNumber = canaries.token(f"{key}AccessionNumber")
    ds.StudyID = canaries.token(f"{key}StudyID")
    ds.ReferringPhysicianName = canaries.person(f"{key}ReferringPhysicianName")
    ds.StudyInstanceUID = canaries.uid(f"{key}StudyInstanceUID")


def describe_study(ds: Dataset, canaries: Canaries, key: str) -> None:
    """Plant canaries in the free texts and people of a study and its series."""
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = canaries.date(f"{key}StudyDate")
    ds.StudyTime = ds.SeriesTime = ds.ContentTime = "101500"
    ds.StudyDescription = canaries.words(f"{key}StudyDescription")
    ds.SeriesDescription = canaries.words(f"{key}SeriesDescription")
    ds.PerformingPhysicianName = canaries.person(f"{key}PerformingPhysicianName")
    ds.NameOfPhysiciansReadingStudy = canaries.person(f"{key}NameOfPhysiciansReadingStudy")
    ds.OperatorsName = canaries.person(f"{key}OperatorsName")
    ds.ProtocolName = canaries.words(f"{key}ProtocolName")
    ds.SeriesInstanceUID = canaries.uid(f"{key}SeriesInstanceUID")


def describe_device(ds: Dataset, machine: Machine) -> None:
    """State the acquiring device as its General Equipment module does (PS3.3 C.7.5.1)."""
    ds.Modality = machine.modality
    ds.Manufacturer = machine.manufacturer
    ds.ManufacturerModelName = machine.model
    ds.DeviceSerialNumber = machine.serial
    ds.StationName = machine.station
    ds.SoftwareVersions = machine.software.split("\\")
    ds.InstitutionName = "Invented General Hospital"
    ds.InstitutionalDepartmentName = "Radiology"


def add_referenced_image(ds: Dataset, canaries: Canaries, key: str) -> None:
    """Add a sequence before the serial number, as real objects do."""
    item = Dataset()
    item.ReferencedSOPClassUID = SOP_CLASS["CT"]
    item.ReferencedSOPInstanceUID = canaries.uid(f"{key}ReferencedSOPInstanceUID")
    ds.ReferencedImageSequence = Sequence([item])


def add_pixels(ds: Dataset, side: int, seed: int) -> None:
    """Add a small monochrome image of noise over a gradient."""
    noise = random.Random(seed)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows = ds.Columns = side
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.PixelData = bytes((x + y + noise.randrange(8)) & 0xFF for y in range(side) for x in range(side))


def image(machine: Machine, canaries: Canaries, number: int = 1, *, side: int = 32, key: str = "") -> Dataset:
    """Return one image of a modality, number ``number`` of its series; ``side`` pixels wide and high."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = SOP_CLASS[machine.modality]
    ds.SOPInstanceUID = canaries.uid(f"{key}{machine.name}SOPInstanceUID{number}")
    describe_patient(ds, canaries, key)
    describe_study(ds, canaries, key)
    describe_device(ds, machine)
    add_referenced_image(ds, canaries, key)
    ds.SeriesNumber, ds.InstanceNumber = 1, number
    add_pixels(ds, side, number)
    return ds


def save(ds: Dataset, path: Path, syntax: UID = ExplicitVRLittleEndian) -> Path:
    """Write a DICOM file (PS3.10) in the transfer syntax and return its path."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = syntax
    ds.save_as(
        path,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
        enforce_file_format=True,
    )
    return path
