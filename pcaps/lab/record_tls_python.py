"""Python's ssl at every version that it still speaks, as devices with Python inside use it."""

from __future__ import annotations

import platform
import ssl

from _lab import Lab, scenario
from _pki import Pki
from _pyssl import call, context, serving
from _tls import ANALYSER, HTTPS, NAME, STATION

PYTHON = f"Python {platform.python_version()} with {ssl.OPENSSL_VERSION}"


def one_line(lab: Lab, version: ssl.TLSVersion, *, mutual: bool = False) -> None:
    """Record one line there and back."""
    device, station, pki = lab.host(ANALYSER), lab.host(STATION), Pki(lab)
    root = pki.root()
    own = pki.client("station.devices.hospital.example", root) if mutual else None
    server = context(ssl.PROTOCOL_TLS_SERVER, version, pki.server(NAME, root), str(root.cert) if mutual else "")
    client = context(ssl.PROTOCOL_TLS_CLIENT, version, own, str(root.cert))
    with lab.capture(), serving(device, HTTPS, server):
        call(station, device, HTTPS, client, NAME)


@scenario("tls/python_tls10", "Python's ssl, TLS 1.0.", PYTHON, expect=("version 0301",))
def tls10(lab: Lab) -> None:
    one_line(lab, ssl.TLSVersion.TLSv1)


@scenario("tls/python_tls11", "Python's ssl, TLS 1.1.", PYTHON, expect=("version 0302",))
def tls11(lab: Lab) -> None:
    one_line(lab, ssl.TLSVersion.TLSv1_1)


@scenario("tls/python_tls12", "Python's ssl, TLS 1.2.", PYTHON, expect=("version 0303",))
def tls12(lab: Lab) -> None:
    one_line(lab, ssl.TLSVersion.TLSv1_2)


@scenario(
    "tls/python_tls12_mutual",
    "Python's ssl, TLS 1.2, both sides show a certificate.",
    PYTHON,
    expect=("client_authenticated true",),
)
def tls12_mutual(lab: Lab) -> None:
    one_line(lab, ssl.TLSVersion.TLSv1_2, mutual=True)


@scenario("tls/python_tls13", "Python's ssl, TLS 1.3.", PYTHON, expect=("version 0304",))
def tls13(lab: Lab) -> None:
    one_line(lab, ssl.TLSVersion.TLSv1_3)
