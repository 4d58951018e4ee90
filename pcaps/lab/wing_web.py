"""The web: a FHIR-like API behind nginx in clear, its well-kept successor, and two portals with short certificates."""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from _estate import DOMAIN
from _fleet import Machine
from _net import LabError
from _services import (
    APP1,
    APP2,
    OFTEN,
    PORTAL_PC,
    SOMETIMES,
    WORKSTATION,
    authority,
    certificate,
    client_certificate,
    encoded,
    fqdn,
    virtual,
    weekly,
    without_proof,
)
from _software import debian
from _story import EPOCH, opening, scene
from _truth import device, identity, must, must_not
from wing_services_snmp import NMS

if TYPE_CHECKING:
    import subprocess

    from _pki import Credential
    from _story import Hospital

NGINX = debian("nginx", "nginx-light", "nginx")
CURL = debian("curl", "curl", "curl")
STARLETTE, UVICORN, PYJWT = "starlette", "uvicorn", "PyJWT"
HTTP, HTTPS, BACKEND = 80, 443, 8000
ENDS, RENEWED = 25, 31  # the days of the first portal's certificate
WATCHED = (*range(0, 18, 3), *range(18, 40), *range(40, 120, 3))
RENEWALS = (0, 12, 70)  # the second portal's is renewed on these days, with more than a third of its life left

FHIR = virtual("fhir1", 81, "http", "web server", "web server")
API = virtual("api1", 82, "http", "web server", "web server")
PORTAL1 = virtual("web-portal1", 83, "http", "web server", "web server")
PORTAL2 = virtual("web-portal2", 84, "http", "web server", "web server")
KIOSKS = tuple(
    device(Machine(f"vitals-kiosk{n}", f"00:1a:fa:44:03:0{n}", f"10.21.3.{240 + n}"), vendor="Hillrom") for n in (1, 2)
)
HUB = device(Machine("spo2-hub1", "c8:8b:e8:44:03:03", "10.21.3.243"), vendor="Masimo")
CART = device(Machine("cart-pc2", "8c:ec:4b:44:03:04", "10.21.3.244"), vendor="Dell Inc.", **WORKSTATION)
DOCK = device(Machine("glu-dock1", "00:60:19:44:03:05", "10.21.3.245"), vendor="Roche Diagnostics")
CABINET = device(Machine("dispenser1", "00:07:a1:44:03:06", "10.21.3.246"), vendor="BD")
LINK = device(Machine("lab-link1", "00:d0:c9:44:04:07", "10.21.4.232"), vendor="Advantech Co., Ltd.")


# ------------------------------------------------------------------ tokens and secrets


@dataclass(frozen=True)
class Web:
    """What lets clients in: tokens by the machine (or the subject) that has them, and the key they are signed with."""

    tokens: dict[str, str]
    key: str

    def mint(self, hospital: Hospital, subject: str, hours: float, algorithm: str = "HS256") -> str:
        """Return a JSON web token issued now; it never ends when ``hours`` is 0."""
        claims: dict[str, Any] = {"iss": "https://idp.hospital.example", "sub": subject, "iat": hospital.now}
        if hours:
            claims["exp"] = hospital.now + dt.timedelta(hours=hours)
        key = "" if algorithm == "none" else self.key
        return hospital.canaries.plant(jwt.encode(claims, key, algorithm, headers={"kid": "site-1"}))


TOKENS = {
    "vitals-kiosk": (8, "HS256"),  # one for two machines
    "spo2-hub1": (0, "HS256"),
    "cart-pc2": (8, "none"),
    "glu-dock1": (24 * 120, "HS256"),
}


def nginx(hospital: Hospital, machine: Machine, *blocks: str) -> subprocess.Popen[bytes]:
    """Start nginx with these server blocks."""
    folder = hospital.workdir / f"nginx-{machine.name}"
    folder.mkdir(exist_ok=True)
    servers = "\n".join(f"server {{ {block} }}" for block in blocks)
    general = "daemon off; pid pid; error_log log; events { worker_connections 64; }"
    (folder / "conf").write_text(f"{general}\nhttp {{ access_log off; server_tokens off;\n{servers}\n}}\n")
    port = HTTP if any(f"listen {machine.ip}:{HTTP};" in block for block in blocks) else HTTPS
    return hospital.serve(hospital.host(machine), ["nginx", "-p", str(folder), "-c", "conf", "-e", "log"], port)


PASS_ON = f"location / {{ proxy_pass http://127.0.0.1:{BACKEND}; proxy_set_header Host $host; }}"


def tls(machine: Machine, its: Credential, protocols: str, *more: str) -> str:
    """Return what a server block needs for TLS."""
    files = f"ssl_certificate {its.cert}; ssl_certificate_key {its.key};"
    where = f"listen {machine.ip}:{HTTPS} ssl; server_name {fqdn(machine)};"
    return f"{where} {files} ssl_protocols {protocols}; {' '.join(more)}"


def application(hospital: Hospital, machine: Machine, **known: Any) -> None:
    """Start the application on a machine's loopback."""
    config = hospital.workdir / f"webapp-{machine.name}.json"
    config.write_text(json.dumps(known))
    script = Path(__file__).with_name("_webapp.py")
    hospital.serve(hospital.host(machine), [sys.executable, str(script), str(BACKEND), str(config)], BACKEND)


@opening(NGINX, STARLETTE, UVICORN, PYJWT, order=37)
def interface_in_clear(hospital: Hospital) -> None:
    """The API as it was first set up: HTTP without TLS, and any kind of proof."""
    secret = hospital.canaries.token
    key = secret("jwt key", 40)
    web = Web({}, key)
    tokens = {name: web.mint(hospital, name, hours, algorithm) for name, (hours, algorithm) in TOKENS.items()}
    hospital.share(Web(tokens, key))
    application(
        hospital,
        FHIR,
        basic={"svc_results": secret("svc_results", 16)},
        form={"ward7": secret("form ward7", 14)},
        tokens=[*tokens.values(), secret("url token", 24)],
        keys=[secret("api key dispenser1", 32)],
        session=secret("session ward7", 32),
        study=hospital.canaries.uid("dicomweb study"),
        patient=secret("dicomweb patient"),
    )
    nginx(hospital, FHIR, f"listen {FHIR.ip}:{HTTP}; {PASS_ON}")


@opening(NGINX, STARLETTE, UVICORN, PYJWT, order=37)
def interface_well_kept(hospital: Hospital) -> None:
    """The API as it should be: certificates on both sides, and a token that is signed and ends."""
    its = authority(hospital)
    key = its.pki.key().read_text()
    claims = {
        "iss": "https://idp.hospital.example",
        "sub": "ris-app2",
        "iat": EPOCH,
        "exp": EPOCH + dt.timedelta(hours=1),
    }
    token = hospital.canaries.plant(jwt.encode(claims, key, "RS256", headers={"kid": "site-2"}))
    hospital.share(GoodToken(token))
    application(hospital, API, basic={}, form={}, tokens=[token], keys=[], session="", study="", patient="")
    clients = (f"ssl_client_certificate {its.root.cert};", "ssl_verify_client on;", PASS_ON)
    nginx(hospital, API, tls(API, certificate(hospital, API), "TLSv1.2 TLSv1.3", *clients))


@dataclass(frozen=True)
class GoodToken:
    """The token that is only used inside TLS."""

    text: str


def curl(hospital: Hospital, machine: Machine, url: str, *options: str) -> None:
    """Fetch a page. Raises LabError when the answer is no success."""
    argv = ["curl", "-sS", "--http1.1", "-o", "/dev/null", "-w", "%{http_code}", *options, url]
    status = hospital.run(hospital.host(machine), argv)
    if not status.startswith((b"2", b"3")):
        raise LabError(f"{machine.name} asked for {url}: {status.decode()}")


def bearer(hospital: Hospital, whose: str) -> list[str]:
    """Return the options that show a token."""
    return ["-H", f"Authorization: Bearer {hospital.find(Web).tokens[whose]}"]


OBSERVATION = json.dumps(
    {"resourceType": "Observation", "status": "final", "code": {"text": "SpO2"}, "valueQuantity": {"value": 97}}
)
POST = ["-H", "Content-Type: application/fhir+json", "-d", OBSERVATION]
BROWSER = [
    "-A",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
]
BASE = f"http://{FHIR.ip}"


# ------------------------------------------------------------------ who asks, in clear


@scene("results are fetched", NGINX, CURL, days=[0], again=OFTEN, at="05:25")
def results_by_basic(hospital: Hospital) -> None:
    """The account that proves itself by SCRAM at the database shows its password here."""
    proof = f"svc_results:{hospital.canaries.token('svc_results', 16)}"
    encoded(hospital, proof)
    curl(hospital, APP1, f"{BASE}/fhir/Observation?status=final", "-u", proof, "-A", "lis-connector/4.2")


@scene("two kiosks send vital signs", NGINX, CURL, days=[0], again=SOMETIMES, at="07:10")
def vital_signs(hospital: Hospital) -> None:
    """Both with the same token."""
    for kiosk in KIOSKS:
        curl(hospital, kiosk, f"{BASE}/fhir/Observation", *bearer(hospital, "vitals-kiosk"), *POST, "-A", "vitals/2.43")


@scene("a pulse oximeters' hub sends values", NGINX, CURL, days=[1], again=weekly(6), at="07:15")
def token_without_end(hospital: Hospital) -> None:
    """With a token that never ends."""
    curl(hospital, HUB, f"{BASE}/fhir/Observation", *bearer(hospital, "spo2-hub1"), *POST, "-A", "hub/1.0")


@scene("a cart asks for a patient", NGINX, CURL, days=[2], again=weekly(7), at="09:30")
def token_without_signature(hospital: Hospital) -> None:
    """With a token that nobody signed; it is let in."""
    curl(hospital, CART, f"{BASE}/fhir/Patient?active=true", *bearer(hospital, "cart-pc2"), *BROWSER)


@scene("a dock for glucose meters sends values", NGINX, CURL, days=[0], again=weekly(7), at="06:50")
def token_for_months(hospital: Hospital) -> None:
    """With a token that is good for four months."""
    curl(hospital, DOCK, f"{BASE}/fhir/Observation", *bearer(hospital, "glu-dock1"), *POST, "-A", "dock/3.1")


@scene("a dispensing cabinet asks for orders", NGINX, CURL, days=[0], again=OFTEN, at="06:30")
def key_in_header(hospital: Hospital) -> None:
    """With an API key in a header."""
    key = hospital.canaries.token("api key dispenser1", 32)
    curl(hospital, CABINET, f"{BASE}/fhir/MedicationRequest", "-H", f"X-API-Key: {key}", "-A", "cabinet/9.2")


@scene("a dispensing cabinet fetches a list", NGINX, CURL, days=[4], again=weekly(11), at="06:35")
def token_in_address(hospital: Hospital) -> None:
    """With a token in the address."""
    token = hospital.canaries.token("url token", 24)
    curl(hospital, CABINET, f"{BASE}/fhir/Medication?access_token={token}", "-A", "cabinet/9.2")


@scene("somebody logs on to the ward's portal", NGINX, CURL, days=[0], again=weekly(1), at="08:05")
def form_login(hospital: Hospital) -> None:
    """By a form, in clear; a cookie is the session."""
    jar = str(hospital.workdir / "cookies")
    form = ["-d", "username=ward7", "-d", f"password={hospital.canaries.token('form ward7', 14)}", "-c", jar]
    curl(hospital, PORTAL_PC, f"{BASE}/login", *form, *BROWSER)
    curl(hospital, PORTAL_PC, f"{BASE}/portal", "-b", jar, *BROWSER)


@scene("images are searched from a browser", NGINX, CURL, days=[1], again=weekly(8), at="08:10")
def images_by_web(hospital: Hospital) -> None:
    """DICOMweb (QIDO-RS) without any proof."""
    accept = ["-H", "Accept: application/dicom+json"]
    curl(hospital, PORTAL_PC, f"{BASE}/dicom-web/studies?StudyDate=20260701&limit=5", *accept, *BROWSER)


# ------------------------------------------------------------------ who asks, over TLS


def secured(hospital: Hospital, machine: Machine, *options: str) -> None:
    """Fetch from the well-kept API, with a certificate and a token."""
    its, root = client_certificate(hospital, machine), authority(hospital).root.cert
    files = ["--cacert", str(root), "--cert", str(its.cert), "--key", str(its.key)]
    proof = ["-H", f"Authorization: Bearer {hospital.find(GoodToken).text}"]
    curl(hospital, machine, f"https://{fqdn(API)}/fhir/Observation", *files, *proof, *options)


@scene("the new application asks the well-kept API", NGINX, CURL, days=[0], again=weekly(6, 2), at="07:20")
def mutual_tls(hospital: Hospital) -> None:
    """TLS 1.3, certificates on both sides."""
    secured(hospital, APP2, "--tlsv1.3")


@scene("a laboratory's gateway asks the well-kept API", NGINX, CURL, days=[0], again=weekly(5, 4), at="07:25")
def mutual_tls_12(hospital: Hospital) -> None:
    """TLS 1.2, certificates on both sides, which can be seen."""
    secured(hospital, LINK, "--tls-max", "1.2")


# ------------------------------------------------------------------ two portals


@dataclass
class Portals:
    """The web servers of the portals, to be started again with other certificates."""

    running: dict[str, subprocess.Popen[bytes]]


def portal(hospital: Hospital, machine: Machine, first: int, last: int) -> None:
    """Start a portal with a certificate from one day of the story to another; stop the one before."""
    running = hospital.find(Portals).running
    if before := running.get(machine.name):
        hospital.stop(before)
        hospital.servers.remove(before)
    its = certificate(hospital, machine, start=on(first), end=on(last), key="ec:P-256")
    page = "location / { return 200 'invented portal\\n'; }"
    running[machine.name] = nginx(hospital, machine, tls(machine, its, "TLSv1.2", page))


def on(day: int) -> str:
    """Return six in the morning of a day of the story as certificates are given it."""
    return f"{EPOCH + dt.timedelta(days=day, hours=6):%Y%m%d%H%M%SZ}"


@opening(NGINX, order=37)
def portals(hospital: Hospital) -> None:
    """Both with certificates of three months."""
    hospital.share(Portals({}))
    portal(hospital, PORTAL1, ENDS - 90, ENDS)
    portal(hospital, PORTAL2, -45, 45)


def visit(hospital: Hospital, machine: Machine) -> None:
    """Look whether a portal answers, without looking at its certificate."""
    curl(hospital, NMS, f"https://{fqdn(machine)}/", "-k", "-A", "check_http/2.3")


@scene("the first portal is watched", NGINX, CURL, days=[0, RENEWED], again=WATCHED, at="08:30")
def expiring_portal(hospital: Hospital) -> None:
    """Its certificate ends on day 25, and is renewed on day 31."""
    if hospital.day >= RENEWED:
        portal(hospital, PORTAL1, RENEWED, RENEWED + 365)
    visit(hospital, PORTAL1)


@scene("the second portal is watched", NGINX, CURL, days=RENEWALS, again=range(0, 120, 4), at="08:35")
def renewed_portal(hospital: Hospital) -> None:
    """Its certificate is renewed a month before it ends, by itself."""
    if hospital.day in RENEWALS[1:]:
        portal(hospital, PORTAL2, hospital.day, hospital.day + 90)
    visit(hospital, PORTAL2)


# ------------------------------------------------------------------ the truth

identity("http-basic", "svc_results", "http", users=("lis-app1",), peers=("fhir1",))
identity("bearer-token", "vitals-kiosk", "http", users=("vitals-kiosk1", "vitals-kiosk2"), peers=("fhir1",))
for _name in ("spo2-hub1", "cart-pc2", "glu-dock1"):
    identity("bearer-token", _name, "http", users=(_name,), peers=("fhir1",))
# A renewal is another key, so another identity: the first portal has two, the second three.
KEYS = (
    ("api1", "lab-link1"),
    ("lab-link1", "api1"),
    *[("web-portal1", "nms1")] * 2,
    *[("web-portal2", "nms1")] * len(RENEWALS),
)
for _name, _peer in KEYS:
    identity("certificate-key", f"{_name}.{DOMAIN}", "tls", users=(_name,), peers=(_peer,))
identity("account", "ward7", "http", users=("ward-pc7",), peers=("fhir1",), belongs_to="service")

must("HTTP-001", "http", device="lis-app1", identity="svc_results", why="Basic without TLS")
must("ID-006", "http", identity="svc_results", first_day=2, why="SCRAM at the database, in clear over HTTP")
must("HTTP-003", "http", device="ward-pc7", identity="ward7", why="form in clear")
must("HTTP-004", "http", device="ward-pc7", why="session cookie in clear")
for _name, _day in (
    ("vitals-kiosk1", 0),
    ("vitals-kiosk2", 0),
    ("spo2-hub1", 1),
    ("cart-pc2", 2),
    ("glu-dock1", 0),
    ("dispenser1", 0),
):
    must("HTTP-004", "http", device=_name, first_day=_day, why="token or key in clear")
must("HTTP-005", "http", device="dispenser1", first_day=4, why="token in the address")
must("JWT-001", "http", device="cart-pc2", identity="cart-pc2", first_day=2, why="not signed, let in")
must("JWT-002", "http", device="spo2-hub1", identity="spo2-hub1", first_day=1, why="no end")
must("JWT-003", "http", device="glu-dock1", identity="glu-dock1", why="good for four months")
must("JWT-005", "http", identity="vitals-kiosk", why="one token on two devices")
must("MED-005", "http", device="fhir1", why="FHIR and DICOMweb without TLS")
must_not("JWT-002", "it ends after eight hours", identity="vitals-kiosk")
must_not("JWT-004", "one issuer, whom nobody saw minting", device="fhir1")
must_not("MED-005", "certificates on both sides", device="api1")
must_not("MTLS-002", "it insists on a certificate", device="api1")
without_proof("http", FHIR)

must("CERT-003", "tls", device="web-portal1", resolved_day=ENDS, why="ends in 25 days")
must("CERT-001", "tls", device="web-portal1", first_day=ENDS, resolved_day=RENEWED, why="expired for six days")
for _rule in ("CERT-001", "CERT-003"):
    must_not(_rule, "renewed a month before the end", device="web-portal2")
    must_not(_rule, "ends in May", device="api1")
must_not("CERT-008", "a renewal with another key on the same machine", device="web-portal2")
