"""Health."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Health(BaseModel):
    """The process answers."""

    status: str = Field(examples=["ok"])
    version: str


class Ready(BaseModel):
    """The store can be read, and no key stands in it twice."""

    status: str = Field(examples=["ready"])
    devices: int
    identities: int
    open_findings: int
    latest_seq: int = Field(description="number of the newest change in the feed")
