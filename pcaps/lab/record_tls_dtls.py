"""DTLS 1.0 and 1.2 by OpenSSL."""

from __future__ import annotations

from _lab import Lab, scenario
from _pki import Pki
from _tls import GATEWAY, NAME, PUMPS, serve, sni

PORT = 5684


def talk_dtls(lab: Lab, server: list[str], client: list[str]) -> None:
    """Record a pump that says one line to its gateway over DTLS."""
    gateway, pump = lab.host(GATEWAY), lab.host(PUMPS[0])
    serve(lab, gateway, "-quiet", *server, port=PORT, udp=True)
    argv = ["openssl", "s_client", "-connect", f"{gateway.ip}:{PORT}", *client]
    with lab.capture():
        lab.run(pump, ["sh", "-c", '(sleep 1; echo invented reading 42; sleep 1) | "$@"', "sh", *argv])


@scenario(
    "tls/dtls12",
    "DTLS 1.2, ECDHE, with a cookie exchange.",
    "OpenSSL",
    expect=("HelloVerifyRequest", "version fefd", "the certificate is split over fragments"),
)
def dtls12(lab: Lab) -> None:
    pki = Pki(lab)
    talk_dtls(lab, ["-dtls1_2", "-listen", "-mtu", "600", *pki.server(NAME, pki.root()).chain], ["-dtls1_2", *sni()])


@scenario("tls/dtls10", "DTLS 1.0.", "OpenSSL", expect=("version feff",))
def dtls10(lab: Lab) -> None:
    pki, weak = Pki(lab), ["-cipher", "DEFAULT@SECLEVEL=0"]
    talk_dtls(lab, ["-dtls1", *weak, *pki.server(NAME, pki.root()).chain], ["-dtls1", *weak, *sni()])


@scenario(
    "tls/dtls12_mutual",
    "DTLS 1.2, the pump shows a certificate too.",
    "OpenSSL",
    expect=("certificates of both sides",),
)
def dtls12_mutual(lab: Lab) -> None:
    pki = Pki(lab)
    root = pki.root()
    pump = pki.client("pump-0017.devices.hospital.example", root)
    talk_dtls(
        lab,
        ["-dtls1_2", *pki.server(NAME, root).chain, "-Verify", "2", "-CAfile", str(root.cert)],
        ["-dtls1_2", *sni(), *pump.chain],
    )


@scenario(
    "tls/dtls12_psk",
    "DTLS 1.2 with a pre-shared key, as constrained devices use it.",
    "OpenSSL",
    expect=("psk identity infusion-pump-0017",),
)
def dtls12_psk(lab: Lab) -> None:
    psk = ["-psk", "1a2b3c4d5e6f708192a3b4c5d6e7f809", "-psk_identity", "infusion-pump-0017"]
    talk_dtls(
        lab,
        ["-dtls1_2", "-nocert", *psk, "-cipher", "PSK@SECLEVEL=0"],
        ["-dtls1_2", *psk, "-cipher", "PSK-AES128-CCM8@SECLEVEL=0"],
    )
