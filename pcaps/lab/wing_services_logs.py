"""Logs and messages: syslog in clear and over TLS, the audit trail of IHE ATNA, and an MQTT broker."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from _fleet import Machine
from _net import START_TIMEOUT_S, LabError
from _services import (
    APP1,
    APP2,
    EVERY_DAY,
    OFTEN,
    WORKDAYS,
    authority,
    calling_itself,
    certificate,
    client_certificate,
    fqdn,
    own,
    owned,
    virtual,
    weekly,
    without_proof,
)
from _software import debian
from _story import opening, scene
from _truth import device, identity, must, must_not

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _story import Hospital

RSYSLOG = debian("rsyslog", "rsyslog", "rsyslogd")
RSYSLOG_TLS = debian("rsyslog with GnuTLS", "rsyslog-gnutls", "/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so")
UTIL_LINUX = debian("util-linux", "bsdutils", "logger")
MOSQUITTO = debian("Mosquitto", "mosquitto", "mosquitto")
MOSQUITTO_CLIENT = debian("Mosquitto clients", "mosquitto-clients", "mosquitto_pub")
SYSLOG, SYSLOG_TLS, MQTT, MQTT_TLS = 514, 6514, 1883, 8883

LOGS = virtual("log1", 74, "syslog", "log server")
BROKER = virtual("mqtt1", 85, "mqtt", "message broker")
ECG = device(
    Machine("ecg-cart2", "00:14:b8:44:03:e8", "10.21.3.232", manufacturer="Hillrom", model="ELI 280"),
    device_type="electrocardiograph",
    told={"model": "syslog", "device_type": "syslog"},
)
FRIDGE = device(Machine("fridge-gw1", "00:80:a3:44:03:e7", "10.21.4.231"), vendor="Lantronix")

SERVER_CONF = """\
global(workDirectory="{folder}" DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="{root}"
       DefaultNetstreamDriverCertFile="{cert}" DefaultNetstreamDriverKeyFile="{key}")
module(load="imudp")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")
input(type="imudp" address="{ip}" port="514")
input(type="imtcp" address="{ip}" port="6514")
action(type="omfile" file="{folder}/all.log")
"""
CLIENT_CONF = """\
global(workDirectory="{folder}" DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="{root}"
       DefaultNetstreamDriverCertFile="{cert}" DefaultNetstreamDriverKeyFile="{key}")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="514")
action(type="omfwd" target="{server}" port="6514" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"
       StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="{server}")
"""
AUDIT = (
    '<AuditMessage><EventIdentification EventActionCode="R" EventDateTime="{when}" EventOutcomeIndicator="0">'
    '<EventID csd-code="110112" codeSystemName="DCM" originalText="Query"/></EventIdentification>'
    '<ActiveParticipant UserID="{user}" UserIsRequestor="true" NetworkAccessPointID="{ip}"/>'
    '<AuditSourceIdentification AuditSourceID="lis-app1"/>'
    '<ParticipantObjectIdentification ParticipantObjectID="{patient}" ParticipantObjectTypeCode="1"/></AuditMessage>'
)


@dataclass(frozen=True)
class LogFile:
    """Where the log server writes."""

    path: Path

    @contextlib.contextmanager
    def growing(self) -> Iterator[None]:
        """Wait after the block until a line was written. Raises LabError when none comes."""
        before = self._size()
        yield
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._size() == before:
            if time.monotonic() > deadline:
                raise LabError("the log server wrote nothing")
            time.sleep(0.02)

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


@opening(RSYSLOG, RSYSLOG_TLS, order=35)
def log_server(hospital: Hospital) -> None:
    """Takes UDP from whoever sends, and TLS from those with a certificate."""
    host, folder = hospital.host(LOGS), hospital.folder("log-server")
    its = certificate(hospital, LOGS)
    (folder / "conf").write_text(
        SERVER_CONF.format(folder=folder, ip=host.ip, root=authority(hospital).root.cert, cert=its.cert, key=its.key)
    )
    _rsyslogd(hospital, LOGS, folder, SYSLOG_TLS, "tcp")
    hospital.share(LogFile(folder / "all.log"))


def _rsyslogd(hospital: Hospital, machine: Machine, folder: Path, port: int, table: str) -> None:
    argv = calling_itself(machine.name, "rsyslogd", "-n", "-f", str(folder / "conf"), "-i", str(folder / "pid"))
    hospital.serve(hospital.host(machine), argv, port, table)


def log(hospital: Hospital, machine: Machine, to: str, text: str, *options: str) -> None:
    """Send one message by UDP, and wait until the log server has it."""
    argv = calling_itself(machine.name, "logger", "-n", to, "-P", str(SYSLOG), "-d", *options, text)
    with hospital.find(LogFile).growing():
        hospital.run(hospital.host(machine), argv)


@scene("an ECG cart logs", UTIL_LINUX, RSYSLOG, days=[0], again=EVERY_DAY, at="05:55")
def device_log(hospital: Hospital) -> None:
    """UDP, in the old format (RFC 3164)."""
    options = ["--rfc3164", "-t", "eliapp", "-p", "local0.notice"]
    log(hospital, ECG, LOGS.ip, "ELI 280 started, software 2.3.1, battery 97 %", *options)


@scene(
    "the laboratory application reports who looked at what",
    UTIL_LINUX,
    RSYSLOG,
    days=[0, 30],
    again=WORKDAYS,
    at="09:05",
)
def audit_in_clear(hospital: Hospital) -> None:
    """An audit message of IHE ATNA by UDP (RFC 5424 with an XML text by DICOM PS3.15 A.5)."""
    patient, user = hospital.canaries.token("audit patient"), hospital.canaries.token("audit user")
    text = AUDIT.format(when=f"{hospital.now:%Y-%m-%dT%H:%M:%SZ}", user=user, ip=APP1.ip, patient=patient)
    options = ["--rfc5424", "-t", "lis", "--msgid", "IHE+RFC-3881", "-p", "authpriv.notice"]
    log(hospital, APP1, LOGS.ip, text, *options, "--size", "4096")


@scene("the new application logs over TLS", UTIL_LINUX, RSYSLOG, RSYSLOG_TLS, days=[2], again=weekly(2, 2), at="05:58")
def audit_over_tls(hospital: Hospital) -> None:
    """By its own rsyslog, which checks the server and shows a certificate."""
    folder = hospital.folder("log-app2")
    its, root = client_certificate(hospital, APP2), authority(hospital).root.cert
    config = CLIENT_CONF.format(folder=folder, server=fqdn(LOGS), root=root, cert=its.cert, key=its.key)
    (folder / "conf").write_text(config)
    _rsyslogd(hospital, APP2, folder, SYSLOG, "udp")
    text = AUDIT.format(when=f"{hospital.now:%Y-%m-%dT%H:%M:%SZ}", user="svc", ip=APP2.ip, patient="invented")
    log(hospital, APP2, "127.0.0.1", text, "--rfc5424", "-t", "ris", "--msgid", "IHE+RFC-3881", "--size", "4096")
    hospital.stop(hospital.servers.pop())


# ------------------------------------------------------------------ MQTT

BROKER_CONF = """\
per_listener_settings true
log_dest none
persistence false
listener 1883 {ip}
allow_anonymous true
password_file {folder}/passwords
listener 8883 {ip}
allow_anonymous false
require_certificate true
use_identity_as_username true
cafile {root}
certfile {cert}
keyfile {key}
"""


@opening(MOSQUITTO, order=35)
def broker(hospital: Hospital) -> None:
    """Anybody may connect in clear; over TLS a certificate is asked for."""
    host, folder = hospital.host(BROKER), own(hospital.folder("mqtt1"), "mosquitto")
    its = certificate(hospital, BROKER)
    cert, key, root = owned(folder, "mosquitto", its.cert, its.key, authority(hospital).root.cert)
    passwords = folder / "passwords"
    hospital.tool(
        ["mosquitto_passwd", "-b", "-c", str(passwords), "fridge", hospital.canaries.token("mqtt fridge", 14)]
    )
    own(passwords, "mosquitto")
    (folder / "conf").write_text(BROKER_CONF.format(ip=host.ip, folder=folder, root=root, cert=cert, key=key))
    hospital.serve(host, ["mosquitto", "-c", str(folder / "conf")], MQTT)


def publish(hospital: Hospital, machine: Machine, topic: str, text: str, *options: str) -> None:
    """Publish one message with quality of service 1, so that the broker's answer is waited for."""
    argv = ["mosquitto_pub", "-V", "311", "-i", machine.name, "-t", topic, "-m", text, "-q", "1", *options]
    hospital.run(hospital.host(machine), argv)


@scene("temperatures of the refrigerators", MOSQUITTO, MOSQUITTO_CLIENT, days=[0], again=EVERY_DAY[::3], at="06:00")
def temperatures(hospital: Hospital) -> None:
    """User name and password in clear."""
    proof = ["-u", "fridge", "-P", hospital.canaries.token("mqtt fridge", 14)]
    publish(hospital, FRIDGE, "building/fridge/4/temperature", "4.1", "-h", BROKER.ip, *proof)


@scene("the ECG cart tells where it is", MOSQUITTO, MOSQUITTO_CLIENT, days=[0], again=OFTEN, at="06:40")
def whereabouts(hospital: Hospital) -> None:
    """Without any name but the client identifier."""
    publish(hospital, ECG, "assets/ecg-cart2/zone", "ward 7", "-h", BROKER.ip)


@scene("the new application publishes over TLS", MOSQUITTO, MOSQUITTO_CLIENT, days=[1], again=weekly(1, 2), at="06:45")
def published_over_tls(hospital: Hospital) -> None:
    """With a certificate on both sides."""
    its, root = client_certificate(hospital, APP2), authority(hospital).root.cert
    tls = ["--cafile", str(root), "--cert", str(its.cert), "--key", str(its.key), "-p", str(MQTT_TLS)]
    publish(hospital, APP2, "orders/new", "invented", "-h", fqdn(BROKER), *tls)


# ------------------------------------------------------------------ the truth

identity("mqtt-username", "fridge", "mqtt", users=("fridge-gw1",), peers=("mqtt1",))
identity("mqtt-client-id", "fridge-gw1", "mqtt", users=("fridge-gw1",), peers=("mqtt1",))
identity("mqtt-client-id", "ecg-cart2", "mqtt", users=("ecg-cart2",), peers=("mqtt1",))

must("MED-004", "syslog", device="lis-app1", why="audit message by UDP")
must("MQTT-001", "mqtt", device="fridge-gw1", identity="fridge", why="password in clear")
must("MQTT-001", "mqtt", device="ecg-cart2", why="anonymous, in clear")
must_not("MED-004", "the audit message goes over TLS", device="ris-app2")
must_not("MED-004", "a device's log is no audit trail", device="ecg-cart2")
must_not("MTLS-001", "the log server asks for a certificate, which TLS 1.3 hides", device="log1")
must_not("TLS-007", "TLS on 6514", device="log1")
must_not("MQTT-001", "TLS with certificates on both sides", device="ris-app2")
without_proof("mqtt", BROKER)
without_proof("syslog", LOGS)
