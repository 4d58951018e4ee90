# cython: annotation_typing=False, boundscheck=True, wraparound=False, auto_pickle=False
"""What was said: facts with their time, addresses and evidence; and the line that `spanward facts` prints of each.

`Said` is what one conversation stated at one moment, the way facts travel from dispatch to fold. A `Sighting` is one of
its facts, taken by itself.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from parsers.core import Anomaly, Attribute, Authentication, Certificate, Channel, Fact
from sensor.days import TRANSPORT, ip_text, mac_text
from sensor.engine.seen import Moment, Words
from sensor.sitekey import SecretMark

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_S: Final = -62_135_596_800  # 0001-01-01
_LATEST_S: Final = 253_402_300_799  # 9999-12-31T23:59:59
_KIND: Final = {
    Attribute: "attribute",
    Channel: "channel",
    Certificate: "certificate",
    Authentication: "authentication",
    Anomaly: "anomaly",
}
_encoder: Final = msgspec.json.Encoder()


class Endpoint(msgspec.Struct, frozen=True):
    """Addresses of one side: MAC (`00:11:22:33:44:55`), IP as text, transport port."""

    mac: str | None
    ip: str | None
    port: int | None


class Quality(msgspec.Struct, frozen=True, order=True):
    """What the conversation that a fact was read from lacks, the gravest first: what is less lacks less."""

    midstream: bool = False
    gap: bool = False
    one_sided: bool = False
    truncated: bool = False
    duplicate: bool = False


class Ends(msgspec.Struct, frozen=True, cache_hash=True, gc=False):
    """Who talks with whom, at which service: a conversation but for the initiator's port. Addresses as numbers.

    Attributes:
        transport: number of the transport protocol.
        scope: number of the scope.
        initiator, responder: packed IP address and MAC address (-1: none).
        port: the responder's.
    """

    transport: int
    scope: int
    initiator: tuple[bytes, int]
    responder: tuple[bytes, int]
    port: int

    def swapped(self, port: int) -> Ends:
        """The same with roles swapped; `port` is that of the initiator so far."""
        return Ends(self.transport, self.scope, self.responder, self.initiator, port)


class Said(Moment):
    """What one conversation stated at one moment.

    Attributes:
        protocol: name of the protocol, or empty.
        words: the facts.
        continued: restated on a new day.
    """

    protocol: str
    words: Words
    continued: bool

    @property
    def community_id(self) -> str:
        """Of the conversation."""
        ends = self.ends
        return community_id(ends.transport, ends.initiator[0], self.port, ends.responder[0], ends.port)

    def sightings(self, capture: str, scopes: tuple[str, ...]) -> Iterator[Sighting]:
        """Its facts one by one; `scopes` are names by number."""
        ends = self.ends
        sides = (_endpoint(ends.initiator, self.port), _endpoint(ends.responder, ends.port))
        community = self.community_id
        for fact, mark in self.words.each():
            side = fact.subject.side
            yield Sighting(
                ts_us=self.ts_us,
                fact=fact,
                protocol=self.protocol,
                transport=TRANSPORT[ends.transport],
                scope=scopes[ends.scope],
                endpoint=sides[side],
                peer=sides[1 - side],
                port=ends.port,
                capture=capture,
                frame=self.frame,
                community_id=community,
                quality=self.quality,
                secret=mark,
                continued=self.continued,
            )


def statement(
    ts_us: int,
    frame: int,
    ends: Ends,
    port: int,
    protocol: str,
    words: Words,
    quality: Quality,
    continued: bool = False,  # noqa: FBT001, FBT002
) -> Said:
    """What makes one: a function, as it takes numbers as they are where a class would have objects."""
    one = Said.__new__(Said)
    one.ts_us = ts_us
    one.frame = frame
    one.ends = ends
    one.port = port
    one.protocol = protocol
    one.words = words
    one.quality = quality
    one.continued = continued
    return one


def _endpoint(address: tuple[bytes, int], port: int) -> Endpoint:
    return Endpoint(mac_text(address[1]), ip_text(address[0]), port)


class Sighting(msgspec.Struct, frozen=True):
    """One fact, seen once. `ts_us` is in microseconds since 1970, UTC; `port` is the responder's."""

    ts_us: int
    fact: Fact
    protocol: str
    transport: str
    scope: str
    endpoint: Endpoint
    peer: Endpoint
    port: int | None
    capture: str
    frame: int
    community_id: str | None
    quality: Quality
    secret: SecretMark | None = None
    continued: bool = False

    def to_json(self) -> bytes:
        """One line of `spanward facts`, without its end of line."""
        fact = self.fact
        line: dict[str, object] = {
            "ts": iso_us(self.ts_us),
            "kind": _KIND[type(fact)],
            "protocol": self.protocol,
            "side": fact.subject.side.label,
            "scope": self.scope,
            "endpoint": self.endpoint,
            "peer": self.peer,
            "about": fact.subject.about,
            **self._own_fields(),
            "capture": self.capture,
            "frame": self.frame,
            "community_id": self.community_id,
            "quality": self.quality,
        }
        return _encoder.encode(line)

    def _own_fields(self) -> dict[str, object]:
        fact = self.fact
        if isinstance(fact, Attribute):
            return {"name": fact.name, "value": fact.value, "spec": fact.spec}
        fields = {name: getattr(fact, name) for name in type(fact).__struct_fields__ if name != "subject"}
        if isinstance(fact, Certificate):
            return _certificate_fields(fact, fields)
        if isinstance(fact, Authentication):
            mark = self.secret
            fields["secret_digest"] = mark.digest if mark else None
            fields["secret_class"] = mark.secret_class if mark else None
            del fields["secret"], fields["sensitivity"]
        return fields


def _certificate_fields(fact: Certificate, fields: dict[str, object]) -> dict[str, object]:
    fields["subject"] = fields.pop("subject_name")
    fields["not_before"] = iso_s(fact.not_before)
    fields["not_after"] = iso_s(fact.not_after)
    return fields


def iso_us(ts_us: int) -> str:
    """RFC 3339 time with microseconds, for microseconds since 1970."""
    moment = _EPOCH + timedelta(microseconds=min(max(ts_us, _EARLIEST_S * 1_000_000), _LATEST_S * 1_000_000))
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def iso_s(ts_s: int | None) -> str | None:
    """RFC 3339 time for seconds since 1970, cut to the years 1 to 9999."""
    if ts_s is None:
        return None
    moment = _EPOCH + timedelta(seconds=min(max(ts_s, _EARLIEST_S), _LATEST_S))
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def community_id(transport: int, ip_a: bytes, port_a: int, ip_b: bytes, port_b: int) -> str:
    """Community ID version 1 of a TCP or UDP flow, seed 0, the same for both directions. Spec: Community ID 1.0.

    That of what is in a store is worked out there (`sensor/store/macros.sql`).
    """
    if (ip_a, port_a) > (ip_b, port_b):
        ip_a, port_a, ip_b, port_b = ip_b, port_b, ip_a, port_a
    packed = b"\0\0" + ip_a + ip_b + (transport << 40 | port_a << 16 | port_b).to_bytes(6, "big")
    return "1:" + b2a_base64(hashlib.sha1(packed, usedforsecurity=False).digest(), newline=False).decode()
