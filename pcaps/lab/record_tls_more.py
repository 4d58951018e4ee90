"""What else a TLS handshake shows: stapled OCSP, certificates chosen by SNI, IPv6."""

from __future__ import annotations

from dataclasses import replace

from _lab import Lab, scenario
from _pki import Pki
from _tls import ANALYSER, HTTPS, NAME, REQUEST, STATION, serve, sni, talk

OTHER = "service.lab.hospital.example"


@scenario(
    "tls/tls12_stapled",
    "TLS 1.2, the server staples an OCSP response.",
    "OpenSSL",
    expect=("a CertificateStatus message after the Certificate",),
)
def stapled(lab: Lab) -> None:
    pki, response = Pki(lab), str(lab.workdir / "ocsp.der")
    root = pki.root()
    shown = pki.server(NAME, root)
    request = ["-issuer", str(root.cert), "-cert", str(shown.cert)]
    signer = ["-index", str(pki.folder / "index.txt"), "-rsigner", str(root.cert), "-rkey", str(root.key)]
    pki.openssl("ocsp", "-CA", str(root.cert), *signer, *request, "-ndays", "7", "-respout", response)
    talk(lab, [*shown.chain, "-status_file", response], ["-tls1_2", *sni(), "-status"])


@scenario(
    "tls/two_names",
    "One server, two names, two certificates: the SNI decides.",
    "OpenSSL",
    expect=(
        "two certificates and two keys at one address: CERT-008 and CERT-009 silent",
        "a warning alert 112 unrecognized_name before the first ServerHello",
    ),
)
def two_names(lab: Lab) -> None:
    pki = Pki(lab)
    root = pki.root()
    first, second = pki.server(NAME, root), pki.server(OTHER, root)
    device, station = lab.host(ANALYSER), lab.host(STATION)
    serve(lab, device, *first.chain, "-servername", OTHER, "-cert2", str(second.cert), "-key2", str(second.key))
    with lab.capture():
        for name in (NAME, OTHER):
            where = ["-connect", f"{device.ip}:{HTTPS}", "-ign_eof", "-tls1_2", *sni(name)]
            lab.run(station, ["openssl", "s_client", *where], REQUEST)


@scenario("tls/ipv6", "TLS 1.2 over IPv6.", "OpenSSL", expect=("endpoints fd00:20::7:15 and fd00:20::2:61",))
def ipv6(lab: Lab) -> None:
    pki = Pki(lab)
    device = lab.host(replace(ANALYSER, ip="fd00:20::7:15"))
    station = lab.host(replace(STATION, ip="fd00:20::2:61"))
    (lab.workdir / "index.html").write_bytes(b"<html>invented</html>\n")
    argv = ["openssl", "s_server", "-6", "-accept", f"[::]:{HTTPS}", "-WWW", *pki.server(NAME, pki.root()).chain]
    lab.serve(device, argv, HTTPS)
    with lab.capture("ip6"):
        where = ["-connect", f"[{device.ip}]:{HTTPS}", "-ign_eof", "-tls1_2", *sni()]
        lab.run(station, ["openssl", "s_client", *where], REQUEST)
