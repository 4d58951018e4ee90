"""Infusion pumps of four makers and their servers: HTTP Basic, MQTT, a telnet service port, mutual TLS done well."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
from _fleet import Machine
from _hl7 import PCD03, Seen, observations, segment
from _mllp import PYTHON_HL7, listening, send
from _net import LabError
from _pki import CLIENT, SERVER, trusted
from _software import debian
from _story import opening, scene
from _tls import connect, serve
from _truth import Address, device, identity, must, must_not
from wing_bedside import MLLP, RENEWED, Site, saying, who
from wing_bedside_engine import PHARMACY

if TYPE_CHECKING:
    from collections.abc import Callable

    from _net import Host
    from _story import Hospital

NGINX = debian("nginx", "nginx-light", "nginx")
MOSQUITTO = debian("Mosquitto", "mosquitto", "mosquitto")
TELNETD = debian("telnetd of GNU inetutils", "inetutils-telnetd", "telnetd")
TELNET = debian("telnet of GNU inetutils", "inetutils-telnet", "inetutils-telnet")
SOCAT = debian("socat", "socat", "socat")
PAHO = "paho-mqtt"
HTTP, MQTT, TELNET_PORT, GATEWAY_TLS = 80, 1883, 23, 8443
LOGIN = str(Path(__file__).with_name("pump_login.sh"))
PATIENCE_S = 10.0
RETIRED = 60  # the day on which the third Plum leaves
LIBRARY = b"<library version='INV-2026-06'/>\n"


# ------------------------------------------------------------------ who lives there

PUMP_SERVER = device(
    Machine("pump-server", "00:50:56:a4:22:33", "10.21.1.33", application="VIGILANT", facility="PUMPS"),
    device_type="pump server",
    role="HL7 receiver",
)
BROKER = device(
    Machine("pump-broker", "00:50:56:a4:22:34", "10.21.1.34"), device_type="pump server", role="MQTT broker"
)
GATEWAY = device(Machine("pump-gateway", "00:50:56:a4:22:35", "10.21.1.35"), device_type="pump server")
BIOMED = device(
    Machine("biomed-laptop", "8c:ec:4b:22:61:20", "10.21.3.120"),
    vendor="Dell Inc.",
)
AGILIA = tuple(
    device(
        Machine(f"agilia{n}", f"00:13:38:22:0a:0{n}", f"10.21.3.{60 + n}", serial=f"INV2206{n}"),
        vendor="Fresenius",
        model="Agilia",
        device_type="infusion pump",
        told={"model": "http", "serial": "http", "device_type": "http"},
    )
    for n in range(1, 5)
)
SPECTRUM = tuple(
    device(
        Machine(f"spectrum{n}", f"00:40:9d:22:0b:0{n}", f"10.21.3.{64 + n}", serial=f"INV3500{n}"),
        vendor="Baxter",
        model="Spectrum IQ",
        device_type="infusion pump",
        told=dict.fromkeys(("vendor", "model", "serial", "device_type"), "telnet"),
    )
    for n in (1, 2)
)


def _plum(n: int, *addresses: Address) -> Machine:
    return device(
        Machine(f"plum{n}", f"00:03:b1:22:0c:0{n}", f"10.21.3.{66 + n}", serial=f"PLUM-INV7730{n}"),
        *addresses,
        vendor="ICU Medical",
        model="Plum 360",
        device_type="infusion pump",
        told={"model": "mqtt", "serial": "mqtt", "device_type": "mqtt"},
    )


PLUM = (_plum(1), _plum(2), _plum(3, Address("00:03:b1:22:0c:03", "10.21.3.69", 0, RETIRED - 1)))
SPACE = tuple(
    device(
        Machine(f"perfusor{n}", f"00:12:21:22:0d:0{n}", f"10.21.3.{70 + n}"),
        vendor="B. Braun",
    )
    for n in (1, 2, 3)
)

FLEET = tuple(pump.name for pump in AGILIA)
identity("http-basic", "agilia", "http", FLEET, peers=("pump-server",))
must("ID-001", "http", identity="agilia", why="four pumps of one model share an account")
for pump in AGILIA:
    must("HTTP-001", "http", device=pump.name, identity="agilia", why="its password crosses in clear each time")
for pump in SPECTRUM:
    identity("http-basic", pump.name, "http", (pump.name,), peers=("pump-server",))
    must("HTTP-001", "http", device=pump.name, identity=pump.name, why="its password crosses in clear each time")
    must("TEL-001", "telnet", device=pump.name, why="its service port asks for name and password by telnet")
identity("telnet-login", "wbmservice", "telnet", ("biomed-laptop",), peers=tuple(pump.name for pump in SPECTRUM))
for pump in PLUM:
    users = (pump.name, "biomed-laptop") if pump is PLUM[2] else (pump.name,)
    identity("mqtt-client-id", pump.serial, "mqtt", users, peers=("pump-broker",))
    identity("mqtt-username", pump.name, "mqtt", users, peers=("pump-broker",))
must("MQTT-001", "mqtt", device="pump-broker", why="names and passwords of its clients cross in clear")
must("ID-004", "mqtt", identity="plum3", first_day=75, why="a laptop uses the account of a pump that left on day 60")
must_not("ID-001", "two months lie between the pump and the laptop", identity="plum3")
must("HL7-001", "hl7", device="pump-server", why="orders for patients reach it in clear")
identity("hl7-application", "VIGILANT", "hl7", ("pump-server",), peers=("pharmacy",), realm="PUMPS")
for quiet in (*SPACE, GATEWAY):
    for _key in RENEWED:
        identity("certificate-key", f"{quiet.name}.hospital.example", "tls", (quiet.name,))
    must_not("CERT-003", "it is renewed before its last third", device=quiet.name)
    must_not("MTLS-001", "both sides show a certificate", device=quiet.name)
    must_not("CERT-008", "each has a key of its own", device=quiet.name)


# ------------------------------------------------------------------ HTTP Basic


def password(hospital: Hospital, account: str) -> str:
    """Return an account's password, a canary."""
    return hospital.canaries.token(f"password of {account}", 14)


@opening(NGINX, "OpenSSL")
def pump_server(hospital: Hospital) -> None:
    """Serve the drug library by HTTP Basic: one account for a whole fleet, one each for the others."""
    folder = hospital.folder("pump-server")
    accounts = ["agilia", *(pump.name for pump in SPECTRUM)]
    lines = [f"{name}:{_digest(hospital, password(hospital, name))}\n" for name in accounts]
    (folder / "accounts").write_text("".join(lines))
    (folder / "library.xml").write_bytes(LIBRARY)
    (folder / "nginx.conf").write_text(
        f"daemon off; user root; pid {folder}/pid; error_log /dev/null; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}; server {{ listen {HTTP}; root {folder};\n"
        f'location / {{ auth_basic "Vigilant"; auth_basic_user_file {folder}/accounts; }} }} }}\n'
    )
    hospital.serve(hospital.host(PUMP_SERVER), ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], HTTP)
    hospital.open.enter_context(listening(hospital.host(PUMP_SERVER), port=MLLP))


def _digest(hospital: Hospital, secret: str) -> str:
    return hospital.tool(["openssl", "passwd", "-apr1", "-stdin"], secret.encode()).decode().strip()


def fetch(hospital: Hospital, pump: Machine, account: str, agent: str) -> None:
    """Ask for the drug library."""
    url = f"http://{PUMP_SERVER.ip}/library.xml"
    known = f"{account}:{password(hospital, account)}"
    hospital.run(hospital.host(pump), ["curl", "-sSf", "-m", "10", "-u", known, "-A", agent, url])


@scene("four pumps fetch the drug library by one account", "curl", NGINX, days=[0], again=range(1, 120, 8), at="04:15")
def fleet_fetches(hospital: Hospital) -> None:
    """Ask by HTTP Basic; each pump says its serial number as its user agent."""
    for pump in AGILIA:
        fetch(hospital, pump, "agilia", f"Agilia/4.1 ({pump.serial})")


@scene("two pumps fetch it by accounts of their own", "curl", NGINX, days=[0], again=range(2, 120, 5), at="04:30")
def others_fetch(hospital: Hospital) -> None:
    """Ask by HTTP Basic."""
    for pump in SPECTRUM:
        fetch(hospital, pump, pump.name, "WBM/9.0")


@scene(
    "the pharmacy orders an infusion from the pumps' server", PYTHON_HL7, days=[0], again=range(5, 120, 7), at="09:50"
)
def order(hospital: Hospital) -> None:
    """Send RGV^O15 (PCD-03) for a pump named by EUI-64."""
    number = f"{AGILIA[0].mac[:8]}:ff:fe{AGILIA[0].mac[8:]}".replace(":", "").upper()
    pump = Seen("69986^MDC_DEV_PUMP_INFUS_VMD^MDC", "", place="1.1.0.0", device=f"{number}^^{number}^EUI-64")
    drug = segment("RXG", {1: "1", 4: f"{hospital.canaries.token('drug')}^invented^LOCAL", 5: "100"})
    body = [who(hospital.canaries), drug, *observations(hospital.canaries, pump)]
    more = {15: "AL", 16: "AL", 21: PCD03}
    text = saying(hospital, PHARMACY, PUMP_SERVER, "RGV^O15^RGV_O15", *body, version="2.6", more=more)
    send(hospital.host(PHARMACY), hospital.host(PUMP_SERVER), text)


# ------------------------------------------------------------------ MQTT


@opening(MOSQUITTO)
def broker(hospital: Hospital) -> None:
    """Let the pumps' broker listen in clear; it knows each pump by name and password."""
    folder = hospital.folder("pump-broker")
    accounts, config = folder / "accounts", folder / "mosquitto.conf"
    accounts.touch()
    for pump in PLUM:
        hospital.tool(["mosquitto_passwd", "-b", str(accounts), pump.name, password(hospital, pump.name)])
    config.write_text(f"listener {MQTT}\nallow_anonymous false\npassword_file {accounts}\nuser root\nlog_dest none\n")
    hospital.serve(hospital.host(BROKER), ["mosquitto", "-c", str(config)], MQTT)


def tell(hospital: Hospital, host: Host, pump: Machine) -> None:
    """Connect with the pump's serial number and account, publish its state, and leave. Raises LabError."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=pump.serial, protocol=mqtt.MQTTv311)
    client.username_pw_set(pump.name, password(hospital, pump.name))
    with host.inside():
        client.connect(BROKER.ip, MQTT)
        _until(client, client.is_connected)
        state = client.publish(f"plum/{pump.serial}/state", '{"model":"Plum 360","infusing":false}', qos=1)
        _until(client, state.is_published)
        client.disconnect()
        while client.loop(0.1) == mqtt.MQTT_ERR_SUCCESS:
            pass


def _until(client: mqtt.Client, done: Callable[[], bool]) -> None:
    while not done():
        if client.loop(PATIENCE_S) != mqtt.MQTT_ERR_SUCCESS:
            raise LabError("the broker hung up")


@scene("two pumps report by MQTT", PAHO, MOSQUITTO, days=[0], again=range(2, 120, 6), at="05:20")
def pumps_report(hospital: Hospital) -> None:
    """Publish with user name and password in clear; the client id is the serial number."""
    for pump in PLUM[:2]:
        tell(hospital, hospital.host(pump), pump)


@scene("a third pump reports until it is retired", PAHO, MOSQUITTO, days=[0], again=range(1, RETIRED, 3), at="05:25")
def third_reports(hospital: Hospital) -> None:
    """Publish as the others; after day 59 the pump is gone."""
    tell(hospital, hospital.host(PLUM[2]), PLUM[2])


@scene("a laptop uses the retired pump's account", PAHO, MOSQUITTO, days=[75, 90], at="17:40")
def account_lives_on(hospital: Hospital) -> None:
    """Publish under the third pump's name and serial number from another machine."""
    tell(hospital, hospital.host(BIOMED), PLUM[2])


# ------------------------------------------------------------------ telnet


@opening(TELNETD, SOCAT)
def service_ports(hospital: Hospital) -> None:
    """Open the service port of each Spectrum pump: GNU telnetd with a login program of the lab's."""
    folder = hospital.folder("service-ports")
    for pump in SPECTRUM:
        login = folder / pump.name
        login.write_text(f"#!/bin/sh\nexec {LOGIN} {pump.serial} {pump.mac}\n")
        login.chmod(0o755)
        daemon = ["socat", f"TCP4-LISTEN:{TELNET_PORT},reuseaddr,fork", f"EXEC:telnetd -h -E {login},nofork"]
        hospital.serve(hospital.host(pump), daemon, TELNET_PORT)


def service(host: Host, pump: Machine, secret: str) -> None:
    """Log in, ask for the pump's serial number, and leave. Raises LabError when a prompt does not come."""
    command = [*host.enter, "inetutils-telnet", pump.ip]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    environment = {"PATH": os.environ["PATH"], "TERM": "vt220"}
    with subprocess.Popen(command, env=environment, **pipes) as client:
        for prompt, answer in (
            (b"login: ", "wbmservice"),
            (b"Password: ", secret),
            (b"> ", "show id"),
            (b"> ", "exit"),
        ):
            _read_to(client, prompt)
            client.stdin.write(f"{answer}\n".encode())
            client.stdin.flush()
        client.stdout.read()


def _read_to(client: subprocess.Popen[bytes], prompt: bytes) -> None:
    heard = b""
    while not heard.endswith(prompt):
        byte = client.stdout.read(1)
        if not byte:
            raise LabError(f"no {prompt!r} after {heard!r}")
        heard += byte


@scene(
    "a technician looks at two pumps by telnet", TELNETD, TELNET, SOCAT, days=[0], again=[28, 56, 84, 112], at="14:25"
)
def technician(hospital: Hospital) -> None:
    """Log in at each service port with the same account."""
    for pump in SPECTRUM:
        service(hospital.host(BIOMED), pump, hospital.canaries.token("password of wbmservice", 12))


# ------------------------------------------------------------------ as it should be


@scene(
    "three well-kept pumps ask their gateway by mutual TLS",
    "OpenSSL",
    days=RENEWED,
    again=range(8, 120, 16),
    at="03:30",
)
def quiet_pumps(hospital: Hospital) -> None:
    """Fetch a page; both sides show new certificates of two months, each with a key of its own."""
    site, gateway = hospital.find(Site), hospital.host(GATEWAY)
    checks = ["-tls1_2", *trusted(site.root), "-no_check_time"]
    shown = site.short(hospital, GATEWAY, *SERVER)
    server = serve(hospital, gateway, *shown.chain, *checks, "-Verify", "1", port=GATEWAY_TLS)
    for pump in SPACE:
        own = site.short(hospital, pump, *CLIENT)
        name = ["-servername", f"{GATEWAY.name}.hospital.example"]
        connect(hospital, hospital.host(pump), gateway, *own.chain, *checks, *name, port=GATEWAY_TLS)
    hospital.stop(server)
