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
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import pyarrow as pa

from sensor.engine import DAYS, HOLDERS
from sensor.rows import BINDING, CONVERSATION, SUMS, day_of, place_of, table, what_of

JOIN_US: Final = 900_000_000
SPANS_MAX: Final = 256
TRANSPORT: Final = {6: "tcp", 17: "udp"}
_PORTS: Final = struct.Struct(">BxHH")
_WORDS: Final = struct.Struct(">4I")

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
        self._days = {name: days[at :: len(DAYS)].tolist() for at, name in enumerate(DAYS)}
        self._holders = {name: holders[at :: len(HOLDERS)].tolist() for at, name in enumerate(HOLDERS)}
        self._labels = labels
        self._scopes = scopes
        self._segments = {number: segment(number) for number in set(self._days["segment"])}

    @property
    def span_us(self) -> tuple[int, int] | None:
        """The first and the last packet of all, in microseconds; None where there is none."""
        first, last = self._days["first_ts"], self._days["last_ts"]
        return (min(first), max(last)) if first else None

    def tables(self) -> dict[str, pa.Table]:
        """Tables of `sensor.rows.SCHEMAS`; those without rows are left out."""
        made = {"fact_conversation": self._conversations(), "binding": self._bindings()}
        return {name: rows for name, rows in made.items() if rows.num_rows}

    def _conversations(self) -> pa.Table:
        days = self._days
        keys = list(self._keys())
        ids = [place_of((day, *key[:3])).id_of(what_of(key[3:])) for day, key in zip(days["day"], keys, strict=True)]
        columns = zip(*keys, strict=True) if keys else [[]] * len(CONVERSATION)
        return table(
            "fact_conversation",
            [
                [day_of(day) for day in days["day"]], ids, *columns, *(days[name] for name in SUMS),
                days["first_ts"], days["last_ts"], days["n"], days["hours"], days["frame"], list(self._community_ids()),
            ],
        )  # fmt: skip

    def _keys(self) -> Iterator[tuple[str | int | None, ...]]:
        """The columns of `CONVERSATION`."""
        days = self._days
        for rest, mac_i, ip_i, mac_r, ip_r, port, label, segment in zip(
            days["rest"], days["initiator_mac"], _ips("initiator", days), days["responder_mac"],
            _ips("responder", days), days["port"], days["label"], days["segment"], strict=True,
        ):  # fmt: skip
            yield (
                self._scopes[rest >> 16], mac_text(mac_i), ip_text(ip_i), mac_text(mac_r), ip_text(ip_r),
                port, TRANSPORT[rest & 0xFF], *self._labels[label], *self._segments[segment],
            )  # fmt: skip

    def _community_ids(self) -> Iterator[str]:
        """Of the first flow of each row."""
        days = self._days
        for rest, ip_i, ip_r, ports in zip(
            days["rest"], _ips("initiator", days), _ips("responder", days), days["ports"], strict=True
        ):
            yield community_id(rest & 0xFF, ip_i, ports >> 16, ip_r, ports & 0xFFFF)

    def _bindings(self) -> pa.Table:
        """All intervals; the recorder joins those that touch across batches."""
        held = self._holders
        spans: dict[tuple[int, int, bytes], list[tuple[int, int, int]]] = {}
        for rest, mac, ip, first, last, n in zip(
            held["rest"], held["mac"], _ips("ip", held), held["first_ts"], held["last_ts"], held["n"], strict=True
        ):
            spans.setdefault((rest >> 16, mac, ip), []).append((first, last, n))
        rows = [
            (self._scopes[scope], mac_text(mac), ip_text(ip), *span)
            for (scope, mac, ip), found in spans.items()
            for span in joined(found)
        ]
        return table("binding", list(zip(*rows, strict=True)) if rows else [[]] * len(BINDING))


def joined(spans: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(first, last, n) in order; those less than `JOIN_US` apart are one."""
    if len(spans) == 1:
        return spans
    together: list[tuple[int, int, int]] = []
    for first, last, n in sorted(spans):
        if together and first - together[-1][1] <= JOIN_US:
            before = together[-1]
            together[-1] = (before[0], max(before[1], last), before[2] + n)
        else:
            together.append((first, last, n))
    if len(together) <= SPANS_MAX // 2:
        return together
    return [(together[0][0], max(last for _, last, _ in together), sum(n for *_, n in together))]


def _ips(name: str, columns: dict[str, list[int]]) -> Iterator[bytes]:
    """Packed addresses out of their four words: four bytes of IPv4, sixteen of IPv6."""
    words = zip(columns["rest"], *(columns[f"{name}{at}"] for at in range(4)), strict=True)
    for rest, *four in words:
        packed = _WORDS.pack(*four)
        yield packed[12:] if rest >> 8 & 0xFF == 4 else packed


@lru_cache(maxsize=65_536)
def mac_text(mac: int) -> str | None:
    """`00:11:22:33:44:55` for a 48-bit number; None where there was no link layer address (-1)."""
    return None if mac < 0 else mac.to_bytes(6).hex(":")


@lru_cache(maxsize=65_536)
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
