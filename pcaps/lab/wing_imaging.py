"""Radiology in clear text: an Orthanc as it is shipped, scanners and X-ray machines, and a router for three of them.

Nobody changed the modalities when Orthanc came: they still call it by the titles of the archives that it replaced, and
it answers to each of them.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from _archive import ACR_NEMA, DICOM, ORTHANC, Route, call, orthanc
from _estate import DOMAIN
from _imaging import (
    CT1,
    CT2,
    DAYS,
    DX1,
    EDGE,
    FILM_PRINTER,
    FORMER,
    FRIDAY,
    MG1,
    MODALITIES,
    MONDAY,
    MR1,
    MR2,
    PACS,
    READING,
    REVIEW,
    STRAY,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    ULTRASOUND,
    VIEWER,
    VNA,
    WEDNESDAY,
    XRAY2_NEW,
    XRAY2_OLD,
    keys,
    on,
    send,
    study,
)
from _net import LabError
from _story import opening, scene
from _truth import Address, device, identity, must, must_not

if TYPE_CHECKING:
    from _fleet import Machine
    from _net import Host
    from _story import Hospital

TRIED = ("PACS", "PACS1", "ARCHIVE1", "STORESCP", "MAINPACS", "IMPAX", "SYNAPSE", "DCM4CHEE")
PATIENCE_S = 20.0
REPLACED = 70
QUERIED, SENT_AGAIN = 41, 48  # on which day the second CT does so, and is next seen at what it should do
GUESSED, CALLED_AGAIN = 33, 39  # the same of the guesses, and of the archive that answered them

# ------------------------------------------------------------------ who lives here

SIEMENS = {"vendor": "Siemens Healthineers", "role": "modality"}
CARESTREAM = {"vendor": "Carestream Health", "role": "modality", "device_type": "digital radiography"}
device(PACS, device_type="image archive", role="archive")
device(EDGE, vendor="Dell Inc.", device_type="DICOM router", role="DICOM router")
device(STRAY, Address(STRAY.mac, STRAY.ip, GUESSED, GUESSED), vendor="Hewlett Packard")
device(CT1, device_type="CT scanner", **SIEMENS)
device(CT2, device_type="CT scanner", **SIEMENS)
device(DX1, **CARESTREAM)
device(XRAY2_OLD, Address(XRAY2_OLD.mac, XRAY2_OLD.ip, 0, REPLACED - 1), **CARESTREAM)
device(
    XRAY2_NEW,
    Address(XRAY2_NEW.mac, XRAY2_NEW.ip, REPLACED),
    device_type="digital radiography",
    **SIEMENS,
)

# ------------------------------------------------------------------ what they call themselves

identity("ae-title", "CT01", "dicom", ("ct1", "ct2"), peers=("pacs", "dicom-router", "ris-broker"))
identity("ae-title", "DRX_REVO", "dicom", ("dx1",), peers=("dicom-router", "ris-broker", "vna"))
identity("ae-title", "XRAY2", "dicom", ("xr2-old", "xr2-new"), peers=("dicom-router",))
identity("ae-title", "EDGEROUTER", "dicom", ("dicom-router",), peers=("pacs",))
identity("ae-title", "ORTHANC", "dicom", ("pacs",), peers=("viewer3", "ct1"))
identity("ae-title", FORMER["ct"], "dicom", ("pacs",), peers=("ct1",))
identity("ae-title", FORMER["router"], "dicom", ("pacs",), peers=("dicom-router",))
identity("ae-title", FORMER["sono"], "dicom", ("pacs",), peers=tuple(m.name for m in ULTRASOUND))
identity("ae-title", "ECHOSCU", "dicom", ("stray-laptop",), peers=("pacs", "vna"))
for tried in TRIED:
    identity("ae-title", tried, "dicom", ("pacs",), peers=("stray-laptop",))

# ------------------------------------------------------------------ what is wrong

for answering in ("pacs", "dicom-router"):
    must("DCM-001", "dicom", device=answering, why="images come to it in clear text")
    must("DCM-002", "dicom", device=answering, why="it takes associations from everybody")
must("DCM-006", "dicom", device="pacs", first_day=2, why="modalities call it by three titles that are not its own")
must("DCM-007", "dicom", device="pacs", identity="ORTHANC", why="the title that Orthanc is shipped with")
must("DCM-007", "dicom", device="stray-laptop", identity="ECHOSCU", first_day=GUESSED, why="a tool's own title")
for tried in ("PACS", "STORESCP", "DCM4CHEE"):
    why = "it answers to a title that products ship with, as to every other"
    must("DCM-007", "dicom", device="pacs", identity=tried, first_day=GUESSED, resolved_day=CALLED_AGAIN, why=why)
must("DCM-008", "dicom", identity="CT01", first_day=6, why="two CTs of different serial numbers call themselves so")
must("DCM-009", "dicom", device="xr2-new", identity="XRAY2", first_day=REPLACED, why="an X-ray room was replaced")
must("ID-004", "dicom", device="xr2-new", identity="XRAY2", first_day=REPLACED, why="a retired machine's title goes on")
must(
    "DCM-010",
    "dicom",
    device="ct2",
    first_day=QUERIED,
    resolved_day=SENT_AGAIN,
    why="a CT lists the archive's studies",
)
must("DCM-011", "dicom", device="stray-laptop", first_day=GUESSED, why="eight titles in a minute, all refused")

must_not("DCM-009", "two CTs share the title all the time: that is DCM-008", identity="CT01")
must_not("DCM-008", "the old machine was silent for a day before the new one came", identity="XRAY2")
must_not("DCM-002", "it only calls, and nobody calls it", device="ct2")


# ------------------------------------------------------------------ servers


@opening(order=10)
def consoles(hospital: Hospital) -> None:
    """Plug modalities and workstations in. They run Windows, whose connections have no time stamps (RFC 7323)."""
    for machine in (*MODALITIES, EDGE, FILM_PRINTER, VIEWER, READING, REVIEW):
        with hospital.host(machine).inside():
            Path("/proc/sys/net/ipv4/tcp_timestamps").write_text("0")


@opening("Orthanc", "curl", order=30)
def archive_as_shipped(hospital: Hospital) -> None:
    """Start Orthanc with the settings that it is shipped with; only its peers are entered, as they have to be."""
    peers = {
        "ct1": [CT1.ae_title, CT1.ip, ACR_NEMA],
        "viewer": [VIEWER.ae_title, VIEWER.ip, DICOM],
    }
    orthanc(hospital, hospital.host(PACS), PACS.ae_title, DicomModalities=peers)


@opening("DCMTK", order=31)
def router(hospital: Hospital) -> None:
    """Start the router: what it receives it sends to the archive, under the title of the one before."""
    onward = f"storescu -R -aet {EDGE.ae_title} -aec {FORMER['router']} {PACS.ip} {ORTHANC} #p/#f"
    received = ["-od", str(hospital.folder("routed")), "--exec-sync", "--exec-on-reception", onward]
    hospital.serve(hospital.host(EDGE), ["storescp", "-aet", EDGE.ae_title, *received, str(DICOM)], DICOM)


# ------------------------------------------------------------------ everyday life


@scene(
    "a CT sends a study to the archive by a title that the archive's predecessor had",
    "pynetdicom",
    "pydicom",
    days=range(0, 120, 28),
    again=on(TUESDAY, SUNDAY),
    at="08:10",
)
def ct_sends(hospital: Hospital) -> None:
    send(hospital, CT1, hospital.host(PACS), ORTHANC, FORMER["ct"])


def stored(hospital: Hospital, host: Host) -> int:
    """Return how many objects an Orthanc holds; asked on the machine itself."""
    said = hospital.run(host, ["curl", "-s", "http://127.0.0.1:8042/statistics"])
    return int(json.loads(said)["CountInstances"])


def through_router(hospital: Hospital, machine: Machine) -> None:
    """Store today's image at the router, and wait until the archive has it. Raises LabError when it does not come."""
    archive, edge = hospital.host(PACS), hospital.host(EDGE)
    before = stored(hospital, archive)
    if machine.manufacturer == "SIEMENS":
        send(hospital, machine, edge, DICOM, EDGE.ae_title)
    else:
        route = Route(hospital.host(machine), machine.ae_title, edge, EDGE.ae_title, DICOM)
        call(hospital, route, "storescu", "-R", files=[study(hospital, machine)])
    deadline = time.monotonic() + PATIENCE_S
    while stored(hospital, archive) == before:
        if time.monotonic() > deadline:
            raise LabError(f"the router did not forward what {machine.name} sent")


@scene(
    "the second CT sends by the router",
    "pynetdicom",
    "pydicom",
    days=(6, 62),
    again=on(TUESDAY),
    at="10:20",
)
def ct2_sends(hospital: Hospital) -> None:
    through_router(hospital, CT2)


@scene(
    "the mobile X-ray sends by the router",
    "DCMTK",
    "pydicom",
    days=range(1, 120, 28),
    again=on(THURSDAY)[::2],
    at="07:20",
)
def mobile_xray_sends(hospital: Hospital) -> None:
    through_router(hospital, DX1)


@scene("the mobile X-ray tries whether the router is there", "DCMTK", days=(0,), again=DAYS, at="06:00")
def mobile_xray_wakes(hospital: Hospital) -> None:
    route = Route(hospital.host(DX1), DX1.ae_title, hospital.host(EDGE), EDGE.ae_title, DICOM)
    call(hospital, route, "echoscu")


@scene(
    "X-ray room 2 sends by the router, until it is replaced",
    "DCMTK",
    "pydicom",
    days=(0, 34),
    again=on(TUESDAY, days=range(REPLACED)),
    at="09:40",
)
def room2_sends(hospital: Hospital) -> None:
    through_router(hospital, XRAY2_OLD)


@scene(
    "X-ray room 2 has a machine of another maker, with the old one's address and title",
    "pynetdicom",
    "pydicom",
    days=(REPLACED, 97),
    again=on(TUESDAY, days=range(REPLACED, 120)),
    at="15:10",
)
def new_room2_sends(hospital: Hospital) -> None:
    gone = hospital.network.known(XRAY2_OLD.name)
    if gone:
        hospital.network.unplug(gone)
    through_router(hospital, XRAY2_NEW)


@scene(
    "machines look names up when they are switched on",
    days=(0, REPLACED),
    again=on(MONDAY, TUESDAY, WEDNESDAY, FRIDAY),
    at="05:30",
)
def lookups(hospital: Hospital) -> None:
    room2 = XRAY2_OLD if hospital.day < REPLACED else XRAY2_NEW
    for machine in (CT1, CT2, MR1, MR2, room2, MG1, *ULTRASOUND, FILM_PRINTER, VIEWER):
        name = EDGE.name if machine in (CT2, XRAY2_OLD, XRAY2_NEW) else PACS.name
        hospital.run(hospital.host(machine), ["getent", "ahostsv4", f"{name}.{DOMAIN}"])


# ------------------------------------------------------------------ what happens once


@scene("the second CT lists what the archive has, which it never did", "DCMTK", days=(QUERIED,), at="22:40")
def ct2_queries(hospital: Hospital) -> None:
    route = Route(hospital.host(CT2), CT2.ae_title, hospital.host(PACS), PACS.ae_title, ORTHANC)
    wanted = keys(QueryRetrieveLevel="STUDY", PatientName="*", StudyInstanceUID="", StudyDate="20260101-20261231")
    call(hospital, route, "findscu", "-S", *wanted)


@scene("somebody tries titles on two archives; one of them takes them all", "DCMTK", days=(GUESSED,), at="23:10")
def titles_are_tried(hospital: Hospital) -> None:
    stray = hospital.host(STRAY)
    for machine, port in ((VNA, ACR_NEMA), (PACS, ORTHANC)):
        for title in TRIED:
            route = Route(stray, STRAY.ae_title, hospital.host(machine), title, port)
            call(hospital, route, "echoscu", ok=(0, 1))
    hospital.network.unplug(stray)


@scene(
    "the ultrasound machines send a test image to the archive, in clear text",
    "DCMTK",
    "pydicom",
    days=(2,),
    again=range(30, 120, 28),
    at="06:30",
)
def quality_images(hospital: Hospital) -> None:
    for machine in ULTRASOUND:
        route = Route(hospital.host(machine), machine.ae_title, hospital.host(PACS), FORMER["sono"], ORTHANC)
        call(hospital, route, "storescu", "-R", files=[study(hospital, machine)])
