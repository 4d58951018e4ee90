"""What can be wrong with bytes. Each ends its lane with an `Anomaly`; the other lane lives on.

ProtocolError
├── Malformed        the bytes contradict the standard
├── Unsupported      legal, but a form that this parser does not read
└── LimitExceeded    legal, but larger than we are willing to hold
"""

from __future__ import annotations


class ProtocolError(Exception):
    """Base of all that a dissector may raise on bad input.

    Args:
        what: the rule that was broken, in words; never bytes of the payload.
        offset: where in the lane or message, in bytes; -1 if not known.
    """

    code = "protocol_error"

    def __init__(self, what: str, offset: int = -1) -> None:
        self.what = what
        self.offset = offset
        super().__init__(f"{what} (offset {offset})" if offset >= 0 else what)


class Malformed(ProtocolError):
    """The bytes contradict the standard."""

    code = "malformed"


class Unsupported(ProtocolError):
    """A legal form that this parser does not read."""

    code = "unsupported"


class LimitExceeded(ProtocolError):
    """A legal form that is larger than a sensor may hold."""

    code = "limit_exceeded"
