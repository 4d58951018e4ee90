"""Devices."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.common import Ip, Mac, Seen, SeenQuery, Severity, Text


class DeviceQuery(SeenQuery):
    """Which devices."""

    q: Text | None = Field(None, description="part of a name, vendor, model, serial, address; case does not matter")
    ip: Ip | None = Field(None, description="held this address at some time")
    mac: Mac | None = Field(None, description="held this MAC address at some time")
    scope: Text | None = Field(None, description="was seen in this address space")
    vendor: Text | None = Field(None, description="exactly this vendor; case does not matter")
    device_type: Text | None = Field(None, description="exactly this type; case does not matter")
    described: bool | None = Field(None, description="true: only spoken of by others, never seen to talk itself")
    severity: list[Severity] = Field([], description="has an open finding of this severity")
    rule: Text | None = Field(None, description="has an open finding of this rule")


class Device(Seen):
    """An inferred machine, made of the endpoints it was seen at."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "device_id": "d-5f0c2a9e41b7",
                    "label": "CT01",
                    "vendor": "Example Medical",
                    "model": "Tomograph 3",
                    "device_type": "CT",
                    "serial": "12345",
                    "software": "syn 4.1",
                    "os": None,
                    "role": "modality",
                    "described": False,
                    "first_ts": "2026-11-23T10:00:00.123456Z",
                    "last_ts": "2026-11-23T18:12:44.000001Z",
                    "ips": ["10.0.0.5"],
                    "macs": ["00:11:22:33:44:55"],
                    "scopes": ["default"],
                    "open_findings": 2,
                    "worst": "high",
                }
            ]
        }
    )

    device_id: str
    label: str = Field(description="what people would call it")
    vendor: str | None
    model: str | None
    device_type: str | None
    serial: str | None
    software: str | None
    os: str | None
    role: str | None
    described: bool = Field(description="only spoken of by others, never seen to talk itself")
    ips: list[str]
    macs: list[str]
    scopes: list[str]
    open_findings: int = Field(description="about the device, or about an identity that it uses")
    worst: str | None = Field(description="the worst severity of its open findings")


class Endpoint(Seen):
    """An address that the device held from some time to some time, and why it is thought to be the same machine."""

    scope: str
    mac: str | None
    ip: str | None
    reason: str


class DeviceAttribute(Seen):
    """A piece of evidence about the device; `chosen` is what the verdict was built on."""

    name: str
    value: str
    source: str
    certainty: float
    chosen: bool
    n: int


class IdentityOfDevice(Seen):
    """How the device uses an identity."""

    identity_id: str
    kind: str
    label: str
    strength: str
    device_count: int = Field(description="devices that use this identity, this one included")
    use: str = Field(description="shows, claims or answers_to")
    protocol: str
    port: int | None
    outcome: str | None
    protection: str | None
    peer_device_id: str | None
    n: int
    day_count: int


class FindingOfDevice(Seen):
    """A finding about the device, in short."""

    finding_id: str
    rule_id: str
    status: str
    severity: str
    confidence: str
    title: str
    identity_id: str | None


class BlindSpot(BaseModel):
    """What could not be seen of a device on a day, and why."""

    day: date
    conversations: int
    understood: int
    reason: str
    reason_count: int


class DeviceDetail(Device):
    """Everything known about one device, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    why: dict[str, Any] = Field(description="per attribute, the evidence that won and why")
    endpoints: list[Endpoint]
    attributes: list[DeviceAttribute]
    identities: list[IdentityOfDevice]
    findings: list[FindingOfDevice]
    blindspots: list[BlindSpot]
    aliases: list[str] = Field(description="ids that once stood for parts of this device and keep resolving")


class BlindSpotOfDevice(BlindSpot):
    """A blind spot in the list of all of them."""

    device_id: str
    label: str | None


class BlindSpotQuery(SeenQuery):
    """Which blind spots. `since` and `until` are cut to days."""

    device: Text | None = Field(None, description="a device id")
    reason: Text | None = Field(None, description="exactly this reason")
