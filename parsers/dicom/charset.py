"""Specific Character Set (0008,0005) to Python codecs.

Spec: PS3.3 C.12.1.1.2. Values that are wanted name equipment, mostly in ASCII; what a codec cannot read is replaced.
"""

from __future__ import annotations

import re
from typing import Final

_CODECS: Final = {
    "": "ascii",
    "IR 6": "ascii",
    "IR 13": "shift_jis",
    "IR 58": "gb18030",
    "IR 87": "iso2022_jp_2",
    "IR 100": "latin_1",
    "IR 101": "iso8859_2",
    "IR 109": "iso8859_3",
    "IR 110": "iso8859_4",
    "IR 126": "iso8859_7",
    "IR 127": "iso8859_6",
    "IR 138": "iso8859_8",
    "IR 144": "iso8859_5",
    "IR 148": "iso8859_9",
    "IR 149": "euc_kr",
    "IR 159": "iso2022_jp_2",
    "IR 166": "tis_620",
    "IR 192": "utf_8",
    "IR 203": "iso8859_15",
    "GB18030": "gb18030",
    "GBK": "gb18030",
}
# ISO 2022 designations before what the codec reads anyway: Korean and Chinese into G1, single-byte sets into G0 or G1.
_DESIGNATIONS: Final = re.compile(rb"\x1b(?:\$\)[AC]|[()\-][A-Z])")


def codec_of(character_set: bytes) -> str:
    """The Python codec for a value of (0008,0005): of several sets the last one that is known and not ASCII."""
    for term in reversed(character_set.decode("ascii", "replace").split("\\")):
        name = term.strip(" \0").upper().replace("_", " ").removeprefix("ISO ").removeprefix("2022 ")
        codec = _CODECS.get(name, "ascii")
        if codec != "ascii":
            return codec
    return "ascii"


def text_of(value: bytes, codec: str) -> str:
    """`value` as text; never fails."""
    if codec != "iso2022_jp_2":
        value = _DESIGNATIONS.sub(b"", value)
    return value.decode(codec, "replace")
