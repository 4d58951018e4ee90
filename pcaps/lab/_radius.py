"""RADIUS on the hospital's network: FreeRADIUS, radclient for PAP, eapol_test for what wireless devices say by EAP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from _samba import made
from _software import debian

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _net import Host
    from _pki import Credential
    from _story import Hospital

FREERADIUS = debian("FreeRADIUS", "freeradius", "freeradius")
RADCLIENT = debian("radclient", "freeradius-utils", "radclient")
EAPOL_TEST = debian("eapol_test", "eapoltest", "eapol_test")
PORT = 1812
CONFIGURATION = """\
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {folder}
raddbdir = {folder}
run_dir = {folder}
pidfile = {folder}/pid
security {{
  allow_vulnerable_openssl = yes
}}
thread pool {{
  start_servers = 1
  max_servers = 1
  min_spare_servers = 0
  max_spare_servers = 1
}}
modules {{
  pap {{
  }}
  files {{
    filename = {folder}/users
  }}
  eap {{
    default_eap_type = tls
    md5 {{
    }}
    tls-config common {{
      private_key_file = {key}
      certificate_file = {certificate}
      ca_file = {authority}
      tls_min_version = "1.2"
      tls_max_version = "1.2"
    }}
    tls {{
      tls = common
    }}
  }}
}}
client hospital {{
  ipaddr = 10.21.1.0/24
  secret = {secret}
}}
server default {{
  listen {{
    type = auth
    ipaddr = {address}
    port = 1812
  }}
  authorize {{
    eap {{
      ok = return
    }}
    files
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
    eap
  }}
}}
"""


@dataclass(frozen=True)
class Radius:
    """A running server, and the secret that it shares with those who ask it."""

    host: Host
    secret: str
    authority: str


@dataclass(frozen=True)
class Wireless:
    """A wireless device, as its access point knows it: the name that it says, and its MAC address."""

    identity: str
    mac: str


def serve(hospital: Hospital, host: Host, own: Credential, authority: Credential, known: Mapping[str, str]) -> Radius:
    """Start a server with its certificate; ``known``: password by name of those who prove themselves by one."""
    folder, secret = hospital.folder("radius"), hospital.canaries.token("shared secret of RADIUS", 16)
    names = {"folder": folder, "key": own.key, "certificate": own.cert, "authority": authority.cert}
    (folder / "radiusd.conf").write_text(CONFIGURATION.format(**names, secret=secret, address=host.ip))
    (folder / "users").write_text("".join(f'{name} Cleartext-Password := "{proof}"\n' for name, proof in known.items()))
    hospital.serve(host, ["freeradius", "-f", "-l", str(folder / "log"), "-d", str(folder)], PORT, "udp")
    return Radius(host, secret, str(authority.cert))


def by_pap(hospital: Hospital, host: Host, at: Radius, name: str, password: str, calling: str) -> None:
    """Ask whether a password is right, as a VPN gateway does: PAP, and no Message-Authenticator. Raises LabError."""
    attributes = {
        "User-Name": f'"{name}"',
        "User-Password": f'"{password}"',
        "NAS-Identifier": f'"{host.name}"',
        "NAS-Port-Type": "Virtual",
        "Calling-Station-Id": f'"{calling}"',
    }
    request = "\n".join(f"{key} = {value}" for key, value in attributes.items())
    hospital.run(host, ["radclient", "-x", f"{at.host.ip}:{PORT}", "auth", at.secret], f"{request}\n".encode())


def by_md5(hospital: Hospital, host: Host, at: Radius, device: Wireless, password: str) -> None:
    """Let a wireless device prove a password by EAP-MD5. Raises LabError when it is refused."""
    _eap(hospital, host, at, device, {"eap": "MD5", "password": f'"{password}"'}, "-n")


def by_certificate(hospital: Hospital, host: Host, at: Radius, device: Wireless, own: Credential) -> None:
    """Let a wireless device prove its key by EAP-TLS. Raises LabError when it is refused."""
    files = {"ca_cert": at.authority, "client_cert": own.cert, "private_key": own.key}
    _eap(hospital, host, at, device, {"eap": "TLS", **{key: f'"{path}"' for key, path in files.items()}})


def _eap(hospital: Hospital, host: Host, at: Radius, device: Wireless, proof: Mapping[str, str], *options: str) -> None:
    settings = {"key_mgmt": "IEEE8021X", "identity": f'"{device.identity}"', **proof}
    conf = made(hospital.workdir / "eap") / f"{device.mac.replace(':', '')}.conf"
    conf.write_text("network={\n" + "".join(f"  {key}={value}\n" for key, value in settings.items()) + "}\n")
    asked = ["-c", str(conf), "-a", at.host.ip, "-s", at.secret, "-M", device.mac, "-N", f"32:s:{host.name}"]
    hospital.run(host, ["eapol_test", *asked, "-r", "0", *options])
