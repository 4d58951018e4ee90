"""Identities: every key, account, title and service, who uses it, since when, how strong it is and whose it is."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sensor.inference.statements import run
from sensor.store.duck import duckdb

SECRETS_MAX: Final = 20  # rows of `why.secrets`; what changes more often is a token
SAID_NOT_PROVEN: Final = frozenset({"ae-title", "hl7-application"})  # refused or not, the device calls itself so


class Use(NamedTuple):
    """One row of claims.sql. `admitted`: `guest` or `nobody` where the server let in somebody else than was claimed."""

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
    proof: str | None
    admitted: str | None

    @property
    def refused(self) -> bool:
        """Whether it was claimed in vain; a name that is only said is not."""
        return self.outcome == "rejected" and self.kind not in SAID_NOT_PROVEN


class SecretSeen(NamedTuple):
    """One row of secrets.sql, without the identity. `digest` is None where there is too little to digest."""

    epoch: int | None
    digest: str | None
    secret_class: str
    length: str | None
    first: datetime
    last: datetime
    device_count: int


@dataclass(slots=True)
class Identity:
    """One identity with its uses and the secrets that proved it."""

    identity_id: str
    uses: list[Use] = field(default_factory=list)
    secrets: list[SecretSeen] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """`certificate-key`, `account`, `ae-title`, …."""
        return self.uses[0].kind

    @property
    def working(self) -> list[Use]:
        """The uses that were not refused; all of them when every one was."""
        return [use for use in self.uses if not use.refused] or self.uses

    @property
    def holders(self) -> set[str]:
        """The devices that show or claim it, not in vain; those that only answer to it when nobody does."""
        used = [use for use in self.uses if not use.refused]
        active = {use.device_id for use in used if use.use != "answers_to"}
        return active or {use.device_id for use in used}

    @property
    def label(self) -> str:
        """What people call it; a certificate's own name goes before what was claimed with it."""
        if self.kind == "certificate-key":
            return min((use.use != "shows", use.label) for use in self.uses)[1]
        return _most_said((use.label, use.n) for use in self.uses)

    @property
    def realm(self) -> str | None:
        """Who knows the name, as most often spelled."""
        return _most_said((use.realm, use.n) for use in self.uses) or None


def read_identities(connection: duckdb.DuckDBPyConnection) -> list[Identity]:
    """All identities, in the order of their ids. Needs the `seen_*` tables."""
    found: dict[str, Identity] = {}
    for row in run(connection, "claims"):
        use = Use(*row)
        found.setdefault(use.identity_id, Identity(use.identity_id)).uses.append(use)
    for identity_id, *secret in run(connection, "secrets"):
        if identity_id in found:
            found[identity_id].secrets.append(SecretSeen(*secret))
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


def row_of(identity: Identity, belongs_to: tuple[str, str], strength: tuple[str, str]) -> tuple[Any, ...]:
    """The row of table `identity`; the verdicts come with their reasons."""
    first, last = min(use.first for use in identity.uses), max(use.last for use in identity.uses)
    why: dict[str, Any] = {"belongs_to": belongs_to[1], "strength": strength[1], "age": _age(identity)}
    refused = _refusals(identity)
    why |= ({"refused": refused} if refused else {}) | _secrets(identity)
    head = (identity.identity_id, identity.kind, identity.label, identity.realm, belongs_to[0], strength[0])
    return (*head, len(identity.holders), first, last, json.dumps(why, sort_keys=True))


def _most_said(spellings: Iterable[tuple[str, int]]) -> str:
    counts: Counter[str] = Counter()
    for text, n in spellings:
        counts[text] += n
    return min(counts, key=lambda text: (not text, -counts[text], text))


def _use_row(identity_id: str, key: tuple[Any, ...], uses: list[Use]) -> tuple[Any, ...]:
    days = {day for use in uses for day in use.days}
    first, last = min(use.first for use in uses), max(use.last for use in uses)
    # An HL7 message that bears a secret (MSH-8) is told twice: with its name alone, and with the secret.
    count = sum(use.n for use in uses if use.mechanism != "hl7-security")
    return (identity_id, *key, first, last, count, len(days))


def _age(identity: Identity) -> str:
    since = [use.since for use in identity.uses if use.since]
    if since:
        return f"at least since {min(since):%Y-%m-%d}, when its certificate begins"
    return f"at least since {min(use.first for use in identity.uses):%Y-%m-%d}, when it was first seen"


def _refusals(identity: Identity) -> str | None:
    """In words, who was only ever refused with it."""
    claimed = [use for use in identity.uses if use.use == "claims"]
    refused = {use.device_id for use in claimed if use.refused} - {use.device_id for use in claimed if not use.refused}
    if not refused:
        return None
    if refused == {use.device_id for use in claimed}:
        return "every claim to it that was seen was refused: nobody is known to use it"
    return f"{len(refused)} more device{'s were' if len(refused) > 1 else ' was'} only ever refused with it"


# --- its secrets, as far as they may be told ---


def _secrets(identity: Identity) -> dict[str, Any]:
    """Classes, lengths and times of its secrets. Digests stay inside: the secrets are told apart by number only."""
    if not identity.secrets:
        return {}
    numbers = _numbers(identity.secrets)
    told = [
        {
            "secret": numbers.get((seen.epoch, seen.digest)), "class": seen.secret_class, "length": seen.length,
            "first_ts": f"{seen.first.isoformat()}Z", "last_ts": f"{seen.last.isoformat()}Z",
            "device_count": seen.device_count,
        }
        for seen in identity.secrets
    ]  # fmt: skip
    return {"secrets": told[:SECRETS_MAX], "secret": _changes(identity.secrets)}


def _numbers(secrets: list[SecretSeen]) -> dict[tuple[int | None, str | None], int]:
    """1, 2, … in the order in which secrets were first seen."""
    digests = dict.fromkeys((seen.epoch, seen.digest) for seen in secrets if seen.digest)
    return {key: number for number, key in enumerate(digests, start=1)}


def _changes(secrets: list[SecretSeen]) -> str:
    """In words, whether the secret changed. Digests of one epoch of the site key only can be compared."""
    epochs = {seen.epoch for seen in secrets}
    newest = [seen for seen in secrets if seen.epoch == max(epochs, key=lambda epoch: epoch or 0)]
    starts: dict[str | None, datetime] = {}
    for seen in newest:
        key = seen.digest or seen.secret_class
        starts[key] = min(seen.first, starts.get(key, seen.first))
    begun = min(starts.values())
    limit = " (the site key was rotated then)" if len(epochs) > 1 else ""
    if len(starts) == 1:
        return f"the same at least since {begun:%Y-%m-%d}{limit}"
    last = max(starts.values())
    return f"{len(starts)} different ones since {begun:%Y-%m-%d}{limit}, the last new one on {last:%Y-%m-%d}"
