"""Servers of the DICOM scenarios: Orthanc and the DCMTK tools, each configured for one scenario."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from pathlib import Path

    from _lab import Lab
    from _net import Host

ACR_NEMA = 104
DICOM = 11112
DICOM_TLS = 2762
ORTHANC = 4242


@dataclass(frozen=True)
class Route:
    """Who calls whom: host and title of both application entities, and the port."""

    host: Host
    calling: str
    peer: Host
    called: str
    port: int


def call(
    lab: Lab,
    route: Route,
    tool: str,
    *options: str,
    files: Sequence[Path] = (),
    ok: tuple[int, ...] = (0,),
    env: dict[str, str] | None = None,
) -> None:
    """Run one of DCMTK's clients to its end: echoscu, storescu, findscu, movescu or getscu."""
    where = ["-aet", route.calling, "-aec", route.called, route.peer.ip, str(route.port)]
    lab.run(route.host, [tool, *options, *where, *map(str, files)], ok=ok, env=env)


def orthanc(lab: Lab, host: Host, ae_title: str, port: int = ORTHANC, **settings: Any) -> subprocess.Popen[bytes]:
    """Start Orthanc with DICOM only (its HTTP server stays on the host's loopback)."""
    folder = lab.folder(f"orthanc-{host.name}")
    config = {
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "Plugins": [],
        "DicomAet": ae_title,
        "DicomPort": port,
        "HttpPort": 8042,
        "RemoteAccessAllowed": False,
        "DicomCheckCalledAet": False,
        "ExecuteLuaEnabled": False,
        **settings,
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(config))
    lab.software.append("Orthanc")
    return lab.serve(host, ["Orthanc", str(path)], port)


def dcmqrscp(
    lab: Lab,
    host: Host,
    ae_title: str,
    port: int = ACR_NEMA,
    peers: dict[str, tuple[str, str, int]] | None = None,
    *options: str,
) -> subprocess.Popen[bytes]:
    """Start DCMTK's archive. ``peers`` maps a symbol to (AE title, IP, port); with none, everybody may call."""
    folder = lab.folder(f"archive-{host.name}")
    table = [f"{symbol} = ({title}, {ip}, {at})" for symbol, (title, ip, at) in (peers or {}).items()]
    who = f"{', '.join(peers)}" if peers else "ANY"
    lines = [
        "MaxPDUSize = 16384",
        "MaxAssociations = 16",
        "HostTable BEGIN",
        *table,
        "HostTable END",
        "VendorTable BEGIN",
        "VendorTable END",
        "AETable BEGIN",
        f"{ae_title} {folder} RW (100, 1024mb) {who}",
        "AETable END",
    ]
    config = folder / "dcmqrscp.cfg"
    config.write_text("\n".join(lines) + "\n")
    lab.software.append("DCMTK")
    return lab.serve(host, ["dcmqrscp", "-c", str(config), *options, str(port)], port)


def storescp(lab: Lab, host: Host, ae_title: str, port: int = DICOM, *options: str) -> subprocess.Popen[bytes]:
    """Start DCMTK's receiver; what it receives is thrown away."""
    lab.software.append("DCMTK")
    return lab.serve(host, ["storescp", "--ignore", "-aet", ae_title, *options, str(port)], port)
