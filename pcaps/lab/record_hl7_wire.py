"""HL7 v2 as it really crosses a wire: framing, delimiters, character sets, versions, pieces and beginnings missed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from _fleet import COBAS, EGATEWAY, EHR, ENGINE, LIS_HL7, Machine
from _hl7 import (
    CODING,
    MLLP,
    UNSOLICITED,
    Header,
    Seen,
    acknowledge,
    control,
    message,
    observations,
    patient,
    recoded,
    request,
)
from _lab import Lab, scenario
from _mllp import (
    NODE,
    NODE_CLIENT,
    NODE_SERVER,
    PYTHON_HL7,
    SOCAT,
    listening,
    node_send,
    node_serve,
    send,
    send_raw,
    stream,
)
from hl7.client import RECV_BUFFER, MLLPClient
from hl7.mllp.streams import CARRIAGE_RETURN, END_BLOCK, START_BLOCK
from record_hl7_administration import RIS_HL7, admission
from record_hl7_monitors import order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _net import Host

COMMIT = "\x06"
MIDDLE = "one lane begins inside a message, the next message is read"


def pair(lab: Lab) -> tuple[Host, Host]:
    """Plug in the record system and the interface engine."""
    return lab.host(EHR), lab.host(ENGINE)


def frame(text: str) -> bytes:
    """Return a block of MLLP."""
    return b"%b%b%b%b" % (START_BLOCK, text.encode(), END_BLOCK, CARRIAGE_RETURN)


@contextlib.contextmanager
def talking(host: Host, peer: Host) -> Iterator[MLLPClient]:
    """Connect by python-hl7's blocking client for the block."""
    with host.inside(), MLLPClient(peer.ip, MLLP) as client:
        yield client


def until(client: MLLPClient, got: bytes, wanted: bytes) -> None:
    """Read on until something wanted has come."""
    while wanted not in got:
        got += client.socket.recv(RECV_BUFFER)


# ------------------------------------------------------------------ characters


@scenario(
    "hl7/odd_separators",
    "Other delimiters than the usual: field #, component *, repetition @, escape !, subcomponent %.",
    PYTHON_HL7,
    expect=("values written with the standard delimiters: MINDRAY_EGATEWAY^00A037FFFE9B02C1^EUI-64",),
)
def odd_separators(lab: Lab) -> None:
    gateway, engine, c = lab.host(EGATEWAY), lab.host(ENGINE), lab.canaries
    header = Header(EGATEWAY, ENGINE, UNSOLICITED, control(c), "2.6", more={21: "A^B^1.2.3^ISO~C^D^1.2.4^ISO"})
    seen = Seen("69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC", "", device="00A037FFFE714E01^^00A037FFFE714E01^EUI-64")
    text = message(header, patient(c), request(c, "MON^MON^LOCAL"), *observations(c, seen))
    with lab.capture(), listening(engine):
        send(gateway, engine, recoded(text, "#*@!%"))


@scenario(
    "hl7/escapes",
    "Escape sequences in names: \\T\\, \\S\\, \\F\\, \\R\\, \\E\\, \\X..\\, and formatting in a result.",
    PYTHON_HL7,
    expect=("sending application R&D|LAB, facility A^B\\C~D",),
)
def escapes(lab: Lab) -> None:
    sender = Machine(
        "research", "8c:ec:4b:0c:5a:11", "10.20.7.81", application="R\\T\\D\\F\\LAB", facility="A\\S\\B\\E\\C\\R\\D"
    )
    research, engine, c = lab.host(sender), lab.host(ENGINE), lab.canaries
    header = Header(sender, ENGINE, UNSOLICITED, control(c), "2.5.1", more={22: "Inst\\X697475\\te&sub^L"})
    value = f"\\H\\{c.token('bold')}\\N\\\\.br\\{c.token('line')}\\T\\{c.token('rest')}"
    seen = Seen("TXT^Text^LOCAL", value, kind="FT", place="")
    with lab.capture(), listening(engine):
        send(research, engine, message(header, patient(c), request(c, "TXT^T\\T\\T^LOCAL"), *observations(c, seen)))


def named(lab: Lab, sender: Machine, charset: str, encoding: str, family: str) -> None:
    """Record an admission of which names are written in a character set."""
    host, engine, c = lab.host(sender), lab.host(ENGINE), lab.canaries
    text = admission(c, sender=sender, more={17: "DEU", 18: charset, 19: "de^German^ISO639"})
    text = text.replace("^INVENTED", f"^{family}", 1)
    with lab.capture(), listening(engine, encoding=encoding):
        send(host, engine, text, encoding=encoding)


@scenario(
    "hl7/unicode",
    "Names of systems in UTF-8, as MSH-18 says.",
    PYTHON_HL7,
    expect=("sending application 検査部, facility Universitätsspital Zürich",),
)
def unicode(lab: Lab) -> None:
    sender = Machine(
        "zurich", "8c:ec:4b:0c:5a:12", "10.20.7.82", application="検査部", facility="Universitätsspital Zürich"
    )
    named(lab, sender, "UNICODE UTF-8", "utf-8", "MÜLLER")


@scenario(
    "hl7/latin1",
    "Names of systems in ISO 8859-1, as MSH-18 says.",
    PYTHON_HL7,
    expect=("sending application RÖNTGEN, facility Clínica São José",),
)
def latin1(lab: Lab) -> None:
    sender = Machine("clinica", "8c:ec:4b:0c:5a:13", "10.20.7.83", application="RÖNTGEN", facility="Clínica São José")
    named(lab, sender, "8859/1", "iso8859-1", "PEÑA")


@scenario(
    "hl7/gb18030",
    "Names of systems in GB 18030-2000, of which second bytes may look like delimiters.",
    PYTHON_HL7,
    expect=("sending application 检验科, facility 总医院",),
)
def gb18030(lab: Lab) -> None:
    sender = Machine("beijing", "8c:ec:4b:0c:5a:14", "10.20.7.84", application="检验科", facility="总医院")
    named(lab, sender, "GB 18030-2000", "gb18030", "張")


@scenario(
    "hl7/versions",
    "Six versions by six senders: 2.1, 2.2, 2.3.1, 2.4, 2.6 and 2.8.2, each with the MSH-9 of its time.",
    PYTHON_HL7,
    expect=("one version each",),
)
def versions(lab: Lab) -> None:
    engine, c = lab.host(ENGINE), lab.canaries
    kinds = {
        "2.1": "ORU",
        "2.2": "ORU^R01",
        "2.3.1": "ORU^R01",
        "2.4": UNSOLICITED,
        "2.6": UNSOLICITED,
        "2.8.2^AUS&Australia&ISO3166_1": UNSOLICITED,
    }
    sent, oldest = [], Machine("", "", "", application="SYSTEM0", facility="WARD")
    for n, (version, kind) in enumerate(kinds.items()):
        sender = Machine(
            f"system-{n}", f"00:50:56:a4:31:0{n}", f"10.20.3.10{n}", application=f"SYSTEM{n}", facility="WARD"
        )
        sent.append(
            (lab.host(sender), message(Header(sender, ENGINE, kind, control(c, f"control{n}"), version), patient(c)))
        )

    def answer(text: str) -> list[str]:
        if "|ORU^" in text:
            return [acknowledge(text)]
        return [message(Header(ENGINE, oldest, "ACK", "A1", "2.1"), f"MSA|AA|{text.split('|')[9]}")]

    with lab.capture(), listening(engine, answer):
        for host, text in sent:
            send(host, engine, text)


@scenario(
    "hl7/no_application",
    "A sender leaves MSH-3 and MSH-4 empty and is accepted.",
    PYTHON_HL7,
    expect=("no identity", "the receiver answers as MIRTH"),
)
def no_application(lab: Lab) -> None:
    nameless = Machine("nameless", "8c:ec:4b:0c:5a:15", "10.20.7.85")
    host, engine = lab.host(nameless), lab.host(ENGINE)
    with lab.capture(), listening(engine):
        send(host, engine, admission(lab.canaries, sender=nameless))


# ------------------------------------------------------------------ framing


@scenario(
    "hl7/several_in_one_segment",
    "Three messages in one TCP segment, of which the second is rejected; the answers come one by one.",
    PYTHON_HL7,
    expect=("accepted, rejected, accepted, by control id",),
)
def several_in_one_segment(lab: Lab) -> None:
    records, engine = pair(lab)
    triggers = ("A01", "A08", "A03")
    texts = [
        admission(lab.canaries, number=n, trigger=t).replace(patient(lab.canaries), "PID|1")
        for n, t in enumerate(triggers)
    ]

    def answer(text: str) -> list[str]:
        return [acknowledge(text, "AR" if "^A08^" in text else "AA")]

    with lab.capture(), listening(engine, answer):
        stream(records, engine, *texts, answers=len(texts))


@scenario(
    "hl7/answers_late_and_swapped",
    "Three messages at once; the answers come in another order than the questions.",
    PYTHON_HL7,
    expect=("AE belongs to the first, AA to the second and third",),
)
def answers_swapped(lab: Lab) -> None:
    records, engine = pair(lab)
    waiting: list[str] = []

    def answer(text: str) -> list[str]:
        waiting.append(acknowledge(text, "AA" if waiting else "AE"))
        return waiting[::-1] if len(waiting) == len(texts) else []

    texts = [admission(lab.canaries, number=n, security="") for n in range(3)]
    with lab.capture(), listening(engine, answer):
        stream(records, engine, *texts, answers=len(texts))


@scenario(
    "hl7/in_pieces",
    "A message that crosses in pieces of 23 bytes, as a serial adapter passes it on.",
    PYTHON_HL7,
    expect=("as if it had come whole",),
)
def in_pieces(lab: Lab) -> None:
    records, engine = pair(lab)
    with lab.capture(), listening(engine):
        stream(records, engine, admission(lab.canaries), answers=1, piece_bytes=23)


@scenario(
    "hl7/keep_alive",
    "Empty frames between messages, which the receiver answers by empty frames.",
    PYTHON_HL7,
    expect=("empty frames say nothing and end nothing",),
)
def keep_alive(lab: Lab) -> None:
    records, engine = pair(lab)
    texts = [admission(lab.canaries, number=n) for n in (0, 1)]
    with lab.capture(), listening(engine):
        send(records, engine, "", texts[0], "", "", texts[1])


@scenario(
    "hl7/no_start_block",
    "A sender forgets the start block (0BH); the receiver hangs up.",
    PYTHON_HL7,
    expect=("outcome unknown",),
)
def no_start_block(lab: Lab) -> None:
    records, engine = pair(lab)
    with lab.capture(), listening(engine):
        send_raw(records, engine, admission(lab.canaries).encode() + b"\x1c\r")


def batch(lab: Lab, *, file: bool = True) -> str:
    """Return a batch of two results, in a file or not."""
    c = lab.canaries
    inside = []
    for n in (0, 1):
        header = Header(COBAS, LIS_HL7, "ORU^R01^ORU_R01", control(c, f"control{n}"), "2.5.1")
        seen = Seen("TSH^TSH^99ROC", c.token("result", 8), place="")
        inside.append(message(header, patient(c), order(c), request(c, "TSH^TSH^99ROC"), *observations(c, seen)))
    names = f"{COBAS.application}|{COBAS.facility}|{LIS_HL7.application}|{LIS_HL7.facility}|20261125060000"
    heads = [
        f"{name}{CODING}|{names}||{c.token('batch name')}|{c.words('batch comment')}|B1" for name in ("FHS", "BHS")
    ]
    tails = [f"BTS|2|{c.words('batch end')}", "FTS|1"]
    lines = [*(heads if file else heads[1:]), *(text.rstrip("\r") for text in inside), *(tails if file else tails[:1])]
    return "".join(f"{line}\r" for line in lines)


@scenario(
    "hl7/batch",
    "A file of one batch of two messages (FHS, BHS, BTS, FTS) in one frame; each message is answered.",
    NODE_CLIENT,
    NODE_SERVER,
    NODE,
    expect=("FHS and BHS name the sender too; framing batch",),
)
def batch_framed(lab: Lab) -> None:
    middleware, system = lab.host(COBAS), lab.host(LIS_HL7)
    node_serve(lab, system, "server")
    with lab.capture():
        node_send(lab, middleware, system, "client", batch(lab), options="file 2")


@scenario(
    "hl7/batch_unframed",
    "The same without MLLP framing and without an answer, as a nightly file is sent.",
    SOCAT,
    expect=("framing batch or none", "outcome unknown"),
)
def batch_unframed(lab: Lab) -> None:
    middleware, system, port = lab.host(COBAS), lab.host(LIS_HL7), 20001
    lab.serve(system, ["socat", "-u", f"TCP4-LISTEN:{port},reuseaddr", "OPEN:received,creat"], port)
    with lab.capture():
        lab.run(middleware, ["socat", "-u", "STDIN", f"TCP4:{system.ip}:{port}"], batch(lab, file=False).encode())


@scenario(
    "hl7/mllp_release_2",
    "MLLP release 2: each block is committed by a block that holds 06H only, then answered.",
    "pcaps/lab/record_hl7_wire.py, framed by",
    PYTHON_HL7,
    expect=("06H is no acknowledgment of the application",),
    synthetic=True,
)
def release_2(lab: Lab) -> None:
    records, engine = pair(lab)

    def answer(text: str) -> list[str]:
        return [] if text == COMMIT else [COMMIT, acknowledge(text)]

    with lab.capture(), listening(engine, answer), talking(records, engine) as client:
        until(client, client.send_message(admission(lab.canaries)), b"MSA|")
        client.socket.send(frame(COMMIT))


@scenario(
    "hl7/both_ways",
    "Both sides send on one connection: middleware its results, the laboratory's system an order.",
    PYTHON_HL7,
    expect=("both sides are senders and both acknowledge",),
)
def both_ways(lab: Lab) -> None:
    middleware, system, c = lab.host(COBAS), lab.host(LIS_HL7), lab.canaries
    results = message(Header(COBAS, LIS_HL7, UNSOLICITED, control(c), "2.5.1"), patient(c), request(c, "TSH^TSH^99ROC"))
    wanted = Header(LIS_HL7, COBAS, "OML^O21^OML_O21", control(c, "control of the order"), "2.5.1")
    wish = message(wanted, patient(c), order(c))

    def answer(text: str) -> list[str]:
        return [] if "MSA|" in text else [acknowledge(text), wish]

    with lab.capture(), listening(system, answer), talking(middleware, system) as client:
        until(client, client.send_message(results), b"ORC|")
        client.socket.send(frame(acknowledge(wish)))


# ------------------------------------------------------------------ beginnings missed


@scenario(
    "hl7/started_in_the_middle",
    "The sensor is started when a feed has been open for long: no handshake, no first message.",
    PYTHON_HL7,
    expect=("the messages after the start are read",),
)
def started_in_the_middle(lab: Lab) -> None:
    records, engine = pair(lab)
    texts = [admission(lab.canaries, number=n) for n in range(3)]
    with listening(engine), talking(records, engine) as client:
        client.send_message(texts[0])
        with lab.capture():
            for text in texts[1:]:
                client.send_message(text)


@scenario(
    "hl7/started_in_a_message",
    "The sensor is started while a message crosses.",
    PYTHON_HL7,
    expect=(MIDDLE,),
)
def started_in_a_message(lab: Lab) -> None:
    records, engine = pair(lab)
    texts = [admission(lab.canaries, number=n) for n in (0, 1)]
    first = frame(texts[0])
    cut = len(first) // 2
    with listening(engine), talking(records, engine) as client:
        client.socket.send(first[:cut])
        with lab.capture():
            client.send(first[cut:])
            client.send_message(texts[1])


@scenario(
    "hl7/ipv6",
    "A message over IPv6.",
    PYTHON_HL7,
    expect=("as over IPv4",),
)
def ipv6(lab: Lab) -> None:
    machines = [
        Machine(m.name, m.mac, f"fd00:20::{n}", application=m.application, facility=m.facility)
        for n, m in ((10, EHR), (11, ENGINE))
    ]
    records, engine = (lab.host(machine) for machine in machines)
    with lab.capture("ip6 and tcp"), listening(engine):
        stream(records, engine, admission(lab.canaries), answers=1)


@scenario(
    "hl7/other_port",
    "HL7 on the port of something else (104, DICOM's).",
    PYTHON_HL7,
    expect=("HL7 all the same",),
)
def other_port(lab: Lab) -> None:
    records, radiology = (
        lab.host(EHR),
        lab.host(RIS_HL7),
    )
    with lab.capture(), listening(radiology, port=104):
        send(records, radiology, admission(lab.canaries), port=104)
