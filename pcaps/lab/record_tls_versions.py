"""TLS 1.0 to 1.3 and DTLS: versions, key exchanges, resumption, by OpenSSL on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _lab import Lab, scenario
from _pki import Pki
from _tls import ANALYSER, ANY_OUTCOME, NAME, STATION, WEAK, connect, serve, sni, talk

if TYPE_CHECKING:
    from collections.abc import Callable


def suite(
    path: str,
    what: str,
    *,
    key: str = "rsa:2048",
    server: tuple[str, ...] = (),
    client: tuple[str, ...] = (),
    expect: tuple[str, ...] = (),
) -> Callable[[Lab], None]:
    """Register a scenario that differs from its neighbours in options only: one page over one connection."""

    def play(lab: Lab) -> None:
        pki = Pki(lab)
        talk(lab, [*pki.server(NAME, pki.root(), key=key).chain, *server], [*sni(), *client])

    return scenario(f"tls/{path}", what, "OpenSSL", expect=expect)(play)


def cipher(name: str) -> tuple[str, ...]:
    """Return the options that allow this suite only, weak ones included."""
    return ("-cipher", f"{name}@SECLEVEL=0")


suite(
    "tls10_rsa",
    "TLS 1.0, static RSA key exchange.",
    server=cipher("AES128-SHA"),
    client=("-tls1", *cipher("AES128-SHA")),
    expect=("version 0301, suite 002f TLS_RSA_WITH_AES_128_CBC_SHA", "no ServerKeyExchange"),
)
suite(
    "tls10_ecdhe",
    "TLS 1.0, ECDHE.",
    server=cipher("ALL"),
    client=("-tls1", *cipher("ECDHE-RSA-AES256-SHA")),
    expect=("version 0301, suite c014",),
)
suite(
    "tls11_dhe",
    "TLS 1.1, DHE with a 2048 bit group.",
    server=(*cipher("ALL"), "-tls1_1"),
    client=("-tls1_1", *cipher("DHE-RSA-AES256-SHA")),
    expect=("version 0302, suite 0039",),
)
suite(
    "tls11_downgraded",
    "A client that offers up to TLS 1.2 meets a server that knows 1.1 at most.",
    server=(*cipher("ALL"), "-tls1_1"),
    client=("-no_tls1_3", *cipher("ALL")),
    expect=("ClientHello 0303, ServerHello 0302",),
)
suite(
    "tls12_ecdhe",
    "TLS 1.2, ECDHE, AES-GCM, SNI.",
    server=("-tls1_2",),
    client=("-tls1_2",),
    expect=("version 0303, suite c030", "chain of server and root shown"),
)
suite(
    "tls12_ecdhe_ecdsa",
    "TLS 1.2, ECDHE and an ECDSA key on P-256.",
    key="ec:P-256",
    client=("-tls1_2",),
    expect=("suite c02c",),
)
suite(
    "tls12_rsa",
    "TLS 1.2, static RSA key exchange.",
    client=("-tls1_2", *cipher("AES128-GCM-SHA256")),
    expect=("suite 009c TLS_RSA_WITH_AES_128_GCM_SHA256",),
)
suite(
    "tls12_chacha",
    "TLS 1.2, ECDHE, ChaCha20-Poly1305.",
    client=("-tls1_2", *cipher("ECDHE-RSA-CHACHA20-POLY1305")),
    expect=("suite cca8",),
)
suite(
    "tls12_null",
    "TLS 1.2 without encryption: NULL-SHA256.",
    server=tuple(WEAK),
    client=("-tls1_2", *cipher("NULL-SHA256")),
    expect=("suite 003b TLS_RSA_WITH_NULL_SHA256", "the page is in clear"),
)
suite(
    "tls10_null_md5",
    "TLS 1.0, NULL-MD5: no encryption and a broken hash.",
    server=tuple(WEAK),
    client=("-tls1", *cipher("NULL-MD5")),
    expect=("suite 0001 TLS_RSA_WITH_NULL_MD5",),
)
suite(
    "tls12_anon_dh",
    "TLS 1.2, anonymous Diffie-Hellman: nobody is authenticated.",
    server=tuple(WEAK),
    client=("-tls1_2", *cipher("ADH-AES128-SHA256")),
    expect=("suite 006c", "no Certificate message"),
)
suite(
    "tls12_anon_ecdh",
    "TLS 1.2, anonymous ECDH.",
    server=tuple(WEAK),
    client=("-tls1_2", *cipher("AECDH-AES128-SHA")),
    expect=("suite c018", "no Certificate message"),
)
suite(
    "tls12_alpn",
    "TLS 1.2, ALPN negotiated.",
    server=("-alpn", "http/1.1"),
    client=("-tls1_2", "-alpn", "h2,http/1.1"),
    expect=("ALPN offered h2, http/1.1; chosen http/1.1",),
)
suite(
    "tls13",
    "TLS 1.3, X25519, AES-GCM.",
    client=("-tls1_3",),
    expect=("supported_versions 0304 in the ServerHello, suite 1302", "the certificate is hidden"),
)
suite(
    "tls13_chacha",
    "TLS 1.3, ChaCha20-Poly1305.",
    client=("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
    expect=("suite 1303",),
)
suite(
    "tls13_alpn",
    "TLS 1.3, ALPN offered; the answer is hidden.",
    server=("-alpn", "http/1.1"),
    client=("-tls1_3", "-alpn", "h2,http/1.1"),
    expect=("ALPN offered h2, http/1.1; the choice cannot be seen",),
)
suite(
    "tls13_hrr",
    "TLS 1.3: the server wants another group and answers HelloRetryRequest.",
    server=("-groups", "P-384"),
    client=("-tls1_3", "-groups", "X25519:P-384"),
    expect=("two ClientHellos, a HelloRetryRequest, a ServerHello with secp384r1",),
)
suite(
    "tls13_no_middlebox",
    "TLS 1.3 without middlebox compatibility: empty session id, no ChangeCipherSpec.",
    server=("-no_middlebox",),
    client=("-tls1_3", "-no_middlebox"),
    expect=("session id of length 0",),
)


@scenario("tls/no_sni", "TLS 1.2, a client that names no server.", "OpenSSL", expect=("no server_name extension",))
def no_sni(lab: Lab) -> None:
    pki = Pki(lab)
    talk(lab, pki.server(NAME, pki.root()).chain, ["-tls1_2", "-noservername"])


def dhe(lab: Lab, make_group: list[str]) -> None:
    """Offer DHE with the group that this openssl command makes on its standard output."""
    pki, group = Pki(lab), lab.workdir / "dh.pem"
    group.write_bytes(pki.openssl(*make_group))
    options = [*cipher("DHE-RSA-AES128-GCM-SHA256"), "-dhparam", str(group)]
    talk(lab, [*pki.server(NAME, pki.root()).chain, *options], ["-tls1_2", *sni(), *cipher("ALL")])


@scenario("tls/tls12_dhe1024", "TLS 1.2, DHE with a group of 1024 bits.", "OpenSSL", expect=("p has 128 bytes",))
def dhe1024(lab: Lab) -> None:
    dhe(lab, ["dhparam", "1024"])


@scenario("tls/tls12_dhe2048", "TLS 1.2, DHE with a group of 2048 bits.", "OpenSSL", expect=("p has 256 bytes",))
def dhe2048(lab: Lab) -> None:
    dhe(lab, ["genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048"])


@scenario("tls/tls12_ecdhe_p192", "TLS 1.2, ECDHE on P-192.", "OpenSSL", expect=("named curve 19 secp192r1",))
def ecdhe_p192(lab: Lab) -> None:
    pki = Pki(lab)
    talk(
        lab,
        [*pki.server(NAME, pki.root()).chain, *cipher("ALL"), "-groups", "P-192"],
        ["-tls1_2", *sni(), *cipher("ALL"), "-groups", "P-192:P-256"],
    )


def resumed(lab: Lab, server: tuple[str, ...], client: tuple[str, ...]) -> None:
    """Connect twice; the second connection presents the first one's session."""
    pki, session = Pki(lab), str(lab.workdir / "session.pem")
    device, station = lab.host(ANALYSER), lab.host(STATION)
    serve(lab, device, *pki.server(NAME, pki.root()).chain, *server)
    with lab.capture():
        connect(lab, station, device, *sni(), *client, "-sess_out", session)
        connect(lab, station, device, *sni(), *client, "-sess_in", session)


@scenario(
    "tls/tls12_resumed_ticket",
    "TLS 1.2, second connection resumed by session ticket.",
    "OpenSSL",
    expect=("the second handshake has no Certificate",),
)
def resumed_ticket(lab: Lab) -> None:
    resumed(lab, (), ("-tls1_2",))


@scenario(
    "tls/tls12_resumed_id",
    "TLS 1.2, second connection resumed by session id.",
    "OpenSSL",
    expect=("both ServerHellos carry the same session id",),
)
def resumed_id(lab: Lab) -> None:
    resumed(lab, ("-no_ticket",), ("-tls1_2", "-no_ticket"))


@scenario(
    "tls/tls13_resumed",
    "TLS 1.3, second connection resumed by PSK.",
    "OpenSSL",
    expect=("pre_shared_key in the second ClientHello, selected identity 0",),
)
def resumed13(lab: Lab) -> None:
    resumed(lab, (), ("-tls1_3",))


@scenario(
    "tls/tls13_early_data",
    "TLS 1.3, resumed, with early data (0-RTT).",
    "OpenSSL",
    expect=("early_data in the second ClientHello, application data before the server's answer",),
)
def early_data(lab: Lab) -> None:
    pki, session, early = Pki(lab), str(lab.workdir / "session.pem"), lab.workdir / "early"
    early.write_bytes(b"GET /index.html HTTP/1.0\r\n")
    device, station = lab.host(ANALYSER), lab.host(STATION)
    argv = [
        "openssl",
        "s_server",
        "-4",
        "-accept",
        "443",
        "-early_data",
        "-no_anti_replay",
        *pki.server(NAME, pki.root()).chain,
    ]
    lab.serve(device, argv, 443)
    with lab.capture():
        first = ["openssl", "s_client", "-connect", f"{device.ip}:443", *sni(), "-tls1_3"]
        lab.run(station, ["sh", "-c", 'sleep 1 | "$@"', "sh", *first, "-sess_out", session])
        lab.run(station, ["sh", "-c", 'sleep 1 | "$@"', "sh", *first, "-sess_in", session, "-early_data", str(early)])


PSK = "1a2b3c4d5e6f708192a3b4c5d6e7f809"


@scenario(
    "tls/tls12_psk",
    "TLS 1.2, pre-shared key: the identity is in clear, there is no certificate.",
    "OpenSSL",
    expect=("suite 00a8 TLS_PSK_WITH_AES_128_GCM_SHA256", "psk identity infusion-pump-0017"),
)
def psk12(lab: Lab) -> None:
    options = ["-psk", PSK, "-psk_identity", "infusion-pump-0017"]
    talk(
        lab,
        ["-nocert", *options, "-psk_hint", "pump-gateway", "-tls1_2"],
        ["-tls1_2", *options, "-cipher", "PSK-AES128-GCM-SHA256"],
    )


@scenario(
    "tls/tls13_psk",
    "TLS 1.3, external pre-shared key; the identity is in clear in the ClientHello.",
    "OpenSSL",
    expect=("psk identity infusion-pump-0017 in pre_shared_key",),
)
def psk13(lab: Lab) -> None:
    options = ["-psk", PSK, "-psk_identity", "infusion-pump-0017"]
    talk(lab, ["-nocert", *options], ["-tls1_3", *options, "-ciphersuites", "TLS_AES_128_GCM_SHA256"])


@scenario(
    "tls/tls12_renegotiation",
    "TLS 1.2, renegotiated by the client inside the encrypted connection.",
    "OpenSSL",
    expect=("a second handshake, encrypted: one channel only",),
)
def renegotiation(lab: Lab) -> None:
    pki = Pki(lab)
    device, station = lab.host(ANALYSER), lab.host(STATION)
    argv = ["openssl", "s_server", "-4", "-accept", "443", "-rev", "-client_renegotiation"]
    lab.serve(device, [*argv, *pki.server(NAME, pki.root()).chain], 443)
    client = ["openssl", "s_client", "-connect", f"{device.ip}:443", *sni(), "-tls1_2"]
    with lab.capture():
        lab.run(station, ["sh", "-c", '(sleep 1; echo R; sleep 1) | "$@"', "sh", *client])


@scenario(
    "tls/alert_protocol_version",
    "A TLS 1.0 client is turned away by a server that wants 1.2.",
    "OpenSSL",
    expect=("alert 70 protocol_version from the responder",),
)
def alert_version(lab: Lab) -> None:
    pki = Pki(lab)
    talk(
        lab,
        [*pki.server(NAME, pki.root()).chain, "-min_protocol", "TLSv1.2"],
        ["-tls1", *sni(), *cipher("ALL")],
        ok=ANY_OUTCOME,
    )


@scenario(
    "tls/alert_handshake_failure",
    "No suite in common.",
    "OpenSSL",
    expect=("alert 40 handshake_failure from the responder",),
)
def alert_handshake(lab: Lab) -> None:
    pki = Pki(lab)
    talk(
        lab,
        [*pki.server(NAME, pki.root()).chain, "-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"],
        ["-tls1_2", *sni(), *cipher("AES128-SHA")],
        ok=ANY_OUTCOME,
    )


@scenario(
    "tls/alert_unknown_ca",
    "The client does not know the issuer and says so.",
    "OpenSSL",
    expect=("alert 48 unknown_ca from the initiator",),
)
def alert_unknown_ca(lab: Lab) -> None:
    pki = Pki(lab)
    other = pki.root("Another Invented Root CA")
    talk(
        lab,
        pki.server(NAME, pki.root()).chain,
        ["-tls1_2", *sni(), "-CAfile", str(other.cert), "-verify_return_error"],
        ok=ANY_OUTCOME,
    )


@scenario(
    "tls/alert_certificate_expired",
    "The client sees that the certificate has expired and ends.",
    "OpenSSL",
    expect=("alert 45 certificate_expired from the initiator",),
)
def alert_expired(lab: Lab) -> None:
    pki = Pki(lab)
    root = pki.root()
    shown = pki.server(NAME, root, start=pki.date(-400), end=pki.date(-35))
    talk(lab, shown.chain, ["-tls1_2", *sni(), "-CAfile", str(root.cert), "-verify_return_error"], ok=ANY_OUTCOME)
