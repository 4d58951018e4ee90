"""Days: what the engine has folded of flows, as rows of conversations and of who held which address.

The engine folds in numbers (`sensor.engine.DAYS`, `HOLDERS`), which become texts here, once for each row. The key of a
conversation is everything but times and sums; many flows between the same ends, to the same service, are one row.
"""

from __future__ import annotations

import binascii
import hashlib
import ipaddress
import socket
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Final

import pyarrow as pa

from sensor.engine import DAYS, HOLDERS
from sensor.rows import PART_ROWS, SUMS, numbers, place_of, table, what_of

JOIN_US: Final = 900_000_000
SPANS_MAX: Final = 256
TRANSPORT: Final = {6: "tcp", 17: "udp"}
_PORTS: Final = struct.Struct(">BxHH")
_WORDS: Final = struct.Struct(">4I")
_TS: Final = pa.timestamp("us")

Holder = tuple[int, int, bytes]
"""Scope, MAC and IP address."""
Span = tuple[int, int, int]
"""First, last, how often."""
Columns = dict[str, memoryview]
"""Numbers by the names of `DAYS` or `HOLDERS`."""

Label = tuple[str, str]
"""Protocol and confidence."""


class Days:
    """Rows of one drain of the engine.

    Args:
        days, holders: what `Engine.take_days` gave.
        labels: protocol and confidence by the number that flows were labelled with.
        scopes: names by number.
        segment: the interface and the segment of a segment's number.
    """

    def __init__(
        self,
        days: memoryview,
        holders: memoryview,
        labels: Sequence[Label],
        scopes: Sequence[str],
        segment: Callable[[int], tuple[str, str]],
    ) -> None:
        self._days = days
        self._holders = holders
        self._labels = labels
        self._scopes = scopes
        self._segments = {number: segment(number) for number in set(_column(days, DAYS, "segment"))}

    @property
    def row_count(self) -> int:
        """How many rows the engine gave."""
        return len(self._days) // len(DAYS) + len(self._holders) // len(HOLDERS)

    @property
    def span_us(self) -> tuple[int, int] | None:
        """The first and the last packet of all, in microseconds; None where there is none."""
        first, last = (_column(self._days, DAYS, name) for name in ("first_ts", "last_ts"))
        return (min(first), max(last)) if len(first) else None

    def parts(self) -> Iterator[tuple[str, pa.Table]]:
        """Parts of tables of `sensor.rows.SCHEMAS`, made when they are asked for."""
        step = PART_ROWS * len(DAYS)
        for begin in range(0, len(self._days), step):
            yield "fact_conversation", self._conversations(self._days[begin : begin + step])
        if self._holders:
            yield "binding", self._bindings()

    def _conversations(self, rows: memoryview) -> pa.Table:
        days = {name: _column(rows, DAYS, name) for name in DAYS}
        ips = [list(_ips(name, days)) for name in ("initiator", "responder")]
        key = self._key(days, *ips)
        plain = {
            name: numbers(days[name].tobytes(), pa.int64()) for name in (*SUMS, "first_ts", "last_ts", "n", "frame")
        }
        return table(
            "fact_conversation",
            [
                numbers(days["day"], pa.date32()), numbers(_ids(days["day"], key), pa.uint64()),
                *key, *(plain[name] for name in SUMS),
                plain["first_ts"].view(_TS), plain["last_ts"].view(_TS), plain["n"],
                numbers(days["hours"], pa.int32()), plain["frame"], _community_ids(days, *ips),
            ],
        )  # fmt: skip

    def _key(self, days: Columns, ips_i: list[bytes], ips_r: list[bytes]) -> list[Sequence[Any]]:
        """The columns of `CONVERSATION`."""
        return [
            [self._scopes[rest >> 16] for rest in days["rest"]],
            [mac_text(mac) for mac in days["initiator_mac"]],
            [ip_text(ip) for ip in ips_i],
            [mac_text(mac) for mac in days["responder_mac"]],
            [ip_text(ip) for ip in ips_r],
            days["port"].tolist(),
            [TRANSPORT[rest & 0xFF] for rest in days["rest"]],
            *zip(*[self._labels[label] for label in days["label"]], strict=True),
            *zip(*[self._segments[segment] for segment in days["segment"]], strict=True),
        ]

    def _bindings(self) -> pa.Table:
        """All intervals; the recorder joins those that touch across batches."""
        held = {name: _column(self._holders, HOLDERS, name) for name in HOLDERS}
        scopes = [rest >> 16 for rest in held["rest"]]
        holders = list(zip(scopes, held["mac"], _ips("ip", held), strict=True))
        spans = list(zip(held["first_ts"], held["last_ts"], held["n"], strict=True))
        if len(set(holders)) < len(holders):
            holders, spans = _joined(holders, spans)
        texts = [(self._scopes[scope], mac_text(mac), ip_text(ip)) for scope, mac, ip in holders]
        return table("binding", [*zip(*texts, strict=True), *zip(*spans, strict=True)])


def _column(rows: memoryview, names: Sequence[str], name: str) -> memoryview:
    return rows[names.index(name) :: len(names)]


def _ids(days: Iterable[int], key: list[Sequence[Any]]) -> list[int]:
    """Of rows; many have their initiator in common, or their responder."""
    places = map(cache(place_of), zip(days, *key[:3], strict=True))
    facts = map(cache(what_of), zip(*key[3:], strict=True))
    return [place.id_of(what) for place, what in zip(places, facts, strict=True)]


def _community_ids(days: Columns, ips_i: list[bytes], ips_r: list[bytes]) -> list[str]:
    """Of the first flow of each row."""
    flows = zip(days["rest"], ips_i, ips_r, days["ports"], strict=True)
    return [community_id(rest & 0xFF, ip_i, ports >> 16, ip_r, ports & 0xFFFF) for rest, ip_i, ip_r, ports in flows]


def _joined(holders: list[Holder], spans: list[Span]) -> tuple[list[Holder], list[Span]]:
    """Each holder's intervals, joined; the holder as often as it has some."""
    by_holder: dict[Holder, list[Span]] = {}
    for holder, span in zip(holders, spans, strict=True):
        by_holder.setdefault(holder, []).append(span)
    rows = [(holder, span) for holder, found in by_holder.items() for span in joined(found)]
    return [holder for holder, _ in rows], [span for _, span in rows]


def joined(spans: list[Span]) -> list[Span]:
    """(first, last, n) in order; those less than `JOIN_US` apart are one."""
    if len(spans) == 1:
        return spans
    together: list[Span] = []
    for first, last, n in sorted(spans):
        if together and first - together[-1][1] <= JOIN_US:
            before = together[-1]
            together[-1] = (before[0], max(before[1], last), before[2] + n)
        else:
            together.append((first, last, n))
    if len(together) <= SPANS_MAX // 2:
        return together
    return [(together[0][0], max(last for _, last, _ in together), sum(n for *_, n in together))]


def _ips(name: str, columns: Columns) -> Iterator[bytes]:
    """Packed addresses out of their four words: four bytes of IPv4, sixteen of IPv6."""
    words = zip(columns["rest"], *(columns[f"{name}{at}"] for at in range(4)), strict=True)
    for rest, *four in words:
        yield four[3].to_bytes(4) if rest >> 8 & 0xFF == 4 else _WORDS.pack(*four)


@lru_cache(maxsize=16_384)
def mac_text(mac: int) -> str | None:
    """`00:11:22:33:44:55` for a 48-bit number; None where there was no link layer address (-1)."""
    return None if mac < 0 else mac.to_bytes(6).hex(":")


@lru_cache(maxsize=16_384)
def ip_text(packed: bytes) -> str:
    """The usual text of a packed IPv4 or IPv6 address; IPv4 mapped into IPv6 stays IPv6."""
    return socket.inet_ntoa(packed) if len(packed) == 4 else str(ipaddress.IPv6Address(packed))


def community_id(transport: int, ip_a: bytes, port_a: int, ip_b: bytes, port_b: int) -> str:
    """Community ID version 1 of a TCP or UDP flow, seed 0, the same for both directions. Spec: Community ID 1.0."""
    if (ip_a, port_a) > (ip_b, port_b):
        ip_a, port_a, ip_b, port_b = ip_b, port_b, ip_a, port_a
    packed = b"\0\0%b%b%b" % (ip_a, ip_b, _PORTS.pack(transport, port_a, port_b))
    digest = hashlib.sha1(packed, usedforsecurity=False).digest()
    return "1:" + binascii.b2a_base64(digest, newline=False).decode()
