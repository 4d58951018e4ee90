"""Status codes by name: NTSTATUS, and the class and code of SMB 1 servers that do not speak it.

Spec: MS-ERREF 2.3.1, MS-CIFS 2.2.2.4
"""

from __future__ import annotations

from functools import cache
from typing import Final

from parsers import _tables

SUCCESS: Final = 0
PENDING: Final = 0x00000103
MORE_PROCESSING_REQUIRED: Final = 0xC0000016
# user session deleted, network session expired: whatever was asked for was not considered
ABOUT_THE_SESSION: Final = frozenset({0xC0000203, 0xC000035C})

_CLASSES: Final = {1: "ERRDOS", 2: "ERRSRV", 3: "ERRHRD", 0xFF: "ERRCMD"}
_CODES: Final = {
    (1, 2): "ERRbadfile",
    (1, 5): "ERRnoaccess",
    (1, 6): "ERRbadfid",
    (1, 50): "ERRunsup",
    (1, 65): "ERRnetaccessdenied",
    (1, 67): "ERRnosuchshare",
    (1, 86): "ERRinvalidpassword",
    (1, 87): "ERRinvalidparam",
    (1, 2239): "ERRaccountexpired",
    (1, 2240): "ERRbadClient",
    (1, 2241): "ERRbadLogonTime",
    (1, 2242): "ERRpasswordExpired",
    (2, 1): "ERRerror",
    (2, 2): "ERRbadpw",
    (2, 4): "ERRaccess",
    (2, 5): "ERRinvtid",
    (2, 6): "ERRinvnetname",
    (2, 7): "ERRinvdevice",
    (2, 64): "ERRsmbcmd",
    (2, 81): "ERRtoomanyuids",
    (2, 91): "ERRbaduid",
    (2, 0xFFFF): "ERRnosupport",
}


def name(code: int) -> str:
    """The name of an NTSTATUS, else its number."""
    return _names().get(code, f"0x{code:08X}")


def dos_name(code: int) -> str:
    """The name of a status as SMB 1 servers of old say it: class in the lowest octet, code in the upper two."""
    if not code:
        return name(SUCCESS)
    kind, number = code & 0xFF, code >> 16
    return f"{_CLASSES.get(kind, f'0x{kind:02X}')}/{_CODES.get((kind, number), number)}"


@cache
def _names() -> dict[int, str]:
    return {int(code, 16): said for code, said in _tables.rows("nt_status.csv")}
