"""GnuTLS on both sides: 3DES and RC4, and stacks without today's protective extensions."""

from __future__ import annotations

from _lab import Lab, scenario
from _pki import Pki
from _tls import ANALYSER, HTTPS, NAME, REQUEST, STATION

TLS12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2"


def gnutls(lab: Lab, priority: str, *, certificate: bool = True) -> None:
    """Record gnutls-cli at gnutls-serv, both with this priority string."""
    device, station, pki = lab.host(ANALYSER), lab.host(STATION), Pki(lab)
    shown = pki.server(NAME, pki.root())
    files = ["--x509certfile", str(shown.cert), "--x509keyfile", str(shown.key)] if certificate else []
    lab.serve(device, ["gnutls-serv", "--http", "--port", str(HTTPS), "--priority", priority, *files], HTTPS)
    with lab.capture():
        lab.run(
            station,
            [
                "gnutls-cli",
                "--insecure",
                "--sni-hostname",
                NAME,
                "--port",
                str(HTTPS),
                "--priority",
                priority,
                device.ip,
            ],
            REQUEST,
            ok=(0, 1),
        )


@scenario("tls/tls12_3des", "TLS 1.2 with 3DES.", "GnuTLS", expect=("suite 000a TLS_RSA_WITH_3DES_EDE_CBC_SHA",))
def triple_des(lab: Lab) -> None:
    gnutls(lab, f"{TLS12}:-CIPHER-ALL:+3DES-CBC:-KX-ALL:+RSA")


@scenario(
    "tls/tls11_rc4", "TLS 1.1 with RC4.", "GnuTLS", expect=("version 0302, suite c011 TLS_ECDHE_RSA_WITH_RC4_128_SHA",)
)
def rc4(lab: Lab) -> None:
    gnutls(lab, "NORMAL:-VERS-ALL:+VERS-TLS1.1:-CIPHER-ALL:+ARCFOUR-128")


@scenario(
    "tls/tls12_no_protection",
    "TLS 1.2 without renegotiation info and extended master secret.",
    "GnuTLS",
    expect=("TLS-006: the ServerHello has neither ff01 nor 0017",),
)
def no_protection(lab: Lab) -> None:
    gnutls(lab, f"{TLS12}:%DISABLE_SAFE_RENEGOTIATION:%NO_SESSION_HASH:%NO_ETM")


@scenario("tls/gnutls_tls13", "GnuTLS as it comes, TLS 1.3.", "GnuTLS", expect=("JA3 and JA4 of GnuTLS 3.7",))
def gnutls13(lab: Lab) -> None:
    gnutls(lab, "NORMAL")
