"""RADIUS: a VPN gateway that asks by PAP, and a controller of access points whose devices prove themselves by EAP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _directory import Certificates, account, fortnightly
from _estate import DOMAIN
from _fleet import Machine
from _radius import EAPOL_TEST, FREERADIUS, RADCLIENT, Radius, Wireless, by_certificate, by_md5, by_pap, serve
from _story import opening, scene
from _truth import device, identity, must, must_not
from wing_domain import PEOPLE

if TYPE_CHECKING:
    from _pki import Credential
    from _story import Hospital

PROBE, SCALE_NAME, PUMP_NAME = "svc-vpnprobe", "scale-wlan1", f"pump-wlan1.{DOMAIN}"
HOME = "203.0.113.9"

RADIUS1 = device(Machine("radius1", "00:50:56:33:01:54", "10.21.1.54"), device_type="server", role="RADIUS server")
VPN = device(Machine("sslvpn1", "74:78:a6:33:01:57", "10.21.1.57"), vendor="Fortinet", device_type="VPN gateway")
WLAN = device(Machine("wlc1", "00:0b:86:33:01:58", "10.21.1.58"), vendor="Aruba", device_type="wireless controller")
PUMP = device(
    Machine("pump-wlan1", "b0:4c:05:33:03:85", "", via="wlc1"),
    known_by="b0:4c:05:33:03:85",
    device_type="infusion pump",
    told={"device": "radius", "device_type": "radius"},
)
SCALE = device(
    Machine("scale-wlan1", "00:80:92:33:03:86", "", via="wlc1"),
    known_by="00:80:92:33:03:86",
    told={"device": "radius"},
)


class PumpKey:
    """The key that the pump proves itself with."""

    def __init__(self, credential: Credential) -> None:
        self.credential = credential


def _secret(hospital: Hospital, name: str) -> str:
    return hospital.canaries.token(f"password of {name} at RADIUS", 14)


@opening(FREERADIUS, "OpenSSL", order=20)
def radius_server(hospital: Hospital) -> None:
    """Start the server, and give the pump its certificate."""
    of = hospital.find(Certificates)
    known = {PEOPLE: account(hospital, PEOPLE).password} | {n: _secret(hospital, n) for n in (PROBE, SCALE_NAME)}
    own = of.pki.server(f"radius1.{DOMAIN}", of.root, key="ec:P-256")
    hospital.share(serve(hospital, hospital.host(RADIUS1), own, of.root, known))
    hospital.share(PumpKey(of.pki.client(PUMP_NAME, of.root, key="ec:P-256")))


@scene(
    "a person logs on at the VPN; a probe tries whether that works",
    RADCLIENT,
    days=[1],
    again=fortnightly(15),
    at="19:30",
)
def vpn_asks(hospital: Hospital) -> None:
    host, at = hospital.host(VPN), hospital.find(Radius)
    by_pap(hospital, host, at, PEOPLE, account(hospital, PEOPLE).password, HOME)
    by_pap(hospital, host, at, PROBE, _secret(hospital, PROBE), VPN.ip)


@scene(
    "a pump joins the wireless network with its certificate", EAPOL_TEST, days=[0], again=fortnightly(14), at="07:15"
)
def pump_joins(hospital: Hospital) -> None:
    device_now = Wireless(f"host/{PUMP_NAME}", PUMP.mac)
    key = hospital.find(PumpKey).credential
    by_certificate(hospital, hospital.host(WLAN), hospital.find(Radius), device_now, key)


@scene(
    "a scale joins the wireless network with its password, by EAP-MD5",
    EAPOL_TEST,
    days=[0],
    again=fortnightly(14),
    at="07:16",
)
def scale_joins(hospital: Hospital) -> None:
    device_now = Wireless(SCALE_NAME, SCALE.mac)
    by_md5(hospital, hospital.host(WLAN), hospital.find(Radius), device_now, _secret(hospital, SCALE_NAME))


identity("radius-user", PEOPLE, "radius", ("sslvpn1",), peers=("radius1",), belongs_to="human")
identity("radius-user", PROBE, "radius", ("sslvpn1",), peers=("radius1",))
identity("radius-user", f"host/{PUMP_NAME}", "radius", ("pump-wlan1",), peers=("radius1",))
identity("radius-user", SCALE_NAME, "radius", ("scale-wlan1",), peers=("radius1",))
identity("certificate-key", PUMP_NAME, "radius", ("pump-wlan1",), peers=("radius1",))
identity("certificate-key", f"radius1.{DOMAIN}", "radius", ("radius1",), peers=("pump-wlan1",))
must("RADIUS-001", "radius", device="sslvpn1", first_day=1, why="it sends passwords hidden by PAP alone")
must("RADIUS-002", "radius", device="sslvpn1", first_day=1, why="its requests have no Message-Authenticator")
must_not("RADIUS-001", "it asks by EAP", device="wlc1")
must_not("RADIUS-002", "requests with EAP have a Message-Authenticator", device="wlc1")
