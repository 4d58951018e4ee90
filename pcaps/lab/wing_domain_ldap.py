"""LDAP: a device maker's directory (OpenLDAP) asked in clear, and each kind of bind at the domain's controller."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from _addc import MIT_KRB5
from _directory import AD, BASE, Certificates, account, fortnightly, log_on, machine_account, weekly
from _fleet import Machine
from _ldap import GSSAPI, INVALID_CREDENTIALS, LDAP_UTILS, sasl, search, simple
from _samba import SAMBA, Station, made
from _software import debian
from _story import opening, scene
from _truth import device, identity, must, must_not
from wing_domain import KIOSK as KIOSK1
from wing_domain import LABMW, PC_ADM1, PC_ADM2, PORTAL

if TYPE_CHECKING:
    from _story import Hospital

SLAPD = debian("OpenLDAP", "slapd", "slapd")
LDAP = 389
SUFFIX = "dc=cardio,dc=example"
VIVID_NAME, ROOT = f"uid=vivid7,ou=devices,{SUFFIX}", f"cn=admin,{SUFFIX}"
PEOPLE_BASE = f"ou=people,{SUFFIX}"
CONTROLLER_URL, CONTROLLER_TLS = f"ldap://dc1.{AD.dns}", f"ldaps://dc1.{AD.dns}"
USERS = f"CN=Users,{BASE}"
KIOSK = "(sAMAccountName=kiosk)"
SCRIPT = Path(__file__).with_name("_portal.py")

LDAP1 = device(Machine("ldap1", "00:50:56:33:01:06", "10.21.1.6"), device_type="server", role="directory server")
VIVID7 = device(
    Machine("vivid7", "44:4b:5d:33:02:84", "10.21.2.132", manufacturer="GE HealthCare"), device_type="ultrasound"
)
CARDIO_WS = device(Machine("cardio-ws", "8c:ec:4b:33:02:87", "10.21.2.135"), device_type="workstation")


@opening(SLAPD, order=14)
def maker_directory(hospital: Hospital) -> None:
    """Start the maker's directory: it takes passwords in clear, and answers those who have none."""
    host, folder = hospital.host(LDAP1), hospital.folder("slapd")
    conf, ldif = folder / "slapd.conf", folder / "entries.ldif"
    conf.write_text(_configuration(folder, _secret(hospital, "admin")))
    ldif.write_text(_entries(hospital))
    hospital.tool(["slapadd", "-f", str(conf), "-l", str(ldif)])
    urls = f"ldap://{LDAP1.ip}/ {_socket(hospital)}"
    hospital.serve(host, ["slapd", "-d", "0", "-f", str(conf), "-h", urls], LDAP)


def _socket(hospital: Hospital) -> str:
    """Return the URL by which the machine's own administrator asks it, without the network."""
    return f"ldapi://{str(hospital.workdir / 'slapd' / 'ldapi').replace('/', '%2F')}"


def _secret(hospital: Hospital, who: str) -> str:
    return hospital.canaries.token(f"password of {who} of cardio", 14)


def _configuration(folder: Path, secret: str) -> str:
    schemas = "".join(f"include /etc/ldap/schema/{name}.schema\n" for name in ("core", "cosine", "inetorgperson"))
    return f"""{schemas}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
allow bind_anon_dn
database mdb
suffix {SUFFIX}
rootdn {ROOT}
rootpw {secret}
directory {made(folder / "data")}
access to attrs=userPassword by anonymous auth by * none
access to * by * read
"""


def _entries(hospital: Hospital) -> str:
    person = hospital.canaries.token("cardiologist")
    return f"""dn: {SUFFIX}
objectClass: organization
objectClass: dcObject
o: Invented Cardiology
dc: cardio

dn: ou=devices,{SUFFIX}
objectClass: organizationalUnit
ou: devices

dn: {PEOPLE_BASE}
objectClass: organizationalUnit
ou: people

dn: {VIVID_NAME}
objectClass: account
objectClass: simpleSecurityObject
uid: vivid7
userPassword: {_secret(hospital, "vivid7")}

dn: uid=c1,{PEOPLE_BASE}
objectClass: inetOrgPerson
uid: c1
cn: Invented {person}
sn: {person}
"""


def _vivid_binds(hospital: Hospital, password: str, *, ok: int = 0) -> None:
    bind = simple(VIVID_NAME, password)
    search(hospital, hospital.host(VIVID7), f"ldap://{LDAP1.ip}", bind, PEOPLE_BASE, ok=(ok,))


@scene(
    "an ultrasound machine asks for its users, with its password in clear",
    LDAP_UTILS,
    days=[4],
    again=weekly(11, 53),
    at="08:15",
)
def vivid_asks(hospital: Hospital) -> None:
    _vivid_binds(hospital, _secret(hospital, "vivid7"))


@scene("the password of the ultrasound machine is changed, at the server itself", LDAP_UTILS, days=[60], at="06:00")
def vivid_rotated(hospital: Hospital) -> None:
    new = _secret(hospital, "vivid7, the new one")
    command = ["ldappasswd", "-H", _socket(hospital), *simple(ROOT, _secret(hospital, "admin")), "-s", new, VIVID_NAME]
    hospital.run(hospital.host(LDAP1), command)


@scene("the ultrasound machine tries the old password, and is told the new one", LDAP_UTILS, days=[60], at="08:15")
def vivid_told(hospital: Hospital) -> None:
    _vivid_binds(hospital, _secret(hospital, "vivid7"), ok=INVALID_CREDENTIALS)
    vivid_asks_anew(hospital)


@scene("the ultrasound machine asks with its new password", LDAP_UTILS, days=[67], again=weekly(74), at="08:15")
def vivid_asks_anew(hospital: Hospital) -> None:
    _vivid_binds(hospital, _secret(hospital, "vivid7, the new one"))


@scene(
    "a workstation searches without a name, and with a name but no password",
    LDAP_UTILS,
    days=[1],
    again=fortnightly(15),
    at="07:50",
)
def anonymous(hospital: Hospital) -> None:
    host = hospital.host(CARDIO_WS)
    search(hospital, host, f"ldap://{LDAP1.ip}", ["-x"], PEOPLE_BASE, "(uid=c1)")
    search(hospital, host, f"ldap://{LDAP1.ip}", simple(f"uid=c1,{PEOPLE_BASE}", ""), PEOPLE_BASE, "(uid=c1)")


identity("ldap-dn", VIVID_NAME, "ldap", ("vivid7",), peers=("ldap1",))
must("LDAP-001", "ldap", device="vivid7", identity=VIVID_NAME, first_day=4, why="its password crosses in clear")
must("LDAP-002", "ldap", device="ldap1", first_day=1, why="it lets anybody search, and takes an empty password")
must_not("ID-003", "its password was changed on day 60", identity=VIVID_NAME)


@scene(
    "PCs ask the domain by SASL: GSSAPI, and GSS-SPNEGO, both sealed",
    LDAP_UTILS,
    MIT_KRB5,
    GSSAPI,
    days=[8],
    again=[50, 92],
    at="09:00",
)
def sealed(hospital: Hospital) -> None:
    for machine, mechanism in ((PC_ADM1, "GSSAPI"), (PC_ADM2, "GSS-SPNEGO")):
        client = log_on(hospital, hospital.host(machine), machine_account(hospital, machine))
        search(hospital, client.host, CONTROLLER_URL, sasl(mechanism), USERS, KIOSK, env=client.env)


@scene(
    "the laboratory's middleware asks by GSS-SPNEGO, neither signed nor sealed",
    LDAP_UTILS,
    MIT_KRB5,
    GSSAPI,
    days=[9],
    again=[37, 65, 93],
    at="05:40",
)
def unsealed(hospital: Hospital) -> None:
    client = log_on(hospital, hospital.host(LABMW), account(hospital, "svc-labmw"))
    search(hospital, client.host, CONTROLLER_URL, sasl("GSS-SPNEGO", "maxssf=0"), USERS, KIOSK, env=client.env)


@scene("the kiosk asks the domain with NTLM inside LDAP", SAMBA, days=[16], again=[58, 100], at="08:40")
def ntlm_inside(hospital: Hospital) -> None:
    host, who = hospital.host(KIOSK1), account(hospital, "kiosk")
    _, *conf = Station(host, {"workgroup": AD.workgroup, "realm": AD.kerberos, "security": "ads"}).command(hospital)
    asks = ["ads", "search", "-S", f"dc1.{AD.dns}", "--use-kerberos=off", "-U", who.option, KIOSK, "cn"]
    hospital.run(host, ["net", *conf, *asks])


@scene("a portal (python ldap3) asks the domain over LDAPS", "ldap3", days=[0], again=fortnightly(14), at="04:30")
def portal_asks(hospital: Hospital) -> None:
    who, authority = account(hospital, "svc-portal"), str(hospital.find(Certificates).root.cert)
    command = [sys.executable, str(SCRIPT), f"dc1.{AD.dns}", authority, f"{who.name}@{AD.dns}", USERS, KIOSK]
    hospital.run(hospital.host(PORTAL), command, f"{who.password}\n".encode())


@scene(
    "an administrator's script asks over LDAPS, and over LDAP with StartTLS",
    LDAP_UTILS,
    days=[15],
    again=[43, 71, 99],
    at="10:10",
)
def over_tls(hospital: Hospital) -> None:
    host, who = hospital.host(PC_ADM2), account(hospital, "svc-portal")
    env = {"LDAPTLS_CACERT": str(hospital.find(Certificates).root.cert)}
    bind = simple(f"{who.name}@{AD.dns}", who.password)
    search(hospital, host, CONTROLLER_TLS, bind, USERS, KIOSK, env=env)
    search(hospital, host, CONTROLLER_URL, ["-ZZ", *bind], USERS, KIOSK, env=env)


identity("certificate-key", f"dc1.{AD.dns}", "tls", ("dc1",), peers=("intranet1",))
identity(
    "service-principal",
    f"ldap/dc1.{AD.dns}",
    "ldap",
    ("dc1",),
    peers=("pc-adm1", "pc-adm2", "labmw"),
    realm=AD.kerberos,
)
must("LDAP-003", "ldap", device="dc1", first_day=9, why="it lets a client go on without signing or sealing")
must("MTLS-002", "tls", device="dc1", why="it asks LDAPS clients for a certificate and goes on without one")
must_not("LDAP-001", "its password is inside TLS", device="intranet1")
must_not("LDAP-002", "without a name it shows its root DSE only", device="dc1")
must_not("CERT-007", "the hospital's own authority signed it", device="dc1")
