"""Identities: keys, accounts, AE titles, and who uses them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field

from api.schemas.common import Seen, SeenQuery, Text
from api.schemas.devices import FindingOfDevice


class Strength(StrEnum):
    """How well an identity proves itself."""

    NONE = "none"
    WEAK = "weak"
    FAIR = "fair"
    STRONG = "strong"


class IdentityQuery(SeenQuery):
    """Which identities."""

    q: Text | None = Field(None, description="part of its label or realm; case does not matter")
    kind: Text | None = Field(
        None, description="certificate-key, account, service-principal, hl7-application, ae-title, psk, ..."
    )
    strength: list[Strength] = Field([], description="of this strength")
    belongs_to: Text | None = Field(None, description="device, service, human, vendor or unknown")
    shared: bool | None = Field(None, description="true: used by more than one device")
    device: Text | None = Field(None, description="used by the device with this id")
    protocol: Text | None = Field(None, description="used in this protocol")


class Identity(Seen):
    """A non-human identity that devices use or show."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "identity_id": "i-0c1d2e3f4a5b",
                    "kind": "ae-title",
                    "label": "CT01",
                    "realm": None,
                    "belongs_to": "device",
                    "strength": "none",
                    "device_count": 2,
                    "first_ts": "2026-11-23T10:00:00.123456Z",
                    "last_ts": "2026-11-23T18:12:44.000001Z",
                }
            ]
        }
    )

    identity_id: str
    kind: str = Field(description="certificate-key, account, service-principal, hl7-application, ae-title, psk, ...")
    label: str = Field(description="what people call it: AE title, user name, HL7 application, certificate's subject")
    realm: str | None = Field(description="who knows the name: domain or server, HL7 facility, Kerberos realm")
    belongs_to: str = Field(description="device, service, human, vendor or unknown")
    strength: str = Field(description="none, weak, fair or strong")
    device_count: int = Field(description="devices that use it, without those that were only ever refused")


class Use(Seen):
    """A device using the identity, towards a peer, in a protocol."""

    device_id: str
    device_label: str | None
    peer_device_id: str | None
    peer_label: str | None
    use: str = Field(description="shows, claims or answers_to")
    protocol: str
    port: int | None
    outcome: str | None
    protection: str | None
    n: int
    day_count: int


class SecretSeen(Seen):
    """A secret that proved the identity, told apart from others by a number: digests are not given out."""

    secret: int | None = Field(description="1 for the first one seen; null where there was too little to tell it apart")
    class_: str = Field(alias="class", description="empty, default, same_as_principal, short or other")
    length: str | None = Field(description="length bucket: <8, 8-11 or >=12")
    device_count: int


class IdentityDetail(Identity):
    """An identity, why it is judged so, and who uses it."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    why: dict[str, Any] = Field(description="what the verdicts were built on")
    secrets: list[SecretSeen]
    uses: list[Use]
    findings: list[FindingOfDevice]
