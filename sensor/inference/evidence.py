"""What device resolution looks at, read from the store."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sensor.inference.addresses import Rival, Sight
from sensor.inference.statements import run
from sensor.knowledge.attributes import attributes_that
from sensor.store.duck import duckdb


class Endpoint(NamedTuple):
    """An address pair. At least one of `mac` and `ip` is there."""

    scope: str
    mac: str | None
    ip: str | None


class Span(NamedTuple):
    """From the first to the last sight; naive UTC."""

    first: datetime
    last: datetime

    def join(self, other: Span) -> Span:
        """The span that covers both."""
        return Span(min(self.first, other.first), max(self.last, other.last))


class Trait(NamedTuple):
    """Something that hints at which device an endpoint is: `kind` is `certificate-key`, `ae-title`, `hostname`, …."""

    endpoint: Endpoint
    kind: str
    value: str


class Saying(NamedTuple):
    """One attribute that an endpoint told of a described thing."""

    endpoint: Endpoint
    about: str
    name: str
    value: str
    span: Span


@dataclass(frozen=True)
class Evidence:
    """All that resolution needs; sets and sums only, so the order of facts cannot matter."""

    sights: frozenset[Sight]
    spans: dict[Endpoint, Span]
    traits: frozenset[Trait] = frozenset()
    sayings: frozenset[Saying] = frozenset()
    holders: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)  # (scope, IP) -> MACs
    rivals: dict[tuple[str, str], frozenset[Rival]] = field(default_factory=dict)  # (scope, MAC) -> at the same time


def read_evidence(connection: duckdb.DuckDBPyConnection) -> Evidence:
    """Collect the evidence from the fact tables."""
    sights: set[Sight] = set()
    spans: dict[Endpoint, Span] = {}
    holders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for scope, mac, ip, day, first, last in run(connection, "endpoints"):
        endpoint, span = Endpoint(scope, mac, ip), Span(first, last)
        sights.add(Sight(scope, mac, ip, day))
        spans[endpoint] = spans[endpoint].join(span) if endpoint in spans else span
        if mac and ip:
            holders[scope, ip].add(mac)
    traits = frozenset(Trait(Endpoint(*row[:3]), *row[3:]) for row in _traits(connection))
    sayings = frozenset(
        Saying(Endpoint(*row[:3]), row[3], row[4], row[5], Span(*row[6:])) for row in run(connection, "sayings")
    )
    held = {key: frozenset(macs) for key, macs in holders.items()}
    return Evidence(frozenset(sights), spans, traits, sayings, held, _rivals(connection))


def _rivals(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], frozenset[Rival]]:
    found: dict[tuple[str, str], set[Rival]] = defaultdict(set)
    for scope, mac, ip, other in run(connection, "rivals"):
        found[scope, mac].add(Rival(ip, other))
    return {key: frozenset(rivals) for key, rivals in found.items()}


def _traits(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return run(connection, "traits", host_names=attributes_that("host-name"))
