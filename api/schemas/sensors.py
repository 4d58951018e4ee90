"""Sensors: where packets come from, and how well they are seen."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from api.schemas.common import PageQuery, SeenQuery, Text


class State(StrEnum):
    """What a source of packets does."""

    RUNNING = "running"
    STOPPED = "stopped"
    READING = "reading"
    READ = "read"


class SensorQuery(PageQuery):
    """Which sensors."""

    live: bool | None = Field(None, description="true: interfaces; false: captures that were read")
    interface: Text | None = None
    state: State | None = None


class SegmentQuery(SeenQuery):
    """Which segments."""

    source: Text | None = Field(None, description="`live`, or a capture's name")
    interface: Text | None = None
    segment: Text | None = Field(None, description="`vlan 12`, `vni 5000`, `erspan 7`")


class Counted(BaseModel):
    """What was counted of packets and conversations."""

    packets: int
    bytes: int = Field(description="on the wire")
    packets_per_s: float
    bits_per_s: float
    duplicates: int = Field(description="packets that the mirror had shown before; they count in `packets` too")
    group_packets: int = Field(description="packets to a broadcast or multicast MAC address")
    truncated: int = Field(description="packets cut off by a snap length")
    conversations: int = Field(description="TCP and UDP")
    understood: int = Field(description="conversations of which a parser read real structure")
    tcp_conversations: int = Field(description="TCP conversations that were answered")
    one_sided: int = Field(description="those of them of which only one side was seen")


class Sensor(Counted):
    """A live interface, or an interface of a capture that was read. Rates are of the newest hour."""

    source: str = Field(description="`live`, or the capture's name")
    interface: str = Field(description="empty for a capture that does not say")
    live: bool
    state: State = Field(description="stopped: nothing was heard of its workers for two minutes, or they have ended")
    last_packet_ts: datetime | None = Field(description="time of the last packet")
    heard_ts: datetime = Field(description="when its worker was last heard")
    kernel_packets: int = Field(description="packets that the kernel had for the ring")
    kernel_drops: int = Field(description="packets for which the ring had no room")
    interface_drops: int = Field(description="packets that were dropped before the ring")
    ring_freezes: int = Field(description="how often the ring was full")
    segments: int = Field(description="VLANs and tunnels that were seen")
    workers: int = Field(description="processes that read from it now")
    sandbox: str = Field(description="whom its workers run as")
    compiled: bool = Field(description="whether the engine is the compiled one")
    parser_failures: int = Field(description="errors of our own; more than 0 is to be reported")
    warnings: list[str] = Field(description="what is wrong with the mirror, and what to do about it")


class Segment(Counted):
    """A VLAN or tunnel on one day. Rates are over the hours in which it was seen."""

    day: date
    source: str = Field(description="`live`, or the capture's name")
    interface: str
    segment: str = Field(description="`vlan 12`, `vni 5000`, ...; empty for packets in none")
    busiest_packets_per_s: float = Field(description="over its busiest hour")
    unanswered: int = Field(description="conversations that nobody answered")
    midstream: int = Field(description="conversations that began before the capture")
    with_gaps: int = Field(description="conversations with lost bytes where they mattered")
    lost_bytes: int
    protocols: list[str] = Field(description="those that were understood")
