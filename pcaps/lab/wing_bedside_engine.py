"""The interface engine between the record, radiology, laboratory and pharmacy systems: MLLP in clear and over TLS."""

from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

from _fleet import Machine
from _hl7 import UNSOLICITED, Seen, observations, segment
from _mllp import PYTHON_HL7, listening, send, stream
from _pki import Pki
from _pyssl import context
from _story import moment, opening, scene
from _truth import device, identity, must, must_not
from wing_bedside import MLLP, PYTHON, saying, stamp, who

if TYPE_CHECKING:
    from _pki import Credential
    from _story import Hospital

ENGINE_PORT, ENGINE_TLS = 6661, 2575
ENGINE_NAME = "engine.hospital.example"
EXPIRES, REPLACED, TEST_BEGINS = 40, 43, 20
NOON = dt.time(12)
WEEKDAYS = [day for day in range(120) if day % 7 not in (3, 4)]  # day 0 is a Wednesday
YEAR_DAYS = 365


def _server(name: str, number: int, application: str, **known: str) -> Machine:
    machine = Machine(
        name, f"00:50:56:a4:22:{number}", f"10.21.1.{number}", application=application, facility="GENERALHOSPITAL"
    )
    return device(machine, **known)


EHR = _server("ehr", 30, "EPIC", vendor="Epic", device_type="server")
ENGINE = _server("engine", 31, "MIRTH", device_type="interface engine", role="interface engine")
TEST_ENGINE = _server("engine-test", 32, "MIRTH_TEST", role="HL7 sender")
LIS = _server("lis", 36, "LIS", device_type="server")
PHARMACY = _server("pharmacy", 37, "PHARMACY", device_type="server", role="HL7 sender")
RIS = _server("ris-orders", 41, "RIS", device_type="server", role="HL7 receiver")
READING = device(
    Machine("nightreads", "", "203.0.113.12", application="NIGHTREADS", facility="TELERAD"), role="HL7 receiver"
)

for name, users, peer in (
    ("EPIC", ("ehr", "engine"), "engine"),
    ("LIS", ("lis", "engine"), "engine"),
    ("PHARMACY", ("pharmacy", "engine"), "engine"),
    ("RIS", ("ris-orders",), "engine"),
    ("MIRTH", ("engine",), "nightreads"),
    ("MIRTH_TEST", ("engine-test",), "lis"),
):
    identity("hl7-application", name, "hl7", users, peers=(peer,), realm="GENERALHOSPITAL")
identity("hl7-application", "NIGHTREADS", "hl7", ("nightreads",), peers=("engine",), realm="TELERAD")
for _key in ("expired", "new"):
    identity("certificate-key", ENGINE_NAME, "tls", ("engine",), peers=("ehr",))

for listener in (ENGINE, EHR, LIS, PHARMACY, RIS, READING):
    must("HL7-001", "hl7", device=listener.name, why="it takes patients' data in clear")
must("HL7-002", "hl7", device="pharmacy", identity="PHARMACY", why="a password in MSH-8, the same throughout")
must_not("ID-003", "four months are not a year", identity="PHARMACY")
must(
    "HL7-003",
    "hl7",
    device="lis",
    first_day=TEST_BEGINS,
    why="the test system sends T and P to its production listener",
)
must(
    "HL7-006",
    "hl7",
    device="lis",
    first_day=TEST_BEGINS,
    resolved_day=TEST_BEGINS + 8,
    why="the test system is taken at once",
)
must("HL7-005", "hl7", device="engine", why="images' reports go to a reading service outside in clear")
must("VRA-003", "", device="engine", why="a server speaks to a public address that no list allows")
must("MTLS-001", "tls", device="engine", why="its TLS listener asks the record system for no certificate")
must("CERT-003", "tls", device="engine", resolved_day=EXPIRES, why="it ends on day 40, and nobody renews it")
must("CERT-001", "tls", device="engine", first_day=EXPIRES, resolved_day=REPLACED, why="expired for three days")
must_not("HL7-004", "an engine passes on what it got, under the sender's name", device="engine")
must_not("HL7-008", "MIRTH_TEST is a name of its own", device="engine-test")


@opening(PYTHON_HL7)
def listeners(hospital: Hospital) -> None:
    """Let all systems listen in clear."""
    ports = [(ENGINE, ENGINE_PORT), *((machine, MLLP) for machine in (EHR, LIS, PHARMACY, RIS))]
    for machine, port in ports:
        hospital.open.enter_context(listening(hospital.host(machine), port=port))
    hospital.open.enter_context(listening(hospital.internet(READING), port=MLLP))


def through(
    hospital: Hospital, sender: Machine, kind: str, body: list[str], receivers: tuple[Machine, ...], secret: str = ""
) -> None:
    """Send a message to the engine, which passes it on under the sender's name; it takes a password in MSH-8 out."""
    engine = hospital.host(ENGINE)
    text = saying(hospital, sender, ENGINE, kind, *body, security=secret)
    send(hospital.host(sender), engine, text, port=ENGINE_PORT)
    for receiver in receivers:
        send(engine, hospital.host(receiver), saying(hospital, sender, receiver, kind, *body), port=MLLP)


def placer(hospital: Hospital) -> str:
    """Return an ORC of a new order."""
    return segment("ORC", {1: "NW", 2: hospital.canaries.token("placer")})


def wanted(hospital: Hospital, service: str) -> str:
    """Return an OBR."""
    return segment("OBR", {1: "1", 2: hospital.canaries.token("placer"), 4: service, 7: stamp(hospital.now)})


@scene("an admission goes to three systems", PYTHON_HL7, days=[0], again=WEEKDAYS[2::4], at="08:20")
def admission(hospital: Hospital) -> None:
    """Send ADT^A01 through the engine."""
    visit = segment("PV1", {1: "1", 2: "I", 19: hospital.canaries.token("visit")})
    event = segment("EVN", {1: "A01", 2: stamp(hospital.now)})
    through(hospital, EHR, "ADT^A01^ADT_A01", [event, who(hospital.canaries), visit], (RIS, LIS, PHARMACY))


@scene("orders for radiology and laboratory", PYTHON_HL7, days=[0], again=WEEKDAYS[3::4], at="08:35")
def orders(hospital: Hospital) -> None:
    """Send ORM^O01 to each through the engine."""
    for receiver, service in ((RIS, "CTHEAD^CT head^LOCAL"), (LIS, "TSH^TSH^LOCAL")):
        body = [who(hospital.canaries), placer(hospital), wanted(hospital, service)]
        through(hospital, EHR, "ORM^O01^ORM_O01", body, (receiver,))


@scene("results of the laboratory", PYTHON_HL7, days=[0], again=WEEKDAYS[2::3], at="11:15")
def results(hospital: Hospital) -> None:
    """Send ORU^R01 to the record through the engine."""
    seen = Seen("TSH^TSH^LOCAL", hospital.canaries.token("result", 8), "mIU/L", "")
    body = [who(hospital.canaries), wanted(hospital, "TSH^TSH^LOCAL"), *observations(hospital.canaries, seen)]
    through(hospital, LIS, UNSOLICITED, body, (EHR,))


@scene("the pharmacy dispenses, with a password in MSH-8", PYTHON_HL7, days=[0], again=WEEKDAYS[3::4], at="10:05")
def dispense(hospital: Hospital) -> None:
    """Send RDS^O13 to the engine; the password never changes, and the engine takes it out."""
    secret = hospital.canaries.token("msh-8 of the pharmacy", 14)
    given = segment(
        "RXD", {1: "1", 2: f"{hospital.canaries.token('drug')}^invented^LOCAL", 3: stamp(hospital.now), 4: "1"}
    )
    body = [who(hospital.canaries), placer(hospital), given]
    through(hospital, PHARMACY, "RDS^O13^RDS_O13", body, (EHR,), secret)


@scene(
    "the engine's test system sends test and production",
    PYTHON_HL7,
    days=[TEST_BEGINS],
    again=range(27, 120, 7),
    at="15:00",
)
def test_system(hospital: Hospital) -> None:
    """Send orders marked T and P to the laboratory's listener."""
    body = [who(hospital.canaries), placer(hospital), wanted(hospital, "K^Potassium^LOCAL")]
    texts = [
        saying(hospital, TEST_ENGINE, LIS, "ORM^O01^ORM_O01", *body, processing=mark, number=number)
        for number, mark in enumerate("TPT")
    ]
    send(hospital.host(TEST_ENGINE), hospital.host(LIS), *texts)


@scene("reports go to a reading service outside", PYTHON_HL7, days=[0], again=range(1, 120, 4), at="20:10")
def reading(hospital: Hospital) -> None:
    """Send an order for reading to the internet in clear."""
    body = [who(hospital.canaries), placer(hospital), wanted(hospital, "CTHEAD^CT head^LOCAL")]
    text = saying(hospital, ENGINE, READING, "ORM^O01^ORM_O01", *body)
    send(hospital.host(ENGINE), hospital.internet(READING), text)


# ------------------------------------------------------------------ over TLS


def certificate(hospital: Hospital) -> Credential:
    """Issue the engine's certificate: one that ends on day 40 at noon, and from day 43 on one of a year."""
    pki = Pki(hospital, f"engine-pki-{hospital.day}")
    pki.now = hospital.now if hospital.day else moment(EXPIRES, NOON) - dt.timedelta(days=YEAR_DAYS)
    dates = {"start": pki.date(0), "end": pki.date(YEAR_DAYS)}
    return pki.server(ENGINE_NAME, pki.root("Integration CA", **dates), **dates)


@scene(
    "the record sends to the engine over TLS, whose certificate ends on day 40 and is replaced on day 43",
    PYTHON_HL7,
    PYTHON,
    "OpenSSL",
    days=[0, REPLACED],
    again=[*range(2, 38, 5), *range(38, 43), *range(44, 120, 5)],
    at="13:20",
)
def over_tls(hospital: Hospital) -> None:
    """Send an update; the record system does not check the engine's certificate."""
    version = ssl.TLSVersion.TLSv1_2
    server = context(ssl.PROTOCOL_TLS_SERVER, version, certificate(hospital))
    client = context(ssl.PROTOCOL_TLS_CLIENT, version)
    event = segment("EVN", {1: "A08", 2: stamp(hospital.now)})
    text = saying(hospital, EHR, ENGINE, "ADT^A08^ADT_A01", event, who(hospital.canaries))
    records, engine = hospital.host(EHR), hospital.host(ENGINE)
    with listening(engine, port=ENGINE_TLS, tls=server):
        stream(records, engine, text, answers=1, port=ENGINE_TLS, tls=client, name=ENGINE_NAME)
