"""Canaries in every form in which they might come out, and a quick search for all of them at once.

There are about a thousand canaries, some thirty forms of each, and megabytes to search. Every form is at least eight
bytes long: all windows of eight bytes are looked up in one set, and only where one fits is the whole form compared.
"""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from tests.captures import hospital, own_captures

WINDOW: Final = 8
PIECE: Final = 12
SMALL_BYTES: Final = 30_000
_WORD: Final = re.compile(r"[A-Z0-9.]{17,}|eyJ\w+")
_DATE: Final = re.compile(r"\d{8}")
_HEX: Final = b"0123456789abcdefABCDEF"
_NUMBER_DIGITS: Final = 16


def canaries(path: Path) -> list[str]:
    """The tokens that the recorder planted in a capture."""
    return list(tomllib.loads(path.with_suffix(".toml").read_text()).get("canaries", ()))


PLANTED: Final = [path for path in (*own_captures(), *hospital()) if canaries(path)]
TOKENS: Final = sorted({token for path in PLANTED for token in canaries(path)})


def forms(token: str) -> Iterator[tuple[str, bytes]]:
    """A token as it might be written, each with a name for it."""
    for part in dict.fromkeys((token, *pieces(token))):
        for text in dict.fromkeys((part, part.lower(), part.upper())):
            yield from _spelled(text)
    if _DATE.fullmatch(token):
        yield "ISO date", f"{token[:4]}-{token[4:6]}-{token[6:]}".encode()
    yield from _hashed(token.encode())


def pieces(token: str) -> Iterator[str]:
    """What a long token may be cut into: whoever lets 20 characters of it out lets out one of these."""
    if _WORD.fullmatch(token):
        for at in range(0, len(token) - PIECE + 1, PIECE - 4):
            # What all tokens of a kind begin with is no canary: {"iss": "https://idp....
            if not (token.startswith("eyJ") and at < len(token) * 2 // 3):
                yield token[at : at + PIECE]


def _spelled(text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode()
    yield "plain", raw
    yield "reversed", raw[::-1]
    # DICOM pads to even length; as 16-bit words of the other byte order the padding comes before the last character.
    padded = raw + b" " * (len(raw) % 2)
    yield "swapped", bytes(padded[at ^ 1] for at in range(len(padded)))
    yield "UTF-16 LE", text.encode("utf-16-le")
    yield "UTF-16 BE", text.encode("utf-16-be")
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "hex, spaced", raw.hex(" ").encode()
    yield "percent", "".join(f"%{byte:02x}" for byte in raw).encode()
    yield "PERCENT", "".join(f"%{byte:02X}" for byte in raw).encode()
    yield "quoted", quote(text, safe="").encode()
    yield "escaped", "".join(f"\\u{ord(character):04x}" for character in text).encode()
    yield "\\x", "".join(f"\\x{byte:02x}" for byte in raw).encode()
    yield from ((f"base64 at {shift}", _base64(raw, shift)) for shift in range(3))


def _base64(raw: bytes, shift: int) -> bytes:
    """The characters of base64 that `raw` decides alone when `shift` bytes come before it, modulo 3."""
    text = base64.b64encode(bytes(shift) + raw)
    return text[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]


def _hashed(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Digests without a key: whoever has one has the password by this evening."""
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, raw).digest()[:PIECE]
        yield name, digest
        yield f"{name} hex", digest.hex().encode()


class Needles:
    """All forms of some tokens, to be found in bytes."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._by_window: dict[bytes, dict[bytes, tuple[str, str]]] = {}
        for token in tokens:
            for form, needle in forms(token):
                assert len(needle) >= WINDOW, f"{token} is too short to be looked for"
                self._by_window.setdefault(needle[:WINDOW], {}).setdefault(needle, (form, token))
        heads = [int.from_bytes(head, "little") for head in self._by_window]
        self._heads = pa.array(heads, pa.uint64())

    def found(self, data: bytes) -> list[str]:
        """What is in `data`: form, token and place of each."""
        return [hit for at in self._candidates(data) for hit in self._compared(data, at)]

    def _candidates(self, data: bytes) -> Iterator[int]:
        if len(data) < SMALL_BYTES:  # quicker than to hand all heads to Arrow once more
            yield from (at for at in range(len(data)) if data[at : at + WINDOW] in self._by_window)
            return
        for shift in range(WINDOW):
            count = (len(data) - shift) // WINDOW
            if count < 1:
                continue
            windows = pa.Array.from_buffers(pa.uint64(), count, [None, pa.py_buffer(data[shift:])])
            fitting = pc.indices_nonzero(pc.is_in(windows, value_set=self._heads))
            yield from (shift + WINDOW * place for place in fitting.to_pylist())

    def _compared(self, data: bytes, at: int) -> Iterator[str]:
        for needle, (form, token) in self._by_window[data[at : at + WINDOW]].items():
            if data.startswith(needle, at) and not _part_of_a_number(data, at, needle):
                yield f"{token} ({form}) at {at}: {data[max(at - 40, 0) : at + len(needle) + 20]!r}"


@cache
def all_needles() -> Needles:
    """The search for every canary of every capture."""
    return Needles(TOKENS)


def _part_of_a_number(data: bytes, at: int, needle: bytes) -> bool:
    """Whether the eight digits of a date stand in a digest or a 64-bit id, where chance may put them."""
    if len(needle) != 8 or not needle.isdigit():
        return False
    first, last = at, at + len(needle)
    while first and data[first - 1] in _HEX:
        first -= 1
    while last < len(data) and data[last] in _HEX:
        last += 1
    return last - first >= _NUMBER_DIGITS
