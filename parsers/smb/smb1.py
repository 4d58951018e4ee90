r"""SMB 1 (CIFS): the header, chains of commands, and those of them that say who speaks with whom.

| offset | length | header |
|---|---|---|
| 0 | 4 | FF `SMB` |
| 4 | 1 | command |
| 5 | 4 | status: an NTSTATUS if bit 14 of flags2 is set, else class 1, reserved 1, code 2 |
| 9 | 1 | flags: bit 7 answer |
| 10 | 2 | flags2: bit 2 signed, 4 signature required, 11 extended security, 14 NTSTATUS, 15 Unicode |
| 12 | 2 | PID, upper half |
| 26 | 2 | PID, lower half |
| 28 | 2 | UID |
| 30 | 2 | MID |
| 32 | | count of words 1, words, count of bytes 2, bytes |

All little-endian. The first words of an AndX command are the next command and its offset from the header. Unicode
strings begin at even offsets from the header, but for those of NEGOTIATE.

Spec: MS-CIFS 2.2.3, 2.2.4; MS-SMB 2.2.4
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from parsers.core import Cursor, Malformed, Side
from parsers.smb import status
from parsers.smb.netbios import SMB1, SMB1_HEADER_BYTES

TREE_CONNECT: Final = 0x70
NEGOTIATE: Final = 0x72
SESSION_SETUP_ANDX: Final = 0x73
LOGOFF_ANDX: Final = 0x74
TREE_CONNECT_ANDX: Final = 0x75
READ_WHOLE: Final = frozenset({TREE_CONNECT, NEGOTIATE, SESSION_SETUP_ANDX, LOGOFF_ANDX, TREE_CONNECT_ANDX})
CHAIN_MAX: Final = 8
STRING_MAX_CHARS: Final = 256

_ANDX: Final = frozenset({SESSION_SETUP_ANDX, LOGOFF_ANDX, TREE_CONNECT_ANDX})
_NO_MORE: Final = 0xFF


class Header(msgspec.Struct, frozen=True):
    """What is read of a header; `key` is PID and MID. Which side speaks the lane says: some servers forget it."""

    command: int
    status: int
    flags2: int
    key: tuple[int, int]
    uid: int

    @property
    def unicode(self) -> bool:
        """Strings are UTF-16."""
        return bool(self.flags2 & 0x8000)

    @property
    def status_name(self) -> str:
        """The status, named by the kind that it is of."""
        return status.name(self.status) if self.flags2 & 0x4000 else status.dos_name(self.status)

    @property
    def signing(self) -> str:
        """What a client says of signatures."""
        return "required" if self.flags2 & 0x0010 else "enabled" if self.flags2 & 0x0004 else "none"


class Block(msgspec.Struct, frozen=True):
    """One command of a chain: its words, its bytes, and where these begin, counted from the header.

    `last`: nothing follows it in the chain.
    """

    command: int
    words: bytes
    data: bytes
    at: int
    last: bool

    @property
    def count(self) -> int:
        """How many words: they tell the forms of a command apart."""
        return len(self.words) // 2

    def number(self, at: int, size: int = 2) -> int:
        """The number at byte `at` of the words."""
        return int.from_bytes(self.words[at : at + size], "little")


def header(data: bytes, side: Side) -> Header:
    """The 32 bytes of a header.

    Raises:
        Malformed: they are none, or an answer from the side that asks.
    """
    if data[:4] != SMB1:
        raise Malformed("no SMB 1 header", 0)
    if data[9] & 0x80 and side is Side.INITIATOR:
        raise Malformed("an answer by the side that asks", 9)
    low, high, uid, mid = (int.from_bytes(data[at : at + 2], "little") for at in (26, 12, 28, 30))
    return Header(
        command=data[4],
        status=int.from_bytes(data[5:9], "little"),
        flags2=int.from_bytes(data[10:12], "little"),
        key=(high << 16 | low, mid),
        uid=uid,
    )


def blocks(head: Header, body: bytes) -> Iterator[Block]:
    """The commands of a chain; `body` is what follows the header.

    Raises:
        Malformed: words or bytes do not fit, or the chain leads backwards.
    """
    command, at = head.command, 0
    for _ in range(CHAIN_MAX):
        cursor = Cursor(body, SMB1_HEADER_BYTES)
        cursor.skip(at)
        words = cursor.take(2 * cursor.u8())
        size = min(cursor.u16le(), cursor.remaining) if cursor.remaining >= 2 else 0
        begin = cursor.offset
        data = cursor.take(size)
        following, offset = (words[0], int.from_bytes(words[2:4], "little")) if len(words) >= 4 else (_NO_MORE, 0)
        last = command not in _ANDX or following == _NO_MORE
        yield Block(command, words, data, begin, last)
        if last:
            return
        if offset - SMB1_HEADER_BYTES <= at:
            raise Malformed("a chain of commands that leads backwards", offset)
        command, at = following, offset - SMB1_HEADER_BYTES


class Strings:
    """The strings in the bytes of a command, one after the other.

    Args:
        data: the bytes.
        at: where they begin, counted from the header: Unicode strings are aligned to that.
        unicode: they are UTF-16; else in an OEM code page that nobody names, read as Latin-1.
        aligned: Unicode strings begin at even offsets.
    """

    def __init__(self, data: bytes, at: int, *, unicode: bool, aligned: bool = True) -> None:
        self._data = data
        self._at = 0
        self._base = at
        self._unicode = unicode
        self._aligned = aligned

    def bytes(self, n: int) -> bytes:
        """`n` bytes that are no string.

        Raises:
            Malformed: there are fewer.
        """
        if self._at + n > len(self._data):
            raise Malformed("a field lies outside its command", self._base + self._at)
        self._at += n
        return self._data[self._at - n : self._at]

    def widen(self, *, can_unicode: bool) -> None:
        """What follows is Unicode after all, if it can be and looks so: some answer NEGOTIATE without saying so."""
        self._unicode |= (
            can_unicode
            and bool(self._data[self._at : self._at + 1].strip(b"\0"))
            and (self._data[self._at + 1 : self._at + 2] == b"\0")
        )

    def text(self) -> str:
        """The next string, up to its terminator or to the end: some leave the last one away. Empty if none is left."""
        if not self._unicode:
            return self.oem()
        if self._aligned and (self._base + self._at) & 1:
            self._at += 1
        end = self._at
        while end + 2 <= len(self._data) and self._data[end : end + 2] != b"\0\0":
            end += 2
        found, self._at = self._data[self._at : end], end + 2
        return found.decode("utf-16-le", "replace")[:STRING_MAX_CHARS].strip()

    def oem(self) -> str:
        """The next string, in one octet a character whatever the others are in."""
        end = self._data.find(b"\0", self._at)
        end = len(self._data) if end < 0 else end
        found, self._at = self._data[self._at : end], end + 1
        return found.decode("latin-1")[:STRING_MAX_CHARS].strip()


def passed(head: Header, block: Block, words_least: int) -> bool | None:
    """Whether the server did what a command asked; None if its answer does not say.

    In a chain the status is that of the last command; one that failed has no words.
    """
    if not head.status or not block.last:
        return True if block.count >= words_least or not block.last else None
    return False if not block.count else None
