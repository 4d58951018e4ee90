# cython: language_level=3, annotation_typing=False, auto_pickle=False
"""Messages about files, which are nearly all that is said on a connection: passed over by their headers.

| offset | length | of a packet with one message of SMB 2 or 3 |
|---|---|---|
| 0 | 1 | type: 00 |
| 1 | 3 | length, big-endian; all others are little-endian |
| 4 | 6 | FE `SMB`, size 64 |
| 16 | 2 | command |
| 20 | 4 | flags: 1 answer, 4 related to the one before |
| 24 | 4 | offset of the next message of a compound; 0 if none |
| 44 | 8 | SessionId |

All that such a message tells is that its session is used in clear. What is no such packet is left to the lane.

Spec: MS-SMB2 2.1, 2.2.1
"""

from __future__ import annotations

from typing import Final

from parsers.core import Conversation, Side
from parsers.core.reader import Passer, Reader
from parsers.smb.netbios import HEADER_BYTES, SMB2, SMB2_HEADER_BYTES
from parsers.smb.session import Connection
from parsers.smb.smb2 import ABOUT_FILES, NO_SESSION, RELATED

_HEADER_BYTES: Final = HEADER_BYTES
_MESSAGE_BYTES: Final = SMB2_HEADER_BYTES
_PACKET_BYTES: Final = _HEADER_BYTES + _MESSAGE_BYTES
_BEGIN: Final = int.from_bytes(SMB2 + b"\x40\x00", "little")
_KIND: Final = 1 | RELATED
_COMMANDS: Final = sum(1 << command for command in ABOUT_FILES)
_COMMAND_MAX: Final = max(ABOUT_FILES)
_NO_SESSION: Final = max(NO_SESSION)


class Files(Passer):
    """Passes over messages about files in one lane.

    Attributes:
        strange: packets in a row that were no SMB.
    """

    __slots__ = ("_answer", "_connection", "_talk", "strange")

    def __init__(self, side: Side, talk: Conversation) -> None:
        self._answer = int(side is Side.RESPONDER)
        self._connection: Connection | None = None
        self._talk = talk
        self.strange = 0

    def belong_to(self, connection: Connection) -> None:
        """The lane is confirmed: from now on something passes."""
        self._connection = connection

    def passes(self, r: Reader) -> bool:
        """Pass over what is about files; whether the lane waits for another packet."""
        connection = self._connection
        while connection is not None and r.held >= _PACKET_BYTES:
            data = r.seen(_PACKET_BYTES)
            if not self._is_about_files(data):
                return False
            session = _number(data, 44, 8)
            if session != connection.in_clear:
                connection.used(session, self._talk, encrypted=False)
            self.strange = 0
            r.pass_over(_HEADER_BYTES + _length(data))
        return r.held < _HEADER_BYTES

    def _is_about_files(self, data: bytes) -> bool:
        """Whether one message about files, of this side and in a session, is all that a packet holds."""
        command = _number(data, 16, 2)
        if data[0] or _number(data, 4, 6) != _BEGIN or command > _COMMAND_MAX or not _COMMANDS >> command & 1:
            return False
        if _number(data, 20, 4) & _KIND != self._answer or _number(data, 24, 4):
            return False
        return _length(data) >= _MESSAGE_BYTES and 0 < _number(data, 44, 8) < _NO_SESSION


def _length(data: bytes) -> int:
    """The length of a packet, after its own header."""
    return data[1] << 16 | data[2] << 8 | data[3]


def _number(data: bytes, at: int, size: int) -> int:
    """A little-endian number of up to 8 bytes."""
    value = 0
    for place in range(at + size - 1, at - 1, -1):
        value = value << 8 | data[place]
    return value
