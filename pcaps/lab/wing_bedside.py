"""Monitors and their gateways: HL7 by PCD-01, in clear and over mutual TLS, and a connection that lives all day."""

from __future__ import annotations

import datetime as dt
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from _fleet import Machine
from _hl7 import PCD01, UNSOLICITED, Header, Seen, control, device_part, message, observations, segment
from _mllp import PYTHON_HL7, listening, send, stream
from _pki import CLIENT, SERVER, Pki
from _pyssl import context
from _story import opening, scene
from _truth import device, identity, must, must_not
from hl7.client import MLLPClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _canary import Canaries
    from _net import Host
    from _pki import Credential
    from _story import Hospital

PYTHON = f"Python ssl with {ssl.OPENSSL_VERSION}"
MLLP, MLLPS = 2575, 2576
DEVICE_FEED = {15: "AL", 16: "NE", 18: "UNICODE UTF-8", 21: PCD01}
MONITOR = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: the story's dates are not those of this machine's clock
SHORT_DAYS = 65
RENEWED = (0, 40, 80)  # when short-lived certificates are renewed, well before their last third


# ------------------------------------------------------------------ who lives there


CIS = device(
    Machine("cis", "00:50:56:a4:22:38", "10.21.1.38", application="CIS", facility="ICU"),
    device_type="server",
    role="HL7 receiver",
)
REPOSITORY = device(
    Machine("repository", "00:50:56:a4:22:39", "10.21.1.39", application="CDR", facility="ICU"),
    device_type="server",
)
EGATEWAY = device(
    Machine(
        "egateway",
        "00:a0:37:22:02:c1",
        "10.21.3.6",
        manufacturer="Mindray",
        model="BeneVision eGateway",
        application="MINDRAY_EGATEWAY^00A037FFFE2202C1^EUI-64",
        facility="MINDRAY",
    ),
    device_type="device gateway",
    role="device gateway",
)
PIC_IX = device(
    Machine(
        "pic-ix",
        "00:09:fb:22:40:11",
        "10.21.3.7",
        manufacturer="Philips",
        application="PHILIPS",
        facility="PIC IX",
    ),
    device_type="device gateway",
    role="device gateway",
)
QUIET_GATEWAY = device(
    Machine(
        "egateway-2",
        "00:a0:37:22:02:c2",
        "10.21.3.8",
        manufacturer="Mindray",
        application="MINDRAY_EGATEWAY^00A037FFFE2202C2^EUI-64",
        facility="MINDRAY",
    )
)
N22 = tuple(
    device(
        Machine(
            f"n22-{n}",
            f"00:a0:37:22:4e:0{n}",
            "",
            manufacturer="Mindray",
            model="BeneVision N22",
            eui64=f"00a037fffe224e0{n}",
            via="egateway",
        ),
        device_type="patient monitor",
    )
    for n in (1, 2)
)
MX500 = tuple(
    device(
        Machine(
            f"mx500-{n}",
            f"00:09:fb:22:42:b{n}",
            "",
            manufacturer="Philips",
            model="IntelliVue MX500",
            serial=f"INVDE2247{n}",
            eui64=f"0009fbffff2242b{n}",
            via="pic-ix",
        ),
        device_type="patient monitor",
    )
    for n in (3, 4)
)
VC150 = tuple(
    device(
        Machine(
            f"vc150-{n}",
            f"84:2f:75:22:31:a{n}",
            f"10.21.3.5{n}",
            manufacturer="GE HealthCare",
            model="CARESCAPE VC150",
            application="VC150",
            facility=f"842F752231A{n}",
        ),
        device_type="patient monitor",
        role="HL7 sender",
    )
    for n in (1, 2)
)

for sender in (EGATEWAY, PIC_IX, *VC150):
    identity("hl7-application", sender.application, "hl7", (sender.name,), peers=("cis",), realm=sender.facility)
    must_not("HL7-004", "each gateway and each monitor has a name or a facility of its own", device=sender.name)
identity("hl7-application", "CIS", "hl7", ("cis",), realm="ICU")
must("HL7-001", "hl7", device="cis", why="gateways and monitors report patients to it in clear")
must_not("HL7-007", "the listener acknowledges each message, however long the connection lives", device="egateway")
for quiet in (QUIET_GATEWAY, REPOSITORY):
    for _key in RENEWED:
        identity("certificate-key", f"{quiet.name}.hospital.example", "tls", (quiet.name,))
    must_not("CERT-003", "it is renewed before its last third", device=quiet.name)
    must_not("CERT-004", "two months are no long life", device=quiet.name)
    must_not("HL7-001", "inside TLS", device=quiet.name)
    must_not("MTLS-001", "both sides show a certificate", device=quiet.name)


# ------------------------------------------------------------------ what they say


def saying(
    hospital: Hospital,
    sender: Machine,
    receiver: Machine,
    kind: str,
    *body: str,
    version: str = "2.5.1",
    processing: str = "P",
    security: str = "",
    more: Mapping[int, str] | None = None,
    number: int = 0,
) -> str:
    """Return a message of the story's date; its control id is a canary, and the same each time it is sent."""
    identifier = control(hospital.canaries, f"control {sender.name} {kind} {number}")
    said = {**(more or {}), 7: stamp(hospital.now)}
    return message(Header(sender, receiver, kind, identifier, version, processing, security, said), *body)


def stamp(moment: dt.datetime) -> str:
    """Return a time as HL7 writes it (DTM)."""
    return f"{moment:%Y%m%d%H%M%S}"


def who(canaries: Canaries) -> str:
    """Return a short PID: number, name, birthday, sex of an invented patient."""
    name = f"{canaries.token('family')}^{canaries.token('given', 8)}"
    return segment("PID", {1: "1", 3: canaries.token("patient id"), 5: name, 7: canaries.date("birth"), 8: "F"})


def measured(canaries: Canaries, equipment: str, kind: str = MONITOR) -> list[str]:
    """Return the OBX of the device itself and of a pulse, which is a canary."""
    pulse = Seen("147842^MDC_ECG_HEART_RATE^MDC", canaries.token("pulse", 8), place="1.7.4.147842")
    return observations(canaries, Seen(kind, "", place="1.0.0.0", device=equipment), pulse)


def report(
    hospital: Hospital, sender: Machine, equipment: str, *extra: str, number: int = 0, receiver: Machine = CIS
) -> str:
    """Return a PCD-01 report of one monitor."""
    c = hospital.canaries
    order = segment(
        "OBR", {1: "1", 3: c.token("filler"), 4: "182777000^monitoring of patient^SCT", 7: stamp(hospital.now)}
    )
    body = [who(c), order, *extra, *measured(c, equipment)]
    more = DEVICE_FEED | ({24: f"^{sender.facility}^MAC"} if sender in VC150 else {})
    return saying(hospital, sender, receiver, UNSOLICITED, *body, version="2.6", more=more, number=number)


def eui64(monitor: Machine) -> str:
    """Return a monitor's entity identifier (EI), as a gateway of its maker writes it."""
    number = monitor.eui64.upper()
    return f"{number}^{monitor.model}^{number}^EUI-64"


@opening(PYTHON_HL7)
def listeners(hospital: Hospital) -> None:
    """Let the information system listen in clear."""
    hospital.open.enter_context(listening(hospital.host(CIS), port=MLLP))


# ------------------------------------------------------------------ one connection, all day long


@dataclass
class Feed:
    """The gateway's connection of the day."""

    client: MLLPClient

    def tell(self, host: Host, text: str) -> None:
        """Send a message and wait for its answer."""
        with host.inside():
            self.client.send_message(text)


def monitored(hospital: Hospital, number: int) -> str:
    """Return what the gateway tells of one of its two monitors."""
    return report(hospital, EGATEWAY, eui64(N22[number % 2]), number=number)


@scene("the monitors' gateway opens its connection of the day", PYTHON_HL7, days=[0], again=range(1, 120), at="06:10")
def feed_opens(hospital: Hospital) -> None:
    """Connect and report the first monitor; the connection stays open."""
    gateway, information = hospital.host(EGATEWAY), hospital.host(CIS)
    with gateway.inside():
        feed = Feed(MLLPClient(information.ip, MLLP, "utf-8"))
    hospital.open.callback(feed.client.close)
    hospital.share(feed)
    feed.tell(gateway, monitored(hospital, 0))


@scene("the same connection at noon", PYTHON_HL7, days=[0], again=range(1, 120), at="12:40")
def feed_goes_on(hospital: Hospital) -> None:
    """Report the second monitor by it."""
    hospital.find(Feed).tell(hospital.host(EGATEWAY), monitored(hospital, 1))


@scene("the same connection ends in the evening", PYTHON_HL7, days=[0], again=range(1, 120), at="21:50")
def feed_ends(hospital: Hospital) -> None:
    """Close it."""
    hospital.find(Feed).client.close()


# ------------------------------------------------------------------ another maker's gateway, and monitors themselves


@scene("the information centre reports two monitors", PYTHON_HL7, days=[0], again=range(2, 120, 5), at="07:05")
def centre_reports(hospital: Hospital) -> None:
    """Send two reports of IntelliVue monitors, each with serial number and type in PRT (v2.8.2)."""
    sent = []
    for number, monitor in enumerate(MX500):
        text = f"8a6c3f0{number}-52d1-4f7e-9b07-1d0c5e7a44b{number}-{monitor.model} - 866064"
        equipment = f"{monitor.eui64[:6]}FFFF{monitor.eui64[10:]}^^^EUI-64~{text}"
        part = device_part(
            hospital.canaries, eui64(monitor), serial=monitor.serial, kind=f"{monitor.model}^Patient monitor"
        )
        sent.append(report(hospital, PIC_IX, equipment, part, number=number))
    send(hospital.host(PIC_IX), hospital.host(CIS), *sent)


@scene("two monitors speak for themselves", PYTHON_HL7, days=[0], again=range(3, 120, 7), at="07:30")
def monitors_report(hospital: Hospital) -> None:
    """Send one report each; MSH-4 is the monitor's own MAC address."""
    for number, monitor in enumerate(VC150):
        send(hospital.host(monitor), hospital.host(CIS), report(hospital, monitor, "", number=number))


# ------------------------------------------------------------------ as it should be


@dataclass
class Site:
    """The hospital's own authority for devices, and its certificates of today."""

    pki: Pki
    root: Credential

    def short(self, hospital: Hospital, machine: Machine, *uses: str) -> Credential:
        """Issue a certificate of two months for a machine."""
        self.pki.now = hospital.now
        name = f"{machine.name}.hospital.example"
        names = f"subjectAltName = DNS:{name}, IP:{machine.ip}"
        dates = {"start": self.pki.date(-0.5), "end": self.pki.date(SHORT_DAYS)}
        return self.pki.issue(
            f"/O=Invented General Hospital/CN={name}", (*uses, names), self.root, key="ec:P-256", **dates
        )


@opening("OpenSSL", order=20)
def authority(hospital: Hospital) -> None:
    """Make the authority that issues short-lived certificates to devices."""
    pki = Pki(hospital, "device-pki")
    pki.now = hospital.now
    hospital.share(Site(pki, pki.root("Device CA", key="ec:P-256")))


def untimed(made: ssl.SSLContext) -> ssl.SSLContext:
    """Let a context check chains, and no dates."""
    made.verify_flags |= NO_CHECK_TIME
    return made


@scene(
    "a well-kept gateway reports by mutual TLS",
    PYTHON_HL7,
    PYTHON,
    "OpenSSL",
    days=RENEWED,
    again=range(3, 120, 12),
    at="06:40",
)
def quiet_feed(hospital: Hospital) -> None:
    """Send a report; both sides show new certificates of two months."""
    site, gateway, repository = hospital.find(Site), hospital.host(QUIET_GATEWAY), hospital.host(REPOSITORY)
    root, version = str(site.root.cert), ssl.TLSVersion.TLSv1_2
    server = untimed(context(ssl.PROTOCOL_TLS_SERVER, version, site.short(hospital, REPOSITORY, *SERVER), root))
    client = untimed(context(ssl.PROTOCOL_TLS_CLIENT, version, site.short(hospital, QUIET_GATEWAY, *CLIENT), root))
    text = report(hospital, QUIET_GATEWAY, eui64(N22[0]), receiver=REPOSITORY)
    with listening(repository, port=MLLPS, tls=server):
        stream(gateway, repository, text, answers=1, port=MLLPS, tls=client, name=f"{REPOSITORY.name}.hospital.example")
