"""What HL7 v2 interfaces also carry: credentials, another encoding, wrong character sets, and one who comes late."""

from __future__ import annotations

import base64

from _fleet import EHR, ENGINE, PHARMACY, Machine
from _hl7 import Header, acknowledge, control, event, message, patient, segment, stay
from _lab import Lab, scenario
from _mllp import PYTHON_HL7, listening, send, stream
from record_hl7_administration import ADMIT, NEVER, admission
from record_hl7_wire import pair

LATE, ALL = 50, 60
XML = """<?xml version="1.0" encoding="UTF-8"?>
<ADT_A01 xmlns="urn:hl7-org:v2xml"><MSH><MSH.1>|</MSH.1><MSH.2>^~\\&amp;</MSH.2>
<MSH.3><HD.1>EPIC</HD.1></MSH.3><MSH.4><HD.1>GENERALHOSPITAL</HD.1></MSH.4>
<MSH.9><MSG.1>ADT</MSG.1><MSG.2>A01</MSG.2><MSG.3>ADT_A01</MSG.3></MSH.9><MSH.10>{control}</MSH.10>
<MSH.11><PT.1>P</PT.1></MSH.11><MSH.12><VID.1>2.5.1</VID.1></MSH.12></MSH>
<PID><PID.3><CX.1>{number}</CX.1></PID.3><PID.5><XPN.1><FN.1>{family}</FN.1></XPN.1></PID.5></PID></ADT_A01>
"""


@scenario(
    "hl7/credential",
    "A UAC segment (v2.6) carries a SAML assertion of the user in base64.",
    PYTHON_HL7,
    expect=("nothing of the credential; the segment's name only",),
)
def credential(lab: Lab) -> None:
    records, engine = pair(lab)
    c = lab.canaries
    assertion = f"<saml:Assertion><saml:Subject>{c.token('user', 12)}</saml:Subject></saml:Assertion>".encode()
    data = c.plant(base64.b64encode(assertion).decode())
    uac = segment("UAC", {1: "SAML^^HL70615", 2: f"^TEXT^XML^Base64^{data}"})
    header = Header(EHR, ENGINE, ADMIT, control(c), "2.6")
    with lab.capture(), listening(engine):
        send(records, engine, message(header, uac, event(c, "A01"), patient(c), stay(c)))


@scenario(
    "hl7/xml_encoding",
    "A message in the XML encoding of HL7 v2 inside an MLLP frame, then one in the usual encoding.",
    PYTHON_HL7,
    expect=("the second message is read",),
)
def xml_encoding(lab: Lab) -> None:
    records, engine = pair(lab)
    c = lab.canaries
    text = XML.format(control=control(c, "xml"), number=c.token("patient number"), family=c.token("xml family"))

    def answer(asked: str) -> list[str]:
        return [acknowledge(admission(c, number=1) if asked.startswith("<") else asked)]

    with lab.capture(), listening(engine, answer):
        send(records, engine, text, admission(c))


@scenario(
    "hl7/wrong_charset",
    "Names in UTF-8 where MSH-18 says ISO 8859-1, and in ISO 8859-1 where it says nothing.",
    PYTHON_HL7,
    expect=("some text for both, never an error",),
)
def wrong_charset(lab: Lab) -> None:
    engine = lab.host(ENGINE)
    senders = [
        Machine(f"site-{n}", f"8c:ec:4b:0c:5a:2{n}", f"10.20.7.9{n}", application="RÖNTGEN", facility="MÜNCHEN")
        for n in (1, 2)
    ]
    hosts = [lab.host(machine) for machine in senders]
    said = ({18: "8859/1"}, {})
    texts = [admission(lab.canaries, number=n, sender=m, more=said[n]) for n, m in enumerate(senders)]
    with lab.capture():
        for host, text, encoding in zip(hosts, texts, ("utf-8", "iso8859-1"), strict=True):
            with listening(engine, encoding=encoding):
                send(host, engine, text, encoding=encoding)


@scenario(
    "hl7/blank_before_header",
    "A carriage return and a blank stand before MSH, inside the frame.",
    PYTHON_HL7,
    expect=("the message is read, or an anomaly says why not",),
)
def blank_before_header(lab: Lab) -> None:
    records, engine = pair(lab)
    with lab.capture(), listening(engine, lambda text: [acknowledge(text.lstrip())]):
        send(records, engine, f"\r {admission(lab.canaries)}")


@scenario(
    "hl7/late_sender",
    "An engine passes on sixty messages at once, without acknowledgement; from the 51st on another system speaks.",
    PYTHON_HL7,
    expect=("PHARMACY is seen too, 25 kB into the turn",),
)
def late_sender(lab: Lab) -> None:
    records, engine = pair(lab)
    senders = [EHR] * LATE + [PHARMACY] * (ALL - LATE)
    texts = [admission(lab.canaries, sender=m, more=NEVER, number=n) for n, m in enumerate(senders)]
    with lab.capture(), listening(engine, lambda _text: []):
        stream(records, engine, *texts, answers=0)
