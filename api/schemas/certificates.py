"""Certificates, and where they were shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.common import Moment, PageQuery, Seen, Text


class CertificateQuery(PageQuery):
    """Which certificates."""

    q: Text | None = Field(None, description="part of subject, issuer or a subject alternative name")
    spki_sha256: Text | None = Field(None, description="certificates with this key")
    key_type: Text | None = Field(None, description="RSA, EC, DSA, Ed25519, ...")
    self_signed: bool | None = None
    is_ca: bool | None = None
    expires_before: Moment | None = Field(None, description="its validity ends before this time")
    expires_after: Moment | None = Field(None, description="its validity ends at this time or later")


class Certificate(BaseModel):
    """An X.509 certificate. Of a person's (`personal`) only hash, issuer and validity are kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "spki_sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                    "subject": "CN=pacs.hospital.example",
                    "issuer": "CN=Hospital CA",
                    "serial": "1f",
                    "not_before": "2020-01-01T00:00:00Z",
                    "not_after": "2030-01-01T00:00:00Z",
                    "key_type": "RSA",
                    "key_bits": 2048,
                    "signature": "sha256WithRSAEncryption",
                    "sans": ["DNS:pacs.hospital.example"],
                    "self_signed": False,
                    "is_ca": False,
                    "personal": False,
                    "details": {},
                    "first_ts": "2026-11-23T10:00:00.123456Z",
                    "last_ts": "2026-11-23T18:12:44.000001Z",
                    "n": 12,
                    "endpoint_count": 1,
                    "service_count": 1,
                    "roles": ["server"],
                }
            ]
        }
    )

    sha256: str
    spki_sha256: str | None
    subject: str | None = Field(description="RFC 4514")
    issuer: str | None
    serial: str | None = Field(description="hexadecimal")
    not_before: datetime | None
    not_after: datetime | None
    key_type: str | None
    key_bits: int | None
    signature: str | None
    sans: list[str]
    self_signed: bool | None
    is_ca: bool | None
    personal: bool
    details: dict[str, Any]
    first_ts: datetime | None = Field(description="first shown, UTC")
    last_ts: datetime | None = Field(description="last shown, UTC")
    n: int = Field(description="how often it was shown")
    endpoint_count: int = Field(description="addresses that showed it")
    service_count: int = Field(description="services (address and port) that showed it")
    roles: list[str]


class Shown(Seen):
    """A place where the certificate was shown."""

    scope: str
    ip: str | None
    mac: str | None
    port: int | None
    protocol: str
    side: str
    role: str
    position: int = Field(description="in the chain; 0 is the end entity's")
    peers: int
    n: int


class CertificateDetail(Certificate):
    """A certificate, where it was shown, and which identity its key is."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    shown: list[Shown]
