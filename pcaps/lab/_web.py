"""Web servers (nginx) and those who ask them (curl)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from _software import debian

if TYPE_CHECKING:
    from pathlib import Path

    from _net import Host
    from _pki import Credential
    from _story import Hospital

NGINX = debian("nginx", "nginx", "nginx")
HTTP, HTTPS = 80, 443
SETTINGS = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        server_name {name};
        {lines}
        location / {{ return 200 "invented page of {name}\\n"; }}
    }}
}}
"""


@dataclass(frozen=True)
class Site:
    """One site: its name, what it shows, which TLS it speaks, whose clients alone it lets in. Without TLS: port 80."""

    name: str
    shows: Credential | None = None
    versions: str = "TLSv1.2 TLSv1.3"
    ciphers: str = ""
    lets_in: Path | None = None
    http2: bool = False

    def lines(self) -> list[str]:
        """Return nginx's directives."""
        if self.shows is None:
            return [f"listen {HTTP};"]
        said = [f"listen {HTTPS} ssl{' http2' if self.http2 else ''};", f"ssl_protocols {self.versions};"]
        said += [f"ssl_certificate {self.shows.cert};", f"ssl_certificate_key {self.shows.key};"]
        if self.ciphers:
            said.append(f"ssl_ciphers {self.ciphers};")
        if self.lets_in:
            said += [f"ssl_client_certificate {self.lets_in};", "ssl_verify_client on;"]
        return said


def nginx(hospital: Hospital, host: Host, site: Site) -> None:
    """Start a web server with one site."""
    folder = hospital.folder(f"nginx-{host.name}")
    settings = folder / "nginx.conf"
    settings.write_text(SETTINGS.format(folder=folder, name=site.name, lines="\n        ".join(site.lines())))
    port = HTTPS if site.shows else HTTP
    hospital.serve(host, ["nginx", "-c", str(settings), "-e", str(folder / "errors")], port)


def curl(hospital: Hospital, client: Host, url: str, *options: str) -> bytes:
    """Ask for a page by a name that the name server knows; return what came back. Raises LabError for an HTTP error."""
    return hospital.run(client, ["curl", "-4", "--silent", "--show-error", "--fail", "--max-time", "20", *options, url])
