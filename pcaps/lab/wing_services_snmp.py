"""Management: a station asks switches, a UPS, servers and printers by SNMP; switches tell their neighbours by LLDP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from _fleet import Machine
from _services import EVERY_DAY, WORKDAYS, calling_itself, until_heard, virtual, weekly, without_proof
from _software import debian
from _story import opening, scene
from _truth import device, identity, must, must_not

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable

    from _story import Hospital

NET_SNMP = debian("Net-SNMP", "snmpd", "snmpd")
NET_SNMP_CLIENT = debian("Net-SNMP tools", "snmp", "snmpget")
LLDPD = debian("lldpd", "lldpd", "lldpd")
SNMP = 161
CHANGED = 66  # the day on which one switch got a community of its own
DESCRIPTION, OBJECT_ID, UPTIME, CONTACT, NAME = (f"1.3.6.1.2.1.1.{n}.0" for n in range(1, 6))
INTERFACES = "1.3.6.1.2.1.2.2.1.2"
ENTITY_MODEL, ENTITY_SERIAL = "1.3.6.1.2.1.47.1.1.1.1.13.1", "1.3.6.1.2.1.47.1.1.1.1.11.1"
UPS_MODEL, UPS_SERIAL = "1.3.6.1.4.1.318.1.1.1.1.1.1.0", "1.3.6.1.4.1.318.1.1.1.1.2.3.0"

NMS = virtual("nms1", 75, "snmp", "management station")
CISCO = "Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 15.0(2)SE11, RELEASE SOFTWARE (fc3)"
SWITCH1 = device(
    Machine("sw-core1", "00:1b:d4:44:01:4c", "10.21.1.76", model="Catalyst 2960", serial="INV1544X0LK"),
    vendor="Cisco Systems, Inc",
    os="IOS 15.0(2)SE11",
    device_type="switch",
    role="switch",
    told={"model": "snmp", "serial": "snmp", "os": "snmp", "device_type": "snmp", "role": "snmp"},
)
HP_SWITCH = "Aruba JL256A 2930F-48G-PoE+-4SFP+ Switch, revision WC.16.11.0020, ROM WC.16.01.0010"
SWITCH2 = device(
    Machine("sw-floor2", "94:57:a5:44:01:4d", "10.21.1.77", model="2930F-48G", serial="INV52FP123"),
    vendor="Hewlett Packard",
    os="WC.16.11.0020",
    device_type="switch",
    role="switch",
    told={"model": "snmp", "serial": "snmp", "os": "snmp", "device_type": "snmp", "role": "snmp"},
)
APC = "APC Web/SNMP Management Card (MB:v4.3.0 PF:v2.5.0.8 PN:apc_hw21_aos_2.5.0.8.bin MN:AP9641 SN: INV1837007)"
UPS = device(
    Machine("ups-or1", "00:c0:b7:44:01:4e", "10.21.1.78", model="Smart-UPS 3000", serial="INVAS1837114"),
    vendor="American Power Conversion Corp",
    device_type="UPS",
    role="UPS",
    told={"model": "snmp", "serial": "snmp", "device_type": "snmp", "role": "snmp"},
)
ESX = device(
    Machine("esx1", "00:14:22:44:01:4f", "10.21.1.79"),
    vendor="Dell Inc.",
    device_type="server",
    role="server",
    told={"device_type": "snmp", "role": "snmp"},
)
NAS = device(
    Machine("nas3", "00:08:9b:44:01:50", "10.21.1.80", model="TS-453"),
    vendor="QNAP",
    device_type="file server",
    role="file server",
    told={"vendor": "snmp", "model": "snmp", "device_type": "nfs", "role": "nfs"},
)


@dataclass(frozen=True)
class Agent:
    """What an agent says of itself (sysDescr, sysObjectID, more objects as OID -> text), and who may ask.

    ``access`` holds lines of snmpd.conf.
    """

    machine: Machine
    description: str
    object_id: str
    access: tuple[str, ...]
    objects: dict[str, str] = field(default_factory=dict)

    def config(self, access: Iterable[str], folder: str) -> str:
        """Return its snmpd.conf. The engine's identifier is made of its MAC address, as devices do (RFC 3411)."""
        name = self.machine.name
        lines = [f"agentaddress udp:{self.machine.ip}:{SNMP}", "engineIDType 3", "engineIDNic eth0", *access]
        lines += [
            f"sysDescr {self.description}",
            f"sysObjectID {self.object_id}",
            f"sysName {name}",
            "sysLocation Building A",
        ]
        lines += [f'override {oid} octet_str "{text}"' for oid, text in self.objects.items()]
        lines += [f"[snmp] persistentDir {folder}"]
        return "\n".join(lines) + "\n"


def serial(machine: Machine) -> dict[str, str]:
    """Return the objects of the entity MIB that tell a machine's model and serial number."""
    return {ENTITY_MODEL: machine.model, ENTITY_SERIAL: machine.serial}


OPEN = ("rocommunity public", "rwcommunity private")
UPS_OBJECTS = {UPS_MODEL: UPS.model, UPS_SERIAL: UPS.serial}
AGENTS = (
    Agent(SWITCH1, CISCO, "1.3.6.1.4.1.9.1.716", OPEN[:1], serial(SWITCH1)),
    Agent(SWITCH2, HP_SWITCH, "1.3.6.1.4.1.11.2.3.7.11.181.20", OPEN[:1], serial(SWITCH2)),
    Agent(UPS, APC, "1.3.6.1.4.1.318.1.3.27", OPEN, UPS_OBJECTS),
)


def snmpd(hospital: Hospital, agent: Agent, access: Iterable[str] = ()) -> subprocess.Popen[bytes]:
    """Start an agent."""
    folder = hospital.workdir / f"snmpd-{agent.machine.name}"
    folder.mkdir(exist_ok=True)
    config = folder / "snmpd.conf"
    config.write_text(agent.config(access or agent.access, str(folder)))
    argv = ["snmpd", "-f", "-Lf", str(folder / "log"), "-C", "-c", str(config), "-I", "-smux"]
    return hospital.serve(hospital.host(agent.machine), argv, SNMP, "udp", env={"SNMP_PERSISTENT_DIR": str(folder)})


def ask(hospital: Hospital, tool: str, who: list[str], machine: Machine, *objects: str) -> None:
    """Ask an agent as the management station does: ``who`` says the version and the proof."""
    argv = [tool, "-m", "", "-On", "-r", "0", "-t", "5", *who, machine.ip, *objects]
    hospital.run(hospital.host(NMS), argv, env={"SNMP_PERSISTENT_DIR": str(hospital.workdir / "snmp-client")})


def community(name: str, version: str = "2c") -> list[str]:
    """Return the options that send a community."""
    return ["-v", version, "-c", name]


@dataclass
class FirstSwitch:
    """The agent of the switch whose community is changed."""

    process: subprocess.Popen[bytes]


def own_community(hospital: Hospital) -> str:
    """Return the community that the first switch got on day 66."""
    return hospital.canaries.token("community of sw-core1", 14)


@opening(NET_SNMP, order=34)
def agents(hospital: Hospital) -> None:
    """Switches and a UPS as they were taken out of the box."""
    started = [snmpd(hospital, agent) for agent in AGENTS]
    hospital.share(FirstSwitch(started[0]))


@opening(NET_SNMP, order=34)
def secured_agents(hospital: Hospital) -> None:
    """A server that asks for authentication and privacy, and a NAS that asks for a user's name only."""
    secret = hospital.canaries.token
    user = f"createUser netmon SHA-256 {secret('netmon auth', 16)} AES {secret('netmon priv', 16)}"
    snmpd(
        hospital,
        Agent(ESX, "VMware ESXi 8.0.2 build-22380479", "1.3.6.1.4.1.6876.4.1", (user, "rouser netmon authpriv")),
    )
    name_only = ("createUser qnapuser", "rouser qnapuser noauth")
    snmpd(hospital, Agent(NAS, "Linux TS-453 5.1.4", "1.3.6.1.4.1.24681.1.2", name_only))


@scene(
    "the management station looks whether all are there",
    NET_SNMP,
    NET_SNMP_CLIENT,
    days=[0, CHANGED],
    again=EVERY_DAY,
    at="02:00",
)
def poll(hospital: Hospital) -> None:
    """Two values of each; from day 66 with the new community for the first switch."""
    if hospital.day >= CHANGED:
        _change(hospital)
    first = own_community(hospital) if hospital.day >= CHANGED else "public"
    for machine, name, version in ((SWITCH1, first, "2c"), (SWITCH2, "public", "2c"), (UPS, "public", "1")):
        ask(hospital, "snmpget", community(name, version), machine, DESCRIPTION, UPTIME)


def _change(hospital: Hospital) -> None:
    switch = hospital.find(FirstSwitch)
    hospital.stop(switch.process)
    hospital.servers.remove(switch.process)
    switch.process = snmpd(hospital, AGENTS[0], [f"rocommunity {own_community(hospital)}"])


@scene("the inventory is read", NET_SNMP, NET_SNMP_CLIENT, days=[0, 70], again=weekly(7), at="02:10")
def inventory(hospital: Hospital) -> None:
    """Who they are, their interfaces by a walk, and serial numbers."""
    first = own_community(hospital) if hospital.day >= CHANGED else "public"
    for machine, name in ((SWITCH1, first), (SWITCH2, "public")):
        ask(hospital, "snmpwalk", community(name), machine, INTERFACES)
        ask(hospital, "snmpget", community(name), machine, DESCRIPTION, OBJECT_ID, NAME, ENTITY_MODEL, ENTITY_SERIAL)
    ask(hospital, "snmpget", community("public", "1"), UPS, UPS_MODEL, UPS_SERIAL)


@scene("the UPS gets a new contact", NET_SNMP, NET_SNMP_CLIENT, days=[6, 62], again=[34, 90, 118], at="09:40")
def set_contact(hospital: Hospital) -> None:
    """A SetRequest with the community that everybody knows."""
    ask(hospital, "snmpset", community("private", "1"), UPS, CONTACT, "s", f"facility day {hospital.day}")


@scene("the well-kept server is asked", NET_SNMP, NET_SNMP_CLIENT, days=[0], again=WORKDAYS, at="02:03")
def poll_by_version_3(hospital: Hospital) -> None:
    """By version 3 with authentication and privacy."""
    secret = hospital.canaries.token
    proof = ["-a", "SHA-256", "-A", secret("netmon auth", 16), "-x", "AES", "-X", secret("netmon priv", 16)]
    ask(hospital, "snmpget", ["-v", "3", "-u", "netmon", "-l", "authPriv", *proof], ESX, DESCRIPTION, UPTIME)


@scene("the NAS is asked", NET_SNMP, NET_SNMP_CLIENT, days=[0], again=WORKDAYS, at="02:04")
def poll_by_name(hospital: Hospital) -> None:
    """By version 3 without any proof."""
    ask(hospital, "snmpget", ["-v", "3", "-u", "qnapuser", "-l", "noAuthNoPriv"], NAS, DESCRIPTION, UPTIME)


# ------------------------------------------------------------------ LLDP


PRIVATE_RUN = (
    'mount -t tmpfs none /run && mkdir /run/lldpd && exec "$@"'  # namespaces share this machine's /run otherwise
)


def lldp(hospital: Hospital, machine: Machine, *said: str) -> None:
    """Let a machine tell its neighbours what it is, for as long as one frame and the farewell take."""
    daemon = ["lldpd", "-d", "-I", "eth0", "-m", machine.ip, "-u", "/run/lldpd/lldpd.socket", *said]
    argv = calling_itself(machine.name, "sh", "-c", PRIVATE_RUN, "sh", *until_heard(1, *daemon))
    hospital.run(hospital.host(machine), argv)


@scene("a switch tells its neighbours what it is", LLDPD, days=[0], again=EVERY_DAY, at="01:30")
def neighbours(hospital: Hospital) -> None:
    """LLDP with LLDP-MED; frames for the bridge next door, which the mirror sees, too."""
    lldp(hospital, SWITCH2, "-S", HP_SWITCH, "-P", "HP", "-M", "4")


# ------------------------------------------------------------------ the truth

TRUTH_PUBLIC = ("sw-core1", "sw-floor2", "ups-or1")
PRINTERS = ("printer-er1", "printer-lab2")  # of the wing of that name
identity("snmp-community", "public", "snmp", users=("nms1",), peers=(*TRUTH_PUBLIC, *PRINTERS), belongs_to="service")
identity("snmp-community", "private", "snmp", users=("nms1",), peers=("ups-or1",), belongs_to="service")
identity("snmp-user", "netmon", "snmp", users=("nms1",), peers=("esx1",), belongs_to="service")
identity("snmp-user", "qnapuser", "snmp", users=("nms1",), peers=("nas3",), belongs_to="service")

for _name in TRUTH_PUBLIC:
    must("SNMP-001", "snmp", device=_name, why="version 1 or 2c")
must("SNMP-002", "snmp", device="sw-core1", identity="public", resolved_day=CHANGED, why="changed on day 66")
must("SNMP-002", "snmp", device="sw-floor2", identity="public", why="default community")
must("SNMP-002", "snmp", device="ups-or1", identity="public", why="default community")
must("SNMP-002", "snmp", device="ups-or1", identity="private", first_day=6, why="default community that may write")
must("SNMP-003", "snmp", device="nas3", identity="qnapuser", why="noAuthNoPriv")
must("EOL-002", "snmp", device="sw-core1", why="its maker ended the support of this series in 2019")
must_not("SNMP-001", "version 3", device="esx1")
must_not("SNMP-003", "authPriv; what comes before it to learn the engine's identifier has no user", device="esx1")
without_proof("snmp", SWITCH1, SWITCH2, UPS, ESX)
