"""Whose an identity is: a device's, a service's, a person's, a maker's, or unknown. Every verdict has its reason.

Traffic seldom says who stands behind an account. A person is only named as such for a reason (the certificate says so,
the name is made like a person's); what is left is `unknown`, and stays so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sensor.inference.identities import Identity
from sensor.knowledge import Fingerprints, vocabulary

PERSON: Final = re.compile(r"[^\W\d_]{2,}\.[^\W\d_]{2,}(-[^\W\d_]{2,})?")
WORDS: Final = re.compile(r"[^\W\d_]+")
PREFIXES: Final = ("svc", "srv", "service", "gmsa")


def belongs_to(identity: Identity) -> tuple[str, str]:
    """Whose it is, and why."""
    if any(use.personal for use in identity.uses):
        return "human", "the certificate names a person"
    return _VERDICTS.get(identity.kind, _account)(identity)


def _key(identity: Identity) -> tuple[str, str]:
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


def _title(identity: Identity) -> tuple[str, str]:
    claimed = _claimants(identity)
    if not claimed:
        return "service", "devices are called by this title and accept it"
    if len(claimed) > 1:
        return "service", f"{len(claimed)} devices call themselves so"
    return "device", "one device calls itself so"


def _application(identity: Identity) -> tuple[str, str]:
    claimed = _claimants(identity)
    if identity.label.split("^")[0].lower() in vocabulary("engine_names"):
        return "service", "the name is one of an interface engine's"
    if not claimed:
        return "service", "messages are addressed to this application and accepted"
    if len(claimed) > 1:
        return "service", f"{len(claimed)} devices send under this name"
    return "device", "one device sends under this name"


def _service(identity: Identity) -> tuple[str, str]:
    if len(identity.holders) > 1:
        return "service", f"{len(identity.holders)} devices answer to this Kerberos service"
    return "device", "one device answers to this Kerberos service"


def _psk(_: Identity) -> tuple[str, str]:
    return "device", "pre-shared keys are given to machines"


def _account(identity: Identity) -> tuple[str, str]:
    name = identity.label.lower()
    return _by_name(name) or _as_person(name) or ("unknown", _nothing_said(len(identity.holders)))


def _by_name(name: str) -> tuple[str, str] | None:
    if name.endswith("$"):
        return "device", "a machine account: its name ends in $"
    if name in vocabulary("vendor_accounts"):
        return "vendor", "a maker's account name that is public"
    if name in vocabulary("default_accounts"):
        return "unknown", "a name that operating systems and products create by themselves: whoever knows its password"
    words = WORDS.findall(name)
    found = sorted(vocabulary("service_words") & set(words))
    if found or any(word.startswith(PREFIXES) or word.endswith("svc") for word in words):
        return "service", f"the name is made like a program's: {found[0] if found else name}"
    return None


def _as_person(name: str) -> tuple[str, str] | None:
    made_so = PERSON.fullmatch(name)
    return ("human", "the name is made like a person's: given name, dot, family name") if made_so else None


def _nothing_said(devices: int) -> str:
    if devices > 1:
        return f"{devices} devices use the account: a service's or a person's who works at several"
    return "the traffic does not say whether a person or a program stands behind the account"


def _claimants(identity: Identity) -> set[str]:
    return {use.device_id for use in identity.uses if use.use == "claims"}


def _maker(organization: str) -> str | None:
    return Fingerprints.installed().say("manufacturer", organization, "vendor")


_VERDICTS: Final[dict[str, Callable[[Identity], tuple[str, str]]]] = {
    "certificate-key": _key,
    "ae-title": _title,
    "hl7-application": _application,
    "service-principal": _service,
    "psk": _psk,
}
