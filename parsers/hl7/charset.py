"""MSH-18, character set, to Python codecs.

Spec: HL7 v2 table 0211. Where nothing is said ASCII holds; what senders really write is UTF-8 or Latin-1, also where
they say that it is some set of one byte a character: text in such a set is hardly ever valid UTF-8 by chance. Some
write the names that other standards use (`ISO-8859-1`, `UTF8`).
"""

from __future__ import annotations

import re
from typing import Final

GUESSED: Final = ""

_CODECS: Final = {
    "8859/1": "latin_1",
    "8859/2": "iso8859_2",
    "8859/3": "iso8859_3",
    "8859/4": "iso8859_4",
    "8859/5": "iso8859_5",
    "8859/6": "iso8859_6",
    "8859/7": "iso8859_7",
    "8859/8": "iso8859_8",
    "8859/9": "iso8859_9",
    "8859/15": "iso8859_15",
    "ISO IR6": "ascii",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp_2",
    "ISO IR159": "iso2022_jp_2",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
    "UNICODE UTF-8": "utf_8",
    "UTF-8": "utf_8",
    "UTF8": "utf_8",
    "UNICODE": "utf_8",
}

WIDE: Final = frozenset({"shift_jis", "iso2022_jp_2", "gb18030", "euc_kr", "big5"})
_ISO_8859: Final = re.compile(r"^(?:ISO[- ]?)?8859-([0-9]{1,2})$")


def codec_of(character_sets: list[str]) -> str:
    """The codec for the repetitions of MSH-18: of the first that is known; `GUESSED` if none is."""
    for name in character_sets:
        codec = _CODECS.get(_ISO_8859.sub(r"8859/\1", name.strip().upper()), GUESSED)
        if codec:
            return codec
    return GUESSED


def text_of(data: bytes, codec: str) -> str:
    """`data` as text; never fails."""
    if codec in WIDE:
        return data.decode(codec, "replace")
    try:
        return data.decode("utf_8")
    except UnicodeDecodeError:
        return data.decode(codec or "latin_1", "replace")
