"""Identities: every key, account and title, who uses it, since when, how strong it is and whose it is."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import duckdb

from sensor.inference.statements import run
from sensor.knowledge import Fingerprints

WEAK_SIGNATURES: Final = ("md2", "md5", "sha1")
SMALL_KEY: Final = {"RSA": 2048, "DSA": 2048, "DH": 2048, "EC": 224}
ORDER: Final = ("none", "weak", "fair", "strong")


class Use(NamedTuple):
    """One row of claims.sql."""

    identity_id: str
    kind: str
    realm: str
    label: str
    device_id: str
    peer_id: str | None
    use: str
    protocol: str
    port: int | None
    outcome: str | None
    protection: str | None
    first: datetime
    last: datetime
    n: int
    days: list[date]
    role: str | None
    personal: bool
    key_type: str | None
    key_bits: int | None
    signature: str | None
    self_signed: bool | None
    sans: list[str] | None
    organization: str | None
    since: datetime | None
    mechanism: str | None


@dataclass(slots=True)
class Identity:
    """One identity with its uses and the verdicts on it."""

    identity_id: str
    uses: list[Use] = field(default_factory=list)

    @property
    def holders(self) -> set[str]:
        """The devices that show or claim it; those that only answer to it when nobody does."""
        active = {use.device_id for use in self.uses if use.use != "answers_to"}
        return active or {use.device_id for use in self.uses}

    @property
    def label(self) -> str:
        """What people call it; a certificate's own name goes before what was claimed with it."""
        return min((use.use != "shows", use.label) for use in self.uses)[1]

    def row(self) -> tuple[Any, ...]:
        """The row of table `identity`."""
        owner, owner_why = _belongs_to(self)
        strength, strength_why = _strength(self)
        first, last = min(use.first for use in self.uses), max(use.last for use in self.uses)
        why = {"belongs_to": owner_why, "strength": strength_why, "age": _age(self)}
        realm = min(use.realm for use in self.uses) or None
        head = (self.identity_id, self.uses[0].kind, self.label, realm, owner, strength)
        return (*head, len(self.holders), first, last, json.dumps(why, sort_keys=True))


def read_identities(connection: duckdb.DuckDBPyConnection) -> list[Identity]:
    """All identities, in the order of their ids. Needs the `seen_*` tables."""
    found: dict[str, Identity] = {}
    for row in run(connection, "claims"):
        use = Use(*row)
        found.setdefault(use.identity_id, Identity(use.identity_id)).uses.append(use)
    return [found[key] for key in sorted(found)]


def use_rows(identity: Identity) -> list[tuple[Any, ...]]:
    """Rows of table `identity_use`: one per device, peer, service and outcome."""
    grouped: dict[tuple[Any, ...], list[Use]] = defaultdict(list)
    for use in identity.uses:
        grouped[use.device_id, use.peer_id, use.use, use.protocol, use.port, use.outcome, use.protection].append(use)
    return [
        _use_row(identity.identity_id, key, uses)
        for key, uses in sorted(grouped.items(), key=lambda item: str(item[0]))
    ]


def _use_row(identity_id: str, key: tuple[Any, ...], uses: list[Use]) -> tuple[Any, ...]:
    days = {day for use in uses for day in use.days}
    first, last = min(use.first for use in uses), max(use.last for use in uses)
    return (identity_id, *key, first, last, sum(use.n for use in uses), len(days))


def _age(identity: Identity) -> str:
    since = [use.since for use in identity.uses if use.since]
    if since:
        return f"at least since {min(since):%Y-%m-%d}, when its certificate begins"
    return f"at least since {min(use.first for use in identity.uses):%Y-%m-%d}, when it was first seen"


# --- whose it is ---


def _belongs_to(identity: Identity) -> tuple[str, str]:
    if any(use.personal for use in identity.uses):
        return "human", "the certificate names a person"
    if identity.uses[0].kind == "certificate-key":
        return _key_belongs_to(identity)
    if identity.uses[0].kind == "ae-title":
        return _title_belongs_to(identity)
    return _account_belongs_to(identity)


def _key_belongs_to(identity: Identity) -> tuple[str, str]:
    makers = sorted(
        {maker for use in identity.uses if use.organization for maker in [_maker(use.organization)] if maker}
    )
    if makers:
        return "vendor", f"the certificate's organisation is {makers[0]}"
    if any(san.startswith("DNS:*.") for use in identity.uses for san in use.sans or []):
        return "service", "the certificate is for all names of a domain"
    if len(identity.holders) > 1:
        return "service", f"{len(identity.holders)} devices use the same key"
    return "device", "one device uses the key"


def _title_belongs_to(identity: Identity) -> tuple[str, str]:
    claimed = {use.device_id for use in identity.uses if use.use == "claims"}
    if not claimed:
        return "service", "devices are called by this title and accept it"
    if len(claimed) > 1:
        return "service", f"{len(claimed)} devices call themselves so"
    return "device", "one device calls itself so"


def _account_belongs_to(identity: Identity) -> tuple[str, str]:
    label = identity.label.lower()
    if label.startswith(("svc", "srv", "service")) or label.endswith(("_svc", "-svc", "$")):
        return "service", "the name follows the custom of service and machine accounts"
    if identity.uses[0].kind == "psk":
        return "device", "pre-shared keys are given to machines"
    if len(identity.holders) > 1:
        return (
            "unknown",
            f"{len(identity.holders)} devices use the account: a service's or a person's who works at several",
        )
    return "unknown", "the traffic does not say whether a person or a program stands behind the account"


def _maker(organization: str) -> str | None:
    return Fingerprints.installed().say("manufacturer", organization, "vendor")


# --- how strong it is ---


def _strength(identity: Identity) -> tuple[str, str]:
    said = [_strength_of(use) for use in identity.uses if use.use != "answers_to"] or [
        ("none", "a name that is only called")
    ]
    weakest = min(said, key=lambda item: (ORDER.index(item[0]), item[1]))
    if identity.uses[0].kind == "certificate-key" and len(identity.holders) > 1 and weakest[0] != "none":
        return "weak", f"{len(identity.holders)} devices hold the same private key"
    return weakest


def _strength_of(use: Use) -> tuple[str, str]:
    if use.kind == "certificate-key":
        return _strength_of_key(use)
    in_tls = use.protection == "tls"
    return {
        "ae-title": ("none", "a name that anyone can say"),
        "dicom-username": ("none", "a user name without a proof"),
        "dicom-username-passcode": ("fair", "a passcode inside TLS")
        if in_tls
        else ("weak", "a passcode in clear text"),
        "dicom-kerberos": ("strong", "a Kerberos ticket"),
        "dicom-saml": ("fair", "a bearer assertion inside TLS")
        if in_tls
        else ("weak", "a bearer assertion in clear text"),
        "dicom-jwt": ("fair", "a bearer token inside TLS") if in_tls else ("weak", "a bearer token in clear text"),
        "tls-psk": ("fair", "a key that both sides know"),
    }.get(use.mechanism or "", ("weak", f"{use.mechanism}: not rated yet"))


def _strength_of_key(use: Use) -> tuple[str, str]:
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
