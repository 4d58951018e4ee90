"""Devices that call their makers' clouds, and well-kept machines that fetch updates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from _fleet import Machine
from _pki import Pki
from _story import EPOCH, known_as, opening, scene
from _truth import device, identity, must, must_not
from _web import NGINX, Site, curl, nginx
from wing_desktops import PCR1
from wing_remote import MR3

if TYPE_CHECKING:
    from pathlib import Path

    from _pki import Credential
    from _story import Hospital

EMBEDDED = ("--http1.1", "--no-alpn")  # a device's own client knows neither HTTP/2 nor how to ask for it
OLDEST = "ECDHE-RSA-AES128-SHA:@SECLEVEL=0"

CLOUD_MR = device(Machine("cloud-mr", "", "203.0.113.80"), role="vendor cloud", told={"role": "tls"})
CLOUD_US = device(Machine("cloud-us", "", "203.0.113.81"), role="vendor cloud", told={"role": "tls"})
CLOUD_VENT = device(Machine("cloud-vent", "", "203.0.113.82"), role="vendor cloud", told={"role": "tls"})
CLOUD_BEDS = device(Machine("cloud-beds", "", "198.51.100.83"), role="vendor cloud", told={"role": "http"})
CLOUD_PCR = device(Machine("cloud-pcr", "", "198.51.100.84"), role="vendor cloud", told={"role": "tls"})
UPDATES = device(Machine("updates", "", "198.51.100.90"), role="update server", told={"role": "tls"})
AT_MR = known_as("connect.siemens-healthineers.example", CLOUD_MR.ip)
AT_US = known_as("insite.gehealthcare.example", CLOUD_US.ip)
AT_VENT = known_as("hub.draeger.example", CLOUD_VENT.ip)
AT_BEDS = known_as("telemetry.baxter.example", CLOUD_BEDS.ip)
AT_PCR = known_as("navify.roche.example", CLOUD_PCR.ip)
AT_UPDATES = known_as("updates.debian.example", UPDATES.ip)

US9 = device(Machine("us9", "44:4b:5d:55:00:40", "10.21.2.102"), vendor="GE HealthCare")
VENT_HUB = device(Machine("vent-hub1", "00:10:5d:55:00:41", "10.21.3.104"), vendor="Dräger")
BED_HUB = device(
    Machine("bed-hub1", "00:17:b9:55:00:42", "10.21.3.105"),
    vendor="Baxter",
    role="device gateway",
    told={"role": "http"},
)
KEPT = (
    device(Machine("kept-ws1", "64:4e:d7:55:00:43", "10.21.5.95"), vendor="HP Inc."),
    device(Machine("kept-srv1", "00:50:56:55:00:44", "10.21.1.106")),
)


@dataclass
class Trust:
    """Whom the devices trust, and what the ventilators' hub proves itself with."""

    authority: Path
    hub: Credential


@opening(NGINX)
def clouds(hospital: Hospital) -> None:
    """Start the clouds, on machines of the internet."""
    pki = Pki(hospital, "pki-clouds")
    pki.now = EPOCH
    web = pki.root("Invented Web CA")
    devices = pki.root("Invented Ventilator CA")
    hospital.share(Trust(web.cert, pki.client(VENT_HUB.name, devices, key="ec:P-256")))

    def shown(name: str, key: str = "ec:P-256") -> Credential:
        return pki.server(name, web, key=key)

    sites = {
        CLOUD_MR: Site(AT_MR, shown(AT_MR), "TLSv1.2"),
        CLOUD_US: Site(AT_US, shown(AT_US, "rsa:2048"), "TLSv1", OLDEST),
        CLOUD_VENT: Site(AT_VENT, shown(AT_VENT), "TLSv1.2", lets_in=devices.cert),
        CLOUD_BEDS: Site(AT_BEDS),
        CLOUD_PCR: Site(AT_PCR, shown(AT_PCR), "TLSv1.3"),
        UPDATES: Site(AT_UPDATES, shown(AT_UPDATES), "TLSv1.3", http2=True),
    }
    for machine, site in sites.items():
        nginx(hospital, hospital.internet(machine), site)


def _call(hospital: Hospital, machine: Machine, name: str, *options: str) -> None:
    trust = ["--cacert", str(hospital.find(Trust).authority)]
    curl(hospital, hospital.host(machine), f"https://{name}/status", *trust, *options)


@scene("an MR calls its maker's cloud", NGINX, "curl", days=(0,), again=range(0, 120, 2), at="01:10")
def mr_calls(hospital: Hospital) -> None:
    """Ask over TLS 1.2."""
    _call(hospital, MR3, AT_MR, *EMBEDDED)


@scene(
    "an ultrasound calls its cloud over TLS 1.0",
    NGINX,
    "curl",
    days=(0,),
    again=range(0, 120, 3),
    at="01:20",
)
def us_calls(hospital: Hospital) -> None:
    """Ask over the only version that it knows, and trust whoever answers."""
    _call(hospital, US9, AT_US, "--insecure", "--tlsv1.0", "--tls-max", "1.0", "--ciphers", OLDEST, *EMBEDDED)


@scene("a hub calls its maker's cloud with a certificate", NGINX, "curl", days=(0,), again=range(0, 120, 2), at="01:30")
def hub_calls(hospital: Hospital) -> None:
    """Ask over mutual TLS 1.2."""
    hub = hospital.find(Trust).hub
    _call(hospital, VENT_HUB, AT_VENT, "--cert", str(hub.cert), "--key", str(hub.key), *EMBEDDED)


@scene("beds report to their maker's cloud in clear", NGINX, "curl", days=(0,), again=range(0, 120, 2), at="01:40")
def beds_call(hospital: Hospital) -> None:
    """Post a report over HTTP, with the key that the cloud knows the hub by."""
    key = hospital.canaries.token("api-key", 24)
    headers = ["-A", "BedHub/2.1", "-H", "Content-Type: application/json", "-H", f"X-API-Key: {key}"]
    report = ["-d", '{"beds": 12, "invented": true}']
    curl(hospital, hospital.host(BED_HUB), f"http://{AT_BEDS}/v1/report", *headers, *report)


@scene("an analyser calls its maker's cloud over TLS 1.3", NGINX, "curl", days=(0,), again=range(0, 120, 3), at="01:50")
def pcr_calls(hospital: Hospital) -> None:
    """Ask over TLS 1.3, which leaves the cloud's name to be seen."""
    _call(hospital, PCR1, AT_PCR, *EMBEDDED)


@scene("well-kept machines fetch updates", NGINX, "curl", days=(0,), again=range(0, 120, 6), at="03:40")
def updates(hospital: Hospital) -> None:
    """Ask over TLS 1.3 and HTTP/2, and check whom they ask."""
    for machine in KEPT:
        _call(hospital, machine, AT_UPDATES, "--http2")


for _cloud, _name in ((CLOUD_MR, AT_MR), (CLOUD_US, AT_US), (CLOUD_VENT, AT_VENT)):
    identity("certificate-key", _name, "tls", users=(_cloud.name,), belongs_to="vendor")
identity("certificate-key", VENT_HUB.name, "tls", users=(VENT_HUB.name,), peers=(CLOUD_VENT.name,))
identity("api-key", "X-API-Key", "http", users=(BED_HUB.name,), peers=(CLOUD_BEDS.name,))
must("TLS-001", "tls", device=CLOUD_US.name, why="TLS 1.0")
must("TLS-002", "tls", device=US9.name, why="offers TLS 1.0 at most")
must("HTTP-004", "http", device=BED_HUB.name, why="an API key in clear")
for _caller in (MR3, US9, VENT_HUB, BED_HUB, PCR1):
    must("VRA-003", "", device=_caller.name, why="a clinical device calls the internet itself")
for _kept in KEPT:
    must_not("VRA-003", "updates, from a well-kept machine", device=_kept.name)
