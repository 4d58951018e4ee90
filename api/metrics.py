"""Metrics of the API and of the store behind it, in a registry of their own."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.database import Database

_GAUGES = {
    "devices": "Devices in the store",
    "identities": "Identities in the store",
    "open_findings": "Findings that are open",
    "latest_seq": "Number of the newest change in the feed",
}


class Metrics:
    """Counters of requests, and gauges that are read from the store when they are asked for."""

    def __init__(self, store: Database) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Store(store))
        self.requests = Counter(
            "spanward_http_requests", "Requests answered", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "spanward_http_request_seconds", "Time until the answer began", ["route"], registry=self.registry
        )


class _Store(Collector):
    def __init__(self, store: Database) -> None:
        self._store = store

    def describe(self) -> Iterator[Metric]:
        for name, text in _GAUGES.items():
            yield GaugeMetricFamily(f"spanward_{name}", text)

    def collect(self) -> Iterator[Metric]:
        try:
            counts = self._store.row("counts", {}) or {}
        except duckdb.Error:
            return  # /readyz says so; the request metrics are still worth having
        for name, text in _GAUGES.items():
            yield GaugeMetricFamily(f"spanward_{name}", text, value=counts[name])
