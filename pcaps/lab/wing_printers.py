"""Printers: two as they came out of the box (SNMP, IPP, mDNS, LLDP), one well kept; a NAS with WS-Discovery."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from _fleet import Machine
from _services import (
    APP2,
    OFTEN,
    PORTAL_PC,
    SOMETIMES,
    certificate,
    fqdn,
    heard_once,
    until_heard,
    weekly,
    without_proof,
)
from _software import debian
from _story import opening, scene
from _truth import device, must, must_not
from wing_services_snmp import (
    DESCRIPTION,
    LLDPD,
    NAS,
    NET_SNMP,
    NET_SNMP_CLIENT,
    UPTIME,
    Agent,
    ask,
    community,
    lldp,
    snmpd,
)

if TYPE_CHECKING:
    from _story import Hospital

IPP_PRINTER = debian("CUPS ippeveprinter", "cups-ipp-utils", "ippeveprinter")
AVAHI = debian("Avahi", "avahi-daemon", "avahi-daemon")
WSDD = debian("wsdd", "wsdd", "wsdd")
IPP = 631
FORMATS = "text/plain,image/pwg-raster"
MODEL, SERIAL = "1.3.6.1.2.1.25.3.2.1.3.1", "1.3.6.1.2.1.43.5.1.1.17.1"
TOLD = {"model": "snmp", "serial": "snmp", "device_type": "snmp", "role": "snmp"}

EMERGENCY = device(
    Machine("printer-er1", "3c:d9:2b:44:05:3c", "10.21.5.60", model="HP LaserJet M404dn", serial="INVPHB4K017"),
    vendor="Hewlett Packard",
    device_type="printer",
    role="printer",
    told=TOLD,
)
LAB = device(
    Machine("printer-lab2", "00:80:77:44:05:3d", "10.21.5.61", model="Brother HL-L6300DW", serial="INVU63884K8N"),
    vendor="Brother Industries, Ltd.",
    device_type="printer",
    role="printer",
    told=TOLD,
)
OFFICE_1 = device(
    Machine("printer-adm3", "3c:d9:2b:44:05:3e", "10.21.5.62"),
    vendor="Hewlett Packard",
    device_type="printer",
    role="printer",
    told={"device_type": "mdns", "role": "mdns"},
)
JETDIRECT = "HP ETHERNET MULTI-ENVIRONMENT,ROM none,JETDIRECT,JD153,EEPROM JSI24090012,CIDATE 09/10/2019"
BROTHER = "Brother NC-8900h, Firmware Ver.1.25 (18.03.30),MID 84E-811"

# A bus, mDNS and the printer on one machine, with a /run of their own: namespaces share this machine's otherwise.
# The printer starts only where its name has an IPv6 address, too; nobody speaks to that one.
WITH_MDNS = """\
mount -t tmpfs none /run && mkdir /run/dbus /run/avahi-daemon
dbus-daemon --system --nofork --nopidfile &
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.05; done
avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "$0" &
echo "fd00:44::1 $1" >> /etc/hosts && shift
until dbus-send --system --print-reply --dest=org.freedesktop.Avahi / org.freedesktop.Avahi.Server.GetState 2>&1 |
    grep -q "int32 2"; do sleep 0.05; done
ip -6 addr add fd00:44::1/128 dev lo
exec "$@"
"""
AVAHI_CONF = """\
[server]
host-name={name}
domain-name=local
use-ipv6=no
allow-interfaces=eth0
[publish]
publish-workstation=no
"""
QUERY = """\
{
  OPERATION Get-Printer-Attributes
  GROUP operation-attributes-tag
  ATTR charset attributes-charset utf-8
  ATTR naturalLanguage attributes-natural-language en
  ATTR uri printer-uri $uri
  ATTR name requesting-user-name ward7
  ATTR keyword requested-attributes printer-make-and-model,printer-device-id,printer-state
  STATUS successful-ok
}
"""
JOB = """\
{
  OPERATION Print-Job
  GROUP operation-attributes-tag
  ATTR charset attributes-charset utf-8
  ATTR naturalLanguage attributes-natural-language en
  ATTR uri printer-uri $uri
  ATTR name requesting-user-name ward7
  ATTR name job-name labels
  ATTR mimeMediaType document-format text/plain
  FILE $filename
  STATUS successful-ok
}
"""
BROWSE = """\
import sys, time
from zeroconf import ServiceBrowser, Zeroconf
seen = []
class Listener:
    def add_service(self, zeroconf, kind, name): seen.append(zeroconf.get_service_info(kind, name, 3000))
    def update_service(self, *_): pass
    def remove_service(self, *_): pass
with Zeroconf(interfaces=[sys.argv[1]]) as local:
    ServiceBrowser(local, "_ipp._tcp.local.", Listener())
    end = time.monotonic() + 3
    while len(seen) < int(sys.argv[2]) and time.monotonic() < end: time.sleep(0.02)
sys.exit(len(seen) < int(sys.argv[2]))
"""


def ipp_printer(hospital: Hospital, machine: Machine, maker: str, model: str, *options: str) -> None:
    """Start a printer of IPP Everywhere with mDNS, as its firmware does."""
    folder = hospital.folder(machine.name)
    (folder / "avahi.conf").write_text(AVAHI_CONF.format(name=machine.name))
    said = ["-M", maker, "-m", model, "-p", str(IPP), "-n", fqdn(machine), "-d", str(folder), "-f", FORMATS, *options]
    argv = ["sh", "-c", WITH_MDNS, str(folder / "avahi.conf"), fqdn(machine), "ippeveprinter", *said, machine.name]
    hospital.serve(hospital.host(machine), argv, IPP)


@opening(IPP_PRINTER, AVAHI, order=1)
def printers(hospital: Hospital) -> None:
    """Start them early: they repeat for some seconds what they announce by mDNS, and that belongs to no scene.

    The well-kept one has a certificate of the hospital's.
    """
    ipp_printer(hospital, EMERGENCY, "HP", "LaserJet M404dn")
    keys, its = hospital.folder("printer-keys"), certificate(hospital, OFFICE_1)
    (keys / f"{fqdn(OFFICE_1)}.crt").write_bytes(its.cert.read_bytes())
    (keys / f"{fqdn(OFFICE_1)}.key").write_bytes(its.key.read_bytes())
    ipp_printer(hospital, OFFICE_1, "HP", "LaserJet M507", "-K", str(keys))


@opening(NET_SNMP, order=34)
def printer_agents(hospital: Hospital) -> None:
    """Two with the community that everybody knows, one with SNMP 3."""
    public = ("rocommunity public",)
    snmpd(hospital, Agent(EMERGENCY, JETDIRECT, "1.3.6.1.4.1.11.2.3.9.1", public, objects(EMERGENCY)))
    snmpd(hospital, Agent(LAB, BROTHER, "1.3.6.1.4.1.2435.2.3.9.1", public, objects(LAB)))
    secret = hospital.canaries.token
    user = f"createUser netmon SHA-256 {secret('netmon auth', 16)} AES {secret('netmon priv', 16)}"
    snmpd(hospital, Agent(OFFICE_1, JETDIRECT, "1.3.6.1.4.1.11.2.3.9.1", (user, "rouser netmon authpriv")))


def objects(machine: Machine) -> dict[str, str]:
    """Return the objects of the host resources and printer MIBs that tell model and serial number."""
    return {MODEL: machine.model, SERIAL: machine.serial}


@scene("the management station asks printers", NET_SNMP, NET_SNMP_CLIENT, days=[0], again=OFTEN, at="02:20")
def poll(hospital: Hospital) -> None:
    """One by version 1, one by 2c, both with the community that everybody knows; the third by version 3."""
    ask(hospital, "snmpget", community("public", "1"), EMERGENCY, DESCRIPTION, MODEL, SERIAL)
    ask(hospital, "snmpget", community("public"), LAB, DESCRIPTION, MODEL, SERIAL)
    secret = hospital.canaries.token
    proof = ["-a", "SHA-256", "-A", secret("netmon auth", 16), "-x", "AES", "-X", secret("netmon priv", 16)]
    ask(hospital, "snmpget", ["-v", "3", "-u", "netmon", "-l", "authPriv", *proof], OFFICE_1, UPTIME)


def ipptool(hospital: Hospital, client: Machine, uri: str, test: str, *options: str) -> None:
    """Send one IPP request and check its answer."""
    request = hospital.workdir / "request.test"
    request.write_text(test)
    home = hospital.workdir / "ipp-home"
    home.mkdir(exist_ok=True)
    hospital.run(hospital.host(client), ["ipptool", "-q", *options, uri, str(request)], env={"HOME": str(home)})


@scene("a ward prints labels", IPP_PRINTER, days=[0], again=SOMETIMES, at="08:20")
def print_labels(hospital: Hospital) -> None:
    """IPP in clear; the document can be read on the way."""
    labels = hospital.workdir / "labels.txt"
    labels.write_text(f"invented {hospital.canaries.token('printed label')}\n")
    uri = f"ipp://{EMERGENCY.ip}:{IPP}/ipp/print"
    ipptool(hospital, PORTAL_PC, uri, QUERY)
    ipptool(hospital, PORTAL_PC, uri, JOB, "-f", str(labels))


@scene("an application prints over TLS", IPP_PRINTER, days=[1], again=weekly(1, 4), at="08:25")
def print_over_tls(hospital: Hospital) -> None:
    """IPP inside TLS."""
    ipptool(hospital, APP2, f"ipps://{fqdn(OFFICE_1)}:{IPP}/ipp/print", QUERY)


@scene("a workstation looks for printers", AVAHI, "zeroconf", days=[0], again=OFTEN, at="08:18")
def browse(hospital: Hospital) -> None:
    """By mDNS; both printers answer."""
    heard_once(hospital, PORTAL_PC)
    hospital.run(hospital.host(PORTAL_PC), [sys.executable, "-c", BROWSE, PORTAL_PC.ip, "2"])


@scene("a printer tells the switch what it is", LLDPD, days=[0], again=OFTEN, at="01:31")
def neighbour(hospital: Hospital) -> None:
    """LLDP."""
    lldp(hospital, EMERGENCY, "-S", JETDIRECT, "-P", "HP LaserJet M404dn")


@scene("a NAS says that it is there", WSDD, days=[1], again=weekly(1, 2), at="01:35")
def web_services_discovery(hospital: Hospital) -> None:
    """WS-Discovery: hello and bye."""
    heard_once(hospital, NAS)
    argv = until_heard(2, "wsdd", "-4", "-i", "eth0", "-n", "nas3", "-w", "HOSPITAL", "-t")
    hospital.run(hospital.host(NAS), argv)


# ------------------------------------------------------------------ the truth

for _printer in (EMERGENCY, LAB):
    must("SNMP-001", "snmp", device=_printer.name, why="version 1 or 2c")
    must("SNMP-002", "snmp", device=_printer.name, identity="public", why="default community")
must_not("SNMP-001", "version 3", device=OFFICE_1.name)
must_not("CERT-007", "of the hospital's own authority", device=OFFICE_1.name)
without_proof("snmp", EMERGENCY, LAB, OFFICE_1)
