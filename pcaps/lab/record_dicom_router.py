"""A router between modalities and archive: the sender's address is not the device that the object describes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from _archive import DICOM, ORTHANC, Route, call, orthanc
from _fleet import CT, MR, PACS, ROUTER, US
from _lab import Lab, scenario
from _net import LabError
from _objects import image, save

if TYPE_CHECKING:
    from pathlib import Path

FORWARD = (
    "function OnStoredInstance(instance, tags, metadata, origin)\n  Delete(SendToModality(instance, 'archive'))\nend\n"
)
PATIENCE_S = 20


def wait_for_files(folder: Path, count: int) -> None:
    """Wait until the archive holds so many objects. Raises LabError when they do not come."""
    deadline = time.monotonic() + PATIENCE_S
    while len(list(folder.iterdir())) < count:
        if time.monotonic() > deadline:
            raise LabError("the router did not forward everything")
        time.sleep(0.1)


@scenario(
    "dicom/router",
    "Three modalities of three makers send to a router (Orthanc), which forwards all to the archive.",
    "Orthanc",
    "DCMTK",
    "pydicom",
    expect=(
        "EDGEROUTER sends objects of Siemens, Philips and GE devices: none of them is the router",
        "each object crosses twice, with the same described device",
    ),
)
def router(lab: Lab) -> None:
    edge, archive = lab.host(ROUTER), lab.host(PACS)
    script, stored = lab.workdir / "forward.lua", lab.folder("stored")
    script.write_text(FORWARD)
    lab.serve(archive, ["storescp", "-aet", PACS.ae_title, "-od", str(stored), str(DICOM)], DICOM)
    orthanc(
        lab,
        edge,
        ROUTER.ae_title,
        ORTHANC,
        LuaScripts=[str(script)],
        DicomModalities={"archive": [PACS.ae_title, archive.ip, DICOM]},
    )
    senders = [(machine, lab.host(machine)) for machine in (CT, MR, US)]
    with lab.capture():
        for machine, host in senders:
            path = save(image(machine, lab.canaries, side=16, key=machine.name), lab.workdir / f"{machine.name}.dcm")
            call(lab, Route(host, machine.ae_title, edge, ROUTER.ae_title, ORTHANC), "storescu", "-R", files=[path])
        wait_for_files(stored, len(senders))
        time.sleep(1)
