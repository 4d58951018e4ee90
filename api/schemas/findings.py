"""Findings, their feed, and the rules that make them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.formats import Format
from api.schemas.common import Ip, Mac, Seen, SeenQuery, Severity, Status, Text

_FINDING: JsonDict = {
    "finding_id": "f-77aa01b2c3d4",
    "rule_id": "TLS-001",
    "status": "open",
    "severity": "medium",
    "confidence": "certain",
    "title": "TLS 1.0 is spoken",
    "device_id": "d-5f0c2a9e41b7",
    "device_label": "CT01",
    "identity_id": None,
    "identity_label": None,
    "scope": "default",
    "ip": "10.0.0.5",
    "mac": "00:11:22:33:44:55",
    "first_ts": "2026-11-23T10:00:00.123456Z",
    "last_ts": "2026-11-23T18:12:44.000001Z",
    "changed_seq": 41,
    "evidence": {"version": "TLS 1.0", "capture": "0f3c", "frame": 12, "community_id": "1:abc="},
}


class FindingQuery(SeenQuery):
    """Which findings."""

    q: Text | None = Field(None, description="part of the title, the rule's id, a label or an address")
    severity: list[Severity] = Field([], description="of this severity")
    status: list[Status] = Field([], description="open, resolved or accepted")
    rule: list[Text] = Field([], description="of this rule")
    confidence: Text | None = None
    device: Text | None = Field(None, description="about the device with this id, or an identity it uses")
    identity: Text | None = Field(None, description="about the identity with this id")
    ip: Ip | None = None
    mac: Mac | None = None
    scope: Text | None = None


class Finding(Seen):
    """A rule's verdict on facts."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FINDING]})

    finding_id: str
    rule_id: str
    status: str = Field(description="open, resolved or accepted")
    severity: str = Field(description="critical, high, medium, low or info")
    confidence: str
    title: str
    device_id: str | None
    device_label: str | None
    identity_id: str | None
    identity_label: str | None
    scope: str | None
    ip: str | None
    mac: str | None
    changed_seq: int = Field(description="number of its last change in the feed")
    evidence: Any = Field(description="what the rule returned, with capture, frame and Community ID")


class Change(BaseModel):
    """A change of a finding as it stands in the feed."""

    seq: int
    finding_id: str
    change: str
    as_of: datetime
    severity: str


class Rule(BaseModel):
    """A rule: what it looks for, why it matters in a hospital, what to do about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "TLS-001",
                    "title": "An outdated TLS version is spoken",
                    "severity": "medium",
                    "confidence": "certain",
                    "family": "tls",
                    "why": "TLS 1.0 and 1.1 are broken in ways that a listener on the network can use.",
                    "remedy": "Let the device speak TLS 1.2 or 1.3; else put a TLS proxy before it.",
                    "references": ["RFC 8996"],
                    "mappings": {"cwe": ["CWE-327"]},
                    "open_findings": 3,
                }
            ]
        }
    )

    id: str
    title: str
    severity: str
    confidence: str
    family: str
    why: str
    remedy: str
    references: list[str]
    mappings: dict[str, Any]
    open_findings: int


class FindingDetail(Finding):
    """A finding with its rule and its life."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    rule: Rule | None = Field(description="null when the rule is no longer there")
    changes: list[Change]


class RuleList(BaseModel):
    """All rules, by id."""

    items: list[Rule]


class ChangeKind(StrEnum):
    """What happened to a finding."""

    OPENED = "opened"
    SEEN_AGAIN = "seen_again"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CHANGED = "changed"


class FeedQuery(BaseModel):
    """Where the feed goes on, and what of it is wanted."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(
        None, max_length=2000, description="`cursor` of the page before; none: from the beginning"
    )
    limit: int = Field(500, ge=1, le=5000, description="changes of a page")
    format: Format | None = Field(None, description="wins over the Accept header")
    severity: list[Severity] = Field([], description="only of this severity; the cursor moves past the others")
    change: list[ChangeKind] = Field([], description="only of this kind; the cursor moves past the others")


class FeedItem(Change):
    """A change with the finding as it was then."""

    rule_id: str
    finding: Any


class Feed(BaseModel):
    """A page of the feed. `cursor` is always there, on an empty page too: ask again with it, and nothing is skipped."""

    items: list[FeedItem]
    cursor: str
    more: bool = Field(description="true: ask again at once; false: this was the end for now")
    latest_seq: int = Field(description="the newest change in the store when this page was read")
    oldest_seq: int | None = Field(description="the oldest one that is still kept")
