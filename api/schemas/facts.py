"""Authentications and conversations: per UTC day, as they were seen."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from api.schemas.common import Ip, Mac, Seen, SeenQuery, Text


class FactQuery(SeenQuery):
    """What lists of facts can be narrowed by."""

    device: Text | None = Field(None, description="at an endpoint of the device with this id")
    ip: Ip | None = Field(None, description="either side has this address")
    mac: Mac | None = Field(None, description="either side has this MAC address")
    scope: Text | None = Field(None, description="in this address space")
    protocol: Text | None = None
    port: int | None = Field(None, ge=0, le=65535, description="the responder's port")


class AuthenticationQuery(FactQuery):
    """Which authentications."""

    mechanism: Text | None = Field(None, description="ae-title, dicom-username, tls-client-certificate, ...")
    principal: Text | None = Field(None, description="exactly this principal")
    outcome: Text | None = Field(None, description="accepted, rejected or unknown")
    protection: Text | None = Field(None, description="tls, signed or none")


class ConversationQuery(FactQuery):
    """Which conversations."""

    confidence: Text | None = Field(None, description="port, probed or confirmed")
    interface: Text | None = Field(None, description="came in on this interface")
    segment: Text | None = Field(None, description="came in on this VLAN or tunnel: `vlan 12`")


class Evidence(Seen):
    """Where and how well something was seen: the first sight's capture, frame and Community ID, and the counts."""

    day: date
    id: str = Field(description="unique with day")
    n: int
    hours: list[int] = Field(description="the hours of the day (UTC) in which it was seen")
    capture: str
    frame: int
    community_id: str | None
    scope: str
    port: int | None = Field(description="the responder's port")
    transport: str
    protocol: str


class Authentication(Evidence):
    """Who a side claimed to be, how it proved it, and what came of it. Secrets are never stored, only keyed digests."""

    side: str = Field(description="the side that authenticates itself")
    ip: str | None
    mac: str | None
    peer_ip: str | None
    peer_mac: str | None
    about: str
    mechanism: str
    principal: str | None
    realm: str | None
    secret_class: str | None = Field(description="empty, default, same_as_principal, short or other")
    secret_length: str | None
    outcome: str
    protection: str
    continued: bool
    midstream: bool = Field(description="of the conversation in which it was seen best, the beginning was not seen")
    gap: bool = Field(description="bytes of that conversation are missing")
    one_sided: bool = Field(description="one side of that conversation was not seen")
    truncated: bool = Field(description="packets of that conversation were cut off")
    duplicate: bool = Field(description="the mirror showed packets of that conversation twice")
    details: dict[str, Any]


class Conversation(Evidence):
    """Conversations of a pair of endpoints with one service on one day, and how much of them could be understood."""

    initiator_ip: str | None
    initiator_mac: str | None
    responder_ip: str | None
    responder_mac: str | None
    confidence: str = Field(description="port: a guess; probed: looks like it; confirmed: real structure was read")
    packets: int
    initiator_bytes: int
    responder_bytes: int
    copied_bytes: int
    skipped_bytes: int
    left_out_bytes: int
    lost_bytes: int
    midstream_count: int
    one_sided_count: int
    gap_count: int
    unanswered_count: int
    interface: str = Field(description="of its first packet; empty for a capture that does not say")
    segment: str = Field(description="VLAN or tunnel of its first packet: `vlan 12`, `vni 5000`; empty for none")
    truncated_count: int
    duplicate_count: int
