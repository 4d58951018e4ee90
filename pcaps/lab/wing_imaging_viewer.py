"""A workstation that searches, fetches and prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from _archive import ACR_NEMA, ORTHANC, Route, call, storescp
from _imaging import (
    FILM_PRINTER,
    FRIDAY,
    PACS,
    THURSDAY,
    TUESDAY,
    VIEWER,
    done,
    found,
    keys,
    on,
    take,
)
from _objects import SOP_CLASS
from _pynet import SUCCESS, associated, entity, serving
from _story import opening, scene
from _truth import device, identity, must, must_not
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pynetdicom import build_role, evt

if TYPE_CHECKING:
    from _story import Hospital
    from pynetdicom.events import Event

STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
GRAYSCALE_PRINT = "1.2.840.10008.5.1.1.9"
FILM_SESSION, FILM_BOX, IMAGE_BOX = "1.2.840.10008.5.1.1.1", "1.2.840.10008.5.1.1.2", "1.2.840.10008.5.1.1.4"
PRINTER_CLASS, PRINTER_INSTANCE = "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.17"
PRINT = 1
ASKED_OF_PRINTER = [0x00080070, 0x00081090, 0x00181000, 0x00181020]  # manufacturer, model, serial number, software

# ------------------------------------------------------------------ what is true

device(VIEWER, vendor="Dell Inc.", device_type="workstation", role="workstation")
device(FILM_PRINTER, vendor="Agfa HealthCare", device_type="DICOM printer", role="printer")
identity("ae-title", "VIEW3", "dicom", ("viewer3",), peers=("pacs", "film-printer", "vna"))
identity("ae-title", "DRYSTAR", "dicom", ("film-printer",), peers=("viewer3",))

for _answering, _what in (("viewer3", "images are sent to it"), ("film-printer", "films are sent to it")):
    must("DCM-001", "dicom", device=_answering, first_day=1, why=f"{_what} in clear text")
    must("DCM-002", "dicom", device=_answering, first_day=1, why="it takes associations from everybody")
must_not("DCM-010", "a viewer is there to search and to fetch", device="viewer3")


# ------------------------------------------------------------------ what receives


@opening("DCMTK", "pynetdicom", order=33)
def viewer_and_printer(hospital: Hospital) -> None:
    """Let the viewer receive what it has sent to itself, and the film printer print."""
    storescp(hospital, hospital.host(VIEWER), VIEWER.ae_title)
    classes = [GRAYSCALE_PRINT, PRINTER_CLASS]
    handlers = [
        (evt.EVT_N_GET, tell_status),
        (evt.EVT_N_CREATE, make_film),
        (evt.EVT_N_SET, take),
        (evt.EVT_N_ACTION, lambda _event: (SUCCESS, None)),
        (evt.EVT_N_DELETE, lambda _event: SUCCESS),
    ]
    imager = entity(FILM_PRINTER.ae_title, supported=classes)
    hospital.open.enter_context(serving(hospital.host(FILM_PRINTER), imager, ACR_NEMA, handlers))


def tell_status(_event: Event) -> tuple[int, Dataset]:
    """Say how the printer is, and what it is (PS3.4 H.4.6)."""
    ds = Dataset()
    ds.PrinterStatus, ds.PrinterName = "NORMAL", FILM_PRINTER.station
    ds.Manufacturer, ds.ManufacturerModelName = FILM_PRINTER.manufacturer, FILM_PRINTER.model
    ds.DeviceSerialNumber, ds.SoftwareVersions = FILM_PRINTER.serial, FILM_PRINTER.software
    return SUCCESS, ds


def make_film(event: Event) -> tuple[int, Dataset]:
    """Accept a film session or a film box; a box has one place for an image."""
    made: Dataset = event.attribute_list  # type: ignore[attr-defined]
    if event.request.AffectedSOPClassUID == FILM_BOX:  # type: ignore[union-attr]
        place = Dataset()
        place.ReferencedSOPClassUID = IMAGE_BOX
        place.ReferencedSOPInstanceUID = f"{event.request.AffectedSOPInstanceUID}.1"  # type: ignore[union-attr]
        made.ReferencedImageBoxSequence = Sequence([place])
    return SUCCESS, made


# ------------------------------------------------------------------ everyday life


def ask_archive(hospital: Hospital, tool: str, *options: str) -> None:
    """Let the viewer ask the archive by one of DCMTK's clients."""
    route = Route(hospital.host(VIEWER), VIEWER.ae_title, hospital.host(PACS), PACS.ae_title, ORTHANC)
    call(hospital, route, tool, "-S", *options)


@scene(
    "the viewer searches the archive",
    "DCMTK",
    days=(0, 49),
    again=on(TUESDAY),
    at="11:00",
)
def viewer_searches(hospital: Hospital) -> None:
    name = hospital.canaries.token("ct1PatientName")
    ask_archive(hospital, "findscu", *keys(QueryRetrieveLevel="STUDY", PatientName=f"{name}*", StudyInstanceUID=""))


def first_ct_image(hospital: Hospital) -> dict[str, str]:
    """Return the keys of the first image that the CT sent in the story."""
    uid = hospital.canaries.uid
    return {
        "QueryRetrieveLevel": "IMAGE",
        "StudyInstanceUID": uid("ct1StudyInstanceUID"),
        "SeriesInstanceUID": uid("ct1SeriesInstanceUID"),
        "SOPInstanceUID": uid("ct1ct1SOPInstanceUID0"),
    }


@scene("the viewer fetches an image: C-GET", "pynetdicom", days=(2,), again=on(FRIDAY)[::2], at="11:30")
def viewer_gets(hospital: Hospital) -> None:
    wanted, ct = Dataset(), SOP_CLASS["CT"]
    for keyword, value in first_ct_image(hospital).items():
        setattr(wanted, keyword, value)
    ae = entity(VIEWER.ae_title, requested=[STUDY_ROOT_GET, ct])
    keep, role = [(evt.EVT_C_STORE, lambda _event: SUCCESS)], [build_role(ct, scp_role=True)]
    viewer, archive = hospital.host(VIEWER), hospital.host(PACS)
    with associated(viewer, ae, archive, ORTHANC, PACS.ae_title, ext_neg=role, evt_handlers=keep) as association:
        found(association.send_c_get(wanted, STUDY_ROOT_GET))


@scene("the viewer has an image sent to itself: C-MOVE", "DCMTK", days=(1,), again=(85,), at="11:45")
def viewer_moves(hospital: Hospital) -> None:
    ask_archive(hospital, "movescu", "-aem", VIEWER.ae_title, *keys(**first_ct_image(hospital)))


@scene("the viewer prints a film", "pynetdicom", days=(1,), again=on(THURSDAY)[::2], at="14:00")
def prints(hospital: Hospital) -> None:
    session, box = hospital.canaries.uid("session"), hospital.canaries.uid("filmbox")
    sheet, page = Dataset(), Dataset()
    sheet.NumberOfCopies, sheet.MediumType = "1", "BLUE FILM"
    page.ImageDisplayFormat, page.FilmOrientation, page.FilmSizeID = r"STANDARD\1,1", "PORTRAIT", "8INX10IN"
    page.ReferencedFilmSessionSequence = Sequence([Dataset()])
    page.ReferencedFilmSessionSequence[0].ReferencedSOPClassUID = FILM_SESSION
    page.ReferencedFilmSessionSequence[0].ReferencedSOPInstanceUID = session
    client, imager = entity(VIEWER.ae_title, requested=[GRAYSCALE_PRINT]), hospital.host(FILM_PRINTER)
    meta: dict[str, Any] = {"meta_uid": GRAYSCALE_PRINT}
    with associated(hospital.host(VIEWER), client, imager, ACR_NEMA, FILM_PRINTER.ae_title) as association:
        done(association.send_n_get(ASKED_OF_PRINTER, PRINTER_CLASS, PRINTER_INSTANCE, **meta)[0])
        done(association.send_n_create(sheet, FILM_SESSION, session, **meta)[0])
        done(association.send_n_create(page, FILM_BOX, box, **meta)[0])
        done(association.send_n_set(film_image(hospital), IMAGE_BOX, f"{box}.1", **meta)[0])
        done(association.send_n_action(None, PRINT, FILM_BOX, box, **meta)[0])
        done(association.send_n_delete(FILM_SESSION, session, **meta))


def film_image(hospital: Hospital) -> Dataset:
    """Return what is printed: a small image with a name on it (PS3.3 C.13.5)."""
    ds, pixels = Dataset(), Dataset()
    pixels.SamplesPerPixel, pixels.PhotometricInterpretation = 1, "MONOCHROME2"
    pixels.Rows = pixels.Columns = 8
    pixels.BitsAllocated = pixels.BitsStored = 8
    pixels.HighBit, pixels.PixelRepresentation = 7, 0
    pixels.PixelData = hospital.canaries.token("film", 16).encode() * 4
    ds.ImageBoxPosition, ds.BasicGrayscaleImageSequence = 1, Sequence([pixels])
    return ds
