"""Keys and certificates for the TLS scenarios, made by openssl in the scenario's folder and gone with it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

if TYPE_CHECKING:
    from _lab import Lab


class Options(TypedDict, total=False):
    """How a certificate may differ from an ordinary one."""

    key: str | Path
    start: str
    end: str
    digest: str


NAME_FIELDS = (
    "countryName",
    "stateOrProvinceName",
    "localityName",
    "organizationName",
    "organizationalUnitName",
    "commonName",
    "surname",
    "givenName",
    "serialNumber",
    "UID",
    "domainComponent",
    "emailAddress",
)
CA_CONFIG = """\
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
serial = serial
policy = any
unique_subject = no
email_in_dn = yes
[req]
distinguished_name = dn
string_mask = utf8only
[dn]
[any]
""" + "".join(f"{name} = optional\n" for name in NAME_FIELDS)
CA = ("basicConstraints = critical,CA:TRUE", "keyUsage = critical,keyCertSign,cRLSign", "subjectKeyIdentifier = hash")
SERVER = (
    "basicConstraints = critical,CA:FALSE",
    "keyUsage = critical,digitalSignature,keyEncipherment",
    "extendedKeyUsage = serverAuth",
    "subjectKeyIdentifier = hash",
    "authorityKeyIdentifier = keyid",
)
CLIENT = (*SERVER[:2], "extendedKeyUsage = clientAuth", *SERVER[3:])
BOTH = (*SERVER[:2], "extendedKeyUsage = serverAuth,clientAuth", *SERVER[3:])
HOSPITAL = "/C=DE/O=Invented General Hospital"


@dataclass(frozen=True)
class Credential:
    """A key with its certificate, both PEM files, and the certificates above it, leaf's issuer first."""

    key: Path
    cert: Path
    issuers: tuple[Path, ...] = ()

    @property
    def chain(self) -> list[str]:
        """The options of s_server and s_client that show this credential with its chain."""
        shown = self.cert.with_suffix(".chain")
        shown.write_text("".join(p.read_text() for p in self.issuers))
        return ["-cert", str(self.cert), "-key", str(self.key), *(["-cert_chain", str(shown)] if self.issuers else [])]


class Pki:
    """Makes keys and certificates with openssl; names files by count."""

    def __init__(self, lab: Lab, folder: str = "pki") -> None:
        self._lab = lab
        self.folder = lab.folder(folder)
        (self.folder / "ca.cnf").write_text(CA_CONFIG)
        (self.folder / "index.txt").touch()
        (self.folder / "index.txt.attr").write_text("unique_subject = no\n")
        self._count = 0
        self.now = dt.datetime.now(dt.UTC)

    def openssl(self, *argv: str) -> bytes:
        """Run openssl in the scenario's folder."""
        return self._lab.tool(["openssl", *argv])

    def path(self, suffix: str) -> Path:
        """Return a new file name."""
        self._count += 1
        return self.folder / f"{self._count}.{suffix}"

    def key(self, kind: str = "rsa:2048") -> Path:
        """Make a private key: ``rsa:BITS``, ``ec:CURVE``, ``ed25519``, ``dsa:BITS``, ``rsa-pss:BITS``."""
        path = self.path("key")
        algorithm, _, size = kind.partition(":")
        options = {
            "rsa": [f"rsa_keygen_bits:{size}"],
            "rsa-pss": [f"rsa_keygen_bits:{size}"],
            "rsa3": [f"rsa_keygen_bits:{size}", "rsa_keygen_pubexp:3"],
            "ec": [f"ec_paramgen_curve:{size}", "ec_param_enc:named_curve"],
            "ecx": [f"ec_paramgen_curve:{size}", "ec_param_enc:explicit"],
        }.get(algorithm, [])
        if algorithm == "dsa":
            parameters = self.path("dsa")
            self.openssl(
                "genpkey",
                "-genparam",
                "-algorithm",
                "DSA",
                "-pkeyopt",
                f"dsa_paramgen_bits:{size}",
                "-out",
                str(parameters),
            )
            self.openssl("genpkey", "-paramfile", str(parameters), "-out", str(path))
            return path
        name = {"rsa3": "RSA", "ecx": "EC"}.get(algorithm, algorithm.upper())
        self.openssl("genpkey", "-algorithm", name, *(x for o in options for x in ("-pkeyopt", o)), "-out", str(path))
        return path

    def date(self, days: float) -> str:
        """Return a moment so many days from now as openssl ca wants it."""
        return f"{self.now + dt.timedelta(days=days):%Y%m%d%H%M%SZ}"

    def issue(
        self,
        subject: str,
        extensions: tuple[str, ...],
        issuer: Credential | None = None,
        *,
        key: str | Path = "rsa:2048",
        start: str = "",
        end: str = "",
        digest: str = "sha256",
    ) -> Credential:
        """Issue a certificate; without an issuer it is self-signed. ``start`` and ``end`` are YYYYMMDDHHMMSSZ."""
        private = self.key(key) if isinstance(key, str) else key
        request, cert, extfile = self.path("csr"), self.path("crt"), self.path("ext")
        config = str(self.folder / "ca.cnf")
        self.openssl(
            "req", "-new", "-utf8", "-config", config, "-key", str(private), "-subj", subject, "-out", str(request)
        )
        extfile.write_text("\n".join(extensions) + "\n")
        signer = (
            ["-selfsign", "-keyfile", str(private)]
            if issuer is None
            else ["-keyfile", str(issuer.key), "-cert", str(issuer.cert)]
        )
        dates = ["-startdate", start or self.date(-10), "-enddate", end or self.date(355)]
        files = ["-config", config, "-in", str(request), "-out", str(cert), "-extfile", str(extfile)]
        options = ["-batch", "-notext", "-rand_serial", "-preserveDN", "-md", digest]
        here = ["sh", "-c", 'cd "$0" && exec "$@"', str(self.folder)]
        self._lab.tool([*here, "openssl", "ca", *files, *dates, *options, *signer])
        return Credential(private, cert, (issuer.cert, *issuer.issuers) if issuer else ())

    def root(self, name: str = "Invented Root CA", **options: Unpack[Options]) -> Credential:
        """Issue a root certificate of ten years."""
        options.setdefault("end", self.date(3640))
        return self.issue(f"{HOSPITAL}/CN={name}", CA, **options)

    def server(self, host: str, issuer: Credential | None = None, **options: Unpack[Options]) -> Credential:
        """Issue an ordinary server certificate for a host name."""
        return self.issue(f"{HOSPITAL}/CN={host}", (*SERVER, f"subjectAltName = DNS:{host}"), issuer, **options)

    def client(self, name: str, issuer: Credential, **options: Unpack[Options]) -> Credential:
        """Issue an ordinary client certificate for a device."""
        return self.issue(
            f"{HOSPITAL}/OU=Devices/CN={name}", (*CLIENT, f"subjectAltName = DNS:{name}"), issuer, **options
        )


def trusted(anchor: Credential) -> list[str]:
    """Return the options that make s_server or s_client trust what the anchor issued, and check it."""
    return ["-CAfile", str(anchor.issuers[-1] if anchor.issuers else anchor.cert), "-verify_return_error"]
