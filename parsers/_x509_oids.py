"""Names of the object identifiers in certificates.

Source: RFC 3279, 4055, 4514, 5280, 5480, 5639, 8410, 9881, 9909; FIPS 204 and 205; Microsoft's published identifiers.
"""

from __future__ import annotations

from typing import Final

# Short names of RFC 4514 3; everything else stays a number in names.
NAME_TYPES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}
COMMON_NAME: Final = "2.5.4.3"
ORGANIZATION: Final = "2.5.4.10"
SURNAME: Final = "2.5.4.4"
GIVEN_NAME: Final = "2.5.4.42"
EMAIL_ADDRESS: Final = "1.2.840.113549.1.9.1"

RSA_KEYS: Final = frozenset({"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.7"})
EC_KEY: Final = "1.2.840.10045.2.1"
DSA_KEY: Final = "1.2.840.10040.4.1"
DH_KEYS: Final = {"1.2.840.10046.2.1": "DH", "1.2.840.113549.1.3.1": "DH"}
PLAIN_KEYS: Final[dict[str, tuple[str, int | None]]] = {
    "1.3.101.110": ("X25519", 255),
    "1.3.101.111": ("X448", 448),
    "1.3.101.112": ("Ed25519", 255),
    "1.3.101.113": ("Ed448", 448),
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", None),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", None),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", None),
    "2.16.840.1.101.3.4.4.1": ("ML-KEM-512", None),
    "2.16.840.1.101.3.4.4.2": ("ML-KEM-768", None),
    "2.16.840.1.101.3.4.4.3": ("ML-KEM-1024", None),
}
_SLH_DSA: Final = ("128s", "128f", "192s", "192f", "256s", "256f")
SLH_DSA: Final = {
    f"2.16.840.1.101.3.4.3.{20 + i}": f"SLH-DSA-{hashed}-{size}"
    for i, (hashed, size) in enumerate((hashed, size) for hashed in ("SHA2", "SHAKE") for size in _SLH_DSA)
}

CURVES: Final = {
    "1.2.840.10045.3.1.1": ("secp192r1", 192),
    "1.2.840.10045.3.1.7": ("secp256r1", 256),
    "1.3.132.0.6": ("secp112r1", 112),
    "1.3.132.0.8": ("secp160r1", 160),
    "1.3.132.0.9": ("secp160k1", 160),
    "1.3.132.0.30": ("secp160r2", 160),
    "1.3.132.0.31": ("secp192k1", 192),
    "1.3.132.0.32": ("secp224k1", 224),
    "1.3.132.0.33": ("secp224r1", 224),
    "1.3.132.0.10": ("secp256k1", 256),
    "1.3.132.0.34": ("secp384r1", 384),
    "1.3.132.0.35": ("secp521r1", 521),
    "1.3.132.0.1": ("sect163k1", 163),
    "1.3.132.0.2": ("sect163r1", 163),
    "1.3.132.0.15": ("sect163r2", 163),
    "1.3.132.0.24": ("sect193r1", 193),
    "1.3.132.0.25": ("sect193r2", 193),
    "1.3.132.0.26": ("sect233k1", 233),
    "1.3.132.0.27": ("sect233r1", 233),
    "1.3.132.0.3": ("sect239k1", 239),
    "1.3.132.0.16": ("sect283k1", 283),
    "1.3.132.0.17": ("sect283r1", 283),
    "1.3.132.0.36": ("sect409k1", 409),
    "1.3.132.0.37": ("sect409r1", 409),
    "1.3.132.0.38": ("sect571k1", 571),
    "1.3.132.0.39": ("sect571r1", 571),
    "1.3.36.3.3.2.8.1.1.1": ("brainpoolP160r1", 160),
    "1.3.36.3.3.2.8.1.1.3": ("brainpoolP192r1", 192),
    "1.3.36.3.3.2.8.1.1.5": ("brainpoolP224r1", 224),
    "1.3.36.3.3.2.8.1.1.7": ("brainpoolP256r1", 256),
    "1.3.36.3.3.2.8.1.1.9": ("brainpoolP320r1", 320),
    "1.3.36.3.3.2.8.1.1.11": ("brainpoolP384r1", 384),
    "1.3.36.3.3.2.8.1.1.13": ("brainpoolP512r1", 512),
    "1.2.156.10197.1.301": ("curveSM2", 256),
}

RSASSA_PSS: Final = "1.2.840.113549.1.1.10"
SIGNATURES: Final = {
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
    "1.2.840.113549.1.1.3": "md4WithRSAEncryption",
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.3.14.3.2.29": "sha1WithRSAEncryption",  # the OIW's number for it
    RSASSA_PSS: "id-RSASSA-PSS",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.2.840.113549.1.1.14": "sha224WithRSAEncryption",
    "1.2.840.10040.4.3": "dsa-with-sha1",
    "2.16.840.1.101.3.4.3.1": "dsa-with-sha224",
    "2.16.840.1.101.3.4.3.2": "dsa-with-sha256",
    "2.16.840.1.101.3.4.3.3": "dsa-with-sha384",
    "2.16.840.1.101.3.4.3.4": "dsa-with-sha512",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.1": "ecdsa-with-SHA224",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
    "1.2.156.10197.1.501": "SM2-with-SM3",
} | {oid: name for oid, (name, _) in PLAIN_KEYS.items() if name.startswith("ML-DSA")} | SLH_DSA  # fmt: skip
HASHES: Final = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}

KEY_USAGE: Final = "2.5.29.15"
SUBJECT_ALT_NAME: Final = "2.5.29.17"
BASIC_CONSTRAINTS: Final = "2.5.29.19"
EXTENDED_KEY_USAGE: Final = "2.5.29.37"
NETSCAPE_TYPE: Final = "2.16.840.1.113730.1.1"
MAILBOX: Final = "1.3.6.1.5.5.7.8.9"  # a mail address beyond ASCII (RFC 8398)
USER_PRINCIPAL_NAME: Final = "1.3.6.1.4.1.311.20.2.3"

SERVER_AUTH: Final = "serverAuth"
SMARTCARD_LOGON: Final = "smartcardLogon"
EMAIL_PROTECTION: Final = "emailProtection"
PURPOSES: Final = {
    "2.5.29.37.0": "anyExtendedKeyUsage",
    "1.3.6.1.5.5.7.3.1": SERVER_AUTH,
    "1.3.6.1.5.5.7.3.2": "clientAuth",
    "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": EMAIL_PROTECTION,
    "1.3.6.1.5.5.7.3.5": "ipsecEndSystem",
    "1.3.6.1.5.5.7.3.6": "ipsecTunnel",
    "1.3.6.1.5.5.7.3.7": "ipsecUser",
    "1.3.6.1.5.5.7.3.8": "timeStamping",
    "1.3.6.1.5.5.7.3.9": "OCSPSigning",
    "1.3.6.1.5.5.7.3.13": "eapOverPPP",
    "1.3.6.1.5.5.7.3.14": "eapOverLAN",
    "1.3.6.1.5.5.7.3.17": "ipsecIKE",
    "1.3.6.1.5.2.3.4": "pkinitClientAuth",
    "1.3.6.1.5.2.3.5": "pkinitKDC",
    "1.3.6.1.4.1.311.20.2.2": SMARTCARD_LOGON,
    "1.3.6.1.4.1.311.54.1.2": "remoteDesktopAuthentication",
    "1.3.6.1.4.1.311.10.3.3": "serverGatedCrypto",
    "2.16.840.1.113730.4.1": "netscapeServerGatedCrypto",
}
USAGES: Final = (
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
    "cRLSign", "encipherOnly", "decipherOnly",
)  # fmt: skip
