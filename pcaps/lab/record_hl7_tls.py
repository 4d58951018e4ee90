"""MLLP inside TLS: by the libraries themselves, by stunnel and socat beside them, refused, and beside clear."""

from __future__ import annotations

import contextlib
import ssl
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from _fleet import CIS, EGATEWAY, EHR, ENGINE, N22, VC150
from _hl7 import Header, message, patient
from _lab import Lab, scenario
from _mllp import (
    NODE,
    NODE_CLIENT,
    NODE_SERVER,
    PYTHON_HL7,
    SOCAT,
    STUNNEL,
    listening,
    node_send,
    node_serve,
    send_raw,
    stream,
)
from _pki import CLIENT, Pki
from _pyssl import context
from record_hl7_administration import admission
from record_hl7_monitors import report
from record_quiet import bundle, estate
from record_tls_python import PYTHON

if TYPE_CHECKING:
    from pathlib import Path

    from _net import Host
    from _pki import Credential

MLLPS = 2576
LOOPBACK = "127.0.0.1"
ENGINE_NAME, EHR_NAME = "engine.hospital.example", "ehr.hospital.example"
TLS10, TLS12, TLS13 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@dataclass(frozen=True)
class Pair:
    """The record system and the engine, with what they show to each other."""

    records: Host
    engine: Host
    shown: Credential
    own: Credential
    root: Path


def pair(lab: Lab) -> Pair:
    """Plug both in; a site's CA issues for both."""
    pki = Pki(lab)
    root = pki.root("Integration CA")
    shown, own = pki.server(ENGINE_NAME, root), pki.client(EHR_NAME, root)
    return Pair(lab.host(EHR), lab.host(ENGINE), shown, own, root.cert)


def inside_tls(lab: Lab, version: ssl.TLSVersion, *, mutual: bool) -> None:
    """Record two admissions inside TLS, both sides python-hl7 with Python's ssl."""
    p = pair(lab)
    server = context(ssl.PROTOCOL_TLS_SERVER, version, p.shown, str(p.root) if mutual else "")
    client = context(ssl.PROTOCOL_TLS_CLIENT, version, p.own if mutual else None, str(p.root))
    texts = [admission(lab.canaries, number=n) for n in (0, 1)]
    with lab.capture(), listening(p.engine, port=MLLPS, tls=server):
        stream(p.records, p.engine, *texts, answers=2, port=MLLPS, tls=client, name=ENGINE_NAME)


@scenario("hl7/tls10", "MLLP inside TLS 1.0, the server shows a certificate.", PYTHON_HL7, PYTHON, expect=("TLS-001",))
def tls10(lab: Lab) -> None:
    inside_tls(lab, TLS10, mutual=False)


@scenario("hl7/tls12_server_only", "MLLP inside TLS 1.2, only the server shows a certificate.", PYTHON_HL7, PYTHON)
def tls12_server_only(lab: Lab) -> None:
    inside_tls(lab, TLS12, mutual=False)


@scenario("hl7/tls12_mutual", "MLLP inside TLS 1.2, both sides show a certificate.", PYTHON_HL7, PYTHON)
def tls12_mutual(lab: Lab) -> None:
    inside_tls(lab, TLS12, mutual=True)


@scenario("hl7/tls13_server_only", "MLLP inside TLS 1.3, only the server shows a certificate.", PYTHON_HL7, PYTHON)
def tls13_server_only(lab: Lab) -> None:
    inside_tls(lab, TLS13, mutual=False)


@scenario("hl7/tls13_mutual", "MLLP inside TLS 1.3, both sides show a certificate.", PYTHON_HL7, PYTHON)
def tls13_mutual(lab: Lab) -> None:
    inside_tls(lab, TLS13, mutual=True)


@scenario(
    "hl7/tls_node",
    "MLLP inside TLS between two libraries of Node.js, both sides show a certificate.",
    NODE_CLIENT,
    NODE_SERVER,
    NODE,
)
def tls_node(lab: Lab) -> None:
    p = pair(lab)
    files = [(str(c.key), bundle(c), str(p.root)) for c in (p.shown, p.own)]
    node_serve(lab, p.engine, "server", "AA", *files[0], port=MLLPS)
    with lab.capture():
        options = " ".join(("message", "1", *files[1]))
        node_send(lab, p.records, p.engine, "client", admission(lab.canaries), port=MLLPS, options=options)


def stunnel(lab: Lab, host: Host, accept: str, connect: str, own: Credential, root: Path, *, client: bool) -> None:
    """Start stunnel on a host; it asks for the peer's certificate and checks it."""
    lines = [
        "foreground = yes",
        "pid =",
        "[hl7]",
        f"client = {'yes' if client else 'no'}",
        f"accept = {accept}",
        f"connect = {connect}",
        f"cert = {bundle(own)}",
        f"key = {own.key}",
        f"CAfile = {root}",
        "verifyChain = yes",
        "sslVersionMin = TLSv1.2",
    ]
    config = lab.workdir / f"stunnel{int(client)}.conf"
    config.write_text("".join(f"{line}\n" for line in lines))
    lab.serve(host, ["stunnel4", str(config)], int(accept.rpartition(":")[2]))


def mllp_send(lab: Lab, host: Host, text: str, port: int) -> None:
    """Send a message to a port of the machine itself by python-hl7's command line."""
    path = lab.workdir / "message.hl7"
    path.write_text(f"\x0b{text}\x1c\r")
    lab.run(host, [sys.executable, "-m", "hl7.client", "-p", str(port), "-f", str(path), LOOPBACK])


@scenario(
    "hl7/tls_stunnel",
    "MLLP through a stunnel on each side: what clear devices get when TLS is asked for.",
    STUNNEL,
    PYTHON_HL7,
)
def tls_stunnel(lab: Lab) -> None:
    p = pair(lab)
    with listening(p.engine, ip=LOOPBACK):
        stunnel(lab, p.engine, f"{p.engine.ip}:{MLLPS}", f"{LOOPBACK}:2575", p.shown, p.root, client=False)
        stunnel(lab, p.records, f"{LOOPBACK}:2575", f"{p.engine.ip}:{MLLPS}", p.own, p.root, client=True)
        with lab.capture():
            mllp_send(lab, p.records, admission(lab.canaries), 2575)


@scenario(
    "hl7/tls_socat",
    "MLLP through a socat on each side; both show the same self-signed certificate and check none.",
    SOCAT,
    PYTHON_HL7,
    expect=("one self-signed certificate at both ends",),
)
def tls_socat(lab: Lab) -> None:
    records, engine, own = lab.host(EHR), lab.host(ENGINE), Pki(lab).server("interface")
    shown = f"cert={own.cert},key={own.key},verify=0"
    with listening(engine, ip=LOOPBACK):
        lab.serve(engine, ["socat", f"OPENSSL-LISTEN:{MLLPS},reuseaddr,fork,{shown}", f"TCP4:{LOOPBACK}:2575"], MLLPS)
        far = f"OPENSSL:{engine.ip}:{MLLPS},{shown}"
        lab.serve(records, ["socat", f"TCP4-LISTEN:2575,bind={LOOPBACK},reuseaddr,fork", far], 2575)
        with lab.capture():
            mllp_send(lab, records, admission(lab.canaries), 2575)


@scenario(
    "hl7/tls_refused",
    "The engine wants a certificate of its own CA; the record system shows none.",
    PYTHON_HL7,
    PYTHON,
    expect=("the server hangs up without an alert", "no channel, no HL7 in clear"),
)
def tls_refused(lab: Lab) -> None:
    p = pair(lab)
    server = context(ssl.PROTOCOL_TLS_SERVER, TLS12, p.shown, str(p.root))
    client = context(ssl.PROTOCOL_TLS_CLIENT, TLS12, None, str(p.root))
    with lab.capture(), listening(p.engine, port=MLLPS, tls=server), contextlib.suppress(OSError, EOFError):
        stream(p.records, p.engine, admission(lab.canaries), answers=1, port=MLLPS, tls=client, name=ENGINE_NAME)


@scenario(
    "hl7/clear_to_tls",
    "A sender speaks in clear to a receiver that wants TLS: the message crosses before the receiver hangs up.",
    PYTHON_HL7,
    PYTHON,
    expect=("outcome unknown", "the patient crossed in clear all the same"),
)
def clear_to_tls(lab: Lab) -> None:
    p = pair(lab)
    server = context(ssl.PROTOCOL_TLS_SERVER, TLS12, p.shown)
    with lab.capture(), listening(p.engine, port=MLLPS, tls=server), contextlib.suppress(ConnectionError):
        send_raw(p.records, p.engine, f"\x0b{admission(lab.canaries)}\x1c\r".encode(), port=MLLPS)


@scenario(
    "hl7/clear_and_tls",
    "An engine listens twice: the record system sends inside TLS, a monitor in clear.",
    PYTHON_HL7,
    PYTHON,
    expect=("one receiver with an encrypted and a clear channel",),
)
def clear_and_tls(lab: Lab) -> None:
    p, machine = pair(lab), VC150[0]
    monitor = lab.host(machine)
    server = context(ssl.PROTOCOL_TLS_SERVER, TLS13, p.shown, str(p.root))
    client = context(ssl.PROTOCOL_TLS_CLIENT, TLS13, p.own, str(p.root))
    header = Header(machine, ENGINE, "ORU^R01^ORU_R01", "VC1", "2.6", more={24: f"^{machine.facility}^MAC"})
    with lab.capture(), listening(p.engine, port=MLLPS, tls=server), listening(p.engine):
        stream(p.records, p.engine, admission(lab.canaries), answers=1, port=MLLPS, tls=client, name=ENGINE_NAME)
        stream(monitor, p.engine, message(header, patient(lab.canaries)), answers=1)


# ------------------------------------------------------------------ as it should be


def well_kept(lab: Lab, version: ssl.TLSVersion) -> None:
    """Record a monitors' gateway that reports over mutual TLS, both sides with short-lived certificates of the site."""
    site, gateway, information = estate(lab), lab.host(EGATEWAY), lab.host(CIS)
    names = ("cis.icu.hospital.example", "egateway.icu.hospital.example")
    shown = site.leaf(names[0], CIS.ip)
    own = site.leaf(names[1], EGATEWAY.ip, CLIENT)
    root = str(site.root.cert)
    server = context(ssl.PROTOCOL_TLS_SERVER, version, shown, root)
    client = context(ssl.PROTOCOL_TLS_CLIENT, version, own, root)
    eui64 = lab.describe(N22[0]).eui64.upper()
    text = report(lab.canaries, EGATEWAY, f"{eui64}^MINDRAY^{eui64}^EUI-64")
    with lab.capture(), listening(information, port=MLLPS, tls=server):
        stream(gateway, information, text, answers=1, port=MLLPS, tls=client, name=names[0])


@scenario(
    "quiet/hl7_tls12_mutual",
    "A monitors' gateway reports by MLLP inside TLS 1.2, both sides with short-lived certificates.",
    PYTHON_HL7,
    PYTHON,
)
def hl7_tls12_mutual(lab: Lab) -> None:
    well_kept(lab, TLS12)


@scenario(
    "quiet/hl7_tls13",
    "A monitors' gateway reports by MLLP inside TLS 1.3, both sides with short-lived certificates.",
    PYTHON_HL7,
    PYTHON,
)
def hl7_tls13(lab: Lab) -> None:
    well_kept(lab, TLS13)
