"""Radiology of the hospital: its machines, its week, and what its scenes have in common.

The machines that are used are told to the truth beside the scenes that they play in (``wing_imaging*.py``).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from _fleet import Machine
from _net import LabError
from _objects import SOP_CLASS, image, save
from _pynet import SUCCESS, associated, entity
from _story import EPOCH, LAST_DAY
from pydicom.dataset import Dataset
from pynetdicom import evt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from _net import Host
    from _story import Hospital
    from pynetdicom import AE
    from pynetdicom.events import Event

DAYS = range(LAST_DAY + 1)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)

VERIFICATION = "1.2.840.10008.1.1"
FORMER = {"ct": "CTARCHIV", "router": "PACSMAIN", "sono": "SONOARCHIV"}  # titles of archives that are gone
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
# Class UID and version name of the implementation (PS3.7 D.3.3.2), as these makers' machines say; Fuji's is invented.
VERSION_OF_MAKER = {
    "SOMATOM": ("1.3.12.2.1107.5.99.3.20080101", "SIEMENS"),
    "Ysio": ("1.3.12.2.1107.5.99.3.20080101", "SIEMENS"),
    "MAGNETOM": ("1.3.12.2.1107.5.2", "MR_VE11C"),
    "AMULET": ("1.2.392.200036.9125.6.3.1", "FUJIFILM_AWS"),
    "Ingenia": ("1.3.46.670589.11.0.0.51.4.53.0", "Philips MR 53.0"),
}

PACS = Machine("pacs", "00:50:56:11:10:10", "10.21.1.10", "ORTHANC")
PACS_SECURE = Machine("pacs-secure", "00:50:56:11:20:63", "10.21.2.63", "KLINIKARCHIV")
VNA = Machine("vna", "00:50:56:11:10:12", "10.21.1.12", "VNA01")
RIS = Machine("ris-broker", "00:50:56:11:10:13", "10.21.1.13", "RISBROKER")
PORTAL = Machine("image-portal", "00:50:56:11:10:14", "10.21.1.14", "WEBPORTAL")
AI = Machine("ai-reader", "0c:c4:7a:11:10:15", "10.21.1.15", "AIREADER")
EDGE = Machine("dicom-router", "8c:ec:4b:11:20:60", "10.21.2.60", "EDGEROUTER")
SONO_GATEWAY = Machine("sono-gateway", "00:50:56:11:20:61", "10.21.2.61", "SONOGATE")
SCREENING = Machine("screening-archive", "00:50:56:11:20:62", "10.21.2.62", "SCREENING")
VIEWER = Machine("viewer3", "8c:ec:4b:11:50:11", "10.21.5.11", "VIEW3")
READING = Machine("reading4", "8c:ec:4b:11:50:12", "10.21.5.12", "READ4")
REVIEW = Machine("review1", "8c:ec:4b:11:50:13", "10.21.5.13", "REVIEW1")
STRAY = Machine("stray-laptop", "3c:52:82:11:50:14", "10.21.5.14", "ECHOSCU")

CT1 = Machine(
    "ct1",
    "88:4b:39:11:20:11",
    "10.21.2.11",
    "CT01",
    "CT",
    "SIEMENS",
    "SOMATOM Definition Edge",
    "INV71021",
    "CTAWP71021",
    "syngo CT VB20A",
)
CT2 = Machine(
    "ct2",
    "88:4b:39:11:20:12",
    "10.21.2.12",
    "CT01",
    "CT",
    "SIEMENS",
    "SOMATOM Definition AS",
    "INV66417",
    "CTAWP66417",
    "syngo CT 2012B",
)
MR1 = Machine(
    "mr1",
    "7c:94:b2:11:20:21",
    "10.21.2.21",
    "MR01",
    "MR",
    "Philips Medical Systems",
    "Ingenia",
    "INV43310",
    "PHILIPS-INV43310",
    r"5.3.1\5.3.1.3",
)
MR2 = Machine(
    "mr2",
    "88:4b:39:11:20:22",
    "10.21.2.22",
    "MR02",
    "MR",
    "SIEMENS",
    "MAGNETOM Aera",
    "INV141822",
    "AWP141822",
    "syngo MR E11",
)
DX1 = Machine(
    "dx1",
    "00:1d:4a:11:20:41",
    "10.21.2.41",
    "DRX_REVO",
    "DX",
    "Carestream Health",
    "DRX-Revolution",
    "INV91744",
    "DRXREVO2",
    "5.7.412.7008",
)
XRAY2_OLD = Machine(
    "xr2-old",
    "00:1d:4a:11:20:42",
    "10.21.2.42",
    "XRAY2",
    "DX",
    "Carestream Health",
    "DRX-Evolution",
    "INV80265",
    "XROOM2",
    "5.5.100.2",
)
XRAY2_NEW = Machine(
    "xr2-new",
    "88:4b:39:11:20:43",
    "10.21.2.42",
    "XRAY2",
    "DX",
    "SIEMENS",
    "Ysio Max",
    "INV10593",
    "XROOM2",
    "VE10R",
)
MG1 = Machine(
    "mg1",
    "88:b4:36:11:20:51",
    "10.21.2.51",
    "AMULET1",
    "MG",
    "FUJIFILM Corporation",
    "AMULET Innovality",
    "INV31902",
    "FDR-3000AWS-2",
    "V10.0",
)
ULTRASOUND = tuple(
    Machine(
        f"us{n}",
        f"44:4b:5d:11:20:3{n}",
        f"10.21.2.3{n}",
        f"LOGIQE10-{n}",
        "US",
        "GE Healthcare",
        "LOGIQ E10",
        f"INV5330{n}US6",
        f"LE10-INV5330{n}",
        "LOGIQE10:R3.1.4",
    )
    for n in range(1, 7)
)
FILM_PRINTER = Machine(
    "film-printer",
    "08:00:66:11:20:90",
    "10.21.2.90",
    "DRYSTAR",
    "",
    "Agfa",
    "DRYSTAR 5503",
    "INV12208",
    "DRYSTAR-1",
    "5.6.0",
)
MODALITIES = (CT1, CT2, MR1, MR2, DX1, XRAY2_OLD, MG1, *ULTRASOUND)


def on(*weekdays: int, days: Iterable[int] = DAYS) -> tuple[int, ...]:
    """Return the story's days that are one of these days of the week."""
    return tuple(day for day in days if (EPOCH + dt.timedelta(days=day)).weekday() in weekdays)


def study(hospital: Hospital, machine: Machine) -> Path:
    """Return today's image of a modality, as a file."""
    ds = image(machine, hospital.canaries, hospital.day, side=8, key=machine.name)
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = f"{hospital.now:%Y%m%d}"
    return save(ds, hospital.workdir / f"{machine.name}-{hospital.day}.dcm")


def stack(machine: Machine, requested: Sequence[str]) -> AE:
    """Return an application entity that names the maker's implementation and not pynetdicom's."""
    ae = entity(machine.ae_title, requested=requested)
    uid, name = next(said for model, said in VERSION_OF_MAKER.items() if machine.model.startswith(model))
    ae.implementation_class_uid, ae.implementation_version_name = uid, name
    return ae


def send(hospital: Hospital, machine: Machine, to: Host, port: int, title: str, **tls: Any) -> None:
    """Let a modality store today's image, by pynetdicom under the maker's name."""
    path = study(hospital, machine)
    ae = stack(machine, [SOP_CLASS[machine.modality]])
    with associated(hospital.host(machine), ae, to, port, title, **tls) as association:
        done(association.send_c_store(path))


def done(status: Dataset) -> None:
    """Raise LabError when a service did not succeed (PS3.7 C)."""
    if getattr(status, "Status", None) != SUCCESS:
        raise LabError(f"a DICOM service failed: {status or 'no answer'}")


def found(answers: Iterable[tuple[Dataset, Dataset | None]]) -> None:
    """Take all answers of a C-FIND or C-GET. Raises LabError when the last is no success."""
    done([status for status, _ in answers][-1])


def keys(**wanted: str) -> list[str]:
    """Return the tools' options for query keys; an empty value asks for the attribute."""
    return [x for name, value in wanted.items() for x in ("-k", f"{name}={value}" if value else name)]


def take(event: Event) -> tuple[int, Dataset]:
    """Accept an N-CREATE or N-SET."""
    return SUCCESS, event.attribute_list if event.event is evt.EVT_N_CREATE else Dataset()  # type: ignore[attr-defined]
