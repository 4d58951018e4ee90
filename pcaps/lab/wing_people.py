"""People's machines, and what runs beside them: browsers, nurse call by SIP, and the building's controllers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from _fleet import Machine
from _pki import Pki
from _software import debian
from _story import EPOCH, opening, scene
from _truth import device, identity, must, must_not
from _web import NGINX, Site, curl, nginx

if TYPE_CHECKING:
    from _net import Host
    from _story import Hospital

KAMAILIO = debian("Kamailio", "kamailio", "kamailio")
SIPSAK = debian("sipsak", "sipsak", "sipsak")
PYMODBUS, BACPYPES = "pymodbus", "bacpypes3"
MODBUS_SCRIPT, BACNET_SCRIPT = (str(Path(__file__).with_name(name)) for name in ("_modbus.py", "_bacnet.py"))
AHU_INSTANCE, BMS_INSTANCE = "1101", "1102"
SIP, MODBUS, BACNET = 5060, 502, 47808
WRITTEN = 72
WORKING_DAYS = [day for day in range(120) if (day + 2) % 7 < 5]  # day 0 is a Wednesday

ENGINEER = device(Machine("eng-laptop1", "e4:c7:67:55:00:20", "10.21.5.90"), os="Debian", told={"os": "ssh"})
SPARE = device(Machine("eng-ws1", "64:4e:d7:55:00:21", "10.21.5.91"), vendor="HP Inc.", os="Debian", told={"os": "ssh"})
NURSE_PCS = tuple(
    device(Machine(f"nurse-pc{n}", f"64:4e:d7:55:01:0{n}", f"10.21.5.{91 + n}"), vendor="HP Inc.") for n in (1, 2)
)
WARD_PC = device(
    Machine("ward-pc3", "64:4e:d7:55:01:03", "10.21.5.94"), vendor="HP Inc.", role="telephone", told={"role": "sip"}
)
ROOM = device(
    Machine("room-station7", "00:90:5e:55:00:22", "10.21.3.106"),
    vendor="Rauland-Borg",
    role="telephone",
    told={"role": "sip"},
)
NURSE_CALL = device(
    Machine("nursecall1", "00:90:5e:55:00:23", "10.21.1.102"),
    vendor="Rauland-Borg",
    role="SIP registrar",
    told={"role": "sip"},
)
PORTAL = device(Machine("portal1", "00:50:56:55:00:24", "10.21.1.105"))
BMS = device(
    Machine("bms1", "00:05:19:55:00:25", "10.21.1.103"),
    vendor="Siemens Building Technologies AG",
    role="building management",
    told={"role": "bacnet"},
)
AHU = device(
    Machine("ahu1", "00:01:05:55:00:26", "10.21.1.104"),
    vendor="Beckhoff Automation GmbH",
    role="building controller",
    told={"role": "bacnet"},
)

PORTAL_NAME = f"{PORTAL.name}.hospital.example"
CALL_REALM = "nursecall.hospital.example"
KAMAILIO_CFG = """\
#!KAMAILIO
log_stderror=yes
children=1
auto_aliases=no
listen=udp:{ip}:5060
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
request_route {{
    if (!pv_www_authenticate("{realm}", "{password}", "0")) {{
        www_challenge("{realm}", "0");
        exit;
    }}
    save("location");
}}
"""


@dataclass
class People:
    """What people's programs need: the authority that the portal's certificate is of, and the stations' password."""

    authority: Path
    password: str


@opening(NGINX, KAMAILIO, PYMODBUS, BACPYPES, order=40)
def people(hospital: Hospital) -> None:
    """Start the portal, the nurse call's registrar and the air handling unit."""
    pki = Pki(hospital, "pki-people")
    pki.now = EPOCH
    root = pki.root()
    shows = pki.server(PORTAL_NAME, root, key="ec:P-256")
    nginx(hospital, hospital.host(PORTAL), Site(PORTAL_NAME, shows, versions="TLSv1.3", http2=True))
    found = People(root.cert, hospital.canaries.token("sip-stations"))
    hospital.share(found)
    _registrar(hospital, hospital.host(NURSE_CALL), found.password)
    unit = hospital.host(AHU)
    hospital.serve(unit, [sys.executable, MODBUS_SCRIPT, "serve", unit.ip], MODBUS)
    hospital.serve(unit, [sys.executable, BACNET_SCRIPT, AHU.name, AHU_INSTANCE, unit.ip], BACNET, "udp")


def _registrar(hospital: Hospital, host: Host, password: str) -> None:
    folder = hospital.folder("kamailio")
    (folder / "kamailio.cfg").write_text(KAMAILIO_CFG.format(ip=host.ip, realm=CALL_REALM, password=password))
    files = ["-f", str(folder / "kamailio.cfg"), "-Y", str(folder), "-P", str(folder / "pid")]
    hospital.serve(host, ["kamailio", "-DD", "-E", *files], SIP, "udp")


def _read(hospital: Hospital, machine: Machine) -> None:
    trust = ["--cacert", str(hospital.find(People).authority), "--http2"]
    curl(hospital, hospital.host(machine), f"https://{PORTAL_NAME}/ward", *trust)


@scene("a nurse reads the portal", NGINX, "curl", days=(0,), again=WORKING_DAYS[::4], at="07:05")
def early_shift(hospital: Hospital) -> None:
    """Ask for a page over HTTP/2 and TLS 1.3."""
    _read(hospital, NURSE_PCS[0])


@scene("another nurse reads the portal", NGINX, "curl", days=(1,), again=WORKING_DAYS[1::4], at="14:20")
def late_shift(hospital: Hospital) -> None:
    """Ask for a page over HTTP/2 and TLS 1.3."""
    _read(hospital, NURSE_PCS[1])


def _register(hospital: Hospital, machine: Machine, user: str) -> None:
    registrar, password, station = hospital.host(NURSE_CALL), hospital.find(People).password, hospital.host(machine)
    asked = ["-U", "-i", "-s", f"sip:{user}@{registrar.ip}", "-u", user, "-a", password, "-x", "3600", "-H", station.ip]
    hospital.run(station, ["sipsak", *asked])


@scene("stations of the nurse call register", KAMAILIO, SIPSAK, days=(0,), again=range(0, 120, 4), at="06:30")
def nurse_call(hospital: Hospital) -> None:
    """Register a room's station and a ward's PC, by Digest with MD5."""
    _register(hospital, ROOM, "room7")
    _register(hospital, WARD_PC, "ward3")


@scene("the building is asked for temperatures", PYMODBUS, BACPYPES, days=(0,), again=range(0, 120, 2), at="05:00")
def building(hospital: Hospital) -> None:
    """Read the air handling unit's registers by Modbus, and its name by BACnet."""
    controller, unit = hospital.host(BMS), hospital.host(AHU)
    hospital.run(controller, [sys.executable, MODBUS_SCRIPT, "read", unit.ip])
    asked = [BMS.name, BMS_INSTANCE, controller.ip, unit.ip, AHU_INSTANCE]
    hospital.run(controller, [sys.executable, BACNET_SCRIPT, *asked])


@scene("the engineer changes a set point", PYMODBUS, days=(WRITTEN,), at="14:10")
def set_point(hospital: Hospital) -> None:
    """Write a register of the air handling unit from a laptop that is no controller."""
    hospital.run(hospital.host(ENGINEER), [sys.executable, MODBUS_SCRIPT, "write", hospital.host(AHU).ip])


for _user, _station in (("room7", ROOM), ("ward3", WARD_PC)):
    identity("account", _user, "sip", users=(_station.name,), peers=(NURSE_CALL.name,), realm=CALL_REALM)
must("SIP-001", "sip", device=NURSE_CALL.name, why="Digest with MD5, in clear")
must("MODBUS-001", "modbus", device=AHU.name, first_day=WRITTEN, why="written to by a laptop")
for _controller in (BMS, AHU):
    must("ID-008", "modbus", device=_controller.name, first_day=30, why="neither Modbus nor BACnet knows who speaks")
must_not("MODBUS-001", "reads only", device=BMS.name)
must_not("TLS-001", "TLS 1.3", device=PORTAL.name)
