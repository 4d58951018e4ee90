"""Words of the command line. Nothing heavy is imported here: `spanward --help` needs them."""

from __future__ import annotations

from enum import StrEnum


class Listed(StrEnum):
    """What can be listed."""

    DEVICES = "devices"
    IDENTITIES = "identities"
    CERTIFICATES = "certificates"
    FINDINGS = "findings"
    BLINDSPOTS = "blindspots"


class Format(StrEnum):
    """How a list is written."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


class SummaryFormat(StrEnum):
    """How a summary is written."""

    TABLE = "table"
    JSON = "json"
