"""Ventilators over SDC and old TLS, an IntelliVue monitor over UDP, an anaesthesia machine behind a serial server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from _answering import Line, answering, calling
from _fleet import Machine
from _intellivue import announce, export
from _pki import BOTH, Pki
from _story import opening, scene
from _tls import HTTPS, WEAK, connect, serve
from _truth import device, identity, must, must_not
from wing_bedside import PIC_IX, Site

if TYPE_CHECKING:
    from _story import Hospital

SDC = "sdc11073"
SCRIPT = str(Path(__file__).with_name("_sdc.py"))
READY = 9001
VENTILATORS = "2"  # that speak SDC
SERIAL_PORT = 10001
CURIOUS = 14  # the day on which a second client turns to the monitor
ESC, SOH, CR = b"\x1b", b"\x01", b"\r"
INVOKE_ANSWER = {
    b"\x51": b"",
    b"\x52": b"8080'Primus        '04.30:04.03",
    b"\x24": b"7D  18\xd6  12",
    b"\x55": b"",
}


# ------------------------------------------------------------------ who lives there

STATION = device(
    Machine("icu-station", "00:30:e6:22:05:01", "10.21.3.5"),
    vendor="Dräger",
    device_type="workstation",
    role="SDC consumer",
    told={"device_type": "sdc", "role": "sdc"},
)
EVITA = device(
    Machine(
        "evita1", "00:30:e6:22:11:41", "10.21.3.41", manufacturer="Draeger", model="Evita V500", serial="INVASAF-0041"
    ),
    vendor="Dräger",
    device_type="ventilator",
    told=dict.fromkeys(("model", "serial", "device_type"), "sdc"),
)
HAMILTON = device(
    Machine("c6-1", "00:1e:9a:22:12:42", "10.21.3.42", manufacturer="Hamilton Medical", model="C6", serial="INV51142"),
    device_type="ventilator",
    told=dict.fromkeys(("model", "serial", "device_type"), "sdc"),
)
SERVO = device(
    Machine("servo-i", "00:25:08:22:13:43", "10.21.3.43", manufacturer="Maquet"),
)
HUB = device(
    Machine("device-hub", "00:d0:c9:22:14:09", "10.21.3.9"),
    vendor="Advantech Co., Ltd.",
    device_type="device gateway",
    told={"device_type": "medibus"},
)
MX700 = device(
    Machine(
        "mx700",
        "00:09:fb:22:15:21",
        "10.21.3.21",
        manufacturer="Philips",
        model="IntelliVue MX700",
        serial="INVDE67021",
        software="L.01.25",
    ),
    device_type="patient monitor",
    told=dict.fromkeys(("model", "serial", "device_type"), "intellivue"),
)
RESEARCH = device(Machine("research-pc", "8c:ec:4b:22:16:21", "10.21.3.121"), vendor="Dell Inc.")
SERIAL_SERVER = device(
    Machine("or1-serial", "00:80:a3:22:17:31", "10.21.3.31"), vendor="Lantronix", device_type="serial server"
)
PRIMUS = device(
    Machine("primus", "", "", manufacturer="Dräger", model="Primus", via="or1-serial"),
    device_type="anaesthesia machine",
    told=dict.fromkeys(("vendor", "model", "device_type"), "medibus"),
    synthetic="its bytes are the lab's, by the published frame format",
)

for machine in (STATION, HAMILTON):
    identity("certificate-key", f"{machine.name}.hospital.example", "tls", (machine.name,))
    must_not("MED-003", "SDC inside mutual TLS", device=machine.name)
identity("certificate-key", "servo-i", "tls", ("servo-i",), peers=("device-hub",))
must("MED-003", "sdc", device="evita1", why="it announces itself by http://, and everybody may read it")
must("TLS-001", "tls", device="servo-i", why="TLS 1.0 is all it knows")
must("TLS-004", "tls", device="servo-i", why="static RSA")
must("CERT-002", "tls", device="servo-i", why="it has no clock: its certificate begins in 1970")
must("CERT-004", "tls", device="servo-i", why="68 years")
must("CERT-005", "tls", device="servo-i", why="RSA with 1024 bits")
must("CERT-007", "tls", device="servo-i", why="self-signed")
must_not("CERT-001", "it ends in 2038", device="servo-i")
must_not("CERT-006", "SHA-1, but self-signed: nobody checks that signature", device="servo-i")
for name, protocol, since in (
    ("evita1", "sdc", 30),
    ("mx700", "intellivue", 30),
    ("research-pc", "intellivue", CURIOUS + 35),
    ("or1-serial", "medibus", 30),
    ("device-hub", "medibus", 30),
):
    must("ID-008", protocol, device=name, first_day=since, why="nobody proves anything in what it speaks")
must_not("TLS-002", "the hub offers newer versions, too", device="device-hub")
must("MED-001", "intellivue", device="mx700", first_day=CURIOUS, why="two machines read it, and nobody has to log in")
must("MED-002", "medibus", device="or1-serial", why="an anaesthesia machine answers whoever reaches the serial server")


# ------------------------------------------------------------------ SDC


def provide(hospital: Hospital, machine: Machine, bed: str, *files: Path) -> None:
    """Start a ventilator; with a key, a certificate and a root it speaks TLS only."""
    c = hospital.canaries
    what = {
        "manufacturer": machine.manufacturer,
        "model": machine.model,
        "serial": machine.serial,
        "url": "http://www.hospital.example",
        "number": "8416400",
        "friendly": f"{machine.model} {bed}",
        "firmware": "2.51.01",
        "bed": bed,
        "patient_id": c.token("patient id"),
        "given": c.token("given", 8),
        "family": c.token("family"),
        **dict(zip(("key", "cert", "root"), map(str, files), strict=False)),
    }
    path = hospital.workdir / f"{machine.name}.json"
    path.write_text(json.dumps(what))
    argv = [sys.executable, SCRIPT, "provide", machine.ip, str(READY), str(path)]
    hospital.serve(hospital.host(machine), argv, READY)


def station(hospital: Hospital, *argv: str) -> None:
    """Run the nurses' station."""
    hospital.run(hospital.host(STATION), [sys.executable, SCRIPT, *argv])


class Keys:
    """The station's files for TLS."""

    def __init__(self, *files: Path) -> None:
        self.files = [str(file) for file in files]


@scene("two ventilators are switched on (WS-Discovery)", SDC, "OpenSSL", days=[0], at="00:05")
def ventilators(hospital: Hospital) -> None:
    """Start two ventilators, one in clear and one in TLS; each says Hello."""
    site = hospital.find(Site)
    lasting = {"start": site.pki.date(-45), "end": site.pki.date(320), "key": "ec:P-256"}
    subject = "/O=Invented General Hospital/CN={0}.hospital.example"
    made = [
        site.pki.issue(
            subject.format(one.name),
            (*BOTH, f"subjectAltName = DNS:{one.name}.hospital.example, IP:{one.ip}"),
            site.root,
            **lasting,
        )
        for one in (HAMILTON, STATION)
    ]
    hospital.share(Keys(made[1].key, made[1].cert, site.root.cert))
    provide(hospital, EVITA, "B1")
    provide(hospital, HAMILTON, "B2", made[0].key, made[0].cert, site.root.cert)


@scene("the station asks who is there (WS-Discovery)", SDC, days=[0], again=range(1, 120, 4), at="05:50")
def probe(hospital: Hospital) -> None:
    """Probe by multicast; both ventilators answer with where they are."""
    station(hospital, "probe", STATION.ip, VENTILATORS)


@scene("the station reads a ventilator in clear", SDC, days=[0], again=range(20, 120, 20), at="08:00")
def reads_in_clear(hospital: Hospital) -> None:
    """Read model, serial number, MDIB and patient, subscribe, hear a report."""
    station(hospital, "consume", STATION.ip, VENTILATORS, EVITA.serial)


@scene("the station reads a ventilator over mutual TLS", SDC, "OpenSSL", days=[0], again=range(30, 120, 30), at="08:05")
def reads_in_tls(hospital: Hospital) -> None:
    """Read the other one; each side is server and client and shows a certificate."""
    station(hospital, "consume", STATION.ip, VENTILATORS, HAMILTON.serial, *hospital.find(Keys).files)


# ------------------------------------------------------------------ a ventilator of the year 2006


@opening("OpenSSL", order=60)
def old_ventilator(hospital: Hospital) -> None:
    """Serve a page by TLS 1.0 with a key of 1024 bits; the certificate was made by a machine without a clock."""
    pki = Pki(hospital, "servo-pki")
    own = ("basicConstraints = CA:FALSE", "subjectAltName = DNS:servo-i")
    dates = {"start": "19700101000000Z", "end": "20380101000000Z"}
    made = pki.issue("/O=Maquet Critical Care/CN=servo-i", own, key="rsa:1024", digest="sha1", **dates)
    serve(hospital, hospital.host(SERVO), *made.chain, "-tls1", "-cipher", "AES128-SHA@SECLEVEL=0", port=HTTPS)


@scene("the hub reads an old ventilator", "OpenSSL", days=[0], again=range(1, 120, 5), at="02:10")
def old_tls(hospital: Hospital) -> None:
    """Fetch its page; the hub would speak TLS 1.3."""
    connect(hospital, hospital.host(HUB), hospital.host(SERVO), *WEAK)


# ------------------------------------------------------------------ a monitor that exports by UDP

EXPORT = "nothing in Debian or PyPI plays a monitor that exports data: bytes by Philips' published guide"


@scene("a monitor announces itself", days=[0], again=range(1, 120), at="00:20", synthetic=EXPORT)
def monitor_announces(hospital: Hospital) -> None:
    """Broadcast a connect indication: address, model, serial number, bed."""
    announce(hospital.host(MX700), MX700)


@scene("the information centre polls it", days=[0], again=range(2, 120, 3), at="00:21", synthetic=EXPORT)
def centre_polls(hospital: Hospital) -> None:
    """Associate, poll a numeric and the patient, and leave."""
    export(hospital.host(MX700), hospital.host(PIC_IX), MX700, hospital.canaries)


@scene("a research computer polls it, too", days=[CURIOUS], again=range(21, 120, 7), at="18:30", synthetic=EXPORT)
def research_polls(hospital: Hospital) -> None:
    """Do the same from another machine: the monitor asks for no proof."""
    export(hospital.host(MX700), hospital.host(RESEARCH), MX700, hospital.canaries)


# ------------------------------------------------------------------ an anaesthesia machine behind a serial server


def framed(first: bytes, command: bytes, said: bytes = b"") -> bytes:
    """Return a Medibus frame: the sum of its bytes follows as two hexadecimal digits, then CR."""
    body = first + command + said
    return body + f"{sum(body) % 256:02X}".encode() + CR


def medibus(line: Line) -> None:
    """Answer a peer's commands as the machine does: ICC, identification, measured data, STOP."""
    while asked := line.read(CR):
        command = asked[1:2]
        line.write(framed(SOH, command, INVOKE_ANSWER[command]))


@opening(order=60)
def serial_server(hospital: Hospital) -> None:
    """Let the anaesthesia machine answer at the serial server's port."""
    hospital.open.enter_context(answering(hospital.host(SERIAL_SERVER), SERIAL_PORT, medibus))


@scene(
    "the hub reads an anaesthesia machine through a serial server",
    days=[0],
    again=range(1, 120, 4),
    at="07:45",
    synthetic="nothing in Debian or PyPI plays a machine that speaks Medibus: frames by its published description",
)
def anaesthesia(hospital: Hospital) -> None:
    """Send the four commands, each after the answer to the one before."""
    with calling(hospital.host(HUB), hospital.host(SERIAL_SERVER), SERIAL_PORT) as line:
        for command in INVOKE_ANSWER:
            line.ask(framed(ESC, command), CR)
