"""C-ECHO and C-STORE: who sends objects, in which encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _archive import DICOM, ORTHANC, Route, call, orthanc, storescp
from _fleet import CT, MODALITIES, MR, PACS, US, VIEWER
from _lab import Lab, scenario
from _objects import image, save
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

if TYPE_CHECKING:
    from pathlib import Path

    from _fleet import Machine
    from pydicom.uid import UID

OBJECTS_OF_STORE20 = 20


@scenario(
    "dicom/echo",
    "A CT verifies its archive: one association, one C-ECHO, released.",
    "DCMTK",
    expect=(
        "calling CT01, called ARCHIVE, accepted, echo status 0000",
        "initiator DCMTK, responder DCMTK inside Orthanc (same implementation class UID)",
    ),
)
def echo(lab: Lab) -> None:
    modality, archive = lab.host(CT), lab.host(PACS)
    orthanc(lab, archive, PACS.ae_title)
    with lab.capture():
        call(lab, Route(modality, CT.ae_title, archive, PACS.ae_title, ORTHANC), "echoscu")


def send(lab: Lab, machine: Machine, files: list[Path], server: tuple[str, ...], client: tuple[str, ...]) -> None:
    """Let a modality store files at a storescp."""
    modality, archive = lab.host(machine), lab.host(PACS)
    storescp(lab, archive, PACS.ae_title, DICOM, *server)
    with lab.capture():
        call(lab, Route(modality, machine.ae_title, archive, PACS.ae_title, DICOM), "storescu", *client, files=files)


def store_one(lab: Lab, machine: Machine, syntax: UID, server: tuple[str, ...], client: tuple[str, ...]) -> None:
    """Store one object of the machine, held in a file of the given transfer syntax."""
    path = save(image(machine, lab.canaries), lab.workdir / "object.dcm", syntax)
    send(lab, machine, [path], server, ("-R", *client))


@scenario(
    "dicom/store20",
    "A workstation sends 20 objects of five modalities in one association, Explicit VR LE.",
    "DCMTK",
    "pydicom",
    expect=(
        "20 C-STORE requests, all status 0000",
        "five described devices, each with its own serial",
        "pixel data is bulk to be skipped",
        "128 presentation contexts proposed (storescu's default)",
    ),
)
def store20(lab: Lab) -> None:
    files = []
    for number in range(OBJECTS_OF_STORE20):
        machine = MODALITIES[number % len(MODALITIES)]
        ds = image(machine, lab.canaries, number, side=160, key=machine.name)
        files.append(save(ds, lab.workdir / f"{number:02}.dcm"))
    send(lab, VIEWER, files, ("+xe",), ("-xe",))


@scenario(
    "dicom/store_implicit",
    "One MR object in Implicit VR Little Endian.",
    "DCMTK",
    "pydicom",
    expect=("transfer syntax 1.2.840.10008.1.2",),
)
def store_implicit(lab: Lab) -> None:
    store_one(lab, MR, ImplicitVRLittleEndian, ("+xi",), ("-xi",))


@scenario(
    "dicom/store_deflated",
    "One CT object in Deflated Explicit VR Little Endian.",
    "DCMTK",
    "pydicom",
    expect=("transfer syntax 1.2.840.10008.1.2.1.99; the data set is a raw deflate stream",),
)
def store_deflated(lab: Lab) -> None:
    store_one(lab, CT, ExplicitVRLittleEndian, ("+xd",), ("-xd",))


@scenario(
    "dicom/store_bigendian",
    "One MR object in Explicit VR Big Endian, retired in 2006.",
    "DCMTK",
    "pydicom",
    expect=("transfer syntax 1.2.840.10008.1.2.2",),
)
def store_bigendian(lab: Lab) -> None:
    store_one(lab, MR, ExplicitVRBigEndian, ("+xb",), ("-xb",))


def compressed(lab: Lab, machine: Machine, tool: list[str], server: str, client: str) -> None:
    """Store one object whose pixel data a DCMTK tool has compressed."""
    plain = save(image(machine, lab.canaries, side=48), lab.workdir / "plain.dcm")
    small = lab.workdir / "small.dcm"
    lab.tool([*tool, str(plain), str(small)])
    send(lab, machine, [small], (server,), ("-R", client))


@scenario(
    "dicom/store_jpeg",
    "One ultrasound object, pixel data in JPEG Lossless.",
    "DCMTK",
    "pydicom",
    expect=("transfer syntax 1.2.840.10008.1.2.4.70; encapsulated pixel data of undefined length",),
)
def store_jpeg(lab: Lab) -> None:
    compressed(lab, US, ["dcmcjpeg", "+un"], "+xs", "-xs")


@scenario(
    "dicom/store_rle",
    "One ultrasound object, pixel data in RLE Lossless.",
    "DCMTK",
    "pydicom",
    expect=("transfer syntax 1.2.840.10008.1.2.5",),
)
def store_rle(lab: Lab) -> None:
    compressed(lab, US, ["dcmcrle", "+un"], "+xr", "-xr")


@scenario(
    "dicom/store_small_pdu",
    "One CT object to a receiver that takes PDUs of at most 4096 bytes.",
    "DCMTK",
    "pydicom",
    expect=("maximum length 4096 in the A-ASSOCIATE-AC", "the data set is split over many PDVs"),
)
def store_small_pdu(lab: Lab) -> None:
    path = save(image(CT, lab.canaries, side=128), lab.workdir / "object.dcm")
    send(lab, CT, [path], ("-pdu", "4096"), ("-R", "-pdu", "4096"))


@scenario(
    "large/store1000",
    "A CT sends 1,000 images of 256 KiB in one association; recorded on demand, not kept with the project.",
    "DCMTK",
    "pydicom",
    expect=("1,000 C-STORE requests, each with its command and its described device",),
)
def store1000(lab: Lab) -> None:
    files = []
    for number in range(OBJECTS_OF_STORE20):
        ds = image(MODALITIES[number % len(MODALITIES)], lab.canaries, number, side=512, key=str(number))
        files.append(save(ds, lab.workdir / f"{number:02}.dcm"))
    send(lab, CT, files, ("+xe",), ("-xe", "-R", "--repeat", "50", "+II"))
