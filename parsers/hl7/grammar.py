"""The grammar of a segment: delimiters, composites, escape sequences.

MSH-1 is the field separator, MSH-2 the others, in this order: component, repetition, escape, subcomponent, truncation.
What a message says is written with the usual delimiters (`^` and `&`), whatever its own are, without trailing empty
components and with escape sequences resolved. `""` (HL7's null: "delete this") is no value.

Spec: HL7 v2 ch. 2.5, 2.7.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from parsers.core.fact import clean
from parsers.hl7.charset import WIDE, text_of

REPETITIONS_MAX: Final = 16
_NULL: Final = '""'
_ESCAPES: Final = {
    "F": "field",
    "S": "component",
    "T": "subcomponent",
    "R": "repetition",
    "E": "escape",
    "P": "truncation",
}
_MARKUP: Final = frozenset({"H", "N"})


class Delimiters(msgspec.Struct, frozen=True):
    """What separates the parts of a message; empty where the message names none."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str

    @classmethod
    def of(cls, header: bytes) -> Delimiters:
        """From a header segment whose beginning `framing.is_header` has looked at."""
        field = header[3:4]
        encoding = header[4 : header.index(field, 4)].decode("ascii")
        if encoding == "^~\\\\&":  # escaped once too often by whoever wrote the program
            encoding = "^~\\&"
        parts = [*encoding, "", "", "", "", ""]
        return cls(field.decode("ascii"), parts[0], parts[1], parts[2], parts[3], parts[4])


class Grammar:
    """Reads fields of one message.

    Args:
        delimiters: the message's own.
        codec: see `charset`.

    Attributes:
        separator: what separates fields.
        escape: the escape character; empty if there is none.
        cut: the separator, where it cuts bytes as it cuts text; empty where a byte of a character may look like it.
    """

    __slots__ = ("codec", "cut", "delimiters", "escape", "separator")

    def __init__(self, delimiters: Delimiters, codec: str) -> None:
        self.delimiters = delimiters
        self.separator = delimiters.field.encode("ascii")
        self.escape = delimiters.escape.encode("ascii")
        self.codec = codec
        self.cut = b"" if codec in WIDE else self.separator

    def is_like(self, other: Grammar) -> bool:
        """Whether the same bytes say the same by both."""
        return self.delimiters == other.delimiters and self.codec == other.codec

    def fields(self, segment: bytes) -> list[str]:
        """The fields of a segment; number 0 is its name. Of a header segment field *n* is number *n* - 1."""
        return text_of(segment, self.codec).split(self.delimiters.field)

    def repetitions(self, field: str) -> list[str]:
        """The repetitions of a field, up to `REPETITIONS_MAX`."""
        mark = self.delimiters.repetition
        return field.split(mark, REPETITIONS_MAX)[:REPETITIONS_MAX] if mark and mark in field else [field]

    def components(self, field: str) -> list[str]:
        """The components of one repetition, without trailing empty ones."""
        return _trimmed([self._component(part) for part in field.split(self.delimiters.component)])

    def composite(self, field: str) -> str:
        """One repetition, with the usual delimiters."""
        if self.delimiters.component not in field:
            return self._component(field)
        return "^".join(self.components(field))

    def first(self, field: str) -> str:
        """The first component of one repetition."""
        return self._component(field.split(self.delimiters.component, 1)[0])

    def literal(self, field: bytes) -> bytes:
        """The bytes that a field stands for, escape sequences resolved: for secrets, which are no text."""
        text = self._unescaped(field.decode("latin_1"))
        return text.encode("latin_1", "replace").strip()

    def _component(self, part: str) -> str:
        if part == _NULL:
            return ""
        mark = self.delimiters.subcomponent
        if not mark or mark not in part:
            return clean(self._unescaped(part))
        return "&".join(_trimmed([clean(self._unescaped(piece)) for piece in part.split(mark)]))

    def _unescaped(self, text: str) -> str:
        escape = self.delimiters.escape
        if not escape or escape not in text:
            return text
        return _escaped(escape).sub(self._resolved, text)

    def _resolved(self, found: re.Match[str]) -> str:
        """What one escape sequence stands for. Unknown ones stay: they may be no escape sequences at all."""
        what = found[1]
        if what in _ESCAPES:
            return str(getattr(self.delimiters, _ESCAPES[what]))
        if what in _MARKUP or what[:1] in {"C", "M"}:
            return "" if what in _MARKUP or _is_hexadecimal(what[1:]) else found[0]
        if what[:1] == "X" and _is_hexadecimal(what[1:]):
            return text_of(bytes.fromhex(what[1:]), self.codec)
        return " " if what[:1] == "." else found[0]


def _is_hexadecimal(digits: str) -> bool:
    return len(digits) % 2 == 0 and bool(digits) and all(c in "0123456789abcdefABCDEF" for c in digits)


def _trimmed(parts: list[str]) -> list[str]:
    while parts and not parts[-1]:
        parts.pop()
    return parts


@lru_cache(maxsize=64)
def _escaped(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(f"{mark}([^{mark}]{{1,128}}){mark}")
