"""Recognising capture files by their first bytes, never by their names.

Specs: draft-ietf-opsawg-pcap (classic pcap), draft-ietf-opsawg-pcapng, RFC 1952 (gzip), RFC 8878 (Zstandard).

The classic pcap header, 24 bytes, in the byte order of the writer:

| offset | bytes | meaning |
|---|---|---|
| 0 | 4 | magic: microseconds, nanoseconds, or "modified" (records with 24-byte headers) |
| 4 | 2 + 2 | version, 2.4 |
| 8 | 4 + 4 | reserved |
| 16 | 4 | snaplen |
| 20 | 4 | link type in the low 16 bits; the high bits say how long a frame check sequence is |
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

PCAP_HEADER_BYTES: Final = 24
PCAPNG_MAGIC: Final = b"\x0a\x0d\x0d\x0a"
PCAPNG_SMALLEST_BYTES: Final = 28  # a section header block without options
GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"

_MICROSECONDS: Final = 0xA1B2C3D4
_NANOSECONDS: Final = 0xA1B23C4D
_MODIFIED: Final = 0xA1B2CD34  # Kuznetsov's patch of libpcap, still written by some appliances
_PCAP_MAGICS: Final = (_MICROSECONDS, _NANOSECONDS, _MODIFIED)

# What else people hand in, with the first bytes that give it away.
_OTHER_FORMATS: Final = (
    (b"snoop\0\0\0", "a Solaris snoop capture"),
    (b"btsnoop\0", "a Bluetooth btsnoop capture"),
    (b"GMBU", "a Microsoft Network Monitor capture"),
    (b"RTSS", "a Microsoft Network Monitor capture"),
    (b"TRSNIFF data", "a Network General Sniffer capture"),
    (b"XCP\0", "a NetXray capture"),
    (b"iptrace", "an AIX iptrace capture"),
    (b"\x7fver", "an EtherPeek capture"),
    (b"LOGG", "a Vector BLF capture"),
    (b"\x1c\x00\x01\xac", "an Ixia capture"),
    (b"\x1c\x00\x01\xab", "an Ixia capture"),
)
_ARCHIVES: Final = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"BZh", "compressed with bzip2"),
    (b"\x04\x22\x4d\x18", "compressed with LZ4"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
)
_TEXT_CONTROLS: Final = frozenset(b"\t\n\r\f\x1b")


class PcapHeader(NamedTuple):
    """The header of a classic pcap file, as the engine wants it."""

    big_endian: bool
    nanosecond: bool
    modified: bool
    link_type: int


def pcap_header(head: bytes) -> PcapHeader | None:
    """The header in the first 24 bytes, or None when this is no classic pcap file."""
    for order in (">", "<"):
        magic = struct.unpack(order + "I", head[:4].ljust(4, b"\0"))[0]
        if magic in _PCAP_MAGICS:
            link = struct.unpack_from(order + "I", head.ljust(PCAP_HEADER_BYTES, b"\0"), 20)[0]
            return PcapHeader(order == ">", magic == _NANOSECONDS, magic == _MODIFIED, link & 0xFFFF)
    return None


def complaint(head: bytes) -> tuple[str, str]:
    """What a file is that is no capture of ours, and what to do with it."""
    for magic, name in _OTHER_FORMATS:
        if head.startswith(magic):
            return f"is {name}, which is not read", "convert it: editcap -F pcap INPUT OUTPUT"
    for magic, name in _ARCHIVES:
        if head.startswith(magic):
            return f"is {name}", "unpack it first (gzip and zstd are read as they are)"
    if _is_text(head):
        return "is a text file, not a capture", "give a pcap or pcapng file"
    return "is not a capture", "give a pcap or pcapng file"


def _is_text(head: bytes) -> bool:
    """Printable in UTF-8, but for a character cut at the end."""
    if any(byte < 0x20 and byte not in _TEXT_CONTROLS for byte in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end == len(head) and len(head) - error.start < 4 and error.start > 0
    return True
