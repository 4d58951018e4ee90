"""How well an identity proves itself: `none`, `weak`, `fair` or `strong`, by the weakest way in which it was used.

Claims that were refused count only where nothing else was seen: what a server does not accept proves nothing there.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from sensor.inference.identities import Identity, Use

WEAK_SIGNATURES: Final = ("md2", "md5", "sha1")
SMALL_KEY: Final = {"RSA": 2048, "DSA": 2048, "DH": 2048, "EC": 224}
ORDER: Final = ("none", "weak", "fair", "strong")
NTLM: Final = {
    "NTLMv2": ("fair", "NTLMv2: the password can be guessed from what was sent, and a relay can use it"),
    "NTLM2 session": ("weak", "NTLM2 session: NTLMv1's response, which DES breaks"),
    "NTLMv1": ("weak", "NTLMv1: its response is broken by DES"),
    "LM": ("weak", "an LM response: the password can be computed from it"),
    "anonymous": ("none", "nobody in particular: an anonymous session"),
}
ETYPES: Final = {  # IANA Kerberos encryption type numbers; DICOM tells the number, SMB the name
    "1": "des-cbc-crc", "2": "des-cbc-md4", "3": "des-cbc-md5", "17": "aes128-cts-hmac-sha1-96",
    "18": "aes256-cts-hmac-sha1-96", "19": "aes128-cts-hmac-sha256-128", "20": "aes256-cts-hmac-sha384-192",
    "23": "rc4-hmac", "24": "rc4-hmac-exp",
}  # fmt: skip


def strength(identity: Identity) -> tuple[str, str]:
    """How strong it is, and why."""
    proven = [use for use in _proofs(identity) if use.use != "answers_to" or use.kind == "service-principal"]
    said = [_strength_of(use) for use in proven] or [("none", "a name that is only called")]
    weakest = min(said, key=lambda item: (ORDER.index(item[0]), item[1]))
    if identity.kind == "certificate-key" and len(identity.holders) > 1 and weakest[0] != "none":
        return "weak", f"{len(identity.holders)} devices hold the same private key"
    return weakest


def _proofs(identity: Identity) -> list[Use]:
    """The uses that count. An HL7 message with a secret (MSH-8) is told twice, as name and proof: the proof counts."""
    proofs, names = _counts(identity, "hl7-security"), _counts(identity, "hl7-application")
    covered = {place for place in proofs if names[place] <= proofs[place]}
    return [use for use in identity.working if not (use.mechanism == "hl7-application" and _place(use) in covered)]


def _counts(identity: Identity, mechanism: str) -> Counter[tuple[str, str | None, int | None, str | None]]:
    counts: Counter[tuple[str, str | None, int | None, str | None]] = Counter()
    for use in identity.working:
        if use.mechanism == mechanism:
            counts[_place(use)] += use.n
    return counts


def _place(use: Use) -> tuple[str, str | None, int | None, str | None]:
    return use.device_id, use.peer_id, use.port, use.outcome


def _strength_of(use: Use) -> tuple[str, str]:
    if use.kind == "certificate-key":
        return _of_key(use)
    if use.kind == "service-principal":
        return _of_ticket(use.proof)
    if use.admitted:
        return "none", f"the server let it in as {use.admitted}, whatever the password"
    if use.mechanism == "ntlm":
        return NTLM.get(use.proof or "", ("weak", "NTLM of a version that was not seen"))
    return _of_claim(use)


def _of_claim(use: Use) -> tuple[str, str]:
    in_tls = use.protection == "tls"
    bearer = "fair" if in_tls else "weak", "inside TLS" if in_tls else "in clear text"
    return {
        "ae-title": ("none", "a name that anyone can say"),
        "hl7-application": ("none", "a name that anyone can say"),
        "hl7-security": (bearer[0], f"a value in MSH-8 {bearer[1]}"),
        "dicom-username": ("none", "a user name without a proof"),
        "dicom-username-passcode": (bearer[0], f"a passcode {bearer[1]}"),
        "dicom-kerberos": ("strong", "a Kerberos ticket"),
        "dicom-saml": (bearer[0], f"a bearer assertion {bearer[1]}"),
        "dicom-jwt": (bearer[0], f"a bearer token {bearer[1]}"),
        "tls-psk": ("fair", "a key that both sides know"),
        "smb-plaintext": (bearer[0], f"a password {bearer[1]}"),
    }.get(use.mechanism or "", ("weak", f"{use.mechanism}: not rated yet"))


def _of_ticket(etype: str | None) -> tuple[str, str]:
    """A service proves itself by decrypting the ticket; its key is as good as the encryption (RFC 6649, RFC 8429)."""
    name = ETYPES.get(etype or "", etype or "")
    if name.startswith("des-"):
        return "weak", f"tickets encrypted with {name}: 56 bits"
    if name.startswith("rc4-"):
        return "fair", f"tickets encrypted with {name}, made from the password without salt"
    if name.startswith(("aes", "camellia")):
        return "strong", f"tickets encrypted with {name}"
    return "fair", "tickets whose encryption was not seen"


def _of_key(use: Use) -> tuple[str, str]:
    if use.use == "claims":
        return "strong", "possession of the private key was proven"
    if use.key_bits is not None and use.key_bits < SMALL_KEY.get(use.key_type or "", 0):
        return "weak", f"{use.key_type} key of {use.key_bits} bits"
    if use.signature and any(
        use.signature.lower().startswith(name) or f"with-{name}" in use.signature.lower() for name in WEAK_SIGNATURES
    ):
        return "weak" if use.self_signed is False else "fair", f"signed with {use.signature}"
    if use.self_signed:
        return "fair", "a private key, but nobody vouches for its certificate"
    return "strong", "a private key with a certificate that an authority signed"
