"""Metrics of the API and of the store behind it, in a registry of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC

import duckdb
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.database import Database, Row

_GAUGES = {
    "devices": "Devices in the store",
    "identities": "Identities in the store",
    "open_findings": "Findings that are open",
    "latest_seq": "Number of the newest change in the feed",
}


_OF_INTERFACE = {
    "packets": "Packets that the engine saw",
    "bytes": "Bytes on the wire of these packets",
    "kernel_drops": "Packets for which the ring had no room",
    "interface_drops": "Packets that were dropped before the ring",
    "ring_freezes": "How often the ring was full",
    "duplicates": "Packets that the mirror had shown before",
    "group_packets": "Packets to broadcast or multicast addresses",
    "truncated": "Packets cut off by a snap length",
    "conversations": "Conversations that have ended",
    "understood": "Conversations of which a parser read real structure",
    "tcp_conversations": "TCP conversations that were answered",
    "one_sided": "TCP conversations of which one side was seen",
    "parser_failures": "Errors of the parsers",
}
_OF_SEGMENT = ("packets", "bytes", "duplicates")
_INTERFACES_MAX, _SEGMENTS_MAX = 32, 64


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
        yield from (*_of_interfaces([]), *_of_segments([]), _of_warnings([]), _of_evicted([]))

    def collect(self) -> Iterator[Metric]:
        try:
            counts = self._store.row("counts", {}) or {}
            interfaces = self._store.rows("sensors", _LIVE)
            segments = self._store.rows("metrics_segments", {"most": _SEGMENTS_MAX})
            warnings = self._store.rows("metrics_warnings", {"most": _SEGMENTS_MAX})
            evicted = self._store.rows("metrics_evicted", {})
        except duckdb.Error:
            return  # /readyz says so; the request metrics are still worth having
        for name, text in _GAUGES.items():
            yield GaugeMetricFamily(f"spanward_{name}", text, value=counts[name])
        yield from (*_of_interfaces(interfaces), *_of_segments(segments), _of_warnings(warnings), _of_evicted(evicted))


_LIVE: dict[str, object] = {
    "live": True, "interface": None, "state": None, "after_source": None, "after_interface": None,
    "row_limit": _INTERFACES_MAX,
}  # fmt: skip


def _of_interfaces(rows: Sequence[Row]) -> Iterator[Metric]:
    """Live interfaces; captures that were read are not watched over."""
    up = GaugeMetricFamily("spanward_mirror_up", "1 while an interface is read from", labels=["interface"])
    last = GaugeMetricFamily(
        "spanward_mirror_last_packet_timestamp_seconds", "Time of the last packet", labels=["interface"]
    )
    for row in rows:
        up.add_metric([row["interface"]], row["state"] == "running")
        if row["last_packet_ts"] is not None:
            last.add_metric([row["interface"]], row["last_packet_ts"].replace(tzinfo=UTC).timestamp())
    yield from (up, last)
    for name, text in _OF_INTERFACE.items():
        family = CounterMetricFamily(f"spanward_mirror_{name}", text, labels=["interface"])
        for row in rows:
            family.add_metric([row["interface"]], row[name])
        yield family


def _of_segments(rows: Sequence[Row]) -> Iterator[Metric]:
    """The live segments that carry most; the others together are the segment `rest`."""
    for name in _OF_SEGMENT:
        family = CounterMetricFamily(
            f"spanward_segment_{name}", f"{_OF_INTERFACE[name]}, by VLAN or tunnel", labels=["interface", "segment"]
        )
        for row in rows:
            family.add_metric([row["interface"], row["segment"]], row[name])
        yield family


def _of_warnings(rows: Sequence[Row]) -> Metric:
    family = GaugeMetricFamily("spanward_mirror_warning", "What is wrong now", labels=["interface", "kind"])
    for row in rows:
        family.add_metric([row["interface"], row["kind"]], row["warnings"])
    return family


def _of_evicted(rows: Sequence[Row]) -> Metric:
    family = CounterMetricFamily(
        "spanward_evicted", "What workers let go of, their memory being used up", labels=["kind"]
    )
    for row in rows:
        family.add_metric([row["kind"]], row["n"])
    return family
