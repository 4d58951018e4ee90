"""What every parser is written with: facts, readers, conversations, the registry.

A parser imports from here and from nowhere else of ours::

    from parsers.core import Cursor, Field, Protocol, Reader, Side, Verdict
"""

from parsers.core.conversation import Conversation
from parsers.core.cursor import Cursor
from parsers.core.errors import LimitExceeded, Malformed, ProtocolError, Unsupported
from parsers.core.exchange import Exchange
from parsers.core.fact import (
    Anomaly,
    Attribute,
    Authentication,
    Certificate,
    Channel,
    Confirmed,
    Done,
    Fact,
    Field,
    Handoff,
    Outcome,
    Protection,
    Secret,
    Sensitivity,
    Side,
    Signed,
    Subject,
)
from parsers.core.lane import Steps
from parsers.core.reader import MESSAGE_MAX_BYTES, Demand, Leave, Reader
from parsers.core.registry import Blanks, Confidence, Lead, Protocol, Registry, Verdict
from parsers.core.session import Session

__all__ = [
    "MESSAGE_MAX_BYTES",
    "Anomaly",
    "Attribute",
    "Authentication",
    "Blanks",
    "Certificate",
    "Channel",
    "Confidence",
    "Confirmed",
    "Conversation",
    "Cursor",
    "Demand",
    "Done",
    "Exchange",
    "Fact",
    "Field",
    "Handoff",
    "Lead",
    "Leave",
    "LimitExceeded",
    "Malformed",
    "Outcome",
    "Protection",
    "Protocol",
    "ProtocolError",
    "Reader",
    "Registry",
    "Secret",
    "Sensitivity",
    "Session",
    "Side",
    "Signed",
    "Steps",
    "Subject",
    "Unsupported",
    "Verdict",
]
