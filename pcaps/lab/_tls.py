"""Two machines that speak TLS by OpenSSL's s_server and s_client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _fleet import Machine

if TYPE_CHECKING:
    import subprocess

    from _lab import Lab
    from _net import Host

HTTPS = 443
PAGE = b"<html>invented page of a device</html>\n"
REQUEST = b"GET /index.html HTTP/1.0\r\n\r\n"
ANY_OUTCOME = (0, 1)
WEAK = ["-cipher", "ALL:eNULL:aNULL@SECLEVEL=0"]

ANALYSER = Machine("analyser", "20:e7:91:05:1c:2e", "10.20.7.15")
GATEWAY = Machine("gateway", "00:09:fb:61:08:a7", "10.20.7.2")
STATION = Machine("station", "8c:ec:4b:19:42:d6", "10.20.2.61")
PUMPS = tuple(Machine(f"pump{n}", f"b0:4c:05:00:9a:0{n}", f"10.20.8.{10 + n}") for n in (1, 2, 3))
NAME = "analyser.lab.hospital.example"


def serve(lab: Lab, host: Host, *options: str, port: int = HTTPS, udp: bool = False) -> subprocess.Popen[bytes]:
    """Start ``openssl s_server``: over TCP it serves one small page, over UDP it reads what comes."""
    pages = lab.workdir / "index.html"
    pages.write_bytes(PAGE)
    mode = [] if udp else ["-WWW"]
    argv = ["openssl", "s_server", "-4", "-accept", str(port), *mode, *options]
    return lab.serve(host, argv, port, "udp" if udp else "tcp")


def connect(
    lab: Lab,
    host: Host,
    server: Host,
    *options: str,
    port: int = HTTPS,
    feed: bytes = REQUEST,
    ok: tuple[int, ...] = (0,),
) -> bytes:
    """Run ``openssl s_client`` until the server closes; it asks for the page."""
    return lab.run(host, ["openssl", "s_client", "-connect", f"{server.ip}:{port}", "-ign_eof", *options], feed, ok=ok)


def talk(
    lab: Lab, server_options: list[str], client_options: list[str], *, connections: int = 1, ok: tuple[int, ...] = (0,)
) -> None:
    """Record a client that asks a device for a page over TLS."""
    device, client = lab.host(ANALYSER), lab.host(STATION)
    serve(lab, device, *server_options)
    with lab.capture():
        for _ in range(connections):
            connect(lab, client, device, *client_options, ok=ok)


def sni(name: str = NAME) -> list[str]:
    """Return the client's options that name the server."""
    return ["-servername", name]
