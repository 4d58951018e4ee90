"""The Java runtime's TLS: what its old protocol versions and suites look like, and its ClientHello of today."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from _lab import Lab, scenario
from _pki import Pki
from _tls import ANALYSER, HTTPS, NAME, STATION, serve

if TYPE_CHECKING:
    from _pki import Credential

TALK = str(Path(__file__).with_name("Talk.java"))
PERMIT_ALL = "jdk.tls.disabledAlgorithms=\njdk.certpath.disabledAlgorithms=\njdk.tls.legacyAlgorithms=\n"
ANY_OUTCOME = (0, 1)


def java(lab: Lab, *arguments: str) -> list[str]:
    """Return the command that runs Talk.java with every algorithm the runtime still has."""
    policy = lab.workdir / "java.security"
    policy.write_text(PERMIT_ALL)
    return ["java", f"-Djava.security.properties={policy}", "-Xshare:auto", TALK, *arguments]


def keystore(pki: Pki, credential: Credential) -> str:
    """Return a PKCS#12 file that holds the credential."""
    path = pki.path("p12")
    pki.openssl(
        "pkcs12",
        "-export",
        "-inkey",
        str(credential.key),
        "-in",
        str(credential.cert),
        "-passout",
        "pass:made-for-the-lab",
        "-out",
        str(path),
    )
    return str(path)


def both(lab: Lab, protocols: str, suites: str, offered: str = "") -> None:
    """Record a Java client at a Java server."""
    device, station, pki = lab.host(ANALYSER), lab.host(STATION), Pki(lab)
    shown = keystore(pki, pki.server(NAME, key="rsa:2048"))
    lab.serve(device, java(lab, "serve", device.ip, str(HTTPS), protocols, suites, shown), HTTPS)
    with lab.capture():
        lab.run(station, java(lab, "call", device.ip, str(HTTPS), offered or protocols, suites))


@scenario(
    "tls/ssl30_rc4",
    "SSL 3.0 with RC4 and MD5: an old device meets an old client.",
    "OpenJDK",
    expect=("version 0300, suite 0004 TLS_RSA_WITH_RC4_128_MD5", "no SNI"),
)
def ssl30(lab: Lab) -> None:
    both(lab, "SSLv3", "SSL_RSA_WITH_RC4_128_MD5")


@scenario(
    "tls/ssl2_hello",
    "A client that greets in SSL 2.0 format and ends up with TLS 1.0.",
    "OpenJDK",
    expect=("a V2 ClientHello, then ServerHello 0301",),
)
def ssl2_hello(lab: Lab) -> None:
    both(lab, "SSLv2Hello,TLSv1", "TLS_RSA_WITH_AES_128_CBC_SHA,SSL_RSA_WITH_3DES_EDE_CBC_SHA")


@scenario(
    "tls/tls10_export",
    "TLS 1.0 with an export suite: RC4 with 40 bits.",
    "OpenJDK",
    expect=("suite 0003 TLS_RSA_EXPORT_WITH_RC4_40_MD5", "ServerKeyExchange with a temporary RSA key of 512 bits"),
)
def export(lab: Lab) -> None:
    both(lab, "TLSv1", "SSL_RSA_EXPORT_WITH_RC4_40_MD5")


@scenario("tls/tls10_des", "TLS 1.0 with single DES.", "OpenJDK", expect=("suite 0009 TLS_RSA_WITH_DES_CBC_SHA",))
def des(lab: Lab) -> None:
    both(lab, "TLSv1", "SSL_RSA_WITH_DES_CBC_SHA")


@scenario("tls/tls10_3des", "TLS 1.0 with 3DES.", "OpenJDK", expect=("suite 000a TLS_RSA_WITH_3DES_EDE_CBC_SHA",))
def triple_des(lab: Lab) -> None:
    both(lab, "TLSv1", "SSL_RSA_WITH_3DES_EDE_CBC_SHA")


@scenario(
    "tls/tls10_anon_rc4",
    "TLS 1.0, anonymous Diffie-Hellman and RC4.",
    "OpenJDK",
    expect=("suite 0018 TLS_DH_anon_WITH_RC4_128_MD5",),
)
def anonymous(lab: Lab) -> None:
    both(lab, "TLSv1", "SSL_DH_anon_WITH_RC4_128_MD5")


def client(lab: Lab, *server: str) -> None:
    """Record a Java client as it comes, at an OpenSSL server."""
    device, station, pki = lab.host(ANALYSER), lab.host(STATION), Pki(lab)
    serve(lab, device, *pki.server(NAME, pki.root()).chain, *server)
    with lab.capture():
        lab.run(station, java(lab, "call", device.ip, str(HTTPS), "", ""), ok=ANY_OUTCOME)


@scenario(
    "tls/java_tls13",
    "The Java runtime's own ClientHello, TLS 1.3.",
    "OpenJDK",
    "OpenSSL",
    expect=("JA3 and JA4 of Java 17", "TLS 1.3"),
)
def java13(lab: Lab) -> None:
    client(lab)


@scenario(
    "tls/java_tls12",
    "The Java runtime's own ClientHello at a TLS 1.2 server.",
    "OpenJDK",
    "OpenSSL",
    expect=("the same JA3 as in java_tls13", "TLS 1.2"),
)
def java12(lab: Lab) -> None:
    client(lab, "-tls1_2")
